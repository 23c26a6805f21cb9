//! What is worth an Event, as stories of statuses at fixed moments.

use jiff::SignedDuration;

use super::*;
use crate::report::blank::{blank, leaf};

/// This pair lies there, is served, and the door is open.
fn serving(of: u8) -> Status {
    let mut status = blank();
    status.phase = "Serving";
    status.files.verdict = "good";
    status.files.leaf = Some(leaf(of));
    status.rotation.newest = Some(Digest([of; 32]));
    status.surfaces[0].door = Some("open");
    status.surfaces[0].served = Some(leaf(of));
    status.surfaces[0].matches_wanted = true;
    status
}

/// The same door, with files that must not be loaded.
fn rejecting(of: u8, bad: u8, code: Code) -> Status {
    let mut status = serving(of);
    status.phase = "Rejected";
    status.files.verdict = "rejected";
    status.rotation.rejected = Some(Digest([bad; 32]));
    status.findings = vec![Finding::new(code)];
    status
}

fn reasons(seen: &mut Seen, status: &Status) -> Vec<&'static str> {
    seen.look(status).into_iter().map(|news| news.reason).collect()
}

fn served() -> Seen {
    let mut seen = Seen::default();
    assert_eq!(reasons(&mut seen, &serving(1)), ["CertificateAccepted", "CertificateServed"]);
    seen
}

#[test]
fn a_state_that_lasts_is_told_once() {
    let mut seen = Seen::default();
    assert_eq!(reasons(&mut seen, &blank()), Vec::<&str>::new());
    let news = seen.look(&serving(1));
    assert_eq!(
        news.iter().map(|news| (news.reason, news.warning)).collect::<Vec<_>>(),
        [("CertificateAccepted", false), ("CertificateServed", false)]
    );
    assert!(news[1].note.starts_with("CN=1 until 2030-") && news[1].note.contains("127.0.0.1:8089/ws"), "{}", news[1].note);
    for _ in 0..5 {
        assert_eq!(reasons(&mut seen, &serving(1)), Vec::<&str>::new());
    }
    assert_eq!(reasons(&mut seen, &serving(2)), ["CertificateAccepted", "CertificateServed"]);
}

#[test]
fn each_rejected_generation_is_told_once_with_its_code_and_remedy() {
    let mut seen = served();
    let news = seen.look(&rejecting(1, 9, Code::KeyMismatch));
    assert_eq!((news.len(), news[0].reason, news[0].warning, news[0].rejected), (1, "CertificateRejected", true, Some(Digest([9; 32]))));
    assert!(news[0].note.starts_with("key-mismatch: "), "{}", news[0].note);
    assert_eq!(reasons(&mut seen, &rejecting(1, 9, Code::KeyMismatch)), Vec::<&str>::new());
    assert_eq!(reasons(&mut seen, &serving(2)), ["CertificateAccepted", "CertificateServed"]);
    assert_eq!(reasons(&mut seen, &rejecting(2, 9, Code::KeyMismatch)), ["CertificateRejected"], "it came back");
}

#[test]
fn the_first_half_of_a_repair_is_not_told() {
    let mut seen = served();
    assert_eq!(reasons(&mut seen, &rejecting(1, 9, Code::KeyMismatch)), ["CertificateRejected"]);
    assert_eq!(reasons(&mut seen, &rejecting(1, 8, Code::KeyMismatch)), Vec::<&str>::new());
    assert_eq!(reasons(&mut seen, &serving(2)), ["CertificateAccepted", "CertificateServed"]);
    // Unless nothing better follows.
    assert_eq!(reasons(&mut seen, &rejecting(2, 9, Code::KeyMismatch)), ["CertificateRejected"]);
    let mut half = rejecting(2, 8, Code::KeyMismatch);
    assert_eq!(reasons(&mut seen, &half), Vec::<&str>::new());
    half.at += SignedDuration::from_secs(2);
    assert_eq!(reasons(&mut seen, &half), ["CertificateRejected"]);
}

#[test]
fn what_asterisks_files_say_is_told_once_for_each_code_and_again_when_it_comes_back() {
    let mut seen = served();
    let mut status = serving(1);
    let says = |codes: &[(Code, Severity)], status: &mut Status| {
        status.findings = codes.iter().map(|(code, severity)| Finding::new(*code).severity(*severity)).collect();
    };
    says(&[(Code::EndpointAuthMissing, Severity::Error), (Code::AorNoContacts, Severity::Warning)], &mut status);
    let news = seen.look(&status);
    assert_eq!((news.len(), news[0].reason, news[0].warning), (1, "ConfigurationBroken", true));
    assert!(news[0].note.starts_with("endpoint-auth-missing: "), "{}", news[0].note);
    assert_eq!(reasons(&mut seen, &status), Vec::<&str>::new());
    says(&[(Code::EndpointAuthMissing, Severity::Error), (Code::ModuleNoload, Severity::Error)], &mut status);
    assert_eq!(reasons(&mut seen, &status), ["ConfigurationBroken"]);
    says(&[], &mut status);
    assert_eq!(reasons(&mut seen, &status), Vec::<&str>::new());
    says(&[(Code::ModuleNoload, Severity::Error)], &mut status);
    assert_eq!(reasons(&mut seen, &status), ["ConfigurationBroken"]);
}

#[test]
fn what_is_held_back_is_told_as_rejected() {
    let mut seen = served();
    let mut held = serving(2);
    held.files.verdict = "heldBack";
    held.rotation.rejected = Some(Digest([2; 32]));
    held.surfaces[0].served = Some(leaf(1));
    held.surfaces[0].matches_wanted = false;
    held.findings = vec![Finding::new(Code::LeafExpired)];
    let news = seen.look(&held);
    assert_eq!((news.len(), news[0].reason, news[0].rejected), (1, "CertificateRejected", Some(Digest([2; 32]))));
}

#[test]
fn expiry_is_told_when_it_begins_and_when_it_grows_worse() {
    let mut seen = served();
    let with = |severity| {
        let mut status = serving(1);
        status.findings = vec![Finding::new(Code::LeafExpiring).severity(severity)];
        status
    };
    assert_eq!(reasons(&mut seen, &with(Severity::Warning)), ["CertificateExpiring"]);
    assert_eq!(reasons(&mut seen, &with(Severity::Warning)), Vec::<&str>::new());
    assert_eq!(reasons(&mut seen, &with(Severity::Error)), ["CertificateExpiring"]);
    assert_eq!(reasons(&mut seen, &with(Severity::Error)), Vec::<&str>::new());
}

#[test]
fn a_wedge_is_told_once_and_its_heal_once_the_door_is_open() {
    let mut seen = served();
    let mut dark = serving(1);
    dark.surfaces[0].door = Some("dark");
    dark.findings = vec![Finding::new(Code::ListenerWedged).with("address", "127.0.0.1:8089")];
    assert_eq!(reasons(&mut seen, &dark), ["ListenerWedged"]);
    // Between two healing reloads nobody calls it wedged, and nothing is healed.
    dark.findings.clear();
    assert_eq!(reasons(&mut seen, &dark), Vec::<&str>::new());
    dark.findings = vec![Finding::new(Code::ListenerWedged)];
    assert_eq!(reasons(&mut seen, &dark), Vec::<&str>::new());
    assert_eq!(reasons(&mut seen, &serving(1)), ["ListenerHealed"]);
    assert_eq!(reasons(&mut seen, &serving(1)), Vec::<&str>::new());
}

#[test]
fn an_asterisk_that_is_still_starting_is_no_news_for_a_minute() {
    let mut gone = blank();
    gone.phase = "Unreachable";
    gone.findings = vec![Finding::new(Code::TcpRefused)];
    let mut seen = Seen::default();
    assert_eq!(reasons(&mut seen, &gone), Vec::<&str>::new());
    gone.at += SignedDuration::from_secs(STARTING);
    assert_eq!(reasons(&mut seen, &gone), ["AsteriskUnreachable"]);
    // One that was there is missed at once.
    gone.at = gone.since;
    let mut seen = served();
    let news = seen.look(&gone);
    assert_eq!((news.len(), news[0].reason), (1, "AsteriskUnreachable"));
    assert!(news[0].note.starts_with("tcp-refused: "), "{}", news[0].note);
    assert_eq!(reasons(&mut seen, &gone), Vec::<&str>::new());
    assert_eq!(reasons(&mut seen, &serving(1)), Vec::<&str>::new());
    assert_eq!(reasons(&mut seen, &gone), ["AsteriskUnreachable"]);
}

#[test]
fn a_note_fits_however_long_its_evidence() {
    let long = short("é".repeat(900));
    assert!(long.len() <= 1000 && long.ends_with('…'), "{}", long.len());
    assert_eq!(short("x".repeat(1000)).len(), 1000);
}
