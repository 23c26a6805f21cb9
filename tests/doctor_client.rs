//! `doctor client`: what a front end's env file and a project's Compose files come to, as users type it; on a real Asterisk 22 where it looks
//! there, and against the real Compose, which must read the same files alike.
#![allow(clippy::unwrap_used, reason = "what cannot go on fails the test at the place where it stands")]

mod support;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};
use starkeeper::doctor::client;
use support::{
    asterisk::{self, Asterisk, Version},
    certs::Authority,
    engine,
};
use tempfile::TempDir;

const ENV: &str = "NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com:8089\nNEXT_PUBLIC_WEBSOCKET_PATH=\n";

#[test]
fn a_front_end_that_is_told_the_right_address_connects() {
    let authority = Authority::new();
    let asterisk = Asterisk::build(Version::V22).pair(&authority.issue(&["pbx.example.com"])).start();
    let folder = folder(&[(".env", &format!("NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com:{}\n", asterisk.ports.wss))]);
    let ca = folder.path().join("ca.pem");
    fs::write(&ca, &authority.root_pem).unwrap();
    let there = format!("127.0.0.1:{}", asterisk.ports.wss);
    let report = report(folder.path(), &["--env-file", ".env", "--ca", "ca.pem", "--connect", &there]);
    assert_eq!(told(&report), (0, "connect", None, vec![]), "{report:#?}");

    // The wire decides: what was likely is said only now that it shows nothing better.
    let wrong = ENV.replace("8089", &asterisk.ports.wss.to_string()).replace("PATH=", "PATH=/sip");
    fs::write(folder.path().join(".env"), wrong).unwrap();
    let report = self::report(folder.path(), &["--env-file", ".env", "--ca", "ca.pem", "--connect", &there]);
    let (code, would, first, _) = told(&report);
    assert_eq!((code, would, first), (1, "fail-1006", Some("client-url-wrong-path")), "{report:#?}");
    let finding = report.1["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "client-url-wrong-path").unwrap();
    assert_eq!((&finding["evidence"]["line"], &finding["evidence"]["expected"]), (&Value::from(2), &Value::from("/ws")));
    assert!(finding["remedy"].as_str().unwrap().contains("    NEXT_PUBLIC_WEBSOCKET_PATH=/ws"), "{finding:#}");
}

#[test]
fn an_env_file_alone_is_judged_without_a_packet() {
    for (env, more, expected) in [
        (ENV, vec![], (0, "connect", None)),
        ("NEXT_PUBLIC_ASTERISK_HOST=https://pbx.example.com:8089\n", vec![], (1, "fail-1006", Some("client-url-invalid"))),
        ("# nothing is said\n", vec![], (1, "fail-1006", Some("client-url-invalid"))),
        ("NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com:8089/\n", vec![], (1, "fail-1006", Some("client-url-wrong-path"))),
        ("NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com:8088\n", vec!["--page", "http://app.example.com"], (0, "connect", None)),
        ("NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com\n", vec![], (0, "connect", None)),
    ] {
        let folder = folder(&[(".env", env)]);
        let report = report(folder.path(), &[vec!["--env-file", ".env", "--offline"], more].concat());
        let (code, would, first, _) = told(&report);
        assert_eq!((code, would, first), expected, "{env}: {report:#?}");
        let somewhere = first != Some("client-url-invalid");
        assert_eq!(report.1["unchecked"].as_array().unwrap().iter().any(|unchecked| unchecked["what"] == "wire"), somewhere, "{env}");
    }
}

#[test]
fn asterisks_own_configuration_is_found_by_its_mount() {
    let http = "[general]\nenabled=yes\ntlsenable=yes\ntlsbindaddr=0.0.0.0:9443\nprefix=asterisk\ntlscertfile=/certs/live/tls.crt\ntlsprivatekey=/certs/live/tls.key\n";
    let compose =
        "services:\n  asterisk:\n    image: asterisk:22\n    ports: ['8089:9443']\n    volumes: ['./asterisk:/etc/asterisk:ro']\n";
    let folder = folder(&[(".env", ENV), ("compose.yaml", compose), ("asterisk/http.conf", http)]);
    let report = report(folder.path(), &["--env-file", ".env", "--compose", "compose.yaml", "--offline"]);
    assert_eq!(told(&report).3, ["client-url-wrong-path", "compose-volume-missing", "compose-volume-missing"], "{report:#?}");
}

#[test]
fn the_real_compose_reads_the_same_files_alike() {
    let compose = engine::cache().join("docker/bin/docker-compose");
    assert!(compose.exists(), "run tests/lab/docker.sh: {}", compose.display());
    let env = "NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com:8089\nWSS_PORT=18089\nEMPTY=\n";
    for (services, expected) in [
        ("  asterisk: {image: a, ports: ['8089:8089'], volumes: ['./tls:/tls']}\n", vec![]),
        ("  asterisk: {image: a, ports: ['${WSS_PORT}:8089'], volumes: ['./tls:/tls']}\n", vec!["compose-port-unpublished"]),
        ("  asterisk: {image: a, ports: ['${EMPTY:-8089}:${NONE-8089}'], volumes: ['./tls:/tls']}\n", vec![]),
        ("  asterisk: {image: a, ports: ['${EMPTY:+9}8089:8089'], volumes: ['./tls:/tls']}\n", vec![]),
        ("  asterisk: {image: a, ports: ['8080-8090:8080-8090'], volumes: ['./tls:/tls']}\n", vec![]),
        ("  asterisk: {image: a, ports: ['127.0.0.1:8089:8089'], volumes: ['./tls:/tls']}\n", vec!["compose-port-unpublished"]),
        ("  asterisk: {image: a, ports: ['[::1]:8089:8089'], volumes: ['./tls:/tls']}\n", vec!["compose-port-unpublished"]),
        ("  asterisk: {image: a, ports: ['8089:8089/udp'], volumes: ['./tls:/tls']}\n", vec!["compose-port-unpublished"]),
        ("  asterisk: {image: a, ports: [8089], volumes: ['./tls:/tls']}\n", vec!["compose-port-unpublished"]),
        ("  asterisk: {image: a, network_mode: host, volumes: ['./tls:/tls']}\n", vec![]),
        (
            "  asterisk: {image: a, ports: ['8089:8089'], volumes: ['./a.crt:/tls/tls.crt', './a.key:/tls/tls.key']}\n",
            vec!["file-mount", "file-mount"],
        ),
        (
            "  asterisk: {image: a, ports: ['8089:8089'], volumes: [{type: bind, source: ./other, target: /other}]}\n",
            vec!["compose-volume-missing", "compose-volume-missing"],
        ),
        ("  base: {image: a, ports: ['8089:8089']}\n  asterisk: {extends: base, volumes: ['./tls:/tls']}\n", vec![]),
        ("  asterisk: {<<: *all, image: a, volumes: ['./tls:/tls']}\n", vec![]),
    ] {
        let text = format!("x-all: &all\n  ports: ['8089:8089']\nservices:\n{services}");
        let http = "[general]\ntlsenable=yes\ntlsbindaddr=0.0.0.0:8089\ntlscertfile=/tls/tls.crt\ntlsprivatekey=/tls/tls.key\n";
        let folder = folder(&[(".env", env), ("compose.yaml", &text), ("asterisk/http.conf", http)]);
        let normal = Command::new(&compose)
            .args(["-f", "compose.yaml", "config", "--format", "json"])
            .current_dir(folder.path())
            .env_remove("WSS_PORT")
            .output()
            .unwrap();
        assert!(normal.status.success(), "{services}: {}", String::from_utf8_lossy(&normal.stderr));
        fs::write(folder.path().join("normal.yaml"), normal.stdout).unwrap();
        for file in ["compose.yaml", "normal.yaml"] {
            let arguments = ["--env-file", ".env", "--compose", file, "--service", "asterisk", "--config-dir", "asterisk", "--offline"];
            let report = report(folder.path(), &arguments);
            assert_eq!(told(&report).3, expected, "{file}: {services}: {report:#?}");
        }
    }
}

#[test]
fn an_env_file_is_read_as_nextjs_reads_it() {
    let home = asterisk::cache().join("browser");
    let script = "const {processEnv} = require('@next/env'); const own = {OUTSIDE: 'there'}; const quiet = {info() {}, error() {}};
        const read = (contents) => { process.env = {...own}; const all = processEnv([{path: '.env', contents}], '/', quiet, true)[0];
            return Object.fromEntries(Object.entries(all).filter(([name]) => !(name in own) && !name.startsWith('__'))); };
        console.log(JSON.stringify(JSON.parse(process.argv[1]).map(read)));";
    let output = Command::new("node").args(["-e", script, &json!(ENV_FILES).to_string()]).current_dir(&home).output().unwrap();
    assert!(output.status.success(), "run tests/lab/browser.sh: {}", String::from_utf8_lossy(&output.stderr));
    let theirs: Vec<BTreeMap<String, String>> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(theirs.len(), ENV_FILES.len());
    for (text, theirs) in ENV_FILES.iter().zip(theirs) {
        let folder = folder(&[(".env", text)]);
        let asked = client::Asked {
            env_file: folder.path().join(".env"),
            compose: Vec::new(),
            service: None,
            page: None,
            config_dir: None,
            look: None,
        };
        let evidence = client::read(&asked, &|name| (name == "OUTSIDE").then(|| "there".to_owned())).unwrap();
        let ours: BTreeMap<_, _> = evidence.variables().map(|(name, value, _)| (name.to_owned(), value.to_owned())).collect();
        assert_eq!(ours, theirs, "{text:?}");
    }
}

/// What people write, and what they had better not.
const ENV_FILES: &[&str] = &[
    "A=x y\nB = x # c\n#C=1\n D=1\n\n\nE =2\n",
    "A: x\n",
    "A:x\nB=1\n",
    "export A=1\nexport\tB=2\nexport   C=3\nexportD=4\n",
    "A\nA b=1\n=x\né=1\nB=1\n",
    "A=1\nA=2\n",
    "A.B=1\nA-B=2\n1A=3\n",
    "A=\n B=\"\"\nC=' x '\nD=\" x \"\nE= x \nF=\t1\n",
    "A='x' tail\nB='x'tail # c\nC=\"x\" tail\nD=`x` tail\nE='b'=c\nF=b='c'\n",
    "A=\"a\"b\"\nB='it''s'\nC=\"it\\\"s\"\nD='it\\'s'\nE='a\\' # c\nF=\"x\\\\\"\nG=\"x\" \"y\"\n",
    "A=x'y'\nB=x\"y\" # z\nC=\"`x`\"\nD=`'x'`\nE==b\nF=a;B=b\n",
    "A=x#y\nB=x #y\nC='x#y'\nD=\"x#y\" # z\nE=x\\#y\n",
    "A=x\\ny\nB=\"x\\ny\"\nC='x\\ny'\nD=\"x\\ty\"\nE=\"x\\\\y\"\nF=\"\\$Q\\n\"\n",
    "A='a\r\nb'\r\nB=\"a\r\n\r\nb\" # c\r\nC=2\r\n",
    "A='x\ny' tail\nB=2\n",
    "A='open\nB=\"open\nC=2\n",
    "A=\n'x'\nB=2\nC= \n\n  \"y\" # z\nD=\n'open\nE=\n`aé\né`\nF=\n'x' tail\nG=\n",
    "A=x\rB=2\r",
    "\u{feff}A=1\n",
    "A=x \\\nB=1\n",
    "Q=1\nA='$Q'\nB='${Q}'\nC=$Q$Q\nD={$Q}\nE=$Q}\nF=\\$Q\nG='\\$Q'\nH=\\\\$Q\n",
    "A=$NONE\nB=${NONE}\nC=${NONE:-d}\nD=${NONE-d}\nE=${NONE:-${X:-y}}\nF=${NONE:-}\n",
    "A=$\nB=$$\nC=a$ b\nD=${}\nE=${\nF=}\nG=p@ss$1word\nH=${1}\nI=\"p$$w\"\n",
    "A=1\nB=${A:-d}\nC=${D:-e}\nD=2\nE=$F\nF=$D\n",
    "A=\nB=${A:-d}\nC=$OUTSIDE\nD=${OUTSIDE:-d}\n",
    "NEXT_PUBLIC_ASTERISK_HOST=pbx.${ZONE}:8089\nZONE=example.com\nNEXT_PUBLIC_WEBSOCKET_PATH=/ws?a=1&b=2\n",
];

#[test]
fn what_cannot_be_read_ends_with_the_file_the_line_and_the_reason() {
    let text = "services:\n  asterisk:\n    image: ${IMAGE:?name the image}\n";
    let folder = folder(&[(".env", ENV), ("compose.yaml", text)]);
    for (arguments, expected) in [
        (vec!["--env-file", "none.env"], "failed to read none.env: No such file or directory"),
        (vec!["--env-file", ".env", "--compose", "compose.yaml"], "compose.yaml:3: the variable IMAGE is not set: name the image"),
        (vec!["--env-file", ".env", "--compose", "none.yaml"], "failed to read none.yaml"),
        (vec!["--env-file", ".env", "--service", "a"], "--compose"),
        (vec![], "--env-file"),
    ] {
        let output = client(folder.path(), &arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty());
    }
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn client(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_starkeeper"))
        .args(["doctor", "client"])
        .args(arguments)
        .current_dir(folder)
        .env_remove("NEXT_PUBLIC_ASTERISK_HOST")
        .env_remove("NEXT_PUBLIC_WEBSOCKET_PATH")
        .output()
        .unwrap()
}

fn report(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let output = client(folder, &[arguments, &["-o", "json"]].concat());
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), report)
}

/// Exit status, what a browser would do, the first cause, all codes.
fn told((code, report): &(i32, Value)) -> (i32, &str, Option<&str>, Vec<&str>) {
    let codes = report["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] != "client-url-no-port");
    (
        *code,
        report["browserWould"].as_str().unwrap(),
        report["firstCause"].as_str(),
        codes.map(|finding| finding["code"].as_str().unwrap()).collect(),
    )
}
