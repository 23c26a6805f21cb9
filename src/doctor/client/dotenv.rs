//! The text of an env file → names, values and their lines, as the `dotenv` of Node.js reads it, which is what front ends are built with.
//! Pure. A line that it would pass over is told, not lost.

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
    /// Reads the whole text. `outside` gives variables that the file uses and does not set.
    pub(super) fn read(text: &str, outside: &dyn Fn(&str) -> Option<String>) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut env = Env::default();
        let mut reader = Reader { rest: text, line: 1 };
        let mut held = 0;
        while let Some((line, entry)) = reader.entry() {
            let (name, raw) = match entry {
                Ok(entry) => entry,
                Err(reason) => {
                    env.unread.push((line, reason));
                    continue;
                }
            };
            let lookup = |name: &str| env.get(name).map(|said| said.value.clone()).or_else(|| outside(name));
            let value = match raw {
                Raw::AsItIs(value) => Ok(value),
                Raw::ToFill(value) => variables::filled(&value, &lookup),
            };
            match value {
                Ok(value) if held + value.len() <= MOST => {
                    held += value.len();
                    env.said.push(Said { name, value, line });
                }
                Ok(_) | Err(Unfilled::TooLong) => env.unread.push((line, "variables that hold each other without end")),
                Err(Unfilled::Open) => env.unread.push((line, "a `${` is never closed")),
                Err(Unfilled::Demanded { .. }) => env.unread.push((line, "a variable that it demands is not set")),
            }
        }
        env
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

/// A name, and what follows it.
type Entry = (String, Raw);

enum Raw {
    AsItIs(String),
    ToFill(String),
}

struct Reader<'t> {
    rest: &'t str,
    line: u32,
}

impl<'t> Reader<'t> {
    /// The next line that is meant to say something, and what it says.
    fn entry(&mut self) -> Option<(u32, Result<Entry, &'static str>)> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let line = self.line;
            let whole = self.rest.lines().next().unwrap_or_default();
            let text = whole.trim();
            if text.is_empty() || text.starts_with('#') {
                self.skip_line();
                continue;
            }
            let text = text.strip_prefix("export ").map_or(text, str::trim_start);
            let Some((name, _)) = text.split_once('=') else {
                self.skip_line();
                return Some((line, Err("it has no `=`")));
            };
            let name = name.trim_end();
            let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
            if !named {
                self.skip_line();
                return Some((line, Err("what stands before `=` is no name of a variable")));
            }
            let after = whole.find('=').map_or(whole.len(), |at| at + 1);
            self.rest = &self.rest[after..];
            return Some((line, Ok((name.to_owned(), self.value()))));
        }
    }

    /// What follows the `=`, to the end of its line, or to the closing quote some lines below.
    fn value(&mut self) -> Raw {
        let line = self.rest.lines().next().unwrap_or_default();
        let start = line.trim_start();
        let indent = line.len() - start.len();
        if let Some(quote) = start.chars().next().filter(|letter| matches!(letter, '\'' | '"' | '`')) {
            let inside = &self.rest[indent + 1..];
            if let Some(end) = closing(inside, quote) {
                let value = &inside[..end];
                self.line += u32::try_from(value.matches('\n').count()).unwrap_or(u32::MAX);
                self.rest = &inside[end..];
                self.skip_line();
                return if quote == '"' { Raw::ToFill(unescaped(value)) } else { Raw::AsItIs(value.to_owned()) };
            }
        }
        let value = start.split('#').next().unwrap_or_default().trim();
        let value = Raw::ToFill(value.to_owned());
        self.skip_line();
        value
    }

    fn skip_line(&mut self) {
        self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
        self.line += 1;
    }
}

/// Where the quote ends that was opened before `text`.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, letter)| {
        let ends = letter == quote && !escaped;
        escaped = letter == '\\' && !escaped;
        ends.then_some(at)
    })
}

/// Between double quotes `\n` and `\r` are line ends, and a backslash hides a quote.
fn unescaped(text: &str) -> String {
    text.replace("\\n", "\n").replace("\\r", "\r").replace("\\\"", "\"")
}

/// Of all values, in bytes: four times what the longest file holds.
const MOST: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(String, String, u32)> {
        let env = Env::read(text, &|name| (name == "OUTSIDE").then(|| "there".to_owned()));
        env.said.into_iter().map(|said| (said.name, said.value, said.line)).collect()
    }

    #[test]
    fn an_env_file_is_read_as_the_front_end_reads_it() {
        let text = "# the softphone\nexport A=1\nB = two words # a comment\n\nC='$A #raw'\nD=\"$A and ${OUTSIDE}\\nnext\" # c\nE=\nF=${A}${NONE:-x}\n";
        let said = |name: &str, value: &str, line| (name.to_owned(), value.to_owned(), line);
        assert_eq!(
            values(text),
            [
                said("A", "1", 2),
                said("B", "two words", 3),
                said("C", "$A #raw", 5),
                said("D", "1 and there\nnext", 6),
                said("E", "", 7),
                said("F", "1x", 8),
            ]
        );
    }

    #[test]
    fn a_quoted_value_goes_on_over_lines_and_lines_are_counted() {
        let said = values("A=\"one\ntwo\"\r\nB=3\r\n");
        assert_eq!(said[0], ("A".to_owned(), "one\ntwo".to_owned(), 1));
        assert_eq!(said[1], ("B".to_owned(), "3".to_owned(), 3));
    }

    #[test]
    fn the_last_line_of_a_name_counts_and_what_says_nothing_is_told() {
        let env = Env::read("A=1\nA=2\njust words\n=x\nb c=1\nD=${\nE=\"open\n", &|_| None);
        assert_eq!(env.get("A").map(|said| (said.value.as_str(), said.line)), Some(("2", 2)));
        assert_eq!(env.unread.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 4, 5, 6]);
        assert_eq!(env.get("E").map(|said| said.value.as_str()), Some("\"open"));
    }

    #[test]
    fn variables_that_double_each_other_end() {
        let text = (0..64).fold("A0=xxxxxxxx\n".to_owned(), |text, n| format!("{text}A{}=$A{n}$A{n}\n", n + 1));
        let env = Env::read(&text, &|_| None);
        assert!(!env.unread.is_empty());
        let text = format!("A={}\n{}", "x".repeat(60_000), "B=$A\n".repeat(1000));
        let env = Env::read(&text, &|_| None);
        assert!(env.said.iter().map(|said| said.value.len()).sum::<usize>() <= MOST);
        assert_eq!((env.said.len(), env.unread.len()), (17, 984));
    }
}
