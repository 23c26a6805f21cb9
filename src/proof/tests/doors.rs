//! Doors that are found before any upgrade: no name, no TCP, no TLS, cleartext.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
};

use super::{super::Door, IMPATIENCE, PATIENCE, codes, found, observe, peer, target};
use crate::diagnosis::Code;

#[tokio::test]
async fn a_name_without_an_address_is_dns_failed() {
    let mut target = target(([127, 0, 0, 1], 8089).into(), Duration::from_secs(2));
    target.address.host = "no-such-host.invalid".to_owned();
    let observation = observe(&target).await;
    assert_eq!((observation.door, codes(&observation)), (Door::Unreachable, vec![Code::DnsFailed]));
    assert_eq!(observation.times.tcp, None);
}

#[tokio::test]
async fn a_port_where_nothing_listens_is_tcp_refused() {
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let observation = observe(&target(address, PATIENCE)).await;
    assert_eq!((observation.door, codes(&observation)), (Door::Refused, vec![Code::TcpRefused]));
    assert!(found(&observation).contains(&address.to_string()), "{}", found(&observation));
}

#[tokio::test]
async fn a_listener_that_takes_no_more_connections_is_tcp_timeout() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // Until the queue that nobody empties is full.
    let mut waiting = Vec::new();
    while let Ok(Ok(stream)) = tokio::time::timeout(IMPATIENCE, TcpStream::connect(address)).await {
        waiting.push(stream);
    }
    let observation = observe(&target(address, IMPATIENCE)).await;
    assert_eq!((observation.door, codes(&observation)), (Door::Unreachable, vec![Code::TcpTimeout]));
}

#[tokio::test]
async fn every_address_of_a_name_is_tried() {
    // `localhost` is ::1 as well on most machines; the peer listens on 127.0.0.1 alone.
    let (address, peer) = peer::serve(peer::Script::Answer(peer::ACCEPTED)).await;
    let mut target = target(address, PATIENCE);
    target.address.host = "localhost".to_owned();
    assert_eq!(observe(&target).await.door, Door::Open);
    peer.await.unwrap();
}

/// What a listener without TLS does with each connection.
#[derive(Clone, Copy)]
enum Raw {
    Close,
    Reset,
    Alert,
    Garbage,
    Silence,
    /// Closes on a ClientHello, and answers a request with this.
    Http(&'static str),
    /// Answers whatever comes with 400.
    HttpAlways,
    /// Speaks TLS, though not ours, and tells off who does not.
    TellsOff,
}

async fn raw(behaviour: Raw) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            behave(stream, behaviour).await;
        }
    });
    (address, task)
}

async fn behave(mut stream: TcpStream, behaviour: Raw) {
    let mut first = [0; 2048];
    let length = stream.read(&mut first).await.unwrap_or(0);
    let hello = first[..length].starts_with(&[0x16]);
    let answer: &[u8] = match behaviour {
        Raw::Close => &[],
        Raw::Reset => {
            stream.set_zero_linger().unwrap();
            return;
        }
        // Fatal, handshake_failure.
        Raw::Alert => &[0x15, 3, 3, 0, 2, 2, 40],
        Raw::Garbage => b"220 mail.example.com ESMTP\r\n",
        Raw::Silence => std::future::pending().await,
        Raw::Http(_) if hello => &[],
        Raw::Http(answer) => answer.as_bytes(),
        Raw::TellsOff if hello => &[0x15, 3, 3, 0, 2, 2, 70],
        Raw::HttpAlways | Raw::TellsOff => b"HTTP/1.1 400 Bad Request\r\nServer: Asterisk/22.11.0\r\n\r\n",
    };
    let _ = stream.write_all(answer).await;
    let _ = stream.shutdown().await;
    while stream.read(&mut first).await.is_ok_and(|length| length > 0) {}
}

#[tokio::test]
async fn a_failed_handshake_is_a_dark_door_and_says_how_it_failed() {
    for (behaviour, words) in [
        (Raw::Close, "closed the connection"),
        (Raw::Reset, "reset the connection"),
        (Raw::Alert, "alert HandshakeFailure"),
        (Raw::Garbage, "not TLS"),
        (Raw::TellsOff, "alert ProtocolVersion"),
    ] {
        let (address, peer) = raw(behaviour).await;
        let observation = observe(&target(address, PATIENCE)).await;
        assert_eq!((observation.door, codes(&observation)), (Door::Dark, vec![Code::TlsFailed]), "{words}");
        assert!(found(&observation).contains(words), "{words}: {}", found(&observation));
        assert!(observation.times.tcp.is_some() && observation.times.tls.is_none());
        peer.abort();
    }
}

#[tokio::test]
async fn silence_in_the_handshake_is_unreachable_and_not_dark() {
    let (address, peer) = raw(Raw::Silence).await;
    let observation = observe(&target(address, IMPATIENCE)).await;
    assert_eq!((observation.door, codes(&observation)), (Door::Unreachable, vec![Code::TlsFailed]));
    assert!(found(&observation).contains("no answer in time"), "{}", found(&observation));
    peer.abort();
}

#[tokio::test]
async fn http_on_the_tls_port_is_cleartext() {
    for behaviour in [
        Raw::Http("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"),
        Raw::Http("HTTP/1.1 404 Not Found\r\nServer: Asterisk/22.11.0\r\n\r\n"),
        Raw::HttpAlways,
    ] {
        let (address, peer) = raw(behaviour).await;
        let observation = observe(&target(address, PATIENCE)).await;
        assert_eq!((observation.door, codes(&observation)), (Door::Cleartext, vec![Code::TlsCleartext]));
        assert!(found(&observation).starts_with("HTTP "), "{}", found(&observation));
        assert_eq!(observation.served, None);
        peer.abort();
    }
}

#[tokio::test]
async fn a_peer_that_wants_a_client_certificate_fails_tls_and_not_the_session_limit() {
    let (address, peer) = peer::serve_with_client_auth().await;
    let observation = observe(&target(address, PATIENCE)).await;
    assert_eq!(codes(&observation), [Code::TlsFailed, Code::TlsClientCertificate]);
    assert!(found(&observation).contains("CertificateRequired"), "{}", found(&observation));
    peer.await.unwrap();
}
