//! Address → what is really served: TCP, TLS with the chain captured even where it is invalid, the `/ws` upgrade with `sip`. This file
//! is what leaves the room; the probe itself stands beside it. What it refuses: nothing; whatever a peer does becomes an
//! [`Observation`], in bounded time and memory.

mod answer;
mod connect;
mod curious;
mod farewell;
mod fetch;
mod judge;
mod old;
mod probe;
mod proxy;
pub mod sip;
mod socket;
mod tls;
mod trial;
mod upgrade;

#[cfg(test)]
pub(crate) mod tests;

pub use curious::{Asked, Head, head, tls_versions};
pub use farewell::Closing;
pub use fetch::{certificate_in, fetch};
pub use old::{Old, suites_in, takes_old};
pub use probe::{handshake, open, open_plain, probe, upgrade_on};
pub use socket::{Heard, Socket};
pub use tls::client_config;

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    bundle::{Chain, Leaf},
    diagnosis::Finding,
    material::anchors::Anchors,
    settings::Address,
};

/// Which door is tried, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `host:port` to connect to.
    pub address: Address,
    /// SNI (where it is a DNS name), the `Host` header and a name that is verified; `None`: the address's host, which is not verified.
    pub server_name: Option<String>,
    /// The request path, `/ws`.
    pub path: String,
    /// An `Origin` header, if one is to be sent.
    pub origin: Option<String>,
    /// For each stage.
    pub timeout: Duration,
}

/// By whose eyes the served chain is judged: browsers that use these names and trust these authorities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// DNS names and IP addresses that clients connect to, beside the target's own server name.
    pub names: Vec<String>,
    /// Whom they trust; `None`: trust is not judged, names and dates still are.
    pub anchors: Option<Anchors>,
}

/// What one probe saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// When it began.
    pub at: Timestamp,
    /// How far it came.
    pub door: Door,
    /// What TLS served, also when the probe went no further.
    pub served: Option<Served>,
    /// How long each stage took, as far as it came.
    pub times: StageTimes,
    /// What kept it from going further (an error), and what browsers would refuse in what is served.
    pub findings: Vec<Finding>,
}

/// How far a probe came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// `/ws` accepted a `sip` upgrade over TLS.
    Open,
    /// TLS works; the upgrade was not accepted (or, by [`handshake`], not asked for).
    Shut,
    /// TCP connects and TLS fails: how a listener looks that lost its certificate.
    Dark,
    /// TCP connects and the TLS port answers in cleartext: how the newest releases look that lost their certificate.
    Cleartext,
    /// Nobody listens at the port: Asterisk is down, or came up with a pair that it could not load.
    Refused,
    /// No name, no TCP connection, or no answer in time at any stage.
    Unreachable,
}

impl Door {
    /// Whether TLS cannot be had at an address that is there: what a certificate that could not be loaded leaves behind.
    pub fn is_dead(self) -> bool {
        match self {
            Door::Dark | Door::Cleartext | Door::Refused => true,
            Door::Open | Door::Shut | Door::Unreachable => false,
        }
    }
}

/// What TLS served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// Just as it came over the wire.
    pub chain: Chain,
    /// What the leaf says of itself; `None`: it cannot be parsed.
    pub leaf: Option<Leaf>,
    /// `TLSv1_3`; empty where the handshake ended before one was agreed on.
    pub protocol: String,
    /// Whether browsers would accept it: no error among its findings.
    pub acceptable: bool,
}

/// How long each stage took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageTimes {
    /// Name resolution and TCP connect.
    pub tcp: Option<Duration>,
    /// TLS handshake.
    pub tls: Option<Duration>,
    /// HTTP upgrade.
    pub upgrade: Option<Duration>,
}

impl StageTimes {
    /// Of all stages that it came to.
    pub fn total(self) -> Duration {
        [self.tcp, self.tls, self.upgrade].into_iter().flatten().sum()
    }
}
