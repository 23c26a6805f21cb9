//! One status after another → what is new in it and worth an Event: transitions, never states. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{
    diagnosis::{Code, Finding, Group, Lang, Severity},
    material::Digest,
    report::Status,
};

/// One Event to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct News {
    /// Why it is said, as the contract names it.
    pub(super) reason: &'static str,
    /// Something is wrong.
    pub(super) warning: bool,
    /// What a person reads: code, evidence, remedy.
    pub(super) note: String,
    /// A generation that all replicas reject, and one of them reports.
    pub(super) rejected: Option<Digest>,
    /// When it was seen.
    pub(super) at: Timestamp,
}

/// What was seen last.
#[derive(Debug, Default)]
pub(super) struct Seen {
    accepted: Option<String>,
    served: Option<String>,
    rejected: Option<Digest>,
    /// A generation that took the place of a rejected one: perhaps the first half of the repair.
    doubtful: Option<(Digest, Timestamp)>,
    expiring: Option<(String, Severity)>,
    wedged: bool,
    reached: bool,
    unreachable: bool,
    broken: BTreeSet<Code>,
}

impl Seen {
    /// What is new since.
    pub(super) fn look(&mut self, status: &Status) -> Vec<News> {
        let mut news = Vec::new();
        let mut say = |reason, warning, note: String, rejected| {
            news.push(News { reason, warning, note: short(note), rejected, at: status.at });
        };
        let find = |code: Code| status.findings.iter().find(|finding| finding.code == code);
        let rejected = status.rotation.rejected;
        let since = match (self.doubtful, rejected) {
            (Some((digest, since)), Some(rejected)) if digest == rejected => since,
            (Some(_) | None, Some(_) | None) => status.at,
        };
        let is_another = self.rejected.is_some() && rejected.is_some() && rejected != self.rejected;
        self.doubtful = rejected.filter(|_| is_another).map(|digest| (digest, since));
        let waits = is_another && status.at.duration_since(since).as_secs() < WHOLE;
        if rejected != self.rejected && !waits {
            self.rejected = rejected;
            if let Some(digest) = rejected {
                let why = status.findings.iter().find(|finding| finding.severity == Severity::Error).or(status.findings.first());
                say("CertificateRejected", true, why.map(told).unwrap_or_default(), Some(digest));
            }
        }
        if let Some(leaf) = status.files.leaf.as_ref().filter(|_| rejected.is_none()) {
            let print = leaf.fingerprint_sha256.to_string();
            if self.accepted.as_ref() != Some(&print) {
                say("CertificateAccepted", false, format!("{} until {}, SHA-256 {print}", leaf.subject, leaf.not_after), None);
                self.accepted = Some(print);
            }
        }
        let wss = status.surfaces.first();
        let open = wss.is_some_and(|wss| wss.door == Some("open"));
        if let Some((wss, leaf)) = wss.and_then(|wss| Some((wss, wss.served.as_ref()?))).filter(|(wss, _)| open && wss.matches_wanted) {
            let print = leaf.fingerprint_sha256.to_string();
            if self.served.as_ref() != Some(&print) {
                let path = wss.path.as_deref().unwrap_or_default();
                let note = format!("{} until {} at {}{path}, SHA-256 {print}", leaf.subject, leaf.not_after, wss.address);
                say("CertificateServed", false, note, None);
                self.served = Some(print);
            }
        }
        let expiring = find(Code::LeafExpiring);
        let leaf = status.files.leaf.as_ref().map(|leaf| leaf.fingerprint_sha256.to_string()).unwrap_or_default();
        match expiring.map(|finding| (leaf, finding.severity)) {
            Some(now) => {
                if self.expiring.as_ref().is_none_or(|(leaf, severity)| (leaf, *severity) < (&now.0, now.1) || *leaf != now.0) {
                    say("CertificateExpiring", true, expiring.map(told).unwrap_or_default(), None);
                }
                self.expiring = Some(now);
            }
            None => self.expiring = None,
        }
        match find(Code::ListenerWedged) {
            Some(finding) if !self.wedged => {
                self.wedged = true;
                say("ListenerWedged", true, told(finding), None);
            }
            None if self.wedged && open => {
                self.wedged = false;
                let address = wss.map(|wss| wss.address.as_str()).unwrap_or_default();
                say("ListenerHealed", false, format!("TLS and /ws answer again at {address}"), None);
            }
            Some(_) | None => {}
        }
        // What Asterisk's files say, however the wire looks just now: it is news once.
        let is_broken = |finding: &&Finding| finding.severity == Severity::Error && finding.code.group() == Group::Configuration;
        let broken: BTreeSet<Code> = status.findings.iter().filter(is_broken).map(|finding| finding.code).collect();
        for finding in broken.difference(&self.broken).filter_map(|code| find(*code)) {
            say("ConfigurationBroken", true, told(finding), None);
        }
        self.broken = broken;
        self.reached |= open;
        let unreachable = status.phase == "Unreachable";
        // While the pod starts, the agent may be there long before Asterisk.
        let is_news = self.reached || status.at.duration_since(status.since).as_secs() >= STARTING;
        if !unreachable {
            self.unreachable = false;
        } else if is_news && !std::mem::replace(&mut self.unreachable, true) {
            let why = status.findings.iter().find(|finding| finding.severity == Severity::Error);
            say("AsteriskUnreachable", true, why.map(told).unwrap_or_else(|| "neither AMI nor /ws answers".into()), None);
        }
        news
    }
}

/// Code, meaning and remedy of a finding, with its evidence in them.
fn told(finding: &Finding) -> String {
    format!("{}: {} {}", finding.code, finding.meaning(Lang::En), finding.remedy(Lang::En))
}

/// The API server takes 1024 bytes.
fn short(mut note: String) -> String {
    const MOST: usize = 1000;
    if note.len() > MOST {
        let end = (0..=MOST - 3).rev().find(|end| note.is_char_boundary(*end)).unwrap_or_default();
        note.truncate(end);
        note.push('…');
    }
    note
}

/// A pair that is written in two steps is whole after so many seconds.
const WHOLE: i64 = 2;
/// In seconds.
const STARTING: i64 = 60;

#[cfg(test)]
mod tests;
