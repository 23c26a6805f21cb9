//! What each material comes to, at a fixed moment. Certificates are made here by rcgen; odd ones by the `openssl` command in `odd`.

mod odd;
mod torn;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls_pki_types::CertificateDer;

use super::{Bundle, Chain, Expectations, Judgement, Leaf, Rejection, browser::Refusal, browser::refusals, judge};
use crate::{
    diagnosis::{Code, Finding, Severity, Value},
    material::{Capture, Content, Node, ReadFault, Snapshot, anchors::Anchors},
    settings::{ExpirySettings, UserIds},
};

const NAME: &str = "pbx.example.com";

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

type Authority = CertifiedIssuer<'static, KeyPair>;

/// A root, an intermediate below it, and what they sign.
struct Pki {
    root: Authority,
    intermediate: Authority,
}

fn subject(params: &mut CertificateParams, name: &str) {
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    subject(&mut params, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2040, 1, 1));
    params
}

fn server() -> CertificateParams {
    let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    subject(&mut params, NAME);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    (params.not_before, params.not_after) = (date_time_ymd(2026, 5, 1), date_time_ymd(2026, 8, 1));
    params
}

impl Pki {
    fn new() -> Pki {
        let root = Authority::self_signed(authority("Root"), KeyPair::generate().unwrap()).unwrap();
        let intermediate = Authority::signed_by(authority("Intermediate"), KeyPair::generate().unwrap(), &root).unwrap();
        Pki { root, intermediate }
    }

    /// A leaf (not its chain) and its key, as PEM.
    fn issue(&self, params: &CertificateParams) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.intermediate).unwrap().pem(), key.serialize_pem())
    }

    fn anchors(&self) -> Anchors {
        Anchors::from_certificates([self.root.der()])
    }

    fn expectations(&self) -> Expectations {
        Expectations { names: vec![NAME.to_owned()], anchors: Some(self.anchors()), user: None, expiry: expiry() }
    }
}

fn expiry() -> ExpirySettings {
    let days = |n: u64| Duration::from_secs(n * 86_400);
    ExpirySettings { warning: days(21), critical: days(7), lifetime_fraction: 0.33 }
}

fn capture(path: &str, bytes: &[u8]) -> Capture {
    Capture { path: path.into(), content: Ok(Content::new(bytes.to_vec())), way: Vec::new() }
}

fn snapshot(cert: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Arc<Snapshot> {
    Arc::new(Snapshot { cert: capture("/tls/tls.crt", cert.as_ref()), key: capture("/tls/tls.key", key.as_ref()) })
}

type Codes = Vec<(Code, Severity)>;
type Found = Result<Codes, Codes>;

/// `Ok`: it loads, with these findings; `Err`: Asterisk would go dark.
fn codes(judgement: &Judgement) -> Found {
    let of = |findings: &[Finding]| findings.iter().map(|f| (f.code, f.severity)).collect();
    match judgement {
        Ok(bundle) => Ok(of(&bundle.findings)),
        Err(rejection) => Err(of(&rejection.findings)),
    }
}

fn error(code: Code) -> (Code, Severity) {
    (code, Severity::Error)
}

fn warning(code: Code) -> (Code, Severity) {
    (code, Severity::Warning)
}

#[test]
fn each_material_comes_to_exactly_these_findings() {
    let pki = Pki::new();
    let (leaf, key) = pki.issue(&server());
    let (inter, root) = (pki.intermediate.pem(), pki.root.pem());
    let full = format!("{leaf}{inter}");
    let other_key = KeyPair::generate().unwrap().serialize_pem();
    let der = rustls_pki_types::pem::PemObject::from_pem_slice(leaf.as_bytes()).map(|der: CertificateDer<'_>| der.to_vec()).unwrap();
    let combined = format!("{full}{key}");
    let bom = |text: &str| [b"\xef\xbb\xbf", text.as_bytes()].concat();
    type Row = (&'static str, Vec<u8>, Vec<u8>, Found);
    let table: Vec<Row> = vec![
        ("leaf and intermediate", full.clone().into(), key.clone().into(), Ok(vec![])),
        ("the root too", format!("{full}{root}").into(), key.clone().into(), Ok(vec![])),
        ("combined, certificate first", combined.clone().into(), combined.clone().into(), Ok(vec![])),
        ("combined, key first", format!("{key}{full}").into(), format!("{key}{full}").into(), Ok(vec![])),
        ("CRLF", full.replace('\n', "\r\n").into(), key.replace('\n', "\r\n").into(), Ok(vec![])),
        ("X509 CERTIFICATE", full.replace("CERTIFICATE", "X509 CERTIFICATE").into(), key.clone().into(), Ok(vec![])),
        ("the leaf alone", leaf.clone().into(), key.clone().into(), Ok(vec![error(Code::ChainIncomplete)])),
        ("out of order", format!("{leaf}{root}{inter}").into(), key.clone().into(), Ok(vec![warning(Code::ChainDisordered)])),
        ("the leaf twice", format!("{leaf}{leaf}{inter}").into(), key.clone().into(), Ok(vec![warning(Code::ChainDisordered)])),
        (
            "the leaf last",
            format!("{inter}{leaf}").into(),
            key.clone().into(),
            Err(vec![error(Code::LeafNotFirst), error(Code::NameNotCovered), warning(Code::LeafIsCa), warning(Code::ChainDisordered)]),
        ),
        ("a key of another certificate", full.clone().into(), other_key.clone().into(), Err(vec![error(Code::KeyMismatch)])),
        ("two keys, the wrong one first", full.clone().into(), format!("{other_key}{key}").into(), Err(vec![error(Code::KeyMismatch)])),
        ("two keys, the right one first", full.clone().into(), format!("{key}{other_key}").into(), Ok(vec![])),
        ("an empty certificate", "".into(), key.clone().into(), Err(vec![error(Code::CertEmpty)])),
        ("an empty key", full.clone().into(), "\n \n".into(), Err(vec![error(Code::KeyEmpty)])),
        ("text", "hello\n".into(), "hello\n".into(), Err(vec![error(Code::CertNotPem), error(Code::KeyNotPem)])),
        ("DER", der.clone(), key.clone().into(), Err(vec![error(Code::CertIsDer)])),
        ("a key for a certificate", key.clone().into(), key.clone().into(), Err(vec![error(Code::CertIsKey)])),
        ("a certificate for a key", full.clone().into(), full.clone().into(), Err(vec![error(Code::KeyIsCert)])),
        ("a DER certificate for a key", full.clone().into(), der, Err(vec![error(Code::KeyIsCert)])),
        ("a cut certificate", leaf[..leaf.len() - 10].into(), key.clone().into(), Err(vec![error(Code::CertNotPem)])),
        ("a cut intermediate", full[..full.len() - 40].into(), key.clone().into(), Err(vec![error(Code::CertNotPem)])),
        ("a cut key", full.clone().into(), key[..key.len() - 40].into(), Err(vec![error(Code::KeyNotPem)])),
        ("a byte order mark", bom(&full), key.clone().into(), Err(vec![error(Code::CertNotPem)])),
        ("a byte order mark in the key", full.clone().into(), bom(&key), Err(vec![error(Code::KeyNotPem)])),
        (
            "a key that is none",
            full.clone().into(),
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".into(),
            Err(vec![error(Code::KeyNotPem)]),
        ),
        (
            "a key under another's label",
            full.clone().into(),
            key.replace("PRIVATE", "RSA PRIVATE").into(),
            Err(vec![error(Code::KeyNotPem)]),
        ),
        ("PKCS#8 under its own kind's label", full.clone().into(), key.replace("PRIVATE", "EC PRIVATE").into(), Ok(vec![])),
        (
            "a block that holds no certificate",
            format!("{leaf}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").into(),
            key.clone().into(),
            Err(vec![error(Code::CertNotPem)]),
        ),
    ];
    for (what, cert, key, expected) in table {
        assert_eq!(codes(&judge(snapshot(cert, key), &pki.expectations(), now())), expected, "{what}");
    }
}

#[test]
fn each_leaf_comes_to_exactly_these_findings() {
    let pki = Pki::new();
    type Change = fn(&mut CertificateParams);
    type Row = (&'static str, Change, Codes);
    let table: [Row; 14] = [
        ("expired", |p| p.not_after = date_time_ymd(2026, 5, 31), vec![error(Code::LeafExpired)]),
        ("not yet valid", |p| p.not_before = date_time_ymd(2026, 6, 2), vec![error(Code::LeafNotYetValid)]),
        ("ten days left", |p| p.not_after = date_time_ymd(2026, 6, 11), vec![warning(Code::LeafExpiring)]),
        ("never ends", |p| p.not_after = date_time_ymd(9999, 12, 31), vec![warning(Code::ChainExpiresFirst)]),
        (
            "another name",
            |p| p.subject_alt_names = vec![rcgen::SanType::DnsName("other.example.com".try_into().unwrap())],
            vec![error(Code::NameOnlyInCn)],
        ),
        ("a name in the CN alone", |p| p.subject_alt_names.clear(), vec![error(Code::NameOnlyInCn)]),
        (
            "no name at all",
            |p| {
                p.subject_alt_names.clear();
                p.distinguished_name = DistinguishedName::new();
            },
            vec![error(Code::NameNotCovered)],
        ),
        ("a wildcard", |p| p.subject_alt_names = vec![rcgen::SanType::DnsName("*.example.com".try_into().unwrap())], vec![]),
        ("for clients", |p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth], vec![error(Code::LeafNotForServers)]),
        ("for anything", |p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any], vec![error(Code::LeafNotForServers)]),
        ("for nothing in particular", |p| p.extended_key_usages.clear(), vec![]),
        ("no signatures", |p| p.key_usages = vec![KeyUsagePurpose::KeyEncipherment], vec![error(Code::LeafNotForServers)]),
        ("signatures", |p| p.key_usages = vec![KeyUsagePurpose::DigitalSignature], vec![]),
        ("a CA", |p| p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained), vec![warning(Code::LeafIsCa)]),
    ];
    for (what, change, expected) in table {
        let mut params = server();
        change(&mut params);
        let (leaf, key) = pki.issue(&params);
        let judgement = judge(snapshot(format!("{leaf}{}", pki.intermediate.pem()), key), &pki.expectations(), now());
        assert_eq!(codes(&judgement), Ok(expected), "{what}");
    }
}

#[test]
fn trust_is_told_apart() {
    let (pki, stranger) = (Pki::new(), Pki::new());
    let key = KeyPair::generate().unwrap();
    let pem = key.serialize_pem();
    let leaf = server().signed_by(&key, &pki.intermediate).unwrap();
    let lone = server().self_signed(&key).unwrap();
    let mut params = server();
    let url = b"\x30\x1d\x30\x1b\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x02\x86\x0fhttp://a.test/i";
    params.custom_extensions = vec![CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], url.to_vec())];
    let with_url = params.signed_by(&key, &pki.intermediate).unwrap();
    let (inter, root) = (pki.intermediate.pem(), pki.root.pem());
    let strangers = Some(stranger.anchors());
    let table = [
        ("complete", format!("{}{inter}", leaf.pem()), Some(pki.anchors()), vec![]),
        ("incomplete", leaf.pem(), Some(pki.anchors()), vec![error(Code::ChainIncomplete)]),
        ("a stranger's root in the chain", format!("{}{inter}{root}", leaf.pem()), strangers.clone(), vec![error(Code::IssuerUntrusted)]),
        ("a stranger's root left out", format!("{}{inter}", leaf.pem()), strangers.clone(), vec![error(Code::IssuerUntrusted)]),
        ("self-signed", lone.pem(), strangers.clone(), vec![error(Code::SelfSigned)]),
        ("self-signed, an anchor", lone.pem(), Some(Anchors::from_certificates([lone.der()])), vec![]),
        ("self-signed, trust not judged", lone.pem(), None, vec![warning(Code::SelfSigned)]),
        ("a leaf that is an anchor", leaf.pem(), Some(Anchors::from_certificates([leaf.der()])), vec![]),
        ("incomplete, trust not judged", leaf.pem(), None, vec![]),
        ("incomplete, and where to fetch it", with_url.pem(), Some(pki.anchors()), vec![error(Code::ChainIncomplete)]),
    ];
    for (what, cert, anchors, expected) in table {
        let judgement = judge(snapshot(cert, &pem), &Expectations { anchors, ..pki.expectations() }, now());
        assert_eq!(codes(&judgement), Ok(expected), "{what}");
        if what.ends_with("fetch it") {
            assert_eq!(judgement.unwrap().findings[0].get("fetchFrom"), Some(&Value::from("http://a.test/i")));
        }
    }
}

#[test]
fn an_issuer_of_the_right_name_and_the_wrong_key_is_refused() {
    let (pki, impostor) = (Pki::new(), Pki::new());
    let (leaf, key) = pki.issue(&server());
    let judgement = judge(snapshot(format!("{leaf}{}", impostor.intermediate.pem()), key), &impostor.expectations(), now());
    assert_eq!(codes(&judgement), Ok(vec![error(Code::IssuerUntrusted)]));
}

#[test]
fn an_expired_and_untrusted_leaf_says_both() {
    let (pki, stranger) = (Pki::new(), Pki::new());
    let mut params = server();
    params.not_after = date_time_ymd(2026, 5, 20);
    let (leaf, key) = pki.issue(&params);
    let judgement = judge(snapshot(format!("{leaf}{}", pki.intermediate.pem()), key), &stranger.expectations(), now());
    assert_eq!(codes(&judgement), Ok(vec![error(Code::LeafExpired), error(Code::IssuerUntrusted)]));
}

#[test]
fn an_intermediate_that_ends_first_is_a_warning_until_it_has_ended() {
    let root = Authority::self_signed(authority("Root"), KeyPair::generate().unwrap()).unwrap();
    let anchors = Some(Anchors::from_certificates([root.der()]));
    for (month, anchors, expected) in [
        (7, anchors.clone(), warning(Code::ChainExpiresFirst)),
        (7, None, warning(Code::ChainExpiresFirst)),
        (5, anchors, error(Code::ChainExpiresFirst)),
        (5, None, error(Code::ChainExpiresFirst)),
    ] {
        let mut params = authority("Intermediate");
        params.not_after = date_time_ymd(2026, month, 20);
        let intermediate = Authority::signed_by(params, KeyPair::generate().unwrap(), &root).unwrap();
        let key = KeyPair::generate().unwrap();
        let chain = format!("{}{}", server().signed_by(&key, &intermediate).unwrap().pem(), intermediate.pem());
        let wants = Expectations { names: Vec::new(), anchors, user: None, expiry: expiry() };
        assert_eq!(codes(&judge(snapshot(chain, key.serialize_pem()), &wants, now())), Ok(vec![expected]));
    }
}

#[test]
fn an_expiring_leaf_says_how_urgent_it_is() {
    let pki = Pki::new();
    let (leaf, key) = pki.issue(&server());
    let pair = snapshot(format!("{leaf}{}", pki.intermediate.pem()), key);
    for (at, expected) in [
        ("2026-07-10T00:00:00Z", None),
        ("2026-07-12T00:00:00Z", Some("warning")),
        ("2026-07-25T12:00:00Z", Some("critical")),
        ("2026-08-01T00:00:01Z", None),
    ] {
        let bundle = judge(pair.clone(), &pki.expectations(), at.parse().unwrap()).unwrap();
        let finding = bundle.findings.iter().find(|f| f.code == Code::LeafExpiring);
        assert_eq!(finding.and_then(|f| f.get("level")), expected.map(Value::from).as_ref(), "{at}");
    }
    let mut params = server();
    params.not_before = date_time_ymd(2026, 5, 30);
    params.not_after = date_time_ymd(2026, 6, 5);
    let (leaf, key) = pki.issue(&params);
    let short = judge(snapshot(format!("{leaf}{}", pki.intermediate.pem()), key), &pki.expectations(), now());
    assert_eq!(codes(&short), Ok(vec![]), "six days of life, four left, are not expiring");
}

#[test]
fn evidence_names_file_line_and_dates() {
    let pki = Pki::new();
    let mut params = server();
    params.not_after = date_time_ymd(2026, 5, 31);
    let (leaf, key) = pki.issue(&params);
    let bundle = judge(snapshot(format!("# comment\n{leaf}{}", pki.intermediate.pem()), key), &pki.expectations(), now()).unwrap();
    assert_eq!(bundle.refusals(), [Code::LeafExpired]);
    let finding = &bundle.findings[0];
    assert_eq!(finding.get("file"), Some(&Value::from("/tls/tls.crt")));
    assert_eq!(finding.get("line"), Some(&Value::Number(2)));
    assert_eq!(finding.get("notAfter"), Some(&Value::Time("2026-05-31T00:00:00Z".parse().unwrap())));
    assert_eq!(bundle.leaf.names, [NAME]);
    assert_eq!((bundle.leaf.subject.as_str(), bundle.leaf.issuer.as_str()), ("CN=pbx.example.com", "CN=Intermediate"));
    assert_eq!(bundle.leaf.key_algorithm, "P-256");
    assert_eq!(bundle.chain.certificates().len(), 2);
}

#[test]
fn files_that_give_no_bytes_say_why() {
    let pki = Pki::new();
    let (leaf, key) = pki.issue(&server());
    let missing = || ReadFault::Missing { nearest: "/".into() };
    for (fault, cert, of_key) in [
        (missing(), Code::CertMissing, Code::KeyMissing),
        (ReadFault::Denied, Code::CertUnreadable, Code::KeyUnreadable),
        (ReadFault::NotAFile, Code::CertUnreadable, Code::KeyUnreadable),
        (ReadFault::TooLarge { limit: 1 }, Code::CertUnreadable, Code::KeyUnreadable),
        (ReadFault::Other("stale handle".into()), Code::CertUnreadable, Code::KeyUnreadable),
    ] {
        let mut pair = Snapshot::clone(&snapshot(format!("{leaf}{}", pki.intermediate.pem()), &key));
        pair.cert.content = Err(fault.clone());
        assert_eq!(codes(&judge(Arc::new(pair.clone()), &pki.expectations(), now())), Err(vec![error(cert)]));
        pair.key.content = Err(fault.clone());
        assert_eq!(codes(&judge(Arc::new(pair.clone()), &pki.expectations(), now())), Err(vec![error(cert), error(of_key)]));
        pair.key.path = pair.cert.path.clone();
        assert_eq!(codes(&judge(Arc::new(pair), &pki.expectations(), now())), Err(vec![error(cert)]), "one file is named once");
    }
}

#[test]
fn a_file_that_asterisk_may_not_read_is_rejected_and_a_key_for_all_is_a_warning() {
    let pki = Pki::new();
    let (leaf, key) = pki.issue(&server());
    let node = |mode| Node { path: "/tls/tls.key".into(), uid: 0, gid: 102, mode, acl: None };
    let wants = Expectations { user: Some(UserIds { uid: 101, gid: 102, groups: vec![] }), ..pki.expectations() };
    for (mode, expected) in
        [(0o600, Err(vec![error(Code::KeyUnreadable)])), (0o640, Ok(vec![])), (0o644, Ok(vec![warning(Code::KeyWorldReadable)]))]
    {
        let mut pair = Snapshot::clone(&snapshot(format!("{leaf}{}", pki.intermediate.pem()), &key));
        pair.key.way = vec![node(0o755), node(mode)];
        assert_eq!(codes(&judge(Arc::new(pair), &wants, now())), expected, "{mode:o}");
    }
}

#[test]
fn a_served_chain_is_refused_as_a_file_is() {
    let pki = Pki::new();
    let key = KeyPair::generate().unwrap();
    let leaf = server().signed_by(&key, &pki.intermediate).unwrap();
    let chain = Chain::new(vec![leaf.der().clone(), pki.intermediate.der().clone()]).unwrap();
    let refused = |chain: &Chain, names: &[&str]| {
        refusals(chain, &names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>(), Some(&pki.anchors()), now())
    };
    assert_eq!(refused(&chain, &[NAME]), []);
    assert_eq!(refused(&chain, &["a.test", NAME]), [Refusal::NameNotCovered { name: "a.test".into(), covered: vec![NAME.into()] }]);
    let leaf = Chain::new(vec![leaf.der().clone()]).unwrap();
    assert_eq!(refused(&leaf, &[]), [Refusal::ChainIncomplete { issuer: "CN=Intermediate".into() }]);
    let garbage = Chain::new(vec![CertificateDer::from(vec![1, 2, 3])]).unwrap();
    assert!(matches!(refused(&garbage, &[]).as_slice(), [Refusal::Other { .. }]));
}

#[test]
fn a_rejection_still_tells_what_the_leaf_says() {
    let pki = Pki::new();
    let (leaf, _) = pki.issue(&server());
    let Err(Rejection { leaf, .. }) = judge(snapshot(leaf, ""), &pki.expectations(), now()) else { panic!("it has no key") };
    assert_eq!(leaf.map(|leaf| leaf.names), Some(vec![NAME.to_owned()]));
}
