//! Asterisk's status page → what it says of a server that has no WebSocket at the path: whether it is Asterisk at all, and whether the path or
//! the module is wrong. A page that is not there proves nothing (newer releases have it off by default), and Asterisk logs nothing for it.

use std::net::SocketAddr;

use super::{Question, way};
use crate::{
    diagnosis::Code,
    doctor::{Notebook, Running},
    proof::{self, Asked, Head, Target},
};

/// Below the prefix that `path` has.
pub(super) fn beside(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default().trim_end_matches('/');
    format!("{}/httpstatus", path.rsplit_once('/').map_or("", |(before, _)| before))
}

/// The head of the page at `path`.
pub(super) async fn ask(question: &Question, address: SocketAddr, path: &str) -> Result<Head, String> {
    proof::head(&Target { path: path.to_owned(), ..way::target(question, address) }, Asked::Page).await
}

pub(super) fn words(answer: Result<Head, String>) -> String {
    match answer {
        Ok(Head { status, server: Some(server) }) => format!("HTTP {status} by {server}"),
        Ok(Head { status, server: None }) => format!("HTTP {status}"),
        Err(words) => words,
    }
}

/// After a 404, where no other path opens either: who it is that has no WebSocket, as far as that shows.
pub(super) async fn look(book: &mut Notebook<'_>, step: &mut Running, question: &Question, address: SocketAddr) {
    let mut paths = vec![beside(&question.aim.path), beside(super::elsewhere::PATH)];
    paths.dedup();
    let mut page = None;
    for path in paths.into_iter().filter(|_| question.aim.secure) {
        let answer = ask(question, address, &path).await;
        let stands = matches!(&answer, Ok(Head { status: 200, server: Some(server) }) if is_asterisk(server));
        step.note("status", format!("{path}: {}", words(answer)));
        if stands {
            page = Some(path);
            break;
        }
    }
    let server = book.findings().iter().find(|finding| finding.code == Code::WsNotFound).and_then(|finding| finding.get("server"));
    if let Some(likely) = likely(page.as_deref(), server.map(ToString::to_string).as_deref()) {
        book.learn(Code::WsNotFound, "likely", likely);
    }
}

/// `page`: where Asterisk's status page stands; beside it no /ws opens. `server`: as who said 404 calls itself.
fn likely(page: Option<&str>, server: Option<&str>) -> Option<String> {
    match (page, server) {
        (Some(page), _) => Some(format!("Asterisk's res_http_websocket does not run: {page} answers, and no /ws beside it")),
        (None, Some(server)) if is_asterisk(server) => {
            Some("it is Asterisk: its res_http_websocket does not run, or http.conf's prefix is another".to_owned())
        }
        (None, Some(server)) => Some(format!("it is not Asterisk (or http.conf's servername is another): {server}")),
        (None, None) => None,
    }
}

/// `Asterisk/22.10.1`, unless http.conf says otherwise (`servername`).
fn is_asterisk(server: &str) -> bool {
    server.to_ascii_lowercase().starts_with("asterisk")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_stands_below_the_prefix() {
        for (path, expected) in [
            ("/ws", "/httpstatus"),
            ("/", "/httpstatus"),
            ("", "/httpstatus"),
            ("/pbx/ws/", "/pbx/httpstatus"),
            ("/pbx/ws?a=/b/c", "/pbx/httpstatus"),
        ] {
            assert_eq!(beside(path), expected, "{path}");
        }
    }

    #[test]
    fn the_module_is_blamed_only_where_the_page_is_asterisks() {
        let told = |page, server| likely(page, server).unwrap_or_default();
        assert!(told(Some("/httpstatus"), Some("Asterisk/22.10.1")).starts_with("Asterisk's res_http_websocket does not run"));
        assert!(told(None, Some("Asterisk/22.10.1")).contains("or http.conf's prefix is another"));
        assert!(told(None, Some("Jetty(12.0.1)")).starts_with("it is not Asterisk"));
        assert_eq!(likely(None, None), None);
    }
}
