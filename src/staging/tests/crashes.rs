//! Shows that a crash, and an error, at any single step leaves the last good generation whole, and that the next publish cleans up.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use rustix::io::Errno;

use super::*;

/// What stood before the publish that is cut short, how it came to be, and how many steps the publish has at least.
type Beginning = (&'static str, fn(&Place), u32);

const BEGINNINGS: [Beginning; 5] = [
    ("no directory", |_| {}, 20),
    (
        "one generation",
        |place| {
            place.publish(1).unwrap();
        },
        20,
    ),
    (
        "two generations, one of which goes",
        |place| {
            place.publish(0).unwrap();
            place.publish(1).unwrap();
        },
        25,
    ),
    (
        "a crash before",
        |place| {
            place.publish(1).unwrap();
            assert!(cut_short(place, 5, 14));
        },
        25,
    ),
    (
        "the same, damaged",
        |place| {
            let generation = place.publish(2).unwrap().generation;
            fs::set_permissions(generation.join(PRIVKEY), fs::Permissions::from_mode(0o604)).unwrap();
            fs::set_permissions(generation, fs::Permissions::from_mode(0o700)).unwrap();
            fs::remove_file(place.at(FULLCHAIN)).unwrap();
        },
        3,
    ),
];

/// Publishes, dying ahead of the step of this number; false when there are not so many.
fn cut_short(place: &Place, number: u32, step: u32) -> bool {
    let mut ahead = step;
    let mut die = |_| {
        if ahead == 0 {
            resume_unwind(Box::new("crash"));
        }
        ahead -= 1;
        Ok(())
    };
    let died = catch_unwind(AssertUnwindSafe(|| publish_stepwise(&pair(number), &place.settings, &mut die).unwrap()));
    died.is_err()
}

#[test]
fn a_crash_at_any_step_leaves_a_whole_generation_and_the_next_publish_cleans_up() {
    for (what, begin, least) in BEGINNINGS {
        let mut step = 0_u32;
        loop {
            let place = Place::given_away();
            begin(&place);
            let before = place.number();
            let died = cut_short(&place, 2, step);
            let after = place.number();
            assert!(after == Some(2) || (died && after == before), "{what}, step {step}: {before:?} became {after:?}");
            if after.is_some() {
                let found = crate::material::capture_pair(&last_good(&place.settings).unwrap());
                assert!(found.cert.content.is_ok() && found.key.content.is_ok());
            }
            // The very same again, and another one: both ways out of the crash.
            for number in [2 + step % 2, 5] {
                place.publish(number).unwrap();
                assert_eq!(place.number(), Some(number), "{what}, step {step}");
                place.assert_tidy(place.generations().len().min(2));
            }
            if !died {
                break;
            }
            step += 1;
        }
        assert!(step >= least, "{what}: only {step} steps");
    }
}

#[test]
fn an_error_at_any_step_leaves_the_last_good_generation_and_nothing_half_written() {
    for errno in [Errno::NOSPC, Errno::ROFS, Errno::ACCESS, Errno::PERM, Errno::IO] {
        for (what, begin, least) in BEGINNINGS {
            let mut step = 0_u32;
            loop {
                let place = Place::given_away();
                begin(&place);
                let (before, stood) = (place.number(), place.settings.directory.exists().then(|| place.generations()));
                let mut ahead = step;
                let mut failed = None;
                let result = publish_stepwise(&pair(2), &place.settings, &mut |act| {
                    let fails = ahead == 0;
                    ahead = ahead.wrapping_sub(1);
                    failed = failed.or(fails.then_some(act));
                    if fails { Err(errno) } else { Ok(()) }
                });
                let after = place.number();
                assert!(after == Some(2) || (result.is_err() && after == before), "{what}, step {step}: {result:?}");
                if let (Err(error), Some(mut stood), true) = (&result, stood, after == before && before != Some(2)) {
                    let now = place.generations();
                    stood.retain(|name| now.contains(name));
                    assert_eq!(now, stood, "{what}, step {step}: {error}");
                    assert!(!place.at(".starkeeper-next").is_symlink());
                }
                if let Err(error) = &result {
                    assert_eq!(*error, StagingError::of(failed.unwrap(), error_path(error), errno), "{what}, step {step}");
                }
                place.publish(2).unwrap();
                place.publish(5).unwrap();
                place.assert_tidy(2);
                if failed.is_none() {
                    break;
                }
                step += 1;
            }
            assert!(step >= least, "{what}: only {step} steps");
        }
    }
}

fn error_path(error: &StagingError) -> &Path {
    match error {
        StagingError::NoSpace { path, .. }
        | StagingError::ReadOnly { path, .. }
        | StagingError::NotPermitted { path, .. }
        | StagingError::Io { path, .. }
        | StagingError::Foreign { path, .. }
        | StagingError::Unfit { path, .. } => path,
        StagingError::DirectoryMissing { directory } | StagingError::Busy { directory } => directory,
    }
}
