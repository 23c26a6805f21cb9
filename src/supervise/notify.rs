//! Settings → a test notification to each receiver, without an agent: for a person who wants to know whether alerts will arrive.

use super::{Failure, runtime};
use crate::{
    dispatch,
    settings::{Receiver, Settings},
};

/// What came of the test of one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// Its name.
    pub receiver: String,
    /// Its kind.
    pub kind: &'static str,
    /// Why it did not arrive.
    pub outcome: Result<(), String>,
}

/// Sends a clearly marked test to each of `receivers`.
///
/// # Errors
/// The runtime could not be had.
pub fn test(settings: &Settings, receivers: Vec<Receiver>) -> Result<Vec<Tested>, Failure> {
    let place = dispatch::place(settings, |name| std::env::var(name).ok());
    let runtime = runtime()?;
    let tested = runtime.block_on(dispatch::test(receivers, place));
    runtime.shutdown_background();
    Ok(tested.into_iter().map(|(receiver, kind, outcome)| Tested { receiver, kind, outcome }).collect())
}
