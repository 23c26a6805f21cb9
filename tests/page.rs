//! The status page as people meet it: a real agent beside a real Asterisk 22, read in a real Chromium. It changes by itself, says the same
//! without a script, is judged by axe-core in both themes and widths, and asks nothing of any other host. Pictures of it are written to
//! `target/page/`. Needs what `tests/lab/browser.sh` provisions.
#![allow(clippy::unwrap_used, reason = "a scene that cannot be set fails the test at the place where it stands")]

mod support;

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use rustix::process::Signal;
use serde_json::{Value, json};
use starkeeper::clock;
use support::{
    agent::Agent,
    asterisk::{Asterisk, Version},
    certs::{Authority, Pair, Writing},
    script::Script,
    until, until_some,
};

const NAME: &str = "pbx.example.com";
const SOON: Duration = Duration::from_secs(30);

#[test]
fn the_page_follows_a_rotation_and_a_rejection_and_says_the_same_without_a_script() {
    let authority = Authority::new();
    let first = authority.issue(&[NAME]);
    let mut asterisk = Asterisk::build(Version::V22).pair(&first).start();
    let agent = Agent::start(&settings(&asterisk));
    agent.wait("the first proof", SOON, |status| status["phase"] == "Serving");
    let chromium = Chromium::start();
    let reader = chromium.open("reader", &agent, &Look::default());
    let shown = reader.wait("the first certificate", |shown| shown.contains(&first.fingerprint));
    assert!(shown.text.contains("Browsers can connect") && shown.text.contains("as in the files"), "{}", shown.text);

    let second = authority.issue(&[NAME]);
    second.write(&asterisk.tls(), Writing::Renames);
    let shown = reader.wait("the second certificate, by itself", |shown| shown.contains(&second.fingerprint) && shown.contains("1 proved"));
    assert!(!shown.text.contains(&first.fingerprint), "{}", shown.text);
    let loads = shown.requests.iter().filter(|request| !request.contains("/events")).count();
    assert_eq!(loads, 1, "it was not loaded anew: {:?}", shown.requests);

    mismatched(&authority, &second).write(&asterisk.tls(), Writing::Renames);
    let shown = reader.wait("the rejection, by itself", |shown| shown.contains("key-mismatch"));
    assert!(shown.text.contains("New certificate rejected; browsers still connect with the old one"), "{}", shown.text);
    assert!(shown.text.contains("private key belongs to another certificate"), "{}", shown.text);
    assert_eq!(shown.said, "New certificate rejected; browsers still connect with the old one", "told once, to who listens");
    assert!(shown.title.starts_with("New certificate rejected"), "{}", shown.title);
    let paste = reader.act("press", &json!({"on": ".copy"}))["clipboard"].clone();
    assert!(paste.as_str().is_some_and(|paste| paste.starts_with("cp ")), "{paste}");

    // The same without a script, and in the other language.
    let plain = chromium.open("plain", &agent, &Look { script: false, ..Look::default() });
    let said = |text: &str| {
        text.lines().map(str::trim).filter(|line| !line.is_empty() && line.find("UTC").is_none()).map(str::to_owned).collect::<Vec<_>>()
    };
    let without_spans = |lines: Vec<String>| {
        let spans = |line: &String| ["ago", "Copy", "Copied", "for ", "ms", "did not get in"].iter().any(|word| line.contains(word));
        lines.into_iter().filter(|line| !spans(line)).collect::<Vec<_>>()
    };
    let (with, without) = (without_spans(said(&reader.read().text)), without_spans(said(&plain.read().text)));
    assert!(with.len() > 30, "{with:#?}");
    assert_eq!(with, without);
    let portuguese = chromium.open("portuguese", &agent, &Look { lang: "pt-BR", ..Look::default() });
    let shown = portuguese.wait("Portuguese", |shown| shown.contains("Certificado novo rejeitado"));
    assert_eq!(shown.lang, "pt-BR");
    assert!(shown.text.contains("chave privada é de outro certificado"), "{}", shown.text);

    // An agent that is gone does not go on being well.
    for reader in [&reader, &portuguese] {
        let shown = reader.read();
        assert_eq!(shown.complaints, Vec::<String>::new());
        let own = format!("http://{}/", agent.address());
        assert!(shown.requests.iter().all(|request| request.starts_with(&own) || request.starts_with("data:")), "{:?}", shown.requests);
    }
    asterisk.kill();
    drop(agent);
    reader.wait("the loss", |shown| shown.lost);
}

#[test]
fn every_state_passes_axe_in_both_themes_and_widths() {
    let chromium = Chromium::start();
    let authority = Authority::new();
    let first = authority.issue(&[NAME]);
    let mut asterisk = Asterisk::build(Version::V22).pair(&first).without_absent_include().start();
    let agent = Agent::start(&settings(&asterisk));
    let judge = |name: &str, phases: &[&str]| {
        agent.wait(name, SOON, |status| phases.iter().any(|phase| status["phase"] == *phase));
        judge(&chromium, &agent, name);
    };
    judge("serving-first", &["Serving"]);
    for _ in 0..3 {
        let pair = authority.issue(&[NAME]);
        pair.write(&asterisk.tls(), Writing::Renames);
        agent.wait("the rotation", SOON, |status| status["surfaces"][0]["served"]["fingerprintSha256"] == pair.fingerprint);
    }
    judge("serving", &["Serving"]);
    let bad = mismatched(&authority, &first);
    bad.write(&asterisk.tls(), Writing::Renames);
    judge("rejected", &["Rejected"]);
    asterisk.cli("module reload http");
    agent.wait("dark", SOON, |status| status["surfaces"][0]["door"] == "dark");
    first.write(&asterisk.tls(), Writing::Renames);
    judge("wedged", &["Wedged"]);
    asterisk.kill();
    judge("unreachable", &["Unreachable"]);

    // Before Asterisk is there, and before there is a certificate.
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("secret"), "none").unwrap();
    let agent = Agent::start(&format!(
        "asterisk: {{ami: {{address: \"127.0.0.1:1\", username: starkeeper, secretFile: {folder}/secret}}}}\n\
         certificate: {{cert: {folder}/tls.crt, key: {folder}/tls.key, trust: none}}\nwss: {{address: \"127.0.0.1:1\"}}\n",
        folder = folder.path().display()
    ));
    agent.wait("the first look", SOON, |status| status["surfaces"][0]["door"] == "refused");
    self::judge(&chromium, &agent, "nothing-yet");
    fs::write(folder.path().join("tls.crt"), &first.cert_pem).unwrap();
    fs::write(folder.path().join("tls.key"), &first.key_pem).unwrap();
    agent.wait("a good pair", SOON, |status| status["phase"] == "Unreachable");
    self::judge(&chromium, &agent, "no-asterisk-yet");
}

#[test]
fn whoever_asks_by_hand_gets_the_page_guarded_and_in_their_language() {
    let asterisk = Asterisk::start(Version::V22);
    let mut agent = Agent::start(&settings(&asterisk));
    agent.wait("the first proof", SOON, |status| status["phase"] == "Serving");
    let (head, body) = exchange(&agent, "GET / HTTP/1.1", "Accept: */*\r\nConnection: close\r\n");
    assert!(head.starts_with("http/1.1 200 ") && body.starts_with("<!doctype html>"), "{head}");
    for line in [
        "content-type: text/html; charset=utf-8",
        "content-language: en",
        "vary: accept-language",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
    ] {
        assert!(head.lines().any(|other| other == line), "{line}: {head}");
    }
    let policy = head.lines().find_map(|line| line.strip_prefix("content-security-policy: ")).unwrap();
    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "script-src 'sha256-"] {
        assert!(policy.contains(part), "{part}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(!body.contains(" style=") && !body.contains(" onclick=") && body.len() < 60_000, "{} bytes", body.len());
    let (head, _) = exchange(&agent, "GET / HTTP/1.1", "Accept-Language: en;q=0.3, pt-BR;q=0.9\r\nConnection: close\r\n");
    assert!(head.contains("content-language: pt-br"), "{head}");
    let (head, _) = exchange(&agent, "GET /?lang=en HTTP/1.1", "Accept-Language: pt-BR\r\nConnection: close\r\n");
    assert!(head.contains("content-language: en"), "{head}");
    for path in ["/", "/events"] {
        assert_eq!(agent.request(&format!("HEAD {path}"), "").unwrap(), (200, String::new()), "{path}");
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            assert_eq!(agent.request(&format!("{method} {path}"), "").unwrap().0, 405, "{method} {path}");
        }
    }

    // As many listen as there is room for; one that leaves makes room again. None of them holds the agent's end up.
    let listen = || {
        let mut stream = TcpStream::connect(agent.address()).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut begun = [0; 512];
        let read = stream.read(&mut begun).unwrap();
        (String::from_utf8_lossy(&begun[..read]).into_owned(), stream)
    };
    let mut listeners: Vec<_> = (0..16).map(|_| listen()).collect();
    assert!(listeners.iter().all(|(head, _)| head.starts_with("HTTP/1.1 200 ")), "{listeners:?}");
    assert!(listen().0.starts_with("HTTP/1.1 503 "));
    listeners.pop();
    until(SOON, "room for another", || listen().0.starts_with("HTTP/1.1 200 "));
    agent.signal(Signal::TERM);
    let (status, took, log) = agent.finish();
    assert!(status.success() && took < Duration::from_secs(1), "{status} after {took:?}: {log:#?}");
    assert!(!log.iter().any(|line| line.contains("held on")), "{log:#?}");
}

/// No violation, no sideways scrolling, a focus that is seen; and its picture.
#[track_caller]
fn judge(chromium: &Chromium, agent: &Agent, name: &str) {
    for (theme, width) in [("light", 1280), ("dark", 1280), ("light", 375), ("dark", 375)] {
        let scene = format!("{name}-{theme}-{width}");
        let reader = chromium.open(&scene, agent, &Look { theme, width, ..Look::default() });
        until_some(SOON, "its first event", || reader.read().requests.iter().any(|request| request.contains("/events")).then_some(()));
        let file = pictures().join(format!("{scene}.png"));
        reader.act("picture", &json!({"to": file}));
        let judged = reader.act("axe", &json!({}));
        assert!(judged["passes"].as_u64() > Some(20), "{scene}: {judged}");
        assert_eq!(judged["violations"], json!([]), "{scene}: {judged:#}");
        let shown = reader.read();
        assert_eq!((shown.wide, shown.complaints), (Some(width), Vec::new()), "{scene}");
        let seen = reader.act("tab", &json!({"times": 5}))["seen"].clone();
        assert!(seen.as_array().unwrap().iter().all(|at| at["seen"] == true), "{scene}: {seen:#}");
        reader.act("close", &json!({}));
    }
}

/// The certificate of the one with the key of another.
fn mismatched(authority: &Authority, pair: &Pair) -> Pair {
    pair.with_key_of(&authority.issue(&[NAME]))
}

fn settings(asterisk: &Asterisk) -> String {
    format!("{}probe: {{interval: 1s, timeout: 1s}}\nlog: {{format: json, level: info}}\n", asterisk.settings())
}

fn exchange(agent: &Agent, line: &str, headers: &str) -> (String, String) {
    let mut stream = TcpStream::connect(agent.address()).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.write_all(format!("{line}\r\nHost: localhost\r\n{headers}\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    // What hashes say depends on their case.
    (head.to_ascii_lowercase(), body.to_owned())
}

fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("page");
    fs::create_dir_all(&folder).unwrap();
    folder
}

struct Look {
    theme: &'static str,
    width: u64,
    lang: &'static str,
    script: bool,
}

impl Default for Look {
    fn default() -> Self {
        Look { theme: "light", width: 1280, lang: "en-GB", script: true }
    }
}

/// What stands on the page just now.
struct Shown {
    text: String,
    title: String,
    lang: String,
    said: String,
    lost: bool,
    wide: Option<u64>,
    requests: Vec<String>,
    complaints: Vec<String>,
}

impl Shown {
    fn contains(&self, words: &str) -> bool {
        self.text.contains(words)
    }
}

/// A Chromium with any number of readers, gone on drop.
struct Chromium(Script);

impl Chromium {
    fn start() -> Self {
        Self(Script::start("page.mjs", include_bytes!("lab/browser/page.mjs"), |_| ()).0)
    }

    fn open(&self, name: &str, agent: &Agent, look: &Look) -> Reader<'_> {
        let reader = Reader { chromium: self, name: name.to_owned() };
        let url = format!("http://{}/", agent.address());
        let look = json!({"url": url, "width": look.width, "theme": look.theme, "lang": look.lang, "script": look.script});
        reader.act("open", &look);
        reader
    }
}

struct Reader<'b> {
    chromium: &'b Chromium,
    name: String,
}

impl Reader<'_> {
    #[track_caller]
    fn act(&self, deed: &str, with: &Value) -> Value {
        let mut act = with.clone();
        (act["do"], act["as"]) = (deed.into(), self.name.as_str().into());
        let told = self.chromium.0.act(&act);
        assert!(told["failed"].is_null(), "{act}: {told}");
        told
    }

    fn read(&self) -> Shown {
        let told = self.act("read", &json!({}));
        let text = |key: &str| told[key].as_str().unwrap_or_default().to_owned();
        let list = |key: &str| told[key].as_array().unwrap().iter().filter_map(|text| text.as_str().map(str::to_owned)).collect();
        Shown {
            text: text("text"),
            title: text("title"),
            lang: text("lang"),
            said: text("said"),
            lost: told["lost"] == true,
            wide: told["wide"].as_u64(),
            requests: list("requests"),
            complaints: list("complaints"),
        }
    }

    #[track_caller]
    fn wait(&self, what: &str, condition: impl Fn(&Shown) -> bool) -> Shown {
        let end = clock::tick() + SOON;
        loop {
            let shown = self.read();
            if condition(&shown) {
                return shown;
            }
            assert!(clock::tick() < end, "{what}: not within {SOON:?}: {}", shown.text);
            thread::sleep(Duration::from_millis(50));
        }
    }
}
