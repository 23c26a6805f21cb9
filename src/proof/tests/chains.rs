//! The chain, as it comes over the wire, whatever it is.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::CertificateDer;

use super::{
    super::{Door, Seen, handshake},
    PATIENCE, codes, observe, observe_as,
    peer::{ACCEPTED, Identity, Script, serve_as},
    target,
};
use crate::{
    asterisk::surface::Surface,
    bundle::errors,
    clock,
    diagnosis::{Code, Severity},
    material::anchors::Anchors,
};

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

#[tokio::test]
async fn what_browsers_refuse_is_an_error_behind_an_open_door() {
    let root = authority("Root", None);
    let intermediate = authority("Intermediate", Some(&root));
    let own = CertificateParams::new(vec!["pbx.example.com".to_owned()]).unwrap();
    let expired = within(&own, 2020, 2021);
    let coming = within(&own, 2100, 2101);
    let other = CertificateParams::new(vec!["other.example.com".to_owned()]).unwrap();
    let table = [
        (issue(&own, &intermediate, true), vec![]),
        (issue(&expired, &intermediate, true), vec![Code::TlsExpired]),
        (issue(&coming, &intermediate, true), vec![Code::LeafNotYetValid]),
        (issue(&other, &intermediate, true), vec![Code::TlsNameMismatch]),
        (issue(&own, &intermediate, false), vec![Code::TlsChainIncomplete]),
        (issue(&own, &authority("Strangers", None), true), vec![Code::TlsUntrusted]),
        (Identity::from_params(own), vec![Code::TlsUntrusted]),
    ];
    let anchors = Anchors::from_certificates(&[root.der().clone()]);
    let seen = Seen { names: vec!["PBX.example.com".to_owned()], anchors: Some(anchors) };
    for (identity, expected) in table {
        let sent = identity.chain.clone();
        let (address, peer) = serve_as(identity, rustls::ALL_VERSIONS, Script::Answer(ACCEPTED)).await;
        let observation = observe_as(&target(address, PATIENCE), &seen).await;
        assert_eq!((observation.door, codes(&observation)), (Door::Open, expected.clone()));
        assert!(observation.findings.iter().all(|finding| finding.severity == Severity::Error));
        let served = observation.served.unwrap();
        assert_eq!(served.chain.certificates(), sent);
        assert_eq!(served.acceptable, expected.is_empty());
        assert!(served.leaf.is_some());
        peer.await.unwrap();
    }
}

#[tokio::test]
async fn names_are_judged_also_where_trust_is_not_and_the_server_name_is_one_of_them() {
    let seen = Seen { names: vec!["voice.example.com".to_owned()], anchors: None };
    let (address, peer) = serve_as(Identity::self_signed(), rustls::ALL_VERSIONS, Script::Answer(ACCEPTED)).await;
    let mut target = target(address, PATIENCE);
    target.server_name = Some("sip.example.com".to_owned());
    let observation = observe_as(&target, &seen).await;
    let missing: Vec<_> = observation.findings.iter().filter_map(|finding| finding.get("name")).map(ToString::to_string).collect();
    assert_eq!(errors(&observation.findings)[..2], [Code::TlsNameMismatch, Code::TlsNameMismatch]);
    assert_eq!(missing, ["voice.example.com", "sip.example.com"]);
    peer.await.unwrap();
}

#[tokio::test]
async fn a_handshake_alone_sees_the_chain_and_asks_nothing() {
    let identity = Identity::self_signed();
    let sent = identity.chain.clone();
    let (address, peer) = serve_as(identity, rustls::ALL_VERSIONS, Script::Answer(ACCEPTED)).await;
    let (observation, closing) = handshake(&target(address, PATIENCE), &Surface::AmiTls, &Seen::default(), clock::now()).await;
    closing.done().await;
    assert_eq!((observation.door, observation.times.upgrade), (Door::Shut, None));
    assert_eq!(observation.served.unwrap().chain.certificates(), sent);
    let met = peer.await.unwrap();
    assert!(met.request.is_empty() && met.close_notify, "{met:?}");
}

fn within(params: &CertificateParams, from: i32, until: i32) -> CertificateParams {
    let mut params = params.clone();
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    params
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str, above: Option<&Authority>) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    match above {
        None => CertifiedIssuer::self_signed(params, key).unwrap(),
        Some(above) => CertifiedIssuer::signed_by(params, key, above).unwrap(),
    }
}

fn issue(params: &CertificateParams, by: &Authority, whole: bool) -> Identity {
    let key = KeyPair::generate().unwrap();
    let leaf = params.signed_by(&key, by).unwrap().der().clone();
    let chain = if whole { vec![leaf, by.der().clone()] } else { vec![leaf] };
    Identity { chain, key }
}
