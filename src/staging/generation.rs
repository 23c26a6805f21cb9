//! One generation: a folder with a marker that says that it is ours, and its three files. It is closed to all others until its files have
//! their owner and mode; after that, nothing in it changes but what somebody damaged. What is not ours is never removed.

use std::{os::fd::OwnedFd, path::PathBuf};

use rustix::{
    fs::{AtFlags, FileType, Gid, Mode, OFlags, RawMode, Stat, Uid},
    io::Errno,
};
use zeroize::Zeroizing;

use super::{
    NAMES, StagingError,
    directory::{Directory, entries, synced},
    hands::{Hands, Step},
    name::{Marker, Name},
    pem::Files,
};
use crate::{material::Digest, settings::Publish};

/// A generation's folder, held open.
pub(super) struct Folder {
    path: PathBuf,
    fd: OwnedFd,
    /// `None`: it is not ours, whatever its name.
    pub(super) marker: Option<Marker>,
}

/// What a generation is to the pair that is to be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The very same, with the owner and mode that were asked.
    Same,
    /// Another pair.
    Other,
    /// The same, but damaged beyond mending.
    Damaged,
}

impl Folder {
    pub(super) fn open(directory: &Directory, name: &Name) -> rustix::io::Result<Folder> {
        let fd = rustix::fs::openat(&directory.fd, name.as_str(), FOLDER, Mode::empty())?;
        let marker = rustix::fs::readlinkat(&fd, MARKER, Vec::new()).ok();
        let marker = marker.and_then(|text| Marker::parse(text.to_str().ok()?));
        Ok(Folder { path: directory.path.join(name.as_str()), fd, marker })
    }

    /// Makes an empty one that only the agent may enter, and marks it.
    pub(super) fn make(
        directory: &Directory,
        name: &Name,
        digest: Digest,
        before: Option<&Name>,
        hands: &mut Hands<'_>,
    ) -> Result<Folder, StagingError> {
        let path = directory.path.join(name.as_str());
        hands.act(Step::MakeFolder, &path, || rustix::fs::mkdirat(&directory.fd, name.as_str(), Mode::RWXU))?;
        let mut folder = Folder::open(directory, name).map_err(|errno| StagingError::of(Step::Look, &path, errno))?;
        // Access lists that the directory hands down would let others read, whatever the mode says.
        for list in ["system.posix_acl_default", ACCESS_LIST] {
            if rustix::fs::fgetxattr_query(&folder.fd, list).is_ok_and(|length| length > 0) {
                hands.act(Step::DropAcl, &path, || rustix::fs::fremovexattr(&folder.fd, list))?;
            }
        }
        let marker = Marker::new(digest, before);
        hands.act(Step::Mark, &path.join(MARKER), || rustix::fs::symlinkat(marker.text(), &folder.fd, MARKER))?;
        folder.marker = Some(marker);
        Ok(folder)
    }

    /// Writes the files, gives them away, and lets others pass.
    pub(super) fn fill(&self, files: &Files, settings: &Publish, hands: &mut Hands<'_>) -> Result<(), StagingError> {
        for (name, bytes) in files.named() {
            let path = self.path.join(name);
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let file = hands.act(Step::CreateFile, &path, || rustix::fs::openat(&self.fd, name, flags, Mode::RUSR | Mode::WUSR))?;
            hands.act(Step::Write, &path, || write_whole(&file, bytes))?;
            // The mode before the owner: only the owner may set it. Nobody else can enter the folder yet.
            hands.act(Step::SetMode(settings.mode), &path, || rustix::fs::fchmod(&file, Mode::from_raw_mode(settings.mode)))?;
            let found = rustix::fs::fstat(&file).map_err(|errno| StagingError::of(Step::Look, &path, errno))?;
            if let Some((step, uid, gid)) = owner(&found, settings) {
                hands.act(step, &path, || rustix::fs::fchown(&file, uid, gid))?;
            }
            hands.act(Step::Sync, &path, || rustix::fs::fsync(&file))?;
        }
        self.let_pass(hands)?;
        hands.act(Step::Sync, &self.path, || synced(&self.fd))
    }

    /// Whether it holds just this; owner and mode are mended where they are not as asked.
    pub(super) fn compare(
        &self,
        files: &Files,
        digest: Digest,
        settings: &Publish,
        hands: &mut Hands<'_>,
    ) -> Result<Standing, StagingError> {
        let is_same = self.marker.as_ref().is_some_and(|marker| marker.is_of(digest));
        if is_same && !files.named().into_iter().all(|(name, bytes)| self.holds(name, bytes)) {
            return Ok(Standing::Damaged);
        }
        // Another pair is mended too: it stays for one publish more.
        match self.mend(settings, hands) {
            Ok(()) => Ok(if is_same { Standing::Same } else { Standing::Other }),
            // It is no longer the agent's own; a new one will be as asked.
            Err(StagingError::NotPermitted { .. }) => Ok(Standing::Damaged),
            Err(error) => Err(error),
        }
    }

    /// Whether all three files are there.
    pub(super) fn is_whole(&self) -> bool {
        NAMES.iter().all(|name| self.file(name).is_some())
    }

    /// Whether it holds just this, with the owner and mode that were asked.
    pub(super) fn is_as_asked(&self, files: &Files, settings: &Publish) -> bool {
        let has_list = |name: &str| rustix::fs::lgetxattr_query(self.path.join(name), ACCESS_LIST).is_ok_and(|length| length > 0);
        let is_passable = rustix::fs::fstat(&self.fd).is_ok_and(|found| found.st_mode & 0o7777 == PASSABLE);
        is_passable
            && files.named().into_iter().all(|(name, bytes)| {
                let of_file = |found: Stat| found.st_mode & 0o7777 == settings.mode && owner(&found, settings).is_none();
                self.holds(name, bytes) && self.file(name).is_some_and(of_file) && !has_list(name)
            })
    }

    fn file(&self, name: &str) -> Option<Stat> {
        let found = rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        (FileType::from_raw_mode(found.st_mode) == FileType::RegularFile).then_some(found)
    }

    fn holds(&self, name: &str, bytes: &[u8]) -> bool {
        if self.file(name).is_none_or(|found| u64::try_from(found.st_size).ok() != u64::try_from(bytes.len()).ok()) {
            return false;
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.fd, name, flags, Mode::empty()) {
            Ok(file) => read_whole(&file, bytes.len()).is_ok_and(|found| *found == bytes),
            // A file given away can be out of the agent's own reach, and out of most others' too: the marker and the size must do.
            Err(errno) => errno == Errno::ACCESS,
        }
    }

    fn mend(&self, settings: &Publish, hands: &mut Hands<'_>) -> Result<(), StagingError> {
        for name in NAMES {
            let path = self.path.join(name);
            let Some(found) = self.file(name) else { continue };
            let set = |hands: &mut Hands<'_>, mode: u32| {
                let bits = Mode::from_raw_mode(mode);
                hands.act(Step::SetMode(mode), &path, || rustix::fs::chmodat(&self.fd, name, bits, AtFlags::empty()))
            };
            if rustix::fs::lgetxattr_query(&path, ACCESS_LIST).is_ok_and(|length| length > 0) {
                hands.act(Step::DropAcl, &path, || rustix::fs::lremovexattr(&path, ACCESS_LIST))?;
            }
            let mode = self.file(name).unwrap_or(found).st_mode & 0o7777;
            // What is too much goes first, so that no new owner or group has it for a moment.
            if mode & !settings.mode != 0 {
                set(hands, mode & settings.mode)?;
            }
            if let Some((step, uid, gid)) = owner(&found, settings) {
                let how = AtFlags::SYMLINK_NOFOLLOW;
                hands.act(step, &path, || rustix::fs::chownat(&self.fd, name, uid, gid, how))?;
            }
            if mode & settings.mode != settings.mode {
                set(hands, settings.mode)?;
            }
        }
        self.let_pass(hands)
    }

    /// Others may pass, and nothing more: what the files in it allow is said by the files.
    fn let_pass(&self, hands: &mut Hands<'_>) -> Result<(), StagingError> {
        let found = rustix::fs::fstat(&self.fd).map_err(|errno| StagingError::of(Step::Look, &self.path, errno))?;
        if found.st_mode & 0o7777 == PASSABLE {
            return Ok(());
        }
        hands.act(Step::SetMode(PASSABLE), &self.path, || rustix::fs::fchmod(&self.fd, Mode::from_raw_mode(PASSABLE)))
    }
}

/// Removes a generation. What has no marker, or holds what we never put there, is not ours: it stays.
///
/// # Errors
/// Something of ours would not go.
pub(super) fn remove(directory: &Directory, name: &Name, hands: &mut Hands<'_>) -> Result<(), StagingError> {
    let folder = match Folder::open(directory, name) {
        Ok(folder) => folder,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(()),
        Err(errno) => return Err(StagingError::of(Step::Look, &directory.path.join(name.as_str()), errno)),
    };
    let found = entries(&folder.fd);
    // An empty one is what a crash leaves between making and marking; nothing is lost with it.
    let is_ours = found.is_empty() || folder.marker.is_some();
    if !is_ours || found.iter().any(|entry| entry != MARKER && !NAMES.contains(&entry.as_str())) {
        return Ok(());
    }
    // The marker last: until then, a removal that broke off can be taken up again.
    for entry in NAMES.into_iter().chain([MARKER]).filter(|entry| found.iter().any(|found| found == entry)) {
        hands.act(Step::Remove, &folder.path.join(entry), || rustix::fs::unlinkat(&folder.fd, entry, AtFlags::empty()))?;
    }
    hands.act(Step::Remove, &folder.path, || rustix::fs::unlinkat(&directory.fd, name.as_str(), AtFlags::REMOVEDIR))
}

/// What must change for the owner to be as asked.
fn owner(found: &Stat, settings: &Publish) -> Option<(Step, Option<Uid>, Option<Gid>)> {
    let uid = settings.uid.filter(|uid| *uid != found.st_uid);
    let gid = settings.gid.filter(|gid| *gid != found.st_gid);
    // The settings refuse the one number that means "as it is" to the system.
    let ids = (uid.map(Uid::from_raw_unchecked), gid.map(Gid::from_raw_unchecked));
    (uid.is_some() || gid.is_some()).then_some((Step::SetOwner(uid, gid), ids.0, ids.1))
}

fn write_whole(file: &OwnedFd, mut bytes: &[u8]) -> rustix::io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::retry_on_intr(|| rustix::io::write(file, bytes))? {
            0 => return Err(Errno::IO),
            written => bytes = &bytes[written..],
        }
    }
    Ok(())
}

/// At most one byte more than expected: enough to see that there is more.
fn read_whole(file: &OwnedFd, expected: usize) -> rustix::io::Result<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(vec![0; expected + 1]);
    let mut filled = 0;
    while filled < buffer.len() {
        match rustix::io::retry_on_intr(|| rustix::io::read(file, &mut buffer[filled..]))? {
            0 => break,
            read => filled += read,
        }
    }
    buffer.truncate(filled);
    Ok(buffer)
}

/// Hidden, beside the three files.
const MARKER: &str = ".starkeeper";

/// As `linux/posix_acl_xattr.h` names it.
const ACCESS_LIST: &str = "system.posix_acl_access";

/// Of a generation's folder, once its files are as asked.
const PASSABLE: RawMode = 0o711;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
