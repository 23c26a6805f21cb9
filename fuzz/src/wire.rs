//! What a peer shows on the wire → the chain's judge, and the readers of its HTTP answers. An answer means the same however it is cut, and
//! ends in bounded time; what is quoted of a peer is printable.

use std::time::Duration;

use rustls_pki_types::CertificateDer;
use starkeeper::{
    bundle::{Chain, Leaf, browser::refusals},
    diagnosis::{Code, Value},
    material::anchors::Anchors,
    proof::{Target, certificate_in, suites_in, upgrade_on},
    settings::Address,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    time::timeout,
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{pair::now, told};

/// Certificates, each behind its length in two bytes; the last one is also the one that is trusted.
pub fn served(data: &[u8]) {
    let (mut certificates, mut rest) = (Vec::new(), data);
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (der, after) = after.split_at(usize::from(u16::from_be_bytes(*length)).min(after.len()));
        certificates.push(CertificateDer::from(der.to_vec()));
        rest = after;
    }
    let anchors = Anchors::from_certificates(certificates.last());
    let Some(chain) = Chain::new(certificates) else { return };
    let parsed = Leaf::parse(chain.leaf()).is_ok();
    let names = ["pbx.example.com", "*.example.com", "192.0.2.1", "::1", "", "é"].map(str::to_owned);
    for trusted in [None, Some(&anchors)] {
        let refused = refusals(&chain, &names, trusted, now());
        assert!(parsed || !refused.is_empty(), "what cannot be parsed is accepted");
        assert_eq!(refused, refusals(&chain, &names, trusted, now()));
    }
}

/// The first byte says how the answer is cut; `{accept}` in it becomes what the request's key asks for.
pub fn upgrade(data: &[u8]) {
    let Some((cut, answer)) = data.split_first() else { return };
    let whole = asked(answer, usize::MAX);
    // Close to the limit, what still came along may differ.
    if answer.len() < 16_000 {
        assert_eq!(whole, asked(answer, usize::from(*cut) + 1), "the answer depends on how it is cut");
    }
}

/// What a server of TLS 1.2 answers to a hello that was made by hand.
pub fn old(data: &[u8]) {
    let (told, more) = suites_in(data);
    if !more {
        assert_eq!(suites_in(&[data, b"\x16\x03\x03\x00\x01\x02"].concat()), (told, false), "what comes later counts");
    }
    for cut in [data.len() / 3, data.len() / 2, data.len().saturating_sub(1)] {
        let (sooner, more_then) = suites_in(&data[..cut]);
        assert!(more_then || (sooner, false) == (told, more), "nothing more was waited for, and more came");
        assert!(sooner.is_none() || told.is_some(), "what was chosen is chosen no longer");
    }
}

/// Why the answer is refused, if it is.
pub(crate) fn asked(answer: &[u8], cut: usize) -> Option<Code> {
    let target = Target {
        address: Address { host: "127.0.0.1".to_owned(), port: 8089 },
        server_name: Some("pbx.example.com".to_owned()),
        path: "/ws".to_owned(),
        origin: None,
        timeout: Duration::from_secs(3),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let outcome = runtime.block_on(async {
        let (mut ours, theirs) = duplex(4096);
        let all = async {
            tokio::select! {
                outcome = upgrade_on(&target, &mut ours) => outcome,
                () = play(theirs, answer, cut) => unreachable!("the peer never ends"),
            }
        };
        timeout(Duration::from_secs(60), all).await.expect("an upgrade that ends")
    });
    let finding = outcome.err()?;
    let found = finding.get("found").map(Value::to_string).unwrap_or_default();
    assert!(found.chars().all(|letter| !letter.is_control()) && found.len() < 1024, "{found:?}");
    let code = finding.code;
    told(&[finding]);
    Some(code)
}

async fn play(mut peer: DuplexStream, answer: &[u8], cut: usize) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut chunk = [0; 1024];
        let length = peer.read(&mut chunk).await.unwrap();
        request.extend_from_slice(&chunk[..length]);
    }
    let request = String::from_utf8(request).unwrap();
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
    let answer = replaced(answer, b"{accept}", derive_accept_key(key.as_bytes()).as_bytes());
    for piece in answer.chunks(cut.min(answer.len().max(1))) {
        let _ = peer.write_all(piece).await;
        tokio::task::yield_now().await;
    }
    let _ = peer.shutdown().await;
    std::future::pending().await
}

fn replaced(text: &[u8], word: &[u8], by: &[u8]) -> Vec<u8> {
    match text.windows(word.len()).position(|window| window == word) {
        Some(at) => [&text[..at], by, &text[at + word.len()..]].concat(),
        None => text.to_vec(),
    }
}

/// A whole answer of whoever is said to keep an issuer's certificate. What is taken is a part of it, and is taken again as it is.
pub fn fetched(data: &[u8]) {
    match certificate_in(data.to_vec()) {
        Ok(der) => {
            assert!(der.len() < data.len());
            let plain = [b"HTTP/1.1 200 OK\r\n\r\n", &der[..]].concat();
            assert_eq!(certificate_in(plain), Ok(der));
        }
        Err(reason) => assert!(!reason.is_empty() && reason.len() < 256, "{reason}"),
    }
}
