//! The harness itself, shown on both versions: an Asterisk that boots in seconds, is alone with its ports and folder, leaves nothing
//! behind, and behaves as everything else here assumes.

mod support;

use std::{fs, thread, time::Duration};

use starkeeper::clock;
use support::{
    asterisk::{Asterisk, BOTH},
    certs::{Authority, Writing, self_signed},
    until,
    wire::{self, Door, WebSocket},
};

#[test]
fn an_instance_boots_within_five_seconds_and_leaves_nothing_behind() {
    for version in BOTH {
        let began = clock::tick();
        let mut asterisk = Asterisk::start(version);
        let took = clock::tick() - began;
        assert!(took < Duration::from_secs(5), "{version:?} took {took:?}");
        assert!(asterisk.alive() && asterisk.rss() > 10_000_000);
        let (pid, folder, port) = (asterisk.pid(), asterisk.folder().to_owned(), asterisk.ports.wss);
        let namespace = fs::read_link(format!("/proc/{pid}/ns/mnt")).unwrap();
        drop(asterisk);
        assert!(!folder.exists());
        assert_eq!(wire::door(port), Door::Refused);
        assert!(!fs::read_to_string("/proc/self/mounts").unwrap().contains(folder.to_str().unwrap()));
        let left = fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read_link(entry.ok()?.path().join("ns/mnt")).ok());
        assert_eq!(left.filter(|found| *found == namespace).count(), 0, "a process is left in the namespace");
    }
}

#[test]
fn two_of_each_run_at_once_and_each_serves_its_own_certificate() {
    let authority = Authority::new();
    let authority = &authority;
    let served: Vec<_> = thread::scope(|scope| {
        let both = BOTH.iter().chain(&BOTH).map(|version| {
            scope.spawn(move || {
                let pair = authority.issue(&["localhost"]);
                let asterisk = Asterisk::build(*version).pair(&pair).start();
                assert_eq!(wire::served(asterisk.ports.wss).map(|served| served.fingerprint), Some(pair.fingerprint.clone()));
                (asterisk, pair)
            })
        });
        let both: Vec<_> = both.collect();
        both.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (asterisk, pair) in &served {
        let found = wire::served(asterisk.ports.wss).unwrap();
        assert_eq!((&found.fingerprint, found.chain.len()), (&pair.fingerprint, 2));
    }
}

#[test]
fn a_reload_over_ami_picks_up_a_new_certificate_and_open_websockets_live_on() {
    for version in BOTH {
        let authority = Authority::new();
        let old = authority.issue(&["localhost"]);
        let new = authority.issue(&["localhost"]);
        let asterisk = Asterisk::build(version).pair(&old).start();
        let mut browser = WebSocket::open(asterisk.ports.wss).unwrap();
        assert!(browser.ping());
        new.write(&asterisk.tls(), Writing::CertThenKey);
        assert_eq!(wire::served(asterisk.ports.wss).unwrap().fingerprint, old.fingerprint);
        let mut manager = asterisk.manager();
        let mark = manager.mark();
        assert!(manager.reload("http").unwrap().succeeded());
        assert_eq!(manager.reloads(mark).unwrap(), ["http"]);
        assert_eq!(wire::served(asterisk.ports.wss).unwrap().fingerprint, new.fingerprint);
        assert_eq!(wire::door(asterisk.ports.wss), Door::Open);
        assert!(browser.ping());
        assert_eq!(browser.fingerprint, old.fingerprint);
    }
}

#[test]
fn a_bad_pair_turns_the_door_dark_and_a_reload_with_good_files_heals_it_where_the_absent_include_is() {
    for version in BOTH {
        let authority = Authority::new();
        let good = authority.issue(&["localhost"]);
        let bad = good.with_key_of(&authority.issue(&["localhost"]));
        for include in [true, false] {
            let builder = Asterisk::build(version).pair(&good);
            let asterisk = if include { builder } else { builder.without_absent_include() }.start();
            let mut browser = WebSocket::open(asterisk.ports.wss).unwrap();
            let mut manager = asterisk.manager();
            bad.write(&asterisk.tls(), Writing::Renames);
            assert!(manager.reload("http").unwrap().succeeded());
            assert!(matches!(wire::door(asterisk.ports.wss), Door::Dark(_)), "{version:?}");
            assert!(browser.ping());
            good.write(&asterisk.tls(), Writing::Renames);
            assert!(manager.reload("http").unwrap().succeeded());
            if include {
                assert_eq!(wire::door(asterisk.ports.wss), Door::Open);
            } else {
                assert!(matches!(wire::door(asterisk.ports.wss), Door::Dark(_)), "{version:?}");
            }
        }
    }
}

#[test]
fn looking_leaves_no_complaint_in_the_log_and_an_abrupt_end_does() {
    for version in BOTH {
        let asterisk = Asterisk::start(version);
        let mark = asterisk.mark();
        for _ in 0..5 {
            assert_eq!(wire::door(asterisk.ports.wss), Door::Open);
            assert!(wire::served(asterisk.ports.wss).is_some());
        }
        let mut browser = WebSocket::open(asterisk.ports.wss).unwrap();
        assert!(browser.ping());
        browser.close();
        WebSocket::open(asterisk.ports.wss).unwrap().abandon();
        until(Duration::from_secs(5), "a complaint about the abrupt end", || !asterisk.complaints(mark).is_empty());
        let complaints = asterisk.complaints(mark);
        assert!(complaints.len() <= 2, "{version:?}: {complaints:#?}");
    }
}

#[test]
fn a_frozen_instance_is_silent_a_killed_one_refuses_and_a_restarted_one_is_back_on_the_same_port() {
    for version in BOTH {
        let pair = self_signed(&["localhost"]).issue();
        let mut asterisk = Asterisk::build(version).pair(&pair).start();
        let (port, pid) = (asterisk.ports.wss, asterisk.pid());
        asterisk.stop();
        assert_eq!(wire::door(port), Door::Silent);
        asterisk.cont();
        assert_eq!(wire::door(port), Door::Open);
        asterisk.kill();
        assert!(!asterisk.alive());
        assert_eq!(wire::door(port), Door::Refused);
        asterisk.restart();
        assert_ne!(asterisk.pid(), pid);
        assert_eq!(wire::served(port).map(|served| served.fingerprint), Some(pair.fingerprint.clone()));
    }
}
