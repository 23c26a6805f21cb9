//! A real kube-apiserver with its etcd, and no node: for what only the API server judges (schemas, RBAC, admission policies, dry runs)
//! and for the agent's own talk with it. What enters: the binaries of `tests/lab/kubernetes.sh` and Debian's etcd. What leaves: an API server on
//! 127.0.0.1 with RBAC on, in a folder of its own, that can be stopped and started again; gone on drop, and with this process.

use std::{
    fs::{self, File},
    ops::Deref,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{
    asterisk::Ports,
    bound,
    certs::{Authority, Chain},
    kubectl::{Kubectl, binary},
    launch, until,
};

/// A running API server. `kubectl`, `apply`, `get` and `helm` are those of [`Kubectl`], as the administrator.
#[derive(Debug)]
pub struct ApiServer {
    kubectl: Kubectl,
    port: u16,
    etcd_port: u16,
    server: Option<Child>,
    etcd: Child,
    _ports: Ports,
    folder: TempDir,
}

impl ApiServer {
    /// Starts etcd and the API server; returns once `/readyz` says so (some five seconds).
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("starkeeper-apiserver-").tempdir().unwrap();
        let ports = Ports::take();
        let (port, etcd_port, peer) = (*ports.spare.start(), ports.spare.start() + 1, ports.spare.start() + 2);
        identify(folder.path(), port);
        let client = format!("http://127.0.0.1:{etcd_port}");
        let peer = format!("http://127.0.0.1:{peer}");
        let etcd = daemon(
            folder.path(),
            "etcd",
            "etcd".into(),
            &[
                "--data-dir=etcd",
                &format!("--listen-client-urls={client}"),
                &format!("--advertise-client-urls={client}"),
                &format!("--listen-peer-urls={peer}"),
                &format!("--initial-advertise-peer-urls={peer}"),
                &format!("--initial-cluster=default={peer}"),
                "--unsafe-no-fsync",
            ],
        );
        let kubectl = Kubectl::new(folder.path().join("admin.conf"));
        let mut server = Self { kubectl, port, etcd_port, server: None, etcd, _ports: ports, folder };
        server.resume();
        server
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The authority that signed its certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// Makes a namespace with its account `default`, which a controller makes elsewhere and pods cannot be admitted without.
    pub fn namespace(&self, name: &str) {
        self.kubectl(&["create", "namespace", name]);
        self.kubectl(&["-n", name, "create", "serviceaccount", "default"]);
    }

    /// A fresh token of a service account (made where it is missing).
    pub fn token(&self, namespace: &str, account: &str) -> String {
        let _ = self.try_kubectl(&["-n", namespace, "create", "serviceaccount", account]);
        self.kubectl(&["-n", namespace, "create", "token", account]).trim().to_owned()
    }

    /// A folder as kubelet mounts it at `/var/run/secrets/kubernetes.io/serviceaccount`: `token`, `ca.crt`, `namespace`.
    pub fn service_account(&self, namespace: &str, account: &str) -> PathBuf {
        let folder = self.folder.path().join("accounts").join(namespace).join(account);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("token"), self.token(namespace, account)).unwrap();
        fs::write(folder.join("namespace"), namespace).unwrap();
        fs::copy(self.ca_file(), folder.join("ca.crt")).unwrap();
        folder
    }

    /// Ends the API server; etcd keeps what it knows. Its port refuses connections meanwhile.
    pub fn pause(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        if let Some(pid) = Pid::from_raw(server.id() as i32) {
            let _ = kill_process(pid, Signal::KILL);
        }
        let _ = server.wait();
    }

    /// Starts the API server again on the same port; returns once it is ready.
    pub fn resume(&mut self) {
        if self.server.is_some() {
            return;
        }
        let server = daemon(
            self.folder.path(),
            "kube-apiserver",
            binary("kube-apiserver"),
            &[
                &format!("--etcd-servers=http://127.0.0.1:{}", self.etcd_port),
                "--bind-address=127.0.0.1",
                &format!("--secure-port={}", self.port),
                "--tls-cert-file=server.crt",
                "--tls-private-key-file=server.key",
                "--service-cluster-ip-range=10.96.0.0/16",
                // A loopback address is no endpoint for pods, and there are no pods.
                "--endpoint-reconciler-type=none",
                "--service-account-key-file=accounts.crt",
                "--service-account-signing-key-file=accounts.key",
                "--service-account-issuer=https://kubernetes.default.svc",
                "--token-auth-file=tokens.csv",
                "--authorization-mode=RBAC",
                "--allow-privileged=true",
            ],
        );
        self.server = Some(server);
        until(Duration::from_secs(120), "a kube-apiserver that is ready", || {
            let ended = self.server.as_mut().and_then(|server| server.try_wait().ok().flatten());
            assert!(ended.is_none(), "kube-apiserver ended at once:\n{}", self.log("kube-apiserver"));
            self.try_kubectl(&["get", "--raw", "/readyz"]).is_ok_and(|answer| answer == "ok")
        });
    }

    /// What `etcd` or `kube-apiserver` said.
    pub fn log(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(format!("{name}.log"))).unwrap_or_default()
    }
}

impl Deref for ApiServer {
    type Target = Kubectl;

    fn deref(&self) -> &Kubectl {
        &self.kubectl
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        // The API server first: without its etcd it would log and wait.
        self.pause();
        let _ = self.etcd.kill();
        let _ = self.etcd.wait();
    }
}

/// Who the server is and who the administrator is: an authority, the server's pair, the key of account tokens, a kubeconfig.
fn identify(folder: &Path, port: u16) {
    let authority = Authority::named("Lab Kubernetes");
    let names = ["127.0.0.1", "localhost", "10.96.0.1", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];
    let pair = authority.issue(&names);
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write("ca.crt", &authority.root_pem);
    write("server.crt", &pair.cert_pem);
    write("server.key", &pair.key_pem);
    let accounts = authority.leaf(&["accounts"]).chain(Chain::LeafOnly).issue();
    write("accounts.crt", &accounts.cert_pem);
    write("accounts.key", &accounts.key_pem);
    write("tokens.csv", &format!("{ADMIN},admin,admin,\"system:masters\"\n"));
    write(
        "admin.conf",
        &format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: lab\n\
             clusters: [{{name: lab, cluster: {{server: \"https://127.0.0.1:{port}\", certificate-authority: {ca}}}}}]\n\
             users: [{{name: admin, user: {{token: {ADMIN}}}}}]\n\
             contexts: [{{name: lab, context: {{cluster: lab, user: admin}}}}]\n",
            ca = folder.join("ca.crt").display(),
        ),
    );
}

/// Starts one of the two in `folder`, its words going to `NAME.log` there.
fn daemon(folder: &Path, name: &str, program: PathBuf, words: &[&str]) -> Child {
    let log = File::options().create(true).append(true).open(folder.join(format!("{name}.log"))).unwrap();
    let mut command = bound(program);
    command.args(words).current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    launch(command).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The administrator's token: it opens a server on 127.0.0.1 that lives as long as one test.
const ADMIN: &str = "only-for-the-lab";
