//! An endpoint or an address of record, whether it has a section of its own in pjsip.conf or is one of those that a section of pjsip_wizard.conf
//! stands for (res/res_pjsip_config_wizard.c). Pure.

use std::borrow::Cow;

use super::super::{
    conf::{Entry, Origin, Section},
    value,
};

/// One object, and its options under the names that pjsip.conf has for them.
#[derive(Clone, Copy)]
pub(super) struct Object<'c> {
    section: Section<'c>,
    /// What stands before its options: nothing, or `endpoint/`.
    prefix: &'static str,
}

impl<'c> Object<'c> {
    pub(super) fn own(section: Section<'c>) -> Self {
        Object { section, prefix: "" }
    }

    /// `prefix`: `endpoint/` or `aor/`.
    pub(super) fn of_wizard(section: Section<'c>, prefix: &'static str) -> Self {
        Object { section, prefix }
    }

    pub(super) fn is_of_wizard(&self) -> bool {
        !self.prefix.is_empty()
    }

    pub(super) fn name(&self) -> Cow<'c, str> {
        self.section.name()
    }

    pub(super) fn name_bytes(&self) -> &'c [u8] {
        self.section.name_bytes()
    }

    pub(super) fn origin(&self) -> Origin {
        self.section.origin()
    }

    /// Those that one of these names has, in the order of the file.
    pub(super) fn entries(&self, names: [&'static str; 2]) -> impl Iterator<Item = (&'static str, Entry<'c>)> + use<'c> {
        let prefix = self.prefix;
        self.section.entries().filter_map(move |entry| names.into_iter().find(|name| is(&entry, prefix, name)).map(|name| (name, entry)))
    }

    /// The last of this name, which counts.
    pub(super) fn last(&self, name: &str) -> Option<Entry<'c>> {
        self.section.entries().filter(|entry| is(entry, self.prefix, name)).last()
    }

    /// The last of this name, where it says anything.
    pub(super) fn said(&self, name: &str) -> Option<Entry<'c>> {
        self.last(name).filter(|entry| !entry.value_bytes().is_empty())
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.last(name).is_some_and(|entry| value::truth(&entry.value()))
    }

    /// An option of the wizard itself.
    pub(super) fn wizard(&self, name: &str) -> Option<Entry<'c>> {
        self.section.last(name).filter(|entry| !entry.value_bytes().is_empty())
    }

    /// Whether the wizard says yes to it.
    pub(super) fn wizard_does(&self, name: &str) -> bool {
        self.wizard(name).is_some_and(|entry| value::truth(&entry.value()))
    }

    /// What stands before its options, so that they can be pasted.
    pub(super) fn prefix(&self) -> &'static str {
        self.prefix
    }
}

fn is(entry: &Entry<'_>, prefix: &str, name: &str) -> bool {
    let bytes = entry.name_bytes();
    bytes.len() == prefix.len() + name.len()
        && bytes.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
        && bytes.get(prefix.len()..).is_some_and(|rest| rest.eq_ignore_ascii_case(name.as_bytes()))
}
