//! A chain + names + anchors + now → what a browser would refuse in it. Pure, and the same for files and for what is served. Refusing is
//! the browsers' part: whatever stands in the chain, however odd, an answer comes.

use std::{net::IpAddr, time::Duration};

use jiff::Timestamp;
use rustls_pki_types::UnixTime;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage};

use super::{
    Chain,
    certificate::{Certificate, Welcome},
    der,
    signature::{self, Verdict},
};
use crate::material::anchors::Anchors;

/// One reason for which a browser shows an error page (or, on a WebSocket, just 1006).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The leaf's validity is over.
    Expired {
        /// When it ended.
        not_after: Timestamp,
    },
    /// The leaf's validity has not begun.
    NotYetValid {
        /// When it begins.
        not_before: Timestamp,
    },
    /// The subject alternative name does not cover a name that clients use.
    NameNotCovered {
        /// The name that is asked for.
        name: String,
        /// The names that the leaf covers.
        covered: Vec<String>,
    },
    /// The name stands in the subject's CN alone, which no browser reads any more.
    NameOnlyInCn {
        /// The name that is asked for.
        name: String,
    },
    /// An intermediate is missing: the chain's last certificate was issued by somebody who is not in it and is no anchor.
    ChainIncomplete {
        /// Distinguished name of the missing issuer.
        issuer: String,
    },
    /// The only way to an anchor leads through a certificate whose validity is over.
    ChainExpired {
        /// Distinguished name of that certificate.
        subject: String,
        /// When it ended.
        not_after: Timestamp,
    },
    /// The chain is complete, and leads to nobody who is trusted.
    Untrusted {
        /// Distinguished name of the last issuer.
        issuer: String,
    },
    /// The leaf signed itself, and is no anchor.
    SelfSigned,
    /// SHA-1 or MD5.
    WeakSignature {
        /// As RFC 5280 names it, `sha1WithRSAEncryption`.
        algorithm: String,
    },
    /// The extended key usage leaves out serverAuth, or the key usage leaves out digitalSignature.
    NotForServers,
    /// A kind of key that no browser takes in TLS: Ed25519, Ed448, RSA-PSS, DSA, a curve beyond P-256, P-384 and P-521.
    KeyNotTaken {
        /// Which kind.
        algorithm: String,
    },
    /// Anything else for which verification failed.
    Other {
        /// In webpki's words.
        reason: String,
    },
}

/// Everything that a browser would refuse in `chain` at `now`. `names`: DNS names and IP addresses that clients use; none: none are
/// judged. `anchors`: `None` where trust is not judged (names and dates still are).
pub fn refusals(chain: &Chain, names: &[String], anchors: Option<&Anchors>, now: Timestamp) -> Vec<Refusal> {
    let leaf = match Certificate::parse(chain.leaf()) {
        Ok(leaf) => leaf,
        Err(error) => return vec![Refusal::Other { reason: error.to_string() }],
    };
    let rest: Vec<Certificate<'_>> = chain.intermediates().iter().filter_map(|der| Certificate::parse(der).ok()).collect();

    let mut refusals = Vec::new();
    if now > leaf.not_after() {
        refusals.push(Refusal::Expired { not_after: leaf.not_after() });
    }
    if now < leaf.not_before() {
        refusals.push(Refusal::NotYetValid { not_before: leaf.not_before() });
    }
    refusals.extend(names.iter().filter_map(|name| uncovered(&leaf, name)));
    if !leaf.is_for_servers() {
        refusals.push(Refusal::NotForServers);
    }
    if leaf.key.welcome() == Welcome::None {
        refusals.push(Refusal::KeyNotTaken { algorithm: leaf.key.to_string() });
    }
    // Nobody reads the signature of a certificate that signs itself further up: that one is looked up by its name and key.
    let signatures = std::iter::once(&leaf).chain(rest.iter().filter(|c| !c.is_self_issued()));
    if let Some(algorithm) = signatures.filter_map(Certificate::weak_signature).next() {
        refusals.push(Refusal::WeakSignature { algorithm: algorithm.to_owned() });
    }
    let refusal = match anchors {
        Some(anchors) if !anchors.contains(chain.leaf()) => untrusted(chain, &leaf, &rest, anchors, now),
        Some(_) | None => damaged(&leaf, &rest),
    };
    refusals.extend(refusal.filter(|refusal| !(matches!(refusal, Refusal::Other { .. }) && explained(&refusals))));
    refusals
}

/// Where the last certificate of the chain says that its issuer's can be fetched (authority information access, caIssuers).
pub fn issuer_url(chain: &Chain) -> Option<String> {
    let leaf = Certificate::parse(chain.leaf()).ok()?;
    let rest: Vec<Certificate<'_>> = chain.intermediates().iter().filter_map(|der| Certificate::parse(der).ok()).collect();
    last_issued(&leaf, &rest).issuer_url().map(str::to_owned)
}

/// webpki stops at these too, in other words.
fn explained(refusals: &[Refusal]) -> bool {
    refusals.iter().any(|r| matches!(r, Refusal::WeakSignature { .. } | Refusal::NotForServers | Refusal::KeyNotTaken { .. }))
}

fn uncovered(leaf: &Certificate<'_>, name: &str) -> Option<Refusal> {
    let covered = leaf.names();
    if covered.iter().any(|pattern| covers(pattern, name)) {
        return None;
    }
    if leaf.common_names().any(|cn| covers(cn, name)) {
        return Some(Refusal::NameOnlyInCn { name: name.to_owned() });
    }
    Some(Refusal::NameNotCovered { name: name.to_owned(), covered })
}

/// RFC 6125 as browsers hold it: case does not matter, `*` stands for one whole leftmost label, and never for a label of an IP address.
fn covers(pattern: &str, name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    if let Ok(ip) = name.parse::<IpAddr>() {
        return pattern.parse() == Ok(ip);
    }
    if pattern.eq_ignore_ascii_case(name) {
        return true;
    }
    let (Some(domain), Some((label, parent))) = (pattern.strip_prefix("*."), name.split_once('.')) else { return false };
    !label.is_empty() && domain.contains('.') && domain.eq_ignore_ascii_case(parent)
}

/// Trust is judged within the leaf's own validity, so that an expired certificate is still told from an untrusted one.
fn untrusted(chain: &Chain, leaf: &Certificate<'_>, rest: &[Certificate<'_>], anchors: &Anchors, now: Timestamp) -> Option<Refusal> {
    if leaf.is_self_issued() {
        return Some(Refusal::SelfSigned);
    }
    let at = now.max(leaf.not_before()).min(leaf.not_after());
    let error = verify(chain, anchors, at).err()?;
    let last = last_issued(leaf, rest);
    let is_anchor = anchors.trust_anchors().iter().any(|a| der::content(last.issuer_raw()) == Some(a.subject.as_ref()));
    if !is_anchor {
        let issuer = last.issuer();
        // A public authority's certificates say where their issuer can be fetched. The last of several that does not was issued by
        // somebody's own root, which belongs into the browsers, not into the chain.
        let own_root = last.is_self_issued() || (!rest.is_empty() && last.der() != leaf.der() && last.issuer_url().is_none());
        return Some(if own_root { Refusal::Untrusted { issuer } } else { Refusal::ChainIncomplete { issuer } });
    }
    if let Some(expired) = rest.iter().find(|c| at > c.not_after() && !c.is_self_issued())
        && matches!(error, webpki::Error::CertExpired { .. })
    {
        return Some(Refusal::ChainExpired { subject: expired.subject(), not_after: expired.not_after() });
    }
    // Chromium takes a CA's certificate for a server's; `leaf-is-ca` says that Firefox does not.
    if error == webpki::Error::CaUsedAsEndEntity {
        return None;
    }
    Some(Refusal::Other { reason: error.to_string() })
}

fn verify(chain: &Chain, anchors: &Anchors, at: Timestamp) -> Result<(), webpki::Error> {
    let leaf = EndEntityCert::try_from(chain.leaf())?;
    let at = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0)));
    let usage = KeyUsage::server_auth();
    leaf.verify_for_usage(ALL_VERIFICATION_ALGS, anchors.trust_anchors(), chain.intermediates(), at, usage, None, None).map(|_| ())
}

fn last_issued<'c, 'd>(leaf: &'c Certificate<'d>, rest: &'c [Certificate<'d>]) -> &'c Certificate<'d> {
    path(leaf, rest).last().unwrap_or(leaf)
}

/// Follows the names from the leaf as far as the chain goes. Each step takes a certificate, so that a circle of issuers ends too.
fn path<'c, 'd>(leaf: &'c Certificate<'d>, rest: &'c [Certificate<'d>]) -> impl Iterator<Item = &'c Certificate<'d>> {
    let step = |last: &&'c Certificate<'d>| rest.iter().find(|c| !last.is_self_issued() && last.is_issued_by(c));
    std::iter::successors(Some(leaf), step).take(1 + rest.len())
}

/// Where trust is not judged: a signature that is not the issuer's, though a certificate of the issuer's name is at hand.
fn damaged(leaf: &Certificate<'_>, rest: &[Certificate<'_>]) -> Option<Refusal> {
    let links = path(leaf, rest).filter_map(|certificate| {
        let mut issuers = std::iter::once(certificate).chain(rest).filter(|issuer| certificate.is_issued_by(issuer)).peekable();
        issuers.peek()?;
        issuers.all(|issuer| signature::verdict(certificate, issuer) == Verdict::Bad).then_some(certificate)
    });
    let broken = links.into_iter().next()?;
    Some(Refusal::Other { reason: format!("the signature of {} is not that of {}", broken.subject(), broken.issuer()) })
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn names_are_covered_as_browsers_hold_it() {
        for (pattern, name, expected) in [
            ("pbx.example.com", "pbx.example.com", true),
            ("PBX.example.com", "pbx.EXAMPLE.com", true),
            ("pbx.example.com", "pbx.example.com.", true),
            ("*.example.com", "pbx.example.com", true),
            ("*.example.com", "a.pbx.example.com", false),
            ("*.example.com", "example.com", false),
            ("*.example.com", ".example.com", false),
            ("*.com", "example.com", false),
            ("p*.example.com", "pbx.example.com", false),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("*.0.2.1", "192.0.2.1", false),
            ("2001:db8::1", "2001:DB8:0::1", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(covers(pattern, name), expected, "{pattern} covers {name}");
        }
    }
}
