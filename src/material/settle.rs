//! Signs of change, readings and the time → whether a reading is whole and worth telling. Pure. There is no fixed debounce: what changed
//! atomically is taken at once; a file that is being written is waited for until its writer closes it, or falls silent; a change that no
//! sign explains must be seen twice.

use std::{collections::HashMap, path::PathBuf, time::Duration};

use super::read::KnownBy;
use crate::clock::Tick;

/// What the watch says. A hint, never the truth: that is what the files hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// A file is being written in place.
    Writing(PathBuf),
    /// Its writer closed it.
    Closed(PathBuf),
    /// Another file or link took this name in one step.
    Swapped(PathBuf),
    /// The name, or the watched directory itself, is gone from here.
    Gone(PathBuf),
    /// A directory was made, or a mode changed: worth a look, but says nothing of contents.
    Touched,
    /// Signs were lost.
    Lost,
}

/// What a reading is, as far as settling cares.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    pub(super) known_by: &'a KnownBy,
    /// Whether both files held still while they were read, and hold something.
    pub(super) whole: bool,
    /// Whether a file was written to a moment ago, so that its writer may not be done.
    pub(super) fresh: bool,
}

/// What to do with a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It says what was said before.
    Same,
    /// It is whole, and new.
    Take,
    /// It may be half a generation: read again then.
    Again(Tick),
}

/// Who is writing, and what was seen but not yet believed.
#[derive(Debug, Default)]
pub(super) struct Settling {
    /// Files being written, and when that was last seen.
    writing: HashMap<PathBuf, Tick>,
    /// A sign has said why the content may differ: an atomic change, or a writer who is done.
    explained: bool,
    /// A reading that no sign explains, and when it was first seen.
    doubted: Option<(KnownBy, Tick)>,
}

impl Settling {
    pub(super) fn heed(&mut self, sign: Sign, now: Tick) {
        match sign {
            Sign::Writing(path) => {
                self.writing.insert(path, now);
            }
            Sign::Closed(path) | Sign::Swapped(path) | Sign::Gone(path) => {
                self.writing.remove(&path);
                self.explained = true;
            }
            Sign::Touched => {}
            Sign::Lost => {
                self.writing.clear();
                self.explained = false;
            }
        }
    }

    /// While a writer is at work: when it will have been silent for so long that it counts as done. Reading before is in vain.
    pub(super) fn writer_until(&mut self, now: Tick) -> Option<Tick> {
        let before = self.writing.len();
        self.writing.retain(|_, last| *last + SILENCE > now);
        self.explained |= self.writing.len() < before;
        self.writing.values().max().map(|last| *last + SILENCE)
    }

    /// Judges a reading against what was told last.
    pub(super) fn judge(&mut self, seen: Seen<'_>, told: Option<&KnownBy>, now: Tick) -> Verdict {
        if let Some(until) = self.writer_until(now) {
            return Verdict::Again(until);
        }
        if told == Some(seen.known_by) {
            self.done();
            return Verdict::Same;
        }
        let long_there = told.is_none() && !seen.fresh;
        let since = match &self.doubted {
            Some((known_by, since)) if known_by == seen.known_by => *since,
            Some(_) | None => now,
        };
        if seen.whole && (self.explained || long_there) || now - since >= TWICE {
            self.done();
            return Verdict::Take;
        }
        self.doubted = Some((seen.known_by.clone(), since));
        Verdict::Again(since + TWICE)
    }

    fn done(&mut self) {
        self.explained = false;
        self.doubted = None;
    }
}

/// A writer that neither writes nor closes for so long is done (it crashed, or keeps its file open).
const SILENCE: Duration = Duration::from_secs(1);

/// Between the two readings that must agree when nothing tells why the content changed.
const TWICE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::material::{Capture, Content, Snapshot};

    fn known(bytes: &str) -> KnownBy {
        let capture = || Capture { path: "/t".into(), content: Ok(Content::new(bytes.into())), way: Vec::new() };
        KnownBy::of(&Snapshot { cert: capture(), key: capture() })
    }

    fn at(millis: u64) -> Tick {
        Tick(Duration::from_millis(millis))
    }

    fn still(known_by: &KnownBy) -> Seen<'_> {
        Seen { known_by, whole: true, fresh: true }
    }

    fn file() -> PathBuf {
        "/t/tls.crt".into()
    }

    #[test]
    fn swap_is_taken_at_once_and_told_once() {
        let (old, new) = (known("old"), known("new"));
        let mut settling = Settling::default();
        settling.heed(Sign::Swapped("/t/..data".into()), at(5));
        assert_eq!(settling.judge(still(&new), Some(&old), at(5)), Verdict::Take);
        assert_eq!(settling.judge(still(&new), Some(&new), at(6)), Verdict::Same);
    }

    #[test]
    fn writer_is_waited_for_until_it_closes() {
        let (old, half, new) = (known("old"), known("half"), known("new"));
        let mut settling = Settling::default();
        for millis in (0..3000).step_by(900) {
            settling.heed(Sign::Writing(file()), at(millis));
            assert_eq!(settling.judge(still(&half), Some(&old), at(millis + 899)), Verdict::Again(at(millis + 1000)));
        }
        settling.heed(Sign::Closed(file()), at(3000));
        assert_eq!(settling.judge(still(&new), Some(&old), at(3000)), Verdict::Take);
    }

    #[test]
    fn writer_that_never_closes_is_done_after_a_second_of_silence() {
        let (old, new) = (known("old"), known("new"));
        let mut settling = Settling::default();
        settling.heed(Sign::Writing(file()), at(0));
        assert_eq!(settling.judge(still(&new), Some(&old), at(999)), Verdict::Again(at(1000)));
        assert_eq!(settling.judge(still(&new), Some(&old), at(1000)), Verdict::Take);
    }

    #[test]
    fn closing_one_file_does_not_let_another_half_written_one_pass() {
        let (old, new) = (known("old"), known("new"));
        let mut settling = Settling::default();
        settling.heed(Sign::Writing(file()), at(0));
        settling.heed(Sign::Writing("/t/tls.key".into()), at(10));
        settling.heed(Sign::Closed(file()), at(20));
        assert_eq!(settling.judge(still(&new), Some(&old), at(20)), Verdict::Again(at(1010)));
        settling.heed(Sign::Swapped("/t/tls.key".into()), at(30));
        assert_eq!(settling.judge(still(&new), Some(&old), at(30)), Verdict::Take);
    }

    #[test]
    fn unexplained_change_must_be_seen_unchanged_twice() {
        let (old, half, new) = (known("old"), known("half"), known("new"));
        let mut settling = Settling::default();
        assert_eq!(settling.judge(still(&half), Some(&old), at(0)), Verdict::Again(at(100)));
        assert_eq!(settling.judge(still(&new), Some(&old), at(100)), Verdict::Again(at(200)));
        assert_eq!(settling.judge(still(&new), Some(&old), at(199)), Verdict::Again(at(200)));
        assert_eq!(settling.judge(still(&new), Some(&old), at(200)), Verdict::Take);
    }

    #[test]
    fn change_that_is_undone_before_it_is_believed_is_never_told() {
        let (old, other) = (known("old"), known("other"));
        let mut settling = Settling::default();
        assert_eq!(settling.judge(still(&other), Some(&old), at(0)), Verdict::Again(at(100)));
        assert_eq!(settling.judge(still(&old), Some(&old), at(100)), Verdict::Same);
        assert_eq!(settling.judge(still(&other), Some(&old), at(200)), Verdict::Again(at(300)));
    }

    #[test]
    fn first_reading_of_old_files_is_taken_at_once_and_of_new_ones_when_they_hold_still() {
        let new = known("new");
        let old_files = Seen { fresh: false, ..still(&new) };
        assert_eq!(Settling::default().judge(old_files, None, at(0)), Verdict::Take);
        let mut settling = Settling::default();
        assert_eq!(settling.judge(still(&new), None, at(0)), Verdict::Again(at(100)));
        assert_eq!(settling.judge(still(&new), None, at(100)), Verdict::Take);
    }

    #[test]
    fn reading_that_may_mix_generations_is_taken_only_when_it_stays() {
        let (old, new) = (known("old"), known("new"));
        let mut settling = Settling::default();
        settling.heed(Sign::Swapped(file()), at(0));
        let torn = Seen { whole: false, ..still(&new) };
        assert_eq!(settling.judge(torn, Some(&old), at(0)), Verdict::Again(at(100)));
        assert_eq!(settling.judge(torn, Some(&old), at(99)), Verdict::Again(at(100)));
        assert_eq!(settling.judge(torn, Some(&old), at(100)), Verdict::Take);
    }

    #[test]
    fn lost_signs_explain_nothing() {
        let (old, new) = (known("old"), known("new"));
        let mut settling = Settling::default();
        settling.heed(Sign::Swapped(file()), at(0));
        settling.heed(Sign::Lost, at(0));
        assert_eq!(settling.judge(still(&new), Some(&old), at(0)), Verdict::Again(at(100)));
    }
}
