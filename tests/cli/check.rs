//! `check`: verdicts, their exit statuses, texts and JSON, at a fixed moment.

use std::{fs, os::unix::fs::PermissionsExt as _};

use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    desk::{starkeeper, told},
    support::certs::{Authority, Pair},
};

const NOW: &str = "2026-06-01T00:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A folder with the authority, a good pair (`good.crt`, `good.key`), both in one (`both.pem`), one that ends soon (`soon.pem`), and the
/// good certificate with a key of its own (`other.key`).
struct Folder {
    folder: TempDir,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::within("Lab", at("2025-01-01T00:00:00Z"), at("2035-01-01T00:00:00Z"));
        let pair = |until: &str| authority.leaf(&["pbx.example.com"]).valid(at("2026-05-01T00:00:00Z"), at(until)).issue();
        let (good, soon, other) = (pair("2026-08-30T00:00:00Z"), pair("2026-06-05T00:00:00Z"), pair("2026-08-30T00:00:00Z"));
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap();
        };
        let both = |pair: &Pair| pair.combined().cert_pem;
        put("ca.pem", &authority.root_pem);
        put("good.crt", &good.cert_pem);
        put("good.key", &good.key_pem);
        put("other.key", &other.key_pem);
        put("both.pem", &both(&good));
        put("soon.pem", &both(&soon));
        Folder { folder }
    }

    fn check(&self, arguments: &[&str]) -> (i32, String, String) {
        let arguments = [&["check", "--at", NOW, "--ca", "ca.pem"], arguments].concat();
        told(starkeeper(&arguments).current_dir(self.folder.path()))
    }
}

const GOOD: [&str; 6] = ["--cert", "good.crt", "--key", "good.key", "--name", "pbx.example.com"];
const WARNED: [&str; 2] = ["--cert", "soon.pem"];
const REJECTED: [&str; 6] = ["--cert", "good.crt", "--key", "other.key", "--name", "other.example.com"];

#[test]
fn each_verdict_reads_well_in_either_language() {
    let folder = Folder::new();
    for lang in ["en", "pt-BR"] {
        for (verdict, arguments, status) in [("usable", &GOOD[..], 0), ("warned", &WARNED, 0), ("rejected", &REJECTED, 1)] {
            let (code, out, err) = folder.check(&[arguments, &["--lang", lang]].concat());
            assert_eq!((code, err.as_str()), (status, ""), "{out}");
            insta::with_settings!({filters => vec![("[0-9a-f]{64}", "[sha-256]"), ("[0-9a-f]{16}", "[key]")]}, {
                insta::assert_snapshot!(format!("check_{verdict}_{lang}"), out);
            });
        }
    }
}

#[test]
fn the_exit_status_says_whether_it_is_usable() {
    let folder = Folder::new();
    let table: &[(&[&str], i32)] = &[
        (&GOOD, 0),
        (&["--cert", "both.pem"], 0),
        (&["--cert", "both.pem", "--key", "both.pem", "--strict"], 0),
        (&WARNED, 0),
        (&["--cert", "soon.pem", "--strict"], 1),
        (&REJECTED, 1),
        (&["--cert", "both.pem", "--name", "other.example.com"], 1),
        (&["--cert", "both.pem", "--name", "pbx.example.com,other.example.com"], 1),
        (&["--cert", "good.crt"], 1),
        (&["--cert", "missing.crt", "--key", "good.key"], 1),
        (&["--cert", "both.pem", "--uid", "12345", "--gid", "12345"], 1),
    ];
    for (arguments, status) in table {
        let (code, out, err) = folder.check(arguments);
        assert_eq!((code, err.as_str()), (*status, ""), "{arguments:?}: {out}");
    }
}

#[test]
fn trust_is_the_systems_a_files_or_not_judged() {
    let folder = Folder::new();
    let judged = |ca: &str| {
        let arguments = ["check", "--cert", "both.pem", "--at", NOW, "--ca", ca, "-o", "json"];
        let (code, out, _) = told(starkeeper(&arguments).current_dir(folder.folder.path()));
        let report: Value = serde_json::from_str(&out).unwrap();
        let codes = report["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap().to_owned());
        (code, codes.collect::<Vec<_>>())
    };
    assert_eq!(judged("ca.pem"), (0, vec![]));
    assert_eq!(judged("none"), (0, vec![]));
    assert_eq!(judged("system"), (1, vec!["issuer-untrusted".to_owned()]));
}

#[test]
fn the_moment_can_be_chosen() {
    let folder = Folder::new();
    for (moment, code, finding) in [
        ("2026-04-01T00:00:00Z", 1, "leaf-not-yet-valid"),
        ("2026-05-02T02:00:00+02:00", 0, ""),
        ("2026-09-01T00:00:00Z", 1, "leaf-expired"),
    ] {
        let arguments = ["check", "--cert", "both.pem", "--ca", "ca.pem", "--at", moment, "-o", "json"];
        let (status, out, _) = told(starkeeper(&arguments).current_dir(folder.folder.path()));
        let report: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((status, report["findings"][0]["code"].as_str().unwrap_or_default()), (code, finding), "{moment}");
    }
}

#[test]
fn json_is_what_was_agreed() {
    let folder = Folder::new();
    let report = |arguments: &[&str]| {
        let (_, out, err) = folder.check(&[arguments, &["-o", "json"]].concat());
        assert_eq!((err.as_str(), out.lines().count()), ("", 1));
        serde_json::from_str::<Value>(&out).unwrap()
    };
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let usable = report(&GOOD);
    assert_eq!(keys(&usable), ["findings", "leaf", "verdict", "version"]);
    assert_eq!((&usable["version"], &usable["verdict"], &usable["findings"]), (&1.into(), &"usable".into(), &Value::Array(vec![])));
    assert_eq!(
        keys(&usable["leaf"]),
        ["fingerprintSha256", "issuer", "keyAlgorithm", "names", "notAfter", "notBefore", "serial", "subject"]
    );
    assert_eq!(usable["leaf"]["notAfter"], "2026-08-30T00:00:00Z");
    assert_eq!(usable["leaf"]["names"][0], "pbx.example.com");
    let rejected = report(&REJECTED);
    assert_eq!(rejected["verdict"], "rejected");
    for finding in rejected["findings"].as_array().unwrap() {
        assert_eq!(keys(finding), ["code", "evidence", "meaning", "remedy", "severity"]);
    }
    let unreadable = report(&["--cert", "missing.crt"]);
    assert_eq!((&unreadable["verdict"], &unreadable["leaf"]), (&"rejected".into(), &Value::Null));
}
