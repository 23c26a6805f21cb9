//! The running agent's `/status` → a page for a person, once or again and again, or the JSON as it is.

use std::{process::ExitCode, time::Duration};

use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    Common, Output, USAGE,
    drawing::Pen,
    healthcheck::{self, Unanswered},
    page,
    terminal::{self, Screen},
};
use crate::diagnosis::show::Show;

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Inspect {
    /// Show it anew every second, until interrupted
    #[arg(short, long)]
    watch: bool,
    /// The agent to ask [default: http://127.0.0.1:9808]
    #[arg(long, env = "STARKEEPER_URL", hide_env_values = true, value_name = "URL")]
    #[arg(default_value = "http://127.0.0.1:9808", hide_default_value = true)]
    url: String,
    /// Ask again for this long until it serves; 0: ask once
    #[arg(long, default_value_t = 0, value_name = "SECONDS", conflicts_with = "watch")]
    within: u64,
}

impl Inspect {
    pub(super) fn run(&self, common: &Common) -> ExitCode {
        if self.watch {
            return self.watch(common);
        }
        let look = healthcheck::within(self.within, || self.look(common), |look| look.code == 0);
        if look.code == USAGE {
            terminal::err(&look.shown);
        } else {
            terminal::out(&look.shown);
        }
        ExitCode::from(look.code)
    }

    /// Until Ctrl-C, SIGTERM, or until nobody reads any more. What was seen last stays on the terminal.
    fn watch(&self, common: &Common) -> ExitCode {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                terminal::err(&format!("error: failed to start: {error}"));
                return ExitCode::FAILURE;
            }
        };
        let last = runtime.block_on(self.looks(common));
        // A question that is still under way has its own timeout, and nobody waits for its answer.
        runtime.shutdown_background();
        match last {
            Ok(code) => ExitCode::from(code),
            Err(error) => {
                terminal::err(&format!("error: failed to watch for signals: {error}"));
                ExitCode::FAILURE
            }
        }
    }

    async fn looks(&self, common: &Common) -> std::io::Result<u8> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        // JSON is for programs, one status a line.
        let screen = if common.output == Output::Text { Screen::open() } else { None };
        let mut last = None;
        loop {
            let (inspect, asked) = (self.clone(), common.clone());
            let look = async {
                let look = tokio::task::spawn_blocking(move || inspect.look(&asked)).await.ok();
                let goes_on = look.as_ref().is_none_or(|look| match &screen {
                    Some(screen) => {
                        screen.draw(&look.shown);
                        true
                    }
                    None => terminal::out(&look.shown),
                });
                last = look;
                if goes_on {
                    tokio::time::sleep(EVERY).await;
                }
                goes_on
            };
            let goes_on = tokio::select! {
                goes_on = look => goes_on,
                _ = interrupt.recv() => false,
                _ = terminate.recv() => false,
            };
            if !goes_on {
                break;
            }
        }
        let drawn = screen.is_some();
        drop(screen);
        Ok(last.map_or(USAGE, |look| {
            if drawn {
                terminal::out(&look.shown);
            }
            look.code
        }))
    }

    fn look(&self, common: &Common) -> Look {
        let lang = common.lang();
        let url = format!("{}/status", self.url.trim_end_matches('/'));
        let none = |error: Unanswered| Look { shown: error.told(&url, lang), code: USAGE };
        let answer = match healthcheck::get(&url, Output::Json) {
            Ok(answer) => answer,
            Err(error) => return none(error),
        };
        let Some(status) = status(&answer.body) else {
            return none(Unanswered::NotHttp);
        };
        let code = u8::from(status["phase"] != "Serving");
        match common.output {
            Output::Json => Look { shown: answer.body, code },
            Output::Text => Look { shown: page::page(&status, &findings(&answer.body), &terminal::show(common), terminal::pen()), code },
        }
    }
}

/// What came over the wire → the page with its styles. `None`: that was no agent.
pub fn page_of(answer: &[u8], show: &Show) -> Option<String> {
    let answer = healthcheck::understand(answer).ok()?;
    Some(page::page(&status(&answer.body)?, &findings(&answer.body), show, Pen::Blocks))
}

fn status(body: &str) -> Option<Value> {
    serde_json::from_str::<Value>(body).ok().filter(|status| status["phase"].is_string())
}

/// What was seen, and what it means for the exit status.
struct Look {
    shown: String,
    code: u8,
}

/// The findings of a status, from its text: only there their evidence still has its order.
fn findings(status: &str) -> Vec<page::Reported> {
    #[derive(serde::Deserialize)]
    struct Status {
        #[serde(default)]
        findings: Vec<page::Reported>,
    }
    serde_json::from_str::<Status>(status).map(|status| status.findings).unwrap_or_default()
}

const EVERY: Duration = Duration::from_secs(1);
