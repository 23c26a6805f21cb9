//! A TLS server on a free port that follows a script for one connection, and tells afterwards what it met.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rcgen::{CertificateParams, KeyPair};
use rustls::{
    RootCertStore, ServerConfig, SupportedProtocolVersion,
    server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// What the peer does once TLS stands.
pub(crate) enum Script {
    /// Answers the request with this (`{accept}` is filled in), then answers a Close and waits for the end.
    Answer(&'static str),
    /// The same, and says this right behind the head, in the same write.
    AnswerAnd(&'static str, Vec<u8>),
    /// Answers, and never a word more.
    AnswerAndKeepSilent(&'static str),
    /// Answers, and then sends frames without end.
    AnswerAndFlood(&'static str),
    /// Answers, and drops the connection without a farewell.
    AnswerAndVanish(&'static str),
    /// Ends the connection before it reads anything.
    HangUp,
    /// Takes the request and never answers.
    KeepSilent,
    /// Sends the head byte by byte, slowly, without end.
    Trickle,
    /// Sends header after header without end.
    EndlessHeaders,
}

/// What Asterisk answers to an upgrade that it accepts.
pub(crate) const ACCEPTED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                                   Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: sip\r\n\r\n";

/// What the peer met.
#[derive(Debug, Default)]
pub(crate) struct Met {
    pub(crate) sni: Option<String>,
    pub(crate) request: String,
    /// A masked Close frame with code 1000 came.
    pub(crate) close: bool,
    /// The last thing was TLS close_notify.
    pub(crate) close_notify: bool,
}

/// A chain and the key to sign with, which need not belong together.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: KeyPair,
}

impl Identity {
    /// Self-signed, for `pbx.example.com`.
    pub(crate) fn self_signed() -> Self {
        Self::from_params(CertificateParams::new(vec!["pbx.example.com".to_owned()]).unwrap())
    }

    pub(crate) fn from_params(params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Identity { chain: vec![certificate.der().clone()], key }
    }
}

/// Serves one connection with a self-signed certificate.
pub(crate) async fn serve(script: Script) -> (SocketAddr, JoinHandle<Met>) {
    serve_as(Identity::self_signed(), rustls::ALL_VERSIONS, script).await
}

/// Serves one connection with this identity and these versions.
pub(crate) async fn serve_as(
    identity: Identity,
    versions: &[&'static SupportedProtocolVersion],
    script: Script,
) -> (SocketAddr, JoinHandle<Met>) {
    let config =
        ServerConfig::builder_with_protocol_versions(versions).with_no_client_auth().with_cert_resolver(Arc::new(certified(identity)));
    accept(config, script).await
}

/// Serves one connection, and wants a client certificate.
pub(crate) async fn serve_with_client_auth() -> (SocketAddr, JoinHandle<Met>) {
    let identity = Identity::self_signed();
    let mut roots = RootCertStore::empty();
    roots.add(identity.chain[0].clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
    let config = ServerConfig::builder().with_client_cert_verifier(verifier).with_cert_resolver(Arc::new(certified(identity)));
    accept(config, Script::Answer(ACCEPTED)).await
}

async fn accept(config: ServerConfig, script: Script) -> (SocketAddr, JoinHandle<Met>) {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        match acceptor.accept(stream).into_fallible().await {
            Ok(stream) => follow(stream, script).await,
            Err((_, mut stream)) => {
                // Read to the end: bytes that nobody reads turn the end into a reset, which overtakes our alert.
                let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
                Met::default()
            }
        }
    });
    (address, task)
}

#[derive(Debug)]
struct Fixed(Arc<CertifiedKey>);

impl ResolvesServerCert for Fixed {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

fn certified(identity: Identity) -> Fixed {
    let key = PrivateKeyDer::try_from(identity.key.serialize_der()).unwrap();
    let key = ServerConfig::builder().crypto_provider().key_provider.load_private_key(key).unwrap();
    Fixed(Arc::new(CertifiedKey::new(identity.chain, key)))
}

async fn follow(mut stream: TlsStream<TcpStream>, script: Script) -> Met {
    let mut met = Met { sni: stream.get_ref().1.server_name().map(str::to_owned), ..Met::default() };
    if let Script::HangUp = script {
        let _ = stream.shutdown().await;
        return met;
    }
    met.request = request(&mut stream).await;
    match script {
        Script::HangUp => {}
        Script::Answer(head) => say(&mut stream, &met.request, head, &[]).await,
        Script::AnswerAnd(head, more) => say(&mut stream, &met.request, head, &more).await,
        Script::AnswerAndKeepSilent(head) => {
            say(&mut stream, &met.request, head, &[]).await;
            std::future::pending::<()>().await;
        }
        Script::AnswerAndFlood(head) => {
            say(&mut stream, &met.request, head, &[]).await;
            while stream.write_all(b"\x81\x05hello").await.is_ok() {}
            return met;
        }
        Script::AnswerAndVanish(head) => {
            say(&mut stream, &met.request, head, &[]).await;
            return met;
        }
        Script::KeepSilent => std::future::pending().await,
        Script::Trickle => {
            let mut pace = tokio::time::interval(Duration::from_millis(5));
            for byte in b"HTTP/1.1 101 Switching Protocols\r\nX-Long: ".iter().chain(std::iter::repeat(&b'a')) {
                pace.tick().await;
                if stream.write_all(&[*byte]).await.is_err() || stream.flush().await.is_err() {
                    return met;
                }
            }
        }
        Script::EndlessHeaders => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
            while stream.write_all(b"X-More: and more and more and more\r\n").await.is_ok() {}
            return met;
        }
    }
    end(&mut stream, &mut met).await;
    met
}

async fn request(stream: &mut TlsStream<TcpStream>) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(request).unwrap()
}

async fn say(stream: &mut TlsStream<TcpStream>, request: &str, head: &str, more: &[u8]) {
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap_or_default();
    let mut answer = head.replace("{accept}", &derive_accept_key(key.as_bytes())).into_bytes();
    answer.extend_from_slice(more);
    stream.write_all(&answer).await.unwrap();
    stream.flush().await.unwrap();
}

/// Reads to the end, answering a Close on the way as Asterisk does.
async fn end(stream: &mut TlsStream<TcpStream>, met: &mut Met) {
    let mut frame = [0; 8];
    let mut filled = 0;
    loop {
        let mut byte = [0];
        match stream.read(&mut byte).await {
            Ok(0) => met.close_notify = true,
            Ok(_) => {
                if filled < frame.len() {
                    frame[filled] = byte[0];
                    filled += 1;
                }
                if filled == frame.len() && !met.close {
                    let mask = [frame[2], frame[3], frame[4], frame[5]];
                    let code = u16::from_be_bytes([frame[6] ^ mask[0], frame[7] ^ mask[1]]);
                    met.close = frame[0] == 0x88 && frame[1] == 0x82 && code == 1000;
                    let _ = stream.write_all(b"\x88\x02\x03\xe8").await;
                    let _ = stream.flush().await;
                }
                continue;
            }
            Err(_) => {}
        }
        let _ = stream.shutdown().await;
        return;
    }
}
