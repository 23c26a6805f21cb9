//! Starkeeper's image as a real Docker engine runs it, beside a real Asterisk in a container: what it is made of, what it needs, and that
//! building it twice gives the same bytes. (The Dockerfile's own compiling, and arm64: `make image`.)
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use serde_json::{Value, json};
use support::{
    asterisk::contained::{self, Ami},
    certs::{Authority, Layout, Pair},
    engine::{self, ASTERISK, Engine, STARKEEPER},
    until,
    wire::{self, Door},
};

const NAME: &str = "pbx.example.com";
const SOON: Duration = Duration::from_secs(120);

fn inspected(engine: &Engine) -> Value {
    let all: Value = serde_json::from_str(&engine.docker(&["image", "inspect", STARKEEPER])).unwrap();
    all[0].clone()
}

/// A folder with a pair, readable to all: in these tests the agent is user 65532.
fn laid(folder: &Path, pair: &Pair) {
    fs::create_dir_all(folder).unwrap();
    Layout::Plain.lay(folder, pair);
    for file in ["tls.crt", "tls.key"] {
        fs::set_permissions(folder.join(file), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    }
}

#[test]
fn the_image_is_one_small_layer_with_the_binary_and_the_list_of_what_is_in_it() {
    let engine = Engine::shared();
    let image = inspected(&engine);
    assert!(image["Size"].as_u64().unwrap() <= 10_000_000, "{} bytes", image["Size"]);
    assert_eq!(image["RootFS"]["Layers"].as_array().unwrap().len(), 1);
    let container = engine.docker(&["create", STARKEEPER]);
    let tar = engine.folder().join("content.tar");
    engine.docker(&["export", "--output", tar.to_str().unwrap(), &container]);
    engine.docker(&["rm", &container]);
    let listed = std::process::Command::new("tar").args(["--list", "--file"]).arg(&tar).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    // What `docker create` adds to every container's root.
    let docker_s = ["dev/", "etc/", "proc/", "sys/", ".dockerenv"];
    let ours: BTreeSet<_> = listed.lines().filter(|path| !docker_s.iter().any(|made| path.starts_with(made))).collect();
    assert_eq!(ours, BTreeSet::from(["starkeeper", "starkeeper.cdx.json"]));
}

#[test]
fn the_image_says_what_it_is_and_how_it_is_run() {
    let engine = Engine::shared();
    let image = inspected(&engine);
    let config = &image["Config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Entrypoint"], json!(["/starkeeper"]));
    assert_eq!(config["Cmd"], json!(["run"]));
    assert_eq!(config["ExposedPorts"], json!({"9808/tcp": {}}));
    assert_eq!(config["Healthcheck"]["Test"], json!(["CMD", "/starkeeper", "healthcheck"]));
    let labels = config["Labels"].as_object().unwrap();
    let names: BTreeSet<_> = labels.keys().map(|key| key.trim_start_matches("org.opencontainers.image.")).collect();
    assert_eq!(names, BTreeSet::from(["title", "description", "version", "revision", "licenses"]));
    assert_eq!(labels["org.opencontainers.image.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(labels["org.opencontainers.image.licenses"], env!("CARGO_PKG_LICENSE"));
    let said = engine.docker(&["run", "--rm", "--network=none", STARKEEPER, "--version"]);
    assert_eq!(said, format!("starkeeper {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn user_65532_with_a_read_only_root_and_no_capability_is_all_that_it_takes() {
    let engine = Engine::shared();
    let (tls, etc) = (engine.folder().join("tls"), engine.folder().join("etc"));
    let authority = Authority::new();
    let first = authority.issue(&["localhost", NAME]);
    laid(&tls, &first);
    fs::write(tls.join("ca.pem"), &authority.root_pem).unwrap();
    contained::configure(&etc, "/tls/tls.crt", "/tls/tls.key", Ami::Loopback);
    let (mount_etc, mount_tls) = (format!("{}:/etc/asterisk:ro", etc.display()), format!("{}:/tls:ro", tls.display()));
    engine.docker(&["run", "--detach", "--name", "pbx", "--volume", &mount_etc, "--volume", &mount_tls, ASTERISK]);
    let hardened = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=64m", "--pids-limit=16"];
    let mut run = vec!["run", "--detach", "--name", "agent", "--network=container:pbx", "--volume", &mount_etc, "--volume", &mount_tls];
    run.extend(hardened);
    run.extend(["--env=STARKEEPER_ASTERISK_CONFIG_DIR=/etc/asterisk", "--env=STARKEEPER_NAMES=pbx.example.com", STARKEEPER]);
    engine.docker(&run);
    let health = || engine.docker(&["inspect", "--format", "{{.State.Health.Status}}", "agent"]);
    until(SOON, "Docker's `healthy`", || health() == "healthy");

    let status = fs::read_to_string(format!("/proc/{}/status", engine.pid("agent"))).unwrap();
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(field("Uid:"), ["65532"; 4]);
    assert_eq!(field("Gid:"), ["65532"; 4]);
    assert_eq!([field("CapEff:"), field("CapPrm:"), field("CapBnd:")], [["0000000000000000"]; 3]);
    assert_eq!(field("NoNewPrivs:"), ["1"]);
    // The places that the two mounts are put on are Docker's doing; there is nothing else.
    let written = engine.docker(&["diff", "agent"]);
    assert_eq!(written.lines().collect::<BTreeSet<_>>(), BTreeSet::from(["C /etc", "A /etc/asterisk", "A /tls"]));

    let second = authority.issue(&["localhost", NAME]);
    laid(&tls, &second);
    let served = || engine.in_network_of("pbx", || wire::served(8089)).map(|served| served.fingerprint);
    until(SOON, "the second pair at the door", || served() == Some(second.fingerprint.clone()));
    assert_eq!(engine.in_network_of("pbx", || wire::door(8089)), Door::Open);
    assert_eq!(engine.docker(&["exec", "agent", "/starkeeper", "healthcheck"]), "ok");
    engine.docker(&["stop", "agent"]);
    assert_eq!(engine.docker(&["inspect", "--format", "{{.State.ExitCode}}", "agent"]), "0", "SIGTERM is heeded");
    engine.docker(&["rm", "--force", "agent", "pbx"]);
}

#[test]
fn without_ca_files_browsers_list_is_trusted_and_a_mounted_store_takes_its_place() {
    let engine = Engine::shared();
    let folder = engine.folder().join("trust");
    let authority = Authority::new();
    laid(&folder, &authority.issue(&[NAME]));
    fs::write(folder.join("ca.pem"), &authority.root_pem).unwrap();
    let mount = format!("{}:/tls:ro", folder.display());
    let store = format!("{}/ca.pem:/etc/ssl/certs/ca-certificates.crt:ro", folder.display());
    let codes = |volumes: &[&str]| -> BTreeSet<String> {
        let mut args = vec!["run", "--rm", "--network=none", "--read-only", "--cap-drop=ALL"];
        volumes.iter().for_each(|volume| args.extend(["--volume", volume]));
        args.extend([STARKEEPER, "check", "--cert", "/tls/tls.crt", "--key", "/tls/tls.key", "--name", NAME, "-o", "json"]);
        let output = engine.try_docker(&args);
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        answer["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(codes(&[&mount]), BTreeSet::from(["issuer-untrusted".to_owned(), "key-world-readable".to_owned()]));
    assert_eq!(codes(&[&mount, &store]), BTreeSet::from(["key-world-readable".to_owned()]));
}

#[test]
fn the_list_of_what_is_inside_names_the_locked_versions() {
    let engine = Engine::shared();
    let container = engine.docker(&["create", STARKEEPER]);
    let file = engine.folder().join("sbom.json");
    engine.docker(&["cp", &format!("{container}:/starkeeper.cdx.json"), file.to_str().unwrap()]);
    engine.docker(&["rm", &container]);
    let list: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert_eq!(list["bomFormat"], "CycloneDX");
    assert_eq!(list["metadata"]["component"]["name"], "starkeeper");
    let named: BTreeSet<_> =
        list["components"].as_array().unwrap().iter().map(|part| (part["name"].as_str(), part["version"].as_str())).collect();
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    let locked: BTreeSet<_> = lock
        .split("[[package]]")
        .map(|package| {
            let field = |name: &str| package.lines().find_map(|line| line.strip_prefix(name)?.strip_suffix('"'));
            (field("name = \""), field("version = \""))
        })
        .collect();
    let unknown: Vec<_> = named.difference(&locked).collect();
    assert!(unknown.is_empty(), "not in Cargo.lock: {unknown:?}");
    for part in ["aws-lc-rs", "rustls", "tokio", "x509-parser"] {
        assert!(named.iter().any(|(name, _)| *name == Some(part)), "{part} is missing");
    }
    assert!(!named.iter().any(|(name, _)| *name == Some("rcgen")), "what only the tests use is in the list");
}

#[test]
fn building_it_twice_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = ["one.tar", "two.tar"].map(|name| {
        let path = folder.path().join(name);
        engine::lab("image.sh", &["--again", path.to_str().unwrap()]);
        fs::read(path).unwrap()
    });
    assert!(one.len() > 1_000_000);
    assert!(one == two, "the archives of two builds differ");
}
