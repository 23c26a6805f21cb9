//! A stage that is under way → the evidence that each of its findings carries: which address, which stage, after how long.

use std::time::Duration;

use super::Target;
use crate::{
    clock::{self, Tick},
    diagnosis::{Code, Finding},
};

/// One stage of one probe, from its beginning on.
pub(super) struct Trial<'a> {
    pub(super) target: &'a Target,
    stage: &'static str,
    begun: Tick,
}

impl<'a> Trial<'a> {
    /// The stage begins now. `stage` is `tcp`, `tls`, `upgrade` or `cleartext`.
    pub(super) fn begin(target: &'a Target, stage: &'static str) -> Self {
        Trial { target, stage, begun: clock::tick() }
    }

    /// How long it has taken so far.
    pub(super) fn elapsed(&self) -> Duration {
        clock::tick() - self.begun
    }

    /// A finding of this stage: what was found, where and after how many milliseconds.
    pub(super) fn finding(&self, code: Code, found: impl Into<String>) -> Finding {
        let millis = u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX);
        Finding::new(code)
            .with("address", self.target.address.to_string())
            .with("stage", self.stage)
            .with("found", found.into())
            .with("millis", millis)
    }

    /// The same for a peer that kept silent until the time was over.
    pub(super) fn silence(&self, code: Code) -> Finding {
        self.finding(code, format!("no answer within {} ms", self.target.timeout.as_millis()))
    }
}
