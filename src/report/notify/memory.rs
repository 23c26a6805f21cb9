//! What one receiver was told, and what is new since. Pure: the time enters with each look.
//!
//! A thing is told once it has lasted a moment, and "resolved" is told once it has been gone a moment. Both moments are short for the files, which
//! people change on purpose, and longer for what can flap by itself; and each time that the same thing comes again within the hour, its going is
//! believed half as fast.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::{
    super::Status,
    News, Scene, State, Topic,
    wrong::{Wrong, is_continued, is_hidden, wrong},
};
use crate::{
    clock::{Now, Tick},
    diagnosis::{Finding, Group, Severity},
};

/// What one receiver was told.
#[derive(Debug)]
pub struct Memory {
    minimum: Severity,
    receiver: String,
    began: Tick,
    /// The door was open once.
    reached: bool,
    proved: u64,
    known: BTreeMap<String, Known>,
}

#[derive(Debug)]
struct Known {
    topic: Topic,
    severity: Severity,
    finding: Option<Finding>,
    /// First seen, this time.
    seen: Tick,
    since: Timestamp,
    gone: Option<Tick>,
    told: bool,
    /// When it was told, in the last hour.
    past: Vec<Tick>,
}

impl Memory {
    /// Of a receiver that is told what is at least so severe.
    pub fn new(receiver: &str, minimum: Severity, now: Now) -> Self {
        Memory { minimum, receiver: receiver.to_owned(), began: now.tick, reached: false, proved: 0, known: BTreeMap::new() }
    }

    /// What is new at `now`.
    pub fn look(&mut self, status: &Status, now: Now) -> Vec<News> {
        // An agent that goes away knows nothing new.
        if status.phase == "Stopping" {
            return Vec::new();
        }
        let mut news = Vec::new();
        let scene = Scene::of(status);
        self.reached |= status.ready.ok;
        if std::mem::replace(&mut self.proved, status.counts.proved) < status.counts.proved && self.minimum == Severity::Info {
            news.push(proved(status, &scene));
        }
        let settled = self.reached || now.tick - self.began >= STARTING;
        let wrong = wrong(status, self.minimum, settled, &self.receiver);
        for (key, known) in &mut self.known {
            if known.told && is_hidden(key, known.topic, status) {
                known.gone = None;
            } else if !wrong.iter().any(|wrong| wrong.key == *key) {
                known.gone.get_or_insert(now.tick);
                let continued = is_continued(key, known.topic, &wrong);
                if known.told && (continued || known.is_over(now.tick)) {
                    known.told = false;
                    news.push(known.news(key, State::Resolved, continued, status.at, &scene));
                }
            }
        }
        for wrong in wrong {
            self.take(wrong, status, &scene, now, &mut news);
        }
        self.known.retain(|_, known| {
            known.past.retain(|told| now.tick - *told < HOUR);
            let forgotten = known.gone.is_some_and(|gone| now.tick - gone >= UNTOLD) && known.past.is_empty();
            known.told || !forgotten
        });
        news
    }

    fn take(&mut self, wrong: Wrong, status: &Status, scene: &Scene, now: Now, news: &mut Vec<News>) {
        let Wrong { key, topic, severity, finding } = wrong;
        if self.known.len() >= MOST && !self.known.contains_key(&key) {
            return;
        }
        let fresh = Known { topic, severity, finding: None, seen: now.tick, since: status.at, gone: None, told: false, past: Vec::new() };
        let known = self.known.entry(key.clone()).or_insert(fresh);
        let was_away = known.gone.take().is_some_and(|gone| now.tick - gone >= UNTOLD);
        if !known.told && was_away {
            (known.seen, known.since) = (now.tick, status.at);
        }
        known.finding = finding;
        let former = std::mem::replace(&mut known.severity, severity);
        if !known.told && now.tick - known.seen >= known.firm() {
            known.told = true;
            known.past.push(now.tick);
            news.push(known.news(&key, State::Firing, false, status.at, scene));
        } else if known.told && former != severity {
            news.push(News { severity: former, ..known.news(&key, State::Resolved, true, status.at, scene) });
            news.push(known.news(&key, State::Firing, severity < former, status.at, scene));
        }
    }

    /// When there may be news though no new status comes.
    pub fn next(&self, now: Tick) -> Option<Tick> {
        let due = self.known.values().filter_map(|known| match (known.told, known.gone) {
            (true, Some(gone)) => Some(gone + known.quiet()),
            (false, None) => Some(known.seen + known.firm()),
            (true, None) | (false, Some(_)) => None,
        });
        due.chain((!self.reached).then_some(self.began + STARTING)).filter(|due| *due > now).min()
    }

    /// All that was told and is so still, for those who want to be told again and again.
    pub fn firing(&self, status: &Status) -> Vec<News> {
        let scene = Scene::of(status);
        let firing = self.known.iter().filter(|(_, known)| known.told);
        firing.map(|(key, known)| known.news(key, State::Firing, false, status.at, &scene)).collect()
    }
}

impl Known {
    fn news(&self, key: &str, state: State, silent: bool, at: Timestamp, scene: &Scene) -> News {
        News {
            key: key.to_owned(),
            topic: self.topic,
            state,
            severity: self.severity,
            since: self.since,
            at,
            finding: self.finding.clone(),
            silent,
            scene: scene.clone(),
        }
    }

    fn is_of_files(&self) -> bool {
        match self.topic {
            Topic::Found(code) => code.group() == Group::Pair,
            Topic::NotReady | Topic::RotationProved | Topic::Test => false,
        }
    }

    /// How long it must last.
    fn firm(&self) -> Duration {
        // A pair that is written in two steps is whole after two.
        if self.is_of_files() { Duration::from_secs(3) } else { Duration::from_secs(5) }
    }

    /// How long it must be gone.
    fn quiet(&self) -> Duration {
        let first = if self.is_of_files() { Duration::from_secs(2) } else { Duration::from_secs(15) };
        let again = u32::try_from(self.past.len().saturating_sub(1)).unwrap_or(u32::MAX).min(12);
        (first * 2_u32.pow(again)).min(HOUR)
    }

    fn is_over(&self, now: Tick) -> bool {
        self.gone.is_some_and(|gone| now - gone >= self.quiet())
    }
}

fn proved(status: &Status, scene: &Scene) -> News {
    let print = scene.served.as_ref().map(|served| served.fingerprint_sha256.as_str()).unwrap_or_default();
    News {
        key: format!("{}/{print}", Topic::RotationProved.name()),
        topic: Topic::RotationProved,
        state: State::Notice,
        severity: Severity::Info,
        since: status.last_rotation.map_or(status.at, |last| last.at),
        at: status.at,
        finding: None,
        silent: false,
        scene: scene.clone(),
    }
}

/// Agent and Asterisk start together, and one of them is first.
const STARTING: Duration = Duration::from_secs(60);
/// What went before it was told, and comes again within this, was never away.
const UNTOLD: Duration = Duration::from_secs(10);
const HOUR: Duration = Duration::from_secs(60 * 60);
/// Things that are remembered; far more than can be wrong at once.
const MOST: usize = 256;
