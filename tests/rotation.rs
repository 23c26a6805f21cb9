//! The main job on real Asterisk 16 and 22: every way of writing a new pair reaches browsers, each generation once. How often each way is
//! taken: `STARKEEPER_ROTATIONS`, 5 times otherwise.

mod support;

use std::{env, time::Duration};

use support::{
    agent::Agent,
    asterisk::{Asterisk, BOTH},
    certs::{Authority, Writing},
    wire,
};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn every_way_of_writing_reaches_browsers_with_one_reload_each() {
    let rotations = env::var("STARKEEPER_ROTATIONS").map_or(5, |count| count.parse().expect("STARKEEPER_ROTATIONS is a number"));
    let authority = Authority::new();
    let ways = [
        Writing::CertThenKey,
        Writing::KeyThenCert,
        Writing::Apart(Duration::from_millis(300)),
        Writing::Renames,
        Writing::DataSwap,
        Writing::CertbotLinks,
    ];
    for version in BOTH {
        for how in ways {
            let asterisk = Asterisk::build(version).layout(how.layout()).start();
            let agent = Agent::start(&asterisk.settings());
            agent.wait("the first proof", SOON, |status| status["phase"] == "Serving");
            let mut manager = asterisk.manager();
            let mark = manager.mark();
            let log = asterisk.mark();
            for round in 1..=rotations {
                let pair = authority.issue(&["pbx.example.com"]);
                pair.write(&asterisk.tls(), how);
                agent.wait("the rotation", SOON, |status| {
                    status["phase"] == "Serving" && status["surfaces"][0]["served"]["fingerprintSha256"] == pair.fingerprint
                });
                assert_eq!(wire::served(asterisk.ports.wss).map(|served| served.fingerprint), Some(pair.fingerprint));
                let status = agent.status();
                assert_eq!(status["counts"]["proved"], round, "{version:?} {how:?} {:#}", status["counts"]);
            }
            assert_eq!(manager.reloads(mark).unwrap().len() as u64, rotations, "{version:?} {how:?}");
            assert_eq!(asterisk.complaints(log), Vec::<String>::new(), "{version:?} {how:?}");
            let warned: Vec<_> = agent.log().into_iter().filter(|line| line.contains(r#""level":"WARN""#)).collect();
            assert_eq!(warned, Vec::<String>::new(), "{version:?} {how:?}");
            println!("{version:?} {how:?}: {rotations} rotations, as many reloads, all proved");
        }
    }
}
