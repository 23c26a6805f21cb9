//! Scenes in which the certificate keeps the phone out, and Asterisk says nothing.

use std::time::Duration;

use rcgen::ExtendedKeyUsagePurpose;

use super::{
    lab::NAME,
    stage::{Fate::Fail1006, Row, row},
    support::{
        asterisk::Version,
        certs::{Chain, KeyKind, Writing, odd, self_signed},
    },
};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("expired", Fail1006, "tls-expired").within("leaf-expired").pair(|lab| lab.authority.leaf(&[NAME]).expired(DAY).issue()),
        row("not yet valid", Fail1006, "leaf-not-yet-valid").pair(|lab| lab.authority.leaf(&[NAME]).not_yet(DAY).issue()),
        row("another name", Fail1006, "tls-name-mismatch").within("name-not-covered").pair(|lab| lab.authority.issue(&["sip.example.com"])),
        row("the name in the CN alone", Fail1006, "tls-name-mismatch")
            .within("name-only-in-cn")
            .pair(|lab| lab.authority.leaf(&[]).common_name_only(NAME).issue()),
        row("a wildcard one level too high", Fail1006, "tls-name-mismatch")
            .within("name-not-covered")
            .pair(|lab| lab.authority.issue(&["*.com"])),
        row("the URL has the address in place of the name", Fail1006, "client-name-not-covered")
            .set(|stage| stage.url = format!("wss://127.0.0.1:{}/ws", stage.asterisk.ports.wss)),
        row("self-signed", Fail1006, "tls-untrusted").within("self-signed").pair(|_| self_signed(&[NAME]).issue()),
        row("of an authority that nobody knows", Fail1006, "tls-untrusted")
            .within("issuer-untrusted")
            .pair(|lab| lab.stranger.issue(&[NAME])),
        row("without its intermediate", Fail1006, "tls-chain-incomplete")
            .within("chain-incomplete")
            .pair(|lab| lab.authority.leaf(&[NAME]).chain(Chain::LeafOnly).issue()),
        row("with another's intermediate", Fail1006, "tls-chain-incomplete")
            .within("chain-incomplete")
            .pair(|lab| lab.authority.leaf(&[NAME]).chain(Chain::Foreign(&lab.stranger)).issue()),
        row("for clients, not for servers", Fail1006, "leaf-not-for-servers")
            .pair(|lab| lab.authority.leaf(&[NAME]).usages(&[ExtendedKeyUsagePurpose::ClientAuth]).issue()),
        row("signed with SHA-1", Fail1006, "signature-weak").on(Version::V22).pair(|lab| odd::sha1(&lab.authority, NAME)),
        row("signed with SHA-1, which OpenSSL 1.1 does not load", Fail1006, "tcp-refused")
            .within("signature-weak")
            .on(Version::V16)
            .pair(|lab| odd::sha1(&lab.authority, NAME)),
        row("Ed25519", Fail1006, "key-unsupported").pair(|lab| lab.authority.leaf(&[NAME]).key(KeyKind::Ed25519).issue()),
        row("P-521", Fail1006, "key-unsupported").pair(|lab| lab.authority.leaf(&[NAME]).key(KeyKind::P521).issue()),
        row("another's key, loaded", Fail1006, "tls-failed").within("key-mismatch").set(|stage| {
            let pair = stage.lab.authority.issue(&[NAME]);
            stage.load(&pair.with_key_of(&stage.lab.authority.issue(&[NAME])));
        }),
        row("an empty certificate, loaded", Fail1006, "tls-failed")
            .within("cert-empty")
            .set(|stage| stage.load(&stage.lab.authority.issue(&[NAME]).with_cert(""))),
        row("an encrypted key, loaded", Fail1006, "tls-failed")
            .within("key-encrypted")
            .set(|stage| stage.load(&odd::encrypted_pkcs8(&stage.lab.authority.issue(&[NAME])))),
        row("RSA 1024, loaded", Fail1006, "tls-failed").within("key-weak").set(|stage| stage.load(&odd::rsa_1024())),
        row("another's key from the start", Fail1006, "tcp-refused")
            .within("key-mismatch")
            .pair(|lab| lab.authority.issue(&[NAME]).with_key_of(&lab.authority.issue(&[NAME]))),
        row("no certificate from the start", Fail1006, "tcp-refused").within("cert-missing").build(|asterisk| asterisk.without_pair()),
        row("the intermediate before the leaf, from the start", Fail1006, "tcp-refused")
            .within("leaf-not-first")
            .pair(|lab| lab.authority.leaf(&[NAME]).chain(Chain::Reversed).issue()),
        row("dark, and the files mended since", Fail1006, "tls-failed")
            .within("listener-wedged")
            .build(|asterisk| asterisk.without_absent_include())
            .set(|stage| {
                let pair = stage.lab.authority.issue(&[NAME]);
                stage.load(&pair.with_key_of(&stage.lab.authority.issue(&[NAME])));
                stage.load(&pair);
            }),
        row("renewed on disk, never loaded, expired since", Fail1006, "tls-expired")
            .pair(|lab| lab.authority.leaf(&[NAME]).expired(DAY).issue())
            .set(|stage| stage.lab.authority.issue(&[NAME]).write(&stage.asterisk.tls(), Writing::Renames)),
    ]
}

const DAY: Duration = Duration::from_secs(24 * 3600);
