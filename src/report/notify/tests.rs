//! What is told, as stories of statuses at fixed moments: exactly these, in this order, and none twice.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::*;
use crate::{
    clock::{Now, Tick},
    diagnosis::Lang,
    report::{
        Check, Verdict,
        blank::{blank, leaf},
    },
    settings,
};

/// So many seconds into the story.
fn at(seconds: u64) -> Now {
    let span = Duration::from_secs(seconds);
    let wall = Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::try_from(span).unwrap();
    Now { wall, tick: Tick(span + Duration::from_secs(100)) }
}

/// This pair lies there, is served, and browsers can connect.
pub(crate) fn serving(of: u8, findings: &[Finding]) -> Status {
    let mut status = blank();
    status.phase = "Serving";
    status.files.verdict = "good";
    status.files.leaf = Some(leaf(of));
    status.surfaces[0].served = Some(leaf(of));
    status.ready = Verdict::of(Vec::new());
    status.findings = findings.to_vec();
    status
}

fn proving(of: u8, proved: u64) -> Status {
    let mut status = serving(of, &[]);
    status.counts.proved = proved;
    status
}

/// The same door, and a new pair that must not be loaded.
fn rejecting(of: u8, bad: u8) -> Status {
    let mut status = serving(of, &[Finding::new(Code::KeyMismatch)]);
    (status.phase, status.files.verdict, status.files.rejected_leaf) = ("Rejected", "rejected", Some(leaf(bad)));
    status
}

fn closed(reason: Code) -> Status {
    let mut status = serving(1, &[Finding::new(reason).with("address", "127.0.0.1:8089"), Finding::new(Code::AmiRefused)]);
    status.phase = "Unreachable";
    status.ready = Verdict::of(vec![Check { name: "wss-upgrade", ok: false, reasons: vec![reason.name()] }]);
    status
}

fn expiring(of: u8, code: Code, severity: Severity) -> Status {
    serving(of, &[Finding::new(code).with("file", "/tls/tls.crt").severity(severity)])
}

/// What is told of these statuses, seen at these seconds, and whenever the memory itself asks for a look between two.
fn story(minimum: Severity, statuses: &[(u64, Status)]) -> Vec<(u64, &'static str, State)> {
    let mut memory = Memory::new("ops", minimum, at(0));
    let mut told = Vec::new();
    let (mut last, end) = (None::<&Status>, statuses.last().map_or(0, |(second, _)| *second));
    for second in 0..=end {
        let fresh = statuses.iter().find(|(at, _)| *at == second).map(|(_, status)| status);
        let due = second > 0 && memory.next(at(second - 1).tick).is_some_and(|due| due <= at(second).tick);
        last = fresh.or(last);
        if let Some(status) = last.filter(|_| fresh.is_some() || due) {
            let news = memory.look(status, at(second)).into_iter().filter(|news| !news.silent);
            told.extend(news.map(|news| (second, news.topic.name(), news.state)));
        }
    }
    told
}

#[test]
fn a_bad_pair_a_good_one_and_an_expiring_one_are_told_once_each() {
    use State::{Firing, Notice, Resolved};
    let after = |status: Status| Status { counts: proving(2, 1).counts, ..status };
    let told = story(
        Severity::Info,
        &[
            (0, serving(1, &[])),
            (10, rejecting(1, 9)),
            (20, rejecting(1, 9)),
            (30, proving(2, 1)),
            (40, after(serving(2, &[]))),
            (50, after(expiring(3, Code::LeafExpiring, Severity::Warning))),
            (60, after(expiring(3, Code::LeafExpiring, Severity::Warning))),
            (70, after(expiring(3, Code::LeafExpiring, Severity::Error))),
            (80, after(expiring(3, Code::LeafExpired, Severity::Error))),
            (90, after(serving(4, &[]))),
            (100, after(serving(4, &[]))),
        ],
    );
    assert_eq!(
        told,
        [
            (13, "key-mismatch", Firing),
            (30, "rotation-proved", Notice),
            (32, "key-mismatch", Resolved),
            (53, "leaf-expiring", Firing),
            (70, "leaf-expiring", Firing),
            (83, "leaf-expired", Firing),
            (92, "leaf-expired", Resolved),
        ]
    );
}

#[test]
fn a_receiver_hears_only_of_what_is_severe_enough_for_it() {
    let statuses = [
        (0, serving(1, &[])),
        (10, proving(2, 1)),
        (20, Status { counts: proving(2, 1).counts, ..expiring(2, Code::LeafExpiring, Severity::Warning) }),
        (30, Status { counts: proving(2, 1).counts, ..rejecting(2, 9) }),
        (40, Status { counts: proving(2, 1).counts, ..rejecting(2, 9) }),
    ];
    let names = |minimum| story(minimum, &statuses).into_iter().map(|(_, name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(Severity::Info), ["rotation-proved", "leaf-expiring", "key-mismatch"]);
    // While the bad pair is rejected nothing is said of the served one: it goes on expiring.
    assert_eq!(names(Severity::Warning), ["leaf-expiring", "key-mismatch"]);
    assert_eq!(names(Severity::Error), ["key-mismatch"]);
}

#[test]
fn a_door_that_closes_is_one_thing_whatever_it_looks_like() {
    use State::{Firing, Resolved};
    let told = story(
        Severity::Warning,
        &[
            (0, serving(1, &[])),
            (10, closed(Code::TcpRefused)),
            (14, closed(Code::TcpTimeout)),
            (20, closed(Code::TlsFailed)),
            (30, serving(1, &[])),
            (60, serving(1, &[])),
        ],
    );
    assert_eq!(told, [(15, "not-ready", Firing), (15, "ami-refused", Firing), (45, "ami-refused", Resolved), (45, "not-ready", Resolved)]);
}

#[test]
fn what_passes_in_a_moment_and_what_happens_at_the_start_is_not_told() {
    let restart = [(0, serving(1, &[])), (10, closed(Code::TcpRefused)), (14, serving(1, &[])), (40, serving(1, &[]))];
    assert_eq!(story(Severity::Info, &restart), []);
    let mut starting = closed(Code::TcpRefused);
    starting.surfaces[0].served = None;
    assert_eq!(story(Severity::Info, &[(0, starting.clone()), (50, serving(1, &[])), (100, serving(1, &[]))]), []);
    let told = story(Severity::Error, &[(0, starting.clone()), (100, starting)]);
    assert_eq!(told, [(65, "not-ready", State::Firing), (65, "ami-refused", State::Firing)]);
}

#[test]
fn a_flapping_door_is_told_ever_more_rarely() {
    let mut flapping = vec![(0, serving(1, &[]))];
    for turn in 0..60 {
        flapping.push((10 + turn * 60, closed(Code::TcpRefused)));
        flapping.push((40 + turn * 60, serving(1, &[])));
    }
    flapping.push((3700, serving(1, &[])));
    flapping.push((8000, serving(1, &[])));
    let told = story(Severity::Error, &flapping);
    let of_door: Vec<_> = told.iter().filter(|(_, name, _)| *name == "not-ready").collect();
    assert!(of_door.len() <= 6, "an hour of flapping is told {} times: {of_door:?}", of_door.len());
    let states: Vec<_> = of_door.iter().map(|(_, _, state)| *state).collect();
    assert!(states.chunks(2).all(|pair| pair == [State::Firing, State::Resolved]), "each told once, then resolved: {of_door:?}");
}

#[test]
fn a_restarted_agent_gives_the_same_alert_the_same_labels() {
    let place = Place { instance: "pbx.example.com".into(), host: "pbx".into(), pod: None, namespace: None };
    let labels = |began: u64| {
        let mut memory = Memory::new("ops", Severity::Warning, at(began));
        let status = rejecting(1, 9);
        memory.look(&status, at(began));
        let news = memory.look(&status, at(began + 3));
        let alerts = alerts(&news, &place, Lang::En);
        assert_eq!(alerts.as_array().unwrap().len(), 1);
        (alerts[0]["labels"].clone(), alerts[0]["endsAt"].clone())
    };
    assert_eq!(labels(0).0, labels(1000).0);
    assert_eq!(labels(0).0["alertname"], "StarkeeperKeyMismatch");
    assert_eq!(labels(0).0["subject"], leaf(9).fingerprint_sha256.to_string());
}

#[test]
fn an_alert_whose_severity_changes_ends_under_its_old_labels() {
    let mut memory = Memory::new("ops", Severity::Warning, at(0));
    let warning = expiring(1, Code::LeafExpiring, Severity::Warning);
    memory.look(&warning, at(0));
    assert_eq!(memory.look(&warning, at(3)).len(), 1);
    let news = memory.look(&expiring(1, Code::LeafExpiring, Severity::Error), at(4));
    let told: Vec<_> = news.iter().map(|news| (news.state, news.severity, news.silent)).collect();
    assert_eq!(told, [(State::Resolved, Severity::Warning, true), (State::Firing, Severity::Error, false)]);
    assert_eq!(memory.firing(&warning).len(), 1);
}

#[test]
fn the_json_is_as_documented_whatever_is_missing() {
    let place = Place { instance: "pbx".into(), host: "pbx".into(), pod: Some("a-0".into()), namespace: Some("voice".into()) };
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let mut memory = Memory::new("ops", Severity::Warning, at(0));
    memory.look(&rejecting(1, 9), at(0));
    let news = memory.look(&rejecting(1, 9), at(3)).remove(0);
    let body = serde_json::to_value(Body::of(&news, &place, Lang::En)).unwrap();
    let mut documented = keys(&settings::sample_notification());
    let mut real = keys(&body);
    documented.sort();
    real.sort();
    assert_eq!(real, documented);
    assert_eq!(keys(&body["served"]), keys(&settings::sample_notification()["served"]));
    assert_eq!((&body["code"], &body["severity"], &body["state"]), (&json!("key-mismatch"), &json!("error"), &json!("firing")));
    for lang in Lang::ALL {
        let [mail, chat] = [plain(&news, &place, *lang), slack(&news, &place, *lang)];
        for word in ["key-mismatch", "pbx", &leaf(1).fingerprint_sha256.to_string(), "a-0", "voice"] {
            assert!(mail.contains(word) && chat.contains(word), "{word}: {mail}\n{chat}");
        }
        assert!(
            serde_json::from_str::<serde_json::Value>(&chat).unwrap()["text"].as_str().unwrap().matches("```").count().is_multiple_of(2)
        );
    }
    let test = News::test(at(0).wall);
    assert_eq!(Body::of(&test, &place, Lang::En).title, "TEST: nothing is wrong");
    assert_eq!(subject(&test, &place, Lang::PtBr), "[Starkeeper] pbx: TESTE: nada está errado");
}
