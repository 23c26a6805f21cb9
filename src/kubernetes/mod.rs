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
//! `readinessGates: [{conditionType: starkeeper.dev/WssServing}]` may be set on the pod: the condition is True exactly while `/readyz` is.

/// The pod condition.
pub const CONDITION: &str = "starkeeper.dev/WssServing";
