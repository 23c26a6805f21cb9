//! pjsip.conf → [`PjsipConf`]: its `type=transport` sections, which is all that certificates are about. Endpoints, which may come by the
//! hundred thousand, are not kept. `pjsip_wizard.conf`, realtime and other sorcery backends are not read.

use std::path::{Path, PathBuf};

use super::{
    conf::{Conf, Origin, Section},
    tls::Setting,
};

/// What pjsip.conf says of transports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PjsipConf {
    /// The file.
    pub file: PathBuf,
    /// The transports, in the order of the file.
    pub transports: Vec<Transport>,
}

impl PjsipConf {
    /// Whether a `protocol=tls` transport serves this certificate or uses this key.
    pub fn uses(&self, cert: &Path, key: &Path) -> bool {
        let is = |path: &Option<Setting<PathBuf>>, file: &Path| path.as_ref().is_some_and(|path| path.value == file);
        self.transports
            .iter()
            .filter(|transport| transport.protocol.value == Protocol::Tls)
            .any(|transport| is(&transport.cert, cert) || is(&transport.key, key))
    }
}

/// One `type=transport` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transport {
    /// The section's name.
    pub name: String,
    /// `protocol`; `udp` where none is set.
    pub protocol: Setting<Protocol>,
    /// `bind`, as it stands there.
    pub bind: Option<Setting<String>>,
    /// `cert_file`.
    pub cert: Option<Setting<PathBuf>>,
    /// `priv_key_file`. The certificate's file is no substitute.
    pub key: Option<Setting<PathBuf>>,
    /// Where the section begins.
    pub origin: Origin,
}

/// `protocol` of a transport.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Protocol {
    Udp,
    Tcp,
    Tls,
    Ws,
    Wss,
    Flow,
    /// Asterisk refuses the transport.
    Unknown(String),
}

/// The entries that matter here. `type` also serves `[name](+type=transport)`.
pub(super) fn keep(name: &[u8]) -> bool {
    ["type", "protocol", "bind", "cert_file", "priv_key_file"].iter().any(|kept| name.eq_ignore_ascii_case(kept.as_bytes()))
}

/// Picks the transports out.
pub(super) fn pjsip_conf(conf: &Conf) -> PjsipConf {
    // The first `type` counts, which a template may have set; of other options it is the last one.
    let is_transport =
        |section: &Section<'_>| section.entries().find(|entry| entry.is("type")).is_some_and(|entry| entry.value_bytes() == b"transport");
    PjsipConf { file: conf.file.clone(), transports: conf.sections().filter(is_transport).map(transport).collect() }
}

fn transport(section: Section<'_>) -> Transport {
    let path = |name| section.last(name).filter(|entry| !entry.value_bytes().is_empty()).map(|entry| Setting::at(entry.path(), entry));
    Transport {
        name: section.name().into_owned(),
        protocol: section.last("protocol").map_or(Setting::default(Protocol::Udp), |entry| Setting::at(protocol(&entry.value()), entry)),
        bind: section.last("bind").map(|entry| Setting::at(entry.value().into_owned(), entry)),
        cert: path("cert_file"),
        key: path("priv_key_file"),
        origin: section.origin(),
    }
}

fn protocol(text: &str) -> Protocol {
    match text.to_ascii_lowercase().as_str() {
        "udp" => Protocol::Udp,
        "tcp" => Protocol::Tcp,
        "tls" => Protocol::Tls,
        "ws" => Protocol::Ws,
        "wss" => Protocol::Wss,
        "flow" => Protocol::Flow,
        _ => Protocol::Unknown(text.to_owned()),
    }
}
