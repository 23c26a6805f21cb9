//! `notify:` as it is written → receivers, or what is wrong with each. What may be a secret is never repeated.

use std::path::PathBuf;

use super::{
    super::{
        Inputs,
        error::Kind,
        load::Check,
        scalar::{self, Refusal},
    },
    Email, KINDS, Language, Level, MailTls, Means, Receiver, Secret, Target, Template, Url,
    raw::{RawEmail, RawHeader, RawReceiver, RawTemplate},
};
use crate::diagnosis::{Lang, Severity};

impl Check<'_> {
    pub(in crate::settings) fn notify(&mut self, raw: &[RawReceiver], inputs: &Inputs<'_>) -> Vec<Receiver> {
        let mut receivers: Vec<Receiver> = Vec::new();
        for (index, raw) in raw.iter().enumerate() {
            let at = format!("notify[{index}]");
            let Some(means) = self.means(&at, raw, inputs) else { continue };
            let named = self.optional(&format!("{at}.name"), raw.name.as_deref(), scalar::ami_username);
            let name = named.unwrap_or_else(|| means.kind().to_owned());
            if receivers.iter().any(|other| other.name == name) {
                let found = format!("two receivers called `{name}`");
                self.contradiction([&at, "notify"], &found, "give each a `name` of its own");
            }
            let minimum = match raw.minimum_severity {
                Level::Info => Severity::Info,
                Level::Warning => Severity::Warning,
                Level::Error => Severity::Error,
            };
            let lang = match raw.language {
                Language::En => Lang::En,
                Language::PtBr => Lang::PtBr,
            };
            receivers.push(Receiver { name, minimum, lang, means });
        }
        receivers
    }

    fn means(&mut self, at: &str, raw: &RawReceiver, inputs: &Inputs<'_>) -> Option<Means> {
        let mut means = Vec::new();
        if let Some(webhook) = &raw.webhook {
            let at = format!("{at}.webhook");
            let given = UrlSaid { plain: Some(&webhook.url), file: &webhook.url_file, variable: &webhook.url_variable };
            let url = self.url(&at, &given, inputs);
            means.push(self.target(&at, url, &webhook.headers, &webhook.ca, inputs).map(Means::Webhook));
        }
        if let Some(alertmanager) = &raw.alertmanager {
            let at = format!("{at}.alertmanager");
            let url = self.one_url(&format!("{at}.url"), &alertmanager.url);
            means.push(self.target(&at, url, &alertmanager.headers, &alertmanager.ca, inputs).map(Means::Alertmanager));
        }
        if let Some(slack) = &raw.slack {
            let at = format!("{at}.slack");
            let url = self.url(&at, &UrlSaid { plain: None, file: &slack.url_file, variable: &slack.url_variable }, inputs);
            means.push(self.target(&at, url, &[], &slack.ca, inputs).map(Means::Slack));
        }
        if let Some(template) = &raw.template {
            means.push(self.template(&format!("{at}.template"), template, inputs));
        }
        if let Some(email) = &raw.email {
            means.push(self.email(&format!("{at}.email"), email, inputs).map(|email| Means::Email(Box::new(email))));
        }
        match means.len() {
            1 => means.pop().flatten(),
            0 if self.is_known_wrong(at) => None,
            0 => {
                let remedy = format!("add one of `{}`", KINDS.join("`, `"));
                self.contradiction([at, "notify"], "a receiver that is nobody", &remedy);
                None
            }
            _ => {
                self.contradiction([at, "notify"], "a receiver of two kinds", "write one item of the list for each");
                None
            }
        }
    }

    fn template(&mut self, at: &str, raw: &RawTemplate, inputs: &Inputs<'_>) -> Option<Means> {
        let given = UrlSaid { plain: Some(&raw.url), file: &raw.url_file, variable: &raw.url_variable };
        let url = self.url(at, &given, inputs);
        let target = self.target(at, url, &raw.headers, &raw.ca, inputs);
        let content_type = self.one(&format!("{at}.contentType"), &raw.content_type, line)?;
        match Template::new(raw.method, content_type, raw.body.clone()) {
            Ok(template) => target.map(|target| Means::Template(target, Box::new(template))),
            Err(why) => {
                let remedy = "what can be named stands in the README, under Notifications; test what may be missing: `{{ served.subject if served else '-' }}`";
                self.refuse_here(Kind::BadTemplate, &format!("{at}.body"), &why, remedy);
                None
            }
        }
    }

    fn email(&mut self, at: &str, raw: &RawEmail, inputs: &Inputs<'_>) -> Option<Email> {
        let host = self.one(&format!("{at}.host"), &raw.host, scalar::server_name);
        let from = self.one(&format!("{at}.from"), &raw.from, mailbox);
        let to = raw.to.iter().enumerate();
        let to: Vec<_> = to.filter_map(|(index, to)| self.one(&format!("{at}.to[{index}]"), to, mailbox)).collect();
        if raw.to.is_empty() {
            self.refuse_here(Kind::BadMailbox, &format!("{at}.to"), "nobody", "name who reads: `to: [ops@example.com]`");
        }
        let password = self.secret(&format!("{at}.password"), &raw.password_file, &raw.password_variable, inputs);
        let username = self.optional(&format!("{at}.username"), raw.username.as_deref(), line);
        let account = match (username, password) {
            (Some(username), Some(password)) => Some((username, password)),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) if self.is_known_wrong(&format!("{at}.password")) => None,
            (Some(_), None) | (None, Some(_)) => {
                let remedy = "name both `username` and `passwordFile` (or `passwordVariable`), or neither";
                self.contradiction([at, "notify"], "half of an account", remedy);
                None
            }
        };
        let is_here = host.as_deref().is_some_and(|host| scalar::address(&format!("{host}:25")).is_ok_and(|address| address.is_loopback()));
        if account.is_some() && raw.tls == MailTls::None && !is_here {
            let tls = format!("{at}.tls");
            self.contradiction([&tls, at], "a password that would cross the network unencrypted", "say `tls: starttls` or `tls: required`");
        }
        let port = raw.port.filter(|port| *port > 0).unwrap_or(match raw.tls {
            MailTls::Required => 465,
            MailTls::Starttls => 587,
            MailTls::None => 25,
        });
        let ca = self.optional(&format!("{at}.ca"), raw.ca.as_deref(), scalar::path);
        Some(Email { host: host?, port, tls: raw.tls, account, from: from?, to, ca })
    }

    fn target(&mut self, at: &str, url: Option<Url>, headers: &[RawHeader], ca: &Option<String>, inputs: &Inputs<'_>) -> Option<Target> {
        let mut lines = Vec::new();
        for (index, header) in headers.iter().enumerate() {
            let at = format!("{at}.headers[{index}]");
            let name = self.one(&format!("{at}.name"), &header.name, header_name);
            let value = self.secret(&at, &header.file, &header.variable, inputs);
            if header.file.is_none() && header.variable.is_none() && !self.is_known_wrong(&at) {
                self.refuse_here(
                    Kind::MissingKey,
                    &at,
                    "a header without a value",
                    "name the `file` (or the `variable`) that holds its value",
                );
            }
            lines.extend(name.zip(value));
        }
        let ca = self.optional(&format!("{at}.ca"), ca.as_deref(), scalar::path);
        Some(Target { url: url?, headers: lines, ca })
    }

    fn url(&mut self, at: &str, said: &UrlSaid<'_>, inputs: &Inputs<'_>) -> Option<Url> {
        let secret = self.secret(&format!("{at}.url"), said.file, said.variable, inputs);
        let was_said = said.file.is_some() || said.variable.is_some();
        match (said.plain.and_then(Option::as_ref), secret) {
            (Some(_), Some(_)) => {
                self.contradiction([at, "notify"], "two URLs", "keep one of `url`, `urlFile` and `urlVariable`");
                None
            }
            (Some(plain), None) => self.one_url(&format!("{at}.url"), plain),
            (None, Some(secret)) => Some(Url::Secret(secret)),
            (None, None) => {
                if !was_said && !self.is_known_wrong(at) {
                    let words = if said.plain.is_some() { "`url`, `urlFile` or `urlVariable`" } else { "`urlFile` or `urlVariable`" };
                    self.refuse_here(Kind::MissingKey, at, "no URL", &format!("add {words}"));
                }
                None
            }
        }
    }

    fn one_url(&mut self, key: &str, text: &str) -> Option<Url> {
        match url(text) {
            Ok(url) => Some(Url::Plain(url)),
            Err((kind, found, remedy)) => {
                self.refuse_here(kind, key, found, remedy);
                None
            }
        }
    }

    /// `key` with `File` or `Variable` behind it, whichever was said.
    fn secret(&mut self, key: &str, file: &Option<String>, variable: &Option<String>, inputs: &Inputs<'_>) -> Option<Secret> {
        // `headers[0].file`, but `passwordFile`.
        let [of_file, of_variable] = if key.ends_with(']') { [".file", ".variable"] } else { ["File", "Variable"] };
        let (of_file, of_variable) = (format!("{key}{of_file}"), format!("{key}{of_variable}"));
        match (file, variable) {
            (None, None) => None,
            (Some(_), Some(_)) => {
                self.contradiction([&of_file, &of_variable], "a secret from two places", "keep one of the two");
                None
            }
            (Some(file), None) if file.starts_with('/') && !file.contains(['\0', '\n', ' ']) => Some(Secret::File(PathBuf::from(file))),
            (Some(_), None) => {
                // What is no path may be the secret itself.
                self.refuse_here(
                    Kind::SecretInline,
                    &of_file,
                    "what is no absolute path",
                    "put the secret into a file of its own, name that file with its absolute path, and change the secret if it stood here",
                );
                None
            }
            (None, Some(name)) if (inputs.environment)(name).is_some_and(|value| !value.trim().is_empty()) => {
                Some(Secret::Variable(name.clone()))
            }
            (None, Some(_)) => {
                let remedy = "name a variable of the agent's environment, not its value, and set it";
                self.refuse_here(Kind::SecretUnreadable, &of_variable, "a variable that is not set, or is empty", remedy);
                None
            }
        }
    }
}

/// In which ways a URL was said.
struct UrlSaid<'a> {
    /// `None`: this one is always a secret.
    plain: Option<&'a Option<String>>,
    file: &'a Option<String>,
    variable: &'a Option<String>,
}

/// `http` or `https`, a host, and nobody's name or password in it.
fn url(text: &str) -> Result<String, (Kind, &'static str, &'static str)> {
    let read = url::Url::parse(text).map_err(|_| (Kind::BadUrl, "what is no URL", "write it whole: `https://hooks.example.com/path`"))?;
    if !read.username().is_empty() || read.password().is_some() {
        let remedy = "a URL with a user or a password in it is a secret: take both out and send an `Authorization` header from a file, or put the whole URL into a file (`urlFile`)";
        return Err((Kind::SecretInline, "a URL with a user or a password in it", remedy));
    }
    if !matches!(read.scheme(), "http" | "https") || !read.has_host() {
        return Err((Kind::BadUrl, "a URL of another scheme, or without a host", "write `http://…` or `https://…`"));
    }
    Ok(text.to_owned())
}

/// A name that HTTP takes, and that does not frame the message (RFC 9110).
fn header_name(text: &str) -> Result<String, Refusal> {
    let ours = ["host", "content-length", "content-type", "transfer-encoding", "connection"];
    match text.parse::<http::HeaderName>() {
        Ok(name) if !ours.contains(&name.as_str()) => Ok(text.to_owned()),
        Ok(_) | Err(_) => Err(Refusal::new(Kind::BadText, "the name of a header of your own: Authorization, X-Api-Key")),
    }
}

fn mailbox(text: &str) -> Result<String, Refusal> {
    match text.parse::<lettre::message::Mailbox>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(Refusal::new(Kind::BadMailbox, "an address: ops@example.com, or Name <ops@example.com>")),
    }
}

fn line(text: &str) -> Result<String, Refusal> {
    let is_fit = !text.trim().is_empty() && text.is_ascii() && !text.chars().any(char::is_control);
    if is_fit { Ok(text.to_owned()) } else { Err(Refusal::new(Kind::BadText, "one line of plain ASCII")) }
}
