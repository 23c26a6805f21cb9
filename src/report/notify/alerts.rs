//! News → alerts as Alertmanager's API v2 takes them. Pure. What makes an alert the same one is its labels, so they hold nothing that changes while
//! it is the same thing; the rest stands in annotations.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{
    News, State, Topic,
    body::{Body, Place},
};
use crate::diagnosis::Lang;

/// How often an alert is sent again while it is so, as Prometheus does.
pub const RESEND: Duration = Duration::from_secs(60);

/// The body of `POST /api/v2/alerts`. Notices are no alerts and are left out, but that one of a test ends by itself.
pub fn alerts(news: &[News], place: &Place, lang: Lang) -> Value {
    let alerts = news.iter().filter(|news| news.state != State::Notice || news.topic == Topic::Test);
    Value::Array(alerts.map(|news| alert(news, place, lang)).collect())
}

fn alert(news: &News, place: &Place, lang: Lang) -> Value {
    let body = Body::of(news, place, lang);
    let subject = news.key.split_once('/').map_or("", |(_, subject)| subject);
    let mut labels = Map::new();
    for (name, value) in [
        ("alertname", name(news.topic.name()).as_str()),
        ("code", news.topic.name()),
        ("severity", body.severity),
        ("subject", subject),
        ("job", "starkeeper"),
        ("instance", &place.instance),
        ("host", &place.host),
        ("pod", place.pod.as_deref().unwrap_or_default()),
        ("namespace", place.namespace.as_deref().unwrap_or_default()),
    ] {
        // To Alertmanager an empty label is none.
        if !value.is_empty() {
            labels.insert(name.to_owned(), value.into());
        }
    }
    let mut annotations = Map::new();
    let served = body.served.as_ref();
    for (name, value) in [
        ("summary", Some(body.title.clone())),
        ("description", Some(body.text.clone())),
        ("remedy", Some(body.remedy.clone())),
        ("served", served.map(|served| format!("{} {}", served.subject, served.fingerprint_sha256))),
        ("notAfter", served.map(|served| served.not_after.to_string())),
    ] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            annotations.insert(name.to_owned(), value.into());
        }
    }
    let ends = match news.state {
        State::Firing | State::Notice => news.at.saturating_add(jiff::SignedDuration::try_from(RESEND * 4).unwrap_or_default()),
        State::Resolved => Ok(news.at),
    };
    let ends = ends.unwrap_or(news.at);
    json!({ "labels": labels, "annotations": annotations, "startsAt": news.since.min(news.at).to_string(), "endsAt": ends.to_string() })
}

/// `key-mismatch` → `StarkeeperKeyMismatch`
fn name(code: &str) -> String {
    let mut name = String::from("Starkeeper");
    for word in code.split('-') {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.extend(letters);
    }
    name
}
