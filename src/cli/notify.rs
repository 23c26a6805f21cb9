//! `notify --test`: each receiver of the settings gets a test; what came of it is told, and decides the exit code.

use std::process::ExitCode;

use serde_json::json;

use super::{Common, Output, USAGE, agent, help, terminal};
use crate::{
    diagnosis::{Lang, texts},
    settings::Overrides,
    supervise::notify::{self, Tested},
};

/// Try the receivers of `notify`.
#[derive(Debug, clap::Args)]
pub(super) struct Notify {
    /// Send a test, marked as one
    #[arg(long, required = true)]
    test: bool,
    /// Only to this one [default: to each]
    #[arg(long, value_name = "NAME")]
    receiver: Option<String>,
    #[command(flatten, next_help_heading = help::COMMON)]
    overrides: Overrides,
}

impl Notify {
    pub(super) fn run(&self, common: &Common) -> ExitCode {
        let settings = match agent::load(common, &self.overrides) {
            Ok(settings) => settings,
            Err(code) => return code,
        };
        let wanted = |name: &str| self.receiver.as_deref().is_none_or(|wanted| wanted == name);
        let receivers: Vec<_> = settings.notify.iter().filter(|receiver| wanted(&receiver.name)).cloned().collect();
        if receivers.is_empty() {
            let known = settings.notify.iter().map(|receiver| receiver.name.as_str()).collect::<Vec<_>>().join(", ");
            terminal::err(&nobody(self.receiver.as_deref(), &known, common.lang()));
            return ExitCode::from(USAGE);
        }
        let tested = match notify::test(&settings, receivers) {
            Ok(tested) => tested,
            Err(error) => {
                terminal::err(&format!("error: failed to {error}"));
                return ExitCode::FAILURE;
            }
        };
        match common.output {
            Output::Json => {
                let receivers = tested.iter().map(|tested| {
                    let outcome = if tested.outcome.is_ok() { "delivered" } else { "failed" };
                    json!({"name": tested.receiver, "kind": tested.kind, "outcome": outcome, "reason": tested.outcome.as_ref().err()})
                });
                terminal::out(&json!({"version": 1, "receivers": receivers.collect::<Vec<_>>()}).to_string());
            }
            Output::Text => {
                for tested in &tested {
                    terminal::out(&line(tested, common.lang()));
                }
            }
        }
        ExitCode::from(u8::from(tested.iter().any(|tested| tested.outcome.is_err())))
    }
}

fn line(Tested { receiver, kind, outcome }: &Tested, lang: Lang) -> String {
    let receiver = texts::printable(receiver);
    match (outcome, lang) {
        (Ok(()), Lang::En) => format!("{receiver} ({kind}): delivered"),
        (Ok(()), Lang::PtBr) => format!("{receiver} ({kind}): entregue"),
        (Err(reason), Lang::En) => format!("{receiver} ({kind}): not delivered: {}", texts::printable(reason)),
        (Err(reason), Lang::PtBr) => format!("{receiver} ({kind}): não entregue: {}", texts::printable(reason)),
    }
}

fn nobody(wanted: Option<&str>, known: &str, lang: Lang) -> String {
    match (wanted, known, lang) {
        (_, "", Lang::En) => {
            "error: nobody is to be told: the settings have no `notify`; the README's section Notifications has examples".into()
        }
        (_, "", Lang::PtBr) => {
            "erro: não há quem avisar: a configuração não tem `notify`; a seção Notificações do README tem exemplos".into()
        }
        (wanted, known, Lang::En) => format!("error: no receiver is called `{}`; there are: {known}", wanted.unwrap_or_default()),
        (wanted, known, Lang::PtBr) => format!("erro: nenhum destinatário se chama `{}`; há: {known}", wanted.unwrap_or_default()),
    }
}
