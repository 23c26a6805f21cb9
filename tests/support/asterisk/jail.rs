//! One Asterisk process in a mount and process-id namespace of its own. What enters: a provisioned root folder, the instance's
//! folder, which appears inside under the same absolute path, and its asterisk.conf. Nothing of it outlives the [`Jail`], nor this process.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{bound, launch, until, until_some};

/// A running Asterisk, killed on drop.
#[derive(Debug)]
pub struct Jail {
    unshare: Child,
    pid: u32,
}

impl Jail {
    /// Starts Asterisk; returns as soon as the process exists. `low_ports`: it may bind ports below 1024, by systemd's AmbientCapabilities
    /// as distributions do it, since it has long left root behind when it binds.
    pub fn enter(root: &Path, folder: &Path, low_ports: bool) -> Self {
        let said = File::create(folder.join("out")).expect("the instance's folder");
        // Without a terminal: OpenSSL would ask it for the passphrase of an encrypted key, and wait.
        let mut command = bound("setsid");
        command.args(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", SCRIPT]);
        command.arg("jail").arg(root).arg(folder).arg(if low_ports { LOW_PORTS } else { "" });
        command.stdin(Stdio::null()).stdout(said.try_clone().expect("a descriptor")).stderr(said);
        let mut unshare = launch(command).expect("setpriv and unshare of util-linux");
        let parent = unshare.id();
        let pid = until_some(Duration::from_secs(10), "the process in the namespace", || {
            if let Ok(Some(status)) = unshare.try_wait() {
                panic!("Asterisk's namespace ended at once with {status}: {}", fs::read_to_string(folder.join("out")).unwrap_or_default());
            }
            child_of(parent)
                .and_then(child_of)
                .filter(|pid| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "asterisk"))
        });
        Self { unshare, pid }
    }

    /// Asterisk's process id as this process sees it.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the process still runs (a stopped one does).
    pub fn alive(&mut self) -> bool {
        matches!(self.unshare.try_wait(), Ok(None))
    }

    /// Sends Asterisk itself a signal.
    pub fn signal(&mut self, signal: Signal) {
        // Asterisk's end ends the namespace and so unshare: while that lives, the id is Asterisk's.
        if self.alive()
            && let Some(pid) = Pid::from_raw(self.pid as i32)
        {
            let _ = kill_process(pid, signal);
        }
    }

    /// Kills Asterisk; returns once process and mounts are gone.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.unshare.wait();
        let status = format!("/proc/{}/stat", self.pid);
        // A zombie has no mounts and no sockets: all that is left of it is an entry that waits for its parent.
        until(Duration::from_secs(10), "Asterisk's end", || fs::read_to_string(&status).map_or(true, |stat| stat.contains(") Z ")));
    }
}

impl Drop for Jail {
    fn drop(&mut self) {
        self.kill();
    }
}

fn child_of(parent: u32) -> Option<u32> {
    fs::read_dir("/proc").ok()?.filter_map(Result::ok).find_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name in parentheses may hold spaces; state and parent follow the last one.
        let found: u32 = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
        (found == parent).then_some(pid)
    })
}

/// Runs as the first process of the namespace, which takes all others with it. It does not become Asterisk itself: a process that
/// changes its user is no longer told of its parent's death. unshare has made the mounts private already.
const SCRIPT: &str = r#"
set -e
root=$1 folder=$2 low_ports=$3
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -p "$root$folder"
mount --rbind "$folder" "$root$folder"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
if [ -n "$low_ports" ]; then
  chroot "$root" setpriv $low_ports /usr/sbin/asterisk -C "$folder/etc/asterisk.conf" -f &
else
  chroot "$root" /usr/sbin/asterisk -C "$folder/etc/asterisk.conf" -U asterisk -G asterisk -f &
fi
wait $!
"#;

const LOW_PORTS: &str = "--reuid=asterisk --regid=asterisk --init-groups --inh-caps=+net_bind_service --ambient-caps=+net_bind_service";
