//! How sending fares → the one [`Delivery`] that the status reads: counts by kind and outcome, and a finding for each receiver that has not been
//! reached for a while.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::{
    diagnosis::{Code, Finding},
    report::notify::{Delivery, Outcome},
    settings::Receiver,
};

/// Where it is written down.
#[derive(Clone, Debug)]
pub(super) struct Ledger(Arc<watch::Sender<Delivery>>);

impl Ledger {
    pub(super) fn new(receivers: &[Receiver]) -> (Self, watch::Receiver<Delivery>) {
        let mut kinds: Vec<_> = receivers.iter().map(|receiver| receiver.means.kind()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let sent = kinds.into_iter().flat_map(|kind| Outcome::ALL.map(|outcome| (kind, outcome, 0))).collect();
        let (told, delivery) = watch::channel(Delivery { findings: Vec::new(), dropped: 0, sent });
        (Ledger(Arc::new(told)), delivery)
    }

    pub(super) fn tried(&self, kind: &'static str, outcome: Outcome) {
        self.0.send_modify(|delivery| {
            for (known, came, count) in &mut delivery.sent {
                *count += u64::from(*known == kind && *came == outcome);
            }
        });
    }

    pub(super) fn dropped(&self, count: u64) {
        self.0.send_if_modified(|delivery| {
            delivery.dropped += count;
            count > 0
        });
    }

    /// This receiver cannot be reached, for `reason`, since then.
    pub(super) fn failing(&self, receiver: &str, kind: &'static str, reason: &str, since: Timestamp) {
        let finding =
            Finding::new(Code::NotificationFailing).with("name", receiver).with("kind", kind).with("reason", reason).with("since", since);
        self.0.send_if_modified(|delivery| {
            if delivery.findings.contains(&finding) {
                return false;
            }
            delivery.findings.retain(|known| !is_of(known, receiver));
            delivery.findings.push(finding);
            true
        });
    }

    pub(super) fn reached(&self, receiver: &str) {
        self.0.send_if_modified(|delivery| {
            let before = delivery.findings.len();
            delivery.findings.retain(|known| !is_of(known, receiver));
            delivery.findings.len() != before
        });
    }
}

fn is_of(finding: &Finding, receiver: &str) -> bool {
    finding.get("name").is_some_and(|name| name.to_string() == receiver)
}
