//! `notify:` of the settings: who is told when something changes, and how. What is refused: a receiver of no kind or of two, secrets that stand
//! in the file or in a URL, a password that would cross a network in the open, a template that cannot be filled.

mod check;
mod raw;
mod template;

pub use template::{Template, sample};

pub(super) use raw::RawReceiver;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diagnosis::{Lang, Severity};

/// Somebody who is told when something changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// How it is called; no two have the same.
    pub name: String,
    /// What is less severe is not told.
    pub minimum: Severity,
    /// The language of what people read.
    pub lang: Lang,
    /// How it is reached.
    pub means: Means,
}

/// How a receiver is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Means {
    /// A POST of the documented JSON.
    Webhook(Target),
    /// Prometheus' Alertmanager; the base of its URL.
    Alertmanager(Target),
    /// An incoming webhook of Slack.
    Slack(Target),
    /// A request of the user's own making.
    Template(Target, Box<Template>),
    /// Mail.
    Email(Box<Email>),
}

impl Means {
    /// As metrics, findings and the settings name it.
    pub fn kind(&self) -> &'static str {
        match self {
            Means::Webhook(_) => KINDS[0],
            Means::Alertmanager(_) => KINDS[1],
            Means::Slack(_) => KINDS[2],
            Means::Template(..) => KINDS[3],
            Means::Email(_) => KINDS[4],
        }
    }
}

/// Every kind of receiver.
pub const KINDS: [&str; 5] = ["webhook", "alertmanager", "slack", "template", "email"];

/// A URL, and what goes with each request to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where to.
    pub url: Url,
    /// Header lines, by name.
    pub headers: Vec<(String, Secret)>,
    /// The CA file that the server's certificate must lead to; `None`: the system's trust.
    pub ca: Option<PathBuf>,
}

/// A URL of the settings, or a secret one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Url {
    /// As it stands in the settings.
    Plain(String),
    /// To be read.
    Secret(Secret),
}

/// Where a secret is read, anew each time that it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// A file that holds nothing else.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
}

/// Mail over SMTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// The mail server.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is kept private.
    pub tls: MailTls,
    /// User and password.
    pub account: Option<(String, Secret)>,
    /// Who writes.
    pub from: String,
    /// Who reads; never empty.
    pub to: Vec<String>,
    /// The CA file that the server's certificate must lead to; `None`: the system's trust.
    pub ca: Option<PathBuf>,
}

/// How the connection to a mail server is kept private.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum MailTls {
    /// TLS from the first byte (RFC 8314).
    #[default]
    Required,
    /// STARTTLS, without which nothing is sent (RFC 3207).
    Starttls,
    /// Not at all: for a server on this machine.
    None,
}

/// The method of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Method {
    /// POST
    #[default]
    #[serde(rename = "POST")]
    Post,
    /// PUT
    #[serde(rename = "PUT")]
    Put,
}

/// How severe something must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Level {
    /// Everything, proved rotations too.
    Info,
    /// What will break later, or breaks for some; and errors.
    #[default]
    Warning,
    /// What keeps browsers out, or would after the next reload.
    Error,
}

/// A language that texts are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    En,
    /// Brazilian Portuguese.
    #[serde(rename = "pt-BR")]
    PtBr,
}
