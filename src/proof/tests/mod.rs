//! Probes against peers that follow a script, one for each way in which a door can be found.

mod chains;
mod doors;
mod farewells;
pub(crate) mod peer;
mod upgrades;

use std::{net::SocketAddr, time::Duration};

use super::{Closing, Observation, Seen, Target, probe};
use crate::{clock, diagnosis::Code, settings::Address};

/// Patient enough for a busy machine; tests that wait for it to pass bring their own.
const PATIENCE: Duration = Duration::from_secs(10);
/// For peers that keep silent on purpose.
const IMPATIENCE: Duration = Duration::from_millis(300);

fn target(address: SocketAddr, timeout: Duration) -> Target {
    Target {
        address: Address { host: address.ip().to_string(), port: address.port() },
        server_name: Some("pbx.example.com".to_owned()),
        path: "/ws".to_owned(),
        origin: None,
        timeout,
    }
}

/// One whole probe, farewell included, within a bound of its own.
async fn observe(target: &Target) -> Observation {
    let (observation, closing) = open(target).await;
    tokio::time::timeout(PATIENCE, closing.done()).await.expect("the farewell is bounded");
    observation
}

/// The same, through the eyes of browsers that use these names and trust these authorities.
async fn observe_as(target: &Target, seen: &Seen) -> Observation {
    let (observation, closing) = probe(target, seen, clock::now()).await;
    closing.done().await;
    observation
}

/// A probe whose connection is still there.
async fn open(target: &Target) -> (Observation, Closing) {
    let all_stages = target.timeout * 6;
    tokio::time::timeout(all_stages, probe(target, &Seen::default(), clock::now())).await.expect("every stage is bounded")
}

fn codes(observation: &Observation) -> Vec<Code> {
    observation.findings.iter().map(|finding| finding.code).collect()
}

fn found(observation: &Observation) -> String {
    observation.findings.first().and_then(|finding| finding.get("found")).map(ToString::to_string).unwrap_or_default()
}
