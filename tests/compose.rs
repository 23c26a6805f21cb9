//! The Compose files of `manifests/`, as they are, with the real Compose on a real Docker engine and a real Asterisk: what waits for the
//! agent starts only once a browser could connect, a rotation is served, a bad pair reaches nobody, and an Asterisk that dies at the worst
//! moment comes back with the last good certificate.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread,
    time::Duration,
};

use serde_json::Value;
use support::{
    asterisk::{
        SECRET,
        contained::{self, Ami},
    },
    certs::{Authority, Layout, Pair, Writing},
    engine::{ASTERISK, Engine, STARKEEPER, succeeded},
    until,
    wire::{self, Door},
};

const NAME: &str = "pbx.example.com";
/// Containers start slowly where much else runs.
const SOON: Duration = Duration::from_secs(180);

/// A project of Compose in a folder of its own, as somebody would lay it out who follows the comments in the files.
struct Project {
    engine: Arc<Engine>,
    folder: PathBuf,
    name: &'static str,
    port: u16,
    files: &'static [&'static str],
    authority: Authority,
}

impl Project {
    fn new(engine: Arc<Engine>, name: &'static str, port: u16, files: &'static [&'static str]) -> Self {
        let folder = engine.folder().join(name);
        let certificates = folder.join("letsencrypt");
        fs::create_dir_all(&certificates).unwrap();
        let authority = Authority::new();
        fs::write(folder.join("ca.pem"), &authority.root_pem).unwrap();
        fs::write(folder.join("ami-secret"), format!("{SECRET}\n")).unwrap();
        fs::set_permissions(folder.join("ami-secret"), fs::Permissions::from_mode(0o400)).unwrap();
        let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
        let is_file = |entry: &fs::DirEntry| entry.file_type().unwrap().is_file();
        for file in fs::read_dir(manifests).unwrap().flatten().filter(is_file) {
            fs::copy(file.path(), folder.join(file.file_name())).unwrap();
        }
        Self { engine, folder, name, port, files, authority }
    }

    fn certificates(&self) -> PathBuf {
        self.folder.join("letsencrypt")
    }

    fn pair(&self) -> Pair {
        self.authority.issue(&["localhost", NAME])
    }

    /// A certificate with the key of another.
    fn mismatch(&self) -> Pair {
        self.pair().with_key_of(&self.pair())
    }

    /// As Certbot renews, whose folders nobody but root enters.
    fn renew(&self, pair: &Pair) {
        if self.certificates().join("live").exists() {
            pair.write(&self.certificates(), Writing::CertbotLinks);
        } else {
            Layout::Certbot.lay(&self.certificates(), pair);
        }
        for name in ["live", "archive"] {
            fs::set_permissions(self.certificates().join(name), fs::Permissions::from_mode(0o700)).unwrap();
        }
    }

    fn compose(&self, args: &[&str]) -> Command {
        let mut command = self.engine.compose();
        command.current_dir(&self.folder).args(["--project-name", self.name, "--progress", "quiet"]);
        for file in self.files {
            command.args(["--file", file]);
        }
        command.args(args);
        command.envs([("ASTERISK_IMAGE", ASTERISK), ("STARKEEPER_IMAGE", STARKEEPER), ("NAMES", NAME), ("CERTIFICATES", "./letsencrypt")]);
        command.env("WSS_PORT", self.port.to_string());
        command
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> String {
        succeeded(&mut self.compose(args), args)
    }

    fn container(&self, service: &str) -> String {
        format!("{}-{service}-1", self.name)
    }

    fn inspect(&self, service: &str, field: &str) -> String {
        self.engine.docker(&["inspect", "--format", field, &self.container(service)])
    }

    fn health(&self) -> String {
        self.inspect("starkeeper", "{{.State.Health.Status}}")
    }

    /// What a browser on this machine gets from the published port.
    fn served(&self) -> Option<String> {
        self.engine.in_own_network(|| wire::served(self.port)).map(|served| served.fingerprint)
    }

    fn door(&self) -> Door {
        self.engine.in_own_network(|| wire::door(self.port))
    }

    #[track_caller]
    fn until_served(&self, what: &str, pair: &Pair) {
        until(SOON, what, || self.served().as_deref() == Some(&pair.fingerprint));
    }

    /// `/status`, by the agent's own program; nothing while it does not answer.
    fn status(&self) -> Option<Value> {
        let output = self.engine.try_docker(&["exec", &self.container("starkeeper"), "/starkeeper", "inspect", "-o", "json"]);
        serde_json::from_slice(&output.stdout).ok()
    }

    #[track_caller]
    fn until_found(&self, code: &str) {
        until(SOON, code, || self.status().is_some_and(|status| status["findings"].to_string().contains(&format!("\"{code}\""))));
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if thread::panicking() {
            let log = self.compose(&["logs", "--tail", "30"]).output().unwrap();
            io::stderr().write_all(&log.stdout).unwrap();
        }
        let _ = self.compose(&["down", "--volumes", "--timeout", "1"]).output();
    }
}

/// compose.yaml, and a service of the user's own that waits as the file's comment says.
const STAGED: &[&str] = &["compose.yaml", "web.yaml"];
const WEB: &str = "services:\n  web:\n    image: asterisk:22\n    entrypoint: [sleep, infinity]\n    init: true\n    \
    depends_on:\n      starkeeper: {condition: service_healthy}\n";

fn staged(engine: Arc<Engine>, name: &'static str, port: u16) -> Project {
    let project = Project::new(engine, name, port, STAGED);
    // The lab's authority stands in the place of the public ones, for both services that judge.
    let store = "    volumes: [\"./ca.pem:/etc/ssl/certs/ca-certificates.crt:ro\"]\n";
    fs::write(project.folder.join("web.yaml"), format!("{WEB}  starkeeper:\n{store}  publish:\n{store}")).unwrap();
    let published = Path::new("/run/starkeeper/tls");
    contained::configure(&project.folder.join("asterisk"), published.join("fullchain.pem"), published.join("privkey.pem"), Ami::Bridge);
    project
}

#[test]
fn what_waits_for_the_agent_starts_only_once_a_browser_could_connect() {
    let project = staged(Engine::shared(), "waiting", 18_101);
    // As it happens, and not asked for afterwards: the engine keeps few events.
    let told = project.folder.join("events");
    let mut watching = project.engine.client("/usr/bin/docker");
    watching.args(["events", "--filter", "label=com.docker.compose.project=waiting", "--format", "{{.Action}} {{.Actor.Attributes.name}}"]);
    let mut watching = watching.stdout(fs::File::create(&told).unwrap()).spawn().unwrap();
    let mut up = project.compose(&["up", "--detach"]).spawn().unwrap();
    // Nothing lies in the volume yet: the first service waits for a pair, and Asterisk for that.
    until(SOON, "the service that publishes", || {
        let listed = project.compose(&["ps", "--services", "--status", "running"]).output().unwrap();
        String::from_utf8_lossy(&listed.stdout).lines().any(|service| service == "publish")
    });
    assert_eq!(project.inspect("asterisk", "{{.State.Status}}"), "created");
    assert_eq!(project.inspect("web", "{{.State.Status}}"), "created");
    let pair = project.pair();
    project.renew(&pair);
    let ended = up.wait().unwrap();
    assert!(ended.success(), "up: {ended}");

    assert_eq!(project.inspect("web", "{{.State.Status}}"), "running");
    assert_eq!(project.health(), "healthy");
    assert_eq!(project.door(), Door::Open);
    assert_eq!(project.served(), Some(pair.fingerprint));
    let order = ["die waiting-publish-1", "start waiting-asterisk-1", "health_status: healthy waiting-starkeeper-1", "start waiting-web-1"];
    until(SOON, "the event of the last start", || fs::read_to_string(&told).unwrap().contains(order[3]));
    watching.kill().unwrap();
    watching.wait().unwrap();
    let events = fs::read_to_string(&told).unwrap();
    assert_eq!(events.lines().filter(|line| order.contains(line)).collect::<Vec<_>>(), order);

    project.run(&["down", "--volumes", "--timeout", "10"]);
    let left = |what: &str| project.engine.docker(&[what, "ls", "--quiet", "--filter", "label=com.docker.compose.project=waiting"]);
    assert_eq!(["container", "volume", "network"].map(left), ["", "", ""]);
}

#[test]
fn a_rotation_in_the_volume_is_served_and_a_bad_pair_reaches_nobody() {
    let project = staged(Engine::shared(), "rotating", 18_102);
    project.renew(&project.pair());
    project.run(&["up", "--detach"]);
    assert_eq!(project.health(), "healthy");
    let started = project.inspect("asterisk", "{{.State.StartedAt}}");

    let second = project.pair();
    project.renew(&second);
    project.until_served("the second pair", &second);

    project.renew(&project.mismatch());
    project.until_found("key-mismatch");
    // An operator reloads at the worst moment: what Asterisk reads is good all the same.
    project.run(&["exec", "asterisk", "asterisk", "-rx", "module reload http"]);
    let checks = || project.inspect("starkeeper", "{{len .State.Health.Log}} {{(index .State.Health.Log 0).Start}}");
    let before = checks();
    until(SOON, "the next health check", || checks() != before);
    assert_eq!(project.health(), "healthy");
    assert_eq!(project.door(), Door::Open);
    assert_eq!(project.served().as_ref(), Some(&second.fingerprint));

    let third = project.pair();
    project.renew(&third);
    project.until_served("the third pair", &third);
    until(SOON, "no finding about the key any more", || {
        project.status().is_some_and(|status| !status["findings"].to_string().contains("key-mismatch"))
    });
    assert_eq!(project.inspect("asterisk", "{{.State.StartedAt}}"), started, "Asterisk was never restarted");
}

#[test]
fn an_asterisk_that_dies_while_the_source_is_bad_comes_back_with_the_last_good_pair() {
    let project = staged(Engine::shared(), "dying", 18_103);
    let good = project.pair();
    project.renew(&good);
    project.run(&["up", "--detach"]);
    project.renew(&project.mismatch());
    project.until_found("key-mismatch");

    // First with the agent beside it, then without, and then the agent alone: whoever comes back finds the other.
    for restarts in ["1", "2"] {
        project.engine.crash(&project.container("asterisk"));
        until(SOON, "Asterisk's restart", || {
            project.inspect("asterisk", "{{.RestartCount}} {{.State.Running}}") == format!("{restarts} true")
        });
        project.until_served("the last good pair", &good);
        if restarts == "1" {
            until(SOON, "the agent's word that it is served", || {
                project.status().is_some_and(|status| status["phase"] == "Rejected" && status["ready"]["ok"] == true)
            });
            project.run(&["stop", "starkeeper"]);
        }
    }
    project.run(&["start", "starkeeper"]);
    until(SOON, "Docker's `healthy`", || project.health() == "healthy");
    let next = project.pair();
    project.renew(&next);
    project.until_served("the next good pair", &next);
}

#[test]
fn after_a_reboot_while_the_source_is_bad_everything_is_as_before() {
    let project = staged(Arc::new(Engine::furnished()), "rebooting", 18_105);
    let good = project.pair();
    project.renew(&good);
    project.run(&["up", "--detach"]);
    project.renew(&project.mismatch());
    project.until_found("key-mismatch");
    let started = project.inspect("asterisk", "{{.State.StartedAt}}");

    project.engine.restart();
    project.until_served("the last good pair", &good);
    until(SOON, "Docker's `healthy`", || project.health() == "healthy");
    assert_ne!(project.inspect("asterisk", "{{.State.StartedAt}}"), started);
    project.until_found("key-mismatch");
    let next = project.pair();
    project.renew(&next);
    project.until_served("the next good pair", &next);
}

#[test]
fn added_to_a_project_that_has_an_asterisk_it_reloads_and_refuses() {
    let project = Project::new(Engine::shared(), "theirs", 18_104, &["theirs.yaml", "compose.starkeeper.yaml"]);
    let theirs = "services:\n  asterisk:\n    image: asterisk:22\n    restart: always\n    ports: [\"${WSS_PORT}:8089\"]\n    \
                  volumes: [\"./etc:/etc/asterisk:ro\", \"./letsencrypt:/etc/letsencrypt:ro\", \"./ca.pem:/etc/ssl/certs/ca-certificates.crt:ro\"]\n";
    fs::write(project.folder.join("theirs.yaml"), theirs).unwrap();
    let live = Path::new("/etc/letsencrypt/live/pbx");
    contained::configure(&project.folder.join("etc"), live.join("fullchain.pem"), live.join("privkey.pem"), Ami::Bridge);
    let readable = |pair: &Pair| {
        project.renew(pair);
        // Asterisk reads these files itself here, and is not root.
        let ran = Command::new("chmod").args(["-R", "a+rX"]).arg(project.certificates()).status().unwrap();
        assert!(ran.success());
    };
    let first = project.pair();
    readable(&first);
    project.run(&["up", "--detach", "--wait"]);
    assert_eq!(project.health(), "healthy");
    assert_eq!(project.served(), Some(first.fingerprint));

    let second = project.pair();
    readable(&second);
    project.until_served("the second pair", &second);
    readable(&project.mismatch());
    project.until_found("key-mismatch");
    assert_eq!(project.served().as_ref(), Some(&second.fingerprint));
    // Asterisk's container comes back, maybe with another address, and is found by its name.
    readable(&second);
    project.engine.crash(&project.container("asterisk"));
    until(SOON, "Asterisk's restart", || project.inspect("asterisk", "{{.RestartCount}} {{.State.Running}}") == "1 true");
    let third = project.pair();
    readable(&third);
    project.until_served("the third pair", &third);
    until(SOON, "Docker's `healthy`", || project.health() == "healthy");
}
