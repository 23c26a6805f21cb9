//! What Kubernetes itself may lack for a while: its API server, the Secret. Doors and health stay as they are, and what comes back is taken up.

use std::{thread, time::Duration};

use starkeeper::clock;

use crate::{
    stage::{AGENT, SOON, Stage, WSS, door, leaf, ready_since, status},
    support::{
        agent::ask,
        cluster::{address, condition},
        until,
        wire::{Door, Sampler},
    },
};

#[test]
fn an_api_server_that_is_away_for_a_minute_and_a_secret_that_is_deleted_change_no_door_and_no_health() {
    let stage = Stage::alone("away");
    let (pods, pair) = stage.install(1);
    let pod = &pods[0];
    let agent = address(pod, AGENT).unwrap();
    let doors = Sampler::start(address(pod, WSS).unwrap(), Duration::from_millis(200));

    stage.namespace.cluster.stop("apiserver");
    let began = clock::tick();
    while clock::tick() - began < AWAY {
        for path in ["/readyz", "/livez", "/healthz", "/startupz"] {
            let answer = ask(agent, &format!("GET {path}"), "").map(|(code, _)| code).ok();
            assert_eq!(answer, Some(200), "{path} after {:?}", clock::tick() - began);
        }
        thread::sleep(Duration::from_millis(500));
    }
    stage.namespace.cluster.resume("apiserver");
    let after = stage.namespace.ready(pod["metadata"]["name"].as_str().unwrap(), SOON);
    assert_eq!(ready_since(&after), ready_since(pod));

    // A Secret that is gone stays mounted as it was.
    stage.namespace.kubectl(&["delete", "secret", "tls"]);
    stage.nudge(pod);
    let now = status(pod).unwrap();
    assert_eq!(now["phase"], "Serving", "{now:#}");
    let report = doors.stop();
    assert_eq!((report.failures(), report.fingerprints()), (vec![], vec![pair.fingerprint.as_str()]));

    // What takes its place is served, without anybody's help.
    let next = stage.pair();
    stage.secret(&next);
    stage.nudge(pod);
    until(SOON, "the next leaf", || leaf(pod) == Some(next.fingerprint.clone()));
    assert_eq!((door(pod), condition(&stage.again(pod), "Ready")), (Door::Open, Some("True")));
}

/// How long the API server is away.
const AWAY: Duration = Duration::from_secs(60);
