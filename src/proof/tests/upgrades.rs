//! What is asked, and what each answer to it means.

use super::{
    super::Door,
    IMPATIENCE, PATIENCE, codes, found, observe,
    peer::{ACCEPTED, Script, serve},
    target,
};
use crate::{
    clock,
    diagnosis::{Code, Value},
};

#[tokio::test]
async fn an_accepted_sip_upgrade_is_an_open_door() {
    let (address, peer) = serve(Script::Answer(ACCEPTED)).await;
    let observation = observe(&target(address, PATIENCE)).await;
    assert_eq!(observation.door, Door::Open);
    assert!(observation.times.tcp.is_some() && observation.times.tls.is_some() && observation.times.upgrade.is_some());
    peer.await.unwrap();
}

#[tokio::test]
async fn the_request_is_the_one_a_browser_sends() {
    let (address, peer) = serve(Script::Answer(ACCEPTED)).await;
    let mut target = target(address, PATIENCE);
    target.path = "/pbx/ws".to_owned();
    target.origin = Some("https://app.example.com".to_owned());
    observe(&target).await;
    let met = peer.await.unwrap();
    assert_eq!(met.sni.as_deref(), Some("pbx.example.com"));
    let lines: Vec<_> = met.request.lines().collect();
    assert_eq!(lines[0], "GET /pbx/ws HTTP/1.1");
    for header in [
        &format!("Host: pbx.example.com:{}", address.port()),
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: sip",
        "Origin: https://app.example.com",
    ] {
        assert!(lines.contains(&header), "{header} in {lines:#?}");
    }
}

#[tokio::test]
async fn an_address_is_no_sni_and_is_its_own_host() {
    let (address, peer) = serve(Script::Answer(ACCEPTED)).await;
    let mut target = target(address, PATIENCE);
    target.server_name = None;
    observe(&target).await;
    let met = peer.await.unwrap();
    assert_eq!(met.sni, None);
    assert!(met.request.contains(&format!("Host: {address}\r\n")), "{}", met.request);
    assert!(!met.request.contains("Origin"));
}

#[tokio::test]
async fn a_setting_cannot_add_a_header() {
    let (address, peer) = serve(Script::Answer(ACCEPTED)).await;
    let mut target = target(address, PATIENCE);
    target.path = "/ws HTTP/1.1\r\nX-Path: yes".to_owned();
    target.origin = Some("https://a\r\nX-Origin: yes".to_owned());
    target.server_name = Some("not a name\r\nX-Host: yes".to_owned());
    observe(&target).await;
    let met = peer.await.unwrap();
    assert!(met.request.lines().all(|line| !line.starts_with("X-")), "{}", met.request);
    assert_eq!(met.sni, None);
}

#[tokio::test]
async fn every_answer_that_is_no_upgrade_has_its_name() {
    let table: &[(&str, Code)] = &[
        ("HTTP/1.1 404 Not Found\r\nServer: Asterisk/22.10.1\r\nContent-Length: 0\r\n\r\n", Code::WsNotFound),
        ("HTTP/1.1 404 Not Found\r\n\r\n", Code::WsNotFound),
        ("HTTP/1.1 426 Upgrade Required\r\nServer: Asterisk/22.10.1\r\n\r\n", Code::WsProxyInTheWay),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", Code::WsNotUpgraded),
        ("HTTP/1.1 400 Bad Request\r\nServer: Asterisk/22.10.1\r\n\r\n", Code::WsNotUpgraded),
        ("HTTP/1.1 400 Bad Request\r\nServer: Asterisk/16\r\nSec-WebSocket-Version: 7, 8, 13\r\n\r\n", Code::WsSubprotocolRefused),
        ("HTTP/1.1 503 Service Unavailable\r\nServer: Asterisk/22.10.1\r\n\r\n", Code::WsNotUpgraded),
        ("HTTP/1.1 401 Unauthorized\r\n\r\n", Code::WsForbidden),
        ("HTTP/1.1 403 Forbidden\r\nServer: Asterisk/22.10.1\r\n\r\n", Code::WsForbidden),
        ("HTTP/1.1 403 Forbidden\r\nserver: cloudflare\r\ncf-ray: 1\r\n\r\n", Code::WsForbidden),
        ("HTTP/1.1 404 Not Found\r\nServer: nginx/1.27.0\r\n\r\n", Code::WsProxyInTheWay),
        ("HTTP/1.1 400 Bad Request\r\nVia: 1.1 proxy\r\n\r\n", Code::WsProxyInTheWay),
        ("HTTP/1.1 404 Not Found\r\nx-envoy-upstream-service-time: 1\r\n\r\n", Code::WsProxyInTheWay),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 19\r\n\r\n404 page not found\n", Code::WsProxyInTheWay),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 22\r\n\r\n<html><center>nginx</ce", Code::WsProxyInTheWay),
        // A page that does not come is not waited for, not for long.
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 99999\r\n\r\nnothing", Code::WsNotFound),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 99\r\n\r\nRequest forbidden by administrative rules.", Code::WsForbidden),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", Code::WsProxyInTheWay),
        ("HTTP/1.1 503 Service Unavailable\r\n\r\n", Code::WsProxyInTheWay),
        ("HTTP/1.0 503 Service Unavailable\r\nCache-Control: no-cache\r\n\r\n", Code::WsProxyInTheWay),
        ("HTTP/1.1 301 Moved Permanently\r\nLocation: https://elsewhere/\r\n\r\n", Code::WsRedirected),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n",
            Code::WsSubprotocolRefused,
        ),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\
             Sec-WebSocket-Protocol: chat\r\n\r\n",
            Code::WsSubprotocolRefused,
        ),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: bm90IHRoZSBhbnN3ZXI=\r\n\r\n",
            Code::WsNotUpgraded,
        ),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nSec-WebSocket-Accept: {accept}\r\n\r\n", Code::WsNotUpgraded),
        ("HTTP/1.1 999999 What\r\n\r\n", Code::WsNotUpgraded),
        ("SSH-2.0-OpenSSH_9.2p1\r\n", Code::WsNotUpgraded),
        ("\u{1}\u{2}\u{3}", Code::WsNotUpgraded),
    ];
    for (head, code) in table {
        let (address, peer) = serve(Script::Answer(head)).await;
        let observation = observe(&target(address, PATIENCE)).await;
        assert_eq!((observation.door, codes(&observation)), (Door::Shut, vec![*code]), "{head}");
        assert!(observation.served.is_some(), "{head}");
        assert_eq!(observation.times.upgrade, None, "{head}");
        peer.await.unwrap();
    }
}

#[tokio::test]
async fn an_echo_with_a_space_before_it_is_sip_all_the_same() {
    let head = "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nconnection: keep-alive, Upgrade\r\n\
                sec-websocket-accept: {accept}\r\nsec-websocket-protocol:  sip \r\n\r\n";
    let (address, peer) = serve(Script::Answer(head)).await;
    let observation = observe(&target(address, PATIENCE)).await;
    assert_eq!(observation.door, Door::Open);
    peer.await.unwrap();
}

#[tokio::test]
async fn a_refusal_carries_address_stage_found_and_expected() {
    let (address, peer) = serve(Script::Answer("HTTP/1.1 404 Not Found\r\nServer: Asterisk/22.10.1\r\n\r\n")).await;
    let observation = observe(&target(address, PATIENCE)).await;
    let finding = &observation.findings[0];
    let text = |key| finding.get(key).map(ToString::to_string);
    assert_eq!(text("address"), Some(address.to_string()));
    assert_eq!(text("stage").as_deref(), Some("upgrade"));
    assert_eq!(text("found").as_deref(), Some("HTTP 404 Not Found"));
    assert_eq!(text("path").as_deref(), Some("/ws"));
    assert_eq!(text("server").as_deref(), Some("Asterisk/22.10.1"));
    assert!(matches!(finding.get("millis"), Some(Value::Number(_))));
    peer.await.unwrap();
}

#[tokio::test]
async fn an_end_before_any_answer_is_the_session_limit() {
    let (address, peer) = serve(Script::HangUp).await;
    let observation = observe(&target(address, PATIENCE)).await;
    assert_eq!((observation.door, codes(&observation)), (Door::Shut, vec![Code::WsSessionLimit]));
    peer.await.unwrap();
}

#[tokio::test]
async fn an_end_within_the_answer_is_a_connection_closed_early() {
    let (address, peer) = serve(Script::AnswerAndVanish("HTTP/1.1 101 Switching Prot")).await;
    let observation = observe(&target(address, PATIENCE)).await;
    assert_eq!((observation.door, codes(&observation)), (Door::Shut, vec![Code::WsClosedEarly]));
    assert!(found(&observation).contains("`HTTP/1.1 101 Switching Prot`"), "{}", found(&observation));
    peer.await.unwrap();
}

#[tokio::test]
async fn silence_after_tls_is_unreachable_and_not_shut() {
    let (address, peer) = serve(Script::KeepSilent).await;
    let observation = observe(&target(address, IMPATIENCE)).await;
    assert_eq!((observation.door, codes(&observation)), (Door::Unreachable, vec![Code::WsNotUpgraded]));
    assert!(observation.served.is_some());
    peer.abort();
}

#[tokio::test]
async fn a_peer_that_trickles_is_given_up_in_time() {
    let (address, peer) = serve(Script::Trickle).await;
    let before = clock::tick();
    let observation = observe(&target(address, IMPATIENCE)).await;
    assert_eq!((observation.door, codes(&observation)), (Door::Unreachable, vec![Code::WsNotUpgraded]));
    assert!(clock::tick() - before < PATIENCE);
    peer.abort();
}

#[tokio::test]
async fn endless_headers_end_at_the_largest_head() {
    let (address, peer) = serve(Script::EndlessHeaders).await;
    let observation = observe(&target(address, PATIENCE)).await;
    assert_eq!((observation.door, codes(&observation)), (Door::Shut, vec![Code::WsNotUpgraded]));
    peer.await.unwrap();
}
