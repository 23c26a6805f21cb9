//! How long something took, time and again → how often it took how long. Pure; it forgets nothing and never grows.

use std::time::Duration;

use super::Timing;
use crate::proof::StageTimes;

/// A cumulative histogram, as Prometheus reads them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// How many fell between each bound and the one before; the last: above all of them.
    counts: [u64; Histogram::BOUNDS.len() + 1],
    sum: Duration,
}

impl Histogram {
    /// Upper bounds, each included. Few, since every stage has them all: fine where a rotation of a healthy Asterisk lies (1 to 25 ms), wide up
    /// to where a kubelet or a restart is waited for.
    pub const BOUNDS: [Duration; 10] = [
        Duration::from_millis(1),
        Duration::from_micros(2500),
        Duration::from_millis(5),
        Duration::from_millis(10),
        Duration::from_millis(25),
        Duration::from_millis(100),
        Duration::from_secs(1),
        Duration::from_secs(5),
        Duration::from_secs(30),
        Duration::from_secs(120),
    ];

    /// Each bound with how many lie below it and above the one before; last, those above all bounds.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<Duration>, u64)> {
        Self::BOUNDS.iter().copied().map(Some).chain([None]).zip(self.counts)
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long they took together.
    pub fn sum(&self) -> Duration {
        self.sum
    }

    pub(super) fn observe(&mut self, span: Duration) {
        let place = Self::BOUNDS.iter().position(|bound| span <= *bound).unwrap_or(Self::BOUNDS.len());
        self.counts[place] += 1;
        self.sum = self.sum.saturating_add(span);
    }
}

/// Of every rotation that was proved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the stages of Timing")]
pub struct RotationTimes {
    pub settle: Histogram,
    pub check: Histogram,
    pub publish: Histogram,
    pub reload: Histogram,
    pub prove: Histogram,
    pub total: Histogram,
}

impl RotationTimes {
    pub(super) fn observe(&mut self, timing: Timing) {
        self.settle.observe(timing.settle);
        self.check.observe(timing.check);
        timing.publish.into_iter().for_each(|span| self.publish.observe(span));
        self.reload.observe(timing.reload);
        self.prove.observe(timing.prove);
        self.total.observe(timing.total);
    }
}

/// Of every look at the door, each stage as far as it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the stages of StageTimes")]
pub struct ProbeTimes {
    pub tcp: Histogram,
    pub tls: Histogram,
    pub upgrade: Histogram,
}

impl ProbeTimes {
    pub(super) fn observe(&mut self, times: StageTimes) {
        times.tcp.into_iter().for_each(|span| self.tcp.observe(span));
        times.tls.into_iter().for_each(|span| self.tls.observe(span));
        times.upgrade.into_iter().for_each(|span| self.upgrade.observe(span));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_own_bucket_and_what_is_longer_to_the_next() {
        let mut histogram = Histogram::default();
        for span in Histogram::BOUNDS {
            histogram.observe(span);
            histogram.observe(span + Duration::from_nanos(1));
        }
        let counts: Vec<u64> = histogram.buckets().map(|(_, count)| count).collect();
        assert_eq!(counts, [1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1]);
        assert_eq!(histogram.count(), 20);
        let bounds: Duration = Histogram::BOUNDS.iter().sum();
        assert_eq!(histogram.sum(), bounds * 2 + Duration::from_nanos(10));
    }

    #[test]
    fn bounds_rise_from_a_millisecond_to_two_minutes() {
        assert!(Histogram::BOUNDS.is_sorted_by(|one, other| one < other));
        assert_eq!((Histogram::BOUNDS[0], Histogram::BOUNDS[9]), (Duration::from_millis(1), Duration::from_secs(120)));
    }

    #[test]
    fn a_stage_that_was_not_reached_is_not_counted() {
        let mut probes = ProbeTimes::default();
        probes.observe(StageTimes { tcp: Some(Duration::ZERO), tls: None, upgrade: None });
        assert_eq!((probes.tcp.count(), probes.tls.count(), probes.upgrade.count()), (1, 0, 0));
        let mut rotations = RotationTimes::default();
        let zero = Duration::ZERO;
        rotations.observe(Timing { settle: zero, check: zero, publish: None, reload: zero, prove: zero, total: zero });
        assert_eq!((rotations.publish.count(), rotations.total.count()), (0, 1));
    }
}
