//! End to end on a real Kubernetes node: real Asterisk 22 in pods, the agent's own image beside it, kubelet at its defaults. One cluster for
//! all tests of this file, each in a namespace of its own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stderr, reason = "what is measured is told")]

mod support;

#[path = "kubernetes/away.rs"]
mod away;
#[path = "kubernetes/call.rs"]
mod call;
#[path = "kubernetes/deaths.rs"]
mod deaths;
#[path = "kubernetes/plain.rs"]
mod plain;
#[path = "kubernetes/process.rs"]
mod process;
#[path = "kubernetes/replicas.rs"]
mod replicas;
#[path = "kubernetes/stage.rs"]
mod stage;
#[path = "kubernetes/ways.rs"]
mod ways;
