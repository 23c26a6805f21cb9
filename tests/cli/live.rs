//! `inspect`, `healthcheck` and `reload` on a real agent beside a real Asterisk.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    desk::{starkeeper, told},
    support::{
        agent::Agent,
        asterisk::{Asterisk, Version},
        bound,
        certs::{Authority, Writing},
        launch, until_some, wire,
    },
};

const SOON: Duration = Duration::from_secs(20);

fn serving(asterisk: &Asterisk) -> Agent {
    let agent = Agent::start(&asterisk.settings());
    agent.wait("the first proof", SOON, |status| status["phase"] == "Serving");
    agent
}

#[test]
fn a_serving_agent_is_shown_asked_and_left_alone() {
    let asterisk = Asterisk::start(Version::V22);
    let agent = serving(&asterisk);
    let url = format!("http://{}", agent.address());
    let (code, page, err) = told(&mut starkeeper(&["inspect", "--url", &url]));
    assert_eq!((code, err.as_str()), (0, ""), "{page}");
    let served = wire::served(asterisk.ports.wss).unwrap().fingerprint;
    for word in ["Serving", "as in the files", &served, &format!("127.0.0.1:{}/ws", asterisk.ports.wss), "logged in"] {
        assert!(page.contains(word), "{word}: {page}");
    }
    let (code, json, _) = told(&mut starkeeper(&["inspect", "--url", &url, "-o", "json"]));
    let status: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &status["version"], &status["phase"]), (0, &1.into(), &"Serving".into()));

    let ready = format!("{url}/readyz");
    assert_eq!(told(&mut starkeeper(&["healthcheck", "--url", &ready])), (0, "ok\n".to_owned(), String::new()));
    let (code, body, _) = told(&mut starkeeper(&["healthcheck", "--url", &format!("{ready}?verbose")]));
    assert_eq!((code, body.as_str()), (0, "[+]wss-upgrade ok\nreadyz check passed\n"));
    let (code, body, _) = told(&mut starkeeper(&["healthcheck", "--url", &ready, "-o", "json"]));
    assert_eq!((code, &serde_json::from_str::<Value>(&body).unwrap()["ok"]), (0, &true.into()));
}

#[test]
fn a_rejected_pair_is_shown_with_its_remedy_while_the_door_stays_ready() {
    let asterisk = Asterisk::start(Version::V22);
    let agent = serving(&asterisk);
    let authority = Authority::new();
    let (one, other) = (authority.issue(&["pbx.example.com"]), authority.issue(&["pbx.example.com"]));
    one.with_key_of(&other).write(&asterisk.tls(), Writing::Renames);
    agent.wait("the rejection", SOON, |status| status["phase"] == "Rejected");
    let url = format!("http://{}", agent.address());
    for (lang, words) in [
        ("en", ["error[key-mismatch]: ", "help: Install certificate and key of the same issuance", "not as in the files"]),
        ("pt-BR", ["erro[key-mismatch]: ", "ajuda: Instale certificado e chave da mesma emissão", "rejeitado"]),
    ] {
        let (code, page, _) = told(&mut starkeeper(&["inspect", "--url", &url, "--lang", lang]));
        assert_eq!(code, 1);
        let head = page.lines().next().unwrap_or_default();
        assert!(head.starts_with("Rejected"), "{page}");
        for word in &words[..2] {
            assert!(page.contains(word), "{word}: {page}");
        }
    }
    assert_eq!(told(&mut starkeeper(&["healthcheck", "--url", &format!("{url}/readyz")])).0, 0);
}

#[test]
fn a_closed_door_fails_the_healthcheck_with_its_reason() {
    let mut asterisk = Asterisk::start(Version::V22);
    let agent = serving(&asterisk);
    asterisk.kill();
    agent.wait("the loss", SOON, |status| status["ready"]["ok"] == false);
    let url = format!("http://{}", agent.address());
    let ready = format!("{url}/readyz");
    assert_eq!(told(&mut starkeeper(&["healthcheck", "--url", &ready])), (1, "tcp-refused\n".to_owned(), String::new()));
    assert_eq!(told(&mut starkeeper(&["inspect", "--url", &url])).0, 1);
    // Whoever gives it a while is told what came of that.
    assert_eq!(told(&mut starkeeper(&["healthcheck", "--url", &ready, "--within", "1"])), (1, "tcp-refused\n".to_owned(), String::new()));
    let waiting = [vec!["healthcheck", "--url", &ready, "--within", "60"], vec!["inspect", "--url", &url, "--within", "60"]].map(|words| {
        let mut command = bound(env!("CARGO_BIN_EXE_starkeeper"));
        command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        launch(command).unwrap()
    });
    asterisk.restart();
    for child in waiting {
        assert_eq!(end(child), (Some(0), String::new()));
    }
}

#[test]
fn an_agent_that_is_not_there_is_waited_for_as_long_as_one_likes() {
    for (command, path, status) in [("healthcheck", "/readyz", 1), ("inspect", "", 2)] {
        let (code, out, err) = told(&mut starkeeper(&[command, "--url", &format!("http://127.0.0.1:1{path}"), "--within", "1"]));
        assert_eq!((code, out.as_str()), (status, ""), "{err}");
        assert!(err.contains("nothing listens there"), "{err}");
    }
}

#[test]
fn a_watch_in_a_pipe_goes_on_until_it_is_interrupted_or_nobody_reads() {
    let asterisk = Asterisk::start(Version::V22);
    let agent = serving(&asterisk);
    let url = format!("http://{}", agent.address());
    let watch = |more: &[&str]| {
        let mut command = bound(env!("CARGO_BIN_EXE_starkeeper"));
        command.args(["inspect", "--watch", "--url", &url]).args(more).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        launch(command).unwrap()
    };
    let mut child = watch(&["-o", "json"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..2 {
        let status: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(status["phase"], "Serving");
    }
    signal(&child, Signal::INT);
    assert_eq!(end(child), (Some(0), String::new()));

    let mut child = watch(&[]);
    let mut first = String::new();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut first).unwrap();
    assert!(first.starts_with("Serving") && !first.contains('\u{1b}'), "{first}");
    drop(reader);
    assert_eq!(end(child), (Some(0), String::new()));
}

#[test]
fn a_watch_on_a_terminal_redraws_in_place_and_gives_the_screen_back() {
    let asterisk = Asterisk::start(Version::V22);
    let agent = serving(&asterisk);
    // `script` gives a terminal; what is typed into it, Ctrl-C too, goes by the terminal's own rules. `exec`: a shell that stays between
    // (dash, where SHELL is unset) would answer Ctrl-C with an exit status of its own.
    let watch = format!("exec {} inspect --watch --url http://{}", env!("CARGO_BIN_EXE_starkeeper"), agent.address());
    let mut command = bound("script");
    command.args(["-qec", &watch, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = launch(command).unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let (sender, chunks) = mpsc::channel();
    thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = stdout.read(&mut chunk) {
            let _ = sender.send(chunk[..read].to_vec());
        }
    });
    let mut seen = Vec::new();
    let frames = |seen: &[u8]| String::from_utf8_lossy(seen).matches("\x1b[H").count();
    until_some(SOON, "two frames", || {
        seen.extend(chunks.try_iter().flatten());
        (frames(&seen) >= 2).then_some(())
    });
    child.stdin.as_mut().unwrap().write_all(b"\x03").unwrap();
    let (code, _) = end(child);
    seen.extend(chunks.iter().flatten());
    let text = String::from_utf8_lossy(&seen).into_owned();
    assert_eq!(code, Some(0), "{text:?}");
    assert!(text.contains("\x1b[?1049h") && !text.contains("\x1b[2J"), "{text:?}");
    let (_, after) = text.rsplit_once("\x1b[?25h\x1b[?1049l").expect("the screen given back");
    assert!(after.contains("Serving"), "{after:?}");
}

#[test]
fn a_one_shot_reload_proves_or_says_why_not() {
    let mut asterisk = Asterisk::start(Version::V22);
    let file = asterisk.folder().join("starkeeper.yaml");
    std::fs::write(&file, asterisk.settings()).unwrap();
    let file = file.to_str().unwrap();
    let reload = |more: &[&str]| told(&mut starkeeper(&[&["reload", "-c", file][..], more].concat()));
    let authority = Authority::new();
    let starts = |(code, out, err): (i32, String, String), status: i32, said: &str| {
        assert_eq!((code, out.lines().count()), (status, 1), "{out}{err}");
        assert!(out.starts_with(said), "{out}{err}");
        err
    };

    assert_eq!(starts(reload(&[]), 0, "served already, nothing to reload: "), "");
    assert_eq!(starts(reload(&["--lang", "pt-BR"]), 0, "já servido, nada a recarregar: "), "");

    let fresh = authority.issue(&["pbx.example.com"]);
    fresh.write(&asterisk.tls(), Writing::CertThenKey);
    assert_eq!(starts(reload(&[]), 0, "proved in "), "");
    assert_eq!(wire::served(asterisk.ports.wss).map(|served| served.fingerprint), Some(fresh.fingerprint.clone()));

    let next = authority.issue(&["pbx.example.com"]);
    next.write(&asterisk.tls(), Writing::CertThenKey);
    let (code, out, err) = reload(&["-o", "json"]);
    let status: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, err.as_str(), &status["phase"], &status["counts"]["proved"]), (0, "", &"Serving".into(), &1.into()));

    next.with_key_of(&fresh).write(&asterisk.tls(), Writing::CertThenKey);
    let err = starts(reload(&[]), 1, "rejected: nothing was reloaded");
    assert!(err.starts_with("error[key-mismatch]: "), "{err}");
    let err = starts(reload(&["--lang", "pt-BR"]), 1, "rejeitado: nada foi recarregado");
    assert!(err.starts_with("erro[key-mismatch]: "), "{err}");
    assert_eq!(wire::served(asterisk.ports.wss).map(|served| served.fingerprint), Some(next.fingerprint));

    fresh.write(&asterisk.tls(), Writing::CertThenKey);
    asterisk.kill();
    let err = starts(reload(&["--within", "2"]), 1, "not proved: Unreachable");
    assert!(err.contains("error[tcp-refused]: ") && err.contains("error[ami-refused]: "), "{err}");
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), signal).unwrap();
}

/// Its exit status and what it said on stderr.
fn end(mut child: Child) -> (Option<i32>, String) {
    let status = until_some(SOON, "the end of the command", || child.try_wait().unwrap());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (status.code(), said)
}
