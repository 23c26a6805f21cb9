//! `publish`: a good pair comes to stand where Asterisk reads, before Asterisk starts; what was done is told, and decides the exit code.

use std::{process::ExitCode, time::Duration};

use serde::Serialize;

use super::{Common, Output, USAGE, agent, terminal, words};
use crate::{
    bundle::Leaf,
    clock,
    diagnosis::{Lang, Rendered, Severity},
    material::Sources,
    settings::Overrides,
    supervise::publish::{self, Outcome, Published},
};

pub(super) fn run(common: &Common, overrides: &Overrides, within: u64) -> ExitCode {
    let settings = match agent::load(common, overrides) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let certificate = &settings.certificate;
    let (Some(directory), Some(cert)) = (&certificate.publish, &certificate.cert) else {
        terminal::err(match common.lang() {
            Lang::En => {
                "error: failed to publish: the settings have no certificate.publish; add `certificate: {publish: {directory: DIR}}`"
            }
            Lang::PtBr => {
                "erro: não foi possível publicar: as configurações não têm certificate.publish; acrescente `certificate: {publish: {directory: DIR}}`"
            }
        });
        return ExitCode::from(USAGE);
    };
    let sources = Sources { cert: cert.clone(), key: certificate.key.clone().unwrap_or_else(|| cert.clone()) };
    match publish::publish(&settings, directory, sources, Duration::from_secs(within)) {
        Ok(published) => tell(common, &published),
        Err(error) => {
            terminal::err(&format!("error: failed to {error}"));
            ExitCode::FAILURE
        }
    }
}

fn tell(common: &Common, published: &Published) -> ExitCode {
    let said = match common.output {
        Output::Json => {
            let findings = published.findings.iter().map(|finding| finding.rendered(Lang::En)).collect();
            let report = Report { version: 1, outcome: name(published.outcome), leaf: published.leaf.as_ref(), findings };
            serde_json::to_string(&report).unwrap_or_default()
        }
        Output::Text => {
            let wrong = published.findings.iter().filter(|finding| finding.severity > Severity::Info).collect::<Vec<_>>();
            if !wrong.is_empty() {
                terminal::err(terminal::show(common).findings(wrong).trim_end());
            }
            summary(published, common.lang())
        }
    };
    terminal::out(&said);
    ExitCode::from(u8::from(published.outcome == Outcome::Nothing))
}

fn summary(published: &Published, lang: Lang) -> String {
    let leaf = |leaf: &Leaf| format!("{}  {}", leaf.subject, words::until(leaf.not_after, Some(clock::wall()), lang));
    let leaf = published.leaf.as_ref().map(leaf).unwrap_or_default();
    match (published.outcome, lang) {
        (Outcome::Published, Lang::En) => format!("published: {leaf}"),
        (Outcome::Published, Lang::PtBr) => format!("publicado: {leaf}"),
        (Outcome::Stood, Lang::En) => format!("published already: {leaf}"),
        (Outcome::Stood, Lang::PtBr) => format!("já publicado: {leaf}"),
        (Outcome::Kept, Lang::En) => format!("not published, the last good pair stands: {leaf}"),
        (Outcome::Kept, Lang::PtBr) => format!("não publicado, o último par bom permanece: {leaf}"),
        (Outcome::Nothing, Lang::En) => "not published: there is no good pair yet".to_owned(),
        (Outcome::Nothing, Lang::PtBr) => "não publicado: ainda não há um par bom".to_owned(),
    }
}

/// As it stands in JSON.
fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Published => "published",
        Outcome::Stood => "stood",
        Outcome::Kept => "kept",
        Outcome::Nothing => "nothing",
    }
}

/// What was done, for programs.
#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    outcome: &'static str,
    leaf: Option<&'a Leaf>,
    findings: Vec<Rendered<'a>>,
}
