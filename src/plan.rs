//! Settings + Asterisk's own files → [`Plan`]: what is watched, which door is tried, what is reloaded, and how AMI is reached. Pure. What
//! the settings name goes before what Asterisk's files name, and that before what is usual.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    asterisk::{
        config::{AsteriskConfig, HEALING_LINE, HttpConf, ManagerConf, Origin, Protocol, Setting, Transport},
        reload::Reload,
        surface::Surface,
        version,
    },
    diagnosis::{Code, Finding},
    material::Sources,
    proof::Target,
    settings::{Address, AmiAuth, AmiTls, ReloadMode, Settings},
    staging,
    state::{BesideMeans, HealMeans, Means},
};

/// What follows from the settings and Asterisk's files.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is watched.
    pub sources: Sources,
    /// Which door is tried, and how.
    pub target: Target,
    /// The other surfaces that use the files, and where each is.
    pub beside: Vec<(Surface, Target)>,
    /// What is reloaded, and how a dark listener can be brought back.
    pub means: Means,
    /// How AMI is reached.
    pub ami: AmiPlan,
    /// Certificates that Asterisk reads besides the watched ones.
    pub others: Vec<OtherPair>,
    /// What is wrong in Asterisk's files, and in how they are used.
    pub findings: Vec<Finding>,
}

/// A pair of files that Asterisk reads and that is not the watched one: judged, never reloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherPair {
    /// The two files.
    pub sources: Sources,
    /// Where they are shown: the name of a [`Surface`], or `dtls` for the media of endpoints.
    pub surface: String,
    /// The section that names them, where it has a name of its own.
    pub section: Option<String>,
    /// The line that names the certificate.
    pub origin: Origin,
}

/// How AMI is reached.
#[derive(Clone, Debug)]
pub struct AmiPlan {
    /// `host:port`
    pub address: Address,
    /// A section of manager.conf.
    pub username: String,
    /// Its secret; `None`: nobody names one.
    pub secret: Option<SecretString>,
    /// The file to read it from again at each login.
    pub secret_file: Option<PathBuf>,
    /// How it is shown.
    pub auth: AmiAuth,
    /// AMI over TLS.
    pub tls: Option<AmiTls>,
}

impl PartialEq for AmiPlan {
    fn eq(&self, other: &Self) -> bool {
        let secret = |plan: &Self| plan.secret.as_ref().map(|secret| secret.expose_secret().to_owned());
        (&self.address, &self.username, self.auth, &self.tls) == (&other.address, &other.username, other.auth, &other.tls)
            && (secret(self), &self.secret_file) == (secret(other), &other.secret_file)
    }
}

/// Puts the plan together. `config`: `None` where `asterisk.configDir` is not set; `asterisk`: its version, once it is known.
pub fn plan(settings: &Settings, config: Option<&AsteriskConfig>, asterisk: Option<&str>) -> Plan {
    let http = config.and_then(|config| config.http.as_ref().ok());
    let manager = config.and_then(|config| config.manager.as_ref().ok());
    let sources = sources(settings, http);
    let files = asterisk_files(settings, &sources);
    let others = config.map(|config| others(config, &files)).unwrap_or_default();
    let beside = config.map(|config| beside(settings, config, asterisk, &files)).unwrap_or_default();
    let mut findings = settings.findings();
    findings.extend(config.iter().flat_map(|config| config.all_findings().cloned()));
    let heal = heal_means(settings, config, http);
    if !matches!(heal, HealMeans::None(_)) {
        let file = http.map(|http| http.file.display().to_string());
        findings.retain(|finding| finding.code != Code::CannotHeal || finding.get("file").map(ToString::to_string) != file);
    }
    let (beside, beside_targets) = beside.into_iter().map(|(means, target)| (means.clone(), (means.surface, target))).unzip();
    let means = Means { reloads: reloads(settings, http, &files), heal, beside };
    Plan { target: target(settings, http), beside: beside_targets, means, ami: ami(settings, manager), sources, others, findings }
}

/// The files that Asterisk reads.
fn asterisk_files(settings: &Settings, sources: &Sources) -> Vec<PathBuf> {
    match &settings.certificate.publish {
        Some(publish) => staging::names(publish).to_vec(),
        None => vec![sources.cert.clone(), sources.key.clone()],
    }
}

fn sources(settings: &Settings, http: Option<&HttpConf>) -> Sources {
    let named = &settings.certificate;
    match (&named.cert, &named.key, http) {
        (Some(cert), Some(key), _) => Sources { cert: cert.clone(), key: key.clone() },
        (Some(cert), None, _) => Sources { cert: cert.clone(), key: cert.clone() },
        (None, _, Some(http)) => Sources { cert: http.cert.value.clone(), key: http.key.value.clone() },
        // http.conf cannot be read, which its own finding says: what Asterisk takes where nothing is named.
        (None, _, None) => Sources { cert: "asterisk.pem".into(), key: "asterisk.pem".into() },
    }
}

fn target(settings: &Settings, http: Option<&HttpConf>) -> Target {
    let named = &settings.wss;
    let read = || http.and_then(|http| http.tls_bind.as_ref()).map(|bind| reachable(&bind.value));
    let first_name = || settings.certificate.names.iter().find(|name| !name.starts_with('*')).cloned();
    Target {
        address: named.address.clone().or_else(read).unwrap_or_else(|| local(8089)),
        server_name: named.server_name.clone().or_else(first_name),
        path: named.path.clone().unwrap_or_else(|| http.map_or_else(|| "/ws".to_owned(), HttpConf::ws_path)),
        origin: named.origin.clone(),
        timeout: settings.probe.timeout,
    }
}

/// What a rotation reloads for browsers; http first. `auto` of the others is settled surface by surface.
fn reloads(settings: &Settings, http: Option<&HttpConf>, files: &[PathBuf]) -> Vec<Reload> {
    let uses_files = http.is_none_or(|http| files.contains(&http.cert.value) || files.contains(&http.key.value));
    let http = match settings.reload.http {
        ReloadMode::Always => true,
        ReloadMode::Auto => uses_files,
        ReloadMode::Never => false,
    };
    let always = |mode| mode == ReloadMode::Always;
    let asked = [(http, Reload::HTTP), (always(settings.reload.pjsip), Reload::Pjsip), (always(settings.reload.manager), Reload::MANAGER)];
    asked.into_iter().filter(|(wanted, _)| *wanted).map(|(_, reload)| reload).collect()
}

/// The other TLS surfaces that use these files.
fn beside(settings: &Settings, config: &AsteriskConfig, asterisk: Option<&str>, files: &[PathBuf]) -> Vec<(BesideMeans, Target)> {
    let uses = |path: Option<&PathBuf>| path.is_some_and(|path| files.contains(path));
    let tls = |transport: &&Transport| {
        let named = |setting: &Option<Setting<PathBuf>>| setting.as_ref().map(|setting| setting.value.clone());
        transport.protocol.value == Protocol::Tls && (uses(named(&transport.cert).as_ref()) || uses(named(&transport.key).as_ref()))
    };
    let mut found = Vec::new();
    for transport in config.pjsip.iter().flat_map(|pjsip| &pjsip.transports).filter(tls) {
        let reload = match settings.reload.pjsip {
            ReloadMode::Never => Err(None),
            ReloadMode::Always | ReloadMode::Auto => match asterisk {
                Some(version) if !version::reloads_sip_tls(version) => Err(Some(
                    Finding::new(Code::SipTlsReloadUnsupported)
                        .with("section", transport.name.clone())
                        .with("file", transport.origin.file.as_path())
                        .with("line", transport.origin.line)
                        .with("found", version),
                )),
                Some(_) | None => Ok(Reload::RES_PJSIP),
            },
        };
        let address = transport.bind.as_ref().and_then(|bind| sip_address(&bind.value)).unwrap_or_else(|| local(SIPS_PORT));
        found.push((BesideMeans { surface: Surface::SipTls { transport: transport.name.clone() }, reload }, address));
    }
    if let Ok(manager) = &config.manager
        && manager.tls_enabled.value
        && (uses(Some(&manager.cert.value)) || uses(Some(&manager.key.value)))
    {
        let cannot = || cannot_heal(config, &manager.file);
        let reload = match (settings.reload.manager, &manager.heals) {
            (ReloadMode::Never, _) => Err(None),
            (ReloadMode::Always | ReloadMode::Auto, None) => Err(Some(cannot())),
            (ReloadMode::Always | ReloadMode::Auto, Some(_)) => Ok(Reload::MANAGER),
        };
        found.push((BesideMeans { surface: Surface::AmiTls, reload }, reachable(&manager.tls_bind.value)));
    }
    let target = |address| Target { address, path: String::new(), origin: None, ..target(settings, None) };
    found.into_iter().map(|(means, address)| (means, target(address))).collect()
}

/// The pairs that Asterisk reads and that are not these files, each once.
fn others(config: &AsteriskConfig, files: &[PathBuf]) -> Vec<OtherPair> {
    let mut found: Vec<OtherPair> = Vec::new();
    let mut take = |surface: String, section: Option<&str>, cert: &Path, key: &Path, origin: Option<&Origin>| {
        let Some(origin) = origin else { return };
        let sources = Sources { cert: cert.to_owned(), key: key.to_owned() };
        let watched = [cert, key].iter().all(|path| files.iter().any(|file| file == path));
        // What is relative to Asterisk's working directory cannot be found from here.
        if !watched && cert.is_absolute() && key.is_absolute() && found.iter().all(|known| known.sources != sources) {
            found.push(OtherPair { sources, surface, section: section.map(str::to_owned), origin: origin.clone() });
        }
    };
    if let Some(http) = config.http.as_ref().ok().filter(|http| http.tls_enabled.value) {
        take(Surface::Wss.to_string(), None, &http.cert.value, &http.key.value, http.cert.origin.as_ref());
    }
    for transport in config.pjsip.iter().flat_map(|pjsip| &pjsip.transports).filter(|one| one.protocol.value == Protocol::Tls) {
        let surface = Surface::SipTls { transport: transport.name.clone() }.to_string();
        if let (Some(cert), Some(key)) = (&transport.cert, &transport.key) {
            take(surface, Some(&transport.name), &cert.value, &key.value, cert.origin.as_ref());
        }
    }
    if let Some(manager) = config.manager.as_ref().ok().filter(|manager| manager.tls_enabled.value) {
        take(Surface::AmiTls.to_string(), None, &manager.cert.value, &manager.key.value, manager.cert.origin.as_ref());
    }
    for pair in config.pjsip.iter().flat_map(|pjsip| &pjsip.dtls) {
        take("dtls".to_owned(), Some(&pair.endpoint), &pair.cert, &pair.key, Some(&pair.origin));
    }
    found
}

/// `bind` of a transport: an address with or without a port.
fn sip_address(bind: &str) -> Option<Address> {
    let socket = bind.parse::<SocketAddr>().ok();
    let address = match socket {
        Some(socket) => Address { host: socket.ip().to_string(), port: if socket.port() == 0 { SIPS_PORT } else { socket.port() } },
        None => Address { host: bind.trim_matches(['[', ']']).parse::<IpAddr>().ok()?.to_string(), port: SIPS_PORT },
    };
    Some(reachable(&address))
}

/// RFC 3261, 18.2.1.
const SIPS_PORT: u16 = 5061;

/// What the configuration room found, or the same in our words.
fn cannot_heal(config: &AsteriskConfig, file: &Path) -> Finding {
    let of_file = |finding: &&Finding| {
        finding.code == Code::CannotHeal && finding.get("file").is_some_and(|found| found.to_string() == file.display().to_string())
    };
    let found = config.findings.iter().find(of_file).cloned();
    found.unwrap_or_else(|| Finding::new(Code::CannotHeal).with("file", file).with("paste", HEALING_LINE))
}

fn heal_means(settings: &Settings, config: Option<&AsteriskConfig>, http: Option<&HttpConf>) -> HealMeans {
    let stamp = settings.certificate.stamp.as_ref();
    match (http, stamp) {
        (Some(http), _) if http.heals.is_some() => HealMeans::AbsentInclude,
        (Some(http), Some(stamp)) if http.includes(stamp) => HealMeans::Stamp(stamp.clone()),
        (Some(http), _) => HealMeans::None(config.map_or_else(
            || Finding::new(Code::CannotHeal).with("file", http.file.as_path()).with("paste", HEALING_LINE),
            |config| cannot_heal(config, &http.file),
        )),
        // http.conf is not at hand, so the stamp's word is taken.
        (None, Some(stamp)) => HealMeans::Stamp(stamp.clone()),
        (None, None) => HealMeans::Unknown,
    }
}

fn ami(settings: &Settings, manager: Option<&ManagerConf>) -> AmiPlan {
    let named = &settings.asterisk.ami;
    let usual = if named.tls.is_some() { 5039 } else { 5038 };
    let read = || manager.map(|manager| reachable(if named.tls.is_some() { &manager.tls_bind.value } else { &manager.bind.value }));
    let secret = || manager.and_then(|manager| manager.user(&named.username)).and_then(|user| user.secret.clone());
    AmiPlan {
        address: named.address.clone().or_else(read).unwrap_or_else(|| local(usual)),
        username: named.username.clone(),
        secret: named.secret.clone().or_else(secret),
        secret_file: named.secret_file.clone(),
        auth: named.auth,
        tls: named.tls.clone(),
    }
}

/// Where a listener that binds this can be reached from its own pod: one that binds every address is there on loopback, too.
fn reachable(bind: &Address) -> Address {
    match bind.host.parse::<IpAddr>() {
        Ok(ip) if ip.is_unspecified() => local(bind.port),
        Ok(_) | Err(_) => bind.clone(),
    }
}

fn local(port: u16) -> Address {
    Address { host: "127.0.0.1".to_owned(), port }
}
