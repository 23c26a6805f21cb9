//! `Trust` → [`Anchors`]: whom browsers trust, read once from the system's store, Mozilla's list or a CA file. Only names and public keys
//! are kept, a few tens of kilobytes. Refuses a CA file that it cannot read whole, and one without a certificate.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls_pki_types::{CertificateDer, TrustAnchor};

use super::pem;
use crate::settings::Trust;

/// Authorities that a chain may lead to. Cheap to clone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Anchors(Arc<[TrustAnchor<'static>]>);

/// Reads whom `trust` means; `None` where trust is not judged. Blocks on file I/O: once, at start.
pub fn load(trust: &Trust) -> Result<Option<Anchors>, AnchorsError> {
    match trust {
        Trust::None => Ok(None),
        Trust::System => Ok(Some(system())),
        Trust::File(path) => from_file(path).map(Some),
    }
}

/// Why a CA file gave no anchors.
#[derive(Debug, thiserror::Error)]
pub enum AnchorsError {
    /// The system gave no bytes.
    #[error("read the CA file {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A block that cannot be read.
    #[error("read the CA file {path}: {broken}")]
    Pem {
        /// Which file.
        path: PathBuf,
        /// Which block, and its flaw.
        broken: pem::Broken,
    },
    /// A block that says CERTIFICATE and holds none.
    #[error("read the CA file {path}: the block of line {line} holds no certificate: {reason}")]
    NotACertificate {
        /// Which file.
        path: PathBuf,
        /// Line of its BEGIN.
        line: usize,
        /// In webpki's words.
        reason: String,
    },
    /// No CERTIFICATE block at all.
    #[error("find a certificate in the CA file {path}")]
    Empty {
        /// Which file.
        path: PathBuf,
    },
}

impl Anchors {
    /// Trusts these certificates' subjects and keys. Those that cannot be parsed are left out.
    pub fn from_certificates<'a>(certificates: impl IntoIterator<Item = &'a CertificateDer<'a>>) -> Self {
        Anchors(certificates.into_iter().filter_map(|c| Some(webpki::anchor_from_trusted_cert(c).ok()?.to_owned())).collect())
    }

    /// Names and keys, as webpki and rustls take them.
    pub fn trust_anchors(&self) -> &[TrustAnchor<'static>] {
        &self.0
    }

    /// Whether this very name and key is trusted, whatever signed it.
    pub fn contains(&self, certificate: &CertificateDer<'_>) -> bool {
        webpki::anchor_from_trusted_cert(certificate)
            .is_ok_and(|c| self.0.iter().any(|a| a.subject == c.subject && a.subject_public_key_info == c.subject_public_key_info))
    }
}

impl fmt::Debug for Anchors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} anchors", self.0.len())
    }
}

/// The system's store honours SSL_CERT_FILE and SSL_CERT_DIR; what in it cannot be parsed is left out. An image without one (distroless,
/// scratch) gets Mozilla's list as it was when this was built.
fn system() -> Anchors {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!(%error, "part of the system's certificate store could not be read");
    }
    let anchors = Anchors::from_certificates(&found.certs);
    if anchors.0.is_empty() { Anchors(webpki_roots::TLS_SERVER_ROOTS.into()) } else { anchors }
}

fn from_file(path: &Path) -> Result<Anchors, AnchorsError> {
    let bytes = fs::read(path).map_err(|source| AnchorsError::Read { path: path.into(), source })?;
    let mut anchors = Vec::new();
    for block in pem::blocks(&bytes) {
        let block = block.map_err(|broken| AnchorsError::Pem { path: path.into(), broken })?;
        if !matches!(block.label.as_str(), "CERTIFICATE" | "X509 CERTIFICATE") {
            continue;
        }
        let certificate = CertificateDer::from(block.der.as_slice());
        let anchor = webpki::anchor_from_trusted_cert(&certificate).map_err(|error| AnchorsError::NotACertificate {
            path: path.into(),
            line: block.line,
            reason: error.to_string(),
        })?;
        anchors.push(anchor.to_owned());
    }
    if anchors.is_empty() { Err(AnchorsError::Empty { path: path.into() }) } else { Ok(Anchors(anchors.into())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ca() -> rcgen::CertifiedKey<rcgen::KeyPair> {
        rcgen::generate_simple_self_signed(["ca.example".to_owned()]).unwrap()
    }

    fn load_file(text: &str) -> Result<Option<Anchors>, AnchorsError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        load(&Trust::File(file.path().into()))
    }

    #[test]
    fn no_trust_means_no_anchors() {
        assert_eq!(load(&Trust::None).unwrap(), None);
    }

    #[test]
    fn the_system_always_has_anchors() {
        let anchors = load(&Trust::System).unwrap().unwrap();
        assert!(anchors.trust_anchors().len() > 50, "{anchors:?}");
    }

    #[test]
    fn a_ca_file_gives_every_certificate_in_it() {
        let (a, b) = (ca(), ca());
        let anchors = load_file(&format!("# ours\n{}\n{}{}", a.cert.pem(), a.signing_key.serialize_pem(), b.cert.pem())).unwrap().unwrap();
        assert_eq!(anchors.trust_anchors().len(), 2);
        assert!(anchors.contains(a.cert.der()) && anchors.contains(b.cert.der()) && !anchors.contains(ca().cert.der()));
    }

    #[test]
    fn a_ca_file_that_cannot_be_used_is_refused_with_its_line() {
        let good = ca().cert.pem();
        let lines = good.lines().count();
        assert!(matches!(load(&Trust::File("/nonexistent/ca.pem".into())), Err(AnchorsError::Read { .. })));
        assert!(matches!(load_file("hello\n"), Err(AnchorsError::Empty { .. })));
        let cut = format!("{good}{}", &good[..200]);
        assert!(
            matches!(load_file(&cut), Err(AnchorsError::Pem { broken, .. }) if broken.line == lines + 1 && broken.flaw == pem::Flaw::NoEnd)
        );
        let junk = format!("{good}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        assert!(matches!(load_file(&junk), Err(AnchorsError::NotACertificate { line, .. }) if line == lines + 1));
    }
}
