//! Alerts and the dashboard: what the chart makes is what lies in `manifests/prometheus` for whoever has no Helm.

use std::{fs, path::Path};

use serde_json::Value;

use crate::kitchen::{CHART, file, helm, objects, template, the};

const MONITORING: &str = "values/monitoring.yaml";

#[test]
fn the_charts_alerts_and_dashboard_are_those_of_the_manifests() {
    let plain = |name: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/prometheus").join(name)).unwrap();
    let rules = plain("rules.yaml");
    let based = rules.replace("runbook_url: docs/", "runbook_url: https://git.example.com/starkeeper/blob/main/docs/");
    // The two that take their code from a query stand on a line of their own.
    let based = based.replace("            docs/findings.md", "            https://git.example.com/starkeeper/blob/main/docs/findings.md");
    for (rules, words) in [(&based, &["--values", &file(MONITORING)][..]), (&rules, &["--set", "metrics.prometheusRule.enabled=true"])] {
        let expected: Value = serde_yaml::from_str(rules).unwrap();
        let objects = objects(&template(CHART, words).unwrap());
        let rule = the(&objects, "PrometheusRule");
        assert_eq!(rule["spec"], expected);
        assert!(expected["groups"].as_array().is_some_and(|groups| groups.len() == 3));
    }

    let objects = objects(&template(CHART, &["--values", &file(MONITORING)]).unwrap());
    assert_eq!(the(&objects, "PrometheusRule")["metadata"]["labels"]["release"], "prometheus");
    let map = the(&objects, "ConfigMap");
    assert_eq!(map["data"]["starkeeper.json"], plain("dashboard.json"));
    assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1");
    assert_eq!(map["metadata"]["annotations"]["grafana_folder"], "Voice");
    assert_eq!(objects.len(), 2, "they need no way in");
}

#[test]
fn a_base_that_is_no_address_is_refused() {
    let error =
        helm(&["template", "pbx", CHART, "--set", "metrics.prometheusRule.enabled=true,metrics.prometheusRule.runbookBaseUrl=docs"]);
    assert!(error.unwrap_err().contains("runbookBaseUrl"));
}
