//! What a finding means, how to see it by hand and how to mend it, as `rustc --explain` does.

use std::process::ExitCode;

use serde_json::json;

use super::{Common, Output, USAGE, terminal};
use crate::diagnosis::{Code, Lang, book, nearest, texts};

#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    /// The finding's code, as `key-mismatch`; without it, all codes are listed
    code: Option<String>,
    /// Print the pages of all codes as one Markdown document, with a heading `key-mismatch` for each to link to
    #[arg(long, conflicts_with = "code")]
    markdown: bool,
}

impl Explain {
    pub(super) fn run(&self, common: &Common) -> ExitCode {
        if self.markdown {
            terminal::out(book(common.lang()).trim_end());
            return ExitCode::SUCCESS;
        }
        let show = terminal::show(common);
        let Some(name) = &self.code else {
            terminal::out(&match common.output {
                Output::Text => show.codes().trim_end().to_owned(),
                Output::Json => {
                    let title = |code| texts::text(code, common.lang()).title;
                    let codes = Code::ALL.iter().map(|code| json!({ "code": code, "severity": code.severity(), "title": title(*code) }));
                    json!({ "version": 1, "codes": codes.collect::<Vec<_>>() }).to_string()
                }
            });
            return ExitCode::SUCCESS;
        };
        let Ok(code) = name.parse::<Code>() else {
            let (unknown, help) = match common.lang() {
                Lang::En => ("error: no finding is called", "help: did you mean"),
                Lang::PtBr => ("erro: nenhum achado se chama", "ajuda: você quis dizer"),
            };
            terminal::err(&match nearest(name, Code::ALL.iter().map(|code| code.name())) {
                Some(near) => format!("{unknown} `{name}`\n{help} `{near}`?"),
                None => format!("{unknown} `{name}`"),
            });
            return ExitCode::from(USAGE);
        };
        terminal::out(&match common.output {
            Output::Text => show.explain(code).trim_end().to_owned(),
            Output::Json => {
                let text = texts::text(code, common.lang());
                let page = json!({ "version": 1, "code": code, "severity": code.severity(), "title": text.title, "meaning": text.meaning,
                    "source": texts::source(code, common.lang()), "see": text.see, "remedy": text.remedy });
                page.to_string()
            }
        });
        ExitCode::SUCCESS
    }
}
