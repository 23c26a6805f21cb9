//! The arguments that every view of the doctor takes: by whose eyes it is judged, as whom SIP is asked, and how long is waited.

use std::{fs, path::PathBuf, time::Duration};

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::{
    doctor::outside::{User, Wishes},
    settings::{self, Trust},
};

#[derive(Debug, clap::Args)]
pub(super) struct Asking {
    /// Whom browsers trust; `none`: that is not judged [default: system, or what the settings say]
    #[arg(long, value_name = "system|none|FILE")]
    ca: Option<String>,
    /// Ask SIP as this endpoint; without it SIP is not asked from outside
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The file with its password: whether SIP takes it is asked, and no contact is changed
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
    /// Register indeed, for a moment: puts out a phone where max_contacts is 1
    #[arg(long, requires = "password_file")]
    register: bool,
    /// Hold the WebSocket so long without a word, as a phone between calls: does it stay?
    #[arg(long, value_name = "SPAN", value_parser = settings::span)]
    hold: Option<Duration>,
    /// Ask more: each TLS version, an upgrade without sip, /httpstatus; leaves lines in Asterisk's log
    #[arg(long)]
    thorough: bool,
    /// For each stage [default: 5s, or what the settings say]
    #[arg(long, value_name = "SPAN", value_parser = settings::span)]
    pub(super) timeout: Option<Duration>,
}

impl Asking {
    /// Whom browsers trust, where that was said.
    pub(super) fn trust(&self) -> Option<Trust> {
        self.ca.as_deref().map(|said| match said {
            "system" => Trust::System,
            "none" => Trust::None,
            path => Trust::File(PathBuf::from(path)),
        })
    }

    /// What is asked beyond the way to an open WebSocket.
    pub(super) fn wishes(&self) -> Result<Wishes, String> {
        Ok(Wishes { user: self.user()?, hold: self.hold, thorough: self.thorough })
    }

    fn user(&self) -> Result<Option<User>, String> {
        let Some(name) = &self.user else { return Ok(None) };
        let password = match &self.password_file {
            None => None,
            Some(path) => {
                let text = Zeroizing::new(fs::read_to_string(path).map_err(|error| format!("read {}: {error}", path.display()))?);
                // An editor ends the last line.
                let line = text.lines().next().unwrap_or_default();
                if line.is_empty() {
                    return Err(format!("find a password in the first line of {}", path.display()));
                }
                Some(SecretString::from(line))
            }
        };
        Ok(Some(User { name: name.clone(), password, register: self.register }))
    }
}

/// Where nobody says otherwise.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
