//! The chain, as it comes over the wire, whatever it is.

use rcgen::KeyPair;
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::CertificateDer;

use super::{
    super::Door,
    PATIENCE, codes, observe,
    peer::{ACCEPTED, Identity, Script, serve_as},
    target,
};
use crate::diagnosis::Code;

#[tokio::test]
async fn the_chain_is_captured_just_as_it_was_sent() {
    let mut identity = Identity::self_signed();
    // The same certificate twice and a stranger: no sane chain, and Asterisk would send it.
    identity.chain.push(identity.chain[0].clone());
    identity.chain.push(Identity::self_signed().chain[0].clone());
    let sent = identity.chain.clone();
    for version in [&TLS12, &TLS13] {
        let identity = Identity { chain: sent.clone(), key: KeyPair::from_pem(&identity.key.serialize_pem()).unwrap() };
        let (address, peer) = serve_as(identity, &[version], Script::Answer(ACCEPTED)).await;
        let observation = observe(&target(address, PATIENCE)).await;
        let served = observation.served.unwrap();
        assert_eq!(served.chain.certificates(), sent);
        assert_eq!(served.protocol, format!("{:?}", version.version));
        assert_eq!(observation.door, Door::Open);
        peer.await.unwrap();
    }
}

#[tokio::test]
async fn a_leaf_that_is_garbage_is_captured_and_is_not_acceptable() {
    let identity = Identity { chain: vec![CertificateDer::from(vec![0x30, 0x03, 0x01, 0x02, 0x03])], ..Identity::self_signed() };
    let sent = identity.chain.clone();
    let (address, peer) = serve_as(identity, rustls::ALL_VERSIONS, Script::Answer(ACCEPTED)).await;
    let observation = observe(&target(address, PATIENCE)).await;
    let served = observation.served.as_ref().unwrap();
    assert_eq!(served.chain.certificates(), sent);
    assert_eq!(served.leaf, None);
    assert!(!served.acceptable);
    assert!(codes(&observation).contains(&Code::TlsFailed));
    peer.await.unwrap();
}

#[tokio::test]
async fn a_peer_without_the_key_of_its_certificate_is_dark_and_its_chain_is_seen() {
    for version in [&TLS12, &TLS13] {
        let identity = Identity { key: KeyPair::generate().unwrap(), ..Identity::self_signed() };
        let sent = identity.chain.clone();
        let (address, peer) = serve_as(identity, &[version], Script::Answer(ACCEPTED)).await;
        let observation = observe(&target(address, PATIENCE)).await;
        assert_eq!(observation.door, Door::Dark);
        assert_eq!(observation.findings[0].code, Code::TlsFailed);
        let served = observation.served.unwrap();
        assert_eq!(served.chain.certificates(), sent);
        assert!(!served.acceptable);
        peer.await.unwrap();
    }
}
