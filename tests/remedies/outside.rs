//! What a client meets, seen from outside: the upgrade, a proxy before it, SIP.

use super::{
    support::{asterisk::Version, nginx::UPGRADE, wire::WebSocket},
    ward::{Row, row},
};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("ws-not-found").build(|asterisk| asterisk.noload("res_http_websocket.so")).set(|ward| ward.question = None),
        row("ws-subprotocol-refused").build(|asterisk| asterisk.noload("res_pjsip_transport_websocket.so")).set(|ward| {
            ward.ask_from_outside(ward.asterisk.ports.wss, "/ws", &[]);
        }),
        row("ws-session-limit").build(|asterisk| asterisk.session_limit(1)).set(|ward| {
            let other = WebSocket::open(ward.asterisk.ports.wss).unwrap();
            ward.held.push(Box::new(other));
            ward.ask_from_outside(ward.asterisk.ports.wss, "/ws", &[]);
        }),
        row("ws-proxy-in-the-way").named("nginx drops the Upgrade headers").set(|ward| {
            ward.behind_nginx("location /ws { proxy_pass http://127.0.0.1:{http}; }", &[]);
        }),
        row("ws-redirected").set(|ward| ward.behind_nginx("location / { return 301 https://$host:8089$request_uri; }", &[])),
        row("ws-closed-early").set(|ward| {
            let short = format!("location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} proxy_read_timeout 1s; }}");
            ward.behind_nginx(&short, &["--hold", "3s"]);
        }),
        row("tls-client-certificate").set(|ward| {
            let asks = "ssl_verify_client optional; ssl_client_certificate tls.crt;";
            ward.behind_nginx(&format!("{asks} location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} }}"), &[]);
        }),
        row("sip-auth-rejected").named("another password").set(|ward| {
            ward.password = "another-one".to_owned();
            ward.ask_as("webrtc");
        }),
        row("sip-endpoint-unknown").set(|ward| {
            ward.rewrite("pjsip.conf", "aors=webrtc", "aors=phones");
            ward.asterisk.cli("module reload res_pjsip.so");
            ward.ask_as("webrtc");
        }),
        row("sip-digest-unsupported").on(Version::V22).set(|ward| {
            ward.rewrite("pjsip.conf", "auth_type=userpass\n", "auth_type=digest\nsupported_algorithms_uas=MD5,SHA-256\n");
            ward.asterisk.cli("module reload res_pjsip.so");
            ward.ask_as("webrtc");
        }),
        row("sip-refused").build(|asterisk| asterisk.noload("res_pjsip_registrar.so")).set(|ward| ward.ask_as("webrtc")),
        row("sip-owned-by-chan-sip").on(Version::V16).build(|asterisk| asterisk.chan_sip()).set(|ward| ward.ask_as("webrtc")),
        row("tls-cleartext").way(1).set(|ward| {
            // The agent's probe was led to the port of plain HTTP.
            let settings = ward.work.path().join("settings.yaml");
            let text = std::fs::read_to_string(&settings).unwrap();
            std::fs::write(settings, format!("{text}wss: {{address: \"127.0.0.1:{}\"}}\n", ward.asterisk.ports.http)).unwrap();
        }),
    ]
}
