//! Every finding that says error, on real Asterisk 16 and 22: something is broken, `starkeeper doctor` names it, what its remedies give to paste
//! is pasted as it stands, by a hand that only fills in what a person would (names, paths, the password), and the next look is clean. The
//! certificate authority is the one part that is played: `certbot` here issues from the lab's own.
#![allow(clippy::unwrap_used, reason = "what cannot go on fails the test at the place where it stands")]
#![allow(clippy::print_stdout, reason = "which rows there are is worth reading")]

mod support;

#[path = "remedies/client.rs"]
mod client;
#[path = "remedies/files.rs"]
mod files;
#[path = "remedies/hand.rs"]
mod hand;
#[path = "remedies/outside.rs"]
mod outside;
#[path = "remedies/text.rs"]
mod text;
#[path = "remedies/ward.rs"]
mod ward;

use std::{collections::BTreeSet, sync::Mutex};

use starkeeper::diagnosis::{Code, Severity};
use support::{asterisk::Version, both};
use ward::{Row, Ward};

#[test]
fn what_a_remedy_says_pasted_makes_the_next_look_clean() {
    let (files, outside, client) = (files::rows(), outside::rows(), client::rows());
    let rows: Vec<&Row> = files.iter().chain(&outside).chain(&client).collect();
    let failed = Mutex::new(Vec::new());
    both(|version| {
        for row in rows.iter().filter(|row| row.versions.contains(&version)) {
            match std::panic::catch_unwind(|| mended(row, version)) {
                Ok(found) => println!("{} {:<28} {found}", version.number(), row.code),
                Err(cause) => {
                    let said = cause.downcast_ref::<String>().cloned().unwrap_or_default();
                    failed.lock().unwrap().push(format!("{} {} {}: {said}", version.number(), row.code, row.name));
                }
            }
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} rows failed:\n{}", failed.len(), failed.join("\n"));
}

/// Breaks it, looks, pastes, and looks again; what was found in between. Where a fault has brought others about that last (modules that did
/// not load, files that were never told of), those are mended next, each by its own remedy.
fn mended(row: &Row, version: Version) -> String {
    let mut ward = Ward::of(row, version);
    let first = ward.look();
    let found = first.codes().join(" ");
    assert!(first.codes().contains(&row.code), "is not found: {found}\n{}", first.errors());
    let mut before = first;
    let mut pasted = vec![row.code.to_owned()];
    let mut wanted = Some(row.code);
    loop {
        let code = wanted.take();
        for finding in before.to_mend(code) {
            hand::paste(&mut ward, finding, if code.is_some() { row.way } else { 0 });
        }
        let after = ward.look();
        if after.code == 0 && !after.codes().contains(&row.code) {
            return format!("{found}; pasted: {}", pasted.join(", "));
        }
        let next: Vec<String> = after.to_mend(None).iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect();
        let fresh = next.iter().all(|code| !pasted.contains(code));
        assert!(fresh && !next.is_empty(), "is not mended by {pasted:?}:\n{}\nbefore:\n{}", after.errors(), before.errors());
        pasted.extend(next);
        before = after;
    }
}

#[test]
fn no_error_is_without_a_row_or_a_reason() {
    let rows = [files::rows(), outside::rows(), client::rows()];
    let shown: BTreeSet<&str> = rows.iter().flatten().map(|row| row.code).collect();
    let excused: BTreeSet<&str> = EXCUSED.iter().flat_map(|(codes, _)| *codes).map(|code| code.name()).collect();
    let both: Vec<_> = shown.intersection(&excused).collect();
    assert!(both.is_empty(), "a row and an excuse: {both:?}");
    for code in Code::ALL.iter().filter(|code| code.severity() == Severity::Error).map(|code| code.name()) {
        assert!(shown.contains(code) || excused.contains(code), "{code}: neither a row nor a reason");
    }
}

/// What cannot be shown here, and why.
const EXCUSED: &[(&[Code], &str)] = &[
    (
        &[
            Code::AmiRefused,
            Code::AmiTimeout,
            Code::AmiNotAmi,
            Code::AmiAuthFailed,
            Code::AmiPermissionDenied,
            Code::AmiTlsFailed,
            Code::ReloadModuleMissing,
            Code::ReloadFailed,
        ],
        "the doctor calls them warnings, since they keep no browser out; the agent's own tests bring each about and end it",
    ),
    (
        &[
            Code::PairTorn,
            Code::PublishFailed,
            Code::PublishForeignFile,
            Code::PublishNoSpace,
            Code::PublishReadOnly,
            Code::PublishNotPermitted,
            Code::PublishDirectoryMissing,
        ],
        "they take time or a publisher, and so are the agent's to find",
    ),
    (&[Code::ConfConflict], "`configure` alone says it, and a person decides"),
    (&[Code::TcpTimeout], "a firewall on the way is not this machine's to change"),
    (&[Code::SipNoAnswer], "no real Asterisk was ever brought to be silent behind an open WebSocket"),
    (&[Code::WsPingUnanswered], "an Asterisk that hangs answers nothing before either: tls-failed"),
    (&[Code::WsNotUpgraded], "every real server that answers so is told apart as a proxy"),
];
