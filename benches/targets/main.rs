//! `make bench`: what is promised of speed and size, measured on a real Asterisk, side by side with the bare floor in the same run, and
//! told as ratios with PASS or FAIL. `cargo bench -- [--quick] [rotation] [staged] [today] [endpoints] [doctor] [healthcheck] [probe] [idle]
//! [scrape] [page] [pod]`; without a name, all.
//! Ends with a failure where a target is missed. Times are not asserted anywhere else: a test must not fail on a slow machine.

mod doctor;
mod endpoints;
mod healthcheck;
mod idle;
mod page;
mod pod;
mod process;
mod rotation;
mod scrape;
mod staged;
#[path = "../../tests/support/mod.rs"]
mod support;
mod table;
mod today;

use std::{env, process::ExitCode};

use table::Table;

/// How long each measurement goes on.
#[derive(Clone, Copy, Debug)]
struct Effort {
    rotations: usize,
    idle_seconds: u64,
    healthchecks: usize,
}

const FULL: Effort = Effort { rotations: 100, idle_seconds: 300, healthchecks: 200 };
const QUICK: Effort = Effort { rotations: 30, idle_seconds: 60, healthchecks: 50 };

type Bench = fn(Effort, &mut Table);

fn main() -> ExitCode {
    // Cargo itself adds `--bench`.
    let asked: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let effort = if asked.iter().any(|argument| argument == "--quick") { QUICK } else { FULL };
    let names: Vec<&String> = asked.iter().filter(|argument| !argument.starts_with("--")).collect();
    if let Some(unknown) = names.iter().find(|name| !ALL.iter().any(|(known, _)| *known == name.as_str())) {
        anstream::eprintln!("error: no bench `{unknown}`: {}", ALL.map(|(name, _)| name).join(", "));
        return ExitCode::from(2);
    }
    let mut table = Table::begin(&support::agent::binary());
    for (name, bench) in ALL {
        if names.is_empty() || names.iter().any(|asked| *asked == name) {
            bench(effort, &mut table);
        }
    }
    table.end()
}

const ALL: [(&str, Bench); 11] = [
    ("rotation", rotation::bench),
    ("staged", staged::bench),
    ("today", today::bench),
    ("endpoints", endpoints::bench),
    ("doctor", doctor::bench),
    ("healthcheck", healthcheck::bench),
    ("probe", idle::one_probe),
    ("idle", idle::bench),
    ("scrape", scrape::bench),
    ("page", page::bench),
    ("pod", pod::bench),
];
