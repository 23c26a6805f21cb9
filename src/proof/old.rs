//! A door that speaks no TLS of today → whether it speaks an older one. One ClientHello that offers TLS 1.1 and 1.0, by hand, since no library
//! that this is made of still speaks them; what is read of the answer is its version. Browsers gave both up in 2020.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::{Target, connect, trial::Trial};

/// `TLS 1.1` or `TLS 1.0`, where the door opens by that.
pub async fn old_version(target: &Target) -> Option<&'static str> {
    let trial = Trial::begin(target, "tls");
    let mut stream = connect::connect(&trial).await.ok()?;
    let name = target.server_name.as_deref().filter(|name| name.parse::<std::net::IpAddr>().is_err());
    let hello = hello(name.unwrap_or_default());
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
        [0x16, 3, _, _, _, 2, _, _, _, 3, 2] => Some("TLS 1.1"),
        [0x16, 3, _, _, _, 2, _, _, _, 3, 1] => Some("TLS 1.0"),
        _ => None,
    }
}

/// RFC 4346, 7.4.1.2, with the name that is asked for (RFC 6066, 3) and the curves of old (RFC 4492).
fn hello(name: &str) -> Vec<u8> {
    let mut extensions = Vec::new();
    if !name.is_empty() && name.len() < 256 {
        let entry = [&[0][..], &sized(name.as_bytes())].concat();
        extensions.extend([&[0, 0][..], &sized(&sized(&entry))].concat());
    }
    extensions.extend([0, 10, 0, 6, 0, 4, 0, 23, 0, 24, 0, 11, 0, 2, 1, 0]);
    let mut body = vec![3, 2];
    body.extend([0x5a; 32]);
    body.push(0);
    // ECDHE and RSA with AES and 3DES, as of 2006.
    body.extend(sized(&[0xc0, 0x13, 0xc0, 0x14, 0xc0, 0x09, 0xc0, 0x0a, 0, 0x2f, 0, 0x35, 0, 0x0a, 0, 0xff]));
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
