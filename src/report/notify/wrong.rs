//! A status → what is wrong in it that a receiver wants to know of, each under a key that stays the same as long as it is the same thing. Pure.

use super::{super::Status, Topic};
use crate::diagnosis::{Code, Finding, Group, Severity};

/// One thing that is wrong just now.
#[derive(Clone, Debug)]
pub(super) struct Wrong {
    pub(super) key: String,
    pub(super) topic: Topic,
    pub(super) severity: Severity,
    pub(super) finding: Option<Finding>,
}

/// Everything of at least `minimum`. `settled`: what happens at the start is over.
pub(super) fn wrong(status: &Status, minimum: Severity, settled: bool, receiver: &str) -> Vec<Wrong> {
    let mut wrong: Vec<Wrong> = Vec::new();
    let unready = !status.ready.ok;
    if unready && settled {
        let reasons: Vec<_> = status.ready.reasons().collect();
        let cause = status.findings.iter().find(|finding| reasons.contains(&finding.code.name()));
        let key = Topic::NotReady.name().to_owned();
        wrong.push(Wrong { key, topic: Topic::NotReady, severity: Severity::Error, finding: cause.cloned() });
    }
    for finding in status.findings.iter().filter(|finding| finding.severity >= minimum) {
        let group = finding.code.group();
        // What keeps browsers out is told as that: one thing, whatever it looks like from second to second.
        let covered = unready && matches!(group, Group::Wire | Group::WebSocketAndSip) && finding.get("surface").is_none();
        // While things start, only the files are what they are.
        let early = !settled && group != Group::Pair;
        // Nobody can be told by a receiver that it cannot be reached.
        let own = finding.code == Code::NotificationFailing && finding.get("name").is_some_and(|name| name.to_string() == receiver);
        if covered || early || own {
            continue;
        }
        let key = format!("{}/{}", finding.code, subject(finding, status));
        if !wrong.iter().any(|known| known.key == key) {
            let topic = Topic::Found(finding.code);
            wrong.push(Wrong { key, topic, severity: finding.severity, finding: Some(finding.clone()) });
        }
    }
    wrong
}

/// Which certificate, surface or file it is about; never what changes while it is the same thing.
fn subject(finding: &Finding, status: &Status) -> String {
    let file = finding.get("file").map(ToString::to_string);
    let is_watched = file.as_ref().is_none_or(|file| *file == status.files.cert || *file == status.files.key);
    if finding.code.group() == Group::Pair && is_watched {
        let files = &status.files;
        let leaf = files.rejected_leaf.as_ref().filter(|_| files.verdict == "rejected");
        let leaf = if files.verdict == "rejected" { leaf } else { files.leaf.as_ref() };
        if let Some(leaf) = leaf {
            return leaf.fingerprint_sha256.to_string();
        }
    }
    let first = ["surface", "name", "endpoint", "section"].iter().find_map(|key| finding.get(key)).map(ToString::to_string);
    first.or(file).unwrap_or_default().chars().take(LONGEST).collect()
}

/// Whether what `key` names is only hidden: while a new pair is rejected, nothing is said of the one that is served.
pub(super) fn is_hidden(key: &str, topic: Topic, status: &Status) -> bool {
    let Topic::Found(code) = topic else { return false };
    let served = status.surfaces.first().and_then(|wss| wss.served.as_ref());
    code.group() == Group::Pair
        && status.files.verdict == "rejected"
        && served.is_some_and(|leaf| key.ends_with(&leaf.fingerprint_sha256.to_string()))
}

/// Whether one that is there now says the same and more: a certificate that expired needs no "resolved" for that it would expire.
pub(super) fn is_continued(key: &str, topic: Topic, now: &[Wrong]) -> bool {
    let Topic::Found(Code::LeafExpiring) = topic else { return false };
    let subject = key.split_once('/').map_or("", |(_, subject)| subject);
    now.iter().any(|other| other.topic == Topic::Found(Code::LeafExpired) && other.key.ends_with(subject))
}

/// In characters.
const LONGEST: usize = 200;
