//! A request's `Accept-Language` and `?lang=` → the language of the answer (RFC 9110, 12.5.4). Pure. What is asked for and not spoken is no
//! error: then it is English.

use crate::diagnosis::Lang;

/// What the answer is to be in. `asked`: the value of `?lang=`, which wins where it names a language of ours.
pub fn negotiate(asked: Option<&str>, accepted: &str) -> Lang {
    asked.and_then(|tag| tag.parse().ok()).unwrap_or_else(|| preferred(accepted))
}

/// The language with the highest quality; of two with the same, the one that was named first.
fn preferred(accepted: &str) -> Lang {
    let ranges: Vec<(&str, u16)> = accepted.split(',').filter_map(range).collect();
    let wanted = |lang: Lang| {
        // The best of those that name it, else `*`.
        let named = ranges.iter().enumerate().filter(|(_, (tag, _))| tag.parse() == Ok(lang));
        let named = named.max_by_key(|(place, (_, quality))| (*quality, std::cmp::Reverse(*place)));
        named
            .or_else(|| ranges.iter().enumerate().find(|(_, (tag, _))| *tag == "*"))
            .map(|(place, (_, quality))| (*quality, std::cmp::Reverse(place)))
    };
    let best = Lang::ALL.iter().rev().filter_map(|&lang| Some((wanted(lang).filter(|(quality, _)| *quality > 0)?, lang)));
    best.max_by_key(|(wanted, _)| *wanted).map(|(_, lang)| lang).unwrap_or_default()
}

/// `pt-BR;q=0.8` → the tag and its quality in thousandths. `None`: that is no range.
fn range(text: &str) -> Option<(&str, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let tag = parts.next().filter(|tag| !tag.is_empty())?;
    let quality = match parts.next() {
        None => 1000,
        Some(weight) => quality(weight.strip_prefix(['q', 'Q'])?.trim_start().strip_prefix('=')?.trim_start())?,
    };
    Some((tag, quality))
}

/// `0` to `1`, with at most three decimals.
fn quality(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", thousandths) => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_highest_quality_wins() {
        let table = [
            ("", Lang::En),
            ("pt-BR", Lang::PtBr),
            ("pt-BR,pt;q=0.9,en-US;q=0.8,en;q=0.7", Lang::PtBr),
            ("en-US,en;q=0.9,pt;q=0.8", Lang::En),
            ("en;q=0.5, pt-PT;q=0.6", Lang::PtBr),
            ("fr, de;q=0.9", Lang::En),
            ("fr, pt;q=0.1", Lang::PtBr),
            ("PT_br ; Q = 0.3", Lang::PtBr),
            ("en;q=0, *", Lang::PtBr),
            ("en;q=0, *;q=0.5", Lang::PtBr),
            ("pt;q=0, *", Lang::En),
            ("*", Lang::En),
            ("*;q=0", Lang::En),
            ("pt;q=0.5,en;q=0.5", Lang::PtBr),
            ("en;q=0.5,pt;q=0.5", Lang::En),
            ("pt;q=0.1,en-GB;q=0.2,pt-BR;q=0.3", Lang::PtBr),
            ("pt;q=1.001, en;q=0.1", Lang::En),
            ("pt;q=0.1234, en;q=0.001", Lang::En),
            ("pt;level=1, en;q=0.1", Lang::En),
            (",,;q=1,pt", Lang::PtBr),
        ];
        for (accepted, lang) in table {
            assert_eq!(negotiate(None, accepted), lang, "{accepted}");
        }
    }

    #[test]
    fn what_the_address_asks_for_comes_first() {
        assert_eq!(negotiate(Some("pt-BR"), "en"), Lang::PtBr);
        assert_eq!(negotiate(Some("en"), "pt-BR"), Lang::En);
        assert_eq!(negotiate(Some("xx"), "pt-BR"), Lang::PtBr, "what it does not speak counts as not said");
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_one_of_both(accepted in "([a-z*]{0,3}(-[A-Z]{2})?(;q=[0-9.]{0,6})?,?){0,8}|.{0,40}") {
            prop_assert!(Lang::ALL.contains(&negotiate(None, &accepted)));
        }
    }
}
