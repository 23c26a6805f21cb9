//! The closed set of codes. What each means, and its remedy, is in the texts beside this file.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

use super::Severity;

macro_rules! codes {
    ($($variant:ident = $name:literal, $severity:ident, $group:ident;)*) => {
        /// Everything that can be found wrong. Named in kebab-case outside: `key-mismatch`.
        #[allow(missing_docs, reason = "the name says it; `starkeeper explain CODE` says more")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($variant,)* }

        impl Code {
            /// Every code, in the order of the groups.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The name that users see: kebab-case, never renamed.
            pub fn name(self) -> &'static str {
                match self { $(Code::$variant => $name,)* }
            }

            /// How much it usually hurts.
            pub fn severity(self) -> Severity {
                match self { $(Code::$variant => Severity::$severity,)* }
            }

            /// What it is about.
            pub fn group(self) -> Group {
                match self { $(Code::$variant => Group::$group,)* }
            }
        }
    };
}

codes! {
    // Pair
    CertMissing = "cert-missing", Error, Pair;
    CertUnreadable = "cert-unreadable", Error, Pair;
    CertEmpty = "cert-empty", Error, Pair;
    CertNotPem = "cert-not-pem", Error, Pair;
    CertIsDer = "cert-is-der", Error, Pair;
    CertIsKey = "cert-is-key", Error, Pair;
    KeyMissing = "key-missing", Error, Pair;
    KeyUnreadable = "key-unreadable", Error, Pair;
    KeyEmpty = "key-empty", Error, Pair;
    KeyNotPem = "key-not-pem", Error, Pair;
    KeyIsCert = "key-is-cert", Error, Pair;
    KeyEncrypted = "key-encrypted", Error, Pair;
    KeyMismatch = "key-mismatch", Error, Pair;
    KeyWeak = "key-weak", Error, Pair;
    KeyUnsupported = "key-unsupported", Info, Pair;
    KeyWorldReadable = "key-world-readable", Warning, Pair;
    PairTorn = "pair-torn", Error, Pair;
    LeafNotFirst = "leaf-not-first", Error, Pair;
    ChainIncomplete = "chain-incomplete", Warning, Pair;
    ChainDisordered = "chain-disordered", Warning, Pair;
    ChainExpiresFirst = "chain-expires-first", Warning, Pair;
    LeafExpired = "leaf-expired", Error, Pair;
    LeafNotYetValid = "leaf-not-yet-valid", Error, Pair;
    LeafExpiring = "leaf-expiring", Warning, Pair;
    LeafIsCa = "leaf-is-ca", Warning, Pair;
    LeafNotForServers = "leaf-not-for-servers", Error, Pair;
    NameNotCovered = "name-not-covered", Error, Pair;
    NameOnlyInCn = "name-only-in-cn", Error, Pair;
    SignatureWeak = "signature-weak", Error, Pair;
    SelfSigned = "self-signed", Warning, Pair;
    IssuerUntrusted = "issuer-untrusted", Error, Pair;
    // Ami
    AmiRefused = "ami-refused", Error, Ami;
    AmiTimeout = "ami-timeout", Error, Ami;
    AmiNotAmi = "ami-not-ami", Error, Ami;
    AmiAuthFailed = "ami-auth-failed", Error, Ami;
    AmiPermissionDenied = "ami-permission-denied", Error, Ami;
    AmiBooting = "ami-booting", Info, Ami;
    AmiTlsFailed = "ami-tls-failed", Error, Ami;
    AmiPlaintextRemote = "ami-plaintext-remote", Warning, Ami;
    ReloadModuleMissing = "reload-module-missing", Error, Ami;
    ReloadFailed = "reload-failed", Error, Ami;
    SipTlsReloadUnsupported = "sip-tls-reload-unsupported", Warning, Ami;
    // Wire
    DnsFailed = "dns-failed", Error, Wire;
    TcpRefused = "tcp-refused", Error, Wire;
    TcpTimeout = "tcp-timeout", Error, Wire;
    TcpSomeAddresses = "tcp-some-addresses", Warning, Wire;
    TlsFailed = "tls-failed", Error, Wire;
    TlsCleartext = "tls-cleartext", Error, Wire;
    TlsServesOther = "tls-serves-other", Error, Wire;
    TlsUntrusted = "tls-untrusted", Warning, Wire;
    TlsNameMismatch = "tls-name-mismatch", Warning, Wire;
    TlsChainIncomplete = "tls-chain-incomplete", Warning, Wire;
    TlsExpired = "tls-expired", Error, Wire;
    TlsClientCertificate = "tls-client-certificate", Warning, Wire;
    TlsOldOnly = "tls-old-only", Error, Wire;
    TlsOldSuites = "tls-old-suites", Warning, Wire;
    TlsValidityTooLong = "tls-validity-too-long", Warning, Wire;
    ListenerWedged = "listener-wedged", Error, Wire;
    // WebSocketAndSip
    WsNotFound = "ws-not-found", Error, WebSocketAndSip;
    WsNotUpgraded = "ws-not-upgraded", Error, WebSocketAndSip;
    WsSubprotocolRefused = "ws-subprotocol-refused", Error, WebSocketAndSip;
    WsForbidden = "ws-forbidden", Error, WebSocketAndSip;
    WsProxyInTheWay = "ws-proxy-in-the-way", Error, WebSocketAndSip;
    WsRedirected = "ws-redirected", Error, WebSocketAndSip;
    WsClosedEarly = "ws-closed-early", Error, WebSocketAndSip;
    WsSessionLimit = "ws-session-limit", Error, WebSocketAndSip;
    WsPingUnanswered = "ws-ping-unanswered", Error, WebSocketAndSip;
    SipNoAnswer = "sip-no-answer", Error, WebSocketAndSip;
    SipOwnedByChanSip = "sip-owned-by-chan-sip", Error, WebSocketAndSip;
    SipAuthRejected = "sip-auth-rejected", Error, WebSocketAndSip;
    SipEndpointUnknown = "sip-endpoint-unknown", Error, WebSocketAndSip;
    SipDigestUnsupported = "sip-digest-unsupported", Error, WebSocketAndSip;
    SipRefused = "sip-refused", Error, WebSocketAndSip;
    // Configuration
    ConfConflict = "conf-conflict", Error, Configuration;
    ConfUnparsableLine = "conf-unparsable-line", Warning, Configuration;
    HttpDisabled = "http-disabled", Error, Configuration;
    TlsDisabled = "tls-disabled", Error, Configuration;
    TlsBindMissing = "tls-bind-missing", Error, Configuration;
    TlsBindLoopback = "tls-bind-loopback", Warning, Configuration;
    TlsPathsMissing = "tls-paths-missing", Error, Configuration;
    PortHeldByOther = "port-held-by-other", Error, Configuration;
    HttpPrefixSet = "http-prefix-set", Info, Configuration;
    WssTransportMissing = "wss-transport-missing", Error, Configuration;
    WssTransportCertIgnored = "wss-transport-cert-ignored", Warning, Configuration;
    EndpointNotWebrtc = "endpoint-not-webrtc", Error, Configuration;
    EndpointTransportUnknown = "endpoint-transport-unknown", Error, Configuration;
    EndpointAuthMissing = "endpoint-auth-missing", Error, Configuration;
    EndpointAorMissing = "endpoint-aor-missing", Error, Configuration;
    AorNoContacts = "aor-no-contacts", Error, Configuration;
    CodecModuleMissing = "codec-module-missing", Warning, Configuration;
    RtpIceDisabled = "rtp-ice-disabled", Error, Configuration;
    ModuleNotRunning = "module-not-running", Error, Configuration;
    ModuleNoload = "module-noload", Error, Configuration;
    ChanSipConflict = "chan-sip-conflict", Error, Configuration;
    CannotHeal = "cannot-heal", Warning, Configuration;
    ConfigDiffers = "config-differs", Warning, Configuration;
    SessionLimitLow = "session-limit-low", Warning, Configuration;
    // ClientAndNetwork
    ClientUrlInvalid = "client-url-invalid", Error, ClientAndNetwork;
    ClientUrlNoPath = "client-url-no-path", Error, ClientAndNetwork;
    ClientUrlWrongPath = "client-url-wrong-path", Error, ClientAndNetwork;
    ClientUrlNoPort = "client-url-no-port", Error, ClientAndNetwork;
    ClientInsecureOnHttps = "client-insecure-on-https", Error, ClientAndNetwork;
    ClientNameNotCovered = "client-name-not-covered", Error, ClientAndNetwork;
    EnvUnparsableLine = "env-unparsable-line", Warning, ClientAndNetwork;
    ComposePortUnpublished = "compose-port-unpublished", Error, ClientAndNetwork;
    ComposeVolumeMissing = "compose-volume-missing", Error, ClientAndNetwork;
    // Kubernetes
    KubernetesForbidden = "kubernetes-forbidden", Warning, Kubernetes;
    KubernetesUnreachable = "kubernetes-unreachable", Warning, Kubernetes;
    SecretImmutable = "secret-immutable", Warning, Kubernetes;
    VolumeNotWatched = "volume-not-watched", Info, Kubernetes;
    VolumeLagging = "volume-lagging", Warning, Kubernetes;
    RotationWaiting = "rotation-waiting", Info, Kubernetes;
    RotationStopped = "rotation-stopped", Warning, Kubernetes;
    // Host
    PublishFailed = "publish-failed", Error, Host;
    PublishForeignFile = "publish-foreign-file", Error, Host;
    PublishNoSpace = "publish-no-space", Error, Host;
    PublishReadOnly = "publish-read-only", Error, Host;
    PublishNotPermitted = "publish-not-permitted", Error, Host;
    PublishDirectoryMissing = "publish-directory-missing", Error, Host;
    PublishNotShared = "publish-not-shared", Warning, Host;
    PublishNotRead = "publish-not-read", Warning, Host;
    SubpathMount = "subpath-mount", Warning, Host;
    FileMount = "file-mount", Warning, Host;
    WatchUnavailable = "watch-unavailable", Warning, Host;
    ClockSkewed = "clock-skewed", Warning, Host;
    NotificationFailing = "notification-failing", Warning, Host;
}

/// What a code is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// The certificate and its key, as files.
    Pair,
    /// The Asterisk Manager Interface and the reload.
    Ami,
    /// Names, TCP and TLS, as a browser meets them.
    Wire,
    /// What happens after TLS: the upgrade, and SIP over it.
    WebSocketAndSip,
    /// Asterisk's own files.
    Configuration,
    /// The browser's side, and what lies between.
    ClientAndNetwork,
    /// The cluster that the agent runs in.
    Kubernetes,
    /// The machine the agent runs on.
    Host,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Code {
    type Err = UnknownCode;
    fn from_str(name: &str) -> Result<Self, UnknownCode> {
        Code::ALL.iter().copied().find(|code| code.name() == name).ok_or_else(|| UnknownCode(name.to_owned()))
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// No code has this name.
#[derive(Debug, thiserror::Error)]
#[error("no finding is called `{0}`")]
pub struct UnknownCode(pub String);
