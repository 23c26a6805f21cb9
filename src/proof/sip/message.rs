//! A [`Request`] → its text; bytes → a [`Response`]. Pure. Refuses what is no SIP response, and headers beyond a hundred; whatever a peer or
//! a user's name holds, no line is added to what is written.

use std::fmt::{self, Write as _};

use super::digest::Challenge;

/// A request outside of any call.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) method: &'static str,
    pub(super) user: String,
    pub(super) host: String,
    pub(super) branch: String,
    pub(super) call: String,
    pub(super) tag: String,
    pub(super) number: u32,
    /// A whole URI.
    pub(super) contact: Option<String>,
    pub(super) expires: Option<u32>,
    /// The header's name, and what it says.
    pub(super) authorization: Option<(&'static str, String)>,
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// `401`.
    pub status: u16,
    /// `Unauthorized`.
    pub reason: String,
    headers: Vec<(String, String)>,
}

impl Request {
    /// The Request-URI: the registrar itself, without a user part.
    pub(super) fn uri(&self) -> String {
        format!("sip:{}", host(&self.host))
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = format!("sip:{}@{}", escaped(&self.user), host(&self.host));
        let mut text = String::with_capacity(512);
        // Writing to a String does not fail. A WebSocket's client has no address of its own to be named in Via (RFC 7118, 5).
        let _ = write!(text, "{} {} SIP/2.0\r\n", self.method, self.uri());
        let _ = write!(text, "Via: SIP/2.0/WSS {}.invalid;branch=z9hG4bK{}\r\n", self.call, self.branch);
        let _ = write!(text, "Max-Forwards: 70\r\nFrom: <{own}>;tag={}\r\nTo: <{own}>\r\n", self.tag);
        let _ = write!(text, "Call-ID: {}\r\nCSeq: {} {}\r\n", self.call, self.number, self.method);
        if let Some(contact) = &self.contact {
            let _ = write!(text, "Contact: <{}>\r\n", plain(contact));
        }
        if let Some(expires) = self.expires {
            let _ = write!(text, "Expires: {expires}\r\n");
        }
        if let Some((name, value)) = &self.authorization {
            let _ = write!(text, "{name}: {}\r\n", plain(value));
        }
        let _ = write!(text, "User-Agent: starkeeper/{}\r\nContent-Length: 0\r\n\r\n", env!("CARGO_PKG_VERSION"));
        f.write_str(&text)
    }
}

impl Response {
    /// Reads the head; a body is let go. `None`: it is a request, a keep-alive, or no SIP at all.
    pub fn parse(bytes: &[u8]) -> Option<Response> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.lines();
        let (version, rest) = lines.next()?.split_once(' ')?;
        if !version.eq_ignore_ascii_case("SIP/2.0") {
            return None;
        }
        let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        let status = status.parse().ok().filter(|status| (100..700).contains(status))?;
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines.take_while(|line| !line.is_empty()).take(MOST_HEADERS) {
            if line.starts_with([' ', '\t']) {
                // A header may go on in the next line (RFC 3261, 7.3.1).
                if let Some((_, value)) = headers.last_mut() {
                    value.push(' ');
                    value.push_str(line.trim());
                }
            } else if let Some((name, value)) = line.split_once(':') {
                headers.push((whole(name.trim()), value.trim().to_owned()));
            }
        }
        Some(Response { status, reason: reason.trim().to_owned(), headers })
    }

    /// The first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Every header of this name.
    pub fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        self.headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// What a 401 or 407 asks for, in its order.
    pub fn challenges(&self) -> Vec<Challenge> {
        ["WWW-Authenticate", "Proxy-Authenticate"].iter().flat_map(|name| self.all(name)).filter_map(Challenge::parse).collect()
    }

    /// Whether it answers the request of this number in this conversation.
    pub(super) fn answers(&self, call: &str, number: u32) -> bool {
        let sequence = self.header("CSeq").and_then(|value| value.split_whitespace().next()?.parse::<u32>().ok());
        self.header("Call-ID") == Some(call) && sequence == Some(number)
    }

    /// chan_sip, and not PJSIP: its tags are `as` and eight hexadecimal digits (`make_our_tag` in channels/chan_sip.c), PJSIP's are never.
    pub fn is_of_chan_sip(&self) -> bool {
        let to = self.header("To").unwrap_or_default();
        let tag = to.rsplit_once(";tag=").map_or("", |(_, tag)| tag.split(';').next().unwrap_or_default());
        tag.strip_prefix("as").is_some_and(|rest| rest.len() == 8 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
    }
}

/// More than any answer to a question has.
const MOST_HEADERS: usize = 100;

/// The long form of a compact name (RFC 3261, 7.3.3).
fn whole(name: &str) -> String {
    let long = match name.to_ascii_lowercase().as_str() {
        "i" => "Call-ID",
        "t" => "To",
        "f" => "From",
        "v" => "Via",
        "m" => "Contact",
        "l" => "Content-Length",
        _ => name,
    };
    long.to_owned()
}

/// As it stands in a URI: an IPv6 address in brackets.
fn host(host: &str) -> String {
    let host = plain(host);
    if host.contains(':') { format!("[{host}]") } else { host }
}

/// A user part: what RFC 3261 (25.1) does not take as it is goes by its bytes.
fn escaped(user: &str) -> String {
    let mut out = String::with_capacity(user.len());
    for byte in user.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Without line ends.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request {
            method: "REGISTER",
            user: "agent 1001".to_owned(),
            host: "pbx.example.com".to_owned(),
            branch: "b".to_owned(),
            call: "c".to_owned(),
            tag: "t".to_owned(),
            number: 7,
            contact: None,
            expires: None,
            authorization: None,
        }
    }

    #[test]
    fn a_query_has_no_contact_and_no_expiry() {
        let text = request().to_string();
        let expected = "REGISTER sip:pbx.example.com SIP/2.0\r\nVia: SIP/2.0/WSS c.invalid;branch=z9hG4bKb\r\nMax-Forwards: 70\r\n\
                        From: <sip:agent%201001@pbx.example.com>;tag=t\r\nTo: <sip:agent%201001@pbx.example.com>\r\nCall-ID: c\r\nCSeq: 7 REGISTER\r\n";
        assert!(text.starts_with(expected) && text.ends_with("\r\nContent-Length: 0\r\n\r\n"), "{text}");
        assert!(!text.contains("Contact") && !text.contains("Expires"));
    }

    #[test]
    fn no_name_adds_a_line() {
        let evil = "a\r\nX-Evil: 1";
        let request = Request {
            user: evil.to_owned(),
            host: evil.to_owned(),
            contact: Some(evil.to_owned()),
            authorization: Some(("Authorization", evil.to_owned())),
            ..request()
        };
        assert!(request.to_string().lines().all(|line| !line.starts_with("X-Evil")), "{request}");
    }

    #[test]
    fn a_response_is_read_with_its_folds_and_short_names() {
        let text = b"SIP/2.0 401 Unauthorized\r\ni: c\r\nCSeq: 7 REGISTER\r\nt: <sip:a@b>;tag=as0123abcd\r\nWWW-Authenticate: Digest\r\n realm=\"asterisk\",\r\n\tnonce=\"n\"\r\n\r\nbody: x";
        let response = Response::parse(text).unwrap();
        assert_eq!((response.status, response.reason.as_str()), (401, "Unauthorized"));
        assert!(response.answers("c", 7) && !response.answers("c", 8) && !response.answers("d", 7));
        assert!(response.is_of_chan_sip());
        assert_eq!(response.challenges()[0].realm, "asterisk");
        assert_eq!(response.header("body"), None);
    }

    #[test]
    fn what_is_no_response_is_none() {
        for text in ["", "\r\n\r\n", "OPTIONS sip:a SIP/2.0\r\n\r\n", "SIP/2.0 99 No\r\n", "SIP/2.0 x\r\n", "HTTP/1.1 200 OK\r\n\r\n"] {
            assert_eq!(Response::parse(text.as_bytes()), None, "{text:?}");
        }
        assert!(Response::parse(&[0xff; 100]).is_none());
    }
}
