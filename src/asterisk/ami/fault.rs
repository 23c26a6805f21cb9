//! What went wrong on the way to AMI → a [`Finding`] that names the step, the peer and what it said. Pure. Never holds a secret.

use std::{fmt, time::Duration};

use super::{AmiConnect, codec::Violation};
use crate::{
    diagnosis::{Code, Finding, Severity},
    settings::{Address, AmiAuth},
};

/// Why there is no connection, or no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The host's name leads nowhere.
    #[error("resolve the name: {0}")]
    Unresolved(String),
    /// No TCP connection.
    #[error("connect: {0}")]
    Refused(String),
    /// Nothing came in time.
    #[error("{stage} within {after:?}")]
    Timeout {
        /// What was waited for.
        stage: Stage,
        /// For how long.
        after: Duration,
    },
    /// TLS said no, on either side.
    #[error("shake hands over TLS: {0}")]
    Tls(String),
    /// What came is not AMI.
    #[error(transparent)]
    NotAmi(Violation),
    /// The login was refused.
    #[error("log in: {said}")]
    Auth {
        /// What was answered.
        said: String,
    },
    /// The peer closed.
    #[error("{stage}: the connection was closed ({said})")]
    Closed {
        /// What was going on.
        stage: Stage,
        /// What announced it.
        said: String,
    },
}

/// Which step failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Resolve,
    Connect,
    Tls,
    Banner,
    Login,
    /// Logged in, nothing asked but the keepalive.
    Keepalive,
    /// Logged in, an action asked.
    Action,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Resolve => "resolve",
            Stage::Connect => "connect",
            Stage::Tls => "tls",
            Stage::Banner => "banner",
            Stage::Login => "login",
            Stage::Keepalive => "keepalive",
            Stage::Action => "action",
        })
    }
}

impl Fault {
    /// What a broken or ended stream means at `stage`.
    pub(super) fn of_stream(stage: Stage, ended: Option<Violation>) -> Self {
        match ended {
            None => Fault::Closed { stage, said: "end of stream".to_owned() },
            Some(Violation::Io(error)) => Fault::Closed { stage, said: error.to_string() },
            Some(violation @ (Violation::NoBanner { .. } | Violation::LineTooLong { .. } | Violation::MessageTooLong { .. })) => {
                Fault::NotAmi(violation)
            }
        }
    }

    /// The finding, for the peer that `who` names.
    pub(super) fn finding(&self, who: &Who) -> Finding {
        match self {
            Fault::Unresolved(error) => at(Code::AmiRefused, who, Stage::Resolve).with("error", error.as_str()),
            Fault::Refused(error) => at(Code::AmiRefused, who, Stage::Connect).with("error", error.as_str()),
            Fault::Timeout { stage, after } => at(Code::AmiTimeout, who, *stage).with("after", format!("{after:?}")),
            Fault::Tls(error) => at(Code::AmiTlsFailed, who, Stage::Tls).with("error", error.as_str()),
            Fault::NotAmi(Violation::NoBanner { came }) => at(Code::AmiNotAmi, who, Stage::Banner).with("came", came.as_str()),
            Fault::NotAmi(violation) => of(Code::AmiNotAmi, who).with("error", format!("cannot {violation}")),
            Fault::Auth { said } => at(Code::AmiAuthFailed, who, Stage::Login).with("said", said.as_str()),
            Fault::Closed { stage, said } => {
                at(Code::AmiRefused, who, *stage).with("error", "the connection was closed").with("said", said.as_str())
            }
        }
    }
}

/// Whom findings speak of.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub(super) address: Address,
    pub(super) username: String,
}

impl From<&AmiConnect> for Who {
    fn from(connect: &AmiConnect) -> Self {
        Who { address: connect.address.clone(), username: connect.username.clone() }
    }
}

/// `ami-plaintext-remote`: what is said to another machine without TLS can be read and changed on the way. A warning where the secret
/// itself crosses the wire; worth knowing where only its MD5 does.
pub fn plaintext_remote(address: &Address, auth: AmiAuth, tls: bool) -> Option<Finding> {
    if tls || address.is_loopback() {
        return None;
    }
    let (auth, severity) = match auth {
        AmiAuth::Plain => ("plain", Code::AmiPlaintextRemote.severity()),
        AmiAuth::Md5 => ("md5", Severity::Info),
    };
    Some(Finding::new(Code::AmiPlaintextRemote).severity(severity).with("address", address.to_string()).with("auth", auth))
}

/// `ami-booting`: logged in, but `FullyBooted` has not come, so that reloads are queued.
pub fn booting(address: &Address) -> Finding {
    Finding::new(Code::AmiBooting).with("address", address.to_string())
}

/// `ami-permission-denied`, with the line of manager.conf that is missing.
pub(super) fn denied(who: &Who, asked: &str, add: &'static str) -> Finding {
    of(Code::AmiPermissionDenied, who)
        .with("asked", asked)
        .with("said", "Permission denied")
        .with("file", "manager.conf")
        .with("section", format!("[{}]", who.username))
        .with("add", add)
}

/// A finding of the reload itself.
pub(super) fn not_reloaded(code: Code, who: &Who, module: &str, said: String) -> Finding {
    of(code, who).with("module", module).with("said", said)
}

fn at(code: Code, who: &Who, stage: Stage) -> Finding {
    of(code, who).with("stage", stage.to_string())
}

fn of(code: Code, who: &Who) -> Finding {
    Finding::new(code).with("address", who.address.to_string()).with("user", who.username.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cleartext_connection_is_a_finding_only_beyond_this_machine() {
        let there = |host: &str| Address { host: host.to_owned(), port: 5038 };
        for (host, auth, tls, expected) in [
            ("127.0.0.1", AmiAuth::Plain, false, None),
            ("::1", AmiAuth::Plain, false, None),
            ("localhost", AmiAuth::Plain, false, None),
            ("pbx", AmiAuth::Plain, true, None),
            ("pbx", AmiAuth::Plain, false, Some(Severity::Warning)),
            ("10.0.0.7", AmiAuth::Md5, false, Some(Severity::Info)),
        ] {
            assert_eq!(plaintext_remote(&there(host), auth, tls).map(|f| f.severity), expected, "{host} {auth:?} tls={tls}");
        }
    }

    #[test]
    fn a_denied_reload_names_the_line_to_add_and_where() {
        let who = Who { address: Address { host: "127.0.0.1".to_owned(), port: 5038 }, username: "joan".to_owned() };
        let finding = denied(&who, "module reload http", "write = system");
        assert_eq!(finding.get("add"), Some(&"write = system".into()));
        assert_eq!(finding.get("section"), Some(&"[joan]".into()));
    }
}
