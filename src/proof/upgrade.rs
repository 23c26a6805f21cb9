//! A stream → the answer to a WebSocket upgrade that asks for `sip` (RFC 6455, 4; RFC 7118, 4). Refuses an answer whose head is larger
//! than 16 KiB or is not whole within the stage's time; what is not an upgrade leaves as a finding that says what answered instead.

use std::{fmt::Write as _, io};

use rustls::Error as TlsError;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::timeout,
};
use tokio_tungstenite::tungstenite::{
    handshake::{
        client::{Response, generate_key},
        derive_accept_key,
        machine::TryParse as _,
    },
    http::{HeaderMap, StatusCode, header},
};

use super::{Target, trial::Trial};
use crate::diagnosis::{Code, Finding};

/// Asterisk's whole answer is below 300 bytes.
const LARGEST_HEAD: usize = 16 * 1024;
/// What is quoted of an answer that is no HTTP.
const LONGEST_QUOTE: usize = 80;
/// The one subprotocol that SIP over WebSocket has (RFC 7118, 4).
const SUBPROTOCOL: &str = "sip";

/// What came of asking for the upgrade.
pub(super) enum Answer {
    /// The peer speaks WebSocket from here on, with `sip`. These bytes already came after its answer.
    Accepted { tail: Vec<u8> },
    /// The peer speaks WebSocket from here on, but not as it was asked to.
    AcceptedOther { finding: Finding, tail: Vec<u8> },
    /// The peer answered, and stays with HTTP. `status`: `None` where what it said is no HTTP.
    Refused { finding: Finding, status: Option<u16> },
    /// The peer closed or broke the connection.
    Ended(Finding),
    /// The answer was not whole in time.
    Late(Finding),
}

/// Asks, and waits for the head of the answer.
pub(super) async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(trial: &Trial<'_>, stream: &mut S) -> Answer {
    let key = generate_key();
    let request = request(trial.target, &key);
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
        Ok(Ok((head, length))) => answer(trial, &head, &key, received.split_off(length)),
    }
}

/// The request, as a browser would send it. The port is left out of `Host` where it is the default one (RFC 6455, 4.1).
fn request(target: &Target, key: &str) -> String {
    let host = target.server_name.as_ref().unwrap_or(&target.address.host);
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let port = if target.address.port == 443 { String::new() } else { format!(":{}", target.address.port) };
    let mut request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}{port}\r\nUser-Agent: starkeeper/{version}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n",
        path = plain(&target.path),
        host = plain(&host),
        version = env!("CARGO_PKG_VERSION"),
    );
    if let Some(origin) = &target.origin {
        write!(request, "Origin: {}\r\n", plain(origin)).expect("writing to a String cannot fail");
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
        match stream.read(&mut chunk).await {
            Ok(0) => return Err(Trouble::Ended(written.err())),
            Ok(length) => received.extend_from_slice(&chunk[..length]),
            Err(error) => return Err(Trouble::Ended(Some(error))),
        }
        match parse(received)? {
            Some((head, length)) => return Ok((head, length)),
            None if received.len() >= LARGEST_HEAD => return Err(Trouble::TooLarge),
            None => {}
        }
    }
}

/// The head of an HTTP answer and its length, once it is whole.
fn parse(received: &[u8]) -> Result<Option<(Response, usize)>, Trouble> {
    // A peer that speaks something else may be silent afterwards: there is no need to wait for the end of its line.
    let version = b"HTTP/1.";
    if !received.starts_with(&version[..received.len().min(version.len())]) {
        return Err(Trouble::Malformed);
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

fn answer(trial: &Trial<'_>, head: &Response, key: &str, tail: Vec<u8>) -> Answer {
    if head.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Answer::Refused { finding: refusal(trial, head), status: Some(head.status().as_u16()) };
    }
    let headers = head.headers();
    let websocket = text(headers, "upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
        && text(headers, "sec-websocket-accept") == Some(derive_accept_key(key.as_bytes()).as_str());
    if !websocket {
        let finding = trial.finding(Code::WsNotUpgraded, "101 that does not answer this WebSocket request");
        return Answer::Refused { finding, status: Some(101) };
    }
    // Asterisk echoes ` sip` at times; what is parsed is trimmed already, and what other peers echo is trimmed here.
    match text(headers, "sec-websocket-protocol") {
        Some(SUBPROTOCOL) => Answer::Accepted { tail },
        other => {
            let found =
                other.map_or_else(|| "101 without a subprotocol".to_owned(), |other| format!("101 with subprotocol {}", short(other)));
            Answer::AcceptedOther { finding: described(trial, head, Code::WsSubprotocolRefused, found).with("expected", SUBPROTOCOL), tail }
        }
    }
}

/// What an answer means that is not 101.
fn refusal(trial: &Trial<'_>, head: &Response) -> Finding {
    let status = head.status();
    let found = format!("HTTP {status}");
    if let Some(proxy) = proxy(head) {
        return described(trial, head, Code::WsProxyInTheWay, found).with("proxy", proxy);
    }
    let code = match status {
        StatusCode::NOT_FOUND => Code::WsNotFound,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Code::WsForbidden,
        // Asterisk's answer to a subprotocol that no module has taken. It lists the versions too, of which ours is one.
        StatusCode::BAD_REQUEST if text(head.headers(), "sec-websocket-version").is_some_and(|versions| versions.contains("13")) => {
            Code::WsSubprotocolRefused
        }
        _ => Code::WsNotUpgraded,
    };
    described(trial, head, code, found).with("expected", "HTTP 101 Switching Protocols")
}

fn described(trial: &Trial<'_>, head: &Response, code: Code, found: String) -> Finding {
    let finding = trial.finding(code, found).with("path", trial.target.path.as_str());
    match text(head.headers(), "server") {
        Some(server) => finding.with("server", short(server)),
        None => finding,
    }
}

/// Which proxy answered instead of Asterisk, if one did.
fn proxy(head: &Response) -> Option<String> {
    let headers = head.headers();
    let server = text(headers, "server").unwrap_or_default();
    let lowercase = server.to_ascii_lowercase();
    if lowercase.starts_with("asterisk") {
        return None;
    }
    if let Some(via) = text(headers, "via") {
        return Some(format!("Via: {}", short(via)));
    }
    if PROXIES.iter().any(|name| lowercase.contains(name)) {
        return Some(format!("Server: {}", short(server)));
    }
    if let Some(name) = PROXY_HEADERS.iter().find(|name| headers.contains_key(**name)) {
        return Some(format!("header {name}"));
    }
    // Asterisk redirects only what is not /ws, and says neither 502 nor 504.
    let status = head.status();
    let gateway = matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT);
    if gateway || status.is_redirection() {
        return Some(match text(headers, header::LOCATION.as_str()) {
            Some(location) => format!("HTTP {} to {}", status.as_u16(), short(location)),
            None => format!("HTTP {}", status.as_u16()),
        });
    }
    None
}

/// How the proxies, load balancers and tunnels that stand before WSS name themselves in `Server`.
const PROXIES: &[&str] = &[
    "nginx",
    "openresty",
    "tengine",
    "cloudflare",
    "envoy",
    "haproxy",
    "apache",
    "caddy",
    "traefik",
    "varnish",
    "squid",
    "awselb",
    "cloudfront",
    "akamai",
    "gws",
    "google frontend",
    "microsoft-azure",
    "microsoft-iis",
    "kong",
    "litespeed",
    "lighttpd",
    "ats",
    "istio",
];

/// What they add where they hide their name.
const PROXY_HEADERS: &[&str] = &[
    "cf-ray",
    "x-envoy-upstream-service-time",
    "x-envoy-overloaded",
    "x-amz-cf-id",
    "x-azure-ref",
    "x-served-by",
    "x-kong-response-latency",
];

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

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

/// The first line of what a peer sent, so that no more than fits and nothing unprintable enters a log.
fn quote(received: &[u8]) -> String {
    let line = received.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    format!("`{}`", line[..line.len().min(LONGEST_QUOTE)].escape_ascii())
}

fn short(value: &str) -> String {
    value.chars().filter(|c| !c.is_control()).take(LONGEST_QUOTE).collect()
}
