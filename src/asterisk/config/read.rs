//! Files → [`Conf`], as Asterisk's `main/config.c` reads them: sections, templates, `(+)`, `=`, `=>`, `+=`, includes. What leaves is the
//! same on Asterisk 16 and 22 (`tests/config_as_asterisk_reads_it.rs`). Time and memory are linear in the size of the files, and capped.

use std::{
    collections::HashMap,
    ffi::OsStr,
    io,
    ops::ControlFlow,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::{
    conf::{Conf, Effect, Include, Note, Origin, Place, Reason, Span},
    glob,
    lines::{Comments, Line, Lines},
    source::{FileSource, Kind},
    value,
};

/// Why there is no configuration to speak of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Absence {
    /// There is no such file.
    #[error("`{0}` does not exist")]
    Missing(PathBuf),
    /// The agent may not read it; Asterisk perhaps may.
    #[error("`{0}` may not be read by the agent")]
    Denied(PathBuf),
    /// It is no regular file, which Asterisk ignores.
    #[error("`{0}` is not a regular file")]
    NotAFile(PathBuf),
    /// Anything else that the system says.
    #[error("`{path}` cannot be read: {error}")]
    Other {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: String,
    },
    /// Asterisk gives the file up as a whole at this line: [`Reason`] says why.
    #[error("Asterisk drops `{}` at line {}", .0.file.display(), .0.line)]
    Dropped(Origin),
}

/// Which entries are kept, by name: a large pjsip.conf holds little that matters here.
pub type Keep = fn(&[u8]) -> bool;

/// Reads `name` (relative to the configuration folder `directory`, as Asterisk names it) with everything that it includes.
///
/// # Errors
/// When the file itself is not there or cannot be read. What is wrong *in* it is in [`Conf::notes`].
pub fn read(source: &dyn FileSource, directory: &Path, name: &str, keep: Keep) -> Result<Conf, Absence> {
    let file = directory.join(name);
    let other = |error: io::Error| {
        if error.kind() == io::ErrorKind::NotFound {
            Absence::Missing(file.clone())
        } else if error.kind() == io::ErrorKind::PermissionDenied {
            Absence::Denied(file.clone())
        } else {
            Absence::Other { path: file.clone(), error: error.to_string() }
        }
    };
    match source.kind(&file).map_err(other)? {
        Kind::File => drop(source.open(&file).map_err(other)?),
        Kind::Other => return Err(Absence::NotAFile(file)),
    }
    let mut reader = Reader::new(source, directory, file, keep);
    // Asterisk reads this one before it knows.
    reader.may_run = (name == ASTERISK_CONF).then_some(false);
    let top = vec![reader.conf.file.clone()];
    if reader.load(top) == Loaded::Invalid {
        reader.conf.sections.clear();
        if let Some(note) = reader.conf.notes.last_mut() {
            note.effect = Effect::FileDropped;
            reader.conf.dropped = Some(note.origin.clone());
        }
    }
    Ok(reader.conf)
}

/// Whether `execincludes` allows `#exec`.
fn runs_commands(source: &dyn FileSource, directory: &Path) -> bool {
    let conf = read(source, directory, ASTERISK_CONF, |name| name.eq_ignore_ascii_case(b"execincludes"));
    let said =
        |conf: Conf| conf.section("options").and_then(|options| options.last("execincludes").map(|entry| value::truth(&entry.value())));
    conf.ok().and_then(said).unwrap_or(false)
}

const ASTERISK_CONF: &str = "asterisk.conf";
/// `MAX_INCLUDE_LEVEL`, and one for the file itself.
const DEEPEST: u32 = 11;
/// The caps: far beyond any configuration, and what keeps a hostile one from filling memory or time.
const MOST_BYTES: usize = 256 << 20;
const MOST_KEPT_BYTES: usize = 64 << 20;
const MOST_FILES: usize = 4096;
const MOST_NOTES: usize = 1000;
pub(super) const MOST_WORK: usize = 5_000_000;
pub(super) const MOST_ENTRIES: usize = 2_000_000;

pub(super) struct Reader<'s> {
    source: &'s dyn FileSource,
    directory: &'s Path,
    pub(super) keep: Keep,
    pub(super) conf: Conf,
    /// Digest of the lowercase name → the first and the last section that may have that name.
    pub(super) by_name: HashMap<u64, (u32, u32)>,
    /// How many of the sections stand there already: many files never ask for one by its name.
    pub(super) indexed: usize,
    /// Names of entries that were met: a large file says the same things over and over.
    pub(super) repeated: Vec<Repeated>,
    /// Which of them is likely to come next.
    pub(super) next_repeated: usize,
    /// Where an included file goes on.
    pub(super) current: Option<usize>,
    level: u32,
    bytes: usize,
    pub(super) work: usize,
    exhausted: bool,
    /// Whether Asterisk runs what `#exec` names. `None`: nobody asked yet.
    may_run: Option<bool>,
}

/// The name of an entry.
pub(super) struct Repeated {
    pub(super) name: Span,
    /// The last value, where such entries are kept.
    pub(super) value: Option<Span>,
}

/// What came of a file. Asterisk tells these apart in odd ways, which are kept: a file that is given up in the middle counts as read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loaded {
    Read,
    Absent,
    Invalid,
}

/// Whether the file goes on after a line.
pub(super) type Step = ControlFlow<(), ()>;
pub(super) const GO_ON: Step = ControlFlow::Continue(());
const GIVE_UP: Step = ControlFlow::Break(());

impl<'s> Reader<'s> {
    fn new(source: &'s dyn FileSource, directory: &'s Path, file: PathBuf, keep: Keep) -> Self {
        let conf = Conf {
            file,
            notes: Vec::new(),
            includes: Vec::new(),
            dropped: None,
            runs: None,
            partly_unseen: false,
            text: Zeroizing::new(Vec::new()),
            files: Vec::new(),
            sections: Vec::new(),
            entries: Vec::new(),
        };
        Reader {
            source,
            directory,
            keep,
            conf,
            by_name: HashMap::new(),
            indexed: 0,
            repeated: Vec::new(),
            next_repeated: 0,
            current: None,
            level: 0,
            bytes: 0,
            work: 0,
            exhausted: false,
            may_run: None,
        }
    }

    /// Loads the files that one name stands for: several, if it is a pattern.
    fn load(&mut self, paths: Vec<PathBuf>) -> Loaded {
        self.level += 1;
        let mut comments = Comments::default();
        let mut section = self.current;
        let mut outcome = Loaded::Absent;
        for (index, path) in paths.into_iter().enumerate() {
            match self.load_file(path, &mut section, &mut comments, index == 0) {
                Loaded::Absent => {}
                Loaded::Read => outcome = Loaded::Read,
                // Asterisk forgets to go back up one level here, so that ten such files exhaust the includes.
                Loaded::Invalid => return Loaded::Invalid,
            }
        }
        self.level -= 1;
        outcome
    }

    fn find(&self, name: &[u8]) -> Vec<PathBuf> {
        let path = self.absolute(name);
        if glob::is_pattern(name) { glob::expand(self.source, path.as_os_str().as_bytes()) } else { vec![path] }
    }

    fn absolute(&self, name: &[u8]) -> PathBuf {
        self.directory.join(OsStr::from_bytes(name))
    }

    fn load_file(&mut self, path: PathBuf, section: &mut Option<usize>, comments: &mut Comments, first: bool) -> Loaded {
        if self.source.kind(&path).ok() != Some(Kind::File) || self.exhausted {
            return Loaded::Absent;
        }
        let source = self.source;
        let Ok(reader) = source.open(&path) else { return Loaded::Absent };
        let file = u32::try_from(self.conf.files.len()).unwrap_or(u32::MAX);
        self.conf.files.push(path);
        if self.conf.files.len() > MOST_FILES {
            return self.exhaust(Place { file, line: 1 }, "4096 files");
        }
        let mut lines = Lines::new(reader, first);
        loop {
            let (place, text) = match lines.next(comments) {
                Ok(None) => break,
                Err(error) => {
                    self.note(Place { file, line: 0 }, Reason::Read(error.to_string()), Effect::Unseen);
                    break;
                }
                Ok(Some((line, size, text))) => {
                    self.bytes += size;
                    (Place { file, line }, text)
                }
            };
            if self.bytes > MOST_BYTES {
                return self.exhaust(place, "256 MiB");
            }
            let step = match text {
                Line::Blank => GO_ON,
                Line::Text(text) => self.line(text, place, section),
                Line::StrayEnd(text) => {
                    self.note(place, Reason::StrayCommentEnd, Effect::RestIgnored);
                    if text.is_empty() { GO_ON } else { self.line(text, place, section) }
                }
                Line::TooLong => {
                    self.note(place, Reason::LineTooLong, Effect::LineIgnored);
                    GO_ON
                }
                Line::NestedTooDeep => {
                    self.note(place, Reason::NestedTooDeep, Effect::RestIgnored);
                    GIVE_UP
                }
            };
            if self.work > MOST_WORK || self.conf.entries.len() > MOST_ENTRIES || self.conf.text.len() > MOST_KEPT_BYTES {
                return self.exhaust(place, "the agent reads of a configuration");
            }
            if self.exhausted {
                return Loaded::Read;
            }
            if step.is_break() {
                return Loaded::Invalid;
            }
        }
        if let Some(line) = comments.open_since() {
            self.note(Place { file, line }, Reason::UnterminatedComment, Effect::RestIgnored);
        }
        Loaded::Read
    }

    /// Stops reading for good, and keeps what there is.
    fn exhaust(&mut self, place: Place, what: &'static str) -> Loaded {
        if !std::mem::replace(&mut self.exhausted, true) {
            self.note(place, Reason::TooMuch(what), Effect::Unseen);
        }
        Loaded::Read
    }

    pub(super) fn note(&mut self, place: Place, reason: Reason, effect: Effect) {
        // The last one says why a file is given up, so the last one always stays.
        self.conf.notes.truncate(MOST_NOTES);
        let origin = self.conf.origin(place);
        self.conf.partly_unseen |= effect == Effect::Unseen;
        self.conf.notes.push(Note { origin, reason, effect });
    }

    pub(super) fn ignore(&mut self, place: Place, reason: Reason) -> Step {
        self.note(place, reason, Effect::LineIgnored);
        GO_ON
    }

    pub(super) fn give_up(&mut self, place: Place, reason: Reason) -> Step {
        // A search that ran out of work proves nothing; the caller says that it did.
        if self.work > MOST_WORK {
            return GIVE_UP;
        }
        self.note(place, reason, Effect::RestIgnored);
        GIVE_UP
    }

    /// A section is missing that this line builds on, unless it stands where nobody sees it: what is added to it counts all the same.
    pub(super) fn lacks(&mut self, place: Place, reason: Reason) -> Step {
        if self.conf.partly_unseen { GO_ON } else { self.give_up(place, reason) }
    }

    pub(super) fn include(&mut self, name: &[u8], required: bool, place: Place) -> Step {
        let path = self.absolute(name);
        let paths = self.find(name);
        let found = paths.iter().filter(|path| self.source.kind(path).ok() == Some(Kind::File)).cloned().collect();
        let origin = self.conf.origin(place);
        let visible = self.is_visible(&path);
        self.conf.includes.push(Include { path: path.clone(), pattern: glob::is_pattern(name), found, origin });
        if self.level == DEEPEST {
            return if required { self.give_up(place, Reason::IncludeTooDeep) } else { self.ignore(place, Reason::IncludeTooDeep) };
        }
        match self.load(paths) {
            Loaded::Read | Loaded::Invalid => GO_ON,
            Loaded::Absent if required && visible && !self.exhausted => self.give_up(place, Reason::IncludeMissing(path)),
            Loaded::Absent if required => {
                self.note(place, Reason::IncludeUnseen(path), Effect::Unseen);
                GO_ON
            }
            Loaded::Absent => GO_ON,
        }
    }

    /// What a command prints takes the place of the line, where that is allowed. It is not run here.
    pub(super) fn exec(&mut self, place: Place) -> Step {
        let (source, directory) = (self.source, self.directory);
        if !*self.may_run.get_or_insert_with(|| runs_commands(source, directory)) {
            return self.ignore(place, Reason::ExecNotAllowed);
        }
        if self.conf.runs.is_none() {
            self.conf.runs = Some(self.conf.origin(place));
        }
        self.note(place, Reason::ExecUnseen, Effect::Unseen);
        GO_ON
    }

    /// Whether the agent would surely see the file if it were there: Asterisk may live in another container, with other mounts.
    fn is_visible(&self, path: &Path) -> bool {
        let unreadable = matches!(self.source.kind(path), Err(error) if error.kind() == io::ErrorKind::PermissionDenied)
            || (self.source.kind(path).ok() == Some(Kind::File) && self.source.open(path).is_err());
        path.starts_with(self.directory) && !unreadable
    }
}
