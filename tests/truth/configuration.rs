//! Scenes in which Asterisk's own configuration keeps the phone out, or the URL does not fit it.

use super::{
    lab::{NAME, OUTER, Own},
    stage::{
        Fate::{Connect, ConnectThenReject, Fail1006},
        Row, row,
    },
    support::{asterisk::Version, wire::WebSocket},
};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        // Plain HTTP alone is off then.
        row("http.conf: enabled=no", Connect, None)
            .set(|stage| stage.rewrite("http.conf", |text| text.replace("\nenabled=yes", "\nenabled=no"))),
        row("http.conf: tlsenable=no", Fail1006, "tcp-refused")
            .within("tls-disabled")
            .set(|stage| stage.rewrite("http.conf", |text| text.replace("tlsenable=yes", "tlsenable=no"))),
        row("http.conf: no certificate named", Fail1006, "tcp-refused").within("tls-paths-missing").set(|stage| {
            stage.rewrite("http.conf", |text| text.lines().filter(|line| !line.starts_with("tlscert")).fold(String::new(), joined));
        }),
        row("bound to loopback, phones come from elsewhere", Fail1006, "tcp-refused")
            .pair(|lab| lab.authority.issue(&[OUTER]))
            .set(|stage| stage.url = format!("wss://{OUTER}:{}/ws", stage.asterisk.ports.wss)),
        row("https:// in the URL", Fail1006, "client-url-invalid").set(|stage| stage.url = stage.url.replace("wss:", "https:")),
        row("no scheme in the URL", Fail1006, "client-url-invalid").set(|stage| stage.url = stage.url.replace("wss://", "")),
        row("no path in the URL", Fail1006, "client-url-no-path").set(|stage| stage.path("")),
        row("/ as the path", Fail1006, "client-url-no-path").set(|stage| stage.path("/")),
        row("/sip as the path", Fail1006, "client-url-wrong-path").set(|stage| stage.path("/sip")),
        row("prefix set, and not in the URL", Fail1006, "client-url-wrong-path")
            .outside_alone()
            .build(|asterisk| asterisk.http("prefix=pbx")),
        row("another prefix in the URL", Fail1006, "client-url-wrong-path")
            .build(|asterisk| asterisk.http("prefix=pbx"))
            .set(|stage| stage.path("/asterisk/ws")),
        row("no port in the URL, and Asterisk at 8089", Fail1006, "client-url-no-port").set(|stage| {
            let (name, address) = Own::UsualPort.place(stage.asterisk.version);
            let old = format!("tlsbindaddr=127.0.0.1:{}", stage.asterisk.ports.wss);
            stage.rewrite("http.conf", |text| text.replace(&old, &format!("tlsbindaddr={}:8089", address)));
            stage.url = format!("wss://{name}/ws");
        }),
        row("no port in the URL, and nobody there", Fail1006, "tcp-refused").set(|stage| {
            let (name, _) = Own::Nobody.place(stage.asterisk.version);
            stage.url = format!("wss://{name}/ws");
        }),
        row("another port in the URL", Fail1006, "tcp-refused").set(|stage| stage.port(stage.spare())),
        row("the port of plain HTTP in the URL", Fail1006, "tls-cleartext").set(|stage| stage.port(stage.asterisk.ports.http)),
        row("the port of AMI in the URL", Fail1006, "tls-failed").set(|stage| stage.port(stage.asterisk.ports.ami)),
        row("ws:// on an https page", Fail1006, "client-insecure-on-https")
            .set(|stage| stage.url = format!("ws://{NAME}:{}/ws", stage.asterisk.ports.http)),
        row("ws:// to the port of TLS", Fail1006, "client-insecure-on-https")
            .set(|stage| stage.url = format!("ws://{NAME}:{}/ws", stage.asterisk.ports.wss)),
        row("sessionlimit reached", Fail1006, "ws-session-limit").build(|asterisk| asterisk.session_limit(1)).set(|stage| {
            let other = WebSocket::open(stage.asterisk.ports.wss).unwrap();
            stage.keep(other);
        }),
        row("without res_http_websocket", Fail1006, "ws-not-found")
            .within("module-noload")
            .build(|asterisk| asterisk.noload("res_http_websocket.so")),
        row("without res_pjsip_transport_websocket", Fail1006, "ws-subprotocol-refused")
            .within("module-noload")
            .build(|asterisk| asterisk.noload("res_pjsip_transport_websocket.so")),
        row("without res_pjsip", Fail1006, "ws-subprotocol-refused")
            .within("module-noload")
            .build(|asterisk| asterisk.noload("res_pjsip.so")),
        row("chan_sip has `sip`", ConnectThenReject, "sip-owned-by-chan-sip")
            .within("chan-sip-conflict")
            .build(|asterisk| asterisk.chan_sip())
            .on(Version::V16),
        row("chan_sip is loaded, and told to leave `sip` alone", Connect, None).on(Version::V16).build(|asterisk| {
            asterisk.chan_sip().file("sip.conf", "[general]\nudpenable=no\ntcpenable=no\nudpbindaddr=127.0.0.1:0\nwebsocket_enabled=no\n")
        }),
        row("http.conf: a [ that is never closed", Fail1006, "tcp-refused")
            .within("conf-unparsable-line")
            .set(|stage| stage.rewrite("http.conf", |text| text.replace("[general]", "[general"))),
        row("a key that Asterisk may not read, from the start", Fail1006, "tcp-refused").within("key-unreadable").set(|stage| {
            let key = stage.asterisk.key().to_owned();
            std::os::unix::fs::chown(&key, Some(0), Some(0)).unwrap();
            stage.asterisk.restart();
        }),
        row("pjsip.conf: no wss transport", Connect, None)
            .within("wss-transport-missing")
            .set(|stage| stage.rewrite("pjsip.conf", |text| text.replacen("[wss]\ntype=transport\nprotocol=wss\nbind=127.0.0.1\n", "", 1))),
    ]
}

fn joined(text: String, line: &str) -> String {
    text + line + "\n"
}
