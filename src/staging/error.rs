//! What the file system refused → [`StagingError`], and that → a `Finding` with the file, what was expected and what was found.

use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::hands::Step;
use crate::diagnosis::{Code, Finding};

/// Why a pair could not be published. What stood before still stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StagingError {
    /// More than the last component of the directory is missing, so it may be a mount that is not there: nothing is created.
    #[error("publish into {directory}: the folder above it does not exist")]
    DirectoryMissing {
        /// As configured.
        directory: PathBuf,
    },
    /// Something that is not ours has a name that we need.
    #[error("use {path}: it is {found}, and not {expected}")]
    Foreign {
        /// What is in the way.
        path: PathBuf,
        /// What would be ours.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The file system, or a quota, is full (ENOSPC, EDQUOT).
    #[error("{step} ({path}): {found}")]
    NoSpace {
        /// What did not fit.
        path: PathBuf,
        /// What was tried.
        step: String,
        /// In the system's words.
        found: String,
    },
    /// The file system is mounted read-only (EROFS).
    #[error("{step} ({path}): {found}")]
    ReadOnly {
        /// What could not be changed.
        path: PathBuf,
        /// What was tried.
        step: String,
        /// In the system's words.
        found: String,
    },
    /// The agent's user may not do it (EACCES, EPERM).
    #[error("{step} ({path}): {found}")]
    NotPermitted {
        /// What could not be changed.
        path: PathBuf,
        /// What was tried.
        step: String,
        /// In the system's words, with the agent's user and group.
        found: String,
    },
    /// Another process is publishing into the same directory.
    #[error("publish into {directory}: another process is publishing there")]
    Busy {
        /// As configured.
        directory: PathBuf,
    },
    /// The snapshot has no certificate or no key to publish.
    #[error("publish {path}: {found}")]
    Unfit {
        /// The watched file.
        path: PathBuf,
        /// What it is or has; never its content.
        found: String,
    },
    /// Anything else that the system says.
    #[error("{step} ({path}): {found}")]
    Io {
        /// What could not be changed.
        path: PathBuf,
        /// What was tried.
        step: String,
        /// In the system's words.
        found: String,
    },
}

impl StagingError {
    /// What it means to a person, with `file`, `expected` and `found`.
    pub fn finding(&self) -> Finding {
        let (code, file, expected, found) = match self {
            StagingError::DirectoryMissing { directory } => {
                (Code::PublishDirectoryMissing, directory, "the folder above it exists", "it does not")
            }
            StagingError::Foreign { path, expected, found } => (Code::PublishForeignFile, path, expected.as_str(), found.as_str()),
            StagingError::NoSpace { path, step, found } => (Code::PublishNoSpace, path, step.as_str(), found.as_str()),
            StagingError::ReadOnly { path, step, found } => (Code::PublishReadOnly, path, step.as_str(), found.as_str()),
            StagingError::NotPermitted { path, step, found } => (Code::PublishNotPermitted, path, step.as_str(), found.as_str()),
            StagingError::Busy { directory } => {
                (Code::PublishFailed, directory, "one process publishes at a time", "another process is publishing there")
            }
            StagingError::Unfit { path, found } => {
                (Code::PublishFailed, path, "certificates and a private key in PEM, each in whole blocks", found.as_str())
            }
            StagingError::Io { path, step, found } => (Code::PublishFailed, path, step.as_str(), found.as_str()),
        };
        Finding::new(code).with("file", file.as_path()).with("expected", expected).with("found", found)
    }

    pub(super) fn of(step: Step, path: &Path, errno: Errno) -> StagingError {
        let (path, step, found) = (path.to_owned(), step.to_string(), errno.to_string());
        match errno {
            Errno::NOSPC | Errno::DQUOT => StagingError::NoSpace { path, step, found },
            Errno::ROFS => StagingError::ReadOnly { path, step, found },
            Errno::PERM | Errno::ACCESS => {
                let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
                let found = format!("{found}, as user {uid} and group {gid}", uid = uid.as_raw(), gid = gid.as_raw());
                StagingError::NotPermitted { path, step, found }
            }
            _ => StagingError::Io { path, step, found },
        }
    }
}
