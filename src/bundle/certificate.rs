//! DER → what one certificate says of itself: names, dates, key, who signed it. Refuses DER that is no certificate; everything odd inside
//! one is shown as it is, and dates beyond what can be written are drawn in to the last that can.

use std::{fmt, net::IpAddr};

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, ParsedExtension},
    oid_registry,
    prelude::FromDer,
    public_key::PublicKey,
    signature_algorithm::RsaSsaPssParams,
    time::ASN1Time,
};

use super::{Fingerprint, Leaf};

/// DER that is no X.509 certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NotACertificate {
    /// In the parser's words.
    pub reason: String,
}

impl Leaf {
    /// Reads what a certificate says of itself (RFC 5280). Nothing is verified.
    pub fn parse(der: &CertificateDer<'_>) -> Result<Leaf, NotACertificate> {
        Certificate::parse(der).map(|certificate| certificate.describe())
    }
}

/// One certificate, parsed once.
pub(super) struct Certificate<'a> {
    der: &'a CertificateDer<'a>,
    x509: X509Certificate<'a>,
    /// `RSA 2048`, `P-256`.
    pub(super) key: KeyAlgorithm,
}

/// A public key's kind and size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyAlgorithm {
    Rsa {
        bits: usize,
    },
    RsaPss {
        bits: usize,
    },
    /// `curve`: `None` where the parameters are spelt out instead of named.
    Ec {
        curve: Option<&'static str>,
        bits: usize,
    },
    Ed25519,
    Ed448,
    Dsa {
        bits: usize,
    },
    Other {
        oid: String,
    },
}

/// Which browsers take a key in TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Welcome {
    /// All of them.
    All,
    /// Not Chromium and what is built on it.
    Some,
    /// None.
    None,
}

impl<'a> Certificate<'a> {
    pub(super) fn parse(der: &'a CertificateDer<'a>) -> Result<Self, NotACertificate> {
        let (rest, x509) = X509Certificate::from_der(der).map_err(|error| NotACertificate { reason: error.to_string() })?;
        if !rest.is_empty() {
            return Err(NotACertificate { reason: format!("{} bytes follow the certificate", rest.len()) });
        }
        let key = KeyAlgorithm::of(&x509);
        Ok(Certificate { der, x509, key })
    }

    pub(super) fn der(&self) -> &'a CertificateDer<'a> {
        self.der
    }

    pub(super) fn describe(&self) -> Leaf {
        Leaf {
            subject: self.subject(),
            issuer: self.issuer(),
            serial: self.x509.tbs_certificate.raw_serial_as_string(),
            names: self.names(),
            not_before: self.not_before(),
            not_after: self.not_after(),
            key_algorithm: self.key.to_string(),
            fingerprint_sha256: Fingerprint::of(self.der),
        }
    }

    pub(super) fn subject(&self) -> String {
        self.x509.subject().to_string()
    }

    pub(super) fn issuer(&self) -> String {
        self.x509.issuer().to_string()
    }

    pub(super) fn not_before(&self) -> Timestamp {
        timestamp(self.x509.validity().not_before)
    }

    pub(super) fn not_after(&self) -> Timestamp {
        timestamp(self.x509.validity().not_after)
    }

    fn extensions(&self) -> impl Iterator<Item = &ParsedExtension<'a>> {
        self.x509.extensions().iter().map(|extension| extension.parsed_extension())
    }

    /// DNS names and IP addresses of the subject alternative name; other kinds are of no use to a browser.
    pub(super) fn names(&self) -> Vec<String> {
        let alternatives =
            self.extensions().filter_map(|e| if let ParsedExtension::SubjectAlternativeName(n) = e { Some(n) } else { None });
        let host = |name: &GeneralName<'_>| {
            if let GeneralName::DNSName(name) = name {
                Some((*name).to_owned())
            } else if let GeneralName::IPAddress(bytes) = name {
                address(bytes).map(|ip| ip.to_string())
            } else {
                None
            }
        };
        alternatives.flat_map(|names| &names.general_names).filter_map(host).collect()
    }

    /// The subject's common names.
    pub(super) fn common_names(&self) -> impl Iterator<Item = &str> {
        self.x509.subject().iter_common_name().filter_map(|cn| cn.as_str().ok())
    }

    /// `issuer` may have signed it, as far as the names tell.
    pub(super) fn is_issued_by(&self, issuer: &Certificate<'_>) -> bool {
        self.issuer_raw() == issuer.subject_raw()
    }

    /// Its subject is its issuer.
    pub(super) fn is_self_issued(&self) -> bool {
        self.is_issued_by(self)
    }

    pub(super) fn subject_raw(&self) -> &[u8] {
        self.x509.subject().as_raw()
    }

    pub(super) fn issuer_raw(&self) -> &[u8] {
        self.x509.issuer().as_raw()
    }

    /// Basic constraints say CA.
    pub(super) fn is_ca(&self) -> bool {
        self.x509.is_ca()
    }

    /// Whether a browser takes it for a server's: the extended key usage, where there is one, names serverAuth (Firefox does not take
    /// anyExtendedKeyUsage for it), and the key usage, where there is one, allows signatures (TLS 1.3, and every ECDHE suite).
    pub(super) fn is_for_servers(&self) -> bool {
        self.extensions().all(|extension| {
            if let ParsedExtension::ExtendedKeyUsage(usage) = extension {
                usage.server_auth
            } else if let ParsedExtension::KeyUsage(usage) = extension {
                usage.digital_signature()
            } else {
                true
            }
        })
    }

    /// Where its issuer's certificate can be fetched (authority information access, caIssuers).
    pub(super) fn issuer_url(&self) -> Option<&str> {
        let accesses = self.extensions().filter_map(|e| if let ParsedExtension::AuthorityInfoAccess(a) = e { Some(a) } else { None });
        let mut descriptions = accesses.flat_map(|access| &access.accessdescs);
        descriptions.find_map(|description| {
            let is_issuer = description.access_method == oid_registry::OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS;
            if let GeneralName::URI(url) = &description.access_location { is_issuer.then_some(*url) } else { None }
        })
    }

    /// The name of its signature's algorithm where that rests on SHA-1 or older.
    pub(super) fn weak_signature(&self) -> Option<&'static str> {
        let algorithm = &self.x509.signature_algorithm;
        let oid = &algorithm.algorithm;
        if *oid == oid_registry::OID_PKCS1_RSASSAPSS {
            let params = algorithm.parameters.as_ref().map(RsaSsaPssParams::try_from);
            return match params {
                Some(Ok(params)) if *params.hash_algorithm_oid() != oid_registry::OID_HASH_SHA1 => None,
                Some(Ok(_)) | None => Some("rsassaPss with SHA-1"),
                Some(Err(_)) => None,
            };
        }
        WEAK_SIGNATURES.iter().find(|(weak, _)| oid.to_id_string() == *weak).map(|(_, name)| *name)
    }

    /// The subject public key info's algorithm (OID content), parameters (DER) and key bits.
    pub(super) fn public_key(&self) -> (&[u8], Option<&[u8]>, &[u8]) {
        let spki = self.x509.public_key();
        let parameters = spki.algorithm.parameters.as_ref().filter(|p| p.tag() == x509_parser::asn1_rs::Tag::Oid).map(|p| p.data);
        (spki.algorithm.algorithm.as_bytes(), parameters, &spki.subject_public_key.data)
    }
}

impl KeyAlgorithm {
    fn of(x509: &X509Certificate<'_>) -> Self {
        let spki = x509.public_key();
        let oid = spki.algorithm.algorithm.to_id_string();
        match oid.as_str() {
            "1.2.840.113549.1.1.1" => KeyAlgorithm::Rsa { bits: rsa_bits(&spki.subject_public_key.data) },
            "1.2.840.113549.1.1.10" => KeyAlgorithm::RsaPss { bits: rsa_bits(&spki.subject_public_key.data) },
            "1.2.840.10045.2.1" => {
                let named = spki.algorithm.parameters.as_ref().and_then(|p| p.as_oid().ok()).map(|oid| oid.to_id_string());
                let known = named.as_ref().and_then(|named| CURVES.iter().find(|(oid, ..)| oid == named));
                match (known, named) {
                    (Some((_, curve, bits)), _) => KeyAlgorithm::Ec { curve: Some(curve), bits: *bits },
                    (None, Some(_)) => KeyAlgorithm::Ec { curve: Some("EC"), bits: point_bits(&spki.subject_public_key.data) },
                    (None, None) => KeyAlgorithm::Ec { curve: None, bits: point_bits(&spki.subject_public_key.data) },
                }
            }
            "1.3.101.112" => KeyAlgorithm::Ed25519,
            "1.3.101.113" => KeyAlgorithm::Ed448,
            "1.2.840.10040.4.1" => {
                let bits = if let Ok(PublicKey::DSA(y)) = spki.parsed() { y.iter().skip_while(|b| **b == 0).count() * 8 } else { 0 };
                KeyAlgorithm::Dsa { bits }
            }
            _ => KeyAlgorithm::Other { oid },
        }
    }

    /// Below what OpenSSL's security level 2 asks (112 bits), which Debian, Ubuntu and OpenSSL from 3.2 on set: Asterisk's HTTPS goes dark
    /// with "ee key too small". OpenSSL 1.1 draws the line for RSA at 2048 bits sharp, 3.x a little lower; the stricter one is followed.
    pub(super) fn is_weak(&self) -> bool {
        match self {
            KeyAlgorithm::Rsa { bits } | KeyAlgorithm::RsaPss { bits } => *bits < 2048,
            // A DSA key's size is its prime's; its public value may have a few leading zeros.
            KeyAlgorithm::Dsa { bits } => *bits < 1984,
            KeyAlgorithm::Ec { bits, .. } => *bits < 224,
            KeyAlgorithm::Ed25519 | KeyAlgorithm::Ed448 | KeyAlgorithm::Other { .. } => false,
        }
    }

    /// Whether any client that browsers or this agent are made of can finish a handshake with it.
    pub(super) fn can_shake_hands(&self) -> bool {
        match self {
            KeyAlgorithm::Rsa { .. } | KeyAlgorithm::Ec { curve: Some("P-256" | "P-384" | "P-521"), .. } | KeyAlgorithm::Ed25519 => true,
            KeyAlgorithm::Ec { .. }
            | KeyAlgorithm::RsaPss { .. }
            | KeyAlgorithm::Ed448
            | KeyAlgorithm::Dsa { .. }
            | KeyAlgorithm::Other { .. } => false,
        }
    }

    /// Which browsers offer a signature scheme for it.
    pub(super) fn welcome(&self) -> Welcome {
        match self {
            KeyAlgorithm::Rsa { .. } | KeyAlgorithm::Ec { curve: Some("P-256" | "P-384"), .. } => Welcome::All,
            KeyAlgorithm::Ec { curve: Some("P-521"), .. } => Welcome::Some,
            KeyAlgorithm::RsaPss { .. }
            | KeyAlgorithm::Ec { .. }
            | KeyAlgorithm::Ed25519
            | KeyAlgorithm::Ed448
            | KeyAlgorithm::Dsa { .. }
            | KeyAlgorithm::Other { .. } => Welcome::None,
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyAlgorithm::Rsa { bits } => write!(f, "RSA {bits}"),
            KeyAlgorithm::RsaPss { bits } => write!(f, "RSA-PSS {bits}"),
            KeyAlgorithm::Ec { curve: Some("EC"), bits } => write!(f, "EC {bits}"),
            KeyAlgorithm::Ec { curve: Some(curve), .. } => f.write_str(curve),
            KeyAlgorithm::Ec { curve: None, bits } => write!(f, "EC {bits} with explicit parameters"),
            KeyAlgorithm::Ed25519 => f.write_str("Ed25519"),
            KeyAlgorithm::Ed448 => f.write_str("Ed448"),
            KeyAlgorithm::Dsa { bits } => write!(f, "DSA {bits}"),
            KeyAlgorithm::Other { oid } => f.write_str(oid),
        }
    }
}

/// "No well-defined expiration" (RFC 5280, 99991231235959Z) lies a day beyond jiff's last timestamp.
fn timestamp(time: ASN1Time) -> Timestamp {
    let seconds = time.timestamp();
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes).map(IpAddr::from).or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

fn rsa_bits(public: &[u8]) -> usize {
    let Ok((_, key)) = x509_parser::public_key::RSAPublicKey::from_der(public) else { return 0 };
    let mut modulus = key.modulus.iter().skip_while(|b| **b == 0);
    let Some(first) = modulus.next() else { return 0 };
    8 - first.leading_zeros() as usize + 8 * modulus.count()
}

/// Of the field, as SEC 1 writes a point: one byte of form, then one or two coordinates.
fn point_bits(point: &[u8]) -> usize {
    match point {
        [4, xy @ ..] => xy.len() / 2 * 8,
        [_, x @ ..] => x.len() * 8,
        [] => 0,
    }
}

const CURVES: &[(&str, &str, usize)] = &[
    ("1.2.840.10045.3.1.7", "P-256", 256),
    ("1.3.132.0.34", "P-384", 384),
    ("1.3.132.0.35", "P-521", 521),
    ("1.3.132.0.33", "P-224", 224),
    ("1.2.840.10045.3.1.1", "P-192", 192),
    ("1.3.132.0.10", "secp256k1", 256),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1", 256),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1", 384),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1", 512),
];

const WEAK_SIGNATURES: &[(&str, &str)] = &[
    ("1.2.840.113549.1.1.2", "md2WithRSAEncryption"),
    ("1.2.840.113549.1.1.3", "md4WithRSAEncryption"),
    ("1.2.840.113549.1.1.4", "md5WithRSAEncryption"),
    ("1.2.840.113549.1.1.5", "sha1WithRSAEncryption"),
    ("1.3.14.3.2.29", "sha1WithRSASignature"),
    ("1.2.840.10040.4.3", "dsaWithSHA1"),
    ("1.2.840.10045.4.1", "ecdsaWithSHA1"),
];
