//! Shows on real file systems what is published, what is refused, that a crash or an error at any step leaves the last good generation,
//! and that no reader ever meets a torn pair or a key that was not meant for it.

mod crashes;
mod publishing;
mod readers;
mod refusals;
pub(crate) mod worlds;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::*;
use crate::material::{Capture, Content};

/// A folder of its own, in memory where that can be had: durability is not what is shown here.
struct Place {
    _folder: TempDir,
    settings: Publish,
}

impl Place {
    fn new() -> Place {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let directory = folder.path().join("tls");
        Place { _folder: folder, settings: Publish { directory, uid: None, gid: None, mode: 0o440 } }
    }

    /// With an owner and a group that are not the agent's, where the agent may give files away.
    fn given_away() -> Place {
        let mut place = Place::new();
        if is_root() {
            (place.settings.uid, place.settings.gid) = (Some(ASTERISK.0), Some(ASTERISK.1));
        }
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.settings.directory.join(name)
    }

    fn publish(&self, number: u32) -> Result<Published, StagingError> {
        publish(&pair(number), &self.settings)
    }

    /// The number of the pair that both stable names, and the combined one, lead to.
    fn number(&self) -> Option<u32> {
        let read = |name| fs::read_to_string(self.at(name)).ok();
        let (cert, key, combined) = (read(FULLCHAIN)?, read(PRIVKEY)?, read(COMBINED)?);
        assert_eq!(combined, format!("{key}{cert}"));
        assert_eq!(number_in(&cert), number_in(&key), "a torn pair");
        Some(number_in(&cert))
    }

    fn generations(&self) -> Vec<String> {
        let names = fs::read_dir(&self.settings.directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.starts_with("starkeeper-")).collect();
        names.sort();
        names
    }

    /// Nothing but the links, the current generation, and perhaps the one before; all as asked.
    fn assert_tidy(&self, generations: usize) {
        let tree = tree(&self.settings.directory);
        let top = tree.keys().filter(|path| path.components().count() == 1).count();
        assert_eq!((self.generations().len(), top), (generations, generations + 4), "{tree:#?}");
        assert_eq!(tree.len(), 4 + generations * 5, "{tree:#?}");
        for path in tree.keys() {
            let found = fs::symlink_metadata(self.settings.directory.join(path)).unwrap();
            if found.is_file() {
                assert_eq!(found.mode() & 0o7777, self.settings.mode, "{path:?}");
                assert!(self.settings.uid.is_none_or(|uid| found.uid() == uid) && self.settings.gid.is_none_or(|gid| found.gid() == gid));
            } else if found.is_dir() {
                assert_eq!(found.mode() & 0o7777, 0o711, "{path:?}");
            }
        }
    }
}

/// A pair that can be told from all others, with bodies that need more than one page once in a while.
fn pair(number: u32) -> Snapshot {
    let body = "QUJD".repeat(10);
    let block = |label: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
    snapshot(
        &format!("number {number}\n{}{}", block("CERTIFICATE"), block("CERTIFICATE")),
        &format!("number {number}\n{}", block("PRIVATE KEY")),
    )
}

fn snapshot(cert: &str, key: &str) -> Snapshot {
    let capture = |name: &str, text: &str| Capture { path: name.into(), content: Ok(Content::new(text.into())), way: Vec::new() };
    Snapshot { cert: capture("/source/tls.crt", cert), key: capture("/source/tls.key", key) }
}

fn number_in(text: &str) -> u32 {
    assert!(text.ends_with("-----\n"), "not whole: {text}");
    text.lines().next().and_then(|line| line.strip_prefix("number ")).unwrap().parse().unwrap()
}

/// Everything below a folder: links with their targets, files with owner, mode, inode and content.
fn tree(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let content = if meta.is_symlink() {
                format!("-> {}", fs::read_link(&path).unwrap().display())
            } else if meta.is_dir() {
                folders.push(path.clone());
                format!("folder {:o} {}", meta.mode(), meta.ino())
            } else {
                let text = fs::read_to_string(&path).unwrap_or_default();
                format!("file {:o} {}:{} {} {text}", meta.mode(), meta.uid(), meta.gid(), meta.ino())
            };
            found.insert(path.strip_prefix(root).unwrap().to_owned(), content);
        }
    }
    found
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Runs as somebody who has no privilege at all: in a thread of its own where the tests run as root, for the kernel keeps identities by
/// thread.
fn as_nobody<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    if !is_root() {
        return act();
    }
    let unprivileged = || {
        let (user, group) = (rustix::fs::Uid::from_raw(NOBODY), rustix::fs::Gid::from_raw(NOBODY));
        rustix::thread::set_thread_groups(&[]).unwrap();
        rustix::thread::set_thread_res_gid(group, group, group).unwrap();
        rustix::thread::set_thread_res_uid(user, user, user).unwrap();
        act()
    };
    std::thread::scope(|scope| scope.spawn(unprivileged).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

/// User and group of Asterisk in the tests.
const ASTERISK: (u32, u32) = (101, 102);

const NOBODY: u32 = 65_534;
