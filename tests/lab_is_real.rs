//! The harness itself, shown on both versions: an Asterisk that boots in seconds, is alone with its ports and folder, leaves nothing
//! behind, and behaves as everything else here assumes.

mod support;

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use starkeeper::clock;
use support::{
    asterisk::{Asterisk, BOTH, SECRET, Version},
    certs::{Authority, Chain, KeyKind, Layout, Pair, Writing, odd, self_signed},
    manager::Manager,
    until,
    wire::{self, Door, Sampler, WebSocket},
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
        // The log keeps its order: were there a complaint about looking, it would stand first.
        let complaints = asterisk.complaints(mark);
        assert!(complaints.iter().all(|line| line.contains("web socket") || line.contains("SSL_shutdown")), "{version:?}: {complaints:#?}");
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

#[test]
fn an_instance_dies_with_the_process_that_started_it_however_that_ends() {
    let mut other = this_test_binary("starts_one_and_waits_to_be_killed").env(TO_BE_KILLED, "yes").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(other.stdout.take().unwrap()).lines().map_while(Result::ok);
    let said = lines.find_map(|line| line.split_once("started: ").map(|(_, rest)| rest.to_owned())).unwrap();
    let (pid, folder) = said.split_once(' ').unwrap();
    assert!(fs::exists(format!("/proc/{pid}")).unwrap());
    other.kill().unwrap();
    other.wait().unwrap();
    let status = format!("/proc/{pid}/stat");
    until(Duration::from_secs(5), "the end of the instance", || fs::read_to_string(&status).map_or(true, |stat| stat.contains(") Z ")));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn starts_one_and_waits_to_be_killed() {
    if env::var_os(TO_BE_KILLED).is_some() {
        let asterisk = Asterisk::start(Version::V22);
        println!("started: {} {}", asterisk.pid(), asterisk.folder().display());
        loop {
            thread::park();
        }
    }
}

#[test]
fn a_missing_lab_fails_the_test_and_says_what_to_run() {
    let nowhere = tempfile::tempdir().unwrap();
    let output = this_test_binary("a_privileged_user_reloads_and_may_do_no_more").env("XDG_CACHE_HOME", nowhere.path()).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("run tests/lab/asterisk.sh"), "{output:?}");
}

#[test]
fn a_privileged_user_reloads_and_may_do_no_more() {
    for version in BOTH {
        let asterisk = Asterisk::start(version);
        let mut manager = Manager::login(asterisk.ports.ami, "starkeeper", SECRET).unwrap();
        manager.wait("FullyBooted", Duration::from_secs(5)).unwrap();
        assert!(manager.reload("http").unwrap().succeeded());
        let answer = manager.action("Command", &[("Command", "core show version")]).unwrap();
        assert_eq!(answer.get("Message"), Some("Permission denied"));
        assert!(asterisk.cli("core show version").contains(&format!("Asterisk {}", version.number())));
        assert!(asterisk.cli("pjsip reload").contains("res_pjsip.so"));
        assert!(Manager::login(asterisk.ports.ami, "starkeeper", "wrong").is_err());
    }
}

#[test]
fn asterisk_loads_and_refuses_the_pairs_that_it_is_known_to() {
    let authority = Authority::new();
    let names = ["localhost"];
    let good = authority.issue(&names);
    let of = |kind| authority.leaf(&names).key(kind).issue();
    let (rsa, p256) = (of(KeyKind::Rsa2048), of(KeyKind::P256));
    let mut loads: Vec<(String, Pair)> = KeyKind::ALL.map(|kind| (format!("{kind:?}"), of(kind))).into();
    loads.extend([
        ("PKCS#1".to_owned(), odd::pkcs1(&rsa)),
        ("SEC1".to_owned(), odd::sec1(&p256)),
        ("EC PARAMETERS".to_owned(), odd::sec1_after_parameters(&p256)),
        ("combined".to_owned(), good.combined()),
        ("expired".to_owned(), authority.leaf(&names).expired(Duration::from_secs(3600)).issue()),
        ("not yet valid".to_owned(), authority.leaf(&names).not_yet(Duration::from_secs(3600)).issue()),
        ("SHA-1".to_owned(), odd::sha1_signed()),
        ("CN only".to_owned(), authority.leaf(&[]).common_name_only("localhost").issue()),
        ("CA".to_owned(), authority.leaf(&names).ca().issue()),
        ("leaf only".to_owned(), authority.leaf(&names).chain(Chain::LeafOnly).issue()),
        ("reused key".to_owned(), authority.leaf(&names).key(KeyKind::P384).reuse_key(&rsa).issue()),
    ]);
    let dies = [
        ("RSA 1024", odd::rsa_1024()),
        ("encrypted PKCS#8", odd::encrypted_pkcs8(&good)),
        ("encrypted, old form, RSA", odd::encrypted_legacy(&rsa)),
        ("encrypted, old form, EC", odd::encrypted_legacy(&p256)),
        ("mismatch", good.with_key_of(&p256)),
        ("reversed", authority.leaf(&names).chain(Chain::Reversed).issue()),
        ("empty certificate", good.with_cert("")),
        ("key that is a certificate", good.with_key(good.cert_pem.clone())),
    ];
    for version in BOTH {
        let asterisk = Asterisk::build(version).pair(&good).start();
        let mut manager = asterisk.manager();
        let mut offer = |pair: &Pair| {
            pair.write(&asterisk.tls(), Writing::CertThenKey);
            manager.reload("http").unwrap();
            wire::served(asterisk.ports.wss).map(|served| served.fingerprint)
        };
        for (what, pair) in &loads {
            assert_eq!(offer(pair).as_ref(), Some(&pair.fingerprint), "{version:?}: {what}");
        }
        let v2 = of(KeyKind::Ed25519V2);
        assert_eq!(offer(&v2).is_some(), version == Version::V22, "Ed25519 as PKCS#8 version 2");
        for (what, pair) in &dies {
            assert_eq!(offer(pair), None, "{version:?}: {what}");
            assert_eq!(offer(&good).as_ref(), Some(&good.fingerprint), "{version:?}: after {what}");
        }
    }
}

#[test]
fn every_way_of_writing_ends_in_the_new_pair_where_the_layout_says() {
    let authority = Authority::new();
    let pause = Duration::from_millis(5);
    let ways =
        [Writing::CertThenKey, Writing::KeyThenCert, Writing::Apart(pause), Writing::Renames, Writing::DataSwap, Writing::CertbotLinks];
    for how in ways {
        let folder = tempfile::tempdir().unwrap();
        let layout = how.layout();
        layout.lay(folder.path(), &authority.issue(&["old.example"]));
        for _ in 0..2 {
            let new = authority.issue(&["new.example"]);
            new.write(folder.path(), how);
            assert_eq!(fs::read_to_string(layout.cert(folder.path())).unwrap(), new.cert_pem, "{how:?}");
            assert_eq!(fs::read_to_string(layout.key(folder.path())).unwrap(), new.key_pem, "{how:?}");
        }
    }
}

#[test]
fn linked_layouts_are_served_and_so_are_the_other_tls_ports() {
    for (version, layout, how) in
        [(Version::V16, Layout::Certbot, Writing::CertbotLinks), (Version::V22, Layout::DataSwap, Writing::DataSwap)]
    {
        let authority = Authority::new();
        let (old, new) = (authority.issue(&["localhost"]), authority.issue(&["localhost"]));
        let asterisk = Asterisk::build(version).pair(&old).layout(layout).ami_tls().sip_tls().start();
        let ports = &asterisk.ports;
        for port in [ports.wss, ports.ami_tls, ports.sip_tls] {
            assert_eq!(wire::served(port).map(|served| served.fingerprint).as_ref(), Some(&old.fingerprint), "{version:?} {layout:?}");
        }
        new.write(&asterisk.tls(), how);
        let mut manager = asterisk.manager();
        manager.reload("http").unwrap();
        manager.reload("manager").unwrap();
        for port in [ports.wss, ports.ami_tls] {
            assert_eq!(wire::served(port).map(|served| served.fingerprint).as_ref(), Some(&new.fingerprint), "{version:?} {layout:?}");
        }
    }
}

#[test]
fn a_sampler_tells_when_the_new_certificate_was_first_served() {
    let authority = Authority::new();
    let (old, new) = (authority.issue(&["localhost"]), authority.issue(&["localhost"]));
    let asterisk = Asterisk::build(Version::V22).pair(&old).start();
    let sampler = Sampler::start(asterisk.ports.wss, Duration::from_millis(20));
    until(Duration::from_secs(5), "a first look", || wire::served(asterisk.ports.wss).is_some());
    new.write(&asterisk.tls(), Writing::Renames);
    asterisk.manager().reload("http").unwrap();
    until(Duration::from_secs(5), "the new certificate", || {
        wire::served(asterisk.ports.wss).is_some_and(|s| s.fingerprint == new.fingerprint)
    });
    let report = sampler.stop();
    assert_eq!(report.fingerprints().first(), Some(&old.fingerprint.as_str()));
    assert!(report.longest_outage() < Duration::from_secs(2), "{report:?}");
}

#[test]
fn doors_that_are_shut_are_told_from_dark_ones() {
    for version in BOTH {
        let asterisk = Asterisk::build(version).session_limit(2).start();
        assert_eq!(WebSocket::open_at(asterisk.ports.wss, "/sip").unwrap_err(), Door::Shut(Some(404)));
        let taken: Vec<_> = (0..2).map(|_| WebSocket::open(asterisk.ports.wss).unwrap()).collect();
        assert_eq!(wire::door(asterisk.ports.wss), Door::Shut(None));
        drop(taken);
        assert_eq!(wire::door(asterisk.ports.http), Door::Cleartext);
    }
}

#[test]
fn an_instance_that_boots_without_a_good_pair_does_not_even_listen_until_a_reload_with_good_files() {
    for version in BOTH {
        let good = Authority::new().issue(&["localhost"]);
        for builder in [Asterisk::build(version).without_pair(), Asterisk::build(version).pair(&good.with_key("nothing"))] {
            let asterisk = builder.start();
            assert_eq!(wire::door(asterisk.ports.wss), Door::Refused);
            good.write(&asterisk.tls(), Writing::CertThenKey);
            asterisk.manager().reload("http").unwrap();
            assert_eq!(wire::door(asterisk.ports.wss), Door::Open, "{version:?}");
        }
    }
}

#[test]
fn chan_sip_takes_the_sip_protocol_where_it_is_loaded() {
    let mut asterisk = Asterisk::build(Version::V16).chan_sip().start();
    assert_eq!(wire::door(asterisk.ports.wss), Door::Open);
    assert!(asterisk.cli("module show like res_pjsip_transport_websocket").contains("Not Running"));
    assert!(asterisk.alive());
}

/// Runs one test of this binary in a process of its own.
fn this_test_binary(test: &str) -> Command {
    let mut command = Command::new(env::current_exe().expect("the path of this test binary"));
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command
}

const TO_BE_KILLED: &str = "STARKEEPER_LAB_TO_BE_KILLED";
