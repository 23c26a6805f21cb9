//! `Snapshot` + expectations + now → [`Judgement`]. What would make Asterisk's HTTPS go dark is refused as a [`Rejection`]; what loads
//! becomes a [`Bundle`], whose errors say what browsers would refuse. Every rule was tried on OpenSSL 1.1.1, 3.0 and 3.6 with Debian's
//! security level 2; where they differ, the stricter one counts.

use std::{cmp::Reverse, sync::Arc};

use jiff::Timestamp;

use super::{
    Bundle, Chain, Judgement, Rejection, advice,
    certificate::Certificate,
    files::{self, about},
    key::{Match, PrivateKey},
};
use crate::{
    diagnosis::{Code, Finding, Severity},
    material::{Snapshot, anchors::Anchors, pem::Block},
    settings::{ExpirySettings, UserIds},
};

/// What a pair must be.
#[derive(Clone, Debug)]
pub struct Expectations {
    /// DNS names and IP addresses that the leaf must cover.
    pub names: Vec<String>,
    /// Whom browsers trust; `None`: not judged.
    pub anchors: Option<Anchors>,
    /// Asterisk's account, whose readability is judged; `None`: not judged.
    pub user: Option<UserIds>,
    /// When a certificate that will expire is spoken of.
    pub expiry: ExpirySettings,
}

/// Judges one generation at `now`, as Asterisk's OpenSSL and as browsers would.
pub fn judge(snapshot: Arc<Snapshot>, expectations: &Expectations, now: Timestamp) -> Judgement {
    let mut fatal = Vec::new();
    let entries = files::certificates(&snapshot.cert).map_err(|finding| fatal.push(finding)).unwrap_or_default();
    let block = files::private_key(&snapshot.key).map_err(|finding| fatal.extend(unless_said(&snapshot, finding))).ok();
    if let Some(user) = &expectations.user {
        fatal.extend(files::barred(Code::CertUnreadable, &snapshot.cert, user));
        fatal.extend(files::barred(Code::KeyUnreadable, &snapshot.key, user).and_then(|finding| unless_said(&snapshot, finding)));
    }
    let mut others: Vec<Finding> = files::open_to_all(&snapshot.key).into_iter().collect();

    let served: Vec<Served<'_>> =
        entries.iter().filter_map(|entry| Some(Served { line: entry.line, certificate: Certificate::parse(&entry.der).ok()? })).collect();
    if let Some(first) = served.first() {
        fatal.extend(too_weak(&snapshot, &served));
        fatal.extend(dark_to_all(&snapshot, &served));
        if let Some(block) = &block {
            match of_one_pair(&snapshot, &served, block) {
                Pairing::Loads => {}
                Pairing::NotJudged(finding) => others.push(finding),
                Pairing::Fails(finding) => fatal.push(finding),
            }
        }
        others.extend(advice::of_leaf(&snapshot, first, expectations, now));
    }
    let leaf = served.first().map(|first| first.certificate.describe());
    let chain = Chain::new(entries.iter().map(|entry| entry.der.clone()).collect());
    if let Some(chain) = &chain {
        // Each weakness once: what is fatal outranks what browsers say of it, and that outranks advice.
        let refused = advice::of_browsers(&snapshot, chain, &served, expectations, now);
        others.extend(refused.into_iter().filter(|finding| fatal.iter().all(|known| known.code != finding.code)));
        let chained = advice::of_chain(&snapshot, &served, expectations, now);
        let new = chained.into_iter().filter(|finding| others.iter().all(|known| known.code != finding.code)).collect::<Vec<_>>();
        others.extend(new);
    }

    others.sort_by_key(|finding| Reverse(finding.severity));
    match (fatal.is_empty(), chain, leaf) {
        (true, Some(chain), Some(leaf)) => Ok(Bundle { snapshot, chain, leaf, findings: others }),
        (_, _, leaf) => {
            fatal.append(&mut others);
            fatal.sort_by_key(|finding| Reverse(finding.severity));
            Err(Rejection { snapshot, leaf: leaf.map(Box::new), findings: fatal })
        }
    }
}

/// One certificate of the file, parsed.
pub(super) struct Served<'a> {
    /// Line of its BEGIN, from 1.
    pub(super) line: usize,
    pub(super) certificate: Certificate<'a>,
}

/// Where certificate and key are one file, what keeps it from being read is said once, of the certificate.
fn unless_said(snapshot: &Snapshot, finding: Finding) -> Option<Finding> {
    let said = snapshot.cert.path == snapshot.key.path && matches!(finding.code, Code::KeyMissing | Code::KeyUnreadable | Code::KeyEmpty);
    (!said).then_some(finding)
}

enum Pairing {
    Loads,
    /// Nothing contradicts it; only OpenSSL could say more.
    NotJudged(Finding),
    Fails(Finding),
}

/// `SSL_CTX_check_private_key`: the key must be the first certificate's.
fn of_one_pair(snapshot: &Snapshot, served: &[Served<'_>], block: &Block) -> Pairing {
    let key_file = |code| about(code, &snapshot.key.path).with("line", block.line);
    let Some(key) = PrivateKey::read(&block.label, &block.der) else {
        return Pairing::Fails(key_file(Code::KeyNotPem).with("found", format!("a {} block that holds no such key", block.label)));
    };
    if key.is_version_2() {
        return Pairing::Fails(
            key_file(Code::KeyNotPem)
                .with("found", "PKCS#8 version 2 (RFC 5958), which OpenSSL before 3.6 cannot read")
                .with("expected", "PKCS#8 version 1, as `openssl pkey` of OpenSSL 3.6 writes it"),
        );
    }
    let (Some(leaf), later) = (served.first(), served.get(1..).unwrap_or_default()) else { return Pairing::Loads };
    match key.matches(&leaf.certificate) {
        Match::Yes => Pairing::Loads,
        Match::Unknown => Pairing::NotJudged(
            key_file(Code::KeyUnsupported)
                .with("found", leaf.certificate.key.to_string())
                .with("notJudged", "whether the key belongs to the certificate"),
        ),
        Match::Damaged => Pairing::Fails(key_file(Code::KeyNotPem).with("found", "a key whose halves do not belong together")),
        Match::No => Pairing::Fails(match later.iter().find(|other| key.matches(&other.certificate) == Match::Yes) {
            Some(owner) => about(Code::LeafNotFirst, &snapshot.cert.path)
                .with("line", owner.line)
                .with("found", format!("{} first", leaf.certificate.subject()))
                .with("expected", format!("{} first, whose key it is", owner.certificate.subject())),
            None => key_file(Code::KeyMismatch)
                .with("found", format!("{} key", key.kind()))
                .with("expected", format!("the {} key of {}", leaf.certificate.key, leaf.certificate.subject()))
                .with("cert", snapshot.cert.path.as_path())
                .with("fingerprintSha256", super::Fingerprint::of(leaf.certificate.der()).to_string()),
        }),
    }
}

/// What OpenSSL loads, and what then no client can shake hands with: the port would be as dark as without it.
fn dark_to_all(snapshot: &Snapshot, served: &[Served<'_>]) -> Vec<Finding> {
    let about = |code| about(code, &snapshot.cert.path).severity(Severity::Error);
    let mut findings = Vec::new();
    if let Some(leaf) = served.first().filter(|leaf| !leaf.certificate.key.can_shake_hands()) {
        let found = leaf.certificate.key.to_string();
        findings.push(about(Code::KeyUnsupported).with("line", leaf.line).with("found", found).with("expected", "RSA, P-256 or P-384"));
    }
    let bytes: usize = served.iter().map(|served| served.certificate.der().len() + ENTRY).sum();
    if bytes > LONGEST_CHAIN {
        let found = format!("{} certificates of {bytes} bytes in all", served.len());
        let expected = format!("the leaf and its intermediates alone; no client takes more than {LONGEST_CHAIN} bytes");
        findings.push(about(Code::ChainDisordered).with("found", found).with("expected", expected));
    }
    findings
}

/// What a handshake message may hold for rustls; the browsers' own limits lie between that and twice as much.
const LONGEST_CHAIN: usize = 0xffff - 8;
/// Length and extensions around each certificate (RFC 8446, 4.4.2).
const ENTRY: usize = 5;

/// `ssl_security_cert`: OpenSSL refuses the whole file for one key or signature below 112 bits, "ee key too small", "ca key too small" and
/// "ca md too weak" in its words. A signature by oneself is not looked at.
fn too_weak(snapshot: &Snapshot, served: &[Served<'_>]) -> Vec<Finding> {
    let about = |code, served: &Served<'_>| {
        about(code, &snapshot.cert.path).with("line", served.line).with("subject", served.certificate.subject()).severity(Severity::Error)
    };
    let mut findings = Vec::new();
    if let Some(weak) = served.iter().find(|served| served.certificate.key.is_weak()) {
        let found = weak.certificate.key.to_string();
        findings.push(about(Code::KeyWeak, weak).with("found", found).with("expected", "RSA 2048, P-256 or stronger"));
    }
    let by_others = served.iter().filter(|served| !served.certificate.is_self_issued());
    if let Some((weak, algorithm)) = by_others.filter_map(|s| Some((s, s.certificate.weak_signature()?))).next() {
        findings.push(about(Code::SignatureWeak, weak).with("found", algorithm).with("expected", "SHA-256 or stronger"));
    }
    findings
}
