//! Moments, spans and aligned rows, as `check`, `inspect` and `reload` show them alike. Pure.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;

pub(super) use crate::report::words::{age, ago, moment};
use crate::{
    bundle::Leaf,
    diagnosis::{Lang, texts::printable},
};

/// `text` in `style`.
pub(super) fn paint(text: &str, style: Style) -> String {
    format!("{style}{text}{style:#}")
}

/// A name and its value, aligned with the other rows of that width.
pub(super) fn row(out: &mut String, width: usize, name: &str, value: &str) {
    let name = format!("{name:<width$}");
    // Writing to a String does not fail.
    let _ = writeln!(out, "{}  {value}", paint(&name, Style::new().dimmed()));
}

/// `until 2027-02-21T01:14:05Z (in 89 days)`, red and yellow as the end comes near.
pub(super) fn until(end: Timestamp, now: Option<Timestamp>, lang: Lang) -> String {
    let Some(now) = now else { return moment(end) };
    let (until, ago) = (matches!(lang, Lang::En).then_some("until").unwrap_or("até"), end <= now);
    let span = match (lang, ago) {
        (Lang::En, false) => format!("in {}", age(end, now, lang)),
        (Lang::En, true) => format!("{} ago", age(now, end, lang)),
        (Lang::PtBr, false) => format!("daqui a {}", age(end, now, lang)),
        (Lang::PtBr, true) => format!("há {}", age(now, end, lang)),
    };
    let span = if ago { paint(&span, AnsiColor::Red.on_default()) } else { span };
    format!("{until} {} ({span})", moment(end))
}

/// What a leaf says of itself.
pub(super) fn leaf(leaf: &Leaf, now: Timestamp, lang: Lang) -> String {
    let say = |en: &'static str, pt: &'static str| match lang {
        Lang::En => en,
        Lang::PtBr => pt,
    };
    let mut out = String::new();
    row(&mut out, NAMES, say("subject", "titular"), &printable(&leaf.subject));
    row(&mut out, NAMES, say("issuer", "emissor"), &printable(&leaf.issuer));
    row(&mut out, NAMES, say("names", "nomes"), &printable(&leaf.names.join(", ")));
    row(&mut out, NAMES, say("valid", "validade"), &format!("{} {}", say("from", "de"), moment(leaf.not_before)));
    row(&mut out, NAMES, "", &until(leaf.not_after, Some(now), lang));
    row(&mut out, NAMES, say("key", "chave"), &leaf.key_algorithm);
    row(&mut out, NAMES, "SHA-256", &leaf.fingerprint_sha256.to_string());
    out
}

/// The widest name of a row: `rotations`.
pub(super) const NAMES: usize = 9;

/// Writes a line of words and their styles, broken before `columns`; what follows a break begins with `indent` spaces. A word that is longer than a
/// line stays whole, and so do the gaps between words.
pub(super) fn wrap(out: &mut String, line: &str, column: usize, indent: usize, columns: usize) {
    let (mut column, mut rest, mut gap) = (column, line.trim_end_matches(' '), 0);
    let mut fresh = true;
    while !rest.is_empty() {
        let spaces = rest.len() - rest.trim_start_matches(' ').len();
        if spaces > 0 {
            gap = spaces;
            rest = &rest[spaces..];
            continue;
        }
        let word = &rest[..rest.find(' ').unwrap_or(rest.len())];
        let wide = visible(word);
        if !fresh && column > indent && column + gap + wide > columns {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else {
            out.push_str(&" ".repeat(gap));
            column += gap;
        }
        out.push_str(word);
        column += wide;
        (rest, gap, fresh) = (&rest[word.len()..], 0, false);
    }
    out.push('\n');
}

/// How many characters of it are seen: all but its styles.
fn visible(word: &str) -> usize {
    anstream::adapter::strip_str(word).map(|part| part.chars().count()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_where_they_may_be_and_styles_take_no_room() {
        let wrapped = |line: &str, columns| {
            let mut out = String::new();
            wrap(&mut out, line, 0, 2, columns);
            out
        };
        assert_eq!(wrapped("one  two three", 20), "one  two three\n");
        assert_eq!(wrapped("one  two three", 9), "one  two\n  three\n");
        assert_eq!(wrapped("one a-very-long-word", 9), "one\n  a-very-long-word\n");
        assert_eq!(wrapped("", 9), "\n");
        let red = AnsiColor::Red.on_default();
        assert_eq!(wrapped(&format!("one {}", paint("two", red)), 7), format!("one {}\n", paint("two", red)));
    }
}
