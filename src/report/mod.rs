//! `State` → [`Status`]: the one value that everything outside reads. Health, metrics, the page and `inspect` all say what stands here.

pub mod cluster;
mod findings;
pub mod health;
pub mod http;
pub mod metrics;
pub mod process;
pub mod status;

pub use cluster::{Cluster, Lag};
pub use health::{Check, Verdict};
pub use status::{Around, Status};
