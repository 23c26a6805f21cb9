//! Settings + Asterisk's own files → [`Plan`]: what is watched, which door is tried, what is reloaded, and how AMI is reached. Pure. What
//! the settings name goes before what Asterisk's files name, and that before what is usual.

use std::net::IpAddr;

use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    asterisk::config::{AsteriskConfig, HEALING_LINE, HttpConf, ManagerConf},
    diagnosis::{Code, Finding},
    material::Sources,
    proof::Target,
    settings::{Address, AmiAuth, AmiTls, ReloadMode, Settings},
    state::{HealMeans, Means},
};

/// What follows from the settings and Asterisk's files.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is watched.
    pub sources: Sources,
    /// Which door is tried, and how.
    pub target: Target,
    /// What is reloaded, and how a dark listener can be brought back.
    pub means: Means,
    /// How AMI is reached.
    pub ami: AmiPlan,
    /// What is wrong in Asterisk's files, and in how they are used.
    pub findings: Vec<Finding>,
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
    /// How it is shown.
    pub auth: AmiAuth,
    /// AMI over TLS.
    pub tls: Option<AmiTls>,
}

impl PartialEq for AmiPlan {
    fn eq(&self, other: &Self) -> bool {
        let secret = |plan: &Self| plan.secret.as_ref().map(|secret| secret.expose_secret().to_owned());
        (&self.address, &self.username, self.auth, &self.tls) == (&other.address, &other.username, other.auth, &other.tls)
            && secret(self) == secret(other)
    }
}

/// Puts the plan together. `config`: `None` where `asterisk.configDir` is not set.
pub fn plan(settings: &Settings, config: Option<&AsteriskConfig>) -> Plan {
    let http = config.and_then(|config| config.http.as_ref().ok());
    let manager = config.and_then(|config| config.manager.as_ref().ok());
    let sources = sources(settings, http);
    let modules = modules(settings, config, &sources);
    let mut findings = settings.findings();
    findings.extend(config.iter().flat_map(|config| config.findings.iter().cloned()));
    let heal = heal_means(settings, config, http);
    if !matches!(heal, HealMeans::None(_)) {
        let file = http.map(|http| http.file.display().to_string());
        findings.retain(|finding| finding.code != Code::CannotHeal || finding.get("file").map(ToString::to_string) != file);
    }
    Plan { target: target(settings, http), means: Means { modules, heal }, ami: ami(settings, manager), sources, findings }
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

/// http first: it is the one that browsers wait for.
fn modules(settings: &Settings, config: Option<&AsteriskConfig>, sources: &Sources) -> Vec<String> {
    let uses = |mode: ReloadMode, used: &dyn Fn(&AsteriskConfig) -> bool, unknown: bool| match mode {
        ReloadMode::Always => true,
        ReloadMode::Never => false,
        ReloadMode::Auto => config.map_or(unknown, used),
    };
    let http = |config: &AsteriskConfig| {
        config.http.as_ref().map_or(true, |http| http.cert.value == sources.cert || http.key.value == sources.key)
    };
    let pjsip = |config: &AsteriskConfig| config.pjsip.as_ref().is_ok_and(|pjsip| pjsip.uses(&sources.cert, &sources.key));
    let manager = |config: &AsteriskConfig| {
        let same = |manager: &ManagerConf| manager.cert.value == sources.cert || manager.key.value == sources.key;
        config.manager.as_ref().is_ok_and(|manager| manager.tls_enabled.value && same(manager))
    };
    let asked = [
        ("http", uses(settings.reload.http, &http, true)),
        ("res_pjsip.so", uses(settings.reload.pjsip, &pjsip, false)),
        ("manager", uses(settings.reload.manager, &manager, false)),
    ];
    asked.into_iter().filter(|(_, wanted)| *wanted).map(|(module, _)| module.to_owned()).collect()
}

fn heal_means(settings: &Settings, config: Option<&AsteriskConfig>, http: Option<&HttpConf>) -> HealMeans {
    let stamp = settings.certificate.stamp.as_ref();
    match (http, stamp) {
        (Some(http), _) if http.heals.is_some() => HealMeans::AbsentInclude,
        (Some(http), Some(stamp)) if http.includes(stamp) => HealMeans::Stamp(stamp.clone()),
        (Some(http), _) => {
            let finding = config.iter().flat_map(|config| &config.findings).find(|finding| {
                finding.code == Code::CannotHeal
                    && finding.get("file").is_some_and(|file| file.to_string() == http.file.display().to_string())
            });
            HealMeans::None(
                finding
                    .cloned()
                    .unwrap_or_else(|| Finding::new(Code::CannotHeal).with("file", http.file.as_path()).with("paste", HEALING_LINE)),
            )
        }
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
