//! Every TLS door of one Asterisk, 16 and 22: found in its own files, refreshed by the least that does it, each proved on its own port by
//! a client that shares no code with the agent, and told in status and metrics.
#![allow(clippy::unwrap_used, reason = "what cannot go on fails the test at the place where it stands")]

mod support;

use std::{fs, time::Duration};

use rustix::process::Signal;
use serde_json::Value;
use support::{
    agent::Agent,
    asterisk::{Asterisk, BOTH, Builder, Version},
    certs::{Authority, Pair, Writing, self_signed},
    wire,
};

const NAME: &str = "pbx.example.com";
const SOON: Duration = Duration::from_secs(30);

#[test]
fn one_rotation_refreshes_every_surface_by_the_least_and_browsers_first() {
    for version in BOTH {
        let authority = Authority::new();
        let mut asterisk = all(version).pair(&authority.issue(&[NAME])).start();
        let agent = Agent::start(&settings(&asterisk, ""));
        let status = agent.wait("every surface", SOON, all_match);
        assert_eq!(names(&status), ["wss", "sip-tls/tls", "ami-tls"]);
        for (index, port) in [asterisk.ports.wss, asterisk.ports.sip_tls, asterisk.ports.ami_tls].into_iter().enumerate() {
            assert_eq!(status["surfaces"][index]["address"], format!("127.0.0.1:{port}"));
        }
        let mut manager = asterisk.manager();
        let mark = manager.mark();
        let log = asterisk.mark();
        let rotations = 3;
        let mut newest = authority.issue(&[NAME]);
        for _ in 0..rotations {
            newest = authority.issue(&[NAME]);
            newest.write(&asterisk.tls(), Writing::Renames);
            let refreshed = |status: &Value| match version {
                Version::V16 => shows(status, "wss", &newest) && shows(status, "ami-tls", &newest),
                Version::V22 => all_match(status) && shows(status, "wss", &newest),
            };
            agent.wait("the rotation", SOON, refreshed);
        }
        let once: &[&str] = match version {
            Version::V16 => &["http", "manager"],
            Version::V22 => &["http", "res_pjsip.so", "manager"],
        };
        assert_eq!(manager.reloads(mark).unwrap(), once.repeat(rotations), "{version:?}");
        // The normal words of a transport that takes up its certificate without being restarted.
        let normal = ["is not fully reloadable", "Type 'system' is not reloadable", "CA certificates from buffer"];
        let complaints: Vec<_> =
            asterisk.complaints(log).into_iter().filter(|line| !normal.iter().any(|words| line.contains(words))).collect();
        assert_eq!(complaints, Vec::<String>::new(), "{version:?}");
        assert_eq!(fingerprint(asterisk.ports.wss), newest.fingerprint);
        assert_eq!(fingerprint(asterisk.ports.ami_tls), newest.fingerprint);
        let sip = fingerprint(asterisk.ports.sip_tls);
        let status = agent.status();
        assert_eq!((status["phase"].as_str(), status["counts"]["proved"].as_u64()), (Some("Serving"), Some(rotations as u64)));
        match version {
            Version::V22 => assert_eq!(sip, newest.fingerprint),
            Version::V16 => {
                assert_ne!(sip, newest.fingerprint);
                let told = finding(&status, "sip-tls-reload-unsupported").expect("told, with the version");
                assert_eq!(told["severity"], "warning");
                assert!(told["evidence"]["found"].as_str().unwrap().starts_with("16.28"), "{told}");
                assert!(finding_of(&status, "tls-serves-other", "sip-tls/tls").is_some());
                assert!(agent.get("/metrics").1.contains("starkeeper_served_matches_wanted{surface=\"sip-tls/tls\"} 0"));
                drop(manager);
                asterisk.restart();
                let status = agent.wait("the new one after a restart", SOON, all_match);
                assert!(finding(&status, "sip-tls-reload-unsupported").is_none());
                assert_eq!(fingerprint(asterisk.ports.sip_tls), newest.fingerprint);
            }
        }
        let metrics = agent.get("/metrics").1;
        for surface in ["wss", "sip-tls/tls", "ami-tls"] {
            assert!(metrics.contains(&format!("starkeeper_served_matches_wanted{{surface=\"{surface}\"}} 1")), "{surface}");
            let print = format!("fingerprint_sha256=\"{}\"", newest.fingerprint);
            let info =
                |line: &&str| line.contains("certificate_info{source=\"served\"") && line.contains(&format!("surface=\"{surface}\""));
            assert!(metrics.lines().filter(info).any(|line| line.contains(&print)), "{surface}");
        }
    }
}

#[test]
fn looks_at_every_surface_leave_no_line_and_no_reload() {
    for version in BOTH {
        let asterisk = all(version).start();
        let mut agent = Agent::start(&settings(&asterisk, ""));
        agent.wait("every surface", SOON, all_match);
        let mut manager = asterisk.manager();
        let (mark, log) = (manager.mark(), asterisk.mark());
        for _ in 0..10 {
            let before = agent.status();
            agent.signal(Signal::HUP);
            agent.wait("a look at each", SOON, |status| {
                (0..3).all(|index| status["surfaces"][index]["lookedAt"] != before["surfaces"][index]["lookedAt"])
            });
        }
        assert_eq!(manager.reloads(mark).unwrap(), Vec::<String>::new(), "{version:?}");
        assert_eq!(asterisk.complaints(log), Vec::<String>::new(), "{version:?}");
    }
}

#[test]
fn ami_over_tls_that_no_reload_refreshes_is_told_and_not_reloaded() {
    for version in BOTH {
        let authority = Authority::new();
        let asterisk = Asterisk::build(version).ami_tls().without_absent_include().start();
        let agent = Agent::start(&settings(&asterisk, ""));
        agent.wait("every surface", SOON, all_match);
        let mut manager = asterisk.manager();
        let mark = manager.mark();
        let pair = authority.issue(&[NAME]);
        pair.write(&asterisk.tls(), Writing::Renames);
        let status = agent.wait("the finding", SOON, |status| finding_of(status, "tls-serves-other", "ami-tls").is_some());
        assert!(shows(&status, "wss", &pair));
        let file = asterisk.etc().join("manager.conf").display().to_string();
        let told =
            status["findings"].as_array().unwrap().iter().find(|one| one["code"] == "cannot-heal" && one["evidence"]["file"] == file);
        assert_eq!(told.unwrap()["severity"], "warning");
        assert_eq!(manager.reloads(mark).unwrap(), ["http"], "{version:?}");
        // The line that the finding gives, pasted, lets the next look mend it.
        let text = fs::read_to_string(asterisk.etc().join("manager.conf")).unwrap();
        fs::write(asterisk.etc().join("manager.conf"), text.replacen("[general]", "[general]\n#tryinclude starkeeper.absent", 1)).unwrap();
        agent.wait("the line pasted", SOON, all_match);
        assert_eq!(fingerprint(asterisk.ports.ami_tls), pair.fingerprint);
        assert_eq!(manager.reloads(mark).unwrap(), ["http", "manager"], "{version:?}");
    }
}

#[test]
fn edits_of_the_configuration_are_followed_without_a_reload_of_what_needs_none() {
    for version in BOTH {
        let authority = Authority::new();
        let first = authority.issue(&[NAME]);
        let asterisk = all(version).pair(&first).start();
        let agent = Agent::start(&settings(&asterisk, ""));
        agent.wait("every surface", SOON, all_match);
        let mut manager = asterisk.manager();
        let mark = manager.mark();
        edit(&asterisk, "pjsip.conf", |text| text.replacen("protocol=tls", "protocol=tcp", 1));
        agent.wait("SIP over TLS gone", SOON, |status| names(status) == ["wss", "ami-tls"]);
        edit(&asterisk, "manager.conf", |text| text.replacen("tlsenable=yes", "tlsenable=no", 1));
        agent.wait("AMI over TLS gone", SOON, |status| names(status) == ["wss"]);
        assert_eq!(manager.reloads(mark).unwrap(), Vec::<String>::new(), "{version:?}");
        // Transports in a file of their own, as FreePBX has them: an edit there is followed, too.
        edit(&asterisk, "pjsip.conf", |text| format!("#include more.conf\n{}", text.replacen("protocol=tcp", "protocol=tls", 1)));
        fs::write(asterisk.etc().join("more.conf"), "; nothing\n").unwrap();
        agent.wait("SIP over TLS again", SOON, |status| names(status) == ["wss", "sip-tls/tls"] && all_match(status));
        let (cert, key) = (asterisk.cert().display(), asterisk.key().display());
        let second = format!(
            "[more]\ntype=transport\nprotocol=tls\nbind=127.0.0.1:{}\ncert_file={cert}\npriv_key_file={key}\n",
            asterisk.ports.sip_tls
        );
        fs::write(asterisk.etc().join("more.conf"), second).unwrap();
        agent.wait("the included transport", SOON, |status| names(status) == ["wss", "sip-tls/more", "sip-tls/tls"]);
        // Other files for browsers.
        let other = asterisk.tls().join("other");
        fs::create_dir(&other).unwrap();
        let pair = authority.issue(&[NAME]);
        pair.write(&other, Writing::CertThenKey);
        let tls = asterisk.tls().display().to_string();
        edit(&asterisk, "http.conf", |text| text.replace(&format!("{tls}/tls."), &format!("{tls}/other/tls.")));
        let status = agent.wait("the other files", SOON, |status| status["phase"] == "Serving" && shows(status, "wss", &pair));
        assert_eq!(names(&status), ["wss"], "the transports use the former files");
        assert_eq!(manager.reloads(mark).unwrap(), ["http"], "{version:?}");
        assert_eq!(fingerprint(asterisk.ports.wss), pair.fingerprint);
    }
}

#[test]
fn asked_for_always_or_never_it_is_always_or_never() {
    for version in BOTH {
        let authority = Authority::new();
        for (user, missing) in [("admin", false), ("starkeeper", false), ("starkeeper", true)] {
            let mut build = all(version);
            if missing {
                build = build.noload("res_pjsip_notify.so").noload("res_clialiases.so");
            }
            let asterisk = build.start();
            let always = settings(&asterisk, "reload: {pjsip: always, manager: always}\n")
                .replace("username: starkeeper", &format!("username: {user}"));
            let agent = Agent::start(&always);
            agent.wait("the first proof", SOON, all_match);
            let mut manager = asterisk.manager();
            let mark = manager.mark();
            let pair = authority.issue(&[NAME]);
            let before = agent.status();
            pair.write(&asterisk.tls(), Writing::Renames);
            agent.wait("the rotation", SOON, |status| {
                shows(status, "ami-tls", &pair)
                    && (1..3).all(|index| status["surfaces"][index]["lookedAt"] != before["surfaces"][index]["lookedAt"])
            });
            let mut expected = vec![
                "http",
                "res_pjsip.so",
                "res_pjsip_authenticator_digest.so",
                "res_pjsip_endpoint_identifier_ip.so",
                "res_pjsip_mwi.so",
                "res_pjsip_notify.so",
                "res_pjsip_outbound_publish.so",
                "res_pjsip_publish_asterisk.so",
                "res_pjsip_outbound_registration.so",
                "manager",
            ];
            if missing {
                expected.retain(|module| *module != "res_pjsip_notify.so");
            }
            assert_eq!(manager.reloads_done(mark).unwrap(), expected, "{version:?} as {user}, notify missing: {missing}");
        }
        let asterisk = all(version).start();
        let agent = Agent::start(&settings(&asterisk, "reload: {pjsip: never, manager: never}\n"));
        agent.wait("the first proof", SOON, all_match);
        let mut manager = asterisk.manager();
        let mark = manager.mark();
        let pair = authority.issue(&[NAME]);
        pair.write(&asterisk.tls(), Writing::Renames);
        let status = agent.wait("the rotation", SOON, |status| status["phase"] == "Serving" && shows(status, "wss", &pair));
        assert!(finding(&status, "cannot-heal").is_none());
        assert_eq!(manager.reloads(mark).unwrap(), ["http"], "{version:?}");
    }
}

#[test]
fn other_certificates_that_asterisk_reads_are_judged_and_left_alone() {
    for version in BOTH {
        let authority = Authority::new();
        let asterisk = Asterisk::build(version).start();
        let media = asterisk.tls().join("media");
        let trunk = asterisk.tls().join("trunk");
        for folder in [&media, &trunk] {
            fs::create_dir(folder).unwrap();
        }
        let good = self_signed(&["media.example.com"]).issue();
        good.with_key_of(&authority.issue(&[NAME])).write(&media, Writing::CertThenKey);
        authority.leaf(&[NAME]).expired(Duration::from_secs(3600)).issue().write(&trunk, Writing::CertThenKey);
        let (media_cert, media_key) = (media.join("tls.crt"), media.join("tls.key"));
        edit(&asterisk, "pjsip.conf", |text| {
            format!(
                "{text}\n[media](!)\ntype=endpoint\nwebrtc=yes\ndtls_cert_file={}\ndtls_private_key={}\n\n[alice](media)\ncontext=default\n\n\
                 [bob](media)\ncontext=default\n\n[trunk]\ntype=transport\nprotocol=tls\nbind=127.0.0.1:{}\ncert_file={}\npriv_key_file={}\n",
                media_cert.display(),
                media_key.display(),
                asterisk.ports.sip_tls,
                trunk.join("tls.crt").display(),
                trunk.join("tls.key").display(),
            )
        });
        let agent = Agent::start(&settings(&asterisk, ""));
        let status = agent.wait("the first proof", SOON, |status| status["phase"] == "Serving");
        assert_eq!(names(&status), ["wss"]);
        let mut manager = asterisk.manager();
        let mark = manager.mark();
        let mismatch = finding_of(&status, "key-mismatch", "dtls").expect("judged");
        assert_eq!((mismatch["severity"].as_str(), mismatch["evidence"]["section"].as_str()), (Some("warning"), Some("alice")));
        assert_eq!(mismatch["evidence"]["conf"], asterisk.etc().join("pjsip.conf").display().to_string());
        assert!(mismatch["evidence"]["confLine"].as_u64().is_some());
        assert_eq!(status["findings"].as_array().unwrap().iter().filter(|one| one["code"] == "key-mismatch").count(), 1);
        assert!(finding_of(&status, "leaf-expired", "sip-tls/trunk").is_some_and(|finding| finding["severity"] == "warning"));
        assert_eq!(agent.get("/readyz").0, 200);
        good.write(&media, Writing::Renames);
        authority.issue(&[NAME]).write(&trunk, Writing::Renames);
        agent.wait("both mended", SOON, |status| {
            finding_of(status, "key-mismatch", "dtls").is_none() && finding_of(status, "leaf-expired", "sip-tls/trunk").is_none()
        });
        fs::remove_file(&media_cert).unwrap();
        agent.wait("missing", SOON, |status| finding_of(status, "cert-missing", "dtls").is_some());
        assert_eq!(manager.reloads(mark).unwrap(), Vec::<String>::new(), "{version:?}");
    }
}

/// WSS, SIP over TLS and AMI over TLS, all with the same files.
fn all(version: Version) -> Builder {
    Asterisk::build(version).sip_tls().ami_tls()
}

/// Everything but the user and its secret comes from Asterisk's own files.
fn settings(asterisk: &Asterisk, more: &str) -> String {
    format!(
        "asterisk:\n  configDir: {}\n  ami: {{username: starkeeper, secretFile: {}}}\ncertificate: {{trust: none}}\nprobe: {{interval: 2s, timeout: 2s}}\n{more}",
        asterisk.etc().display(),
        asterisk.secret_file().display()
    )
}

/// Replaces the file as an editor does: a new one, renamed over the old one.
fn edit(asterisk: &Asterisk, name: &str, change: impl FnOnce(String) -> String) {
    let path = asterisk.etc().join(name);
    let text = change(fs::read_to_string(&path).unwrap());
    let beside = asterisk.etc().join(format!(".{name}.new"));
    fs::write(&beside, text).unwrap();
    fs::rename(&beside, &path).unwrap();
}

fn surface<'s>(status: &'s Value, name: &str) -> Option<&'s Value> {
    status["surfaces"].as_array()?.iter().find(|surface| surface["surface"] == name)
}

fn names(status: &Value) -> Vec<&str> {
    status["surfaces"].as_array().unwrap().iter().filter_map(|surface| surface["surface"].as_str()).collect()
}

fn all_match(status: &Value) -> bool {
    status["phase"] == "Serving" && status["surfaces"].as_array().unwrap().iter().all(|surface| surface["matchesWanted"] == true)
}

fn shows(status: &Value, name: &str, pair: &Pair) -> bool {
    surface(status, name)
        .is_some_and(|surface| surface["served"]["fingerprintSha256"] == pair.fingerprint && surface["matchesWanted"] == true)
}

fn finding<'s>(status: &'s Value, code: &str) -> Option<&'s Value> {
    status["findings"].as_array()?.iter().find(|finding| finding["code"] == code)
}

fn finding_of<'s>(status: &'s Value, code: &str, surface: &str) -> Option<&'s Value> {
    status["findings"].as_array()?.iter().find(|finding| finding["code"] == code && finding["evidence"]["surface"] == surface)
}

fn fingerprint(port: u16) -> String {
    wire::served(port).map(|served| served.fingerprint).unwrap_or_default()
}
