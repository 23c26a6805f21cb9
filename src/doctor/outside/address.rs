//! What stands in a client's code → where that leads, and what in it a browser or JsSIP would not take. Pure. Refuses only what names no host
//! at all.

use std::{fmt, net::IpAddr};

use url::{Host, Url};

use crate::diagnosis::{Code, Finding, Severity};

/// An address as `new JsSIP.WebSocketInterface(…)` is given it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aim {
    /// `wss`, and not `ws`.
    pub secure: bool,
    /// A DNS name without a final dot (in ASCII), or an IP address without brackets.
    pub host: String,
    /// Where a browser would connect.
    pub port: u16,
    /// Whether the address says that port itself.
    pub says_port: bool,
    /// The request path with its query.
    pub path: String,
}

/// Nothing that leads anywhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("find a host in `{text}`: {reason}; expected an address like wss://pbx.example.com:8089/ws")]
pub struct NoAddress {
    text: String,
    reason: String,
}

impl Aim {
    /// Reads it as generously as a person would, and finds what a browser would not take.
    ///
    /// # Errors
    /// There is no host in it.
    pub fn parse(text: &str) -> Result<(Aim, Vec<Finding>), NoAddress> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
        let failed = |reason: String| NoAddress { text: without_login(text), reason };
        // Else the path would be taken for the host.
        if rest.starts_with('/') {
            return Err(failed("it names no host".to_owned()));
        }
        let lowercase = scheme.to_ascii_lowercase();
        let secure = !matches!(lowercase.as_str(), "ws" | "http");
        let wanted = if secure { "wss" } else { "ws" };
        let url = Url::parse(&format!("{wanted}://{rest}")).map_err(|error| failed(error.to_string()))?;
        let host = match url.host() {
            Some(Host::Domain(name)) => name.strip_suffix('.').unwrap_or(name).to_owned(),
            Some(Host::Ipv4(ip)) => ip.to_string(),
            Some(Host::Ipv6(ip)) => ip.to_string(),
            None => return Err(failed("it names no host".to_owned())),
        };
        if host.is_empty() {
            return Err(failed("it names no host".to_owned()));
        }
        // No name has an empty label (RFC 1035, 3.1) but the root's at its end.
        if host.split('.').any(str::is_empty) {
            return Err(failed("two dots in a row stand in the host".to_owned()));
        }
        let port = url.port_or_known_default().unwrap_or(if secure { 443 } else { 80 });
        let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let aim = Aim { secure, host, port, says_port: says_port(rest), path };
        let reason = if !matches!(lowercase.as_str(), "ws" | "wss") {
            Some(if scheme.is_empty() { "it has no scheme".to_owned() } else { format!("its scheme is {lowercase}") })
        } else if url.fragment().is_some() {
            Some("it has a fragment (#), with which browsers open no WebSocket".to_owned())
        } else {
            None
        };
        let finding = reason.map(|reason| {
            Finding::new(Code::ClientUrlInvalid)
                .with("found", without_login(text))
                .with("reason", reason)
                .with("expected", Aim { secure: true, ..aim.clone() }.to_string())
                .with("url", Aim { secure: true, ..aim.clone() }.to_string())
        });
        Ok((aim, finding.into_iter().collect()))
    }

    /// What a page of this origin may not do, whatever answers. `None`: the origin is not known.
    pub(in crate::doctor) fn mixed(&self, origin: Option<&str>) -> Option<Finding> {
        // Browsers trust the way to the machine itself.
        let own = self.host == "localhost" || self.host.ends_with(".localhost") || self.ip().is_some_and(|ip| ip.is_loopback());
        if self.secure || own {
            return None;
        }
        // Asterisk's plain port has the other one beside it.
        let port = match self.port {
            80 => 443,
            8088 => 8089,
            port => port,
        };
        let right = Aim { secure: true, port, ..self.clone() };
        let finding = Finding::new(Code::ClientInsecureOnHttps).with("found", self.to_string()).with("url", right.to_string());
        match origin {
            Some(origin) if origin.starts_with("https://") => Some(finding.with("origin", origin)),
            Some(_) => None,
            None => Some(finding.severity(Severity::Warning)),
        }
    }

    /// The host, where that is an IP address.
    pub(super) fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "wss" } else { "ws" };
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{scheme}://{open}{}{close}", self.host)?;
        if self.says_port || self.port != if self.secure { 443 } else { 80 } {
            write!(f, ":{}", self.port)?;
        }
        f.write_str(&self.path)
    }
}

/// Parsed, a default port is the same as none.
fn says_port(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let after = host.rsplit_once(']').map_or(host, |(_, after)| after);
    after.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty())
}

/// A password may stand before the host, and is nobody's business.
pub(in crate::doctor) fn without_login(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or((None, text), |(scheme, rest)| (Some(scheme), rest));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest[..end].rfind('@').map_or(rest, |at| &rest[at + 1..]);
    scheme.map_or_else(|| host.to_owned(), |scheme| format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_a_browser_reads_it() {
        for (text, shown, port, says_port, path) in [
            ("wss://pbx.example.com:8089/ws", "wss://pbx.example.com:8089/ws", 8089, true, "/ws"),
            ("wss://PBX.example.com./ws/", "wss://pbx.example.com/ws/", 443, false, "/ws/"),
            ("wss://pbx.example.com:443/ws", "wss://pbx.example.com:443/ws", 443, true, "/ws"),
            ("wss://pbx.example.com:8089", "wss://pbx.example.com:8089/", 8089, true, "/"),
            ("wss://[2001:db8::1]:8089/ws?a=b", "wss://[2001:db8::1]:8089/ws?a=b", 8089, true, "/ws?a=b"),
            ("wss://[::1]/ws", "wss://[::1]/ws", 443, false, "/ws"),
            ("ws://192.0.2.1/ws", "ws://192.0.2.1/ws", 80, false, "/ws"),
            (" wss://bücher.example/ws ", "wss://xn--bcher-kva.example/ws", 443, false, "/ws"),
            ("wss://user:secret@pbx.example.com/ws", "wss://pbx.example.com/ws", 443, false, "/ws"),
        ] {
            let (aim, findings) = Aim::parse(text).unwrap();
            assert_eq!((aim.to_string().as_str(), aim.port, aim.says_port, aim.path.as_str()), (shown, port, says_port, path));
            assert_eq!(findings, [], "{text}");
        }
    }

    #[test]
    fn what_jssip_would_not_take_is_found_and_read_all_the_same() {
        for (text, shown) in [
            ("https://pbx.example.com:8089/ws", "wss://pbx.example.com:8089/ws"),
            ("pbx.example.com:8089/ws", "wss://pbx.example.com:8089/ws"),
            ("localhost:8089/ws", "wss://localhost:8089/ws"),
            ("http://pbx.example.com:8088/ws", "ws://pbx.example.com:8088/ws"),
            ("wss://pbx.example.com:8089/ws#a", "wss://pbx.example.com:8089/ws"),
            ("sip://pbx.example.com", "wss://pbx.example.com/"),
        ] {
            let (aim, findings) = Aim::parse(text).unwrap();
            assert_eq!(aim.to_string(), shown);
            assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::ClientUrlInvalid], "{text}");
        }
    }

    #[test]
    fn a_login_in_the_address_is_never_shown() {
        let (_, findings) = Aim::parse("https://user:se@cret@pbx.example.com/ws").unwrap();
        assert!(!format!("{findings:?}").contains("cret"), "{findings:?}");
        assert!(!Aim::parse("wss://user:secret@:1/").unwrap_err().to_string().contains("secret"));
    }

    #[test]
    fn what_names_no_host_is_refused() {
        for text in [
            "",
            "wss://",
            "/ws",
            "wss:///",
            "wss://a b/ws",
            "wss://pbx:99999/ws",
            "wss://[::1/ws",
            "sip:pbx.example.com",
            "wss://x09.9../",
            "wss://pbx..com/ws",
        ] {
            assert!(Aim::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_page_over_https_may_not_use_ws_but_for_its_own_machine() {
        let found = |text: &str, origin| Aim::parse(text).unwrap().0.mixed(origin).map(|finding| finding.severity);
        assert_eq!(found("ws://pbx.example.com:8088/ws", Some("https://app.example.com")), Some(Severity::Error));
        assert_eq!(found("ws://pbx.example.com:8088/ws", Some("http://app.example.com")), None);
        assert_eq!(found("ws://pbx.example.com:8088/ws", None), Some(Severity::Warning));
        for own in ["ws://localhost:8088/ws", "ws://127.0.0.1:8088/ws", "ws://[::1]:8088/ws", "wss://pbx.example.com/ws"] {
            assert_eq!(found(own, Some("https://app.example.com")), None, "{own}");
        }
    }
}
