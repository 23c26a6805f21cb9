//! The `starkeeper` program: arguments → a subcommand; its end → an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    starkeeper::cli::main()
}
