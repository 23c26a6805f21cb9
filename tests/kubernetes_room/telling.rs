//! What is told to Kubernetes is what the wire shows: Events on transitions, the pod condition, the nudge and the lag of the volume.

use std::time::Duration;

use starkeeper::clock;

use super::{
    pod::{ROLE, Replica, SECRET, SOON, condition, events, lease, of_the_cluster, put_secret, scene, shared, wait},
    support::{
        asterisk::{Asterisk, Version},
        certs::{Authority, Writing},
    },
};

const DAY: Duration = Duration::from_secs(24 * 3600);
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "pbx.example.com"];

#[test]
fn a_rotation_in_a_pod_is_nudged_proved_and_told() {
    let server = shared();
    let namespace = "telling";
    let authority = Authority::new();
    let first = authority.issue(&NAMES);
    scene(&server, namespace, &ROLE, &first);
    let asterisk = Asterisk::build(Version::V22).pair(&first).start();
    let mut replica = Replica::start(&server, namespace, "pbx-0", asterisk, "{}");
    replica.serves(&first);
    wait("the condition", || {
        condition(&server, namespace, "pbx-0").filter(|condition| condition["status"] == "True" && condition["reason"] == "Serving")
    });
    for reason in ["CertificateAccepted", "CertificateServed"] {
        let told = wait(reason, || events(&server, namespace, reason).pop());
        assert_eq!((&told["regarding"]["name"], &told["type"]), (&"pbx-0".into(), &"Normal".into()));
        assert!(told["note"].as_str().unwrap().contains(&first.fingerprint), "{told}");
    }
    assert_eq!(of_the_cluster(&replica.agent.status()), Vec::<&str>::new(), "the documented Role is enough");

    // The Secret changes: the kubelet is nudged before anything else happens.
    let second = authority.leaf(&NAMES).valid(clock::wall() - 30 * DAY, clock::wall() + 5 * DAY).issue();
    let mark = replica.agent.mark();
    let began = clock::tick();
    put_secret(&server, namespace, &second);
    let written = clock::tick();
    let (nudged, _) = replica.agent.wait_line(mark, "the kubelet was nudged", SOON);
    let annotation = server.get(&["pod", "pbx-0", "-n", namespace]).unwrap()["metadata"]["annotations"]["starkeeper.dev/nudge"].clone();
    assert!(annotation.as_str().is_some_and(|mark| mark.ends_with(".1")), "{annotation}");
    println!("the Secret was written within {:?}, and the nudge stood {:?} after it was begun", written - began, nudged - began);
    assert!(replica.agent.status()["volumeLagSeconds"].as_f64().is_some_and(|lag| lag > 0.0), "the files are behind");
    replica.mount(&second);
    let status = replica.serves(&second);
    let lag = status["volumeLagSeconds"].as_f64().unwrap();
    println!("the volume lagged {lag:.3} s");
    assert!(lag > 0.0 && lag < 60.0, "{lag}");
    let metrics = replica.agent.get("/metrics").1;
    assert!(metrics.contains(&format!("starkeeper_volume_lag_seconds {lag}")), "{metrics}");
    assert!(metrics.contains("starkeeper_dropped_total{queue=\"kubernetes-events\"} 0\n"), "{metrics}");
    wait("the proof on the Lease", || lease(&server, namespace, "outcome").filter(|outcome| outcome == "proved"));
    assert_eq!(lease(&server, namespace, "by").as_deref(), Some("pbx-0"));
    wait("CertificateExpiring", || events(&server, namespace, "CertificateExpiring").pop());

    // A bad pair is told once, and unreadies nothing.
    let bad = authority.issue(&NAMES).with_key_of(&authority.issue(&NAMES));
    replica.mount(&bad);
    let told = wait("CertificateRejected", || events(&server, namespace, "CertificateRejected").pop());
    let note = told["note"].as_str().unwrap();
    assert!(note.starts_with("key-mismatch: ") && note.len() <= 1024 && told["type"] == "Warning", "{note}");
    let stands = wait("the reason", || condition(&server, namespace, "pbx-0").filter(|condition| condition["reason"] == "Rejected"));
    assert_eq!(stands["status"], "True", "a rejected new pair unreadies nothing");

    // Somebody reloads it by hand: dark. The repair heals. Each is told.
    replica.asterisk.manager().reload("http").unwrap();
    wait("the condition to say so", || condition(&server, namespace, "pbx-0").filter(|condition| condition["status"] == "False"));
    replica.mount(&second);
    replica.serves(&second);
    wait("the condition to be True again", || condition(&server, namespace, "pbx-0").filter(|condition| condition["status"] == "True"));

    // Asterisk dies.
    replica.asterisk.kill();
    let told = wait("AsteriskUnreachable", || events(&server, namespace, "AsteriskUnreachable").pop());
    assert_eq!(told["type"], "Warning");
    let stands =
        wait("the condition to say so", || condition(&server, namespace, "pbx-0").filter(|condition| condition["status"] == "False"));
    assert_ne!(stands["reason"], "Serving");
    let rejected = events(&server, namespace, "CertificateRejected");
    assert_eq!(rejected.len(), 1, "{rejected:#?}");
    assert_eq!(of_the_cluster(&replica.agent.status()), Vec::<&str>::new());
}

#[test]
fn a_wedge_and_its_heal_are_told() {
    let server = shared();
    let namespace = "wedge";
    let authority = Authority::new();
    let first = authority.issue(&NAMES);
    scene(&server, namespace, &ROLE, &first);
    // Asterisk cannot read what the agent can: the door goes dark, and stays so until somebody gives it the key.
    let asterisk = Asterisk::build(Version::V22).pair(&first).start();
    let replica = Replica::start(&server, namespace, "pbx-0", asterisk, "{nudge: off}");
    replica.serves(&first);
    let second = authority.issue(&NAMES);
    super::order::withhold(&replica.asterisk.tls(), &second);
    wait("ListenerWedged", || events(&server, namespace, "ListenerWedged").pop());
    second.write(&replica.asterisk.tls(), Writing::Renames);
    replica.serves(&second);
    let healed = wait("ListenerHealed", || events(&server, namespace, "ListenerHealed").pop());
    assert_eq!(healed["type"], "Normal");
    let secret = server.get(&["pod", "pbx-0", "-n", namespace]).unwrap();
    assert!(secret["metadata"]["annotations"]["starkeeper.dev/nudge"].is_null(), "nobody asked for nudges of {SECRET}");
}
