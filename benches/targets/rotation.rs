//! From the moment at which a new pair stands on disk to the agent's word that browsers get it, against the bare floor: a reload on a
//! warm AMI session and one TLS handshake that shows the new leaf, by a client that shares no code with the agent. Two Asterisks, in
//! turns in the same run, so that whatever slows the machine slows both.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use serde_json::Value;
use starkeeper::clock::{self, Tick};

use super::{
    Effort,
    support::{
        agent::Agent,
        asterisk::{Asterisk, BOTH, Version},
        certs::{Authority, Layout, Pair, Writing},
        wire,
    },
    table::{Table, Times, millis},
};

pub(super) fn bench(effort: Effort, table: &mut Table) {
    for version in BOTH {
        one(version, effort.rotations, table);
    }
}

fn one(version: Version, rounds: usize, table: &mut Table) {
    table.heading(&format!("Rotation on Asterisk {}: swapped on disk → proved on the wire", version.number()));
    let authority = Authority::new();
    let kept = instance(version, &authority);
    measure(&Measured { kept: &kept, settings: &kept.settings(), authority: &authority, limit: 1.5 }, rounds, table);
}

/// What is measured beside a bare Asterisk of the same version.
pub(super) struct Measured<'a> {
    /// The Asterisk that the agent keeps.
    pub(super) kept: &'a Asterisk,
    /// The agent's settings.
    pub(super) settings: &'a str,
    pub(super) authority: &'a Authority,
    /// How many times the floor it may take.
    pub(super) limit: f64,
}

/// Rotates on both in turn, and tells floor, agent and their ratio.
pub(super) fn measure(measured: &Measured<'_>, rounds: usize, table: &mut Table) {
    let Measured { kept, settings, authority, limit } = *measured;
    let bare = instance(kept.version, authority);
    let agent = Agent::start(&format!("{settings}log: {{format: json, level: info}}\n"));
    agent.wait("the first proof", SOON, |status| status["phase"] == "Serving" && status["ami"]["fullyBooted"] == true);
    let mut manager = bare.manager();
    let (mut proofs, mut floors, mut handshakes, mut stages) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds + WARM_UP {
        let pair = authority.issue(&["pbx.example.com"]);
        thread::sleep(REST);
        let mark = agent.mark();
        let swapped = Swap::prepare(&kept.tls(), &pair).swap();
        let (proved, line) = agent.wait_line(mark, "rotation proved", SOON);
        let seen = wire::glimpse(kept.ports.wss).map(|(leaf, _)| leaf);
        assert_eq!(seen.as_ref(), Some(&pair.fingerprint), "the agent says proved, and the client gets another certificate");

        let pair = authority.issue(&["pbx.example.com"]);
        thread::sleep(REST);
        let begun = Swap::prepare(&bare.tls(), &pair).swap();
        assert!(manager.reload("http").is_ok_and(|answer| answer.succeeded()), "the bare reload");
        let reloaded = clock::tick();
        let (leaf, seen) = wire::glimpse(bare.ports.wss).unwrap_or_else(|| panic!("a handshake after the bare reload"));
        assert_eq!(leaf, pair.fingerprint, "the bare reload");
        if round >= WARM_UP {
            proofs.push(proved - swapped);
            floors.push(seen - begun);
            handshakes.push(seen - reloaded);
            stages.push(line);
        }
    }
    let (proofs, floors) = (Times::new(proofs), Times::new(floors));
    table.row("the bare floor: AMI reload + TLS handshake", &floors.tell());
    table.row("  of that, the handshake", &Times::new(handshakes).tell());
    table.row("Starkeeper: from the swap to the proof", &proofs.tell());
    table.row("  its own account (medians)", &account(&stages));
    let ratio = proofs.median().as_secs_f64() / floors.median().as_secs_f64();
    let detail = format!("{ratio:.2} × the floor (+ {})", millis(proofs.median().saturating_sub(floors.median())));
    table.target("  ratio of the medians", &detail, &format!("≤ {limit:.2} ×"), ratio <= limit);
}

/// Before each rotation, bare or not: they are weeks apart in life, and the farewell of the probe that proved the one before takes Asterisk
/// some 10 ms, which a reload waits for.
const REST: Duration = Duration::from_millis(50);

/// With a Secret's layout, on which a swap is one rename.
pub(super) fn instance(version: Version, authority: &Authority) -> Asterisk {
    Asterisk::build(version).layout(Layout::DataSwap).pair(&authority.issue(&["pbx.example.com"])).start()
}

/// A generation that stands beside the present one, as kubelet prepares it.
pub(super) struct Swap {
    beside: PathBuf,
    data: PathBuf,
    old: PathBuf,
}

impl Swap {
    pub(super) fn prepare(folder: &Path, pair: &Pair) -> Self {
        let data = folder.join("..data");
        let old = folder.join(fs::read_link(&data).expect("a Secret's layout"));
        let name = (0..).map(|count| format!("..bench.{count}")).find(|name| !folder.join(name).exists()).expect("a free name");
        fs::create_dir(folder.join(&name)).expect("a new folder");
        pair.write(&folder.join(&name), Writing::CertThenKey);
        let beside = folder.join("..data_tmp");
        symlink(&name, &beside).expect("a link");
        Swap { beside, data, old }
    }

    /// The one rename that counts; the moment before it.
    pub(super) fn swap(self) -> Tick {
        let begun = clock::tick();
        fs::rename(&self.beside, &self.data).expect("a rename");
        // kubelet removes the old generation after the swap, too.
        fs::remove_dir_all(&self.old).expect("the old folder");
        begun
    }
}

/// The medians of what the agent logs of each rotation.
fn account(lines: &[String]) -> String {
    let logged: Vec<Value> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let median = |stage: &str| {
        let mut times: Vec<f64> = logged.iter().filter_map(|line| line[stage].as_f64()).collect();
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
    };
    // Nothing is published in place.
    let stages = ["settle", "check", "publish", "reload", "prove", "total"].map(|stage| (stage, median(stage)));
    let told = stages.iter().filter(|(_, time)| time.is_finite()).map(|(stage, time)| format!("{stage} {time:.2}"));
    format!("{} ms", told.collect::<Vec<_>>().join(" · "))
}

const SOON: Duration = Duration::from_secs(20);
/// Not counted: caches, the first handshake's seeding.
const WARM_UP: usize = 5;
