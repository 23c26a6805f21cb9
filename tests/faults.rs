//! The matrix of faults. What enters: real Asterisk 16 and 22, the agent, users who knock every 20 ms, and one fault at a time. What
//! leaves: a table of what users saw, what the agent called it and how long the way back took, and a failure for each fault that has
//! no name, that the agent made worse, or from which it did not come back by itself. Arguments: parts of names (only those);
//! `--long` plays the long ones too.
#![allow(clippy::unwrap_used, reason = "a scene that cannot be set fails its row at the place where it stands")]
#![allow(clippy::print_stdout, reason = "the table is the result")]

mod support;

#[path = "faults/ami.rs"]
mod ami;
#[path = "faults/asterisk.rs"]
mod asterisk;
#[path = "faults/files.rs"]
mod files;
#[path = "faults/host.rs"]
mod host;
#[path = "faults/peer.rs"]
mod peer;
#[path = "ami_peer/post.rs"]
mod post;
#[path = "faults/shim.rs"]
mod shim;
#[path = "faults/stage.rs"]
mod stage;

use std::{env, process::ExitCode};

use stage::{Fault, Played};
use support::{asterisk::Version, table};

fn main() -> ExitCode {
    let Some(asked) = table::asked() else { return ExitCode::SUCCESS };
    let long = env::args().any(|argument| argument == "--long");
    let all = [files::faults(), ami::faults(), asterisk::faults(), host::faults()];
    let faults: Vec<Fault> = all.into_iter().flatten().filter(|fault| long || !fault.long).collect();
    let wanted = faults.iter().filter(|fault| asked(fault.name));
    let rows: Vec<(&Fault, Version)> = wanted.flat_map(|fault| fault.versions.iter().map(move |version| (fault, *version))).collect();
    if !rows.is_empty() {
        println!("{}", line("fault", "on", "users saw", "phase", "finding", "recovered", "ok"));
    }
    table::play(&rows, play, tell)
}

fn play((fault, version): &(&Fault, Version)) -> Played {
    let mut played = fault.play(*version);
    let mut times = 1;
    // Asterisk's own race: a client enters its handshake while a reload frees what it reads. On a busy machine it is met again and again.
    while played.crashed && times < MOST {
        played = fault.play(*version);
        times += 1;
    }
    if times > 1 {
        played.notes.push(format!("Asterisk crashed, played {times} times"));
    }
    played
}

/// An agent that had Asterisk crash each time would not get away with it.
const MOST: usize = 6;

fn tell((fault, version): &(&Fault, Version), played: &Played) -> bool {
    let recovered = played.recovered.map_or_else(|| "never".to_owned(), |span| format!("{:.1} s", span.as_secs_f64()));
    let ok = if played.wrong.is_empty() { "ok" } else { "FAILED" };
    println!("{}", line(fault.name, version.number(), &played.users, &played.phase, &played.codes.join(" "), &recovered, ok));
    for note in &played.notes {
        println!("    {note}");
    }
    for wrong in &played.wrong {
        println!("    wrong: {wrong}");
    }
    played.wrong.is_empty()
}

fn line(fault: &str, version: &str, users: &str, phase: &str, finding: &str, recovered: &str, ok: &str) -> String {
    format!("{fault:<50} {version:<3} {users:<40} {phase:<16} {finding:<28} {recovered:>9}  {ok}")
}
