//! The probe against Asterisk 16 and 22: every door that a certificate, a reload or a limit can leave, each seen as what it is, and
//! nothing left behind in the log or among the sessions.
#![allow(clippy::unwrap_used, reason = "what cannot go on fails the test at the place where it stands")]

mod support;

use std::{fs, process::Command, time::Duration};

use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use starkeeper::{
    asterisk::surface::Surface,
    bundle::errors,
    clock,
    diagnosis::Code,
    material::anchors::Anchors,
    proof::{Closing, Door, Observation, Seen, Target, handshake, probe},
    settings::Address,
};
use support::{
    asterisk::{Asterisk, BOTH},
    certs::{Authority, Chain, Pair, Writing, self_signed},
    until,
    wire::WebSocket,
};

#[test]
fn an_open_door_shows_the_chain_that_the_file_holds() {
    for version in BOTH {
        let authority = Authority::new();
        let pair = authority.issue(&["pbx.example.com"]);
        let asterisk = Asterisk::build(version).pair(&pair).start();
        let observation = observe(&target(&asterisk), &trusting(&authority));
        assert_eq!((observation.door, &observation.findings), (Door::Open, &Vec::new()), "{version:?}");
        let served = observation.served.unwrap();
        assert_eq!(served.chain.fingerprint().to_string(), pair.fingerprint);
        assert_eq!(served.chain.certificates(), certificates(&pair.cert_pem));
        assert_eq!(served.leaf.unwrap().names, ["pbx.example.com"]);
        assert!(served.acceptable);
        assert_eq!(served.protocol, "TLSv1_3");
    }
}

#[test]
fn what_browsers_refuse_is_served_without_a_word_and_is_named() {
    for version in BOTH {
        let authority = Authority::new();
        let good = authority.issue(&["pbx.example.com"]);
        let asterisk = Asterisk::build(version).pair(&good).start();
        let mut manager = asterisk.manager();
        for (pair, code) in [
            (authority.leaf(&["pbx.example.com"]).expired(Duration::from_secs(3600)).issue(), Code::TlsExpired),
            (authority.leaf(&["pbx.example.com"]).not_yet(Duration::from_secs(3600)).issue(), Code::LeafNotYetValid),
            (authority.issue(&["other.example.com"]), Code::TlsNameMismatch),
            (authority.leaf(&["pbx.example.com"]).chain(Chain::LeafOnly).issue(), Code::TlsChainIncomplete),
            (Authority::named("Strangers").issue(&["pbx.example.com"]), Code::TlsUntrusted),
            (self_signed(&["pbx.example.com"]).issue(), Code::TlsUntrusted),
        ] {
            pair.write(&asterisk.tls(), Writing::Renames);
            assert!(manager.reload("http").unwrap().succeeded());
            let observation = observe(&target(&asterisk), &trusting(&authority));
            assert_eq!((observation.door, errors(&observation.findings)), (Door::Open, vec![code]), "{version:?}");
            let served = observation.served.unwrap();
            assert_eq!(served.chain.fingerprint().to_string(), pair.fingerprint);
            assert!(!served.acceptable);
        }
    }
}

#[test]
fn a_certificate_of_version_1_is_seen_behind_an_open_door() {
    for version in BOTH {
        let pair = version_1();
        let asterisk = Asterisk::build(version).pair(&pair).start();
        let observation = observe(&target(&asterisk), &Seen::default());
        assert_eq!(observation.door, Door::Open, "{version:?}: {:?}", observation.findings);
        assert_eq!(observation.served.unwrap().chain.certificates(), certificates(&pair.cert_pem));
    }
}

#[test]
fn a_handshake_alone_shows_what_sip_over_tls_serves() {
    for version in BOTH {
        let authority = Authority::new();
        let pair = authority.issue(&["pbx.example.com"]);
        let asterisk = Asterisk::build(version).pair(&pair).sip_tls().start();
        let mut target = target(&asterisk);
        target.address.port = asterisk.ports.sip_tls;
        let observation = finish(handshake(&target, &Surface::SipTls { transport: "tls".to_owned() }, &trusting(&authority), clock::now()));
        assert_eq!((observation.door, codes(&observation)), (Door::Shut, vec![]), "{version:?}");
        assert_eq!(observation.served.unwrap().chain.fingerprint().to_string(), pair.fingerprint);
    }
}

#[test]
fn a_bad_pair_is_a_dark_door_until_a_good_one_is_loaded() {
    for version in BOTH {
        let authority = Authority::new();
        let good = authority.issue(&["pbx.example.com"]);
        let bad = good.with_key_of(&authority.issue(&["pbx.example.com"]));
        let asterisk = Asterisk::build(version).pair(&good).start();
        let mut manager = asterisk.manager();
        bad.write(&asterisk.tls(), Writing::Renames);
        assert!(manager.reload("http").unwrap().succeeded());
        let observation = observe(&target(&asterisk), &Seen::default());
        assert_eq!((observation.door, codes(&observation)), (Door::Dark, vec![Code::TlsFailed]), "{version:?}");
        assert_eq!(observation.served, None);
        good.write(&asterisk.tls(), Writing::Renames);
        assert!(manager.reload("http").unwrap().succeeded());
        assert_eq!(observe(&target(&asterisk), &Seen::default()).door, Door::Open, "{version:?}");
    }
}

#[test]
fn a_frozen_asterisk_is_unreachable_in_time_and_a_killed_one_refuses() {
    for version in BOTH {
        let mut asterisk = Asterisk::start(version);
        let target = Target { timeout: Duration::from_millis(500), ..target(&asterisk) };
        asterisk.stop();
        let before = clock::tick();
        let observation = observe(&target, &Seen::default());
        let took = clock::tick() - before;
        assert_eq!((observation.door, codes(&observation)), (Door::Unreachable, vec![Code::TlsFailed]), "{version:?}");
        assert!(took >= target.timeout && took < 2 * target.timeout, "{took:?}");
        asterisk.cont();
        until(Duration::from_secs(5), "an open door after the thaw", || observe(&target, &Seen::default()).door == Door::Open);
        asterisk.kill();
        let observation = observe(&target, &Seen::default());
        assert_eq!((observation.door, codes(&observation)), (Door::Refused, vec![Code::TcpRefused]), "{version:?}");
    }
}

#[test]
fn a_wrong_path_is_not_found_and_leaves_no_complaint() {
    for version in BOTH {
        let asterisk = Asterisk::start(version);
        let mark = asterisk.mark();
        for path in ["/", "/sip", "/pbx/ws"] {
            let observation = observe(&Target { path: path.to_owned(), ..target(&asterisk) }, &Seen::default());
            assert_eq!((observation.door, codes(&observation)), (Door::Shut, vec![Code::WsNotFound]), "{version:?} {path}");
        }
        assert_eq!(complaints_of_the_next_abrupt_end(&asterisk, mark), complaints_of_the_next_abrupt_end(&asterisk, asterisk.mark()));
    }
}

#[test]
fn a_missing_sip_transport_is_a_refused_subprotocol() {
    for version in BOTH {
        let asterisk = Asterisk::build(version).noload("res_pjsip_transport_websocket.so").start();
        let observation = observe(&target(&asterisk), &Seen::default());
        assert_eq!((observation.door, codes(&observation)), (Door::Shut, vec![Code::WsSubprotocolRefused]), "{version:?}");
    }
}

#[test]
fn the_session_limit_has_its_name() {
    for version in BOTH {
        let asterisk = Asterisk::build(version).session_limit(1).start();
        let browser = WebSocket::open(asterisk.ports.wss).unwrap();
        let observation = observe(&target(&asterisk), &Seen::default());
        assert_eq!((observation.door, codes(&observation)), (Door::Shut, vec![Code::WsSessionLimit]), "{version:?}");
        assert!(observation.served.is_some());
        browser.close();
    }
}

#[test]
fn two_hundred_probes_leave_the_log_silent_and_every_session_free() {
    for version in BOTH {
        // The slot of the probe before may be given back a moment after its connection is gone.
        let asterisk = Asterisk::build(version).session_limit(3).start();
        let usual = complaints_of_the_next_abrupt_end(&asterisk, asterisk.mark());
        let mark = asterisk.mark();
        for round in 0..200 {
            let observation = observe(&target(&asterisk), &Seen::default());
            assert_eq!((observation.door, codes(&observation)), (Door::Open, vec![]), "{version:?}, probe {round}");
        }
        assert_eq!(complaints_of_the_next_abrupt_end(&asterisk, mark), usual, "{version:?}");
    }
}

/// How many complaints there are after one connection more was dropped: the log keeps its order, so that nothing is still on its way.
fn complaints_of_the_next_abrupt_end(asterisk: &Asterisk, since: support::asterisk::Mark) -> usize {
    WebSocket::open(asterisk.ports.wss).unwrap().abandon();
    let last = |line: &String| line.contains("SSL_shutdown");
    until(Duration::from_secs(5), "the complaint about an abrupt end", || asterisk.complaints(since).last().is_some_and(last));
    asterisk.complaints(since).len()
}

fn target(asterisk: &Asterisk) -> Target {
    Target {
        address: Address { host: "127.0.0.1".to_owned(), port: asterisk.ports.wss },
        server_name: Some("pbx.example.com".to_owned()),
        path: "/ws".to_owned(),
        origin: None,
        timeout: Duration::from_secs(3),
    }
}

fn trusting(authority: &Authority) -> Seen {
    let anchors = Anchors::from_certificates(&certificates(&authority.root_pem));
    Seen { names: vec!["pbx.example.com".to_owned()], anchors: Some(anchors) }
}

fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().unwrap()
}

/// As `openssl x509 -req` makes it without an extensions file, and many a recipe for Asterisk does.
fn version_1() -> Pair {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        "req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=pbx.example.com",
        "x509 -req -in request.pem -signkey key.pem -days 30 -out cert.pem",
    ] {
        let ended = Command::new("openssl").args(arguments.split(' ')).current_dir(&folder).output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    let read = |name| fs::read_to_string(folder.path().join(name)).unwrap();
    self_signed(&["pbx.example.com"]).issue().with_cert(read("cert.pem")).with_key(read("key.pem"))
}

fn observe(target: &Target, seen: &Seen) -> Observation {
    finish(probe(target, seen, clock::now()))
}

fn finish(looking: impl Future<Output = (Observation, Closing)>) -> Observation {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (observation, closing) = looking.await;
        closing.done().await;
        observation
    })
}

fn codes(observation: &Observation) -> Vec<Code> {
    observation.findings.iter().map(|finding| finding.code).collect()
}
