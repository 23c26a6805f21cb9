//! One row of the matrix, played: a real Asterisk that serves, an agent that has proved it, users who knock every 20 ms; then the
//! fault, its name, its end, and the way back. What leaves: what everybody saw, and what of it must not be.

use std::{any::Any, collections::BTreeSet, panic, path::PathBuf, thread, time::Duration};

use serde_json::Value;
use starkeeper::clock;

use super::{
    shim::World,
    support::{
        agent::Agent,
        asterisk::{Asterisk, Builder, Version},
        certs::{Authority, Pair, Writing},
        manager::Manager,
        wire::{self, Outcome, Report, Sampler},
    },
};

/// What is done to a scene.
type Deed = Box<dyn Fn(&mut Stage) + Send + Sync>;

/// One fault, and what must come of it.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) versions: Vec<Version>,
    /// Only in a full run.
    pub(crate) long: bool,
    build: fn(Builder) -> Builder,
    settings: fn(&Asterisk, String) -> String,
    before: Deed,
    make: Deed,
    mend: Deed,
    phases: &'static [&'static str],
    codes: &'static [&'static str],
    users: Users,
    lasts: Duration,
}

/// What users may meet while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Users {
    /// An open door, but for the milliseconds of a reload.
    Served,
    /// Asterisk itself is dead, frozen, or was taken down by hand: nothing that the agent could help.
    NotByTheAgent,
}

/// A fault that must show as one of these phases together with one of these findings (none of them: nothing need be named).
pub(crate) fn fault(name: &'static str, phases: &'static [&'static str], codes: &'static [&'static str]) -> Fault {
    Fault {
        name,
        versions: vec![Version::V22],
        long: false,
        build: |builder| builder,
        settings: |_, text| text,
        before: Box::new(|_| {}),
        make: Box::new(|_| {}),
        mend: Box::new(|_| {}),
        phases,
        codes,
        users: Users::Served,
        lasts: Duration::from_millis(1200),
    }
}

impl Fault {
    pub(crate) fn on(self, versions: &[Version]) -> Self {
        Self { versions: versions.to_vec(), ..self }
    }

    pub(crate) fn long(self) -> Self {
        Self { long: true, ..self }
    }

    /// How Asterisk is built.
    pub(crate) fn build(self, build: fn(Builder) -> Builder) -> Self {
        Self { build, ..self }
    }

    /// What the settings are made to say.
    pub(crate) fn settings(self, settings: fn(&Asterisk, String) -> String) -> Self {
        Self { settings, ..self }
    }

    /// What is set before the agent starts.
    pub(crate) fn before(self, deed: impl Fn(&mut Stage) + Send + Sync + 'static) -> Self {
        Self { before: Box::new(deed), ..self }
    }

    pub(crate) fn make(self, deed: impl Fn(&mut Stage) + Send + Sync + 'static) -> Self {
        Self { make: Box::new(deed), ..self }
    }

    pub(crate) fn mend(self, deed: impl Fn(&mut Stage) + Send + Sync + 'static) -> Self {
        Self { mend: Box::new(deed), ..self }
    }

    /// It shows as one of these phases.
    pub(crate) fn phases(self, phases: &'static [&'static str]) -> Self {
        Self { phases, ..self }
    }

    /// Users meet what is not the agent's doing.
    pub(crate) fn not_by_the_agent(self) -> Self {
        Self { users: Users::NotByTheAgent, ..self }
    }

    /// How long it lasts once it is named.
    pub(crate) fn lasts(self, lasts: Duration) -> Self {
        Self { lasts, ..self }
    }

    /// Plays it. A crash of Asterisk that the row did not ask for (a handshake that enters while a reload frees what it reads) is
    /// Asterisk's own, and is told by `crashed`.
    pub(crate) fn play(&self, version: Version) -> Played {
        let played = panic::catch_unwind(panic::AssertUnwindSafe(|| self.act(version)));
        played.unwrap_or_else(|cause| Played::default().with(said(cause.as_ref())))
    }

    fn act(&self, version: Version) -> Played {
        let mut played = Played::default();
        let pair = Authority::new().issue(&NAMES);
        let asterisk = (self.build)(Asterisk::build(version).pair(&pair)).start();
        let world = World::real(asterisk.folder());
        let text = (self.settings)(&asterisk, format!("{}probe: {{interval: 1s, timeout: 1s}}\n", asterisk.settings()));
        let mut stage =
            Stage { asterisk, agent: None, settings: text, world, first: pair.clone(), wanted: pair, held: Vec::new(), notes: Vec::new() };
        (self.before)(&mut stage);
        stage.start_agent();
        if let Err(last) = stage.proves(SOON) {
            return played.with(format!("not proved before the fault: {last}"));
        }
        let mut manager = stage.asterisk.manager();
        let mark = manager.mark();
        let sampler = Sampler::start(stage.asterisk.ports.wss, Duration::from_millis(20));

        let before = stage.asterisk.pid();
        let acts = panic::catch_unwind(panic::AssertUnwindSafe(|| self.suffer(&mut stage, &mut played)));
        if let Err(cause) = acts {
            played.wrong.push(said(cause.as_ref()));
        }
        let report = sampler.stop();
        played.notes.append(&mut stage.notes);
        // Where the row killed it itself there is no process to ask for.
        let same = panic::catch_unwind(panic::AssertUnwindSafe(|| stage.asterisk.pid() == before)).unwrap_or(false);
        played.crashed |= same && !stage.asterisk.alive();
        self.judge_users(&report, manager_reloads(&mut manager, mark), &mut played);
        played
    }

    /// The fault, its name, its end, and the way back.
    fn suffer(&self, stage: &mut Stage, played: &mut Played) {
        (self.make)(stage);
        if let Err(last) = self.becomes_named(stage, played) {
            played.wrong.push(format!("not named {:?} in {:?}: {last}", self.codes, self.phases));
        }
        let end = clock::tick() + self.lasts;
        while clock::tick() < end {
            thread::sleep(Duration::from_millis(20));
        }
        if played.phase.is_empty() {
            (played.phase, played.codes) = stage.told();
        }
        let mended = clock::tick();
        (self.mend)(stage);
        match stage.proves(RECOVERY) {
            Ok(()) => played.recovered = Some(clock::tick() - mended),
            Err(last) => {
                played.crashed |= last == CRASHED;
                played.wrong.push(format!("not Serving again: {last}"));
            }
        }
    }

    /// Waits until `/status` tells the phase and a finding.
    fn becomes_named(&self, stage: &mut Stage, played: &mut Played) -> Result<(), String> {
        let mut told = |status: &Value| {
            let phase = status["phase"].as_str().unwrap_or_default().to_owned();
            let codes = codes(status);
            let fits =
                self.phases.contains(&phase.as_str()) && (self.codes.is_empty() || self.codes.iter().any(|code| codes.contains(code)));
            if fits {
                played.phase = phase;
                played.codes = self.codes.iter().filter(|code| codes.contains(*code)).map(|code| (*code).to_owned()).collect();
            }
            fits
        };
        // A row that ends its agent has told what it saw by itself.
        if stage.agent.is_none() || self.phases.is_empty() {
            return Ok(());
        }
        stage.until(NAMED, &mut told)
    }

    fn judge_users(&self, report: &Report, reloads: Option<usize>, played: &mut Played) {
        let failed = report.failures().len();
        let outage = report.longest_outage();
        let doors: BTreeSet<String> = report
            .failures()
            .iter()
            .filter_map(|sample| match &sample.outcome {
                Outcome::Failed(door) => Some(format!("{door:?}").split(['(', ' ']).next().unwrap_or_default().to_lowercase()),
                Outcome::Served(_) => None,
            })
            .collect();
        let doors = doors.into_iter().collect::<Vec<_>>().join(",");
        let times = reloads.map_or_else(|| "?".to_owned(), |count| count.to_string());
        played.users = if failed == 0 {
            format!("up ({times} reloads)")
        } else if self.users == Users::NotByTheAgent {
            format!("{doors} {:.1} s, not by the agent", outage.as_secs_f64())
        } else {
            format!("{failed} missed in {times} reloads")
        };
        // A reload closes the listening socket for 1 to 4 ms: whoever knocks just then is refused, and on a busy machine whoever comes next.
        if self.users == Users::Served && (outage > REBIND || reloads.is_some_and(|reloads| failed > 2 * reloads)) {
            played
                .wrong
                .push(format!("the door was shut to {failed} of {}, for {outage:?}, in {times} reloads ({doors})", report.samples.len()));
        }
        if report.samples.is_empty() {
            played.wrong.push("nobody knocked".to_owned());
        }
    }
}

/// What came of a fault.
#[derive(Debug, Default)]
pub(crate) struct Played {
    pub(crate) users: String,
    pub(crate) phase: String,
    pub(crate) codes: Vec<String>,
    pub(crate) recovered: Option<Duration>,
    pub(crate) notes: Vec<String>,
    pub(crate) wrong: Vec<String>,
    /// Asterisk died though nobody killed it.
    pub(crate) crashed: bool,
}

impl Played {
    fn with(mut self, wrong: String) -> Self {
        self.wrong.push(wrong);
        self
    }
}

/// A scene: what deeds are done to.
pub(crate) struct Stage {
    pub(crate) asterisk: Asterisk,
    pub(crate) agent: Option<Agent>,
    pub(crate) settings: String,
    pub(crate) world: World,
    /// The pair that Asterisk was started with.
    pub(crate) first: Pair,
    /// The pair that must be served at the end.
    pub(crate) wanted: Pair,
    /// What the fault keeps for its time.
    pub(crate) held: Vec<Box<dyn Any>>,
    /// What the table tells beside.
    pub(crate) notes: Vec<String>,
}

impl Stage {
    pub(crate) fn agent(&self) -> &Agent {
        self.agent.as_ref().unwrap()
    }

    /// Starts the agent, or starts it again.
    pub(crate) fn start_agent(&mut self) {
        self.agent = None;
        let environment = self.world.environment();
        let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.agent = Some(Agent::start_with(&self.settings, &environment));
    }

    /// A new good pair for all names.
    pub(crate) fn new_pair(&self) -> Pair {
        Authority::new().issue(&NAMES)
    }

    /// Puts a good pair there, which must be served at the end.
    pub(crate) fn rotate(&mut self) {
        let pair = self.new_pair();
        self.put(&pair);
        self.wanted = pair;
    }

    /// Puts a pair there by renames.
    pub(crate) fn put(&self, pair: &Pair) {
        pair.write(&self.asterisk.tls(), Writing::Renames);
    }

    /// The first of what is held, of that kind.
    pub(crate) fn holding<T: 'static>(&self) -> &T {
        self.held.iter().find_map(|held| held.downcast_ref()).unwrap()
    }

    /// Waits until the agent says Serving, of the wanted pair, and users meet that pair. Whoever knocks in the milliseconds of a reload
    /// (a chain that came after its leaf asks for a second one) meets nobody, and knocks again.
    pub(crate) fn proves(&mut self, deadline: Duration) -> Result<(), String> {
        let wanted = self.wanted.fingerprint.clone();
        let port = self.asterisk.ports.wss;
        let process = self.asterisk.started().map(|pid| PathBuf::from(format!("/proc/{pid}")));
        let (mut met, mut crashed) = (None, false);
        let proved = self.until(deadline, &mut |status| {
            // Nobody brings it back.
            crashed = process.as_ref().is_some_and(|process| !process.exists());
            if crashed {
                return true;
            }
            let surface = &status["surfaces"][0];
            let told = status["phase"] == "Serving" && surface["served"]["fingerprintSha256"] == wanted && surface["matchesWanted"] == true;
            told && {
                met = wire::served(port);
                met.as_ref().is_some_and(|served| served.fingerprint == wanted)
            }
        });
        if crashed {
            return Err(CRASHED.to_owned());
        }
        proved.map_err(|last| format!("{last}\n      the wire, when the agent last said Serving: {met:?}"))
    }

    /// Waits until `/status` is so; what it last said where it never is.
    pub(crate) fn until(&self, deadline: Duration, so: &mut dyn FnMut(&Value) -> bool) -> Result<(), String> {
        let end = clock::tick() + deadline;
        let mut last = "no agent".to_owned();
        while clock::tick() < end {
            if let Some(status) = self.status() {
                if so(&status) {
                    return Ok(());
                }
                let door = &status["surfaces"][0]["door"];
                last = format!("{} ({}), door {door}, files {}", status["phase"], codes(&status).join(" "), status["files"]["verdict"]);
            }
            thread::sleep(Duration::from_millis(10));
        }
        let mut log = self.agent.as_ref().map(Agent::log).unwrap_or_default();
        log.retain(|line| !line.contains("\"DEBUG\""));
        Err(format!("{last}\n      {}", log[log.len().saturating_sub(8)..].join("\n      ")))
    }

    /// Loads or unloads a module. The CLI's own commands for it are barred over AMI.
    pub(crate) fn module(&self, deed: &str, name: &str) {
        let answer = self.asterisk.manager().action("ModuleLoad", &[("LoadType", deed), ("Module", name)]).unwrap();
        assert!(answer.succeeded(), "{deed} {name}: {answer:?}");
    }

    /// The phase and the findings that the agent's log told last: for when it cannot be asked.
    fn told(&self) -> (String, Vec<String>) {
        let (mut phase, mut found) = (String::new(), BTreeSet::new());
        for line in self.agent.as_ref().map(Agent::log).unwrap_or_default() {
            let Ok(line) = serde_json::from_str::<Value>(&line) else { continue };
            let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            match line["message"].as_str() {
                Some("phase") => phase = text("phase"),
                Some("found") => drop(found.insert(text("code"))),
                Some("gone") => drop(found.remove(&text("code"))),
                _ => {}
            }
        }
        (phase, found.into_iter().collect())
    }

    /// `/status`, where the agent can answer.
    pub(crate) fn status(&self) -> Option<Value> {
        let (200, body) = self.agent.as_ref()?.request("GET /status", "").ok()? else { return None };
        serde_json::from_str(&body).ok()
    }
}

/// What a panic said.
fn said(cause: &(dyn Any + Send)) -> String {
    let text = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}

/// The names of all findings.
pub(crate) fn codes(status: &Value) -> Vec<&str> {
    status["findings"]
        .as_array()
        .map(|findings| findings.iter().filter_map(|finding| finding["code"].as_str()).collect())
        .unwrap_or_default()
}

/// Reloads of http since then, where Asterisk is still the same.
fn manager_reloads(manager: &mut Manager, mark: usize) -> Option<usize> {
    let reloads = manager.reloads(mark).ok()?;
    Some(reloads.iter().filter(|module| module.contains("http") || *module == "All").count())
}

pub(crate) const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "pbx.example.com"];
/// For what must happen, on a busy machine too.
pub(crate) const SOON: Duration = Duration::from_secs(30);
/// For a name: what no event tells of is seen by the next rescan, thirty seconds later.
const NAMED: Duration = Duration::from_secs(45);
/// Why there is no way back.
const CRASHED: &str = "Asterisk crashed";
/// For the way back: the longest wait between two tries of the agent is a minute.
const RECOVERY: Duration = Duration::from_secs(90);
/// How long a reload may keep the door from a client on a busy machine.
const REBIND: Duration = Duration::from_millis(400);
