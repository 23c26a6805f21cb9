//! `Snapshot` + now → [`Bundle`] or [`Rejection`]: PEM, key match, chain, names, validity, strength, and readability by Asterisk's
//! user. Pure. Holding a [`Bundle`] proves that Asterisk's OpenSSL would load it.

mod advice;
pub mod browser;
mod certificate;
mod der;
mod files;
mod judge;
mod key;
mod readability;
mod signature;
#[cfg(test)]
mod tests;

pub use certificate::NotACertificate;
pub use judge::{Expectations, judge};

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::{
    diagnosis::{Code, Finding},
    material::{Digest, Snapshot},
};

/// A pair that Asterisk would load. Browsers may still refuse it: see [`Bundle::refusals`].
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The bytes that it was made of.
    pub snapshot: Arc<Snapshot>,
    /// What Asterisk will serve: the leaf, then whatever follows in the file, in the file's order.
    pub chain: Chain,
    /// What the leaf says of itself.
    pub leaf: Leaf,
    /// Everything worth saying, errors first. An error here means that browsers would refuse it.
    pub findings: Vec<Finding>,
}

impl Bundle {
    /// What the generation is known by.
    pub fn digest(&self) -> Digest {
        self.snapshot.digest()
    }

    /// Why browsers would refuse it. Empty: they would not.
    pub fn refusals(&self) -> Vec<Code> {
        crate::bundle::errors(&self.findings)
    }
}

/// A generation that Asterisk must not load: it would go dark.
#[derive(Clone, Debug)]
pub struct Rejection {
    /// The bytes that were judged.
    pub snapshot: Arc<Snapshot>,
    /// The leaf, where one could be read.
    pub leaf: Option<Box<Leaf>>,
    /// Why, errors first; never without an error.
    pub findings: Vec<Finding>,
}

/// What came of judging one generation.
pub type Judgement = Result<Bundle, Rejection>;

/// The codes of the findings that are errors.
pub fn errors(findings: &[Finding]) -> Vec<Code> {
    findings.iter().filter(|f| f.severity == crate::diagnosis::Severity::Error).map(|f| f.code).collect()
}

/// Certificates as they are served: the leaf first. Never empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Chain(Vec<CertificateDer<'static>>);

impl Chain {
    /// `None` when there is no certificate.
    pub fn new(certificates: Vec<CertificateDer<'static>>) -> Option<Self> {
        (!certificates.is_empty()).then_some(Chain(certificates))
    }

    /// The end-entity certificate.
    pub fn leaf(&self) -> &CertificateDer<'static> {
        &self.0[0]
    }

    /// Whatever follows it.
    pub fn intermediates(&self) -> &[CertificateDer<'static>] {
        &self.0[1..]
    }

    /// All of it, the leaf first.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.0
    }

    /// What the leaf is known by.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.leaf())
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} and {} more", self.fingerprint(), self.0.len() - 1)
    }
}

/// SHA-256 of a certificate's DER, as browsers and `openssl x509 -fingerprint -sha256` show it. Lowercase hexadecimal without colons.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of one certificate.
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        Fingerprint(Sha256::digest(certificate).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..6].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What an end-entity certificate says of itself (RFC 5280).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Leaf {
    /// Distinguished name.
    pub subject: String,
    /// Distinguished name of who signed it.
    pub issuer: String,
    /// Serial number, hexadecimal with colons.
    pub serial: String,
    /// DNS names and IP addresses of the subject alternative name.
    pub names: Vec<String>,
    /// Valid from.
    pub not_before: Timestamp,
    /// Valid until.
    pub not_after: Timestamp,
    /// `RSA 2048`, `P-256`, `Ed25519`.
    pub key_algorithm: String,
    /// SHA-256 of the DER.
    pub fingerprint_sha256: Fingerprint,
}
