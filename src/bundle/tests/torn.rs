//! Whatever bytes come, nothing panics; and no half-written pair passes for one.

use proptest::prelude::*;

use super::*;

fn pair(pki: &Pki) -> (Vec<u8>, Vec<u8>) {
    let (leaf, key) = pki.issue(&server());
    (format!("{leaf}{}", pki.intermediate.pem()).into_bytes(), key.into_bytes())
}

/// `new` written over `old` as far as `at`, in place or after a truncation.
fn written(old: &[u8], new: &[u8], at: usize, in_place: bool) -> Vec<u8> {
    let rest = if in_place { old.get(at..).unwrap_or_default() } else { &[] };
    [&new[..at], rest].concat()
}

#[test]
fn every_torn_pair_is_rejected_refused_or_a_true_pair() {
    let pki = Pki::new();
    let (old, new) = (pair(&pki), pair(&pki));
    let whole = |bundle: &Bundle| {
        let key = bundle.snapshot.key.content.as_ref().unwrap().bytes();
        let leaf = |pem: &[u8]| rustls_pki_types::pem::PemObject::from_pem_slice(pem).map(|der: CertificateDer<'static>| der).unwrap();
        // The last line's end may still be missing.
        let is = |key: &[u8], wanted: &[u8]| key.trim_ascii_end() == wanted.trim_ascii_end();
        (*bundle.chain.leaf() == leaf(&old.0) && is(key, &old.1)) || (*bundle.chain.leaf() == leaf(&new.0) && is(key, &new.1))
    };
    let mut accepted = 0;
    for in_place in [false, true] {
        let certs = (0..=new.0.len()).map(|at| written(&old.0, &new.0, at, in_place));
        let keys = (0..=new.1.len()).map(|at| written(&old.1, &new.1, at, in_place));
        let stages: Vec<(Vec<u8>, Vec<u8>)> = certs
            .clone()
            .map(|cert| (cert, old.1.clone()))
            .chain(keys.clone().map(|key| (new.0.clone(), key)))
            .chain(keys.map(|key| (old.0.clone(), key)))
            .chain(certs.map(|cert| (cert, new.1.clone())))
            .collect();
        for (cert, key) in stages {
            for anchors in [Some(pki.anchors()), None] {
                // OpenSSL loads a certificate with a broken signature; browsers do not, and an error says so.
                if let Ok(bundle) = judge(snapshot(&cert, &key), &Expectations { anchors, ..pki.expectations() }, now())
                    && bundle.refusals().is_empty()
                {
                    assert!(whole(&bundle), "{}\n{}", String::from_utf8_lossy(&cert), String::from_utf8_lossy(&key));
                    accepted += 1;
                }
            }
        }
    }
    assert!(accepted > 0, "the whole pairs were accepted");
}

#[test]
fn an_rsa_key_half_old_and_half_new_is_damaged() {
    let keys: Vec<KeyPair> =
        (0..2).map(|_| KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap()).collect();
    let (old, new) = (keys[0].serialize_pem().into_bytes(), keys[1].serialize_pem().into_bytes());
    let cert = server().self_signed(&keys[1]).unwrap().pem();
    let wants = Expectations { names: vec![], anchors: None, user: None, expiry: expiry() };
    for at in (0..new.len()).step_by(13) {
        let torn = written(&old, &new, at, true);
        if torn.trim_ascii() != new.trim_ascii() {
            assert!(judge(snapshot(&cert, torn), &wants, now()).is_err(), "{at} of {} bytes", new.len());
        }
    }
    assert!(judge(snapshot(&cert, new), &wants, now()).is_ok());
}

#[test]
fn a_bundle_of_200_kilobytes_is_read_to_its_end() {
    let pki = Pki::new();
    let (leaf, key) = pki.issue(&server());
    let inter = pki.intermediate.pem();
    // Told at length before each block, as `openssl x509 -text` does.
    let told = format!("{}{inter}", "        X509v3 extensions:\n".repeat(800));
    let many = format!("{leaf}{}", told.repeat(200_000 / told.len() + 1));
    assert!(many.len() > 200_000);
    let bundle = judge(snapshot(&many, &key), &pki.expectations(), now()).unwrap();
    assert_eq!(bundle.chain.certificates().len(), 2 + 200_000 / told.len());
    assert_eq!(bundle.refusals(), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_bytes_never_panic(cert in proptest::collection::vec(any::<u8>(), 0..600), key in proptest::collection::vec(any::<u8>(), 0..300)) {
        let wants = Expectations { names: vec![NAME.into()], anchors: Some(Anchors::default()), user: None, expiry: expiry() };
        prop_assert!(judge(snapshot(&cert, &key), &wants, now()).is_err());
        let _ = Leaf::parse(&CertificateDer::from(cert));
    }

    #[test]
    fn mutated_material_never_panics(edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), in_der: bool, of_key: bool) {
        use std::sync::OnceLock;
        static PAIR: OnceLock<(Pki, Vec<u8>, Vec<u8>)> = OnceLock::new();
        let (pki, cert, key) = PAIR.get_or_init(|| {
            let pki = Pki::new();
            let (cert, key) = pair(&pki);
            (pki, cert, key)
        });
        let mut bytes = if of_key { key.clone() } else { cert.clone() };
        if in_der {
            // Damage below the base64, so that it reaches the parsers.
            let block = crate::material::pem::blocks(&bytes).next().unwrap().unwrap();
            let mut der = block.der.to_vec();
            for (at, byte) in &edits {
                let at = at.index(der.len());
                der[at] = *byte;
            }
            bytes = armour(&block.label, &der).into_bytes();
        } else {
            for (at, byte) in &edits {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
        }
        let judgement = if of_key { judge(snapshot(cert, &bytes), &pki.expectations(), now()) } else { judge(snapshot(&bytes, key), &pki.expectations(), now()) };
        drop(judgement);
    }
}

/// PEM of DER, by the same base64 alphabet.
pub(super) fn armour(label: &str, der: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in der.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}
