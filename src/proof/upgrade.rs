//! A stream → the answer to a WebSocket upgrade that asks for `sip` (RFC 6455, 4; RFC 7118, 4). Refuses an answer whose head is larger
//! than 16 KiB or is not whole within the stage's time; what is not an upgrade leaves as a finding that says what answered instead.

use std::{io, time::Duration};

use rustls::Error as TlsError;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::timeout,
};
use tokio_tungstenite::tungstenite::{
    handshake::{
        client::{Response, generate_key},
        machine::TryParse as _,
    },
    http::StatusCode,
};

use super::{
    Target,
    answer::{self, Answer, LONGEST_QUOTE, SUBPROTOCOL},
    proxy,
    trial::Trial,
};
use crate::diagnosis::{Code, Finding};

/// Asterisk's whole answer is below 300 bytes.
const LARGEST_HEAD: usize = 16 * 1024;

/// Asks, and waits for the head of the answer.
pub(super) async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(trial: &Trial<'_>, stream: &mut S) -> Answer {
    let key = generate_key();
    let request =
        request(trial.target, &[WEBSOCKET, &format!("Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n")].concat());
    let mut received = Vec::with_capacity(1024);
    let outcome = timeout(trial.target.timeout, exchange(stream, request.as_bytes(), &mut received)).await;
    match outcome {
        Err(_) => Answer::Late(late(trial, &received)),
        Ok(Err(Trouble::Ended(error))) => Answer::Ended(ended(trial, &received, error.as_ref())),
        Ok(Err(Trouble::Malformed)) => {
            Answer::Refused { finding: trial.finding(Code::WsNotUpgraded, format!("no HTTP answer: {}", quote(&received))), status: None }
        }
        Ok(Err(Trouble::TooLarge)) => {
            let found = format!("an HTTP head larger than {LARGEST_HEAD} bytes: {}", quote(&received));
            Answer::Refused { finding: trial.finding(Code::WsNotUpgraded, found), status: None }
        }
        Ok(Ok((head, length))) => {
            let mut tail = received.split_off(length);
            if head.status() != StatusCode::SWITCHING_PROTOCOLS {
                page(stream, &head, &mut tail).await;
            }
            answer::judge(trial, &head, &key, tail)
        }
    }
}

/// Waits for the beginning of a page that was promised. It names some of those who say their name nowhere else; where it does not come, what
/// the head says is enough.
async fn page<S: AsyncRead + Unpin>(stream: &mut S, head: &Response, page: &mut Vec<u8>) {
    let missing = u64::try_from(proxy::missing(head.headers(), page)).unwrap_or(0);
    let _ = timeout(PAGE_PATIENCE, stream.take(missing).read_to_end(page)).await;
}

/// A page comes with its head, or right behind it.
const PAGE_PATIENCE: Duration = Duration::from_millis(500);

/// What else is asked of the same path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A page.
    Page,
    /// A WebSocket, and no subprotocol.
    WebSocket,
}

/// The head of the answer to it.
///
/// # Errors
/// What came instead, in words.
pub(super) async fn head<S: AsyncRead + AsyncWrite + Unpin>(trial: &Trial<'_>, stream: &mut S, asked: Asked) -> Result<Response, String> {
    let headers = match asked {
        Asked::Page => String::new(),
        Asked::WebSocket => [WEBSOCKET, &format!("Sec-WebSocket-Key: {}\r\n", generate_key())].concat(),
    };
    let mut received = Vec::new();
    match timeout(trial.target.timeout, exchange(stream, request(trial.target, &headers).as_bytes(), &mut received)).await {
        Err(_) => Err(format!("no answer within {} ms", trial.target.timeout.as_millis())),
        Ok(Err(Trouble::Ended(_))) => Err("the connection ended before an answer".to_owned()),
        Ok(Err(Trouble::Malformed | Trouble::TooLarge)) => Err(format!("no HTTP answer: {}", quote(&received))),
        Ok(Ok((head, _))) => Ok(head),
    }
}

const WEBSOCKET: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";

/// The request, as a browser would send it. The port is left out of `Host` where it is the default one (RFC 6455, 4.1).
fn request(target: &Target, headers: &str) -> String {
    let host = target.server_name.as_ref().unwrap_or(&target.address.host);
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let port = if target.address.port == 443 { String::new() } else { format!(":{}", target.address.port) };
    let mut request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}{port}\r\nUser-Agent: starkeeper/{version}\r\n{headers}",
        path = plain(&target.path),
        host = plain(&host),
        version = env!("CARGO_PKG_VERSION"),
    );
    if let Some(origin) = &target.origin {
        request.push_str("Origin: ");
        request.push_str(&plain(origin));
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    request
}

/// Without line ends: a setting cannot add a header.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && *c != ' ').collect()
}

enum Trouble {
    /// The connection ended; with an error, or with an orderly end of the stream.
    Ended(Option<io::Error>),
    Malformed,
    TooLarge,
}

async fn exchange<S>(stream: &mut S, request: &[u8], received: &mut Vec<u8>) -> Result<(Response, usize), Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // A peer that is about to close may answer all the same, so that a failed write is no reason not to read.
    let written = async {
        stream.write_all(request).await?;
        stream.flush().await
    }
    .await;
    let mut chunk = [0; 2048];
    loop {
        let seen = received.len();
        match stream.read(&mut chunk).await {
            Ok(0) => return Err(Trouble::Ended(written.err())),
            Ok(length) => received.extend_from_slice(&chunk[..length]),
            Err(error) => return Err(Trouble::Ended(Some(error))),
        }
        match parse(received, seen)? {
            Some((head, length)) => return Ok((head, length)),
            None if received.len() >= LARGEST_HEAD => return Err(Trouble::TooLarge),
            None => {}
        }
    }
}

/// The head of an HTTP answer and its length, once it is whole. `seen`: how many bytes were looked at before, in vain.
fn parse(received: &[u8], seen: usize) -> Result<Option<(Response, usize)>, Trouble> {
    // A peer that speaks something else may be silent afterwards: there is no need to wait for the end of its line.
    let version = b"HTTP/1.";
    if !received.starts_with(&version[..received.len().min(version.len())]) {
        return Err(Trouble::Malformed);
    }
    // Parsed once and not for every byte, or a peer that trickles could have us work.
    let new = &received[seen.saturating_sub(2)..];
    if !new.windows(2).any(|end| end == b"\n\n") && !new.windows(3).any(|end| end == b"\n\r\n") {
        return Ok(None);
    }
    // Old proxies answer in HTTP/1.0, which the parser does not take though the head means the same.
    let mut head = received.to_vec();
    if let Some(minor @ b'0') = head.get_mut(version.len()) {
        *minor = b'1';
    }
    match Response::try_parse(&head) {
        Ok(Some((length, head))) => Ok(Some((head, length))),
        Ok(None) => Ok(None),
        Err(_) => Err(Trouble::Malformed),
    }
}

fn ended(trial: &Trial<'_>, received: &[u8], error: Option<&io::Error>) -> Finding {
    // TLS 1.3 lets the peer refuse us after our side of the handshake is over: without a client certificate, say.
    if let Some(error) = error.and_then(|error| error.get_ref()?.downcast_ref::<TlsError>()) {
        return trial.finding(Code::TlsFailed, format!("after the handshake: {error}"));
    }
    let how = error.map_or_else(|| "closed".to_owned(), |error| format!("broken ({error})"));
    if received.is_empty() {
        // Asterisk over its `sessionlimit` takes the connection, shakes hands and closes it without a word.
        trial.finding(Code::WsSessionLimit, format!("TLS stands, then the connection was {how} before any HTTP answer"))
    } else {
        trial.finding(Code::WsClosedEarly, format!("the connection was {how} within the answer: {}", quote(received)))
    }
}

fn late(trial: &Trial<'_>, received: &[u8]) -> Finding {
    if received.is_empty() {
        trial.silence(Code::WsNotUpgraded)
    } else {
        trial.finding(
            Code::WsNotUpgraded,
            format!("no whole HTTP answer within {} ms: {}", trial.target.timeout.as_millis(), quote(received)),
        )
    }
}

/// The first line of what a peer sent, so that no more than fits and nothing unprintable enters a log.
fn quote(received: &[u8]) -> String {
    let line = received.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    format!("`{}`", line[..line.len().min(LONGEST_QUOTE)].escape_ascii())
}
