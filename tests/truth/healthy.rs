//! Scenes in which the phone gets in, some of them odd to look at.

use std::time::Duration;

use starkeeper::clock;

use super::{
    lab::{NAME, NAME_6, Own},
    stage::{Fate::Connect, Row, row},
    support::{
        certs::{Chain, KeyKind},
        proxy::{Kind, UPGRADE},
    },
};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("healthy", Connect, None),
        row("RSA 2048", Connect, None).pair(|lab| lab.authority.leaf(&[NAME]).key(KeyKind::Rsa2048).issue()),
        row("P-384", Connect, None).pair(|lab| lab.authority.leaf(&[NAME]).key(KeyKind::P384).issue()),
        row("one file for certificate and key", Connect, None)
            .pair(|lab| lab.authority.issue(&[NAME]).combined())
            .build(|asterisk| asterisk.paths("tls/tls.crt", "tls/tls.crt")),
        row("the root comes along in the chain", Connect, None).pair(|lab| lab.authority.leaf(&[NAME]).chain(Chain::WithRoot).issue()),
        row("a wildcard covers the name", Connect, None).pair(|lab| lab.authority.issue(&["*.example.com"])),
        row("marked as an authority itself", Connect, None).pair(|lab| lab.authority.leaf(&[NAME]).ca().issue()),
        row("valid for ten years", Connect, None)
            .pair(|lab| lab.authority.leaf(&[NAME]).valid(clock::wall() - TWO_DAYS, clock::wall() + 1800 * TWO_DAYS).issue()),
        row("expires in two days", Connect, None)
            .pair(|lab| lab.authority.leaf(&[NAME]).valid(clock::wall() - 60 * TWO_DAYS, clock::wall() + TWO_DAYS).issue()),
        row("prefix set, and in the URL", Connect, None).build(|asterisk| asterisk.http("prefix=pbx")).set(|stage| stage.path("/pbx/ws")),
        row("/ws/ with a slash at its end", Connect, None).set(|stage| stage.path("/ws/")),
        row("/WS in capitals", Connect, None).set(|stage| stage.path("/WS")),
        row("/ws with a query", Connect, None).set(|stage| stage.path("/ws?token=1")),
        row("IPv6", Connect, None).pair(|lab| lab.authority.issue(&[NAME_6])).set(|stage| {
            stage.rewrite("http.conf", |text| text.replace("tlsbindaddr=127.0.0.1:", "tlsbindaddr=[::1]:"));
            stage.url = format!("wss://{NAME_6}:{}/ws", stage.asterisk.ports.wss);
        }),
        row("nginx on 443, Asterisk's wss behind it", Connect, None).set(|stage| {
            let (name, address) = Own::Proxy.place(stage.asterisk.version);
            let pair = stage.lab.authority.issue(&[name]);
            stage.proxy_at(
                Kind::Nginx,
                (address, 443).into(),
                &pair,
                &format!("location /ws {{ proxy_pass https://127.0.0.1:{{wss}}; {UPGRADE} }}"),
            );
            stage.url = format!("wss://{name}/ws");
        }),
        row("nginx, Asterisk's plain HTTP behind it", Connect, None)
            .set(|stage| stage.nginx(&format!("location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} }}"))),
        row("Apache, Asterisk's wss behind it", Connect, None).set(|stage| {
            let way = "SSLProxyEngine on\nSSLProxyCheckPeerName off\nProxyPass /ws wss://127.0.0.1:{wss}/ws";
            stage.proxy(Kind::Apache, way);
        }),
        row("Apache, Asterisk's plain HTTP behind it", Connect, None)
            .set(|stage| stage.proxy(Kind::Apache, "ProxyPass /ws http://127.0.0.1:{http}/ws upgrade=websocket")),
        row("HAProxy, Asterisk's wss behind it", Connect, None).set(|stage| {
            let way = "default_backend pbx\nbackend pbx\n  server pbx 127.0.0.1:{wss} ssl verify none alpn http/1.1";
            stage.proxy(Kind::Haproxy, way);
        }),
        row("Caddy, Asterisk's plain HTTP behind it", Connect, None)
            .set(|stage| stage.proxy(Kind::Caddy, "reverse_proxy /ws 127.0.0.1:{http}")),
        row("nginx maps /phone to /ws", Connect, None).set(|stage| {
            stage.nginx(&format!("location /phone {{ proxy_pass http://127.0.0.1:{{http}}/ws; {UPGRADE} }}"));
            stage.url = stage.url.replace("/ws", "/phone");
        }),
        row("nginx takes the page's Origin alone", Connect, None).set(|stage| {
            let check = format!("if ($http_origin != \"{}\") {{ return 403; }}", stage.lab.browser.origin);
            stage.nginx(&format!("{check} location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} }}"));
        }),
        row("nginx speaks TLS 1.2 alone", Connect, None).set(|stage| {
            stage.nginx(&format!("ssl_protocols TLSv1.2; location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} }}"));
        }),
        row("Asterisk's own certificate expired, behind nginx", Connect, None)
            .pair(|lab| lab.authority.leaf(&[NAME]).expired(TWO_DAYS).issue())
            .set(|stage| stage.nginx(&format!("location /ws {{ proxy_pass https://127.0.0.1:{{wss}}; {UPGRADE} }}"))),
    ]
}

const TWO_DAYS: Duration = Duration::from_secs(2 * 24 * 3600);
