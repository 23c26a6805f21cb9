//! Who else touches it: operators, configuration tools, a second agent and scripts act on the same Asterisk, 16 and 22, and each time the
//! agent ends in the right phase, with the right counts, and without adding to the storm.
#![allow(clippy::unwrap_used, reason = "what cannot go on fails the test at the place where it stands")]

mod support;

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use serde_json::Value;
use support::{
    agent::Agent,
    asterisk::{Asterisk, BOTH, Version},
    certs::{Authority, Pair, Writing},
    until,
    wire::{self, Door},
};

const NAME: &str = "pbx.example.com";
const SOON: Duration = Duration::from_secs(30);

#[test]
fn reloads_by_hand_are_followed_by_a_look_and_by_no_reload() {
    for version in BOTH {
        let asterisk = Asterisk::build(version).sip_tls().ami_tls().start();
        let agent = Agent::start(&settings(&asterisk, ""));
        agent.wait("the first proof", SOON, all_match);
        let mut manager = asterisk.manager();
        for command in ["module reload http", "pjsip reload", "module reload res_pjsip.so", "module reload manager", "core reload"] {
            let before = agent.status();
            manager.command(command).unwrap();
            let looked = |status: &Value| status["counts"]["probes"]["open"].as_u64() > before["counts"]["probes"]["open"].as_u64();
            let status = agent.wait(command, SOON, |status| looked(status) && all_match(status));
            assert_eq!(status["counts"]["proved"], 0, "{command}");
        }
        // Every reload that Asterisk tells of from here on would be the agent's.
        // `core reload` goes on after its answer.
        until(SOON, "the end of core reload", || manager.reloads(0).unwrap().iter().any(|module| module == "All"));
        let mark = manager.mark();
        let before = agent.status()["counts"]["probes"]["open"].as_u64();
        agent.wait("two more looks", SOON, |status| status["counts"]["probes"]["open"].as_u64() >= before.map(|count| count + 2));
        assert_eq!(manager.reloads(mark).unwrap(), Vec::<String>::new(), "{version:?}");
    }
}

#[test]
fn somebody_elses_reload_of_a_new_pair_is_no_second_reload() {
    for version in BOTH {
        let authority = Authority::new();
        let asterisk = Asterisk::start(version);
        let agent = Agent::start(&settings(&asterisk, ""));
        agent.wait("the first proof", SOON, all_match);
        let mut manager = asterisk.manager();
        let mark = manager.mark();
        for _ in 0..5 {
            let pair = authority.issue(&[NAME]);
            pair.write(&asterisk.tls(), Writing::Renames);
            manager.command("module reload http").unwrap();
            agent.wait("the pair", SOON, |status| shows(status, &pair));
        }
        let reloads = manager.reloads_done(mark).unwrap();
        assert!(reloads.iter().all(|module| module == "http") && (5..=10).contains(&reloads.len()), "{version:?} {reloads:?}");
    }
}

#[test]
fn the_former_pair_put_back_is_served_again_with_one_reload() {
    for version in BOTH {
        let authority = Authority::new();
        let (first, second) = (authority.issue(&[NAME]), authority.issue(&[NAME]));
        let asterisk = Asterisk::build(version).pair(&first).start();
        let agent = Agent::start(&settings(&asterisk, ""));
        agent.wait("the first proof", SOON, all_match);
        let mut manager = asterisk.manager();
        let mark = manager.mark();
        for pair in [&second, &first, &second, &first] {
            pair.write(&asterisk.tls(), Writing::Renames);
            agent.wait("the pair", SOON, |status| shows(status, pair));
            assert_eq!(fingerprint(asterisk.ports.wss), pair.fingerprint);
        }
        assert_eq!(manager.reloads(mark).unwrap(), ["http"; 4], "{version:?}");
        // Read, and put back before anybody could have reloaded: nothing is to be done, or both are done.
        second.write(&asterisk.tls(), Writing::Renames);
        first.write(&asterisk.tls(), Writing::Renames);
        agent.wait("the pair", SOON, |status| shows(status, &first));
        assert!([4, 5, 6].contains(&manager.reloads(mark).unwrap().len()), "{version:?}");
    }
}

#[test]
fn a_module_unloaded_is_told_and_is_served_again_once_it_is_loaded_without_a_reload() {
    for version in BOTH {
        let asterisk = Asterisk::start(version);
        let agent = Agent::start(&settings(&asterisk, ""));
        agent.wait("the first proof", SOON, all_match);
        let mut manager = asterisk.manager();
        let mark = manager.mark();
        // `module load` by Command is barred for everybody.
        let mut module =
            |deed| manager.action("ModuleLoad", &[("LoadType", deed), ("Module", "res_pjsip_transport_websocket.so")]).unwrap();
        assert!(module("unload").succeeded());
        agent.wait("a door that takes no sip", SOON, |status| status["ready"]["ok"] == false && status["surfaces"][0]["door"] == "shut");
        assert!(module("load").succeeded());
        agent.wait("the door open again", SOON, |status| status["ready"]["ok"] == true && all_match(status));
        assert_eq!(manager.reloads(mark).unwrap(), Vec::<String>::new(), "{version:?}: no reload brings a module");
    }
}

#[test]
fn http_conf_rewritten_by_a_tool_is_followed_and_its_lost_line_is_told() {
    for version in BOTH {
        let authority = Authority::new();
        let asterisk = Asterisk::start(version);
        let agent = Agent::start(&settings(&asterisk, ""));
        let status = agent.wait("the first proof", SOON, all_match);
        assert_eq!(status["healing"]["by"], "absentInclude");
        let mut manager = asterisk.manager();
        let mark = manager.mark();
        let other = asterisk.tls().join("integration");
        fs::create_dir(&other).unwrap();
        let pair = authority.issue(&[NAME]);
        pair.write(&other, Writing::CertThenKey);
        let text = fs::read_to_string(asterisk.etc().join("http.conf")).unwrap();
        let text = text.replace("#tryinclude starkeeper.absent\n", "").replace("/tls/tls.", "/tls/integration/tls.");
        fs::write(asterisk.etc().join(".http.conf.new"), text).unwrap();
        fs::rename(asterisk.etc().join(".http.conf.new"), asterisk.etc().join("http.conf")).unwrap();
        let status = agent.wait("the other pair", SOON, |status| shows(status, &pair));
        assert_eq!(status["healing"]["by"], "none");
        let told = status["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "cannot-heal").expect("told");
        assert_eq!(told["evidence"]["file"], asterisk.etc().join("http.conf").display().to_string());
        assert_eq!(manager.reloads(mark).unwrap(), ["http"], "{version:?}");
        // The tool's own next rotation, in the files that it chose.
        let next = authority.issue(&[NAME]);
        next.write(&other, Writing::Renames);
        agent.wait("the next pair", SOON, |status| shows(status, &next));
        assert_eq!(fingerprint(asterisk.ports.wss), next.fingerprint);
        assert_eq!(manager.reloads(mark).unwrap(), ["http", "http"], "{version:?}");
    }
}

#[test]
fn two_agents_on_one_asterisk_both_end_serving_and_make_no_storm() {
    const ROTATIONS: usize = 30;
    // Not on 16.28: one agent's probe meets the other's reload there, which crashes it now and then.
    for version in [Version::V22] {
        let authority = Authority::new();
        let asterisk = Asterisk::build(version).ami_tls().start();
        let agents = [Agent::start(&settings(&asterisk, "")), Agent::start(&settings(&asterisk, ""))];
        for agent in &agents {
            agent.wait("the first proof", SOON, all_match);
        }
        let mut manager = asterisk.manager();
        let mark = manager.mark();
        for _ in 0..ROTATIONS {
            let pair = authority.issue(&[NAME]);
            pair.write(&asterisk.tls(), Writing::Renames);
            for agent in &agents {
                agent.wait("the rotation", SOON, |status| shows(status, &pair) && all_match(status));
            }
            assert_eq!(fingerprint(asterisk.ports.wss), pair.fingerprint);
        }
        let reloads = manager.reloads_done(mark).unwrap();
        for module in ["http", "manager"] {
            let count = reloads.iter().filter(|reload| *reload == module).count();
            assert!((ROTATIONS..=2 * ROTATIONS).contains(&count), "{version:?}: {count} reloads of {module}");
            println!("{version:?}: {count} reloads of {module} by two agents over {ROTATIONS} rotations");
        }
        let after = manager.mark();
        let looks = |agent: &Agent| agent.status()["counts"]["probes"]["open"].as_u64().unwrap();
        for agent in &agents {
            let before = looks(agent);
            agent.wait("two more looks", SOON, |status| status["counts"]["probes"]["open"].as_u64() >= Some(before + 2));
        }
        assert_eq!(manager.reloads(after).unwrap(), Vec::<String>::new(), "{version:?}: they set each other off");
    }
}

#[test]
fn somebody_who_reloads_in_a_loop_is_not_joined() {
    for version in BOTH {
        let authority = Authority::new();
        let asterisk = Asterisk::start(version);
        let agent = Agent::start(&settings(&asterisk, ""));
        agent.wait("the first proof", SOON, all_match);
        let over = AtomicBool::new(false);
        let mut manager = asterisk.manager();
        let mark = manager.mark();
        let theirs = thread::scope(|scope| {
            let looping = scope.spawn(|| {
                let mut own = asterisk.manager();
                let mut count = 0;
                while !over.load(Ordering::Relaxed) {
                    // One that meets a reload of the agent's is refused.
                    count += usize::from(own.reload("http").unwrap().succeeded());
                    // A script that reloads five times a second.
                    thread::sleep(Duration::from_millis(200));
                }
                count
            });
            for _ in 0..3 {
                let pair = authority.issue(&[NAME]);
                pair.write(&asterisk.tls(), Writing::Renames);
                agent.wait("the pair amid reloads", SOON, |status| shows(status, &pair));
            }
            over.store(true, Ordering::Relaxed);
            looping.join().unwrap()
        });
        let all = manager.reloads_done(mark).unwrap().len();
        let status = agent.wait("the end", SOON, all_match);
        // Theirs may come between the two files of a pair and leave the door dark: what heals it is needed.
        let heals = ["healed", "notHealed"].iter().filter_map(|name| status["counts"][name].as_u64()).sum::<u64>() as usize;
        let log = || agent.log().join("\n");
        assert!((theirs..=theirs + 3 + heals).contains(&all), "{version:?}: {all} reloads, {theirs} theirs, {heals} heals\n{}", log());
        assert_eq!(status["ready"]["ok"], true);
        assert_eq!(wire::door(asterisk.ports.wss), Door::Open);
    }
}

fn settings(asterisk: &Asterisk, more: &str) -> String {
    format!(
        "asterisk:\n  configDir: {}\n  ami: {{username: starkeeper, secretFile: {}}}\ncertificate: {{trust: none}}\n\
         probe: {{interval: 2s, timeout: 2s}}\nlog: {{format: json, level: info}}\n{more}",
        asterisk.etc().display(),
        asterisk.secret_file().display()
    )
}

/// Everything, but what 16.28 cannot refresh.
fn all_match(status: &Value) -> bool {
    status["phase"] == "Serving" && status["surfaces"].as_array().unwrap().iter().all(|surface| surface["matchesWanted"] == true)
}

fn shows(status: &Value, pair: &Pair) -> bool {
    let wss = &status["surfaces"][0];
    status["phase"] == "Serving" && wss["served"]["fingerprintSha256"] == pair.fingerprint && wss["matchesWanted"] == true
}

fn fingerprint(port: u16) -> String {
    wire::served(port).map(|served| served.fingerprint).unwrap_or_default()
}
