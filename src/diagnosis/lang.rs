//! The languages that Starkeeper speaks. What enters is a language tag or the environment's locale; what leaves is one of two. A flag
//! that names another language is refused; a locale that does so just means English.

use std::str::FromStr;

/// What people read; codes, keys and JSON stay the same in all of them.
///
/// Parses `en` and `pt-BR` in any case, and locale names like `pt_BR.UTF-8`, so that clap takes it as it is (`value_parser!(Lang)`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Brazilian Portuguese.
    PtBr,
}

impl Lang {
    /// Both.
    pub const ALL: &'static [Lang] = &[Lang::En, Lang::PtBr];

    /// As `--lang` takes it: `en`, `pt-BR` (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::PtBr => "pt-BR",
        }
    }

    /// The language of the locale: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is set and not empty decides (POSIX, locale(7)).
    /// English where it is none of ours.
    pub fn from_environment(lookup: impl Fn(&str) -> Option<String>) -> Self {
        ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .filter_map(lookup)
            .find(|locale| !locale.is_empty())
            .and_then(|locale| locale.parse().ok())
            .unwrap_or_default()
    }
}

impl FromStr for Lang {
    type Err = UnknownLang;

    /// Only the language counts: who reads Portuguese of another country is better served by ours than by English.
    fn from_str(tag: &str) -> Result<Self, UnknownLang> {
        let language = tag.split(['-', '_', '.', '@']).next().unwrap_or_default();
        match language.to_ascii_lowercase().as_str() {
            "en" => Ok(Lang::En),
            "pt" => Ok(Lang::PtBr),
            _ => Err(UnknownLang(tag.to_owned())),
        }
    }
}

/// A language that Starkeeper does not speak.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no texts in `{0}`; there are `en` and `pt-BR`")]
pub struct UnknownLang(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_locale_names_are_read_in_any_case() {
        for tag in ["en", "EN", "en-US", "en_GB.UTF-8"] {
            assert_eq!(tag.parse(), Ok(Lang::En), "{tag}");
        }
        for tag in ["pt-BR", "pt-br", "PT_BR", "pt_BR.UTF-8", "pt_BR@latin", "pt", "pt_PT.UTF-8"] {
            assert_eq!(tag.parse(), Ok(Lang::PtBr), "{tag}");
        }
        for tag in ["", "fr", "C", "ptt", "english"] {
            assert_eq!(tag.parse::<Lang>(), Err(UnknownLang(tag.to_owned())), "{tag}");
        }
    }

    #[test]
    fn a_tag_parses_to_its_own_language() {
        for lang in Lang::ALL {
            assert_eq!(lang.tag().parse(), Ok(*lang));
        }
    }

    #[test]
    fn the_first_locale_variable_that_is_set_decides() {
        let table: &[(&[(&str, &str)], Lang)] = &[
            (&[], Lang::En),
            (&[("LANG", "pt_BR.UTF-8")], Lang::PtBr),
            (&[("LANG", "en_US.UTF-8"), ("LC_MESSAGES", "pt_BR.UTF-8")], Lang::PtBr),
            (&[("LC_ALL", "C.UTF-8"), ("LANG", "pt_BR.UTF-8")], Lang::En),
            (&[("LC_ALL", ""), ("LC_MESSAGES", ""), ("LANG", "pt_BR")], Lang::PtBr),
            (&[("LANG", "de_DE.UTF-8")], Lang::En),
        ];
        for (environment, expected) in table {
            let lookup = |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(Lang::from_environment(lookup), *expected, "{environment:?}");
        }
    }

    #[test]
    fn clap_takes_it_as_a_value() {
        let command = || clap::Command::new("x").arg(clap::Arg::new("lang").long("lang").value_parser(clap::value_parser!(Lang)));
        let matches = command().try_get_matches_from(["x", "--lang", "PT-br"]).unwrap();
        assert_eq!(matches.get_one::<Lang>("lang"), Some(&Lang::PtBr));
        assert!(command().try_get_matches_from(["x", "--lang", "fr"]).is_err());
    }
}
