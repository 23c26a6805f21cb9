//! The dashboard: each of its panels is asked of a Prometheus that has scraped a day's news in half a minute.

use serde_json::Value;

use crate::{
    SOON, settings,
    support::{
        agent::Agent,
        asterisk::{Asterisk, Version},
        certs::{Authority, Writing},
        prometheus::Prometheus,
        until, until_some,
    },
};

const DASHBOARD: &str = include_str!("../../charts/starkeeper/files/dashboard.json");

#[test]
fn every_panel_has_something_to_show() {
    let authority = Authority::new();
    let asterisk = Asterisk::start(Version::V22);
    let agent = Agent::start(&settings(&asterisk));
    agent.wait("the first proof", SOON, |status| status["phase"] == "Serving");
    let prometheus = Prometheus::start(&[agent.address()], None, None);
    let names = ["pbx.example.com"];
    for round in 1..=3 {
        authority.issue(&names).write(&asterisk.tls(), Writing::Renames);
        agent.wait("a rotation", SOON, |status| status["phase"] == "Serving" && status["counts"]["proved"] == round);
    }
    authority.issue(&names).with_key_of(&authority.issue(&names)).write(&asterisk.tls(), Writing::Renames);
    agent.wait("the rejection", SOON, |status| status["phase"] == "Rejected");
    until(SOON, "Prometheus knows of it", || !prometheus.query("starkeeper_findings{code=\"key-mismatch\"}").is_empty());

    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let (mut asked, mut ids) = (0, std::collections::BTreeSet::new());
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        let title = panel["title"].as_str().unwrap();
        for target in panel["targets"].as_array().into_iter().flatten() {
            let query = substituted(target["expr"].as_str().unwrap());
            let vector = until_some(SOON, &format!("{title}: {query}"), || {
                let vector = prometheus.query(&query);
                (vector.iter().any(is_number)).then_some(vector)
            });
            println!("{title}: {} of {query}", vector.len());
            asked += 1;
        }
    }
    assert!(asked >= 20, "{asked}");
    // What the variables offer.
    for variable in dashboard["templating"]["list"].as_array().unwrap().iter().filter(|variable| variable["type"] == "query") {
        let (metric, label) =
            variable["query"]["query"].as_str().unwrap().strip_prefix("label_values(").unwrap().rsplit_once(", ").unwrap();
        let label = label.trim_end_matches(')');
        assert!(prometheus.query(&substituted(metric)).iter().all(|one| one["metric"][label].is_string()), "{variable}");
    }
}

/// As Grafana asks, with everything selected.
fn substituted(query: &str) -> String {
    let query = query.replace("$__rate_interval", "1m").replace("$job", ".*").replace("$instance", ".*");
    assert!(!query.contains('$'), "a variable that nobody knows: {query}");
    query
}

fn is_number(one: &Value) -> bool {
    one["value"][1].as_str().is_some_and(|value| value.parse::<f64>().is_ok_and(f64::is_finite))
}
