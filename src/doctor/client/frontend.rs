//! An env file and the page's scheme → the address that the front end composes, and what in it leads nowhere. Pure. It does what such front
//! ends do: `new JsSIP.WebSocketInterface(`${scheme}://${NEXT_PUBLIC_ASTERISK_HOST}${NEXT_PUBLIC_WEBSOCKET_PATH || '/ws'}`)`.

use std::path::Path;

use url::Url;

use super::dotenv::{Env, Said};
use crate::{
    diagnosis::{Code, Finding, Severity},
    doctor::outside::{Aim, without_login},
};

/// What the front end is told.
pub(super) const HOST: &str = "NEXT_PUBLIC_ASTERISK_HOST";
pub(super) const PATH: &str = "NEXT_PUBLIC_WEBSOCKET_PATH";
/// Where an env file may say what the page's own address is.
const PAGES: [&str; 5] = ["NEXT_PUBLIC_APP_URL", "NEXT_PUBLIC_SITE_URL", "NEXT_PUBLIC_BASE_URL", "APP_URL", "NEXTAUTH_URL"];

/// What comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Composed {
    /// As the front end writes it, without a login.
    pub(super) url: String,
    /// The page's origin, as far as it is known.
    pub(super) page: Option<String>,
    /// Where that leads. `None`: nowhere; a certainty says why.
    pub(super) aim: Option<Aim>,
    /// What is wrong whatever answers.
    pub(super) certain: Vec<Finding>,
    /// What is wrong unless the wire shows otherwise: a proxy may serve other paths and ports.
    pub(super) likely: Vec<Finding>,
}

/// Composes it. `page`: the origin that was named beside the file; `ws_path`: where Asterisk has its WebSocket.
pub(super) fn compose(env: &Env, file: &Path, page: Option<&str>, ws_path: &str) -> Composed {
    let page = page.map(str::to_owned).or_else(|| PAGES.iter().filter_map(|name| env.get(name)).find_map(|said| origin(&said.value)));
    // Pages that make calls come over HTTPS: browsers give others no microphone.
    let scheme = if page.as_deref().is_some_and(|page| page.starts_with("http://")) { "ws" } else { "wss" };
    let host = env.get(HOST).filter(|host| !host.value.is_empty());
    // What JavaScript makes of a variable that is not there.
    let host_text = host.map_or_else(|| "undefined".to_owned(), |host| without_login(&host.value));
    let path = env.get(PATH).filter(|path| !path.value.is_empty());
    let path_text = path.map_or("/ws", |path| path.value.as_str());
    let url = format!("{scheme}://{host_text}{path_text}");
    let mut composed = Composed { url: url.clone(), page, aim: None, certain: Vec::new(), likely: Vec::new() };
    let invalid = |said: Option<&Said>, reason: String, expected: String| {
        located(Finding::new(Code::ClientUrlInvalid), file, said)
            .with("found", url.as_str())
            .with("reason", reason)
            .with("expected", expected.as_str())
            .with("url", expected)
    };
    let Some(host) = host else {
        let line = format!("{HOST}=pbx.example.com:8089");
        let finding = invalid(env.get(HOST), format!("{HOST} is not set"), "wss://pbx.example.com:8089/ws".to_owned());
        composed.certain.push(finding.with("remedyLine", line));
        return composed;
    };
    if let Some((_, bare)) = host_text.split_once("://") {
        let bare = bare.trim_end_matches('/');
        let reason = format!("{HOST} holds a scheme, before which the front end puts its own");
        let finding = invalid(Some(host), reason, format!("{scheme}://{bare}{path_text}"));
        composed.certain.push(finding.with("remedyLine", format!("{HOST}={bare}")));
        return composed;
    }
    let (aim, written) = match Aim::parse(&url) {
        Ok(read) => read,
        Err(error) => {
            composed.certain.push(invalid(Some(host), error.to_string(), "wss://pbx.example.com:8089/ws".to_owned()));
            return composed;
        }
    };
    composed.certain.extend(written.into_iter().map(|finding| located(finding, file, Some(host))));
    composed.likely.extend(path_of(&aim, &url, ws_path).map(|finding| {
        // Where the path is the default, it is the host that brings one along.
        let (said, line) = match path {
            Some(path) => (path, format!("{PATH}={ws_path}")),
            None => (host, format!("{HOST}={}", host_text.split('/').next().unwrap_or_default())),
        };
        located(finding, file, Some(said)).with("remedyLine", line)
    }));
    if !aim.says_port {
        let finding = located(Finding::new(Code::ClientUrlNoPort), file, Some(host)).with("found", url.as_str()).with("expected", "8089");
        let finding = finding.with("url", Aim { port: 8089, says_port: true, ..aim.clone() }.to_string());
        let name = host_text.split('/').next().unwrap_or_default();
        // Behind a proxy it is right; only the wire knows.
        composed.likely.push(finding.severity(Severity::Warning).with("remedyLine", format!("{HOST}={name}:8089")));
    }
    composed.aim = Some(aim);
    composed
}

/// The origin of a page at this URL. `None`: it is no web page's.
fn origin(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}

fn path_of(aim: &Aim, url: &str, ws_path: &str) -> Option<Finding> {
    let path = aim.path.split('?').next().unwrap_or_default();
    let address = format!("{}:{}", aim.host, aim.port);
    let right = Aim { path: ws_path.to_owned(), ..aim.clone() }.to_string();
    if path == "/" {
        Some(Finding::new(Code::ClientUrlNoPath).with("found", url).with("address", address).with("url", right))
    } else if path.strip_suffix('/').unwrap_or(path) != ws_path {
        let finding = Finding::new(Code::ClientUrlWrongPath).with("found", url).with("expected", ws_path);
        Some(finding.with("address", address).with("url", right))
    } else {
        None
    }
}

/// The file, and the line where it is said there.
fn located(finding: Finding, file: &Path, said: Option<&Said>) -> Finding {
    let finding = finding.with("file", file);
    match said {
        Some(said) => finding.with("line", said.line).with("variable", said.name.as_str()),
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composed(text: &str, page: Option<&str>) -> Composed {
        compose(&Env::of_node(text, &|_| None), Path::new(".env"), page, "/ws")
    }

    fn codes(findings: &[Finding]) -> Vec<(&'static str, Option<String>)> {
        findings.iter().map(|finding| (finding.code.name(), finding.get("line").map(ToString::to_string))).collect()
    }

    #[test]
    fn the_address_is_composed_as_the_front_end_does() {
        for (text, page, url) in [
            ("NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com:8089", None, "wss://pbx.example.com:8089/ws"),
            ("NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com:8089\nNEXT_PUBLIC_WEBSOCKET_PATH=", None, "wss://pbx.example.com:8089/ws"),
            ("NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com:8089\nNEXT_PUBLIC_WEBSOCKET_PATH=/ws/", None, "wss://pbx.example.com:8089/ws/"),
            ("NEXT_PUBLIC_ASTERISK_HOST=localhost:8088", Some("http://localhost:3000"), "ws://localhost:8088/ws"),
            ("NEXT_PUBLIC_ASTERISK_HOST=localhost:8088\nNEXT_PUBLIC_APP_URL=http://localhost:3000", None, "ws://localhost:8088/ws"),
        ] {
            let composed = composed(text, page);
            assert_eq!(composed.url, url);
            assert_eq!((codes(&composed.certain), codes(&composed.likely)), (vec![], vec![]), "{text}");
            assert!(composed.aim.is_some());
        }
    }

    #[test]
    fn what_leads_nowhere_is_named_with_its_line() {
        for (text, certain, likely) in [
            ("# nothing\n", vec![("client-url-invalid", None)], vec![]),
            ("NEXT_PUBLIC_ASTERISK_HOST=\n", vec![("client-url-invalid", Some("1"))], vec![]),
            ("A=1\nNEXT_PUBLIC_ASTERISK_HOST=https://pbx.example.com:8089\n", vec![("client-url-invalid", Some("2"))], vec![]),
            ("NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com:8089:1\n", vec![("client-url-invalid", Some("1"))], vec![]),
            (
                "NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com:8089\nNEXT_PUBLIC_WEBSOCKET_PATH=ws\n",
                vec![("client-url-invalid", Some("1"))],
                vec![],
            ),
            (
                "NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com:8089\nNEXT_PUBLIC_WEBSOCKET_PATH=/\n",
                vec![],
                vec![("client-url-no-path", Some("2"))],
            ),
            (
                "NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com:8089\nNEXT_PUBLIC_WEBSOCKET_PATH=/sip\n",
                vec![],
                vec![("client-url-wrong-path", Some("2"))],
            ),
            ("NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com:8089/ws\n", vec![], vec![("client-url-wrong-path", Some("1"))]),
            ("NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com:8089/\n", vec![], vec![("client-url-wrong-path", Some("1"))]),
            ("NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com\n", vec![], vec![("client-url-no-port", Some("1"))]),
        ] {
            let composed = composed(text, None);
            let owned = |expected: Vec<(&'static str, Option<&str>)>| -> Vec<_> {
                expected.into_iter().map(|(code, line)| (code, line.map(str::to_owned))).collect()
            };
            assert_eq!((codes(&composed.certain), codes(&composed.likely)), (owned(certain), owned(likely)), "{text}");
        }
    }

    #[test]
    fn a_prefix_of_asterisk_belongs_into_the_path() {
        let env = Env::of_node("NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com:8089\n", &|_| None);
        let composed = compose(&env, Path::new(".env"), None, "/asterisk/ws");
        assert_eq!(codes(&composed.likely), [("client-url-wrong-path", Some("1".to_owned()))]);
    }
}
