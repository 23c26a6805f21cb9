//! A receiver that is down for an hour, and one that goes away with the agent: on a paused clock, with a real listener.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    sync::mpsc,
    thread,
};

use super::*;
use crate::{
    diagnosis::{Code, Finding, Lang, Severity},
    report::notify::{Place, tests::serving},
    settings::{Means, Receiver, Target, Url},
};

fn receiver(address: SocketAddr) -> Receiver {
    let target = Target { url: Url::Plain(format!("http://{address}/hook")), headers: Vec::new(), ca: None };
    Receiver { name: "ops".into(), minimum: Severity::Warning, lang: Lang::En, means: Means::Webhook(target) }
}

/// A port that nobody listens on.
fn deserted() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Takes every request and hands over its body.
fn listen(address: SocketAddr) -> mpsc::Receiver<serde_json::Value> {
    let listener = TcpListener::bind(address).unwrap();
    let (sender, bodies) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = stream;
            let mut request = Vec::new();
            let mut chunk = [0; 4096];
            let body = loop {
                let read = stream.read(&mut chunk).unwrap_or_default();
                request.extend_from_slice(&chunk[..read]);
                let text = String::from_utf8_lossy(&request).into_owned();
                let body = text.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
                if let Ok(body) = serde_json::from_str(body) {
                    break body;
                }
                assert!(read > 0, "a request without JSON: {text}");
            };
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
            if sender.send(body).is_err() {
                return;
            }
        }
    });
    bodies
}

/// Real time for the network, while the paused clock stands still.
async fn breathe() {
    tokio::task::spawn_blocking(|| thread::sleep(Duration::from_millis(5))).await.unwrap();
}

async fn advance(seconds: u64, step: u64) {
    for _ in 0..seconds / step {
        tokio::time::advance(Duration::from_secs(step)).await;
        breathe().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_alert_of_an_hour_ago_arrives_once_and_little_is_kept_for_it() {
    let address = deserted();
    let (ledger, mut delivery) = Ledger::new(&[receiver(address)]);
    let memory = Memory::new("ops", Severity::Warning, clock::now());
    let desk = Desk::new(Carrier::new(receiver(address), Place::default()), memory, ledger);
    let (publish, statuses) = watch::channel(Arc::new(serving(1, &[])));
    let drain = CancellationToken::new();
    let task = tokio::spawn(desk.keep(statuses, drain.clone()));
    breathe().await;
    let wrong = Arc::new(serving(1, &[Finding::new(Code::KeyWorldReadable).with("file", "/tls/tls.key")]));
    for _ in 0..360 {
        publish.send_replace(Arc::clone(&wrong));
        advance(10, 10).await;
    }
    let during = delivery.borrow_and_update().clone();
    let tries = |delivery: &crate::report::notify::Delivery, wanted| {
        delivery.sent.iter().find(|(_, came, _)| *came == wanted).map(|(_, _, count)| *count).unwrap()
    };
    assert!((40..=200).contains(&tries(&during, Outcome::Failed)), "{during:?}");
    assert_eq!((during.dropped, during.findings.len()), (0, 1), "{during:?}");
    let finding = &during.findings[0];
    assert_eq!(finding.code, Code::NotificationFailing);
    assert!(["name", "reason", "since"].iter().all(|key| finding.get(key).is_some()), "{finding:?}");

    let bodies = listen(address);
    let mut told = Vec::new();
    for _ in 0..600 {
        advance(1, 1).await;
        told.extend(bodies.try_iter());
    }
    let codes: Vec<_> = told.iter().map(|body| (body["code"].as_str().unwrap(), body["state"].as_str().unwrap())).collect();
    assert_eq!(codes, [("key-world-readable", "firing")]);
    let after = delivery.borrow_and_update().clone();
    assert_eq!((tries(&after, Outcome::Delivered), after.findings.len()), (1, 0), "{after:?}");
    drain.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn what_waits_at_the_end_is_tried_once() {
    let address = deserted();
    let bodies = listen(address);
    let (ledger, _delivery) = Ledger::new(&[receiver(address)]);
    let memory = Memory::new("ops", Severity::Warning, clock::now());
    let mut desk = Desk::new(Carrier::new(receiver(address), Place::default()), memory, ledger);
    for key in ["a", "b"] {
        desk.queue.push(News { key: key.into(), ..News::test(clock::wall()) });
    }
    let (_publish, statuses) = watch::channel(Arc::new(serving(1, &[])));
    let drain = CancellationToken::new();
    drain.cancel();
    desk.keep(statuses, drain).await;
    let keys: Vec<_> = bodies.try_iter().map(|body| body["key"].as_str().unwrap().to_owned()).collect();
    assert_eq!(keys, ["a", "b"]);
}

#[tokio::test]
async fn where_nobody_listens_the_end_is_not_waited_for() {
    let address = deserted();
    let (ledger, delivery) = Ledger::new(&[receiver(address)]);
    let mut desk =
        Desk::new(Carrier::new(receiver(address), Place::default()), Memory::new("ops", Severity::Warning, clock::now()), ledger);
    for key in ["a", "b"] {
        desk.queue.push(News { key: key.into(), ..News::test(clock::wall()) });
    }
    let (_publish, statuses) = watch::channel(Arc::new(serving(1, &[])));
    let drain = CancellationToken::new();
    drain.cancel();
    desk.keep(statuses, drain).await;
    let failed = delivery.borrow().sent.iter().find(|(_, came, _)| *came == Outcome::Failed).map(|(_, _, count)| *count);
    assert_eq!(failed, Some(1), "one try is enough to know");
}
