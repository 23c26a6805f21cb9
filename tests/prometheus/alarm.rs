//! From a certificate that nobody renews to the people who are called: agent, Prometheus with the shipped rules, Alertmanager, a webhook.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use serde_json::Value;
use starkeeper::clock;

use crate::{
    SOON,
    rules::RULES,
    settings,
    support::{
        agent::Agent,
        asterisk::{Asterisk, Version},
        certs::Authority,
        prometheus::{Alertmanager, Prometheus},
        until_some,
    },
};

#[test]
fn a_certificate_that_expires_in_two_hours_is_told_to_people() {
    let (authority, now) = (Authority::new(), clock::wall());
    let day = Duration::from_secs(24 * 3600);
    let last = authority.leaf(&["pbx.example.com"]).valid(now - 89 * day, now + Duration::from_secs(2 * 3600)).issue();
    let asterisk = Asterisk::build(Version::V22).pair(&last).start();
    let agent = Agent::start(&settings(&asterisk));
    agent.wait("the first proof", SOON, |status| status["phase"] == "Serving");

    let (webhook, heard) = listen();
    let alertmanager = Alertmanager::start(webhook);
    // As shipped, but for the patience.
    let rules: String = RULES.lines().filter(|line| !line.trim_start().starts_with("for: ")).map(|line| format!("{line}\n")).collect();
    let _prometheus = Prometheus::start(&[agent.address()], Some(&rules), Some(alertmanager.address));
    let critical = until_some(SOON, "the call", || {
        let call = heard.recv_timeout(Duration::from_millis(100)).ok()?;
        call["alerts"].as_array()?.iter().find(|alert| alert["labels"]["severity"] == "critical").cloned()
    });
    let labels = &critical["labels"];
    assert_eq!(
        (labels["alertname"].as_str(), labels["surface"].as_str()),
        (Some("StarkeeperCertificateExpiring"), Some("wss")),
        "{critical}"
    );
    assert_eq!(labels["instance"], agent.address().to_string());
    let summary = critical["annotations"]["summary"].as_str().unwrap();
    let begin = format!("The certificate of wss at {} expires in 1h 5", agent.address());
    assert!(summary.starts_with(&begin), "{summary}");
    assert!(critical["annotations"]["description"].as_str().unwrap().starts_with("Renew it now"), "{critical}");
    assert_eq!(critical["annotations"]["runbook_url"], "docs/findings.md#leaf-expiring");
    assert_eq!(critical["status"], "firing");
}

/// A webhook: where it listens, and what it is told.
fn listen() -> (SocketAddr, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, heard) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(&stream);
            let (mut length, mut line) = (0, String::new());
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                if let Some((_, value)) = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            if reader.read_exact(&mut body).is_err() || sender.send(serde_json::from_slice(&body).unwrap()).is_err() {
                return;
            }
            let _ = (&stream).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    (address, heard)
}
