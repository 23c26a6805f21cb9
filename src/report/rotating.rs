//! `State` → how far the newest generation is, for whoever orders rotations among replicas. Pure.

use super::Around;
use crate::{
    clock::Now,
    material::Digest,
    proof::Door,
    state::{Phase, State, Turn},
};

/// How far the newest generation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotating {
    /// The newest generation that browsers are to get.
    pub newest: Option<Digest>,
    /// The newest generation, where that is one that must not be loaded, or is held back for a better one.
    pub rejected: Option<Digest>,
    /// The bytes of both watched files as they were read last.
    pub captured: Option<Digest>,
    /// Whether browsers get the newest generation.
    pub served: bool,
    /// Whether it was tried, and something is amiss now that was not served before.
    pub failed: bool,
}

/// As it stands in JSON.
pub(super) fn turn_name(turn: &Turn) -> &'static str {
    match turn {
        Turn::Waiting { .. } => "waiting",
        Turn::Granted => "granted",
        Turn::Stopped { .. } => "stopped",
    }
}

pub(super) fn rotating(state: &State, around: &Around, now: Now) -> Rotating {
    let open = state.door().is_some_and(|door| door.door == Door::Open);
    let held_back = state.candidate().or(state.good()).filter(|_| state.held_back()).map(|held| held.bundle.digest());
    Rotating {
        newest: state.newest(),
        rejected: state.rejected(now).map(|rejected| rejected.rejection.snapshot.digest()).or(held_back),
        captured: around.captured,
        served: open && state.newest_is_served(),
        failed: state.has_turn() && (state.gave_up() || state.phase() == Phase::Wedged),
    }
}
