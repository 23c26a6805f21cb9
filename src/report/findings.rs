//! `State` → everything that is wrong just now, and whether anything is still being tried. Pure.

use super::{Around, door_name};
use crate::{
    bundle::Leaf,
    clock::Now,
    diagnosis::{Code, Finding, Severity},
    state::{AmiLink, Beside, HealMeans, Phase, State, Turn},
};

/// Everything that is wrong, errors first, each once.
pub(super) fn findings(state: &State, around: &Around, now: Now) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    match state.rejected(now) {
        Some(rejected) => findings.extend(rejected.findings().cloned()),
        None => findings.extend(state.candidate().or(state.good()).into_iter().flat_map(|good| good.bundle.findings.iter().cloned())),
    }
    findings.extend(state.door().into_iter().flat_map(|door| door.findings.iter().cloned()));
    if let AmiLink::Down { finding: Some(finding), .. } = state.ami() {
        findings.push(finding.clone());
    }
    findings.extend(state.publish_failure().cloned());
    findings.extend(state.reload_failure().cloned());
    findings.extend(serves_other(state, around));
    findings.extend(wedge(state, around));
    findings.extend(state.beside().iter().flat_map(|beside| of_surface(beside, state)));
    findings.extend(state.turn().and_then(turn));
    findings.extend(around.findings.iter().chain(&around.cluster.findings).chain(&around.delivery.findings).cloned());
    findings.extend(around.suspicions.iter().filter(|_| state.asked_in_vain()).cloned());
    let mut seen = Vec::new();
    findings.retain(|finding| {
        let new = !seen.contains(finding);
        seen.push(finding.clone());
        new
    });
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

/// The newest pair is good, and the wire goes on showing another.
fn serves_other(state: &State, around: &Around) -> Option<Finding> {
    let good = state.good()?;
    let served = state.door()?.served.as_ref()?;
    // Between a reload and the look at what came of it, nobody knows what is served.
    if state.matches()
        || state.held_back()
        || state.turn().is_some()
        || state.is_proving()
        || matches!(state.phase(), Phase::Reloading { .. } | Phase::Rejected)
    {
        return None;
    }
    let name = |leaf: &Leaf| format!("{} until {} ({})", leaf.subject, leaf.not_after, leaf.fingerprint_sha256);
    Some(
        Finding::new(Code::TlsServesOther)
            .with("address", around.wss.to_string())
            .with("found", served.leaf.as_ref().map_or_else(|| served.chain.fingerprint().to_string(), name))
            .with("expected", name(&good.bundle.leaf))
            .with("file", around.cert.clone()),
    )
}

/// The newest pair is good, and other replicas go first.
fn turn(turn: &Turn) -> Option<Finding> {
    match turn {
        Turn::Waiting { by: None } | Turn::Granted => None,
        Turn::Waiting { by: Some(pod) } => Some(Finding::new(Code::RotationWaiting).with("pod", pod.clone())),
        Turn::Stopped { by, found } => Some(Finding::new(Code::RotationStopped).with("pod", by.clone()).with("found", found.clone())),
    }
}

/// A surface that phones or managers use, and that does not serve the newest pair: they go on with the old one until it expires.
fn of_surface(beside: &Beside, state: &State) -> Vec<Finding> {
    let (Some(good), Some(door)) = (state.good(), beside.seen.as_ref()) else { return Vec::new() };
    // What is just being done is no news.
    let busy = matches!(state.phase(), Phase::Reloading { .. } | Phase::Proving)
        || state.turn().is_some()
        || state.ami().is_up() && beside.is_pending(good);
    if busy || beside.serves(good) {
        return Vec::new();
    }
    let name = beside.means.surface.to_string();
    let mut findings = match &beside.means.reload {
        Ok(_) => beside.failure.iter().cloned().collect(),
        Err(why_not) => why_not.iter().cloned().collect::<Vec<_>>(),
    };
    match &door.served {
        Some(served) => findings.push(
            Finding::new(Code::TlsServesOther)
                .with("surface", name.clone())
                .with("found", served.chain.fingerprint().to_string())
                .with("expected", good.bundle.leaf.fingerprint_sha256.to_string()),
        ),
        None => findings.extend(door.findings.iter().cloned().map(|finding| finding.with("surface", name.clone()))),
    }
    findings.into_iter().map(|finding| finding.severity(Severity::Warning)).collect()
}

fn wedge(state: &State, around: &Around) -> Vec<Finding> {
    let Some(door) = state.door().filter(|door| door.door.is_dead() && state.phase() == Phase::Wedged) else { return Vec::new() };
    let mut findings = vec![Finding::new(Code::ListenerWedged).with("address", around.wss.to_string()).with("found", door_name(door.door))];
    if let HealMeans::None(finding) = &state.means().heal {
        findings.push(finding.clone().severity(Severity::Error));
    }
    findings
}

/// Whether nothing more will be tried, or nothing that is tried can help, until somebody does something.
pub(super) fn settled(state: &State, now: Now) -> bool {
    let named = state.rejected(now).is_some_and(|rejected| now.tick >= rejected.named_from);
    let refused = |finding: &Finding| {
        matches!(finding.code, Code::AmiAuthFailed | Code::AmiPermissionDenied | Code::AmiNotAmi | Code::ReloadModuleMissing)
    };
    let ami = match state.ami() {
        AmiLink::Down { finding, .. } => finding.as_ref(),
        AmiLink::Up { .. } => None,
    };
    let hopeless = state.reload_failure().or(ami).is_some_and(refused);
    // The first look at the door may be back before the first word of AMI.
    let looked = state.door().is_some() && (state.ami().is_up() || ami.is_some());
    named || state.held_back() || looked && state.good().is_some() && (state.gave_up() || hopeless)
}
