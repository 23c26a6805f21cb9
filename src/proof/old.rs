//! A door that takes none of today's handshakes → what of yesterday's it takes. A ClientHello by hand for each, since no library that this is
//! made of still speaks them; what is read of the answer is what the peer chose, and its certificate. TLS 1.1 and 1.0 browsers gave up in
//! 2020; of TLS 1.2 they still take suites of old (CBC, RSA key exchange), which this program does not.

mod flight;
mod hello;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{Target, connect, trial::Trial};
use flight::Chosen;
use hello::{BEYOND, Offer, TLS10, TLS11, TLS12, TODAY, YESTERDAY, hello};

/// What a door takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Old {
    /// TLS 1.2, by suites that this program has not: nobody here can tell what comes behind.
    Suites {
        /// The one that the peer chose, as OpenSSL calls it.
        chosen: &'static str,
        /// Why Chromium does not take it; `None`: it does.
        refused: Option<&'static str>,
    },
    /// `TLS 1.1` or `TLS 1.0`, which no browser takes.
    Version(&'static str),
}

/// `None`: it takes nothing of that either.
pub async fn takes_old(target: &Target) -> Option<Old> {
    for offer in [TODAY, BEYOND] {
        if let Some(suites) = answered(target, offer).await.as_ref().and_then(suites) {
            return Some(suites);
        }
    }
    match answered(target, YESTERDAY).await?.version {
        TLS11 => Some(Old::Version("TLS 1.1")),
        TLS10 => Some(Old::Version("TLS 1.0")),
        _ => None,
    }
}

/// What these bytes of an answer say of TLS 1.2 so far, and whether more of them could change that. Pure.
pub fn suites_in(received: &[u8]) -> (Option<Old>, bool) {
    let (chosen, more) = flight::read(received);
    (chosen.as_ref().and_then(suites), more)
}

fn suites(chosen: &Chosen) -> Option<Old> {
    (chosen.version == TLS12).then(|| Old::Suites { chosen: hello::name(chosen.suite), refused: refused(chosen) })
}

/// Whether it takes `TLS 1.1` or `TLS 1.0`, and nothing below.
pub(super) async fn takes_version(target: &Target, version: &str) -> bool {
    let version = if version == "TLS 1.0" { TLS10 } else { TLS11 };
    answered(target, Offer { version, ..YESTERDAY }).await.is_some_and(|chosen| chosen.version == version)
}

async fn answered(target: &Target, offer: Offer) -> Option<Chosen> {
    let trial = Trial::begin(target, "tls");
    let mut stream = connect::connect(&trial).await.ok()?;
    let name = target.server_name.as_deref().filter(|name| name.parse::<std::net::IpAddr>().is_err());
    let hello = hello(offer, name.unwrap_or_default());
    let mut received = Vec::new();
    // What came until then counts.
    let _ = timeout(target.timeout, exchange(&mut stream, &hello, &mut received)).await;
    flight::read(&received).0
}

async fn exchange(stream: &mut TcpStream, hello: &[u8], received: &mut Vec<u8>) {
    if stream.write_all(hello).await.is_err() {
        return;
    }
    let mut chunk = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut chunk).await {
        received.extend_from_slice(&chunk[..length]);
        if !flight::read(received).1 || received.len() >= LARGEST_FLIGHT {
            return;
        }
    }
}

/// In bytes. A leaf with a thousand names has a third of that.
const LARGEST_FLIGHT: usize = 64 * 1024;

/// Chromium has no such suite, or the certificate's key is not for what the suite does with it (ran: a key usage that does not name it
/// ends the handshake, and none at all does not).
fn refused(chosen: &Chosen) -> Option<&'static str> {
    if !TODAY.suites.contains(&chosen.suite) {
        return Some("Chromium has no such suite");
    }
    let (_, leaf) = X509Certificate::from_der(chosen.leaf.as_deref()?).ok()?;
    let usage = leaf.key_usage().ok()??.value;
    match hello::deciphers(chosen.suite) {
        true if !usage.key_encipherment() => Some("the certificate's key usage lacks keyEncipherment"),
        false if !usage.digital_signature() => Some("the certificate's key usage lacks digitalSignature"),
        true | false => None,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, KeyUsagePurpose};

    use super::*;

    #[test]
    fn chromium_takes_its_suites_of_certificates_that_are_for_them() {
        use KeyUsagePurpose::{DigitalSignature, KeyEncipherment};
        let (no_suite, no_signature) = (Some("Chromium has no such suite"), Some("the certificate's key usage lacks digitalSignature"));
        let no_encipherment = Some("the certificate's key usage lacks keyEncipherment");
        let ecdhe = 0xc013;
        let rsa = 0x009c;
        for (suite, usages, expected) in [
            (ecdhe, &[][..], None),
            (ecdhe, &[DigitalSignature][..], None),
            (ecdhe, &[KeyEncipherment][..], no_signature),
            (rsa, &[][..], None),
            (rsa, &[DigitalSignature][..], no_encipherment),
            (rsa, &[KeyEncipherment][..], None),
            (rsa, &[DigitalSignature, KeyEncipherment][..], None),
            (0xc009, &[DigitalSignature][..], no_suite),
        ] {
            let mut params = CertificateParams::default();
            params.key_usages = usages.to_vec();
            let leaf = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
            let chosen = Chosen { version: TLS12, suite, leaf: Some(leaf) };
            assert_eq!(refused(&chosen), expected, "{suite:x} {usages:?}");
        }
    }

    #[test]
    fn a_certificate_that_cannot_be_read_refuses_nothing() {
        for leaf in [None, Some(vec![]), Some(vec![0x30, 0x80, 1])] {
            assert_eq!(refused(&Chosen { version: TLS12, suite: 0x009c, leaf }), None);
        }
    }
}
