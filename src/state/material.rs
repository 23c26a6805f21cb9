//! Generations of the files: taken, named when they stay bad, adopted once Asterisk may read them.

use std::{sync::Arc, time::Duration};

use super::{Generation, Outcome, Rejected, Rotation, State};
use crate::{
    bundle::{Bundle, Rejection},
    clock::{Now, Tick},
    diagnosis::{Code, Finding},
};

impl State {
    pub(super) fn take_good(&mut self, bundle: Bundle, noticed: Tick, check: Duration, now: Now) {
        self.bad = None;
        let bundle = Arc::new(bundle);
        if let Some(good) = self.good.as_mut().filter(|good| good.bundle.digest() == bundle.digest()) {
            // The same bytes, judged at another time: what is found may differ; it is no new generation.
            good.bundle = bundle;
            return;
        }
        if self.rotation.take().is_some_and(|rotation| rotation.reload.is_some()) {
            self.tally.rotated(Outcome::Unproved, None, now);
        }
        let first = self.good.is_none();
        self.rotation = Some(Rotation { first, noticed, taken: now.tick, check, reload: None });
        self.good = Some(Generation { bundle, since: now });
        self.begin_retries_anew(now);
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
            self.tally.rotated(Outcome::Rejected, None, now);
        }
        if self.bad.is_none() && self.is_worse() && self.rotation.take().is_some() {
            self.tally.rotated(Outcome::Rejected, None, now);
        }
    }
}
