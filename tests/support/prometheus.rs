//! A real Prometheus that scrapes agents, and a real Alertmanager, on loopback ports of their own; gone on drop, and with this process. What enters:
//! the programs of `tests/lab/prometheus.sh`. What leaves: answers to queries, as JSON.

use std::{
    fs::{self, File},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use super::{agent::ask, asterisk::Ports, bound, launch, until};

/// A running Prometheus. It scrapes, and looks at its rules, once a second.
#[derive(Debug)]
pub struct Prometheus {
    server: Child,
    address: SocketAddr,
    _ports: Ports,
    _folder: TempDir,
}

impl Prometheus {
    /// With rules, where there are any, and an Alertmanager that hears of alerts; returns once it is ready.
    pub fn start(targets: &[SocketAddr], rules: Option<&str>, alertmanager: Option<SocketAddr>) -> Self {
        let folder = tempfile::Builder::new().prefix("starkeeper-prometheus-").tempdir().unwrap();
        let ports = Ports::take();
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), *ports.spare.start());
        let names: Vec<String> = targets.iter().map(ToString::to_string).collect();
        let mut config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\nscrape_configs:\n  - {{job_name: voice, static_configs: [{{targets: {names:?}}}]}}\n"
        );
        if let Some(rules) = rules {
            fs::write(folder.path().join("rules.yaml"), rules).unwrap();
            config.push_str("rule_files: [rules.yaml]\n");
        }
        if let Some(alertmanager) = alertmanager {
            config.push_str(&format!("alerting: {{alertmanagers: [{{static_configs: [{{targets: [\"{alertmanager}\"]}}]}}]}}\n"));
        }
        let file = folder.path().join("prometheus.yaml");
        fs::write(&file, config).unwrap();
        promtool(&["check", "config", file.to_str().unwrap()]).unwrap();
        let words = [
            format!("--config.file={}", file.display()),
            format!("--storage.tsdb.path={}", folder.path().join("data").display()),
            format!("--web.listen-address={address}"),
        ];
        let server = daemon(folder.path(), "prometheus", &words);
        let prometheus = Self { server, address, _ports: ports, _folder: folder };
        until(SOON, "Prometheus", || ask(address, "GET /-/ready", "").is_ok_and(|(code, _)| code == 200));
        prometheus
    }

    /// The vector that a query gives now.
    pub fn query(&self, query: &str) -> Vec<Value> {
        let words: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let data = self.get(&format!("/api/v1/query?query={words}"));
        data["result"].as_array().unwrap_or_else(|| panic!("{query}: {data}")).clone()
    }

    /// Of any of its endpoints below `/api/v1`.
    pub fn get(&self, path: &str) -> Value {
        let (code, body) = ask(self.address, &format!("GET {path}"), "").unwrap();
        let answer: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}\n{body}"));
        assert_eq!((code, answer["status"].as_str()), (200, Some("success")), "{path}: {body}");
        answer["data"].clone()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A running Alertmanager with one receiver, a webhook.
#[derive(Debug)]
pub struct Alertmanager {
    server: Child,
    /// Where it listens.
    pub address: SocketAddr,
    _ports: Ports,
    _folder: TempDir,
}

impl Alertmanager {
    /// Tells at once; returns once it is ready.
    pub fn start(webhook: SocketAddr) -> Self {
        let folder = tempfile::Builder::new().prefix("starkeeper-alertmanager-").tempdir().unwrap();
        let ports = Ports::take();
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), *ports.spare.start());
        let config = format!(
            "route: {{receiver: people, group_by: [alertname], group_wait: 0s, group_interval: 1s}}\nreceivers:\n  - {{name: people, webhook_configs: [{{url: \"http://{webhook}/\"}}]}}\n"
        );
        let file = folder.path().join("alertmanager.yaml");
        fs::write(&file, config).unwrap();
        run(Command::new(program("amtool")).arg("check-config").arg(&file)).unwrap();
        let words = [
            format!("--config.file={}", file.display()),
            format!("--storage.path={}", folder.path().join("data").display()),
            format!("--web.listen-address={address}"),
            "--cluster.listen-address=".to_owned(),
        ];
        let server = daemon(folder.path(), "prometheus-alertmanager", &words);
        let alertmanager = Self { server, address, _ports: ports, _folder: folder };
        until(SOON, "Alertmanager", || ask(address, "GET /-/ready", "").is_ok_and(|(code, _)| code == 200));
        alertmanager
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// promtool with these words: what it printed, or what it complained of.
///
/// # Errors
/// All that it printed.
pub fn promtool(words: &[&str]) -> Result<String, String> {
    run(Command::new(program("promtool")).args(words))
}

/// promtool's opinion of an exposition.
///
/// # Errors
/// All that it printed.
pub fn check_metrics(exposition: &str) -> Result<String, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, exposition).unwrap();
    run(Command::new(program("promtool")).args(["check", "metrics"]).stdin(File::open(&file).unwrap()))
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().unwrap_or_else(|error| panic!("{error}: run tests/lab/prometheus.sh (`make prometheus`) first"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    if output.status.success() { Ok(said) } else { Err(said) }
}

/// The host's own, or the one in the user's cache.
fn program(name: &str) -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"))).unwrap_or_default();
    let kept = cache.join("starkeeper-lab/prometheus/usr/bin").join(name);
    if kept.exists() { kept } else { name.into() }
}

fn daemon(folder: &Path, name: &str, words: &[String]) -> Child {
    let log = File::create(folder.join(format!("{name}.log"))).unwrap();
    let program = program(name);
    // Debian's looks for its templates below /usr/share, wherever it lies itself: they are laid over what is there, for this process alone.
    let unpacked = program.ancestors().nth(2).map(|usr| usr.join("share")).filter(|_| program.is_absolute());
    let mut command = match unpacked {
        Some(share) => {
            let mut command = bound("unshare");
            let script = "mount -t overlay overlay -o lowerdir=\"$1\":/usr/share /usr/share && shift && exec \"$@\"";
            command.args(["--mount", "sh", "-c", script, "daemon"]).arg(share).arg(program);
            command
        }
        None => bound(program),
    };
    command.args(words).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    launch(command).unwrap_or_else(|error| panic!("{name}: {error}: run tests/lab/prometheus.sh (`make prometheus`) first"))
}

const SOON: Duration = Duration::from_secs(30);
