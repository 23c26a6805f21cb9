//! What the kernel says of processes under /proc → the readers of its tables. What is read of a table is read again when it is written plainly,
//! and what is no line of it changes nothing.

use std::{
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
    path::Path,
};

use starkeeper::host::{Mounts, account, sockets};

use super::parts;

/// Each part is a file: net/tcp, mountinfo, status.
pub fn host(data: &[u8]) {
    let mut files = parts(data);
    let mut next = || files.next().unwrap_or_default();
    listening(&String::from_utf8_lossy(next()));
    mounted(next());
    runs_as(&String::from_utf8_lossy(next()));
}

const PORTS: [u16; 2] = [8089, 443];

fn listening(table: &str) {
    let read = sockets(table, &PORTS);
    assert!(read.len() <= table.lines().count());
    assert!(read.iter().all(|(address, _)| PORTS.contains(&address.port())));
    let plain = read.iter().fold("header\n".to_owned(), |mut text, (address, inode)| {
        writeln!(text, "0: {} 0:0 0A 0:0 0:0 0 0 0 {inode}", hex(*address)).unwrap();
        text
    });
    assert_eq!(sockets(&plain, &PORTS), read, "{plain}");
}

/// As the kernel writes it: words in the machine's order.
fn hex(address: SocketAddr) -> String {
    let bytes = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let words = bytes.as_chunks::<4>().0.iter().map(|word| format!("{:08X}", u32::from_ne_bytes(*word)));
    format!("{}:{:04X}", words.collect::<String>(), address.port())
}

fn mounted(table: &[u8]) {
    let mounts = Mounts::parse(table);
    let noisy = Mounts::parse(&[b"no mount\n\n", table, b"\n1 0 0:1 relative / rw - tmpfs x rw"].concat());
    assert_eq!(mounts, noisy, "what is no mount counts");
    for path in ["/", "/a", "/a/b/c", "/tls/tls.crt", "relative", ""].map(Path::new) {
        let on = mounts.of(path);
        assert!(on.is_none_or(|mount| path.starts_with(&mount.point) && mount.root.is_absolute()), "{path:?}: {on:?}");
        assert_eq!(mounts.is_point(path), on.is_some_and(|mount| mount.point == path));
    }
    assert!(!mounts.are_of_one_world(&Mounts::default()));
}

fn runs_as(status: &str) {
    let Some(ids) = account(status) else { return };
    let groups: Vec<_> = ids.groups.iter().map(u32::to_string).collect();
    let plain = format!("Name:\tasterisk\nUid:\t0\t{}\nGid:\t0\t{}\nGroups:\t{} \n", ids.uid, ids.gid, groups.join(" "));
    assert_eq!(account(&plain), Some(ids), "{plain}");
}
