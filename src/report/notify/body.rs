//! News → the documented JSON, and what a person reads of it in a mail or a chat. Pure. The JSON's keys and codes are English whoever reads it; title,
//! text and remedy are in the receiver's language.

use jiff::Timestamp;
use serde::Serialize;

use super::{Brief, News, State, Topic};
use crate::diagnosis::{Evidence, Lang, Severity, texts};

/// Where this agent is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// What it keeps: the first of `certificate.names`, else the host.
    pub instance: String,
    /// The machine's or container's name.
    pub host: String,
    /// Inside a cluster.
    pub pod: Option<String>,
    /// Inside a cluster.
    pub namespace: Option<String>,
}

/// One notification as it is documented.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the README documents each")]
pub struct Body<'a> {
    pub version: u32,
    pub key: &'a str,
    pub state: State,
    pub test: bool,
    pub code: &'static str,
    pub severity: &'static str,
    pub title: String,
    pub text: String,
    pub remedy: String,
    pub at: Timestamp,
    pub since: Timestamp,
    pub evidence: Evidence,
    pub phase: &'static str,
    pub ready: bool,
    pub served: &'a Option<Brief>,
    pub certificate: &'a Option<Brief>,
    pub instance: &'a str,
    pub host: &'a str,
    pub pod: Option<&'a str>,
    pub namespace: Option<&'a str>,
}

impl<'a> Body<'a> {
    /// What is said of `news` at `place` in `lang`.
    pub fn of(news: &'a News, place: &'a Place, lang: Lang) -> Self {
        let [title, text] = words(news, lang);
        let cause = news.finding.as_ref().filter(|_| news.state == State::Firing);
        Body {
            version: 1,
            key: &news.key,
            state: news.state,
            test: news.topic == Topic::Test,
            code: news.topic.name(),
            severity: severity(news.severity),
            title,
            text,
            remedy: cause.map(|finding| finding.remedy(lang)).unwrap_or_default(),
            at: news.at,
            since: news.since,
            evidence: news.finding.as_ref().map(|finding| finding.evidence.clone()).unwrap_or_default(),
            phase: news.scene.phase,
            ready: news.scene.ready,
            served: &news.scene.served,
            certificate: &news.scene.certificate,
            instance: &place.instance,
            host: &place.host,
            pod: place.pod.as_deref(),
            namespace: place.namespace.as_deref(),
        }
    }
}

fn words(news: &News, lang: Lang) -> [String; 2] {
    let say = |en: &str, pt: &str| match lang {
        Lang::En => en.to_owned(),
        Lang::PtBr => pt.to_owned(),
    };
    let title = match news.topic {
        Topic::Found(code) => texts::text(code, lang).title.to_owned(),
        Topic::NotReady => say("browsers cannot connect", "os navegadores não conseguem se conectar"),
        Topic::RotationProved => say("the new certificate is served", "o novo certificado está sendo servido"),
        Topic::Test => say("TEST: nothing is wrong", "TESTE: nada está errado"),
    };
    let text = match (news.topic, &news.finding) {
        (Topic::Found(_) | Topic::NotReady, Some(finding)) => finding.meaning(lang),
        (Topic::NotReady, None) => {
            say("Asterisk's /ws does not accept a sip upgrade over TLS.", "O /ws do Asterisk não aceita um upgrade sip por TLS.")
        }
        (Topic::RotationProved, _) => say("It was loaded, and seen on the wire.", "Ele foi carregado, e visto na conexão."),
        (Topic::Test, _) => say(
            "`starkeeper notify --test` sent this. Whoever reads it will be told when something is wrong.",
            "`starkeeper notify --test` enviou isto. Quem lê será avisado quando algo estiver errado.",
        ),
        (Topic::Found(_), None) => String::new(),
    };
    match news.state {
        State::Firing | State::Notice => [title, text],
        State::Resolved => [
            format!("{}: {title}", say("resolved", "resolvido")),
            match news.topic {
                Topic::NotReady => say("Browsers can connect again.", "Os navegadores conseguem se conectar de novo."),
                Topic::Found(_) | Topic::RotationProved | Topic::Test => say("It is so no longer.", "Não é mais assim."),
            },
        ],
    }
}

/// The subject of a mail.
pub fn subject(news: &News, place: &Place, lang: Lang) -> String {
    let body = Body::of(news, place, lang);
    format!("[Starkeeper] {}: {}", place.instance, body.title)
}

/// What a person reads in a mail.
pub fn plain(news: &News, place: &Place, lang: Lang) -> String {
    let body = Body::of(news, place, lang);
    let mut text = format!("{}\n\n{}\n", head(&body, news, lang), body.text);
    if !body.remedy.is_empty() {
        text.push_str(&format!("\n{}\n", body.remedy));
    }
    text.push_str(&format!("\n{}", foot(&body, lang)));
    text
}

/// The body of a request to an incoming webhook of Slack. What stands indented is code there.
pub fn slack(news: &News, place: &Place, lang: Lang) -> String {
    let body = Body::of(news, place, lang);
    let mut text = format!("*{}*\n{}\n", head(&body, news, lang), body.text);
    let mut in_code = false;
    for line in body.remedy.lines() {
        let is_code = line.starts_with("    ");
        if is_code != in_code {
            text.push_str("```\n");
            in_code = is_code;
        }
        text.push_str(line.strip_prefix("    ").unwrap_or(line));
        text.push('\n');
    }
    text.push_str(if in_code { "```\n" } else { "" });
    text.push_str(&foot(&body, lang));
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    serde_json::json!({ "text": text }).to_string()
}

fn head(body: &Body<'_>, news: &News, lang: Lang) -> String {
    let severity = match (news.state, news.severity, lang) {
        (State::Firing, Severity::Error, Lang::En) => "error",
        (State::Firing, Severity::Error, Lang::PtBr) => "erro",
        (State::Firing, Severity::Warning, Lang::En) => "warning",
        (State::Firing, Severity::Warning, Lang::PtBr) => "aviso",
        (State::Firing, Severity::Info, _) | (State::Resolved | State::Notice, _, _) => "",
    };
    let colon = if severity.is_empty() { "" } else { ": " };
    format!("{}: {severity}{colon}{} [{}]", body.instance, body.title, body.code)
}

fn foot(body: &Body<'_>, lang: Lang) -> String {
    let say = |en: &'static str, pt: &'static str| match lang {
        Lang::En => en,
        Lang::PtBr => pt,
    };
    let mut foot = String::new();
    if let Some(served) = body.served {
        let (is_served, until) = (say("served", "servido"), say("until", "até"));
        foot.push_str(&format!("{is_served}: {}, {until} {}, SHA-256 {}\n", served.subject, served.not_after, served.fingerprint_sha256));
    }
    let place = [Some(("host", body.host)), body.pod.map(|pod| ("pod", pod)), body.namespace.map(|space| ("namespace", space))];
    let place: Vec<_> = place.into_iter().flatten().map(|(name, value)| format!("{name} {value}")).collect();
    foot.push_str(&format!("{}  {}  {}\n", body.phase, body.at, place.join("  ")));
    foot
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}
