//! One status after another → what somebody who does not look is to be told: transitions, never states; each once; and "resolved" only of what was
//! told. Pure. Who is told, and whether it arrives, stands in the room that sends.

mod alerts;
mod body;
mod memory;
#[cfg(test)]
pub(crate) mod tests;
mod wrong;

pub use alerts::{RESEND, alerts};
pub use body::{Body, Place, plain, slack, subject};
pub use memory::Memory;

use jiff::Timestamp;
use serde::Serialize;

use super::Status;
use crate::{
    bundle::Leaf,
    diagnosis::{Code, Finding, Severity},
};

/// One thing to be told.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// What it is about: the code, and the certificate, file or surface. The same after a restart of the agent.
    pub key: String,
    /// What it is.
    pub topic: Topic,
    /// Whether it is so, is so no longer, or just happened.
    pub state: State,
    /// How much it hurts.
    pub severity: Severity,
    /// Since when it is so.
    pub since: Timestamp,
    /// When this was true.
    pub at: Timestamp,
    /// What was found; for `not-ready` its first cause.
    pub finding: Option<Finding>,
    /// Of no interest to a person: an alert whose severity changed, or that another one continues. For those who keep alerts by their labels.
    pub silent: bool,
    /// What stood around it.
    pub scene: Scene,
}

/// What the status said besides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// What the agent is at.
    pub phase: &'static str,
    /// Whether browsers can connect.
    pub ready: bool,
    /// The certificate that browsers get.
    pub served: Option<Brief>,
    /// The newest good one of the files.
    pub certificate: Option<Brief>,
}

/// A certificate in three words.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Brief {
    /// Whose it is.
    pub subject: String,
    /// Which one it is.
    pub fingerprint_sha256: String,
    /// Its last moment.
    pub not_after: Timestamp,
}

/// What something is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A finding.
    Found(Code),
    /// Browsers cannot connect.
    NotReady,
    /// A new certificate is served, which was seen on the wire.
    RotationProved,
    /// Somebody wants to know whether notifications arrive.
    Test,
}

impl Topic {
    /// As it stands in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Topic::Found(code) => code.name(),
            Topic::NotReady => "not-ready",
            Topic::RotationProved => "rotation-proved",
            Topic::Test => "test",
        }
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is so.
    Firing,
    /// It is so no longer.
    Resolved,
    /// It happened.
    Notice,
}

/// How notifications fare, for the status; it comes from the room that sends them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delivery {
    /// Receivers that cannot be reached.
    pub findings: Vec<Finding>,
    /// What was given up, because too much waited or nobody could ever take it.
    pub dropped: u64,
    /// How often each kind of receiver was tried, by what came of it; nothing where there are no receivers.
    pub sent: Vec<(&'static str, Outcome, u64)>,
}

/// What came of one try to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Delivered,
    /// It was not, and is tried again.
    Failed,
    /// It was refused for good.
    Refused,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Outcome; 3] = [Outcome::Delivered, Outcome::Failed, Outcome::Refused];

    /// As metrics name it.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Delivered => "delivered",
            Outcome::Failed => "failed",
            Outcome::Refused => "refused",
        }
    }
}

impl News {
    /// What `notify --test` sends.
    pub fn test(at: Timestamp) -> Self {
        News {
            key: Topic::Test.name().to_owned(),
            topic: Topic::Test,
            state: State::Notice,
            severity: Severity::Info,
            since: at,
            at,
            finding: None,
            silent: false,
            scene: Scene { phase: "Test", ready: true, served: None, certificate: None },
        }
    }
}

impl Scene {
    fn of(status: &Status) -> Self {
        Scene {
            phase: status.phase,
            ready: status.ready.ok,
            served: status.surfaces.first().and_then(|wss| wss.served.as_ref()).map(brief),
            certificate: status.files.leaf.as_ref().map(brief),
        }
    }
}

fn brief(leaf: &Leaf) -> Brief {
    Brief { subject: leaf.subject.clone(), fingerprint_sha256: leaf.fingerprint_sha256.to_string(), not_after: leaf.not_after }
}
