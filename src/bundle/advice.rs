//! What loads, but deserves a word: what browsers refuse, what will expire, what stands in the wrong order. Decides nothing about loading.

use std::collections::HashSet;

use jiff::Timestamp;

use super::{
    Chain,
    browser::{Refusal, refusals},
    certificate::{Certificate, Welcome},
    files::about,
    judge::{Expectations, Served},
};
use crate::{
    diagnosis::{Code, Finding, Severity},
    material::Snapshot,
    settings::ExpirySettings,
};

/// What a browser would refuse, each an error.
pub(super) fn of_browsers(snapshot: &Snapshot, chain: &Chain, served: &[Served<'_>], wants: &Expectations, now: Timestamp) -> Vec<Finding> {
    let line = served.first().map_or(1, |leaf| leaf.line);
    refusals(chain, &wants.names, wants.anchors.as_ref(), now)
        .into_iter()
        .map(|refusal| {
            let of = |code| about(code, &snapshot.cert.path).with("line", line).severity(Severity::Error);
            match refusal {
                Refusal::Expired { not_after } => of(Code::LeafExpired).with("notAfter", not_after).with("now", now),
                Refusal::NotYetValid { not_before } => of(Code::LeafNotYetValid).with("notBefore", not_before).with("now", now),
                Refusal::NameNotCovered { name, covered } => of(Code::NameNotCovered).with("name", name).with("found", covered),
                Refusal::NameOnlyInCn { name } => {
                    let finding = of(Code::NameOnlyInCn).with("name", name);
                    finding.with("found", "the subject's CN, which browsers do not read")
                }
                Refusal::ChainIncomplete { issuer } => {
                    let last = served.iter().rev().find(|served| served.certificate.issuer() == issuer);
                    let url = last.and_then(|served| served.certificate.issuer_url());
                    let finding = of(Code::ChainIncomplete).with("missing", issuer).with("certificates", chain.certificates().len());
                    url.into_iter().fold(finding, |finding, url| finding.with("fetchFrom", url))
                }
                Refusal::ChainExpired { subject, not_after } => {
                    of(Code::ChainExpiresFirst).with("subject", subject).with("notAfter", not_after).with("now", now)
                }
                Refusal::Untrusted { issuer } => of(Code::IssuerUntrusted).with("issuer", issuer),
                Refusal::SelfSigned => of(Code::SelfSigned).with("found", "the leaf signed itself and is no anchor"),
                Refusal::WeakSignature { algorithm } => {
                    of(Code::SignatureWeak).with("found", algorithm).with("expected", "SHA-256 or stronger")
                }
                Refusal::NotForServers => of(Code::LeafNotForServers).with("expected", "serverAuth, and digitalSignature in the key usage"),
                Refusal::KeyNotTaken { algorithm } => of(Code::KeyUnsupported)
                    .with("found", algorithm)
                    .with("expected", "RSA, P-256 or P-384")
                    .with("refusedBy", "every browser"),
                Refusal::Other { reason } => of(Code::IssuerUntrusted).with("found", reason),
            }
        })
        .collect()
}

/// What the leaf itself gives to say, none of which keeps every browser out.
pub(super) fn of_leaf(snapshot: &Snapshot, leaf: &Served<'_>, wants: &Expectations, now: Timestamp) -> Vec<Finding> {
    let about = |code| about(code, &snapshot.cert.path).with("line", leaf.line);
    let certificate = &leaf.certificate;
    let mut findings = Vec::new();
    if let Some(level) = expiring(certificate, &wants.expiry, now) {
        findings.push(about(Code::LeafExpiring).with("level", level).with("notAfter", certificate.not_after()).with("now", now));
    }
    if certificate.is_ca() {
        findings.push(about(Code::LeafIsCa).with("subject", certificate.subject()).with("refusedBy", "Firefox"));
    }
    if certificate.key.welcome() == Welcome::Some {
        let finding = about(Code::KeyUnsupported).severity(Severity::Warning);
        findings.push(finding.with("found", certificate.key.to_string()).with("refusedBy", "Chromium and what is built on it"));
    }
    if certificate.is_self_issued() && wants.anchors.is_none() {
        findings.push(about(Code::SelfSigned).with("notJudged", "whether browsers trust it"));
    }
    findings
}

/// What the other certificates of the file give to say.
pub(super) fn of_chain(snapshot: &Snapshot, served: &[Served<'_>], wants: &Expectations, now: Timestamp) -> Vec<Finding> {
    let Some((leaf, rest)) = served.split_first() else { return Vec::new() };
    let about =
        |code, other: &Served<'_>| about(code, &snapshot.cert.path).with("line", other.line).with("subject", other.certificate.subject());
    let mut findings = Vec::new();

    // TLS 1.3 browsers sort it out; TLS 1.2 (RFC 5246, 7.4.2) and many SIP clients want each certificate to be issued by the next.
    let mut issuers = HashSet::from([leaf.certificate.issuer_raw()]);
    let mut disordered = None;
    for other in rest {
        if !issuers.contains(other.certificate.subject_raw()) {
            disordered = disordered.or(Some(other));
        }
        issuers.insert(other.certificate.issuer_raw());
    }
    findings.extend(disordered.map(|other| about(Code::ChainDisordered, other).with("expected", leaf_first(served))));

    // A root stands in the browsers; its copy in the file may be as old as it likes.
    let first_to_end = rest
        .iter()
        .filter(|other| !other.certificate.is_self_issued() && issuers.contains(other.certificate.subject_raw()))
        .min_by_key(|other| other.certificate.not_after());
    if let Some(other) = first_to_end
        && other.certificate.not_after() < leaf.certificate.not_after()
    {
        let ends = other.certificate.not_after();
        let finding = about(Code::ChainExpiresFirst, other).with("notAfter", ends).with("leafNotAfter", leaf.certificate.not_after());
        // Where trust is judged, the browsers' part says whether there is another way around it.
        let in_the_way = ends < now && wants.anchors.is_none();
        findings.push(finding.severity(if in_the_way { Severity::Error } else { Severity::Warning }));
    }
    findings
}

/// The subjects in the order in which they should stand.
fn leaf_first(served: &[Served<'_>]) -> Vec<String> {
    let mut left: Vec<&Certificate<'_>> = served.iter().map(|served| &served.certificate).collect();
    let mut order = Vec::new();
    let mut next = (!left.is_empty()).then_some(0);
    while let Some(at) = next {
        let last = left.remove(at);
        order.push(last.subject());
        next = left.iter().position(|other| last.is_issued_by(other));
    }
    order
}

/// `warning` or `critical`.
fn expiring(leaf: &Certificate<'_>, expiry: &ExpirySettings, now: Timestamp) -> Option<&'static str> {
    let end = leaf.not_after().as_second();
    let left = end - now.as_second();
    let (warning, critical) = expiry.before_the_end(end - leaf.not_before().as_second());
    match left {
        ..0 => None,
        _ if left < critical => Some("critical"),
        _ if left < warning => Some("warning"),
        _ => None,
    }
}
