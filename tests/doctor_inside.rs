//! `doctor` beside an Asterisk that lies open, 16 and 22: silent where all is well, in many shapes of well; and what is wrong in its files, its
//! modules or around it named as the first cause, with the line.
#![allow(clippy::unwrap_used, reason = "what cannot go on fails the test at the place where it stands")]

mod support;

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use support::{
    asterisk::{Asterisk, Builder, Version},
    both,
    certs::{Authority, KeyKind, Writing},
};

const NAME: &str = "pbx.example.com";

#[test]
fn nothing_is_said_of_a_healthy_asterisk_whatever_its_shape() {
    let long = "[long]\ntype=endpoint\ntransport=wss\nuse_avpf=yes\nmedia_encryption=dtls\ndtls_auto_generate_cert=yes\nice_support=yes\nrtcp_mux=yes\n\
                dtls_setup=actpass\ndtls_verify=fingerprint\nauth=long\naors=long\nallow=!all,opus,ulaw\n[long]\ntype=auth\nauth_type=userpass\n\
                username=long\npassword=long\n[long]\ntype=aor\nmax_contacts=1\n";
    let included = "[tpl](!)\ntype=endpoint\nwebrtc=yes\nallow=!all,ulaw\n[1001](tpl)\nauth=1001\naors=1001\n[1001]\ntype=auth\nauth_type=userpass\n\
                    username=1001\npassword=x\n[1001]\ntype=aor\nmax_contacts=2\n";
    let wizard = "[2001]\ntype=wizard\naccepts_auth=yes\naccepts_registrations=yes\nendpoint/webrtc=yes\nendpoint/allow=!all,ulaw\n\
                  inbound_auth/username=2001\ninbound_auth/password=x\n";
    type Shape<'s> = Box<dyn Fn(Builder) -> Builder + Sync + 's>;
    let shapes: Vec<(&str, KeyKind, Shape<'_>)> = vec![
        ("P-256", KeyKind::P256, Box::new(|builder| builder)),
        ("RSA", KeyKind::Rsa2048, Box::new(|builder| builder)),
        ("a prefix", KeyKind::P256, Box::new(|builder| builder.http("prefix=asterisk"))),
        ("SIP and AMI over TLS besides", KeyKind::P256, Box::new(|builder| builder.sip_tls().ami_tls())),
        ("webrtc=yes written out", KeyKind::P256, Box::new(|builder| builder.pjsip(long))),
        (
            "includes as a distribution has them",
            KeyKind::P256,
            Box::new(|builder| {
                builder
                    .pjsip("#include pjsip.endpoint.conf\n#include pjsip.endpoint_custom.conf")
                    .file("pjsip.endpoint.conf", included)
                    .file("pjsip.endpoint_custom.conf", "[1001](+)\nallow=alaw\n")
            }),
        ),
        ("a wizard", KeyKind::P256, Box::new(|builder| builder.load("res_pjsip_config_wizard.so").file("pjsip_wizard.conf", wizard))),
    ];
    both(|version| {
        let authority = Authority::new();
        for (shape, key, build) in &shapes {
            let asterisk = build(Asterisk::build(version).pair(&authority.leaf(&[NAME]).key(*key).issue())).start();
            for user in ["starkeeper", "admin"] {
                let mark = asterisk.mark();
                let told = Told::of(&asterisk, &authority, user);
                // The lab itself listens on loopback.
                let codes: Vec<&str> =
                    told.codes().into_iter().filter(|code| !["tls-bind-loopback", "http-prefix-set"].contains(code)).collect();
                assert_eq!((told.code, told.would(), codes), (0, "connect", vec![]), "{version:?}, {shape}, {user}: {:#}", told.json);
                // The pjproject of 16 says so of a TLS transport without `ca_list_file`, whoever connects.
                let usual = |line: &String| line.contains("Error reading CA certificates from buffer");
                let complaints: Vec<String> = asterisk.complaints(mark).into_iter().filter(|line| !usual(line)).collect();
                assert_eq!(complaints, Vec::<String>::new(), "{version:?}, {shape}, {user}");
                let took: f64 = told.json["steps"].as_array().unwrap().iter().map(|step| step["millis"].as_f64().unwrap()).sum();
                println!("{version:?}, {shape}, {user}: {took:.0} ms");
            }
        }
    });
}

#[test]
fn what_is_wrong_in_its_files_is_the_first_cause_and_pasting_the_remedy_mends_it() {
    both(|version| {
        let authority = Authority::new();
        let asterisk = Asterisk::build(version).pair(&authority.issue(&[NAME])).start();
        let pjsip = asterisk.etc().join("pjsip.conf");
        let sound = fs::read_to_string(&pjsip).unwrap();
        for (from, to, code) in [
            ("max_contacts=5\n", "", "aor-no-contacts"),
            ("auth=webrtc\n", "auth=nobody\n", "endpoint-auth-missing"),
            ("aors=webrtc\n", "aors=nowhere\n", "endpoint-aor-missing"),
            ("webrtc=yes\n", "transport=wss\n", "endpoint-not-webrtc"),
            ("webrtc=yes\n", "webrtc=yes\ntransport=gone\n", "endpoint-transport-unknown"),
            ("protocol=wss\n", "protocol=ws-gone\n", "wss-transport-missing"),
        ] {
            assert!(sound.contains(from));
            fs::write(&pjsip, sound.replacen(from, to, 1)).unwrap();
            let told = Told::of(&asterisk, &authority, "starkeeper");
            assert_eq!((told.code, told.json["firstCause"].as_str()), (1, Some(code)), "{version:?}: {:#}", told.json);
            let finding = told.finding(code);
            let (file, line) = (finding["evidence"]["file"].as_str().unwrap(), finding["evidence"]["line"].as_u64().unwrap());
            let text = fs::read_to_string(file).unwrap();
            assert!(text.lines().nth(usize::try_from(line).unwrap() - 1).is_some(), "{file}:{line}");
            assert!(finding["remedy"].as_str().unwrap().lines().any(|line| line.starts_with("    ")), "{code} has nothing to paste");
        }
        // What the remedies of three say, pasted into the section that they name.
        for (from, to, line) in [
            ("max_contacts=5\n", "", "max_contacts = 1"),
            ("webrtc=yes\n", "transport=wss\n", "webrtc = yes"),
            ("webrtc=yes\n", "webrtc=yes\ntransport=gone\n", "transport = wss"),
        ] {
            fs::write(&pjsip, sound.replacen(from, to, 1)).unwrap();
            let told = Told::of(&asterisk, &authority, "starkeeper");
            let code = told.json["firstCause"].as_str().unwrap().to_owned();
            let evidence = &told.finding(&code)["evidence"];
            paste(&pjsip, evidence["line"].as_u64().unwrap(), line);
            let told = Told::of(&asterisk, &authority, "starkeeper");
            assert_eq!((told.code, told.json["firstCause"].as_str()), (0, None), "{version:?} {code}: {:#}", told.json);
        }
        fs::write(&pjsip, &sound).unwrap();
    });
}

#[test]
fn a_bad_pair_beside_an_open_door_is_an_error_and_browsers_still_connect() {
    both(|version| {
        let authority = Authority::new();
        let (good, other) = (authority.issue(&[NAME]), authority.issue(&[NAME]));
        let asterisk = Asterisk::build(version).pair(&good).start();
        good.with_key_of(&other).write(&asterisk.tls(), Writing::Renames);
        let told = Told::of(&asterisk, &authority, "starkeeper");
        assert_eq!((told.code, told.would(), told.json["firstCause"].as_str()), (1, "connect", Some("key-mismatch")), "{:#}", told.json);
    });
}

#[test]
fn modules_that_are_barred_or_do_not_run_are_named() {
    both(|version| {
        let authority = Authority::new();
        let asterisk = Asterisk::build(version).pair(&authority.issue(&[NAME])).noload("res_pjsip_transport_websocket.so").start();
        for user in ["starkeeper", "admin"] {
            let told = Told::of(&asterisk, &authority, user);
            let codes = told.codes();
            assert!(codes.contains(&"module-noload") && codes.contains(&"module-not-running"), "{version:?}, {user}: {:#}", told.json);
            assert_eq!((told.code, told.would()), (1, "fail-1006"), "{version:?}, {user}: {:#}", told.json);
            assert!(told.json["firstCause"].as_str().unwrap().starts_with("module-"), "{:#}", told.json);
        }
    });
}

#[test]
fn chan_sip_that_took_the_websocket_is_the_first_cause() {
    let authority = Authority::new();
    let asterisk = Asterisk::build(Version::V16).pair(&authority.issue(&[NAME])).chan_sip().start();
    let told = Told::of(&asterisk, &authority, "admin");
    assert_eq!((told.code, told.json["firstCause"].as_str()), (1, Some("chan-sip-conflict")), "{:#}", told.json);
    assert_eq!(told.would(), "connect-then-reject", "{:#}", told.json);
}

#[test]
fn ami_that_refuses_keeps_no_browser_out() {
    let authority = Authority::new();
    let asterisk = Asterisk::build(Version::V22).pair(&authority.issue(&[NAME])).start();
    let told = Told::of(&asterisk, &authority, "nobody");
    assert_eq!((told.code, told.would()), (0, "connect"), "{:#}", told.json);
    assert_eq!(told.finding("ami-auth-failed")["severity"], "warning");
}

/// A line of a remedy, below the line that a finding names.
fn paste(file: &Path, line: u64, text: &str) {
    let before = fs::read_to_string(file).unwrap();
    let mut lines: Vec<&str> = before.lines().collect();
    lines.insert(usize::try_from(line).unwrap(), text);
    fs::write(file, lines.join("\n") + "\n").unwrap();
}

/// What it said.
struct Told {
    code: i32,
    json: Value,
}

impl Told {
    /// As the AMI user `user`.
    fn of(asterisk: &Asterisk, authority: &Authority, user: &str) -> Self {
        let (root, settings) = (asterisk.folder().join("root.pem"), asterisk.folder().join("doctor.yaml"));
        fs::write(&root, &authority.root_pem).unwrap();
        let text = asterisk.settings().replacen("username: starkeeper", &format!("username: {user}"), 1);
        let text = text.replacen("asterisk:", &format!("asterisk:\n  configDir: {}", asterisk.etc().display()), 1);
        fs::write(&settings, text.replacen("trust: none", &format!("names: [{NAME}], trust: {}", root.display()), 1)).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_starkeeper")).args(["doctor", "-o", "json", "-c"]).arg(&settings).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let json = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}{}", String::from_utf8_lossy(&output.stderr)));
        Told { code: output.status.code().unwrap(), json }
    }

    fn would(&self) -> &str {
        self.json["browserWould"].as_str().unwrap()
    }

    fn codes(&self) -> Vec<&str> {
        self.json["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect()
    }

    fn finding(&self, code: &str) -> &Value {
        let findings = self.json["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["code"] == code).unwrap_or_else(|| panic!("no {code} in {:#}", self.json))
    }
}
