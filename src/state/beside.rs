//! The TLS surfaces beside the secure WebSocket: SIP over TLS and AMI over TLS, where they use the same files. They are looked at after
//! the door that browsers use, reloaded by the least that refreshes them, and proved on ports of their own. Looks are rare: they follow
//! what may have changed them. Asterisk 16 and 22 log nothing of them (`proof::handshake` leaves each as it likes), others may.

use std::{sync::Arc, time::Duration};

use super::{Busy, Command, Generation, ReloadOutcome, State, TRIES, backoff::Backoff};
use crate::{
    asterisk::{ami::Reloaded, reload::Reload, surface::Surface},
    clock::{Now, Tick},
    diagnosis::Finding,
    proof::{Door, Observation},
};

/// A surface that uses the files, and how it takes up new ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BesideMeans {
    /// Which one.
    pub surface: Surface,
    /// What refreshes it; or why nothing does, or that it is not wanted (no finding).
    pub reload: Result<Reload, Option<Finding>>,
}

/// What is known of one surface.
#[derive(Clone, Debug)]
pub struct Beside {
    /// Which one, and how it takes up new files.
    pub means: BesideMeans,
    /// What it served when it was looked at last.
    pub seen: Option<Observation>,
    /// Why the last reload was not done.
    pub failure: Option<Finding>,
    look_at: Tick,
    retry: Backoff,
    retry_at: Tick,
    unproved: u32,
}

impl Beside {
    pub(super) fn new(means: BesideMeans, seed: u64, now: Now) -> Self {
        let retry = Backoff::new(RETRY, RETRY_CAP, seed);
        Beside { means, seen: None, failure: None, look_at: now.tick, retry, retry_at: now.tick, unproved: 0 }
    }

    /// Whether it serves leaf and chain of this generation.
    pub fn serves(&self, good: &Generation) -> bool {
        self.seen.as_ref().and_then(|seen| seen.served.as_ref()).is_some_and(|served| served.chain == good.bundle.chain)
    }

    /// Whether it has yet to be reloaded for this generation.
    pub fn is_pending(&self, good: &Generation) -> bool {
        self.unproved == 0 && self.failure.is_none() && self.wants_reload(good)
    }

    fn wants_reload(&self, good: &Generation) -> bool {
        let tries = match self.seen.as_ref().map(|seen| seen.door) {
            Some(Door::Open | Door::Shut | Door::Dark | Door::Cleartext) => TRIES,
            // A transport whose pair could not be loaded when Asterisk came up may be there after a reload, or was never meant to be.
            Some(Door::Refused) => 1,
            Some(Door::Unreachable) | None => 0,
        };
        self.means.reload.is_ok() && self.unproved < tries && !self.serves(good)
    }

    fn look_again(&mut self, now: Now) {
        self.look_at = now.tick;
        self.begin_anew(now);
    }

    fn begin_anew(&mut self, now: Now) {
        self.retry_at = now.tick;
        self.retry.reset();
        self.unproved = 0;
    }
}

impl State {
    /// The surfaces are those of the means that are gone by now; what is known of one that stays is kept.
    pub(super) fn settle_beside(&mut self, now: Now) {
        let known = std::mem::take(&mut self.beside);
        self.beside = (self.means.beside.iter())
            .map(|means| match known.iter().find(|beside| beside.means == *means) {
                Some(beside) => beside.clone(),
                None => Beside::new(means.clone(), self.policy.seed, now),
            })
            .collect();
    }

    /// Looks at them all again, and tries anew.
    pub(super) fn look_beside(&mut self, now: Now) {
        self.beside.iter_mut().for_each(|beside| beside.look_again(now));
    }

    /// A new generation, or a new hope: what failed before says nothing any more.
    pub(super) fn begin_beside_anew(&mut self, now: Now) {
        self.beside.iter_mut().for_each(|beside| beside.begin_anew(now));
    }

    /// Somebody had a module reloaded that may have refreshed some of them.
    pub(super) fn look_beside_for(&mut self, module: &str, now: Now) {
        let refreshed = |beside: &&mut Beside| match &beside.means.surface {
            Surface::SipTls { .. } => module == ALL || module == Reload::RES_PJSIP.name(),
            Surface::AmiTls => module == ALL || module == Reload::MANAGER.name(),
            Surface::Wss => false,
        };
        self.beside.iter_mut().filter(refreshed).for_each(|beside| beside.look_again(now));
    }

    /// Where the user asks for more than http with every rotation, that may have refreshed some already.
    pub(super) fn look_beside_after_reload(&mut self, now: Now) {
        for reload in self.means.reloads.clone() {
            match reload {
                Reload::Pjsip => self.look_beside_for(Reload::RES_PJSIP.name(), now),
                Reload::Module(module) => self.look_beside_for(module, now),
            }
        }
    }

    /// What is to be done for them, once nothing is to be done for browsers.
    pub(super) fn beside_work(&mut self, now: Now) -> Option<Command> {
        let held = self.is_held_for_turn();
        let good = self.good.as_ref().filter(|_| self.files_are_good())?;
        if let Some(beside) = self.beside.iter_mut().find(|beside| now.tick >= beside.look_at) {
            beside.look_at = now.tick + REST;
            self.busy = Some(Busy::Looking);
            return Some(Command::Look(beside.means.surface.clone()));
        }
        let due = |beside: &&mut Beside| beside.wants_reload(good) && now.tick >= beside.retry_at;
        if !self.ami.is_up() || held {
            return None;
        }
        let mut reloads: Vec<Reload> = Vec::new();
        for beside in self.beside.iter_mut().filter(due) {
            beside.unproved += 1;
            if let Ok(reload) = &beside.means.reload
                && !reloads.contains(reload)
            {
                reloads.push(reload.clone());
            }
        }
        if reloads.is_empty() {
            return None;
        }
        let snapshot = Arc::clone(&good.bundle.snapshot);
        self.expect_echoes(&reloads);
        self.busy = Some(Busy::ReloadingBeside { reloads: reloads.clone() });
        Some(Command::Reload { snapshot, reloads, touch: None })
    }

    pub(super) fn beside_deadline(&self) -> Option<Tick> {
        let held = self.is_held_for_turn();
        let good = self.good.as_ref().filter(|_| self.files_are_good())?;
        let due = |beside: &Beside| {
            let retry = (self.ami.is_up() && !held && beside.wants_reload(good)).then_some(beside.retry_at);
            retry.map_or(beside.look_at, |retry| retry.min(beside.look_at))
        };
        self.beside.iter().map(due).min()
    }

    pub(super) fn take_look(&mut self, surface: &Surface, observation: Observation, now: Now) {
        self.busy = None;
        let Some(beside) = self.beside.iter_mut().find(|beside| beside.means.surface == *surface) else { return };
        beside.seen = Some(observation);
        beside.look_at = now.tick + REST;
        if self.good.as_ref().is_some_and(|good| beside.serves(good)) {
            beside.failure = None;
            beside.unproved = 0;
            beside.retry.reset();
        } else if beside.unproved > 0 {
            beside.retry_at = now.tick + beside.retry.next();
        }
    }

    pub(super) fn take_beside_reload(&mut self, reloads: &[Reload], outcome: ReloadOutcome, now: Now) {
        for beside in &mut self.beside {
            if !beside.means.reload.as_ref().is_ok_and(|reload| reloads.contains(reload)) {
                continue;
            }
            match &outcome {
                ReloadOutcome::Answered(Reloaded::Done | Reloaded::Queued) => {
                    beside.failure = None;
                    beside.look_at = now.tick;
                }
                ReloadOutcome::Failed(finding) => {
                    beside.failure = Some(finding.clone());
                    beside.retry_at = now.tick + beside.retry.next();
                }
                ReloadOutcome::FilesMoved => {
                    beside.unproved = beside.unproved.saturating_sub(1);
                    beside.retry_at = now.tick + beside.retry.next();
                }
            }
        }
    }
}

/// `Event: Reload` of `core reload` names no module but this.
pub(super) const ALL: &str = "All";
/// Between two looks that nothing calls for.
const REST: Duration = Duration::from_secs(3600);
const RETRY: Duration = Duration::from_secs(1);
const RETRY_CAP: Duration = Duration::from_secs(60);
