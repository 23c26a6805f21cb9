//! Which of the sections of one name is meant: `[name](+…)` and templates. What enters is the text behind the `+`; what leaves is
//! whether a section is taken.

use super::{
    conf::{Conf, SectionData},
    lines::strip,
    read::Keep,
};

/// What stands behind the `+` of `(+name=value&name=value)`. Asterisk takes each side for a regular expression; here `^` and `$` at the
/// ends are honoured and the rest is compared as text, which is what such filters are.
pub(super) struct Filter<'f> {
    templates: Templates,
    pairs: Vec<(&'f [u8], &'f [u8])>,
    never: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Templates {
    No,
    Too,
    Only,
}

impl<'f> Filter<'f> {
    pub(super) fn with_templates() -> Self {
        Filter { templates: Templates::Too, pairs: Vec::new(), never: false }
    }

    pub(super) fn parse(text: &'f [u8], keep: Keep) -> Self {
        let mut filter = Filter { templates: Templates::No, pairs: Vec::new(), never: false };
        for pair in text.split(|byte| *byte == b'&').filter(|_| !text.is_empty()) {
            let Some(equals) = position(pair, b'=') else {
                filter.never = true;
                continue;
            };
            let (name, value) = (strip(&pair[..equals]), strip(&pair[equals + 1..]));
            if name == b"TEMPLATES" {
                match value.to_ascii_lowercase().as_slice() {
                    b"include" => filter.templates = Templates::Too,
                    b"restrict" => filter.templates = Templates::Only,
                    _ => filter.never = true,
                }
            } else if keep(name) {
                filter.pairs.push((name, value));
            }
        }
        filter
    }

    pub(super) fn cost(&self, section: &SectionData) -> usize {
        self.pairs.len() * section.entries.length as usize
    }

    pub(super) fn takes(&self, conf: &Conf, section: &SectionData) -> bool {
        let template = match self.templates {
            Templates::No => !section.template,
            Templates::Too => true,
            Templates::Only => section.template,
        };
        template
            && !self.never
            && self.pairs.iter().all(|(name, value)| {
                section
                    .entries
                    .of(&conf.entries)
                    .any(|entry| loosely(name, conf.bytes(entry.name)) && loosely(value, conf.bytes(entry.value)))
            })
    }
}

fn loosely(pattern: &[u8], text: &[u8]) -> bool {
    let (pattern, from_start) = pattern.strip_prefix(b"^").map_or((pattern, false), |rest| (rest, true));
    let (pattern, to_end) = pattern.strip_suffix(b"$").map_or((pattern, false), |rest| (rest, true));
    match (from_start, to_end) {
        (true, true) => text == pattern,
        (true, false) => text.starts_with(pattern),
        (false, true) => text.ends_with(pattern),
        (false, false) => pattern.is_empty() || text.windows(pattern.len()).any(|window| window == pattern),
    }
}

fn position(text: &[u8], byte: u8) -> Option<usize> {
    text.iter().position(|b| *b == byte)
}
