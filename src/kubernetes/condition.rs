//! `Status` → the pod condition `starkeeper.dev/WssServing`: True exactly while `/readyz` is. Written when it changes; looked at now and then,
//! and put back where somebody changed it or the server lost it.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};

use super::{
    CONDITION,
    access::Permitted,
    client::{Api, Fault, Patch},
    lease::micro,
    pace::Pace,
    volume::{Condition, Pod},
};
use crate::{
    clock::{self, Tick},
    diagnosis::{Lang, Severity, texts},
    report::Status,
};

/// Keeps it so until the status ends.
pub(super) async fn keep(
    api: Arc<Api>,
    mut status: watch::Receiver<Arc<Status>>,
    mut permitted: watch::Receiver<Permitted>,
    doubt: Arc<Notify>,
) {
    let mut stands: Option<Condition> = None;
    let mut looked = None;
    let mut pace = Pace::new();
    loop {
        if permitted.wait_for(|permitted| permitted.condition).await.is_err() {
            return;
        }
        let wanted = wanted(&status.borrow_and_update(), clock::tick());
        let mut wrote = false;
        let done = match &stands {
            Some(known) if is(known, &wanted) && looked.is_some_and(|looked| clock::tick() - looked < LOOK) => Ok(()),
            Some(known) if !is(known, &wanted) && looked.is_some() => {
                wrote = true;
                write(&api, &wanted, known).await.map(|now| stands = Some(now))
            }
            Some(_) | None => read(&api).await.map(|now| {
                looked = Some(clock::tick());
                stands = Some(now.unwrap_or_default());
            }),
        };
        match done {
            Ok(()) => {
                if stands.as_ref().is_some_and(|stands| is(stands, &wanted)) {
                    pace.reset();
                    if let Ok(Err(_)) = timeout(LOOK, status.changed()).await {
                        return;
                    }
                } else if wrote {
                    // Somebody makes another of it each time.
                    sleep(pace.next()).await;
                }
            }
            Err(fault) => {
                // What stands there is unknown by now.
                looked = None;
                stands = None;
                match fault {
                    Fault::Forbidden(_) => doubt.notify_one(),
                    Fault::Unreachable(_) | Fault::NotFound | Fault::Conflict | Fault::Gone | Fault::Refused(_) => {}
                }
                sleep(pace.next()).await;
            }
        }
    }
}

/// What is to stand there. Nothing in it that changes while all stays as it is.
fn wanted(status: &Status, now: Tick) -> Condition {
    let ready = status.ready_at(now);
    let error = status.findings.iter().find(|finding| finding.severity == Severity::Error).filter(|_| !ready.ok);
    let stale = ready.reasons().any(|reason| reason == "proof-stale");
    let (reason, message) = match (error, status.surfaces.first()) {
        _ if stale => ("ProofStale".to_owned(), "the door was not looked at for too long".to_owned()),
        (Some(finding), _) => (camel(finding.code.name()), texts::text(finding.code, Lang::En).title.to_owned()),
        (None, Some(wss)) if ready.ok => {
            let leaf = wss.served.as_ref().map(|leaf| format!("{} until {}", leaf.subject, leaf.not_after)).unwrap_or_default();
            (status.phase.to_owned(), format!("{}{} accepts sip; served is {leaf}", wss.address, wss.path.as_deref().unwrap_or_default()))
        }
        (None, Some(_) | None) => (status.phase.to_owned(), "not proved yet".to_owned()),
    };
    Condition {
        r#type: CONDITION.to_owned(),
        status: if ready.ok { "True" } else { "False" }.to_owned(),
        reason,
        message,
        last_transition_time: String::new(),
    }
}

/// `key-mismatch` → `KeyMismatch`, as reasons of conditions are written.
fn camel(code: &str) -> String {
    let word = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    code.split('-').filter(|part| !part.is_empty()).map(word).collect()
}

fn is(stands: &Condition, wanted: &Condition) -> bool {
    (&stands.status, &stands.reason, &stands.message) == (&wanted.status, &wanted.reason, &wanted.message)
}

async fn read(api: &Api) -> Result<Option<Condition>, Fault> {
    Ok(own(api.get(&api.place.path("", "pods", Some(&api.place.pod))).await?))
}

async fn write(api: &Api, wanted: &Condition, before: &Condition) -> Result<Condition, Fault> {
    let turned = before.status != wanted.status || before.last_transition_time.is_empty();
    // In whole seconds, as Kubernetes has it.
    let since = if turned { format!("{:.0}", clock::wall()) } else { before.last_transition_time.clone() };
    let condition = json!({
        "type": wanted.r#type,
        "status": wanted.status,
        "reason": wanted.reason,
        "message": wanted.message,
        "lastTransitionTime": since,
    });
    let path = format!("{}/status", api.place.path("", "pods", Some(&api.place.pod)));
    let pod = api.patch::<Pod>(&path, Patch::Strategic, &json!({"status": {"conditions": [condition]}})).await?;
    tracing::debug!(status = wanted.status, reason = wanted.reason, at = micro(clock::wall()), "the pod condition was written");
    Ok(own(pod).unwrap_or_default())
}

fn own(pod: Pod) -> Option<Condition> {
    pod.status.conditions.into_iter().find(|condition| condition.r#type == CONDITION)
}

/// Between two looks at what stands there.
const LOOK: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::Code;

    #[test]
    fn every_code_is_a_reason_that_the_api_server_takes() {
        for code in Code::ALL {
            let reason = camel(code.name());
            assert!(reason.starts_with(|c: char| c.is_ascii_uppercase()) && reason.chars().all(|c| c.is_ascii_alphanumeric()), "{reason}");
        }
        assert_eq!(camel("key-mismatch"), "KeyMismatch");
    }
}
