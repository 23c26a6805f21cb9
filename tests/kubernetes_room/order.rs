//! Replicas on one Secret: one first, the others once it is proved and one at a time; a holder that died is taken over; what is not proved
//! goes no further; what all reject is told by one.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::Path,
    thread,
    time::Duration,
};

use starkeeper::clock::Tick;

use super::{
    pod::{ROLE, Replica, SOON, events, lease, of_the_cluster, scene, shared, wait},
    support::{
        apiserver::ApiServer,
        asterisk::{Asterisk, Version},
        certs::{Authority, Pair, Writing},
        wire,
    },
};

const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "pbx.example.com"];

/// Three replicas that serve this pair.
fn replicas(server: &ApiServer, namespace: &str, pair: &Pair, kubernetes: &str) -> Vec<Replica> {
    scene(server, namespace, &ROLE, pair);
    let start = |number: usize| {
        let asterisk = Asterisk::build(Version::V22).pair(pair).start();
        Replica::start(server, namespace, &format!("pbx-{number}"), asterisk, kubernetes)
    };
    let replicas: Vec<Replica> = thread::scope(|scope| {
        let starting: Vec<_> = (0..3).map(|number| scope.spawn(move || start(number))).collect();
        starting.into_iter().map(|one| one.join().unwrap()).collect()
    });
    for replica in &replicas {
        replica.serves(pair);
    }
    replicas
}

/// Puts a good pair there whose key Asterisk's user cannot read: a reload takes its door down.
pub(super) fn withhold(folder: &Path, pair: &Pair) {
    for (name, text, mode) in [("tls.key", &pair.key_pem, 0o600), ("tls.crt", &pair.cert_pem, 0o644)] {
        let beside = folder.join(format!("{name}.new"));
        fs::write(&beside, text).unwrap();
        chown(&beside, Some(0), Some(0)).unwrap();
        fs::set_permissions(&beside, fs::Permissions::from_mode(mode)).unwrap();
        fs::rename(&beside, folder.join(name)).unwrap();
    }
}

/// From its turn to its proof.
fn span(replica: &Replica, mark: usize) -> (Tick, Tick) {
    (replica.agent.wait_line(mark, "our turn", SOON).0, replica.agent.wait_line(mark, "rotation proved", SOON).0)
}

#[test]
fn three_replicas_rotate_one_after_the_other_and_one_tells_what_all_reject() {
    let server = shared();
    let namespace = "order";
    let authority = Authority::new();
    let first = authority.issue(&NAMES);
    let replicas = replicas(&server, namespace, &first, "{}");
    let marks: Vec<usize> = replicas.iter().map(|replica| replica.agent.mark()).collect();
    let second = authority.issue(&NAMES);
    for replica in &replicas {
        replica.mount(&second);
    }
    let mut spans: Vec<_> = replicas.iter().zip(&marks).map(|(replica, mark)| span(replica, *mark)).collect();
    for replica in &replicas {
        replica.serves(&second);
    }
    spans.sort_by_key(|(turn, _)| *turn);
    for pair in spans.windows(2) {
        assert!(pair[0].1 <= pair[1].0, "two at a time: {spans:?}");
    }
    println!("three replicas, one after the other: {:?}", spans[2].1 - spans[0].0);
    wait("the end", || lease(&server, namespace, "turns").is_none().then_some(()));
    assert_eq!(lease(&server, namespace, "outcome").as_deref(), Some("proved"));
    let bad = authority.issue(&NAMES).with_key_of(&authority.issue(&NAMES));
    for replica in &replicas {
        replica.mount(&bad);
    }
    for replica in &replicas {
        replica.agent.wait("the rejection", SOON, |status| status["files"]["verdict"] == "rejected");
        assert_eq!(wire::served(replica.asterisk.ports.wss).map(|served| served.fingerprint), Some(second.fingerprint.clone()));
    }
    wait("the claim", || lease(&server, namespace, "rejected"));
    wait("the Event", || events(&server, namespace, "CertificateRejected").pop());
    // The others have had their say once they have told what comes after.
    let third = authority.issue(&NAMES);
    for replica in &replicas {
        replica.mount(&third);
    }
    for replica in &replicas {
        replica.serves(&third);
    }
    wait("everybody's word", || {
        let told = events(&server, namespace, "CertificateServed");
        let of_third = told.iter().filter(|event| event["note"].as_str().is_some_and(|note| note.contains(&third.fingerprint)));
        (of_third.count() == 3).then_some(())
    });
    let told = events(&server, namespace, "CertificateRejected");
    assert_eq!(told.len(), 1, "{told:#?}");
}

#[test]
fn what_is_not_proved_on_the_first_stops_the_others_until_it_is() {
    let server = shared();
    let namespace = "stopped";
    let authority = Authority::new();
    let first = authority.issue(&NAMES);
    let replicas = replicas(&server, namespace, &first, "{rotation: {timeout: 30s}}");
    let second = authority.issue(&NAMES);
    let mark = replicas[0].agent.mark();
    withhold(&replicas[0].asterisk.tls(), &second);
    replicas[0].agent.wait_line(mark, "our turn", SOON);
    for replica in &replicas[1..] {
        replica.mount(&second);
    }
    wait("the failure", || lease(&server, namespace, "outcome").filter(|outcome| outcome == "failed"));
    assert_eq!(lease(&server, namespace, "by").as_deref(), Some("pbx-0"));
    for replica in &replicas[1..] {
        let status = replica.agent.wait("to be stopped", SOON, |status| status["turn"] == "stopped");
        assert_eq!(of_the_cluster(&status), ["rotation-stopped"]);
        let finding = status["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "rotation-stopped").unwrap();
        assert_eq!((&finding["evidence"]["pod"], &finding["severity"]), (&"pbx-0".into(), &"warning".into()));
        assert_eq!(wire::served(replica.asterisk.ports.wss).map(|served| served.fingerprint), Some(first.fingerprint.clone()));
        assert_eq!(replica.agent.get("/readyz").0, 200);
    }
    // Somebody lets Asterisk read it: it heals, and the others follow.
    second.write(&replicas[0].asterisk.tls(), Writing::Renames);
    for replica in &replicas {
        replica.serves(&second);
    }
}

#[test]
fn a_holder_that_was_killed_is_taken_over_once_its_lease_ran_out() {
    let server = shared();
    let namespace = "killed";
    let authority = Authority::new();
    let first = authority.issue(&NAMES);
    let mut others = replicas(&server, namespace, &first, "{}");
    others.truncate(2);
    // Asterisk reads other files than this agent watches: it reloads and reloads, and the wire shows nothing of it.
    let folder = tempfile::tempdir().unwrap();
    first.write(folder.path(), Writing::Renames);
    let asterisk = Asterisk::build(Version::V22).pair(&first).start();
    let holder = Replica::start_in(&server, namespace, "pbx-9", asterisk, folder.path().to_owned(), "{}");
    holder.serves(&first);
    let mark = holder.agent.mark();
    let second = authority.issue(&NAMES);
    holder.mount(&second);
    let (taken, _) = holder.agent.wait_line(mark, "our turn", SOON);
    drop(holder);
    assert_eq!(
        (lease(&server, namespace, "by").as_deref(), lease(&server, namespace, "outcome").as_deref()),
        (Some("pbx-9"), Some("open"))
    );
    let marks: Vec<usize> = others.iter().map(|replica| replica.agent.mark()).collect();
    for replica in &others {
        replica.mount(&second);
    }
    let mut spans: Vec<_> = others.iter().zip(&marks).map(|(replica, mark)| span(replica, *mark)).collect();
    spans.sort_by_key(|(turn, _)| *turn);
    assert!(spans[0].1 <= spans[1].0, "{spans:?}");
    for (replica, mark) in others.iter().zip(&marks) {
        // Who waits says so.
        replica.agent.wait_line(*mark, r#""message":"found","code":"rotation-waiting""#, SOON);
    }
    let after = spans[0].0 - taken;
    assert!(after >= Duration::from_secs(15), "{after:?}");
    println!("the killed holder was taken over {after:?} after it had its turn");
}
