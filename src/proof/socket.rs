//! An upgrade that was accepted → a WebSocket to speak SIP on, or to hold for a while. Refuses messages beyond 16 KiB: what a peer says is
//! taken one message at a time, so that a flood costs no memory. Left properly, or Asterisk logs two errors.

use std::{fmt, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, Message, protocol::Role},
};

use super::{Closing, farewell};

/// TLS or bare TCP.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<W: AsyncRead + AsyncWrite + Unpin + Send> Wire for W {}

/// A WebSocket whose subprotocol is `sip`.
pub struct Socket {
    inner: WebSocketStream<Box<dyn Wire>>,
    limit: Duration,
}

/// What came over a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A message: SIP, or its keep-alive.
    Message(Vec<u8>),
    /// The peer wants to know whether we live; it is answered already.
    Ping,
    /// The answer to our ping.
    Pong,
    /// The peer closes, with this code and in these words. No code: 1005.
    Close(Option<u16>, String),
    /// The connection ended without a Close: what a browser calls 1006.
    Gone(String),
}

impl Socket {
    /// `tail`: what the peer said right behind its answer. `limit`: how long a farewell may take.
    pub(super) async fn new(stream: Box<dyn Wire>, tail: Vec<u8>, limit: Duration) -> Self {
        let config = farewell::config();
        Socket { inner: WebSocketStream::from_partially_read(stream, tail, Role::Client, Some(config)).await, limit }
    }

    /// One message of SIP. What it comes to is heard.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn say(&mut self, message: &str) -> Result<(), Heard> {
        self.send(Message::text(message)).await
    }

    /// Asks whether the peer lives.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn ping(&mut self) -> Result<(), Heard> {
        self.send(Message::Ping(PING.into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Heard> {
        self.inner.send(message).await.map_err(|error| gone(&error))
    }

    /// Waits for what comes next. After [`Heard::Close`] and [`Heard::Gone`] nothing does. May be dropped half way: nothing is lost.
    pub async fn hear(&mut self) -> Heard {
        loop {
            return match self.inner.next().await {
                None => Heard::Gone("the connection ended without a Close".to_owned()),
                Some(Err(error)) => gone(&error),
                Some(Ok(Message::Text(text))) => Heard::Message(text.as_bytes().to_vec()),
                Some(Ok(Message::Binary(bytes))) => Heard::Message(bytes.to_vec()),
                Some(Ok(Message::Ping(_))) => Heard::Ping,
                Some(Ok(Message::Pong(_))) => Heard::Pong,
                Some(Ok(Message::Close(None))) => Heard::Close(None, String::new()),
                Some(Ok(Message::Close(Some(frame)))) => Heard::Close(Some(frame.code.into()), frame.reason.to_string()),
                Some(Ok(Message::Frame(_))) => continue,
            };
        }
    }

    /// Nothing more is to be said.
    pub fn closing(self) -> Closing {
        Closing::open(self)
    }

    /// Ends it as RFC 6455 wants it: nothing of it is left, also not in Asterisk's log.
    pub async fn leave(self) {
        farewell::leave_open(self.inner, self.limit).await;
    }
}

/// What our pings carry.
const PING: &[u8] = b"starkeeper";

fn gone(error: &Error) -> Heard {
    Heard::Gone(error.to_string())
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Socket")
    }
}
