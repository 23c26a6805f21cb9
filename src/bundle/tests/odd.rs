//! Keys and certificates that rcgen does not make, made by the `openssl` command as the tests run. What each comes to was tried on
//! OpenSSL 1.1.1w, 3.0.19 and 3.6.5 with Debian's security level 2: `SSL_CTX_use_certificate_chain_file`, `SSL_CTX_use_PrivateKey_file`
//! and `SSL_CTX_check_private_key`, as Asterisk calls them.

use std::{fs, path::Path, process::Command};

use super::*;

/// Runs `openssl` in `folder`, words separated by spaces.
fn openssl(folder: &Path, line: &str) {
    let output = Command::new("openssl").args(line.split(' ')).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&output.stderr));
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join(name)).unwrap()
}

/// Judged a minute into the certificate's life, without names and trust.
fn judged(cert: &[u8], key: &[u8]) -> Found {
    let der = rustls_pki_types::pem::PemObject::from_pem_slice(cert).map(|der: CertificateDer<'static>| der).unwrap();
    let at = Leaf::parse(&der).unwrap().not_before + jiff::SignedDuration::from_mins(1);
    let found = codes(&judge(snapshot(cert, key), &Expectations { names: vec![], anchors: None, user: None, expiry: expiry() }, at));
    // They all sign themselves, are CAs, and that is another test's matter.
    let told = |codes: Codes| codes.into_iter().filter(|c| !matches!(c.0, Code::SelfSigned | Code::LeafIsCa)).collect();
    found.map(told).map_err(told)
}

#[test]
fn each_kind_of_key_comes_to_exactly_these_findings() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let dark = Err(vec![error(Code::KeyUnsupported)]);
    for (what, generate, expected) in [
        ("RSA 2048", "rsa:2048", Ok(vec![])),
        ("RSA 2056", "rsa:2056", Ok(vec![])),
        ("RSA 1024", "rsa:1024", Err(vec![error(Code::KeyWeak)])),
        ("RSA 2047", "rsa:2047", Err(vec![error(Code::KeyWeak)])),
        ("P-256", "ec -pkeyopt ec_paramgen_curve:P-256", Ok(vec![])),
        ("P-384", "ec -pkeyopt ec_paramgen_curve:P-384", Ok(vec![])),
        ("P-521", "ec -pkeyopt ec_paramgen_curve:P-521", Ok(vec![warning(Code::KeyUnsupported)])),
        ("P-192", "ec -pkeyopt ec_paramgen_curve:prime192v1", Err(vec![error(Code::KeyWeak), error(Code::KeyUnsupported)])),
        ("P-224", "ec -pkeyopt ec_paramgen_curve:secp224r1", dark.clone()),
        ("secp256k1", "ec -pkeyopt ec_paramgen_curve:secp256k1", dark.clone()),
        ("brainpool", "ec -pkeyopt ec_paramgen_curve:brainpoolP256r1", dark.clone()),
        ("explicit parameters", "ec -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit", dark.clone()),
        ("RSA-PSS", "rsa-pss -pkeyopt rsa_keygen_bits:2048", dark.clone()),
        ("Ed25519", "ed25519", Ok(vec![error(Code::KeyUnsupported)])),
        // Nothing in an Ed448 key tells its public half, so that the pair is not judged either.
        ("Ed448", "ed448", Err(vec![error(Code::KeyUnsupported), (Code::KeyUnsupported, Severity::Info)])),
    ] {
        openssl(at, &format!("req -x509 -nodes -days 90 -subj /CN=a -newkey {generate} -keyout key -out cert"));
        openssl(at, &format!("req -x509 -nodes -days 90 -subj /CN=a -newkey {generate} -keyout other -out cert2"));
        assert_eq!(judged(&read(at, "cert"), &read(at, "key")), expected, "{what}");
        let other = judged(&read(at, "cert"), &read(at, "other"));
        let mismatch = other.clone().is_err_and(|codes| codes.contains(&error(Code::KeyMismatch)));
        assert!(mismatch || what == "Ed448", "another {what} key is a mismatch: {other:?}");
    }
}

#[test]
fn each_form_of_key_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    openssl(at, "req -x509 -nodes -days 90 -subj /CN=a -newkey rsa:2048 -keyout rsa -out rsa.crt");
    openssl(at, "req -x509 -nodes -days 90 -subj /CN=a -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout ec -out ec.crt");
    openssl(at, "req -x509 -nodes -days 90 -subj /CN=a -newkey ed25519 -keyout ed -out ed.crt");
    openssl(at, "rsa -in rsa -traditional -out pkcs1");
    openssl(at, "ec -in ec -out sec1");
    openssl(at, "ec -in ec -no_public -out no_public");
    openssl(at, "ec -in ec -conv_form compressed -out compressed");
    openssl(at, "ecparam -name prime256v1 -out parameters");
    openssl(at, "rsa -in rsa -pubout -out public");
    openssl(at, "pkcs8 -topk8 -in rsa -passout pass:x -out encrypted8");
    openssl(at, "rsa -in rsa -traditional -aes128 -passout pass:x -out encrypted1");
    openssl(at, "pkey -in rsa -outform DER -out der");
    let join = |names: &[&str]| names.iter().flat_map(|name| read(at, name)).collect::<Vec<u8>>();
    for (cert, key, expected) in [
        ("rsa.crt", &["rsa"][..], Ok(vec![])),
        ("rsa.crt", &["pkcs1"], Ok(vec![])),
        ("ec.crt", &["ec"], Ok(vec![])),
        ("ec.crt", &["sec1"], Ok(vec![])),
        ("ec.crt", &["no_public"], Ok(vec![])),
        ("ec.crt", &["compressed"], Ok(vec![])),
        ("ec.crt", &["parameters", "sec1"], Ok(vec![])),
        ("rsa.crt", &["public", "rsa"], Ok(vec![])),
        ("rsa.crt", &["rsa.crt", "rsa"], Ok(vec![])),
        ("rsa.crt", &["rsa", "encrypted8"], Ok(vec![])),
        ("rsa.crt", &["public"], Err(vec![error(Code::KeyNotPem)])),
        ("rsa.crt", &["der"], Err(vec![error(Code::KeyNotPem)])),
        ("rsa.crt", &["encrypted8"], Err(vec![error(Code::KeyEncrypted)])),
        ("rsa.crt", &["encrypted1"], Err(vec![error(Code::KeyEncrypted)])),
        ("rsa.crt", &["encrypted8", "rsa"], Err(vec![error(Code::KeyEncrypted)])),
        ("rsa.crt", &["ec"], Err(vec![error(Code::KeyMismatch)])),
        ("ec.crt", &["rsa"], Err(vec![error(Code::KeyMismatch)])),
        ("ed.crt", &["ec"], Err(vec![error(Code::KeyMismatch), error(Code::KeyUnsupported)])),
    ] {
        assert_eq!(judged(&read(at, cert), &join(key)), expected, "{cert} {key:?}");
    }
}

#[test]
fn a_key_that_older_openssl_cannot_read_is_refused_and_says_so() {
    let ed25519 = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let p256 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    // rcgen writes Ed25519 in the later form by itself, P-256 in the earlier one: four bytes longer, and a version of 1, make the later.
    let mut later = p256.serialize_der();
    assert_eq!((later[1], &later[3..6]), (0x81, &[2, 1, 0][..]));
    later[2] += 4;
    later[5] = 1;
    later.extend([0x81, 2, 0, 4]);
    for (key, der) in [(&ed25519, ed25519.serialize_der()), (&p256, later)] {
        let cert = server().self_signed(key).unwrap().pem();
        let text = torn::armour("PRIVATE KEY", &der);
        let rejection = judge(snapshot(&cert, text), &Pki::new().expectations(), now()).unwrap_err();
        let finding = &rejection.findings[0];
        assert_eq!((finding.code, finding.severity), (Code::KeyNotPem, Severity::Error));
        assert!(finding.get("found").unwrap().to_string().contains("version 2"), "{finding:?}");
    }
}

#[test]
fn a_chain_beyond_what_clients_take_is_refused() {
    let pki = Pki::new();
    let (leaf, key) = pki.issue(&server());
    let with = |intermediates: usize| leaf.clone() + &pki.intermediate.pem().repeat(intermediates);
    let each = pki.intermediate.der().len() + 5;
    let most = (0xffff - 1000) / each;
    assert!(judge(snapshot(with(most), &key), &pki.expectations(), now()).is_ok());
    let rejection = judge(snapshot(with(most + 1000 / each + 1), &key), &pki.expectations(), now()).unwrap_err();
    assert_eq!((rejection.findings[0].code, rejection.findings[0].severity), (Code::ChainDisordered, Severity::Error));
}

#[test]
fn weak_signatures_and_weak_issuers_are_refused_unless_one_signed_oneself() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let new = "req -x509 -nodes -days 90 -newkey";
    openssl(at, &format!("{new} rsa:2048 -subj /CN=self -sha1 -keyout self.key -out self.crt"));
    openssl(at, &format!("{new} rsa:2048 -subj /CN=md5 -md5 -keyout md5.key -out md5.crt"));
    openssl(at, &format!("{new} rsa:2048 -subj /CN=ca -sha1 -keyout ca.key -out ca.crt"));
    openssl(at, &format!("{new} rsa:1024 -subj /CN=weak -keyout weak.key -out weak.crt"));
    openssl(at, "req -nodes -newkey rsa:2048 -subj /CN=a -keyout key -out csr");
    openssl(at, "x509 -req -in csr -days 90 -CA ca.crt -CAkey ca.key -CAcreateserial -sha1 -out sha1.crt");
    openssl(at, "x509 -req -in csr -days 90 -CA ca.crt -CAkey ca.key -CAcreateserial -sha256 -out good.crt");
    openssl(at, "x509 -req -in csr -days 90 -CA weak.crt -CAkey weak.key -CAcreateserial -sha256 -out byweak.crt");
    let join = |names: &[&str]| names.iter().flat_map(|name| read(at, name)).collect::<Vec<u8>>();
    for (certs, key, expected) in [
        (&["self.crt"][..], "self.key", Ok(vec![error(Code::SignatureWeak)])),
        (&["md5.crt"], "md5.key", Ok(vec![error(Code::SignatureWeak)])),
        (&["sha1.crt"], "key", Err(vec![error(Code::SignatureWeak)])),
        (&["good.crt", "ca.crt"], "key", Ok(vec![])),
        (&["byweak.crt"], "key", Ok(vec![])),
        (&["byweak.crt", "weak.crt"], "key", Err(vec![error(Code::KeyWeak)])),
    ] {
        assert_eq!(judged(&join(certs), &read(at, key)), expected, "{certs:?}");
    }
}

#[test]
fn an_openssl_trusted_certificate_leads_but_does_not_follow() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    openssl(at, "req -x509 -nodes -days 90 -subj /CN=a -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout key -out cert");
    openssl(at, "x509 -in cert -trustout -addtrust serverAuth -out trusted");
    let pair = |cert: Vec<u8>| {
        judge(snapshot(cert, read(at, "key")), &Expectations { names: vec![], anchors: None, user: None, expiry: expiry() }, now())
    };
    let leading: Bundle = pair(read(at, "trusted")).unwrap();
    let plain: Bundle = pair(read(at, "cert")).unwrap();
    assert_eq!(leading.chain, plain.chain);
    let following = pair([read(at, "cert"), read(at, "trusted")].concat()).unwrap();
    assert_eq!(following.chain, plain.chain);
}
