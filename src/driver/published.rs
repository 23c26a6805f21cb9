//! Staged mode: what stands where Asterisk reads, as it was when it was published (or found at the start), and whether it stands so still.

use std::sync::Arc;

use crate::{
    bundle::{self, Bundle, Expectations},
    clock,
    diagnosis::{Code, Finding, Severity},
    material::{self, Snapshot, Sources},
    settings::Publish,
    staging,
};

/// The three published files, as they were read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Chain and key in files of their own.
    pub(super) pair: Arc<Snapshot>,
    /// Both in one.
    combined: Snapshot,
}

impl Standing {
    /// Reads what stands there. Blocks for as long as the file system does.
    pub(super) fn read(publish: &Publish) -> Self {
        let [cert, key, both] = staging::names(publish);
        let pair = Arc::new(material::capture_pair(&Sources { cert, key }));
        Standing { pair, combined: material::capture_pair(&Sources { cert: both.clone(), key: both }) }
    }

    /// What an earlier run published, if all of it stands and Asterisk would load it.
    pub(super) fn kept(publish: &Publish, expectations: &Expectations) -> Option<(Self, Bundle)> {
        staging::last_good(publish)?;
        let standing = Standing::read(publish);
        let unnamed = Expectations { user: None, ..expectations.clone() };
        let bundle = bundle::judge(Arc::clone(&standing.pair), &unnamed, clock::wall()).ok()?;
        Some((standing, bundle))
    }

    /// Whether bytes, owners and modes are still the same.
    pub(super) fn stands(&self, publish: &Publish) -> bool {
        Standing::read(publish) == *self
    }

    /// Why Asterisk's user, where it is known, could not load it: the owner, group or mode that was asked, or a folder on the way.
    ///
    /// # Errors
    /// The first thing in the way.
    pub(super) fn usable(&self, expectations: &Expectations) -> Result<(), Finding> {
        let judgement = bundle::judge(Arc::clone(&self.pair), expectations, clock::wall());
        let Err(rejection) = judgement else { return Ok(()) };
        let error = rejection.findings.into_iter().find(|finding| finding.severity == Severity::Error);
        Err(error.unwrap_or_else(|| Finding::new(Code::PublishFailed).with("file", self.pair.cert.path.as_path())))
    }
}
