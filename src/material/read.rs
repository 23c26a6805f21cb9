//! [`Sources`] → [`Snapshot`]: both files of one generation. A read counts only if, after it, both paths still lead to the very files
//! that were read, untouched. Refuses whatever is not a regular file of at most 1 MiB, without ever blocking on it.

use std::{fs, io::Read as _, path::Path};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};
use zeroize::Zeroizing;

use super::{
    Capture, Content, Digest, Node, ReadFault, Snapshot, Sources,
    walk::{File, Walk, fault},
};

/// Reads both files as they are now. Blocks for as long as the file system does.
pub fn capture_pair(sources: &Sources) -> Snapshot {
    Reading::take(sources).snapshot
}

/// Whether a fresh read gives the same bytes: asked just before a reload, since Asterisk reads the files itself.
pub fn unchanged(snapshot: &Snapshot) -> bool {
    let same = |capture: &Capture| capture.content.as_ref().is_ok_and(|content| holds(&capture.path, content.bytes()));
    if same(&snapshot.cert) && same(&snapshot.key) {
        return true;
    }
    let sources = Sources { cert: snapshot.cert.path.clone(), key: snapshot.key.path.clone() };
    capture_pair(&sources).digest() == snapshot.digest()
}

/// Whether a file holds just these bytes. Asks nothing of the way to it, which a rotation would wait for.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let Ok(file) = rustix::fs::open(path, flags, Mode::empty()) else { return false };
    let mut found = Zeroizing::new(Vec::with_capacity(bytes.len() + 1));
    let limit = u64::try_from(bytes.len()).unwrap_or(u64::MAX).saturating_add(1);
    fs::File::from(file).take(limit).read_to_end(&mut found).is_ok() && *found == bytes
}

/// A snapshot with what was met on the way to it.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) snapshot: Snapshot,
    pub(super) walks: [Walk; 2],
    /// Whether both files held still. If not, the snapshot may mix two generations.
    pub(super) coherent: bool,
}

impl Reading {
    pub(super) fn take(sources: &Sources) -> Reading {
        let mut before = walk_both(sources);
        let mut attempt = 1;
        loop {
            let snapshot = read_both(sources, &before);
            let after = walk_both(sources);
            let coherent = before == after;
            if coherent || attempt == ATTEMPTS {
                return Reading { snapshot, walks: after, coherent };
            }
            before = after;
            attempt += 1;
        }
    }

    /// Whether one of the files holds nothing: `open(O_TRUNC)` shows this before any sign of its writer.
    pub(super) fn hollow(&self) -> bool {
        [&self.snapshot.cert, &self.snapshot.key].iter().any(|capture| matches!(&capture.content, Ok(c) if c.bytes().is_empty()))
    }

    /// Whether a file is there and could not be read. That may pass without a sign: a process without a free descriptor reads nothing.
    pub(super) fn unread(&self) -> bool {
        let contents = [&self.snapshot.cert.content, &self.snapshot.key.content];
        self.walks.iter().zip(contents).any(|(walk, content)| walk.end.as_ref().is_ok_and(|file| file.regular) && content.is_err())
    }

    /// When one of the two files was last written to: seconds since 1970.
    pub(super) fn written(&self) -> Option<i64> {
        self.walks.iter().filter_map(|walk| walk.end.as_ref().ok()).map(|file| file.mtime.0).max()
    }
}

/// The bytes, and who may read them: a `chmod` that lets Asterisk read the key is news, though no byte changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownBy {
    digest: Digest,
    access: Vec<Access>,
}

impl KnownBy {
    pub(super) fn of(snapshot: &Snapshot) -> KnownBy {
        let access = |node: &Node| (node.uid, node.gid, node.mode, node.acl.clone());
        let nodes = snapshot.cert.way.iter().chain(&snapshot.key.way);
        KnownBy { digest: snapshot.digest(), access: nodes.map(access).collect() }
    }
}

type Access = (u32, u32, u32, Option<Vec<u8>>);

/// Where both paths lead now, without opening anything.
pub(super) fn walk_both(sources: &Sources) -> [Walk; 2] {
    let cert = Walk::along(&sources.cert);
    let key = if sources.key == sources.cert { cert.clone() } else { Walk::along(&sources.key) };
    [cert, key]
}

fn read_both(sources: &Sources, [cert, key]: &[Walk; 2]) -> Snapshot {
    let one_file = matches!((&cert.end, &key.end), (Ok(a), Ok(b)) if (a.dev, a.ino) == (b.dev, b.ino));
    let cert = Capture { path: sources.cert.clone(), content: content(cert), way: cert.way() };
    let content = if one_file { cert.content.clone() } else { content(key) };
    Snapshot { cert, key: Capture { path: sources.key.clone(), content, way: key.way() } }
}

fn content(walk: &Walk) -> Result<Content, ReadFault> {
    match &walk.end {
        Ok(file) if file.regular => bytes(file),
        Ok(_) => Err(ReadFault::NotAFile),
        Err(fault) => Err(fault.clone()),
    }
}

fn bytes(found: &File) -> Result<Content, ReadFault> {
    // NONBLOCK and NOFOLLOW: a FIFO or a link may have taken the file's place since it was walked to.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
    let path = &found.node.path;
    let mut file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(opened) => fs::File::from(opened),
        Err(Errno::NOENT) => return Err(ReadFault::Missing { nearest: path.parent().unwrap_or(path).to_owned() }),
        Err(errno) => return Err(fault(&errno.into())),
    };
    if !file.metadata().map_err(|e| fault(&e))?.is_file() {
        return Err(ReadFault::NotAFile);
    }
    // One byte more than expected, so that the end is seen without growing; every buffer that is left behind is wiped.
    let mut buffer = Zeroizing::new(vec![0; capped(found.size.saturating_add(1))]);
    let mut filled = 0;
    loop {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(fault(&e)),
        }
        if filled > capped(LIMIT) {
            return Err(ReadFault::TooLarge { limit: LIMIT });
        }
        if filled == buffer.len() {
            let mut wider = Zeroizing::new(vec![0; (2 * filled).max(4096).min(capped(u64::MAX))]);
            wider[..filled].copy_from_slice(&buffer);
            buffer = wider;
        }
    }
    let mut whole = std::mem::take(&mut *buffer);
    whole.truncate(filled);
    Ok(Content::new(whole))
}

/// A length that fits in memory: never more than the limit and the byte that shows it was passed.
fn capped(length: u64) -> usize {
    usize::try_from(length.min(LIMIT + 1)).unwrap_or(usize::MAX)
}

/// In bytes. The longest chains in the field are a hundredth of it.
const LIMIT: u64 = 1 << 20;

/// A kubelet swap or a rename takes microseconds, so a second read nearly always finds a pair that holds still.
const ATTEMPTS: u32 = 5;
