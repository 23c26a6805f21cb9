//! A handshake that the peer refuses → what of old it takes instead, and what that means for browsers.

use std::net::SocketAddr;

use super::{Question, way};
use crate::{
    diagnosis::{Code, Finding, Severity},
    proof::{self, Observation, Old},
};

/// Asked only where the peer speaks TLS, and none of today's.
pub(super) async fn look(question: &Question, (address, observation): &(SocketAddr, Observation)) -> Option<Old> {
    let found = observation.findings.iter().find(|finding| finding.code == Code::TlsFailed)?.get("found")?.to_string();
    let refuses = ["alert ProtocolVersion", "alert HandshakeFailure", "alert InsufficientSecurity", "incompatible"];
    if refuses.iter().any(|words| found.contains(words)) { proof::takes_old(&way::target(question, *address)).await } else { None }
}

/// What it is, in the place of a handshake that merely failed.
pub(super) fn finding(old: Old, at: &str) -> Finding {
    match old {
        Old::Version(version) => Finding::new(Code::TlsOldOnly).with("address", at).with("found", version),
        Old::Suites { chosen, refused: None } => Finding::new(Code::TlsOldSuites).with("address", at).with("found", chosen),
        Old::Suites { chosen, refused: Some(why) } => {
            Finding::new(Code::TlsOldSuites).severity(Severity::Error).with("address", at).with("found", chosen).with("reason", why)
        }
    }
}

/// Whether a browser goes on where this program cannot.
pub(super) fn hides_the_rest(old: Option<Old>) -> bool {
    matches!(old, Some(Old::Suites { refused: None, .. }))
}
