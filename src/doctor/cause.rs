//! A code → which of the known causes of close code 1006 it is. Pure. There are five of the server's and the network's, by the numbers that
//! guides give them, and a sixth that is none of theirs: the client asks at the wrong door.

use serde::Serialize;

use crate::diagnosis::{Code, Group, Lang};

/// Why a softphone in a browser does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// 1: the browser does not trust the certificate that is served.
    CertificateNotTrusted,
    /// 2: Asterisk cannot negotiate TLS: its pair, its listener.
    TlsAtAsterisk,
    /// 3: no SIP stands behind the WebSocket: the handler is missing, or chan_sip has it.
    SipTransport,
    /// 4: registration fails. The WebSocket stays open: never a 1006.
    Registration,
    /// 5: the network or an application in between says nothing, or closes.
    NetworkOrTimeout,
    /// The client's own address leads elsewhere.
    ClientAddress,
}

impl Cause {
    /// Which cause a code belongs to. `None`: what does not stand between a browser and SIP.
    pub fn of(code: Code) -> Option<Cause> {
        let of_its_own = ELSEWHERE.iter().find(|(_, codes)| codes.contains(&code)).map(|(cause, _)| *cause);
        of_its_own.unwrap_or(match code.group() {
            Group::ClientAndNetwork => Some(Cause::ClientAddress),
            Group::Configuration | Group::Pair => Some(Cause::TlsAtAsterisk),
            Group::Wire => Some(Cause::CertificateNotTrusted),
            Group::WebSocketAndSip => Some(Cause::NetworkOrTimeout),
            Group::Ami | Group::Kubernetes | Group::Host => None,
        })
    }

    /// Its number among the five; `None`: it is none of them.
    pub fn number(self) -> Option<u8> {
        match self {
            Cause::CertificateNotTrusted => Some(1),
            Cause::TlsAtAsterisk => Some(2),
            Cause::SipTransport => Some(3),
            Cause::Registration => Some(4),
            Cause::NetworkOrTimeout => Some(5),
            Cause::ClientAddress => None,
        }
    }

    /// What happens, as the end of a sentence about a browser.
    pub fn text(self, lang: Lang) -> &'static str {
        match (lang, self) {
            (Lang::En, Cause::CertificateNotTrusted) => {
                "it does not trust the certificate, and ends TLS before the upgrade (cause 1 of 5: the certificate is not trusted)"
            }
            (Lang::En, Cause::TlsAtAsterisk) => {
                "Asterisk's side of TLS is broken (cause 2 of 5: TLS or the certificate cannot be negotiated at Asterisk)"
            }
            (Lang::En, Cause::SipTransport) => {
                "no PJSIP stands behind the WebSocket (cause 3 of 5: the WSS transport or its handler is missing, or chan_sip has taken it)"
            }
            (Lang::En, Cause::Registration) => "SIP refuses the user (cause 4 of 5: registration or authentication fails)",
            (Lang::En, Cause::NetworkOrTimeout) => {
                "the way to Asterisk is closed, or ends too soon (cause 5 of 5: a timeout, or the network or an application closes it)"
            }
            (Lang::En, Cause::ClientAddress) => "the client's own address leads elsewhere (none of the five: the client is to be changed)",
            (Lang::PtBr, Cause::CertificateNotTrusted) => {
                "ele não confia no certificado e encerra o TLS antes do upgrade (causa 1 de 5: certificado não confiado)"
            }
            (Lang::PtBr, Cause::TlsAtAsterisk) => {
                "o TLS do lado do Asterisk está quebrado (causa 2 de 5: erro na negociação de TLS ou do certificado no Asterisk)"
            }
            (Lang::PtBr, Cause::SipTransport) => {
                "não há PJSIP por trás do WebSocket (causa 3 de 5: falta o transporte WSS ou o seu tratador, ou o chan_sip tomou o lugar)"
            }
            (Lang::PtBr, Cause::Registration) => "o SIP recusa o usuário (causa 4 de 5: falha de registro ou de autenticação)",
            (Lang::PtBr, Cause::NetworkOrTimeout) => {
                "o caminho até o Asterisk está fechado ou termina cedo demais (causa 5 de 5: timeout, ou a rede ou uma aplicação fecha)"
            }
            (Lang::PtBr, Cause::ClientAddress) => {
                "o próprio endereço do cliente leva a outro lugar (nenhuma das cinco: é o cliente que deve ser mudado)"
            }
        }
    }
}

/// Codes that are not of the cause that their group is.
const ELSEWHERE: &[(Option<Cause>, &[Code])] = &[
    (
        Some(Cause::CertificateNotTrusted),
        &[
            Code::LeafExpired,
            Code::LeafNotYetValid,
            Code::LeafExpiring,
            Code::LeafIsCa,
            Code::LeafNotForServers,
            Code::NameNotCovered,
            Code::NameOnlyInCn,
            Code::SelfSigned,
            Code::IssuerUntrusted,
            Code::SignatureWeak,
            Code::ChainIncomplete,
            Code::ChainDisordered,
            Code::ChainExpiresFirst,
            Code::KeyUnsupported,
            Code::ClientNameNotCovered,
        ],
    ),
    (
        Some(Cause::TlsAtAsterisk),
        &[
            Code::TlsFailed,
            Code::TlsCleartext,
            Code::TlsOldOnly,
            Code::TlsOldSuites,
            Code::TlsServesOther,
            Code::ListenerWedged,
            Code::ComposeVolumeMissing,
            Code::PublishFailed,
            Code::PublishForeignFile,
            Code::PublishNoSpace,
            Code::PublishReadOnly,
            Code::PublishNotPermitted,
            Code::PublishDirectoryMissing,
        ],
    ),
    (
        Some(Cause::SipTransport),
        &[
            Code::WsNotFound,
            Code::WsSubprotocolRefused,
            Code::SipNoAnswer,
            Code::SipOwnedByChanSip,
            Code::WssTransportMissing,
            Code::WssTransportCertIgnored,
            Code::ModuleNotRunning,
            Code::ModuleNoload,
            Code::ChanSipConflict,
        ],
    ),
    (
        Some(Cause::Registration),
        &[
            Code::SipAuthRejected,
            Code::SipEndpointUnknown,
            Code::SipDigestUnsupported,
            Code::SipRefused,
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
        Some(Cause::NetworkOrTimeout),
        &[
            Code::TcpRefused,
            Code::TcpTimeout,
            Code::TcpSomeAddresses,
            Code::ComposePortUnpublished,
            Code::SessionLimitLow,
            Code::TlsBindLoopback,
            Code::TlsClientCertificate,
        ],
    ),
    (Some(Cause::ClientAddress), &[Code::DnsFailed]),
    (None, &[Code::CannotHeal, Code::ConfigDiffers, Code::ConfUnparsableLine, Code::HttpPrefixSet]),
];
