//! Connections that are lost, and those that cannot be had: how they are noticed, what is told, and how often it is tried again.

use super::*;
use crate::diagnosis::{Code, Value};

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_asked_for_a_sign_of_life() {
    let (mut agent, mut arriving) = agent_in_memory(false);
    let (_, mut peer) = arrival(&mut arriving).await;
    peer.let_in().await;
    agent.event().await;
    for _ in 0..5 {
        let asked = clock::tick();
        peer.expect("Action: Ping", "Success; Ping: Pong").await;
        assert!(clock::tick() - asked <= Duration::from_millis(10_010));
    }
    assert!(agent.events.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_falls_silent_is_given_up_after_keepalive_and_timeout() {
    let (mut agent, mut arriving) = agent_in_memory(false);
    let (_, mut peer) = arrival(&mut arriving).await;
    peer.let_in().await;
    agent.event().await;
    let silent_since = clock::tick();
    let finding = agent.disconnected().await;
    assert_eq!((finding.code, finding.get("stage")), (Code::AmiTimeout, Some(&Value::from("keepalive"))));
    let noticed = clock::tick() - silent_since;
    assert!(noticed <= Duration::from_millis(13_010), "{noticed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_noticed_while_requests_go_on() {
    let (mut agent, mut arriving) = agent_in_memory(false);
    let (_, mut peer) = arrival(&mut arriving).await;
    peer.let_in().await;
    agent.event().await;
    let client = agent.client.clone();
    let asking = tokio::spawn(async move {
        while client.reload("http").await.is_err_and(|failure| failure.finding.get("stage") != Some(&Value::from("keepalive"))) {}
    });
    let silent_since = clock::tick();
    assert_eq!(agent.disconnected().await.code, Code::AmiTimeout);
    assert!(clock::tick() - silent_since <= Duration::from_millis(6_010));
    asking.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_port_that_stays_shut_is_told_once_and_tried_at_growing_intervals() {
    let (mut agent, mut arriving) = agent_in_memory(true);
    assert_eq!(agent.disconnected().await.code, Code::AmiRefused);
    let (mut before, _) = arriving.recv().await.unwrap();
    let mut pauses = Vec::new();
    for _ in 0..12 {
        let (at, _) = arriving.recv().await.unwrap();
        pauses.push(at - before);
        before = at;
    }
    let ms = Duration::from_millis;
    assert!(pauses[0] >= ms(100) && pauses[0] <= ms(202), "{pauses:?}");
    assert!(pauses[11] >= ms(5_000) && pauses[11] <= ms(10_002), "{pauses:?}");
    assert!(agent.events.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_is_not_repeated_for_five_seconds() {
    let (mut agent, mut arriving) = agent_in_memory(false);
    let mut before = None;
    for _ in 0..8 {
        let (at, mut peer) = arrival(&mut arriving).await;
        peer.say("Asterisk Call Manager/5.0.4\r\n").await;
        peer.expect("Action: Challenge; AuthType: MD5", "Success; Challenge: 1").await;
        let (_, id) = peer.hear().await;
        peer.answer(&id, "Error; Message: Authentication failed").await;
        if let Some(before) = before {
            let pause = at - before;
            assert!(pause >= Duration::from_secs(5) && pause <= Duration::from_secs(61), "{pause:?}");
        }
        before = Some(at);
    }
    assert_eq!(agent.disconnected().await.code, Code::AmiAuthFailed);
    assert!(agent.events.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn asterisks_second_of_penalty_is_no_timeout() {
    let (mut agent, mut arriving) = agent_in_memory(false);
    let (_, mut peer) = arrival(&mut arriving).await;
    peer.say("Asterisk Call Manager/5.0.4\r\n").await;
    peer.expect("Action: Challenge; AuthType: MD5", "Success; Challenge: 1").await;
    let (_, id) = peer.hear().await;
    tokio::time::sleep(Duration::from_millis(3_900)).await;
    peer.answer(&id, "Error; Message: Authentication failed").await;
    assert_eq!(agent.disconnected().await.code, Code::AmiAuthFailed);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_lasted_is_tried_for_again_at_once() {
    let (mut agent, mut arriving) = agent_in_memory(false);
    // Five in a row that do not last: the pauses grow.
    let mut before = Tick::default();
    let mut pauses = Vec::new();
    for _ in 0..5 {
        let (at, mut peer) = arrival(&mut arriving).await;
        pauses.push(at - before);
        peer.let_in().await;
        assert!(matches!(agent.event().await, AmiEvent::Connected { .. }));
        before = clock::tick();
        drop(peer);
        assert_eq!(agent.disconnected().await.code, Code::AmiRefused);
    }
    assert!(pauses[4] >= Duration::from_millis(800), "{pauses:?}");
    // One that does.
    let (_, mut peer) = arrival(&mut arriving).await;
    peer.let_in().await;
    agent.event().await;
    peer.expect("Action: Ping", "Success; Ping: Pong").await;
    let lost = clock::tick();
    drop(peer);
    let (at, _) = arrival(&mut arriving).await;
    assert!(at - lost <= Duration::from_millis(202));
}

#[tokio::test(start_paused = true)]
async fn a_change_of_reason_is_told() {
    let (mut agent, mut arriving) = agent_in_memory(false);
    let (_, peer) = arrival(&mut arriving).await;
    drop(peer);
    assert_eq!(agent.disconnected().await.code, Code::AmiRefused);
    let (_, mut peer) = arrival(&mut arriving).await;
    peer.say("SSH-2.0-OpenSSH_9.2\r\n").await;
    assert_eq!(agent.disconnected().await.code, Code::AmiNotAmi);
    let (_, mut peer) = arrival(&mut arriving).await;
    peer.let_in().await;
    assert!(matches!(agent.event().await, AmiEvent::Connected { .. }));
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_before_the_first_attempt_has_ended_waits_for_it() {
    let (mut agent, mut arriving) = agent_in_memory(false);
    let client = agent.client.clone();
    let early = tokio::spawn(async move { client.reload("http").await });
    let (_, mut peer) = arrival(&mut arriving).await;
    peer.let_in().await;
    peer.booted().await;
    agent.event().await;
    peer.expect("Action: Reload; Module: http", "Success; Message: Module Reloaded").await;
    assert!(early.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_nobody_waits_for_any_longer_is_not_asked() {
    let (mut agent, mut arriving) = agent_in_memory(false);
    let client = agent.client.clone();
    let early = tokio::spawn(async move { client.reload("http").await });
    let (_, mut peer) = arrival(&mut arriving).await;
    early.abort();
    peer.let_in().await;
    agent.event().await;
    let (lines, _) = peer.hear().await;
    assert_eq!(lines, ["Action: Ping"]);
}
