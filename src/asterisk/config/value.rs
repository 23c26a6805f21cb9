//! Texts of a value → what Asterisk takes them for: truth, numbers, numeric addresses (`ast_true`, `strtol`, `ast_sockaddr_parse`).
//! Refuses what Asterisk refuses, such as a host name where only a numeric address is read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `yes`, `true`, `y`, `t`, `1`, `on`, in any case. Everything else is false.
pub(super) fn truth(text: &str) -> bool {
    ["yes", "true", "y", "t", "1", "on"].iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Decimal, `0x…` or `0…` (octal), with a sign. `None`: not a number, or beyond 64 bits.
pub(super) fn number(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        (16, hex)
    } else if digits.len() > 1 && digits.starts_with('0') {
        (8, digits)
    } else {
        (10, digits)
    };
    // from_str_radix would take a second sign.
    let value = digits.chars().next().filter(|c| c.is_ascii_hexdigit()).and_then(|_| i64::from_str_radix(digits, radix).ok())?;
    Some(if negative { -value } else { value })
}

/// A numeric address with an optional port; port 0 is no port. IPv6 without brackets has none. Ports wrap at 65536, as they do there.
pub(super) fn address(text: &str) -> Option<(IpAddr, Option<u16>)> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
    } else if text.matches(':').count() == 1 {
        let (host, port) = text.split_once(':')?;
        (host, Some(port))
    } else {
        (text, None)
    };
    let port = match port {
        None | Some("") => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            #[allow(clippy::cast_possible_truncation, reason = "it is cut off there, too")]
            digits.parse::<u32>().ok().map(|port| port as u16).filter(|port| *port != 0)
        }
        Some(_) => return None,
    };
    Some((ip(host)?, port))
}

fn ip(host: &str) -> Option<IpAddr> {
    // A lone star names no host, which getaddrinfo takes for the loopback.
    if host == "*" {
        return Some(Ipv6Addr::LOCALHOST.into());
    }
    let host = host.split_once('%').map_or(host, |(address, _zone)| address);
    host.parse::<Ipv6Addr>().map(IpAddr::V6).ok().or_else(|| classic_ipv4(host).map(IpAddr::V4))
}

/// `inet_aton`: one to four numbers, each decimal, octal or hexadecimal; the last one fills what is left.
fn classic_ipv4(host: &str) -> Option<Ipv4Addr> {
    let parts = host.split('.').map(|part| number(part).filter(|_| !part.starts_with(['+', '-']))).collect::<Option<Vec<_>>>()?;
    let (last, leading) = parts.split_last()?;
    let left = 4_u32.checked_sub(u32::try_from(leading.len()).ok()?).filter(|left| *left > 0)?;
    let mut address = u64::try_from(*last).ok().filter(|last| *last < 1 << (8 * left))?;
    for (index, part) in leading.iter().enumerate() {
        address |= u64::from(u8::try_from(*part).ok()?) << (24 - 8 * index);
    }
    u32::try_from(address).ok().map(Ipv4Addr::from_bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_as_asterisk_takes_them() {
        for (text, taken) in [
            ("0.0.0.0:8089", Some(("0.0.0.0", Some(8089)))),
            ("127.0.0.2", Some(("127.0.0.2", None))),
            ("[::1]:8443", Some(("::1", Some(8443)))),
            ("[::]", Some(("::", None))),
            ("::1", Some(("::1", None))),
            ("0.0.0.0:", Some(("0.0.0.0", None))),
            ("0.0.0.0:0", Some(("0.0.0.0", None))),
            ("0.0.0.0:99999", Some(("0.0.0.0", Some(34463)))),
            ("127.1:8443", Some(("127.0.0.1", Some(8443)))),
            ("0177.0.0.1", Some(("127.0.0.1", None))),
            ("localhost:8089", None),
            (":8443", None),
            ("0.0.0.0:https", None),
            ("1.2.3.4.5", None),
            ("300.0.0.1", None),
            ("", None),
        ] {
            let expected = taken.map(|(ip, port)| (ip.parse::<IpAddr>().unwrap(), port));
            assert_eq!(address(text), expected, "{text}");
        }
    }

    #[test]
    fn words_and_numbers_are_taken_as_asterisk_takes_them() {
        for word in ["yes", "true", "y", "t", "1", "on", "Yes", "TRUE", "oN"] {
            assert!(truth(word), "{word}");
        }
        for word in ["enable", "2", "01", "no", ""] {
            assert!(!truth(word), "{word}");
        }
        for (text, value) in
            [("0x2000", Some(8192)), ("010", Some(8)), ("-1", Some(-1)), ("x", None), ("", None), ("--1", None), ("0", Some(0))]
        {
            assert_eq!(number(text), value, "{text}");
        }
    }
}
