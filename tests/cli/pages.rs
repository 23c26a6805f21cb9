//! `inspect` on statuses that stand still: what a person reads, in either language.

use serde_json::{Value, json};

use crate::desk::{cardboard, starkeeper, told};

fn serving() -> Value {
    let leaf = json!({"subject": "CN=pbx.example.com", "issuer": "CN=Lab Intermediate", "serial": "01", "names": ["pbx.example.com"],
        "notBefore": "2026-05-01T00:00:00Z", "notAfter": "2026-08-30T00:00:00Z", "keyAlgorithm": "P-256", "fingerprintSha256": "ab".repeat(32)});
    json!({
        "version": 1, "agent": "0.1.0", "startedAt": "2026-05-31T00:00:00Z", "at": "2026-06-01T00:00:00.5Z",
        "phase": "Serving", "since": "2026-05-31T23:57:00.25Z",
        "ready": {"ok": true, "checks": [{"name": "wss-upgrade", "ok": true, "reasons": []}]},
        "live": {"ok": true, "checks": [{"name": "listener-healable", "ok": true, "reasons": []}]},
        "surfaces": [{"surface": "wss", "address": "127.0.0.1:8089", "path": "/ws", "door": "open", "lookedAt": "2026-06-01T00:00:00Z",
            "millis": {"tcp": 0.1, "tls": 2.25, "upgrade": 0.5}, "protocol": "TLSv1.3", "served": leaf, "acceptable": true, "expiry": {"warningFrom": "2026-08-09T00:00:00Z", "criticalFrom": "2026-08-23T00:00:00Z"},
            "matchesWanted": true}],
        "files": {"cert": "/tls/tls.crt", "key": "/tls/tls.key", "watching": "inotify", "verdict": "good", "leaf": leaf, "rejectedLeaf": null},
        "ami": {"address": "127.0.0.1:5038", "connected": true, "version": "11.0.0", "fullyBooted": true, "since": "2026-05-31T00:00:00Z"},
        "healing": {"by": "absentInclude", "modules": ["http"]},
        "counts": {"proved": 3, "alreadyServed": 0, "rejected": 1, "unproved": 0, "healed": 0, "notHealed": 0},
        "lastRotation": {"at": "2026-05-31T23:57:00.25Z", "millis": {"settle": 1.0, "check": 1.0, "reload": 5.0, "prove": 5.0, "total": 12.34}},
        "rotations": [
            {"at": "2026-05-31T23:57:00.25Z", "outcome": "proved", "fingerprintSha256": "ab".repeat(32),
                "millis": {"settle": 1.0, "check": 1.0, "reload": 5.0, "prove": 5.0, "total": 12.34}},
            {"at": "2026-05-31T20:00:00Z", "outcome": "rejected", "fingerprintSha256": null, "millis": null},
            {"at": "2026-05-20T00:00:00Z", "outcome": "proved", "fingerprintSha256": "cd".repeat(32),
                "millis": {"settle": 0.5, "check": 0.5, "reload": 2.5, "prove": 2.5, "total": 6.0}},
        ],
        "latency": (0..300).map(|slot| json!({
            "at": format!("2026-05-31T23:{:02}:{:02}Z", slot / 6, slot % 6 * 10), "door": if slot == 200 { "dark" } else { "open" },
            "tcp": 0.1, "tls": 2.0 + f64::from(slot % 60) / 10.0, "upgrade": 0.5,
        })).collect::<Vec<_>>(),
        "findings": []
    })
}

fn wedged() -> Value {
    let mut status = serving();
    status["phase"] = "Wedged".into();
    status["ready"] = json!({"ok": false, "checks": [{"name": "wss-upgrade", "ok": false, "reasons": ["tls-failed"]}]});
    status["surfaces"][0]["door"] = "dark".into();
    status["surfaces"][0]["served"] = Value::Null;
    status["surfaces"][0]["matchesWanted"] = false.into();
    status["surfaces"][0]["millis"] = json!({"tcp": 0.1, "tls": null, "upgrade": null});
    let mut beside = serving()["surfaces"][0].clone();
    (beside["surface"], beside["address"], beside["path"]) = ("sip-tls/tls".into(), "127.0.0.1:5061".into(), Value::Null);
    status["surfaces"].as_array_mut().unwrap().push(beside);
    status["healing"]["by"] = "none".into();
    status["findings"] = json!([
        {"code": "from-the-future", "severity": "warning", "evidence": {}, "meaning": "What a newer agent knows.", "remedy": "Do as it says."},
        {"code": "listener-wedged", "severity": "error", "evidence": {"found": "dark", "address": "127.0.0.1:8089"}, "meaning": "…", "remedy": "…"},
    ]);
    status
}

#[test]
fn a_status_reads_well_in_either_language() {
    for (name, status, code) in [("serving", serving(), 0), ("wedged", wedged(), 1)] {
        let url = format!("http://{}", cardboard("200 OK", status.to_string()));
        for lang in ["en", "pt-BR"] {
            let (told, out, err) = told(&mut starkeeper(&["inspect", "--url", &url, "--lang", lang]));
            assert_eq!((told, err.as_str()), (code, ""));
            insta::assert_snapshot!(format!("inspect_{name}_{lang}"), out);
        }
    }
}

#[test]
fn it_is_drawn_in_blocks_where_colours_are_and_the_locale_has_them_and_in_plain_characters_elsewhere() {
    let url = format!("http://{}", cardboard("200 OK", serving().to_string()));
    let inspect = |more: &[&str], environment: &[(&str, &str)]| {
        let mut command = starkeeper(&[&["inspect", "--url", &url], more].concat());
        command.env_remove("LC_CTYPE").envs(environment.iter().copied());
        let (code, out, err) = told(&mut command);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        out
    };
    let always: &[&str] = &["--color", "always"];
    for (more, environment, blocks, colours) in [
        (always, &[("LANG", "en_GB.UTF-8")][..], true, true),
        (always, &[("LANG", "en_GB.UTF-8"), ("LC_ALL", "C")], false, true),
        (always, &[], false, true),
        (&[], &[("LANG", "en_GB.UTF-8")], false, false),
        (&[], &[("LANG", "en_GB.UTF-8"), ("NO_COLOR", "1")], false, false),
        (&["--color", "never"], &[("LC_CTYPE", "C.utf8")], false, false),
    ] {
        let page = inspect(more, environment);
        assert_eq!((page.contains('█'), page.contains('\u{1b}')), (blocks, colours), "{more:?} {environment:?}: {page}");
        assert!(blocks || page.is_ascii(), "{page}");
    }
}

#[test]
fn no_line_is_longer_than_a_terminal_but_what_must_stay_whole() {
    for status in [serving(), wedged()] {
        let url = format!("http://{}", cardboard("200 OK", status.to_string()));
        for lang in ["en", "pt-BR"] {
            let (_, page, _) = told(&mut starkeeper(&["inspect", "--url", &url, "--lang", lang]));
            for line in page.lines() {
                assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
            }
        }
    }
}

#[test]
fn json_is_the_agents_own() {
    let text = wedged().to_string();
    let url = format!("http://{}/", cardboard("200 OK", text.clone()));
    assert_eq!(told(starkeeper(&["inspect", "-o", "json"]).env("STARKEEPER_URL", url)), (1, format!("{text}\n"), String::new()));
}

#[test]
fn without_an_agent_it_is_two() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let strangers = [cardboard("200 OK", "hello".to_owned()), cardboard("200 OK", "{}".to_owned()), nobody];
    for stranger in strangers {
        for output in ["text", "json"] {
            let (code, out, err) = told(&mut starkeeper(&["inspect", "--url", &format!("http://{stranger}"), "-o", output]));
            assert_eq!((code, out.as_str()), (2, ""), "{stranger}");
            assert!(err.starts_with("error: failed to ask "), "{err}");
        }
    }
}
