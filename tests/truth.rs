//! The truth test of `starkeeper doctor`. What enters: real Asterisk 16 and 22, each set up well or wrongly in a way of its own, at times
//! behind a real nginx. What leaves: a table of what JsSIP, at times SIP.js, in a real Chromium met there, what the doctor said that it would
//! meet, and what he called the first cause; a failure for each row in which the two differ. Arguments: parts of names (only those).
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
#[path = "truth/sip_js.rs"]
mod sip_js;
#[path = "truth/stage.rs"]
mod stage;

use std::process::ExitCode;

use lab::Lab;
use stage::{Played, Row};
use support::{asterisk::Version, table};

fn main() -> ExitCode {
    let Some(asked) = table::asked() else { return ExitCode::SUCCESS };
    let all = [healthy::rows(), certificates::rows(), configuration::rows(), network::rows(), proxies::rows(), sip::rows(), sip_js::rows()];
    let all: Vec<Row> = all.into_iter().flatten().collect();
    let wanted = all.iter().filter(|row| asked(row.name));
    let rows: Vec<(&Row, Version)> = wanted.flat_map(|row| row.versions.iter().map(move |version| (row, *version))).collect();
    if rows.is_empty() {
        return ExitCode::SUCCESS;
    }
    let lab = Lab::new();
    println!("{}", line("scene", "on", "the browser", "the doctor: it would", "first cause", "seen from inside", "ok"));
    table::play(&rows, |(row, version)| row.play(&lab, *version), tell)
}

fn tell((row, version): &(&Row, Version), played: &Played) -> bool {
    let ok = if played.wrong.is_empty() { "ok" } else { "FAILED" };
    println!("{}", line(row.name, version.number(), &played.browser, &played.doctor, &played.cause, &played.within, ok));
    for wrong in &played.wrong {
        println!("    wrong: {wrong}");
    }
    played.wrong.is_empty()
}

fn line(scene: &str, version: &str, browser: &str, doctor: &str, cause: &str, within: &str, ok: &str) -> String {
    format!("{scene:<52} {version:<3} {browser:<24} {doctor:<20} {cause:<26} {within:<26} {ok}")
}
