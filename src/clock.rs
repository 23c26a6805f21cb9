//! The only place that reads the time. What leaves is a [`Now`]: wall time to judge certificates by, and a monotonic [`Tick`] for
//! deadlines, so that a clock that jumps a year moves no deadline.

use std::{
    ops::{Add, Sub},
    sync::OnceLock,
    time::Duration,
};

use jiff::Timestamp;
use tokio::time::Instant;

/// One reading of both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Wall time (UTC), which certificates are judged by. It may jump.
    pub wall: Timestamp,
    /// Monotonic time, which deadlines are set by. It never goes back.
    pub tick: Tick,
}

/// Time since the process first read the clock. Never goes back, whatever happens to the wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tick(pub Duration);

/// Reads both clocks.
pub fn now() -> Now {
    Now { wall: wall(), tick: tick() }
}

/// Reads the wall clock (UTC).
#[allow(clippy::disallowed_methods, reason = "this is the one place")]
pub fn wall() -> Timestamp {
    Timestamp::now()
}

/// Reads the monotonic clock. Follows tokio's clock, so a paused test clock pauses this one.
#[allow(clippy::disallowed_methods, reason = "this is the one place")]
pub fn tick() -> Tick {
    Tick(Instant::now().saturating_duration_since(origin()))
}

/// How long the machine has been up, its sleep included (CLOCK_BOOTTIME): a clock that nobody sets. `None`: this system does not tell.
pub fn uptime() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    Duration::try_from_secs_f64(text.split(' ').next()?.parse().ok()?).ok()
}

/// The instant at which `tick` will be reached, for tokio's timers.
pub fn instant(tick: Tick) -> Instant {
    origin() + tick.0
}

#[allow(clippy::disallowed_methods, reason = "this is the one place")]
fn origin() -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    *ORIGIN.get_or_init(Instant::now)
}

impl Add<Duration> for Tick {
    type Output = Tick;
    fn add(self, span: Duration) -> Tick {
        Tick(self.0.saturating_add(span))
    }
}

impl Sub for Tick {
    type Output = Duration;
    fn sub(self, earlier: Tick) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}
