//! A pod written by hand (pod.yaml): Asterisk with the agent as a native sidecar in staged mode, and no access to the API server at all.

use std::time::Duration;

use crate::{
    stage::{SOON, Stage, codes, door, leaf, status},
    support::{
        cluster::{condition, container},
        until,
        wire::Door,
    },
};

#[test]
fn asterisk_starts_with_the_first_good_pair_and_the_pod_is_ready_once_a_browser_could_connect() {
    let stage = Stage::new("plain");
    stage.secret(&stage.mismatch());
    stage.namespace.apply(include_str!("pod.yaml"));
    let held = stage
        .namespace
        .wait("pbx", "held back by its sidecar", SOON, |pod| status(pod).is_some_and(|status| codes(&status).contains(&"key-mismatch")));
    let waiting = |pod| container(pod, "asterisk").map(|status| status["state"]["waiting"]["reason"].clone());
    assert_eq!(waiting(&held), Some("PodInitializing".into()), "{held:#}");
    assert_eq!((condition(&held, "Ready"), door(&held)), (Some("False"), Door::Refused));

    let good = stage.pair();
    stage.secret(&good);
    stage.nudge("pbx");
    let pod = stage.namespace.ready("pbx", SOON);
    assert_eq!((door(&pod), leaf(&pod)), (Door::Open, Some(good.fingerprint.clone())));

    // A rotation, brought at once: the next leaf is served by the same Asterisk.
    let next = stage.pair();
    stage.secret(&next);
    stage.nudge("pbx");
    until(Duration::from_secs(30), "the next leaf", || leaf(&pod) == Some(next.fingerprint.clone()));
    let after = stage.namespace.ready("pbx", SOON);
    assert_eq!(container(&after, "asterisk").unwrap()["restartCount"], 0, "{after:#}");
}
