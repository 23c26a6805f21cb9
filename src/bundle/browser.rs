//! A chain + names + anchors + now → what a browser would refuse in it. Pure, and the same for files and for what is served.

use jiff::Timestamp;

use super::Chain;
use crate::material::anchors::Anchors;

/// One reason for which a browser shows an error page (or, on a WebSocket, just 1006).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The leaf's validity is over.
    Expired {
        /// When it ended.
        not_after: Timestamp,
    },
    /// The leaf's validity has not begun.
    NotYetValid {
        /// When it begins.
        not_before: Timestamp,
    },
    /// The subject alternative name does not cover a name that clients use.
    NameNotCovered {
        /// The name that is asked for.
        name: String,
        /// The names that the leaf covers.
        covered: Vec<String>,
    },
    /// The name stands in the subject's CN alone, which no browser reads any more.
    NameOnlyInCn {
        /// The name that is asked for.
        name: String,
    },
    /// An intermediate is missing: the chain's last certificate was issued by somebody who is not in it and is no anchor.
    ChainIncomplete {
        /// Distinguished name of the missing issuer.
        issuer: String,
    },
    /// The chain is complete, and leads to nobody who is trusted.
    Untrusted {
        /// Distinguished name of the last issuer.
        issuer: String,
    },
    /// The leaf signed itself, and is no anchor.
    SelfSigned,
    /// SHA-1 or MD5.
    WeakSignature {
        /// As RFC 5280 names it, `sha1WithRSAEncryption`.
        algorithm: String,
    },
    /// The extended key usage leaves out serverAuth.
    NotForServers,
    /// Anything else for which verification failed.
    Other {
        /// In webpki's words.
        reason: String,
    },
}

/// Everything that a browser would refuse in `chain` at `now`. `anchors`: `None` where trust is not judged (names and dates still are).
pub fn refusals(_chain: &Chain, _names: &[String], _anchors: Option<&Anchors>, _now: Timestamp) -> Vec<Refusal> {
    Vec::new()
}
