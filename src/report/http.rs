//! `Status` → the agent's HTTP endpoints. Read-only: nothing can be changed over HTTP, and every method but GET and HEAD is refused.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{
    Check, Status, Verdict,
    metrics::{self, Format},
    page, process,
};
use crate::clock;

/// What the endpoints read.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The newest status.
    pub status: watch::Receiver<Arc<Status>>,
    /// Where the driver is asked whether it is alive.
    pub pulse: mpsc::Sender<oneshot::Sender<()>>,
    /// When it is cancelled, whoever still listens to news is let go.
    pub stop: CancellationToken,
    /// Room for those who listen to news.
    pub listeners: Arc<Semaphore>,
}

/// So many may listen to news at a time; who comes later asks now and then.
pub const LISTENERS: usize = 16;

/// The endpoints: `/` and its `/events`, `/healthz`, `/startupz`, `/readyz`, `/livez`, `/status`, `/metrics`.
pub fn router(sources: Sources) -> Router {
    Router::new()
        .route("/", get(page::root))
        .route("/events", get(page::events))
        .route("/healthz", get(healthz))
        .route("/startupz", get(startupz))
        .route("/readyz", get(readyz))
        .route("/livez", get(livez))
        .route("/status", get(status))
        .route("/metrics", get(exposition))
        .with_state(sources)
}

/// The driver answers its pulse within this; it never awaits anything longer than a moment.
const PULSE: Duration = Duration::from_secs(1);

async fn healthz(State(sources): State<Sources>, query: Query<HashMap<String, String>>, headers: HeaderMap) -> Response {
    answer_health(&Verdict::of(vec![driver_answers(&sources).await]), "healthz", &query, &headers)
}

/// For the startupProbe of a native sidecar: Kubernetes starts Asterisk once this passes. It cannot deadlock, since nothing of it waits
/// for Asterisk: the watched files are judged and published before anything is asked over AMI or at the door.
async fn startupz(State(sources): State<Sources>, query: Query<HashMap<String, String>>, headers: HeaderMap) -> Response {
    let driver = driver_answers(&sources).await;
    let published = sources.status.borrow().startup.checks.clone();
    answer_health(&Verdict::of([driver].into_iter().chain(published).collect()), "startupz", &query, &headers)
}

async fn driver_answers(sources: &Sources) -> Check {
    let (answer, answered) = oneshot::channel();
    let asked = sources.pulse.try_send(answer).is_ok();
    let ok = asked && tokio::time::timeout(PULSE, answered).await.is_ok_and(|answer| answer.is_ok());
    Check { name: "driver", ok, reasons: if ok { Vec::new() } else { vec!["driver-stuck"] } }
}

async fn readyz(State(sources): State<Sources>, query: Query<HashMap<String, String>>, headers: HeaderMap) -> Response {
    let verdict = sources.status.borrow().ready_at(clock::tick());
    answer_health(&verdict, "readyz", &query, &headers)
}

async fn livez(State(sources): State<Sources>, query: Query<HashMap<String, String>>, headers: HeaderMap) -> Response {
    let verdict = sources.status.borrow().live.clone();
    answer_health(&verdict, "livez", &query, &headers)
}

async fn status(State(sources): State<Sources>) -> Response {
    let status = Arc::clone(&sources.status.borrow());
    Json(&*status).into_response()
}

async fn exposition(State(sources): State<Sources>, headers: HeaderMap) -> Response {
    let format = Format::accepted(accept(&headers));
    let status = Arc::clone(&sources.status.borrow());
    ([(header::CONTENT_TYPE, format.content_type())], metrics::exposition(&status, process::read(), format, clock::tick())).into_response()
}

/// `ok`, or one reason a line; every check with `[+]` or `[-]` where `?verbose` asks for it, as Kubernetes does; JSON by `Accept`.
fn answer_health(verdict: &Verdict, name: &str, query: &HashMap<String, String>, headers: &HeaderMap) -> Response {
    let code = if verdict.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    if accept(headers).contains("application/json") {
        return (code, Json(verdict)).into_response();
    }
    let body = if query.contains_key("verbose") {
        let checks = verdict.checks.iter().map(|check| match check.ok {
            true => format!("[+]{} ok\n", check.name),
            false => format!("[-]{} failed: {}\n", check.name, check.reasons.join(", ")),
        });
        let end = format!("{name} check {}\n", if verdict.ok { "passed" } else { "failed" });
        checks.chain([end]).collect()
    } else if verdict.ok {
        "ok\n".to_owned()
    } else {
        verdict.reasons().map(|reason| format!("{reason}\n")).collect()
    };
    (code, [(header::CACHE_CONTROL, "no-store")], body).into_response()
}

fn accept(headers: &HeaderMap) -> &str {
    headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default()
}
