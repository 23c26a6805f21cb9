//! How a pair comes to lie on disk: the ways of writing that are met in the wild, and the layout that each of them keeps. Keys are
//! written 0640: a setgid folder (as a volume with fsGroup is) gives them the group that Asterisk reads by.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::Pair;

/// Where the two files stand below a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// `tls.crt` and `tls.key`, plain files.
    #[default]
    Plain,
    /// A mounted Secret: `tls.crt` → `..data/tls.crt`, `..data` → a folder named after the time.
    DataSwap,
    /// Certbot's: `live/pbx/fullchain.pem` → `../../archive/pbx/fullchain1.pem`.
    Certbot,
}

impl Layout {
    /// The certificate's path.
    pub fn cert(self, folder: &Path) -> PathBuf {
        match self {
            Self::Plain | Self::DataSwap => folder.join("tls.crt"),
            Self::Certbot => folder.join("live/pbx/fullchain.pem"),
        }
    }

    /// The key's path.
    pub fn key(self, folder: &Path) -> PathBuf {
        match self {
            Self::Plain | Self::DataSwap => folder.join("tls.key"),
            Self::Certbot => folder.join("live/pbx/privkey.pem"),
        }
    }

    /// The first pair, before anybody looks.
    pub fn lay(self, folder: &Path, pair: &Pair) {
        match self {
            Self::Plain => pair.write(folder, Writing::CertThenKey),
            Self::DataSwap => pair.write(folder, Writing::DataSwap),
            Self::Certbot => pair.write(folder, Writing::CertbotLinks),
        }
    }
}

/// The order of system calls by which a pair replaces another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// Both in place, certificate first.
    CertThenKey,
    /// Both in place, key first.
    KeyThenCert,
    /// Certificate, a pause, key.
    Apart(Duration),
    /// Each to a temporary file, then renamed over the old one.
    Renames,
    /// As kubelet does: a new folder, then `..data` renamed to point to it, then the old folder removed.
    DataSwap,
    /// As Certbot does: new numbered files in `archive`, then each link in `live` replaced.
    CertbotLinks,
}

impl Writing {
    /// The layout that it keeps.
    pub fn layout(self) -> Layout {
        match self {
            Self::CertThenKey | Self::KeyThenCert | Self::Apart(_) | Self::Renames => Layout::Plain,
            Self::DataSwap => Layout::DataSwap,
            Self::CertbotLinks => Layout::Certbot,
        }
    }
}

impl Pair {
    /// Writes both files below `folder`; where nothing lies there yet, the layout is made first.
    pub fn write(&self, folder: &Path, how: Writing) {
        let cert = how.layout().cert(folder);
        let key = how.layout().key(folder);
        // Who holds a key is written as a key.
        let cert_mode = if self.cert_pem.contains("PRIVATE KEY") { KEY_MODE } else { CERT_MODE };
        match how {
            Writing::CertThenKey => {
                put(&cert, &self.cert_pem, cert_mode);
                put(&key, &self.key_pem, KEY_MODE);
            }
            Writing::KeyThenCert => {
                put(&key, &self.key_pem, KEY_MODE);
                put(&cert, &self.cert_pem, cert_mode);
            }
            Writing::Apart(pause) => {
                put(&cert, &self.cert_pem, cert_mode);
                thread::sleep(pause);
                put(&key, &self.key_pem, KEY_MODE);
            }
            Writing::Renames => {
                for (path, text, mode) in [(&cert, &self.cert_pem, cert_mode), (&key, &self.key_pem, KEY_MODE)] {
                    let beside = path.with_extension("new");
                    put(&beside, text, mode);
                    fs::rename(&beside, path).unwrap();
                }
            }
            Writing::DataSwap => self.swap_data(folder),
            Writing::CertbotLinks => self.turn_links(folder),
        }
    }

    fn swap_data(&self, folder: &Path) {
        let data = folder.join("..data");
        let old = fs::read_link(&data).ok();
        let generation = (0..).map(|count| format!("..2026_01_01_00_00_00.{count:09}")).find(|name| !folder.join(name).exists()).unwrap();
        fs::create_dir(folder.join(&generation)).unwrap();
        put(&folder.join(&generation).join("tls.crt"), &self.cert_pem, CERT_MODE);
        put(&folder.join(&generation).join("tls.key"), &self.key_pem, KEY_MODE);
        point(&data, &generation, "..data_tmp");
        for name in ["tls.crt", "tls.key"] {
            if fs::symlink_metadata(folder.join(name)).is_err() {
                symlink(Path::new("..data").join(name), folder.join(name)).unwrap();
            }
        }
        if let Some(old) = old {
            fs::remove_dir_all(folder.join(old)).unwrap();
        }
    }

    fn turn_links(&self, folder: &Path) {
        let archive = folder.join("archive/pbx");
        fs::create_dir_all(&archive).unwrap();
        fs::create_dir_all(folder.join("live/pbx")).unwrap();
        let number = (1..).find(|number| !archive.join(format!("privkey{number}.pem")).exists()).unwrap();
        for (name, text, mode) in [("privkey", &self.key_pem, KEY_MODE), ("fullchain", &self.cert_pem, CERT_MODE)] {
            put(&archive.join(format!("{name}{number}.pem")), text, mode);
        }
        for name in ["privkey", "fullchain"] {
            let link = folder.join(format!("live/pbx/{name}.pem"));
            // Certbot unlinks and links anew: for a moment there is nothing.
            let _ = fs::remove_file(&link);
            symlink(format!("../../archive/pbx/{name}{number}.pem"), link).unwrap();
        }
    }
}

/// Writes a file in place (the same inode, as `cp` and shell redirection do).
pub(super) fn put(path: &Path, text: impl AsRef<[u8]>, mode: u32) {
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(mode).open(path).unwrap();
    file.set_permissions(fs::Permissions::from_mode(mode)).unwrap();
    file.write_all(text.as_ref()).unwrap();
}

fn point(link: &Path, target: &str, temporary: &str) {
    let beside = link.with_file_name(temporary);
    symlink(target, &beside).unwrap();
    fs::rename(&beside, link).unwrap();
}

const CERT_MODE: u32 = 0o644;
const KEY_MODE: u32 = 0o640;
