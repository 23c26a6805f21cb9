//! What the agent costs while nothing happens: memory, processor time, and what Asterisk logs of its probes. And what one probe costs
//! both sides.

use std::{thread, time::Duration};

use starkeeper::clock;

use super::{
    Effort,
    process::{self, cpu, cpu_of_all},
    support::{
        agent::Agent,
        asterisk::{Asterisk, Version},
    },
    table::Table,
};

/// As it comes: a probe every ten seconds.
pub(super) fn bench(effort: Effort, table: &mut Table) {
    table.heading(&format!("Idle for {} s on Asterisk 22, a probe every 10 s", effort.idle_seconds));
    let asterisk = Asterisk::start(Version::V22);
    let agent = Agent::start(&format!("{}log: {{format: json, level: info}}\n", asterisk.settings()));
    agent.wait("the first proof", SOON, |status| status["phase"] == "Serving" && status["ami"]["fullyBooted"] == true);
    let log = asterisk.mark();
    let (begun, fine, coarse) = (clock::tick(), cpu(agent.pid()), cpu_of_all(agent.pid()));
    let probes = |agent: &Agent| agent.status()["counts"]["probes"]["open"].as_u64().unwrap_or(0);
    let before = probes(&agent);
    thread::sleep(Duration::from_secs(effort.idle_seconds));
    let span = clock::tick() - begun;
    // Threads that ended meanwhile are in the coarse count alone; the finer one counts where none did.
    let spent = cpu(agent.pid()).saturating_sub(fine).max(cpu_of_all(agent.pid()).saturating_sub(coarse));
    let memory = process::memory(agent.pid());
    let share = spent.as_secs_f64() / span.as_secs_f64() * 100.0;
    memory.tell(8, table);
    let detail = format!("{share:.3} % of a core ({} probes)", probes(&agent) - before);
    table.target("processor", &detail, "≤ 0.1 %", share <= 0.1);
    let complaints = asterisk.complaints(log);
    table.target("ERROR, WARNING, NOTICE lines in Asterisk's log", &complaints.len().to_string(), "0", complaints.is_empty());
}

/// Five probes a second: what each costs the agent, and Asterisk.
pub(super) fn one_probe(_: Effort, table: &mut Table) {
    table.heading("One probe: TCP, TLS, /ws with sip, a proper farewell (Asterisk 22)");
    let asterisk = Asterisk::start(Version::V22);
    let settings = format!("{}probe: {{interval: 200ms, timeout: 200ms}}\nlog: {{format: json, level: info}}\n", asterisk.settings());
    let agent = Agent::start(&settings);
    agent.wait("the first proof", SOON, |status| status["phase"] == "Serving");
    let look = || {
        let status = agent.status();
        (status["counts"]["probes"]["open"].as_u64().unwrap_or(0), cpu_of_all(agent.pid()), asterisk.cpu_time())
    };
    let (from, until) = (look(), {
        thread::sleep(Duration::from_secs(15));
        look()
    });
    let probes = (until.0 - from.0).max(1);
    let each = |begin: Duration, end: Duration| format!("{:.2} ms of processor time", (end - begin).as_secs_f64() * 1e3 / probes as f64);
    table.row("the agent", &format!("{}  (n = {probes})", each(from.1, until.1)));
    table.row("Asterisk", &each(from.2, until.2));
    let millis = agent.status()["surfaces"][0]["millis"].clone();
    table.row("the last one took", &format!("tcp {} · tls {} · upgrade {} ms", millis["tcp"], millis["tls"], millis["upgrade"]));
}

const SOON: Duration = Duration::from_secs(20);
