//! What is generated from the program itself: the settings' schema, completions, the man page.

use std::{collections::BTreeMap, io, process::ExitCode};

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use super::{Arguments, help, terminal};

pub(super) fn schema() -> ExitCode {
    terminal::out(&format!("{:#}", crate::settings::schema()));
    ExitCode::SUCCESS
}

pub(super) fn completions(shell: clap_complete::Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "starkeeper", &mut script);
    terminal::out(String::from_utf8_lossy(&script).trim_end());
    ExitCode::SUCCESS
}

pub(super) fn man() -> ExitCode {
    match page() {
        Ok(page) => {
            terminal::out(page.trim_end());
            ExitCode::SUCCESS
        }
        Err(error) => {
            terminal::err(&format!("error: failed to render the man page: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// One page for the whole program: every subcommand with its own options and examples, and the common ones once.
fn page() -> io::Result<String> {
    let mut command = Arguments::command().disable_help_subcommand(true);
    command.build();
    let mut page = Vec::new();
    let whole = Man::new(command.clone()).manual("Starkeeper");
    whole.render_title(&mut page)?;
    whole.render_name_section(&mut page)?;
    whole.render_synopsis_section(&mut page)?;
    whole.render_options_section(&mut page)?;
    page.extend_from_slice(b".SH COMMANDS\n");
    for sub in command.get_subcommands() {
        let own = sub.clone().mut_args(|arg| {
            let common = arg.get_help_heading() == Some(help::COMMON) || arg.get_id() == "help";
            arg.hide(common)
        });
        let man = Man::new(own);
        let mut part = Vec::new();
        man.render_synopsis_section(&mut part)?;
        part.extend_from_slice(b".PP\n");
        man.render_description_section(&mut part)?;
        man.render_options_section(&mut part)?;
        let part = String::from_utf8_lossy(&part).lines().filter(|line| !line.starts_with(".SH ")).collect::<Vec<_>>().join("\n");
        page.extend_from_slice(format!(".SS {}\n{part}\n", sub.get_name()).as_bytes());
        page.extend_from_slice(verbatim(sub).as_bytes());
    }
    page.extend_from_slice(environment(&command).as_bytes());
    page.extend_from_slice(b".SH FILES\n.TP\n/etc/starkeeper/starkeeper.yaml\nThe settings.\n.SH EXIT STATUS AND EXAMPLES\n");
    page.extend_from_slice(verbatim(&command).as_bytes());
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// Every variable that stands for an option, once.
fn environment(command: &Command) -> String {
    let subs = command.get_subcommands().flat_map(Command::get_arguments);
    let variables: BTreeMap<_, _> = command
        .get_arguments()
        .chain(subs)
        .filter_map(|arg| Some((arg.get_env()?.to_string_lossy(), arg.get_long()?.replace('-', "\\-"))))
        .collect();
    let entries = variables.iter().map(|(variable, option)| format!(".TP\n{variable}\nStands for \\-\\-{option}.\n"));
    format!(".SH ENVIRONMENT\n{}{OTHERS}", entries.collect::<String>())
}

/// The variables that no option stands for.
const OTHERS: &str = ".TP\nSTARKEEPER_AMI_SECRET\nThe AMI secret itself.\n\
    .TP\nNO_COLOR, CLICOLOR_FORCE\nNo colours; colours also away from a terminal.\n\
    .TP\nLC_ALL, LC_MESSAGES, LANG\nThe language, where \\-\\-lang does not say it.\n";

/// What stands after the options in `--help`, as it stands there.
fn verbatim(command: &Command) -> String {
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let lines = text.lines().map(|line| {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        // A line that begins so would be a request to roff.
        if line.starts_with(['.', '\'']) { format!("\\&{line}\n") } else { format!("{line}\n") }
    });
    format!(".PP\n.nf\n{}.fi\n", lines.collect::<String>())
}
