//! Where `.conf` files come from: [`Disk`] in life, a map of paths to bytes in tests and fuzzing. What enters is a path, what leaves is
//! a reader that is never held in memory as a whole; devices, sockets and directories are refused, as Asterisk refuses them.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

/// The little that reading a configuration needs of a file system.
pub trait FileSource {
    /// What `path` is, links followed.
    fn kind(&self, path: &Path) -> io::Result<Kind>;
    /// Opens a regular file.
    fn open(&self, path: &Path) -> io::Result<Box<dyn BufRead + '_>>;
    /// The names in a directory, in any order.
    fn names(&self, directory: &Path) -> io::Result<Vec<OsString>>;
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file, the only thing that Asterisk reads.
    File,
    /// A directory, a socket, a device: "is not a regular file, ignoring".
    Other,
}

/// The file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl FileSource for Disk {
    fn kind(&self, path: &Path) -> io::Result<Kind> {
        Ok(if fs::metadata(path)?.is_file() { Kind::File } else { Kind::Other })
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn BufRead + '_>> {
        Ok(Box::new(BufReader::with_capacity(64 * 1024, fs::File::open(path)?)))
    }

    fn names(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name())).collect()
    }
}

/// Files that exist only in memory; whatever lies below a directory makes it exist.
impl FileSource for BTreeMap<PathBuf, Vec<u8>> {
    fn kind(&self, path: &Path) -> io::Result<Kind> {
        if self.contains_key(path) {
            return Ok(Kind::File);
        }
        if self.keys().any(|file| file.starts_with(path)) { Ok(Kind::Other) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn BufRead + '_>> {
        let bytes = self.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(bytes.as_slice()))
    }

    fn names(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        let mut names: Vec<OsString> =
            self.keys().filter_map(|file| Some(file.strip_prefix(directory).ok()?.components().next()?.as_os_str().to_owned())).collect();
        names.dedup();
        Ok(names)
    }
}
