//! The certificates that Asterisk reads besides the watched ones → what is wrong with them. Each pair is read when its files change, and
//! judged anew each hour; while nothing happens a look costs a `stat` for each file. Nothing is reloaded for them.

use std::{sync::Arc, time::Duration};

use super::config_folder::{Stamp, stamp};
use crate::{
    bundle::{self, Expectations},
    clock::{Now, Tick},
    diagnosis::{Code, Finding, Severity},
    material::{self, Capture, ReadFault, Snapshot},
    plan::OtherPair,
};

/// What is known of them.
#[derive(Debug, Default)]
pub(super) struct OtherPairs(Vec<Known>);

#[derive(Debug)]
struct Known {
    pair: OtherPair,
    stamps: [Option<Stamp>; 2],
    judged: Tick,
    findings: Vec<Finding>,
}

impl OtherPairs {
    /// Goes by what the plan names now; what is known of a pair that stays is kept.
    pub(super) fn follow(&mut self, pairs: &[OtherPair], expectations: &Expectations, now: Now) {
        let mut known = std::mem::take(&mut self.0);
        self.0 = pairs
            .iter()
            .map(|pair| match known.iter().position(|known| known.pair == *pair) {
                Some(index) => known.swap_remove(index),
                None => Known::judge(pair.clone(), expectations, now),
            })
            .collect();
    }

    /// Looks whether files changed, or time has gone by.
    pub(super) fn look(&mut self, expectations: &Expectations, now: Now) {
        for known in &mut self.0 {
            if now.tick - known.judged >= JUDGE_AGAIN || stamps(&known.pair) != known.stamps {
                *known = Known::judge(known.pair.clone(), expectations, now);
            }
        }
    }

    pub(super) fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter().flat_map(|known| &known.findings)
    }
}

impl Known {
    fn judge(pair: OtherPair, expectations: &Expectations, now: Now) -> Self {
        // Taken before reading: a change meanwhile is a change since.
        let stamps = stamps(&pair);
        let snapshot = Arc::new(material::capture_pair(&pair.sources));
        let findings = findings(&pair, snapshot, expectations, now);
        Known { pair, stamps, judged: now.tick, findings }
    }
}

fn stamps(pair: &OtherPair) -> [Option<Stamp>; 2] {
    [stamp(&pair.sources.cert), stamp(&pair.sources.key)]
}

/// Whom browsers trust, and by which names they come, is no question of these.
fn findings(pair: &OtherPair, snapshot: Arc<Snapshot>, expectations: &Expectations, now: Now) -> Vec<Finding> {
    let asked = Expectations { names: Vec::new(), anchors: None, ..expectations.clone() };
    let unseen = unseen(&snapshot.cert) || unseen(&snapshot.key);
    let found = match bundle::judge(snapshot, &asked, now.wall) {
        Ok(bundle) => bundle.findings,
        Err(rejection) => rejection.findings,
    };
    let matters = found.into_iter().filter(|finding| MATTERS.contains(&finding.code));
    matters
        .map(|finding| {
            let severity = if unseen { Severity::Info } else { finding.severity.min(Severity::Warning) };
            let finding = finding.severity(severity).with("surface", pair.surface.clone());
            let finding = match &pair.section {
                Some(section) => finding.with("section", section.clone()),
                None => finding,
            };
            finding.with("conf", pair.origin.file.as_path()).with("confLine", pair.origin.line)
        })
        .collect()
}

/// Whether the agent is the one who cannot read it: a folder that is mounted for Asterisk alone proves nothing.
fn unseen(capture: &Capture) -> bool {
    match &capture.content {
        Ok(_) => false,
        Err(ReadFault::Missing { nearest }) => capture.path.parent() != Some(nearest.as_path()),
        Err(ReadFault::Denied | ReadFault::Other(_)) => true,
        Err(ReadFault::NotAFile | ReadFault::TooLarge { .. }) => false,
    }
}

/// What keeps Asterisk from using a pair, or will. Self-signed is as usual for media as it is fine.
const MATTERS: [Code; 18] = [
    Code::CertMissing,
    Code::CertUnreadable,
    Code::CertEmpty,
    Code::CertNotPem,
    Code::CertIsDer,
    Code::CertIsKey,
    Code::KeyMissing,
    Code::KeyUnreadable,
    Code::KeyEmpty,
    Code::KeyNotPem,
    Code::KeyIsCert,
    Code::KeyEncrypted,
    Code::KeyMismatch,
    Code::KeyWeak,
    Code::LeafNotFirst,
    Code::LeafExpired,
    Code::LeafNotYetValid,
    Code::LeafExpiring,
];
const JUDGE_AGAIN: Duration = Duration::from_secs(3600);
