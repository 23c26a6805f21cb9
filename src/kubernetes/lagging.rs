//! What the Secret holds, what the files hold, and when → whether the kubelet is to be nudged, and how far the files are behind. Pure.

use std::time::Duration;

use crate::{clock::Tick, material::Digest, report::Lag};

/// How far the files are behind the Secret.
#[derive(Debug, Default)]
pub(super) struct Lagging {
    secret: Option<Digest>,
    files: Option<Digest>,
    since: Option<Tick>,
    was: Option<Duration>,
    nudges: u32,
    nudge_at: Option<Tick>,
}

impl Lagging {
    /// The Secret holds this, as far as it can be compared with the files.
    pub(super) fn secret(&mut self, digest: Option<Digest>, now: Tick) {
        let changed = digest != self.secret;
        self.secret = digest;
        if changed {
            // Another change before the last one arrived: the files are as far behind as they were.
            let since = self.since.unwrap_or(now);
            let behind = self.is_behind();
            self.since = behind.then_some(since);
            self.nudges = 0;
            self.nudge_at = behind.then_some(now);
        }
    }

    /// The files hold this.
    pub(super) fn files(&mut self, digest: Option<Digest>, now: Tick) {
        if digest == self.files {
            return;
        }
        self.files = digest;
        match (self.is_behind(), self.since) {
            (false, Some(since)) => {
                self.was = Some(now - since);
                self.since = None;
                self.nudge_at = None;
            }
            // Somebody put others in their place; the kubelet will not.
            (true, None) if self.secret.is_some() => self.since = Some(now),
            (true, _) | (false, None) => {}
        }
    }

    fn is_behind(&self) -> bool {
        match (self.secret, self.files) {
            (Some(secret), Some(files)) => secret != files,
            (None, _) | (_, None) => false,
        }
    }

    /// Whether the kubelet is to be nudged now. It may sync before it knows of the Secret's change itself: so again, a few times, ever later.
    pub(super) fn nudge(&mut self, now: Tick) -> Option<u32> {
        self.nudge_at.filter(|at| now >= *at)?;
        self.nudges += 1;
        self.nudge_at = (self.nudges < NUDGES).then(|| now + Duration::from_secs(1 << self.nudges));
        Some(self.nudges)
    }

    /// The nudge did not come through.
    pub(super) fn again(&mut self, at: Tick) {
        self.nudges = self.nudges.saturating_sub(1);
        if self.since.is_some() {
            self.nudge_at = Some(at);
        }
    }

    /// What the outside reads.
    pub(super) fn lag(&self) -> Option<Lag> {
        self.since.map(Lag::Since).or(self.was.map(Lag::Was))
    }

    /// Whether the kubelet should have brought it by now.
    pub(super) fn is_late(&self, now: Tick) -> bool {
        self.since.is_some_and(|since| now - since >= LATE)
    }

    /// When something is to be done, if nothing happens before.
    pub(super) fn deadline(&self, now: Tick) -> Option<Tick> {
        let late = self.since.map(|since| since + LATE).filter(|late| *late > now);
        [self.nudge_at, late].into_iter().flatten().min()
    }
}

/// For one change of the Secret: after an absence of the API server the kubelet may know of neither for a minute or more.
const NUDGES: u32 = 7;
/// The kubelet takes 60 to 80 seconds by itself.
const LATE: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::*;

    const A: Option<Digest> = Some(Digest([1; 32]));
    const B: Option<Digest> = Some(Digest([2; 32]));
    const C: Option<Digest> = Some(Digest([3; 32]));

    fn at(millis: u64) -> Tick {
        Tick(Duration::from_millis(millis))
    }

    fn settled() -> Lagging {
        let mut lagging = Lagging::default();
        lagging.files(A, at(0));
        lagging.secret(A, at(0));
        lagging
    }

    #[test]
    fn what_is_equal_is_neither_nudged_nor_late() {
        let mut lagging = settled();
        assert_eq!((lagging.nudge(at(9_000_000)), lagging.lag(), lagging.deadline(at(1))), (None, None, None));
        assert!(!lagging.is_late(at(9_000_000)));
        // What cannot be compared says nothing.
        lagging.secret(None, at(1));
        lagging.files(B, at(2));
        assert_eq!((lagging.nudge(at(9_000_000)), lagging.lag()), (None, None));
    }

    #[test]
    fn a_change_is_nudged_at_once_and_measured_until_the_files_have_it() {
        let mut lagging = settled();
        lagging.secret(B, at(1_000));
        assert_eq!((lagging.nudge(at(1_000)), lagging.nudge(at(1_001))), (Some(1), None));
        assert_eq!(lagging.lag(), Some(Lag::Since(at(1_000))));
        lagging.files(B, at(1_450));
        assert_eq!((lagging.lag(), lagging.nudge(at(90_000))), (Some(Lag::Was(Duration::from_millis(450))), None));
    }

    #[test]
    fn nudges_are_few_and_ever_later() {
        let mut lagging = settled();
        lagging.secret(B, at(0));
        let nudged: Vec<u64> = (0..200).filter(|second| lagging.nudge(at(second * 1_000)).is_some()).collect();
        assert_eq!(nudged, [0, 2, 6, 14, 30, 62, 126]);
    }

    #[test]
    fn files_that_stay_old_are_late_once_the_kubelet_should_have_brought_them() {
        let mut lagging = settled();
        lagging.secret(B, at(0));
        assert!(lagging.nudge(at(0)).is_some());
        lagging.secret(C, at(60_000));
        assert!(!lagging.is_late(at(119_999)) && lagging.is_late(at(120_000)), "it is as far behind as it was");
        assert_eq!(lagging.nudge(at(60_000)), Some(1));
        assert_eq!(lagging.deadline(at(119_000)), Some(at(62_000)));
        lagging.files(C, at(130_000));
        assert!(!lagging.is_late(at(130_000)));
        assert_eq!(lagging.lag(), Some(Lag::Was(Duration::from_secs(130))));
    }

    #[test]
    fn a_nudge_that_did_not_come_through_is_not_counted() {
        let mut lagging = settled();
        lagging.secret(B, at(0));
        for attempt in 0..20 {
            assert_eq!(lagging.nudge(at(attempt * 1_000)), Some(1));
            lagging.again(at((attempt + 1) * 1_000));
        }
        lagging.files(B, at(30_000));
        lagging.again(at(31_000));
        assert_eq!(lagging.nudge(at(40_000)), None, "there is no need any more");
    }
}
