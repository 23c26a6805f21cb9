//! What all rows share: one browser, the authority that it trusts and one that it does not, and which names lead where.

use std::{
    net::{IpAddr, Ipv4Addr},
    process,
};

use super::{
    doctor::Surgery,
    support::{
        asterisk::{BOTH, Version},
        browser::Browser,
        certs::Authority,
    },
};

/// The name that phones use: 127.0.0.1.
pub(crate) const NAME: &str = "pbx.example.com";
/// The same over IPv6: ::1.
pub(crate) const NAME_6: &str = "pbx6.example.com";
/// Another address of this machine, at which an Asterisk that is bound to 127.0.0.1 does not listen.
pub(crate) const OUTER: &str = "outer.example.com";
/// A name that leads nowhere.
pub(crate) const NOWHERE: &str = "nowhere.example.com";

/// What all rows share.
pub(crate) struct Lab {
    pub(crate) browser: Browser,
    /// Whom the browser trusts.
    pub(crate) authority: Authority,
    /// Whom it does not.
    pub(crate) stranger: Authority,
    pub(crate) surgery: Surgery,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let authority = Authority::named("Trusted");
        let names = names();
        let names: Vec<(&str, &str)> = names.iter().map(|(name, address)| (*name, address.as_str())).collect();
        let browser = Browser::start(&authority, &names);
        Self { browser, surgery: Surgery::new(&authority), stranger: Authority::named("Unknown"), authority }
    }
}

/// Rows that need an address whose every port is their own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Own {
    Proxy,
    UsualPort,
    Nobody,
}

impl Own {
    /// Its name and its address.
    pub(crate) fn place(self, version: Version) -> (&'static str, IpAddr) {
        let names = match self {
            Self::Proxy => ["proxy16.example.com", "proxy22.example.com"],
            Self::UsualPort => ["usual16.example.com", "usual22.example.com"],
            Self::Nobody => ["nobody16.example.com", "nobody22.example.com"],
        };
        let [high, low] = (process::id() as u16).to_be_bytes();
        let (name, last) = match version {
            Version::V16 => (names[0], 16),
            Version::V22 => (names[1], 22),
        };
        // The first octets differ from those that the doctor comes from.
        (name, Ipv4Addr::new(127, 128 | high, low, last + 32 * self as u8).into())
    }
}

/// Which name leads where.
pub(crate) fn names() -> Vec<(&'static str, String)> {
    let own = [Own::Proxy, Own::UsualPort, Own::Nobody].into_iter().flat_map(|own| BOTH.map(|version| own.place(version)));
    let all = [(NAME, "127.0.0.1"), (NAME_6, "[::1]"), (OUTER, "127.0.0.2")].map(|(name, address)| (name, address.to_owned()));
    all.into_iter().chain(own.map(|(name, address)| (name, address.to_string()))).collect()
}
