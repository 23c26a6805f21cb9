//! One HTTP request → whether it was taken. A client is made for each and thrown away: notifications are rare, and secrets and authorities may be others
//! by the next. No redirect is followed, and of an answer a few hundred bytes are read.

use std::{sync::Arc, time::Duration};

use http::{HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore, client::Resumption};
use secrecy::{ExposeSecret as _, SecretString};

use super::{carry::Fault, secret};
use crate::{
    material::anchors,
    settings::{Method, Target, Trust, Url},
};

/// Sends `body` to the target's URL, with `path` behind it.
pub(super) async fn send(target: &Target, path: &str, method: Method, kind: &str, body: String) -> Result<(), Fault> {
    let mut secrets = Vec::new();
    let (request, is_https) = request(target, path, method, kind, body, &mut secrets)?;
    let later = |reason: &str| Fault::Later(secret::redacted(reason, &secrets));
    let answer = if is_https {
        let trust = target.ca.clone().map_or(Trust::System, Trust::File);
        let tls = tokio::task::spawn_blocking(move || config(&trust)).await.map_err(|error| Fault::Later(error.to_string()))??;
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1().wrap_connector(plain());
        Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector).request(request).await
    } else {
        Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(plain()).request(request).await
    };
    let answer = answer.map_err(|error| later(&whole(&error)))?;
    let (status, leads) = (answer.status(), answer.headers().contains_key(header::LOCATION));
    if status.is_success() {
        return Ok(());
    }
    let said = Limited::new(answer.into_body(), LONGEST).collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let said = secret::redacted(String::from_utf8_lossy(&said).trim(), &secrets);
    let mut reason = format!("it answered {status}");
    if leads && status.is_redirection() {
        reason.push_str(", a redirect, which is not followed: set the URL to where it leads");
    } else if !said.is_empty() {
        reason.push_str(&format!(": {said}"));
    }
    Err(match status {
        // Not what was sent is wrong, but who sent it, where to, or how often.
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::NOT_FOUND
        | StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::PROXY_AUTHENTICATION_REQUIRED
        | StatusCode::REQUEST_TIMEOUT
        | StatusCode::GONE
        | StatusCode::TOO_MANY_REQUESTS => Fault::Later(reason),
        status if status.is_client_error() => Fault::Refused(reason),
        _ => Fault::Later(reason),
    })
}

fn request(
    target: &Target,
    path: &str,
    method: Method,
    kind: &str,
    body: String,
    secrets: &mut Vec<SecretString>,
) -> Result<(Request<Full<bytes::Bytes>>, bool), Fault> {
    let url = match &target.url {
        Url::Plain(url) => url.clone(),
        Url::Secret(secret) => {
            let url = secret::read(secret)?;
            secrets.push(url.clone());
            url.expose_secret().to_owned()
        }
    };
    let url = format!("{}{path}", if path.is_empty() { url.as_str() } else { url.trim_end_matches('/') });
    // Never the text itself: it may be a secret.
    let unusable = || Fault::Later("the URL is not one of http or https with a host".to_owned());
    let uri: Uri = url::Url::parse(&url).ok().and_then(|url| url.as_str().parse().ok()).ok_or_else(unusable)?;
    let is_https = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        Some(_) | None => return Err(unusable()),
    };
    let method = match method {
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
    };
    let mut request = Request::builder().method(method).uri(uri).header(header::CONTENT_TYPE, kind);
    request = request.header(header::USER_AGENT, concat!("starkeeper/", env!("CARGO_PKG_VERSION")));
    for (name, value) in &target.headers {
        let value = secret::read(value)?;
        let mut line =
            HeaderValue::from_str(value.expose_secret()).map_err(|_| Fault::Later(format!("the value of {name} is no header")))?;
        line.set_sensitive(true);
        secrets.push(value);
        request = request.header(name, line);
    }
    let request = request.body(Full::from(body)).map_err(|_| unusable())?;
    Ok((request, is_https))
}

fn plain() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_connect_timeout(Some(CONNECT));
    connector
}

fn config(trust: &Trust) -> Result<ClientConfig, Fault> {
    let anchors = anchors::load(trust)?.unwrap_or_default();
    let roots = RootCertStore { roots: anchors.trust_anchors().to_vec() };
    let mut tls = ClientConfig::builder().with_root_certificates(Arc::new(roots)).with_no_client_auth();
    tls.resumption = Resumption::disabled();
    Ok(tls)
}

/// With all that led to it: hyper says `client error (Connect)`, and only below it why.
fn whole(error: &dyn std::error::Error) -> String {
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let next_reason = next.to_string();
        if !reason.ends_with(&next_reason) {
            reason = format!("{reason}: {next_reason}");
        }
        cause = next.source();
    }
    reason
}

/// Of an answer, in bytes.
const LONGEST: usize = 16 * 1024;
const CONNECT: Duration = Duration::from_secs(5);
