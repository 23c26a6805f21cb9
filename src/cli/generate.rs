//! What is generated from the program itself: the settings' schema, completions, the man page.

use std::process::ExitCode;

use super::terminal;

pub(super) fn schema() -> ExitCode {
    terminal::out(&format!("{:#}", crate::settings::schema()));
    ExitCode::SUCCESS
}

pub(super) fn completions(shell: clap_complete::Shell, command: &mut clap::Command) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, command, "starkeeper", &mut script);
    terminal::out(String::from_utf8_lossy(&script).trim_end());
    ExitCode::SUCCESS
}

pub(super) fn man(command: clap::Command) -> ExitCode {
    let mut page = Vec::new();
    if let Err(error) = clap_mangen::Man::new(command).render(&mut page) {
        terminal::err(&format!("error: failed to render the man page: {error}"));
        return ExitCode::FAILURE;
    }
    terminal::out(String::from_utf8_lossy(&page).trim_end());
    ExitCode::SUCCESS
}
