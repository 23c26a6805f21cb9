//! A door that takes none of today's handshakes → what of yesterday's it takes. A ClientHello by hand for each, since no library that this is
//! made of still speaks them; what is read of the answer is its version. TLS 1.1 and 1.0 browsers gave up in 2020; of TLS 1.2 they still take
//! suites of old (CBC), which this program does not.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::{Target, connect, trial::Trial};

/// What a door takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Old {
    /// TLS 1.2, by a suite that browsers take: nobody here can tell what comes behind.
    Suites,
    /// `TLS 1.1` or `TLS 1.0`, which no browser takes.
    Version(&'static str),
}

/// `None`: it takes nothing of that either.
pub async fn takes_old(target: &Target) -> Option<Old> {
    if answered(target, TODAY).await == Some("TLS 1.2") {
        return Some(Old::Suites);
    }
    answered(target, YESTERDAY).await.map(Old::Version)
}

/// Whether it takes `TLS 1.1` or `TLS 1.0`, and nothing below.
pub(super) async fn takes_version(target: &Target, version: &str) -> bool {
    let offer = if version == "TLS 1.0" { Offer { version: [3, 1], ..YESTERDAY } } else { YESTERDAY };
    answered(target, offer).await == Some(version)
}

async fn answered(target: &Target, offer: Offer) -> Option<&'static str> {
    let trial = Trial::begin(target, "tls");
    let mut stream = connect::connect(&trial).await.ok()?;
    let name = target.server_name.as_deref().filter(|name| name.parse::<std::net::IpAddr>().is_err());
    let hello = hello(offer, name.unwrap_or_default());
    let mut answer = [0; 11];
    let exchange = async {
        stream.write_all(&hello).await?;
        stream.read_exact(&mut answer).await
    };
    timeout(target.timeout, exchange).await.ok()?.ok()?;
    version(&answer)
}

/// A ServerHello: record (type, version, length), handshake (type, length), version.
fn version(answer: &[u8; 11]) -> Option<&'static str> {
    match *answer {
        [0x16, 3, _, _, _, 2, _, _, _, 3, 3] => Some("TLS 1.2"),
        [0x16, 3, _, _, _, 2, _, _, _, 3, 2] => Some("TLS 1.1"),
        [0x16, 3, _, _, _, 2, _, _, _, 3, 1] => Some("TLS 1.0"),
        _ => None,
    }
}

/// What a client says that it speaks.
#[derive(Clone, Copy)]
struct Offer {
    version: [u8; 2],
    /// Two bytes each, with the signalling value that renegotiation is safe (RFC 5746) at their end.
    suites: &'static [u8],
    extensions: &'static [u8],
}

/// TLS 1.2 with what Chromium offers of it beyond AEAD: ECDHE with AES in CBC mode, and with RSA certificates alone.
const TODAY: Offer = Offer {
    version: [3, 3],
    suites: &[0xc0, 0x13, 0xc0, 0x14, 0, 0xff],
    extensions: &[
        // Groups x25519, P-256, P-384; points uncompressed; the master secret extended (RFC 7627).
        0, 10, 0, 8, 0, 6, 0, 29, 0, 23, 0, 24, 0, 11, 0, 2, 1, 0, 0, 23, 0, 0, //
        // RSA-PSS and RSA, with SHA-256, 384 and 512.
        0, 13, 0, 14, 0, 12, 8, 4, 4, 1, 8, 5, 5, 1, 8, 6, 6, 1,
    ],
};

/// TLS 1.1 and 1.0: ECDHE and RSA with AES and 3DES, as of 2006 (RFC 4346, RFC 4492).
const YESTERDAY: Offer = Offer {
    version: [3, 2],
    suites: &[0xc0, 0x13, 0xc0, 0x14, 0xc0, 0x09, 0xc0, 0x0a, 0, 0x2f, 0, 0x35, 0, 0x0a, 0, 0xff],
    extensions: &[0, 10, 0, 6, 0, 4, 0, 23, 0, 24, 0, 11, 0, 2, 1, 0],
};

/// RFC 5246, 7.4.1.2, with the name that is asked for (RFC 6066, 3).
fn hello(offer: Offer, name: &str) -> Vec<u8> {
    let mut extensions = Vec::new();
    if !name.is_empty() && name.len() < 256 {
        let entry = [&[0][..], &sized(name.as_bytes())].concat();
        extensions.extend([&[0, 0][..], &sized(&sized(&entry))].concat());
    }
    extensions.extend(offer.extensions);
    let mut body = offer.version.to_vec();
    body.extend([0x5a; 32]);
    body.push(0);
    body.extend(sized(offer.suites));
    body.extend([1, 0]);
    body.extend(sized(&extensions));
    let handshake = [&[1, 0][..], &sized(&body)].concat();
    [&[0x16, 3, 1][..], &sized(&handshake)].concat()
}

/// With its length before it, in two bytes.
fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes()[..], bytes].concat()
}
