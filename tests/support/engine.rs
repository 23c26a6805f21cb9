//! A Docker engine of the test's own (Debian's `dockerd`), with the client, Compose and images of the lab. It lives in namespaces of its own
//! (mounts, network, processes) and keeps all that it stores in memory, so that nothing of it meets the host's Docker, bridges or
//! firewall, and nothing is left on drop: no container, no bridge, no mount, no cgroup. It reaches no registry. Refuses, by
//! failing the test with what to run: no root, no lab (`tests/lab/docker.sh`, `asterisk-image.sh`, `image.sh`).

use std::{
    env, fs,
    io::{Read as _, Write as _},
    os::{fd::AsFd as _, unix::net::UnixStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
    thread,
    time::Duration,
};

use rustix::{
    process::{Pid, Signal, kill_process},
    thread::{LinkNameSpaceType, move_into_link_name_space},
};
use tempfile::TempDir;

use super::{bound, launch, until};

/// A running engine.
#[derive(Debug)]
pub struct Engine {
    unshare: Child,
    folder: TempDir,
}

impl Engine {
    /// The engine that the tests of one binary share: the first who asks starts it, the last who lets go ends it. It has the images
    /// [`STARKEEPER`] and [`ASTERISK`].
    pub fn shared() -> Arc<Self> {
        static SHARED: OnceLock<Mutex<Weak<Engine>>> = OnceLock::new();
        let mut shared = SHARED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = shared.upgrade() {
            return engine;
        }
        let engine = Arc::new(Self::furnished());
        *shared = Arc::downgrade(&engine);
        engine
    }

    /// An engine of one test's own, with both images.
    pub fn furnished() -> Self {
        let engine = Self::start();
        engine.docker(&["load", "--quiet", "--input", image().to_str().unwrap()]);
        let asterisk = lab("asterisk-image.sh", &["22"]);
        engine.docker(&[
            "import",
            "--change",
            "CMD [\"asterisk\", \"-f\", \"-U\", \"asterisk\", \"-G\", \"asterisk\"]",
            &asterisk,
            ASTERISK,
        ]);
        engine
    }

    /// An engine without images.
    pub fn start() -> Self {
        assert!(rustix::process::geteuid().is_root(), "a Docker engine needs root: run the tests as root, or with sudo -E");
        let folder = tempfile::Builder::new().prefix("starkeeper-engine-").tempdir_in("/tmp").expect("a folder in /tmp");
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let mut command = bound("unshare");
        command.args(["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", SCRIPT, "engine"]);
        command.arg(folder.path()).arg(cgroup());
        command.env("PATH", format!("{}:/usr/sbin:/sbin", env::var("PATH").unwrap_or_default()));
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let unshare = launch(command).expect("setpriv and unshare of util-linux");
        let mut engine = Self { unshare, folder };
        until(Duration::from_secs(120), "the engine's answer to a ping", || {
            let ended = engine.unshare.try_wait().unwrap();
            assert!(ended.is_none(), "dockerd ended: {}", fs::read_to_string(engine.folder.path().join("log")).unwrap_or_default());
            engine.answers()
        });
        engine
    }

    /// Stops the engine with all containers in good order and starts it again, as a reboot does; returns once it answers.
    pub fn restart(&self) {
        let folder = self.folder().to_str().unwrap();
        let is_it = |pid: &u32| {
            let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
            read("comm").trim() == "dockerd" && read("cmdline").contains(folder)
        };
        let pid = pids().find(is_it).expect("dockerd");
        kill_process(Pid::from_raw(pid as i32).unwrap(), Signal::TERM).unwrap();
        until(Duration::from_secs(120), "the engine's end", || !is_it(&pid));
        until(Duration::from_secs(120), "the engine's answer to a ping", || self.answers());
    }

    /// A folder that lives as long as the engine, under the same path inside and outside.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The address of its socket, as `DOCKER_HOST` wants it.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// `docker ARGS…`, which must succeed: what it printed, without the last line's end.
    #[track_caller]
    pub fn docker(&self, args: &[&str]) -> String {
        succeeded(self.client("/usr/bin/docker").args(args), args)
    }

    /// `docker ARGS…`, whatever comes of it.
    pub fn try_docker(&self, args: &[&str]) -> Output {
        self.client("/usr/bin/docker").args(args).output().unwrap()
    }

    /// Compose, to be given its arguments.
    pub fn compose(&self) -> Command {
        self.client(cache().join("docker/bin/docker-compose"))
    }

    /// Kills a container's first process, as a crash would. (`docker kill` counts as a wish that it stay down.)
    pub fn crash(&self, container: &str) {
        let pid = Pid::from_raw(self.pid(container) as i32).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
    }

    /// The id that a container's first process has on the host.
    pub fn pid(&self, container: &str) -> u32 {
        let id = self.docker(&["inspect", "--format", "{{.Id}}", container]);
        let is_it = |pid: &u32| {
            let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
            let first = |line: &str| line.starts_with("NSpid:") && line.split_whitespace().next_back() == Some("1");
            read("cgroup").contains(&id) && read("status").lines().any(first)
        };
        pids().find(is_it).unwrap_or_else(|| panic!("{container} has no process"))
    }

    /// Does something in the network of a container, where 127.0.0.1 is that container.
    pub fn in_network_of<T: Send>(&self, container: &str, act: impl FnOnce() -> T + Send) -> T {
        let place = self.docker(&["inspect", "--format", "{{.NetworkSettings.SandboxKey}}", container]);
        assert!(place.starts_with('/'), "{container} has no network of its own: {place:?}");
        self.in_network(&format!("root{place}"), act)
    }

    /// Does something in the engine's network, where 127.0.0.1 has the ports that containers publish.
    pub fn in_own_network<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        self.in_network("ns/net", act)
    }

    fn in_network<T: Send>(&self, place: &str, act: impl FnOnce() -> T + Send) -> T {
        let path = format!("/proc/{}/{place}", self.unshare.id());
        let net = fs::File::open(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        // A thread of its own: only that one changes place.
        let inside = || {
            move_into_link_name_space(net.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            act()
        };
        thread::scope(|scope| {
            let name = thread::current().name().unwrap_or("inside").to_owned();
            let thread = thread::Builder::new().name(name).spawn_scoped(scope, inside).unwrap();
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// A client of this engine, to be given its arguments.
    pub fn client(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("DOCKER_HOST", self.host()).env("DOCKER_CONFIG", self.folder().join("client")).stdin(Stdio::null());
        for (name, _) in env::vars().filter(|(name, _)| name.starts_with("COMPOSE_") || name.starts_with("STARKEEPER_")) {
            command.env_remove(name);
        }
        command
    }

    fn socket(&self) -> PathBuf {
        self.folder().join("docker.sock")
    }

    fn answers(&self) -> bool {
        let ask = || {
            let mut stream = UnixStream::connect(self.socket())?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.write_all(b"GET /_ping HTTP/1.0\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).map(|_| answer)
        };
        ask().is_ok_and(|answer| answer.contains(" 200 "))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // The first process of the namespace dies with unshare, and takes everything with it.
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
        let roots = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten().map(|entry| entry.path());
        let groups: Vec<_> = roots.map(|root| root.join(cgroup())).chain([Path::new("/sys/fs/cgroup").join(cgroup())]).collect();
        until(Duration::from_secs(30), "the end of the engine's cgroups", || {
            groups.iter().for_each(|group| remove_group(group));
            !groups.iter().any(|group| group.exists())
        });
    }
}

/// What a program printed; panics with all of it where it failed.
#[track_caller]
pub fn succeeded(command: &mut Command, args: &[&str]) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{:?}: {error}: run tests/lab/docker.sh", command.get_program()));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{args:?}: {}\n{out}{err}", output.status);
    out.trim_end().to_owned()
}

/// Starkeeper's image as a docker-archive, built from this source if it is not yet.
pub fn image() -> PathBuf {
    PathBuf::from(lab("image.sh", &[]))
}

/// Where the lab keeps what it provides.
pub fn cache() -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    cache.unwrap_or_else(|| PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache")).join("starkeeper-lab")
}

/// What a script of the lab prints.
#[track_caller]
pub fn lab(script: &str, args: &[&str]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab").join(script);
    succeeded(Command::new(path).args(args).stdin(Stdio::null()), &[script])
}

/// A group can be removed once those below it are, and once its processes have ended.
fn remove_group(group: &Path) {
    for below in fs::read_dir(group).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir()) {
        remove_group(&below.path());
    }
    let _ = fs::remove_dir(group);
}

fn pids() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn cgroup() -> String {
    format!("starkeeper-engine-{}", std::process::id())
}

/// The image of Starkeeper.
pub const STARKEEPER: &str = "starkeeper:lab";
/// The image of Asterisk 22, which takes its configuration from a mounted /etc/asterisk.
pub const ASTERISK: &str = "asterisk:22";

/// The first process of the namespaces, which collects those whose parent is gone. `unshare` has made the mounts private already.
const SCRIPT: &str = r#"
set -e
folder=$1 cgroup=$2
mount -t tmpfs tmpfs /run
mkdir "$folder/data"
mount -t tmpfs tmpfs "$folder/data"
ip link set lo up
# Stopped with TERM, it comes back: a reboot. Otherwise its end is the end.
while dockerd --data-root "$folder/data" --exec-root /run/docker --pidfile /run/docker.pid --host "unix://$folder/docker.sock" \
  --storage-driver overlay2 --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$cgroup"
do :; done
"#;
