//! What people use: JsSIP in a real Chromium, against Asterisk 16 and 22. A phone that is registered and in a call stays so, on the same
//! connection, through a hundred rotations; a browser gets in where the agent says ready, and gets 1006 where it says that the door is dark.
//! Needs what `tests/lab/browser.sh` provisions. How many rotations: `STARKEEPER_ROTATIONS`, 100 otherwise.
#![allow(clippy::unwrap_used, reason = "what cannot go on fails the test at the place where it stands")]

mod support;

use std::{env, fs, thread, time::Duration};

use serde_json::json;
use starkeeper::clock;
use support::{
    agent::Agent,
    asterisk::{Asterisk, BOTH, SECRET, Version},
    browser::{Browser, Phone},
    certs::{Authority, Writing},
    until, wire,
};

const NAME: &str = "pbx.example.com";
const SOON: Duration = Duration::from_secs(30);

#[test]
fn a_phone_in_a_call_stays_registered_on_one_connection_through_every_rotation() {
    let rotations: u64 = env::var("STARKEEPER_ROTATIONS").map_or(100, |count| count.parse().expect("STARKEEPER_ROTATIONS is a number"));
    let authority = Authority::new();
    let first = authority.issue(&[NAME]);
    let browser = Browser::start(&authority, &[(NAME, "127.0.0.1")]);
    let call = |version: Version| {
        let asterisk = Asterisk::build(version).pair(&first).start();
        // Everything that a rotation can reload for a phone: http, and all that `pjsip reload` stands for.
        let agent = Agent::start(&settings(&asterisk, "reload: {pjsip: always}\n"));
        agent.wait("the first proof", SOON, |status| status["phase"] == "Serving");
        let phone = open(&browser, version.number(), asterisk.ports.wss);
        let told = phone.wait("registered", |told| told["registered"] == true);
        assert_eq!(told["connects"], 1);
        phone.call(&format!("sip:echo@{NAME}"));
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
        drop(phone);
    };
    thread::scope(|scope| BOTH.map(|version| scope.spawn(move || call(version))).map(|done| done.join().unwrap()));
}

/// What `endpoint-not-webrtc` and `rtp-ice-disabled` say comes of it.
#[test]
fn without_what_browsers_insist_on_a_phone_registers_and_hears_nothing() {
    let authority = Authority::new();
    let browser = Browser::start(&authority, &[(NAME, "127.0.0.1")]);
    let ice_off = |asterisk: &Asterisk| {
        let path = asterisk.etc().join("rtp.conf");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text + "icesupport=no\n").unwrap();
        asterisk.cli("module reload res_rtp_asterisk.so");
    };
    let plain = |asterisk: &Asterisk| {
        let path = asterisk.etc().join("pjsip.conf");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text.replacen("webrtc=yes", "transport=wss", 1)).unwrap();
        asterisk.cli("module reload res_pjsip.so");
    };
    // Where the call is set up, nothing is heard, however long one waits.
    let silence = Duration::from_secs(5);
    type Deed = fn(&Asterisk);
    let deeds: [(&str, Deed, &str); 2] = [("icesupport=no", ice_off, "up"), ("no webrtc=yes", plain, "failed")];
    for version in BOTH {
        for (name, deed, call) in deeds {
            let asterisk = Asterisk::build(version).pair(&authority.issue(&[NAME])).start();
            deed(&asterisk);
            let phone = open(&browser, &format!("{} {name}", version.number()), asterisk.ports.wss);
            phone.wait("registered", |told| told["registered"] == true);
            phone.call(&format!("sip:echo@{NAME}"));
            let told = phone.wait("what comes of the call", |told| told["call"] == call);
            let heard = phone.within(silence, |told| told["packets"].as_u64() > Some(0));
            assert!(heard.is_err(), "{version:?}, {name}: {heard:?}");
            println!("{version:?}, {name}: {} {}", told["call"], told["ended"]);
        }
    }
}

#[test]
fn a_browser_gets_in_where_the_agent_says_ready_and_gets_1006_where_it_says_dark() {
    let authority = Authority::new();
    let first = authority.issue(&[NAME]);
    let browser = Browser::start(&authority, &[(NAME, "127.0.0.1")]);
    for version in BOTH {
        let asterisk = Asterisk::build(version).pair(&first).start();
        let agent = Agent::start(&settings(&asterisk, ""));
        agent.wait("ready", SOON, |status| status["ready"]["ok"] == true);
        let phone = open(&browser, &format!("{}-ready", version.number()), asterisk.ports.wss);
        phone.wait("registered", |told| told["registered"] == true);
        drop(phone);
        // An operator reloads a pair that does not fit together, past the agent.
        first.with_key_of(&authority.issue(&[NAME])).write(&asterisk.tls(), Writing::Renames);
        asterisk.cli("module reload http");
        agent.wait("dark", SOON, |status| status["ready"]["ok"] == false && status["surfaces"][0]["door"] == "dark");
        assert!(matches!(wire::door(asterisk.ports.wss), wire::Door::Dark(_)));
        let phone = open(&browser, &format!("{}-dark", version.number()), asterisk.ports.wss);
        let told = phone.wait("refused", |told| told["disconnects"].as_u64() > Some(0));
        assert_eq!((&told["code"], &told["connects"]), (&json!(1006), &json!(0)), "{version:?} {told}");
        drop(phone);
        // And the files put right bring it back, for browsers too.
        first.write(&asterisk.tls(), Writing::Renames);
        agent.wait("ready again", SOON, |status| status["ready"]["ok"] == true && status["phase"] == "Serving");
        let phone = open(&browser, &format!("{}-again", version.number()), asterisk.ports.wss);
        phone.wait("registered again", |told| told["registered"] == true);
        drop(phone);
    }
}

/// A phone of an instance's one user.
fn open<'b>(browser: &'b Browser, name: &str, port: u16) -> Phone<'b> {
    browser.open(name, &format!("wss://{NAME}:{port}/ws"), &format!("sip:webrtc@{NAME}"), SECRET)
}

/// The contact that the phone registered, as PJSIP keeps it.
fn contact(asterisk: &Asterisk) -> String {
    let text = asterisk.cli("pjsip show contacts");
    text.split_whitespace().find(|word| word.contains("sip:")).unwrap_or_default().to_owned()
}

fn settings(asterisk: &Asterisk, more: &str) -> String {
    format!("{}probe: {{interval: 2s, timeout: 2s}}\nlog: {{format: json, level: info}}\n{more}", asterisk.settings())
}
