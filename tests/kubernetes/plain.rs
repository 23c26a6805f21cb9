//! Pods written by hand (plain.yaml), from their first moment: Asterisk with the agent as a native sidecar in staged mode, and no access to
//! the API server at all.

use crate::{
    stage::{SOON, Stage, codes, door, leaf, name, restarts, status},
    support::{
        cluster::{condition, container},
        until_some,
        wire::Door,
    },
};

#[test]
fn asterisk_starts_with_the_first_good_pair_and_the_pod_is_ready_once_a_browser_could_connect() {
    let stage = Stage::new("plain");
    stage.secret(&stage.mismatch());
    stage.namespace.apply(PLAIN);
    let pod = until_some(SOON, "the pod", || stage.pods().pop());
    let held = stage.namespace.wait(name(&pod), "held back by its sidecar", SOON, |pod| {
        status(pod).is_some_and(|status| codes(&status).contains(&"key-mismatch"))
    });
    let waiting = |pod| container(pod, "asterisk").map(|status| status["state"]["waiting"]["reason"].clone());
    assert_eq!(waiting(&held), Some("PodInitializing".into()), "{held:#}");
    assert_eq!((condition(&held, "Ready"), door(&held)), (Some("False"), Door::Refused));

    let good = stage.pair();
    stage.secret(&good);
    stage.nudge(&pod);
    let pod = stage.namespace.ready(name(&pod), SOON);
    assert_eq!((door(&pod), leaf(&pod)), (Door::Open, Some(good.fingerprint.clone())));

    // A rotation, brought at once: the next leaf is served by the same Asterisk.
    let next = stage.pair();
    stage.secret(&next);
    stage.nudge(&pod);
    stage.serves(&pod, &next);
    assert_eq!(restarts(&stage.again(&pod), "asterisk"), 0);
}

/// The ConfigMap of Asterisk alone, for pods that others write.
pub(crate) fn configuration() -> &'static str {
    PLAIN.split("\n---\n").next().unwrap()
}

const PLAIN: &str = include_str!("plain.yaml");
