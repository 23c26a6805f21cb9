//! Steps and findings, in the order in which they come → a [`Notebook`]. Whoever watches is told of each step as it begins and ends.

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::BrowserWould;
use crate::{
    bundle::Fingerprint,
    clock::{self, Tick},
    diagnosis::{Code, Evidence, Finding, Lang, Severity, Value},
    proof::Door,
};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// `dns`, `tls`, `modules`: kebab-case, the same in every language.
    pub name: &'static str,
    /// How it went.
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    #[serde(rename = "millis", serialize_with = "millis")]
    pub took: Duration,
    /// What was seen, good or bad.
    pub evidence: Evidence,
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// It will break later, or breaks for some.
    Warning,
    /// Something is wrong.
    Failed,
    /// Not looked at; the evidence or [`Unchecked`] says why.
    Skipped,
}

/// Something that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unchecked {
    /// What it is, as a step's name: `modules`.
    pub what: &'static str,
    /// What it would need: `an AMI user with class command`.
    pub needs: Needs,
}

/// What something would need, for people; JSON tells it in English.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    english: String,
    portuguese: String,
}

impl Needs {
    /// In the language of who reads.
    pub fn text(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.english,
            Lang::PtBr => &self.portuguese,
        }
    }
}

/// English, Brazilian Portuguese.
impl<E: Into<String>, P: Into<String>> From<(E, P)> for Needs {
    fn from((english, portuguese): (E, P)) -> Self {
        Needs { english: english.into(), portuguese: portuguese.into() }
    }
}

/// The same in every language: an option, a file.
impl From<&str> for Needs {
    fn from(text: &str) -> Self {
        (text, text).into()
    }
}

/// The same in every language: an option, a file.
impl From<String> for Needs {
    fn from(text: String) -> Self {
        (text.clone(), text).into()
    }
}

impl Serialize for Needs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.english)
    }
}

/// Is told how it goes on: a terminal that shows a spinner, or nobody.
pub trait Listener {
    /// A step begins.
    fn begins(&mut self, name: &'static str);
    /// It has ended.
    fn ends(&mut self, step: &Step);
}

/// Nobody watches.
impl Listener for () {
    fn begins(&mut self, _: &'static str) {}
    fn ends(&mut self, _: &Step) {}
}

/// What stood at the address that a browser would take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Met {
    pub(super) door: Door,
    /// Of the leaf that is served, where one can be parsed.
    pub(super) leaf: Option<Fingerprint>,
}

/// All that was seen so far.
pub struct Notebook<'l> {
    pub(super) steps: Vec<Step>,
    pub(super) findings: Vec<Finding>,
    pub(super) unchecked: Vec<Unchecked>,
    pub(super) seen: Option<BrowserWould>,
    pub(super) met: Option<Met>,
    listener: &'l mut dyn Listener,
}

/// A step that has begun.
#[must_use = "a step that is not ended is not written down"]
pub struct Running {
    name: &'static str,
    since: Tick,
    lasted: Option<Duration>,
    findings: usize,
    evidence: Evidence,
}

impl Running {
    /// One more thing seen in this step.
    pub fn note(&mut self, key: &'static str, value: impl Into<Value>) {
        self.evidence.0.push((key.into(), value.into()));
    }

    /// It took this long, whatever is done besides until its end.
    pub fn lasted(&mut self, took: Duration) {
        self.lasted = Some(took);
    }
}

impl<'l> Notebook<'l> {
    /// An empty one.
    pub fn new(listener: &'l mut dyn Listener) -> Self {
        Notebook { steps: Vec::new(), findings: Vec::new(), unchecked: Vec::new(), seen: None, met: None, listener }
    }

    /// A step begins. Findings until its end are its own.
    pub fn begin(&mut self, name: &'static str) -> Running {
        self.listener.begins(name);
        Running { name, since: clock::tick(), lasted: None, findings: self.findings.len(), evidence: Evidence::default() }
    }

    /// It ends as its findings say: the worst of them is its outcome.
    pub fn end(&mut self, running: Running) {
        let worst = self.findings.get(running.findings..).unwrap_or_default().iter().map(|finding| finding.severity).max();
        let outcome = match worst {
            Some(Severity::Error) => Outcome::Failed,
            Some(Severity::Warning) => Outcome::Warning,
            Some(Severity::Info) | None => Outcome::Ok,
        };
        self.write(running, outcome);
    }

    /// It could not be done; what it would need is told at the end.
    pub fn skip(&mut self, running: Running, needs: impl Into<Needs>) {
        self.unchecked.push(Unchecked { what: running.name, needs: needs.into() });
        self.write(running, Outcome::Skipped);
    }

    fn write(&mut self, running: Running, outcome: Outcome) {
        let took = running.lasted.unwrap_or_else(|| clock::tick() - running.since);
        let step = Step { name: running.name, outcome, took, evidence: running.evidence };
        self.listener.ends(&step);
        self.steps.push(step);
    }

    /// Something that has no step of its own could not be looked at.
    pub fn lacks(&mut self, what: &'static str, needs: impl Into<Needs>) {
        self.unchecked.push(Unchecked { what, needs: needs.into() });
    }

    /// Something is wrong. The very same finding is kept once.
    pub fn find(&mut self, finding: Finding) {
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// More is known by now of what was found.
    pub fn learn(&mut self, code: Code, key: &'static str, value: impl Into<Value>) {
        let value = value.into();
        for finding in self.findings.iter_mut().filter(|finding| finding.code == code) {
            finding.evidence.0.push((key.into(), value.clone()));
        }
    }

    /// What was found so far.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What the wire itself showed a browser would meet: stands above all that configuration lets one expect. What is worse stays.
    pub fn saw(&mut self, would: BrowserWould) {
        self.seen = Some(self.seen.map_or(would, |seen| seen.max(would)));
    }
}

fn millis<S: Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((took.as_secs_f64() * 1e6).round() / 1e3)
}
