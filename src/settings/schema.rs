//! The JSON Schema of the settings, and the tree of a file checked against it: unknown keys, duplicates, types, enumerations, required keys.
//! What is wrong is named and taken out of the tree, so that what is left can be judged in the same run.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::{
    error::{Error, Kind},
    raw::Raw,
    tree::{Content, Entry, Node, join},
};
use crate::diagnosis::nearest;

/// JSON Schema (draft 2020-12) of the settings file, with defaults and descriptions, for editors and for `starkeeper schema`.
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true).into_generator();
    generator.into_root_schema_for::<Raw>().to_value()
}

/// Takes out of `node` whatever `schema` does not allow, naming each in `errors`. False: the node itself must go.
pub(super) fn prune(node: &mut Node, schema: &Value, path: &str, errors: &mut Vec<Error>) -> bool {
    if node.is_null() {
        return true;
    }
    if let Some(choices) = choices(schema) {
        return chosen(node, &choices, path, errors);
    }
    match &mut node.content {
        Content::Map(entries) if has_type(schema, "object") => {
            prune_map(entries, schema, path, errors);
            let missing = missing(entries, schema);
            for key in &missing {
                let error = Error::new(Kind::MissingKey, join(path, key), node.place.clone());
                errors.push(error.remedy(format!("add `{key}:` to `{path}`, or leave `{path}` out")));
            }
            missing.is_empty()
        }
        Content::List(nodes) if has_type(schema, "array") => {
            let mut index = 0;
            nodes.retain_mut(|node| {
                let path = format!("{path}[{index}]");
                index += 1;
                if !node.is_null() {
                    return prune(node, &schema["items"], &path, errors);
                }
                errors.push(Error::new(Kind::WrongType, path, node.place.clone()).found("nothing").remedy("remove the empty item"));
                false
            });
            true
        }
        Content::Scalar(value) if fits(value, schema) => true,
        Content::Map(_) | Content::List(_) | Content::Scalar(_) => {
            errors.push(wrong_type(node, schema, path));
            false
        }
    }
}

fn prune_map(entries: &mut Vec<Entry>, schema: &Value, path: &str, errors: &mut Vec<Error>) {
    let mut seen: Vec<(String, Option<u64>)> = Vec::new();
    entries.retain_mut(|entry| {
        let Some(key) = &entry.key else {
            errors.push(Error::new(Kind::UnknownKey, path, entry.place.clone()).found("a key that is not text"));
            return false;
        };
        let path = join(path, key);
        if let Some((_, line)) = seen.iter().find(|(seen, _)| seen == key) {
            let error = Error::new(Kind::DuplicateKey, path, entry.place.clone());
            errors.push(match line {
                Some(line) => error.remedy(format!("keep one of the two; the first stands on line {line}")),
                None => error.remedy("keep one of the two"),
            });
            return false;
        }
        seen.push((key.clone(), entry.place.line()));
        match schema["properties"].get(key) {
            Some(schema) => prune(&mut entry.value, schema, &path, errors),
            None => {
                errors.push(unknown_key(key, &path, entry, schema));
                false
            }
        }
    });
}

fn unknown_key(key: &str, path: &str, entry: &Entry, schema: &Value) -> Error {
    let known = || schema["properties"].as_object().into_iter().flatten().map(|(key, _)| key.as_str());
    let lower = key.to_lowercase();
    if known().any(|known| known == "secretFile") && ["secret", "password", "passwd", "pass"].contains(&lower.as_str()) {
        return Error::new(Kind::SecretInline, path, entry.place.clone())
            .expected("`secretFile`, or the environment variable STARKEEPER_AMI_SECRET")
            .remedy("put the secret into a file of its own, name that file with `secretFile`, and change the secret");
    }
    for (file, words) in [("passwordFile", &["password", "passwd", "pass", "secret"][..]), ("urlFile", &["token", "secret", "password"])] {
        if known().any(|known| known == file) && words.contains(&lower.as_str()) {
            return inline(path, entry, file);
        }
    }
    // Whose URL is always a secret, and whose headers are.
    let is_slack = known().any(|known| known == "urlFile") && !known().any(|known| known == "url");
    if is_slack && lower == "url" {
        return inline(path, entry, "urlFile");
    }
    if path.contains(".headers[") && lower == "value" {
        return inline(path, entry, "file");
    }
    let error = Error::new(Kind::UnknownKey, path, entry.place.clone());
    match nearest(key, known()) {
        Some(nearest) => error.remedy(format!("did you mean `{nearest}`?")),
        None => error.expected(format!("one of {}", quoted(known()))),
    }
}

fn inline(path: &str, entry: &Entry, file: &str) -> Error {
    Error::new(Kind::SecretInline, path, entry.place.clone())
        .expected(format!("`{file}`"))
        .remedy(format!("put the secret into a file of its own, name that file with `{file}`, and change the secret"))
}

fn missing(entries: &[Entry], schema: &Value) -> Vec<String> {
    let given = |key: &str| entries.iter().any(|entry| entry.key.as_deref() == Some(key) && !entry.value.is_null());
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    required.filter(|key| !given(key)).map(str::to_owned).collect()
}

/// Every value that the schema allows, where it counts them.
fn choices(schema: &Value) -> Option<Vec<Value>> {
    if let Some(values) = schema["enum"].as_array() {
        return Some(values.clone());
    }
    if let Some(value) = schema.get("const") {
        return Some(vec![value.clone()]);
    }
    let parts = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array())?;
    let parts: Option<Vec<_>> = parts.iter().map(choices).collect();
    parts.map(|parts| parts.concat())
}

fn chosen(node: &Node, choices: &[Value], path: &str, errors: &mut Vec<Error>) -> bool {
    let value = node.json();
    if choices.contains(&value) {
        return true;
    }
    let words: Vec<String> = choices.iter().map(|choice| choice.as_str().map_or_else(|| choice.to_string(), str::to_owned)).collect();
    let place = node.place.clone();
    let expected =
        if let [word] = words.as_slice() { format!("`{word}`") } else { format!("one of {}", quoted(words.iter().map(String::as_str))) };
    errors.push(if let Some(text) = value.as_str() {
        let error = Error::new(Kind::UnknownValue, path, place).found(format!("`{text}`")).expected(expected);
        match nearest(text, words.iter().map(String::as_str)) {
            Some(nearest) => error.remedy(format!("did you mean `{nearest}`?")),
            None => error,
        }
    } else {
        Error::new(Kind::WrongType, path, place).found(described(node, true)).expected(expected)
    });
    false
}

fn wrong_type(node: &Node, schema: &Value, path: &str) -> Error {
    // Whoever mistakes `secretFile` for the secret may have put the secret there.
    let may_show = !path.ends_with("File") && !path.contains(".headers[");
    let error = Error::new(Kind::WrongType, path, node.place.clone()).found(described(node, may_show)).expected(wanted(schema));
    let example = schema["examples"].get(0).map(|example| example.as_str().map_or_else(|| example.to_string(), str::to_owned));
    let text = match &node.content {
        Content::Scalar(Value::String(text)) => Some(text.as_str()),
        Content::Scalar(_) | Content::List(_) | Content::Map(_) => None,
    };
    match (&node.content, example) {
        (_, _) if has_type(schema, "boolean") => error.remedy("write `true` or `false`, without quotes"),
        (Content::Scalar(Value::Number(_)), Some(example)) if path.ends_with(".mode") => {
            error.remedy(format!("octal digits between quotes: `\"{example}\"`; without them YAML makes a decimal number of it"))
        }
        (_, _) if text.is_some_and(|text| text.parse::<f64>().is_ok()) => error.remedy("remove the quotes"),
        (_, _) if text.is_some() && has_type(schema, "array") => {
            error.remedy("put `- ` before it, on a line of its own, or brackets around it")
        }
        (_, Some(example)) => error.remedy(format!("write it like this: `{example}`")),
        (Content::Scalar(value), None) if has_type(schema, "string") => error.remedy(format!("put quotes around it: `\"{value}\"`")),
        (_, None) => error,
    }
}

fn fits(value: &Value, schema: &Value) -> bool {
    match value {
        Value::String(_) => has_type(schema, "string"),
        Value::Bool(_) => has_type(schema, "boolean"),
        Value::Number(number) if has_type(schema, "integer") => {
            number.as_u64().is_some_and(|number| number <= schema["maximum"].as_u64().unwrap_or(u64::MAX))
        }
        Value::Number(_) => has_type(schema, "number"),
        Value::Null => true,
        Value::Array(_) | Value::Object(_) => false,
    }
}

/// `type` is a word, or a list of words where null is allowed too.
fn has_type(schema: &Value, name: &str) -> bool {
    schema["type"] == name || schema["type"].as_array().is_some_and(|names| names.iter().any(|word| word == name))
}

fn wanted(schema: &Value) -> &'static str {
    let names = [
        ("object", "a mapping (`key: value` lines, indented)"),
        ("array", "a list"),
        ("string", "text"),
        ("integer", "a whole number, 0 to 4294967295"),
        ("number", "a number"),
        ("boolean", "`true` or `false`"),
    ];
    names.into_iter().find(|(name, _)| has_type(schema, name)).map_or("nothing", |(_, words)| words)
}

fn described(node: &Node, may_show: bool) -> String {
    match &node.content {
        Content::Map(_) => "a mapping".to_owned(),
        Content::List(_) => "a list".to_owned(),
        Content::Scalar(_) if !may_show => "a value that is not text".to_owned(),
        Content::Scalar(Value::String(text)) => format!("the text `{text}`"),
        Content::Scalar(Value::Number(number)) => format!("the number {number}"),
        Content::Scalar(value) => format!("`{value}`"),
    }
}

fn quoted<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
