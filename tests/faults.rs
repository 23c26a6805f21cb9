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

use std::{
    env,
    process::ExitCode,
    sync::{Mutex, PoisonError},
    thread,
};

use stage::{Fault, Played};
use starkeeper::clock;
use support::asterisk::Version;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let long = arguments.iter().any(|argument| argument == "--long");
    if arguments.iter().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let only: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let all = [files::faults(), ami::faults(), asterisk::faults(), host::faults()];
    let faults: Vec<Fault> = all.into_iter().flatten().filter(|fault| long || !fault.long).collect();
    let wanted = faults.iter().filter(|fault| only.is_empty() || only.iter().any(|part| fault.name.contains(part.as_str())));
    let rows: Vec<(&Fault, Version)> = wanted.flat_map(|fault| fault.versions.iter().map(move |version| (fault, *version))).collect();
    // A panic belongs to its row, which tells it.
    std::panic::set_hook(Box::new(|_| {}));
    let began = clock::tick();
    if !rows.is_empty() {
        println!("{}", line("fault", "on", "users saw", "phase", "finding", "recovered", "ok"));
    }
    let failed = play(&rows);
    println!("{} rows, {} failed, {:.0} s", rows.len(), failed, (clock::tick() - began).as_secs_f64());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays the rows, a few at a time since each mostly waits, and prints each when it and all before it are done; how many failed.
fn play(rows: &[(&Fault, Version)]) -> usize {
    struct Desk {
        next: usize,
        printed: usize,
        failed: usize,
        done: Vec<Option<Played>>,
    }
    let desk = Mutex::new(Desk { next: 0, printed: 0, failed: 0, done: rows.iter().map(|_| None).collect() });
    let lock = || desk.lock().unwrap_or_else(PoisonError::into_inner);
    let work = || {
        loop {
            let at = {
                let mut desk = lock();
                desk.next += 1;
                desk.next - 1
            };
            let Some((fault, version)) = rows.get(at) else { return };
            let mut played = fault.play(*version);
            if played.crashed {
                // Asterisk's own race: a client enters its handshake while a reload frees what it reads. Once more.
                played = fault.play(*version);
                played.notes.push("Asterisk crashed, played twice".to_owned());
            }
            let mut desk = lock();
            desk.done[at] = Some(played);
            while let Some(Some(played)) = desk.done.get(desk.printed) {
                let bad = !played.wrong.is_empty();
                tell(rows[desk.printed], played);
                desk.failed += usize::from(bad);
                desk.printed += 1;
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    desk.into_inner().unwrap_or_else(PoisonError::into_inner).failed
}

fn tell((fault, version): (&Fault, Version), played: &Played) {
    let recovered = played.recovered.map_or_else(|| "never".to_owned(), |span| format!("{:.1} s", span.as_secs_f64()));
    let ok = if played.wrong.is_empty() { "ok" } else { "FAILED" };
    println!("{}", line(fault.name, version.number(), &played.users, &played.phase, &played.codes.join(" "), &recovered, ok));
    for note in &played.notes {
        println!("    {note}");
    }
    for wrong in &played.wrong {
        println!("    wrong: {wrong}");
    }
}

fn line(fault: &str, version: &str, users: &str, phase: &str, finding: &str, recovered: &str, ok: &str) -> String {
    format!("{fault:<50} {version:<3} {users:<40} {phase:<16} {finding:<28} {recovered:>9}  {ok}")
}

/// Rows at once: two cores, and most of each row is waiting.
const AT_ONCE: usize = 4;
