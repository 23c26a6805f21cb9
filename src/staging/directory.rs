//! The directory that Asterisk reads: its lock, its links, and what is left over in it. Refuses names that somebody else took, before
//! anything is changed; touches nothing that is not ours (Kubernetes' `..data`, somebody's `tls.crt`).

use std::{
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, RawMode},
    io::Errno,
};

use super::{
    NAMES, StagingError,
    generation::remove,
    hands::{Hands, Step},
    name::Name,
};
use crate::settings::Publish;

/// The directory, held open: it stays the same one, whatever happens to its path.
pub(super) struct Directory {
    pub(super) path: PathBuf,
    pub(super) fd: OwnedFd,
}

impl Directory {
    /// Opens it, creating at most its last component.
    pub(super) fn open(settings: &Publish, hands: &mut Hands<'_>) -> Result<Directory, StagingError> {
        match Directory::find(settings) {
            Err(Errno::NOENT) => Directory::create(&settings.directory, hands),
            Err(Errno::NOTDIR) => Err(Directory::is_something_else(&settings.directory)),
            Err(errno) => Err(StagingError::of(Step::Look, &settings.directory, errno)),
            Ok(directory) => Ok(directory),
        }
    }

    /// Opens it as it is.
    pub(super) fn find(settings: &Publish) -> rustix::io::Result<Directory> {
        Ok(Directory { path: settings.directory.clone(), fd: rustix::fs::open(&settings.directory, FOLDER, Mode::empty())? })
    }

    fn create(path: &Path, hands: &mut Hands<'_>) -> Result<Directory, StagingError> {
        let missing = || StagingError::DirectoryMissing { directory: path.to_owned() };
        let made = hands.act(Step::MakeDirectory, path, || match rustix::fs::mkdir(path, Mode::from_raw_mode(DIRECTORY_MODE)) {
            Err(Errno::NOENT) => Ok(Err(missing())),
            Err(Errno::EXIST | Errno::NOTDIR) => Ok(Err(Directory::is_something_else(path))),
            Err(errno) => Err(errno),
            Ok(()) => Ok(Ok(())),
        })?;
        made?;
        let open = |path: &Path| rustix::fs::open(path, FOLDER, Mode::empty());
        let fd = open(path).map_err(|errno| StagingError::of(Step::Look, path, errno))?;
        // A umask may have taken Asterisk's way through away. Only names can be seen in it.
        hands.act(Step::SetMode(DIRECTORY_MODE), path, || {
            let inherited = rustix::fs::fstat(&fd)?.st_mode & 0o7000;
            rustix::fs::fchmod(&fd, Mode::from_raw_mode(DIRECTORY_MODE | inherited))
        })?;
        let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        hands.act(Step::Sync, above, || synced(&open(above)?))?;
        Ok(Directory { path: path.to_owned(), fd })
    }

    fn is_something_else(path: &Path) -> StagingError {
        let found = kind(CWD, path).unwrap_or_else(|| "not to be reached through folders alone".to_owned());
        StagingError::Foreign { path: path.to_owned(), expected: "a folder".to_owned(), found }
    }

    /// Keeps other publishers out until the directory is closed.
    pub(super) fn lock(&self) -> Result<(), StagingError> {
        match rustix::fs::flock(&self.fd, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => Err(StagingError::Busy { directory: self.path.clone() }),
            // Some network file systems lock no folders. There is one agent in nearly every case.
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The generation that `current` leads to.
    pub(super) fn current(&self) -> Result<Option<Name>, StagingError> {
        let Some(target) = self.link(CURRENT, "a link to one of our generations")? else { return Ok(None) };
        Name::parse(&target).map(Some).ok_or_else(|| self.foreign(CURRENT, "a link to one of our generations"))
    }

    /// Whether the stable names are all there and ours.
    pub(super) fn has_names(&self) -> bool {
        NAMES.iter().all(|name| self.link(name, "").is_ok_and(|target| target == Some(stable(name))))
    }

    /// Whatever has one of our names must be ours.
    pub(super) fn refuse_foreign_names(&self) -> Result<(), StagingError> {
        for name in NAMES {
            let expected = format!("a link to {}", stable(name));
            if self.link(name, &expected)?.is_some_and(|target| target != stable(name)) {
                return Err(self.foreign(name, &expected));
            }
        }
        let expected = "a link to one of our generations";
        match self.link(NEXT, expected)? {
            Some(target) if Name::parse(&target).is_none() => Err(self.foreign(NEXT, expected)),
            Some(_) | None => Ok(()),
        }
    }

    /// Makes the stable names that are missing.
    pub(super) fn link_names(&self, hands: &mut Hands<'_>) -> Result<(), StagingError> {
        for name in NAMES {
            if self.link(name, "")?.is_none() {
                hands.act(Step::Link, &self.path.join(name), || rustix::fs::symlinkat(stable(name), &self.fd, name))?;
            }
        }
        Ok(())
    }

    /// Lets `current` lead to `name`, in one step for whoever reads. `stands`: whether there is a `current`.
    pub(super) fn swap(&self, name: &Name, stands: bool, hands: &mut Hands<'_>) -> Result<(), StagingError> {
        self.sync(hands)?;
        let current = self.path.join(CURRENT);
        if !stands {
            // Not by rename: that would replace what somebody else just put there.
            return hands.act(Step::Swap, &current, || rustix::fs::symlinkat(name.as_str(), &self.fd, CURRENT));
        }
        hands.act(Step::Link, &self.path.join(NEXT), || rustix::fs::symlinkat(name.as_str(), &self.fd, NEXT))?;
        hands.act(Step::Swap, &current, || rustix::fs::renameat(&self.fd, NEXT, &self.fd, CURRENT))
    }

    /// Has the directory's entries written to the disk.
    pub(super) fn sync(&self, hands: &mut Hands<'_>) -> Result<(), StagingError> {
        hands.act(Step::Sync, &self.path, || synced(&self.fd))
    }

    /// Removes every generation of ours but those that are kept, and a link that was never swapped in. Gives those that would not go.
    pub(super) fn sweep(&self, kept: [Option<&Name>; 2], hands: &mut Hands<'_>) -> Vec<PathBuf> {
        let next = self.link(NEXT, "").ok().flatten().and_then(|target| Name::parse(&target));
        if next.is_some() {
            // Should it stay, the swap will say so.
            let _ = hands.act(Step::Remove, &self.path.join(NEXT), || rustix::fs::unlinkat(&self.fd, NEXT, AtFlags::empty()));
        }
        let ours = entries(&self.fd).into_iter().filter_map(|name| Name::parse(&name));
        let over = ours.filter(|name| !kept.contains(&Some(name)));
        over.filter(|name| remove(self, name, hands).is_err()).map(|name| self.path.join(name.as_str())).collect()
    }

    /// Takes away a generation that came to nothing. What will not go now goes at the next publish.
    pub(super) fn forget(&self, name: &Name) {
        let mut hands: Hands<'_> = Hands(&mut |_| Ok(()));
        // A network file system may have swapped and yet said that it failed.
        if self.current().is_ok_and(|current| current.as_ref() != Some(name)) {
            if self.link(NEXT, "").is_ok_and(|target| target.as_deref() == Some(name.as_str())) {
                let _ = rustix::fs::unlinkat(&self.fd, NEXT, AtFlags::empty());
            }
            let _ = remove(self, name, &mut hands);
        }
    }

    /// Where a link leads; `None`: there is nothing.
    fn link(&self, name: &str, expected: &str) -> Result<Option<String>, StagingError> {
        match rustix::fs::readlinkat(&self.fd, name, Vec::new()) {
            Ok(target) => Ok(Some(target.to_string_lossy().into_owned())),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::INVAL) => Err(self.foreign(name, expected)),
            Err(errno) => Err(StagingError::of(Step::Look, &self.path.join(name), errno)),
        }
    }

    fn foreign(&self, name: &str, expected: &str) -> StagingError {
        let found = kind(&self.fd, Path::new(name)).unwrap_or_else(|| "gone".to_owned());
        StagingError::Foreign { path: self.path.join(name), expected: expected.to_owned(), found }
    }
}

/// What stands in a folder; empty where that cannot be seen.
pub(super) fn entries(folder: &OwnedFd) -> Vec<String> {
    let Ok(dir) = Dir::read_from(folder) else { return Vec::new() };
    let names = dir.filter_map(Result::ok).map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name != "." && name != "..").collect()
}

/// Has a folder's entries written to the disk.
pub(super) fn synced(folder: &OwnedFd) -> rustix::io::Result<()> {
    match rustix::fs::fsync(folder) {
        // Some file systems of user space have nothing to do for a folder, and say so in this way.
        Err(Errno::INVAL) => Ok(()),
        other => other,
    }
}

fn kind(folder: impl std::os::fd::AsFd, name: &Path) -> Option<String> {
    let found = rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    Some(match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => "a file".to_owned(),
        FileType::Directory => "a folder".to_owned(),
        FileType::Symlink => {
            let target = rustix::fs::readlinkat(&folder, name, Vec::new()).ok()?;
            format!("a link to {}", target.to_string_lossy())
        }
        FileType::Fifo | FileType::Socket | FileType::CharacterDevice | FileType::BlockDevice | FileType::Unknown => {
            "neither file, folder nor link".to_owned()
        }
    })
}

/// Where one of the stable names leads.
fn stable(name: &str) -> String {
    format!("{CURRENT}/{name}")
}

/// The link that is swapped.
const CURRENT: &str = "current";

/// The link that is about to become `current`.
const NEXT: &str = ".starkeeper-next";

/// Of the directory, where it is created: everybody may pass, and see the names in it.
const DIRECTORY_MODE: RawMode = 0o755;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
