//! A year of rotations in some minutes, on a real Asterisk 22: good pairs, bad ones, restarts, a certificate that is dressed differently
//! and listeners that somebody else wedged. Every good pair is waited for until it is proved; at the end the agent must have counted
//! exactly what was done to it, must hold no more memory, descriptors and watches than when it was warm, and Asterisk must have nothing
//! to complain of. `ROTATIONS` (200 otherwise; `make soak`: 10,000) says how many generations are written.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails at the place where it stands")]
#![allow(clippy::print_stdout, reason = "the numbers are what it is run for")]

mod support;

use std::{env, fs, time::Duration};

use serde_json::Value;
use starkeeper::clock;
use support::{
    agent::Agent,
    asterisk::{Asterisk, Mark, Version},
    certs::{Authority, Layout, Pair, Writing},
    until, wire,
};

#[test]
fn after_all_those_rotations_the_counts_are_exact_and_nothing_has_grown() {
    let rotations: u64 = env::var("ROTATIONS").map_or(200, |count| count.parse().expect("ROTATIONS is a number"));
    let began = clock::tick();
    let mut soak = Soak::begin(rotations);
    for generation in 1..=rotations {
        match Deed::of(generation) {
            Deed::Good => soak.rotate(),
            Deed::Bad => soak.break_and_go_on(),
            Deed::BadAndNamed => soak.break_until_named(),
            Deed::SameInOtherClothes => soak.dress_differently(),
            Deed::Restart => soak.restart(),
            Deed::ChangedWhileDown => soak.change_while_down(),
            Deed::Wedge => soak.wedge(),
        }
        if generation % (rotations / SAMPLES).max(1) == 0 {
            soak.sample(generation);
        }
    }
    soak.end(rotations, clock::tick() - began);
}

/// What is done with one generation. In every 200: 180 good ones (of which 2 come with more than that), 20 bad ones.
enum Deed {
    /// A new pair; waited for until it is proved.
    Good,
    /// A pair that Asterisk could not load, and the next good one before the grace is over: nothing is counted.
    Bad,
    /// The same, waited for until it is named: a rejection.
    BadAndNamed,
    /// The served certificate in a file with other bytes: already served.
    SameInOtherClothes,
    /// Asterisk is killed and started: a reconnect, and no heal; then a new pair.
    Restart,
    /// A new pair while Asterisk is down: it comes up with it, which is already served.
    ChangedWhileDown,
    /// A bad pair, and somebody else reloads: the door goes dark. Named; the next good pair heals it.
    Wedge,
}

impl Deed {
    fn of(generation: u64) -> Self {
        match generation % 400 {
            105 => Self::Restart,
            305 => Self::ChangedWhileDown,
            160 => Self::Wedge,
            51 | 151 | 251 | 351 => Self::SameInOtherClothes,
            100 | 300 => Self::BadAndNamed,
            turn if turn % 10 == 0 => Self::Bad,
            _ => Self::Good,
        }
    }
}

/// What the agent must have counted. A bad pair that stood for longer than the grace because the machine stalled may be named: `slow`.
#[derive(Default)]
struct Counts {
    proved: u64,
    already_served: u64,
    rejected: u64,
    slow: u64,
    healed: u64,
    restarts: u64,
    bad: u64,
}

struct Soak {
    asterisk: Asterisk,
    agent: Agent,
    pool: Vec<Pair>,
    /// How many pairs of the pool were taken.
    taken: usize,
    /// The pair that lies there, as far as it is a good one.
    current: Pair,
    expected: Counts,
    /// When a bad pair came to lie there.
    bad_since: Option<clock::Tick>,
    mark: Mark,
    complaints: Vec<String>,
    samples: Vec<Sample>,
}

/// What the agent holds at a moment.
#[derive(Clone, Copy)]
struct Sample {
    generation: u64,
    resident: f64,
    descriptors: f64,
    watches: f64,
    asterisk: f64,
}

impl Soak {
    fn begin(rotations: u64) -> Self {
        let authority = Authority::new();
        let size = usize::try_from(rotations.clamp(20, 200)).unwrap();
        let pool: Vec<Pair> = (0..size).map(|_| authority.issue(&["pbx.example.com"])).collect();
        let asterisk = Asterisk::build(Version::V22).layout(Layout::DataSwap).pair(&pool[0]).start();
        let settings = asterisk.settings().replacen("asterisk:\n", &format!("asterisk:\n  configDir: {}\n", asterisk.etc().display()), 1);
        let agent = Agent::start(&settings);
        agent.wait("the first proof", SOON, |status| status["phase"] == "Serving" && status["counts"]["amiConnects"] == 1);
        let (mark, current) = (asterisk.mark(), pool[0].clone());
        let expected = Counts::default();
        Self { asterisk, agent, pool, taken: 1, current, expected, bad_since: None, mark, complaints: Vec::new(), samples: Vec::new() }
    }

    /// The next pair of the pool: never the one that is served.
    fn next(&mut self) -> Pair {
        let pair = self.pool[self.taken % self.pool.len()].clone();
        self.taken += 1;
        pair
    }

    /// How the next pair is written, in turn: as kubelet does, and in place, in either order.
    fn how(&self) -> Writing {
        [Writing::DataSwap, Writing::CertThenKey, Writing::KeyThenCert][self.taken % 3]
    }

    fn rotate(&mut self) {
        let how = self.how();
        self.current = self.next();
        let begun = clock::tick();
        self.current.write(&self.asterisk.tls(), how);
        self.expected.proved += 1;
        self.wait_for_counts("a rotation");
        let since = self.bad_since.take().unwrap_or(begun);
        self.expected.slow += u64::from(clock::tick() - since > STALLED);
        assert_eq!(self.agent.status()["surfaces"][0]["served"]["fingerprintSha256"], self.current.fingerprint.as_str());
    }

    /// Neither half is one of the next good pair's: that would be whole with the first of its two files, be reloaded, and the second one, which a
    /// writer in place makes empty before it writes the same again, could be read just then (a dark second, and a heal).
    fn spoil(&mut self) {
        let [bad, other] = [1, 2].map(|ahead| self.pool[(self.taken + ahead) % self.pool.len()].clone());
        let bad = match self.expected.bad % 4 {
            0 => bad.with_key_of(&other),
            1 => bad.with_cert(&bad.cert_pem[..bad.cert_pem.len() / 3]),
            2 => bad.with_key(""),
            _ => bad.with_key(bad.cert_pem.clone()),
        };
        let how = self.how();
        self.expected.bad += 1;
        bad.write(&self.asterisk.tls(), how);
    }

    fn break_and_go_on(&mut self) {
        self.bad_since = Some(clock::tick());
        self.spoil();
    }

    fn break_until_named(&mut self) {
        self.spoil();
        self.expected.rejected += 1;
        self.wait_for_counts("the name of what is bad");
        assert_eq!(wire::served(self.asterisk.ports.wss).map(|served| served.fingerprint), Some(self.current.fingerprint.clone()));
    }

    fn dress_differently(&mut self) {
        self.current.cert_pem.push('\n');
        self.current.write(&self.asterisk.tls(), Writing::DataSwap);
        self.expected.already_served += 1;
        self.wait_for_counts("what is served already");
    }

    fn restart(&mut self) {
        self.take_complaints();
        self.asterisk.kill();
        self.come_back();
        self.rotate();
    }

    fn change_while_down(&mut self) {
        self.take_complaints();
        self.asterisk.kill();
        self.agent.wait("the end of AMI", SOON, |status| status["ami"]["connected"] == false);
        self.current = self.next();
        self.current.write(&self.asterisk.tls(), Writing::DataSwap);
        self.expected.already_served += 1;
        self.come_back();
    }

    fn come_back(&mut self) {
        self.asterisk.restart();
        self.expected.restarts += 1;
        self.wait_for_counts("the way back after a restart");
        // What Asterisk says of its own start is not the agent's doing.
        self.mark = self.asterisk.mark();
    }

    fn wedge(&mut self) {
        self.take_complaints();
        self.spoil();
        self.asterisk.manager().command("module reload http").unwrap();
        self.expected.rejected += 1;
        self.wait_until("the wedge", |status, _| status["surfaces"][0]["door"] == "dark");
        self.wait_until("the name of what is bad", |status, expected| status["counts"]["rejected"].as_u64() >= Some(expected.rejected));
        self.expected.healed += 1;
        self.rotate();
        self.mark = self.asterisk.mark();
    }

    fn wait_for_counts(&mut self, what: &str) {
        self.wait_until(what, |status, expected| {
            let counts = &status["counts"];
            status["ami"]["connected"] == true
                && status["surfaces"][0]["door"] == "open"
                && counts["proved"] == expected.proved
                && counts["alreadyServed"] == expected.already_served
                && counts["rejected"].as_u64() >= Some(expected.rejected)
                && counts["amiConnects"] == 1 + expected.restarts
        });
    }

    #[track_caller]
    fn wait_until(&mut self, what: &str, condition: impl Fn(&Value, &Counts) -> bool) {
        let (agent, expected) = (&self.agent, &self.expected);
        let what = format!("{what} (pair {}, {} restarts, {} bad)", self.taken, expected.restarts, expected.bad);
        agent.wait(&what, SOON, |status| condition(status, expected));
        assert!(self.asterisk.alive(), "Asterisk ended: {what}");
    }

    fn take_complaints(&mut self) {
        self.complaints.extend(self.asterisk.complaints(self.mark));
    }

    fn sample(&mut self, generation: u64) {
        let sample = Sample {
            generation,
            resident: resident(self.agent.pid()),
            descriptors: descriptors(self.agent.pid()) as f64,
            watches: watches(self.agent.pid()) as f64,
            asterisk: self.asterisk.rss() as f64,
        };
        self.samples.push(sample);
    }

    fn end(mut self, rotations: u64, took: Duration) {
        if self.bad_since.is_some() {
            self.rotate();
        }
        self.take_complaints();
        let Counts { proved, already_served, rejected, slow, healed, restarts, bad } = self.expected;
        println!(
            "{rotations} generations in {took:.0?}: {proved} proved, {already_served} already served, {bad} bad of which {rejected} named, \
             {healed} heals, {restarts} restarts, {slow} slower than {STALLED:?}"
        );
        let rows = self.samples.len().div_ceil(10).max(1);
        for sample in self.samples.iter().step_by(rows).chain(self.samples.last()) {
            println!(
                "  after {:>6}: agent {:>6.0} KiB, {} descriptors, {} watches; Asterisk {:>6.0} KiB",
                sample.generation,
                sample.resident / 1024.0,
                sample.descriptors,
                sample.watches,
                sample.asterisk / 1024.0
            );
        }
        let warm = &self.samples[self.samples.len() / 4..];
        let growth = |of: fn(&Sample) -> f64| slope(warm, of) * rotations as f64;
        let (memory, descriptors) = (growth(|sample| sample.resident), growth(|sample| sample.descriptors));
        let watches = growth(|sample| sample.watches);
        println!(
            "  growth over all of it, by the line of least squares: {:.0} KiB, {descriptors:.2} descriptors, {watches:.2} watches",
            memory / 1024.0
        );

        let metrics = self.agent.get("/metrics").1;
        let metric = |name: &str| {
            let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            value.unwrap_or_else(|| panic!("no {name} in\n{metrics}")).parse::<f64>().unwrap() as u64
        };
        assert_eq!(metric("starkeeper_rotations_total{outcome=\"proved\"}"), proved);
        assert_eq!(metric("starkeeper_rotations_total{outcome=\"already-served\"}"), already_served);
        assert_eq!(metric("starkeeper_rotations_total{outcome=\"unproved\"}"), 0);
        let named = metric("starkeeper_rotations_total{outcome=\"rejected\"}");
        assert!((rejected..=rejected + slow).contains(&named), "{named} rejected, of {rejected} (and {slow} that were slow)");
        let heals = ["healed", "not-healed"].map(|outcome| metric(&format!("starkeeper_heals_total{{outcome=\"{outcome}\"}}")));
        if heals != [healed, 0] {
            let telling = ["tls-failed", "tls-cleartext", "tcp-refused", "listener-wedged", "ami-"];
            let told = self.agent.log().into_iter().filter(|line| telling.iter().any(|code| line.contains(code)));
            println!("{}", told.collect::<Vec<_>>().join("\n"));
        }
        assert_eq!(heals, [healed, 0], "one heal for each wedge, none for {restarts} restarts");
        assert_eq!(metric("starkeeper_ami_reconnects_total"), restarts);
        assert!(self.asterisk.alive());
        assert_eq!(self.complaints, Vec::<String>::new());
        let strangers: Vec<String> = self.agent.log().into_iter().filter(|line| line.contains("notify::")).collect();
        assert_eq!(strangers, Vec::<String>::new(), "what a dependency warns of is no news");
        assert!(memory < MOST_GROWTH, "the agent grows: {memory} bytes over {rotations} rotations");
        assert!(descriptors < 1.0 && watches < 1.0, "{descriptors} descriptors, {watches} watches over {rotations} rotations");
    }
}

/// By how much the value rises with each generation: the line of least squares.
fn slope(samples: &[Sample], of: fn(&Sample) -> f64) -> f64 {
    let count = samples.len() as f64;
    let mean = |of: &dyn Fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(&|sample| sample.generation as f64), mean(&|sample| of(sample)));
    let (mut above, mut below) = (0.0, 0.0);
    for sample in samples {
        let from = sample.generation as f64 - x;
        above += from * (of(sample) - y);
        below += from * from;
    }
    above / below
}

fn resident(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1024.0
}

/// Open at a quiet moment: the lowest of some looks, as requests of `/status` and the last probe come and go.
fn descriptors(pid: u32) -> usize {
    let count = || fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    let mut lowest = count();
    let mut looks = 0;
    until(SOON, "some looks at the descriptors", || {
        lowest = lowest.min(count());
        looks += 1;
        looks == 10
    });
    lowest
}

/// Directories that inotify watches.
fn watches(pid: u32) -> usize {
    let infos = fs::read_dir(format!("/proc/{pid}/fdinfo")).unwrap().filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok());
    infos.map(|info| info.lines().filter(|line| line.starts_with("inotify wd:")).count()).sum()
}

const SOON: Duration = Duration::from_secs(60);
/// Below the grace after which a bad pair is named.
const STALLED: Duration = Duration::from_millis(1800);
const SAMPLES: u64 = 200;
/// What a steady agent's memory may seem to grow by, in bytes, over the whole of it.
const MOST_GROWTH: f64 = 1024.0 * 1024.0;
