//! What a browser meets at `wss://localhost:PORT/ws` (or at another address), by code that shares nothing with the agent's own probe. No certificate is
//! judged here: what is served is shown, whatever it is. Every connection is closed as a browser closes it (WebSocket Close, TLS
//! close_notify), so that looking leaves nothing in Asterisk's log.

mod sampler;
mod websocket;

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    sync::{Arc, OnceLock},
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use starkeeper::clock::{self, Tick};

pub use sampler::{Outcome, Report, Sample, Sampler};
pub use websocket::WebSocket;

use super::certs::fingerprint;

/// Where a browser goes: a port of this machine, or an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(pub SocketAddr);

impl From<u16> for Place {
    fn from(port: u16) -> Self {
        Self((Ipv4Addr::LOCALHOST, port).into())
    }
}

impl From<SocketAddr> for Place {
    fn from(address: SocketAddr) -> Self {
        Self(address)
    }
}

/// What TLS served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// SHA-256 of the leaf's DER, 64 lower-case hex digits.
    pub fingerprint: String,
    /// The certificates in the order in which they came.
    pub chain: Vec<Vec<u8>>,
}

/// How far a browser comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// `101` with `sip`.
    Open,
    /// TLS works, the upgrade is answered otherwise: the status, or none where the connection just ends (`sessionlimit`).
    Shut(Option<u16>),
    /// TCP connects and TLS fails, with what rustls says.
    Dark(String),
    /// TCP connects and the TLS port answers in cleartext.
    Cleartext,
    /// Nobody listens.
    Refused,
    /// TCP connects and nothing answers in time.
    Silent,
}

/// What the port serves now; nothing where TLS fails or nobody listens.
pub fn served(place: impl Into<Place>) -> Option<Served> {
    let mut stream = handshake(place).ok()?;
    let chain: Vec<Vec<u8>> = stream.conn.peer_certificates()?.iter().map(|cert| cert.to_vec()).collect();
    farewell(&mut stream);
    Some(Served { fingerprint: fingerprint(chain.first()?), chain })
}

/// The leaf's fingerprint, and the moment at which it was seen: before the farewell, which takes longer than the handshake.
pub fn glimpse(place: impl Into<Place>) -> Option<(String, Tick)> {
    let mut stream = handshake(place).ok()?;
    let seen = clock::tick();
    let leaf = fingerprint(stream.conn.peer_certificates()?.first()?);
    farewell(&mut stream);
    Some((leaf, seen))
}

/// Tries `/ws` with `sip`, and closes it again.
pub fn door(place: impl Into<Place>) -> Door {
    match WebSocket::open(place) {
        Ok(socket) => {
            socket.close();
            Door::Open
        }
        Err(door) => door,
    }
}

/// One TLS handshake.
fn handshake(place: impl Into<Place>) -> Result<StreamOwned<ClientConnection, TcpStream>, Door> {
    let place = place.into();
    let mut socket = connect(place)?;
    let name = ServerName::try_from("localhost").expect("a valid name");
    let mut session = ClientConnection::new(config(), name).expect("a valid configuration");
    while session.is_handshaking() {
        if let Err(error) = session.complete_io(&mut socket) {
            return Err(match error {
                error if is_timeout(&error) => Door::Silent,
                _ if speaks_cleartext(place) => Door::Cleartext,
                error => Door::Dark(error.to_string()),
            });
        }
    }
    Ok(StreamOwned::new(session, socket))
}

/// Says close_notify and waits for the other side to end too: closing over unread bytes would send a reset.
fn farewell(stream: &mut StreamOwned<ClientConnection, TcpStream>) {
    stream.conn.send_close_notify();
    let _ = stream.flush();
    let _ = stream.sock.set_read_timeout(Some(Duration::from_secs(1)));
    let _ = stream.sock.shutdown(std::net::Shutdown::Write);
    let mut rest = [0; 4096];
    while matches!(stream.sock.read(&mut rest), Ok(count) if count > 0) {}
}

fn connect(place: Place) -> Result<TcpStream, Door> {
    let socket =
        TcpStream::connect_timeout(&place.0, PATIENCE).map_err(|error| if is_timeout(&error) { Door::Silent } else { Door::Refused })?;
    let set = socket
        .set_nodelay(true)
        .and_then(|()| socket.set_read_timeout(Some(PATIENCE)))
        .and_then(|()| socket.set_write_timeout(Some(PATIENCE)));
    set.map_err(|error| Door::Dark(error.to_string()))?;
    Ok(socket)
}

fn speaks_cleartext(place: Place) -> bool {
    let Ok(mut socket) = connect(place) else { return false };
    let mut begin = [0; 5];
    let asked = socket.write_all(b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    asked.and_then(|()| socket.read_exact(&mut begin)).is_ok_and(|()| &begin == b"HTTP/")
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

fn config() -> Arc<ClientConfig> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let made = CONFIG.get_or_init(|| {
        #[cfg(feature = "aws-lc-rs")]
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        #[cfg(not(feature = "aws-lc-rs"))]
        let provider = rustls::crypto::ring::default_provider();
        let provider: Arc<CryptoProvider> = provider.into();
        let anyone = Anyone(provider.signature_verification_algorithms);
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS 1.2 and 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(anyone))
            .with_no_client_auth();
        // Every handshake shows the certificate anew.
        config.resumption = rustls::client::Resumption::disabled();
        Arc::new(config)
    });
    Arc::clone(made)
}

/// Takes every certificate; the signature over the handshake must still fit it.
#[derive(Debug)]
struct Anyone(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _rest: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, leaf, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, leaf, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

const PATIENCE: Duration = Duration::from_secs(3);
