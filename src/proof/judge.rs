//! The served chain + whose eyes + now → what browsers would refuse in it, as findings of the wire. Pure.

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;

use super::{Seen, Served, Target, tls::Possession, trial::Trial};
use crate::{
    bundle::{
        Chain, Leaf,
        browser::{Refusal, refusals},
    },
    diagnosis::{Code, Finding, Severity},
};

/// Judges what a handshake showed. `None`: it showed no certificate.
pub(super) fn judge(
    trial: &Trial<'_>,
    chain: Vec<CertificateDer<'static>>,
    possession: &Possession,
    protocol: String,
    seen: &Seen,
    now: Timestamp,
) -> Option<(Served, Vec<Finding>)> {
    let chain = Chain::new(chain)?;
    let leaf = Leaf::parse(chain.leaf()).ok();
    let mut findings = Vec::new();
    if *possession == Possession::Refuted {
        findings.push(trial.finding(Code::TlsFailed, "the handshake is not signed with the key of the certificate that is shown"));
    }
    if leaf.is_some() {
        let refusals = refusals(&chain, &names(trial.target, seen), seen.anchors.as_ref(), now);
        findings.extend(refusals.into_iter().map(|refusal| finding(trial, refusal, now).severity(Severity::Error)));
    } else {
        findings.push(trial.finding(Code::TlsFailed, "the certificate that is shown cannot be parsed"));
    }
    let acceptable = findings.is_empty();
    Some((Served { chain, leaf, protocol, acceptable }, findings))
}

/// The names that clients use, and the one that this target is asked for by.
fn names(target: &Target, seen: &Seen) -> Vec<String> {
    let own = target.server_name.iter().filter(|own| !seen.names.iter().any(|name| name.eq_ignore_ascii_case(own)));
    seen.names.iter().chain(own).cloned().collect()
}

fn finding(trial: &Trial<'_>, refusal: Refusal, now: Timestamp) -> Finding {
    match refusal {
        Refusal::Expired { not_after } => {
            trial.finding(Code::TlsExpired, format!("expired {not_after}")).with("notAfter", not_after).with("now", now)
        }
        Refusal::NotYetValid { not_before } => {
            trial.finding(Code::LeafNotYetValid, format!("valid from {not_before}")).with("notBefore", not_before).with("now", now)
        }
        Refusal::NameNotCovered { name, covered } => {
            trial.finding(Code::TlsNameMismatch, format!("a certificate for {}", some(&covered))).with("name", name)
        }
        Refusal::NameOnlyInCn { name } => {
            trial.finding(Code::TlsNameMismatch, "the name stands in the CN alone, which no browser reads").with("name", name)
        }
        Refusal::ChainIncomplete { issuer } => {
            trial.finding(Code::TlsChainIncomplete, "the chain ends before an issuer that is trusted").with("issuer", issuer)
        }
        Refusal::ChainExpired { subject, not_after } => {
            let found = format!("the chain leads through {subject}, which expired {not_after}");
            trial.finding(Code::TlsExpired, found).with("subject", subject).with("notAfter", not_after).with("now", now)
        }
        Refusal::Untrusted { issuer } => {
            trial.finding(Code::TlsUntrusted, "the chain leads to nobody who is trusted").with("issuer", issuer)
        }
        Refusal::SelfSigned => trial.finding(Code::TlsUntrusted, "the certificate signed itself"),
        Refusal::WeakSignature { algorithm } => trial.finding(Code::SignatureWeak, algorithm),
        Refusal::NotForServers => trial.finding(Code::LeafNotForServers, "the extended key usage leaves out serverAuth"),
        Refusal::KeyNotTaken { algorithm } => {
            trial.finding(Code::KeyUnsupported, algorithm).with("expected", "RSA, P-256 or P-384, which browsers take")
        }
        Refusal::Other { reason } => trial.finding(Code::TlsUntrusted, reason),
    }
}

/// A certificate may have a thousand names.
fn some(names: &[String]) -> String {
    let shown = names.iter().take(MOST_NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(MOST_NAMES) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}

const MOST_NAMES: usize = 8;
