//! What rcgen does not make, by the host's `openssl`: weak keys and signatures, encrypted keys, other forms of the same key, DER.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use super::{Authority, KeyKind, Pair, fingerprint};

/// A self-signed pair with an RSA key of 1024 bits, which OpenSSL refuses to load at security level 2.
pub fn rsa_1024() -> Pair {
    made(&["-newkey", "rsa:1024", "-sha256"])
}

/// A self-signed pair, RSA 2048, signed with SHA-1: Asterisk loads it, browsers refuse it.
pub fn sha1_signed() -> Pair {
    made(&["-newkey", "rsa:2048", "-sha1"])
}

/// A pair for this name that the authority's intermediate has signed with SHA-1: Asterisk loads it, browsers refuse it.
pub fn sha1(authority: &Authority, name: &str) -> Pair {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let issuer = file("issuer.crt", &authority.intermediate_pem);
    let key = file("issuer.key", &authority.intermediate_key());
    let pair = authority.issue(&[name]);
    let own = file("leaf.key", &pair.key_pem);
    let names = file("names", &format!("subjectAltName=DNS:{name}\nextendedKeyUsage=serverAuth\n"));
    let request = file("request", &text(&["req", "-new", "-key", &own, "-subj", &format!("/CN={name}")], ""));
    let signing = ["-CA", &issuer, "-CAkey", &key, "-set_serial", "7", "-sha1", "-days", "30", "-extfile", &names];
    let cert = text(&[&["x509", "-req", "-in", &request][..], &signing].concat(), "");
    let leaf_der = openssl(&["x509", "-outform", "DER"], cert.as_bytes());
    Pair { cert_pem: cert + &authority.intermediate_pem, fingerprint: fingerprint(&leaf_der), leaf_der, ..pair }
}

/// A self-signed pair on secp256k1, which no browser takes.
pub fn secp256k1() -> Pair {
    made(&["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1", "-sha256"])
}

/// A self-signed pair on P-256 whose key spells out the curve's parameters.
pub fn explicit_parameters() -> Pair {
    made(&["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit", "-sha256"])
}

/// A self-signed pair on Ed448.
pub fn ed448() -> Pair {
    made(&["-newkey", "ed448"])
}

/// A self-signed pair with an RSA-PSS key.
pub fn rsa_pss() -> Pair {
    made(&["-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048", "-sha256"])
}

/// The same pair with its key as passphrase-encrypted PKCS#8 (`BEGIN ENCRYPTED PRIVATE KEY`).
pub fn encrypted_pkcs8(pair: &Pair) -> Pair {
    pair.with_key(text(&["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "pass:lab"], &pair.key_pem))
}

/// The same pair with its key in the old encrypted form (`Proc-Type: 4,ENCRYPTED`). RSA and elliptic curves only.
pub fn encrypted_legacy(pair: &Pair) -> Pair {
    let tool = if is_rsa(pair) { "rsa" } else { "ec" };
    let form: &[&str] = if is_rsa(pair) { &["-traditional"] } else { &[] };
    pair.with_key(text(&[&[tool, "-aes256", "-passout", "pass:lab"], form].concat(), &pair.key_pem))
}

/// The same pair with its RSA key as PKCS#1 (`BEGIN RSA PRIVATE KEY`).
pub fn pkcs1(pair: &Pair) -> Pair {
    pair.with_key(text(&["rsa", "-traditional"], &pair.key_pem))
}

/// The same pair with its elliptic key as SEC1 (`BEGIN EC PRIVATE KEY`).
pub fn sec1(pair: &Pair) -> Pair {
    pair.with_key(text(&["ec"], &pair.key_pem))
}

/// The same, after a block `EC PARAMETERS`, as `openssl ecparam -genkey` writes it.
pub fn sec1_after_parameters(pair: &Pair) -> Pair {
    let parameters = text(&["ec", "-param_out"], &pair.key_pem);
    pair.with_key(parameters + &sec1(pair).key_pem)
}

/// The leaf as DER.
pub fn cert_der(pair: &Pair) -> Vec<u8> {
    pair.leaf_der.clone()
}

/// The key as DER (PKCS#8).
pub fn key_der(pair: &Pair) -> Vec<u8> {
    openssl(&["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], pair.key_pem.as_bytes())
}

/// An Ed25519 key as PKCS#8 version 1 (RFC 8410), which every OpenSSL reads, from rcgen's version 2: the 32 bytes of the key stand
/// after 16 of header in both.
pub(super) fn ed25519_v1(version_2: &[u8]) -> String {
    const HEADER: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let der = [&HEADER[..], &version_2[16..48]].concat();
    String::from_utf8(openssl(&["pkey", "-inform", "DER"], &der)).unwrap()
}

fn made(arguments: &[&str]) -> Pair {
    let common = ["req", "-x509", "-nodes", "-keyout", "/dev/stdout", "-days", "30", "-subj", "/CN=localhost"];
    let names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
    let both = text(&[&common[..], &names[..], arguments].concat(), "");
    let at = both.find("-----BEGIN CERTIFICATE-----").expect("a certificate from openssl req");
    let (key, cert) = both.split_at(at);
    let leaf_der = openssl(&["x509", "-outform", "DER"], cert.as_bytes());
    Pair { cert_pem: cert.to_owned(), key_pem: key.to_owned(), fingerprint: fingerprint(&leaf_der), leaf_der, kind: KeyKind::Rsa2048 }
}

fn is_rsa(pair: &Pair) -> bool {
    match pair.kind {
        KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096 => true,
        KeyKind::P256 | KeyKind::P384 | KeyKind::P521 | KeyKind::Ed25519 | KeyKind::Ed25519V2 => false,
    }
}

fn text(arguments: &[&str], input: &str) -> String {
    String::from_utf8(openssl(arguments, input.as_bytes())).unwrap()
}

fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the openssl program on this host");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
