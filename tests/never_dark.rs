//! Whatever comes to lie where the certificate lies, a door that is open stays open: on real Asterisk 16 and 22, what would make it go
//! dark and what browsers would refuse is named and never loaded, and what is good is served and proved.
#![allow(clippy::unwrap_used, reason = "a scene that cannot be set fails the test where it stands")]

mod support;

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink},
    path::Path,
    time::Duration,
};

use serde_json::Value;
use starkeeper::clock;
use support::{
    agent::Agent,
    asterisk::{Asterisk, BOTH},
    certs::{Authority, Chain, KeyKind, Layout, Pair, odd, self_signed},
    until,
    wire::{self, Door, Sampler},
};

const NAME: &str = "pbx.example.com";
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", NAME];
const SOON: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_secs(86_400);

/// Two files as they are to lie there, byte for byte; a missing one is `None`.
#[derive(Clone)]
struct Files {
    cert: Option<Vec<u8>>,
    key: Option<Vec<u8>>,
    cert_access: Access,
    key_access: Access,
}

/// Mode, and the group where it is not the folder's, which is Asterisk's.
type Access = (u32, Option<u32>);

impl Files {
    fn of(pair: &Pair) -> Self {
        Self {
            cert: Some(pair.cert_pem.clone().into_bytes()),
            key: Some(pair.key_pem.clone().into_bytes()),
            cert_access: (0o644, None),
            key_access: (0o640, None),
        }
    }

    fn with_cert(self, cert: impl Into<Vec<u8>>) -> Self {
        Self { cert: Some(cert.into()), ..self }
    }

    fn with_key(self, key: impl Into<Vec<u8>>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// Puts them there in one step, as kubelet does: no half of a generation is ever seen.
    fn swap(&self, folder: &Path) {
        let old = fs::read_link(folder.join("..data")).unwrap();
        let name = (0..).map(|count| format!("..generation.{count}")).find(|name| !folder.join(name).exists()).unwrap();
        let new = folder.join(&name);
        fs::create_dir(&new).unwrap();
        for (file, bytes, (mode, group)) in [("tls.crt", &self.cert, self.cert_access), ("tls.key", &self.key, self.key_access)] {
            let Some(bytes) = bytes else { continue };
            let path = new.join(file);
            fs::write(&path, bytes).unwrap();
            chown(&path, None, group).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        symlink(&name, folder.join("..data_tmp")).unwrap();
        fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
        fs::remove_dir_all(folder.join(old)).unwrap();
    }
}

/// An Asterisk, an agent that watches over it, and the authorities that browsers trust.
struct Scene {
    asterisk: Asterisk,
    agent: Agent,
}

impl Scene {
    fn start(asterisk: Asterisk, trusted: &[&Authority], user: bool) -> Self {
        let anchors = asterisk.folder().join("ca.pem");
        fs::write(&anchors, trusted.iter().map(|authority| authority.root_pem.as_str()).collect::<String>()).unwrap();
        let trust = format!("trust: {}, names: [{NAME}]", anchors.display());
        let mut settings = asterisk.settings().replace("trust: none", &trust);
        if user {
            let ids = format!("asterisk:\n  user: {{uid: {}, gid: {}}}", asterisk.uid, asterisk.gid);
            settings = settings.replacen("asterisk:", &ids, 1);
        }
        let agent = Agent::start(&settings);
        Self { asterisk, agent }
    }

    fn served(&self) -> Option<String> {
        wire::served(self.asterisk.ports.wss).map(|served| served.fingerprint)
    }

    /// Swaps the files in and waits until the agent has settled on refusing them.
    fn refuse(&self, what: &str, files: &Files) -> Value {
        let before = self.agent.status()["counts"]["rejected"].as_u64().unwrap();
        files.swap(&self.asterisk.tls());
        self.agent.wait(what, SOON, |status| status["counts"]["rejected"].as_u64() > Some(before) && status["phase"] == "Rejected")
    }

    /// Swaps the files in and waits until the agent has proved them.
    fn prove(&self, what: &str, files: &Files, fingerprint: &str) -> Value {
        let before = self.agent.status()["counts"]["proved"].as_u64().unwrap();
        files.swap(&self.asterisk.tls());
        let status = self.agent.wait(what, SOON, |status| {
            let surface = &status["surfaces"][0];
            status["phase"] == "Serving" && surface["served"]["fingerprintSha256"] == fingerprint && surface["matchesWanted"] == true
        });
        assert_eq!(self.served().as_deref(), Some(fingerprint), "{what}");
        assert_eq!(status["counts"]["proved"].as_u64(), Some(before + 1), "{what}");
        status
    }
}

fn codes(status: &Value, severity: &str) -> BTreeSet<String> {
    let findings = status["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == severity);
    findings.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

fn set(codes: &[&str]) -> BTreeSet<String> {
    codes.iter().map(|code| (*code).to_owned()).collect()
}

/// What makes Asterisk go dark, each with its errors. `served`: what is served meanwhile.
fn deadly(authority: &Authority, served: &Pair) -> Vec<(&'static str, Files, &'static [&'static str])> {
    let good = authority.issue(&NAMES);
    let rsa = authority.leaf(&NAMES).key(KeyKind::Rsa2048).issue();
    let files = Files::of(&good);
    let crowd = good.cert_pem.clone() + &authority.intermediate_pem.repeat(200);
    let half = &good.cert_pem[..good.cert_pem.len() / 4];
    vec![
        ("no certificate", Files { cert: None, ..files.clone() }, &["cert-missing"]),
        ("no key", Files { key: None, ..files.clone() }, &["key-missing"]),
        ("neither", Files { cert: None, key: None, ..files.clone() }, &["cert-missing", "key-missing"]),
        ("an empty certificate", files.clone().with_cert(""), &["cert-empty"]),
        ("an empty key", files.clone().with_key("\n"), &["key-empty"]),
        ("a certificate for root alone", Files { cert_access: (0o600, Some(0)), ..files.clone() }, &["cert-unreadable"]),
        ("a key for root alone", Files { key_access: (0o600, Some(0)), ..files.clone() }, &["key-unreadable"]),
        ("a key of another group", Files { key_access: (0o640, Some(0)), ..files.clone() }, &["key-unreadable"]),
        ("no PEM as certificate", files.clone().with_cert("certificate\n"), &["cert-not-pem"]),
        ("a certificate cut short", files.clone().with_cert(half), &["cert-not-pem"]),
        ("a byte order mark", files.clone().with_cert(format!("\u{feff}{}", good.cert_pem)), &["cert-not-pem"]),
        ("a DER certificate", files.clone().with_cert(odd::cert_der(&good)), &["cert-is-der"]),
        ("the key in place of the certificate", files.clone().with_cert(good.key_pem.clone()), &["cert-is-key"]),
        ("no PEM as key", files.clone().with_key("key\n"), &["key-not-pem"]),
        ("a DER key", files.clone().with_key(odd::key_der(&good)), &["key-not-pem"]),
        (
            "a key that old OpenSSL cannot read",
            Files::of(&authority.leaf(&NAMES).key(KeyKind::Ed25519V2).issue()),
            &["key-not-pem", "key-unsupported"],
        ),
        ("the certificate in place of the key", files.clone().with_key(good.cert_pem.clone()), &["key-is-cert"]),
        ("an encrypted key, PKCS#8", Files::of(&odd::encrypted_pkcs8(&good)), &["key-encrypted"]),
        ("an encrypted key, old form, EC", Files::of(&odd::encrypted_legacy(&good)), &["key-encrypted"]),
        ("an encrypted key, old form, RSA", Files::of(&odd::encrypted_legacy(&rsa)), &["key-encrypted"]),
        ("another's key", Files::of(&good.with_key_of(&authority.issue(&NAMES))), &["key-mismatch"]),
        ("another's key of another kind", Files::of(&good.with_key_of(&rsa)), &["key-mismatch"]),
        ("the former key", Files::of(&good.with_key_of(served)), &["key-mismatch", "pair-torn"]),
        ("the former certificate", Files::of(&served.with_key_of(&good)), &["key-mismatch", "pair-torn"]),
        ("more certificates than any client takes", files.clone().with_cert(crowd), &["chain-disordered"]),
        ("a curve that no browser knows", Files::of(&odd::secp256k1()), &["key-unsupported", "name-not-covered", "self-signed"]),
        ("a curve spelt out", Files::of(&odd::explicit_parameters()), &["key-unsupported", "name-not-covered", "self-signed"]),
        ("Ed448", Files::of(&odd::ed448()), &["key-unsupported", "name-not-covered", "self-signed"]),
        ("RSA-PSS", Files::of(&odd::rsa_pss()), &["key-unsupported", "name-not-covered", "self-signed"]),
        ("RSA 1024", Files::of(&odd::rsa_1024()), &["key-weak", "name-not-covered", "self-signed"]),
        // The intermediate, which stands where the leaf should, is no certificate for browsers either.
        (
            "the chain before the leaf",
            Files::of(&authority.leaf(&NAMES).chain(Chain::Reversed).issue()),
            &["leaf-not-first", "leaf-not-for-servers", "name-not-covered"],
        ),
    ]
}

/// What Asterisk loads and browsers refuse, each with its errors.
fn refused(authority: &Authority) -> Vec<(&'static str, Pair, &'static [&'static str])> {
    let stranger = Authority::named("Stranger");
    vec![
        ("expired", authority.leaf(&NAMES).expired(DAY).issue(), &["leaf-expired"]),
        ("not yet valid", authority.leaf(&NAMES).not_yet(DAY).issue(), &["leaf-not-yet-valid"]),
        ("another name", authority.issue(&["other.example.com"]), &["name-not-covered"]),
        ("a name in the CN alone", authority.leaf(&[]).common_name_only(NAME).issue(), &["name-only-in-cn"]),
        (
            "not for servers",
            authority.leaf(&NAMES).usages(&[rcgen::ExtendedKeyUsagePurpose::ClientAuth]).issue(),
            &["leaf-not-for-servers"],
        ),
        ("self-signed", self_signed(&NAMES).issue(), &["self-signed"]),
        ("self-signed with SHA-1", odd::sha1_signed(), &["name-not-covered", "self-signed", "signature-weak"]),
        ("of an authority that nobody trusts", stranger.issue(&NAMES), &["issuer-untrusted"]),
        ("without its intermediate", authority.leaf(&NAMES).chain(Chain::LeafOnly).issue(), &["chain-incomplete"]),
        ("with another's intermediate", authority.leaf(&NAMES).chain(Chain::Foreign(&stranger)).issue(), &["chain-incomplete"]),
        ("Ed25519", authority.leaf(&NAMES).key(KeyKind::Ed25519).issue(), &["key-unsupported"]),
    ]
}

/// What Asterisk loads and browsers take, each with its warnings.
fn good(authority: &Authority, ending: &Authority) -> Vec<(String, Files, String, &'static [&'static str])> {
    let mut rows: Vec<(String, Files, String, &'static [&'static str])> = Vec::new();
    let mut row = |what: &str, pair: &Pair, files: Files, warnings| rows.push((what.to_owned(), files, pair.fingerprint.clone(), warnings));
    for kind in [KeyKind::Rsa2048, KeyKind::Rsa3072, KeyKind::Rsa4096, KeyKind::P256, KeyKind::P384, KeyKind::P521] {
        let pair = authority.leaf(&NAMES).key(kind).issue();
        let warnings: &[&str] = if kind == KeyKind::P521 { &["key-unsupported"] } else { &[] };
        row(&format!("{kind:?}"), &pair, Files::of(&pair), warnings);
    }
    let pair = authority.leaf(&NAMES).key(KeyKind::Rsa2048).issue();
    row("PKCS#1", &pair, Files::of(&odd::pkcs1(&pair)), &[]);
    let pair = authority.issue(&NAMES);
    row("SEC 1", &pair, Files::of(&odd::sec1(&pair)), &[]);
    let pair = authority.issue(&NAMES);
    row("SEC 1 after its parameters", &pair, Files::of(&odd::sec1_after_parameters(&pair)), &[]);
    let pair = authority.issue(&NAMES);
    row("certificate and key in both files", &pair, Files::of(&pair.combined()), &[]);
    let pair = authority.issue(&NAMES);
    let key_first = format!("{}{}", pair.key_pem, pair.cert_pem);
    row("key before certificate in both files", &pair, Files::of(&pair.with_cert(key_first.clone()).with_key(key_first)), &[]);
    let pair = authority.issue(&NAMES);
    row("a key that all may read", &pair, Files { key_access: (0o644, None), ..Files::of(&pair) }, &["key-world-readable"]);
    let pair = authority.issue(&NAMES);
    let crlf = |text: &str| text.replace("\r\n", "\n").replace('\n', "\r\n");
    row("CRLF", &pair, Files::of(&pair).with_cert(crlf(&pair.cert_pem)).with_key(crlf(&pair.key_pem)), &[]);
    let pair = authority.issue(&NAMES);
    let told = |text: &str| text.replace("-----BEGIN", "subject=a name: 0\n-- no block --\n-----BEGIN") + "the end, without a line's end";
    row("text between the blocks", &pair, Files::of(&pair).with_cert(told(&pair.cert_pem)).with_key(told(&pair.key_pem)), &[]);
    let pair = authority.issue(&NAMES);
    let long = "Certificate: told at length, as openssl x509 -text does\n".repeat(3600) + &pair.cert_pem;
    assert!(long.len() > 200_000);
    row("200 kB", &pair, Files::of(&pair).with_cert(long), &[]);
    let pair = authority.leaf(&NAMES).chain(Chain::WithRoot).issue();
    row("with its root", &pair, Files::of(&pair), &[]);
    let pair = authority.leaf(&NAMES).chain(Chain::Disordered).issue();
    row("the root before the intermediate", &pair, Files::of(&pair), &["chain-disordered"]);
    let pair = authority.leaf(&NAMES).ca().issue();
    row("a CA's own", &pair, Files::of(&pair), &["leaf-is-ca"]);
    let pair = authority.leaf(&NAMES).valid(clock::wall() - 85 * DAY, clock::wall() + 5 * DAY).issue();
    row("soon to expire", &pair, Files::of(&pair), &["leaf-expiring"]);
    let pair = ending.issue(&NAMES);
    row("of an intermediate that ends first", &pair, Files::of(&pair), &["chain-expires-first"]);
    rows
}

#[test]
fn what_is_bad_is_named_and_never_loaded_and_what_is_good_is_proved() {
    let authority = Authority::new();
    let ending = Authority::within("Ending", clock::wall() - DAY, clock::wall() + 40 * DAY);
    let first = authority.issue(&NAMES);
    for version in BOTH {
        let asterisk = Asterisk::build(version).layout(Layout::DataSwap).pair(&first).start();
        let scene = Scene::start(asterisk, &[&authority, &ending], true);
        scene.agent.wait("the first proof", SOON, |status| status["phase"] == "Serving");
        let mut manager = scene.asterisk.manager();
        let (mark, log) = (manager.mark(), scene.asterisk.mark());

        let sampler = Sampler::start(scene.asterisk.ports.wss, Duration::from_millis(20));
        let held = refused(&authority).into_iter().map(|(what, pair, codes)| (what, Files::of(&pair), codes, "heldBack"));
        let dead = deadly(&authority, &first).into_iter().map(|(what, files, codes)| (what, files, codes, "rejected"));
        for (what, files, errors, verdict) in dead.chain(held) {
            let status = scene.refuse(what, &files);
            assert_eq!(codes(&status, "error"), set(errors), "{version:?}: {what}");
            assert_eq!(status["files"]["verdict"], verdict, "{version:?}: {what}");
            assert_eq!(status["surfaces"][0]["served"]["fingerprintSha256"], first.fingerprint, "{version:?}: {what}");
            assert_eq!(scene.agent.get("/readyz").0, 200, "{version:?}: {what}");
            assert_eq!(scene.agent.get("/livez").0, 200, "{version:?}: {what}");
        }
        assert_eq!(manager.reloads(mark).unwrap(), Vec::<String>::new(), "{version:?}");
        let report = sampler.stop();
        assert_eq!(report.failures(), Vec::<&wire::Sample>::new(), "{version:?}: of {} handshakes", report.samples.len());
        assert_eq!(report.fingerprints(), [first.fingerprint.as_str()], "{version:?}");

        let rows = good(&authority, &ending);
        for (what, files, fingerprint, warnings) in &rows {
            let status = scene.prove(what, files, fingerprint);
            assert_eq!(codes(&status, "error"), set(&[]), "{version:?}: {what}");
            assert_eq!(codes(&status, "warning"), set(warnings), "{version:?}: {what}");
            assert_eq!(scene.agent.get("/readyz").0, 200, "{version:?}: {what}");
        }
        assert_eq!(manager.reloads(mark).unwrap().len(), rows.len(), "{version:?}: one reload for each");
        assert_eq!(scene.asterisk.complaints(log), Vec::<String>::new(), "{version:?}");
    }
}

#[test]
fn what_browsers_refuse_is_loaded_where_they_refuse_what_is_served_too() {
    let authority = Authority::new();
    let first = authority.leaf(&NAMES).expired(2 * DAY).issue();
    for version in BOTH {
        let asterisk = Asterisk::build(version).layout(Layout::DataSwap).pair(&first).start();
        let scene = Scene::start(asterisk, &[&authority], true);
        let status = scene.agent.wait("the first proof", SOON, |status| status["phase"] == "Serving");
        assert!(codes(&status, "error").contains("tls-expired"), "{:?}", codes(&status, "error"));
        for (what, pair, errors) in refused(&authority) {
            let status = scene.prove(what, &Files::of(&pair), &pair.fingerprint);
            let found = codes(&status, "error");
            assert!(set(errors).is_subset(&found), "{version:?}: {what}: {found:?}");
            assert_eq!(status["surfaces"][0]["acceptable"], false, "{version:?}: {what}");
            assert_eq!(scene.agent.get("/readyz").0, 200, "{version:?}: {what}");
        }
        let better = authority.issue(&NAMES);
        scene.prove("good at last", &Files::of(&better), &better.fingerprint);
        let expired = authority.leaf(&NAMES).expired(DAY).issue();
        scene.refuse("expired again", &Files::of(&expired));
        assert_eq!(scene.served(), Some(better.fingerprint));
    }
}

#[test]
fn one_combined_file_for_both_paths_is_served_and_renewed() {
    let authority = Authority::new();
    for version in BOTH {
        let first = authority.issue(&NAMES).combined();
        let asterisk = Asterisk::build(version).pair(&first).http("tlsprivatekey=").start();
        let settings = asterisk.settings().replace(&format!(", key: {}", asterisk.key().display()), "");
        let agent = Agent::start(&settings);
        agent.wait("the first proof", SOON, |status| status["phase"] == "Serving");
        let second = authority.issue(&NAMES).combined();
        let new = asterisk.tls().join("new");
        fs::write(&new, &second.cert_pem).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o640)).unwrap();
        fs::rename(&new, asterisk.cert()).unwrap();
        agent.wait("the rotation", SOON, |status| {
            status["phase"] == "Serving" && status["surfaces"][0]["served"]["fingerprintSha256"] == second.fingerprint
        });
        assert_eq!(wire::door(asterisk.ports.wss), Door::Open, "{version:?}");
    }
}

/// Without `asterisk.user` nobody can tell beforehand: what Asterisk cannot read is loaded, the door goes dark, and that is said at once.
/// It is mended without a restart once the file can be read.
#[test]
fn a_key_that_asterisk_cannot_read_is_told_and_healed_where_its_user_is_not_known() {
    let authority = Authority::new();
    for version in BOTH {
        let asterisk = Asterisk::build(version).layout(Layout::DataSwap).pair(&authority.issue(&NAMES)).start();
        let scene = Scene::start(asterisk, &[&authority], false);
        scene.agent.wait("the first proof", SOON, |status| status["phase"] == "Serving");
        let pair = authority.issue(&NAMES);
        Files { key_access: (0o600, Some(0)), ..Files::of(&pair) }.swap(&scene.asterisk.tls());
        // Without Asterisk's files at hand one more reload is tried; then it is left to somebody who can do something.
        let status = scene.agent.wait("the wedge", SOON, |status| status["phase"] == "Wedged" && status["counts"]["notHealed"] == 1);
        assert!(codes(&status, "error").is_superset(&set(&["listener-wedged", "tls-failed"])), "{:?}", codes(&status, "error"));
        assert_eq!(scene.agent.get("/readyz").0, 503, "{version:?}");
        let key = fs::canonicalize(scene.asterisk.key()).unwrap();
        assert_eq!(fs::metadata(&key).unwrap().gid(), 0);
        chown(&key, None, Some(scene.asterisk.gid)).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
        let status = scene.agent.wait("the heal", SOON, |status| status["phase"] == "Serving");
        assert_eq!(status["counts"]["healed"], 1, "{version:?}");
        assert_eq!(scene.served(), Some(pair.fingerprint), "{version:?}");
        until(SOON, "readiness", || scene.agent.get("/readyz").0 == 200);
    }
}
