//! AMI in every bad state on real Asterisk 16 and 22: each is named, costs next to nothing while it lasts, leaves an open door ready, and
//! once it is gone the rotation that waited is proved without anybody's help.
#![allow(clippy::unwrap_used, reason = "a scene that cannot be set fails the test at the place where it stands")]

mod ami_peer;
mod support;

use std::{fs, thread, time::Duration};

use ami_peer::{Manners, Peer};
use serde_json::Value;
use starkeeper::clock;
use support::{
    agent::Agent,
    asterisk::{Asterisk, SECRET},
    both,
    certs::{Authority, Pair, Writing},
    until, wire,
};

/// For what must happen, on a busy machine too.
const SOON: Duration = Duration::from_secs(30);
/// How long a fault is watched for what it costs.
const WINDOW: Duration = Duration::from_secs(4);
/// Two probe intervals, and what the two looks that must agree may take; the last second is the machine's.
const NOTICED: Duration = Duration::from_millis(2 * 1000 + 2 * 500 + 1000);

/// Settings of an agent that reaches AMI in this way: the flow mapping's text.
fn settings(asterisk: &Asterisk, ami: &str) -> String {
    format!(
        "asterisk:\n  ami: {{{ami}}}\ncertificate: {{cert: {cert}, key: {key}, trust: none}}\nwss: {{address: \"127.0.0.1:{wss}\"}}\n\
         probe: {{interval: 1s, timeout: 500ms}}\n",
        cert = asterisk.cert().display(),
        key = asterisk.key().display(),
        wss = asterisk.ports.wss,
    )
}

/// As the user `starkeeper`, at this port.
fn at(asterisk: &Asterisk, port: u16) -> String {
    as_user(asterisk, port, "starkeeper")
}

fn as_user(asterisk: &Asterisk, port: u16, user: &str) -> String {
    format!("address: \"127.0.0.1:{port}\", username: {user}, secretFile: {}", asterisk.secret_file().display())
}

/// Adds a user to manager.conf, or changes it; Asterisk knows it when this returns.
fn user(asterisk: &Asterisk, name: &str, lines: &str) {
    let path = asterisk.etc().join("manager.conf");
    let text = fs::read_to_string(&path).unwrap();
    let kept = text.split_once(&format!("[{name}]")).map_or(text.as_str(), |(kept, _)| kept);
    fs::write(&path, format!("{kept}[{name}]\n{lines}\n")).unwrap();
    assert!(asterisk.manager().reload("manager").unwrap().succeeded());
}

fn finding<'a>(status: &'a Value, code: &str) -> Option<&'a Value> {
    status["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == code)
}

/// Waits until the fault has its name, and gives its evidence.
#[track_caller]
fn named(agent: &Agent, code: &str) -> Value {
    let status = agent.wait(code, SOON, |status| finding(status, code).is_some());
    finding(&status, code).unwrap()["evidence"].clone()
}

/// The pair that waits while the fault lasts.
fn rotate(asterisk: &Asterisk) -> Pair {
    let pair = Authority::new().issue(&["localhost", "pbx.example.com"]);
    pair.write(&asterisk.tls(), Writing::Renames);
    pair
}

/// Processor time of the agent so far, user and system.
fn cpu_time(agent: &Agent) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", agent.pid())).unwrap();
    let fields = stat.rsplit_once(") ").unwrap().1.split(' ').skip(11).take(2);
    Duration::from_millis(fields.map(|field| field.parse::<u64>().unwrap() * 10).sum())
}

/// How often the agent has gone to sleep so far, all threads that live together: as often it was woken.
fn sleeps(agent: &Agent) -> u64 {
    let of_one = |status: String| {
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or_default()
    };
    let threads = fs::read_dir(format!("/proc/{}/task", agent.pid())).unwrap().flatten();
    // A thread may end meanwhile.
    threads.filter_map(|thread| fs::read_to_string(thread.path().join("status")).ok()).map(of_one).sum()
}

/// Attempts to connect to AMI that failed.
fn attempts(agent: &Agent) -> usize {
    agent.log().iter().filter(|line| line.contains("no connection to AMI")).count()
}

/// Lets the fault last: ten attempts at most, few wake-ups (15 to 60 were seen, whatever else the machine does), and nothing that spins, which
/// would take all of a core. What a wake-up costs is for benches to say.
#[track_caller]
fn costs_little(agent: &Agent) {
    let (cpu, slept, tried, end) = (cpu_time(agent), sleeps(agent), attempts(agent), clock::tick() + WINDOW);
    until(WINDOW * 2, "the end of the window", || clock::tick() >= end);
    let (cpu, slept, tried) = (cpu_time(agent) - cpu, sleeps(agent).saturating_sub(slept), attempts(agent) - tried);
    assert!(cpu <= WINDOW * 3 / 10, "{cpu:?} of processor in {WINDOW:?}");
    assert!(slept <= 150, "woken {slept} times in {WINDOW:?}");
    assert!(tried <= 10, "{tried} attempts in {WINDOW:?}");
}

/// An open door stays ready and live whatever AMI does, and what it serves is the former pair.
#[track_caller]
fn stays_ready(agent: &Agent, waiting: &Pair) {
    assert_eq!(agent.get("/readyz"), (200, "ok\n".to_owned()));
    assert_eq!(agent.get("/livez"), (200, "ok\n".to_owned()));
    let status = agent.status();
    assert_eq!(status["surfaces"][0]["door"], "open", "{status:#}");
    assert_eq!(status["surfaces"][0]["matchesWanted"], false, "{status:#}");
    assert_ne!(status["surfaces"][0]["served"]["fingerprintSha256"], waiting.fingerprint);
}

/// The rotation that waited reaches browsers, and nothing is left to say of AMI.
#[track_caller]
fn gets_proved(agent: &Agent, asterisk: &Asterisk, pair: &Pair) {
    agent.wait("the rotation that waited", SOON, |status| {
        status["phase"] == "Serving" && status["surfaces"][0]["served"]["fingerprintSha256"] == pair.fingerprint
    });
    assert_eq!(wire::served(asterisk.ports.wss).unwrap().fingerprint, pair.fingerprint);
    agent.wait("the end of all findings", SOON, |status| {
        status["ami"]["connected"] == true && status["findings"].as_array().unwrap().iter().all(|finding| finding["severity"] == "info")
    });
    assert_eq!(agent.get("/readyz").0, 200);
}

#[track_caller]
fn serving(agent: &Agent) {
    agent.wait("the first proof", SOON, |status| status["phase"] == "Serving");
}

/// Waits until a health endpoint answers so, and holds that to the time in which it must.
#[track_caller]
fn turns(agent: &Agent, path: &str, code: u16) {
    until(NOTICED, &format!("{path} saying {code}"), || agent.get(path).0 == code);
}

#[test]
fn a_wrong_password_is_named_tried_rarely_and_mended_by_mending_it() {
    both(|version| {
        let asterisk = Asterisk::start(version);
        user(&asterisk, "stranger", "secret=another\nread=system\nwrite=system");
        let agent = Agent::start(&settings(&asterisk, &as_user(&asterisk, asterisk.ports.ami, "stranger")));
        assert_eq!(named(&agent, "ami-auth-failed")["user"], "stranger");
        serving(&agent);
        let pair = rotate(&asterisk);
        agent.wait("the pair that waits", SOON, |status| finding(status, "tls-serves-other").is_some());
        let mark = asterisk.mark();
        costs_little(&agent);
        // fail2ban counts these lines.
        assert!(asterisk.complaints(mark).len() <= 1, "{:?}", asterisk.complaints(mark));
        stays_ready(&agent, &pair);
        user(&asterisk, "stranger", &format!("secret={SECRET}\nread=system\nwrite=system"));
        gets_proved(&agent, &asterisk, &pair);
    });
}

#[test]
fn a_missing_class_is_named_with_its_line_and_works_once_granted() {
    both(|version| {
        let asterisk = Asterisk::start(version);
        user(&asterisk, "poor", &format!("secret={SECRET}\nread=system\nwrite=call"));
        let agent = Agent::start(&settings(&asterisk, &as_user(&asterisk, asterisk.ports.ami, "poor")));
        serving(&agent);
        let mut manager = asterisk.manager();
        let pair = rotate(&asterisk);
        let evidence = named(&agent, "ami-permission-denied");
        assert_eq!((&evidence["section"], &evidence["add"]), (&"[poor]".into(), &"write = system".into()));
        costs_little(&agent);
        stays_ready(&agent, &pair);
        user(&asterisk, "poor", &format!("secret={SECRET}\nread=system\nwrite=system"));
        gets_proved(&agent, &asterisk, &pair);
        let reloads = manager.reloads(0).unwrap();
        assert_eq!(reloads.iter().filter(|module| *module == "http").count(), 1, "{reloads:?}");
    });
}

#[test]
fn a_user_with_class_command_alone_is_enough_for_a_rotation() {
    both(|version| {
        let asterisk = Asterisk::start(version);
        user(&asterisk, "typist", &format!("secret={SECRET}\nread=\nwrite=command"));
        let agent = Agent::start(&settings(&asterisk, &as_user(&asterisk, asterisk.ports.ami, "typist")));
        serving(&agent);
        let pair = rotate(&asterisk);
        gets_proved(&agent, &asterisk, &pair);
        assert_eq!(agent.status()["counts"]["proved"], 1);
    });
}

#[test]
fn a_port_that_refuses_is_named_and_found_again_when_it_opens() {
    both(|version| {
        let asterisk = Asterisk::start(version);
        let port = *asterisk.ports.spare.start();
        let agent = Agent::start(&settings(&asterisk, &at(&asterisk, port)));
        assert_eq!(named(&agent, "ami-refused")["address"], format!("127.0.0.1:{port}"));
        serving(&agent);
        let pair = rotate(&asterisk);
        let status = agent.wait("the pair that waits", SOON, |status| status["phase"] == "Unreachable");
        assert_eq!(status["ami"]["connected"], false);
        costs_little(&agent);
        stays_ready(&agent, &pair);
        let _peer = Peer::at(port, Manners::Through(asterisk.ports.ami));
        gets_proved(&agent, &asterisk, &pair);
    });
}

#[test]
fn a_port_that_speaks_something_else_or_nothing_is_named_for_it() {
    both(|version| {
        let asterisk = Asterisk::start(version);
        let port = *asterisk.ports.spare.start();
        let peer = Peer::at(port, Manners::Says("SSH-2.0-OpenSSH_9.6\r\n"));
        let agent = Agent::start(&settings(&asterisk, &at(&asterisk, port)));
        serving(&agent);
        let mut pair = rotate(&asterisk);
        for (manners, code, key, value) in [
            (Manners::Says("SSH-2.0-OpenSSH_9.6\r\n"), "ami-not-ami", "came", "SSH-2.0-OpenSSH_9.6"),
            (Manners::Says("HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n"), "ami-not-ami", "came", "HTTP/1.1 400 Bad Request"),
            (Manners::Silent, "ami-timeout", "stage", "banner"),
        ] {
            peer.become_(manners);
            agent.wait(value, SOON, |status| {
                let said = finding(status, code).and_then(|finding| finding["evidence"][key].as_str());
                said.is_some_and(|said| said.starts_with(value))
            });
            let taken = peer.taken();
            costs_little(&agent);
            assert!(peer.taken() - taken <= 10, "{} connections in {WINDOW:?}", peer.taken() - taken);
            stays_ready(&agent, &pair);
            peer.become_(Manners::Through(asterisk.ports.ami));
            gets_proved(&agent, &asterisk, &pair);
            // The next fault begins with a connection that stood, and breaks.
            peer.become_(Manners::Silent);
            agent.wait("the loss", SOON, |status| status["ami"]["connected"] == false);
            pair = rotate(&asterisk);
        }
    });
}

#[test]
fn a_reload_that_is_queued_because_asterisk_boots_is_named_and_proved_after_it() {
    both(|version| {
        let mut asterisk = Asterisk::start(version);
        for (name, line) in [("asterisk.conf", "execincludes = yes\n"), ("extensions.conf", "#exec \"/bin/sleep 4\"\n")] {
            let path = asterisk.etc().join(name);
            let text = fs::read_to_string(&path).unwrap();
            // [options] is the last section of asterisk.conf.
            fs::write(&path, if name == "asterisk.conf" { format!("{text}{line}") } else { format!("{line}{text}") }).unwrap();
        }
        asterisk.kill();
        let agent = Agent::start(&settings(&asterisk, &at(&asterisk, asterisk.ports.ami)));
        named(&agent, "ami-refused");
        let tls = asterisk.tls();
        thread::scope(|scope| {
            let restarting = scope.spawn(|| asterisk.restart());
            agent.wait("the booting Asterisk", SOON, |status| {
                status["ami"]["connected"] == true && status["ami"]["fullyBooted"] == false && status["surfaces"][0]["door"] == "open"
            });
            let pair = Authority::new().issue(&["localhost"]);
            pair.write(&tls, Writing::Renames);
            named(&agent, "ami-booting");
            let status = agent.wait("the end of booting", SOON, |status| {
                status["phase"] == "Serving" && status["surfaces"][0]["served"]["fingerprintSha256"] == pair.fingerprint
            });
            assert!(finding(&status, "ami-booting").is_none(), "{status:#}");
            restarting.join().unwrap();
        });
    });
}

#[test]
fn a_frozen_asterisk_is_unready_in_time_and_live_and_gets_what_waited_when_it_thaws() {
    both(|version| {
        let mut asterisk = Asterisk::start(version);
        let agent = Agent::start(&settings(&asterisk, &at(&asterisk, asterisk.ports.ami)));
        serving(&agent);
        asterisk.stop();
        turns(&agent, "/readyz", 503);
        let evidence = named(&agent, "ami-timeout");
        assert_eq!(evidence["stage"], "keepalive");
        let status = agent.wait("the phase", SOON, |status| status["phase"] == "Unreachable");
        assert_eq!(status["surfaces"][0]["door"], "unreachable");
        assert_eq!(agent.get("/livez"), (200, "ok\n".to_owned()));
        let pair = rotate(&asterisk);
        costs_little(&agent);
        asterisk.cont();
        turns(&agent, "/readyz", 200);
        gets_proved(&agent, &asterisk, &pair);
        assert_eq!(agent.status()["counts"]["proved"], 1);
    });
}

#[test]
fn a_restart_of_asterisk_is_survived_with_health_that_says_so() {
    both(|version| {
        let mut asterisk = Asterisk::start(version);
        let agent = Agent::start(&settings(&asterisk, &at(&asterisk, asterisk.ports.ami)));
        serving(&agent);
        asterisk.kill();
        turns(&agent, "/readyz", 503);
        let status =
            agent.wait("both faults", SOON, |status| finding(status, "ami-refused").is_some() && finding(status, "tcp-refused").is_some());
        assert_eq!(status["phase"], "Unreachable");
        assert_eq!(agent.get("/livez").0, 200, "within liveness.after");
        costs_little(&agent);
        asterisk.restart();
        turns(&agent, "/readyz", 200);
        serving(&agent);
        // From within: the process stays, AMI is gone for a moment.
        let before = agent.status()["counts"]["amiConnects"].as_u64().unwrap();
        let _ = asterisk.manager().action("Command", &[("Command", "core restart now")]);
        agent.wait("the new connection", SOON, |status| {
            status["counts"]["amiConnects"].as_u64() > Some(before) && status["ami"]["fullyBooted"] == true
        });
        let pair = rotate(&asterisk);
        gets_proved(&agent, &asterisk, &pair);
    });
}

#[test]
fn asterisk_killed_in_the_midst_of_a_reload_comes_back_with_the_new_pair() {
    both(|version| {
        let mut asterisk = Asterisk::start(version);
        let quiet = settings(&asterisk, &at(&asterisk, asterisk.ports.ami)).replace("timeout: 500ms", "timeout: 900ms");
        let agent = Agent::start(&quiet);
        serving(&agent);
        // Frozen, it has taken the reload and does not do it; a look may come before the files are seen, so it is tried until it fits.
        let mut pair = rotate(&asterisk);
        until(SOON, "a reload under way", || {
            gets_proved(&agent, &asterisk, &pair);
            asterisk.stop();
            pair = rotate(&asterisk);
            let end = clock::tick() + Duration::from_millis(800);
            let mut reloading = false;
            while !reloading && clock::tick() < end {
                reloading = agent.status()["phase"] == "Reloading";
            }
            if !reloading {
                asterisk.cont();
            }
            reloading
        });
        asterisk.kill();
        agent.wait("the loss", SOON, |status| finding(status, "ami-refused").is_some());
        turns(&agent, "/readyz", 503);
        asterisk.restart();
        gets_proved(&agent, &asterisk, &pair);
    });
}

#[test]
fn ami_over_tls_works_and_its_refusals_are_named() {
    both(|version| {
        let trusted = Authority::new();
        let authority = trusted.root_pem.clone();
        let over_tls = |asterisk: &Asterisk| {
            let ca = asterisk.folder().join("ca.pem");
            fs::write(&ca, &authority).unwrap();
            let ami = at(asterisk, asterisk.ports.ami_tls);
            settings(asterisk, &format!("{ami}, tls: {{serverName: localhost, trust: {}}}", ca.display()))
        };
        for (issuer, name) in [(&trusted, "localhost"), (&Authority::named("Other"), "localhost"), (&trusted, "elsewhere.example.com")] {
            let asterisk = Asterisk::build(version).pair(&issuer.issue(&[name])).ami_tls().start();
            let agent = Agent::start(&over_tls(&asterisk));
            serving(&agent);
            let good = std::ptr::eq(issuer, &trusted) && name == "localhost";
            let pair = trusted.issue(&["localhost"]);
            pair.write(&asterisk.tls(), Writing::Renames);
            if !good {
                assert_eq!(named(&agent, "ami-tls-failed")["stage"], "tls");
                agent.wait("the pair that waits", SOON, |status| finding(status, "tls-serves-other").is_some());
                costs_little(&agent);
                stays_ready(&agent, &pair);
                assert!(asterisk.manager().reload("manager").unwrap().succeeded());
            }
            gets_proved(&agent, &asterisk, &pair);
        }
    });
}

#[test]
fn an_answer_that_breaks_off_is_no_failure_of_the_rotation() {
    both(|version| {
        let asterisk = Asterisk::start(version);
        let port = *asterisk.ports.spare.start();
        let peer = Peer::at(port, Manners::BreaksAnAnswer(asterisk.ports.ami));
        let agent = Agent::start(&settings(&asterisk, &at(&asterisk, port)));
        agent.wait("both", SOON, |status| status["phase"] == "Serving" && status["ami"]["fullyBooted"] == true);
        let mut manager = asterisk.manager();
        let mark = manager.mark();
        let pair = rotate(&asterisk);
        until(SOON, "the answer that breaks off", || peer.broke());
        agent.wait("the new connection", SOON, |status| status["counts"]["amiConnects"] == 2);
        gets_proved(&agent, &asterisk, &pair);
        assert_eq!(manager.reloads(mark).unwrap().len(), 1, "the wire showed that it was done");
    });
}
