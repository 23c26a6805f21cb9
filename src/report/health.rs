//! `State` → whether Asterisk may start, is ready, and whether a restart of it would help. Pure. The last two speak from the proof alone: a rejected new
//! certificate never unreadies a door that is open.

use serde::Serialize;

use crate::{
    clock::Now,
    diagnosis::Severity,
    proof::Door,
    settings::{LivenessPolicy, LivenessSettings, ReadinessSettings},
    state::State,
};

/// The answer of a health endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Passes.
    pub ok: bool,
    /// What it was made of.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at: `wss-upgrade`.
    pub name: &'static str,
    /// Passes.
    pub ok: bool,
    /// Why not: codes of findings, or a word of our own.
    pub reasons: Vec<&'static str>,
}

impl Check {
    fn passed(name: &'static str) -> Self {
        Check { name, ok: true, reasons: Vec::new() }
    }

    fn failed(name: &'static str, reasons: Vec<&'static str>) -> Self {
        Check { name, ok: false, reasons }
    }
}

impl Verdict {
    /// The verdict of these checks: all must pass.
    pub fn of(checks: Vec<Check>) -> Self {
        Verdict { ok: checks.iter().all(|check| check.ok), checks }
    }

    /// The reasons of everything that does not pass.
    pub fn reasons(&self) -> impl Iterator<Item = &'static str> {
        self.checks.iter().flat_map(|check| check.reasons.iter().copied())
    }

    /// The same, failed for one more reason.
    #[must_use]
    pub fn failed_for(mut self, reason: &'static str) -> Self {
        self.ok = false;
        self.checks.push(Check::failed("proof-fresh", vec![reason]));
        self
    }
}

/// Whether Asterisk may start: in staged mode, once what it will read stands. Asks nothing of Asterisk, which may wait for this.
pub fn startup(state: &State, staged: bool, now: Now) -> Verdict {
    if !staged || state.good().is_some() {
        return Verdict::of(vec![Check::passed("pair-published")]);
    }
    let refused = state.publish_failure().into_iter().chain(state.rejected(now).into_iter().flat_map(|rejected| rejected.findings()));
    let mut reasons: Vec<_> = refused.filter(|finding| finding.severity == Severity::Error).map(|finding| finding.code.name()).collect();
    if reasons.is_empty() {
        reasons.push("not-published-yet");
    }
    Verdict::of(vec![Check::failed("pair-published", reasons)])
}

/// Whether browsers can connect.
pub fn readiness(state: &State, settings: ReadinessSettings) -> Verdict {
    let upgrade = match state.door() {
        None => Check::failed("wss-upgrade", vec!["not-proved-yet"]),
        Some(door) if door.door == Door::Open => Check::passed("wss-upgrade"),
        Some(door) => Check::failed("wss-upgrade", errors(&door.findings)),
    };
    let mut checks = vec![upgrade];
    if settings.require_trusted {
        checks.push(match state.door() {
            Some(door) if door.served.as_ref().is_some_and(|served| served.acceptable) => Check::passed("wss-trusted"),
            Some(door) => Check::failed("wss-trusted", errors(&door.findings)),
            None => Check::failed("wss-trusted", vec!["not-proved-yet"]),
        });
    }
    Verdict::of(checks)
}

/// Whether a restart of Asterisk would *not* help.
pub fn liveness(state: &State, settings: LivenessSettings, started: Now, now: Now) -> Verdict {
    let shut_since = match state.door() {
        Some(door) if door.door == Door::Open => None,
        Some(_) => state.door_since(),
        None => Some(started),
    };
    let lasting = |since: Now| now.tick - since.tick >= settings.after;
    let checks = match settings.policy {
        LivenessPolicy::Never => vec![Check::passed("policy-never")],
        LivenessPolicy::Strict => vec![match shut_since.filter(|since| lasting(*since)) {
            Some(_) => Check::failed("wss-upgrade", errors(state.door().map(|door| door.findings.as_slice()).unwrap_or_default())),
            None => Check::passed("wss-upgrade"),
        }],
        LivenessPolicy::RestartHelps => {
            let dark = state.door().is_some_and(|door| door.door.is_dead()) && state.ami().is_up();
            let hopeless = dark && state.gave_up() && state.door_since().is_some_and(lasting);
            let silent = state.door().is_none_or(|door| matches!(door.door, Door::Refused | Door::Unreachable));
            let dead = silent && shut_since.is_some_and(lasting) && state.ami().down_since().is_some_and(lasting);
            vec![
                if hopeless { Check::failed("listener-healable", vec!["listener-wedged"]) } else { Check::passed("listener-healable") },
                if dead { Check::failed("asterisk-answers", vec!["ami-and-wss-dead"]) } else { Check::passed("asterisk-answers") },
            ]
        }
    };
    Verdict::of(checks)
}

/// The names of what is an error; a failed check is never without a reason.
fn errors(findings: &[crate::diagnosis::Finding]) -> Vec<&'static str> {
    let names: Vec<_> = findings.iter().filter(|finding| finding.severity == Severity::Error).map(|finding| finding.code.name()).collect();
    if names.is_empty() { vec!["not-accepted"] } else { names }
}
