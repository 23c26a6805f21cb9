//! The policy at work: pods made on a real API server get the sidecar, its volumes and Asterisk's probes exactly once, or are refused in a
//! sentence; and whoever did not ask is left alone.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    kitchen::{CHART, file, restricted, server, sidecar, variable},
    rendered::settings,
    support::{apiserver::ApiServer, until},
};

const SOON: Duration = Duration::from_secs(60);

#[test]
fn a_labelled_pod_gets_the_sidecar_exactly_once_and_others_are_left_alone() {
    let server = server();
    let namespace = "injected";
    restricted(&server, namespace);
    let account = format!("rbac.serviceAccounts[0].name=asterisk,rbac.serviceAccounts[0].namespace={namespace}");
    let values = file("values/inject.yaml");
    server.kubectl(&["create", "namespace", "keeper"]);
    let monitors = "metrics.podMonitor.enabled=false";
    server.helm(&["install", "pbx", CHART, "-n", "keeper", "--values", &values, "--set", &account, "--set", monitors]).unwrap();
    // The API server takes a moment to take notice of a policy, and of its binding.
    until(SOON, "a policy in force", || {
        let made = server.try_apply(&pod("try", &json!({})).to_string(), &["-n", namespace, "--dry-run=server", "-o", "json"]);
        let refused = server.try_apply(&pod("try", &json!({CONTAINER: "nobody"})).to_string(), &["-n", namespace, "--dry-run=server"]);
        made.is_ok_and(|made| made.contains("startupz")) && refused.is_err_and(|error| error.contains("Starkeeper: "))
    });
    let made = |pod: &Value| -> Value {
        let made = server.try_apply(&pod.to_string(), &["-n", namespace, "-o", "json"]).unwrap();
        serde_json::from_str(&made).unwrap()
    };

    everything_that_is_needed_is_added(&made(&pod("granted", &json!({}))));
    what_has_a_sidecar_already_is_left_as_it_is(&server, namespace);
    the_annotations_are_obeyed(&made);

    let mut unlabelled = pod("unlabelled", &json!({}));
    unlabelled["metadata"]["labels"] = json!({});
    let spec = &made(&unlabelled)["spec"];
    assert_eq!(spec.get("initContainers"), None);
    assert_eq!((names(&spec["volumes"]), names(&spec["containers"][1]["volumeMounts"])), (vec!["etc"], vec!["etc"]));
    let mut elsewhere = pod("elsewhere", &json!({}));
    elsewhere["metadata"]["namespace"] = json!("keeper");
    server.kubectl(&["-n", "keeper", "create", "serviceaccount", "asterisk"]);
    let admitted = server.try_apply(&elsewhere.to_string(), &["-o", "json"]).unwrap();
    assert!(!admitted.contains("startupz"), "a namespace that was not selected: {admitted}");

    a_pod_that_cannot_be_served_is_refused_in_a_sentence(&server, namespace);
}

fn everything_that_is_needed_is_added(pod: &Value) {
    let spec = &pod["spec"];
    let keeper = sidecar(spec);
    assert_eq!((&keeper["restartPolicy"], &keeper["image"]), (&json!("Always"), &json!("registry.example.com/starkeeper:0.1.0")));
    assert_eq!(keeper["startupProbe"]["httpGet"]["path"], "/startupz");
    assert_eq!(keeper["securityContext"]["runAsGroup"], 1000, "the pod's own group");
    assert_eq!(variable(keeper, "STARKEEPER_NAMES"), Some("pbx.example.com,sip.example.com"));
    assert_eq!(variable(keeper, "STARKEEPER_ASTERISK_CONFIG_DIR"), Some("/etc/asterisk"));
    assert_eq!(variable(keeper, "STARKEEPER_AMI_SECRET_FILE"), None, "it is read from manager.conf");
    assert_eq!(variable(keeper, "STARKEEPER_SERVICE_ACCOUNT"), Some("/var/run/secrets/kubernetes.io/serviceaccount"));
    let settings = settings(variable(keeper, "STARKEEPER_SETTINGS").unwrap());
    let publish = settings.certificate.publish.unwrap();
    assert_eq!((publish.directory.to_str(), publish.gid, publish.mode), (Some("/run/starkeeper/tls"), Some(1000), 0o440));
    assert_eq!(settings.certificate.cert.unwrap().to_str(), Some("/run/starkeeper/source/tls.crt"));
    let volumes = ["etc", "starkeeper-source", "starkeeper-published", "starkeeper-token"];
    assert_eq!(names(&spec["volumes"]), volumes);
    assert_eq!(spec["volumes"][1]["secret"], json!({"secretName": "pbx-tls", "defaultMode": 0o444}));
    assert_eq!(spec["volumes"][2]["emptyDir"], json!({"medium": "Memory", "sizeLimit": "1Mi"}));
    assert_eq!(names(&keeper["volumeMounts"]), ["starkeeper-source", "starkeeper-published", "starkeeper-token", "etc"]);
    let asterisk = &spec["containers"][1];
    assert_eq!((&asterisk["name"], names(&asterisk["volumeMounts"])), (&json!("pbx"), vec!["etc", "starkeeper-published"]));
    let asked = ["startupProbe", "livenessProbe", "readinessProbe"].map(|probe| asterisk[probe]["httpGet"]["path"].as_str().unwrap());
    assert_eq!(asked, ["/livez", "/livez", "/readyz"]);
    assert_eq!(asterisk["livenessProbe"].get("exec"), None, "its own is replaced");
    assert_eq!(spec["containers"][0].get("livenessProbe"), None, "a neighbour is left alone");
}

fn what_has_a_sidecar_already_is_left_as_it_is(server: &ApiServer, namespace: &str) {
    // As a copy of a running pod is made, or a chart that includes it.
    let running = server.get(&["-n", namespace, "pod", "granted"]).unwrap();
    let copy = json!({
        "apiVersion": "v1", "kind": "Pod", "spec": running["spec"],
        "metadata": {"name": "copy", "labels": running["metadata"]["labels"], "annotations": {"starkeeper.dev/secret": "other"}},
    });
    let made = server.try_apply(&copy.to_string(), &["-n", namespace, "-o", "json"]).unwrap_err();
    assert!(made.contains("no container is named `asterisk`"), "{made}");
    let mut copy = copy;
    copy["metadata"]["annotations"][CONTAINER] = json!("pbx");
    let made: Value = serde_json::from_str(&server.try_apply(&copy.to_string(), &["-n", namespace, "-o", "json"]).unwrap()).unwrap();
    assert_eq!(made["spec"]["initContainers"], running["spec"]["initContainers"]);
    assert_eq!(made["spec"]["volumes"], running["spec"]["volumes"]);
    assert_eq!(made["spec"]["containers"], running["spec"]["containers"]);
}

fn the_annotations_are_obeyed(made: &dyn Fn(&Value) -> Value) {
    // In place, with an AMI secret, in another folder, for another group, with the container's own liveness.
    let annotations = json!({
        "starkeeper.dev/mode": "in-place", "starkeeper.dev/directory": "/tls", "starkeeper.dev/gid": "77", "starkeeper.dev/trust": "ca.crt",
        "starkeeper.dev/ami-secret": "pbx-ami", "starkeeper.dev/probes": "keep",
    });
    let mut pod = pod("annotated", &annotations);
    pod["spec"]["securityContext"]["fsGroup"] = json!(1000);
    pod["spec"]["serviceAccountName"] = json!("default");
    pod["spec"]["volumes"] = json!([]);
    pod["spec"]["containers"][1]["volumeMounts"] = json!([]);
    let spec = &made(&pod)["spec"];
    let keeper = sidecar(spec);
    let asterisk = &spec["containers"][1];
    assert_eq!(names(&spec["volumes"]), ["starkeeper-source", "starkeeper-ami"], "no token: the account was not named");
    assert_eq!(
        (&spec["volumes"][0]["secret"]["defaultMode"], &spec["volumes"][1]["secret"]["defaultMode"]),
        (&json!(0o440), &json!(0o440))
    );
    assert_eq!(asterisk["volumeMounts"], json!([{"name": "starkeeper-source", "mountPath": "/tls", "readOnly": true}]));
    assert_eq!(keeper["volumeMounts"][0], asterisk["volumeMounts"][0]);
    assert_eq!(keeper["securityContext"]["runAsGroup"], 77);
    assert_eq!(variable(keeper, "STARKEEPER_AMI_SECRET_FILE"), Some("/run/starkeeper/ami/secret"));
    assert_eq!(variable(keeper, "STARKEEPER_ASTERISK_CONFIG_DIR"), None);
    assert_eq!(variable(keeper, "STARKEEPER_SERVICE_ACCOUNT"), Some("/run/starkeeper/no-account"));
    let settings = settings(variable(keeper, "STARKEEPER_SETTINGS").unwrap());
    assert_eq!((settings.certificate.cert.unwrap().to_str(), settings.certificate.publish), (Some("/tls/tls.crt"), None));
    assert_eq!(asterisk["livenessProbe"].get("exec"), Some(&json!({"command": ["true"]})), "it was to be kept");
    assert_eq!(asterisk["readinessProbe"]["httpGet"]["path"], "/readyz");
}

fn a_pod_that_cannot_be_served_is_refused_in_a_sentence(server: &ApiServer, namespace: &str) {
    for (annotation, value, said) in [
        (
            CONTAINER,
            "nobody",
            "no container is named `nobody` (there are: other, pbx); name Asterisk's container in the annotation starkeeper.dev/container",
        ),
        ("starkeeper.dev/secret", "", "no certificate is named; name its Secret in the annotation starkeeper.dev/secret"),
        ("starkeeper.dev/mode", "inplace", "the annotation starkeeper.dev/mode is `staged` or `in-place`"),
        ("starkeeper.dev/probes", "yes", "the annotation starkeeper.dev/probes is `replace`, `keep` or `none`"),
        ("starkeeper.dev/trust", "me\"", "the annotation starkeeper.dev/trust is `system`, `none` or `ca.crt`"),
        (
            "starkeeper.dev/directory",
            "/tls\"",
            "the annotation starkeeper.dev/directory is an absolute path of letters, digits, `.`, `_` and `-`",
        ),
        ("starkeeper.dev/gid", "asterisk", "the annotation starkeeper.dev/gid is the number of Asterisk's group"),
    ] {
        let error = server.try_apply(&pod("refused", &json!({annotation: value})).to_string(), &["-n", namespace]).expect_err(annotation);
        assert!(error.contains(&format!("denied request: Starkeeper: {said}\n")), "{annotation}: {error}");
    }
    let mut unknown = pod("refused", &json!({}));
    unknown["spec"]["containers"][1]["volumeMounts"][0]["mountPath"] = json!("/elsewhere");
    let error = server.try_apply(&unknown.to_string(), &["-n", namespace]).unwrap_err();
    let said = "Starkeeper: the AMI secret is not known; mount /etc/asterisk from a volume, or name a Secret with the key `secret` in the \
                annotation starkeeper.dev/ami-secret\n";
    assert!(error.contains(said), "{error}");
}

/// Somebody's pod, with a neighbour beside Asterisk; these annotations beside the three that are always there.
fn pod(name: &str, annotations: &Value) -> Value {
    let mut all = json!({CONTAINER: "pbx", "starkeeper.dev/secret": "pbx-tls", "starkeeper.dev/names": "pbx.example.com,sip.example.com"});
    all.as_object_mut().unwrap().extend(annotations.as_object().unwrap().clone());
    let guarded = json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}});
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": {"starkeeper.dev/inject": "true"}, "annotations": all},
        "spec": {
            "serviceAccountName": "asterisk",
            "automountServiceAccountToken": false,
            "securityContext": {"runAsNonRoot": true, "runAsUser": 1000, "runAsGroup": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {"name": "other", "image": "other", "securityContext": guarded},
                {
                    "name": "pbx", "image": "asterisk", "securityContext": guarded, "livenessProbe": {"exec": {"command": ["true"]}},
                    "volumeMounts": [{"name": "etc", "mountPath": "/etc/asterisk", "readOnly": true}],
                },
            ],
            "volumes": [{"name": "etc", "configMap": {"name": "etc"}}],
        },
    })
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().map(|list| list.iter().map(|item| item["name"].as_str().unwrap()).collect()).unwrap_or_default()
}

const CONTAINER: &str = "starkeeper.dev/container";
