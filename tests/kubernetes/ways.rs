//! The ways in: the chart's own Asterisk, the chart's templates in somebody's chart, and the policy that puts the sidecar into somebody's
//! pods. Whichever it is, the pod is Ready exactly when a browser could connect.

use std::{fs, path::Path};

use crate::{
    plain,
    process::Process,
    stage::{SOON, Stage, VALUES, codes, door, events, leaf, name},
    support::{cluster::condition, until, until_some, wire::Door},
};

#[test]
fn standalone_the_pod_is_ready_once_a_browser_could_connect_and_helm_test_passes() {
    let stage = Stage::new("standalone");
    ready_once_open(&stage, || {
        stage.chart(&VALUES.replace("REPLICAS", "1"));
    });
    let tested = stage.namespace.cluster.helm(&["test", "pbx", "--namespace", &stage.namespace.name, "--logs"]);
    let tested = tested.unwrap_or_else(|error| panic!("{error}\n{}", stage.namespace.story("pbx-test")));
    assert!(tested.contains("Succeeded") && tested.contains("proven: the port serves the wanted certificate"), "{tested}");
}

#[test]
fn included_in_somebodys_chart_the_pod_is_ready_once_a_browser_could_connect() {
    let stage = Stage::new("include");
    stage.namespace.apply(plain::configuration());
    let folder = their_chart();
    ready_once_open(&stage, || {
        let words = ["install", "pbx", folder.path().to_str().unwrap(), "--dependency-update", "--namespace", &stage.namespace.name];
        stage.namespace.cluster.helm(&words).unwrap_or_else(|error| panic!("{error}"));
    });
}

#[test]
fn injected_into_somebodys_pods_the_pod_is_ready_once_a_browser_could_connect() {
    let stage = Stage::new("inject");
    let here = &stage.namespace.name;
    stage.namespace.apply(plain::configuration());
    stage.chart(&format!(
        "fullnameOverride: {here}\nimage: {{repository: localhost/starkeeper, tag: dev, pullPolicy: Never}}\n\
         settings: {{probe: {{interval: 2s, timeout: 2s}}}}\n\
         inject: {{enabled: true, namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {here}}}}}}}\n\
         rbac: {{serviceAccounts: [{{name: default, secrets: [tls]}}]}}\n"
    ));
    ready_once_open(&stage, || {
        // The API server heeds a new policy after a moment; a pod of before that is made anew.
        until_some(SOON, "a pod with the sidecar", || {
            stage.namespace.apply(include_str!("theirs.yaml"));
            let pod = until_some(SOON, "a pod", || stage.pods().pop());
            if pod["spec"]["initContainers"][0]["name"] == "starkeeper" {
                return Some(());
            }
            stage.namespace.kubectl(&["delete", "deployment", "pbx", "--cascade=foreground"]);
            None
        });
    });
}

/// A bad Secret holds Asterisk back and the pod unready; a good one opens the door, and then the pod is Ready.
fn ready_once_open(stage: &Stage, deploy: impl FnOnce()) {
    stage.secret(&stage.mismatch());
    deploy();
    let pod = stage.held_back();

    let good = stage.pair();
    stage.secret(&good);
    let pod = stage.namespace.ready(name(&pod), SOON);
    assert_eq!((door(&pod), leaf(&pod)), (Door::Open, Some(good.fingerprint)));
    until(SOON, "the pod condition", || condition(&stage.again(&pod), "starkeeper.dev/WssServing") == Some("True"));
    let told = |reason: &str| events(stage).iter().any(|[found, who, _]| found == reason && who == name(&pod));
    until(SOON, "the Events", || ["CertificateRejected", "CertificateAccepted", "CertificateServed"].into_iter().all(told));
    let described = stage.namespace.kubectl(&["describe", "pod", name(&pod)]);
    assert!(described.contains("CertificateServed") && described.contains("key-mismatch"), "{described}");
    stage.says(&pod, "a status without a finding", |status| codes(status).is_empty());
    let rss = Process::of(&stage.again(&pod), "starkeeper").unwrap().rss();
    eprintln!("{}: {:.1} MB resident in the pod", stage.namespace.name, rss as f64 / 1e6);
    assert!(rss <= 10_000_000, "{rss} bytes resident in the pod");
}

/// A copy of their chart that knows where ours is.
fn their_chart() -> tempfile::TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (from, folder) = (root.join("tests/kubernetes/their-chart"), tempfile::tempdir().unwrap());
    fs::create_dir(folder.path().join("templates")).unwrap();
    for file in ["values.yaml", "templates/asterisk.yaml"] {
        fs::copy(from.join(file), folder.path().join(file)).unwrap();
    }
    let chart = fs::read_to_string(from.join("Chart.yaml")).unwrap();
    fs::write(folder.path().join("Chart.yaml"), chart.replace("CHART", root.join("charts/starkeeper").to_str().unwrap())).unwrap();
    folder
}
