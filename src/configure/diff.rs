//! A draft → its unified difference. As lines are only ever added, there is nothing to be compared. Meant to be shown, stored and sent
//! about: no secret is in it, and nothing that a terminal would obey.

use std::fmt::Write as _;

use super::draft::Draft;

/// Lines of context before and behind a change.
const CONTEXT: usize = 3;

pub(super) fn unified(draft: &Draft) -> String {
    let lines = draft.lines();
    let old = if draft.before.is_some() { format!("a/{}", draft.name) } else { "/dev/null".to_owned() };
    let mut out = format!("--- {old}\n+++ b/{}\n", draft.name);
    let mut added = 0;
    for hunk in hunks(draft, &lines) {
        added = hunk.write(&mut out, draft, &lines, added);
    }
    out
}

/// Lines `from..to` of the old file, counted from 0, with what is added among them.
struct Hunk {
    from: usize,
    to: usize,
}

/// Changes whose contexts touch are one hunk.
fn hunks(draft: &Draft, lines: &[&[u8]]) -> Vec<Hunk> {
    let mut hunks: Vec<Hunk> = Vec::new();
    for insertion in draft.insertions() {
        let at = insertion.after.min(lines.len());
        let before = (0..at).rev().take(CONTEXT).take_while(|index| may_be_shown(lines[*index])).count();
        let behind = (at..lines.len()).take(CONTEXT).take_while(|index| may_be_shown(lines[*index])).count();
        let (from, to) = (at - before, at + behind);
        match hunks.last_mut() {
            Some(last) if from <= last.to => last.to = last.to.max(to),
            Some(_) | None => hunks.push(Hunk { from, to }),
        }
    }
    hunks
}

impl Hunk {
    /// Appends the hunk; `added` lines were added before it. Returns how many were, with its own.
    fn write(&self, out: &mut String, draft: &Draft, lines: &[&[u8]], added: usize) -> usize {
        let mut body = String::new();
        let mut own = 0;
        let mut unended = false;
        for number in self.from..=self.to {
            if let Some(line) = number.checked_sub(1).filter(|index| *index >= self.from).and_then(|index| lines.get(index..=index)) {
                let text = String::from_utf8_lossy(line[0]);
                let follows = draft.insertions().any(|insertion| insertion.after == number);
                if text.ends_with('\n') {
                    let _ = write!(body, " {text}");
                } else if follows {
                    // The line gets its end: to a difference it is another one.
                    let _ = write!(body, "-{text}\n{UNENDED}+{text}\n");
                } else {
                    let _ = write!(body, " {text}\n{UNENDED}");
                }
                unended |= follows && !text.ends_with('\n');
            }
            for insertion in draft.insertions().filter(|insertion| insertion.after == number) {
                for line in masked(&insertion.text) {
                    let _ = writeln!(body, "+{line}");
                    own += 1;
                }
            }
        }
        let length = self.to - self.from;
        // An empty range is named by the line before it.
        let start = |from: usize, length: usize| if length == 0 { from } else { from + 1 };
        let (old, new) = (start(self.from, length), start(self.from + added, length + own));
        let _ = write!(out, "@@ -{old},{length} +{new},{} @@\n{body}", length + own);
        debug_assert!(!unended || self.to == lines.len());
        added + own
    }
}

const UNENDED: &str = "\\ No newline at end of file\n";

/// Whether a line that stands in the file may be part of what is shown.
pub(super) fn may_be_shown(line: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(line) else { return false };
    let plain = text.trim_end_matches('\n').chars().all(|character| character == '\t' || !character.is_control());
    let lower = text.to_ascii_lowercase();
    plain && !["secret", "password", "md5_cred", "passwd", "token"].iter().any(|word| lower.contains(word))
}

/// The lines to be added. A section that holds a secret comes as a comment as a whole: what is made of the difference lets nobody in
/// before somebody chose one. (An auth section without a password would let everybody in on Asterisk 16.)
fn masked(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut section = 0;
    for line in text.lines() {
        if line.starts_with('[') {
            section = lines.len();
        }
        match line.split_once('=').filter(|(name, _)| ["secret", "password"].contains(&name.trim())) {
            Some((name, _)) => lines.push(format!("{name}= (choose one, or have `starkeeper configure --write` do it)")),
            None => lines.push(line.to_owned()),
        }
        let holds = lines[section..].iter().any(|line| line.ends_with("do it)"));
        for line in lines[section..].iter_mut().filter(|line| holds && !line.is_empty() && !line.starts_with(';')) {
            line.insert(0, ';');
        }
    }
    lines
}
