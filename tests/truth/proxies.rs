//! Scenes in which a proxy before Asterisk keeps the phone out.

use std::time::Duration;

use super::{
    lab::NAME,
    stage::{
        Fate::{Connect, Fail1006},
        Row, row,
    },
    support::{
        certs::KeyKind,
        proxy::{Kind, UPGRADE},
    },
};

pub(crate) fn rows() -> Vec<Row> {
    [of_nginx(), of_others()].into_iter().flatten().collect()
}

fn of_others() -> Vec<Row> {
    vec![
        row("Apache passes on http:// without the upgrade", Fail1006, "ws-proxy-in-the-way")
            .set(|stage| stage.proxy(Kind::Apache, "ProxyPass /ws http://127.0.0.1:{http}/ws")),
        row("Apache passes on wss:// without SSLProxyEngine", Fail1006, "ws-proxy-in-the-way")
            .set(|stage| stage.proxy(Kind::Apache, "ProxyPass /ws wss://127.0.0.1:{wss}/ws")),
        row("Apache wants 127.0.0.1 in Asterisk's certificate", Fail1006, "ws-proxy-in-the-way")
            .set(|stage| stage.proxy(Kind::Apache, "SSLProxyEngine on\nProxyPass /ws wss://127.0.0.1:{wss}/ws")),
        row("Apache redirects before it passes on", Fail1006, "ws-redirected").set(|stage| {
            let redirects = "RewriteEngine on\nRewriteRule ^/(.*) https://www.example.com/$1 [R=301,L]";
            stage.proxy(Kind::Apache, &format!("{redirects}\nProxyPass /ws ws://127.0.0.1:{{http}}/ws"));
        }),
        row("Apache hangs up on silence", Fail1006, "ws-closed-early")
            .torn_off()
            .set(|stage| stage.proxy(Kind::Apache, "Timeout 1\nProxyPass /ws ws://127.0.0.1:{http}/ws")),
        row("HAProxy without a backend", Fail1006, "ws-proxy-in-the-way").set(|stage| stage.proxy(Kind::Haproxy, "")),
        row("HAProxy speaks HTTP to Asterisk's port of TLS", Fail1006, "ws-proxy-in-the-way")
            .set(|stage| stage.proxy(Kind::Haproxy, "default_backend pbx\nbackend pbx\n  server pbx 127.0.0.1:{wss}")),
        row("HAProxy forbids", Fail1006, "ws-forbidden").set(|stage| stage.proxy(Kind::Haproxy, "http-request deny")),
        row("HAProxy hangs up on silence", Fail1006, "ws-closed-early").torn_off().set(|stage| {
            let short = "timeout client 1s\ndefault_backend pbx\nbackend pbx\n  timeout server 1s\n  server pbx 127.0.0.1:{http}";
            stage.proxy(Kind::Haproxy, short);
        }),
        row("Caddy does not trust Asterisk's certificate", Fail1006, "ws-proxy-in-the-way")
            .set(|stage| stage.proxy(Kind::Caddy, "reverse_proxy /ws https://127.0.0.1:{wss}")),
        row("Caddy has another path, and a page for all", Fail1006, "ws-proxy-in-the-way")
            .set(|stage| stage.proxy(Kind::Caddy, "reverse_proxy /phone 127.0.0.1:{http}")),
    ]
}

fn of_nginx() -> Vec<Row> {
    vec![
        row("nginx drops the Upgrade headers", Fail1006, "ws-proxy-in-the-way")
            .set(|stage| stage.nginx("location /ws { proxy_pass http://127.0.0.1:{http}; }")),
        row("nginx drops the subprotocol", Fail1006, "ws-proxy-in-the-way").set(|stage| {
            stage.nginx(&format!(
                "location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} proxy_set_header Sec-WebSocket-Protocol \"\"; }}"
            ));
        }),
        row("nginx hides the subprotocol of the answer", Fail1006, "ws-subprotocol-refused").set(|stage| {
            stage.nginx(&format!(
                "location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} proxy_hide_header Sec-WebSocket-Protocol; }}"
            ));
        }),
        row("nginx speaks HTTP to Asterisk's port of TLS", Fail1006, "ws-proxy-in-the-way")
            .set(|stage| stage.nginx(&format!("location /ws {{ proxy_pass http://127.0.0.1:{{wss}}; {UPGRADE} }}"))),
        row("nginx has another path", Fail1006, "ws-proxy-in-the-way").set(|stage| {
            stage.nginx(&format!("location /phone {{ proxy_pass http://127.0.0.1:{{http}}/ws; {UPGRADE} }}"));
        }),
        row("nginx passes on /ws, and the URL says /sip", Fail1006, "client-url-wrong-path").set(|stage| {
            stage.nginx(&format!("location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} }}"));
            stage.url = stage.url.replace("/ws", "/sip");
        }),
        row("nginx passes on /ws and has a page besides, and the URL says no path", Fail1006, "client-url-no-path").set(|stage| {
            stage
                .nginx(&format!("location = / {{ return 200 hello; }} location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} }}"));
            stage.url = stage.url.replace("/ws", "/");
        }),
        row("nginx redirects", Fail1006, "ws-redirected").set(|stage| stage.nginx("return 301 https://$host:{wss}$request_uri;")),
        row("nginx wants another Origin", Fail1006, "ws-forbidden").set(|stage| {
            let check = "if ($http_origin != \"https://intranet.example.com\") { return 403; }";
            stage.nginx(&format!("{check} location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} }}"));
        }),
        row("nginx wants a password", Fail1006, "ws-forbidden").set(|stage| {
            stage.nginx(&format!(
                "auth_basic phones; auth_basic_user_file /dev/null; location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} }}"
            ));
        }),
        row("nginx, and Asterisk dead behind it", Fail1006, "ws-proxy-in-the-way").set(|stage| {
            stage.nginx(&format!("location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} }}"));
            stage.asterisk.kill();
        }),
        row("nginx, and Asterisk frozen behind it", Fail1006, "ws-proxy-in-the-way").set(|stage| {
            stage.nginx(&format!("proxy_read_timeout 1s; location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} }}"));
            stage.asterisk.stop();
        }),
        row("nginx hangs up on silence", Fail1006, "ws-closed-early").torn_off().set(|stage| {
            stage.nginx(&format!("location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} proxy_read_timeout 1s; }}"));
        }),
        row("nginx with an expired certificate", Fail1006, "tls-expired").set(|stage| {
            let pair = stage.lab.authority.leaf(&[NAME]).expired(Duration::from_secs(3600)).issue();
            stage.nginx_with(&pair, &format!("location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} }}"));
        }),
        row("nginx speaks TLS 1.1 at most", Fail1006, "tls-old-only").set(|stage| {
            stage.nginx("ssl_protocols TLSv1 TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0; return 404;");
        }),
        row("nginx knows TLS 1.2 in CBC mode alone, with ECDSA", Fail1006, "tls-old-suites").set(|stage| {
            let tls = "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA;";
            stage.nginx(&format!("{tls} location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} }}"));
        }),
        row("nginx knows TLS 1.2 in CBC mode alone, with RSA", Connect, None).set(|stage| {
            let pair = stage.lab.authority.leaf(&[NAME]).key(KeyKind::Rsa2048).issue();
            let tls = "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-AES128-SHA;";
            stage.nginx_with(&pair, &format!("{tls} location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} }}"));
        }),
        row("nginx knows TLS 1.2 without forward secrecy alone", Connect, None).set(|stage| {
            let pair = stage.lab.authority.leaf(&[NAME]).key(KeyKind::Rsa2048).deciphers().issue();
            let tls = "ssl_protocols TLSv1.2; ssl_ciphers AES128-GCM-SHA256;";
            stage.nginx_with(&pair, &format!("{tls} location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} }}"));
        }),
        row("the same, with a key that only signs", Fail1006, "tls-old-suites").set(|stage| {
            let pair = stage.lab.authority.leaf(&[NAME]).key(KeyKind::Rsa2048).issue();
            let tls = "ssl_protocols TLSv1.2; ssl_ciphers AES128-GCM-SHA256;";
            stage.nginx_with(&pair, &format!("{tls} location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} }}"));
        }),
        row("nginx knows TLS 1.2 in CBC mode with SHA-2 alone", Fail1006, "tls-old-suites").set(|stage| {
            let pair = stage.lab.authority.leaf(&[NAME]).key(KeyKind::Rsa2048).deciphers().issue();
            let tls = "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-AES128-SHA256;";
            stage.nginx_with(&pair, &format!("{tls} location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} }}"));
        }),
        row("nginx asks for a client's certificate, and takes none", Fail1006, "tls-client-certificate").set(|stage| {
            let tls = "ssl_verify_client optional; ssl_client_certificate tls.crt;";
            stage.nginx(&format!("{tls} location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} }}"));
        }),
        row("nginx wants a client's certificate", Fail1006, "tls-client-certificate").set(|stage| {
            stage.nginx("ssl_verify_client on; ssl_client_certificate tls.crt; return 404;");
        }),
    ]
}
