//! `doctor`: arguments → an examination; its steps as they run, then the verdict, for people or as JSON.

mod page;
mod steps;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use super::{Common, Output, USAGE, terminal};
use crate::{
    diagnosis::Lang,
    doctor::{
        Notebook, Report,
        outside::{self, Aim},
    },
    material::anchors,
    settings::{self, Address, Trust},
};
use steps::Steps;

#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    /// What the browser connects to, as it stands in the client's code
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// The origin of the page that connects: https://app.example.com
    #[arg(long, value_name = "ORIGIN", requires = "url", value_parser = origin)]
    origin: Option<String>,
    /// Whom browsers trust; `none`: that is not judged [default: system]
    #[arg(long, value_name = "system|none|FILE", default_value = "system", hide_default_value = true)]
    ca: String,
    /// Connect there, whatever DNS says (as curl's --connect-to)
    #[arg(long, value_name = "HOST:PORT", requires = "url", value_parser = settings::place)]
    connect: Option<Address>,
    /// For each stage
    #[arg(long, value_name = "SPAN", default_value = "5s", value_parser = settings::span)]
    timeout: Duration,
}

impl Doctor {
    pub(super) fn run(&self, common: &Common) -> ExitCode {
        match &self.url {
            Some(url) => self.outside(common, url),
            None => refuse("examine: what? Give the address that the browser connects to, as wss://pbx.example.com:8089/ws"),
        }
    }

    fn outside(&self, common: &Common, url: &str) -> ExitCode {
        let (aim, written) = match Aim::parse(url) {
            Ok(read) => read,
            Err(error) => return refuse(&error.to_string()),
        };
        let anchors = match anchors::load(&trust(&self.ca)) {
            Ok(anchors) => anchors,
            Err(error) => return refuse(&error.to_string()),
        };
        let question =
            outside::Question { aim, written, origin: self.origin.clone(), connect: self.connect.clone(), anchors, timeout: self.timeout };
        examine(common, async |book| outside::examine(book, &question).await)
    }
}

/// Runs an examination to its end, and tells what came of it.
pub(super) fn examine(common: &Common, examination: impl AsyncFnOnce(&mut Notebook<'_>)) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&format!("start: {error}")),
    };
    let (mut steps, spinner) = Steps::of(common);
    let mut book = Notebook::new(&mut steps);
    runtime.block_on(spinner.beside(examination(&mut book)));
    // A resolver that does not answer keeps its thread for a while; nobody waits for it.
    runtime.shutdown_background();
    tell(common, &Report::of(book))
}

fn tell(common: &Common, report: &Report) -> ExitCode {
    match common.output {
        Output::Json => terminal::out(&serde_json::to_string(&report.rendered(Lang::En)).unwrap_or_default()),
        Output::Text => terminal::out(page::of(report, &terminal::show(common)).trim_end()),
    };
    ExitCode::from(u8::from(!report.is_ok()))
}

fn trust(said: &str) -> Trust {
    match said {
        "system" => Trust::System,
        "none" => Trust::None,
        path => Trust::File(PathBuf::from(path)),
    }
}

/// A page's origin: a scheme and a host, and no path.
fn origin(text: &str) -> Result<String, String> {
    let expected = || "expected the scheme and host of a page: https://app.example.com".to_owned();
    let url = url::Url::parse(text).map_err(|_| expected())?;
    let page = matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none();
    if page { Ok(url.origin().ascii_serialization()) } else { Err(expected()) }
}

fn refuse(why: &str) -> ExitCode {
    terminal::err(&format!("error: failed to {why}"));
    ExitCode::from(USAGE)
}
