//! Where a certificate says that its issuer's is (`http://`, RFC 5280, 4.2.2.1) → that certificate. Refuses what is no plain HTTP URL, follows
//! no redirect, and takes no more than 64 KiB in the given time: the URL comes from whoever serves.

use std::time::Duration;

use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::tungstenite::handshake::{client::Response, machine::TryParse as _};
use url::Url;

/// An intermediate has one or two.
const MOST: u64 = 64 * 1024;

/// Fetches it.
///
/// # Errors
/// What came instead, in words.
pub async fn fetch(url: &str, limit: Duration) -> Result<CertificateDer<'static>, String> {
    let url = Url::parse(url).map_err(|error| error.to_string())?;
    let (Some(host), "http", Some(port)) = (url.host_str(), url.scheme(), url.port_or_known_default()) else {
        return Err(format!("nothing that can be fetched: {}", url.scheme()));
    };
    let host = host.trim_matches(['[', ']']);
    // HTTP/1.0: the body ends where the connection does.
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let request = format!(
        "GET {path} HTTP/1.0\r\nHost: {}\r\nUser-Agent: starkeeper/{}\r\n\r\n",
        url.host_str().unwrap_or_default(),
        env!("CARGO_PKG_VERSION")
    );
    let mut answer = Vec::new();
    let exchange = async {
        let mut stream = TcpStream::connect((host, port)).await?;
        stream.write_all(request.as_bytes()).await?;
        stream.take(MOST).read_to_end(&mut answer).await
    };
    match timeout(limit, exchange).await {
        Err(_) => return Err(format!("no answer within {} ms", limit.as_millis())),
        Ok(Err(error)) => return Err(error.to_string()),
        Ok(Ok(_)) => {}
    }
    certificate_in(answer)
}

/// The certificate that a whole answer holds, as it is or in PEM.
///
/// # Errors
/// What it holds instead, in words.
pub fn certificate_in(mut answer: Vec<u8>) -> Result<CertificateDer<'static>, String> {
    // The parser takes 1.1 alone, and the head means the same.
    if let Some(minor @ b'0') = answer.get_mut("HTTP/1.".len()) {
        *minor = b'1';
    }
    let (length, head) = match Response::try_parse(&answer) {
        Ok(Some(parsed)) => parsed,
        Ok(None) | Err(_) => return Err("no HTTP answer".to_owned()),
    };
    if head.status().as_u16() != 200 {
        return Err(format!("HTTP {}", head.status()));
    }
    let body = &answer[length..];
    let der = if body.starts_with(b"-----BEGIN") {
        // The parser's own error may quote all of it.
        CertificateDer::from_pem_slice(body).map_err(|_| "no whole certificate in PEM".to_owned())?
    } else {
        CertificateDer::from(body.to_vec())
    };
    webpki::EndEntityCert::try_from(&der).map_err(|error| format!("no certificate: {error}"))?;
    Ok(der)
}
