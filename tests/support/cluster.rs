//! One whole Kubernetes node, from etcd to kubelet, in namespaces of its own. What enters: what `tests/lab/kubernetes.sh` and
//! `tests/lab/images.sh` have put into the cache. What leaves: kubectl and Helm on it, pods whose addresses are reached from here, parts
//! that can be stopped and started again. Gone on drop, and with this process: the node ends with the pipe that rules it.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{IpAddr, SocketAddr},
    ops::Deref,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use serde_json::Value;

use super::{
    kubectl::{Kubectl, lab},
    until,
};

/// A running node. `kubectl`, `apply`, `get` and `helm` are those of [`Kubectl`], as the administrator.
#[derive(Debug)]
pub struct Cluster {
    kubectl: Kubectl,
    reins: Mutex<Reins>,
    node: Child,
}

#[derive(Debug)]
struct Reins {
    words: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Cluster {
    /// Starts one; returns once the node is Ready and the images are there (some fifteen seconds).
    pub fn start(images: &[&Path]) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/node.sh");
        // The script removes it, also where this process can no longer.
        let folder = tempfile::Builder::new().prefix("starkeeper-node-").tempdir().expect("a temporary folder").keep();
        // A session of its own: what a terminal sends this process ends the pipe, and the pipe ends the node.
        let mut command = Command::new("setsid");
        command.args([script, "run"]).arg(&folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut node = command.spawn().expect("setsid of util-linux");
        let mut reins = Reins { words: node.stdin.take().expect("a pipe"), answers: BufReader::new(node.stdout.take().expect("a pipe")) };
        assert_eq!(reins.answer(), "ready", "a node: what it lacks stands above");
        let cluster = Self { kubectl: Kubectl::new(folder.join("admin.conf")), reins: Mutex::new(reins), node };
        for image in images {
            cluster.import(image);
        }
        cluster
    }

    /// The one that all tests of a binary share, with Asterisk's image.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&[&image("asterisk")]))
    }

    /// Gives it the image in this file, as `docker save` writes it.
    pub fn import(&self, file: &Path) {
        self.tell(&format!("import {}", file.display()), &format!("imported {}", file.display()));
    }

    /// Gives an image a further name.
    pub fn tag(&self, from: &str, to: &str) {
        self.tell(&format!("tag {from} {to}"), &format!("tagged {from} {to}"));
    }

    /// Ends its API server at once, and the controllers with it: those that had outlived it would for a while not see that the node renews its
    /// lease again, and call all of its pods unready. They are started again when what is returned goes.
    pub fn without_control_plane(&self) -> Outage<'_> {
        for part in ["manager", "apiserver"] {
            self.tell(&format!("stop {part}"), &format!("stopped {part}"));
        }
        Outage(self)
    }

    /// A new namespace, `NAME-NUMBER`, which goes when this value does.
    pub fn namespace(&self, name: &str) -> Namespace<'_> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("{name}-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.kubectl(&["create", "namespace", &name]);
        let namespace = Namespace { cluster: self, name };
        until(SOON, "the account that pods need", || namespace.try_kubectl(&["get", "serviceaccount", "default"]).is_ok());
        namespace
    }

    fn tell(&self, word: &str, expected: &str) {
        let mut reins = self.reins.lock().unwrap_or_else(PoisonError::into_inner);
        reins.words.write_all(format!("{word}\n").as_bytes()).expect("a node that lives");
        assert_eq!(reins.answer(), expected, "{word}");
    }
}

impl Reins {
    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("a line of the node");
        line.trim_end().to_owned()
    }
}

impl Deref for Cluster {
    type Target = Kubectl;

    fn deref(&self) -> &Kubectl {
        &self.kubectl
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let reins = self.reins.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = reins.words.write_all(b"down\n");
        let _ = self.node.wait();
    }
}

/// The time without an API server. Once it is over, one is ready again.
#[derive(Debug)]
pub struct Outage<'a>(&'a Cluster);

impl Drop for Outage<'_> {
    fn drop(&mut self) {
        for part in ["apiserver", "manager"] {
            self.0.tell(&format!("start {part}"), &format!("started {part}"));
        }
    }
}

/// One namespace of a cluster.
#[derive(Debug)]
pub struct Namespace<'a> {
    /// Where it is.
    pub cluster: &'a Cluster,
    /// What it is called.
    pub name: String,
}

impl Namespace<'_> {
    /// `kubectl -n NAME WORDS…`; fails the test with what it complained of.
    #[track_caller]
    pub fn kubectl(&self, words: &[&str]) -> String {
        self.cluster.kubectl(&[&["-n", &self.name], words].concat())
    }

    /// `kubectl -n NAME WORDS…`.
    ///
    /// # Errors
    /// What it printed on stderr.
    pub fn try_kubectl(&self, words: &[&str]) -> Result<String, String> {
        self.cluster.try_kubectl(&[&["-n", &self.name], words].concat())
    }

    /// Applies this YAML here.
    #[track_caller]
    pub fn apply(&self, yaml: &str) -> String {
        self.cluster.try_apply(yaml, &["-n", &self.name]).unwrap_or_else(|error| panic!("kubectl apply: {error}\n{yaml}"))
    }

    /// `kubectl -n NAME get WORDS… -o json`; nothing where it fails.
    pub fn get(&self, words: &[&str]) -> Option<Value> {
        self.cluster.get(&[words, &["-n", &self.name]].concat())
    }

    /// All pods, or those with a label (`app=pbx`), by name.
    pub fn pods(&self, label: &str) -> Vec<Value> {
        let found = self.get(&["pods", "-l", label, "--sort-by=.metadata.name"]);
        found.and_then(|list| list["items"].as_array().cloned()).unwrap_or_default()
    }

    /// Waits until a pod is Ready and returns it; fails the test with what Kubernetes and its containers say.
    #[track_caller]
    pub fn ready(&self, pod: &str, deadline: Duration) -> Value {
        self.wait(pod, "Ready", deadline, |found| condition(found, "Ready") == Some("True"))
    }

    /// Waits until a pod is as wanted; fails the test with what Kubernetes and its containers say.
    #[track_caller]
    pub fn wait(&self, pod: &str, what: &str, deadline: Duration, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = starkeeper::clock::tick() + deadline;
        loop {
            if let Some(found) = self.get(&["pod", pod]).filter(|found| wanted(found)) {
                return found;
            }
            if starkeeper::clock::tick() >= end {
                panic!("pod {pod}: not {what} within {deadline:?}\n{}", self.story(pod));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// What Kubernetes and a pod's containers say of it: for a test that failed.
    pub fn story(&self, pod: &str) -> String {
        let describe = self.try_kubectl(&["describe", "pod", pod]).unwrap_or_else(|error| error);
        let logs = self.try_kubectl(&["logs", pod, "--all-containers", "--prefix", "--tail=40"]).unwrap_or_else(|error| error);
        format!("{describe}\n{logs}")
    }
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        // Quickly: nobody is to be told, and the node goes soon.
        let _ = self.try_kubectl(&["delete", "pods", "--all", "--grace-period=0", "--force", "--wait=false"]);
        let _ = self.cluster.try_kubectl(&["delete", "namespace", &self.name, "--wait=false"]);
    }
}

/// A condition of a pod: `True`, `False`, `Unknown`.
pub fn condition<'a>(pod: &'a Value, name: &str) -> Option<&'a str> {
    pod["status"]["conditions"].as_array()?.iter().find(|found| found["type"] == name)?["status"].as_str()
}

/// The state of one container or native sidecar.
pub fn container<'a>(pod: &'a Value, name: &str) -> Option<&'a Value> {
    let all = ["containerStatuses", "initContainerStatuses"].into_iter().filter_map(|list| pod["status"][list].as_array());
    all.flatten().find(|status| status["name"] == name)
}

/// A pod's port; nothing while it has no address.
pub fn address(pod: &Value, port: u16) -> Option<SocketAddr> {
    let ip: IpAddr = pod["status"]["podIP"].as_str()?.parse().ok()?;
    Some(SocketAddr::new(ip, port))
}

/// An image that `tests/lab/images.sh` has made.
pub fn image(name: &str) -> PathBuf {
    let file = lab().join("kubernetes/images").join(format!("{name}.tar"));
    assert!(file.exists(), "{} is not there: run tests/lab/images.sh", file.display());
    file
}

const SOON: Duration = Duration::from_secs(60);
