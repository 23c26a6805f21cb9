//! A few scenes of each kind, met by SIP.js in place of JsSIP: what becomes of a phone is the same, whichever library it is made of.

use std::time::Duration;

use super::{
    lab::NAME,
    sip::digests,
    stage::{
        Fate::{Connect, ConnectThenReject, Fail1006},
        Row, row,
    },
    support::{
        asterisk::Version,
        proxy::{Kind, UPGRADE},
    },
};

pub(crate) fn rows() -> Vec<Row> {
    let rows = vec![
        row("SIP.js: healthy", Connect, None),
        row("SIP.js: nginx before it", Connect, None)
            .set(|stage| stage.nginx(&format!("location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} }}"))),
        row("SIP.js: expired", Fail1006, "tls-expired").within("leaf-expired").pair(|lab| lab.authority.leaf(&[NAME]).expired(DAY).issue()),
        row("SIP.js: another name", Fail1006, "tls-name-mismatch")
            .within("name-not-covered")
            .pair(|lab| lab.authority.issue(&["sip.example.com"])),
        row("SIP.js: no path in the URL", Fail1006, "client-url-no-path").set(|stage| stage.path("")),
        row("SIP.js: Asterisk is dead", Fail1006, "tcp-refused").set(|stage| stage.asterisk.kill()),
        row("SIP.js: nginx drops the Upgrade headers", Fail1006, "ws-proxy-in-the-way")
            .set(|stage| stage.proxy(Kind::Nginx, "location /ws { proxy_pass http://127.0.0.1:{http}; }")),
        row("SIP.js: chan_sip has `sip`", ConnectThenReject, "sip-owned-by-chan-sip")
            .within("chan-sip-conflict")
            .on(Version::V16)
            .build(|asterisk| asterisk.chan_sip()),
        row("SIP.js: another password", ConnectThenReject, "sip-auth-rejected").set(|stage| stage.password = "not-it".to_owned()),
        row("SIP.js: a user whom Asterisk does not know", ConnectThenReject, "sip-auth-rejected")
            .set(|stage| stage.user = "nobody".to_owned()),
        row("SIP.js: SHA-256 is asked for first, MD5 too", Connect, None).on(Version::V22).set(|stage| digests(stage, "SHA-256,MD5")),
        row("SIP.js: MD5 is asked for first, SHA-256 too", ConnectThenReject, "sip-digest-unsupported")
            .on(Version::V22)
            .set(|stage| digests(stage, "MD5,SHA-256")),
    ];
    rows.into_iter().map(Row::sip_js).collect()
}

const DAY: Duration = Duration::from_secs(24 * 3600);
