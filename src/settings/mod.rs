//! YAML, environment and flags → validated [`Settings`]. What leaves can be acted upon as it is; what cannot be is refused with every
//! error at once, each naming the file, the line and the remedy.

mod error;
mod kubernetes;
mod load;
mod notify;
mod overrides;
mod raw;
mod scalar;
mod schema;
mod secret;
#[cfg(test)]
mod tests;
mod tree;

pub use error::{Error, Errors, Kind, Place};
pub use kubernetes::{KubernetesSettings, RotationSettings, SERVICE_ACCOUNT, Switch};
pub use load::{Inputs, load};
pub use notify::{
    Email, KINDS as RECEIVER_KINDS, MailTls, Means, Method, Receiver, Secret, Target, Template, Url, sample as sample_notification,
};
pub use overrides::Overrides;
pub use scalar::{name, place, span};
pub use schema::schema;
pub use secret::in_file as secret_in_file;
pub(crate) use tree::{Dialect, Node};

use std::{fmt, net::IpAddr, path::PathBuf, time::Duration};

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::diagnosis::{Code, Finding};

/// Everything that a user can set, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where Asterisk is and how to talk to it.
    pub asterisk: AsteriskSettings,
    /// Which certificate is watched, and what it must be.
    pub certificate: CertificateSettings,
    /// The secure WebSocket that browsers use.
    pub wss: WssSettings,
    /// Which modules are reloaded when the certificate rotates.
    pub reload: ReloadSettings,
    /// How often, and how patiently, the door is tried.
    pub probe: ProbeSettings,
    /// When a certificate that will expire is spoken of.
    pub expiry: ExpirySettings,
    /// When liveness fails.
    pub liveness: LivenessSettings,
    /// What readiness asks beyond an accepted upgrade.
    pub readiness: ReadinessSettings,
    /// The agent's own HTTP listener.
    pub http: HttpSettings,
    /// What is told to Kubernetes, and asked of it.
    pub kubernetes: KubernetesSettings,
    /// Who is told when something changes.
    pub notify: Vec<Receiver>,
    /// The agent's own log.
    pub log: LogSettings,
}

impl Settings {
    /// What is allowed and yet unwise: `ami-plaintext-remote`, when the AMI secret itself would cross a network unencrypted.
    pub fn findings(&self) -> Vec<Finding> {
        let ami = &self.asterisk.ami;
        let remote = ami.address.as_ref().filter(|address| !address.is_loopback());
        match (remote, ami.auth, &ami.tls) {
            (Some(address), AmiAuth::Plain, None) => {
                vec![Finding::new(Code::AmiPlaintextRemote).with("address", address.to_string()).with("auth", "plain")]
            }
            (_, AmiAuth::Md5 | AmiAuth::Plain, _) => Vec::new(),
        }
    }
}

/// Where Asterisk is and how to talk to it.
#[derive(Clone, Debug)]
pub struct AsteriskSettings {
    /// The folder of http.conf and manager.conf, where it is mounted beside the agent.
    pub config_dir: Option<PathBuf>,
    /// The Asterisk Manager Interface.
    pub ami: AmiSettings,
    /// Whose readability of the files is judged; `None`: not judged.
    pub user: Option<UserIds>,
}

/// The account that Asterisk runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserIds {
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Supplementary group ids (a pod's `fsGroup`).
    pub groups: Vec<u32>,
}

/// How to log in to the Asterisk Manager Interface.
#[derive(Clone, Debug)]
pub struct AmiSettings {
    /// `host:port`; `None`: read from manager.conf, else 127.0.0.1:5038 (5039 with TLS).
    pub address: Option<Address>,
    /// The AMI user, a section of manager.conf.
    pub username: String,
    /// Its secret; `None`: read from manager.conf where that is mounted.
    pub secret: Option<SecretString>,
    /// The file that it was read from, to be read again as secrets rotate.
    pub secret_file: Option<PathBuf>,
    /// How the secret is shown to Asterisk.
    pub auth: AmiAuth,
    /// AMI over TLS; `None`: plain TCP.
    pub tls: Option<AmiTls>,
}

/// How the secret is shown to Asterisk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AmiAuth {
    /// `Action: Challenge`, then md5(challenge + secret): the secret never crosses the wire.
    Md5,
    /// The secret itself.
    Plain,
}

/// AMI over TLS (`tlsenable` in manager.conf).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmiTls {
    /// The name that AMI's certificate must cover; `None`: the address's host.
    pub server_name: Option<String>,
    /// Whom AMI's certificate must come from.
    pub trust: Trust,
}

/// Which certificate is watched, and what it must be.
#[derive(Clone, Debug)]
pub struct CertificateSettings {
    /// The PEM file with the leaf first; `None`: what http.conf names.
    pub cert: Option<PathBuf>,
    /// The PEM file with the private key; `None`: what http.conf names, else `cert`. Never `None` in staged mode.
    pub key: Option<PathBuf>,
    /// DNS names and IP addresses that the leaf must cover.
    pub names: Vec<String>,
    /// Whom browsers trust.
    pub trust: Trust,
    /// Staged mode: where the checked pair is published for Asterisk to read; `None`: Asterisk reads `cert` and `key` themselves.
    pub publish: Option<Publish>,
    /// A file that http.conf includes, to touch before a healing reload.
    pub stamp: Option<PathBuf>,
}

/// Where, and for whom, the checked pair is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// The folder that Asterisk reads, often a tmpfs that both containers mount. Never the folder of the watched files, nor below it.
    pub directory: PathBuf,
    /// Owner of the files; `None`: the agent's own.
    pub uid: Option<u32>,
    /// Group of the files; `None`: the agent's own, or the folder's where that is setgid.
    pub gid: Option<u32>,
    /// Permission bits of the files: the owner may read, others than owner and group may not, nobody may execute.
    pub mode: u32,
}

/// Whom a chain must lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The system's store, or Mozilla's list where the image has none.
    System,
    /// Not judged at all.
    None,
    /// The certificates of one PEM file.
    File(PathBuf),
}

/// The secure WebSocket that browsers use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WssSettings {
    /// `host:port` to probe; `None`: read from http.conf, else 127.0.0.1:8089.
    pub address: Option<Address>,
    /// The request path; `None`: `/ws` below the prefix of http.conf.
    pub path: Option<String>,
    /// SNI and the name that is verified; `None`: the first of `certificate.names`.
    pub server_name: Option<String>,
    /// An `Origin` header, for those who filter on it.
    pub origin: Option<String>,
}

/// Whether a module is reloaded when the certificate rotates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ReloadMode {
    /// With every rotation.
    Always,
    /// When its configuration uses these very files.
    Auto,
    /// Not at all.
    Never,
}

/// Which modules are reloaded when the certificate rotates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReloadSettings {
    /// `module reload http`.
    pub http: ReloadMode,
    /// `pjsip reload`.
    pub pjsip: ReloadMode,
    /// `module reload manager`.
    pub manager: ReloadMode,
}

/// How often, and how patiently, the door is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeSettings {
    /// Between two probes while all is well.
    pub interval: Duration,
    /// For each stage of one probe, and for each answer of AMI.
    pub timeout: Duration,
}

/// When a certificate that will expire is spoken of. Whichever comes later: the span, or the fraction of the lifetime.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExpirySettings {
    /// Left before `leaf-expiring` is a warning.
    pub warning: Duration,
    /// Left before `leaf-expiring` is an error.
    pub critical: Duration,
    /// Short-lived certificates: the warning comes when less than this part of the lifetime is left (0 to 1).
    pub lifetime_fraction: f64,
}

/// How little must be left of a certificate before it is called expiring: less than both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// `critical` or `warning`.
    pub level: &'static str,
    /// Of time.
    pub left: Duration,
    /// Of its lifetime (0 to 1).
    pub fraction: f64,
}

impl ExpirySettings {
    /// The later one first. The fraction is that of the warning, in the proportion that the two spans have.
    pub fn thresholds(&self) -> [Threshold; 2] {
        let critical = self.critical.min(self.warning);
        let proportion = critical.as_secs_f64() / self.warning.as_secs_f64().max(1.0);
        [
            Threshold { level: "critical", left: critical, fraction: self.lifetime_fraction * proportion },
            Threshold { level: "warning", left: self.warning, fraction: self.lifetime_fraction },
        ]
    }

    /// How many seconds before its end a certificate of such a lifetime (in seconds) is spoken of: as a warning, and as critical. For a
    /// short-lived one both come later, in the same proportion.
    pub fn before_the_end(&self, lifetime: i64) -> (i64, i64) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a float saturates, and seconds fit it exactly")]
        let of = |threshold: Threshold| {
            let left = i64::try_from(threshold.left.as_secs()).unwrap_or(i64::MAX);
            left.min((lifetime as f64 * threshold.fraction) as i64)
        };
        let [critical, warning] = self.thresholds();
        (of(warning), of(critical))
    }
}

impl Default for ExpirySettings {
    /// As the settings file has it where it says nothing.
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        ExpirySettings { warning: DAY * 21, critical: DAY * 7, lifetime_fraction: 0.33 }
    }
}

/// When liveness fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LivenessSettings {
    /// What counts.
    pub policy: LivenessPolicy,
    /// For how long it must last.
    pub after: Duration,
}

/// What makes liveness fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LivenessPolicy {
    /// Only what a restart of Asterisk would mend.
    RestartHelps,
    /// Nothing.
    Never,
    /// Whatever keeps /ws from accepting.
    Strict,
}

/// What readiness asks beyond an accepted upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadinessSettings {
    /// Whether browsers must trust what is served.
    pub require_trusted: bool,
}

/// The agent's own HTTP listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// Address and port; port 0 picks a free one.
    pub listen: std::net::SocketAddr,
}

/// The agent's own log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// How a line is written.
    pub format: LogFormat,
    /// A tracing filter: `info`, `debug`, `starkeeper=debug,warn`.
    pub level: String,
}

/// How a log line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// A host (name or IP address) and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// A DNS name or an IP address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Address {
    /// Whether both ends are surely on this machine (or in this pod).
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') { write!(f, "[{}]:{}", self.host, self.port) } else { write!(f, "{}:{}", self.host, self.port) }
    }
}
