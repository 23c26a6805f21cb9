//! What inotify answers, and where a directory lies → why changes must be polled for, as a `watch-unavailable` finding that names the
//! limit to raise.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use notify::ErrorKind;

use crate::diagnosis::{Code, Finding};

/// Why inotify does not serve.
#[derive(Debug)]
pub(super) enum Trouble {
    /// No instance could be had.
    Instance(String),
    /// `fs.inotify.max_user_watches` is reached.
    Watches(PathBuf),
    /// This directory cannot be watched.
    Folder(PathBuf, String),
    /// It is on a network file system of this kind.
    Network(PathBuf, &'static str),
}

impl Trouble {
    pub(super) fn of(error: &notify::Error, path: Option<&Path>) -> Trouble {
        let reason = match &error.kind {
            ErrorKind::Io(error) => error.to_string(),
            ErrorKind::Generic(_)
            | ErrorKind::PathNotFound
            | ErrorKind::WatchNotFound
            | ErrorKind::InvalidConfig(_)
            | ErrorKind::MaxFilesWatch => error.to_string(),
        };
        match (&error.kind, path) {
            (ErrorKind::MaxFilesWatch, Some(path)) => Trouble::Watches(path.to_owned()),
            (_, Some(path)) => Trouble::Folder(path.to_owned(), reason),
            (ErrorKind::Io(error), None) if is_limit(error) => {
                Trouble::Instance(exhausted("fs.inotify.max_user_instances, or the limit of open files,", "max_user_instances"))
            }
            (_, None) => Trouble::Instance(reason),
        }
    }

    pub(super) fn finding(&self) -> Finding {
        let finding = Finding::new(Code::WatchUnavailable);
        match self {
            Trouble::Instance(reason) => finding.with("reason", reason.as_str()),
            Trouble::Watches(path) => {
                finding.with("path", path.as_path()).with("reason", exhausted("fs.inotify.max_user_watches", "max_user_watches"))
            }
            Trouble::Network(path, kind) => {
                finding.with("path", path.as_path()).with("reason", format!("{kind} does not tell of changes made elsewhere"))
            }
            Trouble::Folder(path, reason) => finding.with("path", path.as_path()).with("reason", reason.as_str()),
        }
    }
}

fn is_limit(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error())
}

/// The setting that is exhausted, with its value where the system tells it.
fn exhausted(what: &str, setting: &str) -> String {
    match fs::read_to_string(Path::new("/proc/sys/fs/inotify").join(setting)) {
        Ok(value) => format!("{what} is reached ({setting} = {})", value.trim()),
        Err(_) => format!("{what} is reached"),
    }
}

/// The network file system that holds `path`, by the magic numbers of `statfs(2)`: it tells nothing of what other machines change.
pub(super) fn network(path: &Path) -> Option<&'static str> {
    // The magic is 32 bits wide, whatever the width of the field.
    let magic = u32::try_from(u64::try_from(rustix::fs::statfs(path).ok()?.f_type).ok()? & 0xFFFF_FFFF).ok()?;
    NETWORKS.iter().find(|(known, _)| *known == magic).map(|(_, name)| *name)
}

const NETWORKS: &[(u32, &str)] = &[
    (0x0000_6969, "NFS"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB"),
    (0x0000_517B, "SMB"),
    (0x6573_5546, "FUSE"),
    (0x0102_1997, "9P"),
    (0x00C3_6400, "Ceph"),
    (0x5346_414F, "AFS"),
    (0x0116_1970, "GFS2"),
    (0x7461_636F, "OCFS2"),
    (0x0BD0_0BD0, "Lustre"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_the_system_are_named_by_their_settings() {
        let limit = Trouble::of(&notify::Error::io(io::Error::from_raw_os_error(rustix::io::Errno::MFILE.raw_os_error())), None);
        let watches = Trouble::of(&notify::Error::new(ErrorKind::MaxFilesWatch), Some(Path::new("/tls")));
        for (trouble, setting) in [(limit, "max_user_instances"), (watches, "max_user_watches")] {
            let finding = trouble.finding();
            assert_eq!(finding.code, Code::WatchUnavailable);
            assert!(finding.get("reason").is_some_and(|reason| reason.to_string().contains(setting)), "{setting}");
        }
    }

    #[test]
    fn file_systems_of_this_machine_are_not_taken_for_network_ones() {
        assert_eq!(network(Path::new("/proc")), None);
        assert_eq!(network(&std::env::temp_dir()), None);
    }
}
