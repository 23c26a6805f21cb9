//! `doctor` beside an Asterisk that lies open, 16 and 22: silent where all is well, in many shapes of well; and what is wrong in its files, its
//! modules or around it named as the first cause, with the line.
#![allow(clippy::unwrap_used, reason = "what cannot go on fails the test at the place where it stands")]

mod support;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Command,
};

use serde_json::Value;
use support::{
    asterisk::{Asterisk, Builder, Version},
    both,
    certs::{Authority, KeyKind, Pair, Writing},
    proxy::{Kind, Proxy, UPGRADE},
};

const NAME: &str = "pbx.example.com";

/// A shape of well.
struct Shape<'s> {
    name: &'static str,
    pair: Box<dyn Fn(&Authority) -> Pair + Sync + 's>,
    build: Box<dyn Fn(Builder) -> Builder + Sync + 's>,
    /// Where a browser connects, if not at Asterisk's own port; what stands there lives as long as what is given back.
    before: fn(&Asterisk, &Authority) -> Option<(SocketAddr, Proxy)>,
}

fn shape<'s>(name: &'static str, build: impl Fn(Builder) -> Builder + Sync + 's) -> Shape<'s> {
    Shape { name, pair: Box::new(|authority| authority.issue(&[NAME])), build: Box::new(build), before: |_, _| None }
}

impl<'s> Shape<'s> {
    fn pair(self, pair: impl Fn(&Authority) -> Pair + Sync + 's) -> Self {
        Shape { pair: Box::new(pair), ..self }
    }
}

/// Loopback addresses of this process and this version alone, for the ports that everybody wants.
fn own_address(version: Version) -> Ipv4Addr {
    let [high, low] = u16::try_from(std::process::id() & 0xffff).unwrap().to_be_bytes();
    Ipv4Addr::new(127, high | 1, low, version.number().parse().unwrap())
}

#[test]
fn nothing_is_said_of_a_healthy_asterisk_whatever_its_shape() {
    let long = "[long]\ntype=endpoint\ntransport=wss\nuse_avpf=yes\nmedia_encryption=dtls\ndtls_auto_generate_cert=yes\nice_support=yes\nrtcp_mux=yes\n\
                dtls_setup=actpass\ndtls_verify=fingerprint\nauth=long\naors=long\nallow=!all,opus,ulaw\n[long]\ntype=auth\nauth_type=userpass\n\
                username=long\npassword=long\n[long]\ntype=aor\nmax_contacts=1\n";
    let included = "[tpl](!)\ntype=endpoint\nwebrtc=yes\nallow=!all,ulaw\n[1001](tpl)\nauth=1001-auth\naors=1001\n";
    let wizard = "[2001]\ntype=wizard\naccepts_auth=yes\naccepts_registrations=yes\nendpoint/webrtc=yes\nendpoint/allow=!all,ulaw\n\
                  inbound_auth/username=2001\ninbound_auth/password=x\naor/max_contacts=2\n";
    both(|version| {
        let shapes = [
            shape("P-256", |builder| builder),
            shape("RSA", |builder| builder).pair(|authority| authority.leaf(&[NAME]).key(KeyKind::Rsa2048).issue()),
            shape("one PEM file", |builder| builder.paths("tls/tls.crt", "tls/tls.crt"))
                .pair(|authority| authority.issue(&[NAME]).combined()),
            shape("a prefix", |builder| builder.http("prefix=asterisk")),
            shape("IPv6", |builder| builder.wss_bind("[::1]")),
            shape("SIP and AMI over TLS besides", |builder| builder.sip_tls().ami_tls()),
            shape("webrtc=yes written out", |builder| builder.pjsip(long)),
            shape("includes as FreePBX has them", |builder| {
                builder
                    .pjsip("#include pjsip.endpoint.conf\n#include pjsip.auth.conf\n#include pjsip.aor.conf\n#include pjsip.endpoint_custom.conf")
                    .file("pjsip.endpoint.conf", included)
                    .file("pjsip.auth.conf", "[1001-auth]\ntype=auth\nauth_type=userpass\nusername=1001\npassword=x\n")
                    .file("pjsip.aor.conf", "[1001]\ntype=aor\nmax_contacts=2\n")
                    .file("pjsip.endpoint_custom.conf", "[1001](+)\nallow=alaw\n")
            }),
            shape("a wizard", |builder| builder.load("res_pjsip_config_wizard.so").file("pjsip_wizard.conf", wizard)),
            shape("port 443", |builder| builder.low_ports().http(&format!("tlsbindaddr={}:443", own_address(version)))),
            Shape {
                before: |asterisk, authority| {
                    let address = (own_address(asterisk.version), 443).into();
                    let way = format!("location /ws {{ proxy_pass http://127.0.0.1:{}; {UPGRADE} }}", asterisk.ports.http);
                    Some((address, Proxy::start(Kind::Nginx, address, &authority.issue(&[NAME]), &way)))
                },
                ..shape("behind nginx", |builder| builder)
            },
        ];
        let authority = Authority::new();
        for shape in &shapes {
            let asterisk = (shape.build)(Asterisk::build(version).pair(&(shape.pair)(&authority))).start();
            let before = (shape.before)(&asterisk, &authority);
            let mut looks = vec![("inside", "starkeeper", Told::of(&asterisk, &authority, "starkeeper"))];
            let mark = asterisk.mark();
            looks.push(("inside", "admin", Told::of(&asterisk, &authority, "admin")));
            if let Some((address, _)) = &before {
                let url = format!("wss://{NAME}/ws");
                let root = asterisk.folder().join("root.pem");
                let arguments = [&url, "--connect", &address.to_string(), "--ca", root.to_str().unwrap()];
                looks.push(("outside", "nobody", Told::by(&arguments)));
            }
            for (view, user, told) in looks {
                let wanted = |code: &&str| match *code {
                    // The lab listens on loopback, which is said where no proxy is seen before it.
                    "tls-bind-loopback" => before.is_some(),
                    "http-prefix-set" => false,
                    _ => true,
                };
                let codes: Vec<&str> = told.codes().into_iter().filter(wanted).collect();
                let at = format!("{version:?}, {}, {view}, {user}", shape.name);
                assert_eq!((told.code, told.would(), codes), (0, "connect", vec![]), "{at}: {:#}", told.json);
                let took: f64 = told.json["steps"].as_array().unwrap().iter().map(|step| step["millis"].as_f64().unwrap()).sum();
                println!("{at}: {took:.0} ms");
            }
            // The pjproject of 16 says so of a TLS transport without `ca_list_file`, whoever connects.
            let usual = |line: &String| line.contains("Error reading CA certificates from buffer");
            let complaints: Vec<String> = asterisk.complaints(mark).into_iter().filter(|line| !usual(line)).collect();
            assert_eq!(complaints, Vec::<String>::new(), "{version:?}, {}", shape.name);
        }
    });
}

#[test]
fn where_a_proxy_ends_tls_asterisk_itself_needs_none() {
    both(|version| {
        let authority = Authority::new();
        let asterisk = Asterisk::build(version).http("tlsenable=no").start();
        let told = Told::of(&asterisk, &authority, "starkeeper");
        assert_eq!((told.code, told.would(), told.json["firstCause"].as_str()), (1, "fail-1006", Some("tls-disabled")), "{:#}", told.json);
        let errors: Vec<&str> = told.codes().into_iter().filter(|code| told.finding(code)["severity"] == "error").collect();
        assert_eq!(errors, ["tls-disabled", "tcp-refused"], "{version:?}: what follows from it is not told besides: {:#}", told.json);

        let address: SocketAddr = (own_address(version), 8443).into();
        let way = format!("location /ws {{ proxy_pass http://127.0.0.1:{}; {UPGRADE} }}", asterisk.ports.http);
        let _proxy = Proxy::start(Kind::Nginx, address, &authority.issue(&[NAME]), &way);
        let told = Told::of_at(&asterisk, &authority, "starkeeper", &["--wss-address", &address.to_string()]);
        assert_eq!((told.code, told.would(), told.json["firstCause"].as_str()), (0, "connect", None), "{version:?}: {:#}", told.json);
        assert_eq!(told.finding("tls-disabled")["severity"], "info");
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
    let (etc, secret) = (asterisk.etc(), asterisk.secret_file());
    let arguments = ["--config-dir", etc.to_str().unwrap(), "--ca", "none", "--ami-username", "nobody", "--ami-secret-file"];
    let told = Told::by(&[&arguments[..], &[secret.to_str().unwrap()]].concat());
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
    /// As the AMI user `user`, told nothing but where Asterisk's files are and what browsers know.
    fn of(asterisk: &Asterisk, authority: &Authority, user: &str) -> Self {
        Self::of_at(asterisk, authority, user, &[])
    }

    /// The same, told this besides.
    fn of_at(asterisk: &Asterisk, authority: &Authority, user: &str, more: &[&str]) -> Self {
        let root = asterisk.folder().join("root.pem");
        fs::write(&root, &authority.root_pem).unwrap();
        let (etc, root) = (asterisk.etc(), root.to_str().unwrap());
        let arguments = ["--config-dir", etc.to_str().unwrap(), "--name", NAME, "--ca", root, "--ami-username", user];
        Self::by(&[&arguments[..], more].concat())
    }

    fn by(arguments: &[&str]) -> Self {
        let output = Command::new(env!("CARGO_BIN_EXE_starkeeper")).args(["doctor", "-o", "json"]).args(arguments).output().unwrap();
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
