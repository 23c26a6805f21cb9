//! How a proxy names itself → the lines that have it pass a WebSocket on. Pure. The text of the finding holds those of nginx already.

/// `None`: no proxy that is known here.
pub(super) fn lines(named: &str) -> Option<&'static str> {
    let named = named.to_ascii_lowercase();
    PROXIES.iter().find(|(name, _)| named.contains(name)).map(|(_, lines)| *lines)
}

const PROXIES: &[(&str, &str)] = &[
    ("apache", "# Apache: a2enmod proxy_http proxy_wstunnel, then\nSSLProxyEngine on\nProxyPass /ws wss://127.0.0.1:8089/ws"),
    ("caddy", "# Caddy:\nreverse_proxy /ws https://127.0.0.1:8089"),
    ("haproxy", "# HAProxy:\ntimeout tunnel 1h\nserver asterisk 127.0.0.1:8089 ssl verify none alpn http/1.1"),
    (
        "traefik",
        "# Traefik (labels):\ntraefik.http.routers.wss.rule=PathPrefix(`/ws`)\ntraefik.http.services.wss.loadbalancer.server.port=8089\n\
         traefik.http.services.wss.loadbalancer.server.scheme=https",
    ),
    ("envoy", "# Envoy: in the route's or the connection manager's\nupgrade_configs: [{upgrade_type: websocket}]"),
    ("istio", "# Envoy: in the route's or the connection manager's\nupgrade_configs: [{upgrade_type: websocket}]"),
    ("cloudflare", "# Cloudflare: Network > WebSockets > On. It forwards 443 and 8443, and never 8089:\nwss://pbx.example.com:8443/ws"),
];

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn each_proxy_has_lines_of_its_own() {
        for (named, expected) in [
            ("Server: Apache/2.4.62 (Debian)", Some("ProxyPass /ws")),
            ("Via: 1.1 Caddy", Some("reverse_proxy /ws")),
            ("Server: cloudflare", Some("8443")),
            ("Server: nginx/1.22.1", None),
            ("HTTP 502", None),
        ] {
            let found = lines(named);
            assert!(found.is_some() == expected.is_some() && found.unwrap_or_default().contains(expected.unwrap_or_default()), "{named}");
        }
    }
}
