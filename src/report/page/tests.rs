//! The page of statuses that stand still: hostile, full, and in every phase.

use super::*;
use crate::{
    bundle::{Fingerprint, Leaf},
    diagnosis::{Code, Finding},
    report::{
        blank::blank,
        status::{Expiry, PastRotation, RotationMillis},
    },
    state::{Outcome, Phase},
};

const DAY: i64 = 86_400;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn leaf(subject: &str) -> Leaf {
    Leaf {
        subject: subject.to_owned(),
        issuer: "CN=Lab Intermediate".into(),
        serial: "01".into(),
        names: vec!["pbx.example.com".into()],
        not_before: at(-DAY),
        not_after: at(89 * DAY),
        key_algorithm: "P-256".into(),
        fingerprint_sha256: Fingerprint::of(&rustls_pki_types::CertificateDer::from(vec![1])),
    }
}

/// With as much on it as there can be.
fn full(subject: &str) -> Status {
    let mut status = blank();
    status.phase = "Rejected";
    status.surfaces[0].served = Some(leaf(subject));
    status.surfaces[0].expiry = Some(Expiry { warning_from: at(68 * DAY), critical_from: at(82 * DAY) });
    status.files.rejected_leaf = Some(leaf(subject));
    let millis = RotationMillis { settle: 0.1, check: 0.9, publish: Some(0.4), reload: 2.1, prove: 1.2, total: 4.7 };
    let past = |second: i64| PastRotation {
        at: at(-second),
        outcome: Outcome::Proved,
        fingerprint_sha256: Some(leaf("").fingerprint_sha256),
        millis: Some(millis),
    };
    status.rotations = (0..20).map(past).collect();
    let found = |code: &Code| Finding::new(*code).with("file", subject).with("found", subject).with("remedyLine", subject);
    status.findings = Code::ALL.iter().take(8).map(found).collect();
    status
}

fn shown(status: &Status, lang: Lang) -> String {
    page(status, &status.ready, at(0), lang)
}

#[test]
fn what_a_certificate_says_moves_nothing_and_runs_nothing() {
    let hostile = "CN=<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u{202e}moc.elpmaxe\u{2066}\u{1b}[2J\u{61c}&amp;";
    for &lang in Lang::ALL {
        let html = shown(&full(hostile), lang);
        assert!(html.contains("&#60;script&#62;alert(1)"), "{html}");
        assert_eq!(html.matches("<script>").count(), 1, "the page's own");
        assert!(!html.contains("<img"));
        assert!(html.contains("\\u{202e}moc.elpmaxe\\u{2066}\\u{1b}[2J\\u{61c}&#38;amp;"));
        assert!(html.chars().all(|c| c == '\n'
            || !(c.is_control() || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))));
    }
}

#[test]
fn the_policy_allows_what_stands_in_the_page_and_nothing_else() {
    let html = shown(&full("CN=pbx"), Lang::En);
    let policy = policy().to_str().unwrap();
    for (tag, directive) in [("style", "style-src"), ("script", "script-src")] {
        let (_, rest) = html.split_once(&format!("<{tag}>")).unwrap();
        let (inside, _) = rest.split_once(&format!("</{tag}>")).unwrap();
        let hash = BASE64_STANDARD.encode(Sha256::digest(inside));
        assert!(policy.contains(&format!("{directive} 'sha256-{hash}';")), "{policy}");
    }
    let handler = |rest: &str| rest.trim_start_matches(|c: char| c.is_ascii_lowercase()).starts_with("=\"");
    assert!(!html.split(" on").skip(1).any(handler) && !html.contains(" style=") && !html.contains("src=\""), "{html}");
}

#[test]
fn it_is_small_with_as_much_on_it_as_there_can_be() {
    let html = shown(&full("CN=pbx.example.com"), Lang::PtBr);
    assert!(html.len() <= 60_000, "{} bytes", html.len());
    assert!(
        html.contains(&fragment(&full("CN=pbx.example.com"), &full("").ready, at(0), Lang::PtBr)),
        "the fragment is a part of the page"
    );
}

#[test]
fn every_phase_has_its_page_in_both_languages() {
    for phase in Phase::NAMES {
        for &lang in Lang::ALL {
            for ok in [false, true] {
                let mut status = blank();
                (status.phase, status.ready.ok) = (phase, ok);
                let html = shown(&status, lang);
                assert!(html.contains(&format!("<html lang=\"{}\">", lang.tag())));
                assert!(
                    html.contains(&format!(
                        "<strong>{phase}</strong>: {}",
                        words::meaning(phase, lang).replace('`', "").replace('\'', "&#39;")
                    )),
                    "{html}"
                );
            }
        }
    }
}

#[test]
fn the_end_of_a_certificate_is_told_in_words_and_drawn_with_its_thresholds() {
    let html = shown(&full("CN=pbx"), Lang::En);
    assert!(html.contains("89 days left of 90 days"), "{html}");
    assert!(html.contains("warning from 2027-03-24, critical from 2027-04-07"), "{html}");
    assert!(html.contains("<rect class=\"fill good\" x=\"11\" width=\"989\" height=\"10\"/>"), "{html}");
    let html = shown(&full("CN=pbx"), Lang::PtBr);
    assert!(html.contains("89 dias restantes de 90 dias") && html.contains("0,4"), "{html}");
}
