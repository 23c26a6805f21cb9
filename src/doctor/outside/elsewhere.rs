//! A way that ended before a wrong door → whether the right one stands beside it: the usual path at the same port, the usual port at the
//! same host. What is found there is the client's to change, and so the first cause.

use std::net::SocketAddr;

use super::{Aim, Question, way};
use crate::{
    clock,
    diagnosis::{Code, Finding, Severity},
    doctor::Notebook,
    proof::{self, Door, Seen},
};

/// Asterisk's own path, without a prefix.
const PATH: &str = "/ws";
/// Its usual port for `wss://`.
const PORT: u16 = 8089;

/// Looks there, if the way ended so.
pub(super) async fn look(book: &mut Notebook<'_>, question: &Question, addresses: &[SocketAddr]) {
    let found = |codes: &[Code]| book.findings().iter().any(|finding| codes.contains(&finding.code));
    let Some(&first) = addresses.first() else { return };
    if found(&[Code::WsNotFound]) {
        path(book, question, first).await;
    } else if found(&[Code::TcpRefused, Code::TcpTimeout]) && question.aim.secure && !question.aim.says_port && question.connect.is_none() {
        port(book, question, first).await;
    }
}

async fn path(book: &mut Notebook<'_>, question: &Question, address: SocketAddr) {
    let own = question.aim.path.split('?').next().unwrap_or_default();
    if own.trim_end_matches('/').eq_ignore_ascii_case(PATH) {
        return;
    }
    let right = Aim { path: PATH.to_owned(), ..question.aim.clone() };
    let mut step = book.begin("usual-path");
    let opens = door(question, &right, address).await == Door::Open;
    step.note("opens", opens.to_string());
    // Nothing is ever served at the root; another path may be a proxy's own.
    if own == "/" {
        book.find(finding(Code::ClientUrlNoPath, question, &right));
    } else if opens {
        book.find(finding(Code::ClientUrlWrongPath, question, &right));
    }
    book.end(step);
}

async fn port(book: &mut Notebook<'_>, question: &Question, address: SocketAddr) {
    let right = Aim { port: PORT, says_port: true, ..question.aim.clone() };
    let mut step = book.begin("usual-port");
    let answers = match door(question, &right, SocketAddr::new(address.ip(), PORT)).await {
        Door::Open | Door::Shut | Door::Dark | Door::Cleartext => true,
        Door::Refused | Door::Unreachable => false,
    };
    step.note("answers", answers.to_string());
    // Where nothing answers there either, a proxy may be down that was meant.
    let severity = if answers { Severity::Error } else { Severity::Warning };
    book.find(finding(Code::ClientUrlNoPort, question, &right).with("port", i64::from(PORT)).severity(severity));
    book.end(step);
}

async fn door(question: &Question, aim: &Aim, address: SocketAddr) -> Door {
    let target = way::target(&Question { aim: aim.clone(), ..question.clone() }, address);
    let (observation, closing) = if aim.secure {
        proof::probe(&target, &Seen::default(), clock::now()).await
    } else {
        let (observation, stays) = proof::open_plain(&target, clock::now()).await;
        (observation, stays.map_or_else(|closing| closing, proof::Socket::closing))
    };
    closing.done().await;
    observation.door
}

fn finding(code: Code, question: &Question, right: &Aim) -> Finding {
    let host = Aim { path: String::new(), ..question.aim.clone() }.to_string();
    let address = host.split_once("://").map_or(host.as_str(), |(_, address)| address);
    Finding::new(code).with("address", address).with("found", question.aim.to_string()).with("expected", right.to_string())
}
