//! Real directories, real inotify: every way in which certificates are rotated ends with the last generation told, and no half file ever.

mod polling;
mod reading;
mod watching;

use std::{fs, os::unix::fs::symlink, path::Path, sync::Arc, time::Duration};

use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

use super::{
    inotify::{Opener, open_inotify},
    watch::{Pace, watch_with},
    *,
};

/// A file of generation `n`: whole only if its first and last line agree.
fn body(n: u32) -> String {
    format!("BEGIN {n}\n{}END {n}\n", "MIIBszCCAVmgAwIBAgIUcHVibGlj\n".repeat(60))
}

/// The generation of a whole file.
fn generation(content: &Content) -> u32 {
    let text = String::from_utf8(content.bytes().to_vec()).unwrap();
    let n = text.lines().next().and_then(|line| line.strip_prefix("BEGIN ")).and_then(|n| n.parse().ok());
    let n = n.unwrap_or_else(|| panic!("a half file of {} bytes was told", text.len()));
    assert_eq!(text, body(n), "a half file of {} bytes was told", text.len());
    n
}

struct Watched {
    events: mpsc::Receiver<MaterialEvent>,
    hints: mpsc::Sender<LookAgain>,
    modes: Vec<WatchMode>,
    task: JoinHandle<()>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Watched {
    fn start(sources: Sources) -> Watched {
        // So long that nothing but inotify can be what tells.
        let never = Duration::from_secs(3600);
        Watched::with(sources, Pace { rescan: never, poll: never, retry: never }, Box::new(open_inotify))
    }

    fn with(sources: Sources, pace: Pace, open: Opener) -> Watched {
        let (out, events) = mpsc::channel(8);
        let (hints, hints_out) = mpsc::channel(1);
        Watched { events, hints, modes: Vec::new(), task: tokio::spawn(watch_with(sources, pace, open, hints_out, out)) }
    }

    async fn event(&mut self) -> MaterialEvent {
        timeout(DEADLINE, self.events.recv()).await.expect("an event in time").expect("a watch that lives")
    }

    /// The next snapshot; every file in it is whole or missing.
    async fn snapshot(&mut self) -> Arc<Snapshot> {
        loop {
            match self.event().await {
                MaterialEvent::Watching(mode) => self.modes.push(mode),
                MaterialEvent::Snapshot { snapshot, .. } => {
                    for capture in [&snapshot.cert, &snapshot.key] {
                        match &capture.content {
                            Ok(content) => drop(generation(content)),
                            Err(ReadFault::Missing { .. }) => {}
                            Err(fault) => panic!("{fault}"),
                        }
                    }
                    return snapshot;
                }
            }
        }
    }

    /// Waits until both files are told to be of generation `n`.
    async fn until(&mut self, n: u32) {
        loop {
            let snapshot = self.snapshot().await;
            if let (Ok(cert), Ok(key)) = (&snapshot.cert.content, &snapshot.key.content)
                && (generation(cert), generation(key)) == (n, n)
            {
                return;
            }
        }
    }

    async fn mode(&mut self) -> WatchMode {
        loop {
            if let Some(mode) = self.modes.pop() {
                return mode;
            }
            match self.event().await {
                MaterialEvent::Watching(mode) => return mode,
                MaterialEvent::Snapshot { .. } => {}
            }
        }
    }
}

/// So brisk that polling and recovery are seen within a test.
const BRISK: Pace = Pace { rescan: Duration::from_secs(3600), poll: Duration::from_millis(20), retry: Duration::from_millis(50) };

/// For what takes milliseconds, on a machine that is very busy.
const DEADLINE: Duration = Duration::from_secs(20);

fn sources(dir: &Path) -> Sources {
    Sources { cert: dir.join("tls.crt"), key: dir.join("tls.key") }
}

fn write_pair(dir: &Path, n: u32) {
    fs::write(dir.join("tls.crt"), body(n)).unwrap();
    fs::write(dir.join("tls.key"), body(n)).unwrap();
}

fn rename_into(path: &Path, n: u32) {
    let temporary = path.with_extension("tmp");
    fs::write(&temporary, body(n)).unwrap();
    fs::rename(&temporary, path).unwrap();
}

/// As kubelet's atomic writer does it.
fn kubelet_swap(mount: &Path, n: u32) {
    let old = fs::read_link(mount.join("..data")).ok();
    let name = format!("..2026_11_23_01_02_03.{n}");
    fs::create_dir(mount.join(&name)).unwrap();
    write_pair(&mount.join(&name), n);
    symlink(&name, mount.join("..data_tmp")).unwrap();
    fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
    match old {
        Some(old) => fs::remove_dir_all(mount.join(old)).unwrap(),
        None => {
            for file in ["tls.crt", "tls.key"] {
                symlink(Path::new("..data").join(file), mount.join(file)).unwrap();
            }
        }
    }
}
