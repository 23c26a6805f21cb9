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
    conf::{Conf, Effect, EntryData, Include, Note, Origin, Place, Reason, SectionData, Span},
    glob,
    lines::{Comments, Line, Lines, strip},
    source::{FileSource, Kind},
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
    let other = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Absence::Missing(file.clone()),
        io::ErrorKind::PermissionDenied => Absence::Denied(file.clone()),
        // An ErrorKind is not an enum of ours.
        _ => Absence::Other { path: file.clone(), error: error.to_string() },
    };
    match source.kind(&file).map_err(other)? {
        Kind::File => drop(source.open(&file).map_err(other)?),
        Kind::Other => return Err(Absence::NotAFile(file)),
    }
    let mut reader = Reader::new(source, directory, file, keep);
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

/// `MAX_INCLUDE_LEVEL`, and one for the file itself.
const DEEPEST: u32 = 11;
/// What Asterisk keeps of a section's name.
const LONGEST_SECTION_NAME: usize = 79;
/// The caps: far beyond any configuration, and what keeps a hostile one from filling memory or time.
const MOST_BYTES: usize = 256 << 20;
const MOST_KEPT_BYTES: usize = 64 << 20;
const MOST_FILES: usize = 4096;
const MOST_NOTES: usize = 1000;
const MOST_WORK: usize = 20_000_000;
const MOST_ENTRIES: usize = 2_000_000;

struct Reader<'s> {
    source: &'s dyn FileSource,
    directory: &'s Path,
    keep: Keep,
    conf: Conf,
    /// Lowercase name → the first and the last section of that name.
    by_name: HashMap<Box<[u8]>, (u32, u32)>,
    /// Where an included file goes on.
    current: Option<usize>,
    level: u32,
    bytes: usize,
    work: usize,
    entries: usize,
    exhausted: bool,
}

/// What came of a file. Asterisk tells these apart in odd ways, which are kept: a file that is given up in the middle counts as read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loaded {
    Read,
    Absent,
    Invalid,
}

/// Whether the file goes on after a line.
type Step = ControlFlow<(), ()>;
const GO_ON: Step = ControlFlow::Continue(());
const GIVE_UP: Step = ControlFlow::Break(());

impl<'s> Reader<'s> {
    fn new(source: &'s dyn FileSource, directory: &'s Path, file: PathBuf, keep: Keep) -> Self {
        let conf = Conf {
            file,
            notes: Vec::new(),
            includes: Vec::new(),
            dropped: None,
            text: Zeroizing::new(Vec::new()),
            files: Vec::new(),
            sections: Vec::new(),
        };
        Reader {
            source,
            directory,
            keep,
            conf,
            by_name: HashMap::new(),
            current: None,
            level: 0,
            bytes: 0,
            work: 0,
            entries: 0,
            exhausted: false,
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
            if self.work > MOST_WORK || self.entries > MOST_ENTRIES || self.conf.text.len() > MOST_KEPT_BYTES {
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

    fn note(&mut self, place: Place, reason: Reason, effect: Effect) {
        // The last one says why a file is given up, so the last one always stays.
        self.conf.notes.truncate(MOST_NOTES);
        let origin = self.conf.origin(place);
        self.conf.notes.push(Note { origin, reason, effect });
    }

    fn ignore(&mut self, place: Place, reason: Reason) -> Step {
        self.note(place, reason, Effect::LineIgnored);
        GO_ON
    }

    fn give_up(&mut self, place: Place, reason: Reason) -> Step {
        // A search that ran out of work proves nothing; the caller says that it did.
        if self.work > MOST_WORK {
            return GIVE_UP;
        }
        self.note(place, reason, Effect::RestIgnored);
        GIVE_UP
    }

    fn line(&mut self, text: &[u8], place: Place, section: &mut Option<usize>) -> Step {
        match text.first() {
            Some(b'[') => self.header(&text[1..], place, section),
            Some(b'#') => self.directive(&text[1..], place),
            Some(_) | None => self.setting(text, place, *section),
        }
    }

    /// `name](options)`
    fn header(&mut self, text: &[u8], place: Place, section: &mut Option<usize>) -> Step {
        let Some(end) = position(text, b']') else { return self.give_up(place, Reason::NoClosingBracket) };
        let name = &text[..end];
        // Anything but a parenthesis right behind the bracket is not looked at, a blank before it included.
        let options = match text.get(end + 1) {
            Some(b'(') => {
                let options = &text[end + 2..];
                let Some(end) = position(options, b')') else { return self.give_up(place, Reason::NoClosingParenthesis) };
                Some(&options[..end])
            }
            Some(_) | None => None,
        };
        let kept = self.keep_text(&name[..name.len().min(LONGEST_SECTION_NAME)]);
        let mut fresh = Some(SectionData { name: kept, template: false, place, entries: Vec::new(), next: None });
        let mut target = None;
        for option in options.into_iter().flat_map(|options| options.split(|byte| *byte == b',')) {
            if option == b"!" {
                match (&mut fresh, target) {
                    (Some(fresh), _) => fresh.template = true,
                    (None, Some(target)) => self.section_mut(target).template = true,
                    (None, None) => {}
                }
            } else if let Some(filter) = option.strip_prefix(b"+") {
                let Some(found) = self.lookup(name, &Filter::parse(filter, self.keep)) else {
                    return self.give_up(place, Reason::AppendMissing(lossy(name)));
                };
                target = Some(found);
                if let Some(mut fresh) = fresh.take() {
                    self.current = Some(found);
                    let existing = self.section_mut(found);
                    existing.template |= fresh.template;
                    existing.entries.append(&mut fresh.entries);
                }
            } else {
                let Some(base) = self.lookup(option, &Filter::with_templates()) else {
                    return self.give_up(place, Reason::TemplateMissing(lossy(option)));
                };
                let inherited = self.conf.sections[base].entries.clone();
                self.entries += inherited.len();
                self.work += inherited.len();
                match (&mut fresh, target) {
                    (Some(fresh), _) => fresh.entries.extend(inherited),
                    (None, Some(target)) => self.section_mut(target).entries.extend(inherited),
                    (None, None) => {}
                }
                if self.entries > MOST_ENTRIES {
                    return GO_ON;
                }
            }
        }
        *section = match fresh {
            Some(fresh) => {
                self.current = Some(self.append(fresh));
                self.current
            }
            None => target,
        };
        GO_ON
    }

    fn section_mut(&mut self, index: usize) -> &mut SectionData {
        &mut self.conf.sections[index]
    }

    fn append(&mut self, fresh: SectionData) -> usize {
        let index = self.conf.sections.len();
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        let key = self.conf.bytes(fresh.name).to_ascii_lowercase().into_boxed_slice();
        self.conf.sections.push(fresh);
        match self.by_name.entry(key) {
            std::collections::hash_map::Entry::Occupied(mut entry) => {
                let last = std::mem::replace(&mut entry.get_mut().1, number);
                self.section_mut(last as usize).next = Some(number);
            }
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert((number, number));
            }
        }
        index
    }

    /// The first section of this name that the filter takes. An empty name is any name, as in `[b]()`.
    fn lookup(&mut self, name: &[u8], filter: &Filter<'_>) -> Option<usize> {
        let mut next = if name.is_empty() {
            (!self.conf.sections.is_empty()).then_some(0)
        } else {
            self.by_name.get(name.to_ascii_lowercase().as_slice()).map(|(first, _)| *first as usize)
        };
        while let Some(index) = next {
            let section = &self.conf.sections[index];
            self.work += 1 + filter.cost(section);
            if filter.takes(&self.conf, section) {
                return Some(index);
            }
            if self.work > MOST_WORK {
                return None;
            }
            next = if name.is_empty() {
                (index + 1 < self.conf.sections.len()).then_some(index + 1)
            } else {
                section.next.map(|next| next as usize)
            };
        }
        None
    }

    fn directive(&mut self, text: &[u8], place: Place) -> Step {
        let end = text.iter().position(|byte| !(33..128).contains(byte)).unwrap_or(text.len());
        let argument = strip(text.get(end + 1..).unwrap_or_default());
        let (required, exec) = match text[..end].to_ascii_lowercase().as_slice() {
            b"include" => (true, false),
            b"tryinclude" => (false, false),
            b"exec" => (false, true),
            _ => return self.ignore(place, Reason::UnknownDirective),
        };
        if exec {
            return self.ignore(place, Reason::ExecNotRun);
        }
        if argument.is_empty() {
            return self.ignore(place, Reason::DirectiveWithoutArgument);
        }
        self.include(unquote(argument), required, place)
    }

    fn include(&mut self, name: &[u8], required: bool, place: Place) -> Step {
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

    /// Whether the agent would surely see the file if it were there: Asterisk may live in another container, with other mounts.
    fn is_visible(&self, path: &Path) -> bool {
        let unreadable = matches!(self.source.kind(path), Err(error) if error.kind() == io::ErrorKind::PermissionDenied)
            || (self.source.kind(path).ok() == Some(Kind::File) && self.source.open(path).is_err());
        path.starts_with(self.directory) && !unreadable
    }

    fn setting(&mut self, text: &[u8], place: Place, section: Option<usize>) -> Step {
        let Some(section) = section else { return self.give_up(place, Reason::NoSection) };
        let (text, escaped) = match text {
            [b'\\', rest @ ..] if rest.first().is_none_or(|byte| *byte < 33 || *byte > 127) => {
                return self.give_up(place, Reason::BadEscape);
            }
            [b'\\', rest @ ..] => (rest, 1),
            text => (text, 0),
        };
        let Some(equals) = text.get(escaped..).and_then(|rest| position(rest, b'=')).map(|at| at + escaped) else {
            return self.ignore(place, Reason::NoEquals);
        };
        let adds = equals > escaped && text[equals - 1] == b'+';
        let name = strip(&text[..equals - usize::from(adds)]);
        let value = &text[equals + 1..];
        if adds && (self.keep)(name) && self.extend_last(section, name, value) {
            return GO_ON;
        }
        if name.is_empty() {
            return self.ignore(place, Reason::NoName);
        }
        let value = if adds { value } else { value.strip_prefix(b">").unwrap_or(value) };
        if (self.keep)(name) {
            let entry = EntryData { name: self.keep_text(name), value: self.keep_text(strip(value)), place };
            self.entries += 1;
            let entries = &mut self.section_mut(section).entries;
            // Most sections of a large file keep one entry, and a vector would make room for four.
            entries.reserve_exact(usize::from(entries.is_empty()));
            entries.push(entry);
        }
        GO_ON
    }

    /// `name += value`: adds to the last entry of that name (its case counts). `false`: there is none.
    fn extend_last(&mut self, section: usize, name: &[u8], added: &[u8]) -> bool {
        let entries = &self.conf.sections[section].entries;
        self.work += 2 * entries.len();
        let Some(old) = entries.iter().rev().find(|entry| self.conf.bytes(entry.name) == name).map(|entry| entry.value) else {
            return false;
        };
        let old = self.conf.bytes(old).to_vec();
        // What is replaced is the first entry of that name with such a value, now without regard to case.
        let index = entries.iter().position(|entry| {
            self.conf.bytes(entry.name).eq_ignore_ascii_case(name)
                && (old.is_empty() || self.conf.bytes(entry.value).eq_ignore_ascii_case(&old))
        });
        let joined = Zeroizing::new([&old, added].concat());
        self.work += joined.len() / 16;
        let value = self.keep_text(strip(&joined));
        if let Some(index) = index {
            self.section_mut(section).entries[index].value = value;
        }
        true
    }

    fn keep_text(&mut self, text: &[u8]) -> Span {
        let start = self.conf.text.len();
        self.conf.text.extend_from_slice(text);
        let end = self.conf.text.len();
        // The caps keep both far below 4 GiB.
        Span { start: u32::try_from(start).unwrap_or(u32::MAX), end: u32::try_from(end).unwrap_or(u32::MAX) }
    }
}

/// What stands behind the `+` of `(+name=value&name=value)`. Asterisk takes each side for a regular expression; here `^` and `$` at the
/// ends are honoured and the rest is compared as text, which is what such filters are.
struct Filter<'f> {
    templates: Templates,
    pairs: Vec<(&'f [u8], &'f [u8])>,
    never: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Templates {
    No,
    Too,
    Only,
}

impl<'f> Filter<'f> {
    fn with_templates() -> Self {
        Filter { templates: Templates::Too, pairs: Vec::new(), never: false }
    }

    fn parse(text: &'f [u8], keep: Keep) -> Self {
        let mut filter = Filter { templates: Templates::No, pairs: Vec::new(), never: false };
        for pair in text.split(|byte| *byte == b'&').filter(|_| !text.is_empty()) {
            let Some(equals) = position(pair, b'=') else {
                filter.never = true;
                continue;
            };
            let (name, value) = (strip(&pair[..equals]), strip(&pair[equals + 1..]));
            if name == b"TEMPLATES" {
                match value.to_ascii_lowercase().as_slice() {
                    b"include" => filter.templates = Templates::Too,
                    b"restrict" => filter.templates = Templates::Only,
                    _ => filter.never = true,
                }
            } else if keep(name) {
                filter.pairs.push((name, value));
            }
        }
        filter
    }

    fn cost(&self, section: &SectionData) -> usize {
        self.pairs.len() * section.entries.len()
    }

    fn takes(&self, conf: &Conf, section: &SectionData) -> bool {
        let template = match self.templates {
            Templates::No => !section.template,
            Templates::Too => true,
            Templates::Only => section.template,
        };
        template
            && !self.never
            && self.pairs.iter().all(|(name, value)| {
                section.entries.iter().any(|entry| loosely(name, conf.bytes(entry.name)) && loosely(value, conf.bytes(entry.value)))
            })
    }
}

fn loosely(pattern: &[u8], text: &[u8]) -> bool {
    let (pattern, from_start) = pattern.strip_prefix(b"^").map_or((pattern, false), |rest| (rest, true));
    let (pattern, to_end) = pattern.strip_suffix(b"$").map_or((pattern, false), |rest| (rest, true));
    match (from_start, to_end) {
        (true, true) => text == pattern,
        (true, false) => text.starts_with(pattern),
        (false, true) => text.ends_with(pattern),
        (false, false) => pattern.is_empty() || text.windows(pattern.len()).any(|window| window == pattern),
    }
}

fn unquote(argument: &[u8]) -> &[u8] {
    match argument {
        [b'"', inner @ .., b'"'] | [b'<', inner @ .., b'>'] => inner,
        plain => plain,
    }
}

fn position(text: &[u8], byte: u8) -> Option<usize> {
    text.iter().position(|b| *b == byte)
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
