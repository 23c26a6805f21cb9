//! The configuration folder as it would be: any source, with drafts in place of their files.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::{self, BufRead, Cursor},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::draft::Draft;
use crate::asterisk::config::{FileSource, Kind};

pub(super) struct Overlay<'s> {
    source: &'s dyn FileSource,
    files: BTreeMap<PathBuf, Zeroizing<Vec<u8>>>,
}

impl<'s> Overlay<'s> {
    pub(super) fn new(source: &'s dyn FileSource, drafts: &[Draft]) -> Self {
        Overlay { source, files: drafts.iter().map(|draft| (draft.path.clone(), draft.after())).collect() }
    }
}

impl FileSource for Overlay<'_> {
    fn kind(&self, path: &Path) -> io::Result<Kind> {
        if self.files.contains_key(path) { Ok(Kind::File) } else { self.source.kind(path) }
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn BufRead + '_>> {
        match self.files.get(path) {
            Some(bytes) => Ok(Box::new(Cursor::new(bytes.as_slice()))),
            None => self.source.open(path),
        }
    }

    fn names(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        let ours = self.files.keys().filter(|file| file.parent() == Some(directory)).filter_map(|file| file.file_name());
        let mut names = self.source.names(directory)?;
        for name in ours {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }
}
