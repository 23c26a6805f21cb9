//! manager.conf → [`ManagerConf`]: where AMI listens, in cleartext and over TLS, and its users. Secrets stay secret. Every rule ran on
//! Asterisk 16 and 22, which agree.

use std::{
    net::{IpAddr, Ipv6Addr},
    path::{Path, PathBuf},
};

use secrecy::SecretString;

use super::{
    conf::{Conf, Heals, Origin, Section},
    tls::{Refused, Setting, Tls},
    value,
};
use crate::settings::Address;

/// What manager.conf comes to.
#[derive(Clone, Debug)]
pub struct ManagerConf {
    /// The file.
    pub file: PathBuf,
    /// `enabled`: whether AMI listens in cleartext.
    pub enabled: Setting<bool>,
    /// `bindaddr` (numeric, `::` where none is set: every address) and `port` (5038).
    pub bind: Setting<Address>,
    /// `tlsenable`. AMI over TLS listens without `enabled`, too.
    pub tls_enabled: Setting<bool>,
    /// `tlsbindaddr`, else the address of `bindaddr`; port 5039 where none or the cleartext port is named.
    pub tls_bind: Setting<Address>,
    /// A last `tlsbindaddr` that Asterisk does not take.
    pub tls_bind_refused: Option<Refused>,
    /// `tlscertfile`. A relative path is relative to Asterisk's working directory.
    pub cert: Setting<PathBuf>,
    /// `tlsprivatekey`, else the certificate's file.
    pub key: Setting<PathBuf>,
    /// What makes every reload read the file again; only then does AMI over TLS pick up a new certificate.
    pub heals: Option<Heals>,
    /// The files that are included and exist.
    pub included: Vec<PathBuf>,
    /// The users, in the order of the file; sections of one name are one user.
    pub users: Vec<ManagerUser>,
}

/// One AMI user.
#[derive(Clone, Debug)]
pub struct ManagerUser {
    /// The section's name.
    pub name: String,
    /// `secret`.
    pub secret: Option<SecretString>,
    /// The classes that `read` names, in lowercase.
    pub read: Vec<String>,
    /// The classes that `write` names, in lowercase.
    pub write: Vec<String>,
    /// `permit`, `deny` and `acl` lines: the user may be barred from some addresses.
    pub restricted: Vec<Origin>,
    /// Where the user's first section begins.
    pub origin: Origin,
}

impl ManagerUser {
    /// Whether the user may send actions of this class.
    pub fn may_write(&self, class: &str) -> bool {
        names_class(&self.write, class)
    }

    /// Whether the user gets events of this class.
    pub fn may_read(&self, class: &str) -> bool {
        names_class(&self.read, class)
    }
}

impl ManagerConf {
    /// The user of this name, which is compared without regard to ASCII case.
    pub fn user(&self, name: &str) -> Option<&ManagerUser> {
        self.users.iter().find(|user| user.name.eq_ignore_ascii_case(name))
    }

    /// Whether touching `file` makes the next reload read manager.conf again.
    pub fn includes(&self, file: &Path) -> bool {
        self.included.iter().any(|included| included == file)
    }
}

const PORT: u16 = 5038;
const TLS_PORT: u16 = 5039;
/// Users beyond any deployment; keeps a hostile file from quadratic time.
const MOST_USERS: usize = 10_000;

/// Reads `[general]` and the users.
pub(super) fn manager_conf(conf: &Conf) -> ManagerConf {
    let mut tls = Tls::new();
    let mut enabled = Setting::default(false);
    let mut ip: Setting<IpAddr> = Setting::default(Ipv6Addr::UNSPECIFIED.into());
    let mut port = PORT;
    for entry in conf.section("general").iter().flat_map(|general| general.entries()) {
        let text = entry.value();
        if tls.take(entry) {
        } else if entry.is("enabled") {
            enabled = Setting::at(value::truth(&text), entry);
        } else if entry.is("bindaddr") {
            // Its port is not looked at; a name is refused, and AMI listens everywhere.
            ip = Setting::at(value::address(&text).map_or(Ipv6Addr::UNSPECIFIED.into(), |(ip, _)| ip), entry);
        } else if entry.is("port") {
            // Below 1024 it is refused.
            port = value::number(&text).and_then(|port| u16::try_from(port).ok()).filter(|port| *port >= 1024).unwrap_or(port);
        }
    }
    let tls_bind = match &tls.bind {
        Some(Setting { value: (ip, tls_port), origin }) => Setting {
            value: Address { host: ip.to_string(), port: tls_port.filter(|tls_port| *tls_port != port).unwrap_or(TLS_PORT) },
            origin: origin.clone(),
        },
        None => Setting { value: Address { host: ip.value.to_string(), port: TLS_PORT }, origin: ip.origin.clone() },
    };
    ManagerConf {
        file: conf.file.clone(),
        enabled,
        bind: Setting { value: Address { host: ip.value.to_string(), port }, origin: ip.origin },
        tls_enabled: tls.enabled.clone(),
        tls_bind,
        tls_bind_refused: tls.refused.clone(),
        cert: tls.cert(),
        key: tls.key(),
        heals: conf.heals(),
        included: conf.includes.iter().flat_map(|include| include.found.iter().cloned()).collect(),
        users: users(conf),
    }
}

fn users(conf: &Conf) -> Vec<ManagerUser> {
    let mut users: Vec<ManagerUser> = Vec::new();
    for section in conf.sections().filter(|section| !section.name_bytes().eq_ignore_ascii_case(b"general")) {
        let name = section.name().into_owned();
        let index = match users.iter().position(|user| user.name.eq_ignore_ascii_case(&name)) {
            Some(index) => index,
            None if users.len() >= MOST_USERS => break,
            None => {
                let (read, write, restricted) = (Vec::new(), Vec::new(), Vec::new());
                users.push(ManagerUser { name, secret: None, read, write, restricted, origin: section.origin() });
                users.len() - 1
            }
        };
        apply(&mut users[index], section);
    }
    users
}

fn apply(user: &mut ManagerUser, section: Section<'_>) {
    for entry in section.entries() {
        if entry.is("secret") {
            user.secret = Some(SecretString::from(entry.value().into_owned()));
        } else if entry.is("read") {
            user.read = classes(&entry.value());
        } else if entry.is("write") {
            user.write = classes(&entry.value());
        } else if entry.is("permit") || entry.is("deny") || entry.is("acl") {
            user.restricted.push(entry.origin());
        }
    }
}

/// Asterisk splits at commas and does not strip: in `system , command` it finds no class at all. Blanks are kept here for that reason.
fn classes(text: &str) -> Vec<String> {
    text.split(',').map(str::to_ascii_lowercase).collect()
}

fn names_class(classes: &[String], class: &str) -> bool {
    classes.iter().any(|named| named == class || named == "all")
}
