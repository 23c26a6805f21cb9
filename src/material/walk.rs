//! A path → [`Walk`]: what the kernel meets on the way to a file, link by link (kubelet's `..data`, Certbot's `live/` → `archive/`), with
//! who may pass. Two equal walks mean: same file, untouched in between. Opens nothing; refuses links that go on for ever.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Component, Path, PathBuf},
};

use super::{Node, ReadFault};

/// One path, resolved by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Walk {
    /// Every directory that was passed, in the order in which it was first entered; `/` first.
    pub(super) folders: Vec<Folder>,
    /// Every name that was looked up in one of them.
    pub(super) names: Vec<OsString>,
    /// What stands at the end.
    pub(super) end: Result<File, ReadFault>,
}

/// A directory that was passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Folder {
    pub(super) node: Node,
    pub(super) dev: u64,
    pub(super) ino: u64,
    /// Whether a change of the file could be an entry of this directory: it holds the file, a link, or the first thing that is missing.
    pub(super) decides: bool,
}

/// What stands at the end, links resolved; its bytes are unchanged while all of this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) node: Node,
    pub(super) dev: u64,
    pub(super) ino: u64,
    pub(super) regular: bool,
    /// In bytes.
    pub(super) size: u64,
    /// Seconds and nanoseconds since 1970.
    pub(super) mtime: (i64, i64),
    pub(super) ctime: (i64, i64),
}

impl Walk {
    /// Resolves `path`; a relative one from the working directory.
    pub(super) fn along(path: &Path) -> Walk {
        let mut walk = Walk { folders: Vec::new(), names: Vec::new(), end: Err(ReadFault::NotAFile) };
        walk.end = walk.resolve(path);
        walk
    }

    /// Owner and mode of every directory passed, then of the file. Empty when the end was not reached.
    pub(super) fn way(&self) -> Vec<Node> {
        match &self.end {
            Ok(file) => self.folders.iter().map(|folder| &folder.node).chain([&file.node]).cloned().collect(),
            Err(_) => Vec::new(),
        }
    }

    fn resolve(&mut self, path: &Path) -> Result<File, ReadFault> {
        let absolute = std::path::absolute(path).map_err(|e| fault(&e))?;
        let mut here = PathBuf::from("/");
        self.enter(&here, &fs::symlink_metadata(&here).map_err(|e| fault(&e))?);
        let mut ahead = steps(&absolute);
        let mut links = 0;
        while let Some(step) = ahead.pop() {
            let name = match step {
                Step::Root => {
                    here = PathBuf::from("/");
                    continue;
                }
                Step::Up => {
                    here.pop();
                    continue;
                }
                Step::Down(name) => name,
            };
            let there = here.join(&name);
            self.look_up(name);
            let found = match fs::symlink_metadata(&there) {
                Ok(found) => found,
                Err(e) if e.kind() == io::ErrorKind::NotFound => {
                    self.mark(&here);
                    return Err(ReadFault::Missing { nearest: here });
                }
                Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                    // Only a change of this directory's own mode can help; that is seen from its parent, which may be watched.
                    self.mark(here.parent().unwrap_or(&here));
                    return Err(ReadFault::Denied);
                }
                Err(e) => {
                    self.mark(&here);
                    return Err(fault(&e));
                }
            };
            if found.is_symlink() {
                self.mark(&here);
                links += 1;
                if links > MOST_LINKS {
                    return Err(ReadFault::Other(format!("more than {MOST_LINKS} links lead on from one another")));
                }
                ahead.extend(steps(&fs::read_link(&there).map_err(|e| fault(&e))?));
            } else if found.is_dir() {
                self.enter(&there, &found);
                here = there;
            } else if ahead.is_empty() {
                self.mark(&here);
                return Ok(file(there, &found));
            } else {
                self.mark(&here);
                return Err(ReadFault::Other(format!("{} is not a folder", there.display())));
            }
        }
        self.mark(&here);
        Err(ReadFault::NotAFile)
    }

    fn enter(&mut self, path: &Path, found: &fs::Metadata) {
        if !self.folders.iter().any(|folder| folder.node.path == path) {
            self.folders.push(Folder { node: node(path.to_owned(), found), dev: found.dev(), ino: found.ino(), decides: false });
        }
    }

    fn mark(&mut self, path: &Path) {
        for folder in self.folders.iter_mut().filter(|folder| folder.node.path == path) {
            folder.decides = true;
        }
    }

    fn look_up(&mut self, name: OsString) {
        if !self.names.contains(&name) {
            self.names.push(name);
        }
    }
}

enum Step {
    Root,
    Up,
    Down(OsString),
}

/// The components of a path, the first one last, so that a link's own components can be pushed upon what was still ahead.
fn steps(path: &Path) -> Vec<Step> {
    let step = |component: Component<'_>| match component {
        Component::RootDir => Some(Step::Root),
        Component::ParentDir => Some(Step::Up),
        Component::Normal(name) => Some(Step::Down(name.to_owned())),
        Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().rev().filter_map(step).collect()
}

fn file(path: PathBuf, found: &fs::Metadata) -> File {
    File {
        node: node(path, found),
        dev: found.dev(),
        ino: found.ino(),
        regular: found.is_file(),
        size: found.size(),
        mtime: (found.mtime(), found.mtime_nsec()),
        ctime: (found.ctime(), found.ctime_nsec()),
    }
}

fn node(path: PathBuf, found: &fs::Metadata) -> Node {
    let acl = acl(&path);
    Node { path, uid: found.uid(), gid: found.gid(), mode: found.mode() & 0o7777, acl }
}

/// The access ACL as the kernel keeps it (`linux/posix_acl_xattr.h`); `None` where there is none or the file system has no such thing.
fn acl(path: &Path) -> Option<Vec<u8>> {
    let name = OsStr::new("system.posix_acl_access");
    let length = rustix::fs::lgetxattr_query(path, name).ok().filter(|length| *length > 0)?;
    let mut bytes = vec![0; length];
    let length = rustix::fs::lgetxattr(path, name, &mut bytes[..]).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

/// What the system says, without paths or numbers that change from one look to the next.
pub(super) fn fault(error: &io::Error) -> ReadFault {
    if error.kind() == io::ErrorKind::PermissionDenied { ReadFault::Denied } else { ReadFault::Other(error.to_string()) }
}

/// As the kernel has it (`path_resolution(7)`).
const MOST_LINKS: u32 = 40;
