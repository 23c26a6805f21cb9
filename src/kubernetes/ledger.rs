//! What the room's tasks find → the one [`Cluster`] that the status reads. Each kind of finding stands there once, however often it is found.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::place::Place;
use crate::{
    clock::{self, Tick},
    diagnosis::{Code, Finding},
    report::{Cluster, Lag},
};

/// Where it is written down.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    told: Arc<watch::Sender<Cluster>>,
    away: Arc<watch::Sender<Option<Tick>>>,
}

impl Ledger {
    pub(super) fn new() -> (Self, watch::Receiver<Cluster>) {
        let (told, cluster) = watch::channel(Cluster { used: true, ..Cluster::default() });
        (Ledger { told: Arc::new(told), away: Arc::new(watch::Sender::new(None)) }, cluster)
    }

    /// This is so now, in place of what stood there under its code.
    pub(super) fn found(&self, finding: Finding) {
        self.change(|cluster| {
            cluster.findings.retain(|known| known.code != finding.code);
            cluster.findings.push(finding);
        });
    }

    /// It is so no longer.
    pub(super) fn gone(&self, code: Code) {
        self.change(|cluster| cluster.findings.retain(|known| known.code != code));
    }

    pub(super) fn lag(&self, lag: Option<Lag>) {
        self.change(|cluster| cluster.volume_lag = lag);
    }

    pub(super) fn dropped_event(&self) {
        self.change(|cluster| cluster.events_dropped += 1);
    }

    /// The API server answered.
    pub(super) fn reached(&self) {
        if self.away.send_replace(None).is_some() {
            self.gone(Code::KubernetesUnreachable);
        }
    }

    /// It did not. Said once that has lasted: a server that is restarted is no news.
    pub(super) fn unreached(&self, place: &Place, reason: &str) {
        let now = clock::tick();
        let since = *self.away.borrow();
        match since {
            None => {
                self.away.send_replace(Some(now));
            }
            Some(since) if now - since >= PATIENCE => {
                let known = self.told.borrow().findings.iter().any(|finding| finding.code == Code::KubernetesUnreachable);
                if !known {
                    let finding = Finding::new(Code::KubernetesUnreachable).with("address", place.authority()).with("reason", reason);
                    self.found(finding.with("namespace", place.namespace.clone()));
                }
            }
            Some(_) => {}
        }
    }

    fn change(&self, change: impl FnOnce(&mut Cluster)) {
        self.told.send_if_modified(|cluster| {
            let before = cluster.clone();
            change(cluster);
            *cluster != before
        });
    }
}

const PATIENCE: Duration = Duration::from_secs(60);
