//! Directories that decide → [`Sign`]s, by inotify. It watches directories and never files, since a watch on a file dies with the first
//! swap. What it cannot watch, or should not rely upon (a network file system), it says as a [`WatchMode`]; it decides nothing else.

use std::{
    collections::HashSet,
    ffi::OsString,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use notify::{
    Config, ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode},
};
use tokio::sync::mpsc;

use super::{
    settle::Sign,
    walk::{Folder, Walk},
    watch::WatchMode,
};
use crate::diagnosis::{Code, Finding};

/// One inotify instance and what it watches.
pub(super) struct Eyes {
    open: Opener,
    watcher: Option<RecommendedWatcher>,
    armed: Vec<Armed>,
    outlet: Outlet,
    trouble: Option<Trouble>,
}

/// How an instance is had; tests have it fail.
pub(super) type Opener = Box<dyn Fn(Outlet) -> notify::Result<RecommendedWatcher> + Send + Sync>;

impl Eyes {
    /// Nothing is watched yet; signs come out of the receiver. A sign that finds it full is counted as [`Sign::Lost`].
    pub(super) fn new(open: Opener) -> (Eyes, mpsc::Receiver<Sign>) {
        let (signs, receiver) = mpsc::channel(WAITING_SIGNS);
        let outlet = Outlet { signs, lost: Arc::default(), interest: Arc::default() };
        (Eyes { open, watcher: None, armed: Vec::new(), outlet, trouble: None }, receiver)
    }

    /// Whether there is an inotify instance at all.
    pub(super) fn is_open(&self) -> bool {
        self.watcher.is_some()
    }

    /// Tries to have an inotify instance.
    pub(super) fn open(&mut self) {
        match (self.open)(self.outlet.clone()) {
            Ok(watcher) => (self.watcher, self.trouble) = (Some(watcher), None),
            Err(error) => self.trouble = Some(Trouble::of(&error, None)),
        }
    }

    /// Whether exactly what decides is being watched: then there is nothing to arm.
    pub(super) fn covers(&self, walks: &[Walk; 2]) -> bool {
        let wanted = deciding(walks);
        self.armed.len() == wanted.len() && wanted.iter().all(|folder| self.has(folder)) && *self.outlet.interest() == Interest::of(walks)
    }

    /// Watches what decides, and nothing else. True where that is more, or other, than before: what changed until now may not have
    /// been seen, so read again.
    pub(super) fn arm(&mut self, walks: &[Walk; 2]) -> bool {
        let wanted = deciding(walks);
        let interest = Interest::of(walks);
        let mut more = *self.outlet.interest() != interest;
        *self.outlet.interest() = interest;
        let stale = |armed: &Armed| !wanted.iter().any(|folder| armed.is(folder));
        let gone: Vec<PathBuf> = self.armed.iter().filter(|armed| stale(armed)).map(|armed| armed.path.clone()).collect();
        gone.iter().for_each(|path| self.disarm(path));
        let Some(watcher) = &mut self.watcher else { return false };
        self.trouble = None;
        for folder in wanted {
            if self.armed.iter().any(|armed| armed.is(folder)) {
                continue;
            }
            match watcher.watch(&folder.node.path, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.armed.push(Armed::new(folder));
                    more = true;
                }
                // It went away between the walk and now: the next walk finds what stands there instead.
                Err(notify::Error { kind: ErrorKind::PathNotFound, .. }) => more = true,
                Err(error) => self.trouble = Some(Trouble::of(&error, Some(&folder.node.path))),
            }
        }
        more
    }

    /// Stops watching a directory that is gone, or was moved away, and those below it.
    pub(super) fn disarm(&mut self, path: &Path) {
        let Some(watcher) = &mut self.watcher else { return };
        self.armed.retain(|armed| {
            let stays = !armed.path.starts_with(path);
            if !stays {
                // It fails where the kernel has already dropped the watch with its directory, which is as well.
                let _ = watcher.unwatch(&armed.path);
            }
            stays
        });
    }

    /// Returns when every sign of what happened before has been handed over.
    pub(super) fn catch_up(&mut self) {
        if let Some(watcher) = &mut self.watcher {
            // The thread that reads inotify answers this in turn; it changes nothing.
            let _ = watcher.configure(Config::default());
        }
    }

    /// Whether signs were lost since this was asked last.
    pub(super) fn lost_signs(&self) -> bool {
        self.outlet.lost.swap(false, Ordering::AcqRel)
    }

    /// Whether what is watched can be relied upon.
    pub(super) fn mode(&self) -> WatchMode {
        let network = || self.armed.iter().find_map(|armed| armed.network.map(|kind| (kind, &armed.path)));
        match (&self.trouble, network()) {
            (Some(trouble), _) => WatchMode::Polling { finding: trouble.finding() },
            (None, Some((kind, path))) => {
                let reason = format!("{kind} does not tell of changes made elsewhere");
                WatchMode::Polling { finding: Finding::new(Code::WatchUnavailable).with("path", path.as_path()).with("reason", reason) }
            }
            (None, None) => WatchMode::Inotify,
        }
    }

    fn has(&self, folder: &Folder) -> bool {
        self.armed.iter().any(|armed| armed.is(folder))
    }
}

/// Takes an inotify instance from the system.
pub(super) fn open_inotify(outlet: Outlet) -> notify::Result<RecommendedWatcher> {
    // notify panics later if its thread could not be started (a pid limit): see first that one can.
    let thread = std::thread::Builder::new().name("inotify-probe".into()).spawn(|| {}).map_err(notify::Error::io)?;
    let _ = thread.join();
    RecommendedWatcher::new(move |event| outlet.pass(event), Config::default())
}

/// A directory that is watched.
struct Armed {
    path: PathBuf,
    dev: u64,
    ino: u64,
    /// The network file system that it is on.
    network: Option<&'static str>,
}

impl Armed {
    fn new(folder: &Folder) -> Armed {
        Armed { path: folder.node.path.clone(), dev: folder.dev, ino: folder.ino, network: network(&folder.node.path) }
    }

    fn is(&self, folder: &Folder) -> bool {
        self.path == folder.node.path && (self.dev, self.ino) == (folder.dev, folder.ino)
    }
}

/// The directories to watch, each once: two paths to one directory share one watch in the kernel.
fn deciding(walks: &[Walk; 2]) -> Vec<&Folder> {
    let mut seen = HashSet::new();
    walks.iter().flat_map(|walk| &walk.folders).filter(|folder| folder.decides && seen.insert((folder.dev, folder.ino))).collect()
}

/// What an event must be about to be worth waking for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Interest {
    names: HashSet<OsString>,
    folders: HashSet<PathBuf>,
}

impl Interest {
    fn of(walks: &[Walk; 2]) -> Interest {
        Interest {
            names: walks.iter().flat_map(|walk| walk.names.iter().cloned()).collect(),
            folders: deciding(walks).into_iter().map(|folder| folder.node.path.clone()).collect(),
        }
    }

    /// By name alone, not by path: one directory may be watched under another of its paths.
    fn wakes(&self, path: &Path) -> bool {
        self.folders.contains(path) || path.file_name().is_some_and(|name| self.names.contains(name))
    }
}

/// From inotify's thread to the task that watches: never blocks, never grows.
#[derive(Clone)]
pub(super) struct Outlet {
    signs: mpsc::Sender<Sign>,
    lost: Arc<AtomicBool>,
    interest: Arc<Mutex<Interest>>,
}

impl Outlet {
    fn interest(&self) -> MutexGuard<'_, Interest> {
        self.interest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(&self, event: notify::Result<Event>) {
        let sign = match event {
            Ok(event) if event.need_rescan() => Some(Sign::Lost),
            Ok(event) => event.paths.first().filter(|path| self.interest().wakes(path)).and_then(|path| sign(event.kind, path)),
            Err(_) => Some(Sign::Lost),
        };
        if let Some(sign) = sign
            && self.signs.try_send(sign).is_err()
        {
            self.lost.store(true, Ordering::Release);
        }
    }
}

/// What an event says of the file or directory at `path`. Our own reads say nothing.
fn sign(kind: EventKind, path: &Path) -> Option<Sign> {
    let path = || path.to_owned();
    match kind {
        EventKind::Create(CreateKind::Folder) | EventKind::Modify(ModifyKind::Metadata(_)) => Some(Sign::Touched),
        EventKind::Create(_) => Some(if arrives_empty(&path()) { Sign::Writing(path()) } else { Sign::Swapped(path()) }),
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Some(Sign::Swapped(path())),
        EventKind::Modify(ModifyKind::Name(RenameMode::From)) | EventKind::Remove(_) => Some(Sign::Gone(path())),
        // Both halves of the rename have come on their own.
        EventKind::Modify(ModifyKind::Name(_)) => None,
        EventKind::Modify(_) => Some(Sign::Writing(path())),
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Sign::Closed(path())),
        EventKind::Access(_) => None,
        EventKind::Any | EventKind::Other => Some(Sign::Lost),
    }
}

/// A new name is a file whose writer has just opened it, unless it is a link of either kind, which is made in one step.
fn arrives_empty(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.nlink() == 1)
}

/// Why inotify does not serve.
#[derive(Debug)]
enum Trouble {
    /// No instance could be had.
    Instance(String),
    /// `fs.inotify.max_user_watches` is reached.
    Watches(PathBuf),
    /// This directory cannot be watched.
    Folder(PathBuf, String),
}

impl Trouble {
    fn of(error: &notify::Error, path: Option<&Path>) -> Trouble {
        let reason = match &error.kind {
            ErrorKind::Io(error) => error.to_string(),
            ErrorKind::Generic(_)
            | ErrorKind::PathNotFound
            | ErrorKind::WatchNotFound
            | ErrorKind::InvalidConfig(_)
            | ErrorKind::MaxFilesWatch => error.to_string(),
        };
        match (&error.kind, path) {
            (ErrorKind::MaxFilesWatch, Some(path)) => Trouble::Watches(path.to_owned()),
            (_, Some(path)) => Trouble::Folder(path.to_owned(), reason),
            (ErrorKind::Io(error), None) if is_limit(error) => {
                Trouble::Instance(exhausted("fs.inotify.max_user_instances, or the limit of open files,", "max_user_instances"))
            }
            (_, None) => Trouble::Instance(reason),
        }
    }

    fn finding(&self) -> Finding {
        let finding = Finding::new(Code::WatchUnavailable);
        match self {
            Trouble::Instance(reason) => finding.with("reason", reason.as_str()),
            Trouble::Watches(path) => {
                finding.with("path", path.as_path()).with("reason", exhausted("fs.inotify.max_user_watches", "max_user_watches"))
            }
            Trouble::Folder(path, reason) => finding.with("path", path.as_path()).with("reason", reason.as_str()),
        }
    }
}

fn is_limit(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error())
}

/// The setting that is exhausted, with its value where the system tells it.
fn exhausted(what: &str, setting: &str) -> String {
    match fs::read_to_string(Path::new("/proc/sys/fs/inotify").join(setting)) {
        Ok(value) => format!("{what} is reached ({setting} = {})", value.trim()),
        Err(_) => format!("{what} is reached"),
    }
}

/// The network file system that holds `path`, by the magic numbers of `statfs(2)`: it tells nothing of what other machines change.
fn network(path: &Path) -> Option<&'static str> {
    // The magic is 32 bits wide, whatever the width of the field.
    let magic = u32::try_from(u64::try_from(rustix::fs::statfs(path).ok()?.f_type).ok()? & 0xFFFF_FFFF).ok()?;
    NETWORKS.iter().find(|(known, _)| *known == magic).map(|(_, name)| *name)
}

const NETWORKS: &[(u32, &str)] = &[
    (0x0000_6969, "NFS"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB"),
    (0x0000_517B, "SMB"),
    (0x6573_5546, "FUSE"),
    (0x0102_1997, "9P"),
    (0x00C3_6400, "Ceph"),
    (0x5346_414F, "AFS"),
    (0x0116_1970, "GFS2"),
    (0x7461_636F, "OCFS2"),
    (0x0BD0_0BD0, "Lustre"),
];

/// More than a swap and a burst of writes make; beyond it, one rescan stands for all.
const WAITING_SIGNS: usize = 256;
