//! A door that went dark by somebody else's hand comes back by the agent's, on real Asterisk 16 and 22: healed where Asterisk's files
//! allow it, with every open connection alive; named with the line to paste where they do not.
#![allow(clippy::unwrap_used, reason = "a scene that cannot be set fails the test where it stands")]

mod support;

use std::{
    collections::BTreeSet,
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use rustix::process::Signal;
use serde_json::Value;
use starkeeper::clock::{self, Tick};
use support::{
    agent::Agent,
    asterisk::{Asterisk, BOTH, Builder, Version},
    certs::{Authority, Pair, Writing},
    until,
    wire::{self, Door, WebSocket},
};

const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "pbx.example.com"];
const SOON: Duration = Duration::from_secs(30);

/// Settings of an agent that reads Asterisk's own files too.
fn settings(asterisk: &Asterisk) -> String {
    asterisk.settings().replacen("asterisk:", &format!("asterisk:\n  configDir: {}", asterisk.etc().display()), 1)
}

fn serving(agent: &Agent, what: &str, pair: &Pair) -> Value {
    agent.wait(what, SOON, |status| {
        let served = &status["surfaces"][0]["served"]["fingerprintSha256"];
        status["phase"] == "Serving" && *served == pair.fingerprint
    })
}

fn codes(status: &Value) -> BTreeSet<&str> {
    status["findings"].as_array().unwrap().iter().filter_map(|finding| finding["code"].as_str()).collect()
}

fn finding<'a>(status: &'a Value, code: &str) -> &'a Value {
    status["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == code).unwrap_or(&Value::Null)
}

/// An operator puts a pair there that does not fit, and reloads by hand.
fn wedge(asterisk: &Asterisk, agent: &Agent) {
    let authority = Authority::new();
    authority.issue(&NAMES).with_key_of(&authority.issue(&NAMES)).write(&asterisk.tls(), Writing::Renames);
    asterisk.manager().reload("http").unwrap();
    assert!(matches!(wire::door(asterisk.ports.wss), Door::Dark(_)), "a reload of a bad pair takes the door down");
    until(SOON, "readiness to fail", || agent.get("/readyz").0 == 503);
}

#[test]
fn a_door_that_an_operator_took_down_is_healed_and_open_connections_live_on() {
    let by_include: fn(Builder) -> Builder = |builder| builder;
    let by_stamp: fn(Builder) -> Builder = |builder| builder.without_absent_include().stamp();
    for version in BOTH {
        for (means, build) in [("absentInclude", by_include), ("stamp", by_stamp)] {
            let authority = Authority::new();
            let first = authority.issue(&NAMES);
            let asterisk = build(Asterisk::build(version).pair(&first)).start();
            let stamp = asterisk.etc().join("starkeeper.stamp");
            let settings = match means {
                "stamp" => settings(&asterisk).replacen("certificate: {", &format!("certificate: {{stamp: {}, ", stamp.display()), 1),
                _ => settings(&asterisk),
            };
            let agent = Agent::start(&settings);
            assert_eq!(serving(&agent, "the first proof", &first)["healing"]["by"], means);
            let mut sockets = [WebSocket::open(asterisk.ports.wss).unwrap(), WebSocket::open(asterisk.ports.wss).unwrap()];
            let mut manager = asterisk.manager();
            let mark = manager.mark();

            wedge(&asterisk, &agent);
            let status = agent.wait("the rejection", SOON, |status| status["phase"] == "Rejected");
            assert!(codes(&status).is_superset(&BTreeSet::from(["key-mismatch", "tls-failed"])), "{version:?} {:?}", codes(&status));
            assert_eq!(agent.get("/livez").0, 200, "no restart helps while the files are bad");
            assert_eq!(manager.reloads(mark).unwrap(), ["http"], "{version:?} {means}: no heal can come of bad files");

            first.write(&asterisk.tls(), Writing::Renames);
            let status = serving(&agent, "the heal", &first);
            assert_eq!(wire::door(asterisk.ports.wss), Door::Open, "{version:?} {means}");
            assert_eq!((&status["counts"]["healed"], &status["counts"]["notHealed"]), (&1.into(), &0.into()), "{version:?} {means}");
            assert_eq!(manager.reloads(mark).unwrap(), ["http", "http"], "{version:?} {means}: one to wedge, one to heal");
            assert!(sockets.iter_mut().all(WebSocket::ping), "{version:?} {means}");

            // Mended within the time that a half-written pair has, and with another pair: one reload both heals and rotates.
            wedge(&asterisk, &agent);
            let second = authority.issue(&NAMES);
            second.write(&asterisk.tls(), Writing::Renames);
            let status = serving(&agent, "the rotation that heals", &second);
            assert_eq!((&status["counts"]["healed"], &status["counts"]["proved"]), (&2.into(), &1.into()), "{version:?} {means}");
            assert_eq!(manager.reloads(mark).unwrap().len(), 4, "{version:?} {means}");
            assert!(sockets.iter_mut().all(WebSocket::ping), "{version:?} {means}");
            assert!(!codes(&status).contains("listener-wedged"), "{version:?} {means}");
            assert_eq!((agent.get("/readyz").0, agent.get("/livez").0), (200, 200), "{version:?} {means}");
            if means == "stamp" {
                assert_eq!(fs::read_to_string(&stamp).unwrap(), "; touched before a healing reload\n", "touched, and nothing more");
            }
        }
    }
}

#[test]
fn what_cannot_be_healed_is_told_with_the_line_to_paste_and_heals_once_it_is_pasted() {
    for version in BOTH {
        let first = Authority::new().issue(&NAMES);
        let asterisk = Asterisk::build(version).pair(&first).without_absent_include().start();
        let liveness = |policy: &str| format!("{}liveness: {{policy: {policy}, after: 2s}}\n", settings(&asterisk));
        let agent = Agent::start(&liveness("restartHelps"));
        // Looks on, and lets the other one act.
        let onlooker = Agent::start(&format!("{}reload: {{http: never, pjsip: never, manager: never}}\n", liveness("never")));
        let status = serving(&agent, "the first proof", &first);
        assert_eq!(finding(&status, "cannot-heal")["severity"], "warning", "it is told before it happens");
        serving(&onlooker, "the first proof", &first);
        let mut socket = WebSocket::open(asterisk.ports.wss).unwrap();

        wedge(&asterisk, &agent);
        first.write(&asterisk.tls(), Writing::Renames);
        let status = agent.wait("the wedge", SOON, |status| status["phase"] == "Wedged" && status["counts"]["notHealed"] == 1);
        assert!(codes(&status).contains("listener-wedged"), "{:?}", codes(&status));
        let cannot = finding(&status, "cannot-heal");
        assert_eq!(cannot["severity"], "error");
        assert_eq!(cannot["evidence"]["file"], asterisk.etc().join("http.conf").display().to_string());
        let line = cannot["evidence"]["paste"].as_str().unwrap_or_else(|| panic!("no line to paste in {cannot:#}"));
        until(SOON, "liveness to fail", || agent.get("/livez").0 == 503);
        assert!(agent.get("/livez").1.contains("listener-wedged"), "{}", agent.get("/livez").1);
        onlooker.wait("the onlooker's wedge", SOON, |status| status["phase"] == "Wedged");
        assert_eq!(onlooker.get("/livez").0, 200, "policy never");
        assert_eq!((agent.get("/readyz").0, onlooker.get("/readyz").0), (503, 503));
        assert!(matches!(wire::door(asterisk.ports.wss), Door::Dark(_)), "{version:?}");

        let conf = asterisk.etc().join("http.conf");
        let text = fs::read_to_string(&conf).unwrap().replacen("[general]\n", &format!("[general]\n{line}\n"), 1);
        fs::write(&conf, text).unwrap();
        let status = serving(&agent, "the heal after the line was pasted", &first);
        assert_eq!(status["counts"]["healed"], 1, "{version:?}");
        assert_eq!(status["healing"]["by"], "absentInclude", "{version:?}");
        assert!(codes(&status).is_disjoint(&BTreeSet::from(["cannot-heal", "listener-wedged"])), "{version:?} {:?}", codes(&status));
        assert_eq!((agent.get("/readyz").0, agent.get("/livez").0), (200, 200), "{version:?}");
        assert!(socket.ping(), "{version:?}");
    }
}

#[test]
fn an_asterisk_that_booted_with_bad_files_is_healed_once_they_are_good() {
    let authority = Authority::new();
    for version in BOTH {
        let bad = authority.issue(&NAMES).with_key_of(&authority.issue(&NAMES));
        for builder in [Asterisk::build(version).pair(&bad), Asterisk::build(version).without_pair()] {
            let asterisk = builder.start();
            assert_eq!(wire::door(asterisk.ports.wss), Door::Refused, "nobody listens after such a start");
            let agent = Agent::start(&settings(&asterisk));
            let status = agent.wait("the findings", SOON, |status| codes(status).contains("tcp-refused"));
            assert_eq!(status["phase"], "AwaitingMaterial");
            assert_eq!(agent.get("/livez").0, 200, "no restart helps while the files are bad");
            let good = authority.issue(&NAMES);
            good.write(&asterisk.tls(), Writing::Renames);
            let status = serving(&agent, "the heal", &good);
            assert_eq!(status["counts"]["healed"], 1, "{version:?}");
            assert_eq!(wire::door(asterisk.ports.wss), Door::Open, "{version:?}");
            assert_eq!(agent.get("/readyz").0, 200, "{version:?}");
        }
    }
}

#[test]
fn an_asterisk_that_restarts_is_met_again_without_a_reload() {
    let authority = Authority::new();
    for version in BOTH {
        let first = authority.issue(&NAMES);
        let mut asterisk = Asterisk::build(version).pair(&first).start();
        let agent = Agent::start(&format!("{}liveness: {{policy: restartHelps, after: 1s}}\n", settings(&asterisk)));
        serving(&agent, "the first proof", &first);
        asterisk.kill();
        agent.wait("the loss", SOON, |status| status["phase"] == "Unreachable");
        until(SOON, "readiness to fail", || agent.get("/readyz").0 == 503);
        until(SOON, "liveness to fail", || agent.get("/livez").0 == 503);
        // It comes up with what lies there then.
        let second = authority.issue(&NAMES);
        second.write(&asterisk.tls(), Writing::Renames);
        asterisk.restart();
        let mut manager = asterisk.manager();
        let mark = manager.mark();
        let status = serving(&agent, "the return", &second);
        assert_eq!((&status["counts"]["alreadyServed"], &status["counts"]["proved"]), (&1.into(), &0.into()), "{version:?}");
        until(SOON, "health", || (agent.get("/readyz").0, agent.get("/livez").0) == (200, 200));
        let status = agent.wait("AMI", SOON, |status| status["ami"]["fullyBooted"] == true);
        assert_eq!(status["ami"]["connected"], true);
        assert_eq!(manager.reloads(mark).unwrap(), Vec::<String>::new(), "{version:?}");
    }
}

#[test]
fn an_asterisk_that_dies_in_the_middle_of_a_reload_serves_the_new_pair_when_it_is_back() {
    let authority = Authority::new();
    for version in BOTH {
        let mut asterisk = Asterisk::start(version);
        let agent = Agent::start(&settings(&asterisk));
        agent.wait("the first proof", SOON, |status| status["phase"] == "Serving" && status["ami"]["fullyBooted"] == true);
        asterisk.stop();
        let new = authority.issue(&NAMES);
        new.write(&asterisk.tls(), Writing::Renames);
        agent.wait("the reload that gets no answer", SOON, |status| status["phase"] != "Serving");
        asterisk.kill();
        agent.wait("the loss", SOON, |status| status["ami"]["connected"] == false);
        asterisk.restart();
        let status = serving(&agent, "the new pair", &new);
        assert_eq!(status["counts"]["notHealed"], 0, "{version:?}");
        until(SOON, "readiness", || agent.get("/readyz").0 == 200);
    }
}

#[test]
fn a_probe_is_never_in_flight_during_a_reload() {
    let authority = Authority::new();
    for version in BOTH {
        let asterisk = Asterisk::start(version);
        let (doors, manager) = (Passage::to(asterisk.ports.wss), Passage::to(asterisk.ports.ami));
        let through = settings(&asterisk)
            .replace(&format!(":{}", asterisk.ports.wss), &format!(":{}", doors.port))
            .replace(&format!(":{}", asterisk.ports.ami), &format!(":{}", manager.port));
        let log = asterisk.mark();
        let mut agent = Agent::start(&format!("{through}probe: {{interval: 1s, timeout: 1s}}\n"));
        agent.wait("the first proof", SOON, |status| status["phase"] == "Serving");
        for round in 0..20 {
            let pair = authority.issue(&NAMES);
            // Something to look at is always waiting.
            agent.signal(Signal::HUP);
            pair.write(&asterisk.tls(), if round % 2 == 0 { Writing::Renames } else { Writing::CertThenKey });
            agent.signal(Signal::HUP);
            serving(&agent, "the rotation", &pair);
        }
        let said = manager.said();
        let reloads: Vec<(Tick, Tick)> = spans(&said);
        assert_eq!(reloads.len(), 20, "{version:?}");
        let probes = doors.connections();
        assert!(probes.len() > 20, "{version:?}: {}", probes.len());
        for (begin, end) in &reloads {
            let overlapping: Vec<_> = probes.iter().filter(|(opened, closed)| opened < end && closed > begin).collect();
            assert!(overlapping.is_empty(), "{version:?}: {overlapping:?} during {begin:?} to {end:?}");
        }
        // One that were dropped to make room would be complained about.
        assert_eq!(asterisk.complaints(log), Vec::<String>::new(), "{version:?}");
    }
}

#[test]
fn a_port_that_answers_in_cleartext_is_named_and_not_ready_until_tls_is_back() {
    let asterisk = Asterisk::start(Version::V22);
    let door = Passage::to(asterisk.ports.wss);
    door.cleartext.store(true, Ordering::Relaxed);
    let agent = Agent::start(&settings(&asterisk).replace(&format!(":{}", asterisk.ports.wss), &format!(":{}", door.port)));
    let status = agent.wait("a heal in vain", SOON, |status| status["counts"]["notHealed"] == 1 && status["phase"] == "Wedged");
    assert_eq!(status["surfaces"][0]["door"], "cleartext");
    assert!(codes(&status).is_superset(&BTreeSet::from(["tls-cleartext", "listener-wedged"])), "{:?}", codes(&status));
    assert_eq!(agent.get("/readyz").0, 503);
    door.cleartext.store(false, Ordering::Relaxed);
    let status = agent.wait("TLS again", SOON, |status| status["phase"] == "Serving");
    assert!(codes(&status).is_disjoint(&BTreeSet::from(["tls-cleartext", "listener-wedged"])), "{:?}", codes(&status));
    assert_eq!(agent.get("/readyz").0, 200);
}

/// From each `Action: Reload` to the `Response` that answers it.
fn spans(said: &[(Tick, bool, String)]) -> Vec<(Tick, Tick)> {
    let asked = said.iter().enumerate().filter(|(_, (_, asked, text))| *asked && text.contains("Action: Reload"));
    let answered = |after: usize| said[after..].iter().find(|(_, asked, text)| !*asked && text.contains("Response:"));
    asked.filter_map(|(at, (begin, ..))| answered(at).map(|(end, ..)| (*begin, *end))).collect()
}

/// A port of our own before one of Asterisk's: what goes through is kept with its time, and it can answer in cleartext instead, as the
/// newest releases do on a TLS port that lost its certificate.
struct Passage {
    port: u16,
    cleartext: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    /// From the first moment to the last byte that Asterisk sent.
    connections: Vec<(Tick, Tick)>,
    /// When, whether from the agent, and what.
    said: Vec<(Tick, bool, String)>,
}

impl Passage {
    fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let own = listener.local_addr().unwrap().port();
        let (cleartext, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Seen::default())));
        let (speaks_cleartext, kept) = (Arc::clone(&cleartext), Arc::clone(&seen));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (cleartext, seen) = (speaks_cleartext.load(Ordering::Relaxed), Arc::clone(&kept));
                thread::spawn(move || if cleartext { answer(client) } else { pass(client, port, &seen) });
            }
        });
        Self { port: own, cleartext, seen }
    }

    fn connections(&self) -> Vec<(Tick, Tick)> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).connections.clone()
    }

    fn said(&self) -> Vec<(Tick, bool, String)> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).said.clone()
    }
}

fn answer(mut client: TcpStream) {
    let _ = client.read(&mut [0; 4096]);
    let _ = client.write_all(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

fn pass(client: TcpStream, port: u16, seen: &Arc<Mutex<Seen>>) {
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return };
    let place = {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.connections.push((clock::tick(), clock::tick()));
        seen.connections.len() - 1
    };
    let (from_server, to_client, kept) = (server.try_clone().unwrap(), client.try_clone().unwrap(), Arc::clone(seen));
    let back = thread::spawn(move || {
        // Noted before they are passed on: Asterisk's last bytes are its close_notify, after which it is done with the session.
        copy(from_server, &to_client, |text| {
            let mut seen = kept.lock().unwrap_or_else(PoisonError::into_inner);
            seen.connections[place].1 = clock::tick();
            seen.said.push((clock::tick(), false, text));
        });
        let _ = to_client.shutdown(Shutdown::Write);
    });
    copy(client, &server, |text| seen.lock().unwrap_or_else(PoisonError::into_inner).said.push((clock::tick(), true, text)));
    let _ = server.shutdown(Shutdown::Write);
    let _ = back.join();
}

fn copy(mut from: TcpStream, mut to: &TcpStream, keep: impl Fn(String)) {
    let mut bytes = [0; 8192];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        keep(String::from_utf8_lossy(&bytes[..count]).into_owned());
        if to.write_all(&bytes[..count]).is_err() {
            return;
        }
    }
}
