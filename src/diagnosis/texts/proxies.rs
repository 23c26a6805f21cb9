//! Who stands before Asterisk → what lets a WebSocket through there, line by line, in whatever language. Pure. The tests paste those of nginx,
//! Apache, HAProxy and Caddy into real ones; those of Traefik, Envoy and Cloudflare are as their documentation has them.

use super::Piece;
use crate::diagnosis::Evidence;

/// What a text asks of whoever stands there: `@ through` is a line of its own in a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// To pass the upgrade on to Asterisk.
    Through,
    /// To leave a quiet WebSocket alone.
    Quiet,
}

impl Need {
    /// By the line of a template.
    pub(super) fn of(line: &str) -> Option<Self> {
        match line {
            "@ through" => Some(Self::Through),
            "@ quiet" => Some(Self::Quiet),
            _ => None,
        }
    }
}

/// For the one that the evidence names; where it names none, for each.
pub(super) fn pieces(need: Need, evidence: &Evidence) -> Vec<Piece> {
    let says = |key: &str| ["proxy", "server"].contains(&key);
    let said: Vec<String> =
        evidence.0.iter().filter(|(key, _)| says(key)).map(|(_, value)| value.to_string().to_ascii_lowercase()).collect();
    let is_named = |proxy: &&Proxy| said.iter().any(|said| proxy.known_by.iter().any(|name| said.contains(name)));
    let all = || PROXIES.iter().filter(|proxy| !proxy.lines(need).is_empty());
    let told: Vec<&Proxy> = all().find(is_named).map_or_else(|| all().collect(), |proxy| vec![proxy]);
    let of_one = |proxy: &&Proxy| {
        let paste = proxy.lines(need).lines().map(|line| Piece::Paste(line.to_owned()));
        [Piece::Prose(format!("{}:", proxy.name))].into_iter().chain(paste).collect::<Vec<_>>()
    };
    told.iter().flat_map(of_one).collect()
}

struct Proxy {
    name: &'static str,
    /// In what it says of itself, in lower case.
    known_by: &'static [&'static str],
    through: &'static str,
    /// Empty where it never ends a quiet WebSocket.
    quiet: &'static str,
}

impl Proxy {
    fn lines(&self, need: Need) -> &'static str {
        match need {
            Need::Through => self.through,
            Need::Quiet => self.quiet,
        }
    }
}

const PROXIES: &[Proxy] = &[
    Proxy {
        name: "nginx",
        known_by: &["nginx", "openresty", "tengine"],
        through: "location /ws {\n  proxy_pass https://127.0.0.1:8089/ws;\n  proxy_http_version 1.1;\n  proxy_set_header Upgrade $http_upgrade;\n  \
                  proxy_set_header Connection upgrade;\n  proxy_read_timeout 1h;\n}\nnginx -t && nginx -s reload",
        quiet: "proxy_read_timeout 1h;\nnginx -t && nginx -s reload",
    },
    Proxy {
        name: "Apache",
        known_by: &["apache"],
        // It would verify the name `127.0.0.1`, and ends what is quiet for longer than `Timeout`.
        through: "a2enmod ssl proxy_http proxy_wstunnel\nSSLProxyEngine on\nSSLProxyCheckPeerName off\nProxyTimeout 3600\n\
                  ProxyPass /ws wss://127.0.0.1:8089/ws\napachectl configtest && apachectl graceful",
        quiet: "ProxyTimeout 3600\napachectl configtest && apachectl graceful",
    },
    Proxy {
        name: "HAProxy",
        known_by: &["haproxy"],
        through: "use_backend asterisk if { path /ws }  # in the frontend\nbackend asterisk\n  timeout tunnel 1h\n  \
                  server asterisk 127.0.0.1:8089 ssl verify none alpn http/1.1\n\
                  haproxy -c -f /etc/haproxy/haproxy.cfg && systemctl reload haproxy",
        quiet: "timeout tunnel 1h\nhaproxy -c -f /etc/haproxy/haproxy.cfg && systemctl reload haproxy",
    },
    Proxy {
        name: "Caddy",
        known_by: &["caddy"],
        through: "reverse_proxy /ws https://127.0.0.1:8089 {\n  transport http {\n    tls_insecure_skip_verify\n  }\n}\n\
                  caddy reload --config /etc/caddy/Caddyfile",
        quiet: "",
    },
    Proxy {
        name: "Traefik",
        known_by: &["traefik"],
        through: "http:\n  routers:\n    asterisk: {rule: \"Path(`/ws`)\", service: asterisk, tls: {}}\n  services:\n    \
                  asterisk: {loadBalancer: {servers: [{url: \"https://127.0.0.1:8089\"}], serversTransport: asterisk}}\n  \
                  serversTransports:\n    asterisk: {insecureSkipVerify: true}",
        quiet: "",
    },
    Proxy {
        name: "Envoy, Istio",
        known_by: &["envoy", "istio"],
        through: "upgrade_configs: [{upgrade_type: websocket}]",
        quiet: "timeout: 0s",
    },
    Proxy {
        name: "Cloudflare",
        known_by: &["cloudflare", "cf-ray"],
        // It forwards 443 and 8443 and never 8089.
        through: "Network > WebSockets > On\nwss://pbx.example.com:8443/ws",
        quiet: "",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{Code, Finding};

    fn named(need: Need, finding: &Finding) -> Vec<String> {
        let prose = |piece: Piece| if let Piece::Prose(name) = piece { Some(name) } else { None };
        pieces(need, &finding.evidence).into_iter().filter_map(prose).collect()
    }

    #[test]
    fn the_one_that_is_named_is_told_and_else_each() {
        for (key, said, through, quiet) in [
            ("proxy", "Server: Apache/2.4.62 (Debian)", Some("Apache:"), Some("Apache:")),
            ("server", "nginx/1.22.1", Some("nginx:"), Some("nginx:")),
            ("proxy", "Via: 1.1 Caddy", Some("Caddy:"), None),
            ("proxy", "HAProxy's page: No server is available to handle this request.", Some("HAProxy:"), Some("HAProxy:")),
            ("proxy", "header cf-ray", Some("Cloudflare:"), None),
            ("proxy", "HTTP 426 of Asterisk: passed on without the upgrade, as Apache does", Some("Apache:"), Some("Apache:")),
            ("proxy", "HTTP 502", None, None),
            ("found", "nginx", None, None),
        ] {
            let finding = Finding::new(Code::WsProxyInTheWay).with(key, said);
            for (need, expected, all) in [(Need::Through, through, 7), (Need::Quiet, quiet, 4)] {
                let told = named(need, &finding);
                match expected {
                    Some(name) => assert_eq!(told, [name], "{said}"),
                    None => assert_eq!(told.len(), all, "{said}: {told:?}"),
                }
            }
        }
    }
}
