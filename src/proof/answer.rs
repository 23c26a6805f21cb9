//! The head of an HTTP answer → [`Answer`]: an upgrade to `sip`, or a finding that says who answered and what. Pure.

use tokio_tungstenite::tungstenite::{
    handshake::{client::Response, derive_accept_key},
    http::{HeaderMap, StatusCode},
};

use super::{proxy, trial::Trial};
use crate::diagnosis::{Code, Finding};

/// The one subprotocol that SIP over WebSocket has (RFC 7118, 4).
pub(super) const SUBPROTOCOL: &str = "sip";
/// What is quoted of a peer's words, in characters.
pub(super) const LONGEST_QUOTE: usize = 80;

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

/// What the head of an answer means. `key`: what was sent as `Sec-WebSocket-Key`. `tail`: what came behind the head.
pub(super) fn judge(trial: &Trial<'_>, head: &Response, key: &str, tail: Vec<u8>) -> Answer {
    if head.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Answer::Refused { finding: refusal(trial, head, &tail), status: Some(head.status().as_u16()) };
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

/// What an answer means that is not 101. Whoever asks for a login or forbids is no Asterisk either, yet does so on purpose.
fn refusal(trial: &Trial<'_>, head: &Response, page: &[u8]) -> Finding {
    let status = head.status();
    let proxy = proxy::named(head, page);
    let code = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Code::WsForbidden,
        _ if status.is_redirection() => Code::WsRedirected,
        _ if proxy.is_some() => Code::WsProxyInTheWay,
        StatusCode::NOT_FOUND => Code::WsNotFound,
        // Asterisk's answer to a subprotocol that no module has taken. It lists the versions too, of which ours is one.
        StatusCode::BAD_REQUEST if text(head.headers(), "sec-websocket-version").is_some_and(|versions| versions.contains("13")) => {
            Code::WsSubprotocolRefused
        }
        _ => Code::WsNotUpgraded,
    };
    let finding = described(trial, head, code, format!("HTTP {status}")).with("expected", "HTTP 101 Switching Protocols");
    match proxy {
        Some(proxy) => finding.with("proxy", proxy),
        None => finding,
    }
}

fn described(trial: &Trial<'_>, head: &Response, code: Code, found: String) -> Finding {
    let mut finding = trial.finding(code, found).with("path", trial.target.path.as_str());
    for name in ["server", "location"] {
        if let Some(value) = text(head.headers(), name) {
            finding = finding.with(name, short(value));
        }
    }
    finding
}

pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

pub(super) fn short(value: &str) -> String {
    value.chars().filter(|c| !c.is_control()).take(LONGEST_QUOTE).collect()
}
