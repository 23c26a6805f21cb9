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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn place() -> Place {
        Place {
            host: "10.96.0.1".into(),
            port: 443,
            folder: PathBuf::new(),
            pod: "pbx-0".into(),
            namespace: "voip".into(),
            container: None,
            account: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_away_for_long_is_said_once_and_gone_with_its_first_answer() {
        let (ledger, mut cluster) = Ledger::new();
        let codes = |cluster: &watch::Receiver<Cluster>| cluster.borrow().findings.iter().map(|finding| finding.code).collect::<Vec<_>>();
        ledger.unreached(&place(), "refused");
        tokio::time::advance(PATIENCE - Duration::from_millis(1)).await;
        ledger.unreached(&place(), "refused");
        assert_eq!(codes(&cluster), []);
        tokio::time::advance(Duration::from_millis(1)).await;
        ledger.unreached(&place(), "refused");
        assert_eq!(codes(&cluster), [Code::KubernetesUnreachable]);
        cluster.mark_unchanged();
        for reason in ["reset", "refused", "no route"] {
            tokio::time::advance(Duration::from_secs(600)).await;
            ledger.unreached(&place(), reason);
        }
        assert!(!cluster.has_changed().unwrap(), "an hour of it is one word");
        ledger.reached();
        assert_eq!(codes(&cluster), []);
        ledger.unreached(&place(), "refused");
        assert_eq!(codes(&cluster), [], "and it begins anew");
    }

    #[test]
    fn a_finding_stands_there_once_and_what_does_not_change_is_no_news() {
        let (ledger, mut cluster) = Ledger::new();
        ledger.found(Finding::new(Code::VolumeLagging).with("name", "a"));
        ledger.found(Finding::new(Code::VolumeLagging).with("name", "b"));
        assert_eq!(cluster.borrow_and_update().findings, [Finding::new(Code::VolumeLagging).with("name", "b")]);
        ledger.found(Finding::new(Code::VolumeLagging).with("name", "b"));
        ledger.gone(Code::SecretImmutable);
        ledger.lag(None);
        assert!(!cluster.has_changed().unwrap());
    }
}
