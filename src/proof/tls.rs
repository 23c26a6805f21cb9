//! A TCP connection → TLS on it, with the chain just as the peer sent it. Whatever it sent is taken, garbage included: it is judged
//! afterwards, so that an invalid chain is seen and named instead of being one more failed handshake. What is checked apart is that
//! the peer holds the key of the certificate that it shows. Nothing is resumed: every probe sees a whole handshake.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme, SupportedProtocolVersion,
    client::{
        ResolvesClientCert, Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::WebPkiSupportedAlgorithms,
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};
use webpki::RawPublicKeyEntity;
use x509_parser::{
    prelude::{FromDer as _, X509Certificate},
    public_key::PublicKey,
};

use super::{farewell::Closing, trial::Trial};
use crate::material::anchors::Anchors;

/// In bits; the verifier takes none that is shorter.
const SHORTEST_RSA: usize = 2048;

/// What came of a handshake.
pub(super) struct Handshake {
    /// The connection, or why there is none.
    pub(super) outcome: Result<Box<TlsStream<TcpStream>>, Failure>,
    /// What the peer sent as its chain, also where the handshake failed after that. Empty: none came.
    pub(super) chain: Vec<CertificateDer<'static>>,
    /// Whether it holds the leaf's key.
    pub(super) possession: Possession,
    /// Whether it asked for a certificate of ours.
    pub(super) asked: bool,
}

/// Why there is no TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nothing more came in time.
    Silence,
    /// The peer sent a fatal alert, in RFC 8446's words.
    Alert(String),
    /// The peer closed the connection.
    Closed,
    /// The peer reset the connection.
    Reset,
    /// What came is not TLS at all.
    NotTls,
    /// Anything else, in words.
    Protocol(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Silence => f.write_str("no answer in time during the handshake"),
            Failure::Alert(name) => write!(f, "the peer sent the TLS alert {name}"),
            Failure::Closed => f.write_str("the peer closed the connection during the handshake"),
            Failure::Reset => f.write_str("the peer reset the connection during the handshake"),
            Failure::NotTls => f.write_str("the peer answered with something that is not TLS"),
            Failure::Protocol(words) => f.write_str(words),
        }
    }
}

/// Whether the handshake was signed with the key of the certificate that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Possession {
    /// It was.
    Proven,
    /// It was not: every browser ends the handshake here.
    Refuted,
    /// The signature cannot be judged here (a leaf that cannot be parsed, an algorithm that is not known), or none came.
    Unjudged,
}

/// Runs one handshake within the stage's time.
pub(super) async fn handshake(trial: &Trial<'_>, stream: TcpStream) -> Handshake {
    let capture = Arc::new(Capture::default());
    let (name, sni) = name(trial);
    let connector = TlsConnector::from(Arc::new(config(&capture, sni)));
    let outcome = match timeout(trial.target.timeout, connector.connect(name, stream)).await {
        Err(_) => Err(Failure::Silence),
        Ok(Err(error)) => Err(failure(&error)),
        Ok(Ok(stream)) => Ok(Box::new(stream)),
    };
    let sight = capture.sight();
    Handshake { outcome, chain: sight.chain, possession: sight.possession.unwrap_or(Possession::Unjudged), asked: sight.asked }
}

/// Whether a handshake in this version alone comes about.
pub(super) async fn takes(trial: &Trial<'_>, stream: TcpStream, version: &'static SupportedProtocolVersion) -> bool {
    let capture = Arc::new(Capture::default());
    let (name, sni) = name(trial);
    let builder = ClientConfig::builder_with_protocol_versions(&[version]).dangerous().with_custom_certificate_verifier(capture.clone());
    let mut config = builder.with_client_cert_resolver(capture);
    config.enable_sni = sni;
    let connected = timeout(trial.target.timeout, TlsConnector::from(Arc::new(config)).connect(name, stream)).await;
    match connected {
        Ok(Ok(stream)) => {
            Closing::http(Box::new(stream), trial.target.timeout).done().await;
            true
        }
        Ok(Err(_)) | Err(_) => false,
    }
}

/// The name for SNI. IP addresses, and names that are none, go without (RFC 6066, 3).
fn name(trial: &Trial<'_>) -> (ServerName<'static>, bool) {
    let name = trial.target.server_name.as_ref().unwrap_or(&trial.target.address.host);
    match ServerName::try_from(name.clone()) {
        Ok(name) => (name, true),
        Err(_) => (ServerName::from(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), false),
    }
}

/// TLS for a client that is no probe (AMI): trusting these, or, where trust is not judged, everybody.
pub fn client_config(anchors: Option<&Anchors>) -> ClientConfig {
    match anchors {
        Some(anchors) => {
            let roots = RootCertStore { roots: anchors.trust_anchors().to_vec() };
            ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
        }
        None => config(&Arc::new(Capture::default()), true),
    }
}

fn config(capture: &Arc<Capture>, sni: bool) -> ClientConfig {
    let builder = ClientConfig::builder().dangerous().with_custom_certificate_verifier(capture.clone());
    let mut config = builder.with_client_cert_resolver(capture.clone());
    config.resumption = Resumption::disabled();
    config.enable_sni = sni;
    config
}

fn failure(error: &io::Error) -> Failure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>()) {
        Some(TlsError::AlertReceived(alert)) => Failure::Alert(format!("{alert:?}")),
        Some(TlsError::InvalidMessage(rustls::InvalidMessage::InvalidContentType)) => Failure::NotTls,
        Some(TlsError::NoCertificatesPresented) => Failure::Protocol("the peer showed no certificate".to_owned()),
        Some(other) => Failure::Protocol(other.to_string()),
        None if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe) => Failure::Closed,
        None if matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted) => Failure::Reset,
        None => Failure::Protocol(error.to_string()),
    }
}

/// A verifier that takes everything, and keeps what it saw.
struct Capture {
    algorithms: WebPkiSupportedAlgorithms,
    sight: Mutex<Sight>,
}

#[derive(Clone, Default)]
struct Sight {
    chain: Vec<CertificateDer<'static>>,
    possession: Option<Possession>,
    asked: bool,
}

impl Default for Capture {
    fn default() -> Self {
        let algorithms = ClientConfig::builder().crypto_provider().signature_verification_algorithms;
        Capture { algorithms, sight: Mutex::default() }
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Capture")
    }
}

impl Capture {
    fn sight(&self) -> Sight {
        self.sight.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, message: &[u8], leaf: &CertificateDer<'_>, signed: &DigitallySignedStruct) -> HandshakeSignatureValid {
        let possession = self.possession(message, leaf, signed);
        self.sight.lock().unwrap_or_else(PoisonError::into_inner).possession = Some(possession);
        HandshakeSignatureValid::assertion()
    }

    /// Checked with the bare key and not with the certificate, since webpki takes no X.509 v1 certificate, which `openssl x509 -req`
    /// makes without an extensions file, and which Asterisk serves without a word.
    fn possession(&self, message: &[u8], leaf: &CertificateDer<'_>, signed: &DigitallySignedStruct) -> Possession {
        let Ok((_, leaf)) = X509Certificate::from_der(leaf) else { return Possession::Unjudged };
        // A short RSA key is refused in the same words as a wrong one, and an old OpenSSL may well serve it.
        if matches!(leaf.public_key().parsed(), Ok(PublicKey::RSA(key)) if key.key_size() < SHORTEST_RSA) {
            return Possession::Unjudged;
        }
        let key = SubjectPublicKeyInfoDer::from(leaf.public_key().raw);
        let Ok(key) = RawPublicKeyEntity::try_from(&key) else { return Possession::Unjudged };
        let candidates = self.algorithms.mapping.iter().filter(|(scheme, _)| *scheme == signed.scheme).flat_map(|(_, list)| list.iter());
        let mut possession = Possession::Unjudged;
        for &algorithm in candidates {
            match key.verify_signature(algorithm, message, signed.signature()) {
                Ok(()) => return Possession::Proven,
                Err(webpki::Error::InvalidSignatureForPublicKey) => possession = Possession::Refuted,
                // Another candidate's key type, or a key that cannot be read.
                Err(_) => {}
            }
        }
        possession
    }
}

/// There is none to show; that it was asked for is what counts.
impl ResolvesClientCert for Capture {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.sight.lock().unwrap_or_else(PoisonError::into_inner).asked = true;
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

impl ServerCertVerifier for Capture {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let chain = std::iter::once(leaf).chain(intermediates).map(|certificate| certificate.clone().into_owned()).collect();
        self.sight.lock().unwrap_or_else(PoisonError::into_inner).chain = chain;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(self.note(message, leaf, signed))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(self.note(message, leaf, signed))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
