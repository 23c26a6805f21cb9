//! Inputs and the time → commands and the next deadline. Pure: it decides everything and touches nothing. What it refuses: a reload
//! while the newest files are bad, a reload for bytes that are served already, a reload while a probe is under way.

mod ami;
mod backoff;
mod beside;
mod door;
mod facts;
mod histogram;
mod history;
mod material;
mod phase;
mod read;
#[cfg(test)]
mod tests;
mod turn;
mod words;

pub use beside::{Beside, BesideMeans};
pub use facts::{AmiLink, Generation, HealMeans, Means, Outcome, Rejected, ReloadOutcome, Rotation, Tally, Timing};
pub use histogram::{Histogram, ProbeTimes, RotationTimes};
pub use history::{Ended, History, Probed};
pub use phase::Phase;
pub use turn::Turn;
pub use words::{Command, Input, Policy};

use std::{sync::Arc, time::Duration};

use backoff::Backoff;

use crate::{
    asterisk::reload::Reload,
    clock::{Now, Tick},
    diagnosis::Finding,
    proof::Observation,
};

/// Everything the agent knows, and what it is doing about it.
#[derive(Debug)]
pub struct State {
    policy: Policy,
    phase: Phase,
    since: Now,
    /// The newest good generation that Asterisk would read.
    good: Option<Generation>,
    /// Staged mode: a newer good generation, not yet published.
    candidate: Option<Generation>,
    /// Staged mode: what is being published just now. What is newer waits until that is over.
    publishing: Option<Generation>,
    /// Staged mode: what was published is no longer what stands there.
    damaged: bool,
    publish_failure: Option<Finding>,
    publish_retry: Backoff,
    publish_at: Tick,
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
    /// Modules whose `Event: Reload` is still to come from reloads of our own.
    echoes: Vec<&'static str>,
    /// The surfaces beside the door that browsers use.
    beside: Vec<Beside>,
    /// The turn of the newest generation among the replicas.
    asked: Option<turn::Asked>,
    reload_failure: Option<Finding>,
    rotation: Option<Rotation>,
    tally: Tally,
    history: History,
    stopping: bool,
}

/// What is under way. A probe and a reload never are at the same time: a reload under a handshake can crash Asterisk.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Busy {
    Publishing,
    Probing,
    Looking,
    ReloadingBeside { reloads: Vec<Reload> },
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
        let mut state = State {
            quick: Backoff::new(QUICK, policy.probe_interval, policy.seed),
            retry: Backoff::new(RETRY, RETRY_CAP, policy.seed),
            publish_retry: Backoff::new(RETRY, RETRY_CAP, policy.seed),
            policy,
            phase: Phase::AwaitingMaterial,
            since: now,
            good: None,
            candidate: None,
            publishing: None,
            damaged: false,
            publish_failure: None,
            publish_at: now.tick,
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
            echoes: Vec::new(),
            beside: Vec::new(),
            asked: None,
            reload_failure: None,
            rotation: None,
            tally: Tally::default(),
            history: History::default(),
            stopping: false,
        };
        state.settle_beside(now);
        state
    }

    /// Takes one input in and says what is to be done.
    pub fn step(&mut self, input: Input, now: Now) -> Vec<Command> {
        let was_stopping = self.stopping;
        let mut commands = self.take(input, now);
        if self.stopping {
            commands = if was_stopping { Vec::new() } else { vec![Command::Exit] };
        } else {
            self.settle_rejection(now);
            commands.extend(self.ask_turn());
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
        let publish = (self.busy.is_none() && self.to_publish().is_some()).then_some(self.publish_at);
        let beside = self.busy.is_none().then(|| self.beside_deadline()).flatten();
        [naming, probe, retry, publish, beside].into_iter().flatten().min()
    }

    fn take(&mut self, input: Input, now: Now) -> Vec<Command> {
        match input {
            Input::Material { judgement, noticed, check } => match *judgement {
                Ok(bundle) => self.take_good(bundle, noticed, check, now),
                Err(rejection) => self.take_bad(rejection, now),
            },
            Input::Kept(bundle) => self.take_kept(*bundle, now),
            Input::Published(outcome) => self.take_published(outcome, now),
            Input::PublishedDamaged => self.damaged = self.policy.staged,
            Input::Config(means) => {
                if means != self.means {
                    self.means = means;
                    self.settle_beside(now);
                    self.begin_anew(now);
                }
            }
            Input::Ami(event) => self.take_ami(event, now),
            Input::Observed(observation) => self.take_observation(*observation, now),
            Input::Looked(surface, observation) => self.take_look(&surface, *observation, now),
            Input::Reloaded(outcome) => self.take_reload(outcome, now),
            Input::Turn { generation, turn } => self.take_turn(generation, turn, now),
            Input::LookAgain => {
                self.begin_anew(now);
                return vec![Command::Rescan, Command::ReadConfig];
            }
            Input::Deadline => {}
            Input::Stop => self.stopping = true,
        }
        Vec::new()
    }

    /// Whether what Asterisk would read now is a good generation.
    fn files_are_good(&self) -> bool {
        self.good.is_some() && (self.policy.staged || self.bad.is_none())
    }

    fn next_work(&mut self, now: Now) -> Option<Command> {
        if self.busy.is_some() {
            return None;
        }
        if let Some(generation) = self.to_publish().filter(|_| now.tick >= self.publish_at).cloned() {
            let snapshot = Arc::clone(&generation.bundle.snapshot);
            self.publishing = Some(generation);
            self.busy = Some(Busy::Publishing);
            return Some(Command::Publish(snapshot));
        }
        if self.look || now.tick >= self.next_probe {
            self.look = false;
            self.busy = Some(Busy::Probing);
            return Some(Command::Probe);
        }
        if !self.reload_wanted() {
            return self.beside_work(now);
        }
        if !self.ami.is_up() || now.tick < self.retry_at {
            return None;
        }
        let healing = self.door().is_some_and(|door| door.door.is_dead());
        let touch = match &self.means.heal {
            HealMeans::Stamp(stamp) if healing => Some(stamp.clone()),
            HealMeans::Stamp(_) | HealMeans::AbsentInclude | HealMeans::None(_) | HealMeans::Unknown => None,
        };
        let snapshot = Arc::clone(&self.good.as_ref()?.bundle.snapshot);
        self.busy = Some(Busy::Reloading { healing, begun: now.tick });
        let reloads = if healing { vec![Reload::HTTP] } else { self.means.reloads.clone() };
        self.expect_echoes(&reloads);
        Some(Command::Reload { snapshot, reloads, touch })
    }

    fn begin_anew(&mut self, now: Now) {
        self.look = true;
        self.look_beside(now);
        self.begin_retries_anew(now);
    }

    fn begin_retries_anew(&mut self, now: Now) {
        self.begin_beside_anew(now);
        self.publish_retry.reset();
        self.publish_at = now.tick;
        self.retry.reset();
        self.quick.reset();
        self.retry_at = now.tick;
        self.unproved = 0;
    }
}

/// An open door that is seen shut is looked at again after this long: Asterisk's own reload closes it for 1 to 4 ms.
const CONFIRM: Duration = Duration::from_millis(100);
/// The first of the quick looks while something is amiss; they slow down to the probe interval.
const QUICK: Duration = Duration::from_millis(250);
/// Between a reload that changed nothing and the next.
const RETRY: Duration = Duration::from_secs(1);
const RETRY_CAP: Duration = Duration::from_secs(60);
/// Reloads for one generation that Asterisk says it did and the wire does not show.
const TRIES: u32 = 4;
