//! The doctor at a healthy Asterisk, from inside and from outside, and beside the pjsip.conf of a large installation, all of whose endpoints have
//! the same faults: how long a person waits, from the command to the last line, and how many findings there are to read.

use std::{fs, process::Command, time::Duration};

use serde_json::Value;
use starkeeper::clock;

use super::{
    Effort,
    endpoints::{LARGEST, write},
    support::{
        agent::binary,
        asterisk::{Asterisk, Version},
        certs::Authority,
    },
    table::{Table, Times},
};

const NAME: &str = "pbx.example.com";

pub(super) fn bench(effort: Effort, table: &mut Table) {
    table.heading("The doctor, from the command to its last line (Asterisk 22)");
    let authority = Authority::new();
    let asterisk = Asterisk::build(Version::V22).pair(&authority.issue(&[NAME])).start();
    let root = asterisk.folder().join("root.pem");
    fs::write(&root, &authority.root_pem).expect("the instance's folder");
    let (root, etc) = (root.display().to_string(), asterisk.etc().display().to_string());
    let inside = ["--config-dir", &etc, "--name", NAME, "--ami-username", "admin", "--ca", &root];
    let (url, there) = (format!("wss://{NAME}:8089/ws"), format!("127.0.0.1:{}", asterisk.ports.wss));
    let outside = [url.as_str(), "--connect", &there, "--ca", &root];
    let rounds = effort.rotations.min(MOST);

    for (name, arguments) in [("inside, a healthy Asterisk", &inside[..]), ("outside, a healthy Asterisk", &outside)] {
        let times = Times::new((0..rounds).map(|_| ask(arguments, "connect").0).collect());
        table.target(name, &times.tell(), "≤ 1 s (p95)", times.p95() <= Duration::from_secs(1));
    }
    // Asterisk itself goes on with what it has read: only the file is looked at.
    let http = fs::read(asterisk.etc().join("http.conf")).expect("its http.conf");
    let manager = fs::read(asterisk.etc().join("manager.conf")).expect("its manager.conf");
    write(&asterisk.etc(), LARGEST);
    fs::write(asterisk.etc().join("http.conf"), http).expect("a folder of our own");
    fs::write(asterisk.etc().join("manager.conf"), manager).expect("a folder of our own");
    let pjsip = asterisk.etc().join("pjsip.conf");
    let faulty =
        fs::read_to_string(&pjsip).expect("what was just written").replace("max_contacts=2\n", "").replace("auth=auth", "auth=gone");
    fs::write(&pjsip, faulty).expect("a folder of our own");
    let mut findings = 0;
    let times = (0..rounds).map(|_| {
        let (took, told) = ask(&inside, "connect-then-reject");
        findings = told["findings"].as_array().map_or(0, Vec::len);
        took
    });
    let times = Times::new(times.collect());
    let name = format!("inside, {LARGEST} endpoints with two faults each");
    table.target(&name, &times.tell(), "≤ 1 s (p95)", times.p95() <= Duration::from_secs(1));
    table.target("  findings to read", &findings.to_string(), "≤ 10", findings <= 10);
}

/// How long it took, and what was said.
fn ask(arguments: &[&str], would: &str) -> (Duration, Value) {
    let begun = clock::tick();
    let output = Command::new(binary()).arg("doctor").args(arguments).args(["-o", "json"]).output().expect("the agent's binary");
    let took = clock::tick() - begun;
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_eq!(told["browserWould"], would, "{told:#}");
    (took, told)
}

const MOST: usize = 20;
