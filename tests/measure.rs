//! What rotations cost clients that shake hands meanwhile: `cargo test --test measure`. 100 bare reloads of a new pair, then 100 rotations
//! by the agent, on one Asterisk process of 16 and one of 22, under a client that connects five times a second. Prints what that client
//! met; fails where Asterisk dies, a rotation is not proved, or Asterisk reloads more than once for one.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "the numbers are what it is for, and what has none ends it")]

mod support;

use std::{env, process, thread, time::Duration};

use starkeeper::clock;
use support::{
    agent::Agent,
    asterisk::{Asterisk, BOTH, Version},
    certs::{Authority, Writing},
    wire::{self, Door, Report, Sampler},
};

const NAMES: [&str; 2] = ["localhost", "pbx.example.com"];
const CLIENT: Duration = Duration::from_millis(200);
/// Between two reloads, so that the client meets several states; not a multiple of its own pace.
const PAUSE: Duration = Duration::from_millis(230);
const SOON: Duration = Duration::from_secs(30);

fn main() {
    let rotations = env::var("STARKEEPER_ROTATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(100);
    println!("| Asterisk | {rotations} times | handshakes | failed | longest outage | reload to proof, median | slowest |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let healthy = BOTH.map(|version| measure(version, rotations));
    if healthy.contains(&false) {
        process::exit(1);
    }
}

fn measure(version: Version, rotations: usize) -> bool {
    let authority = Authority::new();
    let mut asterisk = Asterisk::start(version);
    let mut manager = asterisk.manager();

    let sampler = Sampler::start(asterisk.ports.wss, CLIENT);
    let mut took = Vec::new();
    for round in 1..=rotations {
        let pair = authority.issue(&NAMES);
        pair.write(&asterisk.tls(), Writing::Renames);
        let begin = clock::tick();
        if let Err(error) = manager.reload("http") {
            // A reload under a handshake can crash Asterisk, whoever asks for it.
            println!("{version:?}: bare reload {round}: {error}; alive: {}", asterisk.alive());
            break;
        }
        let _ = wire::served(asterisk.ports.wss);
        took.push(clock::tick() - begin);
        thread::sleep(PAUSE);
    }
    row(version, "bare reload", &sampler.stop(), took);

    if !asterisk.alive() {
        asterisk.restart();
        manager = asterisk.manager();
    }
    let pid = asterisk.pid();
    let agent = Agent::start(&asterisk.settings());
    agent.wait("the first proof", SOON, |status| status["phase"] == "Serving");
    // What the bare reloads have still to say is heard before.
    manager.events(0).unwrap();
    let mark = manager.mark();
    let sampler = Sampler::start(asterisk.ports.wss, CLIENT);
    let mut took = Vec::new();
    for _ in 0..rotations {
        let pair = authority.issue(&NAMES);
        pair.write(&asterisk.tls(), Writing::Renames);
        let status = agent.wait("the rotation", SOON, |status| {
            status["phase"] == "Serving" && status["surfaces"][0]["served"]["fingerprintSha256"] == pair.fingerprint
        });
        let millis = |stage: &str| status["lastRotation"]["millis"][stage].as_f64().unwrap_or_default();
        took.push(Duration::from_secs_f64((millis("reload") + millis("prove")) / 1000.0));
        thread::sleep(PAUSE);
    }
    row(version, "rotation by the agent", &sampler.stop(), took);
    let (reloads, proved) = (manager.reloads(mark).unwrap().len(), agent.status()["counts"]["proved"].as_u64());
    let alive = asterisk.alive() && asterisk.pid() == pid && wire::door(asterisk.ports.wss) == Door::Open;
    println!("{version:?}: {reloads} reloads and {proved:?} proofs for {rotations} rotations; the same process: {alive}");
    alive && reloads == rotations && proved == Some(rotations as u64)
}

fn row(version: Version, what: &str, report: &Report, mut took: Vec<Duration>) {
    took.sort();
    let at = |part: usize| took.get((took.len().saturating_sub(1)) * part / 100).copied().unwrap_or_default();
    println!(
        "| {} | {what} | {} | {} | {:.1?} | {:.1?} | {:.1?} |",
        version.number(),
        report.samples.len(),
        report.failures().len(),
        report.longest_outage(),
        at(50),
        at(100)
    );
    for failure in report.failures() {
        println!("  {:?}", failure.outcome);
    }
}
