//! Asterisk's configuration folder as it was read, and whether it has been edited since.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::asterisk::config::{self, AsteriskConfig};

/// Asterisk's configuration folder as it was read.
#[derive(Debug)]
pub(super) struct ConfigFolder {
    pub(super) read: AsteriskConfig,
    stamps: Vec<(PathBuf, Option<Stamp>)>,
}

/// What an edit changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl ConfigFolder {
    pub(super) fn read(folder: &Path) -> Self {
        // Taken before reading: an edit meanwhile is an edit since.
        let known = |files: Vec<PathBuf>| files.into_iter().map(|file| (stamp(&file), file)).map(|(stamp, file)| (file, stamp));
        let mut stamps: Vec<_> = known(MAIN.iter().map(|name| folder.join(name)).collect()).collect();
        let read = config::load(folder);
        let included = read.http.iter().flat_map(|http| &http.included).chain(read.manager.iter().flat_map(|manager| &manager.included));
        let included = included.chain(read.pjsip.iter().flat_map(|pjsip| &pjsip.included)).chain(&read.beside);
        stamps.extend(known(included.cloned().collect()));
        ConfigFolder { read, stamps }
    }

    /// Whether one of the files is another than the one that was read. Costs a `stat` for each.
    pub(super) fn changed(&self) -> bool {
        self.stamps.iter().any(|(file, known)| stamp(file) != *known)
    }
}

const MAIN: [&str; 3] = ["http.conf", "manager.conf", "pjsip.conf"];

pub(super) fn stamp(file: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(file).ok()?;
    Some(Stamp { inode: metadata.ino(), size: metadata.size(), modified: (metadata.mtime(), metadata.mtime_nsec()) })
}
