//! How a probe leaves: as RFC 6455 wants it, and never later than its bound.

use super::{
    super::Door,
    IMPATIENCE, PATIENCE, observe, open,
    peer::{ACCEPTED, Script, serve},
    target,
};
use crate::clock;

#[tokio::test]
async fn an_accepted_upgrade_ends_with_close_and_close_notify() {
    let (address, peer) = serve(Script::Answer(ACCEPTED)).await;
    observe(&target(address, PATIENCE)).await;
    let met = peer.await.unwrap();
    assert!(met.close, "a Close frame with code 1000: {met:?}");
    assert!(met.close_notify, "{met:?}");
}

#[tokio::test]
async fn a_refused_upgrade_ends_with_close_notify_alone() {
    for head in ["HTTP/1.1 404 Not Found\r\nServer: Asterisk/22\r\nContent-Length: 2\r\n\r\nno", "HTTP/1.1 426 Upgrade Required\r\n\r\n"] {
        let (address, peer) = serve(Script::Answer(head)).await;
        observe(&target(address, PATIENCE)).await;
        let met = peer.await.unwrap();
        assert!(!met.close && met.close_notify, "{head}: {met:?}");
    }
}

#[tokio::test]
async fn a_websocket_without_sip_is_closed_properly_too() {
    let head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n";
    let (address, peer) = serve(Script::Answer(head)).await;
    observe(&target(address, PATIENCE)).await;
    let met = peer.await.unwrap();
    assert!(met.close && met.close_notify, "{met:?}");
}

#[tokio::test]
async fn frames_that_came_with_the_answer_do_not_disturb_the_farewell() {
    let (address, peer) = serve(Script::AnswerAnd(ACCEPTED, b"\x81\x02hi\x89\x00".to_vec())).await;
    let observation = observe(&target(address, PATIENCE)).await;
    assert_eq!(observation.door, Door::Open);
    assert!(peer.await.unwrap().close);
}

#[tokio::test]
async fn what_was_seen_is_told_before_the_peer_answers_the_close() {
    let (address, peer) = serve(Script::AnswerAndKeepSilent(ACCEPTED)).await;
    let (observation, closing) = open(&target(address, IMPATIENCE)).await;
    assert_eq!(observation.door, Door::Open);
    let before = clock::tick();
    closing.done().await;
    let took = clock::tick() - before;
    assert!(took >= IMPATIENCE && took < PATIENCE, "{took:?}");
    peer.abort();
}

#[tokio::test]
async fn a_peer_that_floods_after_the_upgrade_is_left_in_time() {
    let (address, peer) = serve(Script::AnswerAndFlood(ACCEPTED)).await;
    let observation = observe(&target(address, IMPATIENCE)).await;
    assert_eq!(observation.door, Door::Open);
    peer.await.unwrap();
}

#[tokio::test]
async fn a_peer_that_vanishes_after_the_upgrade_leaves_an_open_door() {
    let (address, peer) = serve(Script::AnswerAndVanish(ACCEPTED)).await;
    let observation = observe(&target(address, PATIENCE)).await;
    assert_eq!(observation.door, Door::Open);
    assert!(observation.findings.is_empty());
    peer.await.unwrap();
}
