//! One file and the lines to be added → the whole new file, or the difference. Secrets are in the file alone. What stands there already
//! is kept byte for byte; a last line without its end is ended.

use std::{
    fmt,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::diff;
use crate::asterisk::config::FileSource;

/// A file that shall say more.
pub struct Draft {
    /// Its name in the configuration folder.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What it holds; `None`: there is no such file yet.
    pub before: Option<Zeroizing<Vec<u8>>>,
    /// In the order of their places.
    insertions: Vec<Insertion>,
}

/// Lines to be added.
pub struct Insertion {
    /// The line that they come after, counted from 1; 0: before the first.
    pub after: usize,
    /// Whole lines.
    pub text: Zeroizing<String>,
}

impl Draft {
    pub(super) fn new(name: &str, path: PathBuf, before: Option<Zeroizing<Vec<u8>>>) -> Self {
        Draft { name: name.to_owned(), path, before, insertions: Vec::new() }
    }

    /// Whether anything is to be added.
    pub fn is_changed(&self) -> bool {
        !self.insertions.is_empty()
    }

    /// What is to be added.
    pub fn insertions(&self) -> impl Iterator<Item = &Insertion> {
        self.insertions.iter()
    }

    /// The whole file as it shall be.
    pub fn after(&self) -> Zeroizing<Vec<u8>> {
        let mut whole = Zeroizing::new(Vec::with_capacity(self.before.as_ref().map_or(0, |before| before.len()) + 4096));
        let lines = self.lines();
        for number in 0..=lines.len() {
            if let Some(line) = number.checked_sub(1).and_then(|index| lines.get(index)) {
                whole.extend_from_slice(line);
                // Only the last one may lack its end, and keeps lacking it where nothing follows.
                let followed = self.insertions.iter().any(|insertion| insertion.after == number);
                if followed && !line.ends_with(b"\n") {
                    whole.push(b'\n');
                }
            }
            for insertion in self.insertions.iter().filter(|insertion| insertion.after == number) {
                whole.extend_from_slice(insertion.text.as_bytes());
            }
        }
        whole
    }

    /// The difference, as `diff -u` gives it and `patch -p1` takes it. It may be shown: lines that hold secrets are left out of the
    /// context, and those to be added come as comments.
    pub fn diff(&self) -> String {
        diff::unified(self)
    }

    /// The lines that stand there, each with its end.
    pub(super) fn lines(&self) -> Vec<&[u8]> {
        self.before.as_ref().map(|before| before.split_inclusive(|byte| *byte == b'\n').collect()).unwrap_or_default()
    }

    pub(super) fn insert_after(&mut self, line: u32, text: &str) {
        let after = usize::try_from(line).unwrap_or(usize::MAX);
        let place = self.insertions.iter().take_while(|insertion| insertion.after <= after).count();
        self.insertions.insert(place, Insertion { after, text: Zeroizing::new(text.to_owned()) });
    }

    /// At the end, behind an empty line.
    pub(super) fn append(&mut self, text: &str) {
        let after = self.lines().len();
        let gap = if after == 0 && self.insertions.is_empty() { "" } else { "\n" };
        self.insertions.push(Insertion { after, text: Zeroizing::new(format!("{gap}{text}")) });
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft").field("path", &self.path).field("insertions", &self.insertions.len()).finish_non_exhaustive()
    }
}

/// The bytes of a file; at most as many as a configuration may have.
pub(super) fn whole(source: &dyn FileSource, path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    source.open(path)?.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST { Err(io::Error::other("more than 64 MiB")) } else { Ok(bytes) }
}

const MOST: u64 = 64 << 20;
