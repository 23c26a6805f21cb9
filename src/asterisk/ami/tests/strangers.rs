//! Peers that are not Asterisk, or not well.

use std::sync::Arc;

use rustls_pki_types::ServerName;

use super::*;
use crate::{
    asterisk::ami::AmiOverTls,
    diagnosis::{Code, Value},
};

fn text(finding: &Finding, key: &str) -> String {
    finding.get(key).map(Value::to_string).unwrap_or_default()
}

#[tokio::test]
async fn a_closed_port_is_refused_and_so_is_every_request_at_once() {
    let (listener, connect) = listen().await;
    drop(listener);
    let mut agent = Agent::start(connect);
    let finding = agent.disconnected().await;
    assert_eq!((finding.code, text(&finding, "stage")), (Code::AmiRefused, "connect".to_owned()));
    assert_eq!(text(&finding, "user"), "starkeeper");
    let failure = agent.client.reload("http").await.unwrap_err();
    assert_eq!(failure.finding.code, Code::AmiRefused);
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_said_to_be_one() {
    let mut connect = connect_to(5038);
    connect.address.host = "asterisk.invalid".to_owned();
    connect.timeout = DEADLINE;
    let finding = Agent::start(connect).disconnected().await;
    assert_eq!((finding.code, text(&finding, "stage")), (Code::AmiRefused, "resolve".to_owned()));
}

#[tokio::test]
async fn a_peer_that_never_speaks_is_a_timeout_at_the_banner() {
    let (listener, mut connect) = listen().await;
    connect.timeout = Duration::from_millis(50);
    let mut agent = Agent::start(connect);
    let _silent = accept(&listener).await;
    let finding = agent.disconnected().await;
    assert_eq!((finding.code, text(&finding, "stage")), (Code::AmiTimeout, "banner".to_owned()));
}

#[tokio::test]
async fn a_web_server_is_not_ami_and_what_it_said_is_shown() {
    let (listener, connect) = listen().await;
    let mut agent = Agent::start(connect);
    accept(&listener).await.say("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let finding = agent.disconnected().await;
    assert_eq!((finding.code, text(&finding, "came")), (Code::AmiNotAmi, "HTTP/1.1 400 Bad Request····".to_owned()));
}

#[tokio::test]
async fn a_banner_without_end_is_not_ami() {
    let (listener, connect) = listen().await;
    let mut agent = Agent::start(connect);
    let mut peer = accept(&listener).await;
    let flood = tokio::spawn(async move {
        peer.say("Asterisk Call Manager/").await;
        while peer.stream.write_all(&[b'1'; 4096]).await.is_ok() {}
    });
    assert_eq!(agent.disconnected().await.code, Code::AmiNotAmi);
    // The agent closed on it.
    within(flood).await.unwrap();
}

#[tokio::test]
async fn a_peer_that_closes_before_its_banner_is_refused_at_the_banner() {
    let (listener, connect) = listen().await;
    let mut agent = Agent::start(connect);
    drop(accept(&listener).await);
    let finding = agent.disconnected().await;
    assert_eq!((finding.code, text(&finding, "stage")), (Code::AmiRefused, "banner".to_owned()));
}

#[tokio::test]
async fn a_line_of_ten_megabytes_ends_the_connection_and_whoever_waits_is_told() {
    let (mut agent, mut peer, listener) = logged_in().await;
    let client = agent.client.clone();
    let reload = tokio::spawn(async move { client.reload("http").await });
    peer.hear().await;
    // The agent closes long before the end.
    let flood = tokio::spawn(async move { peer.stream.write_all(&vec![b'x'; 10 * 1024 * 1024]).await });
    assert_eq!(agent.disconnected().await.code, Code::AmiNotAmi);
    let finding = within(reload).await.unwrap().unwrap_err().finding;
    assert_eq!((finding.code, text(&finding, "outcome")), (Code::AmiNotAmi, "unknown".to_owned()));
    assert!(within(flood).await.unwrap().is_err());
    let mut peer = accept(&listener).await;
    peer.let_in().await;
    assert!(matches!(agent.event().await, AmiEvent::Connected { .. }));
}

#[tokio::test]
async fn a_connection_that_ends_in_the_middle_of_an_answer_leaves_the_outcome_unknown() {
    for part in ["", "Resp", "Response: Success\r\nMessa", "Response: Success\r\nActionID: starkeeper-3\r\n"] {
        let (mut agent, mut peer, _listener) = logged_in().await;
        let client = agent.client.clone();
        let reload = tokio::spawn(async move { client.reload("http").await });
        peer.hear().await;
        peer.say(part).await;
        drop(peer);
        let finding = within(reload).await.unwrap().unwrap_err().finding;
        assert_eq!((finding.code, text(&finding, "outcome")), (Code::AmiRefused, "unknown".to_owned()), "{part:?}");
        assert_eq!(agent.disconnected().await.code, Code::AmiRefused);
    }
}

#[tokio::test]
async fn a_shutdown_is_named_where_asterisk_announced_it() {
    let (mut agent, mut peer, _listener) = logged_in().await;
    peer.say("Event: Shutdown\r\nPrivilege: system,all\r\nShutdown: Uncleanly\r\nRestart: True\r\n\r\n").await;
    drop(peer);
    assert_eq!(text(&agent.disconnected().await, "said"), "Shutdown: Uncleanly, Restart: True");
}

#[tokio::test]
async fn a_wrong_password_is_named_and_the_secret_is_nowhere() {
    for auth in [AmiAuth::Plain, AmiAuth::Md5] {
        let (listener, mut connect) = listen().await;
        connect.auth = auth;
        let shown = format!("{connect:?}");
        let mut agent = Agent::start(connect);
        let mut peer = accept(&listener).await;
        peer.say("Asterisk Call Manager/5.0.4\r\n").await;
        match auth {
            AmiAuth::Md5 => peer.expect("Action: Challenge; AuthType: MD5", "Success; Challenge: 1").await,
            AmiAuth::Plain => {}
        }
        let (lines, id) = peer.hear().await;
        assert_eq!(lines.contains(&format!("Secret: {SECRET}")), auth == AmiAuth::Plain, "{lines:?}");
        peer.answer(&id, "Error; Message: Authentication failed").await;
        let finding = agent.disconnected().await;
        assert_eq!((finding.code, text(&finding, "said")), (Code::AmiAuthFailed, "Authentication failed".to_owned()));
        peer.closed().await;
        assert!(!format!("{shown}{finding:?}{:?}", agent.client).contains(SECRET));
    }
}

#[tokio::test]
async fn a_user_name_that_would_smuggle_in_an_action_never_crosses_the_wire() {
    let (listener, mut connect) = listen().await;
    connect.username = "joan\r\nAction: Originate".to_owned();
    connect.auth = AmiAuth::Plain;
    let mut agent = Agent::start(connect);
    let mut peer = accept(&listener).await;
    peer.say("Asterisk Call Manager/5.0.4\r\n").await;
    assert_eq!(agent.disconnected().await.code, Code::AmiAuthFailed);
    let mut heard = Vec::new();
    within(peer.stream.read_to_end(&mut heard)).await.unwrap();
    assert!(heard.is_empty());
}

fn tls_client(trusted: &rcgen::Certificate) -> AmiOverTls {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    AmiOverTls { config: Arc::new(config), server_name: ServerName::try_from("localhost").unwrap() }
}

fn tls_server(pair: &rcgen::CertifiedKey<rcgen::KeyPair>) -> tokio_rustls::TlsAcceptor {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(pair.signing_key.serialize_der()).unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![pair.cert.der().clone()], key).unwrap();
    tokio_rustls::TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn ami_over_tls_logs_in_where_the_certificate_is_trusted_and_says_why_where_it_is_not() {
    let ours = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (listener, mut connect) = listen().await;
    connect.tls = Some(tls_client(&ours.cert));
    let mut agent = Agent::start(connect.clone());
    let stream = accept(&listener).await.stream.into_inner();
    let mut peer = Peer { stream: BufReader::new(within(tls_server(&ours).accept(stream)).await.unwrap()) };
    peer.let_in().await;
    assert!(matches!(agent.event().await, AmiEvent::Connected { .. }));

    let mut agent = Agent::start(connect);
    let stream = accept(&listener).await.stream.into_inner();
    assert!(within(tls_server(&other).accept(stream)).await.is_err());
    let finding = agent.disconnected().await;
    assert_eq!(finding.code, Code::AmiTlsFailed);
    assert!(text(&finding, "error").contains("certificate"), "{finding:?}");
}

#[tokio::test]
async fn tls_to_a_cleartext_port_is_a_tls_failure() {
    let ours = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (listener, mut connect) = listen().await;
    connect.tls = Some(tls_client(&ours.cert));
    let mut agent = Agent::start(connect);
    accept(&listener).await.say("Asterisk Call Manager/11.0.0\r\n").await;
    assert_eq!(agent.disconnected().await.code, Code::AmiTlsFailed);
}
