//! An HTTP answer that is no upgrade → which proxy, load balancer or web server gave it instead of Asterisk, in words that quote what names
//! it. Pure.

use tokio_tungstenite::tungstenite::{
    handshake::client::Response,
    http::{HeaderMap, StatusCode},
};

use super::answer::{short, text};

/// How much of a page is looked at, in bytes: those of proxies say what they say at once.
const LARGEST_PAGE: usize = 1024;

/// `page`: as much as came of what follows the head. Where its length is not said it is not looked at: whether any came would be chance.
/// `None`: nothing says that it is not Asterisk.
pub(super) fn named(head: &Response, page: &[u8]) -> Option<String> {
    let (headers, status) = (head.headers(), head.status());
    let server = text(headers, "server").unwrap_or_default();
    let lowercase = server.to_ascii_lowercase();
    if lowercase.starts_with("asterisk") {
        // Asked as a browser asks, Asterisk says 101 or 400. Of the proxies that drop the question, one passes its own answer on by name.
        return (status == StatusCode::UPGRADE_REQUIRED)
            .then(|| "HTTP 426 of Asterisk: passed on without the upgrade, as Apache does".to_owned());
    }
    if let Some(via) = text(headers, "via") {
        return Some(format!("Via: {}", short(via)));
    }
    if SERVERS.iter().any(|name| lowercase.contains(name)) {
        return Some(format!("Server: {}", short(server)));
    }
    if let Some(name) = HEADERS.iter().find(|name| headers.contains_key(**name)) {
        return Some(format!("header {name}"));
    }
    let page = &page[..page.len().min(promised(headers))];
    if let Some((words, whose)) = PAGES.iter().find(|(words, _)| holds(page, words)) {
        return Some(format!("{whose} page: {words}"));
    }
    // Asterisk says none of these at /ws.
    let gateway = matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT);
    gateway.then(|| format!("HTTP {}", status.as_u16()))
}

/// How much of a page is still to come, as far as it would be looked at.
pub(super) fn missing(headers: &HeaderMap, page: &[u8]) -> usize {
    promised(headers).saturating_sub(page.len())
}

fn promised(headers: &HeaderMap) -> usize {
    text(headers, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0).min(LARGEST_PAGE)
}

fn holds(page: &[u8], words: &str) -> bool {
    page.windows(words.len()).any(|window| window == words.as_bytes())
}

/// How the proxies, load balancers and tunnels that stand before WSS name themselves in `Server`.
const SERVERS: &[&str] = &[
    "nginx",
    "openresty",
    "tengine",
    "cloudflare",
    "envoy",
    "haproxy",
    "apache",
    "caddy",
    "traefik",
    "varnish",
    "squid",
    "awselb",
    "cloudfront",
    "akamai",
    "gws",
    "google frontend",
    "microsoft-azure",
    "microsoft-iis",
    "kong",
    "litespeed",
    "lighttpd",
    "ats",
    "istio",
];

/// What they add where they hide their name.
const HEADERS: &[&str] = &[
    "cf-ray",
    "x-envoy-upstream-service-time",
    "x-envoy-overloaded",
    "x-amz-cf-id",
    "x-azure-ref",
    "x-served-by",
    "x-kong-response-latency",
];

/// The pages of those that send no name at all: HAProxy never does, and an ingress controller's nginx hides it. `404 page not found` is what
/// any program in Go says, of which Traefik is the usual one before a WebSocket.
const PAGES: &[(&str, &str)] = &[
    ("<center>nginx", "nginx's"),
    ("<center>openresty", "openresty's"),
    ("No server is available to handle this request.", "HAProxy's"),
    ("The server returned an invalid or incomplete response.", "HAProxy's"),
    ("The server didn't respond in time.", "HAProxy's"),
    ("Request forbidden by administrative rules.", "HAProxy's"),
    ("no available server", "Traefik's"),
    ("404 page not found", "Traefik's or another Go program's"),
];
