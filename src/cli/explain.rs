//! What a finding means, how to see it by hand and how to mend it, as `rustc --explain` does.

use std::process::ExitCode;

use serde_json::json;

use super::{Common, Output, USAGE, terminal};
use crate::diagnosis::{Code, nearest, texts};

#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    /// The finding's code, as `key-mismatch`; without it, all codes are listed
    code: Option<String>,
}

impl Explain {
    pub(super) fn run(&self, common: &Common) -> ExitCode {
        let show = terminal::show(common);
        let Some(name) = &self.code else {
            terminal::out(show.codes().trim_end());
            return ExitCode::SUCCESS;
        };
        let Ok(code) = name.parse::<Code>() else {
            terminal::err(&format!("error: no finding is called `{name}`"));
            if let Some(near) = nearest(name, Code::ALL.iter().map(|code| code.name())) {
                terminal::err(&format!("help: did you mean `{near}`?"));
            }
            return ExitCode::from(USAGE);
        };
        match common.output {
            Output::Text => terminal::out(show.explain(code).trim_end()),
            Output::Json => {
                let text = texts::text(code, common.lang());
                let page = json!({ "version": 1, "code": code, "severity": code.severity(), "title": text.title, "meaning": text.meaning,
                    "see": text.see, "remedy": text.remedy });
                terminal::out(&page.to_string());
            }
        }
        ExitCode::SUCCESS
    }
}
