//! A way that ended before a wrong door → whether the right one stands beside it: the usual path at the same port, the usual port at the
//! same host. What is found there is the client's to change, and so the first cause.

use std::net::SocketAddr;

use super::{Aim, Question, status, way};
use crate::{
    clock,
    diagnosis::{Code, Finding, Severity},
    doctor::Notebook,
    proof::{self, Door, Seen},
};

/// Asterisk's own path, without a prefix.
pub(super) const PATH: &str = "/ws";
/// Where http.conf's `prefix`, or a proxy, often puts it.
const PREFIXED: [&str; 3] = ["/asterisk/ws", "/pbx/ws", "/sip/ws"];
/// Its usual port for `wss://`.
const PORT: u16 = 8089;

/// Looks there, if the way ended so.
pub(super) async fn look(book: &mut Notebook<'_>, question: &Question, addresses: &[SocketAddr]) {
    let found = |codes: &[Code]| book.findings().iter().any(|finding| codes.contains(&finding.code));
    let Some(&first) = addresses.first() else { return };
    let of_asterisk = found(&[Code::WsNotFound]);
    if of_asterisk || book.findings().iter().any(is_page) {
        path(book, question, first, of_asterisk).await;
    } else if found(&[Code::WsForbidden]) {
        origin(book, question, first).await;
    } else if found(&[Code::TcpRefused, Code::TcpTimeout]) && question.aim.secure && !question.aim.says_port && question.connect.is_none() {
        port(book, question, first).await;
    }
}

/// Whether a proxy or a web server has something else at this path, or nothing.
fn is_page(finding: &Finding) -> bool {
    let found = finding.get("found").map(ToString::to_string).unwrap_or_default();
    finding.code == Code::WsProxyInTheWay && ["HTTP 200", "HTTP 404"].iter().any(|status| found.starts_with(status))
}

/// The usual path, and those that it often has instead. Asterisk serves nothing at the root; another path may be a proxy's own.
async fn path(book: &mut Notebook<'_>, question: &Question, address: SocketAddr, of_asterisk: bool) {
    let own = question.aim.path.split('?').next().unwrap_or_default().trim_end_matches('/');
    let mut step = book.begin("other-paths");
    let mut opens = None;
    for path in [PATH].into_iter().chain(PREFIXED).filter(|path| !own.eq_ignore_ascii_case(path)) {
        let aim = Aim { path: path.to_owned(), ..question.aim.clone() };
        let door = door(question, &aim, address).await;
        step.note("tried", format!("{path}: {}", if door == Door::Open { "opens" } else { "does not open" }));
        if door == Door::Open {
            opens = Some(aim);
            break;
        }
    }
    if opens.is_none() && of_asterisk {
        status::look(book, &mut step, question, address).await;
    }
    let usual = || Aim { path: PATH.to_owned(), ..question.aim.clone() };
    let right = opens.or_else(|| (own.is_empty() && of_asterisk).then(usual));
    if let Some(right) = right {
        let code = if own.is_empty() { Code::ClientUrlNoPath } else { Code::ClientUrlWrongPath };
        book.find(finding(code, question, &right));
    }
    book.end(step);
}

/// Whether it is the page's origin for which somebody before Asterisk refuses. Asterisk's /ws looks at none, and CORS is not asked of WebSockets.
async fn origin(book: &mut Notebook<'_>, question: &Question, address: SocketAddr) {
    let mut step = book.begin("other-origins");
    let own = Some(format!("https://{}", question.aim.host)).filter(|own| question.origin.as_ref() != Some(own));
    let none = question.origin.is_some().then_some(None);
    for origin in own.map(Some).into_iter().chain(none) {
        let name = origin.clone().unwrap_or_else(|| "no Origin".to_owned());
        let opens = door(&Question { origin, ..question.clone() }, &question.aim, address).await == Door::Open;
        step.note("tried", format!("{name}: {}", if opens { "opens" } else { "does not open" }));
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
    Finding::new(code)
        .with("address", address)
        .with("found", question.aim.to_string())
        .with("expected", right.to_string())
        .with("url", right.to_string())
}
