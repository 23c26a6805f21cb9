//! A connection that has said what it was asked for → nothing, gone without a trace. Asterisk logs two ERROR lines for every WebSocket
//! that is dropped, so a probe ends as RFC 6455 (7.1.1) wants it: Close, the peer's Close, TLS close_notify, the end of the stream on
//! both sides. Refuses to wait for a peer that does not play along.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use super::Socket;

/// However long a stage may take: by then a peer that means to answer has done so.
const LONGEST: Duration = Duration::from_secs(1);
/// What is read and thrown away after our last word, before we hang up on a peer that keeps talking.
const MOST_LEFTOVERS: usize = 64 * 1024;
/// Asterisk's Close has 4 bytes; a peer may send some messages before it.
const LARGEST_MESSAGE: usize = 16 * 1024;
const MOST_MESSAGES: usize = 16;

/// A probe's connection that is still to be closed. Asterisk 22 takes up to 10 ms to answer a Close (its PJSIP thread looks once in that
/// time), so that nobody needs to wait for it before acting on what the probe saw. Dropped without [`Closing::done`], the connection ends
/// abruptly, and Asterisk logs two errors.
#[must_use = "await `done`: before a reload, and for the sake of Asterisk's log"]
#[derive(Debug)]
pub struct Closing {
    line: Line,
    limit: Duration,
}

#[derive(Debug)]
enum Line {
    Gone,
    Http(Box<TlsStream<TcpStream>>),
    Sip(Box<TlsStream<TcpStream>>),
    WebSocket(Box<TlsStream<TcpStream>>, Vec<u8>),
    Plain(TcpStream),
    PlainWebSocket(TcpStream, Vec<u8>),
    Open(Box<Socket>),
}

impl Closing {
    /// Returns once nothing is left of the connection: after at most a second, or the target's timeout where that is shorter.
    pub async fn done(self) {
        match self.line {
            Line::Gone => {}
            Line::Http(stream) => leave(stream, self.limit).await,
            Line::Sip(stream) => leave(stream.into_inner().0, self.limit).await,
            Line::WebSocket(stream, tail) => leave_websocket(stream, tail, self.limit).await,
            Line::Plain(stream) => leave(stream, self.limit).await,
            Line::PlainWebSocket(stream, tail) => leave_websocket(stream, tail, self.limit).await,
            Line::Open(socket) => socket.leave().await,
        }
    }

    pub(super) fn nothing() -> Self {
        Closing { line: Line::Gone, limit: Duration::ZERO }
    }

    pub(super) fn http(stream: Box<TlsStream<TcpStream>>, limit: Duration) -> Self {
        Closing { line: Line::Http(stream), limit }
    }

    /// Ends TCP without a close_notify, which PJSIP of Asterisk 16 calls a WARNING (`SSL_ERROR_ZERO_RETURN`); a plain end it, and 22, take
    /// without a word.
    pub(super) fn sip(stream: Box<TlsStream<TcpStream>>, limit: Duration) -> Self {
        Closing { line: Line::Sip(stream), limit }
    }

    pub(super) fn websocket(stream: Box<TlsStream<TcpStream>>, tail: Vec<u8>, limit: Duration) -> Self {
        Closing { line: Line::WebSocket(stream, tail), limit }
    }

    pub(super) fn plain(stream: TcpStream, limit: Duration) -> Self {
        Closing { line: Line::Plain(stream), limit }
    }

    pub(super) fn plain_websocket(stream: TcpStream, tail: Vec<u8>, limit: Duration) -> Self {
        Closing { line: Line::PlainWebSocket(stream, tail), limit }
    }

    pub(super) fn open(socket: Socket) -> Self {
        Closing { line: Line::Open(Box::new(socket)), limit: Duration::ZERO }
    }
}

/// Ends an accepted WebSocket. `tail`: what came after the answer to the upgrade.
pub(super) async fn leave_websocket<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, tail: Vec<u8>, limit: Duration) {
    let farewell = async {
        close(&mut stream, tail).await;
        hang_up(&mut stream).await;
    };
    // Nothing depends on how it ends: what the peer serves is known already.
    let _ = timeout(limit.min(LONGEST), farewell).await;
}

/// Ends a connection that stayed with HTTP or TLS alone, or that never came to it.
pub(super) async fn leave<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, limit: Duration) {
    let _ = timeout(limit.min(LONGEST), hang_up(&mut stream)).await;
}

async fn close<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, tail: Vec<u8>) {
    let mut socket = WebSocketStream::from_partially_read(stream, tail, Role::Client, Some(config())).await;
    say_close(&mut socket).await;
}

/// What a WebSocket of ours takes of a peer at most.
pub(super) fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(1024)
        .write_buffer_size(0)
        .max_message_size(Some(LARGEST_MESSAGE))
        .max_frame_size(Some(LARGEST_MESSAGE))
}

/// Ends a WebSocket that was in use.
pub(super) async fn leave_open<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocketStream<S>, limit: Duration) {
    let farewell = async {
        say_close(&mut socket).await;
        hang_up(socket.get_mut()).await;
    };
    let _ = timeout(limit.min(LONGEST), farewell).await;
}

async fn say_close<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) {
    if socket.send(Message::Close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() }))).await.is_err() {
        return;
    }
    for _ in 0..MOST_MESSAGES {
        match socket.next().await {
            Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            Some(Ok(Message::Text(_) | Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
        }
    }
}

/// close_notify and the end of our side, then whatever the peer still has to say, so that it meets an end and no reset.
async fn hang_up<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut leftovers = [0; 1024];
    let mut read = 0;
    while read < MOST_LEFTOVERS {
        match stream.read(&mut leftovers).await {
            Ok(0) | Err(_) => return,
            Ok(length) => read += length,
        }
    }
}
