//! Generations of the files: taken, named when they stay bad, adopted once Asterisk may read them.

use std::{sync::Arc, time::Duration};

use super::{Generation, Outcome, Rejected, Rotation, State};
use crate::{
    bundle::{Bundle, Rejection},
    clock::{Now, Tick},
    diagnosis::{Code, Finding},
    proof::Door,
};

impl State {
    pub(super) fn take_good(&mut self, bundle: Bundle, noticed: Tick, check: Duration, now: Now) {
        let was_bad = self.bad.take().is_some();
        let bundle = Arc::new(bundle);
        // The same bytes, judged at another time: what is found may differ; it is no new generation.
        if let Some(candidate) = self.candidate.as_mut().filter(|candidate| candidate.is(&bundle)) {
            candidate.bundle = bundle;
            return;
        }
        self.candidate = None;
        self.publish_failure = None;
        let another_is_under_way = self.publishing.as_ref().is_some_and(|publishing| !publishing.is(&bundle));
        if let Some(good) = self.good.as_mut().filter(|good| good.is(&bundle) && !another_is_under_way) {
            // But where the files were bad meanwhile, or others may read them now, what Asterisk could not load it may load now.
            let mended = was_bad || good.bundle.snapshot != bundle.snapshot;
            good.bundle = bundle;
            if mended {
                self.begin_retries_anew(now);
            }
            return;
        }
        if self.rotation.take().is_some_and(|rotation| rotation.reload.is_some()) {
            self.end_rotation(Outcome::Unproved, None, now);
        }
        let first = self.good.is_none();
        self.rotation = Some(Rotation { first, noticed, taken: now.tick, check, published: None, reload: None });
        let generation = Generation { bundle, since: now };
        if self.policy.staged {
            self.candidate = Some(generation);
        } else {
            self.good = Some(generation);
            // What comes of a reload for the one before says nothing of this one.
            self.proving = None;
        }
        self.begin_retries_anew(now);
        let still = self.busy.is_none() && self.door().is_some_and(|door| door.door == Door::Open);
        if still && self.candidate.is_none() && self.served_is_wanted() {
            // Seen before it was read: nothing is on its way, and a heal later on is no rotation.
            self.finish_rotation(now);
        }
    }

    /// What an earlier run published, until the watched files have something better.
    pub(super) fn take_kept(&mut self, bundle: Bundle, now: Now) {
        if self.good.as_ref().is_none_or(|good| good.is(&bundle)) {
            let since = self.good.as_ref().map_or(now, |good| good.since);
            self.good = Some(Generation { bundle: Arc::new(bundle), since });
        }
    }

    /// Staged mode: whether the newest good generation is to be published. One that browsers would refuse waits until it is known
    /// whether they accept what is served.
    pub(super) fn publish_wanted(&self) -> bool {
        let Some(candidate) = &self.candidate else { return false };
        let known = self.door().is_some() || self.good.is_none() || candidate.bundle.refusals().is_empty();
        known && !self.is_worse(candidate)
    }

    /// Staged mode: what is to be written where Asterisk reads: the newest, or once more what was gone or damaged there.
    pub(super) fn to_publish(&self) -> Option<&Generation> {
        let publishable = self.publish_wanted() && !self.is_held_for_turn();
        if publishable { self.candidate.as_ref() } else { self.good.as_ref().filter(|_| self.damaged) }
    }

    pub(super) fn take_published(&mut self, outcome: Result<(), Finding>, now: Now) {
        self.busy = None;
        let Some(published) = self.publishing.take() else { return };
        match outcome {
            Ok(()) => {
                let newest = self.candidate.take_if(|candidate| candidate.is(&published.bundle));
                if let (Some(rotation), true) = (&mut self.rotation, newest.is_some()) {
                    rotation.published = Some(now.tick);
                }
                self.good = newest.or(Some(published));
                self.damaged = false;
                self.publish_failure = None;
                self.proving = None;
                self.begin_retries_anew(now);
            }
            Err(finding) => {
                self.publish_failure = Some(finding);
                self.publish_at = now.tick + self.publish_retry.next();
            }
        }
    }

    pub(super) fn take_bad(&mut self, rejection: Rejection, now: Now) {
        let named_from = self.bad.as_ref().map_or(now.tick + self.policy.grace, |bad| bad.named_from);
        let counted = self.bad.as_ref().is_some_and(|bad| bad.counted && bad.rejection.snapshot == rejection.snapshot);
        let torn = self.torn(&rejection);
        self.bad = Some(Rejected { rejection: Arc::new(rejection), since: now, named_from, counted, torn });
    }

    /// A mismatch of which one half is still the former one: the writer of the other half is slow, or forgot it.
    fn torn(&self, rejection: &Rejection) -> Option<Finding> {
        rejection.findings.iter().find(|finding| finding.code == Code::KeyMismatch)?;
        let (old, new) = (&self.good.as_ref()?.bundle.snapshot, &rejection.snapshot);
        let (changed, left) = match (old.cert.content == new.cert.content, old.key.content == new.key.content) {
            (false, true) => (&new.cert, &new.key),
            (true, false) => (&new.key, &new.cert),
            (true, true) | (false, false) => return None,
        };
        Some(
            Finding::new(Code::PairTorn)
                .with("file", left.path.as_path())
                .with("found", "unchanged")
                .with("expected", changed.path.as_path()),
        )
    }

    /// A generation that stays bad, or is worse than what is served, is counted as rejected once.
    pub(super) fn settle_rejection(&mut self, now: Now) {
        if let Some(bad) = self.bad.as_mut().filter(|bad| !bad.counted && now.tick >= bad.named_from) {
            bad.counted = true;
            self.end_rotation(Outcome::Rejected, None, now);
        }
        if self.held_back() && self.rotation.take().is_some() {
            self.end_rotation(Outcome::Rejected, None, now);
        }
    }
}
