//! The status page of a real agent, with as many rotations on it as it remembers: how long its answer takes, a connection and all, and how large
//! it is, styles and script and all.

use std::time::Duration;

use starkeeper::clock;

use super::{
    Effort,
    rotation::{Swap, instance},
    support::{agent::Agent, asterisk::Version, certs::Authority},
    table::{Table, Times},
};

pub(super) fn bench(effort: Effort, table: &mut Table) {
    table.heading("The status page at / (Asterisk 22)");
    let authority = Authority::new();
    let asterisk = instance(Version::V22, &authority);
    let agent = Agent::start(&format!("{}log: {{format: json, level: info}}\n", asterisk.settings()));
    agent.wait("the first proof", SOON, |status| status["phase"] == "Serving");
    for _ in 0..REMEMBERED {
        let pair = authority.issue(&["pbx.example.com"]);
        Swap::prepare(&asterisk.tls(), &pair).swap();
        agent.wait("the rotation", SOON, |status| status["surfaces"][0]["served"]["fingerprintSha256"] == pair.fingerprint);
    }
    agent.wait("all of them", SOON, |status| status["rotations"].as_array().map(Vec::len) == Some(REMEMBERED));
    let mut size = 0;
    let times = (0..effort.healthchecks).map(|_| {
        let begun = clock::tick();
        let (code, page) = agent.get("/");
        let took = clock::tick() - begun;
        assert_eq!(code, 200, "{page}");
        size = page.len();
        took
    });
    let times = Times::new(times.collect());
    table.target("asked → the whole page", &times.tell(), "≤ 50 ms (p95)", times.p95() <= Duration::from_millis(50));
    table.target("its size, with all that it needs", &format!("{:.1} kB", size as f64 / 1e3), "≤ 60 kB", size <= 60_000);
}

const REMEMBERED: usize = 20;
const SOON: Duration = Duration::from_secs(20);
