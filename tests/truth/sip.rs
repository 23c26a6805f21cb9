//! Scenes in which the WebSocket opens, and SIP decides.

use super::{
    stage::{
        Fate::{Connect, ConnectThenReject},
        Row, Stage, row,
    },
    support::asterisk::{Builder, SECRET, Version},
};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("another password", ConnectThenReject, "sip-auth-rejected").set(|stage| stage.password = "not-it".to_owned()),
        row("a user whom Asterisk does not know", ConnectThenReject, "sip-auth-rejected").set(|stage| stage.user = "nobody".to_owned()),
        row("the aor takes no contact", ConnectThenReject, "sip-auth-rejected")
            .within("aor-no-contacts")
            .set(|stage| stage.rewrite("pjsip.conf", |text| text.replace("max_contacts=5\n", ""))),
        row("the aor is full, and does not give way", ConnectThenReject, "sip-refused").set(|stage| {
            stage.rewrite("pjsip.conf", |text| text.replace("max_contacts=5\nremove_existing=yes\n", "max_contacts=1\n"));
            stage.another_phone();
            // Only who registers can know.
            stage.register = true;
        }),
        row("the aor is full, and gives way", Connect, None).set(|stage| {
            stage.rewrite("pjsip.conf", |text| text.replace("max_contacts=5\n", "max_contacts=1\n"));
            stage.another_phone();
        }),
        row("the endpoint has no aor", ConnectThenReject, "sip-auth-rejected")
            .within("endpoint-aor-missing")
            .set(|stage| stage.rewrite("pjsip.conf", |text| text.replace("aors=webrtc\n", ""))),
        row("the endpoint's aor does not exist", ConnectThenReject, "sip-endpoint-unknown")
            .within("endpoint-aor-missing")
            .set(|stage| stage.rewrite("pjsip.conf", |text| text.replace("aors=webrtc\n", "aors=phones\n"))),
        row("the endpoint's auth does not exist", ConnectThenReject, "sip-refused")
            .within("endpoint-auth-missing")
            .set(|stage| stage.rewrite("pjsip.conf", |text| text.replace("auth=webrtc\n", "auth=phones\n"))),
        row("a wizard's aor takes no contact", ConnectThenReject, "sip-auth-rejected")
            .within("aor-no-contacts")
            .build(|asterisk| wizard(asterisk, ""))
            .set(as_2001),
        row("a wizard, and its aor takes one", Connect, None).build(|asterisk| wizard(asterisk, "aor/max_contacts=1\n")).set(as_2001),
        row("rtp.conf: icesupport=no: registers, and calls are silent", Connect, None)
            .within("rtp-ice-disabled")
            .set(|stage| stage.rewrite("rtp.conf", |text| format!("{text}icesupport=no\n"))),
        row("an endpoint of the transport wss is not webrtc=yes", Connect, None)
            .within("endpoint-not-webrtc")
            .set(|stage| stage.rewrite("pjsip.conf", |text| text.replace("webrtc=yes", "transport=wss"))),
        row("the endpoint has no auth: anybody is let in", Connect, None)
            .set(|stage| stage.rewrite("pjsip.conf", |text| text.replace("auth=webrtc\n", ""))),
        row("the endpoint's transport does not exist", Connect, None).within("endpoint-transport-unknown").set(|stage| {
            stage.rewrite("pjsip.conf", |text| text.replace("[webrtc]\ntype=endpoint\n", "[webrtc]\ntype=endpoint\ntransport=wws\n"))
        }),
        row("the endpoint is not webrtc=yes", Connect, None)
            .set(|stage| stage.rewrite("pjsip.conf", |text| text.replace("webrtc=yes\n", ""))),
        row("SHA-256 is asked for first, MD5 too", Connect, None).on(Version::V22).set(|stage| digests(stage, "SHA-256,MD5")),
        row("MD5 is asked for first, SHA-256 too", ConnectThenReject, "sip-digest-unsupported")
            .on(Version::V22)
            .set(|stage| digests(stage, "MD5,SHA-256")),
        row("SHA-512-256 alone is asked for", ConnectThenReject, "sip-digest-unsupported")
            .on(Version::V22)
            .set(|stage| digests(stage, "SHA-512-256")),
        row("without res_pjsip_registrar", ConnectThenReject, "sip-refused").build(|asterisk| asterisk.noload("res_pjsip_registrar.so")),
        row("without res_pjsip_endpoint_identifier_user", ConnectThenReject, "sip-auth-rejected")
            .build(|asterisk| asterisk.noload("res_pjsip_endpoint_identifier_user.so")),
        row("without res_pjsip_authenticator_digest: anybody is let in", Connect, None)
            .build(|asterisk| asterisk.noload("res_pjsip_authenticator_digest.so")),
    ]
}

/// What the endpoint's password may be proved by.
pub(crate) fn digests(stage: &mut Stage<'_>, algorithms: &str) {
    let line = format!("auth_type=digest\nsupported_algorithms_uas={algorithms}\n");
    stage.rewrite("pjsip.conf", |text| text.replace("auth_type=userpass\n", &line));
}

/// The endpoint 2001, by pjsip_wizard.conf.
fn wizard(asterisk: Builder, more: &str) -> Builder {
    let text = format!(
        "[2001]\ntype=wizard\naccepts_auth=yes\naccepts_registrations=yes\nendpoint/webrtc=yes\nendpoint/allow=!all,ulaw\n\
         inbound_auth/username=2001\ninbound_auth/password={SECRET}\n{more}"
    );
    asterisk.load("res_pjsip_config_wizard.so").file("pjsip_wizard.conf", &text)
}

fn as_2001(stage: &mut Stage<'_>) {
    stage.user = "2001".to_owned();
}
