//! IP addresses → how far a browser would come at each: TCP, TLS with the chain that is served, the upgrade to `sip`. The first address that
//! takes a connection decides, as in a browser; what is wrong at the others alone breaks for some.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures_util::future::join_all;

use super::{Aim, Question, chain, old};
use crate::{
    asterisk::surface::Surface,
    clock,
    diagnosis::{Code, Finding, Severity},
    doctor::{BrowserWould, Notebook, Running, notebook::Met},
    proof::{self, Door, Observation, Old, Seen, Served, Socket, Target},
    settings::Address,
};

/// Goes the way. `Some`: it led to SIP, and the WebSocket is open.
pub(super) async fn walk(book: &mut Notebook<'_>, question: &Question, addresses: &[SocketAddr]) -> Option<Socket> {
    let step = book.begin("tcp");
    let seen = Seen { names: Vec::new(), anchors: question.anchors.clone() };
    let mut tried = Vec::new();
    let mut rest = addresses;
    let mut socket = None;
    let mut first = None;
    while let Some((&address, after)) = rest.split_first() {
        rest = after;
        let (observation, stays) = if question.aim.secure {
            proof::open(&target(question, address), &seen, clock::now()).await
        } else {
            proof::open_plain(&target(question, address), clock::now()).await
        };
        let connected = observation.times.tcp.is_some();
        match stays {
            Ok(stays) => socket = Some(stays),
            Err(closing) => closing.done().await,
        }
        tried.push((address, observation));
        if connected {
            first = Some(tried.len() - 1);
            break;
        }
    }
    tried.extend(others(question, &seen, rest).await);

    tcp(book, step, question, first, &tried);
    let Some(first) = first else {
        book.saw(BrowserWould::Fail1006);
        return None;
    };
    let at = address_of(question, &tried[first].0);
    let (_, observation) = &tried[first];
    let leaf = observation.served.as_ref().and_then(|served| served.leaf.as_ref());
    book.met = Some(Met { door: observation.door, leaf: leaf.map(|leaf| leaf.fingerprint_sha256) });
    let mut unseen = false;
    if question.aim.secure {
        let elsewhere = tried.iter().enumerate().filter(|(number, _)| *number != first).map(|(_, tried)| tried);
        let more = More { issuer: chain::issuer(question, observation).await, old: old::look(question, &tried[first]).await };
        tls(book, question, &at, observation, &more, elsewhere);
        unseen = old::hides_the_rest(more.old);
    }
    if unseen {
        let needs = (
            format!("a look by hand at what is behind its old suites: openssl s_client -connect {at} -tls1_2"),
            format!("um olhar à mão no que há por trás das suítes antigas: openssl s_client -connect {at} -tls1_2"),
        );
        book.lacks("upgrade", needs);
        return None;
    }
    upgrade(book, &at, observation);
    let refused = observation.served.as_ref().is_some_and(|served| !served.acceptable || unwelcome(served));
    let asked = observation.findings.iter().any(|finding| finding.code == Code::TlsClientCertificate);
    let opens = observation.door == Door::Open && !refused && !asked;
    book.saw(if opens { BrowserWould::Connect } else { BrowserWould::Fail1006 });
    socket
}

pub(super) fn target(question: &Question, address: SocketAddr) -> Target {
    Target {
        address: Address { host: address.ip().to_string(), port: address.port() },
        server_name: Some(question.aim.host.clone()),
        path: question.aim.path.clone(),
        origin: question.origin.clone(),
        timeout: question.timeout,
    }
}

/// What is left beside the first that answers: TLS and no more.
async fn others(question: &Question, seen: &Seen, rest: &[SocketAddr]) -> Vec<(SocketAddr, Observation)> {
    let looks = rest.iter().map(|&address| async move {
        let target = target(question, address);
        let (observation, closing) = if question.aim.secure {
            proof::handshake(&target, &Surface::Wss, seen, clock::now()).await
        } else {
            let (observation, stays) = proof::open_plain(&target, clock::now()).await;
            (observation, stays.map_or_else(|closing| closing, Socket::closing))
        };
        closing.done().await;
        (address, observation)
    });
    join_all(looks).await
}

/// Which addresses take a connection.
fn tcp(book: &mut Notebook<'_>, mut step: Running, question: &Question, first: Option<usize>, tried: &[(SocketAddr, Observation)]) {
    let mut silent = Vec::new();
    for (address, observation) in tried {
        match observation.times.tcp {
            Some(took) => step.note("connected", format!("{address} ({:.1} ms)", took.as_secs_f64() * 1e3)),
            None => silent.push((address, observation)),
        }
    }
    let words = |(address, observation): &(&SocketAddr, &Observation)| {
        let found = observation.findings.first().and_then(|finding| finding.get("found")).map(ToString::to_string).unwrap_or_default();
        if found.contains(&address.to_string()) { found } else { format!("{address}: {found}") }
    };
    let unconnected: Vec<String> = silent.iter().map(words).collect();
    if !unconnected.is_empty() {
        step.note("unconnected", unconnected.clone());
    }
    match first {
        Some(first) => {
            step.lasted(tried[first].1.times.tcp.unwrap_or_default());
            // A machine without a route to IPv6 says nothing of the server.
            let theirs = silent.iter().any(|(_, observation)| !no_route(observation));
            if theirs {
                book.find(
                    Finding::new(Code::TcpSomeAddresses)
                        .with("name", question.aim.host.as_str())
                        .with("address", address_of(question, &tried[first].0))
                        .with("found", unconnected.join("; ")),
                );
            }
        }
        None => {
            // One address that refuses says more than another that is silent.
            let refused = tried.iter().find(|(_, observation)| observation.door == Door::Refused);
            if let Some(finding) = refused.or(tried.first()).and_then(|(_, observation)| observation.findings.first()) {
                let mut told = Finding::new(finding.code).with("address", address_of(question, &tried[0].0));
                told = told.with("found", unconnected.join("; "));
                book.find(told);
            }
        }
    }
    book.end(step);
}

fn no_route(observation: &Observation) -> bool {
    let found = observation.findings.first().and_then(|finding| finding.get("found")).map(ToString::to_string).unwrap_or_default();
    ["unreachable", "Cannot assign"].iter().any(|words| found.contains(words))
}

/// What was looked at because of what the first look showed.
struct More {
    issuer: Option<chain::Issuer>,
    old: Option<Old>,
}

/// What TLS serves, and what a browser would refuse in it.
fn tls<'o>(
    book: &mut Notebook<'_>,
    question: &Question,
    at: &str,
    observation: &Observation,
    more: &More,
    elsewhere: impl Iterator<Item = &'o (SocketAddr, Observation)>,
) {
    let mut step = book.begin("tls");
    step.lasted(observation.times.tls.unwrap_or_default());
    if let Some(served) = &observation.served {
        describe(&mut step, served);
    }
    let own = |finding: &&Finding| stage(finding) == "tls" || stage(finding) == "cleartext";
    let names = observation.served.iter().filter_map(|served| served.leaf.as_ref()).flat_map(|leaf| &leaf.names);
    let covered = names.filter(|name| !name.starts_with('*')).find(|name| name.parse::<IpAddr>().is_err());
    for finding in observation.findings.iter().filter(own) {
        let told = told(question, at, finding, covered);
        book.find(match (&more.issuer, more.old, finding.code) {
            (Some(issuer), _, Code::TlsChainIncomplete) => issuer.told(told),
            // As nothing for which a program without a certificate would stop, and Chromium does.
            (_, _, Code::TlsClientCertificate) => told.severity(Severity::Error),
            (_, Some(old), Code::TlsFailed) => old::finding(old, at),
            _ => told,
        });
    }
    if let Some(leaf) = observation.served.as_ref().and_then(|served| served.leaf.as_ref()) {
        chain::age(leaf, at, observation.at).into_iter().for_each(|finding| book.find(finding));
    }
    if observation.served.as_ref().is_some_and(unwelcome) {
        book.find(
            Finding::new(Code::KeyUnsupported)
                .severity(Severity::Error)
                .with("address", at)
                .with("found", "P-521")
                .with("expected", "RSA, P-256 or P-384")
                .with("refusedBy", "Chromium and what is built on it"),
        );
    }
    for (address, other) in elsewhere.filter(|(_, other)| other.times.tcp.is_some()) {
        for finding in other.findings.iter().filter(own) {
            if !observation.findings.iter().any(|known| known.code == finding.code) {
                book.find(told(question, &address.to_string(), finding, covered).severity(Severity::Warning));
            }
        }
        let leaf = |observation: &Observation| observation.served.as_ref().map(|served| served.chain.fingerprint());
        if let (Some(one), Some(another)) = (leaf(observation), leaf(other))
            && one != another
        {
            step.note("otherCertificate", format!("{address}: {another}"));
        }
    }
    book.end(step);
}

/// Firefox would take it; most people call with something else.
fn unwelcome(served: &Served) -> bool {
    served.leaf.as_ref().is_some_and(|leaf| leaf.key_algorithm == "P-521")
}

fn describe(step: &mut Running, served: &Served) {
    if !served.protocol.is_empty() {
        step.note("protocol", served.protocol.replace('_', ".").replace("TLSv", "TLS "));
    }
    if let Some(leaf) = &served.leaf {
        step.note("subject", leaf.subject.as_str());
        step.note("issuer", leaf.issuer.as_str());
        step.note("names", some(&leaf.names));
        step.note("notBefore", leaf.not_before);
        step.note("notAfter", leaf.not_after);
        step.note("key", leaf.key_algorithm.as_str());
        step.note("sha256", leaf.fingerprint_sha256.to_string());
    }
    step.note("chainLength", i64::try_from(served.chain.certificates().len()).unwrap_or(i64::MAX));
}

/// A certificate may have a thousand names.
fn some(names: &[String]) -> Vec<String> {
    let mut shown: Vec<String> = names.iter().take(MOST_NAMES).cloned().collect();
    if names.len() > MOST_NAMES {
        shown.push(format!("… ({} in all)", names.len()));
    }
    shown
}

const MOST_NAMES: usize = 20;

/// What came of asking for `sip`.
fn upgrade(book: &mut Notebook<'_>, at: &str, observation: &Observation) {
    let own: Vec<&Finding> = observation.findings.iter().filter(|finding| stage(finding) == "upgrade").collect();
    if own.is_empty() && observation.door != Door::Open {
        return;
    }
    let mut step = book.begin("upgrade");
    step.lasted(observation.times.upgrade.unwrap_or(Duration::ZERO));
    if observation.door == Door::Open {
        step.note("answer", "HTTP 101");
        step.note("subprotocol", "sip");
    }
    for finding in own {
        if let Some(found) = finding.get("found") {
            step.note("answer", found.clone());
        }
        book.find(at_address(at, finding));
    }
    book.end(step);
}

/// A finding of the wire as the client's side sees it: an address by number in a URL is the client's to change.
/// `covered`: a name that the certificate is for.
fn told(question: &Question, at: &str, finding: &Finding, covered: Option<&String>) -> Finding {
    let mut told = at_address(at, finding);
    if finding.code == Code::TlsNameMismatch && question.aim.ip().is_some() {
        told.code = Code::ClientNameNotCovered;
        let right = covered.map(|name| Aim { host: name.clone(), ..question.aim.clone() }.to_string());
        return right.into_iter().fold(told, |told, right| told.with("url", right));
    }
    told
}

fn at_address(at: &str, finding: &Finding) -> Finding {
    let mut told = finding.clone();
    for (key, value) in &mut told.evidence.0 {
        if key == "address" {
            *value = at.into();
        }
    }
    told
}

/// `host:port` as people know it: the name and not the number, but where it was replaced.
fn address_of(question: &Question, connected: &SocketAddr) -> String {
    match question.connect {
        Some(_) => connected.to_string(),
        None => Address { host: question.aim.host.clone(), port: question.aim.port }.to_string(),
    }
}

fn stage(finding: &Finding) -> String {
    finding.get("stage").map(ToString::to_string).unwrap_or_default()
}
