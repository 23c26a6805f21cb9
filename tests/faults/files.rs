//! Faults of the files: bad material, slow and broken writers, folders and mounts that change beneath the agent, and a clock that jumps.

use std::{
    cell::RefCell,
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::{PermissionsExt as _, chown, symlink},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use starkeeper::clock;
use tempfile::TempDir;

use super::{
    stage::{Fault, NAMES, Stage, fault},
    support::{
        asterisk::{BOTH, Version::V16},
        certs::{Authority, Pair, Writing, odd},
    },
};

const SERVED_MEANWHILE: &[&str] = &["Rejected"];
const DAY: Duration = Duration::from_secs(86_400);

pub(crate) fn faults() -> Vec<Fault> {
    let mut faults = material();
    faults.extend(no_files());
    faults.extend(writers());
    faults.extend(places());
    faults.extend(clocks());
    faults
}

/// A pair lies there that must not be loaded; then a good one comes.
fn bad(name: &'static str, codes: &'static [&'static str], put: impl Fn(&Stage) + Send + Sync + 'static) -> Fault {
    fault(name, SERVED_MEANWHILE, codes).make(move |stage| put(stage)).mend(Stage::rotate)
}

fn material() -> Vec<Fault> {
    vec![
        bad("certificate missing", &["cert-missing"], |stage| fs::remove_file(stage.asterisk.cert()).unwrap()).on(&[V16]),
        bad("key missing", &["key-missing"], |stage| fs::remove_file(stage.asterisk.key()).unwrap()),
        bad("certificate empty", &["cert-empty"], |stage| stage.put(&stage.new_pair().with_cert(""))).on(&[V16]),
        bad("key empty", &["key-empty"], |stage| stage.put(&stage.new_pair().with_key(""))),
        bad("certificate is no PEM", &["cert-not-pem"], |stage| stage.put(&stage.new_pair().with_cert("certificate\n"))).on(&[V16]),
        bad("certificate is DER", &["cert-is-der"], |stage| {
            fs::write(stage.asterisk.cert(), odd::cert_der(&stage.new_pair())).unwrap();
        }),
        bad("key where the certificate belongs", &["cert-is-key"], |stage| {
            let pair = stage.new_pair();
            stage.put(&pair.with_cert(pair.key_pem.clone()));
        })
        .on(&[V16]),
        bad("certificate where the key belongs", &["key-is-cert"], |stage| {
            let pair = stage.new_pair();
            stage.put(&pair.with_key(pair.cert_pem.clone()));
        }),
        bad("key encrypted", &["key-encrypted"], |stage| stage.put(&odd::encrypted_pkcs8(&stage.new_pair()))).on(&[V16]),
        bad("key of another certificate", &["key-mismatch"], |stage| stage.put(&stage.new_pair().with_key_of(&stage.new_pair()))).on(&BOTH),
        bad("RSA 1024", &["key-weak"], |stage| stage.put(&odd::rsa_1024())).on(&[V16]),
        bad("expired while a better one is served", &["leaf-expired"], |stage| {
            stage.put(&Authority::new().leaf(&NAMES).expired(DAY).issue());
        }),
    ]
}

/// Where the certificate belongs lies something that is no file, or has no end.
fn no_files() -> Vec<Fault> {
    let instead = |name, codes, put: fn(&Path)| {
        bad(name, codes, move |stage| {
            fs::remove_file(stage.asterisk.cert()).unwrap();
            put(stage.asterisk.cert());
        })
    };
    vec![
        instead("certificate is a link to nothing", &["cert-missing"], |path| symlink("nothing", path).unwrap()),
        instead("certificate is a link to itself", &["cert-unreadable"], |path| symlink(path, path).unwrap()).on(&[V16]),
        instead("certificate is a folder", &["cert-unreadable"], |path| fs::create_dir(path).unwrap()).mend(|stage| {
            fs::remove_dir(stage.asterisk.cert()).unwrap();
            stage.rotate();
        }),
        instead("certificate is a pipe that nobody writes", &["cert-unreadable"], |path| run(Command::new("mkfifo").arg(path))).on(&[V16]),
        instead("certificate has no end", &["cert-unreadable", "cert-not-pem"], |path| symlink("/dev/zero", path).unwrap()),
        instead("certificate of a terabyte", &["cert-unreadable", "cert-not-pem"], |path| {
            fs::File::create(path).unwrap().set_len(1 << 40).unwrap();
        })
        .on(&[V16]),
    ]
}

fn writers() -> Vec<Fault> {
    vec![
        // Harmless when it ends well: what matters is that no half of it was ever loaded.
        fault("writer pauses at every line of PEM", &["Rejected", "Serving"], &[])
            .on(&BOTH)
            .make(|stage| {
                let pair = stage.new_pair();
                stage.wanted = pair.clone();
                let (cert, key) = (stage.asterisk.cert().to_owned(), stage.asterisk.key().to_owned());
                stage.held.push(Box::new(thread::spawn(move || {
                    slowly(&cert, &pair.cert_pem, |byte| if byte == b'\n' { 120 } else { 0 });
                    slowly(&key, &pair.key_pem, |byte| if byte == b'\n' { 400 } else { 0 });
                })));
            })
            .mend(join),
        fault("writer writes byte by byte", &["Rejected", "Serving"], &[])
            .on(&BOTH)
            .make(|stage| {
                let pair = stage.new_pair();
                stage.wanted = pair.clone();
                let (cert, key) = (stage.asterisk.cert().to_owned(), stage.asterisk.key().to_owned());
                stage.held.push(Box::new(thread::spawn(move || {
                    slowly(&key, &pair.key_pem, |_| 2);
                    slowly(&cert, &pair.cert_pem, |_| 2);
                })));
            })
            .mend(join),
        // Between two lines each half is a whole file to whoever looks: none of the thirty may be loaded.
        fault("writer closes after every line of PEM", &["Rejected", "Serving"], &[])
            .on(&BOTH)
            .make(|stage| {
                let pair = stage.new_pair();
                stage.wanted = pair.clone();
                let files = [(stage.asterisk.key().to_owned(), pair.key_pem), (stage.asterisk.cert().to_owned(), pair.cert_pem)];
                stage.held.push(Box::new(thread::spawn(move || {
                    for (path, text) in files {
                        fs::write(&path, "").unwrap();
                        for line in text.split_inclusive('\n') {
                            thread::sleep(Duration::from_millis(150));
                            OpenOptions::new().append(true).open(&path).unwrap().write_all(line.as_bytes()).unwrap();
                        }
                    }
                })));
            })
            .lasts(Duration::from_secs(3))
            .mend(join),
        fault("writer of the key is late", &["Rejected"], &["pair-torn"])
            .on(&BOTH)
            .make(|stage| {
                stage.wanted = stage.new_pair();
                fs::write(stage.asterisk.cert(), &stage.wanted.cert_pem).unwrap();
            })
            .mend(|stage| fs::write(stage.asterisk.key(), &stage.wanted.key_pem).unwrap()),
        fault("writer died in the midst of the certificate", &["Rejected"], &["cert-not-pem", "key-mismatch", "pair-torn"])
            .on(&[V16])
            .make(|stage| {
                let pair = stage.new_pair();
                fs::write(stage.asterisk.key(), &pair.key_pem).unwrap();
                fs::write(stage.asterisk.cert(), &pair.cert_pem[..pair.cert_pem.len() / 3]).unwrap();
                stage.wanted = pair;
            })
            .mend(|stage| fs::write(stage.asterisk.cert(), &stage.wanted.cert_pem).unwrap()),
        fault("chain cut after the leaf, then whole", &["Serving", "Proving", "Reloading"], &[])
            .make(|stage| {
                let pair = stage.new_pair();
                let leaf = pair.cert_pem.find("-----END CERTIFICATE-----").unwrap() + "-----END CERTIFICATE-----\n".len();
                stage.put(&pair.with_cert(&pair.cert_pem[..leaf]));
                stage.wanted = pair;
            })
            .mend(|stage| fs::write(stage.asterisk.cert(), &stage.wanted.cert_pem).unwrap()),
    ]
}

/// Truncates, and writes one byte at a time, as slowly as `pause` says of each in milliseconds.
fn slowly(path: &Path, text: &str, pause: impl Fn(u8) -> u64) {
    let mut file = OpenOptions::new().write(true).truncate(true).open(path).unwrap();
    for byte in text.bytes() {
        file.write_all(&[byte]).unwrap();
        match pause(byte) {
            0 => {}
            millis => thread::sleep(Duration::from_millis(millis)),
        }
    }
}

fn join(stage: &mut Stage) {
    for held in stage.held.drain(..) {
        held.downcast::<thread::JoinHandle<()>>().unwrap().join().unwrap();
    }
}

fn places() -> Vec<Fault> {
    vec![
        fault("no space left for what is written", SERVED_MEANWHILE, &["cert-empty", "cert-not-pem", "key-mismatch", "pair-torn"])
            .build(|builder| {
                // Before Asterisk starts, so that its mounts have it too.
                let at = tempfile::Builder::new().prefix("starkeeper-faults-").tempdir_in("/dev/shm").unwrap();
                run(Command::new("mount").args(["-t", "tmpfs", "-o", "size=32k", "starkeeper-faults"]).arg(at.path()));
                SMALL.with_borrow_mut(|small| *small = Some((Mount { at: at.path().to_owned() }, at)));
                builder
            })
            .before(|stage| {
                let (mount, folder) = SMALL.take().unwrap();
                lay_over(stage, folder.path(), &stage.first);
                stage.held.push(Box::new((Mount { at: stage.asterisk.tls() }, mount, folder)));
            })
            .make(|stage| {
                // The disk is full of something else: a writer in place loses what was there.
                let mut filler =
                    OpenOptions::new().create(true).write(true).truncate(true).open(stage.asterisk.tls().join("filler")).unwrap();
                while filler.write_all(&[0; 4096]).is_ok() {}
                let pair = stage.new_pair();
                let long = format!("{}{}", pair.cert_pem, Authority::new().root_pem.repeat(9));
                let full = fs::write(stage.asterisk.cert(), &long).unwrap_err();
                assert_eq!(full.kind(), ErrorKind::StorageFull);
            })
            .mend(|stage| {
                fs::remove_file(stage.asterisk.tls().join("filler")).unwrap();
                let pair = stage.new_pair();
                fs::write(stage.asterisk.key(), &pair.key_pem).unwrap();
                fs::write(stage.asterisk.cert(), &pair.cert_pem).unwrap();
                stage.wanted = pair;
            }),
        fault("key taken from Asterisk's user", SERVED_MEANWHILE, &["key-unreadable"])
            .on(&BOTH)
            .settings(|asterisk, text| {
                text.replacen("asterisk:", &format!("asterisk:\n  user: {{uid: {}, gid: {}}}", asterisk.uid, asterisk.gid), 1)
            })
            .make(|stage| {
                chown(stage.asterisk.key(), Some(0), Some(0)).unwrap();
                fs::set_permissions(stage.asterisk.key(), fs::Permissions::from_mode(0o600)).unwrap();
            })
            .mend(|stage| readable(stage)),
        fault("folder deleted and made again", SERVED_MEANWHILE, &["cert-missing"])
            .on(&BOTH)
            .make(|stage| fs::remove_dir_all(stage.asterisk.tls()).unwrap())
            .mend(|stage| {
                fs::create_dir(stage.asterisk.tls()).unwrap();
                stage.rotate();
                readable(stage);
            }),
        fault("folder replaced by another of its name", &["Serving"], &[]).on(&[V16]).make(|stage| {
            let tls = stage.asterisk.tls();
            let (beside, pair) = (tls.with_file_name("beside"), stage.new_pair());
            fs::create_dir(&beside).unwrap();
            pair.write(&beside, Writing::CertThenKey);
            chown(beside.join("tls.key"), None, Some(stage.asterisk.gid)).unwrap();
            fs::rename(&tls, tls.with_file_name("former")).unwrap();
            fs::rename(&beside, &tls).unwrap();
            readable(stage);
            stage.wanted = pair;
        }),
        // Where Asterisk reads the very files that are written, the next writer can come between the last look and Asterisk's own
        // reading: dark for a moment, and healed. Staged mode has no such moment, and holds to it.
        fault("renewed forty times in a row", &["Serving", "Proving", "Reloading"], &[]).on(&BOTH).make(forty).not_by_the_agent(),
        fault("another volume mounted over the folder", &["Serving"], &[])
            .on(&BOTH)
            .make(|stage| {
                let pair = stage.new_pair();
                let volume = tempfile::Builder::new().prefix("starkeeper-faults-").tempdir_in("/dev/shm").unwrap();
                lay_over(stage, volume.path(), &pair);
                stage.held.push(Box::new((Mount { at: stage.asterisk.tls() }, volume)));
                stage.wanted = pair;
            })
            .mend(|_| {}),
        fault("volume that Asterisk does not see", &["Proving", "Reloading"], &["tls-serves-other"])
            .long()
            .make(|stage| {
                let former = stage.wanted.clone();
                stage.held.push(Box::new(Mount::for_the_agent(&stage.asterisk.tls())));
                stage.rotate();
                stage.wanted = former;
            })
            .lasts(Duration::from_secs(5))
            .mend(|stage| stage.held.clear()),
        fault("file mounted by itself, as subPath does", &["Serving"], &["file-mount"])
            .before(|stage| {
                for file in ["tls.crt", "tls.key"] {
                    let source = stage.asterisk.folder().join(file);
                    fs::copy(stage.asterisk.tls().join(file), &source).unwrap();
                    stage.held.push(Box::new(Mount::file(&source, &stage.asterisk.tls().join(file))));
                }
            })
            // What is mounted is the old file for ever: the new one is not seen by anybody.
            .make(|stage| {
                let pair = stage.new_pair();
                for (file, text) in [("tls.crt", &pair.cert_pem), ("tls.key", &pair.key_pem)] {
                    fs::write(stage.asterisk.folder().join("beside"), text).unwrap();
                    fs::rename(stage.asterisk.folder().join("beside"), stage.asterisk.folder().join(file)).unwrap();
                }
            })
            .mend(|stage| {
                stage.held.clear();
                stage.rotate();
            }),
    ]
}

fn clocks() -> Vec<Fault> {
    const YEAR: i64 = 365 * 86_400;
    vec![
        fault("clock leaps a year ahead", &["Serving"], &["clock-skewed"])
            .make(|stage| stage.world.wall_clock_off_by(YEAR))
            .lasts(Duration::from_secs(3))
            .mend(|stage| {
                stage.world.wall_clock_off_by(0);
                stage.rotate();
            }),
        fault("clock falls back a year", &["Serving"], &["clock-skewed"])
            .on(&[V16])
            .make(|stage| stage.world.wall_clock_off_by(-YEAR))
            .mend(|stage| {
                stage.world.wall_clock_off_by(0);
                stage.rotate();
            }),
        fault("expiry is reached", &["Serving"], &["leaf-expired"])
            .on(&BOTH)
            .before(|stage| {
                let pair = Authority::new().leaf(&NAMES).valid(clock::wall() - DAY * 80, clock::wall() + DAY * 10).issue();
                stage.put(&pair);
                stage.asterisk.manager().reload("http").unwrap();
                stage.wanted = pair;
            })
            .make(|stage| stage.world.wall_clock_off_by(11 * 86_400))
            .mend(Stage::rotate),
    ]
}

/// Forty pairs, one right after the other.
pub(crate) fn forty(stage: &mut Stage) {
    for _ in 0..40 {
        stage.rotate();
    }
}

/// As a volume with fsGroup is.
fn readable(stage: &Stage) {
    let tls = stage.asterisk.tls();
    for path in [tls.clone(), stage.asterisk.cert().to_owned(), stage.asterisk.key().to_owned()] {
        chown(&path, None, Some(stage.asterisk.gid)).unwrap();
    }
    fs::set_permissions(&tls, fs::Permissions::from_mode(0o2755)).unwrap();
    fs::set_permissions(stage.asterisk.key(), fs::Permissions::from_mode(0o640)).unwrap();
}

/// Another volume, with this pair on it, comes to lie over the watched folder, for the agent as for Asterisk.
fn lay_over(stage: &Stage, volume: &Path, pair: &Pair) {
    fs::write(volume.join("tls.crt"), &pair.cert_pem).unwrap();
    fs::write(volume.join("tls.key"), &pair.key_pem).unwrap();
    let at = stage.asterisk.tls();
    // Asterisk's mounts are its own; what lies below /dev/shm is in both.
    let inside = format!("{}{}", stage.asterisk.version.root().display(), at.display());
    run(Command::new("nsenter")
        .args(["--target", &stage.asterisk.pid().to_string(), "--mount", "--", "mount", "--bind"])
        .args([volume, Path::new(&inside)]));
    run(Command::new("mount").arg("--bind").args([volume, &at]));
    readable(stage);
}

thread_local! {
    /// From the making of an Asterisk to its scene, both on one thread.
    static SMALL: RefCell<Option<(Mount, TempDir)>> = const { RefCell::new(None) };
}

/// A mount, gone on drop.
#[derive(Debug)]
struct Mount {
    at: PathBuf,
}

impl Mount {
    /// A volume of its own over the folder, which the agent alone sees.
    fn for_the_agent(at: &Path) -> Self {
        run(Command::new("mount").args(["-t", "tmpfs", "starkeeper-faults"]).arg(at));
        Self { at: at.to_owned() }
    }

    /// One file over another.
    fn file(source: &Path, at: &Path) -> Self {
        run(Command::new("mount").arg("--bind").arg(source).arg(at));
        Self { at: at.to_owned() }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.at).status();
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
