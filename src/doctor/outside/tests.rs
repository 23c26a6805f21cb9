//! Doors that mean harm, or that are merely broken: each ends in bounded time, with a finding, in a report that is not large.

use std::{net::SocketAddr, time::Duration};

use rcgen::CertificateParams;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::{Aim, Question, User, Wishes, examine};
use crate::{
    clock,
    diagnosis::{Code, Lang, Severity},
    doctor::{BrowserWould, Notebook, Report},
    proof::{
        fetch,
        tests::peer::{ACCEPTED, Identity, Script, serve, serve_as},
    },
};

const TIMEOUT: Duration = Duration::from_millis(400);
/// Far beyond what any of them needs, far below what a peer without bounds would take.
const PATIENCE: Duration = Duration::from_secs(20);

fn question(address: SocketAddr) -> Question {
    let (aim, written) = Aim::parse("wss://pbx.example.com:8089/ws").unwrap();
    let connect = Some(crate::settings::Address { host: address.ip().to_string(), port: address.port() });
    Question { aim, written, origin: None, connect, anchors: None, wishes: Wishes::default(), timeout: TIMEOUT }
}

async fn report(question: &Question) -> Report {
    let mut nobody = ();
    let mut book = Notebook::new(&mut nobody);
    tokio::time::timeout(PATIENCE, examine(&mut book, question)).await.expect("every peer is bounded");
    let report = Report::of(book);
    let size = serde_json::to_string(&report.rendered(Lang::En)).unwrap().len();
    assert!(size < 16 * 1024, "{size} bytes");
    report
}

fn codes(report: &Report) -> Vec<Code> {
    let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors.map(|finding| finding.code).collect()
}

#[tokio::test]
async fn answers_without_end_are_no_upgrade() {
    for script in [Script::EndlessHeaders, Script::Trickle, Script::KeepSilent] {
        let (address, peer) = serve(script).await;
        let report = report(&question(address)).await;
        assert_eq!((codes(&report), report.browser_would), (vec![Code::WsNotUpgraded], BrowserWould::Fail1006));
        peer.abort();
    }
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_not_read() {
    let (address, peer) = serve(Script::AnswerAnd("HTTP/1.1 404 Not Found\r\n\r\n", vec![b'x'; 10 << 20])).await;
    let begun = clock::tick();
    assert_eq!(codes(&report(&question(address)).await), [Code::WsNotFound]);
    assert!(clock::tick() - begun < Duration::from_secs(5));
    peer.abort();
}

#[tokio::test]
async fn a_404_of_a_server_that_is_not_asterisk_says_so() {
    let (address, peer) = serve(Script::Answer("HTTP/1.1 404 Not Found\r\nServer: Jetty(12.0.1)\r\n\r\n")).await;
    let report = report(&question(address)).await;
    assert_eq!(codes(&report), [Code::WsNotFound]);
    assert!(report.findings[0].get("likely").unwrap().to_string().starts_with("it is not Asterisk"), "{:?}", report.findings);
    peer.abort();
}

#[tokio::test]
async fn a_redirect_is_told_and_never_followed() {
    let (address, peer) = serve(Script::Answer("HTTP/1.1 302 Found\r\nLocation: /ws\r\nServer: nginx\r\n\r\n")).await;
    let report = report(&question(address)).await;
    assert_eq!(codes(&report), [Code::WsRedirected]);
    assert_eq!(report.findings[0].get("location").unwrap().to_string(), "/ws");
    peer.abort();
}

#[tokio::test]
async fn a_thousand_names_are_counted_and_not_listed() {
    let names = (0..1000).map(|number| format!("host-{number}.example.com")).collect::<Vec<_>>();
    let identity = Identity::from_params(CertificateParams::new(names).unwrap());
    let (address, peer) = serve_as(identity, rustls::ALL_VERSIONS, Script::Answer(ACCEPTED)).await;
    let report = report(&question(address)).await;
    assert_eq!(codes(&report), [Code::TlsNameMismatch]);
    assert!(report.findings[0].get("found").unwrap().to_string().contains("992 more"), "{:?}", report.findings);
    peer.abort();
}

#[tokio::test]
async fn a_websocket_that_floods_vanishes_or_keeps_silent_does_not_stay() {
    for (script, code, found) in [
        (Script::AnswerAndFlood(ACCEPTED), Code::WsClosedEarly, "messages that nobody asked for"),
        (Script::AnswerAndVanish(ACCEPTED), Code::WsClosedEarly, "after 0.0 s"),
        (Script::AnswerAndKeepSilent(ACCEPTED), Code::WsPingUnanswered, "no pong within"),
    ] {
        let (address, peer) = serve(script).await;
        let question = Question { wishes: Wishes { hold: Some(TIMEOUT), ..Wishes::default() }, ..question(address) };
        let report = report(&question).await;
        assert_eq!((codes(&report), report.browser_would), (vec![code], BrowserWould::Fail1006));
        assert!(report.findings[0].get("found").unwrap().to_string().contains(found), "{:?}", report.findings);
        peer.abort();
    }
}

#[tokio::test]
async fn sip_that_is_silent_drowned_or_gone_is_said_so() {
    for (script, code, would) in [
        (Script::AnswerAndKeepSilent(ACCEPTED), Code::SipNoAnswer, BrowserWould::ConnectThenReject),
        (Script::AnswerAndFlood(ACCEPTED), Code::SipNoAnswer, BrowserWould::ConnectThenReject),
        (Script::AnswerAndVanish(ACCEPTED), Code::WsClosedEarly, BrowserWould::Fail1006),
    ] {
        let (address, peer) = serve(script).await;
        let user = User { name: "alice".to_owned(), password: Some("hers".to_owned().into()), register: false };
        let report = report(&Question { wishes: Wishes { user: Some(user), ..Wishes::default() }, ..question(address) }).await;
        assert_eq!((codes(&report), report.browser_would), (vec![code], would));
        peer.abort();
    }
}

#[tokio::test]
async fn a_password_is_nowhere_in_what_is_told() {
    let (address, peer) = serve(Script::AnswerAndKeepSilent(ACCEPTED)).await;
    let user = User { name: "alice".to_owned(), password: Some("correct-horse".to_owned().into()), register: true };
    let question = Question { wishes: Wishes { user: Some(user), ..Wishes::default() }, ..question(address) };
    let report = report(&question).await;
    assert!(!format!("{question:?}{report:?}").contains("correct-horse"));
    peer.abort();
}

#[tokio::test]
async fn what_is_fetched_for_a_chain_is_bounded_and_plain_http_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let peer = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
        }
    });
    let begun = clock::tick();
    for (url, said) in [
        (format!("http://{address}/ca.der"), "no certificate"),
        ("https://example.com/ca.der".to_owned(), "nothing that can be fetched"),
        ("ldap://127.0.0.1/cn=ca".to_owned(), "nothing that can be fetched"),
        ("file:///etc/passwd".to_owned(), "nothing that can be fetched"),
        ("not a url".to_owned(), "relative URL"),
    ] {
        let error = fetch(&url, PATIENCE).await.unwrap_err();
        assert!(error.contains(said), "{url}: {error}");
    }
    assert!(clock::tick() - begun < Duration::from_secs(5));
    peer.abort();
}
