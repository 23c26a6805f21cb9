//! The text of an env file → names, values and their lines. Pure. Front ends are built by Node.js, whose `dotenv` and `dotenv-expand` have
//! their own mind (ran with those that Next.js 16 brings); Compose reads the file beside it in its own way. A line that they pass over is
//! told, not lost.

use std::collections::BTreeMap;

use super::variables::{self, Unfilled};

/// What an env file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Env {
    said: Vec<Said>,
    /// Lines that say nothing, with the reason.
    pub unread: Vec<(u32, &'static str)>,
}

/// One variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// Its name.
    pub name: String,
    /// Its value, filled in.
    pub value: String,
    /// Where it stands, from 1.
    pub line: u32,
}

impl Env {
    /// Reads the whole text as a front end's tools do. `outside` gives the environment's own variables, which win wherever one is used.
    pub(super) fn of_node(text: &str, outside: &dyn Fn(&str) -> Option<String>) -> Self {
        let (entries, unread) = entries(text, Dialect::Node);
        let raw: BTreeMap<&str, &str> = entries.iter().map(|entry| (entry.name.as_str(), entry.value.as_str())).collect();
        let mut env = Env { said: Vec::new(), unread };
        let mut work = 0;
        env.fill(&entries, |_, entry| expanded(&entry.value, &raw, outside, &mut work));
        env
    }

    /// Reads it as Compose does. `outside` gives variables that the file uses and does not set.
    pub(super) fn of_compose(text: &str, outside: &dyn Fn(&str) -> Option<String>) -> Self {
        let (entries, unread) = entries(text, Dialect::Compose);
        let mut env = Env { said: Vec::new(), unread };
        env.fill(&entries, |env, entry| {
            let lookup = |name: &str| env.get(name).map(|said| said.value.clone()).or_else(|| outside(name));
            if entry.quote == Some('\'') { Ok(entry.value.clone()) } else { variables::filled(&entry.value, &lookup) }
        });
        env
    }

    fn fill(&mut self, entries: &[Entry], mut filled: impl FnMut(&Self, &Entry) -> Result<String, Unfilled>) {
        let mut held = 0;
        for entry in entries {
            let line = entry.line;
            match filled(self, entry) {
                Ok(value) if held + value.len() <= MOST => {
                    held += value.len();
                    self.said.push(Said { name: entry.name.clone(), value, line });
                }
                Ok(_) | Err(Unfilled::TooLong) => self.unread.push((line, "variables that hold each other without end")),
                Err(Unfilled::Open) => self.unread.push((line, "a `${` is never closed")),
                Err(Unfilled::Demanded { .. }) => self.unread.push((line, "a variable that it demands is not set")),
            }
        }
        self.unread.sort_unstable();
    }

    /// All that was said, in its order.
    pub(super) fn said(&self) -> &[Said] {
        &self.said
    }

    /// What was said of `name`; of two lines the last counts.
    pub(super) fn get(&self, name: &str) -> Option<&Said> {
        self.said.iter().rev().find(|said| said.name == name)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Node,
    Compose,
}

/// A line that says something, nothing in it filled in yet.
struct Entry {
    name: String,
    value: String,
    /// In which quotes it stood.
    quote: Option<char>,
    line: u32,
}

fn entries(text: &str, dialect: Dialect) -> (Vec<Entry>, Vec<(u32, &'static str)>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    let (mut entries, mut unread) = (Vec::new(), Vec::new());
    let mut reader = Reader { rest: &text, line: 1, dialect };
    while let Some((line, entry)) = reader.entry() {
        match entry {
            Ok(entry) => entries.push(entry),
            Err(reason) => unread.push((line, reason)),
        }
    }
    (entries, unread)
}

struct Reader<'t> {
    rest: &'t str,
    line: u32,
    dialect: Dialect,
}

impl Reader<'_> {
    /// The next line that is meant to say something, and what it says.
    fn entry(&mut self) -> Option<(u32, Result<Entry, &'static str>)> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let line = self.line;
            let whole = self.rest.split('\n').next().unwrap_or_default();
            let text = whole.trim();
            if text.is_empty() || text.starts_with('#') {
                self.skip_line();
                continue;
            }
            let text = text.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).map_or(text, str::trim_start);
            let is_name = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
            let (name, after) = text.split_at(text.find(|letter| !is_name(letter)).unwrap_or(text.len()));
            // `NAME: value` is taken, too, as long as there is something between them.
            let value =
                after.trim_start().strip_prefix('=').or_else(|| after.strip_prefix(':').filter(|rest| rest.starts_with([' ', '\t'])));
            let Some(value) = value.filter(|_| !name.is_empty()) else {
                self.skip_line();
                let reason = if text.contains('=') { "what stands before `=` is no name of a variable" } else { "it has no `=`" };
                return Some((line, Err(reason)));
            };
            // `value` ends where the line does, but for blanks.
            let (name, start) = (name.to_owned(), whole.trim_end().len() - value.len());
            self.rest = &self.rest[start..];
            let (value, quote) = self.value();
            return Some((line, Ok(Entry { name, value, quote, line })));
        }
    }

    /// What follows the `=`, to the end of its line, or to the closing quote some lines below.
    fn value(&mut self) -> (String, Option<char>) {
        let line = self.rest.split('\n').next().unwrap_or_default();
        let start = line.trim_start();
        let is_quote = |letter: &char| matches!(letter, '\'' | '"') || (*letter == '`' && self.dialect == Dialect::Node);
        // For Node.js the quote may open some lines below.
        let before = if self.dialect == Dialect::Node && start.is_empty() { self.rest } else { line };
        let opening = before.trim_start();
        let quote = opening.chars().next().filter(is_quote);
        if let Some(quote) = quote {
            let opened = before.len() - opening.len() + 1;
            let inside = &self.rest[opened..];
            if let Some(end) = closing(inside, quote, self.dialect) {
                let value = &inside[..end];
                self.line += u32::try_from(self.rest[..opened + end].matches('\n').count()).unwrap_or(u32::MAX);
                self.rest = &inside[end..];
                self.skip_line();
                return (if quote == '"' { self.unescaped(value) } else { value.to_owned() }, Some(quote));
            }
        }
        let comment = match self.dialect {
            Dialect::Node => start.find('#'),
            Dialect::Compose => start.find(" #"),
        };
        let value = start[..comment.unwrap_or(start.len())].trim();
        // Quotes with more of their kind between them are stripped all the same.
        let bare = quote.and_then(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
        let value = match quote {
            Some('"') => self.unescaped(bare.unwrap_or(value)),
            _ => bare.unwrap_or(value).to_owned(),
        };
        self.skip_line();
        (value, None)
    }

    /// Between double quotes `\n` and `\r` are line ends; Compose has a backslash hide a quote, too.
    fn unescaped(&self, text: &str) -> String {
        let text = text.replace("\\n", "\n").replace("\\r", "\r");
        if self.dialect == Dialect::Compose { text.replace("\\\"", "\"") } else { text }
    }

    fn skip_line(&mut self) {
        self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
        self.line += 1;
    }
}

/// Where the quote ends that was opened before `text`: at the first that no backslash hides, else at the last that one does. For Node.js
/// nothing but a comment may come behind it.
fn closing(text: &str, quote: char, dialect: Dialect) -> Option<usize> {
    let ends = |at: &usize| {
        let rest = text[at + 1..].split('\n').next().unwrap_or_default().trim_start();
        dialect == Dialect::Compose || rest.is_empty() || rest.starts_with('#')
    };
    let mut hidden = None;
    for (at, _) in text.match_indices(quote) {
        if !text[..at].ends_with('\\') {
            return Some(at).filter(ends).or(hidden);
        }
        hidden = Some(at).filter(ends).or(hidden);
    }
    hidden
}

/// As dotenv-expand has it: by the last `$`, again and again, whatever the quotes; a default wins over what the file itself says. `work`: how
/// many bytes were gone over so far.
fn expanded(
    value: &str,
    raw: &BTreeMap<&str, &str>,
    outside: &dyn Fn(&str) -> Option<String>,
    work: &mut usize,
) -> Result<String, Unfilled> {
    let mut value = value.to_owned();
    let most = (*work + MOST).min(MOST_WORK);
    loop {
        *work += value.len() + STEP;
        if *work > most {
            return Err(Unfilled::TooLong);
        }
        let Some(at) = value.rmatch_indices('$').map(|(at, _)| at).find(|at| !value[..*at].ends_with('\\')) else {
            return Ok(value.replace("\\$", "$"));
        };
        let after = &value[at + 1..];
        let inside = after.strip_prefix('{').unwrap_or(after);
        let name = &inside[..inside.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(inside.len())];
        if name.is_empty() {
            return Ok(value.replace("\\$", "$"));
        }
        let rest = &inside[name.len()..];
        let default = rest.strip_prefix(":-").map(|rest| &rest[..rest.find(['}', '\\']).unwrap_or(rest.len())]);
        let rest = default.map_or(rest, |default| &rest[2 + default.len()..]);
        let end = value.len() - rest.strip_prefix('}').unwrap_or(rest).len();
        let default = default.filter(|default| !default.is_empty()).map(str::to_owned);
        let found = outside(name).filter(|value| !value.is_empty()).or(default);
        let found = found.or_else(|| raw.get(name).map(|value| (*value).to_owned())).unwrap_or_default();
        // The first that is written so, not this one.
        value = value.replacen(&value[at..end], &found, 1);
    }
}

/// Variables can hold each other, and long ones many times.
const MOST_WORK: usize = 16 * MOST;
/// What a step costs beside the bytes.
const STEP: usize = 512;
/// Of all values, in bytes: four times what the longest file holds.
const MOST: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn outside(name: &str) -> Option<String> {
        (name == "OUTSIDE").then(|| "there".to_owned())
    }

    fn said(env: &Env) -> Vec<(&str, &str, u32)> {
        env.said().iter().map(|said| (said.name.as_str(), said.value.as_str(), said.line)).collect()
    }

    #[test]
    fn lines_are_counted_over_quotes_that_hold_some() {
        let text = "# the softphone\nexport A=1\nB = two words # a comment\n\nC=\"one\r\n\r\ntwo\" # c\r\nD: 4\rE=\nF=${A}${NONE:-x}\n";
        let expected = [("A", "1", 2), ("B", "two words", 3), ("C", "one\n\ntwo", 5), ("D", "4", 8), ("E", "", 9), ("F", "1x", 10)];
        assert_eq!(said(&Env::of_node(text, &outside)), expected);
        assert_eq!(said(&Env::of_compose(text, &outside)), expected);
    }

    #[test]
    fn compose_has_a_mind_of_its_own() {
        for (text, node, compose) in [
            ("A='${OUTSIDE}'\n", "there", "${OUTSIDE}"),
            ("A=x#y\n", "x", "x#y"),
            ("A=\"x\\\"y\"\n", "x\\\"y", "x\"y"),
            ("A=${NONE-x}\n", "-x}", "x"),
            ("A=p$$w\n", "p$", "p$w"),
            ("A='x' tail\n", "'x' tail", "x"),
            ("A=`x`\n", "x", "`x`"),
        ] {
            let value = |env: &Env| env.get("A").map(|said| said.value.clone());
            assert_eq!(value(&Env::of_node(text, &outside)).as_deref(), Some(node), "{text}");
            assert_eq!(value(&Env::of_compose(text, &outside)).as_deref(), Some(compose), "{text}");
        }
    }

    #[test]
    fn the_last_line_of_a_name_counts_and_what_says_nothing_is_told() {
        let env = Env::of_compose("A=1\nA=2\njust words\n=x\nb c=1\nD=${\nE=\"open\n", &|_| None);
        assert_eq!(env.get("A").map(|said| (said.value.as_str(), said.line)), Some(("2", 2)));
        assert_eq!(env.unread.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 4, 5, 6]);
        assert_eq!(env.get("E").map(|said| said.value.as_str()), Some("\"open"));
    }

    #[test]
    fn variables_that_hold_each_other_end() {
        let doubles = (0..64).fold("A0=xxxxxxxx\n".to_owned(), |text, n| format!("{text}A{}=$A{n}$A{n}\n", n + 1));
        let long = format!("A={}\n{}", "x".repeat(60_000), "B=$A\n".repeat(1000));
        for text in [&doubles, &long, "A=$A\n", "A=$B\nB=$A\n", "A=1\nA=${A}2\n"] {
            for env in [Env::of_node(text, &|_| None), Env::of_compose(text, &|_| None)] {
                assert!(env.said.iter().map(|said| said.value.len()).sum::<usize>() <= MOST);
            }
            assert!(!Env::of_node(text, &|_| None).unread.is_empty(), "{text}");
        }
    }
}
