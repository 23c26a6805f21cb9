//! What is looked at on request alone: each version of TLS by itself, an upgrade that does not ask for `sip`, Asterisk's status page. Asterisk
//! logs an ERROR for each version that it refuses and a WARNING for the upgrade, so that nobody is asked unasked.

use std::net::SocketAddr;

use super::{Question, way};
use crate::{
    doctor::Notebook,
    proof::{self, Asked, Head, Target},
};

/// Looks, at the address that a browser would take.
pub(super) async fn look(book: &mut Notebook<'_>, question: &Question, address: SocketAddr) {
    let target = way::target(question, address);
    let mut step = book.begin("tls-versions");
    for (version, taken) in proof::tls_versions(&target).await {
        let said = match taken {
            Some(true) => "taken",
            Some(false) => "refused",
            None => "not asked: no connection",
        };
        step.note(version, said);
    }
    book.end(step);

    let mut step = book.begin("upgrade-without-sip");
    step.note("answer", words(proof::head(&target, Asked::WebSocket).await));
    book.end(step);

    // Beside /ws, below the prefix that it has.
    let path = target.path.split('?').next().unwrap_or_default().trim_end_matches('/');
    let path = format!("{}/httpstatus", path.rsplit_once('/').map_or("", |(before, _)| before));
    let mut step = book.begin("httpstatus");
    step.note("path", path.as_str());
    step.note("answer", words(proof::head(&Target { path, ..target }, Asked::Page).await));
    book.end(step);
}

fn words(answer: Result<Head, String>) -> String {
    match answer {
        Ok(Head { status, server: Some(server) }) => format!("HTTP {status} by {server}"),
        Ok(Head { status, server: None }) => format!("HTTP {status}"),
        Err(words) => words,
    }
}
