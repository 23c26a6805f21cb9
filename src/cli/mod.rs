//! Arguments → a subcommand; what comes of it → an exit code. The only room that prints to stdout.

mod agent;
mod check;
mod configure;
mod doctor;
mod drawing;
mod explain;
mod generate;
mod healthcheck;
mod help;
mod inspect;
mod notify;
mod page;
mod past;
mod publish;
mod terminal;
mod words;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, ValueEnum};

pub use inspect::page_of;

use crate::{diagnosis::Lang, settings::Overrides};

/// Keeps Asterisk's secure WebSocket door open: checks rotated certificates, has Asterisk load them, and proves that browsers get them.
#[derive(Debug, Parser)]
#[command(name = "starkeeper", version, arg_required_else_help = true, subcommand_value_name = "COMMAND", styles = help::STYLES, after_help = help::STARKEEPER)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every subcommand takes.
#[derive(Clone, Debug, clap::Args)]
struct Common {
    /// The settings file [default: /etc/starkeeper/starkeeper.yaml, if it exists]
    #[arg(help_heading = help::COMMON, short, long, global = true, env = "STARKEEPER_CONFIG", hide_env_values = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How to print; JSON goes to stdout alone [default: text]
    #[arg(help_heading = help::COMMON, short, long, global = true, value_name = "text|json", hide_possible_values = true)]
    #[arg(value_enum, default_value_t = Output::Text, hide_default_value = true)]
    output: Output,
    /// Whether to colour [default: auto, on a terminal]
    #[arg(help_heading = help::COMMON, long, global = true, value_name = "auto|always|never", hide_possible_values = true)]
    #[arg(value_enum, default_value_t = Color::Auto, hide_default_value = true)]
    color: Color,
    /// The language of what people read [default: from LANG]
    #[arg(help_heading = help::COMMON, long, global = true, value_name = "en|pt-BR")]
    lang: Option<Lang>,
}

impl Common {
    fn lang(&self) -> Lang {
        self.lang.unwrap_or_else(|| Lang::from_environment(|name| std::env::var(name).ok()))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the agent: watch the files, check, reload, prove, tell
    #[command(after_help = help::RUN)]
    Run {
        #[command(flatten)]
        overrides: Overrides,
    },
    /// Judge one pair offline, as Asterisk and a browser would
    #[command(after_help = help::CHECK)]
    Check(check::Check),
    /// Check, reload over AMI and prove, once (for Certbot, acme.sh, cron)
    #[command(after_help = help::RELOAD)]
    Reload {
        #[command(flatten)]
        overrides: Overrides,
        /// Give up after this long
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        within: u64,
    },
    /// Staged mode: check and publish a pair, once, before Asterisk starts
    #[command(after_help = help::PUBLISH)]
    Publish {
        #[command(flatten)]
        overrides: Overrides,
        /// Wait this long for a good pair; 0: look once
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        within: u64,
    },
    /// Find out why a browser cannot connect (1006), and what to do
    #[command(after_help = help::DOCTOR)]
    Doctor(Box<doctor::Doctor>),
    /// Add to Asterisk's files what WSS and the agent need
    #[command(after_help = help::CONFIGURE)]
    Configure(configure::Configure),
    /// Ask the agent whether Asterisk is ready (for Docker, Compose, exec probes)
    #[command(after_help = help::HEALTHCHECK)]
    Healthcheck(healthcheck::Healthcheck),
    /// Show the running agent's status
    #[command(after_help = help::INSPECT)]
    Inspect(inspect::Inspect),
    /// Try whether notifications arrive
    #[command(after_help = help::NOTIFY)]
    Notify(notify::Notify),
    /// Say what a finding means, how to see it and how to mend it
    #[command(after_help = help::EXPLAIN)]
    Explain(explain::Explain),
    /// Print the JSON Schema of the settings
    #[command(after_help = help::SCHEMA)]
    Schema,
    /// Print a completion script for a shell
    #[command(after_help = help::COMPLETIONS)]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the man page
    #[command(after_help = help::MAN)]
    Man,
}

/// The whole program.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let common = &arguments.common;
    terminal::choose_colour(common.color);
    let code = match arguments.command {
        Command::Run { overrides } => agent::run(common, &overrides),
        Command::Check(check) => check.run(common),
        Command::Reload { overrides, within } => agent::reload(common, &overrides, within),
        Command::Publish { overrides, within } => publish::run(common, &overrides, within),
        Command::Doctor(doctor) => doctor.run(common),
        Command::Configure(configure) => configure.run(common),
        Command::Healthcheck(healthcheck) => healthcheck.run(common),
        Command::Inspect(inspect) => inspect.run(common),
        Command::Notify(notify) => notify.run(common),
        Command::Explain(explain) => explain.run(common),
        Command::Schema => generate::schema(),
        Command::Completions { shell } => generate::completions(shell),
        Command::Man => generate::man(),
    };
    if terminal::failed() { ExitCode::FAILURE } else { code }
}

/// Wrong usage, wrong settings.
const USAGE: u8 = 2;
