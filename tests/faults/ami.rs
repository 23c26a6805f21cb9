//! Faults of AMI: what stands between spoils it, or Asterisk no longer lets us in. A rotation waits each time, and reaches users afterwards.

use std::fs;

use super::{
    peer::{Peer, Way},
    stage::{Fault, Stage, fault},
    support::asterisk::{Asterisk, BOTH, SECRET, Version::V16},
};

/// A rotation cannot go on.
const WAITS: &[&str] = &["Unreachable", "Proving"];

pub(crate) fn faults() -> Vec<Fault> {
    let spoilt = [
        ("AMI ends in the midst of its banner", Way::EndsInABanner, &["ami-refused", "ami-not-ami", "ami-timeout"][..]),
        ("AMI ends in the midst of an answer", Way::EndsInAnAnswer, &["ami-refused", "ami-timeout", "ami-not-ami"]),
        ("AMI speaks garbage", Way::Garbage, &["ami-not-ami"]),
        ("AMI says a line of 10 MB", Way::LongLine, &["ami-not-ami"]),
        ("AMI's banner never ends", Way::EndlessBanner, &["ami-not-ami", "ami-timeout"]),
        ("AMI answers another's question", Way::WrongIds, &["ami-timeout", "ami-not-ami"]),
        ("AMI's connection is half open", Way::HalfOpen, &["ami-timeout"]),
    ];
    let mut faults: Vec<Fault> =
        spoilt.into_iter().enumerate().map(|(at, (name, way, codes))| between(name, way, codes).on(&[BOTH[at % 2]])).collect();
    // What is asked still arrives, and is done: only its answer is missing, and the wire tells.
    let half_open = faults.pop().map(|fault| fault.phases(&["Serving", "Unreachable", "Proving"]));
    faults.extend(half_open);
    // Nothing is wrong with it, but for its many words.
    faults.push(between("AMI floods with 10,000 events a second", Way::Flood, &[]).phases(&["Serving"]));
    faults.extend(refused());
    faults
}

/// A rotation waits while what stands between the agent and AMI has this way.
fn between(name: &'static str, way: Way, codes: &'static [&'static str]) -> Fault {
    with_a_peer(fault(name, WAITS, codes))
        .make(move |stage| {
            stage.holding::<Peer>().become_(way);
            stage.rotate();
        })
        .mend(|stage| stage.holding::<Peer>().become_(Way::Through))
}

/// The agent reaches AMI through a [`Peer`].
pub(crate) fn with_a_peer(row: Fault) -> Fault {
    row.settings(|asterisk, text| text.replacen(&at(asterisk.ports.ami), &at(spare(asterisk)), 1)).before(|stage| {
        let peer = Peer::between(spare(&stage.asterisk), stage.asterisk.ports.ami);
        stage.held.push(Box::new(peer));
    })
}

fn at(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn refused() -> Vec<Fault> {
    vec![
        with_a_peer(fault("AMI login refused", WAITS, &["ami-auth-failed"]))
            .on(&BOTH)
            .make(|stage| {
                user(stage, "secret=another\nread=system\nwrite=system");
                kick(stage);
                stage.rotate();
            })
            .mend(|stage| user(stage, &format!("secret={SECRET}\nread=system\nwrite=system"))),
        with_a_peer(fault("AMI class taken away", WAITS, &["ami-permission-denied"]))
            .on(&BOTH)
            .make(|stage| {
                user(stage, &format!("secret={SECRET}\nread=system\nwrite=call"));
                kick(stage);
                stage.rotate();
            })
            .mend(|stage| {
                user(stage, &format!("secret={SECRET}\nread=system\nwrite=system"));
                kick(stage);
            }),
        fault("AMI over TLS with an unknown certificate", &["Unreachable"], &["ami-tls-failed"])
            .on(&[V16])
            .build(|builder| builder.ami_tls())
            .settings(|asterisk, text| {
                fs::copy(asterisk.cert(), asterisk.folder().join("ami.pem")).unwrap();
                text.replacen(
                    &format!("{}\"", at(asterisk.ports.ami)),
                    &format!(
                        "{}\", tls: {{trust: {}, serverName: localhost}}",
                        at(spare(asterisk)),
                        asterisk.folder().join("ami.pem").display()
                    ),
                    1,
                )
            })
            .before(|stage| {
                let peer = Peer::between(spare(&stage.asterisk), stage.asterisk.ports.ami_tls);
                stage.held.push(Box::new(peer));
            })
            .make(|stage| {
                // AMI's own certificate becomes one of another authority; the door's pair waits.
                let stranger = stage.new_pair();
                fs::write(stage.asterisk.etc().join("ami.crt"), &stranger.cert_pem).unwrap();
                fs::write(stage.asterisk.etc().join("ami.key"), &stranger.key_pem).unwrap();
                let path = stage.asterisk.etc().join("manager.conf");
                let text = fs::read_to_string(&path).unwrap();
                let (cert, key) = (stage.asterisk.cert().display().to_string(), stage.asterisk.key().display().to_string());
                let etc = stage.asterisk.etc().display().to_string();
                fs::write(&path, text.replace(&cert, &format!("{etc}/ami.crt")).replace(&key, &format!("{etc}/ami.key"))).unwrap();
                reload_manager(stage);
                kick(stage);
                stage.rotate();
            })
            .mend(|stage| {
                // AMI serves again what the agent trusts.
                fs::write(stage.asterisk.etc().join("ami.crt"), &stage.first.cert_pem).unwrap();
                fs::write(stage.asterisk.etc().join("ami.key"), &stage.first.key_pem).unwrap();
                reload_manager(stage);
            }),
    ]
}

fn spare(asterisk: &Asterisk) -> u16 {
    *asterisk.ports.spare.start()
}

/// The agent's user is so from now on.
fn user(stage: &Stage, lines: &str) {
    let path = stage.asterisk.etc().join("manager.conf");
    let text = fs::read_to_string(&path).unwrap();
    let (before, after) = text.split_once("[starkeeper]").unwrap();
    let (_, rest) = after.split_once("[admin]").unwrap();
    fs::write(&path, format!("{before}[starkeeper]\n{lines}\n[admin]{rest}")).unwrap();
    reload_manager(stage);
}

fn reload_manager(stage: &Stage) {
    assert!(stage.asterisk.manager().reload("manager").unwrap().succeeded());
}

/// Ends the agent's session: what was taken away counts from the next one on.
fn kick(stage: &Stage) {
    stage.holding::<Peer>().become_(Way::Through);
}
