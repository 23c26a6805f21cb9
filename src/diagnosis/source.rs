//! [`Code`] → on what it rests: a paragraph of a standard, what a running Asterisk was seen to do, or a line of its source. One line a
//! code, for both languages; a code without one does not compile.

use super::{Code, Lang};

/// Where something that a text claims can be looked up or seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A paragraph of an RFC.
    Rfc(u16, &'static str),
    /// Another standard or a manual, by the name that it has in every language.
    Named(&'static str),
    /// The tests that come with Starkeeper show it on these Asterisks.
    Seen(&'static str),
    /// Asterisk's own source, by file.
    Asterisk(&'static str),
    /// The tests show it in Chromium, with JsSIP.
    Browser,
    /// The tests show it on a running Kubernetes node.
    Node,
    /// A rule that Starkeeper sets itself.
    Own,
}

use Source::{Asterisk, Browser, Named, Node, Own, Rfc, Seen};

const BOTH: Source = Seen("16.28, 22.10");
const NEWEST: Source = Seen("22.10");
const OLD: Source = Seen("16.28");

impl Source {
    /// As a person reads it.
    pub fn in_words(self, lang: Lang) -> String {
        match (lang, self) {
            (_, Rfc(number, section)) => format!("RFC {number}, {section}"),
            (_, Named(name)) => name.to_owned(),
            (Lang::En, Seen(versions)) => format!("observed on Asterisk {versions}"),
            (Lang::PtBr, Seen(versions)) => format!("observado no Asterisk {versions}"),
            (Lang::En, Asterisk(file)) => format!("Asterisk's source, {file}"),
            (Lang::PtBr, Asterisk(file)) => format!("o código do Asterisk, {file}"),
            (Lang::En, Browser) => "observed in Chromium with JsSIP".to_owned(),
            (Lang::PtBr, Browser) => "observado no Chromium com JsSIP".to_owned(),
            (Lang::En, Node) => "observed on a Kubernetes node".to_owned(),
            (Lang::PtBr, Node) => "observado em um nó do Kubernetes".to_owned(),
            (Lang::En, Own) => "a rule of Starkeeper's own".to_owned(),
            (Lang::PtBr, Own) => "uma regra do próprio Starkeeper".to_owned(),
        }
    }
}

/// On what `code` rests.
pub fn sources(code: Code) -> &'static [Source] {
    match code {
        Code::CertMissing | Code::CertUnreadable | Code::CertEmpty | Code::CertIsKey => &[BOTH],
        Code::CertNotPem | Code::CertIsDer => &[Rfc(7468, "5.1"), Asterisk("main/tcptls.c")],
        Code::KeyMissing | Code::KeyUnreadable | Code::KeyEmpty | Code::KeyIsCert | Code::KeyMismatch => &[BOTH],
        Code::KeyNotPem => &[Rfc(7468, "10"), Asterisk("main/tcptls.c")],
        Code::KeyEncrypted => &[Rfc(7468, "11"), BOTH],
        Code::KeyWeak => &[BOTH, Named("OpenSSL, SSL_CTX_set_security_level(3)")],
        Code::KeyUnsupported => &[Browser],
        Code::KeyWorldReadable => &[BOTH, Own],
        Code::PairTorn => &[Own, BOTH],
        Code::LeafNotFirst => &[Rfc(8446, "4.4.2"), Named("OpenSSL, SSL_CTX_use_certificate_chain_file(3)")],
        Code::ChainIncomplete | Code::ChainDisordered | Code::TlsChainIncomplete => &[Rfc(5246, "7.4.2"), Rfc(8446, "4.4.2")],
        Code::ChainExpiresFirst => &[Rfc(5280, "6.1.3")],
        Code::LeafExpired | Code::LeafNotYetValid => &[Rfc(5280, "4.1.2.5"), BOTH],
        Code::LeafExpiring => &[Rfc(5280, "4.1.2.5"), Own],
        Code::LeafIsCa => &[Rfc(5280, "4.2.1.9")],
        Code::LeafNotForServers => &[Rfc(5280, "4.2.1.12")],
        Code::NameNotCovered | Code::TlsNameMismatch | Code::ClientNameNotCovered => &[Rfc(9525, "6"), Browser],
        Code::NameOnlyInCn => &[Rfc(9525, "2")],
        Code::SignatureWeak => &[Rfc(9155, "2"), BOTH],
        Code::SelfSigned => &[Rfc(5280, "6.1"), Browser],
        Code::IssuerUntrusted | Code::TlsUntrusted => &[Rfc(5280, "6.1"), Browser],
        Code::PortHeldByOther => &[NEWEST],
        Code::AmiRefused | Code::TcpRefused => &[Rfc(9293, "3.5.2"), BOTH],
        Code::AmiTimeout | Code::TcpTimeout => &[Rfc(9293, "3.8.3"), Own],
        Code::AmiNotAmi => &[Asterisk("main/manager.c"), BOTH],
        Code::AmiAuthFailed | Code::AmiPermissionDenied | Code::AmiBooting | Code::AmiTlsFailed => &[BOTH],
        Code::AmiPlaintextRemote => &[Asterisk("main/manager.c"), Own],
        Code::ReloadModuleMissing | Code::ReloadFailed => &[BOTH],
        Code::SipTlsReloadUnsupported => &[Asterisk("res/res_pjsip/config_transport.c"), BOTH],
        Code::DnsFailed => &[Rfc(1035, "4.1.1")],
        Code::TcpSomeAddresses => &[Rfc(8305, "4")],
        Code::TlsFailed => &[BOTH, Browser],
        Code::TlsCleartext => &[Seen("22 (head)"), Browser],
        Code::TlsServesOther => &[BOTH, Own],
        Code::TlsExpired => &[Rfc(5280, "4.1.2.5"), BOTH, Browser],
        Code::TlsOldSuites => &[Rfc(9325, "4.2"), Browser],
        Code::TlsOldOnly => &[Rfc(8996, "4"), Browser],
        Code::TlsClientCertificate => &[Rfc(8446, "4.3.2"), Browser],
        Code::TlsValidityTooLong => &[Named("CA/Browser Forum, Baseline Requirements, 6.3.2")],
        Code::ListenerWedged => &[BOTH, Asterisk("main/http.c")],
        Code::WsNotFound => &[BOTH],
        Code::WsNotUpgraded => &[Rfc(6455, "4.1"), BOTH],
        Code::WsSubprotocolRefused => &[Rfc(6455, "4.1"), Rfc(7118, "4.1"), BOTH],
        Code::WsForbidden => &[Rfc(9110, "15.5.4"), Rfc(6455, "4.2.2")],
        Code::WsProxyInTheWay => &[Rfc(9110, "7.8")],
        Code::WsRedirected => &[Rfc(6455, "4.1"), Browser],
        Code::WsClosedEarly => &[Rfc(6455, "7.1.5")],
        Code::WsSessionLimit => &[NEWEST, Asterisk("main/http.c")],
        Code::WsPingUnanswered => &[Rfc(6455, "5.5.3")],
        Code::SipNoAnswer => &[Rfc(3261, "17.1.2")],
        Code::SipOwnedByChanSip | Code::ChanSipConflict => &[OLD],
        Code::SipAuthRejected => &[Rfc(3261, "22.1"), BOTH],
        Code::SipDigestUnsupported => &[Rfc(8760, "2")],
        Code::SipRefused => &[Rfc(3261, "21")],
        Code::SipEndpointUnknown => &[NEWEST, Asterisk("res/res_pjsip/pjsip_distributor.c")],
        Code::ConfConflict => &[Own],
        Code::ConfUnparsableLine => &[BOTH, Asterisk("main/config.c")],
        Code::HttpDisabled | Code::TlsDisabled | Code::TlsBindMissing | Code::TlsBindLoopback | Code::TlsPathsMissing => {
            &[BOTH, Asterisk("main/http.c")]
        }
        Code::HttpPrefixSet => &[BOTH],
        Code::WssTransportMissing => &[BOTH],
        Code::WssTransportCertIgnored => &[Asterisk("res/res_pjsip/config_transport.c")],
        Code::EndpointNotWebrtc => &[Rfc(8827, "6.5"), Asterisk("res/res_pjsip/pjsip_configuration.c")],
        Code::EndpointTransportUnknown | Code::EndpointAuthMissing | Code::EndpointAorMissing => {
            &[Asterisk("res/res_pjsip/pjsip_configuration.c")]
        }
        Code::AorNoContacts => &[Asterisk("res/res_pjsip_registrar.c")],
        Code::CodecModuleMissing => &[Rfc(7874, "3"), Asterisk("main/translate.c")],
        Code::RtpIceDisabled => &[Rfc(8835, "3.4"), BOTH, Asterisk("res/res_rtp_asterisk.c")],
        Code::ModuleNotRunning => &[OLD, Asterisk("main/loader.c")],
        Code::ModuleNoload => &[Asterisk("main/loader.c")],
        Code::CannotHeal => &[BOTH, Asterisk("main/config.c")],
        Code::ConfigDiffers => &[BOTH, Own],
        Code::SessionLimitLow => &[NEWEST, Asterisk("main/http.c")],
        Code::ClientUrlNoPath | Code::ClientUrlWrongPath => &[BOTH],
        Code::ClientUrlInvalid => &[Rfc(6455, "3"), Rfc(3986, "3")],
        Code::ClientUrlNoPort => &[Rfc(6455, "3"), BOTH],
        Code::ClientInsecureOnHttps => &[Named("W3C, Mixed Content, 4"), Browser],
        Code::EnvUnparsableLine => &[Named("dotenv, parsing rules")],
        Code::ComposePortUnpublished => &[Named("Compose Specification, services, ports")],
        Code::ComposeVolumeMissing => &[Named("Compose Specification, services, volumes")],
        Code::KubernetesForbidden => &[Named("Kubernetes, Using RBAC Authorization"), Node],
        Code::KubernetesUnreachable => &[Node],
        Code::SecretImmutable => &[Named("Kubernetes, Secrets, Immutable Secrets"), Node],
        Code::VolumeNotWatched | Code::VolumeLagging => &[Named("Kubernetes, Secrets, Mounted Secrets are updated automatically"), Node],
        Code::RotationWaiting | Code::RotationStopped => &[Named("Kubernetes, Leases"), Own],
        Code::PublishFailed | Code::PublishForeignFile => &[Named("rename(2)"), Own],
        Code::PublishNoSpace | Code::PublishReadOnly | Code::PublishNotPermitted | Code::PublishDirectoryMissing => &[Named("open(2)")],
        Code::PublishNotShared => &[Named("mount_namespaces(7)"), Own],
        Code::PublishNotRead => &[BOTH, Own],
        Code::SubpathMount => &[Named("Kubernetes, Volumes, Using subPath"), Node],
        Code::FileMount => &[Named("rename(2)"), Named("mount_namespaces(7)")],
        Code::WatchUnavailable => &[Named("inotify(7)")],
        Code::ClockSkewed => &[Rfc(5280, "4.1.2.5"), Own],
        Code::NotificationFailing => &[Rfc(9110, "15"), Rfc(5321, "4.2"), Own],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_rests_on_something_said_once_and_in_both_languages() {
        for &code in Code::ALL {
            let sources = sources(code);
            assert!(!sources.is_empty(), "{code}");
            for &lang in Lang::ALL {
                let words: BTreeSet<String> = sources.iter().map(|source| source.in_words(lang)).collect();
                assert_eq!(words.len(), sources.len(), "{code}: {words:?}");
            }
            for source in sources {
                let named = matches!(source, Rfc(..) | Named(_));
                assert_eq!(source.in_words(Lang::En) == source.in_words(Lang::PtBr), named, "{code}: {source:?}");
            }
        }
    }
}
