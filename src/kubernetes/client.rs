//! A request → what the API server says. One connection is kept for short requests, and each watch has its own. HTTP/1.1 over TLS, verified
//! by the service account's `ca.crt`; the token is read for each request, since the kubelet renews it. What it refuses: to wait for ever, and
//! answers larger than any that is asked for. Nothing is logged here.

use std::{fs, io, sync::Arc, time::Duration};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    client::conn::http1::{self, SendRequest},
    header,
};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::{net::TcpStream, sync::Mutex, time::timeout};
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;
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
#[derive(Debug)]
pub(super) struct Api {
    pub(super) place: Place,
    pub(super) ledger: Ledger,
    kept: Mutex<Option<Connection>>,
}

#[derive(Debug)]
struct Connection {
    requests: SendRequest<Full<Bytes>>,
    _task: AbortOnDropHandle<()>,
}

impl Api {
    pub(super) fn new(place: Place, ledger: Ledger) -> Self {
        Api { place, ledger, kept: Mutex::new(None) }
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Fault> {
        self.call(Method::GET, path, "application/json", None).await
    }

    pub(super) async fn create<T: DeserializeOwned>(&self, path: &str, object: &Value) -> Result<T, Fault> {
        self.call(Method::POST, path, "application/json", Some(object)).await
    }

    /// Refused with `Conflict` where the object's `resourceVersion` is no longer the newest.
    pub(super) async fn replace<T: DeserializeOwned>(&self, path: &str, object: &Value) -> Result<T, Fault> {
        self.call(Method::PUT, path, "application/json", Some(object)).await
    }

    pub(super) async fn patch<T: DeserializeOwned>(&self, path: &str, how: Patch, part: &Value) -> Result<T, Fault> {
        let kind = match how {
            Patch::Merge => "application/merge-patch+json",
            Patch::Strategic => "application/strategic-merge-patch+json",
        };
        self.call(Method::PATCH, path, kind, Some(part)).await
    }

    async fn call<T: DeserializeOwned>(&self, method: Method, path: &str, kind: &str, body: Option<&Value>) -> Result<T, Fault> {
        let answer =
            timeout(CALL, self.exchange(method, path, kind, body)).await.unwrap_or_else(|_| Err(Fault::Unreachable(SILENT.into())));
        self.note(&answer);
        let bytes = answer?;
        serde_json::from_slice(&bytes).map_err(|error| Fault::Refused(format!("an answer that is not understood: {error}")))
    }

    /// The changes of what `path` selects, one at a time, until the server ends it.
    pub(super) async fn watch(&self, path: &str) -> Result<Watch, Fault> {
        let opened = timeout(CALL, async {
            let mut connection = self.connect().await?;
            let response = send(&mut connection, self.request(Method::GET, path, "application/json", None)?).await?;
            Ok((connection, response))
        });
        let opened = opened.await.unwrap_or_else(|_| Err(Fault::Unreachable(SILENT.into())));
        self.note(&opened);
        let (connection, response) = opened?;
        if response.status().is_success() {
            return Ok(Watch { body: response.into_body(), pending: Vec::new(), _connection: connection });
        }
        Err(refusal(response.status(), &collect(response.into_body()).await.unwrap_or_default()))
    }

    async fn exchange(&self, method: Method, path: &str, kind: &str, body: Option<&Value>) -> Result<Bytes, Fault> {
        let mut kept = self.kept.lock().await;
        // Taken out: what is given up half-way must not be used again.
        let usable = kept.take().filter(|connection| !connection.requests.is_closed());
        let (mut connection, fresh) = match usable {
            Some(connection) => (connection, false),
            None => (self.connect().await?, true),
        };
        let response = match send(&mut connection, self.request(method.clone(), path, kind, body)?).await {
            // The server may have closed a connection that stood idle for long; whether it took this one is told by the next answer.
            Err(_) if !fresh => {
                connection = self.connect().await?;
                send(&mut connection, self.request(method, path, kind, body)?).await?
            }
            sent => sent?,
        };
        let status = response.status();
        let bytes = collect(response.into_body()).await?;
        *kept = Some(connection);
        if status.is_success() { Ok(bytes) } else { Err(refusal(status, &bytes)) }
    }

    fn request(&self, method: Method, path: &str, kind: &str, body: Option<&Value>) -> Result<Request<Full<Bytes>>, Fault> {
        let token = fs::read_to_string(self.place.folder.join("token")).map(Zeroizing::new);
        let token = token.map_err(|error| Fault::Unreachable(format!("the service account's token: {error}")))?;
        let body = body.map(ToString::to_string).unwrap_or_default();
        let mut bearer = header::HeaderValue::try_from(format!("Bearer {}", token.trim())).map_err(odd)?;
        bearer.set_sensitive(true);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.place.authority())
            .header(header::AUTHORIZATION, bearer)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, kind)
            .header(header::USER_AGENT, concat!("starkeeper/", env!("CARGO_PKG_VERSION")));
        request.body(Full::new(Bytes::from(body))).map_err(odd)
    }

    async fn connect(&self) -> Result<Connection, Fault> {
        let mut roots = RootCertStore::empty();
        let file = self.place.folder.join("ca.crt");
        let pem = fs::read(&file).map_err(|error| Fault::Unreachable(format!("{}: {error}", file.display())))?;
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok));
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::try_from(self.place.host.clone()).map_err(odd)?;
        let stream = TcpStream::connect((self.place.host.as_str(), self.place.port)).await.map_err(unreachable)?;
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(unreachable)?;
        let (requests, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(unreachable)?;
        let task = tokio::spawn(async move {
            // How it ends is told to whoever waits for an answer on it.
            let _ = connection.await;
        });
        Ok(Connection { requests, _task: AbortOnDropHandle::new(task) })
    }

    /// A server that answers is there, whatever it answers.
    fn note<T>(&self, answer: &Result<T, Fault>) {
        match answer {
            Err(Fault::Unreachable(reason)) => self.ledger.unreached(&self.place, reason),
            Ok(_) | Err(Fault::Forbidden(_) | Fault::NotFound | Fault::Conflict | Fault::Gone | Fault::Refused(_)) => self.ledger.reached(),
        }
    }
}

/// A watch that goes on.
#[derive(Debug)]
pub(super) struct Watch {
    body: Incoming,
    pending: Vec<u8>,
    _connection: Connection,
}

impl Watch {
    /// The next line; `None`: the server ended it, as it does after a while.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Fault> {
        loop {
            if let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
                let line = Zeroizing::new(self.pending.drain(..=end).collect::<Vec<u8>>());
                return serde_json::from_slice(&line).map(Some).map_err(odd);
            }
            let Some(frame) = self.body.frame().await else { return Ok(None) };
            if let Ok(data) = frame.map_err(unreachable)?.into_data() {
                if self.pending.len() + data.len() > LARGEST {
                    return Err(Fault::Refused("an answer that is too large".into()));
                }
                self.pending.extend_from_slice(&data);
            }
        }
    }
}

async fn send(connection: &mut Connection, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Fault> {
    connection.requests.ready().await.map_err(unreachable)?;
    connection.requests.send_request(request).await.map_err(unreachable)
}

async fn collect(body: Incoming) -> Result<Bytes, Fault> {
    let whole = Limited::new(body, LARGEST).collect().await;
    whole.map(http_body_util::Collected::to_bytes).map_err(|error| Fault::Unreachable(error.to_string()))
}

fn refusal(status: StatusCode, body: &[u8]) -> Fault {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Said {
        message: String,
    }
    let said: Said = serde_json::from_slice(body).unwrap_or_default();
    let message = if said.message.is_empty() { status.to_string() } else { said.message };
    match status {
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
fn unreachable<E: std::error::Error>(error: E) -> Fault {
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let next_reason = next.to_string();
        if !reason.ends_with(&next_reason) {
            reason = format!("{reason}: {next_reason}");
        }
        cause = next.source();
    }
    Fault::Unreachable(reason)
}

fn odd<E: std::error::Error>(error: E) -> Fault {
    Fault::Refused(error.to_string())
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        unreachable(error)
    }
}

/// For one request, from the connection to the last byte.
const CALL: Duration = Duration::from_secs(5);
const SILENT: &str = "no answer within 5 seconds";
/// A Secret holds at most 1 MiB, and base64 makes a third more of it.
const LARGEST: usize = 4 << 20;
