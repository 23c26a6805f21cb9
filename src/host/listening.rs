//! /proc/net/tcp and /proc/net/tcp6 → the sockets that listen, and whether it is Asterisk that holds a port. Pure; the numbers of sockets are
//! turned into processes by the file above.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::diagnosis::{Code, Finding};

/// A socket that listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Where; an unspecified address means all of them.
    pub address: SocketAddr,
    /// By whom; empty where that may not be seen.
    pub by: Vec<Process>,
}

/// Who holds a socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    /// Its number.
    pub id: u32,
    /// Its name, as `ps -o comm` shows it.
    pub name: String,
}

/// The sockets of one such file that listen at one of `ports`, each with the number of its inode.
pub fn sockets(text: &str, ports: &[u16]) -> Vec<(SocketAddr, u64)> {
    text.lines().skip(1).filter_map(socket).filter(|(address, _)| ports.contains(&address.port())).collect()
}

/// `   0: 0100007F:1F99 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 …`
fn socket(line: &str) -> Option<(SocketAddr, u64)> {
    let mut words = line.split_ascii_whitespace().skip(1);
    let local = words.next()?;
    let state = words.nth(1)?;
    let inode = words.nth(5)?.parse().ok()?;
    (state == LISTENING).then_some(())?;
    let (ip, port) = local.split_once(':')?;
    Some((SocketAddr::new(address(ip)?, u16::from_str_radix(port, 16).ok()?), inode))
}

/// Words of 32 bits in the machine's own order, which hold the bytes of the address in the network's.
fn address(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| Some(u32::from_str_radix(hex.get(at * 8..at * 8 + 8)?, 16).ok()?.to_ne_bytes());
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut bytes = [0; 16];
            for (at, part) in bytes.chunks_exact_mut(4).enumerate() {
                part.copy_from_slice(&word(at)?);
            }
            Some(Ipv6Addr::from(bytes).to_canonical())
        }
        _ => None,
    }
}

/// TCP_LISTEN.
const LISTENING: &str = "0A";

/// What is wrong where an Asterisk of this network runs and others hold its port. Nothing is said of what may not be seen.
pub fn held_by_another(listeners: &[Listener], port: u16) -> Option<Finding> {
    let known = || listeners.iter().flat_map(|listener| listener.by.iter().map(move |process| (listener.address, process)));
    let theirs = known().any(|(_, process)| process.name == ASTERISK);
    let (address, other) = known().next().filter(|_| !theirs)?;
    let finding = Finding::new(Code::PortHeldByOther).with("address", address.to_string()).with("port", port);
    Some(finding.with("found", format!("{} (process {})", other.name, other.id)).with("pid", i64::from(other.id)))
}

/// Who stands before Asterisk on its machine: a web server at the port that browsers use by themselves.
pub fn proxy(listeners: &[Listener]) -> Option<&Listener> {
    listeners.iter().find(|listener| listener.by.iter().all(|process| process.name != ASTERISK))
}

/// Asterisk's own name for itself.
pub(super) const ASTERISK: &str = "asterisk";

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
        0: 0100007F:1F99 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 4242 1 0000000000000000 100 0 0 10 0\n   \
        1: 00000000:1F99 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4243 1 0000000000000000 100 0 0 10 0\n   \
        2: 0100007F:1F99 0100007F:C000 01 00000000:00000000 00:00000000 00000000     0        0 4244 1 0000000000000000 100 0 0 10 0\n   \
        3: 00000000:1F98 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4245 1 0000000000000000 100 0 0 10 0\n";
    const TCP6: &str = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
        0: 00000000000000000000000000000000:1F99 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77 1 0 100 0 0 10 0\n   \
        1: 00000000000000000000000001000000:1F99 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 78 1 0 100 0 0 10 0\n   \
        2: 0000000000000000FFFF00000100007F:1F99 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 79 1 0 100 0 0 10 0\n";

    #[test]
    #[cfg(target_endian = "little")]
    fn only_what_listens_at_the_port_is_told() {
        let shown = |text| sockets(text, &[8089]).into_iter().map(|(address, inode)| format!("{address} {inode}")).collect::<Vec<_>>();
        assert_eq!(shown(TCP), ["127.0.0.1:8089 4242", "0.0.0.0:8089 4243"]);
        assert_eq!(shown(TCP6), ["[::]:8089 77", "[::1]:8089 78", "127.0.0.1:8089 79"]);
    }

    #[test]
    fn what_is_no_such_table_says_nothing() {
        for text in ["", "\n\n", "header\n  0: x y 0A", "header\n 0: 0100007F:1F99 0:0 0A a b c d e f", "h\n é: é:é é é é é é é é é é"]
        {
            assert_eq!(sockets(text, &[8089]), [], "{text}");
        }
    }

    #[test]
    fn a_port_is_held_by_another_only_where_no_asterisk_holds_it() {
        let listener = |names: &[&str]| Listener {
            address: "0.0.0.0:8089".parse().unwrap(),
            by: names.iter().map(|name| Process { id: 7, name: (*name).to_owned() }).collect(),
        };
        for (names, held) in [
            (vec![vec!["nginx", "nginx"]], true),
            (vec![vec!["asterisk"]], false),
            (vec![vec!["nginx"], vec!["asterisk"]], false),
            (vec![vec![]], false),
            (vec![], false),
        ] {
            let listeners: Vec<_> = names.iter().map(|names| listener(names)).collect();
            assert_eq!(held_by_another(&listeners, 8089).is_some(), held, "{names:?}");
        }
    }
}
