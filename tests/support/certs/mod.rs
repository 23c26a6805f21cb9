//! Certificates of every kind. What leaves is a [`Pair`] that can be written as certbot, kubelet or a careless script writes it. Made
//! by rcgen; what rcgen cannot make, `openssl` on the host does ([`odd`]).

pub mod odd;
mod writing;

use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, RsaKeySize, SignatureAlgorithm,
};
use sha2::{Digest as _, Sha256};
use starkeeper::clock;

pub use writing::{Layout, Writing};

/// A root, and an intermediate that issues.
pub struct Authority {
    root: CertifiedIssuer<'static, KeyPair>,
    intermediate: CertifiedIssuer<'static, KeyPair>,
    /// The root: what a client that trusts this authority holds.
    pub root_pem: String,
    /// The intermediate: what belongs after the leaf.
    pub intermediate_pem: String,
}

impl Authority {
    /// A new one, valid for ten years from yesterday.
    pub fn new() -> Self {
        Self::named("Lab")
    }

    /// A new one under a name of its own, `NAME Root` and `NAME Intermediate`.
    pub fn named(name: &str) -> Self {
        let span = (clock::wall() - DAY, clock::wall() + 3650 * DAY);
        Self::within(name, span.0, span.1)
    }

    /// A new one whose own certificates hold only so long.
    pub fn within(name: &str, not_before: Timestamp, not_after: Timestamp) -> Self {
        let params = |role: &str| {
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::CommonName, format!("{name} {role}"));
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            set_validity(&mut params, not_before, not_after);
            params
        };
        let root = CertifiedIssuer::self_signed(params("Root"), KeyPair::generate().unwrap()).unwrap();
        let mut middle = params("Intermediate");
        middle.use_authority_key_identifier_extension = true;
        let intermediate = CertifiedIssuer::signed_by(middle, KeyPair::generate().unwrap(), &root).unwrap();
        Self { root_pem: root.pem(), intermediate_pem: intermediate.pem(), root, intermediate }
    }

    /// The key that leaves are signed with.
    pub(super) fn intermediate_key(&self) -> String {
        self.intermediate.key().serialize_pem()
    }

    /// A good pair for these names (or addresses): P-256, valid from an hour ago for 90 days, leaf then intermediate.
    pub fn issue(&self, names: &[&str]) -> Pair {
        self.leaf(names).issue()
    }

    /// The same, to be changed before it is issued.
    pub fn leaf(&self, names: &[&str]) -> Leaf<'_> {
        Leaf { authority: Some(self), ..Leaf::new(names) }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// A pair for these names that no authority signs, to be changed before it is made.
pub fn self_signed(names: &[&str]) -> Leaf<'static> {
    Leaf::new(names)
}

/// A certificate in the making.
#[must_use]
pub struct Leaf<'a> {
    authority: Option<&'a Authority>,
    names: Vec<String>,
    common_name: Option<String>,
    kind: KeyKind,
    key: Option<String>,
    not_before: Timestamp,
    not_after: Timestamp,
    is_ca: bool,
    usages: Vec<ExtendedKeyUsagePurpose>,
    key_usages: Vec<KeyUsagePurpose>,
    issuer_url: Option<String>,
    chain: Chain<'a>,
}

impl<'a> Leaf<'a> {
    fn new(names: &[&str]) -> Self {
        Self {
            authority: None,
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            common_name: names.first().map(|name| (*name).to_owned()),
            kind: KeyKind::P256,
            key: None,
            not_before: clock::wall() - HOUR,
            not_after: clock::wall() + 90 * DAY,
            is_ca: false,
            usages: vec![ExtendedKeyUsagePurpose::ServerAuth],
            key_usages: vec![KeyUsagePurpose::DigitalSignature],
            issuer_url: None,
            chain: Chain::Full,
        }
    }

    /// The key's kind; P-256 otherwise.
    pub fn key(mut self, kind: KeyKind) -> Self {
        self.kind = kind;
        self
    }

    /// The key of another pair, as renewals with `--reuse-key` keep it.
    pub fn reuse_key(mut self, pair: &Pair) -> Self {
        self.key = Some(pair.key_pem.clone());
        self.kind = pair.kind;
        self
    }

    /// The window in which it is valid, to the second.
    pub fn valid(mut self, not_before: Timestamp, not_after: Timestamp) -> Self {
        self.not_before = not_before;
        self.not_after = not_after;
        self
    }

    /// Ended so long ago, after 90 days.
    pub fn expired(self, ago: Duration) -> Self {
        let end = clock::wall() - ago;
        self.valid(end - 90 * DAY, end)
    }

    /// Begins only after so long.
    pub fn not_yet(self, ahead: Duration) -> Self {
        let begin = clock::wall() + ahead;
        self.valid(begin, begin + 90 * DAY)
    }

    /// No names but this in the subject: what browsers have ignored since 2017.
    pub fn common_name_only(mut self, name: &str) -> Self {
        self.names.clear();
        self.common_name = Some(name.to_owned());
        self
    }

    /// Marked as an authority itself.
    pub fn ca(mut self) -> Self {
        self.is_ca = true;
        self
    }

    /// For these uses, and not for servers.
    pub fn usages(mut self, usages: &[ExtendedKeyUsagePurpose]) -> Self {
        self.usages = usages.to_vec();
        self
    }

    /// Its key also deciphers, as those of public authorities with RSA do.
    pub fn deciphers(mut self) -> Self {
        self.key_usages.push(KeyUsagePurpose::KeyEncipherment);
        self
    }

    /// Says where its issuer's certificate can be fetched, as those of public authorities do.
    pub fn issuer_at(mut self, url: &str) -> Self {
        self.issuer_url = Some(url.to_owned());
        self
    }

    /// What the certificate file holds besides the leaf.
    pub fn chain(mut self, chain: Chain<'a>) -> Self {
        self.chain = chain;
        self
    }

    /// Makes it.
    pub fn issue(self) -> Pair {
        let key = match &self.key {
            Some(pem) => KeyPair::from_pem_and_sign_algo(pem, self.kind.algorithm()).unwrap(),
            None => self.kind.generate(),
        };
        let mut params = CertificateParams::new(self.names).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        if let Some(name) = self.common_name {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        set_validity(&mut params, self.not_before, self.not_after);
        params.is_ca = if self.is_ca { IsCa::Ca(BasicConstraints::Unconstrained) } else { IsCa::ExplicitNoCa };
        params.key_usages = self.key_usages;
        params.extended_key_usages = self.usages;
        params.use_authority_key_identifier_extension = self.authority.is_some();
        params.custom_extensions.extend(self.issuer_url.as_deref().map(authority_information));
        let leaf = match self.authority {
            Some(authority) => {
                let issuer: &Issuer<'_, KeyPair> = &authority.intermediate;
                params.signed_by(&key, issuer)
            }
            None => params.self_signed(&key),
        }
        .unwrap();
        let (root, middle) = self.authority.map_or(("", ""), |authority| (&authority.root_pem, &authority.intermediate_pem));
        let own = leaf.pem();
        let parts = match self.chain {
            Chain::Full => vec![own.as_str(), middle],
            Chain::LeafOnly => vec![own.as_str()],
            Chain::WithRoot => vec![own.as_str(), middle, root],
            Chain::Reversed => vec![middle, own.as_str()],
            Chain::Disordered => vec![own.as_str(), root, middle],
            Chain::Foreign(other) => vec![own.as_str(), other.intermediate_pem.as_str()],
        };
        Pair {
            cert_pem: parts.concat(),
            key_pem: if self.kind == KeyKind::Ed25519 { odd::ed25519_v1(&key.serialize_der()) } else { key.serialize_pem() },
            fingerprint: fingerprint(leaf.der()),
            leaf_der: leaf.der().to_vec(),
            kind: self.kind,
        }
    }
}

/// Kinds of key that rcgen makes; [`odd`] has others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    Rsa2048,
    Rsa3072,
    Rsa4096,
    P256,
    P384,
    P521,
    Ed25519,
    /// Written as PKCS#8 version 2 (RFC 5958, the public key beside the private one), as ring, aws-lc and rcgen write it: OpenSSL
    /// 3.6 reads it, 3.0 and 1.1.1 cannot, so that Asterisk 16 goes dark.
    Ed25519V2,
}

impl KeyKind {
    /// Every one of them that all versions load.
    pub const ALL: [Self; 7] = [Self::Rsa2048, Self::Rsa3072, Self::Rsa4096, Self::P256, Self::P384, Self::P521, Self::Ed25519];

    fn generate(self) -> KeyPair {
        let rsa = |size| KeyPair::generate_rsa_for(self.algorithm(), size);
        match self {
            Self::Rsa2048 => rsa(RsaKeySize::_2048),
            Self::Rsa3072 => rsa(RsaKeySize::_3072),
            Self::Rsa4096 => rsa(RsaKeySize::_4096),
            Self::P256 | Self::P384 | Self::P521 | Self::Ed25519 | Self::Ed25519V2 => KeyPair::generate_for(self.algorithm()),
        }
        .unwrap()
    }

    fn algorithm(self) -> &'static SignatureAlgorithm {
        match self {
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => &rcgen::PKCS_RSA_SHA256,
            Self::P256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            Self::P384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            Self::P521 => &rcgen::PKCS_ECDSA_P521_SHA512,
            Self::Ed25519 | Self::Ed25519V2 => &rcgen::PKCS_ED25519,
        }
    }
}

/// What a certificate file holds, in its order.
#[derive(Clone, Copy, Default)]
pub enum Chain<'a> {
    /// Leaf, intermediate: as it should be.
    #[default]
    Full,
    /// The leaf alone: browsers that lack the intermediate refuse.
    LeafOnly,
    /// Leaf, intermediate, root: harmless.
    WithRoot,
    /// Intermediate, leaf: what Asterisk refuses as a key mismatch.
    Reversed,
    /// Leaf, root, intermediate.
    Disordered,
    /// Leaf, then the intermediate of another authority.
    Foreign(&'a Authority),
}

/// A certificate file and a key file.
#[derive(Clone)]
pub struct Pair {
    /// The certificate file.
    pub cert_pem: String,
    /// The key file.
    pub key_pem: String,
    /// SHA-256 of the leaf's DER, 64 lower-case hex digits: what the wire is compared with.
    pub fingerprint: String,
    /// The leaf.
    pub leaf_der: Vec<u8>,
    kind: KeyKind,
}

impl Pair {
    /// This certificate with the key of another: what a half-done rotation leaves.
    pub fn with_key_of(&self, other: &Self) -> Self {
        Self { key_pem: other.key_pem.clone(), ..self.clone() }
    }

    /// This pair with other text in place of the key.
    pub fn with_key(&self, key_pem: impl Into<String>) -> Self {
        Self { key_pem: key_pem.into(), ..self.clone() }
    }

    /// This pair with other text in place of the certificate.
    pub fn with_cert(&self, cert_pem: impl Into<String>) -> Self {
        Self { cert_pem: cert_pem.into(), ..self.clone() }
    }

    /// Certificate and key in one file, for both paths.
    pub fn combined(&self) -> Self {
        let both = format!("{}{}", self.cert_pem, self.key_pem);
        Self { cert_pem: both.clone(), key_pem: both, ..self.clone() }
    }
}

/// A key is not for a test's output.
impl std::fmt::Debug for Pair {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Pair({})", self.fingerprint)
    }
}

/// SHA-256 as 64 lower-case hex digits.
pub fn fingerprint(der: &[u8]) -> String {
    Sha256::digest(der).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Authority information access with one caIssuers (RFC 5280, 4.2.2.1).
fn authority_information(url: &str) -> CustomExtension {
    let der = |tag: u8, content: &[u8]| [&[tag, u8::try_from(content.len()).expect("a short URL")], content].concat();
    let method = der(6, &[0x2b, 6, 1, 5, 5, 7, 0x30, 2]);
    let access = der(0x30, &[method, der(0x86, url.as_bytes())].concat());
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], der(0x30, &access))
}

fn set_validity(params: &mut CertificateParams, not_before: Timestamp, not_after: Timestamp) {
    let date = |at: Timestamp| {
        let seconds = u64::try_from(at.as_second()).expect("a date after 1970");
        rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds)
    };
    params.not_before = date(not_before);
    params.not_after = date(not_after);
}

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
