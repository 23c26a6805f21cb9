//! `State` → [`Status`]: the one value that everything outside reads. Health, metrics, the page and `inspect` all say what stands here.

#[cfg(test)]
pub(crate) mod blank;
pub mod cluster;
mod findings;
pub mod health;
pub mod http;
pub mod metrics;
pub mod notify;
pub mod page;
pub mod process;
mod rotating;
pub mod status;
mod taking;
pub mod words;

pub use cluster::{Cluster, Lag};
pub use health::{Check, Verdict};
pub use rotating::Rotating;
pub use status::Status;
pub use taking::{Around, door_name};
