//! What the state is made of, and what it counts.

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde::Serialize;

use super::{BesideMeans, ProbeTimes, RotationTimes};
use crate::{
    asterisk::{ami::Reloaded, reload::Reload},
    bundle::{Bundle, Rejection},
    clock::{Now, Tick},
    diagnosis::Finding,
    proof::{Door, Observation},
};

/// A generation that Asterisk would load.
#[derive(Clone, Debug)]
pub struct Generation {
    /// The checked pair.
    pub bundle: Arc<Bundle>,
    /// When it was taken.
    pub since: Now,
}

impl Generation {
    /// Whether it is made of these bytes.
    pub(super) fn is(&self, bundle: &Bundle) -> bool {
        self.bundle.digest() == bundle.digest()
    }
}

/// A generation that Asterisk must not load.
#[derive(Clone, Debug)]
pub struct Rejected {
    /// Why.
    pub rejection: Arc<Rejection>,
    /// When it was judged.
    pub since: Now,
    /// From when on it is no longer taken for half-written.
    pub named_from: Tick,
    pub(super) counted: bool,
    pub(super) torn: Option<Finding>,
}

impl Rejected {
    /// Everything that is wrong with it. A pair of which only one half is new is also called torn.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.rejection.findings.iter().chain(&self.torn)
    }
}

/// What Asterisk's own files (and the settings) allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Means {
    /// What to reload for a new certificate, in this order.
    pub reloads: Vec<Reload>,
    /// How a listener that lost its certificate can be brought back.
    pub heal: HealMeans,
    /// The other surfaces that use the files.
    pub beside: Vec<BesideMeans>,
}

/// How a listener that lost its certificate can be brought back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealMeans {
    /// http.conf tries to include a file that is absent: every reload re-reads it.
    AbsentInclude,
    /// Touching this file, which http.conf includes, makes the next reload re-read it.
    Stamp(PathBuf),
    /// Neither is there: `cannot-heal`, with the file and the line to paste.
    None(Finding),
    /// Asterisk's files are not at hand: a reload is tried, and may help.
    Unknown,
}

impl HealMeans {
    /// How many reloads are worth their risk for one wedge.
    pub(super) fn tries(&self) -> u32 {
        match self {
            HealMeans::AbsentInclude | HealMeans::Stamp(_) => 5,
            HealMeans::Unknown => 2,
            // http.conf may have been edited since Asterisk read it last: then one reload brings it back.
            HealMeans::None(_) => 1,
        }
    }
}

/// The connection to AMI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AmiLink {
    /// Logged in.
    Up {
        /// The protocol's version, from the banner.
        version: String,
        /// Asterisk said `FullyBooted`.
        booted: bool,
        /// Since when.
        since: Now,
    },
    /// Not, and why (nothing while the first try is under way).
    Down {
        /// The last failure.
        finding: Option<Finding>,
        /// Since when.
        since: Now,
    },
}

impl AmiLink {
    /// Whether a reload can be asked for.
    pub fn is_up(&self) -> bool {
        match self {
            AmiLink::Up { .. } => true,
            AmiLink::Down { .. } => false,
        }
    }

    /// Whether Asterisk said that it has booted. Without class `system` to read it never says so.
    pub fn is_booted(&self) -> bool {
        match self {
            AmiLink::Up { booted, .. } => *booted,
            AmiLink::Down { .. } => false,
        }
    }

    /// Since when it has been down, if it is.
    pub fn down_since(&self) -> Option<Now> {
        match self {
            AmiLink::Up { .. } => None,
            AmiLink::Down { since, .. } => Some(*since),
        }
    }
}

/// What came of a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReloadOutcome {
    /// Asterisk took it on.
    Answered(Reloaded),
    /// It did not, or nothing is known.
    Failed(Finding),
    /// The files were no longer those that were judged: nothing was sent.
    FilesMoved,
}

/// A new generation on its way to the browsers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The first generation since the agent began.
    pub first: bool,
    /// When its first change was noticed.
    pub noticed: Tick,
    /// When it was whole and judged.
    pub taken: Tick,
    /// How long judging took.
    pub check: Duration,
    /// Staged mode: when it was published.
    pub published: Option<Tick>,
    /// When the reload was asked for, and answered.
    pub reload: Option<(Tick, Tick)>,
}

impl Rotation {
    pub(super) fn timing(self, begun: Tick, reloaded: Tick, proved: Tick) -> Timing {
        Timing {
            settle: (self.taken - self.noticed).saturating_sub(self.check),
            check: self.check,
            publish: self.published.map(|published| published - self.taken),
            reload: reloaded - begun,
            prove: proved - reloaded,
            total: proved - self.noticed,
        }
    }
}

/// How long each stage of a rotation took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// From the first change to a whole generation.
    pub settle: Duration,
    /// Judging it.
    pub check: Duration,
    /// Staged mode: writing it where Asterisk reads.
    pub publish: Option<Duration>,
    /// Asterisk's reload.
    pub reload: Duration,
    /// Until the wire showed it.
    pub prove: Duration,
    /// From the first change to the proof.
    pub total: Duration,
}

/// How a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Loaded, and seen on the wire.
    Proved,
    /// The wire showed it before anything was done: somebody else reloaded, or the former one came back.
    AlreadyServed,
    /// Not loaded.
    Rejected,
    /// Reloaded, and replaced before the wire showed it.
    Unproved,
}

/// What was counted since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rotations proved.
    pub proved: u64,
    /// Generations that were served already.
    pub already_served: u64,
    /// Generations rejected.
    pub rejected: u64,
    /// Generations replaced before they were proved.
    pub unproved: u64,
    /// Wedged listeners brought back.
    pub healed: u64,
    /// Healing reloads that did not help.
    pub not_healed: u64,
    /// Probes, by door: open, shut, dark, cleartext, refused, unreachable.
    pub probes: [u64; 6],
    /// How long the stages of those probes took.
    pub probe_times: ProbeTimes,
    /// Logins to AMI.
    pub ami_connects: u64,
    /// The last rotation that was proved: when, and how long it took.
    pub last: Option<(Now, Timing)>,
    /// How long the stages of all of them took.
    pub rotation_times: RotationTimes,
}

impl Outcome {
    /// As it stands in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Proved => "proved",
            Outcome::AlreadyServed => "already-served",
            Outcome::Rejected => "rejected",
            Outcome::Unproved => "unproved",
        }
    }
}

impl Tally {
    pub(super) fn rotated(&mut self, outcome: Outcome, timing: Option<Timing>, now: Now) {
        match outcome {
            Outcome::Proved => self.proved += 1,
            Outcome::AlreadyServed => self.already_served += 1,
            Outcome::Rejected => self.rejected += 1,
            Outcome::Unproved => self.unproved += 1,
        }
        if let Some(timing) = timing {
            self.last = Some((now, timing));
            self.rotation_times.observe(timing);
        }
    }

    pub(super) fn healed(&mut self, open: bool) {
        if open {
            self.healed += 1;
        } else {
            self.not_healed += 1;
        }
    }

    pub(super) fn probed(&mut self, observation: &Observation) {
        let place = match observation.door {
            Door::Open => 0,
            Door::Shut => 1,
            Door::Dark => 2,
            Door::Cleartext => 3,
            Door::Refused => 4,
            Door::Unreachable => 5,
        };
        self.probes[place] += 1;
        self.probe_times.observe(observation.times);
    }
}
