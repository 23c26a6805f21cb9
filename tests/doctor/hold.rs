//! A WebSocket that is held without a word: Asterisk leaves it, a proxy with a short patience ends it, and one that nobody answers on any more
//! is found by its ping.

use std::net::TcpListener;

use crate::{
    complaints_of_the_next_abrupt_end,
    doctor::Doctor,
    support::{
        asterisk::{Asterisk, Version},
        both,
        certs::Authority,
        proxy::{Kind, Proxy, UPGRADE},
    },
};

#[test]
fn asterisk_leaves_a_quiet_websocket_and_logs_nothing() {
    both(|version| {
        let authority = Authority::new();
        let asterisk = Asterisk::build(version).pair(&authority.issue(&["pbx.example.com"])).start();
        let usual = complaints_of_the_next_abrupt_end(&asterisk, asterisk.mark());
        let mark = asterisk.mark();
        let report = Doctor::of(&asterisk).trusting(&authority).with(&["--hold", "1s", "--user", "webrtc"]).ask();
        assert_eq!(report.told(), (0, "ok", "connect", None, vec![]), "{version:?}: {report:#?}");
        assert_eq!(report.evidence("hold")["answer"], "pong");
        assert_eq!(complaints_of_the_next_abrupt_end(&asterisk, mark), usual, "{version:?}: {:#?}", asterisk.complaints(mark));
    });
}

#[test]
fn a_proxy_without_patience_is_cause_5() {
    let authority = Authority::new();
    let pair = authority.issue(&["pbx.example.com"]);
    let asterisk = Asterisk::build(Version::V22).pair(&pair).start();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = format!("location / {{ proxy_pass https://127.0.0.1:{}; proxy_read_timeout 1s; {UPGRADE} }}", asterisk.ports.wss);
    let _nginx = Proxy::start(Kind::Nginx, address, &pair, &server);
    let doctor = || Doctor::at("wss://pbx.example.com:8089/ws").connect(address).trusting(&authority);
    let report = doctor().with(&["--hold", "20s"]).ask();
    assert_eq!(report.told(), (1, "broken", "fail-1006", Some("ws-closed-early"), vec!["ws-closed-early"]), "{report:#?}");
    assert_eq!(report.json["cause"], "network-or-timeout");
    let held = report.json["findings"][0]["evidence"]["millis"].as_i64().unwrap();
    assert!((900..5000).contains(&held), "{held}");
    assert_eq!(doctor().ask().told(), (0, "ok", "connect", None, vec![]), "without being held it is well");
}
