//! Evidence → [`Finding`]: the closed vocabulary in which everything that is wrong is said, alike in `check`, the status, metrics and
//! logs. What enters is a [`Code`] with its evidence; what leaves also knows its meaning and its remedy, in English and Portuguese.

mod book;
mod code;
mod lang;
mod nearest;
mod reading;
pub mod show;
mod source;
pub mod texts;

pub use book::book;
pub use code::{Code, Group, UnknownCode};
pub use lang::{Lang, UnknownLang};
pub use nearest::nearest;
pub use source::{Source, sources};

use std::{borrow::Cow, fmt, path::Path};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};

use texts::Piece;

/// How much a finding hurts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing will break.
    Info,
    /// Will break later, or breaks for some.
    Warning,
    /// Browsers cannot connect, or would not after the next reload.
    Error,
}

/// One thing that is wrong (or worth knowing), with what was seen. Read back from JSON it is the same, but that moments are texts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Finding {
    /// Which of the known things it is.
    pub code: Code,
    /// The code's usual severity, unless the evidence makes it another.
    pub severity: Severity,
    /// What was seen: file, line, found, expected, dates.
    pub evidence: Evidence,
}

impl Finding {
    /// A finding of the code's usual severity, without evidence yet.
    pub fn new(code: Code) -> Self {
        Finding { code, severity: code.severity(), evidence: Evidence::default() }
    }

    /// The same finding with one more piece of evidence. Keys are camelCase, as they stand in JSON.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.evidence.0.push((Cow::Borrowed(key), value.into()));
        self
    }

    /// The same finding with another severity than the code's usual one.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The evidence under `key`, if there is any.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.evidence.0.iter().find(|(k, _)| *k == key).map(|(_, v)| v)
    }

    /// What it means for those who call, with the evidence filled in.
    pub fn meaning(&self, lang: Lang) -> String {
        texts::plain(&texts::fill(texts::text(self.code, lang).meaning, &self.evidence, lang))
    }

    /// What to do. Lines to paste stand on their own, indented by four spaces.
    pub fn remedy(&self, lang: Lang) -> String {
        texts::plain(&self.remedy_pieces(lang))
    }

    /// The finding as JSON shows it: with its meaning and its remedy.
    pub fn rendered(&self, lang: Lang) -> Rendered<'_> {
        Rendered {
            code: self.code,
            severity: self.severity,
            evidence: &self.evidence,
            meaning: self.meaning(lang),
            remedy: self.remedy(lang),
        }
    }

    /// The remedy of the code, and the very line of the evidence where the text does not hold it already.
    pub fn remedy_pieces(&self, lang: Lang) -> Vec<Piece> {
        let mut pieces = texts::remedy(self.code, &self.evidence, lang);
        if let Some(remedy) = self.get(REMEDY_LINE) {
            for line in remedy.to_string().lines().map(texts::printable) {
                let piece = Piece::Paste(line);
                if !pieces.contains(&piece) {
                    pieces.push(piece);
                }
            }
        }
        pieces
    }
}

/// The key under which evidence gives the very line that mends it.
const REMEDY_LINE: &str = "remedyLine";

/// A finding as JSON shows it: `{code, severity, evidence, meaning, remedy}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rendered<'a> {
    /// Which of the known things it is.
    pub code: Code,
    /// How much it hurts.
    pub severity: Severity,
    /// What was seen.
    pub evidence: &'a Evidence,
    /// What it means for those who call.
    pub meaning: String,
    /// What to do; lines to paste are indented by four spaces.
    pub remedy: String,
}

/// What was seen, in the order in which it is to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence(pub Vec<(Cow<'static, str>, Value)>);

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Words, a path, an address.
    Text(String),
    /// A count, a line number, bits, octal modes go as text.
    Number(i64),
    /// A moment (UTC, RFC 3339 in JSON).
    #[serde(skip_deserializing)]
    Time(Timestamp),
    /// Several texts.
    List(Vec<String>),
}

impl Serialize for Evidence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.write_str(text),
            Value::Number(number) => number.fmt(f),
            Value::Time(time) => time.fmt(f),
            Value::List(texts) => f.write_str(&texts.join(", ")),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}
impl From<&Path> for Value {
    fn from(path: &Path) -> Self {
        Value::Text(path.display().to_string())
    }
}
impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Value::Time(time)
    }
}
impl From<Vec<String>> for Value {
    fn from(texts: Vec<String>) -> Self {
        Value::List(texts)
    }
}
macro_rules! number {
    ($($t:ty),*) => {$(impl From<$t> for Value {
        fn from(number: $t) -> Self { Value::Number(i64::try_from(number).unwrap_or(i64::MAX)) }
    })*};
}
number!(i32, i64, u16, u32, u64, usize);
