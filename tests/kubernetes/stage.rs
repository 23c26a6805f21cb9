//! What the tests on a node share: a namespace with an authority and a Secret `tls`, the agents' answers, and the doors of the pods.

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
    sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    thread,
    time::Duration,
};

use serde_json::Value;
use starkeeper::clock;

use crate::support::{
    agent::ask,
    certs::{Authority, Pair},
    cluster::{Cluster, Namespace, address, condition, container},
    until, until_some,
    wire::{self, Door},
};

/// A pod starts, an image is unpacked, a Secret is mounted: generous, for two cores that others use, too.
pub(crate) const SOON: Duration = Duration::from_secs(120);

/// The name that every certificate is for.
pub(crate) const NAME: &str = "pbx.example.com";

/// One scene on the shared cluster.
pub(crate) struct Stage {
    /// Where it plays.
    pub(crate) namespace: Namespace<'static>,
    /// Whom browsers trust.
    pub(crate) authority: Authority,
    _turn: Turn,
}

/// Tests play side by side, but for those that stop a part of the cluster.
#[expect(dead_code, reason = "what counts is how long they are held")]
enum Turn {
    Shared(RwLockReadGuard<'static, ()>),
    Alone(RwLockWriteGuard<'static, ()>),
}

static CLUSTER: RwLock<()> = RwLock::new(());

impl Stage {
    /// A namespace that admits only what the restricted Pod Security Standard allows.
    pub(crate) fn new(name: &str) -> Self {
        let shared = CLUSTER.read().unwrap_or_else(PoisonError::into_inner);
        Self::of(name, Turn::Shared(shared))
    }

    /// The same, with the cluster for itself alone.
    pub(crate) fn alone(name: &str) -> Self {
        let alone = CLUSTER.write().unwrap_or_else(PoisonError::into_inner);
        Self::of(name, Turn::Alone(alone))
    }

    fn of(name: &str, turn: Turn) -> Self {
        let namespace = cluster().namespace(name);
        cluster().kubectl(&["label", "namespace", &namespace.name, "pod-security.kubernetes.io/enforce=restricted"]);
        Self { namespace, authority: Authority::new(), _turn: turn }
    }

    /// Installs the chart's own Asterisk, with a good pair: its pods, all of them Ready, and that pair.
    pub(crate) fn install(&self, replicas: usize) -> (Vec<Value>, Pair) {
        self.install_with(replicas, "")
    }

    /// The same with further values.
    pub(crate) fn install_with(&self, replicas: usize, values: &str) -> (Vec<Value>, Pair) {
        let pair = self.pair();
        self.secret(&pair);
        self.chart(&format!("{}\n{values}", VALUES.replace("REPLICAS", &replicas.to_string())));
        (self.ready(replicas), pair)
    }

    /// `helm upgrade --install pbx` with these values.
    pub(crate) fn chart(&self, values: &str) -> String {
        let words = ["upgrade", "--install", "pbx", CHART, "--namespace", &self.namespace.name];
        self.namespace.cluster.helm_with(&words, values).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Waits for so many pods, all of them Ready.
    pub(crate) fn ready(&self, replicas: usize) -> Vec<Value> {
        until(SOON, "the pods", || self.pods().len() == replicas);
        let names: Vec<_> = self.pods().iter().map(|pod| name(pod).to_owned()).collect();
        names.iter().map(|name| self.namespace.ready(name, SOON)).collect()
    }

    /// The pods as they are now, by name.
    pub(crate) fn pods(&self) -> Vec<Value> {
        self.namespace.pods("app.kubernetes.io/instance=pbx,app.kubernetes.io/component=asterisk")
    }

    /// The one pod, once a mismatched pair is what its agent has found: Asterisk is not started, and nobody is let in.
    pub(crate) fn held_back(&self) -> Value {
        let pod = until_some(SOON, "the pod", || self.pods().pop());
        let held = self.namespace.wait(name(&pod), "held back by its sidecar", SOON, |pod| {
            status(pod).is_some_and(|status| codes(&status).contains(&"key-mismatch"))
        });
        let waiting = |pod| container(pod, "asterisk").map(|status| status["state"]["waiting"]["reason"].clone());
        assert_eq!(waiting(&held), Some("PodInitializing".into()), "{held:#}");
        assert_eq!((condition(&held, "Ready"), door(&held)), (Some("False"), Door::Refused));
        pod
    }

    /// One pod as it is now.
    pub(crate) fn again(&self, pod: &Value) -> Value {
        self.namespace.get(&["pod", name(pod)]).unwrap()
    }

    /// Waits until a pod serves this pair and says so.
    #[track_caller]
    pub(crate) fn serves(&self, pod: &Value, pair: &Pair) {
        self.serves_within(SOON, pod, pair);
    }

    /// The same in another time.
    #[track_caller]
    pub(crate) fn serves_within(&self, patience: Duration, pod: &Value, pair: &Pair) {
        self.says_within(patience, pod, "the leaf that is wanted, on the wire", |status| {
            status["phase"] == "Serving" && leaf(pod).as_ref() == Some(&pair.fingerprint)
        });
    }

    /// Waits until a pod's status is as wanted; fails the test with that status and all that is said of the pod.
    #[track_caller]
    pub(crate) fn says(&self, pod: &Value, what: &str, wanted: impl Fn(&Value) -> bool) {
        self.says_within(SOON, pod, what, wanted);
    }

    #[track_caller]
    fn says_within(&self, patience: Duration, pod: &Value, what: &str, wanted: impl Fn(&Value) -> bool) {
        let end = clock::tick() + patience;
        loop {
            let now = status(pod);
            if now.as_ref().is_some_and(&wanted) {
                return;
            }
            assert!(clock::tick() < end, "{what}: not within {patience:?}\n{now:#?}\n{}", self.namespace.story(name(pod)));
            // Not at every moment: a client that knocks during a reload can be refused, and worse.
            thread::sleep(Duration::from_millis(40));
        }
    }

    /// A new good pair.
    pub(crate) fn pair(&self) -> Pair {
        self.authority.issue(&[NAME, "localhost"])
    }

    /// A certificate with the key of another.
    pub(crate) fn mismatch(&self) -> Pair {
        self.pair().with_key_of(&self.pair())
    }

    /// Writes the Secret `tls` as cert-manager does.
    pub(crate) fn secret(&self, pair: &Pair) {
        let indent = |text: &str| text.lines().map(|line| format!("    {line}\n")).collect::<String>();
        self.namespace.apply(&format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: tls}}\ntype: kubernetes.io/tls\nstringData:\n  tls.crt: |\n{}  tls.key: |\n{}",
            indent(&pair.cert_pem),
            indent(&pair.key_pem)
        ));
    }

    /// Has kubelet bring a changed Secret to the pod now, by hand: for pods whose agent may not do so itself.
    pub(crate) fn nudge(&self, pod: &Value) {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.namespace.kubectl(&["annotate", "pod", name(pod), "--overwrite", &format!("lab/nudge={count}")]);
    }
}

/// The one that all tests here share, with the agent's image: that of `tests/lab/image.sh`, or `STARKEEPER_IMAGE`.
pub(crate) fn cluster() -> &'static Cluster {
    static READY: OnceLock<()> = OnceLock::new();
    let shared = Cluster::shared();
    READY.get_or_init(|| {
        let file = env::var("STARKEEPER_IMAGE").unwrap_or_else(|_| {
            let made = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/image.sh")).stderr(Stdio::inherit()).output().unwrap();
            assert!(made.status.success(), "tests/lab/image.sh: {}", made.status);
            String::from_utf8(made.stdout).unwrap().trim().to_owned()
        });
        shared.import(Path::new(&file));
        shared.tag("docker.io/library/starkeeper:lab", "localhost/starkeeper:dev");
    });
    shared
}

/// What a pod is called.
pub(crate) fn name(pod: &Value) -> &str {
    pod["metadata"]["name"].as_str().unwrap()
}

/// How often a container of a pod was started again.
pub(crate) fn restarts(pod: &Value, name: &str) -> u64 {
    container(pod, name).and_then(|status| status["restartCount"].as_u64()).unwrap()
}

/// Since when a pod has been Ready, to the second: a pod that was unready meanwhile says another time.
pub(crate) fn ready_since(pod: &Value) -> &str {
    let conditions = pod["status"]["conditions"].as_array().unwrap();
    let ready = conditions.iter().find(|found| found["type"] == "Ready").unwrap();
    assert_eq!(ready["status"], "True", "{pod:#}");
    ready["lastTransitionTime"].as_str().unwrap()
}

/// `/status` of the agent in a pod; nothing while it does not answer.
pub(crate) fn status(pod: &Value) -> Option<Value> {
    let (code, body) = ask(address(pod, AGENT)?, "GET /status", "").ok()?;
    (code == 200).then(|| serde_json::from_str(&body).ok())?
}

/// How far a browser comes at a pod.
pub(crate) fn door(pod: &Value) -> Door {
    address(pod, WSS).map_or(Door::Refused, wire::door)
}

/// The leaf that a pod serves.
pub(crate) fn leaf(pod: &Value) -> Option<String> {
    wire::served(address(pod, WSS)?).map(|served| served.fingerprint)
}

/// Codes of the findings in a status.
pub(crate) fn codes(status: &Value) -> Vec<&str> {
    let findings = status["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    findings.iter().filter_map(|finding| finding["code"].as_str()).collect()
}

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/starkeeper");
/// The values of a standalone Asterisk with `REPLICAS` pods.
pub(crate) const VALUES: &str = r#"
fullnameOverride: pbx
image: {repository: localhost/starkeeper, tag: dev, pullPolicy: Never}
certificate: {secretName: tls, names: [pbx.example.com], trust: none}
settings: {probe: {interval: 2s, timeout: 2s}}
asterisk:
  enabled: true
  replicas: REPLICAS
  terminationGracePeriodSeconds: 2
  image: {repository: localhost/asterisk, tag: "22", pullPolicy: Never}
"#;
/// The Events of the agents here, oldest first: reason, pod, note.
pub(crate) fn events(stage: &Stage) -> Vec<[String; 3]> {
    let list = stage.namespace.get(&["events.events.k8s.io", "--sort-by=.metadata.creationTimestamp"]).unwrap();
    let of = |event: &Value| {
        [&event["reason"], &event["regarding"]["name"], &event["note"]].map(|field| field.as_str().unwrap_or("").to_owned())
    };
    let ours = list["items"].as_array().unwrap().iter().filter(|event| event["reportingController"] == "starkeeper.dev/agent");
    ours.map(of).collect()
}

/// What one agent has logged, line by line.
pub(crate) fn log(stage: &Stage, pod: &Value) -> Vec<Value> {
    let text = stage.namespace.kubectl(&["logs", name(pod), "-c", "starkeeper"]);
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The port of WSS in every pod.
pub(crate) const WSS: u16 = 8089;
/// The port of the agent in every pod.
pub(crate) const AGENT: u16 = 9808;
