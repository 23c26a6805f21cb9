//! What is wrong with the settings, all of it at once: each with its place, what was found, what is expected and what to do. Values of
//! secrets never enter here.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::{Serialize, Serializer, ser::SerializeMap};

/// Everything that is wrong with the settings; never empty. Displayed as rustc displays its errors, with a count at the end.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Errors(Vec<Error>);

impl Errors {
    /// In the order in which they stand in the file, then variables, then flags.
    pub(super) fn new(mut errors: Vec<Error>) -> Option<Self> {
        errors.sort_by(|a, b| a.place.cmp(&b.place).then_with(|| a.key.cmp(&b.key)));
        (!errors.is_empty()).then_some(Errors(errors))
    }

    /// Each error, in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Error> {
        self.0.iter()
    }

    /// How many there are; at least one.
    #[allow(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl std::error::Error for Errors {}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for error in &self.0 {
            writeln!(f, "{error}\n")?;
        }
        match self.0.len() {
            1 => f.write_str("1 error in the settings"),
            count => write!(f, "{count} errors in the settings"),
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
pub struct Error {
    /// Which of the known things it is.
    pub kind: Kind,
    /// The dotted path of the setting: `asterisk.ami.address`; empty: the file as a whole.
    pub key: String,
    /// Where it was said.
    pub place: Place,
    /// What was found there; never a secret.
    pub found: Option<String>,
    /// What may stand there.
    pub expected: Option<String>,
    /// What to do.
    pub remedy: Option<String>,
}

impl Error {
    pub(super) fn new(kind: Kind, key: impl Into<String>, place: Place) -> Self {
        Error { kind, key: key.into(), place, found: None, expected: None, remedy: None }
    }

    pub(super) fn found(mut self, found: impl AsRef<str>) -> Self {
        self.found = Some(shown(found.as_ref()));
        self
    }

    pub(super) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Error { kind, key, place, found, expected, remedy } = self;
        match key.as_str() {
            "" => write!(f, "error: {kind}")?,
            key => write!(f, "error: {key}: {kind}")?,
        }
        if let Some(place) = place.shown() {
            write!(f, "\n  --> {place}")?;
        }
        for (label, text) in [("found", found), ("expected", expected), ("help", remedy)] {
            if let Some(text) = text {
                write!(f, "\n  {label}: {text}")?;
            }
        }
        Ok(())
    }
}

/// What can be wrong with a setting. Named in kebab-case in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the message says it")]
pub enum Kind {
    #[error("not UTF-8 text")]
    NotText,
    #[error("too large for a settings file")]
    TooLarge,
    #[error("not valid YAML")]
    Syntax,
    #[error("unknown key")]
    UnknownKey,
    #[error("the key is given twice")]
    DuplicateKey,
    #[error("wrong type")]
    WrongType,
    #[error("unknown value")]
    UnknownValue,
    #[error("a required key is missing")]
    MissingKey,
    #[error("not a duration")]
    BadDuration,
    #[error("not an address")]
    BadAddress,
    #[error("not a fraction")]
    BadFraction,
    #[error("not a log level")]
    BadLogLevel,
    #[error("not a DNS name or IP address")]
    BadName,
    #[error("not a path")]
    BadPath,
    #[error("not a permission for these files")]
    BadMode,
    #[error("not usable as text of one line")]
    BadText,
    #[error("not an origin")]
    BadOrigin,
    #[error("not a URL to send to")]
    BadUrl,
    #[error("the template cannot be used")]
    BadTemplate,
    #[error("not a mail address")]
    BadMailbox,
    #[error("a secret must not stand in the settings")]
    SecretInline,
    #[error("the secret file cannot be read")]
    SecretUnreadable,
    #[error("the secret is empty")]
    SecretEmpty,
    #[error("the secret cannot be sent over AMI")]
    SecretUnusable,
    #[error("contradicts another setting")]
    Contradiction,
    #[error("not in this version")]
    NotInThisVersion,
    #[error("there is no cluster here")]
    NoCluster,
    #[error("no certificate to watch")]
    NothingToWatch,
}

/// Where a setting was said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A line of the settings file.
    Line {
        /// The settings file.
        file: PathBuf,
        /// From 1.
        line: u64,
        /// From 1, in characters.
        column: u64,
    },
    /// The settings file as a whole.
    File(PathBuf),
    /// An environment variable.
    Variable(&'static str),
    /// A flag of the command line.
    Flag(&'static str),
    /// Nothing was said, and there is no settings file.
    Nowhere,
}

impl Place {
    /// The line (from 1), where there is one.
    pub fn line(&self) -> Option<u64> {
        match self {
            Place::Line { line, .. } => Some(*line),
            Place::File(_) | Place::Variable(_) | Place::Flag(_) | Place::Nowhere => None,
        }
    }

    pub(super) fn of_file(file: Option<&Path>) -> Self {
        file.map_or(Place::Nowhere, |file| Place::File(file.to_owned()))
    }

    fn shown(&self) -> Option<String> {
        match self {
            Place::Line { file, line, column } => Some(format!("{}:{line}:{column}", file.display())),
            Place::File(file) => Some(file.display().to_string()),
            Place::Variable(name) => Some(format!("environment variable {name}")),
            Place::Flag(name) => Some(format!("flag {name}")),
            Place::Nowhere => None,
        }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Place::Line { file, line, column } => {
                map.serialize_entry("file", &file.display().to_string())?;
                map.serialize_entry("line", line)?;
                map.serialize_entry("column", column)?;
            }
            Place::File(file) => map.serialize_entry("file", &file.display().to_string())?,
            Place::Variable(name) => map.serialize_entry("variable", name)?,
            Place::Flag(name) => map.serialize_entry("flag", name)?,
            Place::Nowhere => {}
        }
        map.end()
    }
}

/// What was found, fit for a terminal and for one line of a log: no control characters, not endless.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(FOUND_LIMIT).flat_map(char::escape_debug).collect();
    // escape_debug also escapes quotes, which is noise between backquotes.
    let short = short.replace("\\'", "'").replace("\\\"", "\"");
    if text.chars().nth(FOUND_LIMIT).is_some() { format!("{short}…") } else { short }
}

/// In characters.
const FOUND_LIMIT: usize = 120;
