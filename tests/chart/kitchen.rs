//! Where the chart's tests cook: Helm without a cluster, the parts of what it renders, and one API server that they share.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    apiserver::ApiServer,
    kubectl::{Kubectl, binary, run},
};

/// Where the chart stands.
pub(crate) const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/starkeeper");

/// A file of these tests.
pub(crate) fn file(name: &str) -> String {
    format!("{}/tests/chart/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Helm that knows of no cluster, with these words; what it printed, or what it complained of.
pub(crate) fn helm(words: &[&str]) -> Result<String, String> {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(binary("helm"));
    command.env("HOME", home.path()).env("KUBECONFIG", "/dev/null");
    for name in ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
        command.env_remove(name);
    }
    run(command.args(words), "")
}

/// What the chart renders as release `pbx` in the namespace `voice`, for Kubernetes 1.36.
pub(crate) fn template(chart: &str, words: &[&str]) -> Result<String, String> {
    helm(&[&["template", "pbx", chart, "--namespace", "voice", "--kube-version", "1.36.3"], words].concat())
}

/// The chart of somebody who includes the templates, with its dependency in place.
pub(crate) fn parent() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(Path::new(&file("parent")), folder.path());
    copy(Path::new(CHART), &folder.path().join("charts/starkeeper"));
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What kubectl's own Kustomize makes of a folder of `manifests/kubernetes`.
pub(crate) fn kustomize(folder: &str) -> String {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "manifests/kubernetes", folder].iter().collect();
    run(Command::new(binary("kubectl")).arg("kustomize").arg(folder), "").unwrap()
}

/// The objects in rendered YAML, as the API server's own client reads them.
pub(crate) fn objects(yaml: &str) -> Vec<Value> {
    let parse = |text: &str| -> Option<Value> { serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}")) };
    yaml.split("\n---").filter_map(parse).filter(|object| object.is_object()).collect()
}

/// The one object of this kind.
pub(crate) fn the<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let mut found = objects.iter().filter(|object| object["kind"] == kind);
    match (found.next(), found.next()) {
        (Some(object), None) => object,
        (first, _) => panic!("one {kind} was looked for, {} found", if first.is_some() { "several" } else { "none" }),
    }
}

/// The pod that a workload would make, as an object of its own.
pub(crate) fn pod_of(workload: &Value, name: &str) -> Value {
    let mut pod = workload["spec"]["template"].clone();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    pod["metadata"]["name"] = name.into();
    pod
}

/// The one sidecar of a pod's spec.
pub(crate) fn sidecar(spec: &Value) -> &Value {
    let containers = spec["initContainers"].as_array().expect("init containers");
    let mut found = containers.iter().filter(|container| container["name"] == "starkeeper");
    let sidecar = found.next().expect("a sidecar");
    assert!(found.next().is_none(), "there are two: {spec:#}");
    sidecar
}

/// The value of an environment variable.
pub(crate) fn variable<'a>(container: &'a Value, name: &str) -> Option<&'a str> {
    container["env"].as_array()?.iter().find(|variable| variable["name"] == name)?["value"].as_str()
}

/// The API server that all tests of this file share while any of them needs it.
pub(crate) fn server() -> Arc<ApiServer> {
    static SHARED: Mutex<Weak<ApiServer>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let server = Arc::new(ApiServer::start());
        *shared = Arc::downgrade(&server);
        server
    })
}

/// A namespace that admits only what fits the restricted Pod Security Standard.
pub(crate) fn restricted(server: &ApiServer, name: &str) {
    server.namespace(name);
    server.kubectl(&["label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted", "voice=true"]);
    server.kubectl(&["-n", name, "create", "serviceaccount", "asterisk"]);
}

/// Whether a service account may do this: `list secrets/pbx-tls`.
pub(crate) fn may(kubectl: &Kubectl, namespace: &str, account: &str, what: &str) -> bool {
    let account = format!("--as=system:serviceaccount:{namespace}:{account}");
    let words: Vec<&str> = ["-n", namespace, "auth", "can-i", &account].into_iter().chain(what.split(' ')).collect();
    kubectl.try_kubectl(&words).is_ok_and(|answer| answer.trim() == "yes")
}
