//! `notify:` of the settings as it is written; its part of the JSON Schema comes from these types.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Language, Level, MailTls};

/// Somebody who is told when something changes; of exactly one kind: webhook, alertmanager, slack, template or email.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("examples" = [
    { "name": "on-call", "minimumSeverity": "error", "slack": { "urlFile": "/run/secrets/slack" } },
    { "alertmanager": { "url": "http://alertmanager:9093" } },
    { "language": "pt-BR", "email": { "host": "smtp.example.com", "username": "pbx", "passwordFile": "/run/secrets/smtp",
      "from": "pbx@example.com", "to": ["ops@example.com"] } },
]))]
pub(in crate::settings) struct RawReceiver {
    /// How it is called in findings and on the command line; default: its kind.
    #[schemars(extend("examples" = ["on-call"]))]
    pub(super) name: Option<String>,
    /// What is less severe is not told.
    #[serde(default)]
    pub(super) minimum_severity: Level,
    /// The language of what people read.
    #[serde(default)]
    pub(super) language: Language,
    /// A POST of the documented JSON.
    pub(super) webhook: Option<RawWebhook>,
    /// Prometheus' Alertmanager, over its API v2.
    pub(super) alertmanager: Option<RawAlertmanager>,
    /// An incoming webhook of Slack, or of what understands the same (Mattermost, Rocket.Chat, Discord's `/slack`).
    pub(super) slack: Option<RawSlack>,
    /// Any HTTP request: a body of your own, as a template over the documented JSON.
    pub(super) template: Option<RawTemplate>,
    /// Mail over SMTP.
    pub(super) email: Option<RawEmail>,
}

/// A POST of the documented JSON.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::settings) struct RawWebhook {
    /// Where to; no user and no password in it.
    #[schemars(extend("examples" = ["https://hooks.example.com/starkeeper"]))]
    pub(super) url: Option<String>,
    /// A file that holds the URL, where the URL is a secret.
    #[schemars(extend("examples" = ["/run/secrets/webhook-url"]))]
    pub(super) url_file: Option<String>,
    /// An environment variable that holds it.
    #[schemars(extend("examples" = ["WEBHOOK_URL"]))]
    pub(super) url_variable: Option<String>,
    /// Header lines whose values come from files or variables.
    #[serde(default)]
    pub(super) headers: Vec<RawHeader>,
    /// The CA file that the server's certificate must lead to; default: the system's trust.
    #[schemars(extend("examples" = ["/etc/ssl/ops-ca.pem"]))]
    pub(super) ca: Option<String>,
}

/// One header line.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::settings) struct RawHeader {
    /// Its name.
    #[schemars(extend("examples" = ["Authorization"]))]
    pub(super) name: String,
    /// The file that holds its whole value, such as `Bearer …`.
    #[schemars(extend("examples" = ["/run/secrets/webhook-authorization"]))]
    pub(super) file: Option<String>,
    /// The environment variable that holds it.
    #[schemars(extend("examples" = ["WEBHOOK_AUTHORIZATION"]))]
    pub(super) variable: Option<String>,
}

/// Prometheus' Alertmanager.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::settings) struct RawAlertmanager {
    /// Its base URL; `/api/v2/alerts` is added.
    #[schemars(extend("examples" = ["http://alertmanager:9093"]))]
    pub(super) url: String,
    /// Header lines whose values come from files or variables.
    #[serde(default)]
    pub(super) headers: Vec<RawHeader>,
    /// The CA file that the server's certificate must lead to; default: the system's trust.
    #[schemars(extend("examples" = ["/etc/ssl/ops-ca.pem"]))]
    pub(super) ca: Option<String>,
}

/// An incoming webhook of Slack.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::settings) struct RawSlack {
    /// The file that holds the webhook's URL, which is a secret.
    #[schemars(extend("examples" = ["/run/secrets/slack"]))]
    pub(super) url_file: Option<String>,
    /// The environment variable that holds it.
    #[schemars(extend("examples" = ["SLACK_URL"]))]
    pub(super) url_variable: Option<String>,
    /// The CA file that the server's certificate must lead to; default: the system's trust.
    #[schemars(extend("examples" = ["/etc/ssl/ops-ca.pem"]))]
    pub(super) ca: Option<String>,
}

/// Any HTTP request.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::settings) struct RawTemplate {
    /// Where to; no user and no password in it.
    #[schemars(extend("examples" = ["https://ntfy.example.com/pbx"]))]
    pub(super) url: Option<String>,
    /// A file that holds the URL, where the URL is a secret.
    #[schemars(extend("examples" = ["/run/secrets/ntfy-url"]))]
    pub(super) url_file: Option<String>,
    /// An environment variable that holds it.
    #[schemars(extend("examples" = ["NTFY_URL"]))]
    pub(super) url_variable: Option<String>,
    /// The method of the request.
    #[serde(default)]
    pub(super) method: super::Method,
    /// What the body is.
    #[serde(default = "plain_text")]
    #[schemars(extend("examples" = ["application/json", "text/plain; charset=utf-8"]))]
    pub(super) content_type: String,
    /// The body, in Jinja's syntax; what can be named is what the documented JSON holds.
    #[schemars(extend("examples" = ["{{ severity }}: {{ title }}\n{{ text }}", "{\"message\": {{ title|tojson }}}"]))]
    pub(super) body: String,
    /// Header lines whose values come from files or variables.
    #[serde(default)]
    pub(super) headers: Vec<RawHeader>,
    /// The CA file that the server's certificate must lead to; default: the system's trust.
    #[schemars(extend("examples" = ["/etc/ssl/ops-ca.pem"]))]
    pub(super) ca: Option<String>,
}

/// Mail over SMTP.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::settings) struct RawEmail {
    /// The mail server, as its certificate names it.
    #[schemars(extend("examples" = ["smtp.example.com"]))]
    pub(super) host: String,
    /// Default: 465 with TLS, 587 with STARTTLS, 25 without either.
    #[schemars(range(max = 65535))]
    pub(super) port: Option<u16>,
    /// How the connection is kept private.
    #[serde(default)]
    pub(super) tls: MailTls,
    /// The account, where the server asks for one.
    #[schemars(extend("examples" = ["pbx@example.com"]))]
    pub(super) username: Option<String>,
    /// The file that holds its password.
    #[schemars(extend("examples" = ["/run/secrets/smtp"]))]
    pub(super) password_file: Option<String>,
    /// The environment variable that holds it.
    #[schemars(extend("examples" = ["SMTP_PASSWORD"]))]
    pub(super) password_variable: Option<String>,
    /// Who writes.
    #[schemars(extend("examples" = ["Starkeeper <pbx@example.com>"]))]
    pub(super) from: String,
    /// Who reads.
    #[schemars(extend("examples" = [["ops@example.com"]]))]
    pub(super) to: Vec<String>,
    /// The CA file that the server's certificate must lead to; default: the system's trust.
    #[schemars(extend("examples" = ["/etc/ssl/ops-ca.pem"]))]
    pub(super) ca: Option<String>,
}

fn plain_text() -> String {
    "text/plain; charset=utf-8".into()
}
