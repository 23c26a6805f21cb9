//! What is asked on request alone, since some of it leaves lines in the log of whoever is asked: each version of TLS by itself, and other requests
//! than a browser's.

use rustls::version::{TLS12, TLS13};

use super::{
    Target, connect,
    farewell::Closing,
    old::{self, Old},
    tls,
    trial::Trial,
    upgrade,
};
pub use upgrade::Asked;

/// The head of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// `426`
    pub status: u16,
    /// The `Server` header.
    pub server: Option<String>,
}

/// What comes of another request for `target.path`.
///
/// # Errors
/// What came instead, in words.
pub async fn head(target: &Target, asked: Asked) -> Result<Head, String> {
    let words = |finding: crate::diagnosis::Finding| finding.get("found").map(ToString::to_string).unwrap_or_default();
    let stream = connect::connect(&Trial::begin(target, "tcp")).await.map_err(words)?;
    let mut stream = tls::handshake(&Trial::begin(target, "tls"), stream).await.outcome.map_err(|failure| failure.to_string())?;
    let head = upgrade::head(&Trial::begin(target, "upgrade"), &mut stream, asked).await;
    Closing::http(stream, target.timeout).done().await;
    let head = head?;
    let server = head.headers().get("server").map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    Ok(Head { status: head.status().as_u16(), server })
}

/// Each version of TLS, newest first, and whether it is taken. `None`: nothing here could ask.
pub async fn tls_versions(target: &Target) -> [(&'static str, Option<bool>); 4] {
    let mut told = [("TLS 1.3", None), ("TLS 1.2", None), ("TLS 1.1", None), ("TLS 1.0", None)];
    for (version, (_, taken)) in [&TLS13, &TLS12].into_iter().zip(&mut told) {
        let trial = Trial::begin(target, "tls");
        if let Ok(stream) = connect::connect(&trial).await {
            *taken = Some(tls::takes(&trial, stream, version).await);
        }
    }
    if told[1].1 == Some(false) && matches!(old::takes_old(target).await, Some(Old::Suites { .. })) {
        told[1].1 = Some(true);
    }
    for (name, taken) in &mut told[2..] {
        *taken = Some(old::takes_version(target, name).await);
    }
    told
}
