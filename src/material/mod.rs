//! A directory → [`Snapshot`]: one coherent generation of bytes. This file is what leaves the room; reading and watching stand beside it.

pub mod anchors;
mod inotify;
pub mod pem;
mod read;
mod settle;
#[cfg(test)]
mod tests;
mod unavailable;
mod walk;
mod watch;

pub use read::{capture_pair, unchanged};
pub use watch::{LookAgain, MaterialEvent, WatchMode, watch};

use std::{fmt, path::PathBuf, sync::Arc};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The two files that are watched. They may be one and the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// Certificate, leaf first, intermediates after it.
    pub cert: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// One generation of both files, read so that neither changed while the other was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The certificate file.
    pub cert: Capture,
    /// The key file.
    pub key: Capture,
}

impl Snapshot {
    /// What the generation is known by: equal exactly when both files' bytes (or the reasons why there are none) are equal.
    pub fn digest(&self) -> Digest {
        let mut hash = Sha256::new();
        for capture in [&self.cert, &self.key] {
            match &capture.content {
                Ok(content) => hash.update(content.digest().0),
                Err(fault) => hash.update(format!("{fault:?}")),
            }
            hash.update([0]);
        }
        Digest(hash.finalize().into())
    }
}

/// One file as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// As configured.
    pub path: PathBuf,
    /// Its bytes, or why there are none.
    pub content: Result<Content, ReadFault>,
    /// Who may read it: every directory that is walked on the way, `/` first, and last the file behind all links. Empty when it could
    /// not be walked.
    pub way: Vec<Node>,
}

/// Why a file gave no bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadFault {
    /// Nothing is there.
    #[error("no such file; the nearest folder that exists is {nearest}")]
    Missing {
        /// The deepest folder of the path that exists.
        nearest: PathBuf,
    },
    /// The agent itself may not read it.
    #[error("permission denied")]
    Denied,
    /// A directory, a socket, a device.
    #[error("it is not a file")]
    NotAFile,
    /// Larger than any certificate bundle is.
    #[error("it is larger than {limit} bytes")]
    TooLarge {
        /// In bytes.
        limit: u64,
    },
    /// Anything else that the system says.
    #[error("{0}")]
    Other(String),
}

/// Owner and permission of one file or directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Where it is, links resolved.
    pub path: PathBuf,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Permission bits (`0o7777`).
    pub mode: u32,
    /// The bytes of `system.posix_acl_access`, where there is an ACL.
    pub acl: Option<Vec<u8>>,
}

/// Bytes that may be a private key: wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Content(Arc<Zeroizing<Vec<u8>>>);

impl Content {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Content(Arc::new(Zeroizing::new(bytes)))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What they are known by.
    pub fn digest(&self) -> Digest {
        Digest(Sha256::digest(self.bytes()).into())
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// SHA-256 of a generation or of a file: tells whether something changed, nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in &self.0[..6] {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}
