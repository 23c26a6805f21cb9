//! How long to wait before the next try: doubling, capped, and spread by a seed so that many agents do not knock at once.

use std::time::Duration;

/// A row of growing waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Backoff {
    first: Duration,
    cap: Duration,
    seed: u64,
    tries: u32,
}

impl Backoff {
    pub(super) fn new(first: Duration, cap: Duration, seed: u64) -> Self {
        Backoff { first: first.min(cap), cap, seed, tries: 0 }
    }

    /// The next wait: between half and all of `first · 2ⁿ`, at most `cap`.
    pub(super) fn next(&mut self) -> Duration {
        let full = self.first.saturating_mul(1_u32.checked_shl(self.tries.min(20)).unwrap_or(u32::MAX)).min(self.cap);
        self.tries = self.tries.saturating_add(1);
        let spread = mix(self.seed ^ u64::from(self.tries)) % 1_000;
        full / 2 + (full / 2).mul_f64(spread as f64 / 1_000.0)
    }

    /// The next wait is the first again.
    pub(super) fn reset(&mut self) {
        self.tries = 0;
    }
}

/// SplitMix64's finalizer: every bit of the seed reaches every bit of the result.
fn mix(seed: u64) -> u64 {
    let x = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_stay_within_half_and_all_and_are_capped() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(10), 7);
        for full in [1, 2, 4, 8, 10, 10, 10] {
            let wait = backoff.next();
            assert!(wait >= Duration::from_millis(full * 500) && wait <= Duration::from_secs(full), "{wait:?} of {full}");
        }
        backoff.reset();
        assert!(backoff.next() <= Duration::from_secs(1));
    }

    #[test]
    fn two_seeds_wait_differently() {
        let first = |seed| Backoff::new(Duration::from_secs(1), Duration::from_secs(10), seed).next();
        assert_ne!(first(1), first(2));
        assert_eq!(first(1), first(1));
    }
}
