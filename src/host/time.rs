//! The wall clock, beside one that nobody sets → whether it is wrong, or was, where that can be known. Pure. Says nothing of a clock that was
//! merely set while no certificate's validity hangs on it, nor of one that went on while the machine slept.

use jiff::{SignedDuration, Timestamp};

use crate::{
    bundle::Leaf,
    diagnosis::{Code, Finding},
};

/// What the wall clock has done since the agent began.
#[derive(Clone, Debug, Default)]
pub struct WallClock {
    /// Wall time less uptime, at the last look.
    offset: Option<SignedDuration>,
    /// What it leapt by, in all; zero where it leapt back.
    leapt: SignedDuration,
}

impl WallClock {
    /// Looks at both. `uptime`: since the machine was started, sleep included; `None`: it cannot be had, and nothing is known.
    pub fn look(&mut self, wall: Timestamp, uptime: Option<std::time::Duration>) {
        let Some(uptime) = uptime.and_then(|uptime| SignedDuration::try_from(uptime).ok()) else { return };
        let offset = wall.duration_since(Timestamp::UNIX_EPOCH) - uptime;
        let step = self.offset.replace(offset).map_or(SignedDuration::ZERO, |known| offset - known);
        // What is smaller is how clocks are kept right.
        if step.abs() >= LEAP {
            self.leapt += step;
            if self.leapt.abs() < LEAP {
                self.leapt = SignedDuration::ZERO;
            }
        }
    }

    /// What is to be said at `now`: of a time that cannot be, and of a leap that made one of these certificates invalid.
    pub fn finding<'a>(&self, now: Timestamp, leaves: impl IntoIterator<Item = &'a Leaf>) -> Option<Finding> {
        let reason = if now < EARLIEST {
            format!("it is before {EARLIEST}, when this program was not yet written")
        } else {
            let unleapt = now.checked_sub(self.leapt).ok().filter(|_| !self.leapt.is_zero())?;
            let lost = leaves.into_iter().find(|leaf| is_valid(leaf, unleapt) && !is_valid(leaf, now))?;
            let way = if self.leapt.is_positive() { "ahead" } else { "back" };
            let (leapt, subject) = (self.leapt.abs(), &lost.subject);
            format!("it leapt {way} by {leapt:#} while the agent ran, and {subject} was valid until then; it is wrong now, or was before")
        };
        Some(Finding::new(Code::ClockSkewed).with("now", now).with("reason", reason))
    }
}

fn is_valid(leaf: &Leaf, at: Timestamp) -> bool {
    (leaf.not_before..=leaf.not_after).contains(&at)
}

/// Steps of time servers after a bad hour are smaller; leap seconds, too.
const LEAP: SignedDuration = SignedDuration::from_mins(5);

/// 2026-01-01T00:00:00Z
const EARLIEST: Timestamp = Timestamp::constant(1_767_225_600, 0);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::bundle::Fingerprint;

    const HOUR: u64 = 3600;
    const DAY: i64 = 86_400;

    fn wall(seconds: i64) -> Timestamp {
        EARLIEST + SignedDuration::from_secs(300 * DAY + seconds)
    }

    /// Valid from ten days before `wall(0)` to ten days after it.
    fn leaf() -> Leaf {
        Leaf {
            subject: "CN=pbx.example.com".to_owned(),
            issuer: String::new(),
            serial: String::new(),
            names: Vec::new(),
            not_before: wall(-10 * DAY),
            not_after: wall(10 * DAY),
            key_algorithm: String::new(),
            fingerprint_sha256: Fingerprint::of(&[0_u8].as_slice().into()),
        }
    }

    /// The reason that is given after these looks: seconds of the wall clock, and of uptime.
    fn said(looks: &[(i64, u64)]) -> Option<String> {
        let mut clock = WallClock::default();
        for (seconds, uptime) in looks {
            clock.look(wall(*seconds), Some(Duration::from_secs(*uptime)));
        }
        let (last, _) = looks.last()?;
        let finding = clock.finding(wall(*last), [&leaf()])?;
        assert_eq!(finding.code, Code::ClockSkewed);
        finding.get("reason").map(ToString::to_string)
    }

    #[test]
    fn a_leap_that_made_a_certificate_invalid_is_named() {
        let ahead = said(&[(0, HOUR), (11 * DAY, HOUR + 10)]).expect("expired by the leap");
        assert!(ahead.starts_with("it leapt ahead by 263h") && ahead.contains("CN="), "{ahead}");
        let back = said(&[(0, HOUR), (-11 * DAY, HOUR + 10)]).expect("not yet valid by the leap");
        assert!(back.starts_with("it leapt back by 264h"), "{back}");
        // Many leaps that come to as much.
        assert!(said(&[(0, HOUR), (6 * DAY, HOUR), (11 * DAY, HOUR)]).is_some());
    }

    #[test]
    fn sleep_drift_and_whatever_leaves_certificates_valid_are_no_news() {
        let quiet: [&[(i64, u64)]; 6] = [
            &[],
            // Eleven days asleep: uptime knows, and the certificate did expire.
            &[(0, HOUR), (11 * DAY, HOUR + 11 * 24 * HOUR)],
            &[(0, HOUR), (9 * DAY, HOUR + 10)],
            // Set right again.
            &[(0, HOUR), (11 * DAY, HOUR + 10), (20, HOUR + 20)],
            // Four minutes each time: kept right, however often.
            &[(0, HOUR), (240, HOUR), (480, HOUR), (720, HOUR)],
            // Expired by itself, long after a small leap.
            &[(0, HOUR), (600, HOUR), (11 * DAY, HOUR + 11 * 24 * HOUR - 600)],
        ];
        for looks in quiet {
            assert_eq!(said(looks), None, "{looks:?}");
        }
    }

    #[test]
    fn a_time_before_the_program_was_written_is_named_without_any_certificate() {
        let clock = WallClock::default();
        assert_eq!(clock.finding(EARLIEST, []), None);
        let finding = clock.finding(Timestamp::UNIX_EPOCH, []).expect("1970");
        assert_eq!(finding.get("now").map(ToString::to_string).as_deref(), Some("1970-01-01T00:00:00Z"));
    }

    #[test]
    fn where_uptime_cannot_be_had_nothing_is_said() {
        let mut clock = WallClock::default();
        clock.look(wall(0), None);
        clock.look(wall(11 * DAY), None);
        assert_eq!(clock.finding(wall(11 * DAY), [&leaf()]), None);
    }
}
