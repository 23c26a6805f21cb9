//! `Status` → the page at `/`, and its news at `/events`. One answer holds it whole: styles and script stand in it and are allowed by their
//! hashes alone, nothing else is loaded from anywhere, and without a script it says the same.

mod drawing;
mod language;
mod live;
mod view;

use std::{collections::HashMap, sync::OnceLock};

use askama::Template;
use axum::{
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

pub use language::negotiate;

use super::{
    Status, Verdict,
    http::Sources,
    words::{self, Tone},
};
use crate::{clock, diagnosis::Lang};
use view::{Block, View};

/// The whole page.
pub fn page(status: &Status, ready: &Verdict, now: Timestamp, lang: Lang) -> String {
    let v = View::of(status, ready, now, lang);
    Page { v: &v, style: STYLE, script: SCRIPT }.render().unwrap_or_default()
}

/// Its `<main>` alone.
pub fn fragment(status: &Status, ready: &Verdict, now: Timestamp, lang: Lang) -> String {
    let v = View::of(status, ready, now, lang);
    Main { v: &v }.render().unwrap_or_default()
}

#[derive(Template)]
#[template(path = "page.html", config = "src/report/page/askama.toml")]
struct Page<'a> {
    v: &'a View,
    style: &'static str,
    script: &'static str,
}

#[derive(Template)]
#[template(path = "main.html", config = "src/report/page/askama.toml")]
struct Main<'a> {
    v: &'a View,
}

pub(super) async fn root(State(sources): State<Sources>, query: Query<HashMap<String, String>>, headers: HeaderMap) -> Response {
    let lang = language_of(&query, &headers);
    let status = sources.status.borrow().clone();
    let html = page(&status, &status.ready_at(clock::tick()), clock::wall(), lang);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, policy().clone()),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, guarded(lang), html).into_response()
}

/// News of the status, for as many as there is room for.
pub(super) async fn events(State(sources): State<Sources>, query: Query<HashMap<String, String>>, headers: HeaderMap) -> Response {
    let lang = language_of(&query, &headers);
    match sources.listeners.clone().try_acquire_owned() {
        Ok(place) => (guarded(lang), live::listen(sources, place, lang)).into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, guarded(lang), "too many listen already\n").into_response(),
    }
}

fn language_of(query: &HashMap<String, String>, headers: &HeaderMap) -> Lang {
    // Several lines of one header are one list.
    let accepted: Vec<_> = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|line| line.to_str().ok()).collect();
    negotiate(query.get("lang").map(String::as_str), &accepted.join(","))
}

fn guarded(lang: Lang) -> [(header::HeaderName, HeaderValue); 5] {
    [
        (header::CONTENT_LANGUAGE, HeaderValue::from_static(lang.tag())),
        (header::VARY, HeaderValue::from_static("Accept-Language")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    ]
}

fn policy() -> &'static HeaderValue {
    static POLICY: OnceLock<HeaderValue> = OnceLock::new();
    POLICY.get_or_init(|| {
        let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; connect-src 'self'; frame-ancestors 'none'; \
             base-uri 'none'; form-action 'none'",
            hash(STYLE),
            hash(SCRIPT)
        );
        HeaderValue::try_from(policy).expect("base64 and what stands here are ASCII")
    })
}

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

#[cfg(test)]
mod tests;
