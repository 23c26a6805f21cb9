//! The agent's beginning and end: settings that it refuses, signals, a settings file of two lines that follows Asterisk's own files, the
//! one-shot `reload`, and no secret in anything that it says.
#![allow(clippy::unwrap_used, reason = "a scene that cannot be set fails the test at the place where it stands")]

mod support;

use std::{
    fs,
    io::Write as _,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Output, Stdio},
    time::Duration,
};

use rustix::process::Signal;
use serde_json::Value;
use starkeeper::clock;
use support::{
    agent::Agent,
    asterisk::{Asterisk, SECRET, Version},
    both, bound,
    certs::{Authority, Pair, Writing},
    launch, until, wire,
};

const SOON: Duration = Duration::from_secs(30);
/// How long a drain may take.
const DRAIN: Duration = Duration::from_secs(1);

fn settings(asterisk: &Asterisk, more: &str) -> String {
    format!("{}probe: {{interval: 1s, timeout: 500ms}}\n{more}", asterisk.settings())
}

#[track_caller]
fn serving(agent: &Agent) {
    agent.wait("the proof", SOON, |status| status["phase"] == "Serving");
}

#[track_caller]
fn serves(agent: &Agent, pair: &Pair) {
    agent.wait("the pair on the wire", SOON, |status| {
        status["phase"] == "Serving" && status["surfaces"][0]["served"]["fingerprintSha256"] == pair.fingerprint
    });
}

fn finding<'a>(status: &'a Value, code: &str) -> Option<&'a Value> {
    status["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == code)
}

fn new_pair() -> Pair {
    Authority::new().issue(&["localhost", "pbx.example.com"])
}

#[track_caller]
fn drains(mut agent: Agent, phase: &str, signal: Signal) {
    agent.wait(phase, SOON, |status| status["phase"] == phase);
    agent.signal(signal);
    let (status, took, log) = agent.finish();
    assert_eq!(status.code(), Some(0), "{phase}: {log:#?}");
    assert!(took < DRAIN, "{phase}: {took:?}");
    assert!(log.iter().any(|line| line.contains("\"stopped\"")), "{phase}: {log:#?}");
}

#[test]
fn sigterm_and_sigint_drain_within_a_second_whatever_the_agent_is_at() {
    both(|version| {
        let mut asterisk = Asterisk::start(version);
        let start = |asterisk: &Asterisk| Agent::start(&settings(asterisk, ""));
        drains(start(&asterisk), "Serving", Signal::TERM);
        drains(start(&asterisk), "Serving", Signal::INT);
        let missing = settings(&asterisk, "").replace(asterisk.cert().to_str().unwrap(), "/nonexistent/tls.crt");
        drains(Agent::start(&missing), "AwaitingMaterial", Signal::TERM);

        let agent = start(&asterisk);
        serving(&agent);
        let good = new_pair();
        good.with_key_of(&new_pair()).write(&asterisk.tls(), Writing::Renames);
        drains(agent, "Rejected", Signal::TERM);

        // Frozen in the midst of a reload, and then of everything.
        good.write(&asterisk.tls(), Writing::Renames);
        let agent = Agent::start(&asterisk.settings().replace("wss:", "probe: {interval: 10s, timeout: 9s}\nwss:"));
        serves(&agent, &good);
        asterisk.stop();
        new_pair().write(&asterisk.tls(), Writing::Renames);
        drains(agent, "Reloading", Signal::TERM);
        let agent = start(&asterisk);
        drains(agent, "Unreachable", Signal::TERM);
        // Thawed, it would do the reload that it has taken at some time or other.
        asterisk.restart();

        // What is waited for will not come: AMI is up and may do nothing.
        let path = asterisk.etc().join("manager.conf");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}[poor]\nsecret={SECRET}\nread=system\nwrite=call\n")).unwrap();
        assert!(asterisk.manager().reload("manager").unwrap().succeeded());
        new_pair().write(&asterisk.tls(), Writing::Renames);
        drains(Agent::start(&settings(&asterisk, "").replace("username: starkeeper", "username: poor")), "Proving", Signal::TERM);

        fs::write(asterisk.key(), "").unwrap();
        assert!(asterisk.manager().reload("http").unwrap().succeeded());
        new_pair().write(&asterisk.tls(), Writing::Renames);
        drains(Agent::start(&settings(&asterisk, "").replace("username: starkeeper", "username: poor")), "Wedged", Signal::TERM);
    });
}

#[test]
fn a_client_that_holds_on_does_not_hold_up_the_drain() {
    let asterisk = Asterisk::start(Version::V22);
    let agent = Agent::start(&settings(&asterisk, ""));
    serving(&agent);
    let mut client = TcpStream::connect(agent.address()).unwrap();
    client.write_all(b"GET /status HTTP/1.1\r\nHost: ").unwrap();
    drains(agent, "Serving", Signal::TERM);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let asterisk = Asterisk::start(Version::V22);
    let mut agent = Agent::start(&settings(&asterisk, ""));
    serving(&agent);
    // Both wait for it when it wakes.
    for signal in [Signal::STOP, Signal::TERM, Signal::INT, Signal::CONT] {
        agent.signal(signal);
    }
    let (status, took, _) = agent.finish();
    assert_eq!(status.code(), Some(1));
    assert!(took < DRAIN, "{took:?}");
}

#[test]
fn sighup_looks_at_everything_again_now() {
    both(|version| {
        let asterisk = Asterisk::start(version);
        let mut agent = Agent::start(&asterisk.settings().replace("wss:", "probe: {interval: 1h, timeout: 3s}\nwss:"));
        agent.wait("rest", SOON, |status| status["phase"] == "Serving" && status["ami"]["fullyBooted"] == true);
        // A login makes it look once more; after that it rests for an hour.
        let quiet = clock::tick() + Duration::from_secs(1);
        until(SOON, "rest", || clock::tick() >= quiet);
        let before = agent.status()["counts"]["probes"]["open"].as_u64().unwrap();
        agent.signal(Signal::HUP);
        agent.wait("another look", SOON, |status| status["counts"]["probes"]["open"] == before + 1);
        assert_eq!(agent.status()["phase"], "Serving");
    });
}

/// What it says when it refuses to run.
fn refused(settings: &str, environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let (status, _, log) = Agent::spawn(settings, environment).finish();
    (status.code(), log.join("\n"))
}

#[test]
fn a_port_that_is_taken_ends_it_with_the_settings_name() {
    let asterisk = Asterisk::start(Version::V22);
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let (code, said) = refused(&settings(&asterisk, &format!("http: {{listen: \"{address}\"}}\n")), &[]);
    assert_eq!(code, Some(1), "{said}");
    let (file, other) =
        ("/starkeeper.yaml (", format!("http: {{listen: \"127.0.0.1:{}\"}}", address.port().checked_add(1).unwrap_or(9808)));
    let see = format!("ss -ltnp 'sport = :{}'", address.port());
    for part in
        ["error: failed to listen on", &address.to_string(), "http.listen", "Address already in use", "hostNetwork", &see, &other, file]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn wrong_settings_are_told_all_at_once_each_with_line_and_remedy() {
    let text = "asterisk:\n  ami:\n    addres: 127.0.0.1:5038\n    secretFile: /nonexistent/secret\n\
                certificate: {key: /tls/tls.key, trust: none}\nwss:\n  address: nowhere\nreadiness: {requireTrusted: true}\n\
                probe: {interval: 1s, timeout: 5s}\n";
    let (code, said) = refused(text, &[]);
    assert_eq!(code, Some(2), "{said}");
    for (key, line) in [
        ("asterisk.ami.addres", 3),
        ("asterisk.ami.secretFile", 4),
        ("certificate.key", 5),
        ("wss.address", 7),
        ("readiness.requireTrusted", 8),
        ("probe.interval", 9),
    ] {
        let block = said.split("\n\n").find(|block| block.starts_with(&format!("error: {key}:")));
        let block = block.unwrap_or_else(|| panic!("nothing of {key}:\n{said}"));
        assert!(block.contains(&format!("starkeeper.yaml:{line}:")), "{block}");
        assert!(block.contains("help: "), "{block}");
    }
    assert!(said.contains("6 errors in the settings"), "{said}");
}

#[test]
fn a_ca_file_that_cannot_be_used_ends_it_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    fs::write(&empty, "nothing here\n").unwrap();
    for path in [PathBuf::from("/nonexistent/ca.pem"), empty] {
        let path = path.to_str().unwrap();
        for text in [
            format!("certificate: {{cert: /tls/tls.crt, key: /tls/tls.key, trust: {path}}}\n"),
            format!("asterisk: {{ami: {{tls: {{trust: {path}}}}}}}\ncertificate: {{cert: /tls/tls.crt, key: /tls/tls.key, trust: none}}\n"),
        ] {
            let (code, said) = refused(&text, &[]);
            assert_eq!(code, Some(1), "{said}");
            assert!(said.contains("error: failed to") && said.contains(path), "{said}");
        }
    }
}

#[test]
fn two_lines_of_settings_are_enough_and_follow_asterisks_own_files() {
    both(|version| {
        let asterisk = Asterisk::build(version).http("prefix=pbx").start();
        let agent = Agent::start(&format!("asterisk:\n  configDir: {}\n", asterisk.etc().display()));
        serving(&agent);
        let status = agent.wait("AMI", SOON, |status| status["ami"]["connected"] == true);
        let wss = |port: u16| format!("127.0.0.1:{port}");
        assert_eq!(status["surfaces"][0]["address"], wss(asterisk.ports.wss));
        assert_eq!(status["surfaces"][0]["path"], "/pbx/ws");
        assert_eq!(status["ami"]["address"], wss(asterisk.ports.ami));
        assert_eq!(status["files"]["cert"], asterisk.cert().to_str().unwrap());
        assert_eq!(status["files"]["key"], asterisk.key().to_str().unwrap());
        assert_eq!(status["healing"]["by"], "absentInclude");
        let pair = new_pair();
        pair.write(&asterisk.tls(), Writing::Renames);
        serves(&agent, &pair);

        // Another certificate, another port: the administrator edits http.conf and reloads.
        let elsewhere = asterisk.folder().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        let other = new_pair();
        other.write(&elsewhere, Writing::CertThenKey);
        rustix::fs::chown(elsewhere.join("tls.key"), None, Some(rustix::fs::Gid::from_raw(asterisk.gid))).unwrap();
        let path = asterisk.etc().join("http.conf");
        let port = *asterisk.ports.spare.start();
        let text = fs::read_to_string(&path).unwrap();
        let text = text.replace(asterisk.tls().to_str().unwrap(), elsewhere.to_str().unwrap());
        fs::write(&path, text.replace(&format!(":{}", asterisk.ports.wss), &format!(":{port}"))).unwrap();
        assert!(asterisk.manager().reload("http").unwrap().succeeded());
        serves(&agent, &other);
        let status = agent.status();
        assert_eq!(status["surfaces"][0]["address"], wss(port));
        assert_eq!(status["files"]["cert"], elsewhere.join("tls.crt").to_str().unwrap());
        assert_eq!(wire::served(port).unwrap().fingerprint, other.fingerprint);
        // The new files are watched, the former ones are not.
        let next = new_pair();
        next.write(&elsewhere, Writing::CertThenKey);
        serves(&agent, &next);
    });
}

/// Runs one subcommand to its end.
fn starkeeper(arguments: &[&str], settings: &str) -> (Option<i32>, Duration, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("starkeeper.yaml");
    fs::write(&file, settings).unwrap();
    let mut command = bound(env!("CARGO_BIN_EXE_starkeeper"));
    command.args(arguments).arg("-c").arg(&file).env("LANG", "C");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let began = clock::tick();
    let Output { status, stdout, stderr } = launch(command).unwrap().wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code(), clock::tick() - began, text(stdout), text(stderr))
}

#[test]
fn the_one_shot_reload_proves_finds_it_served_refuses_or_gives_up() {
    both(|version| {
        let mut asterisk = Asterisk::start(version);
        let text = settings(&asterisk, "");
        let mut manager = asterisk.manager();
        let pair = new_pair();
        pair.write(&asterisk.tls(), Writing::Renames);
        let (code, _, out, errors) = starkeeper(&["reload", "--within", "30"], &text);
        assert_eq!((code, errors.as_str()), (Some(0), ""), "{out}");
        assert!(out.starts_with("proved in ") && out.lines().count() == 1, "{out}");
        assert_eq!(wire::served(asterisk.ports.wss).unwrap().fingerprint, pair.fingerprint);
        assert_eq!(manager.reloads(0).unwrap(), ["http"]);

        let (code, _, out, errors) = starkeeper(&["reload", "--within", "30"], &text);
        assert_eq!((code, errors.as_str()), (Some(0), ""), "{out}");
        assert!(out.starts_with("served already"), "{out}");
        assert_eq!(manager.reloads(0).unwrap(), ["http"], "none for bytes that are served");

        let (code, _, out, errors) = starkeeper(&["reload", "-o", "json"], &text);
        let status: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, errors.as_str(), &status["phase"]), (Some(0), "", &"Serving".into()));

        pair.with_key_of(&new_pair()).write(&asterisk.tls(), Writing::Renames);
        let (code, took, out, errors) = starkeeper(&["reload", "--within", "30"], &text);
        assert_eq!(code, Some(1), "{out}{errors}");
        assert!(errors.contains("key-mismatch") && out.starts_with("rejected: "), "{out}{errors}");
        assert!(took < Duration::from_secs(15), "a rejection is known at once, not after {took:?}");
        assert_eq!(wire::served(asterisk.ports.wss).unwrap().fingerprint, pair.fingerprint);
        assert_eq!(manager.reloads(0).unwrap(), ["http"]);
        drop(manager);

        new_pair().write(&asterisk.tls(), Writing::Renames);
        let deaf = text.replace(&format!(":{}\"", asterisk.ports.ami), &format!(":{}\"", asterisk.ports.spare.start()));
        let (code, took, out, errors) = starkeeper(&["reload", "--within", "3"], &deaf);
        assert_eq!(code, Some(1), "{out}{errors}");
        assert!(errors.contains("ami-refused"), "{out}{errors}");
        assert!(took < Duration::from_secs(3 + 5), "{took:?}");

        asterisk.kill();
        let (code, took, out, errors) = starkeeper(&["reload", "--within", "3"], &text);
        assert_eq!(code, Some(1), "{out}{errors}");
        assert!(errors.contains("ami-refused") && errors.contains("tcp-refused"), "{out}{errors}");
        assert!(took < Duration::from_secs(3 + 5), "{took:?}");

        let (code, _, out, _) = starkeeper(&["reload"], "wss: {address: nowhere}\n");
        assert_eq!((code, out.as_str()), (Some(2), ""));
    });
}

#[test]
fn no_secret_is_said_anywhere_not_even_at_trace_level() {
    both(|version| {
        for auth in ["md5", "plain"] {
            let asterisk = Asterisk::start(version);
            let text = settings(&asterisk, "log: {format: json, level: \"trace,starkeeper=trace\"}\n");
            let text = text.replace("username: starkeeper", &format!("auth: {auth}, username: starkeeper"));
            let mut agent = Agent::start(&text);
            serving(&agent);
            let (good, bad) = (new_pair(), new_pair());
            good.write(&asterisk.tls(), Writing::Renames);
            serves(&agent, &good);
            good.with_key_of(&bad).write(&asterisk.tls(), Writing::Renames);
            agent.wait("the rejection", SOON, |status| finding(status, "key-mismatch").is_some());
            // A key where the certificate belongs, and what is no PEM: evidence must not quote it.
            good.with_cert(good.key_pem.clone()).write(&asterisk.tls(), Writing::Renames);
            agent.wait("the rejection", SOON, |status| finding(status, "cert-is-key").is_some());
            let torn = bad.key_pem.replace("-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE");
            good.with_key(torn).write(&asterisk.tls(), Writing::Renames);
            agent.wait("the rejection", SOON, |status| finding(status, "key-not-pem").is_some());
            let said: Vec<String> = ["/status", "/metrics", "/readyz?verbose"].map(|path| agent.get(path).1).into();
            agent.signal(Signal::TERM);
            let (_, _, log) = agent.finish();
            assert!(log.iter().any(|line| line.contains("\"TRACE\"")), "the level that is meant");
            let body = |pair: &Pair| pair.key_pem.lines().filter(|line| !line.starts_with("---")).map(str::to_owned).collect::<Vec<_>>();
            let secrets: Vec<String> = [vec![SECRET.to_owned()], body(&good), body(&bad)].concat();
            for line in log.iter().chain(&said) {
                for secret in &secrets {
                    assert!(!line.contains(secret), "{auth}: a secret in {line}");
                }
            }
        }
        // Nor in an error of the settings.
        let (code, said) = refused(&format!("asterisk:\n  ami: {{secret: {SECRET}}}\ncertificate: {{cert: /tls/tls.crt}}\n"), &[]);
        assert_eq!(code, Some(2), "{said}");
        assert!(!said.contains(SECRET), "{said}");
    });
}
