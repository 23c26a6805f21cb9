//! Containers that die: a sidecar that is killed, starved or upgraded takes no call with it and not Asterisk; an Asterisk that dies while the
//! Secret is bad comes back with the last good certificate.

use std::time::Duration;

use serde_json::Value;

use crate::{
    call::Call,
    process::Process,
    stage::{SOON, Stage, codes, door, leaf, name, ready_since, restarts, status},
    support::{cluster::container, until, wire::Door},
};

#[test]
fn a_sidecar_that_is_killed_starved_or_upgraded_takes_neither_asterisk_nor_a_call_with_it() {
    let stage = Stage::new("sidecar");
    let (pods, pair) = stage.install(1);
    let pod = &pods[0];
    let mut call = Call::begin(pod);
    let begun = container(pod, "asterisk").unwrap()["containerID"].clone();
    let comes_back = |times: u64| {
        stage.namespace.wait(name(pod), "a sidecar that is back", SOON, |pod| {
            restarts(pod, "starkeeper") == times && status(pod).is_some_and(|status| status["phase"] == "Serving")
        })
    };

    Process::of(pod, "starkeeper").unwrap().kill();
    let pod_now = comes_back(1);
    assert!(call.lives(), "the call, after the sidecar was killed");
    assert_eq!(ended(&pod_now), ("Error", 137));

    Process::of(&pod_now, "starkeeper").unwrap().starve();
    let pod_now = comes_back(2);
    assert!(call.lives(), "the call, after the sidecar was starved");
    assert_eq!(ended(&pod_now), ("OOMKilled", 137));

    stage.namespace.cluster.tag("localhost/starkeeper:dev", "localhost/starkeeper:next");
    stage.namespace.kubectl(&["set", "image", "pod", name(pod), "starkeeper=localhost/starkeeper:next"]);
    let pod_now = comes_back(3);
    assert!(call.lives(), "the call, after the sidecar was upgraded");
    assert_eq!(pod_now["spec"]["initContainers"][0]["image"], "localhost/starkeeper:next");

    assert_eq!((&container(&pod_now, "asterisk").unwrap()["containerID"], restarts(&pod_now, "asterisk")), (&begun, 0));
    assert_eq!((door(pod), leaf(pod)), (Door::Open, Some(pair.fingerprint)));
}

#[test]
fn an_asterisk_killed_while_the_secret_is_bad_comes_back_serving_the_last_good_one() {
    let stage = Stage::new("asterisk");
    let (pods, pair) = stage.install(1);
    let pod = &pods[0];
    stage.secret(&stage.mismatch());
    stage.says(pod, "the rejection", |status| codes(status).contains(&"key-mismatch"));
    assert_eq!((ready_since(&stage.again(pod)), door(pod)), (ready_since(pod), Door::Open));

    Process::of(pod, "asterisk").unwrap().kill();
    let back = stage.namespace.wait(name(pod), "an Asterisk that is back", SOON, |pod| restarts(pod, "asterisk") == 1);
    stage.namespace.ready(name(&back), SOON);
    until(Duration::from_secs(30), "the last good leaf", || leaf(pod) == Some(pair.fingerprint.clone()));
    assert_eq!(door(pod), Door::Open);
    let now = status(pod).unwrap();
    assert_eq!(now["phase"], "Rejected", "{now:#}");
    assert_eq!(restarts(&stage.again(pod), "starkeeper"), 0);
}

/// How a sidecar ended the last time.
fn ended(pod: &Value) -> (&str, i64) {
    let last = &container(pod, "starkeeper").unwrap()["lastState"]["terminated"];
    (last["reason"].as_str().unwrap(), last["exitCode"].as_i64().unwrap())
}
