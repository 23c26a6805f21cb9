//! What is known → [`Status`], as `/status` gives it. Pure.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::{
    cluster::Cluster,
    findings::{findings, settled},
    health::{self, Verdict},
};
use crate::{
    asterisk::{reload::Reload, surface as asterisk},
    bundle::Leaf,
    clock::{Now, Tick},
    diagnosis::{Finding, Lang},
    material::Digest,
    proof::{Door, Observation},
    settings::{Address, LivenessSettings, ReadinessSettings},
    state::{AmiLink, Beside, HealMeans, Phase, State, Tally, Timing, Turn},
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
    /// The bytes of both watched files as they were read last, good or bad.
    pub captured: Option<Digest>,
}

/// Everything the outside reads, as it stood at one moment.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Of this shape.
    pub version: u32,
    /// The agent's own version.
    pub agent: &'static str,
    /// When the agent began.
    pub started_at: Timestamp,
    /// When this was true.
    pub at: Timestamp,
    /// What the agent is at.
    pub phase: &'static str,
    /// Since when.
    pub since: Timestamp,
    /// Whether Asterisk may start: staged mode has published a pair.
    pub startup: Verdict,
    /// Readiness.
    pub ready: Verdict,
    /// Liveness of Asterisk.
    pub live: Verdict,
    /// Every surface that is kept, the secure WebSocket first.
    pub surfaces: Vec<Surface>,
    /// The files.
    pub files: Files,
    /// The manager interface.
    pub ami: Ami,
    /// How a listener that lost its certificate would be brought back.
    pub healing: Healing,
    /// What was counted since the start.
    pub counts: Counts,
    /// The last rotation that was proved.
    pub last_rotation: Option<LastRotation>,
    /// Whether the newest pair waits for its turn among the replicas, or is stopped there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<&'static str>,
    /// Seconds from the Secret's last change to the files'.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_lag_seconds: Option<f64>,
    /// Everything that is wrong, errors first.
    #[serde(serialize_with = "rendered")]
    pub findings: Vec<Finding>,
    /// Of what the cluster could not be told.
    #[serde(skip)]
    pub cluster_events_dropped: Option<u64>,
    /// The rotation of the newest good pair, for whoever orders it.
    #[serde(skip)]
    pub rotation: Rotating,
    /// Nothing more will be tried for the pair that is there.
    #[serde(skip)]
    pub settled: bool,
    /// Of the last look, for judging its age.
    #[serde(skip)]
    pub looked: Option<Tick>,
    /// How old it may grow.
    #[serde(skip)]
    pub stale_after: std::time::Duration,
}

/// How far the newest generation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotating {
    /// The newest generation that Asterisk would load.
    pub newest: Option<Digest>,
    /// The newest generation, where that is one that must not be loaded.
    pub rejected: Option<Digest>,
    /// The bytes of both watched files as they were read last.
    pub captured: Option<Digest>,
    /// Whether browsers get the newest generation.
    pub served: bool,
    /// Whether it was tried, and something is amiss now that was not served before.
    pub failed: bool,
}

/// One TLS door of Asterisk.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Surface {
    /// `wss`, `sip-tls/TRANSPORT`, `ami-tls`
    pub surface: String,
    /// `host:port`
    pub address: String,
    /// The request path, where there is one.
    pub path: Option<String>,
    /// open, shut, dark, cleartext, refused, unreachable; nothing before the first look.
    pub door: Option<&'static str>,
    /// When it was looked at last.
    pub looked_at: Option<Timestamp>,
    /// Milliseconds of each stage of that look.
    pub millis: Stages,
    /// TLS version.
    pub protocol: Option<String>,
    /// The certificate that was served.
    pub served: Option<Leaf>,
    /// Whether browsers would accept it.
    pub acceptable: Option<bool>,
    /// Whether leaf and chain are those of the newest good pair.
    pub matches_wanted: bool,
}

/// Milliseconds of each stage of a look.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Stages {
    /// Name and TCP.
    pub tcp: Option<f64>,
    /// Handshake.
    pub tls: Option<f64>,
    /// Upgrade.
    pub upgrade: Option<f64>,
}

/// What is watched, and what it holds.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Files {
    /// Path.
    pub cert: String,
    /// Path.
    pub key: String,
    /// inotify or polling.
    pub watching: &'static str,
    /// good, rejected, heldBack (browsers would refuse it, and accept what is served), none.
    pub verdict: &'static str,
    /// The leaf of the newest pair that Asterisk would load.
    pub leaf: Option<Leaf>,
    /// Staged mode: the leaf of the pair that is published.
    pub published: Option<Leaf>,
    /// The leaf of the newest pair, where that was rejected and can be read.
    pub rejected_leaf: Option<Leaf>,
}

/// The manager interface.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ami {
    /// `host:port`
    pub address: String,
    /// Logged in.
    pub connected: bool,
    /// Of the protocol.
    pub version: Option<String>,
    /// Asterisk said so.
    pub fully_booted: bool,
    /// Connected or not since.
    pub since: Timestamp,
}

/// How a listener that lost its certificate would be brought back.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Healing {
    /// absentInclude, stamp, none, unknown.
    pub by: &'static str,
    /// What would be reloaded.
    pub modules: Vec<&'static str>,
}

/// What was counted since the start.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Rotations proved on the wire.
    pub proved: u64,
    /// Generations that were served before anything was done.
    pub already_served: u64,
    /// Generations rejected.
    pub rejected: u64,
    /// Generations replaced before they were proved.
    pub unproved: u64,
    /// Wedges healed.
    pub healed: u64,
    /// Healing reloads that did not help.
    pub not_healed: u64,
    /// Probes, by door.
    pub probes: Probes,
    /// Connections to AMI.
    pub ami_connects: u64,
    /// News of AMI that was thinned out because too much of it came.
    pub ami_events_dropped: u64,
}

/// Probes, by door.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[allow(missing_docs, reason = "the doors of proof::Door")]
pub struct Probes {
    pub open: u64,
    pub shut: u64,
    pub dark: u64,
    pub cleartext: u64,
    pub refused: u64,
    pub unreachable: u64,
}

/// The last rotation that was proved.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LastRotation {
    /// When it was proved.
    pub at: Timestamp,
    /// Milliseconds of each stage.
    pub millis: RotationMillis,
}

/// Milliseconds of each stage of a rotation.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "the stages of state::Timing")]
pub struct RotationMillis {
    pub settle: f64,
    pub check: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish: Option<f64>,
    pub reload: f64,
    pub prove: f64,
    pub total: f64,
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
            last_rotation: state.tally().last.map(|(at, timing)| LastRotation { at: at.wall, millis: rotation_millis(timing) }),
            turn: state.turn().map(turn_name),
            volume_lag_seconds: around.cluster.volume_lag.map(|lag| millis(lag.at(now.tick)) / 1e3),
            findings: findings(state, around, now),
            cluster_events_dropped: around.cluster.used.then_some(around.cluster.events_dropped),
            rotation: rotating(state, around, now),
            settled: settled(state, now),
            looked: state.looked(),
            stale_after: around.stale_after,
        }
    }

    /// Whether the newest pair was seen on the wire, and `/ws` accepted `sip`.
    pub fn is_serving(&self) -> bool {
        self.phase == Phase::Serving.name()
    }

    /// Whether waiting longer will change nothing unless somebody does something.
    pub fn is_settled(&self) -> bool {
        self.is_serving() || self.settled
    }

    /// Readiness at `tick`: a proof that grew too old counts no longer, whatever the driver is at.
    pub fn ready_at(&self, tick: Tick) -> Verdict {
        match self.looked {
            Some(looked) if tick - looked > self.stale_after => self.ready.clone().failed_for("proof-stale"),
            Some(_) | None => self.ready.clone(),
        }
    }
}

/// JSON is for programs: its words are English whoever reads them.
fn rendered<S: Serializer>(findings: &[Finding], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(findings.iter().map(|finding| finding.rendered(Lang::En)))
}

fn wss(state: &State, around: &Around) -> Surface {
    let path = Some(around.path.clone());
    seen(Place { surface: asterisk::Surface::Wss, address: around.wss.to_string(), path }, state.door(), state.matches())
}

fn surface(beside: &Beside, state: &State, around: &Around) -> Surface {
    let surface = beside.means.surface.clone();
    let address = around.beside.iter().find(|(known, _)| *known == surface).map(|(_, address)| address.to_string());
    let matches = state.good().is_some_and(|good| beside.serves(good));
    seen(Place { surface, address: address.unwrap_or_default(), path: None }, beside.seen.as_ref(), matches)
}

struct Place {
    surface: asterisk::Surface,
    address: String,
    path: Option<String>,
}

fn seen(place: Place, door: Option<&Observation>, matches_wanted: bool) -> Surface {
    let served = door.and_then(|door| door.served.as_ref());
    Surface {
        surface: place.surface.to_string(),
        address: place.address,
        path: place.path,
        door: door.map(|door| door_name(door.door)),
        looked_at: door.map(|door| door.at),
        millis: door.map(stages).unwrap_or_default(),
        protocol: served.map(|served| served.protocol.clone()),
        served: served.and_then(|served| served.leaf.clone()),
        acceptable: served.map(|served| served.acceptable),
        matches_wanted,
    }
}

fn turn_name(turn: &Turn) -> &'static str {
    match turn {
        Turn::Waiting { .. } => "waiting",
        Turn::Granted => "granted",
        Turn::Stopped { .. } => "stopped",
    }
}

fn rotating(state: &State, around: &Around, now: Now) -> Rotating {
    let open = state.door().is_some_and(|door| door.door == Door::Open);
    Rotating {
        newest: state.newest(),
        rejected: state.rejected(now).map(|rejected| rejected.rejection.snapshot.digest()),
        captured: around.captured,
        served: open && state.candidate().is_none() && state.matches(),
        failed: state.has_turn() && (state.gave_up() || state.phase() == Phase::Wedged),
    }
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

fn stages(door: &Observation) -> Stages {
    Stages { tcp: door.times.tcp.map(millis), tls: door.times.tls.map(millis), upgrade: door.times.upgrade.map(millis) }
}

fn millis(span: std::time::Duration) -> f64 {
    (span.as_secs_f64() * 1e6).round() / 1e3
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
