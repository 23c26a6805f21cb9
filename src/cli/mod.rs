//! Arguments → a subcommand; what comes of it → an exit code. The only room that prints to stdout.

mod agent;
mod check;
mod explain;
mod generate;
mod healthcheck;
mod inspect;
mod terminal;

use std::{path::PathBuf, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

use crate::{diagnosis::Lang, settings::Overrides};

/// Keeps Asterisk's secure WebSocket door open: checks rotated certificates, has Asterisk load them, and proves that browsers get them.
#[derive(Debug, Parser)]
#[command(name = "starkeeper", version, propagate_version = true, arg_required_else_help = true)]
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
    #[arg(short, long, global = true, env = "STARKEEPER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// How to print; JSON goes to stdout alone
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Text)]
    output: Output,
    /// Whether to use colours; `auto`: on a terminal
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    color: Color,
    /// The language of what people read: en or pt-BR [default: from LANG]
    #[arg(long, global = true, value_name = "LANG")]
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
    /// Run the agent (exit: 0 drained, 1 failed, 2 settings are wrong)
    Run {
        #[command(flatten)]
        overrides: Overrides,
    },
    /// Judge one pair offline, as Asterisk and a browser would (exit: 0 usable, 1 rejected, 2 usage)
    Check(check::Check),
    /// Check, reload over AMI and prove, once; for a Certbot deploy hook, acme.sh or cron (exit: 0 proved, 1 not, 2 usage)
    Reload {
        #[command(flatten)]
        overrides: Overrides,
        /// Give up after this long
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        within: u64,
    },
    /// Ask the local agent whether Asterisk is ready; for Compose, Docker and exec probes (exit: 0 ready, 1 not)
    Healthcheck(healthcheck::Healthcheck),
    /// Show the running agent's status (exit: 0 serving, 1 not, 2 no agent)
    Inspect(inspect::Inspect),
    /// Say what a finding means, how to see it by hand and how to mend it (exit: 0, 2 unknown code)
    Explain(explain::Explain),
    /// Print the JSON Schema of the settings
    Schema,
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the man page
    Man,
}

/// The whole program.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let common = &arguments.common;
    terminal::choose_colour(common.color);
    match arguments.command {
        Command::Run { overrides } => agent::run(common, &overrides),
        Command::Check(check) => check.run(common),
        Command::Reload { overrides, within } => agent::reload(common, &overrides, within),
        Command::Healthcheck(healthcheck) => healthcheck.run(),
        Command::Inspect(inspect) => inspect.run(common),
        Command::Explain(explain) => explain.run(common),
        Command::Schema => generate::schema(),
        Command::Completions { shell } => generate::completions(shell, &mut Arguments::command()),
        Command::Man => generate::man(Arguments::command()),
    }
}

/// Wrong usage, wrong settings.
const USAGE: u8 = 2;
