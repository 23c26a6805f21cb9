//! Judges one pair offline: as Asterisk's OpenSSL would, and as browsers would.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use jiff::Timestamp;
use serde_json::json;

use super::{Common, Output, USAGE, terminal};
use crate::{
    bundle::{self, Expectations, Leaf},
    clock,
    diagnosis::{Finding, Severity},
    material::{self, Sources, anchors},
    settings::{ExpirySettings, Trust, UserIds},
};

#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// The PEM file with the certificate, leaf first
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// The PEM file with the private key [default: the certificate's file]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// A DNS name or IP address that clients use (repeatable)
    #[arg(long = "name", value_name = "NAME", value_delimiter = ',')]
    names: Vec<String>,
    /// Whom browsers trust: `system`, `none`, or a PEM file
    #[arg(long, value_name = "FILE", default_value = "system")]
    ca: String,
    /// Judge as of this moment [default: now]
    #[arg(long, value_name = "RFC3339")]
    at: Option<Timestamp>,
    /// The uid that Asterisk runs as: whether it may read the files is judged, too
    #[arg(long, value_name = "UID", requires = "gid")]
    uid: Option<u32>,
    /// The gids that Asterisk runs with, its own first (repeatable)
    #[arg(long, value_name = "GID", requires = "uid", value_delimiter = ',')]
    gid: Vec<u32>,
    /// Warnings count, too
    #[arg(long)]
    strict: bool,
}

impl Check {
    pub(super) fn run(&self, common: &Common) -> ExitCode {
        let trust = match self.ca.as_str() {
            "system" => Trust::System,
            "none" => Trust::None,
            path => Trust::File(PathBuf::from(path)),
        };
        let anchors = match anchors::load(&trust) {
            Ok(anchors) => anchors,
            Err(error) => {
                terminal::err(&format!("error: failed to {error}"));
                return ExitCode::from(USAGE);
            }
        };
        let user = self.uid.zip(self.gid.first()).map(|(uid, gid)| UserIds { uid, gid: *gid, groups: self.gid[1..].to_vec() });
        let expectations = Expectations { names: self.names.clone(), anchors, user, expiry: ExpirySettings::default() };
        let sources = Sources { cert: self.cert.clone(), key: self.key.clone().unwrap_or_else(|| self.cert.clone()) };
        let snapshot = Arc::new(material::capture_pair(&sources));
        match bundle::judge(snapshot, &expectations, self.at.unwrap_or_else(clock::wall)) {
            Ok(bundle) => self.tell(common, &bundle.findings, Some(&bundle.leaf)),
            Err(rejection) => self.tell(common, &rejection.findings, rejection.leaf.as_deref()),
        }
    }

    fn tell(&self, common: &Common, findings: &[Finding], leaf: Option<&Leaf>) -> ExitCode {
        let counts = |severity| match severity {
            Severity::Error => true,
            Severity::Warning => self.strict,
            Severity::Info => false,
        };
        let usable = !findings.iter().any(|finding| counts(finding.severity));
        let verdict = if usable { "usable" } else { "rejected" };
        match common.output {
            Output::Json => {
                let findings: Vec<_> = findings.iter().map(|finding| finding.rendered(common.lang())).collect();
                terminal::out(&json!({ "version": 1, "verdict": verdict, "findings": findings, "leaf": leaf }).to_string());
            }
            Output::Text => terminal::out(&text(common, usable, findings, leaf)),
        }
        ExitCode::from(u8::from(!usable))
    }
}

fn text(common: &Common, usable: bool, findings: &[Finding], leaf: Option<&Leaf>) -> String {
    use crate::diagnosis::Lang;
    use anstyle::{AnsiColor, Style};

    let (yes, no, until, found) = match common.lang() {
        Lang::En => ("usable", "rejected", "until", "findings"),
        Lang::PtBr => ("utilizável", "rejeitado", "até", "achados"),
    };
    let (word, colour) = if usable { (yes, AnsiColor::Green) } else { (no, AnsiColor::Red) };
    let style = Style::new().bold().fg_color(Some(colour.into()));
    let mut lines = Vec::new();
    if !findings.is_empty() {
        lines.push(terminal::show(common).findings(findings).trim_end().to_owned());
        lines.push(String::new());
    }
    if let Some(leaf) = leaf {
        lines.push(format!("{}  {until} {}  {}  {}", leaf.subject, leaf.not_after, leaf.key_algorithm, leaf.names.join(" ")));
        lines.push(format!("SHA-256 {}", leaf.fingerprint_sha256));
    }
    lines.push(format!("{style}{word}{style:#}  {} {found}", findings.len()));
    lines.join("\n")
}
