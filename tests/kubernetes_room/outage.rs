//! An API server that goes away and comes back: the agent's own work goes on, what it had to tell is told then, what others changed is put
//! right, and the log stays quiet.

use std::time::Duration;

use starkeeper::clock;

use super::{
    pod::{ROLE, Replica, condition, events, scene, wait},
    support::{
        apiserver::ApiServer,
        asterisk::{Asterisk, Version},
        certs::Authority,
    },
};

const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "pbx.example.com"];

#[test]
fn an_api_server_that_is_away_hurts_nobody_and_hears_the_rest_later() {
    // One of its own: others would miss it.
    let mut server = ApiServer::start();
    let namespace = "outage";
    let authority = Authority::new();
    let first = authority.issue(&NAMES);
    scene(&server, namespace, &ROLE, &first);
    let asterisk = Asterisk::build(Version::V22).pair(&first).start();
    let replica = Replica::start(&server, namespace, "pbx-0", asterisk, "{rotation: {timeout: 2s}}");
    replica.serves(&first);
    let is_true = |server: &ApiServer| condition(server, namespace, "pbx-0").filter(|condition| condition["status"] == "True");
    wait("the condition", || is_true(&server));
    wait("CertificateServed", || (!events(&server, namespace, "CertificateServed").is_empty()).then_some(()));

    // Somebody says otherwise, and is put right.
    let lie = r#"{"status":{"conditions":[{"type":"starkeeper.dev/WssServing","status":"False","reason":"Lie"}]}}"#;
    server.kubectl(&["-n", namespace, "patch", "pod", "pbx-0", "--subresource=status", "-p", lie]);
    let stands = wait("the truth", || is_true(&server));
    assert_eq!(stands["reason"], "Serving");

    // Away: a rotation waits for the Lease as long as it is told to, and goes alone.
    let mark = replica.agent.mark();
    server.pause();
    let second = authority.leaf(&NAMES).valid(clock::wall(), clock::wall() + Duration::from_secs(50 * 24 * 3600)).issue();
    replica.mount(&second);
    replica.agent.wait_line(mark, "going alone", super::pod::SOON);
    replica.serves(&second);
    assert_eq!(replica.agent.get("/readyz").0, 200);
    let fingerprint = |event: &serde_json::Value| event["note"].as_str().is_some_and(|note| note.contains(&second.fingerprint));
    server.resume();
    wait("what happened meanwhile", || events(&server, namespace, "CertificateServed").into_iter().find(fingerprint));
    let until = replica.agent.status()["surfaces"][0]["served"]["notAfter"].clone();
    wait("the condition to tell of the new one", || {
        is_true(&server).filter(|condition| condition["message"].as_str().is_some_and(|message| message.contains(until.as_str().unwrap())))
    });
    let stormy: Vec<_> = replica
        .agent
        .log()
        .into_iter()
        .skip(mark)
        .filter(|line| line.contains(r#""level":"WARN""#) || line.contains(r#""level":"ERROR""#))
        .collect();
    assert_eq!(stormy, Vec::<String>::new());
    let lines = replica.agent.log().len() - mark;
    assert!(lines < 60, "{lines} lines:\n{}", replica.agent.log()[mark..].join("\n"));
}
