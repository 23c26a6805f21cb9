//! The Asterisk Manager Interface: bytes ⇄ messages, and a client that stays connected. This file is what the other rooms see.

use crate::diagnosis::Finding;

/// What the client tells of its own accord.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AmiEvent {
    /// Logged in.
    Connected {
        /// The version of the protocol, from the banner: `11.0.0`.
        version: String,
    },
    /// `Event: FullyBooted`: Asterisk answers reloads now. Comes only with class `system` to read.
    FullyBooted,
    /// `Event: Reload`: somebody (the agent or anyone) had a module reloaded.
    Reload {
        /// As Asterisk names it: `http`.
        module: String,
        /// What came of it.
        status: ReloadStatus,
    },
    /// The connection could not be had, or is gone. The client goes on trying.
    Disconnected(Finding),
}

/// `Status` of `Event: Reload` (`enum ast_module_reload_result`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReloadStatus {
    /// 0
    Done,
    /// 1
    Queued,
    /// 2
    NotFound,
    /// 3
    Error,
    /// 4
    InProgress,
    /// 5
    Uninitialized,
    /// 6
    NotImplemented,
    /// A number that no known Asterisk sends.
    Unknown(u8),
}

/// A reload that Asterisk took on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// It says that it has done it. Whether it has, only the wire tells.
    Done,
    /// Asterisk still boots, or reloads already: it will do it later.
    Queued,
}

/// A reload that Asterisk did not do, or of which nothing is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReloadFailure {
    /// What was said.
    pub finding: Finding,
}
