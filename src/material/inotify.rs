//! Directories that decide → [`Sign`]s, by inotify. It watches directories and never files, since a watch on a file dies with the first
//! swap. What it cannot watch, or should not rely upon (a network file system), it says as a [`WatchMode`]; it decides nothing else.

use std::{
    collections::HashSet,
    ffi::OsString,
    fs,
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
    unavailable::{Trouble, network},
    walk::{Folder, Walk},
    watch::WatchMode,
};
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
            (None, Some((kind, path))) => WatchMode::Polling { finding: Trouble::Network(path.to_owned(), kind).finding() },
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

/// More than a swap and a burst of writes make; beyond it, one rescan stands for all.
const WAITING_SIGNS: usize = 256;

#[cfg(test)]
mod tests {
    use notify::event::{DataChange, Flag, MetadataKind, RemoveKind};

    use super::*;
    use crate::material::Sources;

    fn outlet(dir: &Path) -> (Eyes, mpsc::Receiver<Sign>) {
        let (mut eyes, signs) = Eyes::new(Box::new(|_| Err(notify::Error::generic("no"))));
        let sources = Sources { cert: dir.join("tls.crt"), key: dir.join("tls.key") };
        eyes.arm(&super::super::read::walk_both(&sources));
        (eyes, signs)
    }

    #[test]
    fn each_kind_of_event_says_what_it_means() {
        let path = Path::new("/nowhere/tls.crt");
        let at = || path.to_owned();
        let name = |mode| EventKind::Modify(ModifyKind::Name(mode));
        for (kind, expected) in [
            (EventKind::Modify(ModifyKind::Data(DataChange::Any)), Some(Sign::Writing(at()))),
            (EventKind::Access(AccessKind::Close(AccessMode::Write)), Some(Sign::Closed(at()))),
            (EventKind::Access(AccessKind::Close(AccessMode::Read)), None),
            (EventKind::Access(AccessKind::Open(AccessMode::Any)), None),
            (name(RenameMode::To), Some(Sign::Swapped(at()))),
            (name(RenameMode::From), Some(Sign::Gone(at()))),
            (name(RenameMode::Both), None),
            (EventKind::Remove(RemoveKind::File), Some(Sign::Gone(at()))),
            (EventKind::Create(CreateKind::Folder), Some(Sign::Touched)),
            (EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)), Some(Sign::Touched)),
        ] {
            assert_eq!(sign(kind, path), expected, "{kind:?}");
        }
    }

    #[test]
    fn new_name_is_a_writer_only_if_it_is_a_file_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let [file, link, hard] = ["file", "link", "hard"].map(|name| dir.path().join(name));
        let created = EventKind::Create(CreateKind::File);
        fs::write(&file, "").unwrap();
        assert_eq!(sign(created, &file), Some(Sign::Writing(file.clone())));
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(sign(created, &link), Some(Sign::Swapped(link.clone())));
        fs::hard_link(&file, &hard).unwrap();
        assert_eq!(sign(created, &hard), Some(Sign::Swapped(hard.clone())));
    }

    #[test]
    fn names_that_decide_nothing_do_not_wake() {
        let dir = tempfile::tempdir().unwrap();
        let (eyes, mut signs) = outlet(dir.path());
        let written = |name: &str| Ok(Event::new(EventKind::Remove(RemoveKind::File)).add_path(dir.path().join(name)));
        eyes.outlet.pass(written("unrelated.log"));
        eyes.outlet.pass(written("tls.crt"));
        assert_eq!(signs.try_recv(), Ok(Sign::Gone(dir.path().join("tls.crt"))));
        assert!(signs.try_recv().is_err());
    }

    #[test]
    fn queue_that_overflows_here_or_in_the_kernel_is_said_to_have_lost_signs() {
        let dir = tempfile::tempdir().unwrap();
        let (eyes, mut signs) = outlet(dir.path());
        eyes.outlet.pass(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)));
        assert_eq!(signs.try_recv(), Ok(Sign::Lost));
        assert!(!eyes.lost_signs());
        for _ in 0..=WAITING_SIGNS {
            eyes.outlet.pass(Err(notify::Error::generic("read")));
        }
        assert!(eyes.lost_signs());
        assert!(!eyes.lost_signs());
    }
}
