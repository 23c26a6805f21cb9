//! The settings as they are written: names, types and defaults, before any value is judged. The JSON Schema comes from these types, and the
//! tree of the file is checked against that schema before it becomes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AmiAuth, LivenessPolicy, LogFormat, ReloadMode, kubernetes::RawKubernetes, notify::RawReceiver};

/// Settings of Starkeeper, the agent that keeps Asterisk's secure WebSocket door open.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(title = "Starkeeper settings")]
pub(super) struct Raw {
    /// Where Asterisk is and how to talk to it.
    pub(super) asterisk: RawAsterisk,
    /// Which certificate is watched, and what it must be.
    pub(super) certificate: RawCertificate,
    /// The secure WebSocket that browsers use.
    pub(super) wss: RawWss,
    /// Which modules are reloaded when the certificate rotates.
    pub(super) reload: RawReload,
    /// How often, and how patiently, the door is tried.
    pub(super) probe: RawProbe,
    /// When a certificate that will expire is spoken of: whichever comes later for short-lived certificates, the span or the fraction.
    pub(super) expiry: RawExpiry,
    /// When liveness fails.
    pub(super) liveness: RawLiveness,
    /// What readiness asks beyond an accepted upgrade.
    pub(super) readiness: RawReadiness,
    /// The agent's own HTTP listener.
    pub(super) http: RawHttp,
    /// What is told to Kubernetes, and asked of it; all of it only inside a cluster.
    pub(super) kubernetes: RawKubernetes,
    /// Who is told when something changes: each of exactly one kind.
    pub(super) notify: Vec<RawReceiver>,
    /// The agent's own log.
    pub(super) log: RawLog,
}

/// Where Asterisk is and how to talk to it.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct RawAsterisk {
    /// The folder of http.conf, pjsip.conf and manager.conf, where it is mounted beside the agent; what is not set is read from there.
    #[schemars(extend("examples" = ["/etc/asterisk"]))]
    pub(super) config_dir: Option<String>,
    /// The Asterisk Manager Interface.
    pub(super) ami: RawAmi,
    /// The account that Asterisk runs as, whose readability of the files is judged; default: not judged.
    #[schemars(extend("examples" = [{ "uid": 101, "gid": 102 }]))]
    pub(super) user: Option<RawUser>,
}

/// The Asterisk Manager Interface.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct RawAmi {
    /// `host:port`; default: what manager.conf says, else 127.0.0.1:5038 (5039 with TLS).
    #[schemars(extend("examples" = ["127.0.0.1:5038"]))]
    pub(super) address: Option<String>,
    /// The AMI user, a section of manager.conf.
    pub(super) username: String,
    /// The file that holds the AMI user's secret; default: what manager.conf says.
    #[schemars(extend("examples" = ["/run/secrets/ami"]))]
    pub(super) secret_file: Option<String>,
    /// How the secret is shown to Asterisk.
    pub(super) auth: AmiAuth,
    /// AMI over TLS; null: plain TCP; `{}`: TLS, verified with the system's trust.
    #[schemars(extend("examples" = [{}]))]
    pub(super) tls: Option<RawAmiTls>,
}

/// AMI over TLS.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct RawAmiTls {
    /// The name that AMI's certificate must cover; default: the address's host.
    #[schemars(extend("examples" = ["pbx.example.com"]))]
    pub(super) server_name: Option<String>,
    /// Whom AMI's certificate must come from: `system`, `none` or a CA file.
    #[schemars(extend("examples" = ["system", "none", "/etc/ssl/ami-ca.pem"]))]
    pub(super) trust: String,
}

/// The account that Asterisk runs as.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawUser {
    /// User id.
    #[schemars(range(max = 4_294_967_295_u32))]
    pub(super) uid: u32,
    /// Primary group id.
    #[schemars(range(max = 4_294_967_295_u32))]
    pub(super) gid: u32,
    /// Supplementary group ids, such as a pod's fsGroup.
    #[serde(default)]
    #[schemars(inner(range(max = 4_294_967_295_u32)))]
    pub(super) groups: Vec<u32>,
}

/// Which certificate is watched, and what it must be.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct RawCertificate {
    /// The PEM file with the leaf first; default: what http.conf names.
    #[schemars(extend("examples" = ["/tls/tls.crt"]))]
    pub(super) cert: Option<String>,
    /// The PEM file with the private key; default: what http.conf names, else `cert`.
    #[schemars(extend("examples" = ["/tls/tls.key"]))]
    pub(super) key: Option<String>,
    /// DNS names and IP addresses that the leaf must cover.
    #[schemars(extend("examples" = [["pbx.example.com"]]))]
    pub(super) names: Vec<String>,
    /// Whom browsers trust: `system`, `none` (not judged) or a CA file.
    #[schemars(extend("examples" = ["system", "none", "/tls/ca.crt"]))]
    pub(super) trust: String,
    /// Staged mode: the pair is checked first, then published into a folder that Asterisk reads; null: Asterisk reads `cert` and `key`.
    #[schemars(extend("examples" = [{ "directory": "/run/starkeeper/tls", "uid": 101, "gid": 102, "mode": "0440" }]))]
    pub(super) publish: Option<RawPublish>,
    /// An existing file that http.conf includes, to touch before a healing reload; not needed with `#tryinclude starkeeper.absent`.
    #[schemars(extend("examples" = ["/etc/asterisk/starkeeper.stamp"]))]
    pub(super) stamp: Option<String>,
}

/// Staged mode: http.conf names `fullchain.pem` and `privkey.pem`, or `combined.pem` alone, in this folder.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawPublish {
    /// The folder that Asterisk reads; not the folder of `cert` and `key`, nor below it. Its last component is created.
    #[schemars(extend("examples" = ["/run/starkeeper/tls"]))]
    pub(super) directory: String,
    /// Owner of the files; default: the agent's own.
    #[schemars(range(max = 4_294_967_294_u32))]
    pub(super) uid: Option<u32>,
    /// Group of the files; default: the agent's own, or the folder's where that is setgid.
    #[schemars(range(max = 4_294_967_294_u32))]
    pub(super) gid: Option<u32>,
    /// Permission of the files as octal digits between quotes; never for others than owner and group.
    #[serde(default = "published_mode")]
    #[schemars(regex(pattern = "^0?[46][0246]0$"), extend("examples" = ["0440", "0400", "0640"]))]
    pub(super) mode: String,
}

/// The secure WebSocket that browsers use.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct RawWss {
    /// `host:port` to probe; default: what http.conf says, else 127.0.0.1:8089.
    #[schemars(extend("examples" = ["127.0.0.1:8089", "[::1]:8089"]))]
    pub(super) address: Option<String>,
    /// The request path; default: `/ws` below the prefix of http.conf.
    #[schemars(extend("examples" = ["/ws"]))]
    pub(super) path: Option<String>,
    /// SNI and the name that is verified; default: the first of `certificate.names`.
    #[schemars(extend("examples" = ["pbx.example.com"]))]
    pub(super) server_name: Option<String>,
    /// An `Origin` header, for those who filter on it.
    #[schemars(extend("examples" = ["https://phone.example.com"]))]
    pub(super) origin: Option<String>,
}

/// Which modules are reloaded when the certificate rotates.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct RawReload {
    /// `module reload http`.
    pub(super) http: ReloadMode,
    /// `pjsip reload`; auto: when pjsip.conf uses these files.
    pub(super) pjsip: ReloadMode,
    /// `module reload manager`; auto: when manager.conf uses these files.
    pub(super) manager: ReloadMode,
}

/// How often, and how patiently, the door is tried.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct RawProbe {
    /// Between two probes while all is well; not shorter than `timeout`.
    #[schemars(regex(pattern = DURATION), extend("examples" = ["10s"]))]
    pub(super) interval: String,
    /// For each stage of one probe, and for each answer of AMI.
    #[schemars(regex(pattern = DURATION), extend("examples" = ["3s"]))]
    pub(super) timeout: String,
}

/// When a certificate that will expire is spoken of.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct RawExpiry {
    /// Left before `leaf-expiring` is a warning.
    #[schemars(regex(pattern = DURATION), extend("examples" = ["21d"]))]
    pub(super) warning: String,
    /// Left before `leaf-expiring` is an error; not longer than `warning`.
    #[schemars(regex(pattern = DURATION), extend("examples" = ["7d"]))]
    pub(super) critical: String,
    /// Short-lived certificates: the warning comes when less than this part of the lifetime is left.
    #[schemars(range(min = 0, max = 1), extend("examples" = [0.33]))]
    pub(super) lifetime_fraction: f64,
}

/// When liveness fails.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct RawLiveness {
    /// What makes it fail.
    pub(super) policy: LivenessPolicy,
    /// For how long it must last.
    #[schemars(regex(pattern = DURATION), extend("examples" = ["60s"]))]
    pub(super) after: String,
}

/// What readiness asks beyond an accepted upgrade.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct RawReadiness {
    /// Whether browsers must trust what is served.
    pub(super) require_trusted: bool,
}

/// The agent's own HTTP listener.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct RawHttp {
    /// IP address and port; port 0 picks a free one.
    #[schemars(extend("examples" = ["[::]:9808", "0.0.0.0:9808"]))]
    pub(super) listen: String,
}

/// The agent's own log, on stderr.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct RawLog {
    /// How a line is written.
    pub(super) format: LogFormat,
    /// `off`, `error`, `warn`, `info`, `debug` or `trace`, also for each part: `starkeeper=debug,warn`.
    #[schemars(extend("examples" = ["info", "starkeeper=debug,warn"]))]
    pub(super) level: String,
}

impl Default for RawAmi {
    fn default() -> Self {
        RawAmi { address: None, username: "starkeeper".into(), secret_file: None, auth: AmiAuth::Md5, tls: None }
    }
}

impl Default for RawAmiTls {
    fn default() -> Self {
        RawAmiTls { server_name: None, trust: "system".into() }
    }
}

impl Default for RawCertificate {
    fn default() -> Self {
        RawCertificate { cert: None, key: None, names: Vec::new(), trust: "system".into(), publish: None, stamp: None }
    }
}

impl Default for RawReload {
    fn default() -> Self {
        RawReload { http: ReloadMode::Always, pjsip: ReloadMode::Auto, manager: ReloadMode::Auto }
    }
}

impl Default for RawProbe {
    fn default() -> Self {
        RawProbe { interval: "10s".into(), timeout: "3s".into() }
    }
}

impl Default for RawExpiry {
    fn default() -> Self {
        RawExpiry { warning: "21d".into(), critical: "7d".into(), lifetime_fraction: 0.33 }
    }
}

impl Default for RawLiveness {
    fn default() -> Self {
        RawLiveness { policy: LivenessPolicy::RestartHelps, after: "60s".into() }
    }
}

impl Default for RawHttp {
    fn default() -> Self {
        RawHttp { listen: "[::]:9808".into() }
    }
}

impl Default for RawLog {
    fn default() -> Self {
        RawLog { format: LogFormat::Auto, level: "info".into() }
    }
}

/// Asterisk's user and group read, nobody writes.
fn published_mode() -> String {
    "0440".into()
}

/// Whole numbers, each with its unit.
const DURATION: &str = "^([0-9]+(ms|s|m|h|d))+$";
