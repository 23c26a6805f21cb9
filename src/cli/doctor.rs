//! `doctor`: arguments → an examination; its steps as they run, then the verdict, for people or as JSON.

mod asking;
mod client;
mod page;
mod steps;

use std::process::ExitCode;

use super::{Common, Output, USAGE, agent, terminal};
use crate::{
    diagnosis::Lang,
    doctor::{
        Notebook, Report, inside,
        outside::{self, Aim},
    },
    material::anchors,
    settings::{self, Address, Overrides, Trust},
    supervise,
};
use asking::{Asking, TIMEOUT};
use steps::Steps;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Doctor {
    #[command(subcommand)]
    part: Option<Part>,
    /// What the browser connects to, as it stands in the client's code
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// The origin of the page that connects: https://app.example.com
    #[arg(long, value_name = "ORIGIN", requires = "url", value_parser = origin)]
    origin: Option<String>,
    /// Connect there, whatever DNS says (as curl's --connect-to)
    #[arg(long, value_name = "HOST:PORT", requires = "url", value_parser = settings::place)]
    connect: Option<Address>,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    overrides: Overrides,
}

#[derive(Debug, clap::Subcommand)]
enum Part {
    /// The front end's env file, and what Compose publishes and mounts
    Client(client::Client),
}

impl Doctor {
    pub(super) fn run(&self, common: &Common) -> ExitCode {
        match (&self.part, &self.url) {
            (Some(Part::Client(client)), _) => client.run(common),
            (None, Some(url)) => self.outside(common, url),
            (None, None) => self.inside(common),
        }
    }

    /// The Asterisk that the settings lead to, from within.
    fn inside(&self, common: &Common) -> ExitCode {
        let mut settings = match agent::load(common, &self.overrides) {
            Ok(settings) => settings,
            Err(code) => return code,
        };
        if let Some(trust) = self.asking.trust() {
            settings.certificate.trust = trust;
        }
        if let Some(timeout) = self.asking.timeout {
            settings.probe.timeout = timeout;
        }
        let wishes = match self.asking.wishes() {
            Ok(wishes) => wishes,
            Err(why) => return refuse(&why),
        };
        let trusted = match supervise::trusted(&settings) {
            Ok(trusted) => trusted,
            Err(error) => return refuse(&error.to_string()),
        };
        examine(common, async |book| inside::examine(book, &settings, &trusted, &wishes).await)
    }

    fn outside(&self, common: &Common, url: &str) -> ExitCode {
        let (aim, written) = match Aim::parse(url) {
            Ok(read) => read,
            Err(error) => return refuse(&error.to_string()),
        };
        let anchors = match anchors::load(&self.asking.trust().unwrap_or(Trust::System)) {
            Ok(anchors) => anchors,
            Err(error) => return refuse(&error.to_string()),
        };
        let wishes = match self.asking.wishes() {
            Ok(wishes) => wishes,
            Err(why) => return refuse(&why),
        };
        let question = outside::Question {
            aim,
            written,
            origin: self.origin.clone(),
            connect: self.connect.clone(),
            anchors,
            wishes,
            timeout: self.asking.timeout.unwrap_or(TIMEOUT),
        };
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
