//! The exposition, as promtool and Prometheus itself read it.

use std::fs;

use rustix::process::Signal;
use serde_json::json;

use crate::{
    SOON, settings,
    support::{
        agent::Agent,
        asterisk::{Asterisk, Version},
        certs::{Authority, Writing},
        prometheus::{Prometheus, check_metrics},
        until,
    },
};

#[test]
fn four_surfaces_make_three_hundred_series_at_most_and_one_that_is_gone_leaves_none_behind() {
    let mut asterisk = Asterisk::build(Version::V22).sip_tls().ami_tls().start();
    let file = asterisk.etc().join("pjsip.conf");
    let one = fs::read_to_string(&file).unwrap();
    let section = one.split("\n[").find(|section| section.starts_with("tls]")).expect("the transport over TLS");
    let port = format!(":{}", asterisk.ports.sip_tls);
    let second = section.replacen("tls]", "[tls-two]", 1).replacen(&port, &format!(":{}", asterisk.ports.spare.start()), 1);
    fs::write(&file, format!("{one}\n{second}\n")).unwrap();
    asterisk.restart();
    let agent = Agent::start(&settings(&asterisk));
    let matched = |count: usize| {
        move |status: &serde_json::Value| {
            let surfaces = status["surfaces"].as_array().unwrap();
            surfaces.len() == count && surfaces.iter().all(|surface| surface["matchesWanted"] == true)
        }
    };
    agent.wait("four surfaces", SOON, matched(4));
    Authority::new().issue(&["pbx.example.com"]).write(&asterisk.tls(), Writing::Renames);
    agent.wait("the rotation", SOON, |status| status["counts"]["proved"] == 1 && matched(4)(status));

    let text = agent.get("/metrics").1;
    let said = check_metrics(&text).unwrap_or_else(|said| panic!("{said}\n{text}"));
    assert_eq!(said.trim(), "", "promtool has nothing to remark on");
    let worse = text.replace("starkeeper_probes_total", "starkeeper_probes");
    check_metrics(&worse).expect_err("promtool would have remarked on this");
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    assert!((150..=300).contains(&series), "{series}");
    println!("four surfaces: {series} series");

    let prometheus = Prometheus::start(&[agent.address()], None, None);
    until(SOON, "a scrape", || !prometheus.query("up == 1").is_empty());
    // Only OpenMetrics tells a unit.
    let told = prometheus.get("/api/v1/metadata?metric=starkeeper_rotation_duration_seconds");
    assert_eq!(told["starkeeper_rotation_duration_seconds"][0]["unit"], "seconds", "{told}");
    assert_eq!(told["starkeeper_rotation_duration_seconds"][0]["type"], "histogram", "{told}");
    assert_eq!(prometheus.query("scrape_samples_scraped")[0]["value"][1], json!(series.to_string()));
    let median = prometheus.query("histogram_quantile(0.5, sum by (le) (starkeeper_rotation_duration_seconds_bucket{stage=\"total\"}))");
    let median: f64 = median[0]["value"][1].as_str().unwrap().parse().unwrap();
    assert!(median > 0.0 && median < 60.0, "{median}");
    let surfaces = |prometheus: &Prometheus| prometheus.query("count by (surface) (starkeeper_served_matches_wanted)").len();
    assert_eq!(surfaces(&prometheus), 4);

    fs::write(&file, one.replacen("protocol=tls", "protocol=tcp", 1)).unwrap();
    let mut agent = agent;
    agent.signal(Signal::HUP);
    agent.wait("two surfaces", SOON, matched(2));
    assert!(!agent.get("/metrics").1.contains("sip-tls"), "nothing of it is left");
    until(SOON, "Prometheus knows it", || surfaces(&prometheus) == 2);
}
