//! `Trust` → [`Anchors`]: whom browsers trust, read once from the system's store, Mozilla's list or a CA file.

use rustls_pki_types::CertificateDer;

/// Certificates that a chain may lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchors {
    /// As they were read.
    pub certificates: Vec<CertificateDer<'static>>,
}
