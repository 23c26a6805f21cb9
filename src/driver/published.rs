//! Staged mode: what an earlier run left where Asterisk reads, and whether Asterisk's user can read what stands there.

use std::sync::Arc;

use crate::{
    bundle::{self, Bundle, Expectations},
    clock,
    diagnosis::{Code, Finding, Severity},
    material::{self, Sources},
    settings::Publish,
    staging,
};

/// What an earlier run published, if all of it stands and Asterisk would load it.
pub(super) fn kept(publish: &Publish, expectations: &Expectations) -> Option<Bundle> {
    let snapshot = Arc::new(material::capture_pair(&staging::last_good(publish)?));
    let unread = Expectations { user: None, ..expectations.clone() };
    bundle::judge(snapshot, &unread, clock::wall()).ok()
}

/// Whether Asterisk, as its user where that is known, would load what stands there.
///
/// # Errors
/// The first thing in the way: the owner, group or mode that was asked, or a folder on the way.
pub(super) fn usable(publish: &Publish, expectations: &Expectations) -> Result<(), Finding> {
    let [cert, key, _] = staging::names(publish);
    let snapshot = Arc::new(material::capture_pair(&Sources { cert: cert.clone(), key }));
    let Err(rejection) = bundle::judge(snapshot, expectations, clock::wall()) else { return Ok(()) };
    let error = rejection.findings.into_iter().find(|finding| finding.severity == Severity::Error);
    Err(error.unwrap_or_else(|| Finding::new(Code::PublishFailed).with("file", cert.as_path())))
}
