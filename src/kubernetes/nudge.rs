//! The Secret that feeds our volume changes → an annotation of our own pod is changed, so that the kubelet syncs the pod, and with it the
//! volume, at once. The Secret's bytes are hashed and forgotten. What is refused: more than a few nudges for one change.

use std::{path::PathBuf, sync::Arc, time::Duration};

use k8s_openapi::{List, api::core::v1::Secret};
use kube::core::WatchEvent;
use serde::de::IgnoredAny;
use serde_json::json;
use tokio::{
    sync::{Notify, watch},
    time::{sleep, sleep_until},
};
use tracing::{debug, info};
use zeroize::Zeroize as _;

use super::{
    access::Permitted,
    client::{Api, Fault, Patch, next},
    lagging::Lagging,
    pace::Pace,
    volume::Source,
};
use crate::{
    clock,
    diagnosis::{Code, Finding},
    material::{Capture, Content, Digest, Snapshot},
    report::Status,
};

/// Watches until the status ends.
pub(super) async fn keep(
    api: Arc<Api>,
    mut status: watch::Receiver<Arc<Status>>,
    mut permitted: watch::Receiver<Permitted>,
    doubt: Arc<Notify>,
) {
    let mut lagging = Lagging::default();
    let mut pace = Pace::new();
    loop {
        let Ok(source) = permitted.wait_for(|permitted| permitted.nudge.is_some()).await.map(|permitted| permitted.nudge.clone()) else {
            return;
        };
        let Some(source) = source else { continue };
        let mut follower = Follower { api: &api, source: &source, lagging: &mut lagging };
        let fault = tokio::select! {
            fault = follower.follow(&mut status, &mut pace) => fault,
            moved = permitted_moved(permitted.clone(), &source) => match moved {
                true => continue,
                false => return,
            },
        };
        match fault {
            None => return,
            Some(Fault::Forbidden(_)) => doubt.notify_one(),
            Some(Fault::Unreachable(_) | Fault::NotFound | Fault::Conflict | Fault::Gone | Fault::Refused(_)) => {}
        }
        sleep(pace.next()).await;
    }
}

/// Whether another Secret is the one by now, or none; false where nobody tells any more.
async fn permitted_moved(mut permitted: watch::Receiver<Permitted>, source: &Source) -> bool {
    permitted.wait_for(|permitted| permitted.nudge.as_ref() != Some(source)).await.is_ok()
}

struct Follower<'a> {
    api: &'a Api,
    source: &'a Source,
    lagging: &'a mut Lagging,
}

impl Follower<'_> {
    /// Lists, then watches from there, until something fails; `None`: the status ended.
    async fn follow(&mut self, status: &mut watch::Receiver<Arc<Status>>, pace: &mut Pace) -> Option<Fault> {
        let select = format!("{}?fieldSelector=metadata.name%3D{}", self.api.place.path("", "secrets", None), self.source.secret);
        let mut list: List<Secret> = match self.api.get(&select).await {
            Ok(list) => list,
            Err(fault) => return Some(fault),
        };
        let mut version = list.metadata.resource_version.take().unwrap_or_default();
        self.take(list.items.pop());
        loop {
            let mut watch =
                match self.api.watch::<Secret>(&format!("{select}&watch=true&timeoutSeconds={ROUND}&resourceVersion={version}")).await {
                    Ok(watch) => watch,
                    Err(fault) => return Some(fault),
                };
            pace.reset();
            let mut heard = clock::tick();
            loop {
                self.files(status);
                self.nudge(&version).await;
                let now = clock::tick();
                let deadline = self.lagging.deadline(now).map_or(heard + SILENCE, |deadline| deadline.min(heard + SILENCE));
                tokio::select! {
                    // What was read of a line stays with the watch.
                    change = next(&mut watch) => match change {
                        Ok(Some(WatchEvent::Added(secret) | WatchEvent::Modified(secret))) => {
                            heard = now;
                            version = secret.metadata.resource_version.clone().unwrap_or(version);
                            self.take(Some(secret));
                        }
                        Ok(Some(WatchEvent::Deleted(mut secret))) => {
                            heard = now;
                            version = secret.metadata.resource_version.take().unwrap_or(version);
                            forget(&mut secret);
                        }
                        Ok(Some(WatchEvent::Bookmark(mark))) => {
                            heard = now;
                            version = mark.metadata.resource_version;
                        }
                        // From an error on, only a new list says what is.
                        Ok(Some(WatchEvent::Error(_))) => return Some(Fault::Gone),
                        Ok(None) => break,
                        Err(fault) => return Some(fault),
                    },
                    changed = status.changed() => if changed.is_err() { return None },
                    () = sleep_until(clock::instant(deadline)) => if clock::tick() - heard >= SILENCE { break },
                }
            }
        }
    }

    fn take(&mut self, mut secret: Option<Secret>) {
        let place = &self.api.place;
        if secret.as_ref().is_some_and(|secret| secret.immutable == Some(true)) {
            let finding = Finding::new(Code::SecretImmutable).with("name", self.source.secret.clone());
            self.api.ledger.found(finding.with("pod", place.pod.clone()).with("namespace", place.namespace.clone()));
        } else {
            self.api.ledger.gone(Code::SecretImmutable);
        }
        self.lagging.secret(secret.as_ref().and_then(|secret| digest(secret, self.source)), clock::tick());
        if let Some(secret) = &mut secret {
            forget(secret);
        }
    }

    /// What the files hold by now, and what follows for the outside.
    fn files(&mut self, status: &mut watch::Receiver<Arc<Status>>) {
        let captured = status.borrow_and_update().rotation.captured;
        let now = clock::tick();
        self.lagging.files(captured, now);
        self.api.ledger.lag(self.lagging.lag());
        if self.lagging.is_late(now) {
            let place = &self.api.place;
            let finding = Finding::new(Code::VolumeLagging).with("name", self.source.secret.clone()).with("pod", place.pod.clone());
            let path = status.borrow().files.cert.clone();
            self.api.ledger.found(finding.with("namespace", place.namespace.clone()).with("path", path));
        } else {
            self.api.ledger.gone(Code::VolumeLagging);
        }
    }

    async fn nudge(&mut self, version: &str) {
        let Some(number) = self.lagging.nudge(clock::tick()) else { return };
        let mark = json!({"metadata": {"annotations": {"starkeeper.dev/nudge": format!("{version}.{number}")}}});
        let path = self.api.place.path("", "pods", Some(&self.api.place.pod));
        match self.api.patch::<IgnoredAny>(&path, Patch::Merge, &mark).await {
            Ok(_) => info!(secret = self.source.secret, number, "the Secret changed: the kubelet was nudged"),
            Err(fault) => {
                debug!(%fault, "the kubelet could not be nudged");
                self.lagging.again(clock::tick() + AGAIN);
            }
        }
    }
}

/// What the two files would be known by; `None` where they cannot be compared.
fn digest(secret: &Secret, source: &Source) -> Option<Digest> {
    let held = |key: &String| {
        let bytes = secret.data.as_ref()?.get(key)?.0.clone();
        Some(Capture { path: PathBuf::new(), content: Ok(Content::new(bytes)), way: Vec::new() })
    };
    Some(Snapshot { cert: held(&source.cert)?, key: held(source.key.as_ref()?)? }.digest())
}

/// Nothing of it stays in memory.
fn forget(secret: &mut Secret) {
    secret.data.iter_mut().flatten().for_each(|(_, bytes)| bytes.0.zeroize());
}

/// One watch, in seconds: a connection that died without a word is found out this soon.
const ROUND: u64 = 120;
/// A little longer than a round.
const SILENCE: Duration = Duration::from_secs(135);
/// Until a nudge that did not come through is tried again.
const AGAIN: Duration = Duration::from_secs(2);
