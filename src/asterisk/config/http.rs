//! http.conf → [`HttpConf`]: where HTTPS listens, with which files, below which prefix, and whether a plain reload can bring it back.
//! Every rule ran on Asterisk 16 and 22, which agree. Only the first `[general]` counts, and in it the last line of a name.

use std::path::{Path, PathBuf};

use super::{
    conf::{Conf, Heals},
    tls::{Refused, Setting, Tls},
    value,
};
use crate::settings::Address;

/// What http.conf comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConf {
    /// The file.
    pub file: PathBuf,
    /// `enabled`: whether *cleartext* HTTP listens. HTTPS listens without it where `tlsbindaddr` is set.
    pub enabled: Setting<bool>,
    /// `bindaddr` (a name or an address) and `bindport` (8088). `None`: no cleartext listener.
    pub bind: Option<Setting<Address>>,
    /// `tlsenable`.
    pub tls_enabled: Setting<bool>,
    /// Where HTTPS listens once TLS is enabled: `tlsbindaddr` (port 8089), else the host of `bindaddr` with port 8089 if cleartext HTTP is
    /// enabled. `None`: nowhere.
    pub tls_bind: Option<Setting<Address>>,
    /// A last `tlsbindaddr` that Asterisk does not take: it reads only numeric addresses there, and goes on as if the line were missing.
    pub tls_bind_refused: Option<Refused>,
    /// `tlscertfile`. A relative path is relative to Asterisk's working directory, which is not the configuration folder.
    pub cert: Setting<PathBuf>,
    /// `tlsprivatekey`, else the certificate's file.
    pub key: Setting<PathBuf>,
    /// `prefix`, with the slash that Asterisk puts before it; empty where there is none.
    pub prefix: Setting<String>,
    /// `sessionlimit`: shared by all HTTP clients and open WebSockets.
    pub session_limit: Setting<u32>,
    /// `enable_status`; `None`: on or off as the release has it.
    pub enable_status: Option<Setting<bool>>,
    /// What makes every reload read the file again. `None`: a listener that lost its certificate stays dead until the file changes.
    pub heals: Option<Heals>,
    /// Whether a part of it cannot be seen from here: what is set nowhere may be set there.
    pub partly_unseen: bool,
    /// The files that are included and exist.
    pub included: Vec<PathBuf>,
}

impl HttpConf {
    /// The path of the WebSocket: `/ws` below the prefix.
    pub fn ws_path(&self) -> String {
        format!("{}/ws", self.prefix.value)
    }

    /// Whether a line names a certificate. Without one Asterisk looks for `asterisk.pem` where it was started.
    pub fn names_certificate(&self) -> bool {
        self.cert.origin.is_some() && self.cert.value != Path::new("")
    }

    /// Whether touching `file` makes the next reload read http.conf again.
    pub fn includes(&self, file: &Path) -> bool {
        self.included.iter().any(|included| included == file)
    }
}

/// `DEFAULT_SESSION_LIMIT`.
pub(super) const SESSION_LIMIT: u32 = 100;
const PORT: u16 = 8088;
const TLS_PORT: u16 = 8089;

/// Reads what `[general]` sets.
pub(super) fn http_conf(conf: &Conf) -> HttpConf {
    let mut tls = Tls::new();
    let mut enabled = Setting::default(false);
    let mut host = None;
    let mut port = PORT;
    let mut prefix = Setting::default(String::new());
    let mut session_limit = Setting::default(SESSION_LIMIT);
    let mut enable_status = None;
    for entry in conf.section("general").iter().flat_map(|general| general.entries()) {
        let text = entry.value();
        if tls.take(entry) {
        } else if entry.is("enabled") {
            enabled = Setting::at(value::truth(&text), entry);
        } else if entry.is("bindaddr") {
            host = Some(Setting::at(text.into_owned(), entry));
        } else if entry.is("bindport") {
            port = value::number(&text).and_then(|port| u16::try_from(port).ok()).unwrap_or(PORT);
        } else if entry.is("prefix") {
            let slashed = if text.is_empty() { String::new() } else { format!("/{text}") };
            prefix = Setting::at(slashed, entry);
        } else if entry.is("sessionlimit") {
            let limit = value::number(&text).and_then(|limit| i32::try_from(limit).ok()).filter(|limit| *limit > 0);
            session_limit = Setting::at(limit.map_or(SESSION_LIMIT, i32::unsigned_abs), entry);
        } else if entry.is("enable_status") {
            enable_status = Some(Setting::at(value::truth(&text), entry));
        }
    }
    let bind = host.filter(|_| enabled.value).filter(|host| !host.value.is_empty()).map(|host| cleartext(host, port));
    let tls_bind = match &tls.bind {
        Some(Setting { value: (ip, port), origin }) => {
            Some(Setting { value: Address { host: ip.to_string(), port: port.unwrap_or(TLS_PORT) }, origin: origin.clone() })
        }
        None => bind
            .as_ref()
            .map(|bind| Setting { value: Address { host: bind.value.host.clone(), port: TLS_PORT }, origin: bind.origin.clone() }),
    };
    HttpConf {
        file: conf.file.clone(),
        enabled,
        bind,
        tls_enabled: tls.enabled.clone(),
        tls_bind,
        tls_bind_refused: tls.refused.clone(),
        cert: tls.cert(),
        key: tls.key(),
        prefix,
        session_limit,
        enable_status,
        heals: conf.heals(),
        partly_unseen: conf.partly_unseen,
        included: conf.includes.iter().flat_map(|include| include.found.iter().cloned()).collect(),
    }
}

/// `bindaddr` may name its own port, which then wins over `bindport`.
fn cleartext(host: Setting<String>, bindport: u16) -> Setting<Address> {
    let (name, port) = match value::address(&host.value) {
        Some((ip, port)) => (ip.to_string(), port),
        None => match host.value.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name.to_owned(), port.parse().ok()),
            Some(_) | None => (host.value, None),
        },
    };
    Setting { value: Address { host: name, port: port.filter(|port| *port != 0).unwrap_or(bindport) }, origin: host.origin }
}
