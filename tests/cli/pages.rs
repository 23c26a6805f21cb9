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
            "millis": {"tcp": 0.1, "tls": 2.25, "upgrade": 0.5}, "protocol": "TLSv1.3", "served": leaf, "acceptable": true, "matchesWanted": true}],
        "files": {"cert": "/tls/tls.crt", "key": "/tls/tls.key", "watching": "inotify", "verdict": "good", "leaf": leaf, "rejectedLeaf": null},
        "ami": {"address": "127.0.0.1:5038", "connected": true, "version": "11.0.0", "fullyBooted": true, "since": "2026-05-31T00:00:00Z"},
        "healing": {"by": "absentInclude", "modules": ["http"]},
        "counts": {"proved": 3, "alreadyServed": 0, "rejected": 1, "unproved": 0, "healed": 0, "notHealed": 0},
        "lastRotation": {"at": "2026-05-31T23:57:00.25Z", "millis": {"settle": 1.0, "check": 1.0, "reload": 5.0, "prove": 5.0, "total": 12.34}},
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
