//! The machine around the agent, as it was seen last: looked at when what is watched changes, and once a minute, but never while a rotation
//! waits for it; the wall clock with each probe.

use std::time::Duration;

use super::{Driver, config_folder::ConfigFolder};
use crate::{
    bundle::Leaf,
    clock::{self, Now, Tick},
    diagnosis::Finding,
    host::{self, Seen, WallClock},
    plan::Plan,
    settings::Settings,
};

#[derive(Debug)]
pub(super) struct Surroundings {
    seen: Seen,
    looked: Tick,
    due: bool,
    clock: WallClock,
    /// By what Asterisk tells of itself.
    told: Option<Finding>,
}

impl Surroundings {
    pub(super) fn new(settings: &Settings, plan: &Plan, config: Option<&ConfigFolder>, now: Now) -> Self {
        let mut clock = WallClock::default();
        clock.look(now.wall, clock::uptime());
        Surroundings { seen: seen(settings, plan, config), looked: now.tick, due: false, clock, told: None }
    }

    /// Of what the Asterisk behind AMI told; `None` as well where nothing is known of it any more.
    pub(super) fn told_by_asterisk(&mut self, found: Option<Finding>) {
        self.told = found;
    }

    pub(super) fn suspicions(&self) -> &[Finding] {
        &self.seen.suspicions
    }
}

impl Driver {
    /// Looks at the wall clock.
    pub(super) fn look_at_the_clock(&mut self, now: Now) {
        self.surroundings.clock.look(now.wall, clock::uptime());
    }

    /// What is watched, or Asterisk's own files, changed: time to look around, once there is time.
    pub(super) fn want_a_look_around(&mut self) {
        self.surroundings.due = true;
    }

    /// Looks around if it is time. For when nothing is under way: it takes as long as a part of a rotation.
    pub(super) fn looked_around(&mut self) -> bool {
        let is_time = self.surroundings.due || clock::tick() - self.surroundings.looked >= LOOK_AGAIN;
        if is_time {
            self.surroundings.seen = seen(&self.settings, &self.plan, self.config.as_ref());
            self.surroundings.looked = clock::tick();
            self.surroundings.due = false;
        }
        is_time
    }

    /// What was found around the agent.
    pub(super) fn found_around(&self, now: Now) -> impl Iterator<Item = Finding> {
        let rejected = self.state.rejected(now).and_then(|rejected| rejected.rejection.leaf.as_deref());
        let held = [self.state.good(), self.state.candidate()].into_iter().flatten().map(|held| &held.bundle.leaf);
        let served = self.state.door().and_then(|door| door.served.as_ref()?.leaf.as_ref());
        let leaves: Vec<&Leaf> = held.chain(rejected).chain(served).collect();
        let clock = self.surroundings.clock.finding(now.wall, leaves);
        clock.into_iter().chain(self.surroundings.told.clone()).chain(self.surroundings.seen.findings.iter().cloned())
    }
}

fn seen(settings: &Settings, plan: &Plan, config: Option<&ConfigFolder>) -> Seen {
    let http = config.and_then(|config| config.read.http.as_ref().ok());
    host::look(&plan.sources, settings.certificate.publish.as_ref(), http)
}

const LOOK_AGAIN: Duration = Duration::from_secs(60);
