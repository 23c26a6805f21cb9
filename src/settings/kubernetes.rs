//! `kubernetes:` of the settings: how each is written, and what it means. What is refused: `on` where no cluster is to be seen, since
//! somebody counts on it; `auto` there is quietly off.

use std::{path::Path, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Inputs, error::Kind, load::Check, scalar};

/// What is told to Kubernetes, and asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubernetesSettings {
    /// Events about the certificate and the door.
    pub events: Switch,
    /// The pod condition `starkeeper.dev/WssServing`.
    pub condition: Switch,
    /// Having the kubelet refresh the volume as soon as the Secret changes.
    pub nudge: Switch,
    /// Replicas that share one Secret rotate in order.
    pub rotation: RotationSettings,
}

/// How replicas that share one Secret take turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationSettings {
    /// Whether they do.
    pub order: Switch,
    /// How many rotate at once, after the first has proved the new pair.
    pub parallelism: u32,
    /// How long one may take to prove it, and how long an API server that does not answer is waited for.
    pub timeout: Duration,
    /// The Lease; `None`: named after the Secret.
    pub lease: Option<String>,
}

/// Whether something that needs Kubernetes is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// Inside a cluster, where it is permitted.
    Auto,
    /// Yes; where it cannot be, that is an error.
    On,
    /// No.
    Off,
}

impl Switch {
    /// Whether it is done inside a cluster.
    pub fn wanted(self) -> bool {
        match self {
            Switch::Auto | Switch::On => true,
            Switch::Off => false,
        }
    }

    /// The schema allows nothing else.
    fn read(value: &Value) -> Self {
        match value {
            Value::Bool(true) => Switch::On,
            Value::Bool(false) => Switch::Off,
            Value::String(word) if word == "on" || word == "always" => Switch::On,
            Value::String(word) if word == "off" || word == "never" => Switch::Off,
            Value::String(_) | Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => Switch::Auto,
        }
    }
}

/// Where a pod finds its service account, unless `STARKEEPER_SERVICE_ACCOUNT` names another folder.
pub const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// What is told to Kubernetes, and asked of it; all of it only inside a cluster.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct RawKubernetes {
    /// Events about the certificate and the door, on the agent's own pod.
    #[schemars(schema_with = "switch")]
    events: Value,
    /// A condition of the pod, `starkeeper.dev/WssServing`, for readiness gates.
    #[schemars(schema_with = "switch")]
    condition: Value,
    /// Having the kubelet refresh the volume as soon as the Secret changes, a minute sooner than by itself.
    #[schemars(schema_with = "switch")]
    nudge: Value,
    /// Replicas that share one Secret rotate in order.
    rotation: RawRotation,
}

/// Replicas that share one Secret rotate in order: one first, the others once it is proved.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct RawRotation {
    /// Whether they do.
    #[schemars(schema_with = "switch")]
    order: Value,
    /// How many rotate at once, after the first.
    parallelism: u32,
    /// How long one may take to prove the new pair, and how long an API server that does not answer is waited for.
    timeout: String,
    /// The Lease that they share; default: `starkeeper-` and the name of the Secret.
    #[schemars(extend("examples" = ["pbx-rotation"]))]
    lease: Option<String>,
}

impl Default for RawKubernetes {
    fn default() -> Self {
        RawKubernetes { events: "auto".into(), condition: "auto".into(), nudge: "auto".into(), rotation: RawRotation::default() }
    }
}

impl Default for RawRotation {
    fn default() -> Self {
        RawRotation { order: "auto".into(), parallelism: 1, timeout: "5m".into(), lease: None }
    }
}

/// The booleans are there for Helm, whose YAML 1.1 turns `on` and `off` into them.
fn switch(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["auto", "on", "off", "always", "never", true, false] })
}

impl Check<'_> {
    pub(super) fn kubernetes(&mut self, raw: &RawKubernetes, inputs: &Inputs<'_>) -> KubernetesSettings {
        let rotation = &raw.rotation;
        if rotation.parallelism == 0 {
            self.contradiction(
                ["kubernetes.rotation.parallelism", "kubernetes.rotation"],
                "`parallelism: 0`",
                "at least one rotates at a time: `parallelism: 1`; to rotate without order, `order: off`",
            );
        }
        let settings = KubernetesSettings {
            events: Switch::read(&raw.events),
            condition: Switch::read(&raw.condition),
            nudge: Switch::read(&raw.nudge),
            rotation: RotationSettings {
                order: Switch::read(&rotation.order),
                parallelism: rotation.parallelism,
                timeout: self.one("kubernetes.rotation.timeout", &rotation.timeout, scalar::duration).unwrap_or_default(),
                lease: self.optional("kubernetes.rotation.lease", rotation.lease.as_deref(), scalar::object_name),
            },
        };
        let switches = [
            ("kubernetes.events", settings.events),
            ("kubernetes.condition", settings.condition),
            ("kubernetes.nudge", settings.nudge),
            ("kubernetes.rotation.order", settings.rotation.order),
        ];
        for (key, _) in switches.into_iter().filter(|(_, switch)| *switch == Switch::On) {
            self.in_cluster(key, inputs);
        }
        settings
    }

    /// What cannot be done here is refused where somebody asked for it.
    fn in_cluster(&mut self, key: &str, inputs: &Inputs<'_>) {
        if !cfg!(feature = "kubernetes") {
            let remedy = "this program was built without the feature `kubernetes`: build it with, or say `off`";
            self.refuse_here(Kind::NotInThisVersion, key, "`on`", remedy);
        } else if (inputs.environment)("KUBERNETES_SERVICE_HOST").is_none_or(|host| host.is_empty()) {
            let remedy = "outside a cluster say `auto` or `off`: the variable KUBERNETES_SERVICE_HOST, which every pod has, is not set";
            self.refuse_here(Kind::NoCluster, key, "`on`", remedy);
        } else {
            let folder = (inputs.environment)("STARKEEPER_SERVICE_ACCOUNT").unwrap_or_else(|| SERVICE_ACCOUNT.to_owned());
            let token = Path::new(&folder).join("token");
            if let Err(error) = (inputs.read)(&token) {
                let token = token.display();
                let remedy = format!("let the pod mount its token (`automountServiceAccountToken: true`), or say `off`: {token}: {error}");
                self.refuse_here(Kind::NoCluster, key, "`on`", &remedy);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn helms_booleans_and_the_words_of_yaml_1_1_mean_on_and_off() {
        for (written, meant) in [
            (json!("auto"), Switch::Auto),
            (json!("on"), Switch::On),
            (json!(true), Switch::On),
            (json!("always"), Switch::On),
            (json!("off"), Switch::Off),
            (json!(false), Switch::Off),
            (json!("never"), Switch::Off),
        ] {
            assert_eq!(Switch::read(&written), meant, "{written}");
        }
    }
}
