//! A certificate and its issuer → whether the one's signature is the other's. Asked only where nobody verifies a whole chain, so that a
//! certificate half old and half new does not pass for a good one.

use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, Error};

use super::{
    certificate::{Certificate, KeyAlgorithm},
    der,
};

/// What one signature comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Good,
    Bad,
    /// SHA-1, RSA-PSS and the like: nobody here can tell.
    Unknown,
}

/// Whether `issuer`'s key signed `certificate`.
pub(super) fn verdict(certificate: &Certificate<'_>, issuer: &Certificate<'_>) -> Verdict {
    // The verifier calls every signature by a key that it does not take a bad one.
    let beyond = matches!(issuer.key, KeyAlgorithm::Rsa { bits: 8193.. }) || issuer.key.is_weak();
    if beyond {
        return Verdict::Unknown;
    }
    let Some((signed, algorithm, signature)) = parts(certificate.der()) else { return Verdict::Unknown };
    let Ok(issuer) = EndEntityCert::try_from(issuer.der()) else { return Verdict::Unknown };
    for candidate in ALL_VERIFICATION_ALGS.iter().filter(|a| a.signature_alg_id().as_ref() == algorithm) {
        match issuer.verify_signature(*candidate, signed, signature) {
            Ok(()) => return Verdict::Good,
            Err(Error::InvalidSignatureForPublicKey) => return Verdict::Bad,
            // Another kind of key than this candidate's.
            Err(_) => {}
        }
    }
    Verdict::Unknown
}

/// What is signed, by which algorithm, and the signature (RFC 5280, 4.1).
fn parts(certificate: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let body = der::content(certificate)?;
    let signed = der::first(body)?;
    let (algorithm, rest) = der::expect(der::SEQUENCE, &body[signed.len()..])?;
    Some((signed, algorithm, der::bit_string(rest)?))
}
