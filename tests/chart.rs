//! The Helm chart and the plain manifests, as real Helm renders them and a real API server takes them: three ways in, each with what it
//! makes, what it refuses and how that is said. Nodes are not needed here; `tests/kubernetes.rs` has one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

#[path = "chart/injected.rs"]
mod injected;
#[path = "chart/installed.rs"]
mod installed;
#[path = "chart/kitchen.rs"]
mod kitchen;
#[path = "chart/monitoring.rs"]
mod monitoring;
#[path = "chart/refused.rs"]
mod refused;
#[path = "chart/rendered.rs"]
mod rendered;
