//! What a `.conf` file says once it is read: sections with their entries, each with its file and line; the includes; and what Asterisk
//! could not make sense of. Templates are resolved. Values may be secrets: Debug shows counts, memory is wiped when dropped.

use std::{
    borrow::Cow,
    ffi::OsStr,
    fmt,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

/// A place in a file, as an editor counts it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The file, as the agent sees it.
    pub file: PathBuf,
    /// Counted from 1.
    pub line: u32,
}

/// One configuration, includes and all.
pub struct Conf {
    /// The file that was asked for.
    pub file: PathBuf,
    /// What Asterisk could not make sense of, in the order in which it was met.
    pub notes: Vec<Note>,
    /// Every `#include` and `#tryinclude` that was followed.
    pub includes: Vec<Include>,
    /// Where Asterisk gives the file up as a whole (`Config file has invalid format`). There are no sections then.
    pub dropped: Option<Origin>,
    /// The first `#exec` that Asterisk runs. The agent does not.
    pub runs: Option<Origin>,
    /// Whether a part of it cannot be seen from here: what stands nowhere may stand there.
    pub partly_unseen: bool,
    pub(super) text: Zeroizing<Vec<u8>>,
    pub(super) files: Vec<PathBuf>,
    pub(super) sections: Vec<SectionData>,
    /// Those of all sections: a large file has a hundred thousand small ones.
    pub(super) entries: Vec<EntryData>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) file: u32,
    pub(super) line: u32,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct EntryData {
    pub(super) name: Span,
    pub(super) value: Span,
    pub(super) place: Place,
    /// The next one of the same section.
    next: u32,
}

impl EntryData {
    pub(super) fn new(name: Span, value: Span, place: Place) -> Self {
        EntryData { name, value, place, next: 0 }
    }
}

/// The entries of one section: where the first and the last stand among those of all, and how many there are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chain {
    first: u32,
    last: u32,
    pub(super) length: u32,
}

impl Chain {
    pub(super) fn push(&mut self, all: &mut Vec<EntryData>, entry: EntryData) {
        // The cap on entries is far below 4 Gi.
        let at = u32::try_from(all.len()).unwrap_or(u32::MAX);
        all.push(entry);
        self.append(all, Chain { first: at, last: at, length: 1 });
    }

    /// Puts those behind these.
    pub(super) fn append(&mut self, all: &mut [EntryData], those: Chain) {
        match (self.length, those.length) {
            (_, 0) => {}
            (0, _) => *self = those,
            (_, _) => {
                all[self.last as usize].next = those.first;
                *self = Chain { first: self.first, last: those.last, length: self.length + those.length };
            }
        }
    }

    /// Puts copies of those behind these, which may be the same.
    pub(super) fn inherit(&mut self, all: &mut Vec<EntryData>, those: Chain) {
        let mut at = those.first;
        for _ in 0..those.length {
            let entry = all[at as usize];
            at = entry.next;
            self.push(all, entry);
        }
    }

    /// Where each stands.
    pub(super) fn places(self, all: &[EntryData]) -> impl Iterator<Item = usize> {
        let mut next = self.first as usize;
        (0..self.length).map(move |_| {
            let at = next;
            next = all[at].next as usize;
            at
        })
    }

    pub(super) fn of(self, all: &[EntryData]) -> impl Iterator<Item = &EntryData> {
        self.places(all).map(|at| &all[at])
    }
}

#[derive(Debug)]
pub(super) struct SectionData {
    pub(super) name: Span,
    pub(super) template: bool,
    pub(super) place: Place,
    pub(super) entries: Chain,
    /// The next section that might have the same name.
    pub(super) next: Option<u32>,
}

impl Conf {
    /// The sections that are no templates, in the order of the file. A name may come twice.
    pub fn sections(&self) -> impl Iterator<Item = Section<'_>> {
        self.sections.iter().filter(|data| !data.template).map(|data| Section { conf: self, data })
    }

    /// The first section of this name that is no template, which is the only one that Asterisk's own modules look at. Names are compared
    /// without regard to ASCII case.
    pub fn section(&self, name: &str) -> Option<Section<'_>> {
        self.sections().find(|section| section.name_bytes().eq_ignore_ascii_case(name.as_bytes()))
    }

    /// Whether there is a template of this name.
    pub fn has_template(&self, name: &str) -> bool {
        self.sections.iter().any(|data| data.template && self.bytes(data.name).eq_ignore_ascii_case(name.as_bytes()))
    }

    /// Whether the file is one that is included and that exists: touching it makes Asterisk read everything again.
    pub fn includes_file(&self, file: &Path) -> bool {
        self.includes.iter().any(|include| include.found.iter().any(|found| found == file))
    }

    /// What makes every reload read this configuration again, although nothing changed. See [`Heals`].
    pub fn heals(&self) -> Option<Heals> {
        let included = self.includes.iter().find_map(|include| {
            let how = if include.pattern {
                HealsBy::Wildcard
            } else if include.found.is_empty() {
                HealsBy::AbsentFile
            } else {
                return None;
            };
            Some(Heals { path: include.path.clone(), how, origin: include.origin.clone() })
        });
        let run = || self.runs.as_ref().map(|origin| Heals { path: origin.file.clone(), how: HealsBy::Command, origin: origin.clone() });
        included.or_else(run)
    }

    pub(super) fn bytes(&self, span: Span) -> &[u8] {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    pub(super) fn origin(&self, place: Place) -> Origin {
        Origin { file: self.files.get(place.file as usize).cloned().unwrap_or_default(), line: place.line }
    }
}

impl fmt::Debug for Conf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conf")
            .field("file", &self.file)
            .field("sections", &self.sections.len())
            .field("includes", &self.includes)
            .field("notes", &self.notes)
            .field("dropped", &self.dropped)
            .finish()
    }
}

/// One `[section]`.
#[derive(Clone, Copy)]
pub struct Section<'c> {
    conf: &'c Conf,
    data: &'c SectionData,
}

impl<'c> Section<'c> {
    /// What stands between the brackets, spaces included; at most 79 bytes, as Asterisk keeps.
    pub fn name(&self) -> Cow<'c, str> {
        String::from_utf8_lossy(self.name_bytes())
    }

    /// [`Section::name`] as bytes.
    pub fn name_bytes(&self) -> &'c [u8] {
        self.conf.bytes(self.data.name)
    }

    /// Where it begins.
    pub fn origin(&self) -> Origin {
        self.conf.origin(self.data.place)
    }

    /// Its entries, those of its templates first, in the order in which Asterisk applies them.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'c>> + use<'c> {
        let conf = self.conf;
        self.data.entries.of(&conf.entries).map(move |data| Entry { conf, data })
    }

    /// The last entry of this name, for options that a later line overrides. Without regard to ASCII case.
    pub fn last(&self, name: &str) -> Option<Entry<'c>> {
        self.entries().filter(|entry| entry.is(name)).last()
    }
}

/// One `name = value` line.
#[derive(Clone, Copy)]
pub struct Entry<'c> {
    conf: &'c Conf,
    data: &'c EntryData,
}

impl<'c> Entry<'c> {
    /// Whether it is called so, without regard to ASCII case.
    pub fn is(&self, name: &str) -> bool {
        self.name_bytes().eq_ignore_ascii_case(name.as_bytes())
    }

    /// The name as it stands in the file.
    pub fn name_bytes(&self) -> &'c [u8] {
        self.conf.bytes(self.data.name)
    }

    /// The value, which may be a secret. Bytes that are not UTF-8 are replaced.
    pub fn value(&self) -> Cow<'c, str> {
        String::from_utf8_lossy(self.value_bytes())
    }

    /// The value, which may be a secret.
    pub fn value_bytes(&self) -> &'c [u8] {
        self.conf.bytes(self.data.value)
    }

    /// The value as a path.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(OsStr::from_bytes(self.value_bytes()))
    }

    /// Where the line is; for what a template gave, the line of the template.
    pub fn origin(&self) -> Origin {
        self.conf.origin(self.data.place)
    }
}

/// One `#include` or `#tryinclude` that was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// What it names, made absolute by the configuration folder.
    pub path: PathBuf,
    /// Whether it is a pattern that Asterisk expands.
    pub pattern: bool,
    /// The files that were found.
    pub found: Vec<PathBuf>,
    /// Where it stands.
    pub origin: Origin,
}

/// Why every reload reads the configuration again, so that a plain reload brings back a TLS listener that lost its certificate.
/// Asterisk skips a file whose size and time did not change, unless something that it includes cannot be shown to be unchanged
/// (`config_text_file_load`; ran on 16 and 22).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heals {
    /// What is included; of a command, the file that has it run.
    pub path: PathBuf,
    /// Why it cannot be shown to be unchanged.
    pub how: HealsBy,
    /// Where it stands.
    pub origin: Origin,
}

/// Why an include cannot be shown to be unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealsBy {
    /// There is no such file. The effect is gone once there is one.
    AbsentFile,
    /// It has a wildcard: Asterisk never calls such an include unchanged, whatever it matches.
    Wildcard,
    /// It is what a command prints: Asterisk runs it every time.
    Command,
}

/// Something that Asterisk could not make sense of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where.
    pub origin: Origin,
    /// What. Never holds text of the line, which may be a secret.
    pub reason: Reason,
    /// What Asterisk does about it.
    pub effect: Effect,
}

/// What Asterisk does about a line that it cannot make sense of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Skips that line.
    LineIgnored,
    /// Skips what follows, to the end of the file or of the comment.
    RestIgnored,
    /// Gives the whole configuration up.
    FileDropped,
    /// Unknown: the agent cannot see what Asterisk sees.
    Unseen,
}

/// What Asterisk could not make sense of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Reason {
    #[error("no `=` in the line")]
    NoEquals,
    #[error("nothing before the `=`")]
    NoName,
    #[error("a setting before the first [section]")]
    NoSection,
    #[error("no closing `]`")]
    NoClosingBracket,
    #[error("no closing `)`")]
    NoClosingParenthesis,
    #[error("no section or template `{0}` stands before this line; names are compared with their spaces")]
    TemplateMissing(String),
    #[error("`(+)` adds to [{0}], which does not stand before this line or is a template")]
    AppendMissing(String),
    #[error("a backslash before a blank")]
    BadEscape,
    #[error("included file `{0}` does not exist")]
    IncludeMissing(PathBuf),
    #[error("included file `{0}` cannot be seen from here")]
    IncludeUnseen(PathBuf),
    #[error("includes are nested deeper than 10")]
    IncludeTooDeep,
    #[error("unknown directive")]
    UnknownDirective,
    #[error("the directive needs a file name")]
    DirectiveWithoutArgument,
    #[error("`#exec`, which `execincludes` of asterisk.conf does not allow")]
    ExecNotAllowed,
    #[error("what the command of `#exec` prints cannot be seen from here")]
    ExecUnseen,
    #[error("the line is longer than 8191 bytes")]
    LineTooLong,
    #[error("the `;--` comment never ends")]
    UnterminatedComment,
    #[error("`--;` ends no comment, so Asterisk takes what follows for one")]
    StrayCommentEnd,
    #[error("comments are nested deeper than 128")]
    NestedTooDeep,
    #[error("more than {0}")]
    TooMuch(&'static str),
    #[error("reading broke off: {0}")]
    Read(String),
}
