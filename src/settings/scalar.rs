//! The text of one setting → its value: durations, addresses, names, trust, paths, log filters. What is refused leaves with the kind of
//! mistake, what is expected, and a remedy; the place is known to the caller alone.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use tracing_subscriber::filter::Targets;

use super::{Address, Trust, error::Kind};
use crate::diagnosis::nearest;

/// Why a text is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) kind: Kind,
    pub(super) expected: &'static str,
    pub(super) remedy: Option<String>,
}

impl Refusal {
    pub(super) fn new(kind: Kind, expected: &'static str) -> Self {
        Refusal { kind, expected, remedy: None }
    }

    fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// The name of a Kubernetes object: RFC 1123 labels with dots between.
pub(super) fn object_name(text: &str) -> Result<String, Refusal> {
    let end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let label = |label: &str| {
        let inside = label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        inside && end(label.chars().next()) && end(label.chars().next_back())
    };
    if text.len() <= 253 && text.split('.').all(label) {
        Ok(text.to_owned())
    } else {
        Err(Refusal::new(Kind::BadName, "the name of a Kubernetes object: a-z, 0-9, `-` and `.`, at most 253 characters"))
    }
}

/// `500ms`, `10s`, `1h30m`, `21d`: whole numbers with units, added up; more than zero and at most a hundred years.
pub(super) fn duration(text: &str) -> Result<Duration, Refusal> {
    let refusal = || Refusal::new(Kind::BadDuration, "whole numbers with their units (ms, s, m, h, d): 500ms, 10s, 1h30m, 21d");
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let millis = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "" if !number.is_empty() => return Err(refusal().remedy(format!("say the unit: `{text}s`"))),
            _ => return Err(refusal()),
        };
        let number: u64 = number.parse().map_err(|_| refusal())?;
        total = number.checked_mul(millis).and_then(|part| total.checked_add(part)).ok_or_else(refusal)?;
        rest = tail;
    }
    match total {
        0 => Err(refusal().remedy("it must be longer than nothing")),
        total if total > LONGEST_MILLIS => Err(refusal().remedy("it must be shorter than a hundred years")),
        total => Ok(Duration::from_millis(total)),
    }
}

/// `host:port`, `192.0.2.1:port`, `[::1]:port`.
pub(super) fn address(text: &str) -> Result<Address, Refusal> {
    let refusal = || Refusal::new(Kind::BadAddress, "`host:port`, with brackets around an IPv6 address: 127.0.0.1:8089, [::1]:8089");
    if let Some((_, rest)) = text.split_once("://") {
        let authority = rest.split('/').next().unwrap_or_default();
        return Err(refusal().remedy(format!("no scheme and no path here: `{authority}`")));
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return Err(refusal().remedy(format!("put brackets around it and add the port: `[{text}]:PORT`")));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(refusal().remedy(format!("add the port: `{text}:PORT`")));
    };
    let port = match port.parse::<u16>() {
        Ok(port) if port > 0 && !text.ends_with(&format!("+{port}")) => port,
        Ok(_) | Err(_) => return Err(refusal().remedy("the port is a number from 1 to 65535")),
    };
    let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inner) => inner.parse::<Ipv6Addr>().is_ok().then_some(inner),
        None => (host.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv4()) || is_dns_name(host)).then_some(host),
    };
    Ok(Address { host: host.ok_or_else(refusal)?.to_owned(), port })
}

/// An IP address and a port, as a socket is bound to them; port 0 picks a free one.
pub(super) fn listen(text: &str) -> Result<SocketAddr, Refusal> {
    text.parse().map_err(|_| {
        let refusal = Refusal::new(Kind::BadAddress, "an IP address and a port: [::]:9808, 0.0.0.0:9808, 127.0.0.1:9808");
        match text.rsplit_once(':') {
            Some(("" | "*", port)) => refusal.remedy(format!("for every address: `[::]:{port}`")),
            Some(("localhost", port)) => refusal.remedy(format!("write `127.0.0.1:{port}`")),
            Some(_) | None => refusal,
        }
    })
}

/// A name that a certificate can cover, as `certificate.names` takes it.
///
/// # Errors
/// What is expected, and what to do where that can be guessed.
pub fn name(text: &str) -> Result<String, String> {
    covered_name(text).map_err(said)
}

/// A span of time, as `probe.timeout` takes it.
///
/// # Errors
/// What is expected, and what to do where that can be guessed.
pub fn span(text: &str) -> Result<Duration, String> {
    duration(text).map_err(said)
}

/// A host and a port, as `wss.address` takes them.
///
/// # Errors
/// What is expected, and what to do where that can be guessed.
pub fn place(text: &str) -> Result<Address, String> {
    address(text).map_err(said)
}

fn said(refusal: Refusal) -> String {
    match refusal.remedy {
        Some(remedy) => format!("expected {}; {remedy}", refusal.expected),
        None => format!("expected {}", refusal.expected),
    }
}

/// A name that a leaf can cover: `pbx.example.com`, `*.example.com`, `192.0.2.1`, `::1`.
pub(super) fn covered_name(text: &str) -> Result<String, Refusal> {
    match text.strip_prefix("*.") {
        Some(rest) if rest.contains('.') && is_dns_name(rest) && rest.parse::<IpAddr>().is_err() => Ok(text.to_owned()),
        Some(_) => Err(name_refusal(text)),
        None => server_name(text),
    }
}

/// A name that TLS can ask for: a DNS name without a final dot, or an IP address.
pub(super) fn server_name(text: &str) -> Result<String, Refusal> {
    let good = text.parse::<IpAddr>().is_ok() || (is_dns_name(text) && !text.ends_with('.'));
    if good { Ok(text.to_owned()) } else { Err(name_refusal(text)) }
}

fn name_refusal(text: &str) -> Refusal {
    let refusal = Refusal::new(Kind::BadName, "a DNS name or an IP address: pbx.example.com, 192.0.2.1 (in `names` also *.example.com)");
    let bare = text.split_once("://").map_or(text, |(_, rest)| rest).split('/').next().unwrap_or_default();
    let bare = bare.rsplit_once(':').map_or(bare, |(host, _)| host).trim_end_matches('.');
    if !text.is_ascii() {
        refusal.remedy("write it in its ASCII form (`xn--…`), as the certificate has it")
    } else if bare != text && is_dns_name(bare) {
        refusal.remedy(format!("only the name: `{bare}`"))
    } else {
        refusal
    }
}

/// Letters, digits, hyphens and underscores (Compose service names have them) in labels of 1 to 63 bytes, 253 in all (RFC 1035); the last
/// label is not a number, else it would be a broken IPv4 address. One final dot is allowed.
fn is_dns_name(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 253 && text.split('.').all(label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

/// `system`, `none`, or the path of a CA file, which has a slash in it.
pub(super) fn trust(text: &str) -> Result<Trust, Refusal> {
    match text {
        "system" => Ok(Trust::System),
        "none" => Ok(Trust::None),
        path if path.contains('/') => self::path(path).map(Trust::File),
        other => {
            let refusal = Refusal::new(Kind::UnknownValue, "`system`, `none` or the path of a CA file");
            Err(match nearest(other, ["system", "none"]) {
                Some(nearest) => refusal.remedy(format!("did you mean `{nearest}`?")),
                None => refusal.remedy(format!("for a file, write a path with a slash: `./{other}`")),
            })
        }
    }
}

/// A path of the file system; whether it exists is seen later, since mounts may come later.
pub(super) fn path(text: &str) -> Result<PathBuf, Refusal> {
    if text.trim().is_empty() || text.contains('\0') || text.contains('\n') {
        return Err(Refusal::new(Kind::BadPath, "the path of a file or folder").remedy("write the path, or remove the line"));
    }
    Ok(PathBuf::from(text))
}

/// `0440`: octal permission bits of a private key, so nothing for others, nothing to execute, and its owner can read it.
pub(super) fn published_mode(text: &str) -> Result<u32, Refusal> {
    let refusal = Refusal::new(Kind::BadMode, "three or four octal digits between quotes: \"0440\", \"0400\", \"0640\"");
    let digits = (3..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(mode) = u32::from_str_radix(text, 8).ok().filter(|_| digits) else { return Err(refusal) };
    if mode & 0o007 != 0 {
        return Err(refusal.remedy(format!("others than owner and group must not reach a private key: write `\"{:04o}\"`", mode & 0o660)));
    }
    if mode & 0o7110 != 0 {
        return Err(refusal.remedy(format!("these files are read, not run: write `\"{:04o}\"`", mode & 0o660)));
    }
    if mode & 0o400 == 0 {
        return Err(refusal.remedy(format!("their owner must be able to read them: write `\"{:04o}\"`", mode | 0o400)));
    }
    Ok(mode)
}

/// The path of a request: begins with a slash, and has only what may stand in a request line (RFC 9112).
pub(super) fn request_path(text: &str) -> Result<String, Refusal> {
    let refusal = Refusal::new(Kind::BadPath, "a path that begins with a slash: /ws");
    if text.contains("://") {
        return Err(refusal.remedy("only the path; host and port go to `wss.address`"));
    }
    if !text.starts_with('/') {
        return Err(refusal.remedy(format!("write `/{text}`")));
    }
    if text.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'#') {
        return Err(refusal.remedy("no spaces, no `#`, nothing outside ASCII; write those percent-encoded"));
    }
    Ok(text.to_owned())
}

/// An `Origin` (RFC 6454): scheme, host and perhaps a port, without a path.
pub(super) fn origin(text: &str) -> Result<String, Refusal> {
    let refusal = || Refusal::new(Kind::BadOrigin, "scheme and host, perhaps a port: https://phone.example.com");
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(refusal().remedy(format!("write `https://{text}`")));
    };
    if rest.contains('/') {
        return Err(refusal().remedy("browsers send no path in it: end after the host"));
    }
    let host_is_good = address(rest).is_ok() || is_dns_name(rest) || rest.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv4());
    let host_is_good =
        host_is_good || rest.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok());
    let scheme_is_good = scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.bytes().all(|byte| byte.is_ascii_graphic());
    if host_is_good && scheme_is_good { Ok(text.to_owned()) } else { Err(refusal()) }
}

/// A name that fits into one AMI line and cannot begin another.
pub(super) fn ami_username(text: &str) -> Result<String, Refusal> {
    if text.is_empty() || text.len() > 200 || text.trim() != text || text.chars().any(char::is_control) {
        return Err(Refusal::new(Kind::BadText, "the name of a section of manager.conf, without spaces around it"));
    }
    Ok(text.to_owned())
}

/// From nothing to everything.
pub(super) fn fraction(number: f64) -> Result<f64, Refusal> {
    if (0.0..=1.0).contains(&number) {
        return Ok(number);
    }
    let refusal = Refusal::new(Kind::BadFraction, "a number from 0 to 1");
    Err(if (1.0..=100.0).contains(&number) { refusal.remedy(format!("write {}", number / 100.0)) } else { refusal })
}

/// A filter of levels and targets: `info`, `starkeeper=debug,warn`. A lone word must be a level; to tracing it would be a target, and a
/// misspelt level would silence the log.
pub(super) fn log_level(text: &str) -> Result<String, Refusal> {
    let refusal = || Refusal::new(Kind::BadLogLevel, "off, error, warn, info, debug or trace; also `starkeeper=debug,warn`");
    for directive in text.split(',') {
        let level = directive.rsplit_once('=').map_or(directive, |(_, level)| level).trim();
        if !LEVELS.contains(&level.to_ascii_lowercase().as_str()) {
            return Err(match nearest(level, LEVELS) {
                Some(nearest) => refusal().remedy(format!("did you mean `{nearest}`?")),
                None => refusal(),
            });
        }
    }
    text.parse::<Targets>().map_err(|_| refusal())?;
    Ok(text.to_owned())
}

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// A hundred years: beyond it, adding to a date could overflow.
const LONGEST_MILLIS: u64 = 36_500 * 86_400_000;
