//! What the agent is at, derived from what it knows: a phase cannot be left over from facts that no longer hold.

use serde::Serialize;

use super::{Busy, State};
use crate::{clock::Now, proof::Door};

/// What the agent is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Phase {
    /// No good pair has been seen yet.
    AwaitingMaterial,
    /// The newest pair must not be loaded (or browsers would refuse it while they accept the one that is served): that one stays.
    Rejected,
    /// Asterisk is asked to load the newest pair.
    Reloading {
        /// Because the port is dark, rather than because the files changed.
        healing: bool,
    },
    /// The wire has not yet shown that the newest pair is served and `/ws` accepts `sip`.
    Proving,
    /// It has.
    Serving,
    /// TLS is dead on the port (or gone from it) while the files are good.
    Wedged,
    /// Nothing answers at the port, or AMI is gone while a reload is needed.
    Unreachable,
    /// The process ends.
    Stopping,
}

impl Phase {
    /// Every name, for metrics.
    pub const NAMES: [&'static str; 8] =
        ["AwaitingMaterial", "Rejected", "Reloading", "Proving", "Serving", "Wedged", "Unreachable", "Stopping"];

    /// The name that users see.
    pub fn name(self) -> &'static str {
        match self {
            Phase::AwaitingMaterial => "AwaitingMaterial",
            Phase::Rejected => "Rejected",
            Phase::Reloading { .. } => "Reloading",
            Phase::Proving => "Proving",
            Phase::Serving => "Serving",
            Phase::Wedged => "Wedged",
            Phase::Unreachable => "Unreachable",
            Phase::Stopping => "Stopping",
        }
    }

    pub(super) fn of(state: &State, now: Now) -> Phase {
        if state.stopping {
            return Phase::Stopping;
        }
        if let Some(Busy::Reloading { healing, .. }) = &state.busy {
            return Phase::Reloading { healing: *healing };
        }
        if state.proving.is_some() {
            return Phase::Proving;
        }
        if state.good.is_none() {
            return Phase::AwaitingMaterial;
        }
        let door = state.door().map(|door| door.door);
        let withheld = state.rejected(now).is_some() || state.held_back() || state.publish_failure.is_some();
        // In staged mode a dead door is mended with the pair from before, whatever the watched files hold.
        let mendable = state.files_are_good() && door.is_some_and(|door| door.is_dead() || door == Door::Unreachable);
        if withheld && !mendable {
            return Phase::Rejected;
        }
        match door {
            None => Phase::Proving,
            Some(Door::Refused) if state.ami.is_up() => Phase::Wedged,
            Some(Door::Refused | Door::Unreachable) => Phase::Unreachable,
            Some(Door::Dark | Door::Cleartext) => Phase::Wedged,
            Some(Door::Open) if state.served_is_wanted() => Phase::Serving,
            Some(Door::Open | Door::Shut) if state.served_is_wanted() || state.ami.is_up() => Phase::Proving,
            Some(Door::Open | Door::Shut) => Phase::Unreachable,
        }
    }
}
