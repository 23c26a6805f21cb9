//! Inotify at work: nothing but events can be what tells here, since every interval is an hour.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    time::Duration,
};

use tempfile::TempDir;
use tokio::{task::spawn_blocking, time::timeout};

use super::*;
use crate::clock;

fn write_slowly(path: &Path, n: u32) {
    let mut file = fs::File::create(path).unwrap();
    for byte in body(n).as_bytes() {
        file.write_all(&[*byte]).unwrap();
    }
}

async fn meanwhile(work: impl FnOnce() + Send + 'static) {
    spawn_blocking(work).await.unwrap();
}

async fn watched_pair() -> (TempDir, Watched) {
    let dir = tempfile::tempdir().unwrap();
    write_pair(dir.path(), 1);
    let mut watched = Watched::start(sources(dir.path()));
    watched.until(1).await;
    assert_eq!(watched.mode().await, WatchMode::Inotify);
    (dir, watched)
}

#[tokio::test]
async fn files_written_in_place_in_either_order_are_told() {
    let (dir, mut watched) = watched_pair().await;
    let Sources { cert, key } = sources(dir.path());
    for n in 2..20 {
        let (first, second) = if n % 2 == 0 { (&cert, &key) } else { (&key, &cert) };
        fs::write(first, body(n)).unwrap();
        fs::write(second, body(n)).unwrap();
        watched.until(n).await;
    }
}

#[tokio::test]
async fn files_renamed_into_place_are_told() {
    let (dir, mut watched) = watched_pair().await;
    let Sources { cert, key } = sources(dir.path());
    for n in 2..20 {
        rename_into(&cert, n);
        rename_into(&key, n);
        watched.until(n).await;
    }
}

#[tokio::test]
async fn every_one_of_two_hundred_data_swaps_is_told_exactly_once() {
    let mount = tempfile::tempdir().unwrap();
    kubelet_swap(mount.path(), 1);
    let mut watched = Watched::start(sources(mount.path()));
    watched.until(1).await;
    watched.mode().await;
    let mut spans = Vec::new();
    for n in 2..=201 {
        let start = clock::tick();
        kubelet_swap(mount.path(), n);
        let snapshot = watched.snapshot().await;
        spans.push(clock::tick() - start);
        assert_eq!(snapshot.cert.content.as_ref().map(generation), Ok(n));
        assert_eq!(snapshot.key.content.as_ref().map(generation), Ok(n));
    }
    spans.sort();
    println!("swap begun to generation told: median {:?}, 99th of 100 {:?}", spans[100], spans[198]);
}

#[tokio::test]
#[ignore = "a measurement: cargo test material:: -- --ignored --nocapture"]
async fn spans_from_rename_or_close_to_generation_told() {
    let dir = tempfile::tempdir().unwrap();
    let (file, next) = (dir.path().join("pbx.pem"), dir.path().join("next"));
    fs::write(&file, body(1)).unwrap();
    let mut watched = Watched::start(Sources { cert: file.clone(), key: file.clone() });
    watched.until(1).await;
    watched.mode().await;
    for way in ["rename", "close"] {
        let mut spans = Vec::new();
        for n in 2..502 {
            let start;
            if way == "rename" {
                fs::write(&next, body(n)).unwrap();
                start = clock::tick();
                fs::rename(&next, &file).unwrap();
            } else {
                let mut writer = fs::File::create(&file).unwrap();
                writer.write_all(body(n).as_bytes()).unwrap();
                start = clock::tick();
                drop(writer);
            }
            watched.until(n).await;
            spans.push(clock::tick() - start);
        }
        spans.sort();
        println!("{way}: median {:?}, 95th of 100 {:?}, 99th {:?}", spans[250], spans[475], spans[495]);
    }
}

#[tokio::test]
async fn data_swap_while_nobody_waits_ends_with_the_last_generation() {
    let mount = tempfile::tempdir().unwrap();
    kubelet_swap(mount.path(), 1);
    let mut watched = Watched::start(sources(mount.path()));
    watched.until(1).await;
    let path = mount.path().to_owned();
    let swaps = spawn_blocking(move || (2..=200).for_each(|n| kubelet_swap(&path, n)));
    watched.until(200).await;
    swaps.await.unwrap();
}

#[tokio::test]
async fn certbot_renewal_is_told() {
    let root = tempfile::tempdir().unwrap();
    let (live, archive) = (root.path().join("live/pbx"), root.path().join("archive/pbx"));
    fs::create_dir_all(&live).unwrap();
    fs::create_dir_all(&archive).unwrap();
    let renew = |n: u32| {
        for kind in ["fullchain", "privkey"] {
            fs::write(archive.join(format!("{kind}{n}.pem")), body(n)).unwrap();
        }
        for kind in ["fullchain", "privkey"] {
            let link = live.join(format!("{kind}.pem"));
            let _ = fs::remove_file(&link);
            symlink(format!("../../archive/pbx/{kind}{n}.pem"), link).unwrap();
        }
    };
    renew(1);
    let mut watched = Watched::start(Sources { cert: live.join("fullchain.pem"), key: live.join("privkey.pem") });
    watched.until(1).await;
    for n in 2..10 {
        renew(n);
        watched.until(n).await;
    }
    // Somebody mends the archive itself.
    for kind in ["fullchain", "privkey"] {
        fs::write(archive.join(format!("{kind}9.pem")), body(99)).unwrap();
    }
    watched.until(99).await;
}

#[tokio::test]
async fn slow_writer_is_told_once_and_whole() {
    let (dir, mut watched) = watched_pair().await;
    let Sources { cert, key } = sources(dir.path());
    for n in 2..12 {
        let (cert, key) = (cert.clone(), key.clone());
        let writer = spawn_blocking(move || {
            write_slowly(&cert, n);
            write_slowly(&key, n);
        });
        // A new certificate with the old key may be told in between; half a file never (`snapshot` panics).
        watched.until(n).await;
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn writer_that_never_closes_is_told_after_it_falls_silent() {
    let (dir, mut watched) = watched_pair().await;
    let mut kept_open = fs::File::create(sources(dir.path()).cert).unwrap();
    kept_open.write_all(body(2).as_bytes()).unwrap();
    let before = clock::tick();
    let snapshot = watched.snapshot().await;
    assert_eq!(snapshot.cert.content.as_ref().map(generation), Ok(2));
    assert!(clock::tick() - before >= Duration::from_millis(900), "told before the writer had fallen silent");
    drop(kept_open);
}

#[tokio::test]
async fn directory_that_appears_later_is_told() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("mnt/secrets/tls");
    let mut watched = Watched::start(sources(&dir));
    let nearest = watched.snapshot().await;
    assert_eq!(nearest.cert.content, Err(ReadFault::Missing { nearest: root.path().canonicalize().unwrap() }));
    meanwhile({
        let dir = dir.clone();
        move || {
            fs::create_dir_all(&dir).unwrap();
            write_slowly(&dir.join("tls.crt"), 1);
            write_slowly(&dir.join("tls.key"), 1);
        }
    })
    .await;
    watched.until(1).await;
    write_pair(&dir, 2);
    watched.until(2).await;
}

#[tokio::test]
async fn directory_deleted_and_made_anew_is_told() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("tls");
    fs::create_dir(&dir).unwrap();
    write_pair(&dir, 1);
    let mut watched = Watched::start(sources(&dir));
    watched.until(1).await;
    for n in 2..10 {
        fs::remove_dir_all(&dir).unwrap();
        fs::create_dir(&dir).unwrap();
        write_pair(&dir, n);
        watched.until(n).await;
    }
    fs::remove_dir_all(&dir).unwrap();
    loop {
        let snapshot = watched.snapshot().await;
        if snapshot.key.content == Err(ReadFault::Missing { nearest: root.path().canonicalize().unwrap() }) {
            break;
        }
    }
}

#[tokio::test]
async fn directory_replaced_by_rename_is_told() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("tls");
    fs::create_dir(&dir).unwrap();
    write_pair(&dir, 1);
    let mut watched = Watched::start(sources(&dir));
    watched.until(1).await;
    for n in 2..20 {
        let next = root.path().join("tls.next");
        fs::create_dir(&next).unwrap();
        write_pair(&next, n);
        fs::rename(&dir, root.path().join(format!("tls.old{n}"))).unwrap();
        fs::rename(&next, &dir).unwrap();
        watched.until(n).await;
    }
    // The directory that stands there now is the one that is watched.
    write_pair(&dir, 100);
    watched.until(100).await;
}

#[tokio::test]
async fn directory_behind_a_link_is_told_also_when_the_link_moves() {
    let root = tempfile::tempdir().unwrap();
    let link = root.path().join("current");
    for n in 1..3 {
        let dir = root.path().join(format!("store/v{n}"));
        fs::create_dir_all(&dir).unwrap();
        write_pair(&dir, n);
    }
    symlink(root.path().join("store/v1"), &link).unwrap();
    let mut watched = Watched::start(sources(&link));
    watched.until(1).await;
    symlink("store/v2", root.path().join("next")).unwrap();
    fs::rename(root.path().join("next"), &link).unwrap();
    watched.until(2).await;
    write_pair(&root.path().join("store/v2"), 3);
    watched.until(3).await;
}

#[tokio::test]
async fn one_file_for_both_and_a_key_elsewhere_are_told() {
    let root = tempfile::tempdir().unwrap();
    let combined = root.path().join("combined.pem");
    fs::write(&combined, body(1)).unwrap();
    let mut one = Watched::start(Sources { cert: combined.clone(), key: combined.clone() });
    one.until(1).await;
    let elsewhere = root.path().join("private");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("pbx.key"), body(1)).unwrap();
    let mut two = Watched::start(Sources { cert: combined.clone(), key: elsewhere.join("pbx.key") });
    two.until(1).await;
    for n in 2..10 {
        fs::write(&combined, body(n)).unwrap();
        one.until(n).await;
        fs::write(elsewhere.join("pbx.key"), body(n)).unwrap();
        two.until(n).await;
    }
}

#[tokio::test]
async fn a_mode_that_changes_who_may_read_is_told_with_the_same_digest() {
    let (dir, mut watched) = watched_pair().await;
    let key = sources(dir.path()).key;
    let before = capture_pair(&sources(dir.path())).digest();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let snapshot = watched.snapshot().await;
    assert_eq!(snapshot.digest(), before);
    assert_eq!(snapshot.key.way.last().map(|node| node.mode), Some(0o600));
}

#[tokio::test]
async fn same_bytes_written_again_are_not_told() {
    let (dir, mut watched) = watched_pair().await;
    for _ in 0..20 {
        write_pair(dir.path(), 1);
    }
    write_pair(dir.path(), 2);
    loop {
        let snapshot = watched.snapshot().await;
        let seen = (snapshot.cert.content.as_ref().map(generation), snapshot.key.content.as_ref().map(generation));
        assert_ne!(seen, (Ok(1), Ok(1)));
        if seen == (Ok(2), Ok(2)) {
            break;
        }
    }
}

#[tokio::test]
async fn a_hint_or_a_rescan_finds_what_no_event_told() {
    // Renaming a grandparent touches no directory that is watched.
    let root = tempfile::tempdir().unwrap();
    let make = |name: &str, n: u32| {
        let dir = root.path().join(name).join("b/tls");
        fs::create_dir_all(&dir).unwrap();
        write_pair(&dir, n);
    };
    make("a", 1);
    let at = sources(&root.path().join("a/b/tls"));
    let mut hinted = Watched::start(at.clone());
    let rescan = Duration::from_millis(50);
    let mut rescanning = Watched::with(at, Pace { rescan, ..BRISK }, Box::new(open_inotify));
    hinted.until(1).await;
    rescanning.until(1).await;
    hinted.mode().await;
    make("next", 2);
    fs::rename(root.path().join("a"), root.path().join("old")).unwrap();
    fs::rename(root.path().join("next"), root.path().join("a")).unwrap();
    rescanning.until(2).await;
    hinted.hints.send(LookAgain).await.unwrap();
    hinted.until(2).await;
}

#[tokio::test]
async fn watch_ends_when_nobody_listens() {
    let (_dir, mut watched) = watched_pair().await;
    watched.events.close();
    timeout(DEADLINE, &mut watched.task).await.expect("it ends").unwrap();
}
