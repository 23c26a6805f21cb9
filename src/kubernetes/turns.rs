//! What stands on the Lease, who was seen alive, and who asks → what is to be written there, or waited for. Pure. One pod takes a new
//! generation first; the others follow once it is proved, a few at a time, and stop where it was not. A pod that gives no sign of life
//! for the Lease's time is no longer waited for: judged by the reader's own clock, so that no two clocks need agree.

use std::time::Duration;

use crate::clock::Tick;

/// How long a pod that gives no sign of life is waited for.
pub(super) const LEASE: Duration = Duration::from_secs(15);

/// What stands on the Lease.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// The generation that is being rolled out.
    pub(super) generation: String,
    /// How far it is.
    pub(super) outcome: Outcome,
    /// Who took it first, or on whom it failed.
    pub(super) by: String,
    /// Why it failed: a code.
    pub(super) found: String,
    /// Who rotates just now.
    pub(super) turns: Vec<Taken>,
    /// The generations before, the newest first.
    pub(super) former: Vec<(String, Outcome)>,
    /// The last generation that was rejected and reported, and by whom.
    pub(super) rejected: Option<(String, String)>,
}

/// How far a generation is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Taken by the first, not yet proved.
    #[default]
    Open,
    /// Seen on the wire by somebody.
    Proved,
    /// Taken, and not seen on the wire.
    Failed,
}

/// A pod that rotates, and its last sign of life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) pod: String,
    /// Any text that changes with each sign.
    pub(super) beat: String,
}

/// Who asks, for what, and what it allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker<'a> {
    pub(super) pod: &'a str,
    pub(super) generation: &'a str,
    pub(super) beat: &'a str,
    pub(super) parallelism: usize,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Write this; once it stands, the turn is the asker's.
    Take(Box<Record>),
    /// Somebody else is at it.
    Wait { by: String },
    /// It failed elsewhere.
    Stop { by: String, found: String },
}

/// How a turn ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Seen on the wire.
    Proved,
    /// Not seen on the wire; a code.
    Failed(String),
    /// Replaced by another generation, or the pod ends.
    Gone,
}

/// When each sign of life was first seen here.
#[derive(Clone, Debug, Default)]
pub(super) struct Lives(Vec<(Taken, Tick)>);

impl Lives {
    /// Takes in what stands there now.
    pub(super) fn look(&mut self, record: &Record, now: Tick) {
        let known = std::mem::take(&mut self.0);
        let since = |taken: &Taken| known.iter().find(|(seen, _)| seen == taken).map_or(now, |(_, since)| *since);
        self.0 = record.turns.iter().map(|taken| (taken.clone(), since(taken))).collect();
    }

    fn alive(&self, pod: &str, now: Tick) -> bool {
        self.0.iter().any(|(taken, since)| taken.pod == pod && now - *since < LEASE)
    }
}

/// Whether the asker may rotate.
pub(super) fn ask(record: Option<&Record>, lives: &Lives, asker: Asker<'_>, now: Tick) -> Step {
    let Some(record) = record.filter(|record| !record.generation.is_empty()) else {
        let rejected = record.and_then(|record| record.rejected.clone());
        return Step::Take(Box::new(first(&Record { rejected, ..Record::default() }, asker)));
    };
    let others: Vec<&Taken> = record.turns.iter().filter(|taken| taken.pod != asker.pod && lives.alive(&taken.pod, now)).collect();
    if record.generation == asker.generation {
        return match record.outcome {
            Outcome::Open if record.by != asker.pod && others.iter().any(|taken| taken.pod == record.by) => {
                Step::Wait { by: record.by.clone() }
            }
            Outcome::Open => Step::Take(Box::new(first(record, asker))),
            Outcome::Proved if others.len() < asker.parallelism.max(1) => Step::Take(Box::new(also(record, &others, asker))),
            Outcome::Proved => Step::Wait { by: others[0].pod.clone() },
            Outcome::Failed if record.by == asker.pod => Step::Take(Box::new(first(record, asker))),
            Outcome::Failed => Step::Stop { by: record.by.clone(), found: record.found.clone() },
        };
    }
    if let Some(other) = others.first() {
        return Step::Wait { by: other.pod.clone() };
    }
    // A pod whose volume lags may have put an older one in its place since.
    if record.former.iter().any(|(former, outcome)| former == asker.generation && *outcome == Outcome::Failed) {
        return Step::Stop { by: record.by.clone(), found: String::new() };
    }
    Step::Take(Box::new(first(record, asker)))
}

/// The record once a pod's turn is over; `None`: it has none there.
pub(super) fn end(record: &Record, asker: Asker<'_>, end: &End) -> Option<Record> {
    let mut next = record.clone();
    next.turns.retain(|taken| taken.pod != asker.pod);
    if record.generation == asker.generation {
        match end {
            End::Proved if record.outcome == Outcome::Open || record.by == asker.pod => {
                next.outcome = Outcome::Proved;
                next.found.clear();
            }
            End::Failed(found) => {
                next.outcome = Outcome::Failed;
                next.by = asker.pod.to_owned();
                next.found.clone_from(found);
            }
            End::Proved | End::Gone => {}
        }
    }
    (next != *record).then_some(next)
}

/// A sign of life; `None`: the turn was taken away meanwhile.
pub(super) fn beat(record: &Record, asker: Asker<'_>) -> Option<Record> {
    let mut next = record.clone();
    let own = next.turns.iter_mut().find(|taken| taken.pod == asker.pod)?;
    own.beat = asker.beat.to_owned();
    Some(next)
}

/// Whether this pod is the one that reports a rejected generation; the record that says so. `None`: somebody has.
pub(super) fn claim(record: Option<&Record>, pod: &str, rejected: &str) -> Option<Record> {
    let mut next = record.cloned().unwrap_or_default();
    if next.rejected.as_ref().is_some_and(|(generation, _)| generation == rejected) {
        return None;
    }
    next.rejected = Some((rejected.to_owned(), pod.to_owned()));
    Some(next)
}

fn first(record: &Record, asker: Asker<'_>) -> Record {
    let mut former = record.former.clone();
    former.retain(|(generation, _)| generation != asker.generation);
    if !record.generation.is_empty() && record.generation != asker.generation {
        former.retain(|(generation, _)| *generation != record.generation);
        former.insert(0, (record.generation.clone(), record.outcome));
    }
    former.truncate(FORMER);
    Record {
        generation: asker.generation.to_owned(),
        outcome: Outcome::Open,
        by: asker.pod.to_owned(),
        found: String::new(),
        turns: vec![own(asker)],
        former,
        rejected: record.rejected.clone(),
    }
}

fn also(record: &Record, others: &[&Taken], asker: Asker<'_>) -> Record {
    let turns = others.iter().map(|taken| (*taken).clone()).chain([own(asker)]).collect();
    Record { turns, ..record.clone() }
}

fn own(asker: Asker<'_>) -> Taken {
    Taken { pod: asker.pod.to_owned(), beat: asker.beat.to_owned() }
}

/// Generations that are remembered.
const FORMER: usize = 4;

#[cfg(test)]
mod tests;
