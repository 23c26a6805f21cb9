//! A PEM block and a certificate → whether they belong together, decided as OpenSSL does (by the public half), and beyond it: a key whose
//! halves do not belong to each other is [`Match::Damaged`], for OpenSSL would load it and then fail every handshake. What the TLS
//! provider cannot load and what carries no public half is [`Match::Unknown`], never a mismatch.

use rustls_pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

use super::{
    certificate::{Certificate, KeyAlgorithm},
    der,
};

#[cfg(feature = "aws-lc-rs")]
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
use rustls::crypto::ring::sign::any_supported_type;

/// Whether a key belongs to a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    Yes,
    No,
    /// Nobody but OpenSSL can tell.
    Unknown,
    /// Its public half fits, or might, and its private half does not belong to it.
    Damaged,
}

/// A private key, taken apart only as far as its public half.
pub(super) struct PrivateKey<'a> {
    der: &'a [u8],
    form: Form,
    /// Content of the algorithm's OID.
    algorithm: &'a [u8],
    curve: Curve<'a>,
    public: Public<'a>,
    /// RFC 5958 rather than RFC 5208: the public half stands beside the private one.
    is_version_2: bool,
}

#[derive(Clone, Copy)]
enum Form {
    Pkcs1,
    Sec1,
    Pkcs8,
    Dsa,
}

#[derive(Clone, Copy)]
enum Curve<'a> {
    Absent,
    Named(&'a [u8]),
    Explicit,
}

#[derive(Clone, Copy)]
enum Public<'a> {
    Absent,
    Rsa { modulus: &'a [u8], exponent: &'a [u8] },
    Point(&'a [u8]),
}

impl<'a> PrivateKey<'a> {
    /// Reads what a block holds. `None`: no key that OpenSSL would load under that label. The label decides the kind, and PKCS#8 is taken
    /// under each label if its algorithm is the label's; PKCS#1 and SEC 1 under `PRIVATE KEY` are not. (Tried on 1.1.1, 3.0 and 3.6.)
    pub(super) fn read(label: &str, der: &'a [u8]) -> Option<Self> {
        let of = |algorithm: &[u8]| pkcs8(der).filter(|key| key.algorithm == algorithm);
        match label {
            "PRIVATE KEY" => pkcs8(der),
            "RSA PRIVATE KEY" => pkcs1(der).or_else(|| of(RSA)),
            "EC PRIVATE KEY" => sec1(der).or_else(|| of(EC)),
            "DSA PRIVATE KEY" => dsa(der).or_else(|| of(DSA)),
            _ => None,
        }
    }

    /// Reads a file that is DER as a whole.
    pub(super) fn read_bare(der: &'a [u8]) -> Option<Self> {
        pkcs8(der).or_else(|| pkcs1(der)).or_else(|| sec1(der))
    }

    /// `RSA`, `EC`, `Ed25519`.
    pub(super) fn kind(&self) -> &'static str {
        match self.algorithm {
            RSA => "RSA",
            RSA_PSS => "RSA-PSS",
            EC => "EC",
            DSA => "DSA",
            ED25519 => "Ed25519",
            ED448 => "Ed448",
            _ => "unknown",
        }
    }

    /// Whether it is PKCS#8 in the later form, as ring, aws-lc and rcgen write Ed25519 keys. OpenSSL 3.6 reads it; 3.0 and 1.1.1 do not.
    pub(super) fn is_version_2(&self) -> bool {
        self.is_version_2
    }

    /// Whether it is `certificate`'s.
    pub(super) fn matches(&self, certificate: &Certificate<'_>) -> Match {
        let (algorithm, curve, public) = certificate.public_key();
        if algorithm != self.algorithm {
            return Match::No;
        }
        if let (Curve::Named(own), Some(other)) = (self.curve, curve)
            && own != other
        {
            return Match::No;
        }
        let embedded = match self.public {
            Public::Absent => None,
            Public::Rsa { modulus, exponent } => Some(rsa_public(public) == Some((modulus, exponent))),
            Public::Point(point) => Some(same_point(point, public)),
        };
        match (embedded, self.loaded_public()) {
            (Some(false), _) => Match::No,
            (_, Some(spki)) => {
                let own = der::content(&spki).and_then(|c| der::expect(der::SEQUENCE, c)).and_then(|(_, rest)| der::bit_string(rest));
                match own {
                    Some(own) if own == public || same_point(own, public) => Match::Yes,
                    Some(_) => Match::No,
                    None => Match::Unknown,
                }
            }
            (Some(true), None) if self.must_load(&certificate.key) => Match::Damaged,
            (Some(true), None) => Match::Yes,
            (None, None) if matches!(certificate.key, KeyAlgorithm::Ed25519) => Match::Damaged,
            (None, None) => Match::Unknown,
        }
    }

    /// The public half as the TLS provider derives it from the private one, having checked that they belong together. aws-lc reads
    /// explicit curve parameters as another key: it is not asked.
    fn loaded_public(&self) -> Option<Vec<u8>> {
        let der = match (self.form, self.curve) {
            (_, Curve::Explicit) | (Form::Dsa, _) => return None,
            (Form::Pkcs1, _) => PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(self.der)),
            (Form::Sec1, _) => PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(self.der)),
            (Form::Pkcs8, _) => PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.der)),
        };
        Some(any_supported_type(&der).ok()?.public_key()?.to_vec())
    }

    /// Whether every provider loads such a key if its halves belong together.
    fn must_load(&self, algorithm: &KeyAlgorithm) -> bool {
        match (algorithm, self.public) {
            (KeyAlgorithm::Rsa { bits: 2048 | 3072 | 4096 }, Public::Rsa { exponent, .. }) => exponent == [1, 0, 1],
            (KeyAlgorithm::Ec { curve: Some("P-256" | "P-384"), .. }, Public::Point([4, ..])) => !matches!(self.curve, Curve::Explicit),
            _ => false,
        }
    }
}

/// RFC 5958: version, algorithm, key, attributes, and from version 1 on the public key.
fn pkcs8(der: &[u8]) -> Option<PrivateKey<'_>> {
    let (version, rest) = der::integer(whole(der)?)?;
    let (algorithm, rest) = der::expect(der::SEQUENCE, rest)?;
    let (algorithm, parameters) = der::expect(der::OID, algorithm)?;
    let (inner, mut rest) = der::expect(der::OCTET_STRING, rest)?;
    let mut key = PrivateKey { der, form: Form::Pkcs8, algorithm, curve: Curve::Absent, public: Public::Absent, is_version_2: false };
    if matches!(algorithm, RSA | RSA_PSS) {
        key.public = pkcs1(inner)?.public;
    } else if algorithm == EC {
        let inner = sec1(inner)?;
        (key.curve, key.public) = (curve(parameters).unwrap_or(inner.curve), inner.public);
    }
    while let Some((tag, content, next)) = der::element(rest) {
        if tag == 0x81 {
            key.is_version_2 = true;
            if let [0, point @ ..] = content {
                key.public = Public::Point(point);
            }
        }
        rest = next;
    }
    // No version beyond these is read by any; the number alone troubles none.
    matches!(version, [] | [1]).then_some(key)
}

/// RFC 8017, A.1.2.
fn pkcs1(der: &[u8]) -> Option<PrivateKey<'_>> {
    let (_, rest) = der::integer(whole(der)?)?;
    let (modulus, rest) = der::integer(rest)?;
    let (exponent, mut rest) = der::integer(rest)?;
    for _ in 0..6 {
        (_, rest) = der::integer(rest)?;
    }
    let public = Public::Rsa { modulus, exponent };
    Some(PrivateKey { der, form: Form::Pkcs1, algorithm: RSA, curve: Curve::Absent, public, is_version_2: false })
}

/// RFC 5915.
fn sec1(der: &[u8]) -> Option<PrivateKey<'_>> {
    let (version, rest) = der::integer(whole(der)?)?;
    let (_, mut rest) = der::expect(der::OCTET_STRING, rest)?;
    let mut key = PrivateKey { der, form: Form::Sec1, algorithm: EC, curve: Curve::Absent, public: Public::Absent, is_version_2: false };
    while let Some((tag, content, next)) = der::element(rest) {
        match tag {
            0xa0 => key.curve = curve(content).unwrap_or(Curve::Explicit),
            0xa1 => key.public = der::bit_string(content).map_or(Public::Absent, Public::Point),
            _ => {}
        }
        rest = next;
    }
    (version == [1]).then_some(key)
}

/// OpenSSL's own form: version 0, p, q, g, y, x.
fn dsa(der: &[u8]) -> Option<PrivateKey<'_>> {
    let mut rest = whole(der)?;
    for _ in 0..6 {
        (_, rest) = der::integer(rest)?;
    }
    let key = PrivateKey { der, form: Form::Dsa, algorithm: DSA, curve: Curve::Absent, public: Public::Absent, is_version_2: false };
    rest.is_empty().then_some(key)
}

fn curve(parameters: &[u8]) -> Option<Curve<'_>> {
    let (tag, content, _) = der::element(parameters)?;
    Some(if tag == der::OID { Curve::Named(content) } else { Curve::Explicit })
}

/// OpenSSL refuses a key with anything after it.
fn whole(der: &[u8]) -> Option<&[u8]> {
    der::expect(der::SEQUENCE, der).filter(|(_, rest)| rest.is_empty()).map(|(content, _)| content)
}

fn rsa_public(public: &[u8]) -> Option<(&[u8], &[u8])> {
    let (modulus, rest) = der::integer(der::content(public)?)?;
    Some((modulus, der::integer(rest)?.0))
}

/// One point in two forms (SEC 1, 2.3.3): compressed ones carry x and the last bit of y.
fn same_point(a: &[u8], b: &[u8]) -> bool {
    match (a, b) {
        ([4, xy @ ..], [form @ (2 | 3), x @ ..]) | ([form @ (2 | 3), x @ ..], [4, xy @ ..]) => {
            xy.len() == 2 * x.len() && xy.starts_with(x) && xy.last().is_some_and(|y| y & 1 == form & 1)
        }
        _ => a == b,
    }
}

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const ED448: &[u8] = &[0x2b, 0x65, 0x71];
