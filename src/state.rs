//! Inputs and the time → commands and the next deadline. Pure: it decides everything and touches nothing. What it refuses: a reload
//! while the newest files are bad, a reload for bytes that are served already, a reload while a probe is under way.

mod backoff;
mod facts;
mod phase;
#[cfg(test)]
mod tests;

pub use facts::{AmiLink, Generation, HealMeans, Means, Outcome, Rejected, ReloadOutcome, Rotation, Tally, Timing};
pub use phase::Phase;

use std::{path::PathBuf, sync::Arc, time::Duration};

use backoff::Backoff;

use crate::{
    asterisk::ami::{AmiEvent, ReloadStatus, Reloaded},
    bundle::{Bundle, Judgement, Rejection},
    clock::{Now, Tick},
    diagnosis::{Code, Finding},
    material::Snapshot,
    proof::{Door, Observation},
};

/// How patient the agent is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Between two probes while all is well.
    pub probe_interval: Duration,
    /// How long a bad generation may be just half-written before it is named.
    pub grace: Duration,
    /// Spreads the retries of several agents apart. Any number.
    pub seed: u64,
}

/// What has come to pass.
#[derive(Clone, Debug)]
pub enum Input {
    /// A generation of the files was read and judged.
    Material {
        /// What came of it.
        judgement: Box<Judgement>,
        /// When its first change was noticed.
        noticed: Tick,
        /// How long judging took.
        check: Duration,
    },
    /// Asterisk's own files were read (again).
    Config(Means),
    /// AMI told something.
    Ami(AmiEvent),
    /// A probe is over.
    Observed(Box<Observation>),
    /// A reload is over.
    Reloaded(ReloadOutcome),
    /// Somebody asks to look at everything again, now.
    LookAgain,
    /// The deadline that was asked for has come.
    Deadline,
    /// The process is asked to end.
    Stop,
}

/// What is to be done. At most one of `Probe` and `Reload` is under way at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Try the door; answer with [`Input::Observed`].
    Probe,
    /// Have Asterisk reload, if the files still are this generation; answer with [`Input::Reloaded`].
    Reload {
        /// The generation that was judged good.
        snapshot: Arc<Snapshot>,
        /// What to reload, in this order: `http`, `res_pjsip.so`.
        modules: Vec<String>,
        /// A file that http.conf includes, to touch first.
        touch: Option<PathBuf>,
    },
    /// Read the files again, now.
    Rescan,
    /// Read Asterisk's own files again; answer with [`Input::Config`].
    ReadConfig,
    /// Drain and end.
    Exit,
}

/// Everything the agent knows, and what it is doing about it.
#[derive(Debug)]
pub struct State {
    policy: Policy,
    phase: Phase,
    since: Now,
    /// The newest generation that Asterisk would load.
    good: Option<Generation>,
    /// The newest generation, where it is one that Asterisk must not load.
    bad: Option<Rejected>,
    means: Means,
    ami: AmiLink,
    /// The last observation that is believed, and since when the door has been so.
    door: Option<(Observation, Now)>,
    looked: Option<Tick>,
    /// An open door was seen shut, once: it is looked at again before that is believed.
    doubted: bool,
    /// Something happened after which only a fresh look counts.
    look: bool,
    next_probe: Tick,
    quick: Backoff,
    busy: Option<Busy>,
    /// A reload was done, and the wire has not yet shown what came of it.
    proving: Option<Proving>,
    retry: Backoff,
    retry_at: Tick,
    /// Reloads that Asterisk says it did, after which the wire still showed something else.
    unproved: u32,
    /// `Event: Reload` of our own is still to come.
    echo: bool,
    reload_failure: Option<Finding>,
    rotation: Option<Rotation>,
    tally: Tally,
    stopping: bool,
}

/// What is under way. A probe and a reload never are at the same time: a reload under a handshake can crash Asterisk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Busy {
    Probing,
    Reloading { healing: bool, begun: Tick },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Proving {
    healing: bool,
    /// Asterisk says that it has done it, rather than that it will.
    done: bool,
}

impl State {
    /// Knows nothing yet, and wants to look.
    pub fn new(policy: Policy, means: Means, now: Now) -> Self {
        State {
            quick: Backoff::new(QUICK, policy.probe_interval, policy.seed),
            retry: Backoff::new(RETRY, RETRY_CAP, policy.seed),
            policy,
            phase: Phase::AwaitingMaterial,
            since: now,
            good: None,
            bad: None,
            means,
            ami: AmiLink::Down { finding: None, since: now },
            door: None,
            looked: None,
            doubted: false,
            look: true,
            next_probe: now.tick,
            busy: None,
            proving: None,
            retry_at: now.tick,
            unproved: 0,
            echo: false,
            reload_failure: None,
            rotation: None,
            tally: Tally::default(),
            stopping: false,
        }
    }

    /// Takes one input in and says what is to be done.
    pub fn step(&mut self, input: Input, now: Now) -> Vec<Command> {
        let was_stopping = self.stopping;
        let mut commands = self.take(input, now);
        if self.stopping {
            commands = if was_stopping { Vec::new() } else { vec![Command::Exit] };
        } else {
            self.settle_rejection(now);
            commands.extend(self.next_work(now));
        }
        let phase = Phase::of(self, now);
        if phase != self.phase {
            self.since = now;
            self.phase = phase;
        }
        commands
    }

    /// When [`Input::Deadline`] is wanted, if nothing else comes before.
    pub fn deadline(&self, now: Now) -> Option<Tick> {
        if self.stopping {
            return None;
        }
        let naming = self.bad.as_ref().map(|bad| bad.named_from).filter(|tick| *tick > now.tick);
        let probe = self.busy.is_none().then_some(self.next_probe);
        let retry = (self.busy.is_none() && self.reload_wanted() && self.ami.is_up()).then_some(self.retry_at);
        [naming, probe, retry].into_iter().flatten().min()
    }

    fn take(&mut self, input: Input, now: Now) -> Vec<Command> {
        match input {
            Input::Material { judgement, noticed, check } => match *judgement {
                Ok(bundle) => self.take_good(bundle, noticed, check, now),
                Err(rejection) => self.take_bad(rejection, now),
            },
            Input::Config(means) => {
                if means != self.means {
                    self.means = means;
                    self.begin_anew(now);
                }
            }
            Input::Ami(event) => self.take_ami(event, now),
            Input::Observed(observation) => self.take_observation(*observation, now),
            Input::Reloaded(outcome) => self.take_reload(outcome, now),
            Input::LookAgain => {
                self.begin_anew(now);
                return vec![Command::Rescan, Command::ReadConfig];
            }
            Input::Deadline => {}
            Input::Stop => self.stopping = true,
        }
        Vec::new()
    }

    fn take_good(&mut self, bundle: Bundle, noticed: Tick, check: Duration, now: Now) {
        self.bad = None;
        let bundle = Arc::new(bundle);
        if let Some(good) = self.good.as_mut().filter(|good| good.bundle.digest() == bundle.digest()) {
            // The same bytes, judged at another time: what is found may differ; it is no new generation.
            good.bundle = bundle;
            return;
        }
        if self.rotation.take().is_some_and(|rotation| rotation.reload.is_some()) {
            self.tally.rotated(Outcome::Unproved, None, now);
        }
        let first = self.good.is_none();
        self.rotation = Some(Rotation { first, noticed, taken: now.tick, check, reload: None });
        self.good = Some(Generation { bundle, since: now });
        self.begin_retries_anew(now);
    }

    fn take_bad(&mut self, rejection: Rejection, now: Now) {
        let named_from = self.bad.as_ref().map_or(now.tick + self.policy.grace, |bad| bad.named_from);
        let counted = self.bad.as_ref().is_some_and(|bad| bad.counted && bad.rejection.snapshot == rejection.snapshot);
        let torn = self.torn(&rejection);
        self.bad = Some(Rejected { rejection: Arc::new(rejection), since: now, named_from, counted, torn });
    }

    /// A mismatch of which one half is still the former one: the writer of the other half is slow, or forgot it.
    fn torn(&self, rejection: &Rejection) -> Option<Finding> {
        rejection.findings.iter().find(|finding| finding.code == Code::KeyMismatch)?;
        let (old, new) = (&self.good.as_ref()?.bundle.snapshot, &rejection.snapshot);
        let (changed, left) = match (old.cert.content == new.cert.content, old.key.content == new.key.content) {
            (false, true) => (&new.cert, &new.key),
            (true, false) => (&new.key, &new.cert),
            (true, true) | (false, false) => return None,
        };
        Some(
            Finding::new(Code::PairTorn)
                .with("file", left.path.as_path())
                .with("found", "unchanged")
                .with("expected", changed.path.as_path()),
        )
    }

    fn take_ami(&mut self, event: AmiEvent, now: Now) {
        match event {
            AmiEvent::Connected { version } => {
                self.ami = AmiLink::Up { version, booted: false, since: now };
                self.tally.ami_connects += 1;
                self.begin_anew(now);
            }
            AmiEvent::FullyBooted => {
                if let AmiLink::Up { booted, .. } = &mut self.ami {
                    *booted = true;
                }
                self.begin_anew(now);
            }
            AmiEvent::Reload { module, status } if module == HTTP => match status {
                // Somebody else's reload may have changed what is served: only a look tells.
                ReloadStatus::Done | ReloadStatus::Error | ReloadStatus::Unknown(_) => {
                    self.look |= !std::mem::take(&mut self.echo);
                }
                ReloadStatus::Queued
                | ReloadStatus::NotFound
                | ReloadStatus::InProgress
                | ReloadStatus::Uninitialized
                | ReloadStatus::NotImplemented => {}
            },
            AmiEvent::Reload { .. } => {}
            AmiEvent::Disconnected(finding) => {
                self.look |= self.ami.is_up();
                self.echo = false;
                self.ami = AmiLink::Down { finding: Some(finding), since: self.ami.down_since().unwrap_or(now) };
            }
        }
    }

    fn take_observation(&mut self, observation: Observation, now: Now) {
        self.busy = None;
        self.looked = Some(now.tick);
        self.tally.probed(observation.door);
        let open = observation.door == Door::Open;
        let expected_open = self.proving.is_some() || self.door().is_some_and(|door| door.door == Door::Open);
        if !open && expected_open && !std::mem::replace(&mut self.doubted, true) {
            self.next_probe = now.tick + CONFIRM;
            return;
        }
        self.doubted = false;
        let since = self.door.take().filter(|(door, _)| door.door == observation.door).map_or(now, |(_, since)| since);
        self.door = Some((observation, since));
        let proved = open && self.served_is_wanted();
        if let Some(Proving { healing, done: true }) = self.proving.take() {
            if healing {
                self.tally.healed(open);
            }
            if !proved {
                self.unproved += 1;
                self.retry_at = now.tick + self.retry.next();
            }
        }
        if proved {
            self.reload_failure = None;
            self.unproved = 0;
            self.retry.reset();
            self.finish_rotation(now);
        }
        self.next_probe = now.tick
            + if open && !self.reload_wanted() {
                self.quick.reset();
                self.policy.probe_interval
            } else {
                self.quick.next()
            };
    }

    fn take_reload(&mut self, outcome: ReloadOutcome, now: Now) {
        let Some(Busy::Reloading { healing, begun }) = self.busy.take() else { return };
        match outcome {
            ReloadOutcome::Answered(Reloaded::Done) => {
                self.reload_failure = None;
                self.look = true;
                self.proving = Some(Proving { healing, done: true });
                if let Some(rotation) = &mut self.rotation {
                    rotation.reload = Some((begun, now.tick));
                }
            }
            ReloadOutcome::Answered(Reloaded::Queued) => {
                self.reload_failure = Some(Finding::new(Code::AmiBooting).with("module", HTTP));
                self.look = true;
                self.proving = Some(Proving { healing, done: false });
                self.retry_at = now.tick + self.retry.next();
            }
            ReloadOutcome::Failed(finding) => {
                self.reload_failure = Some(finding);
                self.look = true;
                self.retry_at = now.tick + self.retry.next();
            }
            // Nothing was sent: the generation that is there now is on its way to us.
            ReloadOutcome::FilesMoved => self.retry_at = now.tick + self.retry.next(),
        }
    }

    /// A generation that stays bad, or is worse than what is served, is counted as rejected once.
    fn settle_rejection(&mut self, now: Now) {
        if let Some(bad) = self.bad.as_mut().filter(|bad| !bad.counted && now.tick >= bad.named_from) {
            bad.counted = true;
            self.tally.rotated(Outcome::Rejected, None, now);
        }
        if self.bad.is_none() && self.is_worse() && self.rotation.take().is_some() {
            self.tally.rotated(Outcome::Rejected, None, now);
        }
    }

    fn next_work(&mut self, now: Now) -> Option<Command> {
        if self.busy.is_some() {
            return None;
        }
        if self.look || now.tick >= self.next_probe {
            self.look = false;
            self.busy = Some(Busy::Probing);
            return Some(Command::Probe);
        }
        if !self.reload_wanted() || !self.ami.is_up() || now.tick < self.retry_at {
            return None;
        }
        let healing = self.door().is_some_and(|door| door.door.is_dead());
        let touch = match &self.means.heal {
            HealMeans::Stamp(stamp) if healing => Some(stamp.clone()),
            HealMeans::Stamp(_) | HealMeans::AbsentInclude | HealMeans::None(_) | HealMeans::Unknown => None,
        };
        let snapshot = Arc::clone(&self.good.as_ref()?.bundle.snapshot);
        self.busy = Some(Busy::Reloading { healing, begun: now.tick });
        self.echo = true;
        Some(Command::Reload { snapshot, modules: self.means.modules.clone(), touch })
    }

    /// Whether a reload is what is missing, if it can be had: never while the newest files are bad, never for bytes served already.
    fn reload_wanted(&self) -> bool {
        let (Some(_), None, Some(door), false) = (&self.good, &self.bad, self.door(), self.doubted || self.proving.is_some()) else {
            return false;
        };
        let tries = match door.door {
            Door::Open | Door::Shut if self.served_is_wanted() || self.is_worse() => 0,
            Door::Open | Door::Shut => TRIES,
            Door::Dark | Door::Cleartext => self.means.heal.tries(),
            // A pair that could not be loaded when Asterisk came up leaves the port unbound.
            Door::Refused if self.ami.is_booted() => self.means.heal.tries().min(2),
            Door::Refused | Door::Unreachable => 0,
        };
        !self.means.modules.is_empty() && self.unproved < tries
    }

    /// Whether leaf and chain on the wire are those of the newest good generation.
    fn served_is_wanted(&self) -> bool {
        match (&self.good, self.door().and_then(|door| door.served.as_ref())) {
            (Some(good), Some(served)) => good.bundle.chain == served.chain,
            (_, None) | (None, _) => false,
        }
    }

    /// Whether browsers would refuse the newest generation, and accept what is served now.
    fn is_worse(&self) -> bool {
        let refused = self.good.as_ref().is_some_and(|good| !good.bundle.refusals().is_empty());
        refused && !self.served_is_wanted() && self.door().and_then(|door| door.served.as_ref()).is_some_and(|served| served.acceptable)
    }

    fn finish_rotation(&mut self, now: Now) {
        let Some(rotation) = self.rotation.take() else { return };
        match rotation.reload {
            Some((begun, reloaded)) => self.tally.rotated(Outcome::Proved, Some(rotation.timing(begun, reloaded, now.tick)), now),
            None if rotation.first => {}
            None => self.tally.rotated(Outcome::AlreadyServed, None, now),
        }
    }

    fn begin_anew(&mut self, now: Now) {
        self.look = true;
        self.begin_retries_anew(now);
    }

    fn begin_retries_anew(&mut self, now: Now) {
        self.retry.reset();
        self.quick.reset();
        self.retry_at = now.tick;
        self.unproved = 0;
    }
}

/// What the outside reads.
impl State {
    /// What the agent is at.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Since when.
    pub fn since(&self) -> Now {
        self.since
    }

    /// The newest generation that Asterisk would load.
    pub fn good(&self) -> Option<&Generation> {
        self.good.as_ref()
    }

    /// The newest generation, where it is one that Asterisk must not load and has had its time to become whole.
    pub fn rejected(&self, now: Now) -> Option<&Rejected> {
        self.bad.as_ref().filter(|bad| now.tick >= bad.named_from || self.good.is_none())
    }

    /// The last observation that is believed.
    pub fn door(&self) -> Option<&Observation> {
        self.door.as_ref().map(|(door, _)| door)
    }

    /// Since when the door has been as it is.
    pub fn door_since(&self) -> Option<Now> {
        self.door.as_ref().map(|(_, since)| *since)
    }

    /// When the door was last looked at, seen as it is or not.
    pub fn looked(&self) -> Option<Tick> {
        self.looked
    }

    /// The connection to AMI.
    pub fn ami(&self) -> &AmiLink {
        &self.ami
    }

    /// What Asterisk's own files allow.
    pub fn means(&self) -> &Means {
        &self.means
    }

    /// Why the last reload was not done.
    pub fn reload_failure(&self) -> Option<&Finding> {
        self.reload_failure.as_ref()
    }

    /// What was counted since the start.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Whether leaf and chain on the wire are those of the newest good generation.
    pub fn matches(&self) -> bool {
        self.served_is_wanted()
    }

    /// Whether a reload was done, and the wire has not yet been looked at since.
    pub fn is_proving(&self) -> bool {
        self.proving.is_some()
    }

    /// Whether the newest good generation is held back because browsers would refuse it and accept what is served.
    pub fn held_back(&self) -> bool {
        self.bad.is_none() && self.is_worse()
    }

    /// Whether every reload that could help has been tried (or none can be).
    pub fn gave_up(&self) -> bool {
        self.good.is_some()
            && self.bad.is_none()
            && self.proving.is_none()
            && !self.served_is_wanted()
            && !self.is_worse()
            && !self.reload_wanted()
    }
}

/// The module behind /ws, as Asterisk names it in `Event: Reload`.
const HTTP: &str = "http";
/// An open door that is seen shut is looked at again after this long: Asterisk's own reload closes it for 1 to 4 ms.
const CONFIRM: Duration = Duration::from_millis(100);
/// The first of the quick looks while something is amiss; they slow down to the probe interval.
const QUICK: Duration = Duration::from_millis(250);
/// Between a reload that changed nothing and the next.
const RETRY: Duration = Duration::from_secs(1);
const RETRY_CAP: Duration = Duration::from_secs(60);
/// Reloads for one generation that Asterisk says it did and the wire does not show.
const TRIES: u32 = 4;
