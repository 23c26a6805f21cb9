//! A pod without a node: its object at the API server, the Role that the room's documentation names, and the agent started as its
//! container would be.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::support::{
    agent::Agent,
    apiserver::ApiServer,
    asterisk::Asterisk,
    certs::{Pair, Writing},
    until_some,
};

/// Long enough for a machine that is busy with other things.
pub(super) const SOON: Duration = Duration::from_secs(60);

const BETWEEN_LOOKS: Duration = Duration::from_millis(150);

/// The Secret of every pod here.
pub(super) const SECRET: &str = "pbx-tls";

/// One API server for all tests that leave it alone, as long as one of them runs.
pub(super) fn shared() -> Arc<ApiServer> {
    static SHARED: Mutex<Weak<ApiServer>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let server = Arc::new(ApiServer::start());
        *shared = Arc::downgrade(&server);
        server
    })
}

/// One line of the Role: group, resource, verb, and the name that it is for.
pub(super) type Permission = (&'static str, &'static str, &'static str, &'static str);

/// The Role as `src/kubernetes/mod.rs` documents it.
pub(super) const ROLE: [Permission; 10] = [
    ("", "pods", "get", ""),
    ("", "pods", "patch", ""),
    ("", "pods/status", "patch", ""),
    ("events.k8s.io", "events", "create", ""),
    ("events.k8s.io", "events", "patch", ""),
    ("", "secrets", "list", SECRET),
    ("", "secrets", "watch", SECRET),
    ("coordination.k8s.io", "leases", "get", LEASE),
    ("coordination.k8s.io", "leases", "update", LEASE),
    ("coordination.k8s.io", "leases", "create", ""),
];

/// The Lease that follows from the Secret's name.
pub(super) const LEASE: &str = "starkeeper-pbx-tls";

/// A namespace with the Secret, and an account `pbx` with this Role.
pub(super) fn scene(server: &ApiServer, namespace: &str, role: &[Permission], pair: &Pair) {
    server.namespace(namespace);
    permit(server, namespace, "pbx", role);
    put_secret(server, namespace, pair);
}

/// An account with a Role of its own, both of this name.
pub(super) fn permit(server: &ApiServer, namespace: &str, account: &str, role: &[Permission]) {
    let rules: Vec<String> = role
        .iter()
        .map(|(group, resource, verb, name)| {
            let names = if name.is_empty() { String::new() } else { format!(", resourceNames: [{name}]") };
            format!("  - {{apiGroups: [\"{group}\"], resources: [{resource}], verbs: [{verb}]{names}}}\n")
        })
        .collect();
    server.apply(&format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: {account}, namespace: {namespace}}}\nrules:\n{}\
         ---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: {account}, namespace: {namespace}}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: {account}}}\n\
         subjects: [{{kind: ServiceAccount, name: {account}, namespace: {namespace}}}]\n",
        if rules.is_empty() { "  []\n".to_owned() } else { rules.concat() },
    ));
}

/// Writes the pair into the Secret.
pub(super) fn put_secret(server: &ApiServer, namespace: &str, pair: &Pair) {
    let indented = |pem: &str| pem.lines().map(|line| format!("    {line}\n")).collect::<String>();
    server.apply(&format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: {SECRET}, namespace: {namespace}}}\ntype: Opaque\nstringData:\n  tls.crt: |\n{}  tls.key: |\n{}",
        indented(&pair.cert_pem),
        indented(&pair.key_pem),
    ));
}

/// The object of a pod whose certificate is mounted at this folder.
pub(super) fn put_pod(server: &ApiServer, namespace: &str, name: &str, folder: &Path, volume: &str) {
    server.apply(&format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec:\n  containers:\n\
         \x20 - {{name: asterisk, image: asterisk, volumeMounts: [{{name: tls, mountPath: {folder}}}]}}\n\
         \x20 - {{name: starkeeper, image: starkeeper, volumeMounts: [{{name: tls, mountPath: {folder}}}]}}\n\
         \x20 volumes: [{{name: tls, {volume}}}]\n",
        folder = folder.display(),
    ));
}

/// The volume that a Secret feeds.
pub(super) fn secret_volume() -> String {
    format!("secret: {{secretName: {SECRET}}}")
}

/// The variables of the agent's container.
pub(super) fn variables(server: &ApiServer, namespace: &str, account: &str, pod: &str) -> Vec<(&'static str, String)> {
    vec![
        ("KUBERNETES_SERVICE_HOST", "127.0.0.1".into()),
        ("KUBERNETES_SERVICE_PORT", server.port().to_string()),
        ("STARKEEPER_SERVICE_ACCOUNT", server.service_account(namespace, account).display().to_string()),
        ("POD_NAMESPACE", namespace.into()),
        ("POD_NAME", pod.into()),
    ]
}

/// An agent with these variables.
pub(super) fn start(settings: &str, variables: &[(&'static str, String)]) -> Agent {
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Agent::start_with(settings, &variables)
}

/// A replica: its pod's object, its Asterisk, its agent.
pub(super) struct Replica {
    /// Before its Asterisk, so that it goes first.
    pub(super) agent: Agent,
    pub(super) asterisk: Asterisk,
    pub(super) pod: String,
    folder: PathBuf,
}

impl Replica {
    pub(super) fn start(server: &ApiServer, namespace: &str, pod: &str, asterisk: Asterisk, kubernetes: &str) -> Self {
        let folder = asterisk.tls();
        Self::start_in(server, namespace, pod, asterisk, folder, kubernetes)
    }

    /// The agent watches this folder, whichever Asterisk reads.
    pub(super) fn start_in(server: &ApiServer, namespace: &str, pod: &str, asterisk: Asterisk, folder: PathBuf, kubernetes: &str) -> Self {
        put_pod(server, namespace, pod, &folder, &secret_volume());
        let settings = asterisk.settings().replace(&*asterisk.tls().to_string_lossy(), &folder.to_string_lossy());
        let settings = format!("{settings}probe: {{interval: 1s, timeout: 1s}}\nkubernetes: {kubernetes}\n");
        let agent = self::start(&settings, &variables(server, namespace, "pbx", pod));
        Self { asterisk, agent, pod: pod.to_owned(), folder }
    }

    /// What kubelet does once it knows of the Secret.
    pub(super) fn mount(&self, pair: &Pair) {
        pair.write(&self.folder, Writing::Renames);
    }

    #[track_caller]
    pub(super) fn serves(&self, pair: &Pair) -> Value {
        self.agent.wait(&format!("{} to serve the pair", self.pod), SOON, |status| {
            status["phase"] == "Serving" && status["surfaces"][0]["served"]["fingerprintSha256"] == pair.fingerprint
        })
    }
}

/// The codes of findings that are of the cluster.
pub(super) fn of_the_cluster(status: &Value) -> Vec<&str> {
    let ours = ["kubernetes-", "rotation-", "volume-", "secret-"];
    let codes = status["findings"].as_array().expect("a list").iter().filter_map(|finding| finding["code"].as_str());
    codes.filter(|code| ours.iter().any(|start| code.starts_with(start))).collect()
}

/// Waits for something at the API server.
#[track_caller]
pub(super) fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    until_some(SOON, what, || {
        // Each look is a whole kubectl: the machine has other things to do.
        let found = look();
        if found.is_none() {
            thread::sleep(BETWEEN_LOOKS);
        }
        found
    })
}

/// The Events on a pod with this reason.
pub(super) fn events(server: &ApiServer, namespace: &str, reason: &str) -> Vec<Value> {
    let list = server.get(&["events.v1.events.k8s.io", "-n", namespace]).unwrap_or_default();
    let items = list["items"].as_array().cloned().unwrap_or_default();
    items.into_iter().filter(|event| event["reason"] == reason).collect()
}

/// The pod's own condition.
pub(super) fn condition(server: &ApiServer, namespace: &str, pod: &str) -> Option<Value> {
    let pod = server.get(&["pod", pod, "-n", namespace])?;
    pod["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == "starkeeper.dev/WssServing").cloned()
}

/// An annotation of the Lease.
pub(super) fn lease(server: &ApiServer, namespace: &str, key: &str) -> Option<String> {
    let lease = server.get(&["lease", LEASE, "-n", namespace])?;
    lease["metadata"]["annotations"][format!("starkeeper.dev/{key}")].as_str().map(str::to_owned)
}
