//! `doctor URL` against Asterisk 16 and 22, with nothing but the address: what a browser would meet, found as what it is, and nothing left in
//! Asterisk's log.
#![allow(clippy::unwrap_used, reason = "what cannot go on fails the test at the place where it stands")]

mod support;

#[path = "doctor/doctor.rs"]
mod doctor;
#[path = "doctor/hold.rs"]
mod hold;
#[path = "doctor/page.rs"]
mod page;
#[path = "doctor/phone.rs"]
mod phone;
#[path = "doctor/sip.rs"]
mod sip;
#[path = "doctor/tls.rs"]
mod tls;

use std::{io::Write as _, net::TcpStream, time::Duration};

use doctor::Doctor;
use serde_json::Value;
use support::{
    asterisk::{Asterisk, Mark, Version},
    both,
    certs::{Authority, Chain, Writing, self_signed},
    until,
    wire::WebSocket,
};

#[test]
fn a_healthy_door_is_ok_and_leaves_no_line() {
    both(|version| {
        let authority = Authority::new();
        let pair = authority.issue(&["pbx.example.com"]);
        let asterisk = Asterisk::build(version).pair(&pair).start();
        let mark = asterisk.mark();
        let usual = complaints_of_the_next_abrupt_end(&asterisk, mark);
        let mark = asterisk.mark();
        let report = Doctor::of(&asterisk).trusting(&authority).ask();
        assert_eq!(report.told(), (0, "ok", "connect", None, vec![]), "{version:?}: {report:#?}");
        assert_eq!(report.steps(), ["url ok", "dns ok", "tcp ok", "tls ok", "upgrade ok", "sip skipped"]);
        let tls = report.evidence("tls");
        assert_eq!((tls["sha256"].as_str().unwrap(), &tls["protocol"]), (pair.fingerprint.as_str(), &Value::from("TLS 1.3")));
        assert_eq!(complaints_of_the_next_abrupt_end(&asterisk, mark), usual, "{version:?}: {:#?}", asterisk.complaints(mark));
    });
}

#[test]
fn on_request_more_is_looked_at() {
    both(|version| {
        let authority = Authority::new();
        let pair = authority.issue(&["pbx.example.com"]);
        let asterisk = Asterisk::build(version).pair(&pair).http("prefix=pbx").enable_status().start();
        let mark = asterisk.mark();
        let report = Doctor::at("wss://pbx.example.com:8089/pbx/ws").connect(([127, 0, 0, 1], asterisk.ports.wss).into());
        let report = report.trusting(&authority).with(&["--thorough"]).ask();
        assert_eq!(report.told(), (0, "ok", "connect", None, vec![]), "{version:?}: {report:#?}");
        let versions = serde_json::json!({"TLS 1.3": "taken", "TLS 1.2": "taken", "TLS 1.1": "refused", "TLS 1.0": "refused"});
        assert_eq!(*report.evidence("tls-versions"), versions, "{version:?}");
        let starts = |step: &str, with: &str| {
            let answer = report.evidence(step)["answer"].as_str().unwrap().to_owned();
            assert!(answer.starts_with(with), "{version:?} {step}: {answer}");
        };
        starts("upgrade-without-sip", "HTTP 400 by Asterisk/");
        starts("httpstatus", "HTTP 200 by Asterisk/");
        assert_eq!(report.evidence("httpstatus")["path"], "/pbx/httpstatus");
        // Which is why it is done on request.
        let complaints = asterisk.complaints(mark);
        assert!(complaints.iter().any(|line| line.contains("no protocols requested")), "{version:?}: {complaints:#?}");
        assert!(complaints.iter().any(|line| line.contains("Unable to set up ssl connection")), "{version:?}: {complaints:#?}");
    });
}

#[test]
fn what_browsers_refuse_is_cause_1() {
    both(|version| {
        let authority = Authority::new();
        let asterisk = Asterisk::build(version).pair(&authority.issue(&["pbx.example.com"])).start();
        let mut manager = asterisk.manager();
        let hour = Duration::from_secs(3600);
        for (pair, code) in [
            (authority.leaf(&["pbx.example.com"]).expired(hour).issue(), "tls-expired"),
            (authority.leaf(&["pbx.example.com"]).not_yet(hour).issue(), "leaf-not-yet-valid"),
            (authority.issue(&["other.example.com"]), "tls-name-mismatch"),
            (authority.leaf(&["pbx.example.com"]).chain(Chain::LeafOnly).issue(), "tls-chain-incomplete"),
            (Authority::named("Strangers").issue(&["pbx.example.com"]), "tls-untrusted"),
            (self_signed(&["pbx.example.com"]).issue(), "tls-untrusted"),
        ] {
            pair.write(&asterisk.tls(), Writing::Renames);
            assert!(manager.reload("http").unwrap().succeeded());
            let report = Doctor::of(&asterisk).trusting(&authority).ask();
            assert_eq!(report.told(), (1, "broken", "fail-1006", Some(code), vec![code]), "{version:?}");
            assert_eq!(report.json["cause"], "certificate-not-trusted", "{version:?} {code}");
            assert!(report.steps().contains(&"upgrade ok".to_owned()), "what comes after is looked at all the same");
        }
    });
}

#[test]
fn a_listener_that_lost_its_certificate_is_cause_2() {
    both(|version| {
        let authority = Authority::new();
        let good = authority.issue(&["pbx.example.com"]);
        let asterisk = Asterisk::build(version).pair(&good).start();
        good.with_key_of(&authority.issue(&["pbx.example.com"])).write(&asterisk.tls(), Writing::Renames);
        assert!(asterisk.manager().reload("http").unwrap().succeeded());
        let report = Doctor::of(&asterisk).trusting(&authority).ask();
        assert_eq!(report.told(), (1, "broken", "fail-1006", Some("tls-failed"), vec!["tls-failed"]), "{version:?}");
        assert_eq!(report.json["cause"], "tls-at-asterisk");
    });
}

#[test]
fn a_door_without_pjsip_behind_it_is_cause_3() {
    both(|version| {
        let authority = Authority::new();
        let pair = authority.issue(&["pbx.example.com"]);
        let asterisk = Asterisk::build(version).pair(&pair).noload("res_pjsip_transport_websocket.so").start();
        let report = Doctor::of(&asterisk).trusting(&authority).ask();
        assert_eq!(report.first_cause(), Some("ws-subprotocol-refused"), "{version:?}: {report:#?}");
        assert_eq!((&report.json["cause"], &report.json["browserWould"]), (&"sip-transport".into(), &"fail-1006".into()));
    });
}

#[test]
fn a_404_is_told_by_asterisks_status_page_from_that_of_another_server() {
    both(|version| {
        let authority = Authority::new();
        let pair = authority.issue(&["pbx.example.com"]);
        let build = || Asterisk::build(version).pair(&pair).noload("res_http_websocket.so").http("prefix=pbx");
        for (asterisk, path, likely) in [
            (build().enable_status().start(), "/pbx/ws", "Asterisk's res_http_websocket does not run: /pbx/httpstatus answers"),
            (build().enable_status().start(), "/ws", "it is Asterisk: its res_http_websocket does not run, or http.conf's prefix"),
            (build().http("enable_status=no").start(), "/pbx/ws", "it is Asterisk: its res_http_websocket does not run, or"),
        ] {
            let mark = asterisk.mark();
            let usual = complaints_of_the_next_broken_handshake(&asterisk, mark);
            let mark = asterisk.mark();
            let report = Doctor::at(&format!("wss://pbx.example.com:8089{path}"));
            let report = report.connect(([127, 0, 0, 1], asterisk.ports.wss).into()).trusting(&authority).ask();
            assert_eq!(report.told(), (1, "broken", "fail-1006", Some("ws-not-found"), vec!["ws-not-found"]), "{version:?}: {report:#?}");
            let told = report.json["findings"][0]["evidence"]["likely"].as_str().unwrap();
            assert!(told.starts_with(likely), "{version:?} {path}: {told}");
            let complaints = complaints_of_the_next_broken_handshake(&asterisk, mark);
            assert_eq!(complaints, usual, "{version:?}: {:#?}", asterisk.complaints(mark));
        }
    });
}

#[test]
fn a_closed_a_silent_and_a_full_door_are_cause_5() {
    both(|version| {
        let authority = Authority::new();
        let pair = authority.issue(&["pbx.example.com"]);
        let mut asterisk = Asterisk::build(version).pair(&pair).session_limit(1).start();
        let browser = WebSocket::open(asterisk.ports.wss).unwrap();
        let report = Doctor::of(&asterisk).trusting(&authority).ask();
        assert_eq!(report.first_cause(), Some("ws-session-limit"), "{version:?}: {report:#?}");
        assert_eq!((&report.json["cause"], &report.json["browserWould"]), (&"network-or-timeout".into(), &"fail-1006".into()));
        browser.close();
        asterisk.kill();
        let report = Doctor::of(&asterisk).trusting(&authority).ask();
        assert_eq!(report.told(), (1, "broken", "fail-1006", Some("tcp-refused"), vec!["tcp-refused"]), "{version:?}");
        assert_eq!(report.json["cause"], "network-or-timeout");
    });
}

#[test]
fn an_address_by_number_is_the_clients_to_change() {
    let authority = Authority::new();
    let asterisk = Asterisk::build(Version::V22).pair(&authority.issue(&["pbx.example.com"])).start();
    let report = Doctor::at(&format!("wss://127.0.0.1:{}/ws", asterisk.ports.wss)).trusting(&authority).ask();
    assert_eq!(report.told(), (1, "broken", "fail-1006", Some("client-name-not-covered"), vec!["client-name-not-covered"]), "{report:#?}");
    let named = authority.issue(&["127.0.0.1"]);
    named.write(&asterisk.tls(), Writing::Renames);
    assert!(asterisk.manager().reload("http").unwrap().succeeded());
    let report = Doctor::at(&format!("wss://127.0.0.1:{}/ws", asterisk.ports.wss)).trusting(&authority).ask();
    assert_eq!(report.told(), (0, "ok", "connect", None, vec![]), "{report:#?}");
}

#[test]
fn an_address_that_is_dead_beside_one_that_is_not_is_a_warning() {
    let authority = Authority::new();
    let asterisk = Asterisk::build(Version::V22).pair(&authority.issue(&["localhost"])).start();
    let report = Doctor::at(&format!("wss://localhost:{}/ws", asterisk.ports.wss)).trusting(&authority).ask();
    // Where the machine knows `localhost` as ::1 as well; Asterisk listens on 127.0.0.1 alone.
    let several = report.evidence("dns")["addresses"].as_array().unwrap().len() > 1;
    let expected = if several { vec!["tcp-some-addresses"] } else { vec![] };
    assert_eq!(report.told(), (0, "ok", "connect", None, expected), "{report:#?}");
}

#[test]
fn ws_is_asked_without_tls_and_judged_by_the_page() {
    let authority = Authority::new();
    let asterisk = Asterisk::build(Version::V22).pair(&authority.issue(&["pbx.example.com"])).start();
    let doctor = |origin: &str| {
        let place = ([127, 0, 0, 1], asterisk.ports.http).into();
        Doctor::at("ws://pbx.example.com:8088/ws").connect(place).with(&["--origin", origin]).ask()
    };
    assert_eq!(doctor("http://app.example.com").told(), (0, "ok", "connect", None, vec![]));
    let code = "client-insecure-on-https";
    assert_eq!(doctor("https://app.example.com").told(), (1, "broken", "fail-1006", Some(code), vec![code]));
}

/// How many complaints there are after one connection more was dropped: the log keeps its order, so that nothing is still on its way.
fn complaints_of_the_next_abrupt_end(asterisk: &Asterisk, since: Mark) -> usize {
    WebSocket::open(asterisk.ports.wss).unwrap().abandon();
    complaints_once_told(asterisk, since)
}

/// The same where there is no WebSocket.
fn complaints_of_the_next_broken_handshake(asterisk: &Asterisk, since: Mark) -> usize {
    TcpStream::connect(("127.0.0.1", asterisk.ports.wss)).unwrap().write_all(b"no TLS\r\n\r\n").unwrap();
    complaints_once_told(asterisk, since)
}

fn complaints_once_told(asterisk: &Asterisk, since: Mark) -> usize {
    let last = |line: &String| line.contains("SSL_shutdown");
    until(Duration::from_secs(5), "the complaint about an abrupt end", || asterisk.complaints(since).last().is_some_and(last));
    asterisk.complaints(since).len()
}
