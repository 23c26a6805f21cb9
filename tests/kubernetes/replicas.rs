//! Three replicas on one Secret: a bad one darkens no door and unreadies no pod, and mending it reaches all three.

use std::time::Duration;

use crate::{
    stage::{SOON, Stage, WSS, codes, leaf, ready_since, status},
    support::{cluster::address, until, wire::Sampler},
};

#[test]
fn a_bad_secret_on_three_replicas_shuts_no_door_and_unreadies_no_pod_and_mending_it_reaches_all() {
    let stage = Stage::new("replicas");
    let (pods, first) = stage.install(3);
    let samplers: Vec<_> = pods.iter().map(|pod| Sampler::start(address(pod, WSS).unwrap(), Duration::from_millis(200))).collect();

    stage.secret(&stage.mismatch());
    for pod in &pods {
        stage.nudge(pod);
        until(SOON, "the rejection", || status(pod).is_some_and(|status| codes(&status).contains(&"key-mismatch")));
    }
    let mended = stage.pair();
    stage.secret(&mended);
    for pod in &pods {
        stage.nudge(pod);
    }
    for pod in &pods {
        until(SOON, "the mended pair", || leaf(pod) == Some(mended.fingerprint.clone()));
    }
    for sampler in samplers {
        let report = sampler.stop();
        assert_eq!(report.fingerprints(), [&first.fingerprint, &mended.fingerprint]);
        // A reload closes the listening socket for a few milliseconds: somebody may have to knock twice, once.
        assert!(report.failures().len() <= 1, "{:?}", report.failures());
        assert!(report.longest_outage() < Duration::from_secs(1), "{:?}", report.longest_outage());
    }
    let after = stage.pods();
    assert_eq!(after.iter().map(ready_since).collect::<Vec<_>>(), pods.iter().map(ready_since).collect::<Vec<_>>());
}
