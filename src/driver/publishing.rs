//! What the driver knows → the published status.

use std::sync::Arc;

use super::Driver;
use crate::{
    clock::{self, Now},
    diagnosis::Finding,
    material::WatchMode,
    plan::Plan,
    report::{Around, Cluster, Status, notify::Delivery},
    settings::Settings,
};

impl Driver {
    /// Publishes the status, and tells the log what is new in it.
    pub(super) fn publish(&mut self) -> Arc<Status> {
        let now = clock::now();
        let dropped = self.dropped + self.ami.client.dropped();
        let mut around = around(&self.settings, &self.plan, self.others.findings().cloned().collect(), self.started, &self.watching);
        around.events_dropped = dropped;
        around.captured = self.newest.as_ref().map(|newest| newest.digest);
        if let Some(link) = &mut self.cluster {
            around.cluster = link.cluster.borrow_and_update().clone();
        }
        if let Some(delivery) = &mut self.delivery {
            around.delivery = delivery.borrow_and_update().clone();
        }
        around.findings.extend(self.found_around(now));
        around.suspicions = self.surroundings.suspicions().to_vec();
        let status = Arc::new(Status::of(&self.state, &around, now));
        self.told.tell(&status);
        self.status.send_replace(Arc::clone(&status));
        status
    }
}

pub(super) fn watching(mode: &WatchMode) -> &'static str {
    match mode {
        WatchMode::Inotify => "inotify",
        WatchMode::Polling { .. } => "polling",
    }
}

/// What stands around the state.
pub(super) fn around(settings: &Settings, plan: &Plan, others: Vec<Finding>, started: Now, mode: &WatchMode) -> Around {
    let mut findings = plan.findings.clone();
    findings.extend(others);
    if let WatchMode::Polling { finding } = mode {
        findings.push(finding.clone());
    }
    Around {
        started,
        cert: plan.sources.cert.display().to_string(),
        key: plan.sources.key.display().to_string(),
        staged: settings.certificate.publish.is_some(),
        watching: watching(mode),
        wss: plan.target.address.clone(),
        path: plan.target.path.clone(),
        beside: plan.beside.iter().map(|(surface, target)| (surface.clone(), target.address.clone())).collect(),
        ami: plan.ami.address.clone(),
        findings,
        suspicions: Vec::new(),
        expiry: settings.expiry,
        liveness: settings.liveness,
        readiness: settings.readiness,
        stale_after: settings.probe.interval * 2 + settings.probe.timeout * 4,
        events_dropped: 0,
        cluster: Cluster::default(),
        delivery: Delivery::default(),
        captured: None,
    }
}
