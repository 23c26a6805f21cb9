//! The TLS options that http.conf and manager.conf share, read as Asterisk's `ast_tls_read_conf` reads them. What enters is one entry of
//! `[general]`; what leaves is whether it was one of them, and what it set. The last valid line wins.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use super::{
    conf::{Entry, Origin},
    value,
};

/// A value, and the line that set it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// What Asterisk goes by.
    pub value: T,
    /// `None`: Asterisk's own default.
    pub origin: Option<Origin>,
}

impl<T> Setting<T> {
    /// What no line sets.
    pub(super) fn default(value: T) -> Self {
        Setting { value, origin: None }
    }

    pub(super) fn at(value: T, entry: Entry<'_>) -> Self {
        Setting { value, origin: Some(entry.origin()) }
    }
}

/// A value that Asterisk does not take, and goes on without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The option, in lowercase: `tlsbindaddr`.
    pub option: &'static str,
    /// The value.
    pub value: String,
    /// Where it stands.
    pub origin: Origin,
}

/// What the TLS options of one file come to.
pub(super) struct Tls {
    pub(super) enabled: Setting<bool>,
    pub(super) bind: Option<Setting<(IpAddr, Option<u16>)>>,
    pub(super) refused: Option<Refused>,
    cert: Option<Setting<PathBuf>>,
    key: Option<Setting<PathBuf>>,
}

impl Tls {
    pub(super) fn new() -> Self {
        Tls { enabled: Setting::default(false), bind: None, refused: None, cert: None, key: None }
    }

    /// Whether `entry` was a TLS option.
    pub(super) fn take(&mut self, entry: Entry<'_>) -> bool {
        let is = |names: &[&str]| names.iter().any(|name| entry.is(name));
        if is(&["tlsenable", "sslenable"]) {
            self.enabled = Setting::at(value::truth(&entry.value()), entry);
        } else if is(&["tlscertfile", "sslcert", "tlscert"]) {
            self.cert = Some(Setting::at(entry.path(), entry));
        } else if is(&["tlsprivatekey", "sslprivatekey"]) {
            self.key = Some(Setting::at(entry.path(), entry));
        } else if is(&["tlsbindaddr", "sslbindaddr"]) {
            match value::address(&entry.value()) {
                Some(address) => {
                    self.bind = Some(Setting::at(address, entry));
                    self.refused = None;
                }
                None => {
                    self.refused = Some(Refused { option: "tlsbindaddr", value: entry.value().into_owned(), origin: entry.origin() });
                }
            }
        } else {
            return false;
        }
        true
    }

    /// The certificate: `asterisk.pem` in Asterisk's working directory where none is named.
    pub(super) fn cert(&self) -> Setting<PathBuf> {
        self.cert.clone().unwrap_or_else(|| Setting::default(PathBuf::from("asterisk.pem")))
    }

    /// The key: the certificate's file where none, or an empty one, is named.
    pub(super) fn key(&self) -> Setting<PathBuf> {
        match &self.key {
            Some(key) if key.value != Path::new("") => key.clone(),
            Some(_) | None => self.cert(),
        }
    }
}
