//! A real Asterisk for one test: up in well under a second, on ports and in a folder of its own, gone on drop. What enters: a root
//! folder provisioned by `tests/lab/asterisk.sh`, and what a [`Builder`] is told. Refuses, by failing the test with the sentence to
//! act on: no root, no lab.

mod builder;
mod conf;
pub mod contained;
mod jail;
mod ports;

use std::{
    env, fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::process::Signal;
use tempfile::TempDir;

pub use builder::{Builder, Furnish};
pub use ports::Ports;

use super::{certs::Layout, manager::Manager, until, until_some};
use jail::Jail;

/// Which Asterisk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Debian bullseye's 16.28.
    V16,
    /// Debian forky's 22.
    V22,
}

/// The oldest and the newest that are tested: what holds for both.
pub const BOTH: [Version; 2] = [Version::V16, Version::V22];

impl Version {
    /// `16` or `22`.
    pub fn number(self) -> &'static str {
        match self {
            Self::V16 => "16",
            Self::V22 => "22",
        }
    }

    /// The provisioned root folder; panics with what to run where it is missing.
    pub fn root(self) -> PathBuf {
        let root = cache().join(format!("asterisk-{}", self.number()));
        assert!(
            root.join(".starkeeper-recipe").exists(),
            "Asterisk {} is not provisioned in {}: run tests/lab/asterisk.sh",
            self.number(),
            root.display()
        );
        root
    }
}

/// The folder of what the scripts of `tests/lab` provision.
pub fn cache() -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    cache.unwrap_or_else(|| PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache")).join("starkeeper-lab")
}

/// A running instance.
#[derive(Debug)]
pub struct Asterisk {
    /// Which one.
    pub version: Version,
    /// Its ports.
    pub ports: Ports,
    /// The user that it runs as.
    pub uid: u32,
    /// That user's group, by which keys are readable to it.
    pub gid: u32,
    /// How the certificate lies in [`Asterisk::tls`].
    pub layout: Layout,
    cert: PathBuf,
    key: PathBuf,
    root: PathBuf,
    low_ports: bool,
    // In the order in which they must go: the process before the folder that it has mounted.
    jail: Option<Jail>,
    folder: TempDir,
}

/// A place in Asterisk's log: what [`Asterisk::complaints`] counts from.
#[derive(Clone, Copy, Debug)]
pub struct Mark(usize);

impl Asterisk {
    /// An instance in the making, with a good pair for `localhost`, `127.0.0.1` and `pbx.example.com`.
    pub fn build(version: Version) -> Builder {
        Builder::new(version)
    }

    /// The default instance.
    pub fn start(version: Version) -> Self {
        Builder::new(version).start()
    }

    /// The instance's own folder, under the same path inside and outside.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The configuration folder.
    pub fn etc(&self) -> PathBuf {
        self.folder().join("etc")
    }

    /// The folder that the certificate is written to: `pair.write(asterisk.tls(), …)`.
    pub fn tls(&self) -> PathBuf {
        self.folder().join("tls")
    }

    /// The certificate that http.conf names.
    pub fn cert(&self) -> &Path {
        &self.cert
    }

    /// The key that http.conf names.
    pub fn key(&self) -> &Path {
        &self.key
    }

    /// A file that holds the AMI user's secret, as `secretFile` wants it.
    pub fn secret_file(&self) -> PathBuf {
        self.folder().join("secret")
    }

    /// Settings of an agent for this instance, to be added to: AMI as the user `starkeeper`, the certificate's paths, the door.
    pub fn settings(&self) -> String {
        format!(
            "asterisk:\n  ami: {{address: \"127.0.0.1:{ami}\", username: starkeeper, secretFile: {secret}}}\n\
             certificate: {{cert: {cert}, key: {key}, trust: none}}\nwss: {{address: \"127.0.0.1:{wss}\"}}\n",
            ami = self.ports.ami,
            secret = self.secret_file().display(),
            cert = self.cert.display(),
            key = self.key.display(),
            wss = self.ports.wss,
        )
    }

    /// Asterisk's process id, as the host sees it.
    pub fn pid(&self) -> u32 {
        self.jail.as_ref().expect("an instance that was started").pid()
    }

    /// The process id, unless it was killed by [`Asterisk::kill`].
    pub fn started(&self) -> Option<u32> {
        self.jail.as_ref().map(Jail::pid)
    }

    /// Whether the process still runs.
    pub fn alive(&mut self) -> bool {
        self.jail.as_mut().is_some_and(Jail::alive)
    }

    /// Freezes the process: TCP still connects, nothing answers.
    pub fn stop(&mut self) {
        self.signal(Signal::STOP);
    }

    /// Thaws it.
    pub fn cont(&mut self) {
        self.signal(Signal::CONT);
    }

    /// Kills it. The folder and the ports stay: [`Asterisk::restart`] brings it back.
    pub fn kill(&mut self) {
        self.jail = None;
    }

    /// Kills it, if it still runs, and starts it anew on the same ports and folder; returns once it is booted.
    pub fn restart(&mut self) {
        self.kill();
        self.spawn();
        self.booted();
    }

    /// A session of the AMI user `admin`, who may do everything.
    pub fn manager(&self) -> Manager {
        Manager::login(self.ports.ami, "admin", SECRET).unwrap_or_else(|error| panic!("AMI login of admin: {error}"))
    }

    /// Runs a CLI command and returns its output.
    pub fn cli(&self, command: &str) -> String {
        self.manager().command(command).unwrap_or_else(|error| panic!("CLI {command}: {error}"))
    }

    /// Everything that it has logged (notice, warning, error, verbose).
    pub fn log(&self) -> String {
        let bytes = fs::read(self.folder().join("log/full")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The log's present end.
    pub fn mark(&self) -> Mark {
        Mark(self.log().len())
    }

    /// The lines of level ERROR, WARNING and NOTICE that have appeared since the mark.
    pub fn complaints(&self, since: Mark) -> Vec<String> {
        let log = self.log();
        let new = log.get(since.0..).unwrap_or_default();
        let is_complaint = |line: &&str| ["ERROR[", "WARNING[", "NOTICE["].iter().any(|level| line.contains(level));
        new.lines().filter(is_complaint).map(str::to_owned).collect()
    }

    /// Resident memory in bytes.
    pub fn rss(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
    }

    /// Processor time spent so far, user and system, to a hundredth of a second.
    pub fn cpu_time(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let ticks: u64 = after_name.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 10)
    }

    fn signal(&mut self, signal: Signal) {
        self.jail.as_mut().expect("an instance that was started").signal(signal);
    }

    fn spawn(&mut self) {
        self.jail = Some(Jail::enter(&self.root, self.folder.path(), self.low_ports));
    }

    /// Waits until AMI says that Asterisk has fully booted.
    fn booted(&mut self) {
        let mut manager = until_some(BOOT, "AMI of a starting Asterisk", || {
            assert!(self.alive(), "Asterisk {} ended while booting:\n{}\n{}", self.version.number(), self.said(), self.log());
            Manager::login(self.ports.ami, "admin", SECRET).ok()
        });
        if let Err(error) = manager.wait("FullyBooted", BOOT) {
            panic!("Asterisk {} did not boot: {error}\n{}\n{}", self.version.number(), self.said(), self.log());
        }
        // The log is written by a thread of its own: a mark taken after this has all of the boot behind it.
        until(BOOT, "the line `Asterisk Ready.`", || self.log().contains("Asterisk Ready."));
    }

    fn said(&self) -> String {
        fs::read_to_string(self.folder().join("out")).unwrap_or_default()
    }
}

/// The secret of every AMI user of the lab, and of its SIP endpoint `webrtc`.
pub const SECRET: &str = "only-for-the-lab";
const BOOT: Duration = Duration::from_secs(20);

/// Makes the folders of an instance: what Asterisk writes to is its own, what it only reads is not.
fn lay_out(folder: &Path, uid: u32, gid: u32) {
    let open = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    open(folder, 0o755);
    for name in ["log", "run", "db", "keys", "spool", "cache", "etc", "tls"] {
        let path = folder.join(name);
        fs::create_dir(&path).unwrap();
        match name {
            "etc" => open(&path, 0o755),
            // As a volume with fsGroup: what is written here belongs to Asterisk's group.
            "tls" => {
                chown(&path, None, Some(gid)).unwrap();
                open(&path, 0o2755);
            }
            _ => {
                chown(&path, Some(uid), Some(gid)).unwrap();
                open(&path, 0o750);
            }
        }
    }
    debug_assert_eq!(fs::metadata(folder.join("tls")).unwrap().gid(), gid);
}

/// The user `asterisk` of the root folder: its uid and gid, which are the same inside and outside.
fn asterisk_user(root: &Path) -> (u32, u32) {
    let passwd = fs::read_to_string(root.join("etc/passwd")).unwrap_or_default();
    let line = passwd.lines().find(|line| line.starts_with("asterisk:")).expect("a user `asterisk` in the provisioned root");
    let mut fields = line.split(':').skip(2).map_while(|field| field.parse().ok());
    (fields.next().expect("a uid"), fields.next().expect("a gid"))
}
