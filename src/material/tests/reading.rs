//! One reading: whole, of one generation, with the way to it; and what is refused.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use super::*;
use crate::material::read;

#[test]
fn unchanged_tells_whether_the_bytes_are_still_the_same() {
    let dir = tempfile::tempdir().unwrap();
    write_pair(dir.path(), 1);
    let snapshot = capture_pair(&sources(dir.path()));
    assert!(unchanged(&snapshot));
    write_pair(dir.path(), 2);
    assert!(!unchanged(&snapshot));
    write_pair(dir.path(), 1);
    assert!(unchanged(&snapshot));
}

#[test]
fn coherent_reading_never_mixes_two_generations() {
    let mount = tempfile::tempdir().unwrap();
    kubelet_swap(mount.path(), 1);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            (2..600).for_each(|n| kubelet_swap(mount.path(), n));
            done.store(true, Ordering::Release);
        });
        let mut coherent = 0;
        while !done.load(Ordering::Acquire) {
            let reading = read::Reading::take(&sources(mount.path()));
            if reading.coherent {
                let Snapshot { cert, key } = reading.snapshot;
                assert_eq!(cert.content.as_ref().map(generation), key.content.as_ref().map(generation));
                coherent += 1;
            }
        }
        assert!(coherent > 0);
    });
}

#[test]
fn what_is_not_a_readable_file_is_named_and_never_blocks() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    let at = |name: &str| root.join(name);
    rustix::fs::mknodat(rustix::fs::CWD, at("fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    fs::create_dir(at("folder")).unwrap();
    fs::write(at("large"), vec![b'A'; (1 << 20) + 1]).unwrap();
    fs::write(at("largest"), vec![b'A'; 1 << 20]).unwrap();
    fs::write(at("empty"), "").unwrap();
    symlink("loop", at("loop")).unwrap();
    symlink("absent/below", at("dangling")).unwrap();
    let read = |path: PathBuf| capture_pair(&Sources { cert: path, key: at("empty") }).cert.content.map(|content| content.bytes().len());
    assert_eq!(read(at("fifo")), Err(ReadFault::NotAFile));
    assert_eq!(read(at("socket")), Err(ReadFault::NotAFile));
    assert_eq!(read("/dev/zero".into()), Err(ReadFault::NotAFile));
    assert_eq!(read(at("folder")), Err(ReadFault::NotAFile));
    assert_eq!(read("/".into()), Err(ReadFault::NotAFile));
    assert_eq!(read(at("large")), Err(ReadFault::TooLarge { limit: 1 << 20 }));
    assert_eq!(read(at("largest")), Ok(1 << 20));
    assert_eq!(read(at("empty")), Ok(0));
    assert!(matches!(read(at("loop")), Err(ReadFault::Other(_))));
    assert!(matches!(read(at("large/below")), Err(ReadFault::Other(_))));
    assert_eq!(read(at("dangling")), Err(ReadFault::Missing { nearest: root.clone() }));
    assert_eq!(read(at("folder/a/b/c")), Err(ReadFault::Missing { nearest: at("folder") }));
    assert_eq!(read(at("folder/../empty")), Ok(0));
    assert_eq!(read("/proc/self/limits".into()).map(|length| length > 100), Ok(true));
}

#[test]
fn way_names_every_directory_behind_links_with_modes_and_acls() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    let (live, archive) = (root.join("live"), root.join("archive"));
    fs::create_dir(&live).unwrap();
    fs::create_dir(&archive).unwrap();
    write_pair(&archive, 1);
    for file in ["tls.crt", "tls.key"] {
        symlink(Path::new("../archive").join(file), live.join(file)).unwrap();
    }
    fs::set_permissions(&archive, fs::Permissions::from_mode(0o710)).unwrap();
    fs::set_permissions(archive.join("tls.key"), fs::Permissions::from_mode(0o640)).unwrap();
    // Version 2; owner rw-, user 101 r--, group r--, mask r--, others ---.
    let entries: [(u16, u16, u32); 5] = [(1, 6, u32::MAX), (2, 4, 101), (4, 4, u32::MAX), (16, 4, u32::MAX), (32, 0, u32::MAX)];
    let entry = |(tag, perm, id): &(u16, u16, u32)| [&tag.to_le_bytes()[..], &perm.to_le_bytes()[..], &id.to_le_bytes()[..]].concat();
    let acl = [2_u32.to_le_bytes().to_vec(), entries.iter().flat_map(entry).collect()].concat();
    let name = "system.posix_acl_access";
    rustix::fs::setxattr(archive.join("tls.key"), name, &acl, rustix::fs::XattrFlags::empty()).unwrap();

    let snapshot = capture_pair(&sources(&live));
    let places: Vec<_> = snapshot.key.way.iter().map(|node| node.path.clone()).collect();
    assert_eq!(places.first(), Some(&PathBuf::from("/")));
    assert!(places.ends_with(&[root.clone(), live, archive.clone(), archive.join("tls.key")]));
    let node = |path: &Path| snapshot.key.way.iter().find(|node| node.path == path).unwrap().clone();
    assert_eq!((node(&archive).mode, node(&archive).acl), (0o710, None));
    assert_eq!((node(&archive.join("tls.key")).mode, node(&archive.join("tls.key")).acl), (0o640, Some(acl)));
}
