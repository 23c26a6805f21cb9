//! Shows what is refused before anything is changed, each with a finding that names file, expectation and find.

use std::os::unix::fs::symlink;

use super::*;
use crate::diagnosis::Code;

/// What stands there, and how it came there.
type Plant = (&'static str, fn(&Path));

#[test]
fn names_that_somebody_else_took_are_refused_and_everything_stays() {
    for name in ["current", "fullchain.pem", "privkey.pem", "combined.pem", ".starkeeper-next"] {
        let plants: [Plant; 4] = [
            ("a file", |path| fs::write(path, "theirs").unwrap()),
            ("a folder", |path| fs::create_dir(path).unwrap()),
            ("a link to ..data", |path| symlink("..data", path).unwrap()),
            ("a link to /etc/passwd", |path| symlink("/etc/passwd", path).unwrap()),
        ];
        for (found, plant) in plants {
            for stands in [false, true] {
                let place = Place::new();
                fs::create_dir(&place.settings.directory).unwrap();
                if stands {
                    place.publish(1).unwrap();
                    let _ = fs::remove_file(place.at(name));
                }
                plant(&place.at(name));
                let before = tree(&place.settings.directory);
                let error = place.publish(2).unwrap_err();
                assert_eq!(tree(&place.settings.directory), before, "{name}: {found}");
                let finding = error.finding();
                assert_eq!(finding.code, Code::PublishForeignFile, "{name}: {found}: {error}");
                assert_eq!(finding.get("file"), Some(&place.at(name).as_path().into()));
                assert_eq!(finding.get("found"), Some(&found.into()));
                assert!(finding.get("expected").is_some());
            }
        }
    }
}

#[test]
fn only_the_last_component_of_the_directory_is_created() {
    let mut place = Place::new();
    let above = place.settings.directory.clone();
    place.settings.directory = above.join("deep");
    let error = place.publish(1).unwrap_err();
    assert_eq!(error, StagingError::DirectoryMissing { directory: above.join("deep") });
    assert_eq!(error.finding().code, Code::PublishDirectoryMissing);
    assert!(!above.exists());
    fs::create_dir(&above).unwrap();
    place.publish(1).unwrap();
    assert_eq!(place.number(), Some(1));
}

#[test]
fn a_directory_that_is_something_else_is_refused() {
    let place = Place::new();
    let plants: [&dyn Fn(&Path); 3] = [&|path| fs::write(path, "theirs").unwrap(), &|path| symlink("nowhere", path).unwrap(), &|path| {
        symlink("/dev/null", path).unwrap()
    }];
    for plant in plants {
        plant(&place.settings.directory);
        let error = place.publish(1).unwrap_err();
        assert_eq!(error.finding().code, Code::PublishForeignFile, "{error}");
        fs::remove_file(&place.settings.directory).unwrap();
    }
}

#[test]
fn two_publishers_take_turns() {
    let place = Place::new();
    place.publish(1).unwrap();
    let held = fs::File::open(&place.settings.directory).unwrap();
    held.lock().unwrap();
    let error = place.publish(2).unwrap_err();
    assert_eq!(error, StagingError::Busy { directory: place.settings.directory.clone() });
    assert_eq!(error.finding().code, Code::PublishFailed);
    drop(held);
    place.publish(2).unwrap();
    assert_eq!(place.number(), Some(2));
}
