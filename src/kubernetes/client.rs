//! A request → what the API server says, by kube's client over a service of our own, which verifies the server by the service account's
//! `ca.crt` and reads the token anew for each request, since the kubelet renews it. (kube's own service brings every way to log in to a cluster:
//! a megabyte of them.) What it refuses: to wait for ever, and to log an answer (one may hold a Secret).

use std::{fs, io, path::Path, time::Duration};

use futures_util::{StreamExt as _, stream::BoxStream};
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy, rt::TokioExecutor};
use kube::{Client, Error, client::Body, core::WatchEvent};
use rustls::{ClientConfig, RootCertStore, client::Resumption};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{sync::Mutex, time::timeout};
use zeroize::Zeroizing;

use super::{ledger::Ledger, place::Place};

/// Why a request brought nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// No answer, or one of a server that is not well.
    #[error("{0}")]
    Unreachable(String),
    /// 403: not permitted.
    #[error("forbidden: {0}")]
    Forbidden(String),
    /// 404.
    #[error("not found")]
    NotFound,
    /// 409: somebody else wrote meanwhile, or was there first.
    #[error("conflict")]
    Conflict,
    /// 410: a watch from a version that is long gone.
    #[error("gone")]
    Gone,
    /// Any other answer that is no success.
    #[error("{0}")]
    Refused(String),
}

/// How a body that changes a part is to be read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Patch {
    /// RFC 7386.
    Merge,
    /// Lists merge by their key.
    Strategic,
}

/// The API server.
pub(super) struct Api {
    pub(super) place: Place,
    pub(super) ledger: Ledger,
    /// Built at the first request, and anew after one that came to nothing: the authority in `ca.crt` may be another by then.
    kept: Mutex<Option<Client>>,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Api").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Api {
    pub(super) fn new(place: Place, ledger: Ledger) -> Self {
        Api { place, ledger, kept: Mutex::new(None) }
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Fault> {
        self.call(Method::GET, path, JSON, Vec::new()).await
    }

    pub(super) async fn create<T: DeserializeOwned>(&self, path: &str, object: &impl Serialize) -> Result<T, Fault> {
        self.call(Method::POST, path, JSON, bytes(object)?).await
    }

    /// Refused with `Conflict` where the object's `resourceVersion` is no longer the newest.
    pub(super) async fn replace<T: DeserializeOwned>(&self, path: &str, object: &impl Serialize) -> Result<T, Fault> {
        self.call(Method::PUT, path, JSON, bytes(object)?).await
    }

    pub(super) async fn patch<T: DeserializeOwned>(&self, path: &str, how: Patch, part: &impl Serialize) -> Result<T, Fault> {
        let kind = match how {
            Patch::Merge => "application/merge-patch+json",
            Patch::Strategic => "application/strategic-merge-patch+json",
        };
        self.call(Method::PATCH, path, kind, bytes(part)?).await
    }

    /// The changes of what `path` selects, until the server ends them, as it does after a while.
    pub(super) async fn watch<T: Clone + DeserializeOwned + 'static>(&self, path: &str) -> Result<Watch<T>, Fault> {
        let opened = self.within(async {
            let request = request(Method::GET, path, JSON, Vec::new())?;
            Ok(self.client().await?.request_events::<T>(request).await.map_err(fault)?.boxed())
        });
        opened.await
    }

    async fn call<T: DeserializeOwned>(&self, method: Method, path: &str, kind: &str, body: Vec<u8>) -> Result<T, Fault> {
        let answered = self.within(async {
            let request = request(method, path, kind, body)?;
            self.client().await?.request_text(request).await.map_err(fault)
        });
        // Not by kube's `request`, which logs what it cannot read.
        serde_json::from_str(&answered.await?).map_err(|error| Fault::Refused(format!("an answer that is not understood: {error}")))
    }

    /// A server that answers is there, whatever it answers.
    async fn within<T>(&self, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        let answer = timeout(CALL, work).await.unwrap_or_else(|_| Err(Fault::Unreachable(SILENT.into())));
        match &answer {
            Err(Fault::Unreachable(reason)) => {
                self.kept.lock().await.take();
                self.ledger.unreached(&self.place, reason);
            }
            Ok(_) | Err(Fault::Forbidden(_) | Fault::NotFound | Fault::Conflict | Fault::Gone | Fault::Refused(_)) => self.ledger.reached(),
        }
        answer
    }

    async fn client(&self) -> Result<Client, Fault> {
        let mut kept = self.kept.lock().await;
        if let Some(client) = &*kept {
            return Ok(client.clone());
        }
        let client = build(&self.place)?;
        *kept = Some(client.clone());
        Ok(client)
    }
}

fn build(place: &Place) -> Result<Client, Fault> {
    let file = place.folder.join("ca.crt");
    let mut roots = RootCertStore::empty();
    let found = CertificateDer::pem_file_iter(&file).map_err(|error| Fault::Unreachable(format!("{}: {error}", file.display())))?;
    roots.add_parsable_certificates(found.filter_map(Result::ok));
    let mut tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    // Connections are few and long; what is kept for the next would be memory alone.
    tls.resumption = Resumption::disabled();
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1().build();
    let server = legacy::Client::builder(TokioExecutor::new()).build(connector);
    let (authority, token) = (place.authority(), place.folder.join("token"));
    let service = tower::service_fn(move |request: Request<Body>| {
        let addressed = addressed(request, &authority, &token);
        let server = server.clone();
        async move { Ok::<_, tower::BoxError>(server.request(addressed?).await?) }
    });
    Ok(Client::new(service, place.namespace.clone()))
}

/// A request for that server, by this account.
fn addressed(mut request: Request<Body>, authority: &str, token: &Path) -> io::Result<Request<Body>> {
    let path = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let uri: Uri = format!("https://{authority}{path}").parse().map_err(io::Error::other)?;
    let token = fs::read_to_string(token).map(Zeroizing::new);
    let token = token.map_err(|error| io::Error::new(error.kind(), format!("the service account's token: {error}")))?;
    let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.trim())).map_err(io::Error::other)?;
    bearer.set_sensitive(true);
    *request.uri_mut() = uri;
    request.headers_mut().insert(header::AUTHORIZATION, bearer);
    Ok(request)
}

/// What comes of a watch.
pub(super) type Watch<T> = BoxStream<'static, Result<WatchEvent<T>, Error>>;

/// The next change; `None`: the server ended the watch.
pub(super) async fn next<T>(watch: &mut Watch<T>) -> Result<Option<WatchEvent<T>>, Fault> {
    watch.next().await.transpose().map_err(fault)
}

fn request(method: Method, path: &str, kind: &str, body: Vec<u8>) -> Result<Request<Vec<u8>>, Fault> {
    let request = Request::builder().method(method).uri(path).header(header::ACCEPT, JSON).header(header::CONTENT_TYPE, kind);
    let request = request.header(header::USER_AGENT, concat!("starkeeper/", env!("CARGO_PKG_VERSION")));
    request.body(body).map_err(|error| Fault::Refused(error.to_string()))
}

fn bytes(object: &impl Serialize) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(object).map_err(|error| Fault::Refused(error.to_string()))
}

fn fault(error: Error) -> Fault {
    let Error::Api(said) = error else { return Fault::Unreachable(whole(&error)) };
    let message = said.message;
    match StatusCode::from_u16(said.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR) {
        StatusCode::FORBIDDEN => Fault::Forbidden(message),
        StatusCode::NOT_FOUND => Fault::NotFound,
        StatusCode::CONFLICT => Fault::Conflict,
        StatusCode::GONE => Fault::Gone,
        // A token that is just being renewed, a server that is starting or has too much to do.
        StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Fault::Unreachable(message),
        status if status.is_server_error() => Fault::Unreachable(message),
        _ => Fault::Refused(message),
    }
}

/// With all that led to it: hyper says `connection error`, and only below it why.
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

const JSON: &str = "application/json";
/// For one request, from the connection to the last byte.
const CALL: Duration = Duration::from_secs(5);
const SILENT: &str = "no answer within 5 seconds";
