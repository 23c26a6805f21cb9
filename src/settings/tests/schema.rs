//! Shows that the JSON Schema holds every key of the contract, with defaults and enumerations, and closes every mapping.

use serde_json::{Value, json};

use super::super::schema;

fn at<'a>(schema: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(schema, |schema, key| &schema["properties"][key])
}

#[test]
fn every_key_of_the_contract_is_described() {
    let schema = schema();
    for path in [
        "asterisk.configDir",
        "asterisk.ami.address",
        "asterisk.ami.username",
        "asterisk.ami.secretFile",
        "asterisk.ami.auth",
        "asterisk.ami.tls.serverName",
        "asterisk.ami.tls.trust",
        "asterisk.user.uid",
        "asterisk.user.gid",
        "asterisk.user.groups",
        "certificate.cert",
        "certificate.key",
        "certificate.names",
        "certificate.trust",
        "certificate.publish",
        "certificate.publish.directory",
        "certificate.publish.uid",
        "certificate.publish.gid",
        "certificate.publish.mode",
        "certificate.stamp",
        "wss.address",
        "wss.path",
        "wss.serverName",
        "wss.origin",
        "reload.http",
        "reload.pjsip",
        "reload.manager",
        "probe.interval",
        "probe.timeout",
        "expiry.warning",
        "expiry.critical",
        "expiry.lifetimeFraction",
        "liveness.policy",
        "liveness.after",
        "readiness.requireTrusted",
        "http.listen",
        "kubernetes.events",
        "kubernetes.condition",
        "kubernetes.nudge",
        "kubernetes.rotation",
        "kubernetes.rotation.order",
        "kubernetes.rotation.parallelism",
        "kubernetes.rotation.timeout",
        "kubernetes.rotation.lease",
        "notify",
        "log.format",
        "log.level",
    ] {
        assert!(at(&schema, path)["description"].is_string(), "{path}: {}", at(&schema, path));
    }
    assert!(at(&schema, "asterisk.ami.secret").is_null());
}

#[test]
fn every_mapping_is_closed() {
    fn walk(schema: &Value, path: &str) {
        match schema {
            Value::Object(keys) => {
                if keys.contains_key("properties") {
                    assert_eq!(schema["additionalProperties"], json!(false), "{path}");
                }
                assert!(!keys.contains_key("$ref"), "{path}: the check of the tree follows no references");
                keys.iter().for_each(|(key, value)| walk(value, &format!("{path}/{key}")));
            }
            Value::Array(values) => values.iter().for_each(|value| walk(value, path)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    walk(&schema(), "");
}

#[test]
fn defaults_and_enumerations_stand_in_the_schema() {
    let schema = schema();
    for (path, default) in [
        ("asterisk.ami.username", json!("starkeeper")),
        ("certificate.trust", json!("system")),
        ("reload.http", json!("always")),
        ("reload.pjsip", json!("auto")),
        ("probe.interval", json!("10s")),
        ("probe.timeout", json!("3s")),
        ("expiry.warning", json!("21d")),
        ("expiry.critical", json!("7d")),
        ("expiry.lifetimeFraction", json!(0.33)),
        ("liveness.policy", json!("restartHelps")),
        ("liveness.after", json!("60s")),
        ("readiness.requireTrusted", json!(false)),
        ("http.listen", json!("[::]:9808")),
        ("kubernetes.events", json!("auto")),
        ("kubernetes.rotation.order", json!("auto")),
        ("kubernetes.rotation.parallelism", json!(1)),
        ("kubernetes.rotation.timeout", json!("5m")),
        ("notify", json!([])),
        ("log.format", json!("auto")),
        ("log.level", json!("info")),
    ] {
        assert_eq!(at(&schema, path)["default"], default, "{path}");
    }
    let policies: Vec<_> = at(&schema, "liveness.policy")["oneOf"].as_array().unwrap().iter().map(|one| &one["const"]).collect();
    assert_eq!(policies, ["restartHelps", "never", "strict"]);
    assert!(at(&schema, "probe.interval")["pattern"].is_string());
    assert_eq!(at(&schema, "certificate.publish.mode")["default"], json!("0440"));
    assert_eq!(at(&schema, "certificate.publish")["required"], json!(["directory"]));
    assert_eq!(at(&schema, "asterisk.user")["required"], json!(["uid", "gid"]));
}
