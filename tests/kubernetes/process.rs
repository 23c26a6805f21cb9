//! The processes of a container, as this machine sees them: what enters is a pod as Kubernetes describes it and a container's name; what
//! leaves is their ids and memory, a kill, or an out-of-memory kill by the kernel itself.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::cluster::container;

/// The first process of a container.
pub(crate) struct Process {
    pid: u32,
}

impl Process {
    /// By the container's id, which its cgroup is called after; nothing while it does not run.
    pub(crate) fn of(pod: &Value, name: &str) -> Option<Self> {
        let id = container(pod, name)?["containerID"].as_str()?.rsplit('/').next()?.to_owned();
        let mut found: Vec<u32> = fs::read_dir("/proc")
            .ok()?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|pid| fs::read_to_string(format!("/proc/{pid}/cgroup")).is_ok_and(|text| text.contains(&id)))
            .collect();
        found.sort_unstable();
        found.first().map(|pid| Self { pid: *pid })
    }

    /// Resident memory in bytes, as the kernel counts it.
    pub(crate) fn rss(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Kills it.
    pub(crate) fn kill(&self) {
        kill_process(Pid::from_raw(self.pid as i32).unwrap(), Signal::KILL).unwrap();
    }

    /// Has the kernel end it for want of memory: another process in the same cgroup takes what the limit leaves, and this one is the
    /// kernel's first choice.
    pub(crate) fn starve(&self) {
        fs::write(format!("/proc/{}/oom_score_adj", self.pid), "1000").unwrap();
        let script = "echo $$ >\"$1/cgroup.procs\" && head -c 64M /dev/zero | tail >/dev/null";
        let mut command = Command::new("sh");
        command.args(["-c", script, "starve"]).arg(self.memory_cgroup()).stdout(Stdio::null()).stderr(Stdio::null());
        // It may be ended, too: that is the kernel's to say.
        let _ = command.status().unwrap();
    }

    /// Its folder in the hierarchy of the memory controller, cgroup v1 or v2.
    fn memory_cgroup(&self) -> PathBuf {
        let text = fs::read_to_string(format!("/proc/{}/cgroup", self.pid)).unwrap();
        let of = |line: &str| line.splitn(3, ':').nth(2).map(|path| path.trim_start_matches('/').to_owned());
        let first =
            text.lines().find(|line| line.contains(":memory:")).and_then(of).map(|path| Path::new("/sys/fs/cgroup/memory").join(path));
        first
            .or_else(|| text.lines().find(|line| line.starts_with("0::")).and_then(of).map(|path| Path::new("/sys/fs/cgroup").join(path)))
            .unwrap()
    }
}
