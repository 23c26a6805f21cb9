//! Pods written by hand (plain.yaml), from their first moment: Asterisk with the agent as a native sidecar in staged mode, and no access to
//! the API server at all.

use crate::{
    stage::{SOON, Stage, door, leaf, name, restarts},
    support::wire::Door,
};

#[test]
fn asterisk_starts_with_the_first_good_pair_and_the_pod_is_ready_once_a_browser_could_connect() {
    let stage = Stage::new("plain");
    stage.secret(&stage.mismatch());
    stage.namespace.apply(PLAIN);
    let pod = stage.held_back();

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
