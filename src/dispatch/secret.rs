//! The name of a secret → the secret, read anew each time. What it holds is never repeated: not in an error, and not where a peer echoes it.

use std::{fs, path::PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::settings::{self, Secret};

/// Why there is no secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SecretError {
    /// The system gave no bytes.
    #[error("read {path}: {kind}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        kind: std::io::ErrorKind,
    },
    /// Empty, more than a line, or no text.
    #[error("use {0}: it does not hold one line of text")]
    Unusable(String),
}

/// As it stands there now.
pub(super) fn read(secret: &Secret) -> Result<SecretString, SecretError> {
    let (bytes, from) = match secret {
        Secret::File(path) => {
            let bytes = fs::read(path).map_err(|error| SecretError::File { path: path.clone(), kind: error.kind() })?;
            (bytes, path.display().to_string())
        }
        Secret::Variable(name) => (std::env::var(name).unwrap_or_default().into_bytes(), format!("the variable {name}")),
    };
    settings::secret_in_file(&Zeroizing::new(bytes)).ok_or(SecretError::Unusable(from))
}

/// `text` without any of these secrets, on one line, and not long.
pub(super) fn redacted(text: &str, secrets: &[SecretString]) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        let secret = secret.expose_secret();
        // A value like `Bearer …` may be echoed without its first word.
        for part in std::iter::once(secret).chain(secret.split([' ', '/', '?', '=', '&']).filter(|part| part.len() >= SHORTEST)) {
            text = text.replace(part, "…");
        }
    }
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    line.truncate(line.trim_end().len());
    line
}

/// In bytes: shorter parts are words that tell nothing.
const SHORTEST: usize = 6;
/// In characters.
const LONGEST: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_echoes_of_a_secret_is_not_repeated() {
        let secrets = [SecretString::from("Bearer s3cr3t-token"), SecretString::from("https://hooks.example/services/T0/hunter2xyz")];
        for said in ["Bearer s3cr3t-token is wrong", "no such token: s3cr3t-token", "no route /services/T0/hunter2xyz\r\n\x1b[1m"] {
            let redacted = redacted(said, &secrets);
            assert!(!redacted.contains("s3cr3t") && !redacted.contains("hunter2") && !redacted.contains('\x1b'), "{redacted}");
        }
    }

    #[test]
    fn a_secret_is_what_its_file_holds_now() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let secret = Secret::File(file.path().to_owned());
        for held in ["one", "two"] {
            fs::write(file.path(), format!("{held}\n")).unwrap();
            assert_eq!(read(&secret).unwrap().expose_secret(), held);
        }
        fs::remove_file(file.path()).unwrap();
        assert!(matches!(read(&secret), Err(SecretError::File { kind: std::io::ErrorKind::NotFound, .. })));
    }
}
