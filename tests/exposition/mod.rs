//! A strict reader of both text formats of metrics: whatever a scraper might stumble over fails the test with its line.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    OpenMetrics,
    Prometheus,
}

pub(crate) type Labels = BTreeMap<String, String>;

/// Families by the name of their series.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    pub(crate) families: BTreeMap<String, Vec<(Labels, f64)>>,
}

/// The family whose lines are being read.
struct Family {
    name: String,
    kind: String,
    unit: Option<String>,
}

impl Exposition {
    /// Each family: HELP, TYPE, in OpenMetrics UNIT where the name ends in one, then its series, each once; nothing of another between.
    #[track_caller]
    pub(crate) fn parse(text: &str, format: Format) -> Self {
        assert!(text.ends_with('\n') && !text.contains('\r'), "lines end in a line feed");
        let mut exposition = Self::default();
        let (mut family, mut help, mut ended): (Option<Family>, Option<String>, bool) = (None, None, false);
        let mut seen = BTreeSet::new();
        for line in text.lines() {
            assert!(!ended, "after the end: {line}");
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            match words.as_slice() {
                ["#", "EOF"] => {
                    assert_eq!(format, Format::OpenMetrics, "an end mark in the older format");
                    ended = true;
                }
                ["#", "HELP", name, words] => {
                    assert!(help.is_none() && !words.is_empty(), "{line}");
                    help = Some((*name).to_owned());
                }
                ["#", "TYPE", name, kind] => {
                    assert_eq!(help.take().as_deref(), Some(*name), "TYPE without its HELP: {line}");
                    assert!(["gauge", "counter", "histogram"].contains(kind), "{line}");
                    assert_eq!(name.ends_with("_total"), *kind == "counter" && format == Format::Prometheus, "{line}");
                    assert!(seen.insert((*name).to_owned()), "a second time: {line}");
                    family = Some(Family { name: (*name).to_owned(), kind: (*kind).to_owned(), unit: None });
                }
                ["#", "UNIT", name, unit] => {
                    let family = family.as_mut().filter(|family| family.name == *name).expect(line);
                    assert!(format == Format::OpenMetrics && name.ends_with(&format!("_{unit}")), "{line}");
                    family.unit = Some((*unit).to_owned());
                }
                ["#", ..] | [""] => panic!("neither comment nor empty line belongs here: {line}"),
                _ => {
                    let family = family.as_ref().expect(line);
                    let (name, labels, value) = series(line);
                    let suffixes: &[&str] = match (family.kind.as_str(), format) {
                        ("counter", Format::OpenMetrics) => &["_total"],
                        ("histogram", _) => &["_bucket", "_sum", "_count"],
                        _ => &[""],
                    };
                    let suffix = name.strip_prefix(family.name.as_str()).expect(line);
                    assert!(suffixes.contains(&suffix) && labels.contains_key("le") == (suffix == "_bucket"), "{line}");
                    assert!(value.is_finite() && (family.kind == "gauge" || value >= 0.0), "{line}");
                    let known = exposition.families.entry(name).or_default();
                    assert!(known.iter().all(|(other, _)| *other != labels), "a second time: {line}");
                    known.push((labels, value));
                }
            }
        }
        assert_eq!(ended, format == Format::OpenMetrics, "the end mark");
        exposition.families.keys().filter_map(|name| name.strip_suffix("_bucket")).for_each(|family| exposition.cumulative(family));
        exposition
    }

    /// The value of the one series that has these labels, whatever others it has.
    #[track_caller]
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.one(name, labels).1
    }

    /// All labels of that series.
    #[track_caller]
    pub(crate) fn series(&self, name: &str, labels: &[(&str, &str)]) -> &Labels {
        &self.one(name, labels).0
    }

    /// Buckets of each series rise, in bounds and in counts, up to all of them.
    #[track_caller]
    fn cumulative(&self, family: &str) {
        let mut series: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
        for (labels, count) in &self.families[&format!("{family}_bucket")] {
            let mut labels = labels.clone();
            let bound = labels.remove("le").expect(family).parse().expect("a bound");
            series.entry(labels).or_default().push((bound, *count));
        }
        for (labels, buckets) in series {
            let rise = |(one, next): (&(f64, f64), &(f64, f64))| one.0 < next.0 && one.1 <= next.1;
            assert!(buckets.iter().zip(&buckets[1..]).all(rise), "{family}{labels:?}: {buckets:?}");
            let of = |suffix: &str| self.families[&format!("{family}{suffix}")].iter().find(|(found, _)| *found == labels).expect(family).1;
            assert_eq!(buckets.last().copied(), Some((f64::INFINITY, of("_count"))), "{family}{labels:?}");
            assert!(of("_sum") <= of("_count") * 1e4, "{family}{labels:?}");
        }
    }

    #[track_caller]
    fn one(&self, name: &str, labels: &[(&str, &str)]) -> &(Labels, f64) {
        let has = |found: &Labels| labels.iter().all(|(key, value)| found.get(*key).is_some_and(|found| found == value));
        let family = self.families.get(name).unwrap_or_else(|| panic!("no family {name}"));
        let found: Vec<_> = family.iter().filter(|(found, _)| has(found)).collect();
        assert_eq!(found.len(), 1, "{name}{labels:?}: {family:?}");
        found[0]
    }
}

/// `name{key="value",…} number`, and no timestamp.
#[track_caller]
fn series(line: &str) -> (String, Labels, f64) {
    let name: String = line.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    assert!(!name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()), "{line}");
    let (mut rest, mut labels) = (&line[name.len()..], Labels::new());
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        while !rest.starts_with('}') {
            let (key, after) = rest.split_once("=\"").expect(line);
            assert!(key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{line}");
            let (value, after) = quoted(after, line);
            assert!(labels.insert(key.to_owned(), value).is_none(), "{key} twice: {line}");
            rest = after.strip_prefix(',').unwrap_or(after);
            assert!(after.starts_with([',', '}']), "{line}");
        }
        rest = &rest[1..];
    }
    let value = rest.strip_prefix(' ').expect(line);
    (name, labels, value.parse().expect(line))
}

/// The value up to its closing quote, with `\\`, `\"` and `\n` resolved; and what follows.
#[track_caller]
fn quoted<'a>(text: &'a str, line: &str) -> (String, &'a str) {
    let (mut value, mut chars) = (String::new(), text.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => match chars.next() {
                Some((_, c @ ('"' | '\\'))) => value.push(c),
                Some((_, 'n')) => value.push('\n'),
                other => panic!("an escape that means nothing, {other:?}: {line}"),
            },
            c => value.push(c),
        }
    }
    panic!("a value without its end: {line}");
}
