//! Shows what stands after a publish: layout, owner, mode, what is kept, and what is mended.

use std::os::unix::fs::symlink;

use super::*;

#[test]
fn a_published_pair_stands_behind_relative_links_with_the_owner_and_mode_that_were_asked() {
    let place = Place::given_away();
    let published = place.publish(1).unwrap();
    assert!(published.swapped && published.leftovers.is_empty());
    assert_eq!(published.digest, pair(1).digest());
    assert_eq!((&published.cert, &published.key), (&place.at("fullchain.pem"), &place.at("privkey.pem")));
    let name = published.generation.file_name().unwrap();
    for (link, target) in [("current", name.to_str().unwrap()), ("fullchain.pem", "current/fullchain.pem")] {
        assert_eq!(fs::read_link(place.at(link)).unwrap(), Path::new(target));
    }
    place.assert_tidy(1);
    assert_eq!(place.number(), Some(1));
    assert_eq!(fs::metadata(&place.settings.directory).unwrap().mode() & 0o777, 0o755);
}

#[test]
fn only_the_whole_pair_with_owner_and_mode_as_asked_stands() {
    let place = Place::given_away();
    assert!(!stands(&pair(1), &place.settings), "before anything is published");
    place.publish(1).unwrap();
    assert!(stands(&pair(1), &place.settings) && !stands(&pair(2), &place.settings));
    let other_mode = Publish { mode: 0o400, ..place.settings.clone() };
    assert!(!stands(&pair(1), &other_mode));
    let damages: [&dyn Fn(); 6] = [
        &|| fs::set_permissions(place.at("privkey.pem"), fs::Permissions::from_mode(0o444)).unwrap(),
        &|| fs::set_permissions(place.at("current"), fs::Permissions::from_mode(0o700)).unwrap(),
        &|| fs::write(fs::canonicalize(place.at("combined.pem")).unwrap(), "").unwrap(),
        &|| fs::remove_file(place.at("current/fullchain.pem")).unwrap(),
        &|| fs::remove_file(place.at("combined.pem")).unwrap(),
        &|| fs::remove_file(place.at("current")).unwrap(),
    ];
    for damage in damages {
        if is_root() {
            damage();
            assert!(!stands(&pair(1), &place.settings));
            place.publish(1).unwrap();
        }
        assert!(stands(&pair(1), &place.settings));
    }
}

#[test]
fn each_mode_is_given_exactly_whatever_the_umask() {
    for mode in [0o400, 0o440, 0o600, 0o640, 0o660] {
        let mut place = Place::given_away();
        place.settings.mode = mode;
        place.publish(1).unwrap();
        place.publish(2).unwrap();
        place.assert_tidy(2);
    }
}

#[test]
fn publishing_the_same_again_changes_nothing() {
    let place = Place::given_away();
    place.publish(1).unwrap();
    let first = place.publish(2).unwrap();
    let before = tree(&place.settings.directory);
    let again = place.publish(2).unwrap();
    assert_eq!(again, Published { swapped: false, ..first });
    assert_eq!(tree(&place.settings.directory), before);
}

#[test]
fn the_current_generation_and_the_one_before_are_kept_and_no_other() {
    let place = Place::given_away();
    let mut last = Vec::new();
    for number in 1..=5 {
        let published = place.publish(number).unwrap();
        last.push(published.generation.file_name().unwrap().to_str().unwrap().to_owned());
        assert_eq!(place.generations().len(), number.min(2) as usize);
        assert_eq!(place.number(), Some(number));
    }
    assert_eq!(place.generations(), last[3..]);
    place.assert_tidy(2);
}

#[test]
fn going_back_to_an_earlier_pair_is_a_new_generation() {
    let place = Place::new();
    for number in [1, 2, 1] {
        assert!(place.publish(number).unwrap().swapped);
        assert_eq!(place.number(), Some(number));
    }
    place.assert_tidy(2);
}

#[test]
fn what_somebody_damaged_is_mended_in_place() {
    let place = Place::given_away();
    place.publish(1).unwrap();
    let published = place.publish(2).unwrap();
    let sound = tree(&place.settings.directory);
    let file = |name: &str| published.generation.join(name);
    let mode = |path: PathBuf, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let damages: [&dyn Fn(); 6] = [
        &|| mode(file(PRIVKEY), 0o644),
        &|| mode(file(FULLCHAIN), 0o400),
        &|| mode(published.generation.clone(), 0o700),
        &|| fs::remove_file(place.at(FULLCHAIN)).unwrap(),
        &|| NAMES.iter().for_each(|name| fs::remove_file(place.at(name)).unwrap()),
        &|| {
            if is_root() {
                std::os::unix::fs::chown(file(PRIVKEY), Some(7), Some(8)).unwrap()
            }
        },
    ];
    for (index, damage) in damages.into_iter().enumerate() {
        damage();
        let again = place.publish(2).unwrap();
        assert!(!again.swapped, "{index}");
        assert_eq!(tree(&place.settings.directory), sound, "{index}");
    }
}

#[test]
fn other_settings_are_applied_to_what_stands_already() {
    let mut place = Place::given_away();
    place.publish(1).unwrap();
    place.settings.mode = 0o400;
    assert!(!place.publish(1).unwrap().swapped);
    place.assert_tidy(1);
}

#[test]
fn what_was_opened_to_all_is_closed_before_it_stays_as_the_one_before() {
    let place = Place::given_away();
    let generation = place.publish(1).unwrap().generation;
    fs::set_permissions(generation.join(PRIVKEY), fs::Permissions::from_mode(0o666)).unwrap();
    place.publish(2).unwrap();
    place.assert_tidy(2);
}

#[test]
fn damaged_content_is_replaced_and_does_not_stay_as_the_one_before() {
    let place = Place::new();
    let damages: [fn(&Path); 4] = [
        |folder| fs::write(writable(folder.join(PRIVKEY)), "number 1\nshort\n").unwrap(),
        |folder| {
            let text = fs::read_to_string(folder.join(FULLCHAIN)).unwrap();
            fs::write(writable(folder.join(FULLCHAIN)), text.replace("QUJD", "QUJE")).unwrap();
        },
        |folder| fs::remove_file(folder.join(COMBINED)).unwrap(),
        |folder| fs::remove_dir_all(folder).unwrap(),
    ];
    for (index, damage) in damages.into_iter().enumerate() {
        damage(&place.publish(1).unwrap().generation);
        assert!(place.publish(1).unwrap().swapped, "{index}");
        assert_eq!(place.number(), Some(1));
        place.assert_tidy(1);
    }
}

fn writable(path: PathBuf) -> PathBuf {
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    path
}

#[test]
fn what_others_put_beside_ours_stays_as_it_is() {
    let place = Place::new();
    let directory = &place.settings.directory;
    fs::create_dir_all(directory.join("..2026_11_07_12_00_00.1/")).unwrap();
    fs::write(directory.join("..2026_11_07_12_00_00.1/tls.crt"), "theirs").unwrap();
    symlink("..2026_11_07_12_00_00.1", directory.join("..data")).unwrap();
    symlink("..data/tls.crt", directory.join("tls.crt")).unwrap();
    fs::create_dir_all(directory.join("starkeeper-20261107T120102.123456Z-9f86d081884c")).unwrap();
    fs::write(directory.join("starkeeper-20261107T120102.123456Z-9f86d081884c/no-marker"), "theirs").unwrap();
    fs::create_dir_all(directory.join("starkeeper-notes")).unwrap();
    let theirs = tree(directory);
    for number in 1..=4 {
        place.publish(number).unwrap();
    }
    let now = tree(directory);
    assert!(theirs.iter().all(|(path, content)| now.get(path) == Some(content)));
    assert_eq!(place.generations().len(), 2 + 2);
}

#[test]
fn a_generation_of_ours_that_holds_something_else_too_is_left_alone() {
    let place = Place::new();
    let first = place.publish(1).unwrap().generation;
    fs::write(first.join("note"), "theirs").unwrap();
    place.publish(2).unwrap();
    place.publish(3).unwrap();
    assert_eq!(fs::read_to_string(first.join("note")).unwrap(), "theirs");
}

#[test]
fn the_last_good_generation_is_found_again_after_a_restart() {
    let place = Place::given_away();
    assert_eq!(last_good(&place.settings), None);
    place.publish(1).unwrap();
    let found = last_good(&place.settings).unwrap();
    assert_eq!(found, Sources { cert: place.at("fullchain.pem"), key: place.at("privkey.pem") });
    let snapshot = crate::material::capture_pair(&found);
    let bytes = |capture: &Capture| capture.content.as_ref().unwrap().bytes().to_vec();
    assert_eq!((bytes(&snapshot.cert), bytes(&snapshot.key)), (bytes(&pair(1).cert), bytes(&pair(1).key)));
    // Judged and published again from itself, it stays what it is.
    assert!(!publish(&snapshot, &place.settings).unwrap().swapped);
    fs::remove_file(place.at(PRIVKEY)).unwrap();
    assert_eq!(last_good(&place.settings), None);
}

#[test]
fn a_clock_that_goes_back_does_not_confuse_what_came_before() {
    let place = Place::new();
    place.publish(1).unwrap();
    let ahead = place.publish(2).unwrap().generation;
    // As if it had been made a century later.
    let renamed = place.at("starkeeper-21261107T120102.123456Z-9f86d081884c");
    fs::rename(&ahead, &renamed).unwrap();
    fs::remove_file(place.at("current")).unwrap();
    symlink(renamed.file_name().unwrap(), place.at("current")).unwrap();
    place.publish(3).unwrap();
    assert!(renamed.exists());
    place.publish(4).unwrap();
    assert!(!renamed.exists());
    assert_eq!(place.number(), Some(4));
    place.assert_tidy(2);
}

#[test]
fn nothing_of_a_key_is_in_errors_findings_or_debug() {
    let place = Place::new();
    let secret = "c2VjcmV0LXNlY3JldA";
    let odd = snapshot("words", &format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----\n"));
    let error = publish(&odd, &place.settings).unwrap_err();
    let all = format!("{error} {error:?} {:?}", error.finding());
    assert!(!all.contains(secret) && all.contains("/source/tls.crt"), "{all}");
    assert!(!place.settings.directory.exists(), "nothing was begun");
}
