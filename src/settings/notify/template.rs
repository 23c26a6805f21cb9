//! The body of a request as a template, tried before anything starts: it must compile, and fill from what a notification holds, with every part that
//! may be missing missing, and with none missing. A name that does not exist is an error, and so is a loop without end.

use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;
use serde_json::{Value, json};

use super::Method;

/// A request's method, content type and body, which was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The method of the request.
    pub method: Method,
    /// `Content-Type`
    pub content_type: String,
    body: String,
}

impl Template {
    /// # Errors
    /// In words, with the template's line: why it cannot be used.
    pub(super) fn new(method: Method, content_type: String, body: String) -> Result<Self, String> {
        let template = Template { method, content_type, body };
        let is_json = template.content_type.split(';').next().unwrap_or_default().trim().ends_with("json");
        for sample in [sample(), bare(sample())] {
            let filled = template.fill(&sample)?;
            if is_json && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&filled) {
                return Err(format!(
                    "what it makes is not JSON, which `contentType` promises: {error}; write texts as `{{{{ title|tojson }}}}`"
                ));
            }
        }
        Ok(template)
    }

    /// The body for one notification.
    ///
    /// # Errors
    /// In words; never where the notification has the shape of [`sample`].
    pub fn fill(&self, notification: &impl Serialize) -> Result<String, String> {
        let environment = environment();
        let template = environment.template_from_str(&self.body).map_err(|error| said(&error))?;
        let filled = template.render(minijinja::value::Serde(notification)).map_err(|error| said(&error))?;
        if filled.len() > LONGEST { Err(format!("it makes a body of more than {LONGEST} bytes")) } else { Ok(filled) }
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment
}

fn said(error: &minijinja::Error) -> String {
    let what = error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    match error.line() {
        Some(line) => format!("line {line} of the template: {what}"),
        None => what,
    }
}

/// A notification as it is documented, nothing missing: what templates are tried with.
pub fn sample() -> Value {
    json!({
        "version": 1,
        "key": "leaf-expiring/75216da9dc5a849165d3f72aa1b31fb96823800f89f7784891f426526ca7357c",
        "state": "firing",
        "test": false,
        "code": "leaf-expiring",
        "severity": "warning",
        "title": "the certificate will expire soon",
        "text": "…",
        "remedy": "…",
        "at": "2026-01-10T00:00:05Z",
        "since": "2026-01-10T00:00:00Z",
        "evidence": {"file": "/tls/tls.crt"},
        "phase": "Serving",
        "ready": true,
        "served": {"subject": "CN=pbx.example.com", "fingerprintSha256": "75216da9…", "notAfter": "2026-01-31T00:00:00Z"},
        "certificate": {"subject": "CN=pbx.example.com", "fingerprintSha256": "75216da9…", "notAfter": "2026-01-31T00:00:00Z"},
        "instance": "pbx.example.com",
        "host": "pbx",
        "pod": "asterisk-0",
        "namespace": "voice",
    })
}

/// The same with everything missing that may be.
fn bare(mut sample: Value) -> Value {
    for key in ["served", "certificate", "pod", "namespace"] {
        sample[key] = Value::Null;
    }
    sample["evidence"] = json!({});
    sample["remedy"] = "".into();
    sample
}

/// In instructions; the longest sensible template takes some hundreds.
const FUEL: u64 = 100_000;
/// In bytes.
const LONGEST: usize = 64 * 1024;
