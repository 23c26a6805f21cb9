//! What the cluster is at, as far as it concerns the status: findings, how long the volume lagged, what was dropped. It comes from a room
//! downstream, on a `watch`; outside a cluster nothing ever comes.

use std::time::Duration;

use crate::{clock::Tick, diagnosis::Finding};

/// What the cluster tells of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cluster {
    /// What is wrong with it, or in what it permits.
    pub findings: Vec<Finding>,
    /// From the Secret's last change to the files': as it was, or as long as it lasts already.
    pub volume_lag: Option<Lag>,
    /// Events that nobody could be told, because too many waited.
    pub events_dropped: u64,
    /// Whether it is used at all.
    pub used: bool,
}

/// How far the files are behind the Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lag {
    /// They are not any more; so long it took.
    Was(Duration),
    /// They are, since then.
    Since(Tick),
}

impl Lag {
    /// How long, as it stands at `tick`.
    pub fn at(self, tick: Tick) -> Duration {
        match self {
            Lag::Was(span) => span,
            Lag::Since(since) => tick - since,
        }
    }
}
