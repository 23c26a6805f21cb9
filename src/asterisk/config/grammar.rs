//! One line without its comments → what it adds to the configuration: a section with its templates, a directive, or a setting. Refuses
//! what Asterisk refuses (`process_text_line`), each with its [`Reason`]; whether that costs the line or the file is Asterisk's choice.

use std::collections::hash_map::Entry;

use memchr::memchr;
use zeroize::Zeroizing;

use super::{
    conf::{Chain, EntryData, Place, Reason, SectionData, Span},
    filter::Filter,
    lines::strip,
    read::{GO_ON, MOST_ENTRIES, MOST_WORK, Reader, Repeated, Step},
};

/// Of names that are looked for among those that were met.
const MOST_REPEATED: usize = 48;
/// What Asterisk keeps of a section's name.
const LONGEST_SECTION_NAME: usize = 79;

impl Reader<'_> {
    pub(super) fn line(&mut self, text: &[u8], place: Place, section: &mut Option<usize>) -> Step {
        match text.first() {
            Some(b'[') => self.header(&text[1..], place, section),
            Some(b'#') => self.directive(&text[1..], place),
            Some(_) | None => self.setting(text, place, *section),
        }
    }

    /// `name](options)`
    fn header(&mut self, text: &[u8], place: Place, section: &mut Option<usize>) -> Step {
        let Some(end) = memchr(b']', text) else { return self.give_up(place, Reason::NoClosingBracket) };
        let name = &text[..end];
        // Anything but a parenthesis right behind the bracket is not looked at, a blank before it included.
        let options = match text.get(end + 1) {
            Some(b'(') => {
                let options = &text[end + 2..];
                let Some(end) = memchr(b')', options) else { return self.give_up(place, Reason::NoClosingParenthesis) };
                Some(&options[..end])
            }
            Some(_) | None => None,
        };
        let kept = self.keep_text(&name[..name.len().min(LONGEST_SECTION_NAME)]);
        let mut fresh = Some(SectionData { name: kept, template: false, place, entries: Chain::default(), next: None });
        let mut target = None;
        for option in options.into_iter().flat_map(|options| options.split(|byte| *byte == b',')) {
            if option == b"!" {
                match (&mut fresh, target) {
                    (Some(fresh), _) => fresh.template = true,
                    (None, Some(target)) => self.section_mut(target).template = true,
                    (None, None) => {}
                }
            } else if let Some(filter) = option.strip_prefix(b"+") {
                let Some(found) = self.lookup(name, &Filter::parse(filter, self.keep)) else {
                    self.lacks(place, Reason::AppendMissing(lossy(name)))?;
                    continue;
                };
                target = Some(found);
                if let Some(fresh) = fresh.take() {
                    self.current = Some(found);
                    let existing = &mut self.conf.sections[found];
                    existing.template |= fresh.template;
                    existing.entries.append(&mut self.conf.entries, fresh.entries);
                }
            } else {
                let Some(base) = self.lookup(option, &Filter::with_templates()) else {
                    self.lacks(place, Reason::TemplateMissing(lossy(option)))?;
                    continue;
                };
                let inherited = self.conf.sections[base].entries;
                self.work += inherited.length as usize;
                match (&mut fresh, target) {
                    (Some(fresh), _) => fresh.entries.inherit(&mut self.conf.entries, inherited),
                    (None, Some(target)) => self.conf.sections[target].entries.inherit(&mut self.conf.entries, inherited),
                    (None, None) => {}
                }
                if self.conf.entries.len() > MOST_ENTRIES {
                    return GO_ON;
                }
            }
        }
        *section = match fresh {
            Some(fresh) => {
                self.current = Some(self.append(fresh));
                self.current
            }
            None => target,
        };
        GO_ON
    }

    fn section_mut(&mut self, index: usize) -> &mut SectionData {
        &mut self.conf.sections[index]
    }

    fn append(&mut self, fresh: SectionData) -> usize {
        self.conf.sections.push(fresh);
        self.conf.sections.len() - 1
    }

    /// Puts the sections that came since where they are found by name.
    fn index(&mut self) {
        for index in self.indexed..self.conf.sections.len() {
            let number = u32::try_from(index).unwrap_or(u32::MAX);
            match self.by_name.entry(digest(self.conf.bytes(self.conf.sections[index].name))) {
                Entry::Occupied(mut entry) => {
                    let last = std::mem::replace(&mut entry.get_mut().1, number);
                    self.conf.sections[last as usize].next = Some(number);
                }
                Entry::Vacant(entry) => {
                    entry.insert((number, number));
                }
            }
        }
        self.indexed = self.conf.sections.len();
    }

    /// The first section of this name that the filter takes. An empty name is any name, as in `[b]()`.
    fn lookup(&mut self, name: &[u8], filter: &Filter<'_>) -> Option<usize> {
        let mut next = if name.is_empty() {
            (!self.conf.sections.is_empty()).then_some(0)
        } else {
            self.index();
            self.by_name.get(&digest(name)).map(|(first, _)| *first as usize)
        };
        while let Some(index) = next {
            let section = &self.conf.sections[index];
            self.work += 1 + filter.cost(section);
            let named = name.is_empty() || self.conf.bytes(section.name).eq_ignore_ascii_case(name);
            if named && filter.takes(&self.conf, section) {
                return Some(index);
            }
            if self.work > MOST_WORK {
                return None;
            }
            next = if name.is_empty() {
                (index + 1 < self.conf.sections.len()).then_some(index + 1)
            } else {
                section.next.map(|next| next as usize)
            };
        }
        None
    }

    fn directive(&mut self, text: &[u8], place: Place) -> Step {
        let end = text.iter().position(|byte| !(33..128).contains(byte)).unwrap_or(text.len());
        let argument = strip(text.get(end + 1..).unwrap_or_default());
        let (required, exec) = match text[..end].to_ascii_lowercase().as_slice() {
            b"include" => (true, false),
            b"tryinclude" => (false, false),
            b"exec" => (false, true),
            _ => return self.ignore(place, Reason::UnknownDirective),
        };
        if exec {
            return self.exec(place);
        }
        if argument.is_empty() {
            return self.ignore(place, Reason::DirectiveWithoutArgument);
        }
        self.include(unquote(argument), required, place)
    }

    fn setting(&mut self, text: &[u8], place: Place, section: Option<usize>) -> Step {
        let Some(section) = section else { return self.give_up(place, Reason::NoSection) };
        let (text, escaped) = match text {
            [b'\\', rest @ ..] if rest.first().is_none_or(|byte| *byte < 33 || *byte > 127) => {
                return self.give_up(place, Reason::BadEscape);
            }
            [b'\\', rest @ ..] => (rest, 1),
            text => (text, 0),
        };
        let Some(equals) = text.get(escaped..).and_then(|rest| memchr(b'=', rest)).map(|at| at + escaped) else {
            return self.ignore(place, Reason::NoEquals);
        };
        let adds = equals > escaped && text[equals - 1] == b'+';
        let name = strip(&text[..equals - usize::from(adds)]);
        let value = &text[equals + 1..];
        if adds && (self.keep)(name) && self.extend_last(section, name, value) {
            return GO_ON;
        }
        if name.is_empty() {
            return self.ignore(place, Reason::NoName);
        }
        let value = match value {
            [b'>', rest @ ..] if !adds => rest,
            value => value,
        };
        if let Some((name, value)) = self.keep_entry(name, value) {
            self.conf.sections[section].entries.push(&mut self.conf.entries, EntryData::new(name, value, place));
        }
        GO_ON
    }

    /// `name += value`: adds to the last entry of that name (its case counts). `false`: there is none.
    fn extend_last(&mut self, section: usize, name: &[u8], added: &[u8]) -> bool {
        let entries = self.conf.sections[section].entries;
        self.work += 2 * entries.length as usize;
        let named = entries.of(&self.conf.entries).filter(|entry| self.conf.bytes(entry.name) == name);
        let Some(old) = named.last().map(|entry| entry.value) else { return false };
        let old = self.conf.bytes(old).to_vec();
        // What is replaced is the first entry of that name with such a value, now without regard to case.
        let index = entries.places(&self.conf.entries).find(|at| {
            let entry = &self.conf.entries[*at];
            self.conf.bytes(entry.name).eq_ignore_ascii_case(name)
                && (old.is_empty() || self.conf.bytes(entry.value).eq_ignore_ascii_case(&old))
        });
        let joined = Zeroizing::new([&old, added].concat());
        self.work += joined.len() / 16;
        let value = self.keep_text(strip(&joined));
        if let Some(index) = index {
            self.conf.entries[index].value = value;
        }
        true
    }

    /// Both as they stand there, if such entries are kept; what was kept before is not kept again.
    fn keep_entry(&mut self, name: &[u8], value: &[u8]) -> Option<(Span, Span)> {
        // They come in the same order again and again.
        let (all, next) = (self.repeated.len(), self.next_repeated);
        let Some(known) = (next..all).chain(0..next.min(all)).find(|at| self.conf.bytes(self.repeated[*at].name) == name) else {
            let kept = (self.keep)(name);
            if !kept && self.repeated.len() >= MOST_REPEATED {
                return None;
            }
            let name = self.keep_text(name);
            let value = kept.then(|| self.keep_text(strip(value)));
            if self.repeated.len() < MOST_REPEATED {
                self.repeated.push(Repeated { name, value });
            }
            return value.map(|value| (name, value));
        };
        self.next_repeated = known + 1;
        let Repeated { name, value: last } = self.repeated[known];
        let value = strip(value);
        let mut last = last?;
        if self.conf.bytes(last) != value {
            last = self.keep_text(value);
            self.repeated[known].value = Some(last);
        }
        Some((name, last))
    }

    fn keep_text(&mut self, text: &[u8]) -> Span {
        let start = self.conf.text.len();
        self.conf.text.extend_from_slice(text);
        let end = self.conf.text.len();
        // The caps keep both far below 4 GiB.
        Span { start: u32::try_from(start).unwrap_or(u32::MAX), end: u32::try_from(end).unwrap_or(u32::MAX) }
    }
}

/// Of a name, which has no case (FNV-1a). Names of the same digest are told apart where they are looked up.
fn digest(name: &[u8]) -> u64 {
    let byte = |digest: u64, byte: &u8| (digest ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3);
    name.iter().fold(0xcbf2_9ce4_8422_2325, byte)
}

fn unquote(argument: &[u8]) -> &[u8] {
    match argument {
        [b'"', inner @ .., b'"'] | [b'<', inner @ .., b'>'] => inner,
        plain => plain,
    }
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
