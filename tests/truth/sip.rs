//! Scenes in which the WebSocket opens, and SIP decides.

use super::stage::{Fate::Connect, Row, row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("the aor is full, and gives way", Connect, None).set(|stage| {
            stage.rewrite("pjsip.conf", |text| text.replace("max_contacts=5\n", "max_contacts=1\n"));
            stage.another_phone();
        }),
        row("the endpoint has no auth: anybody is let in", Connect, None)
            .set(|stage| stage.rewrite("pjsip.conf", |text| text.replace("auth=webrtc\n", ""))),
        row("the endpoint's transport does not exist", Connect, None).set(|stage| {
            stage.rewrite("pjsip.conf", |text| text.replace("[webrtc]\ntype=endpoint\n", "[webrtc]\ntype=endpoint\ntransport=wws\n"))
        }),
        row("the endpoint is not webrtc=yes", Connect, None)
            .set(|stage| stage.rewrite("pjsip.conf", |text| text.replace("webrtc=yes\n", ""))),
        row("without res_pjsip_authenticator_digest: anybody is let in", Connect, None)
            .build(|asterisk| asterisk.noload("res_pjsip_authenticator_digest.so")),
    ]
}
