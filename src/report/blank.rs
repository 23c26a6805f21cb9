//! A [`Status`] that says nothing yet, and certificates to fill it with. For tests.

use std::time::Duration;

use jiff::Timestamp;

use super::{Around, Cluster, Status};
use crate::{
    bundle::{Fingerprint, Leaf},
    clock::{Now, Tick},
    settings::{Address, ExpirySettings, LivenessPolicy, LivenessSettings, ReadinessSettings},
    state::{HealMeans, Means, Policy, State},
};

/// Of an agent that began in this moment.
pub(crate) fn blank() -> Status {
    let now = Now { wall: Timestamp::from_second(1_800_000_000).unwrap(), tick: Tick(Duration::from_secs(100)) };
    let policy = Policy { probe_interval: PATIENCE, grace: PATIENCE, staged: false, ordered: false, seed: 1 };
    let state = State::new(policy, Means { reloads: Vec::new(), heal: HealMeans::Unknown, beside: Vec::new() }, now);
    let address = Address { host: "127.0.0.1".into(), port: 8089 };
    let around = Around {
        started: now,
        cert: "/tls/tls.crt".into(),
        key: "/tls/tls.key".into(),
        staged: false,
        watching: "inotify",
        wss: address.clone(),
        path: "/ws".into(),
        beside: Vec::new(),
        ami: address,
        findings: Vec::new(),
        suspicions: Vec::new(),
        expiry: ExpirySettings::default(),
        liveness: LivenessSettings { policy: LivenessPolicy::Never, after: PATIENCE },
        readiness: ReadinessSettings { require_trusted: false },
        stale_after: PATIENCE,
        events_dropped: 0,
        cluster: Cluster::default(),
        delivery: Default::default(),
        captured: None,
    };
    Status::of(&state, &around, now)
}

/// Each number is another certificate.
pub(crate) fn leaf(of: u8) -> Leaf {
    let at = Timestamp::from_second(1_900_000_000).unwrap();
    Leaf {
        subject: format!("CN={of}"),
        issuer: "CA".into(),
        serial: "01".into(),
        names: Vec::new(),
        not_before: at,
        not_after: at,
        key_algorithm: "P-256".into(),
        fingerprint_sha256: Fingerprint::of(&vec![of].into()),
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
