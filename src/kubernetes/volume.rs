//! Our own Pod and the certificate's path → what feeds that path: a Secret and the keys in it, or why there is none to watch. Pure.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

/// What feeds the certificate's volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Feed {
    /// A Secret, plain or projected.
    Secret(Source),
    /// One file of a Secret, mounted by `subPath`: it never changes.
    SubPath {
        /// The Secret.
        secret: String,
    },
    /// Something else: a CSI driver, an emptyDir, a host path.
    Other(&'static str),
    /// No volume of the pod is mounted there.
    Nothing,
}

/// The Secret, and which of its keys are the two files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) secret: String,
    /// Of the certificate file.
    pub(super) cert: String,
    /// Of the key file, where that comes from the same Secret.
    pub(super) key: Option<String>,
}

/// What is read of a Pod.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Pod {
    pub(super) metadata: Metadata,
    spec: Spec,
    pub(super) status: PodStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metadata {
    pub(super) uid: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PodStatus {
    pub(super) conditions: Vec<Condition>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Condition {
    pub(super) r#type: String,
    pub(super) status: String,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) last_transition_time: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    containers: Vec<Container>,
    init_containers: Vec<Container>,
    volumes: Vec<Volume>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Container {
    name: String,
    volume_mounts: Vec<Mount>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Mount {
    name: String,
    mount_path: PathBuf,
    sub_path: String,
    sub_path_expr: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Volume {
    name: String,
    secret: Option<SecretVolume>,
    projected: Option<Projected>,
    csi: Option<serde::de::IgnoredAny>,
    empty_dir: Option<serde::de::IgnoredAny>,
    host_path: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SecretVolume {
    secret_name: String,
    items: Vec<Item>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Projected {
    sources: Vec<Projection>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Projection {
    secret: Option<ProjectedSecret>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ProjectedSecret {
    name: String,
    items: Vec<Item>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Item {
    key: String,
    path: PathBuf,
}

/// What feeds these two files in our own container: the one that is named, or is called `starkeeper`, or any that mounts the path.
pub(super) fn feed(pod: &Pod, cert: &Path, key: &Path, container: Option<&str>) -> Feed {
    let all = || pod.spec.containers.iter().chain(&pod.spec.init_containers);
    let named = |name: &str| all().find(|container| container.name == name);
    let own = container.and_then(named).or_else(|| named("starkeeper"));
    let mounts = |container: &Container| mount(container, cert).is_some();
    let Some(own) = own.filter(|own| mounts(own)).or_else(|| all().find(|container| mounts(container))) else { return Feed::Nothing };
    match of_file(pod, own, cert) {
        Ok((secret, cert)) => {
            let key = of_file(pod, own, key).ok().filter(|(of_key, _)| *of_key == secret).map(|(_, key)| key);
            Feed::Secret(Source { secret, cert, key })
        }
        Err(feed) => feed,
    }
}

/// The deepest mount that the path lies in, and the rest of the path.
fn mount<'a>(container: &'a Container, path: &'a Path) -> Option<(&'a Mount, &'a Path)> {
    let inside = container.volume_mounts.iter().filter_map(|mount| Some((mount, path.strip_prefix(&mount.mount_path).ok()?)));
    inside.max_by_key(|(mount, _)| mount.mount_path.components().count())
}

/// The Secret of one file and the key in it.
fn of_file(pod: &Pod, container: &Container, path: &Path) -> Result<(String, String), Feed> {
    let (mount, rest) = mount(container, path).ok_or(Feed::Nothing)?;
    let volume = pod.spec.volumes.iter().find(|volume| volume.name == mount.name).ok_or(Feed::Nothing)?;
    let by_sub_path = !mount.sub_path.is_empty() || !mount.sub_path_expr.is_empty();
    let found = match (&volume.secret, &volume.projected) {
        (Some(secret), _) if by_sub_path => return Err(Feed::SubPath { secret: secret.secret_name.clone() }),
        (Some(secret), _) => key_of(&secret.items, rest).map(|key| (secret.secret_name.clone(), key)),
        (None, Some(projected)) => {
            let secrets = || projected.sources.iter().filter_map(|source| source.secret.as_ref());
            if let Some(first) = secrets().next().filter(|_| by_sub_path) {
                return Err(Feed::SubPath { secret: first.name.clone() });
            }
            // What is named by a path is surely that one; what is not may be any.
            let by_item = secrets().find_map(|secret| Some((secret, key_of(&secret.items, rest).filter(|_| !secret.items.is_empty())?)));
            let any = || secrets().find_map(|secret| Some((secret, key_of(&secret.items, rest)?)));
            by_item.or_else(any).map(|(secret, key)| (secret.name.clone(), key))
        }
        (None, None) => None,
    };
    found.ok_or(match volume {
        Volume { csi: Some(_), .. } => Feed::Other("a CSI volume"),
        Volume { empty_dir: Some(_), .. } => Feed::Other("an emptyDir volume"),
        Volume { host_path: Some(_), .. } => Feed::Other("a hostPath volume"),
        Volume { .. } => Feed::Other("a volume of another kind"),
    })
}

/// The key whose bytes stand at this path of the volume. Without items, each key stands under its own name.
fn key_of(items: &[Item], rest: &Path) -> Option<String> {
    if items.is_empty() {
        let mut parts = rest.components();
        return match (parts.next(), parts.next()) {
            (Some(Component::Normal(name)), None) => name.to_str().map(str::to_owned),
            (_, _) => None,
        };
    }
    items.iter().find(|item| item.path == rest).map(|item| item.key.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn fed(mounts: Value, volumes: Value, cert: &str, key: &str) -> Feed {
        let pod = json!({
            "metadata": {"uid": "u", "name": "pbx-0"},
            "spec": {
                "containers": [{"name": "asterisk", "volumeMounts": [{"name": "etc", "mountPath": "/etc/asterisk"}]}],
                "initContainers": [{"name": "starkeeper", "restartPolicy": "Always", "volumeMounts": mounts}],
                "volumes": volumes,
            },
        });
        feed(&serde_json::from_value(pod).unwrap(), Path::new(cert), Path::new(key), None)
    }

    fn secret(name: &str, cert: &str, key: Option<&str>) -> Feed {
        Feed::Secret(Source { secret: name.into(), cert: cert.into(), key: key.map(str::to_owned) })
    }

    #[test]
    fn a_secret_is_found_plain_renamed_or_projected() {
        let mounts = json!([{"name": "tls", "mountPath": "/tls"}, {"name": "run", "mountPath": "/"}]);
        let plain = json!([{"name": "tls", "secret": {"secretName": "pbx-tls", "defaultMode": 288}}]);
        assert_eq!(fed(mounts.clone(), plain, "/tls/tls.crt", "/tls/tls.key"), secret("pbx-tls", "tls.crt", Some("tls.key")));
        let items = json!([{"key": "tls.crt", "path": "a/chain.pem"}, {"key": "tls.key", "path": "a/key.pem"}]);
        let renamed = json!([{"name": "tls", "secret": {"secretName": "pbx-tls", "items": items}}]);
        assert_eq!(fed(mounts.clone(), renamed, "/tls/a/chain.pem", "/tls/a/key.pem"), secret("pbx-tls", "tls.crt", Some("tls.key")));
        let projected = json!([{"name": "tls", "projected": {"sources": [
            {"serviceAccountToken": {"path": "token"}},
            {"configMap": {"name": "ca"}},
            {"secret": {"name": "other", "items": [{"key": "x", "path": "x"}]}},
            {"secret": {"name": "pbx-tls", "items": items}},
        ]}}]);
        assert_eq!(fed(mounts, projected, "/tls/a/chain.pem", "/tls/a/key.pem"), secret("pbx-tls", "tls.crt", Some("tls.key")));
    }

    #[test]
    fn a_key_from_another_secret_is_not_compared() {
        let mounts = json!([{"name": "crt", "mountPath": "/crt"}, {"name": "key", "mountPath": "/key/"}]);
        let volumes = json!([{"name": "crt", "secret": {"secretName": "a"}}, {"name": "key", "secret": {"secretName": "b"}}]);
        assert_eq!(fed(mounts, volumes, "/crt/tls.crt", "/key/tls.key"), secret("a", "tls.crt", None));
    }

    #[test]
    fn one_file_for_both_is_one_key() {
        let mounts = json!([{"name": "tls", "mountPath": "/tls"}]);
        let volumes = json!([{"name": "tls", "secret": {"secretName": "a"}}]);
        assert_eq!(fed(mounts, volumes, "/tls/both.pem", "/tls/both.pem"), secret("a", "both.pem", Some("both.pem")));
    }

    #[test]
    fn what_no_secret_feeds_is_said_to_be_so() {
        let mounts = json!([{"name": "tls", "mountPath": "/tls"}]);
        let of = |volume: Value| fed(mounts.clone(), json!([volume]), "/tls/tls.crt", "/tls/tls.key");
        assert_eq!(of(json!({"name": "tls", "csi": {"driver": "secrets-store"}})), Feed::Other("a CSI volume"));
        assert_eq!(of(json!({"name": "tls", "emptyDir": {}})), Feed::Other("an emptyDir volume"));
        assert_eq!(of(json!({"name": "tls", "hostPath": {"path": "/srv"}})), Feed::Other("a hostPath volume"));
        assert_eq!(of(json!({"name": "tls", "configMap": {"name": "x"}})), Feed::Other("a volume of another kind"));
        assert_eq!(of(json!({"name": "else", "emptyDir": {}})), Feed::Nothing);
        assert_eq!(fed(mounts.clone(), json!([]), "/srv/tls.crt", "/srv/tls.key"), Feed::Nothing);
        let by_sub_path = json!([{"name": "tls", "mountPath": "/tls/tls.crt", "subPath": "tls.crt"}]);
        let volumes = json!([{"name": "tls", "secret": {"secretName": "pbx-tls"}}]);
        assert_eq!(fed(by_sub_path, volumes, "/tls/tls.crt", "/tls/tls.key"), Feed::SubPath { secret: "pbx-tls".into() });
    }

    #[test]
    fn the_agents_own_container_goes_before_others_that_mount_the_path_too() {
        let mounts = |volume: &str| json!([{"name": volume, "mountPath": "/tls"}]);
        let pod = json!({"spec": {
            "containers": [{"name": "asterisk", "volumeMounts": mounts("a")}, {"name": "starkeeper", "volumeMounts": mounts("b")}],
            "volumes": [{"name": "a", "secret": {"secretName": "a"}}, {"name": "b", "secret": {"secretName": "b"}}],
        }});
        let pod = serde_json::from_value(pod).unwrap();
        let feed = |container| feed(&pod, Path::new("/tls/tls.crt"), Path::new("/tls/tls.key"), container);
        assert_eq!(feed(None), secret("b", "tls.crt", Some("tls.key")));
        assert_eq!(feed(Some("asterisk")), secret("a", "tls.crt", Some("tls.key")));
    }
}
