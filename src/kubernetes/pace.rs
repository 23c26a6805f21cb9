//! Failures in a row → how long to wait: doubling, spread apart by the process, capped. Pure.

use std::time::Duration;

/// The wait of one task.
#[derive(Debug)]
pub(super) struct Pace {
    failures: u32,
    seed: u64,
}

impl Pace {
    pub(super) fn new() -> Self {
        Pace { failures: 0, seed: u64::from(std::process::id()) }
    }

    /// The wait after one more failure.
    pub(super) fn next(&mut self) -> Duration {
        let full = FIRST.saturating_mul(1 << self.failures.min(10)).min(CAP);
        self.failures = self.failures.saturating_add(1);
        // Pods that lost their server at one moment must not come back at one moment.
        let spread = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(self.failures) % 1_000;
        full / 2 + (full / 2).mul_f64(spread as f64 / 1_000.0)
    }

    /// It went well.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

const FIRST: Duration = Duration::from_millis(500);
const CAP: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_third_of_a_minute_and_begin_anew() {
        let mut pace = Pace::new();
        for full in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000] {
            let wait = pace.next();
            assert!(wait >= Duration::from_millis(full / 2) && wait <= Duration::from_millis(full), "{wait:?} of {full}");
        }
        pace.reset();
        assert!(pace.next() <= FIRST);
    }
}
