//! SIP over the WebSocket, asked as an endpoint: credentials are proved without a contact being touched, and Asterisk says nothing.

use std::{io::Write as _, time::Duration};

use tempfile::NamedTempFile;

use crate::{
    complaints_of_the_next_abrupt_end,
    doctor::Doctor,
    phone::Phone,
    support::{
        asterisk::{Asterisk, Version},
        both,
        certs::Authority,
        until,
    },
};

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    writeln!(file, "{text}").unwrap();
    file
}

fn stage(version: Version, pjsip: &str) -> (Authority, Asterisk) {
    let authority = Authority::new();
    let pair = authority.issue(&["pbx.example.com"]);
    let asterisk = Asterisk::build(version).pair(&pair).pjsip(pjsip).start();
    (authority, asterisk)
}

const ALICE: &str = "[alice]\ntype=endpoint\ncontext=default\ndisallow=all\nallow=ulaw\nwebrtc=yes\nauth=alice\naors=alice\n\n\
                     [alice]\ntype=aor\nmax_contacts=1\nremove_existing=yes\n\n\
                     [alice]\ntype=auth\nauth_type=userpass\nusername=alice\npassword=hers\n";

#[test]
fn asking_as_an_endpoint_shows_who_answers_and_leaves_no_line() {
    both(|version| {
        let (authority, asterisk) = stage(version, ALICE);
        let password = file("hers");
        let path = password.path().to_str().unwrap();
        let usual = complaints_of_the_next_abrupt_end(&asterisk, asterisk.mark());
        let mark = asterisk.mark();
        for arguments in [
            &["--user", "alice"][..],
            &["--user", "alice", "--password-file", path],
            &["--user", "alice", "--password-file", path, "--register"],
        ] {
            let report = Doctor::of(&asterisk).trusting(&authority).with(arguments).ask();
            assert_eq!(report.told(), (0, "ok", "connect", None, vec![]), "{version:?} {arguments:?}: {report:#?}");
        }
        assert_eq!(complaints_of_the_next_abrupt_end(&asterisk, mark), usual, "{version:?}: {:#?}", asterisk.complaints(mark));
    });
}

#[test]
fn a_wrong_password_is_cause_4_and_one_attempt() {
    both(|version| {
        let (authority, asterisk) = stage(version, ALICE);
        // A name that nobody has gets the same answers, so that nobody can guess names.
        for (user, password) in [("alice", "his"), ("nobody", "hers")] {
            let password = file(password);
            let mark = asterisk.mark();
            let report = Doctor::of(&asterisk)
                .trusting(&authority)
                .with(&["--user", user, "--password-file", password.path().to_str().unwrap()])
                .ask();
            assert_eq!(
                report.told(),
                (1, "broken", "connect-then-reject", Some("sip-auth-rejected"), vec!["sip-auth-rejected"]),
                "{version:?} {user}: {report:#?}"
            );
            assert_eq!(report.json["cause"], "registration");
            // Each line of this kind is one that fail2ban counts; it usually acts on the fifth.
            let failed = || asterisk.complaints(mark).iter().filter(|line| line.contains("Failed to authenticate")).count();
            until(Duration::from_secs(5), "Asterisk's word on it", || failed() > 0);
            assert!(failed() == 1 && asterisk.complaints(mark).len() <= 3, "{version:?} {user}: {:#?}", asterisk.complaints(mark));
        }
    });
}

#[test]
fn chan_sip_in_pjsips_place_is_cause_3() {
    let authority = Authority::new();
    let pair = authority.issue(&["pbx.example.com"]);
    let asterisk = Asterisk::build(Version::V16).pair(&pair).chan_sip().start();
    for arguments in [&["--user", "webrtc"][..], &["--user", "webrtc", "--password-file", file("x").path().to_str().unwrap()]] {
        let report = Doctor::of(&asterisk).trusting(&authority).with(arguments).ask();
        assert_eq!(report.first_cause(), Some("sip-owned-by-chan-sip"), "{report:#?}");
        assert_eq!((&report.json["cause"], &report.json["browserWould"]), (&"sip-transport".into(), &"connect-then-reject".into()));
    }
}

#[test]
fn the_strongest_digest_is_answered_and_one_that_jssip_does_not_know_is_said() {
    let bob = |algorithms: &str| {
        format!(
            "[bob]\ntype=endpoint\ncontext=default\ndisallow=all\nallow=ulaw\nwebrtc=yes\nauth=bob\naors=bob\n\n[bob]\ntype=aor\nmax_contacts=1\n\n\
             [bob]\ntype=auth\nauth_type=digest\nusername=bob\npassword=his\nsupported_algorithms_uas={algorithms}\n"
        )
    };
    for (algorithms, digest, wrong) in
        [("SHA-256,MD5", "SHA-256", false), ("MD5,SHA-256", "SHA-256", true), ("SHA-512-256", "SHA-512-256", true)]
    {
        let (authority, asterisk) = stage(Version::V22, &bob(algorithms));
        let password = file("his");
        let arguments = ["--user", "bob", "--password-file", password.path().to_str().unwrap()];
        let report = Doctor::of(&asterisk).trusting(&authority).with(&arguments).ask();
        let sip = report.evidence("sip");
        assert_eq!((&sip["digest"], &sip["answer"]), (&digest.into(), &"SIP 200 OK".into()), "{algorithms}: {report:#?}");
        assert_eq!(report.first_cause(), wrong.then_some("sip-digest-unsupported"), "{algorithms}");
        assert_eq!(report.json["browserWould"], if wrong { "connect-then-reject" } else { "connect" });
    }
}

#[test]
fn a_phone_that_is_registered_stays_so_unless_a_registration_is_asked_for() {
    both(|version| {
        let (authority, asterisk) = stage(version, ALICE);
        let password = file("hers");
        let credentials = ["--user", "alice", "--password-file", password.path().to_str().unwrap()];
        let phone = Phone::register(&asterisk, "alice", "hers");
        let known = || asterisk.cli("pjsip show contacts").contains("phone-of-alice");
        assert!(known(), "{version:?}: {}", asterisk.cli("pjsip show contacts"));
        let report = Doctor::of(&asterisk).trusting(&authority).with(&credentials).ask();
        assert_eq!((report.code, known()), (0, true), "{version:?}");
        assert!(report.evidence("sip")["contacts"][0].as_str().unwrap().contains(&phone.contact), "{report:#?}");
        // What the option's help warns of.
        let report = Doctor::of(&asterisk).trusting(&authority).with(&credentials).with(&["--register"]).ask();
        assert_eq!((report.code, known()), (0, false), "{version:?}");
        assert!(!asterisk.cli("pjsip show contacts").contains("sip:"), "ours is gone too");
    });
}
