//! What a scrape costs: 24 hours of scrapes (one each 15 s), as fast as they go, of an agent that keeps four surfaces.

use std::{fs, time::Duration};

use starkeeper::clock;

use super::{
    Effort, process,
    support::{
        agent::Agent,
        asterisk::{Asterisk, Version},
    },
    table::{Table, Times},
};

/// OpenMetrics, each on a connection of its own.
pub(super) fn bench(_: Effort, table: &mut Table) {
    table.heading(&format!("{DAY} scrapes of an agent with four surfaces (WSS, two PJSIP TLS, AMI TLS) on Asterisk 22"));
    let mut asterisk = Asterisk::build(Version::V22).sip_tls().ami_tls().start();
    second_transport(&mut asterisk);
    let settings = format!(
        "asterisk:\n  configDir: {}\n  ami: {{username: starkeeper, secretFile: {}}}\ncertificate: {{trust: none}}\nlog: {{format: json, level: info}}\n",
        asterisk.etc().display(),
        asterisk.secret_file().display()
    );
    let agent = Agent::start(&settings);
    agent.wait("four surfaces", SOON, |status| {
        let surfaces = status["surfaces"].as_array();
        surfaces.is_some_and(|surfaces| surfaces.len() == 4 && surfaces.iter().all(|surface| surface["matchesWanted"] == true))
    });
    let scrape = || {
        let begun = clock::tick();
        let answer = agent.request("GET /metrics", "Accept: application/openmetrics-text; version=1.0.0\r\n");
        (clock::tick() - begun, answer.map(|(_, text)| text).unwrap_or_default())
    };
    let text = scrape().1;
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    table.target("series", &series.to_string(), "≤ 300", (100..=300).contains(&series));
    // The allocator's own pools are filled once; what comes after is growth.
    (0..DAY / 10).for_each(|_| drop(scrape()));
    let before = process::memory(agent.pid());
    let (times, answers): (Vec<_>, Vec<_>) = (0..DAY).map(|_| scrape()).map(|(time, text)| (time, text.ends_with("# EOF\n"))).unzip();
    let after = process::memory(agent.pid());
    let times = Times::new(times);
    table.target("one scrape, with its connection", &times.tell(), "p95 ≤ 5 ms", times.p95() <= Duration::from_millis(5));
    let whole = answers.iter().filter(|whole| **whole).count();
    table.target("answered whole", &whole.to_string(), &DAY.to_string(), whole == DAY);
    let grown = after.resident.saturating_sub(before.resident);
    let detail = format!("{grown} kB ({:.2} → {:.2} MB)", before.resident as f64 / 1024.0, after.resident as f64 / 1024.0);
    table.target("growth of resident memory", &detail, "≤ 128 kB", grown <= 128);
}

/// The transport over TLS that is there, once more on another port.
fn second_transport(asterisk: &mut Asterisk) {
    let file = asterisk.etc().join("pjsip.conf");
    let text = fs::read_to_string(&file).unwrap_or_default();
    let section = text.split("\n[").find(|section| section.starts_with("tls]")).unwrap_or_default();
    let port = format!(":{}", asterisk.ports.sip_tls);
    let second = section.replacen("tls]", "[tls-two]", 1).replacen(&port, &format!(":{}", asterisk.ports.spare.start()), 1);
    if fs::write(&file, format!("{text}\n{second}\n")).is_ok() {
        asterisk.restart();
    }
}

/// One each 15 s.
const DAY: usize = 24 * 60 * 60 / 15;
const SOON: Duration = Duration::from_secs(30);
