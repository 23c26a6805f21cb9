//! pjsip.conf → [`PjsipConf`]: its `type=transport` sections and the certificates of its endpoints, which is all that certificates are
//! about. Endpoints, which may come by the hundred thousand, are not kept: each pair of files is, once. `pjsip_wizard.conf`, realtime and other sorcery backends are not read.

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
    /// The certificates of endpoints for DTLS-SRTP, each pair of files once, in the order of the file; the first 64.
    pub dtls: Vec<DtlsPair>,
    /// The files that are included and exist.
    pub included: Vec<PathBuf>,
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

/// What endpoints show in the DTLS handshake of their media; read by Asterisk for each call. Where the certificate's file is missing or
/// may not be read when pjsip.conf is read, Asterisk goes without the endpoint (ran on 16 and 22).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DtlsPair {
    /// `dtls_cert_file`.
    pub cert: PathBuf,
    /// `dtls_private_key`; the certificate's file where none is named.
    pub key: PathBuf,
    /// The first endpoint that names them.
    pub endpoint: String,
    /// The line that names the certificate there, which may be a template's.
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

/// Picks the transports out. `dtls`: what its endpoints show.
pub(super) fn pjsip_conf(conf: &Conf, dtls: Vec<DtlsPair>) -> PjsipConf {
    PjsipConf {
        file: conf.file.clone(),
        transports: conf.sections().filter(|section| is_a(section, b"transport")).map(transport).collect(),
        dtls,
        included: conf.includes.iter().flat_map(|include| include.found.iter().cloned()).collect(),
    }
}

/// The first `type` counts, which a template may have set; of other options it is the last one.
fn is_a(section: &Section<'_>, kind: &[u8]) -> bool {
    section.entries().find(|entry| entry.is("type")).is_some_and(|entry| entry.value_bytes() == kind)
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
