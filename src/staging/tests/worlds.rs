//! Shows what happens where the world says no: a full file system, a read-only one, an unprivileged agent, access lists handed down. Mounts
//! are made in a mount namespace of their own, by running this very test once more inside of it.

use std::process::Command;

use super::*;
use crate::diagnosis::Code;

/// Runs `body` where it may mount: in a child, which is this test again, by its full name. Without the privilege to make namespaces there is
/// nothing to show.
pub(crate) fn where_mounts_are_private(test: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    let unshare = || {
        let mut command = Command::new("unshare");
        command.args(if is_root() { &["--mount", "--"][..] } else { &["--user", "--map-root-user", "--mount", "--"] });
        command
    };
    if !unshare().arg("true").status().is_ok_and(|status| status.success()) {
        eprintln!("not shown: this machine allows no mount namespaces");
        return;
    }
    let program = std::env::current_exe().unwrap();
    let output = unshare().arg(program).args(["--exact", test, "--nocapture"]).env(INSIDE, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

const INSIDE: &str = "STARKEEPER_TEST_MAY_MOUNT";

pub(crate) fn mount(arguments: &[&str], at: &Path) {
    assert!(Command::new("mount").args(arguments).arg(at).status().unwrap().success(), "mount {arguments:?}");
}

#[test]
fn a_full_file_system_keeps_the_last_good_generation_and_nothing_half_written() {
    where_mounts_are_private("staging::tests::worlds::a_full_file_system_keeps_the_last_good_generation_and_nothing_half_written", || {
        // By bytes, then by inodes: links and folders run out as well.
        for (size, fill) in [("size=64k", vec![b'x'; 4096]), ("size=1m,nr_inodes=24", Vec::new())] {
            let place = Place::new();
            let directory = &place.settings.directory;
            fs::create_dir(directory).unwrap();
            mount(&["-t", "tmpfs", "-o", &format!("{size},mode=755"), "tmpfs"], directory);
            place.publish(1).unwrap();
            let mut fillers = Vec::new();
            while let Some(path) = filler(directory, fillers.len(), &fill) {
                fillers.push(path);
            }
            let mut failures = 0;
            let mut last = 1;
            let full = tree(directory);
            for number in 2.. {
                match place.publish(number) {
                    Ok(published) => {
                        assert!(published.leftovers.is_empty());
                        last = number;
                        break;
                    }
                    Err(error) => {
                        failures += 1;
                        assert!(matches!(error, StagingError::NoSpace { .. }), "{error}");
                        let finding = error.finding();
                        assert_eq!(finding.code, Code::PublishNoSpace);
                        assert!(["file", "expected", "found"].iter().all(|key| finding.get(key).is_some()));
                        assert_eq!(place.number(), Some(last));
                        let now = tree(directory);
                        assert!(now.iter().all(|(path, content)| full.get(path) == Some(content)), "{now:#?}");
                        assert_eq!(now.len(), full.len() + 1 - failures);
                    }
                }
                fs::remove_file(fillers.pop().unwrap()).unwrap();
            }
            assert!(failures >= 3, "{size}: {failures}");
            assert_eq!(place.number(), Some(last));
            // One with more than there is room for, whatever goes.
            let body = "QUJD".repeat(300_000);
            let large =
                snapshot(&format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"), "-----BEGIN PRIVATE KEY-----\n");
            assert!(matches!(publish(&large, &place.settings), Err(StagingError::NoSpace { .. })));
            assert_eq!((place.number(), place.generations().len()), (Some(last), 2));
        }
    });
}

fn filler(directory: &Path, number: usize, content: &[u8]) -> Option<PathBuf> {
    let path = directory.join(format!("filler-{number}"));
    match fs::write(&path, content) {
        Ok(()) => Some(path),
        Err(_) => {
            let _ = fs::remove_file(path);
            None
        }
    }
}

#[test]
fn a_read_only_mount_keeps_what_stands_and_needs_no_write_for_the_same_pair() {
    where_mounts_are_private("staging::tests::worlds::a_read_only_mount_keeps_what_stands_and_needs_no_write_for_the_same_pair", || {
        let place = Place::new();
        let directory = &place.settings.directory;
        place.publish(1).unwrap();
        mount(&["--bind", directory.to_str().unwrap()], directory);
        mount(&["-o", "remount,bind,ro"], directory);
        let before = tree(directory);
        assert!(!place.publish(1).unwrap().swapped);
        let error = place.publish(2).unwrap_err();
        assert!(matches!(error, StagingError::ReadOnly { .. }), "{error}");
        assert_eq!(error.finding().code, Code::PublishReadOnly);
        assert_eq!(tree(directory), before);
        assert!(last_good(&place.settings).is_some());
    });
}

#[test]
fn a_directory_on_another_file_system_behind_a_link_is_as_good_as_any() {
    where_mounts_are_private("staging::tests::worlds::a_directory_on_another_file_system_behind_a_link_is_as_good_as_any", || {
        let mut place = Place::new();
        fs::create_dir(&place.settings.directory).unwrap();
        mount(&["-t", "tmpfs", "-o", "size=1m,mode=755", "tmpfs"], &place.settings.directory);
        let link = place.settings.directory.with_file_name("link");
        std::os::unix::fs::symlink("tls", &link).unwrap();
        place.settings.directory = link;
        for number in 1..=3 {
            assert!(place.publish(number).unwrap().swapped);
            assert_eq!(place.number(), Some(number));
        }
        place.assert_tidy(2);
    });
}

#[test]
fn an_agent_that_may_not_give_files_away_says_so_and_leaves_nothing() {
    let mut place = Place::new();
    give_to_nobody(&place);
    as_nobody(|| place.publish(1)).unwrap();
    let before = tree(&place.settings.directory);
    for ids in [(Some(ASTERISK.0), None), (None, Some(ASTERISK.1)), (Some(ASTERISK.0), Some(ASTERISK.1))] {
        (place.settings.uid, place.settings.gid) = ids;
        let error = as_nobody(|| place.publish(2)).unwrap_err();
        assert!(matches!(error, StagingError::NotPermitted { .. }), "{error}");
        assert_eq!(error.finding().code, Code::PublishNotPermitted);
        let me = as_nobody(rustix::process::geteuid).as_raw();
        assert!(error.to_string().contains(&format!("as user {me}")), "{error}");
        assert_eq!(tree(&place.settings.directory), before);
    }
    // Its own user is nobody else's.
    place.settings.uid = Some(as_nobody(rustix::process::geteuid).as_raw());
    place.settings.gid = Some(as_nobody(rustix::process::getegid).as_raw());
    as_nobody(|| place.publish(2)).unwrap();
    assert_eq!(place.number(), Some(2));
}

#[test]
fn a_directory_that_the_agent_may_not_write_to_is_named() {
    let place = Place::new();
    fs::create_dir(&place.settings.directory).unwrap();
    fs::set_permissions(&place.settings.directory, fs::Permissions::from_mode(0o555)).unwrap();
    let error = as_nobody(|| place.publish(1)).unwrap_err();
    assert!(matches!(&error, StagingError::NotPermitted { path, .. } if path.starts_with(&place.settings.directory)), "{error}");
    assert!(tree(&place.settings.directory).is_empty());
}

#[test]
fn a_key_that_was_given_away_beyond_the_agents_reach_is_not_published_again_and_again() {
    if !is_root() {
        return;
    }
    let place = Place::given_away();
    place.publish(1).unwrap();
    let published = place.publish(2).unwrap();
    // Root that had all its capabilities dropped is, to the file system, any other user: the folders its own, the files somebody else's.
    for folder in place.generations().iter().map(|name| place.at(name)).chain([place.settings.directory.clone()]) {
        std::os::unix::fs::chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    assert_eq!(as_nobody(|| place.publish(2)).unwrap(), Published { swapped: false, ..published });
}

#[test]
fn access_lists_that_the_directory_hands_down_open_nothing() {
    let place = Place::new();
    fs::create_dir(&place.settings.directory).unwrap();
    // `linux/posix_acl_xattr.h`: version 2, then tag, permission and id of owner, one named user, group, mask and others.
    let entries = [(0x01_u16, 7_u16, u32::MAX), (0x02, 5, NOBODY), (0x04, 5, u32::MAX), (0x10, 7, u32::MAX), (0x20, 0, u32::MAX)];
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, permission, id) in entries {
        list.extend(tag.to_le_bytes());
        list.extend(permission.to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    let flags = rustix::fs::XattrFlags::empty();
    if rustix::fs::setxattr(&place.settings.directory, "system.posix_acl_default", &list, flags).is_err() {
        eprintln!("not shown: this file system has no access lists");
        return;
    }
    let generation = place.publish(1).unwrap().generation;
    for name in NAMES {
        let path = generation.join(name);
        assert_eq!(rustix::fs::lgetxattr_query(&path, "system.posix_acl_access"), Err(rustix::io::Errno::NODATA));
        assert!(!is_root() || as_nobody(|| fs::File::open(&path).is_err()));
    }
    // One that somebody adds later goes with the next publish of the same pair.
    let mut added = list;
    added[6] = 6;
    rustix::fs::setxattr(generation.join(PRIVKEY), "system.posix_acl_access", &added, flags).unwrap();
    assert!(!place.publish(1).unwrap().swapped);
    assert!(rustix::fs::lgetxattr_query(generation.join(PRIVKEY), "system.posix_acl_access").is_err());
    place.assert_tidy(1);
}

fn give_to_nobody(place: &Place) {
    fs::create_dir(&place.settings.directory).unwrap();
    if is_root() {
        std::os::unix::fs::chown(&place.settings.directory, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

#[test]
fn what_lies_in_memory_is_known_before_it_is_made_and_what_does_not_is_never_taken_for_it() {
    let at = |directory: &Path| is_in_memory(&Publish { directory: directory.to_owned(), uid: None, gid: None, mode: 0o440 });
    if Path::new("/dev/shm").is_dir() {
        let place = Place::new();
        assert!(is_in_memory(&place.settings));
        place.publish(1).unwrap();
        assert!(is_in_memory(&place.settings));
    }
    assert!(!at(Path::new("/proc/self")));
    assert!(!at(Path::new("/nowhere/at/all")));
}
