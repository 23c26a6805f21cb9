//! What the state remembers for people to see: the last rotations, and how long the probes of the last hour took. Bounded in both: of each
//! ten seconds only the worst probe is kept, so that a flurry of quick ones does not push the hour out.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{Outcome, Timing};
use crate::{
    bundle::Fingerprint,
    clock::Now,
    proof::{Door, Observation, StageTimes},
};

/// The last rotations and the last hour's probes, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    rotations: VecDeque<Ended>,
    /// Shared with the status, which is made anew far more often than this changes.
    probes: Arc<VecDeque<Probed>>,
}

/// How one generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// How.
    pub outcome: Outcome,
    /// Of its leaf, where that could be read.
    pub fingerprint: Option<Fingerprint>,
    /// How long each stage took, where it was proved.
    pub timing: Option<Timing>,
}

/// The worst probe of its ten seconds: one that did not get in, or else the slowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probed {
    /// Which ten seconds, of the monotonic clock.
    slot: u64,
    /// When.
    pub at: Timestamp,
    /// How far it came.
    pub door: Door,
    /// How long each stage took, as far as it came.
    pub times: StageTimes,
}

impl History {
    /// The last rotations, oldest first.
    pub fn rotations(&self) -> impl Iterator<Item = &Ended> {
        self.rotations.iter()
    }

    /// One probe for each ten seconds of the last hour in which there was one, oldest first.
    pub fn probes(&self) -> &Arc<VecDeque<Probed>> {
        &self.probes
    }

    pub(super) fn ended(&mut self, ended: Ended) {
        if self.rotations.len() == ROTATIONS {
            self.rotations.pop_front();
        }
        self.rotations.push_back(ended);
    }

    pub(super) fn probed(&mut self, observation: &Observation, now: Now) {
        let slot = now.tick.0.as_secs() / EVERY.as_secs();
        let probed = Probed { slot, at: now.wall, door: observation.door, times: observation.times };
        let probes = Arc::make_mut(&mut self.probes);
        match probes.back_mut().filter(|last| last.slot == slot) {
            Some(last) if probed.badness() > last.badness() => *last = probed,
            Some(_) => {}
            None => probes.push_back(probed),
        }
        while probes.front().is_some_and(|first| first.slot + SLOTS <= slot) {
            probes.pop_front();
        }
    }
}

impl Probed {
    fn badness(&self) -> (bool, Duration) {
        (self.door != Door::Open, self.times.total())
    }
}

const ROTATIONS: usize = 20;
const EVERY: Duration = Duration::from_secs(10);
/// An hour of them.
const SLOTS: u64 = 360;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Tick;

    fn probe(history: &mut History, second: u64, door: Door, millis: u64) {
        let now =
            Now { wall: Timestamp::from_second(1_800_000_000 + second.cast_signed()).unwrap(), tick: Tick(Duration::from_secs(second)) };
        let times = StageTimes { tcp: Some(Duration::from_millis(millis)), ..StageTimes::default() };
        history.probed(&Observation { at: now.wall, door, served: None, times, findings: Vec::new() }, now);
    }

    fn kept(history: &History) -> Vec<(Door, u128)> {
        history.probes().iter().map(|probed| (probed.door, probed.times.total().as_millis())).collect()
    }

    #[test]
    fn the_worst_probe_of_each_ten_seconds_is_kept() {
        let mut history = History::default();
        for (second, door, millis) in [(0, Door::Open, 2), (1, Door::Open, 5), (2, Door::Dark, 1), (9, Door::Open, 9), (10, Door::Open, 3)]
        {
            probe(&mut history, second, door, millis);
        }
        assert_eq!(kept(&history), [(Door::Dark, 1), (Door::Open, 3)]);
    }

    #[test]
    fn an_hour_is_kept_however_often_it_was_probed() {
        let mut history = History::default();
        (0..20_000).for_each(|second| probe(&mut history, second, Door::Open, second));
        assert_eq!(kept(&history).len(), 360);
        assert_eq!(kept(&history)[0], (Door::Open, 16_409), "the slowest of the seconds 16400 to 16409");
        probe(&mut history, 40_000, Door::Open, 1);
        assert_eq!(kept(&history), [(Door::Open, 1)], "what was before a long sleep is older than an hour");
    }

    #[test]
    fn the_last_twenty_rotations_are_kept() {
        let mut history = History::default();
        for second in 0..30 {
            let at = Timestamp::from_second(second).unwrap();
            history.ended(Ended { at, outcome: Outcome::Rejected, fingerprint: None, timing: None });
        }
        assert_eq!(history.rotations().map(|ended| ended.at.as_second()).collect::<Vec<_>>(), (10..30).collect::<Vec<_>>());
    }
}
