//! `Status` → what the cluster is told: Events, a pod condition; and what is asked of it: the nudge that has the kubelet refresh our volume as
//! soon as the Secret changes, and the Lease by which replicas rotate one after the other. Inside a cluster alone: elsewhere nothing of this is
//! even built. Decides nothing about certificates, and nothing waits for it but a turn in a rotation: an API server that is away hurts nobody.
//!
//! # What the pod needs
//!
//! The service account's token must be mounted (`automountServiceAccountToken: true`). The environment names the pod, by the downward API:
//!
//! | variable | from | else |
//! | --- | --- | --- |
//! | `POD_NAME` (or `STARKEEPER_POD_NAME`) | `metadata.name` | `HOSTNAME` |
//! | `POD_NAMESPACE` (or `STARKEEPER_POD_NAMESPACE`) | `metadata.namespace` | the service account's `namespace` file |
//! | `STARKEEPER_CONTAINER` | the agent's own container name | `starkeeper`, else any container that mounts the certificate's path |
//! | `STARKEEPER_SERVICE_ACCOUNT` | a folder with `token`, `ca.crt`, `namespace` | `/var/run/secrets/kubernetes.io/serviceaccount` |
//!
//! The Role (in the pod's own namespace; each line is needed only where its setting is not `off`):
//!
//! | apiGroups | resources | verbs | resourceNames | for |
//! | --- | --- | --- | --- | --- |
//! | `""` | `pods` | `get` | (none: pods get their names later) | `condition`, `nudge`, `rotation` |
//! | `""` | `pods` | `patch` | (none) | `nudge` |
//! | `""` | `pods/status` | `patch` | (none) | `condition` |
//! | `events.k8s.io` | `events` | `create`, `patch` | (none) | `events` |
//! | `""` | `secrets` | `list`, `watch` | the TLS Secret | `nudge` |
//! | `coordination.k8s.io` | `leases` | `get`, `update` | the Lease | `rotation` |
//! | `coordination.k8s.io` | `leases` | `create` | (none: RBAC cannot restrict `create` by name) | `rotation`; not where the Lease is there already |
//!
//! The Lease is `kubernetes.rotation.lease`, else `starkeeper-` and the name of the Secret, cut to 253 characters. Whether all of this is permitted is asked by a
//! `SelfSubjectAccessReview`, which everyone may ask; what is not is one finding, `kubernetes-forbidden`, and that feature rests.
//!
//! RBAC cannot say "its own pod": who wants that has an admission policy compare `authentication.kubernetes.io/pod-name` of the token with the
//! object's name.
//!
//! # What stands where
//!
//! On the Lease, under `starkeeper.dev/`: `generation` (a digest of certificate and key that tells nothing else), `outcome` (open, proved, failed), `by`,
//! `found` (why it failed), `turns` (who rotates now), `former`, `rejected` (what was rejected, and who told). On the pod: `starkeeper.dev/nudge`, the
//! Secret's version and how often that was nudged. Events come from `starkeeper.dev/agent`.
//!
//! `readinessGates: [{conditionType: starkeeper.dev/WssServing}]` may be set on the pod: the condition is True exactly while `/readyz` is.

mod access;
mod client;
mod condition;
mod events;
mod lagging;
mod lease;
mod ledger;
mod news;
mod nudge;
mod order;
mod pace;
mod place;
mod turns;
mod volume;

pub use place::Place;

use std::sync::Arc;

use tokio::sync::{Notify, mpsc, watch};
use tokio_util::task::AbortOnDropHandle;
use tracing::info;

use access::Permitted;
use client::Api;
use events::Waiting;
use ledger::Ledger;
use order::Order;

use crate::{
    driver::ClusterLink,
    material::Digest,
    report::{Cluster, Status},
    settings::KubernetesSettings,
    state::Turn,
};

/// The pod condition.
pub const CONDITION: &str = "starkeeper.dev/WssServing";

/// The room before its tasks run: the driver takes one end of it, the tasks the other.
#[derive(Debug)]
pub struct Room {
    api: Arc<Api>,
    settings: KubernetesSettings,
    asked: watch::Receiver<Option<Digest>>,
    answers: mpsc::Sender<(Digest, Turn)>,
}

/// The tasks; they end when this is dropped.
#[derive(Debug)]
pub struct Tasks(#[allow(dead_code, reason = "held for its drop")] Vec<AbortOnDropHandle<()>>);

impl Room {
    /// The room, and the driver's end of it; `None` where nothing is wanted.
    pub fn new(place: Place, settings: &KubernetesSettings) -> Option<(Self, ClusterLink)> {
        let order = settings.rotation.order.wanted();
        if !(settings.events.wanted() || settings.condition.wanted() || settings.nudge.wanted() || order) {
            return None;
        }
        info!(pod = place.pod, namespace = place.namespace, server = place.authority(), "in a cluster");
        let (ledger, cluster): (Ledger, watch::Receiver<Cluster>) = Ledger::new();
        let (ask, asked) = watch::channel(None);
        let (answers, turns) = mpsc::channel(QUEUE);
        let room = Room { api: Arc::new(Api::new(place, ledger)), settings: settings.clone(), asked, answers };
        Some((room, ClusterLink { cluster, turns, ask, ordered: order }))
    }

    /// Starts what is wanted.
    pub fn spawn(self, status: &watch::Receiver<Arc<Status>>) -> Tasks {
        let Room { api, settings, asked, answers } = self;
        let doubt = Arc::new(Notify::new());
        let (permit, permitted) = watch::channel(Permitted::default());
        let (api, doubt) = (|| Arc::clone(&api), || Arc::clone(&doubt));
        let mut tasks = vec![tokio::spawn(access::keep(api(), settings.clone(), status.clone(), doubt(), permit))];
        if settings.events.wanted() {
            let waiting = Arc::new(Waiting::default());
            tasks.push(tokio::spawn(events::gather(api(), status.clone(), permitted.clone(), Arc::clone(&waiting))));
            tasks.push(tokio::spawn(events::tell(api(), permitted.clone(), doubt(), waiting)));
        }
        if settings.condition.wanted() {
            tasks.push(tokio::spawn(condition::keep(api(), status.clone(), permitted.clone(), doubt())));
        }
        if settings.nudge.wanted() {
            tasks.push(tokio::spawn(nudge::keep(api(), status.clone(), permitted.clone(), doubt())));
        }
        if settings.rotation.order.wanted() {
            let order =
                Order { api: api(), settings: settings.rotation, status: status.clone(), permitted, doubt: doubt(), asked, answers };
            tasks.push(tokio::spawn(order.keep()));
        }
        Tasks(tasks.into_iter().map(AbortOnDropHandle::new).collect())
    }
}

/// Answers that the driver has not taken yet.
const QUEUE: usize = 8;
