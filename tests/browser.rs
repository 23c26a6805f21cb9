//! What people use: JsSIP in a real Chromium, against Asterisk 16 and 22. A phone that is registered and in a call stays so, on the same
//! connection, through a hundred rotations; a browser gets in where the agent says ready, and gets 1006 where it says that the door is dark.
//! Needs what `tests/lab/browser.sh` provisions. How many rotations: `STARKEEPER_ROTATIONS`, 100 otherwise.
#![allow(clippy::unwrap_used, reason = "what cannot go on fails the test at the place where it stands")]

mod support;

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use starkeeper::clock;
use support::{
    agent::Agent,
    asterisk::{Asterisk, BOTH, SECRET, Version},
    bound,
    certs::{Authority, Pair, Writing},
    launch, until, wire,
};

const NAME: &str = "pbx.example.com";
const SOON: Duration = Duration::from_secs(30);

#[test]
fn a_phone_in_a_call_stays_registered_on_one_connection_through_every_rotation() {
    let rotations: u64 = env::var("STARKEEPER_ROTATIONS").map_or(100, |count| count.parse().expect("STARKEEPER_ROTATIONS is a number"));
    let authority = Authority::new();
    let first = authority.issue(&[NAME]);
    let browser = Browser::start(&[&first]);
    let call = |version: Version| {
        let asterisk = Asterisk::build(version).pair(&first).start();
        // Everything that a rotation can reload for a phone: http, and all that `pjsip reload` stands for.
        let agent = Agent::start(&settings(&asterisk, "reload: {pjsip: always}\n"));
        agent.wait("the first proof", SOON, |status| status["phase"] == "Serving");
        let phone = browser.open(version.number(), asterisk.ports.wss);
        let told = phone.wait("registered", |told| told["registered"] == true);
        assert_eq!(told["connects"], 1);
        phone.call("echo");
        phone.wait("a call with media", |told| told["call"] == "up" && told["packets"].as_u64() > Some(10));
        let mut manager = asterisk.manager();
        let mark = manager.mark();
        let channels = manager.command("core show channels concise").unwrap();
        let contact = contact(&asterisk);
        let began = clock::tick();
        for _ in 0..rotations {
            let pair = authority.leaf(&[NAME]).reuse_key(&first).issue();
            pair.write(&asterisk.tls(), Writing::Renames);
            agent.wait("the rotation", SOON, |status| {
                status["phase"] == "Serving" && status["surfaces"][0]["served"]["fingerprintSha256"] == pair.fingerprint
            });
        }
        let took = clock::tick() - began;
        let told = phone.tell();
        assert_eq!(
            (&told["connects"], &told["disconnects"], &told["registered"]),
            (&json!(1), &json!(0), &json!(true)),
            "{version:?} {told}"
        );
        assert_eq!(told["call"], "up", "{version:?} {told}");
        phone.wait("media that goes on", |later| later["packets"].as_u64() > told["packets"].as_u64().map(|packets| packets + 10));
        let now = manager.command("core show channels concise").unwrap();
        let channel = |text: &str| text.split('!').next().map(str::to_owned);
        assert_eq!(channel(&now), channel(&channels), "{version:?}");
        assert!(contact.contains("sip:"), "{version:?}: {contact}");
        until(SOON, "the same contact", || self::contact(&asterisk) == contact);
        let http = manager.reloads(mark).unwrap().iter().filter(|module| *module == "http").count() as u64;
        assert_eq!((http, agent.status()["counts"]["proved"].as_u64()), (rotations, Some(rotations)), "{version:?}");
        println!("{version:?}: {rotations} rotations in {took:.1?}, one connection, one call, {} RTP packets back", told["packets"]);
        phone.close();
    };
    thread::scope(|scope| BOTH.map(|version| scope.spawn(move || call(version))).map(|done| done.join().unwrap()));
}

#[test]
fn a_browser_gets_in_where_the_agent_says_ready_and_gets_1006_where_it_says_dark() {
    let authority = Authority::new();
    let first = authority.issue(&[NAME]);
    let browser = Browser::start(&[&first]);
    for version in BOTH {
        let asterisk = Asterisk::build(version).pair(&first).start();
        let agent = Agent::start(&settings(&asterisk, ""));
        agent.wait("ready", SOON, |status| status["ready"]["ok"] == true);
        let phone = browser.open(&format!("{}-ready", version.number()), asterisk.ports.wss);
        phone.wait("registered", |told| told["registered"] == true);
        phone.close();
        // An operator reloads a pair that does not fit together, past the agent.
        first.with_key_of(&authority.issue(&[NAME])).write(&asterisk.tls(), Writing::Renames);
        asterisk.cli("module reload http");
        agent.wait("dark", SOON, |status| status["ready"]["ok"] == false && status["surfaces"][0]["door"] == "dark");
        assert!(matches!(wire::door(asterisk.ports.wss), wire::Door::Dark(_)));
        let phone = browser.open(&format!("{}-dark", version.number()), asterisk.ports.wss);
        let told = phone.wait("refused", |told| told["disconnects"].as_u64() > Some(0));
        assert_eq!((&told["code"], &told["connects"]), (&json!(1006), &json!(0)), "{version:?} {told}");
        phone.close();
        // And the files put right bring it back, for browsers too.
        first.write(&asterisk.tls(), Writing::Renames);
        agent.wait("ready again", SOON, |status| status["ready"]["ok"] == true && status["phase"] == "Serving");
        let phone = browser.open(&format!("{}-again", version.number()), asterisk.ports.wss);
        phone.wait("registered again", |told| told["registered"] == true);
        phone.close();
    }
}

/// A Chromium with one page, on which any number of phones live.
struct Browser {
    child: Mutex<Child>,
    lines: Mutex<(Option<ChildStdin>, BufReader<ChildStdout>)>,
}

impl Browser {
    /// Starts it; it takes certificates for the keys of these pairs from anybody.
    fn start(keys: &[&Pair]) -> Self {
        let home = home();
        // Modules are looked for beside the script, so it is put beside them.
        let script = home.join("softphone.mjs");
        let mut beside = tempfile::NamedTempFile::new_in(&home).unwrap();
        beside.write_all(include_bytes!("lab/browser/softphone.mjs")).unwrap();
        beside.persist(&script).unwrap();
        let mut command = bound("node");
        command.arg(&script).args(keys.iter().map(|pair| spki(pair))).current_dir(&home);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = launch(command).expect("Node.js: run tests/lab/browser.sh");
        let lines = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let browser = Self { child: Mutex::new(child), lines: Mutex::new(lines) };
        let ready = browser.answer(&mut browser.lines.lock().unwrap());
        assert!(ready["ready"].is_string(), "Chromium's version: {ready}");
        browser
    }

    fn open(&self, name: &str, port: u16) -> Phone<'_> {
        let url = format!("wss://127.0.0.1:{port}/ws");
        self.act(&json!({"do": "open", "as": name, "url": url, "user": "webrtc", "password": SECRET}));
        Phone { browser: self, name: name.to_owned() }
    }

    fn act(&self, act: &Value) -> Value {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(lines.0.as_mut().unwrap(), "{act}").unwrap();
        self.answer(&mut lines)
    }

    fn answer(&self, lines: &mut (Option<ChildStdin>, BufReader<ChildStdout>)) -> Value {
        let mut line = String::new();
        lines.1.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("the browser said {line:?}: {error}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let lines = self.lines.get_mut().unwrap_or_else(PoisonError::into_inner);
        // The end of its input is its end; Chromium goes with it.
        drop(lines.0.take());
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        let end = clock::tick() + Duration::from_secs(5);
        while matches!(child.try_wait(), Ok(None)) && clock::tick() < end {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = child.kill();
        let _ = child.wait();
    }
}

struct Phone<'b> {
    browser: &'b Browser,
    name: String,
}

impl Phone<'_> {
    fn tell(&self) -> Value {
        self.browser.act(&json!({"do": "tell", "as": self.name}))
    }

    fn call(&self, to: &str) {
        self.browser.act(&json!({"do": "call", "as": self.name, "to": to}));
    }

    fn close(&self) {
        self.browser.act(&json!({"do": "close", "as": self.name}));
    }

    #[track_caller]
    fn wait(&self, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let end = clock::tick() + SOON;
        loop {
            let told = self.tell();
            if condition(&told) {
                return told;
            }
            assert!(clock::tick() < end, "{what}: not within {SOON:?}: {told}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn home() -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = cache.unwrap_or_else(|| PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache"));
    let home = cache.join("starkeeper-lab/browser");
    assert!(home.join(".starkeeper-recipe").exists(), "no browser in {}: run tests/lab/browser.sh", home.display());
    home
}

/// SHA-256 of the public key, in base64, as Chromium's `--ignore-certificate-errors-spki-list` wants it.
fn spki(pair: &Pair) -> String {
    let script = "openssl x509 -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64";
    let mut command = Command::new("sh");
    let mut child = command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(pair.cert_pem.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
}

/// The contact that the phone registered, as PJSIP keeps it.
fn contact(asterisk: &Asterisk) -> String {
    let text = asterisk.cli("pjsip show contacts");
    text.split_whitespace().find(|word| word.contains("sip:")).unwrap_or_default().to_owned()
}

fn settings(asterisk: &Asterisk, more: &str) -> String {
    format!("{}probe: {{interval: 2s, timeout: 2s}}\nlog: {{format: json, level: info}}\n{more}", asterisk.settings())
}
