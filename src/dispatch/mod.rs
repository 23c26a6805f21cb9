//! `Status` → notifications that arrive: one task for each receiver, which looks at every status, keeps a short queue of what is not yet told, and
//! tries until it is. Nothing waits for it, and without receivers nothing of it is built. What it refuses: to keep more than a few dozen things
//! waiting, to wait long for a peer, to follow it elsewhere, and to repeat a secret.

mod carry;
mod desk;
mod http;
mod ledger;
mod mail;
mod queue;
mod secret;

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use carry::Carrier;
use desk::Desk;
use ledger::Ledger;

use crate::{
    clock,
    report::{
        Status,
        notify::{Delivery, Memory, News, Place},
    },
    settings::{Receiver, Settings},
};

/// The room before its tasks run.
#[derive(Debug)]
pub struct Room {
    receivers: Vec<Receiver>,
    place: Place,
    ledger: Ledger,
}

/// The tasks; they end when this is dropped.
#[derive(Debug)]
pub struct Tasks {
    tasks: Vec<AbortOnDropHandle<()>>,
    drain: CancellationToken,
}

impl Room {
    /// The room, and how it fares, for the status; `None` where nobody is to be told.
    pub fn new(settings: &Settings, place: Place) -> Option<(Self, watch::Receiver<Delivery>)> {
        if settings.notify.is_empty() {
            return None;
        }
        let (ledger, delivery) = Ledger::new(&settings.notify);
        Some((Room { receivers: settings.notify.clone(), place, ledger }, delivery))
    }

    /// Starts telling.
    pub fn spawn(self, status: &watch::Receiver<Arc<Status>>) -> Tasks {
        let drain = CancellationToken::new();
        let tasks = self.receivers.into_iter().map(|receiver| {
            let memory = Memory::new(&receiver.name, receiver.minimum, clock::now());
            let carrier = Carrier::new(receiver, self.place.clone());
            let desk = Desk::new(carrier, memory, self.ledger.clone());
            AbortOnDropHandle::new(tokio::spawn(desk.keep(status.clone(), drain.clone())))
        });
        Tasks { tasks: tasks.collect(), drain }
    }
}

impl Tasks {
    /// What waits is tried once more, and no longer than so long.
    pub async fn drain(self) {
        self.drain.cancel();
        let all = async {
            for task in self.tasks {
                let _ = task.await;
            }
        };
        // Who does not take it in time will be told by the next agent.
        let _ = tokio::time::timeout(DRAIN, all).await;
    }
}

/// Sends each receiver a test, one after the other: its name, its kind, and why it did not arrive.
pub async fn test(receivers: Vec<Receiver>, place: Place) -> Vec<(String, &'static str, Result<(), String>)> {
    let mut outcomes = Vec::new();
    for receiver in receivers {
        let (name, kind) = (receiver.name.clone(), receiver.means.kind());
        let carrier = Carrier::new(receiver, place.clone());
        let outcome = carrier.carry(vec![News::test(clock::wall())]).await;
        outcomes.push((name, kind, outcome.map_err(|fault| fault.to_string())));
    }
    outcomes
}

/// Where this agent is, by its environment.
pub fn place(settings: &Settings, variable: impl Fn(&str) -> Option<String>) -> Place {
    let set = |names: [&str; 2]| names.into_iter().filter_map(&variable).find(|value| !value.is_empty());
    let named = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
    let in_cluster = variable("KUBERNETES_SERVICE_HOST").is_some_and(|host| !host.is_empty());
    Place {
        instance: settings.certificate.names.first().cloned().unwrap_or_else(|| named.clone()),
        pod: set(["STARKEEPER_POD_NAME", "POD_NAME"]).or_else(|| in_cluster.then(|| named.clone())),
        namespace: set(["STARKEEPER_POD_NAMESPACE", "POD_NAMESPACE"]),
        host: named,
    }
}

/// Of the seconds that a container has to stop.
const DRAIN: Duration = Duration::from_secs(3);
