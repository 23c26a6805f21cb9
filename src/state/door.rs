//! The door that browsers use: what a probe saw, what a reload did, and whether a reload is what is missing.

use super::{Busy, CONFIRM, Ended, Generation, Outcome, Proving, ReloadOutcome, State, TRIES, Timing};
use crate::{
    asterisk::{ami::Reloaded, reload::Reload},
    clock::Now,
    diagnosis::{Code, Finding},
    proof::{Door, Observation},
};

impl State {
    pub(super) fn take_observation(&mut self, observation: Observation, now: Now) {
        self.busy = None;
        self.tally.probed(&observation);
        self.history.probed(&observation, now);
        let open = observation.door == Door::Open;
        let expected_open = self.proving.is_some() || self.door().is_some_and(|door| door.door == Door::Open);
        if !open && expected_open && !std::mem::replace(&mut self.doubted, true) {
            self.next_probe = now.tick + CONFIRM;
            return;
        }
        self.doubted = false;
        self.looked = Some(now.tick);
        let was = self.door().map(|door| door.door);
        if was.is_some_and(|was| was.is_dead() && was != observation.door) && observation.door.is_dead() {
            // Dead in another way than the one that reloads did not mend: whoever had the port has left it, say. The wait between two
            // reloads stays as long as it has grown.
            self.unproved = 0;
        }
        let since = self.door.take().filter(|(door, _)| door.door == observation.door).map_or(now, |(_, since)| since);
        self.door = Some((observation, since));
        let proved = open && self.served_is_wanted();
        if let Some(Proving { healing, done: true }) = self.proving.take() {
            if healing {
                self.tally.healed(open);
            }
            if !proved {
                self.unproved += 1;
                self.retry_at = now.tick + self.retry.next();
            }
        }
        if proved {
            self.reload_failure = None;
            self.unproved = 0;
            self.retry.reset();
            if self.candidate.is_none() {
                self.finish_rotation(now);
            }
        }
        self.next_probe = now.tick
            + if open && !self.reload_wanted() {
                self.quick.reset();
                self.policy.probe_interval
            } else {
                self.quick.next()
            };
    }

    pub(super) fn take_reload(&mut self, outcome: ReloadOutcome, now: Now) {
        let (healing, begun) = match self.busy.take() {
            Some(Busy::Reloading { healing, begun }) => (healing, begun),
            Some(Busy::ReloadingBeside { reloads }) => return self.take_beside_reload(&reloads, outcome, now),
            Some(Busy::Publishing | Busy::Probing | Busy::Looking) | None => return,
        };
        match outcome {
            ReloadOutcome::Answered(Reloaded::Done) => {
                self.reload_failure = None;
                self.look = true;
                self.proving = Some(Proving { healing, done: true });
                if !healing {
                    self.look_beside_after_reload(now);
                }
                if let Some(rotation) = &mut self.rotation {
                    rotation.reload = Some((begun, now.tick));
                }
            }
            ReloadOutcome::Answered(Reloaded::Queued) => {
                self.reload_failure = Some(Finding::new(Code::AmiBooting).with("module", Reload::HTTP.name()));
                self.look = true;
                self.proving = Some(Proving { healing, done: false });
                self.retry_at = now.tick + self.retry.next();
            }
            ReloadOutcome::Failed(finding) => {
                // An answer that broke off may be that of a reload that was done: then the wire shows it.
                if let Some(rotation) = self.rotation.as_mut().filter(|_| finding.get("outcome").is_some()) {
                    rotation.reload = Some((begun, now.tick));
                }
                self.reload_failure = Some(finding);
                self.look = true;
                self.retry_at = now.tick + self.retry.next();
            }
            // Nothing was sent. In place, the generation that is there now is on its way to us; what was published and is gone, or was
            // damaged, is published again.
            ReloadOutcome::FilesMoved => {
                self.retry_at = now.tick + self.retry.next();
                self.echoes.clear();
                self.damaged = self.policy.staged;
            }
        }
    }

    /// Whether a reload is what is missing, if it can be had: never while the newest files are bad, never for bytes served already.
    pub(super) fn reload_wanted(&self) -> bool {
        let kept = self.doubted || self.proving.is_some() || self.is_held_for_turn();
        let (true, Some(door), false) = (self.files_are_good(), self.door(), kept) else {
            return false;
        };
        let tries = match door.door {
            Door::Open | Door::Shut if self.served_is_wanted() || self.good_is_worse() => 0,
            Door::Open | Door::Shut => TRIES,
            Door::Dark | Door::Cleartext => self.means.heal.tries(),
            // A pair that could not be loaded when Asterisk came up leaves the port unbound.
            Door::Refused if self.ami.is_booted() => self.means.heal.tries().min(2),
            Door::Refused | Door::Unreachable => 0,
        };
        !self.means.reloads.is_empty() && self.unproved < tries
    }

    /// Whether leaf and chain on the wire are those of the newest good generation.
    pub(super) fn served_is_wanted(&self) -> bool {
        match (&self.good, self.door().and_then(|door| door.served.as_ref())) {
            (Some(good), Some(served)) => good.bundle.chain == served.chain,
            (_, None) | (None, _) => false,
        }
    }

    /// Whether browsers would refuse this generation, and accept what is served now or what Asterisk would load instead.
    pub(super) fn is_worse(&self, generation: &Generation) -> bool {
        if generation.bundle.refusals().is_empty() {
            return false;
        }
        let served = self.door().and_then(|door| door.served.as_ref());
        let better_is_served = served.is_some_and(|served| served.acceptable && served.chain != generation.bundle.chain);
        better_is_served || self.good.as_ref().is_some_and(|good| good.bundle.refusals().is_empty())
    }

    pub(super) fn good_is_worse(&self) -> bool {
        self.good.as_ref().is_some_and(|good| self.is_worse(good))
    }

    pub(super) fn finish_rotation(&mut self, now: Now) {
        let Some(rotation) = self.rotation.take() else { return };
        match rotation.reload {
            Some((begun, reloaded)) => self.end_rotation(Outcome::Proved, Some(rotation.timing(begun, reloaded, now.tick)), now),
            None if rotation.first => {}
            None => self.end_rotation(Outcome::AlreadyServed, None, now),
        }
    }

    /// Counts the newest generation as ended so, and remembers it.
    pub(super) fn end_rotation(&mut self, outcome: Outcome, timing: Option<Timing>, now: Now) {
        self.tally.rotated(outcome, timing, now);
        let leaf = match (outcome, &self.bad) {
            (Outcome::Rejected, Some(bad)) => bad.rejection.leaf.as_deref(),
            (Outcome::Rejected | Outcome::Proved | Outcome::AlreadyServed | Outcome::Unproved, _) => {
                self.candidate.as_ref().or(self.good.as_ref()).map(|newest| &newest.bundle.leaf)
            }
        };
        let fingerprint = leaf.map(|leaf| leaf.fingerprint_sha256);
        self.history.ended(Ended { at: now.wall, outcome, fingerprint, timing });
    }
}
