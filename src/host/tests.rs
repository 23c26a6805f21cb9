//! The look around, where mounts are real: in a mount namespace of its own, by running this very test once more inside of it. Shows what the
//! kernel writes of single files, of folders and of what was replaced outside.

use std::{fs, os::unix::fs::symlink, path::Path};

use super::*;
use crate::{
    diagnosis::{Code, Severity},
    staging::tests::worlds::{self, mount},
};

/// Runs `body` where it may mount, in a folder of its own, as canonicalized paths have it whatever leads there.
fn in_a_folder(test: &str, body: impl FnOnce(&Path)) {
    worlds::where_mounts_are_private(&format!("host::tests::{test}"), || {
        let folder = tempfile::tempdir().unwrap();
        body(&folder.path().canonicalize().unwrap());
    });
}

fn bind(what: &Path, at: &Path) {
    mount(&["--bind", what.to_str().unwrap()], at);
}

/// What is said of the pair in a folder.
fn said(folder: &Path) -> Vec<(Code, Severity, String)> {
    let sources = Sources { cert: folder.join("tls.crt"), key: folder.join("tls.key") };
    let seen = look(&sources, None, None);
    assert_eq!(seen.suspicions, []);
    seen.findings.iter().map(|finding| (finding.code, finding.severity, finding.get("file").unwrap().to_string())).collect()
}

fn pair(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for name in ["tls.crt", "tls.key"] {
        fs::write(folder.join(name), name).unwrap();
    }
}

/// A Secret's volume as kubelet lays it: a tmpfs, `..data`, and one generation.
fn secret(folder: &Path, generation: &str) {
    pair(&folder.join(generation));
    symlink(generation, folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    for name in ["tls.crt", "tls.key"] {
        let _ = symlink(Path::new("..data").join(name), folder.join(name));
    }
}

#[test]
fn one_file_that_is_mounted_is_named_and_once_it_was_replaced_outside_it_is_an_error() {
    in_a_folder("one_file_that_is_mounted_is_named_and_once_it_was_replaced_outside_it_is_an_error", |folder| {
        // A blank in a path is one of the few that are escaped.
        let (home, tls) = (folder.join("ho me"), folder.join("t l s"));
        pair(&home);
        pair(&tls);
        assert_eq!(said(&tls), [], "nothing is mounted");
        bind(&home.join("tls.crt"), &tls.join("tls.crt"));
        let cert = tls.join("tls.crt").display().to_string();
        assert_eq!(said(&tls), [(Code::FileMount, Severity::Warning, cert.clone())]);
        // Written in place it arrives, and nothing is gone.
        fs::write(home.join("tls.crt"), "renewed").unwrap();
        assert_eq!(fs::read(tls.join("tls.crt")).unwrap(), b"renewed");
        assert_eq!(said(&tls), [(Code::FileMount, Severity::Warning, cert.clone())]);
        // Renamed into place it does not.
        fs::write(home.join("new"), "renewed again").unwrap();
        fs::rename(home.join("new"), home.join("tls.crt")).unwrap();
        assert_eq!(fs::read(tls.join("tls.crt")).unwrap(), b"renewed");
        assert_eq!(said(&tls), [(Code::FileMount, Severity::Error, cert)]);
    });
}

#[test]
fn a_secret_mounted_whole_says_nothing_and_a_subpath_of_it_is_named_for_file_and_folder() {
    in_a_folder("a_secret_mounted_whole_says_nothing_and_a_subpath_of_it_is_named_for_file_and_folder", |folder| {
        let (volume, first) = (folder.join("volume"), "..2026_11_23_04_30_12.3141592653");
        fs::create_dir(&volume).unwrap();
        mount(&["-t", "tmpfs", "-o", "size=1m", "tmpfs"], &volume);
        secret(&volume, first);
        let [whole, file, deep] = ["whole", "file", "deep"].map(|name| folder.join(name));
        for place in [&whole, &file, &deep] {
            pair(place);
        }
        bind(&volume, &whole);
        // kubelet resolves `subPath: tls.crt` before the container is started.
        bind(&volume.join("tls.crt").canonicalize().unwrap(), &file.join("tls.crt"));
        bind(&volume.join("..data").canonicalize().unwrap(), &deep);
        let named = |severity, place: &Path, name: &str| (Code::SubpathMount, severity, place.join(name).display().to_string());
        assert_eq!(said(&whole), []);
        assert_eq!(said(&file), [named(Severity::Warning, &file, "tls.crt")]);
        assert_eq!(said(&deep), ["tls.crt", "tls.key"].map(|name| named(Severity::Warning, &deep, name)));
        // The Secret rotates: what is mounted whole follows.
        secret(&volume, "..2026_11_24_04_30_12.2718281828");
        fs::remove_dir_all(volume.join(first)).unwrap();
        assert_eq!(said(&whole), []);
        assert_eq!(said(&file), [named(Severity::Error, &file, "tls.crt")]);
    });
}

#[test]
fn what_is_published_beside_all_volumes_of_a_container_is_suspected_and_on_a_volume_it_is_not() {
    in_a_folder("what_is_published_beside_all_volumes_of_a_container_is_suspected_and_on_a_volume_it_is_not", |folder| {
        let publish = Publish { directory: folder.join("published/tls"), uid: None, gid: None, mode: 0o440 };
        let sources = Sources { cert: folder.join("tls.crt"), key: folder.join("tls.key") };
        // What an engine does in its containers; the folder may lie on a disk of its own here.
        mount(&["-t", "tmpfs", "tmpfs"], Path::new("/mnt"));
        for name in ["hosts", "hostname"] {
            let at = Path::new("/etc").join(name);
            if !at.exists() {
                eprintln!("not shown: this machine has no {}", at.display());
                return;
            }
            fs::write(Path::new("/mnt").join(name), "").unwrap();
            bind(&Path::new("/mnt").join(name), &at);
        }
        let is_suspected = || look(&sources, Some(&publish), None).suspicions.iter().any(|found| found.code == Code::PublishNotShared);
        let on_the_root = mounts_of("self").of(folder).is_some_and(|mount| mount.point == Path::new("/"));
        assert_eq!(is_suspected(), on_the_root);
        fs::create_dir(folder.join("published")).unwrap();
        mount(&["-t", "tmpfs", "tmpfs"], &folder.join("published"));
        assert!(!is_suspected());
    });
}
