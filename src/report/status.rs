//! The shape of [`Status`], as `/status` gives it, and what follows from it alone. Pure. How it is put together stands in `taking`.

use std::{collections::VecDeque, sync::Arc};

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::{
    Rotating, Verdict,
    notify::Delivery,
    taking::{door_name, stages},
};
use crate::{
    bundle::{Fingerprint, Leaf},
    clock::Tick,
    diagnosis::{Finding, Lang},
    settings::ExpirySettings,
    state::{Outcome, Phase, ProbeTimes, Probed, RotationTimes},
};

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
    /// The last rotations, however they ended, newest first.
    pub rotations: Vec<PastRotation>,
    /// The worst probe of each ten seconds of the last hour, oldest first.
    #[serde(serialize_with = "probes")]
    pub latency: Arc<VecDeque<Probed>>,
    /// Whether the newest pair waits for its turn among the replicas, or is stopped there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<&'static str>,
    /// Seconds from the Secret's last change to the files'.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_lag_seconds: Option<f64>,
    /// Everything that is wrong, errors first.
    #[serde(serialize_with = "rendered")]
    pub findings: Vec<Finding>,
    /// How long the stages of every rotation took.
    #[serde(skip)]
    pub rotation_times: RotationTimes,
    /// How long the stages of every look at the door took.
    #[serde(skip)]
    pub probe_times: ProbeTimes,
    /// From when on a certificate is called expiring.
    #[serde(skip)]
    pub expiry: ExpirySettings,
    /// Asterisk reads what the agent publishes.
    #[serde(skip)]
    pub staged: bool,
    /// How notifications fare.
    #[serde(skip)]
    pub delivery: Delivery,
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
    /// From when on its end is spoken of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Expiry>,
    /// Whether leaf and chain are those of the newest good pair.
    pub matches_wanted: bool,
}

/// From when on the end of a certificate is spoken of.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Expiry {
    /// As a warning.
    pub warning_from: Timestamp,
    /// As critical.
    pub critical_from: Timestamp,
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

/// One of the last rotations.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PastRotation {
    /// When it ended.
    pub at: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// Of the leaf, where that could be read.
    pub fingerprint_sha256: Option<Fingerprint>,
    /// Milliseconds of each stage, where it was proved.
    pub millis: Option<RotationMillis>,
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

/// What [`Files::verdict`] may be.
pub const VERDICTS: [&str; 4] = ["good", "rejected", "heldBack", "none"];

impl Status {
    /// Each queue that is thinned out rather than grown, and how much of it was; nothing where there is no such queue.
    pub fn dropped(&self) -> impl Iterator<Item = (&'static str, Option<u64>)> {
        let notifications = (!self.delivery.sent.is_empty()).then_some(self.delivery.dropped);
        let [ami, cluster] = [Some(self.counts.ami_events_dropped), self.cluster_events_dropped];
        [("ami-events", ami), ("kubernetes-events", cluster), ("notifications", notifications)].into_iter()
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

/// A probe as JSON shows it.
#[derive(Serialize)]
struct Probe {
    at: Timestamp,
    door: &'static str,
    #[serde(flatten)]
    millis: Stages,
}

fn probes<S: Serializer>(probes: &Arc<VecDeque<Probed>>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(probes.iter().map(|probed| Probe {
        at: Timestamp::from_second(probed.at.as_second()).unwrap_or(probed.at),
        door: door_name(probed.door),
        millis: stages(probed.times),
    }))
}

/// JSON is for programs: its words are English whoever reads them.
fn rendered<S: Serializer>(findings: &[Finding], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(findings.iter().map(|finding| finding.rendered(Lang::En)))
}
