//! The reader of `.conf` files beside a running Asterisk 16 and 22: `GetConfig` tells what Asterisk made of a file, and the two must
//! agree on every section and every line, in order, and on which files are given up.
#![allow(clippy::unwrap_used, reason = "what cannot go on fails the test at the place where it stands")]

mod conf_corpus;
mod support;

use std::{fs, path::Path, time::Duration};

use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use starkeeper::asterisk::config::{Disk, HealsBy, Protocol, load, read};
use support::{
    asterisk::{Asterisk, BOTH},
    manager::Manager,
    until,
};

#[test]
fn tricky_files_are_read_as_asterisk_reads_them() {
    for version in BOTH {
        let asterisk = Asterisk::start(version);
        let etc = asterisk.etc();
        for (name, bytes) in conf_corpus::included() {
            put(&etc, name, &bytes);
        }
        let mut manager = asterisk.manager();
        for (name, bytes) in conf_corpus::tricky() {
            put(&etc, name, &bytes);
            assert_eq!(ours(&etc, name), theirs(&mut manager, name), "{version:?}: {name}");
        }
    }
}

#[test]
fn random_files_are_read_as_asterisk_reads_them() {
    let pieces = prop::sample::select(PIECES);
    let text = prop::collection::vec(pieces, 0..40).prop_map(|pieces| format!("[a]\n{}", pieces.concat()));
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let texts: Vec<String> = (0..1500).map(|_| text.new_tree(&mut runner).expect("a text").current()).collect();
    for version in BOTH {
        let asterisk = Asterisk::start(version);
        let etc = asterisk.etc();
        for (name, bytes) in conf_corpus::included() {
            put(&etc, name, &bytes);
        }
        let mut manager = asterisk.manager();
        let mut read = 0;
        for text in &texts {
            put(&etc, "random.conf", text.as_bytes());
            let reading = ours(&etc, "random.conf");
            assert_eq!(reading, theirs(&mut manager, "random.conf"), "{version:?}: {text:?}");
            read += usize::from(reading.is_some_and(|lines| lines.len() > 3));
        }
        assert!(read > texts.len() / 10, "only {read} of {} random files say anything", texts.len());
    }
}

#[test]
fn https_listens_where_http_conf_is_read_to_say() {
    for version in BOTH {
        let asterisk = Asterisk::start(version);
        let etc = asterisk.etc();
        let (http, wss) = (asterisk.ports.http, asterisk.ports.wss);
        let cert = format!("tlscertfile={}\ntlsprivatekey={}\n", asterisk.cert().display(), asterisk.key().display());
        let mut manager = asterisk.manager();
        for (lines, listens) in [
            (format!("enabled=yes\nbindaddr=127.0.0.1\nbindport={http}\ntlsenable=yes\ntlsbindaddr=127.0.0.1:{wss}\n{cert}"), true),
            (format!("tlsenable=yes\ntlsbindaddr=127.0.0.1:{wss}\n{cert}"), true),
            (format!("enabled=no\nbindaddr=127.0.0.1\nbindport={http}\ntlsenable=yes\n{cert}"), false),
            (format!("enabled=yes\nsslenable=On\nSSLBindAddr=127.1:{wss}\n{cert}"), true),
            (format!("tlsenable=enable\ntlsbindaddr=127.0.0.1:{wss}\n{cert}"), false),
            (format!("tlsenable=yes\ntlsbindaddr=localhost:{wss}\n{cert}"), false),
            (format!("tlsenable=yes\ntlsbindaddr=127.0.0.1:{wss}\ntlsbindaddr=nowhere:1\n{cert}"), true),
            (format!("tlsenable=no\n[general]\ntlsenable=yes\ntlsbindaddr=127.0.0.1:{wss}\n{cert}"), false),
            (format!("tlsenable=no\n[general](+)\ntlsenable=yes\ntlsbindaddr=127.0.0.1:{wss}\n{cert}"), true),
        ] {
            for text in ["[general]\nenabled=no\n", &format!("[general]\n{lines}")] {
                put(&etc, "http.conf", text.as_bytes());
                assert!(manager.reload("http").unwrap().succeeded());
            }
            let conf = load(&etc).http.unwrap();
            let said = conf.tls_bind.as_ref().filter(|_| conf.tls_enabled.value).map(|bind| bind.value.to_string());
            assert_eq!(said, listens.then(|| format!("127.0.0.1:{wss}")), "{version:?}: {lines}");
            assert_eq!(is_listening(wss), listens, "{version:?}: {lines}");
        }
    }
}

#[test]
fn what_is_said_to_heal_is_what_has_every_reload_read_the_file_again() {
    for version in BOTH {
        let mut asterisk = Asterisk::start(version);
        let etc = asterisk.etc();
        put(&etc, "there.conf", b"; nothing\n");
        put(&etc, "nested.conf", b"#tryinclude no.absent\n");
        put(&etc, "http.d/x.conf", b"; nothing\n");
        let lines = [
            ("", None),
            ("; #tryinclude no.absent", None),
            ("#include there.conf", None),
            ("#tryinclude there.conf", None),
            ("#exec /bin/true", None),
            ("#tryinclude starkeeper.absent", Some(HealsBy::AbsentFile)),
            ("#tryinclude /nowhere/no.absent", Some(HealsBy::AbsentFile)),
            ("#tryinclude http.d", Some(HealsBy::AbsentFile)),
            ("#include nested.conf", Some(HealsBy::AbsentFile)),
            ("#include \"http.d/*.conf\"", Some(HealsBy::Wildcard)),
            ("#tryinclude \"empty.d/*.conf\"", Some(HealsBy::Wildcard)),
            ("#tryinclude http.d/x.con?", Some(HealsBy::Wildcard)),
        ];
        for (round, (line, heals)) in lines.into_iter().enumerate() {
            heals_as_it_is_said_to(&asterisk, round, line, heals);
        }
        // The same command, once it may run.
        let mut allowed = fs::read(etc.join("asterisk.conf")).unwrap();
        allowed.extend_from_slice(b"execincludes = yes\n");
        put(&etc, "asterisk.conf", &allowed);
        asterisk.restart();
        heals_as_it_is_said_to(&asterisk, 100, "#exec /bin/true", Some(HealsBy::Command));
    }
}

#[track_caller]
fn heals_as_it_is_said_to(asterisk: &Asterisk, round: usize, line: &str, heals: Option<HealsBy>) {
    let (etc, version, mut manager) = (asterisk.etc(), asterisk.version, asterisk.manager());
    put(&etc, "http.conf", format!("[general]\n{line}\nunheard-of-{round}=1\n").as_bytes());
    assert_eq!(load(&etc).http.unwrap().heals.map(|heals| heals.how), heals, "{version:?}: {line}");
    // The first reload reads it because it changed; the others only if it heals. Each reading complains of the option.
    for _ in 0..3 {
        assert!(manager.reload("http").unwrap().succeeded());
    }
    // The log is written in its own time, but in order: once the last complaint is there, so are all before it.
    put(&etc, "http.conf", format!("[general]\n{line}\nthe-last-{round}=1\n").as_bytes());
    assert!(manager.reload("http").unwrap().succeeded());
    let complaints = |option: &str| asterisk.log().matches(&format!("unknown option '{option}-{round}'")).count();
    until(Duration::from_secs(5), "the last complaint", || complaints("the-last") > 0);
    assert_eq!(complaints("unheard-of"), if heals.is_some() { 3 } else { 1 }, "{version:?}: {line}");
}

#[test]
fn the_files_that_an_instance_runs_with_are_found_to_name_its_doors() {
    for version in BOTH {
        let asterisk = Asterisk::build(version).ami_tls().sip_tls().start();
        let config = load(&asterisk.etc());
        let http = config.http.unwrap();
        assert_eq!(http.tls_bind.unwrap().value.port, asterisk.ports.wss);
        assert_eq!((http.cert.value.as_path(), http.key.value.as_path()), (asterisk.cert(), asterisk.key()));
        let manager = config.manager.unwrap();
        assert_eq!((manager.bind.value.port, manager.tls_bind.value.port), (asterisk.ports.ami, asterisk.ports.ami_tls));
        assert!(manager.user("starkeeper").is_some_and(|user| user.may_write("system") && !user.may_write("command")));
        assert!(config.pjsip.unwrap().uses(asterisk.cert(), asterisk.key()));
    }
}

#[test]
fn pjsip_has_the_transports_that_are_found() {
    // Transports for WebSockets open no socket of their own, so that any number of them can stand side by side.
    let lines = "[t](!)\ntype=transport\nprotocol=ws\nbind=127.0.0.1\n[from-template](t)\n[other-case](t)\nPROTOCOL=wss\n\
        [became-endpoint](t)\ntype=endpoint\n[endpoint](!)\ntype=endpoint\n[became-transport](endpoint)\ntype=transport\nprotocol=ws\nbind=127.0.0.1\n\
        [unknown-protocol]\ntype=transport\nbind=127.0.0.1\nprotocol=nonsense\n[type-case]\nTYPE=transport\nprotocol=ws\nbind=127.0.0.1\n\
        [value-case]\ntype=Transport\nprotocol=ws\nbind=127.0.0.1\n[protocol-case]\ntype=transport\nprotocol=WS\nbind=127.0.0.1\n\
        [twice]\ntype=transport\ntype=transport\nprotocol=tls\nprotocol=ws\nbind=127.0.0.1\n";
    for version in BOTH {
        let asterisk = Asterisk::build(version).pjsip(lines).start();
        let shown = asterisk.cli("pjsip show transports");
        let mut theirs: Vec<(String, String)> = shown
            .lines()
            .filter(|line| line.starts_with("Transport:") && !line.contains('<'))
            .filter_map(|line| line.split_whitespace().nth(1).zip(line.split_whitespace().nth(2)))
            .map(|(name, protocol)| (name.to_owned(), protocol.to_owned()))
            .collect();
        let pjsip = load(&asterisk.etc()).pjsip.unwrap();
        let accepted = pjsip.transports.iter().filter(|transport| !matches!(transport.protocol.value, Protocol::Unknown(_)));
        let mut ours: Vec<(String, String)> =
            accepted.map(|transport| (transport.name.clone(), format!("{:?}", transport.protocol.value).to_lowercase())).collect();
        theirs.sort();
        ours.sort();
        assert_eq!(ours, theirs, "{version:?}");
    }
}

/// Sections with their lines, as `GetConfig` shows them; `None`: the file is given up.
type Reading = Option<Vec<String>>;

fn ours(etc: &Path, name: &str) -> Reading {
    let conf = read(&Disk, etc, name, |_| true).expect("the instance's folder and AMI");
    let mut lines = Vec::new();
    for section in conf.sections() {
        lines.push(format!("[{}]", section.name()));
        for entry in section.entries() {
            lines.push(format!("{}={}", String::from_utf8_lossy(entry.name_bytes()), entry.value()));
        }
    }
    conf.dropped.is_none().then_some(lines)
}

fn theirs(manager: &mut Manager, name: &str) -> Reading {
    let answer = manager.action("GetConfig", &[("Filename", name)]).expect("the instance's folder and AMI");
    if !answer.succeeded() {
        assert_eq!(answer.get("Message"), Some("Config file has invalid format"));
        return None;
    }
    let lines = answer.0.iter().filter_map(|(key, value)| {
        if key.starts_with("Category-") { Some(format!("[{value}]")) } else { key.starts_with("Line-").then(|| value.clone()) }
    });
    Some(lines.collect())
}

fn put(etc: &Path, name: &str, bytes: &[u8]) {
    let path = etc.join(name);
    fs::create_dir_all(path.parent().expect("the instance's folder and AMI")).expect("the instance's folder and AMI");
    fs::write(path, bytes).expect("the instance's folder and AMI");
}

fn is_listening(port: u16) -> bool {
    let wanted = format!(":{port:04X}");
    let table = fs::read_to_string("/proc/net/tcp").expect("the instance's folder and AMI");
    table
        .lines()
        .filter_map(|line| Some((line.split_whitespace().nth(1)?, line.split_whitespace().nth(3)?)))
        .any(|(local, state)| local.ends_with(&wanted) && state == "0A")
}

/// What random files are made of. Left out is what makes Asterisk itself run for ever: `[a](+,a)`, 129 comments within each other.
const PIECES: &[&str] = &[
    "\n",
    "\n",
    "\n",
    "\n",
    "[a]",
    "[b]",
    "[A]",
    "\n[a](!)\n",
    "\n[b](a)\n",
    "\n[c](!,b)\n",
    "\n[c](b,a)\n",
    "\n[a](+)\n",
    "\n[b](+type=y)\n",
    "\n[b]()\n",
    "\n[d] (a)\n",
    "x",
    "y",
    "=",
    "=>",
    "+=",
    " ",
    "\t",
    "1",
    "2",
    "\nx=1\n",
    "\nx+=2\n",
    "\ny = 3\n",
    "\ntype=y\n",
    ";",
    "; c\n",
    "\\;",
    "\\",
    ";--",
    "--;",
    ";---",
    "-",
    "\r",
    "\n#include inc/b.inc\n",
    "\n#tryinclude nosuch\n",
    "\n#include inc/broken.inc\n",
    "\n#include glob/*.conf\n",
    "\n#tryinclude inc/novars.inc\n",
    "\n[e]\nk=v\n",
    "\n[f]\nk=>v\n",
    "\"",
    "#",
    "\n\\#x=1\n",
    "]",
    "(",
    ")",
];
