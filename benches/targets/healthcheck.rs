//! `starkeeper healthcheck` as Docker and exec probes run it: a whole process each time.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use starkeeper::clock;

use super::{
    Effort,
    support::{
        agent::{self, Agent},
        asterisk::{Asterisk, Version},
    },
    table::{Table, Times},
};

pub(super) fn bench(effort: Effort, table: &mut Table) {
    table.heading("starkeeper healthcheck, a whole process");
    let asterisk = Asterisk::start(Version::V22);
    let agent = Agent::start(&asterisk.settings());
    agent.wait("the first proof", Duration::from_secs(20), |status| status["phase"] == "Serving");
    let url = format!("http://{}/readyz", agent.address());
    let time = |mut command: Command| {
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let begun = clock::tick();
        let ended = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        assert!(ended.success(), "{command:?}: {ended}");
        clock::tick() - begun
    };
    let (mut ours, mut nothing) = (Vec::new(), Vec::new());
    for _ in 0..effort.healthchecks {
        let mut command = Command::new(agent::binary());
        command.args(["healthcheck", "--url", &url]);
        ours.push(time(command));
        nothing.push(time(Command::new("true")));
    }
    let ours = Times::new(ours);
    table.row("`true`, for comparison", &Times::new(nothing).tell());
    table.target("starkeeper healthcheck", &ours.tell(), "≤ 10 ms", ours.median() <= Duration::from_millis(10));
}
