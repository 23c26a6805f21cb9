//! A [`Notebook`] → a [`Report`]: what a browser would do, and the first cause. Pure.

use serde::Serialize;

use super::{Cause, Notebook, Step, Unchecked};
use crate::diagnosis::{Code, Finding, Group, Lang, Rendered, Severity};

/// What JsSIP in a browser would do. In order of how much it hurts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BrowserWould {
    /// Connect, and register where credentials are right.
    Connect,
    /// Open the WebSocket, and then be rejected by SIP.
    ConnectThenReject,
    /// Never open it: close code 1006.
    #[serde(rename = "fail-1006")]
    Fail1006,
}

/// All that was found, and what it comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What a browser would do.
    pub browser_would: BrowserWould,
    /// Where to begin; `None`: no error was found.
    pub first_cause: Option<Code>,
    /// Which of the known causes that is.
    pub cause: Option<Cause>,
    /// Everything that is wrong, causes before symptoms.
    pub findings: Vec<Finding>,
    /// What was looked at, in order.
    pub steps: Vec<Step>,
    /// What could not be looked at.
    pub unchecked: Vec<Unchecked>,
}

impl Report {
    /// What the notebook comes to.
    pub fn of(notebook: Notebook<'_>) -> Self {
        let mut findings = notebook.findings;
        findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), place(finding.code)));
        let errors = || findings.iter().filter(|finding| finding.severity == Severity::Error).map(|finding| finding.code);
        let expected = || errors().map(effect).max().unwrap_or(BrowserWould::Connect);
        Report {
            browser_would: notebook.seen.unwrap_or_else(expected),
            first_cause: errors().next(),
            cause: errors().next().and_then(Cause::of),
            steps: notebook.steps,
            unchecked: notebook.unchecked,
            findings,
        }
    }

    /// Whether no error was found.
    pub fn is_ok(&self) -> bool {
        self.first_cause.is_none()
    }

    /// As JSON shows it.
    pub fn rendered(&self, lang: Lang) -> impl Serialize + '_ {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Shown<'a> {
            version: u32,
            verdict: &'static str,
            browser_would: BrowserWould,
            first_cause: Option<Code>,
            cause: Option<Cause>,
            findings: Vec<Rendered<'a>>,
            steps: &'a [Step],
            unchecked: &'a [Unchecked],
        }
        Shown {
            version: 1,
            verdict: if self.is_ok() { "ok" } else { "broken" },
            browser_would: self.browser_would,
            first_cause: self.first_cause,
            cause: self.cause,
            findings: self.findings.iter().map(|finding| finding.rendered(lang)).collect(),
            steps: &self.steps,
            unchecked: &self.unchecked,
        }
    }
}

/// What an error alone would do to a browser, where nobody looked at the wire.
fn effect(code: Code) -> BrowserWould {
    // Phones register all the same; what fails is a call (seen on 16 and 22, with JsSIP).
    let calls = [Code::EndpointNotWebrtc, Code::EndpointTransportUnknown, Code::WssTransportMissing, Code::RtpIceDisabled];
    match place(code) {
        _ if calls.contains(&code) => BrowserWould::Connect,
        Place::Endpoint | Place::Sip => BrowserWould::ConnectThenReject,
        Place::Around => BrowserWould::Connect,
        Place::Client
        | Place::Names
        | Place::Container
        | Place::Listener
        | Place::Material
        | Place::Network
        | Place::Tls
        | Place::Trust
        | Place::WebSocket => BrowserWould::Fail1006,
    }
}

/// Where on the way from the browser to SIP a code stands: causes before the symptoms that they bring about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// What the browser was told to connect to.
    Client,
    /// DNS.
    Names,
    /// What Compose makes of it.
    Container,
    /// Whether and where Asterisk listens.
    Listener,
    /// What it listens with.
    Material,
    /// What lies between.
    Network,
    /// The handshake.
    Tls,
    /// Whether a browser trusts what is served.
    Trust,
    /// The upgrade.
    WebSocket,
    /// What SIP knows of endpoints.
    Endpoint,
    /// What SIP answers.
    Sip,
    /// What does not stand on the way: AMI, the cluster, the host.
    Around,
}

fn place(code: Code) -> Place {
    let of_its_own = ELSEWHERE.iter().find(|(_, codes)| codes.contains(&code)).map(|(place, _)| *place);
    of_its_own.unwrap_or(match code.group() {
        Group::ClientAndNetwork => Place::Client,
        Group::Configuration => Place::Listener,
        // Asterisk loads it: it is met only by who gets as far as that.
        Group::Pair | Group::Wire if Cause::of(code) == Some(Cause::CertificateNotTrusted) => Place::Trust,
        Group::Pair => Place::Material,
        Group::Wire => Place::Tls,
        Group::WebSocketAndSip => Place::WebSocket,
        Group::Ami | Group::Kubernetes | Group::Host => Place::Around,
    })
}

/// Codes that do not stand where their group does.
const ELSEWHERE: &[(Place, &[Code])] = &[
    (Place::Names, &[Code::DnsFailed]),
    (Place::Listener, &[Code::ListenerWedged]),
    // OpenSSL 1.1 does not load it, browsers do not take it.
    (Place::Material, &[Code::SignatureWeak]),
    (Place::Network, &[Code::TcpRefused, Code::TcpTimeout, Code::TcpSomeAddresses]),
    (Place::Container, &[Code::ComposePortUnpublished, Code::ComposeVolumeMissing]),
    (Place::WebSocket, &[Code::ModuleNotRunning, Code::ModuleNoload]),
    (
        Place::Endpoint,
        &[
            Code::WssTransportMissing,
            Code::ChanSipConflict,
            Code::EndpointNotWebrtc,
            Code::EndpointTransportUnknown,
            Code::EndpointAuthMissing,
            Code::EndpointAorMissing,
            Code::AorNoContacts,
            Code::CodecModuleMissing,
            Code::RtpIceDisabled,
        ],
    ),
    (
        Place::Sip,
        &[
            Code::SipNoAnswer,
            Code::SipOwnedByChanSip,
            Code::SipAuthRejected,
            Code::SipEndpointUnknown,
            Code::SipDigestUnsupported,
            Code::SipRefused,
        ],
    ),
    (Place::Around, &[Code::CannotHeal, Code::ConfigDiffers]),
];
