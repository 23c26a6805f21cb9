//! What a real API server says of everything that is rendered, and what `helm install` and `helm upgrade` leave there.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use serde_json::json;

use crate::{
    kitchen::{CHART, file, kustomize, may, objects, parent, pod_of, restricted, server, template, the},
    support::kubectl::{Kubectl, run},
};

#[test]
fn the_api_server_takes_all_of_it_and_the_restricted_standard_admits_every_pod() {
    let server = server();
    restricted(&server, "voice");
    // The real definitions: what their operators would refuse is refused.
    let definitions = run(&mut Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/crds.sh")), "").unwrap();
    server.kubectl(&["create", "-f", definitions.trim()]);
    server.kubectl(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"]);
    let values = |name: &str| template(CHART, &["--values", &file(&format!("values/{name}.yaml"))]).unwrap();
    let included = template(parent().path().to_str().unwrap(), &[]).unwrap();
    let kustomized = ["example/staged", "example/in-place"].map(kustomize);
    let [staged, in_place] = &kustomized;
    for (what, yaml) in [
        ("standalone", &values("standalone")),
        ("everything", &values("everything")),
        ("inject", &values("inject")),
        ("monitoring", &values("monitoring")),
        ("include", &included),
        ("staged", staged),
        ("in place", in_place),
    ] {
        // Unknown fields are errors, and not dropped.
        let words = ["-n", "voice", "--dry-run=server", "--validate=strict"];
        server.try_apply(yaml, &words).unwrap_or_else(|error| panic!("{what}: {error}"));
        for workload in objects(yaml).iter().filter(|object| object["kind"] == "Deployment") {
            let mut pod = pod_of(workload, "one");
            pod["spec"]["serviceAccountName"] = json!("asterisk");
            server.try_apply(&pod.to_string(), &words).unwrap_or_else(|error| panic!("{what}: {error}"));
        }
    }
    // What would show that this admission is strict.
    let objects = objects(staged);
    let mut pod = pod_of(the(&objects, "Deployment"), "one");
    pod["spec"]["initContainers"][0]["securityContext"]["runAsNonRoot"] = json!(false);
    let error = server.try_apply(&pod.to_string(), &["-n", "voice", "--dry-run=server"]).unwrap_err();
    assert!(error.contains("violates PodSecurity \"restricted:latest\""), "{error}");
}

#[test]
fn installed_it_says_how_to_see_it_and_an_upgrade_keeps_what_was_made_once() {
    let server = server();
    restricted(&server, "trial");
    let set = "asterisk.enabled=true,asterisk.image.repository=asterisk,certificate.generate=true";
    let said = server.helm(&["install", "pbx", CHART, "-n", "trial", "--set", set]).unwrap();
    let notes = said.split_once("NOTES:\n").unwrap().1;
    insta::assert_snapshot!("notes", notes);
    let secret = |name: &str| server.get(&["-n", "trial", "secret", name]).unwrap()["data"].clone();
    let (ami, tls) = (secret("pbx-starkeeper-ami"), secret("pbx-starkeeper-tls"));
    assert_eq!(tls.as_object().unwrap().keys().collect::<Vec<_>>(), ["ca.crt", "tls.crt", "tls.key"]);
    the_pair_that_was_made_is_one_that_browsers_take(&server);
    server.helm(&["upgrade", "pbx", CHART, "-n", "trial", "--set", set, "--set", "asterisk.replicas=2"]).unwrap();
    assert_eq!((secret("pbx-starkeeper-ami"), secret("pbx-starkeeper-tls")), (ami, tls));
    // The pods stay as they are: neither Secrets nor the number of them is part of a pod.
    let template = |revision: &str| {
        let manifest = server.helm(&["get", "manifest", "pbx", "-n", "trial", "--revision", revision]).unwrap();
        the(&objects(&manifest), "Deployment")["spec"]["template"].clone()
    };
    assert_eq!(template("1"), template("2"));
    the_account_may_do_just_what_is_switched_on(&server, "trial", "pbx-starkeeper", "pbx-starkeeper-tls");

    let off = "kubernetes.events=false,kubernetes.condition=false,kubernetes.nudge=false,kubernetes.rotation=false";
    server.helm(&["upgrade", "pbx", CHART, "-n", "trial", "--set", set, "--set", off]).unwrap();
    assert!(!may(&server, "trial", "pbx-starkeeper", "create events.events.k8s.io"));
    let deployed = server.get(&["-n", "trial", "deployment", "pbx-starkeeper"]).unwrap();
    let volumes = &deployed["spec"]["template"]["spec"]["volumes"];
    assert!(volumes.is_array() && !volumes.to_string().contains("serviceAccountToken"), "no token: {volumes:#}");
}

fn the_pair_that_was_made_is_one_that_browsers_take(kubectl: &Kubectl) {
    let folder = tempfile::tempdir().unwrap();
    for key in ["tls.crt", "tls.key", "ca.crt"] {
        let template = format!("go-template={{{{index .data \"{key}\" | base64decode}}}}");
        let text = kubectl.kubectl(&["-n", "trial", "get", "secret", "pbx-starkeeper-tls", "-o", &template]);
        fs::write(folder.path().join(key), text).unwrap();
        fs::set_permissions(folder.path().join(key), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let mut check = Command::new(env!("CARGO_BIN_EXE_starkeeper"));
    check.args(["check", "--strict", "--cert", "tls.crt", "--key", "tls.key", "--ca", "ca.crt"]).current_dir(folder.path());
    for name in ["pbx-starkeeper", "pbx-starkeeper.trial.svc", "localhost", "127.0.0.1"] {
        check.args(["--name", name]);
    }
    let said = check.output().unwrap();
    assert!(said.status.success(), "{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
}

fn the_account_may_do_just_what_is_switched_on(kubectl: &Kubectl, namespace: &str, account: &str, secret: &str) {
    let named = |verb: &str, name: &str| format!("{verb} secrets/{name}");
    for (what, expected) in [
        ("create events.events.k8s.io".to_owned(), true),
        ("patch events.events.k8s.io".to_owned(), true),
        ("get pods".to_owned(), true),
        ("patch pods".to_owned(), true),
        ("patch pods --subresource=status".to_owned(), true),
        (named("watch", secret), true),
        (named("list", secret), true),
        (named("get", secret), false),
        (named("watch", "pbx-starkeeper-ami"), false),
        ("watch secrets".to_owned(), false),
        ("create leases.coordination.k8s.io".to_owned(), true),
        (format!("update leases.coordination.k8s.io/starkeeper-{secret}"), true),
        ("update leases.coordination.k8s.io/other".to_owned(), false),
        ("delete leases.coordination.k8s.io".to_owned(), false),
        ("delete pods".to_owned(), false),
        ("create pods --subresource=exec".to_owned(), false),
    ] {
        assert_eq!(may(kubectl, namespace, account, &what), expected, "{what}");
    }
}
