//! RBAC: the documented Role is enough, and each verb that is missing from it is one finding and one line of the log.

use std::thread;

use rustix::process::Signal;

use super::{
    pod::{LEASE, Permission, ROLE, SECRET, of_the_cluster, permit, put_pod, scene, secret_volume, shared, start, variables, wait},
    support::{agent::Agent, certs::Authority},
};

/// What the finding says of a permission that is missing, and which others cannot even be asked for without it.
fn said((group, resource, verb, name): Permission) -> String {
    let feature = match (resource, verb) {
        ("pods", "patch") | ("secrets", _) => "nudge",
        ("pods" | "pods/status", _) => "condition",
        ("events", _) => "events",
        _ => "rotation",
    };
    let name = match resource {
        "leases" => format!("/{LEASE}"),
        _ if name.is_empty() => String::new(),
        _ => format!("/{name}"),
    };
    let group = if group.is_empty() { String::new() } else { format!(".{group}") };
    format!("{verb} {resource}{group}{name} ({feature})")
}

#[test]
fn each_missing_verb_is_one_finding_and_one_line() {
    let server = shared();
    let pair = Authority::new().issue(&["localhost"]);
    let namespace = "permits";
    scene(&server, namespace, &[], &pair);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tls.crt"), &pair.cert_pem).unwrap();
    std::fs::write(folder.path().join("tls.key"), &pair.key_pem).unwrap();
    put_pod(&server, namespace, "pbx-0", folder.path(), &secret_volume());
    let settings = format!(
        "certificate: {{cert: {0}/tls.crt, key: {0}/tls.key, trust: none}}\nwss: {{address: \"127.0.0.1:1\"}}\n\
         asterisk: {{ami: {{address: \"127.0.0.1:1\"}}}}\n",
        folder.path().display()
    );
    let begin = |number: usize, role: &[Permission]| {
        let account = format!("without-{number}");
        permit(&server, namespace, &account, role);
        start(&settings, &variables(&server, namespace, &account, "pbx-0"))
    };
    let missing_of = |agent: &Agent| {
        let status = agent.wait("the finding", super::pod::SOON, |status| of_the_cluster(status).contains(&"kubernetes-forbidden"));
        assert_eq!(of_the_cluster(&status), ["kubernetes-forbidden"]);
        let finding = status["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "kubernetes-forbidden").unwrap();
        assert_eq!(finding["evidence"]["namespace"], namespace);
        (finding["evidence"]["missing"].as_str().unwrap().to_owned(), finding["evidence"]["user"].as_str().unwrap().to_owned())
    };
    let told_once = |mut agent: Agent| {
        // Who reads the log may be a moment behind; all of it is there once the agent has ended.
        agent.wait_line(0, FORBIDDEN, super::pod::SOON);
        agent.signal(Signal::TERM);
        let (_, _, log) = agent.finish();
        assert_eq!(log.iter().filter(|line| line.contains(FORBIDDEN)).count(), 1, "{log:#?}");
    };
    thread::scope(|scope| {
        // Two at a time: the machine is small.
        for half in [0, 1] {
            let (begin, missing_of, told_once) = (&begin, &missing_of, &told_once);
            scope.spawn(move || {
                for (number, missing) in ROLE.into_iter().enumerate().filter(|(number, _)| number % 2 == half) {
                    let rest: Vec<Permission> = ROLE.into_iter().filter(|permission| *permission != missing).collect();
                    let agent = begin(number, &rest);
                    assert_eq!(missing_of(&agent), (said(missing), format!("without-{number}")));
                    told_once(agent);
                }
            });
        }
    });
    // Nothing at all permitted: still one finding, and the agent goes on.
    let agent = begin(ROLE.len(), &[]);
    let (missing, _) = missing_of(&agent);
    assert_eq!(missing.split(", ").count(), 5, "what hangs on the pod cannot be known without it: {missing}");
    assert_eq!(agent.get("/healthz").0, 200);
    told_once(agent);
    // Once the Role is mended nobody needs to restart anything, but it is looked at rarely: a new agent sees it at once.
    permit(&server, namespace, &format!("without-{}", ROLE.len()), &ROLE);
    let agent = start(&settings, &variables(&server, namespace, &format!("without-{}", ROLE.len()), "pbx-0"));
    wait("an Event of one who may", || {
        let events = super::pod::events(&server, namespace, "CertificateAccepted");
        (!events.is_empty()).then_some(())
    });
    assert_eq!(of_the_cluster(&agent.status()), Vec::<&str>::new());
}

#[test]
fn a_volume_that_no_secret_feeds_is_one_finding_at_most() {
    let server = shared();
    let pair = Authority::new().issue(&["localhost"]);
    let namespace = "volumes";
    scene(&server, namespace, &ROLE, &pair);
    let folder = tempfile::tempdir().unwrap();
    let settings = |cert: &str| {
        format!(
            "certificate: {{cert: {cert}, trust: none}}\nwss: {{address: \"127.0.0.1:1\"}}\nasterisk: {{ami: {{address: \"127.0.0.1:1\"}}}}\n"
        )
    };
    let cert = folder.path().join("tls.crt").display().to_string();
    put_pod(&server, namespace, "csi", folder.path(), "csi: {driver: secrets-store.csi.k8s.io, readOnly: true}");
    let agent = start(&settings(&cert), &variables(&server, namespace, "pbx", "csi"));
    let status = agent.wait("the finding", super::pod::SOON, |status| !of_the_cluster(status).is_empty());
    assert_eq!(of_the_cluster(&status), ["volume-not-watched"]);
    drop(agent);
    server.kubectl(&["-n", namespace, "patch", "secret", SECRET, "-p", r#"{"immutable":true}"#]);
    put_pod(&server, namespace, "immutable", folder.path(), &secret_volume());
    let agent = start(&settings(&cert), &variables(&server, namespace, "pbx", "immutable"));
    let status = agent.wait("the finding", super::pod::SOON, |status| !of_the_cluster(status).is_empty());
    assert_eq!(of_the_cluster(&status), ["secret-immutable"]);
}

/// What its line in the log has.
const FORBIDDEN: &str = r#""code":"kubernetes-forbidden""#;
