//! What the agent says over HTTP of real Asterisk 16 and 22: health, its reasons, its three forms, and a door that is open, shut, full,
//! untrusted, wedged or gone.
#![allow(clippy::unwrap_used, reason = "a scene that cannot be set fails the test at the place where it stands")]

mod exposition;
mod support;

use std::{collections::BTreeSet, fs, time::Duration};

use exposition::{Exposition, Format};
use rustix::process::Signal;
use serde_json::{Value, json};
use starkeeper::clock;
use support::{
    agent::Agent,
    asterisk::Asterisk,
    both,
    certs::{Authority, Writing},
    until, wire,
};

const SOON: Duration = Duration::from_secs(30);

/// The instance's settings with a quick probe, and these lines more.
fn settings(asterisk: &Asterisk, more: &str) -> String {
    format!("{}probe: {{interval: 1s, timeout: 500ms}}\n{more}", asterisk.settings())
}

#[track_caller]
fn serving(agent: &Agent) {
    agent.wait("the first proof", SOON, |status| status["phase"] == "Serving");
}

/// Waits for exactly this answer.
#[track_caller]
fn answers(agent: &Agent, path: &str, expected: (u16, &str)) {
    agent.wait(&format!("{path} saying {expected:?}"), SOON, |_| {
        let (code, body) = agent.get(path);
        (code, body.as_str()) == expected
    });
}

/// Loads or unloads a module. The CLI's own commands for it are barred over AMI.
#[track_caller]
fn module(asterisk: &Asterisk, deed: &str, name: &str) {
    let answer = asterisk.manager().action("ModuleLoad", &[("LoadType", deed), ("Module", name)]).unwrap();
    assert!(answer.succeeded(), "{deed} {name}: {answer:?}");
}

fn codes(status: &Value) -> Vec<&str> {
    status["findings"].as_array().unwrap().iter().filter_map(|finding| finding["code"].as_str()).collect()
}

#[test]
fn every_endpoint_answers_in_its_three_forms_and_nothing_can_be_changed() {
    both(|version| {
        let asterisk = Asterisk::start(version);
        let agent = Agent::start(&settings(&asterisk, ""));
        serving(&agent);
        let json = "Accept: application/json\r\n";
        for (path, check) in [("/healthz", "driver"), ("/readyz", "wss-upgrade"), ("/livez", "listener-healable")] {
            assert_eq!(agent.get(path), (200, "ok\n".to_owned()), "{path}");
            let (code, verbose) = agent.get(&format!("{path}?verbose"));
            let first = verbose.lines().next().unwrap();
            assert_eq!((code, first), (200, format!("[+]{check} ok").as_str()));
            assert_eq!(verbose.lines().last().unwrap(), format!("{} check passed", &path[1..]));
            let (code, body) = agent.request(&format!("GET {path}"), json).unwrap();
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!((code, &body["ok"], &body["checks"][0]), (200, &json!(true), &json!({"name": check, "ok": true, "reasons": []})));
        }
        for path in ["/healthz", "/readyz", "/livez", "/status", "/metrics"] {
            assert_eq!(agent.request(&format!("HEAD {path}"), "").unwrap(), (200, String::new()), "{path}");
            for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
                assert_eq!(agent.request(&format!("{method} {path}"), "").unwrap().0, 405, "{method} {path}");
            }
        }
        for path in ["/nothing", "/status/more", "/readyz/"] {
            assert_eq!(agent.get(path).0, 404, "{path}");
        }
        let status = agent.status();
        assert_eq!((&status["version"], &status["phase"]), (&json!(1), &json!("Serving")));
        let wss = &status["surfaces"][0];
        assert_eq!((&wss["surface"], &wss["door"], &wss["matchesWanted"]), (&json!("wss"), &json!("open"), &json!(true)));
        assert_eq!(wss["served"]["fingerprintSha256"], json!(wire::served(asterisk.ports.wss).unwrap().fingerprint));
        assert_eq!(status["files"]["verdict"], "good");
        assert_eq!(codes(&status), Vec::<&str>::new());
    });
}

#[test]
fn nothing_is_ready_before_a_proof_nor_after_it_grew_old() {
    both(|version| {
        let mut asterisk = Asterisk::start(version);
        asterisk.stop();
        let mut agent = Agent::start(&settings(&asterisk, ""));
        // Nothing was seen yet: the first look takes its half second.
        let (code, body) = agent.get("/readyz");
        assert_eq!(code, 503);
        assert!(["not-proved-yet\n", "tls-failed\n"].contains(&body.as_str()), "{body}");
        asterisk.cont();
        serving(&agent);
        answers(&agent, "/readyz", (200, "ok\n"));
        // An agent that could not look for longer than two intervals and four timeouts says so before it says anything else.
        asterisk.stop();
        agent.signal(Signal::STOP);
        let end = clock::tick() + Duration::from_millis(4_500);
        until(SOON, "the age", || clock::tick() >= end);
        agent.signal(Signal::CONT);
        assert_eq!(agent.get("/readyz"), (503, "proof-stale\n".to_owned()));
        // A look that fails is no proof either, also where it is to be confirmed.
        agent.wait("the door as it is", SOON, |status| {
            let (code, body) = agent.get("/readyz");
            assert_eq!(code, 503, "{status:#}");
            body == "tls-failed\n"
        });
        asterisk.cont();
        answers(&agent, "/readyz", (200, "ok\n"));
    });
}

#[test]
fn readiness_asks_for_trust_where_it_is_told_to() {
    both(|version| {
        let (trusted, other) = (Authority::named("Trusted"), Authority::named("Other"));
        let asterisk = Asterisk::build(version).pair(&other.issue(&["pbx.example.com"])).start();
        let ca = asterisk.folder().join("ca.pem");
        fs::write(&ca, &trusted.root_pem).unwrap();
        let trusting = settings(&asterisk, "").replace("trust: none", &format!("trust: {}", ca.display()));
        let strict = Agent::start(&format!("{trusting}readiness: {{requireTrusted: true}}\n"));
        let lenient = Agent::start(&trusting);
        answers(&strict, "/readyz", (503, "tls-untrusted\n"));
        answers(&lenient, "/readyz", (200, "ok\n"));
        let (_, verbose) = strict.get("/readyz?verbose");
        assert_eq!(verbose, "[+]wss-upgrade ok\n[-]wss-trusted failed: tls-untrusted\nreadyz check failed\n");
        trusted.issue(&["pbx.example.com"]).write(&asterisk.tls(), Writing::Renames);
        answers(&strict, "/readyz", (200, "ok\n"));
    });
}

#[test]
fn liveness_speaks_by_its_policy() {
    both(|version| {
        let mut asterisk = Asterisk::build(version).noload("res_pjsip_transport_websocket.so").start();
        let agents = |policies: &[&'static str], asterisk: &Asterisk| -> Vec<(&'static str, Agent)> {
            let start = |policy: &&'static str| {
                (*policy, Agent::start(&settings(asterisk, &format!("liveness: {{policy: {policy}, after: 2s}}\n"))))
            };
            policies.iter().map(start).collect()
        };
        let agents = agents(&["restartHelps", "never", "strict"], &asterisk);
        // A shut door: a restart would not help.
        for (policy, agent) in &agents {
            match *policy {
                "strict" => answers(agent, "/livez", (503, "ws-subprotocol-refused\n")),
                _ => answers(agent, "/livez", (200, "ok\n")),
            }
            answers(agent, "/readyz", (503, "ws-subprotocol-refused\n"));
        }
        // AMI and /ws both dead, past `after`.
        asterisk.kill();
        for (policy, agent) in &agents {
            match *policy {
                "strict" => answers(agent, "/livez", (503, "tcp-refused\n")),
                "never" => answers(agent, "/livez", (200, "ok\n")),
                _ => answers(agent, "/livez", (503, "ami-and-wss-dead\n")),
            }
        }
        let end = clock::tick() + Duration::from_secs(3);
        until(SOON, "the patience of liveness", || clock::tick() >= end);
        answers(&agents[1].1, "/livez", (200, "ok\n"));
        asterisk.restart();
        answers(&agents[0].1, "/livez", (200, "ok\n"));
    });
}

#[test]
fn liveness_fails_for_a_wedge_that_no_reload_mends_and_not_while_the_files_are_bad() {
    both(|version| {
        let authority = Authority::new();
        let good = authority.issue(&["localhost"]);
        let asterisk = Asterisk::build(version).pair(&good).without_absent_include().start();
        let agent = Agent::start(&settings(&asterisk, "liveness: {after: 2s}\n"));
        serving(&agent);
        // Somebody else's doing: a bad pair, and a reload.
        good.with_key_of(&authority.issue(&["localhost"])).write(&asterisk.tls(), Writing::Renames);
        agent.wait("the rejection", SOON, |status| codes(status).contains(&"key-mismatch"));
        assert!(asterisk.manager().reload("http").unwrap().succeeded());
        agent.wait("the dark door", SOON, |status| status["surfaces"][0]["door"] == "dark");
        answers(&agent, "/readyz", (503, "tls-failed\n"));
        let end = clock::tick() + Duration::from_secs(3);
        until(SOON, "the patience of liveness", || clock::tick() >= end);
        assert_eq!(agent.get("/livez").0, 200, "a restart with a bad pair helps nobody");
        good.write(&asterisk.tls(), Writing::Renames);
        answers(&agent, "/livez", (503, "listener-wedged\n"));
        let status = agent.status();
        assert_eq!(status["phase"], "Wedged");
        assert!(codes(&status).contains(&"listener-wedged"), "{status:#}");
    });
}

#[test]
fn a_full_house_is_named_and_unready_until_there_is_room() {
    both(|version| {
        let asterisk = Asterisk::build(version).session_limit(4).start();
        let agent = Agent::start(&settings(&asterisk, ""));
        serving(&agent);
        let mut guests = Vec::new();
        until(SOON, "a full house", || match wire::WebSocket::open(asterisk.ports.wss) {
            Ok(guest) => {
                guests.push(guest);
                false
            }
            Err(_) => guests.len() >= 4,
        });
        answers(&agent, "/readyz", (503, "ws-session-limit\n"));
        assert_eq!(agent.get("/livez").0, 200);
        let status = agent.status();
        assert_eq!(status["surfaces"][0]["door"], "shut");
        assert!(codes(&status).contains(&"ws-session-limit"), "{status:#}");
        drop(guests);
        answers(&agent, "/readyz", (200, "ok\n"));
    });
}

#[test]
fn a_module_that_is_gone_is_named_by_what_browsers_meet() {
    both(|version| {
        let asterisk = Asterisk::start(version);
        // Asterisk 16 crashes where a WebSocket has only just left the module that is unloaded: no look may be under way.
        let rest = || {
            let end = clock::tick() + Duration::from_secs(1);
            until(SOON, "rest", || clock::tick() >= end);
        };
        let mut agent = Agent::start(&format!("{}probe: {{interval: 1h, timeout: 3s}}\n", asterisk.settings()));
        agent.wait("rest", SOON, |status| status["phase"] == "Serving" && status["ami"]["fullyBooted"] == true);
        rest();
        module(&asterisk, "unload", "res_pjsip_transport_websocket.so");
        assert_eq!(agent.get("/readyz").0, 200, "as it was last proved");
        agent.signal(Signal::HUP);
        answers(&agent, "/readyz", (503, "ws-subprotocol-refused\n"));
        drop(agent);
        rest();
        module(&asterisk, "unload", "res_http_websocket.so");
        let agent = Agent::start(&settings(&asterisk, ""));
        answers(&agent, "/readyz", (503, "ws-not-found\n"));
        module(&asterisk, "load", "res_http_websocket.so");
        module(&asterisk, "load", "res_pjsip_transport_websocket.so");
        answers(&agent, "/readyz", (200, "ok\n"));
        assert_eq!(codes(&agent.status()), Vec::<&str>::new());
    });
}

#[test]
fn a_transport_that_is_not_loaded_is_named_from_the_start() {
    both(|version| {
        let asterisk = Asterisk::build(version).noload("res_pjsip_transport_websocket.so").start();
        let agent = Agent::start(&settings(&asterisk, ""));
        answers(&agent, "/readyz", (503, "ws-subprotocol-refused\n"));
        assert!(codes(&agent.status()).contains(&"ws-subprotocol-refused"));
        module(&asterisk, "load", "res_pjsip_transport_websocket.so");
        answers(&agent, "/readyz", (200, "ok\n"));
    });
}

#[test]
fn the_metrics_are_those_of_the_contract_in_both_formats() {
    both(|version| {
        let asterisk = Asterisk::start(version);
        let agent = Agent::start(&settings(&asterisk, ""));
        serving(&agent);
        // A name that would end a label, a line or the exposition, were it not escaped.
        let pair = Authority::named("A \\ \" B").issue(&["pbx.example.com"]);
        pair.write(&asterisk.tls(), Writing::Renames);
        agent.wait("the rotation", SOON, |status| status["counts"]["proved"] == 1);
        serving(&agent);
        for (accept, format) in [("application/openmetrics-text; version=1.0.0", Format::OpenMetrics), ("text/plain", Format::Prometheus)] {
            let (code, text) = agent.request("GET /metrics", &format!("Accept: {accept}\r\n")).unwrap();
            assert_eq!(code, 200);
            let exposition = Exposition::parse(&text, format);
            let names: BTreeSet<&str> = exposition.families.keys().map(String::as_str).collect();
            assert_eq!(names, FAMILIES.into_iter().collect(), "{text}");
            let value = |name: &str, labels: &[(&str, &str)]| exposition.value(name, labels);
            assert_eq!(value("starkeeper_ready", &[]), 1.0);
            assert_eq!(value("starkeeper_live", &[]), 1.0);
            assert_eq!(value("starkeeper_ami_connected", &[]), 1.0);
            assert_eq!(value("starkeeper_phase", &[("phase", "Serving")]), 1.0);
            assert_eq!(value("starkeeper_phase", &[("phase", "Wedged")]), 0.0);
            assert_eq!(value("starkeeper_served_matches_wanted", &[("surface", "wss")]), 1.0);
            assert_eq!(value("starkeeper_rotations_total", &[("outcome", "proved")]), 1.0);
            assert_eq!(value("starkeeper_dropped_total", &[("queue", "ami-events")]), 0.0);
            assert_eq!(value("starkeeper_files_verdict", &[("verdict", "good")]), 1.0);
            assert_eq!(value("starkeeper_files_verdict", &[("verdict", "rejected")]), 0.0);
            assert_eq!(value("starkeeper_expiry_threshold_seconds", &[("level", "warning")]), 21.0 * 86_400.0);
            assert_eq!(value("starkeeper_expiry_threshold_seconds", &[("level", "critical")]), 7.0 * 86_400.0);
            assert_eq!(value("starkeeper_expiry_threshold_ratio", &[("level", "warning")]), 0.33);
            assert!((value("starkeeper_expiry_threshold_ratio", &[("level", "critical")]) - 0.11).abs() < 1e-9);
            for stage in ["settle", "check", "reload", "prove", "total"] {
                let of = [("stage", stage)];
                assert_eq!(value("starkeeper_rotation_duration_seconds_count", &of), 1.0, "{stage}");
                let last = value("starkeeper_last_rotation_stage_seconds", &of);
                // The status has it in thousandths of a millisecond.
                assert!((value("starkeeper_rotation_duration_seconds_sum", &of) - last).abs() < 1e-6, "{stage}");
            }
            let looks: f64 = exposition.families["starkeeper_probes_total"].iter().map(|(_, count)| count).sum();
            for stage in ["tcp", "tls", "upgrade"] {
                let counted = value("starkeeper_probe_duration_seconds_count", &[("stage", stage)]);
                assert!((1.0..=looks).contains(&counted), "{stage}: {counted} of {looks}");
            }
            for source in ["files", "served"] {
                let of = [("source", source), ("surface", "wss")];
                let (from, until) = (
                    value("starkeeper_certificate_not_before_timestamp_seconds", &of),
                    value("starkeeper_certificate_not_after_timestamp_seconds", &of),
                );
                assert_eq!((until - from).round(), 90.0 * 86_400.0 + 3600.0);
                let info = exposition.series("starkeeper_certificate_info", &of);
                assert_eq!(info["fingerprint_sha256"], pair.fingerprint);
                assert!(info["issuer"].contains(['"', '\\']), "{info:?}");
            }
            assert!(value("process_resident_memory_bytes", &[]) > 1e6);
            assert!(value("process_open_fds", &[]) > 3.0);
            assert!(value("process_cpu_seconds_total", &[]) > 0.0);
            let age = clock::wall().as_millisecond() as f64 / 1e3 - value("process_start_time_seconds", &[]);
            assert!((-0.01..120.0).contains(&age), "{age}");
        }
        // With nothing known the exposition is as well formed.
        let poor = Agent::start(&settings(&asterisk, "").replace(asterisk.cert().to_str().unwrap(), "/nonexistent/tls.crt"));
        poor.wait("the finding", SOON, |status| codes(status).contains(&"cert-missing"));
        let exposition = Exposition::parse(&poor.get("/metrics").1, Format::Prometheus);
        assert_eq!(exposition.value("starkeeper_findings", &[("code", "cert-missing"), ("severity", "error")]), 1.0);
    });
}

/// All that this version has while nothing is found, by the name under which Prometheus keeps the series.
const FAMILIES: [&str; 29] = [
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "starkeeper_ami_connected",
    "starkeeper_ami_reconnects_total",
    "starkeeper_build_info",
    "starkeeper_certificate_info",
    "starkeeper_certificate_not_after_timestamp_seconds",
    "starkeeper_certificate_not_before_timestamp_seconds",
    "starkeeper_dropped_total",
    "starkeeper_expiry_threshold_ratio",
    "starkeeper_expiry_threshold_seconds",
    "starkeeper_files_verdict",
    "starkeeper_heals_total",
    "starkeeper_last_rotation_stage_seconds",
    "starkeeper_last_rotation_timestamp_seconds",
    "starkeeper_live",
    "starkeeper_phase",
    "starkeeper_probe_duration_seconds_bucket",
    "starkeeper_probe_duration_seconds_count",
    "starkeeper_probe_duration_seconds_sum",
    "starkeeper_probes_total",
    "starkeeper_ready",
    "starkeeper_rotation_duration_seconds_bucket",
    "starkeeper_rotation_duration_seconds_count",
    "starkeeper_rotation_duration_seconds_sum",
    "starkeeper_rotations_total",
    "starkeeper_served_matches_wanted",
];
