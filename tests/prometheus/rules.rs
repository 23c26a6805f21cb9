//! The alerts: promtool's own unit tests of them, and that their links lead somewhere.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use starkeeper::diagnosis::{Code, Group};

use crate::support::prometheus::promtool;

/// The alerts, as they are shipped.
pub(crate) const RULES: &str = include_str!("../../charts/starkeeper/files/rules.yaml");
const TESTS: &str = include_str!("alerts.yaml");

#[test]
fn every_alert_fires_when_it_should_and_only_then_for_certificates_of_90_45_and_6_days() {
    let at = |name: &str| format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
    promtool(&["check", "rules", &at("charts/starkeeper/files/rules.yaml")]).unwrap_or_else(|said| panic!("{said}"));
    promtool(&["test", "rules", &at("tests/prometheus/alerts.yaml")]).unwrap_or_else(|said| panic!("{said}"));

    // Each alert is tried both ways, with each of its severities.
    let parsed: Value = serde_yaml::from_str(TESTS).unwrap();
    let mut tried: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for one in parsed["tests"].as_array().unwrap().iter().flat_map(|test| test["alert_rule_test"].as_array().unwrap()) {
        let ways = tried.entry(one["alertname"].as_str().unwrap().to_owned()).or_default();
        let expected = one["exp_alerts"].as_array().unwrap();
        if expected.is_empty() {
            ways.insert("silent".into());
        }
        ways.extend(expected.iter().map(|alert| alert["exp_labels"]["severity"].as_str().unwrap().to_owned()));
    }
    let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for alert in alerts() {
        let ways = wanted.entry(alert["alert"].as_str().unwrap().to_owned()).or_default();
        ways.extend([alert["labels"]["severity"].as_str().unwrap().to_owned(), "silent".into()]);
    }
    assert_eq!(tried, wanted);
}

#[test]
fn every_alert_says_what_it_is_how_bad_and_where_to_read_on() {
    for alert in alerts() {
        let name = alert["alert"].as_str().unwrap();
        assert!(name.starts_with("Starkeeper"), "{name}");
        assert!(["warning", "critical"].contains(&alert["labels"]["severity"].as_str().unwrap()), "{name}");
        for words in ["summary", "description"] {
            assert!(alert["annotations"][words].as_str().is_some_and(|text| text.len() > 20), "{name}: {words}");
        }
        let link = alert["annotations"]["runbook_url"].as_str().unwrap();
        let (page, anchor) = link.split_once('#').unwrap_or((link, ""));
        assert!(page.starts_with("docs/findings.md"), "{name}: {link}");
        // Where no code stands, one of the findings' own is taken, or the alert is about what the agent cannot find.
        let is_code = anchor.parse::<Code>().is_ok();
        assert!(
            is_code || anchor.contains("code }}") || anchor.contains(".Code }}") || page == link || link.contains(".Labels.code"),
            "{link}"
        );
    }
}

#[test]
fn what_is_called_rejected_material_are_the_findings_about_pairs() {
    let pattern = RULES.split("code=~\"").find(|rest| rest.starts_with("cert-")).and_then(|rest| rest.split('"').next()).unwrap();
    let matched = |code: &Code| {
        pattern.split('|').any(|one| match one.strip_suffix(".+") {
            Some(begin) => code.name().strip_prefix(begin).is_some_and(|rest| !rest.is_empty()),
            None => code.name() == one,
        })
    };
    let (found, pairs): (Vec<&Code>, Vec<&Code>) =
        (Code::ALL.iter().filter(|code| matched(code)).collect(), Code::ALL.iter().filter(|code| code.group() == Group::Pair).collect());
    assert_eq!(found, pairs);
}

fn alerts() -> Vec<Value> {
    let rules: Value = serde_yaml::from_str(RULES).unwrap();
    rules["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}
