//! What is looked at on request alone: each version of TLS by itself, an upgrade that does not ask for `sip`, Asterisk's status page. Asterisk
//! logs an ERROR for each version that it refuses and a WARNING for the upgrade, so that nobody is asked unasked.

use std::net::SocketAddr;

use super::{Question, status, way};
use crate::{
    doctor::Notebook,
    proof::{self, Asked},
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
    step.note("answer", status::words(proof::head(&target, Asked::WebSocket).await));
    book.end(step);

    let path = status::beside(&target.path);
    let mut step = book.begin("httpstatus");
    step.note("path", path.as_str());
    step.note("answer", status::words(status::ask(question, address, &path).await));
    book.end(step);
}
