//! The Asterisk Manager Interface: bytes ⇄ messages, and a client that stays connected. This file is what the other rooms see.
//!
//! ```text
//! dial ─► login ─► session ◄─► codec        client: the handle, and the loop that comes back
//! (DNS,   (banner, (requests,  (bytes ⇄      verdict: what an answer to a reload means
//! TCP,    MD5)     events,     messages)     fault: what went wrong ─► Finding
//! TLS)             keepalive)                outbox: news that never blocks a request
//! ```

pub mod action;
pub mod codec;

mod client;
mod dial;
mod fault;
mod login;
mod outbox;
mod session;
#[cfg(test)]
mod tests;
mod verdict;

use std::{path::PathBuf, sync::Arc, time::Duration};

use rustls_pki_types::ServerName;
use secrecy::SecretString;

pub use self::{
    client::{Client, CommandFailure, client, client_on},
    fault::{booting, plaintext_remote},
};
use crate::{
    diagnosis::Finding,
    settings::{Address, AmiAuth},
};

/// Where AMI is, and how to log in to it.
#[derive(Clone, Debug)]
pub struct AmiConnect {
    /// `host:port` to connect to.
    pub address: Address,
    /// A section of manager.conf.
    pub username: String,
    /// Its secret.
    pub secret: SecretString,
    /// The file that holds it, read again before each further login; where that cannot be, what is known already is shown.
    pub secret_file: Option<PathBuf>,
    /// How the secret is shown to Asterisk.
    pub auth: AmiAuth,
    /// AMI over TLS; `None`: plain TCP.
    pub tls: Option<AmiOverTls>,
    /// For each step of connecting, and for each answer.
    pub timeout: Duration,
    /// Between two keepalives while nothing else is asked.
    pub keepalive: Duration,
}

/// AMI over TLS (`tlsenable` in manager.conf).
#[derive(Clone, Debug)]
pub struct AmiOverTls {
    /// Whom the certificate must come from is settled in here.
    pub config: Arc<rustls::ClientConfig>,
    /// The name that the certificate must cover.
    pub server_name: ServerName<'static>,
}

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

impl From<u8> for ReloadStatus {
    fn from(number: u8) -> Self {
        match number {
            0 => ReloadStatus::Done,
            1 => ReloadStatus::Queued,
            2 => ReloadStatus::NotFound,
            3 => ReloadStatus::Error,
            4 => ReloadStatus::InProgress,
            5 => ReloadStatus::Uninitialized,
            6 => ReloadStatus::NotImplemented,
            unknown => ReloadStatus::Unknown(unknown),
        }
    }
}

/// A reload that Asterisk took on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// It says that it has done it. Whether it has, only the wire tells.
    Done,
    /// Asterisk still boots: it will do it once it has.
    Queued,
}

/// A reload that Asterisk did not do, or of which nothing is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReloadFailure {
    /// What was said.
    pub finding: Finding,
}
