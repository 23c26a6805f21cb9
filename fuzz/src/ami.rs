//! Bytes of a peer that may be no Asterisk → the AMI codec and a whole session. However the bytes are cut, the messages are the same; a
//! session comes to an end, and shows the secret to nobody.

use std::time::Duration;

use bytes::BytesMut;
use starkeeper::{
    asterisk::ami::{
        AmiConnect, AmiEvent, client_on,
        codec::{Codec, Frame, LINES_LIMIT, MESSAGE_LIMIT, Violation},
    },
    settings::{Address, AmiAuth},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    sync::mpsc,
    time::timeout,
};
use tokio_util::codec::Decoder as _;

use super::{SECRET, hushed, parts, told};

/// The first byte says how the rest is cut.
pub fn codec(data: &[u8]) {
    let Some((cut, bytes)) = data.split_first() else { return };
    let whole = decode(bytes, bytes.len().max(1));
    let cut = decode(bytes, usize::from(*cut) + 1);
    assert_eq!(whole, cut, "the messages depend on how the bytes are cut");
    for frame in &whole.0 {
        let Frame::Message(message) = frame else { continue };
        let size: usize = message.fields().iter().map(|(key, value)| key.len() + value.len()).sum();
        // Bytes that are no UTF-8 may become three each.
        assert!(message.fields().len() <= LINES_LIMIT && size <= 3 * MESSAGE_LIMIT);
        assert!(message.fields().iter().all(|(key, value)| !key.contains('\n') && !value.contains('\n')));
        assert!(!message.fields().is_empty());
    }
}

/// The frames, and how it ended.
fn decode(bytes: &[u8], cut: usize) -> (Vec<Frame>, Option<&'static str>) {
    let (mut codec, mut buffer, mut frames) = (Codec::default(), BytesMut::new(), Vec::new());
    for piece in bytes.chunks(cut) {
        buffer.extend_from_slice(piece);
        loop {
            match codec.decode(&mut buffer) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(violation) => return (frames, Some(kind(&violation))),
            }
        }
    }
    let last = codec.decode_eof(&mut buffer).unwrap();
    assert!(last.is_none() && buffer.is_empty(), "something is left over at the end");
    (frames, None)
}

fn kind(violation: &Violation) -> &'static str {
    match violation {
        Violation::NoBanner { .. } => "no banner",
        Violation::LineTooLong { .. } => "line",
        Violation::MessageTooLong { .. } => "message",
        Violation::Io(_) => "io",
    }
}

/// The first byte chooses the login; each part after it is sent when one more question has come, the first before any.
pub fn session(data: &[u8]) {
    hushed(data, &heard(data));
}

/// All that the session let its user see.
pub(crate) fn heard(data: &[u8]) -> String {
    let Some((choice, script)) = data.split_first() else { return String::new() };
    let connect = AmiConnect {
        address: Address { host: "127.0.0.1".to_owned(), port: 5038 },
        username: "starkeeper".to_owned(),
        secret: SECRET.into(),
        secret_file: None,
        auth: if choice & 1 == 0 { AmiAuth::Md5 } else { AmiAuth::Plain },
        tls: None,
        timeout: Duration::from_secs(3),
        keepalive: Duration::from_secs(15),
    };
    // Time goes by only where everybody waits.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (ours, theirs) = duplex(64 * 1024);
        let (sender, mut events) = mpsc::channel(64);
        let (client, work) = client_on(ours, connect, sender);
        let story = async {
            let mut seen = String::new();
            let reloaded = client.reload("http").await;
            seen.push_str(&format!("{reloaded:?}"));
            seen.push_str(&reloaded.err().map(|failure| told(&[failure.finding])).unwrap_or_default());
            seen.push_str(&format!("{:?}", client.command("core show version").await));
            while let Some(event) = events.recv().await {
                seen.push_str(&format!("{event:?}"));
                if let AmiEvent::Disconnected(finding) = event {
                    seen.push_str(&told(&[finding]));
                    break;
                }
            }
            seen
        };
        let all = async {
            tokio::select! {
                seen = story => seen,
                () = work => unreachable!("the client is still held"),
                () = play(theirs, script) => unreachable!("the peer never ends"),
            }
        };
        timeout(Duration::from_secs(600), all).await.expect("a session that ends")
    })
}

/// Plays the peer, closes, and hears what else is asked.
async fn play(mut peer: DuplexStream, script: &[u8]) {
    for (index, part) in parts(script).enumerate() {
        if index > 0 {
            question(&mut peer).await;
        }
        let _ = peer.write_all(part).await;
    }
    let _ = peer.shutdown().await;
    let mut rest = [0; 4096];
    while peer.read(&mut rest).await.is_ok_and(|length| length > 0) {}
    std::future::pending().await
}

async fn question(peer: &mut DuplexStream) {
    let (mut last, mut byte) = ([0; 4], [0; 1]);
    while peer.read(&mut byte).await.is_ok_and(|length| length > 0) {
        last.rotate_left(1);
        last[3] = byte[0];
        if last == *b"\r\n\r\n" {
            break;
        }
    }
}
