//! What a client meets, seen from outside: the upgrade, a proxy before it, SIP.

use super::{
    support::{
        asterisk::Version,
        proxy::{Kind, UPGRADE},
        wire::WebSocket,
    },
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
        row("ws-proxy-in-the-way").named("nginx drops the Upgrade headers").way(1).set(|ward| {
            ward.behind(Kind::Nginx, "location /ws { proxy_pass http://127.0.0.1:{http}; }", &[]);
        }),
        row("ws-proxy-in-the-way").named("Apache passes on without the upgrade").way(1).set(|ward| {
            ward.behind(Kind::Apache, "ProxyPass /ws http://127.0.0.1:{http}/ws", &[]);
        }),
        row("ws-proxy-in-the-way").named("Apache wants another name").way(1).set(|ward| {
            ward.behind(Kind::Apache, "SSLProxyEngine on\nProxyPass /ws wss://127.0.0.1:{wss}/ws", &[]);
        }),
        row("ws-proxy-in-the-way").named("HAProxy in cleartext to TLS").way(1).set(|ward| {
            ward.behind(Kind::Haproxy, "default_backend pbx\nbackend pbx\n  server pbx 127.0.0.1:{wss}", &[]);
        }),
        row("ws-proxy-in-the-way").named("HAProxy without a backend").way(1).set(|ward| ward.behind(Kind::Haproxy, "", &[])),
        row("ws-proxy-in-the-way").named("Caddy does not trust").way(1).set(|ward| {
            ward.behind(Kind::Caddy, "reverse_proxy /ws https://127.0.0.1:{wss}", &[]);
        }),
        row("ws-forbidden").set(|ward| {
            // What the agent probes stands behind a rule for browsers.
            let rule = "http-request deny unless { req.hdr(origin) https://app.example.com }";
            let way = "default_backend pbx\nbackend pbx\n  server pbx 127.0.0.1:{http}";
            let pair = ward.pair.clone();
            ward.behind_with(Kind::Haproxy, &pair, &format!("{rule}\n{way}"), &[]);
            ward.question = None;
            ward.set("wss", &format!("{{address: \"127.0.0.1:{}\"}}", ward.asterisk.ports.spare.start()));
        }),
        row("ws-redirected").way(1).set(|ward| ward.behind(Kind::Nginx, "location / { return 301 https://$host:8089$request_uri; }", &[])),
        row("ws-closed-early").named("Apache").way(2).set(|ward| {
            ward.behind(Kind::Apache, "Timeout 1\nProxyPass /ws ws://127.0.0.1:{http}/ws", &["--hold", "3s"]);
        }),
        row("ws-closed-early").named("HAProxy").way(3).set(|ward| {
            let short = "timeout client 1s\ndefault_backend pbx\nbackend pbx\n  timeout server 1s\n  server pbx 127.0.0.1:{http}";
            ward.behind(Kind::Haproxy, short, &["--hold", "3s"]);
        }),
        row("ws-closed-early").way(1).set(|ward| {
            let short = format!("location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} proxy_read_timeout 1s; }}");
            ward.behind(Kind::Nginx, &short, &["--hold", "3s"]);
        }),
        row("tls-client-certificate").set(|ward| {
            let asks = "ssl_verify_client optional; ssl_client_certificate tls.crt;";
            ward.behind(Kind::Nginx, &format!("{asks} location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} }}"), &[]);
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
            ward.set("wss", &format!("{{address: \"127.0.0.1:{}\"}}", ward.asterisk.ports.http));
        }),
    ]
}
