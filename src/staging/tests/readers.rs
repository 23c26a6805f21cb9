//! Shows what others see while thousands of pairs are published: always a whole pair, and never a key that was not meant for them.

use std::{
    io::Read as _,
    sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    time::Duration,
};

use rustix::fs::{Mode, OFlags};

use super::*;

const PUBLISHES: u32 = 2_000;

#[test]
fn no_reader_meets_a_torn_pair_a_missing_file_or_a_key_that_is_not_for_it() {
    let place = Place::given_away();
    place.publish(0).unwrap();
    let over = AtomicBool::new(false);
    let rounds: [AtomicU32; 4] = Default::default();
    std::thread::scope(|scope| {
        let round = |index: usize, mut look: Box<dyn FnMut() + Send>| {
            let (over, rounds) = (&over, &rounds);
            scope.spawn(move || {
                let ends = Ends(over);
                while !over.load(SeqCst) {
                    look();
                    rounds[index].fetch_add(1, SeqCst);
                }
                std::mem::forget(ends);
            });
        };
        let place = &place;
        round(
            0,
            Box::new({
                let mut last = 0;
                move || last = last.max(through_one_resolution(place, last))
            }),
        );
        round(1, Box::new(|| NAMES.iter().for_each(|name| assert!(whole(fs::File::open(place.at(name)).unwrap()) <= PUBLISHES))));
        round(2, Box::new(|| nothing_is_more_open_than_asked(&place.settings)));
        round(
            3,
            Box::new(|| {
                if is_root() {
                    as_nobody(|| no_key_opens(&place.settings.directory))
                }
            }),
        );

        let ends = Ends(&over);
        for number in 1..=PUBLISHES {
            assert!(place.publish(number).unwrap().swapped);
            // The one before is kept for one publish more: whoever reads may take as long as that, so let every reader come round.
            let seen: Vec<u32> = rounds[..2].iter().map(|round| round.load(SeqCst)).collect();
            let deadline = clock::tick() + Duration::from_mins(1);
            while rounds[..2].iter().zip(&seen).any(|(round, seen)| round.load(SeqCst) == *seen) && !over.load(SeqCst) {
                assert!(clock::tick() < deadline, "a reader stands still");
                std::thread::yield_now();
            }
        }
        drop(ends);
    });
    assert!(rounds.iter().all(|round| round.load(SeqCst) > 20), "{rounds:?}");
    assert_eq!(place.number(), Some(PUBLISHES));
    place.assert_tidy(2);
}

/// Ends all readers when one of them, or the publisher, ends.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Both files of one generation, never older than the last one seen.
fn through_one_resolution(place: &Place, last: u32) -> u32 {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let current = rustix::fs::open(place.at("current"), flags, Mode::empty()).unwrap();
    let open = |name| fs::File::from(rustix::fs::openat(&current, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).unwrap());
    let (cert, key) = (whole(open(FULLCHAIN)), whole(open(PRIVKEY)));
    assert_eq!(cert, key, "a torn pair");
    assert!(cert >= last, "{cert} came after {last}");
    cert
}

fn whole(mut file: fs::File) -> u32 {
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    let line = text.lines().find(|line| line.starts_with("number ")).unwrap();
    assert!(text.ends_with("-----\n"));
    line["number ".len()..].parse().unwrap()
}

fn nothing_is_more_open_than_asked(settings: &Publish) {
    for entry in fs::read_dir(&settings.directory).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(found) = fs::symlink_metadata(&folder) else { continue };
        if !found.is_dir() {
            assert!(found.is_symlink(), "{folder:?}");
            continue;
        }
        let opened = found.mode() & 0o7777 != 0o700;
        assert_eq!(found.mode() & 0o7066, 0, "{folder:?}");
        for name in NAMES {
            let Ok(file) = fs::symlink_metadata(folder.join(name)) else { continue };
            assert_eq!(file.mode() & 0o077 & !settings.mode, 0, "{folder:?} {name}: {:o}", file.mode());
            if opened {
                assert_eq!(file.mode() & 0o7777, settings.mode);
                assert!(settings.uid.is_none_or(|uid| uid == file.uid()) && settings.gid.is_none_or(|gid| gid == file.gid()));
            }
        }
    }
}

fn no_key_opens(directory: &Path) {
    for entry in fs::read_dir(directory).unwrap().flatten() {
        for path in [entry.path(), entry.path().join(PRIVKEY), entry.path().join(COMBINED)] {
            assert!(fs::File::open(&path).is_err() || path.is_dir(), "{path:?}");
        }
    }
}
