//! What Kubernetes itself may lack for a while: its API server, the agent's rights, the Secret. Doors and health stay as they are, the
//! finding says what is missing, and what comes back is taken up without anybody's help.

use std::{env, thread, time::Duration};

use serde_json::Value;
use starkeeper::clock;

use crate::{
    stage::{AGENT, SOON, Stage, WSS, codes, door, name, ready_since, status},
    support::{
        agent::ask,
        cluster::{address, condition},
        until,
        wire::{Door, Sampler},
    },
};

#[test]
fn an_api_server_that_is_away_changes_no_door_and_no_health_and_a_secret_changed_after_it_is_served() {
    let stage = Stage::alone("away");
    let (pods, pair) = stage.install(1);
    let pod = &pods[0];
    let doors = Sampler::start(address(pod, WSS).unwrap(), Duration::from_millis(200));

    let outage = stage.namespace.cluster.without_control_plane();
    let began = clock::tick();
    while clock::tick() - began < away() {
        assert_healthy(pod);
        thread::sleep(Duration::from_millis(500));
    }
    // An absence of a minute is worth a word.
    stage.says(pod, "the finding", |status| codes(status) == ["kubernetes-unreachable"]);
    assert_healthy(pod);
    drop(outage);
    let report = doors.stop();
    assert_eq!((report.failures(), report.fingerprints()), (vec![], vec![pair.fingerprint.as_str()]));

    stage.says(pod, "the finding to go", |status| codes(status).is_empty());
    assert_eq!(ready_since(&stage.namespace.ready(name(pod), SOON)), ready_since(pod));
    let next = stage.pair();
    stage.secret(&next);
    stage.serves_within(KUBELET, pod, &next);
}

#[test]
fn rights_that_are_taken_away_and_a_secret_that_is_deleted_change_no_door_and_no_health() {
    let stage = Stage::new("rights");
    let (pods, pair) = stage.install(1);
    let pod = &pods[0];
    let doors = Sampler::start(address(pod, WSS).unwrap(), Duration::from_millis(200));

    // A Secret that is gone stays mounted as it was.
    stage.namespace.kubectl(&["delete", "secret", "tls"]);
    stage.nudge(pod);
    stage.namespace.kubectl(&["delete", "rolebinding", "pbx"]);
    let forbidden = |pod: &Value| status(pod).is_some_and(|status| codes(&status).contains(&"kubernetes-forbidden"));
    until(SOON, "the finding", || forbidden(pod));
    assert_healthy(pod);
    let now = status(pod).unwrap();
    assert_eq!((now["phase"].as_str(), codes(&now).as_slice()), (Some("Serving"), ["kubernetes-forbidden"].as_slice()), "{now:#}");

    // What takes the Secret's place is served: the kubelet brings it, with or without the agent's nudge.
    let mut next = stage.pair();
    stage.secret(&next);
    stage.nudge(pod);
    stage.serves(pod, &next);
    if env::var_os("AWAY").is_some() {
        let began = clock::tick();
        next = stage.pair();
        stage.secret(&next);
        stage.serves(pod, &next);
        eprintln!("from the Secret to the leaf on the wire by the kubelet alone: {:.1?}", clock::tick() - began);
    }
    let report = doors.stop();
    // A reload closes the listening socket for a few milliseconds: somebody may have to knock twice, once for each.
    assert!(report.failures().len() <= 2, "{:?}", report.failures());
    // Whether its last look still met the new one is the clock's to say.
    assert_eq!(report.fingerprints().first(), Some(&pair.fingerprint.as_str()));

    // Rights are asked for again every few minutes.
    let account = format!("--serviceaccount={}:pbx", stage.namespace.name);
    stage.namespace.kubectl(&["create", "rolebinding", "pbx", "--role=pbx", &account]);
    if env::var_os("AWAY").is_some() {
        until(Duration::from_secs(400), "the finding to go", || !forbidden(pod));
    }
    let after = stage.again(pod);
    assert_eq!((door(pod), ready_since(&after), condition(&after, "Ready")), (Door::Open, ready_since(pod), Some("True")));
}

fn assert_healthy(pod: &Value) {
    for path in ["/readyz", "/livez", "/healthz", "/startupz"] {
        let answer = ask(address(pod, AGENT).unwrap(), &format!("GET {path}"), "").map(|(code, _)| code).ok();
        assert_eq!(answer, Some(200), "{path}");
    }
}

/// The kubelet asks for pods and for Secrets again up to a minute after each time in vain, and an API server that is only just there can be
/// one more of those.
const KUBELET: Duration = Duration::from_secs(300);

/// How long the API server is away: a minute, or `AWAY` seconds in a long run, which also waits for all that comes by itself in the end.
fn away() -> Duration {
    Duration::from_secs(env::var("AWAY").ok().and_then(|text| text.parse().ok()).unwrap_or(60))
}
