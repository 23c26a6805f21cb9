//! The truth test of `starkeeper doctor`. What enters: real Asterisk 16 and 22, each set up well or wrongly in a way of its own, at times
//! behind a real nginx. What leaves: a table of what JsSIP in a real Chromium met there, what the doctor said that it would meet, and what
//! he called the first cause; a failure for each row in which the two differ. Arguments: parts of names (only those).
#![allow(clippy::unwrap_used, reason = "a scene that cannot be set fails its row at the place where it stands")]
#![allow(clippy::print_stdout, reason = "the table is the result")]

mod support;

#[path = "truth/certificates.rs"]
mod certificates;
#[path = "truth/configuration.rs"]
mod configuration;
#[path = "truth/doctor.rs"]
mod doctor;
#[path = "truth/healthy.rs"]
mod healthy;
#[path = "truth/lab.rs"]
mod lab;
#[path = "truth/network.rs"]
mod network;
#[path = "truth/proxies.rs"]
mod proxies;
#[path = "truth/sip.rs"]
mod sip;
#[path = "truth/stage.rs"]
mod stage;

use std::{
    env,
    process::ExitCode,
    sync::{Mutex, PoisonError},
    thread,
};

use lab::Lab;
use stage::{Played, Row};
use starkeeper::clock;
use support::asterisk::Version;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let only: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let all = [healthy::rows(), certificates::rows(), configuration::rows(), network::rows(), proxies::rows(), sip::rows()];
    let all: Vec<Row> = all.into_iter().flatten().collect();
    let wanted = all.iter().filter(|row| only.is_empty() || only.iter().any(|part| row.name.contains(part.as_str())));
    let rows: Vec<(&Row, Version)> = wanted.flat_map(|row| row.versions.iter().map(move |version| (row, *version))).collect();
    if rows.is_empty() {
        return ExitCode::SUCCESS;
    }
    let began = clock::tick();
    let lab = Lab::new();
    // A panic belongs to its row, which tells it.
    std::panic::set_hook(Box::new(|_| {}));
    println!("{}", line("scene", "on", "the browser", "the doctor: it would", "first cause", "seen from inside", "ok"));
    let failed = play(&lab, &rows);
    println!("{} rows, {} failed, {:.0} s", rows.len(), failed, (clock::tick() - began).as_secs_f64());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays the rows, a few at a time since each mostly waits, and prints each when it and all before it are done; how many failed.
fn play(lab: &Lab, rows: &[(&Row, Version)]) -> usize {
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
            let Some((row, version)) = rows.get(at) else { return };
            let played = row.play(lab, *version);
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

fn tell((row, version): (&Row, Version), played: &Played) {
    let ok = if played.wrong.is_empty() { "ok" } else { "FAILED" };
    println!("{}", line(row.name, version.number(), &played.browser, &played.doctor, &played.cause, &played.within, ok));
    for wrong in &played.wrong {
        println!("    wrong: {wrong}");
    }
}

fn line(scene: &str, version: &str, browser: &str, doctor: &str, cause: &str, within: &str, ok: &str) -> String {
    format!("{scene:<52} {version:<3} {browser:<24} {doctor:<20} {cause:<26} {within:<26} {ok}")
}

/// Rows at once: two cores, and most of each row is waiting.
const AT_ONCE: usize = 4;
