//! Judges one pair offline: as Asterisk's OpenSSL would, and as browsers would.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use anstyle::AnsiColor;
use jiff::Timestamp;
use serde::Serialize;

use super::{Common, Output, USAGE, terminal, words};
use crate::{
    bundle::{self, Expectations, Leaf},
    clock,
    diagnosis::{Finding, Lang, Rendered, Severity},
    material::{self, Sources, anchors},
    settings::{self, ExpirySettings, Trust, UserIds},
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
    #[arg(long = "name", value_name = "NAME", value_delimiter = ',', value_parser = settings::name)]
    names: Vec<String>,
    /// Whom browsers trust; `none`: that is not judged [default: system]
    #[arg(long, value_name = "system|none|FILE", default_value = "system", hide_default_value = true)]
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
        let now = self.at.unwrap_or_else(clock::wall);
        let (findings, leaf) = match bundle::judge(snapshot, &expectations, now) {
            Ok(bundle) => (bundle.findings, Some(bundle.leaf)),
            Err(rejection) => (rejection.findings, rejection.leaf.map(|leaf| *leaf)),
        };
        let usable = !findings.iter().any(|finding| match finding.severity {
            Severity::Error => true,
            Severity::Warning => self.strict,
            Severity::Info => false,
        });
        terminal::out(&match common.output {
            Output::Json => {
                let verdict = if usable { "usable" } else { "rejected" };
                let findings = findings.iter().map(|finding| finding.rendered(common.lang())).collect();
                serde_json::to_string(&Report { version: 1, verdict, findings, leaf: leaf.as_ref() }).unwrap_or_default()
            }
            Output::Text => self.text(common, usable, &findings, leaf.as_ref(), now),
        });
        ExitCode::from(u8::from(!usable))
    }

    /// Whose certificate it is, what was found in it, and last the verdict.
    fn text(&self, common: &Common, usable: bool, findings: &[Finding], leaf: Option<&Leaf>, now: Timestamp) -> String {
        let (show, lang) = (terminal::show(common), common.lang());
        let mut out = leaf.map(|leaf| words::leaf(leaf, now, lang) + "\n").unwrap_or_default();
        let mut sorted: Vec<&Finding> = findings.iter().collect();
        sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        for finding in sorted {
            out.push_str(&show.finding(finding));
            out.push('\n');
        }
        let (word, colour) = match (usable, lang) {
            (true, Lang::En) => ("usable", AnsiColor::Green),
            (true, Lang::PtBr) => ("utilizável", AnsiColor::Green),
            (false, Lang::En) => ("rejected", AnsiColor::Red),
            (false, Lang::PtBr) => ("rejeitado", AnsiColor::Red),
        };
        out.push_str(&words::paint(word, colour.on_default().bold()));
        if !findings.is_empty() {
            out.push_str(": ");
            out.push_str(&show.counts(findings));
        }
        if !usable && !findings.iter().any(|finding| finding.severity == Severity::Error) {
            out.push_str(match lang {
                Lang::En => " (--strict: warnings count)",
                Lang::PtBr => " (--strict: avisos contam)",
            });
        }
        out
    }
}

/// What was judged, for programs.
#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    verdict: &'static str,
    findings: Vec<Rendered<'a>>,
    leaf: Option<&'a Leaf>,
}
