//! What is rendered, word by word, of each way in; and that the agent and its reader of Asterisk's configuration take it.

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use starkeeper::{
    asterisk::config,
    diagnosis::Severity,
    settings::{Inputs, Overrides, Settings, load},
};

use crate::{
    kitchen::{CHART, file, helm, kustomize, objects, parent, pod_of, sidecar, template, the, variable},
    support::kubectl::run,
};

const STANDALONE: &str = "values/standalone.yaml";
const EVERYTHING: &str = "values/everything.yaml";
const INJECT: &str = "values/inject.yaml";

#[test]
fn each_way_in_renders_just_this() {
    for (name, values) in [("standalone", STANDALONE), ("everything", EVERYTHING), ("inject", INJECT)] {
        insta::assert_snapshot!(name, template(CHART, &["--values", &file(values)]).unwrap());
    }
    insta::assert_snapshot!("include", template(parent().path().to_str().unwrap(), &[]).unwrap());
    insta::assert_snapshot!("kustomize_staged", kustomize("example/staged"));
    insta::assert_snapshot!("kustomize_in_place", kustomize("example/in-place"));
}

#[test]
fn nothing_is_rendered_until_a_way_in_is_chosen() {
    assert_eq!(template(CHART, &[]).unwrap().trim(), "");
    let text = template(CHART, &["--set", "certificate.secretName=a"]).unwrap();
    assert_eq!(text.trim(), "");
}

#[test]
fn helm_finds_nothing_to_remark_on() {
    for values in [&[][..], &["--values", &file(STANDALONE)], &["--values", &file(EVERYTHING)], &["--values", &file(INJECT)]] {
        let said = helm(&[&["lint", "--strict", "--kube-version", "1.36.3", CHART], values].concat()).unwrap();
        assert!(said.contains("1 chart(s) linted, 0 chart(s) failed"), "{said}");
        assert!(!said.contains("[WARNING]") && !said.contains("[ERROR]"), "{said}");
    }
}

#[test]
fn the_readme_is_made_from_the_values() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/readme.sh");
    run(Command::new(script).arg("--check"), "").unwrap();
    // The check can fail: one comment changed is one row out of step.
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("starkeeper")).unwrap();
    fs::copy(script, at("readme.sh")).unwrap();
    fs::copy(Path::new(CHART).join("README.md"), at("starkeeper/README.md")).unwrap();
    let values = fs::read_to_string(Path::new(CHART).join("values.yaml")).unwrap();
    fs::write(at("starkeeper/values.yaml"), values.replacen("# -- ", "# -- Other: ", 1)).unwrap();
    let said = run(Command::new(at("readme.sh")).arg("--check"), "").unwrap_err();
    assert!(said.contains("is not in step with values.yaml: run charts/readme.sh"), "{said}");
}

#[test]
fn every_value_is_in_the_schema_and_every_key_of_the_schema_is_a_value() {
    fn keys(values: &Value, schema: &Value, path: &str, wrong: &mut Vec<String>) {
        let (Some(values), Some(known)) = (values.as_object(), schema["properties"].as_object()) else { return };
        // Those that only a parent chart says, and those that have no default.
        let beyond = |key: &str| path.is_empty() && ["enabled", "global"].contains(&key) || path.starts_with(".probes.");
        wrong.extend(values.keys().filter(|key| !known.contains_key(*key)).map(|key| format!("{path}.{key} is not in the schema")));
        let is_open = path == ".settings";
        wrong.extend(
            known
                .keys()
                .filter(|key| !is_open && !values.contains_key(*key) && !beyond(key))
                .map(|key| format!("{path}.{key} is no value")),
        );
        for (key, value) in values {
            keys(value, &known.get(key).cloned().unwrap_or_default(), &format!("{path}.{key}"), wrong);
        }
    }
    let text = |name: &str| fs::read_to_string(Path::new(CHART).join(name)).unwrap();
    let values: Value = serde_yaml::from_str(&text("values.yaml")).unwrap();
    let schema: Value = serde_json::from_str(&text("values.schema.json")).unwrap();
    let mut wrong = Vec::new();
    keys(&values, &schema, "", &mut wrong);
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn the_agent_takes_the_settings_of_every_way_in() {
    let standalone = settings_of(&template(CHART, &["--values", &file(STANDALONE)]).unwrap());
    let publish = standalone.certificate.publish.unwrap();
    assert_eq!((publish.directory.to_str(), publish.gid, publish.mode), (Some("/run/starkeeper/tls"), Some(5060), 0o440));
    assert_eq!(standalone.asterisk.config_dir.as_deref(), Some(Path::new("/etc/asterisk")));

    let everything = settings_of(&template(CHART, &["--values", &file(EVERYTHING)]).unwrap());
    assert_eq!(everything.certificate.cert.as_deref(), Some(Path::new("/run/starkeeper/tls/tls.crt")));
    assert_eq!((everything.certificate.publish, everything.http.listen.port()), (None, 9900));
    assert_eq!((everything.log.level.as_str(), everything.probe.interval.as_secs()), ("debug", 5));
    assert_eq!(everything.asterisk.ami.username, "keeper");

    let included = settings_of(&template(parent().path().to_str().unwrap(), &[]).unwrap());
    assert_eq!(included.certificate.publish.unwrap().gid, Some(1000));
    assert_eq!(included.certificate.names, ["pbx.example.com"]);

    for (folder, staged) in [("example/staged", true), ("example/in-place", false)] {
        let objects = objects(&kustomize(folder));
        let text = the(&objects, "ConfigMap")["data"]["starkeeper.yaml"].as_str().unwrap().to_owned();
        assert_eq!(settings(&text).certificate.publish.is_some(), staged, "{folder}");
    }
}

#[test]
fn the_standalone_configuration_has_nothing_wrong_in_it() {
    for values in [STANDALONE, EVERYTHING] {
        let folder = tempfile::tempdir().unwrap();
        let objects = objects(&template(CHART, &["--values", &file(values)]).unwrap());
        for (name, text) in the(&objects, "ConfigMap")["data"].as_object().unwrap() {
            fs::write(folder.path().join(name), text.as_str().unwrap()).unwrap();
        }
        fs::create_dir(folder.path().join("ami.d")).unwrap();
        let user = "[starkeeper]\nsecret = not-so-secret\nread = system\nwrite = system\n";
        fs::write(folder.path().join("ami.d/manager.conf"), user).unwrap();
        let read = config::load(folder.path());
        let wrong: Vec<_> = read.findings.iter().filter(|finding| finding.severity > Severity::Info).collect();
        assert!(wrong.is_empty(), "{values}: {wrong:#?}");
    }
}

#[test]
fn the_values_in_every_readme_are_values_that_helm_takes() {
    let root = env!("CARGO_MANIFEST_DIR");
    for (readme, headings) in [
        ("README.md", ["On Kubernetes"; 3]),
        ("README.pt-BR.md", ["No Kubernetes"; 3]),
        ("charts/starkeeper/README.md", ["Standalone", "Inject", "Include"]),
    ] {
        let text = fs::read_to_string(Path::new(root).join(readme)).unwrap();
        let blocks = |heading: &str| -> Vec<String> {
            let section = text.split("\n## ").find(|section| section.starts_with(heading)).expect("the heading");
            let fenced = section.split("\n```").skip(1).step_by(2);
            fenced.filter_map(|block| Some(block.strip_prefix("yaml\n")?.to_owned())).collect()
        };
        for (heading, (begins, holds)) in headings.into_iter().zip([
            ("asterisk:\n", "kind: Deployment"),
            ("inject:", "kind: MutatingAdmissionPolicy"),
            ("starkeeper:\n", "kind: Deployment"),
        ]) {
            let is_it = |block: &&String| block.starts_with(begins) || block.starts_with(&format!("# values.yaml\n{begins}"));
            let values = blocks(heading).iter().find(is_it).unwrap_or_else(|| panic!("{readme}: {begins}")).clone();
            let (folder, given) = (parent(), tempfile::NamedTempFile::new().unwrap());
            fs::write(&given, &values).unwrap();
            let chart = if begins.starts_with("starkeeper") { folder.path().to_str().unwrap() } else { CHART };
            let rendered =
                template(chart, &["--values", given.path().to_str().unwrap()]).unwrap_or_else(|error| panic!("{readme}: {error}"));
            assert!(rendered.contains(holds), "{readme}: {values}");
        }
    }
}

fn settings_of(yaml: &str) -> Settings {
    let objects = objects(yaml);
    let pod = pod_of(the(&objects, "Deployment"), "any");
    settings(variable(sidecar(&pod["spec"]), "STARKEEPER_SETTINGS").unwrap())
}

/// As the agent in the pod reads them.
pub(crate) fn settings(text: &str) -> Settings {
    let inputs = Inputs {
        file: Some((Path::new("STARKEEPER_SETTINGS"), text.as_bytes())),
        overrides: &Overrides::default(),
        environment: &|_| None,
        read: &|_| Ok(b"not-so-secret".to_vec()),
    };
    load(inputs).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}
