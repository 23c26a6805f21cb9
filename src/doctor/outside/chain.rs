//! The chain that was served → what more can be said of it: whether the missing intermediate can be had where the leaf says, and completes the
//! chain; how long the leaf is valid, and for how long still.

use jiff::{SignedDuration, Timestamp};

use super::Question;
use crate::{
    bundle::{
        Chain, Leaf,
        browser::{self, Refusal},
    },
    diagnosis::{Code, Finding, Severity},
    proof::{Observation, fetch},
    settings::ExpirySettings,
};

/// What came of looking for a missing intermediate.
pub(super) struct Issuer {
    url: String,
    /// What was found there, in words.
    found: String,
    completes: bool,
}

/// No chain of a public authority is longer.
const MOST_LINKS: usize = 4;

/// Fetches what is missing. `None`: nothing is, or nobody says where it is.
pub(super) async fn issuer(question: &Question, observation: &Observation) -> Option<Issuer> {
    let incomplete = observation.findings.iter().any(|finding| finding.code == Code::TlsChainIncomplete);
    let mut chain = observation.served.as_ref().filter(|_| incomplete)?.chain.clone();
    let first = browser::issuer_url(&chain)?;
    let mut url = first.clone();
    for _ in 0..MOST_LINKS {
        let failed = |found: String| Issuer { url: first.clone(), found, completes: false };
        let fetched = match fetch(&url, question.timeout).await {
            Ok(fetched) => fetched,
            Err(reason) => return Some(failed(reason)),
        };
        chain = Chain::new(chain.certificates().iter().cloned().chain([fetched]).collect())?;
        let refusals = browser::refusals(&chain, &[], question.anchors.as_ref(), observation.at);
        let lacking = |refusal: &Refusal| matches!(refusal, Refusal::ChainIncomplete { .. });
        if !refusals.iter().any(lacking) {
            let distrusted = refusals.iter().any(|refusal| matches!(refusal, Refusal::Untrusted { .. } | Refusal::Other { .. }));
            let found =
                if distrusted { "a certificate that leads to nobody who is trusted" } else { "the certificate that completes the chain" };
            return Some(Issuer { url: first, found: found.to_owned(), completes: !distrusted });
        }
        match browser::issuer_url(&chain) {
            Some(next) if next != url => url = next,
            Some(_) | None => return Some(failed("a certificate, and another is missing still".to_owned())),
        }
    }
    Some(Issuer { url: first, found: "a chain without an end".to_owned(), completes: false })
}

impl Issuer {
    /// The finding, with what is known by now, and the line that mends it.
    pub(super) fn told(&self, finding: Finding) -> Finding {
        let finding = finding.with("issuerUrl", self.url.as_str()).with("fetched", self.found.as_str());
        // A URL comes from the certificate, and a person is to paste this.
        let plain = self.url.chars().all(|c| c.is_ascii_alphanumeric() || "_-./:%".contains(c));
        if self.completes && plain {
            finding.with("remedyLine", format!("curl -s {} | openssl x509 -inform der >> /path/to/fullchain.pem", self.url))
        } else {
            finding
        }
    }
}

/// How long it is valid, and for how long still.
pub(super) fn age(leaf: &Leaf, at: &str, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    let about = |code| Finding::new(code).with("address", at).with("notBefore", leaf.not_before).with("notAfter", leaf.not_after);
    let lifetime = leaf.not_after.duration_since(leaf.not_before);
    if lifetime > LONGEST {
        findings.push(about(Code::TlsValidityTooLong).with("found", format!("{} days", lifetime.as_hours() / 24)));
    }
    let left = leaf.not_after.duration_since(now);
    let limits = ExpirySettings::default();
    let soon = |limit| {
        SignedDuration::try_from(limit).is_ok_and(|limit: SignedDuration| left < limit.min(lifetime.mul_f64(limits.lifetime_fraction)))
    };
    if now >= leaf.not_before && left > SignedDuration::ZERO && soon(limits.warning) {
        findings.push(
            about(Code::LeafExpiring)
                .severity(Severity::Warning)
                .with("now", now)
                .with("found", format!("{} days left", left.as_hours() / 24)),
        );
    }
    findings
}

/// 398 days (CA/Browser Forum's Baseline Requirements 6.3.2; browsers hold public authorities to it), and a second of grace.
const LONGEST: SignedDuration = SignedDuration::from_secs(398 * 86_400 + 1);
