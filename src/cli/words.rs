//! Moments, spans and aligned rows, as `check`, `inspect` and `reload` show them alike. Pure.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;

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

/// To the second, which is as fine as a certificate's dates are.
pub(super) fn moment(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
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

/// From the one to the other, in the largest unit that says enough.
pub(super) fn age(later: Timestamp, earlier: Timestamp, lang: Lang) -> String {
    let seconds = later.as_second().saturating_sub(earlier.as_second()).max(0);
    let days = match lang {
        Lang::En => "days",
        Lang::PtBr => "dias",
    };
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} {days}", seconds / 86_400),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_the_unit_that_says_enough() {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let table = [
            ("2026-01-01T00:00:00Z", "0 s", "0 s"),
            ("2026-01-01T00:01:59.9Z", "119 s", "119 s"),
            ("2026-01-01T00:02:00Z", "2 min", "2 min"),
            ("2026-01-01T02:00:00Z", "2 h", "2 h"),
            ("2026-01-03T00:00:00Z", "2 days", "2 dias"),
            ("2025-12-31T00:00:00Z", "0 s", "0 s"),
        ];
        for (end, en, pt) in table {
            let end = end.parse().unwrap();
            assert_eq!([age(end, start, Lang::En), age(end, start, Lang::PtBr)], [en, pt]);
        }
    }
}
