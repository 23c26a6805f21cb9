//! The settings, our own Pod and what RBAC permits → [`Permitted`]: what may be done, and with which Secret and which Lease. What is missing
//! is one finding, however much of it; it is asked for again after a while, since roles get mended.

use std::{path::Path, sync::Arc, time::Duration};

use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};

use super::{
    client::{Api, Fault},
    pace::Pace,
    volume::{self, Feed, Pod, Source},
};
use crate::{
    diagnosis::{Code, Finding},
    report::Status,
    settings::KubernetesSettings,
};

/// What may be done. Nothing before the first answers have come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Permitted {
    /// Whether the answers have come.
    pub(super) known: bool,
    pub(super) events: bool,
    pub(super) condition: bool,
    /// The Secret to watch.
    pub(super) nudge: Option<Source>,
    /// The Lease to take turns by.
    pub(super) order: Option<String>,
    /// Of our own pod.
    pub(super) uid: Option<String>,
}

/// One verb on one resource, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Need {
    verb: &'static str,
    group: &'static str,
    resource: &'static str,
    name: Option<String>,
    feature: &'static str,
}

/// Asks, tells, and asks again: when something is missing, when somebody was refused all the same, and when other files are watched.
pub(super) async fn keep(
    api: Arc<Api>,
    settings: KubernetesSettings,
    mut status: watch::Receiver<Arc<Status>>,
    doubt: Arc<Notify>,
    permitted: watch::Sender<Permitted>,
) {
    let mut pace = Pace::new();
    loop {
        let files = watched(&status);
        let rest = match find(&api, &settings, &files).await {
            Ok((found, missing)) => {
                tell(&api, &missing);
                permitted.send_if_modified(|known| std::mem::replace(known, found.clone()) != found);
                pace.reset();
                if missing.is_empty() { CALM } else { AGAIN }
            }
            Err(_) => pace.next(),
        };
        tokio::select! {
            () = sleep(rest) => {}
            () = doubt.notified() => sleep(pace.next()).await,
            moved = moved(&mut status, &files) => if !moved { return },
        }
    }
}

/// Once other files are watched; false where nobody tells any more.
async fn moved(status: &mut watch::Receiver<Arc<Status>>, (cert, key): &(String, String)) -> bool {
    status.wait_for(|status| (&status.files.cert, &status.files.key) != (cert, key)).await.is_ok()
}

fn watched(status: &watch::Receiver<Arc<Status>>) -> (String, String) {
    let status = status.borrow();
    (status.files.cert.clone(), status.files.key.clone())
}

/// What may be done, and what is missing for the rest.
async fn find(api: &Api, settings: &KubernetesSettings, (cert, key): &(String, String)) -> Result<(Permitted, Vec<Need>), Fault> {
    let rotation = &settings.rotation;
    let (condition, nudge, order) = (settings.condition.wanted(), settings.nudge.wanted(), rotation.order.wanted());
    let mut found = Permitted { known: true, ..Permitted::default() };
    let mut missing = Vec::new();
    if settings.events.wanted() {
        let needs = ["create", "patch"].map(|verb| need(verb, "events.k8s.io", "events", None, "events"));
        found.events = permits(api, needs.into(), &mut missing).await?;
    }
    let pod = if condition || nudge || (order && rotation.lease.is_none()) {
        let feature = if condition {
            "condition"
        } else if nudge {
            "nudge"
        } else {
            "rotation"
        };
        let may = permits(api, vec![need("get", "", "pods", None, feature)], &mut missing).await?;
        if may { own_pod(api, feature, &mut missing).await? } else { None }
    } else {
        None
    };
    found.uid = pod.as_ref().map(|pod| pod.metadata.uid.clone());
    if condition {
        let may = permits(api, vec![need("patch", "", "pods/status", None, "condition")], &mut missing).await?;
        found.condition = may && pod.is_some();
    }
    let feed = pod.as_ref().map(|pod| volume::feed(pod, Path::new(cert), Path::new(key), api.place.container.as_deref()));
    if nudge {
        let may = permits(api, vec![need("patch", "", "pods", None, "nudge")], &mut missing).await?;
        if let Some(Feed::Secret(source)) = &feed {
            let needs = ["list", "watch"].map(|verb| need(verb, "", "secrets", Some(&source.secret), "nudge"));
            let may_watch = permits(api, needs.into(), &mut missing).await?;
            found.nudge = (may && may_watch).then(|| source.clone());
        }
        tell_feed(api, feed.as_ref(), cert);
    }
    let shared = match &feed {
        Some(Feed::Secret(source)) => Some(lease_of(&source.secret)),
        Some(Feed::SubPath { .. } | Feed::Other(_) | Feed::Nothing) | None => None,
    };
    if let Some(lease) = rotation.lease.clone().or(shared).filter(|_| order) {
        let needs = ["get", "update"].map(|verb| need(verb, LEASES, "leases", Some(&lease), "rotation"));
        let mut may = permits(api, needs.into(), &mut missing).await?;
        // Where the Lease is there already, nobody needs to make it.
        let there = may && api.get::<serde::de::IgnoredAny>(&api.place.path(LEASES, "leases", Some(&lease))).await.is_ok();
        if !there {
            may &= permits(api, vec![need("create", LEASES, "leases", Some(&lease), "rotation")], &mut missing).await?;
        }
        found.order = may.then_some(lease);
    }
    Ok((found, missing))
}

/// Our own pod; missing where it is called something else than we were told.
async fn own_pod(api: &Api, feature: &'static str, missing: &mut Vec<Need>) -> Result<Option<Pod>, Fault> {
    match api.get::<Pod>(&api.place.path("", "pods", Some(&api.place.pod))).await {
        Ok(pod) => Ok(Some(pod)),
        Err(Fault::NotFound) => {
            missing.push(need("find", "", "pods", Some(&api.place.pod), feature));
            Ok(None)
        }
        Err(fault) => Err(fault),
    }
}

fn need(verb: &'static str, group: &'static str, resource: &'static str, name: Option<&str>, feature: &'static str) -> Need {
    Need { verb, group, resource, name: name.map(str::to_owned), feature }
}

/// As everyone who shares the Secret names it.
fn lease_of(secret: &str) -> String {
    let name: String = format!("starkeeper-{secret}").chars().take(253).collect();
    name.trim_end_matches(['-', '.']).to_owned()
}

/// Whether all of these are permitted; what is not is added to what is missing.
async fn permits(api: &Api, needs: Vec<Need>, missing: &mut Vec<Need>) -> Result<bool, Fault> {
    let mut all = true;
    for need in needs {
        if !permits_one(api, &need).await? {
            all = false;
            missing.push(need);
        }
    }
    Ok(all)
}

/// Asks the API server itself, which everyone may. Where even that is refused, the deed will show.
async fn permits_one(api: &Api, need: &Need) -> Result<bool, Fault> {
    let (resource, subresource) = need.resource.split_once('/').unwrap_or((need.resource, ""));
    let attributes = ResourceAttributes {
        namespace: Some(api.place.namespace.clone()),
        verb: Some(need.verb.to_owned()),
        group: Some(need.group.to_owned()),
        resource: Some(resource.to_owned()),
        subresource: Some(subresource.to_owned()),
        name: need.name.clone(),
        ..ResourceAttributes::default()
    };
    let spec = SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..SelfSubjectAccessReviewSpec::default() };
    let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
    match api.create::<SelfSubjectAccessReview>("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &review).await {
        Ok(review) => Ok(review.status.is_some_and(|status| status.allowed)),
        Err(Fault::Unreachable(reason)) => Err(Fault::Unreachable(reason)),
        Err(Fault::Forbidden(_) | Fault::NotFound | Fault::Conflict | Fault::Gone | Fault::Refused(_)) => Ok(true),
    }
}

/// One finding for all that is missing.
fn tell(api: &Api, missing: &[Need]) {
    if missing.is_empty() {
        return api.ledger.gone(Code::KubernetesForbidden);
    }
    let line = |need: &Need| {
        let name = need.name.as_ref().map(|name| format!("/{name}")).unwrap_or_default();
        let group = if need.group.is_empty() { String::new() } else { format!(".{}", need.group) };
        format!("{} {}{group}{name} ({})", need.verb, need.resource, need.feature)
    };
    let lines: Vec<String> = missing.iter().map(line).collect();
    let finding = Finding::new(Code::KubernetesForbidden).with("missing", lines.join(", "));
    let finding = finding.with("namespace", api.place.namespace.clone());
    api.ledger.found(match &api.place.account {
        Some(account) => finding.with("user", account.clone()),
        None => finding,
    });
}

fn tell_feed(api: &Api, feed: Option<&Feed>, cert: &str) {
    let (pod, namespace) = (&api.place.pod, &api.place.namespace);
    match feed {
        Some(Feed::SubPath { secret }) => {
            api.ledger.found(Finding::new(Code::SubpathMount).with("file", cert).with("name", secret.clone()));
        }
        Some(Feed::Other(found)) => api.ledger.found(
            Finding::new(Code::VolumeNotWatched).with("found", *found).with("pod", pod.clone()).with("namespace", namespace.clone()),
        ),
        Some(Feed::Secret(_) | Feed::Nothing) | None => {
            api.ledger.gone(Code::SubpathMount);
            api.ledger.gone(Code::VolumeNotWatched);
        }
    }
}

/// The API group.
pub(super) const LEASES: &str = "coordination.k8s.io";
/// Between two looks while something is missing.
const AGAIN: Duration = Duration::from_secs(60);
/// Between two looks while all is permitted.
const CALM: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_has_a_name_that_the_api_server_takes() {
        assert_eq!(lease_of("pbx-tls"), "starkeeper-pbx-tls");
        let long = lease_of(&format!("{}.{}", "a".repeat(241), "b".repeat(11)));
        assert_eq!((long.len(), long.ends_with('a')), (252, true), "{long}");
    }
}
