//! The state, and what stands around it → [`Status`]. Pure.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    Status,
    cluster::Cluster,
    findings::{findings, settled},
    health,
    notify::Delivery,
    rotating::{rotating, turn_name},
    status::{Ami, Counts, Expiry, Files, Healing, LastRotation, PastRotation, Probes, RotationMillis, Stages, Surface},
};
use crate::{
    asterisk::{reload::Reload, surface as asterisk},
    bundle::Leaf,
    clock::Now,
    diagnosis::Finding,
    material::Digest,
    proof::{Door, Observation, StageTimes},
    settings::{Address, ExpirySettings, LivenessSettings, ReadinessSettings},
    state::{AmiLink, Beside, HealMeans, State, Tally, Timing},
};

/// What the state does not know of: the settings that health goes by, and what the rooms around it report.
#[derive(Clone, Debug)]
pub struct Around {
    /// When the agent began.
    pub started: Now,
    /// What is watched.
    pub cert: String,
    /// What is watched.
    pub key: String,
    /// Asterisk reads what the agent publishes.
    pub staged: bool,
    /// Whether the files are watched or polled.
    pub watching: &'static str,
    /// Which door is tried, and by which path.
    pub wss: Address,
    /// The request path.
    pub path: String,
    /// Where the other surfaces are.
    pub beside: Vec<(asterisk::Surface, Address)>,
    /// Where AMI is.
    pub ami: Address,
    /// Findings that do not come from the state: configuration, host.
    pub findings: Vec<Finding>,
    /// What is likely, and is said only while the wire does not show what it should.
    pub suspicions: Vec<Finding>,
    /// When a certificate that will expire is spoken of.
    pub expiry: ExpirySettings,
    /// When liveness fails.
    pub liveness: LivenessSettings,
    /// What readiness asks.
    pub readiness: ReadinessSettings,
    /// How old a proof may grow before it counts no longer.
    pub stale_after: std::time::Duration,
    /// What AMI told and nobody took.
    pub events_dropped: u64,
    /// What the cluster tells of itself.
    pub cluster: Cluster,
    /// How notifications fare.
    pub delivery: Delivery,
    /// The bytes of both watched files as they were read last, good or bad.
    pub captured: Option<Digest>,
}

impl Status {
    /// What stands at `now`.
    pub fn of(state: &State, around: &Around, now: Now) -> Self {
        Status {
            version: 1,
            agent: env!("CARGO_PKG_VERSION"),
            started_at: around.started.wall,
            at: now.wall,
            phase: state.phase().name(),
            since: state.since().wall,
            startup: health::startup(state, around.staged, now),
            ready: health::readiness(state, around.readiness),
            live: health::liveness(state, around.liveness, around.started, now),
            surfaces: std::iter::once(wss(state, around))
                .chain(state.beside().iter().map(|beside| surface(beside, state, around)))
                .collect(),
            files: files(state, around, now),
            ami: ami(state, around),
            healing: Healing { by: healing(&state.means().heal), modules: state.means().reloads.iter().map(Reload::name).collect() },
            counts: counts(state.tally(), around.events_dropped),
            rotations: rotations(state),
            latency: Arc::clone(state.history().probes()),
            last_rotation: state.tally().last.map(|(at, timing)| LastRotation { at: at.wall, millis: rotation_millis(timing) }),
            turn: state.turn().map(turn_name),
            volume_lag_seconds: around.cluster.volume_lag.map(|lag| millis(lag.at(now.tick)) / 1e3),
            findings: findings(state, around, now),
            rotation_times: state.tally().rotation_times,
            probe_times: state.tally().probe_times,
            expiry: around.expiry,
            staged: around.staged,
            delivery: around.delivery.clone(),
            cluster_events_dropped: around.cluster.used.then_some(around.cluster.events_dropped),
            rotation: rotating(state, around, now),
            settled: settled(state, now),
            looked: state.looked(),
            stale_after: around.stale_after,
        }
    }
}

fn wss(state: &State, around: &Around) -> Surface {
    let path = Some(around.path.clone());
    seen(Place { surface: asterisk::Surface::Wss, address: around.wss.to_string(), path }, state.door(), state.matches(), around)
}

fn surface(beside: &Beside, state: &State, around: &Around) -> Surface {
    let surface = beside.means.surface.clone();
    let address = around.beside.iter().find(|(known, _)| *known == surface).map(|(_, address)| address.to_string());
    let matches = state.good().is_some_and(|good| beside.serves(good));
    seen(Place { surface, address: address.unwrap_or_default(), path: None }, beside.seen.as_ref(), matches, around)
}

struct Place {
    surface: asterisk::Surface,
    address: String,
    path: Option<String>,
}

fn seen(place: Place, door: Option<&Observation>, matches_wanted: bool, around: &Around) -> Surface {
    let served = door.and_then(|door| door.served.as_ref());
    Surface {
        surface: place.surface.to_string(),
        address: place.address,
        path: place.path,
        door: door.map(|door| door_name(door.door)),
        looked_at: door.map(|door| door.at),
        millis: door.map(|door| stages(door.times)).unwrap_or_default(),
        protocol: served.map(|served| served.protocol.clone()),
        served: served.and_then(|served| served.leaf.clone()),
        acceptable: served.map(|served| served.acceptable),
        expiry: served.and_then(|served| served.leaf.as_ref()).and_then(|leaf| expiry(leaf, around.expiry)),
        matches_wanted,
    }
}

fn expiry(leaf: &Leaf, settings: ExpirySettings) -> Option<Expiry> {
    let (begin, end) = (leaf.not_before.as_second(), leaf.not_after.as_second());
    let (warning, critical) = settings.before_the_end(end - begin);
    let before = |seconds| Timestamp::from_second(end - seconds).ok();
    Some(Expiry { warning_from: before(warning)?, critical_from: before(critical)? })
}

/// As it stands in JSON and in metrics.
pub fn door_name(door: Door) -> &'static str {
    match door {
        Door::Open => "open",
        Door::Shut => "shut",
        Door::Dark => "dark",
        Door::Cleartext => "cleartext",
        Door::Refused => "refused",
        Door::Unreachable => "unreachable",
    }
}

/// In milliseconds.
pub(super) fn stages(times: StageTimes) -> Stages {
    Stages { tcp: times.tcp.map(millis), tls: times.tls.map(millis), upgrade: times.upgrade.map(millis) }
}

fn millis(span: std::time::Duration) -> f64 {
    (span.as_secs_f64() * 1e6).round() / 1e3
}

fn rotations(state: &State) -> Vec<PastRotation> {
    let mut rotations: Vec<_> = (state.history().rotations())
        .map(|ended| PastRotation {
            at: ended.at,
            outcome: ended.outcome,
            fingerprint_sha256: ended.fingerprint,
            millis: ended.timing.map(rotation_millis),
        })
        .collect();
    rotations.reverse();
    rotations
}

fn rotation_millis(timing: Timing) -> RotationMillis {
    RotationMillis {
        settle: millis(timing.settle),
        check: millis(timing.check),
        publish: timing.publish.map(millis),
        reload: millis(timing.reload),
        prove: millis(timing.prove),
        total: millis(timing.total),
    }
}

fn files(state: &State, around: &Around, now: Now) -> Files {
    let rejected = state.rejected(now);
    Files {
        cert: around.cert.clone(),
        key: around.key.clone(),
        watching: around.watching,
        verdict: match (state.good(), rejected) {
            (_, Some(_)) => "rejected",
            (Some(_), None) if state.held_back() => "heldBack",
            (Some(_), None) => "good",
            (None, None) => "none",
        },
        leaf: state.candidate().or(state.good()).map(|newest| newest.bundle.leaf.clone()),
        published: state.good().filter(|_| around.staged).map(|good| good.bundle.leaf.clone()),
        rejected_leaf: rejected.and_then(|rejected| rejected.rejection.leaf.as_deref().cloned()),
    }
}

fn ami(state: &State, around: &Around) -> Ami {
    let address = around.ami.to_string();
    match state.ami() {
        AmiLink::Up { version, booted, since } => {
            Ami { address, connected: true, version: Some(version.clone()), fully_booted: *booted, since: since.wall }
        }
        AmiLink::Down { since, .. } => Ami { address, connected: false, version: None, fully_booted: false, since: since.wall },
    }
}

fn healing(means: &HealMeans) -> &'static str {
    match means {
        HealMeans::AbsentInclude => "absentInclude",
        HealMeans::Stamp(_) => "stamp",
        HealMeans::None(_) => "none",
        HealMeans::Unknown => "unknown",
    }
}

fn counts(tally: &Tally, ami_events_dropped: u64) -> Counts {
    let [open, shut, dark, cleartext, refused, unreachable] = tally.probes;
    Counts {
        proved: tally.proved,
        already_served: tally.already_served,
        rejected: tally.rejected,
        unproved: tally.unproved,
        healed: tally.healed,
        not_healed: tally.not_healed,
        probes: Probes { open, shut, dark, cleartext, refused, unreachable },
        ami_connects: tally.ami_connects,
        ami_events_dropped,
    }
}
