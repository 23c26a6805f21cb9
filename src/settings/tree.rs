//! YAML text → a tree in which every node knows its place. Refuses what is not YAML, more than one document, unknown tags, whatever grows beyond
//! a file that people write, and in settings merge keys. Duplicate keys stay in the tree, so that they are named together with all else.

use std::{collections::BTreeMap, fmt, mem, path::Path};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;
use serde_yaml::{Location, Spanned};

use super::error::{Error, Kind, Place};

/// A value and where it was said.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) content: Content,
    pub(crate) place: Place,
}

/// Whose YAML it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Starkeeper's own.
    Settings,
    /// A Compose file: merge keys (`<<`) are filled in, and Compose's own tags (`!reset`, `!override`) passed over.
    Compose,
}

/// What a node holds.
#[derive(Clone)]
pub(crate) enum Content {
    /// Null, `true`, a number or text: never a list or an object.
    Scalar(Value),
    /// A list.
    List(Vec<Node>),
    /// A mapping in the order of the file, duplicates included.
    Map(Vec<Entry>),
}

/// One line of a mapping.
#[derive(Clone)]
pub(crate) struct Entry {
    /// `None`: the key is not text.
    pub(crate) key: Option<String>,
    /// Where the key stands.
    pub(crate) place: Place,
    pub(crate) value: Node,
}

impl Node {
    /// The tree of a file. An empty file is an empty mapping.
    ///
    /// # Errors
    /// One: where reading broke off.
    pub(crate) fn read(file: &Path, bytes: &[u8], dialect: Dialect) -> Result<Node, Box<Error>> {
        if bytes.len() > SIZE_LIMIT {
            return Err(Error::new(Kind::TooLarge, "", Place::File(file.to_owned()))
                .found(format!("{} bytes", bytes.len()))
                .expected(format!("at most {SIZE_LIMIT} bytes"))
                .into());
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() as u64;
            Error::new(Kind::NotText, "", Place::Line { file: file.to_owned(), line, column: 1 }).remedy("save the file as UTF-8")
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Node { content: Content::Map(Vec::new()), place: Place::File(file.to_owned()) });
        }
        let raw: Spanned<Raw> =
            serde_yaml::from_str_with_options(text, options(dialect)).map_err(|error| Box::new(syntax_error(file, &error)))?;
        Ok(located(raw, file))
    }

    /// Sets the value of a dotted path, over whatever stood there, creating the mappings on the way.
    pub(super) fn set(&mut self, path: &str, value: Node) {
        let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
        let mut entries = match mem::replace(&mut self.content, Content::Scalar(Value::Null)) {
            Content::Map(entries) => entries,
            Content::Scalar(_) | Content::List(_) => Vec::new(),
        };
        let at = entries.iter().position(|entry| entry.key.as_deref() == Some(head)).unwrap_or_else(|| {
            let absent = Node { content: Content::Scalar(Value::Null), place: value.place.clone() };
            entries.push(Entry { key: Some(head.to_owned()), place: value.place.clone(), value: absent });
            entries.len() - 1
        });
        match rest {
            Some(rest) => entries[at].value.set(rest, value),
            None => entries[at].value = value,
        }
        self.content = Content::Map(entries);
    }

    /// As JSON, nulls left out: a key without a value is a key that was not given.
    pub(crate) fn json(&self) -> Value {
        match &self.content {
            Content::Scalar(scalar) => scalar.clone(),
            Content::List(nodes) => Value::Array(nodes.iter().map(Node::json).collect()),
            Content::Map(entries) => Value::Object(
                entries
                    .iter()
                    .filter(|entry| !entry.value.is_null())
                    .filter_map(|entry| Some((entry.key.clone()?, entry.value.json())))
                    .collect(),
            ),
        }
    }

    /// Where each dotted path (`certificate.names[1]` in a list) was said.
    pub(super) fn places(&self) -> BTreeMap<String, Place> {
        let mut places = BTreeMap::new();
        self.gather(String::new(), &mut places);
        places
    }

    fn gather(&self, path: String, places: &mut BTreeMap<String, Place>) {
        match &self.content {
            Content::Scalar(Value::Null) => return,
            Content::Scalar(_) => {}
            Content::List(nodes) => {
                for (index, node) in nodes.iter().enumerate() {
                    node.gather(format!("{path}[{index}]"), places);
                }
            }
            Content::Map(entries) => {
                for entry in entries {
                    if let Some(key) = &entry.key {
                        entry.value.gather(join(&path, key), places);
                    }
                }
            }
        }
        places.insert(path, self.place.clone());
    }

    /// What stands under a key of a mapping; of two, the last.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().rev().find(|entry| entry.key.as_deref() == Some(key)).map(|entry| &entry.value)
    }

    /// The lines of a mapping; none for anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.content {
            Content::Map(entries) => entries,
            Content::Scalar(_) | Content::List(_) => &[],
        }
    }

    /// The items of a list; none for anything else.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.content {
            Content::List(items) => items,
            Content::Scalar(_) | Content::Map(_) => &[],
        }
    }

    /// A scalar as it would be written. `None`: it is none, or null.
    pub(crate) fn text(&self) -> Option<String> {
        match &self.content {
            Content::Scalar(Value::Null) | Content::List(_) | Content::Map(_) => None,
            Content::Scalar(Value::String(text)) => Some(text.clone()),
            Content::Scalar(other) => Some(other.to_string()),
        }
    }

    /// Whether nothing was said: a key without a value, `null` or `~`.
    pub(super) fn is_null(&self) -> bool {
        matches!(self.content, Content::Scalar(Value::Null))
    }
}

/// `asterisk` and `ami` → `asterisk.ami`.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn options(dialect: Dialect) -> serde_yaml::Options {
    serde_yaml::options! {
        // A snippet shows the lines around an error, secrets that were put there by mistake included.
        with_snippet: false,
        duplicate_keys: serde_yaml::options::DuplicateKeyPolicy::PassThrough,
        merge_keys: match dialect {
            Dialect::Settings => serde_yaml::options::MergeKeyPolicy::Error,
            Dialect::Compose => serde_yaml::options::MergeKeyPolicy::Merge,
        },
        // `off` stays text: YAML 1.1 would make it false.
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        reject_unsupported_tags: dialect == Dialect::Settings,
        non_finite_float_policy: serde_yaml::options::NonFiniteFloatPolicy::AsString,
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: 5_000 },
        budget: serde_yaml::budget! {
            max_events: 20_000,
            max_nodes: 10_000,
            max_depth: 16,
            flow_nesting_limit: 16,
            max_aliases: 100,
            max_anchors: 100,
            // The second is refused by a name of its own.
            max_documents: 2,
            max_recorded_anchor_events: 20_000,
            max_recorded_anchor_bytes: SIZE_LIMIT,
            max_total_scalar_bytes: SIZE_LIMIT,
        },
    }
}

/// Takes from the parser's error only what cannot repeat the file's text.
#[allow(clippy::wildcard_enum_match_arm, reason = "the parser's enums are not ours and may grow")]
fn syntax_error(file: &Path, error: &serde_yaml::Error) -> Error {
    let location = error.location().unwrap_or(Location::UNKNOWN);
    let error = match error {
        serde_yaml::Error::AliasError { error, .. } => error.as_ref(),
        other => other,
    };
    let found = match error {
        serde_yaml::Error::ExternalMessage { source, .. } => match source.as_ref() {
            serde_yaml::ExternalMessageSource::Parser(scan) => scan.info(),
            _ => "a structure that cannot be read".to_owned(),
        },
        serde_yaml::Error::Eof { .. } => "the end of the file inside a value".to_owned(),
        serde_yaml::Error::MultipleDocuments { .. } => "a second document (`---`)".to_owned(),
        serde_yaml::Error::MergeKeyNotAllowed { .. } => "a merge key (`<<`)".to_owned(),
        serde_yaml::Error::UnsupportedTag { .. } => "a tag (`!…`) that means nothing here".to_owned(),
        serde_yaml::Error::UnknownAnchor { .. } => "an alias (`*…`) without its anchor".to_owned(),
        serde_yaml::Error::Budget { .. }
        | serde_yaml::Error::AliasReplayLimitExceeded { .. }
        | serde_yaml::Error::AliasReplayStackDepthExceeded { .. } => "more nesting, nodes or aliases than such a file can need".to_owned(),
        _ => "a structure that cannot be read".to_owned(),
    };
    Error::new(Kind::Syntax, "", place(file, location)).found(found)
}

fn place(file: &Path, location: Location) -> Place {
    match location.line() {
        0 => Place::File(file.to_owned()),
        line => Place::Line { file: file.to_owned(), line, column: location.column() },
    }
}

fn located(raw: Spanned<Raw>, file: &Path) -> Node {
    let content = match raw.value {
        Raw::Scalar(value) => Content::Scalar(value),
        Raw::List(items) => Content::List(items.into_iter().map(|item| located(item, file)).collect()),
        Raw::Map(entries) => Content::Map(
            entries
                .into_iter()
                .map(|(key, value)| Entry {
                    place: place(file, key.referenced),
                    key: match key.value {
                        Raw::Scalar(Value::String(text)) => Some(text),
                        Raw::Scalar(_) | Raw::List(_) | Raw::Map(_) => None,
                    },
                    value: located(value, file),
                })
                .collect(),
        ),
    };
    Node { content, place: place(file, raw.referenced) }
}

/// A node as the parser gives it.
enum Raw {
    Scalar(Value),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }
    fn visit_unit<E: de::Error>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Null))
    }
    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.into()))
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.into()))
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.into()))
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Raw, E> {
        // JSON has no infinity; as text it is refused wherever a number is wanted.
        Ok(Raw::Scalar(serde_json::Number::from_f64(value).map_or_else(|| value.to_string().into(), Value::Number)))
    }
    fn visit_str<E: de::Error>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.into()))
    }
    fn visit_string<E: de::Error>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.into()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

/// Of the file, in bytes. The longest sensible one has about a hundred lines.
const SIZE_LIMIT: usize = 256 * 1024;
