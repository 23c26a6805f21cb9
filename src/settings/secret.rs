//! The AMI secret, from the environment or from a file of its own. Refuses what is empty, unreadable, or would not fit into one line of AMI.
//! What it refuses is never repeated.

use std::{
    io,
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::error::{Error, Kind, Place};

/// What `STARKEEPER_AMI_SECRET` and `asterisk.ami.secretFile` (with its place) give, and the file, where it was that; `Ok(None)`: neither was
/// said.
///
/// # Errors
/// [`Kind::SecretUnreadable`], [`Kind::SecretEmpty`], [`Kind::SecretUnusable`]; [`Kind::Contradiction`] if both were said by the
/// environment.
pub(super) fn ami_secret(
    variable: Option<String>,
    file: Option<(PathBuf, Place)>,
    read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
) -> Result<Option<(SecretString, Option<PathBuf>)>, Box<Error>> {
    let variable = variable.map(Zeroizing::new).filter(|secret| !secret.trim().is_empty());
    match (variable, file) {
        (Some(_), Some((_, Place::Variable(other)))) => Err(Error::new(Kind::Contradiction, KEY, Place::Variable(VARIABLE))
            .found(format!("both {VARIABLE} and {other}"))
            .remedy("set one of the two")
            .into()),
        (None, None) => Ok(None),
        (Some(secret), None | Some((_, Place::Line { .. } | Place::File(_) | Place::Nowhere))) => {
            judge(secret.as_bytes(), Place::Variable(VARIABLE)).map(|secret| Some((secret, None)))
        }
        (_, Some((path, place))) => {
            let bytes = read(&path).map_err(|error| unreadable(&path, place.clone(), &error))?;
            judge(&Zeroizing::new(bytes), place).map(|secret| Some((secret, Some(path))))
        }
    }
}

/// The secret in the bytes of its file, read again later on. `None`: they are none that could be used.
pub fn in_file(bytes: &[u8]) -> Option<SecretString> {
    judge(bytes, Place::Nowhere).ok()
}

fn unreadable(path: &Path, place: Place, error: &io::Error) -> Error {
    // What does not look like a path may be the secret itself, pasted into the wrong line.
    let text = path.to_str().unwrap_or_default();
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
    let looks_like_a_path = plain && text.starts_with('/') && text.matches('/').count() > 1;
    let path = if looks_like_a_path { format!("`{text}`: ") } else { String::new() };
    // The kind alone: an error's own text may hold the path.
    let kind = error.kind();
    let reason = if kind == io::ErrorKind::NotFound { "no such file".to_owned() } else { kind.to_string() };
    Error::new(Kind::SecretUnreadable, KEY, place)
        .found(format!("{path}{reason}"))
        .expected("the path of a file that holds nothing but the secret")
        .remedy("mount the secret as a file that the agent's user may read, and name it with an absolute path")
}

/// Editors end a file with a line break, which belongs to no secret.
fn judge(bytes: &[u8], place: Place) -> Result<SecretString, Box<Error>> {
    let unusable = |expected: &str| Error::new(Kind::SecretUnusable, KEY, place.clone()).expected(expected);
    let text = std::str::from_utf8(bytes).map_err(|_| unusable("UTF-8 text"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_end_matches(['\r', '\n']);
    if text.trim().is_empty() {
        return Err(Error::new(Kind::SecretEmpty, KEY, place)
            .remedy("write the secret of the AMI user (`secret` in manager.conf) into it")
            .into());
    }
    if text.chars().any(char::is_control) {
        return Err(unusable("one line without control characters").into());
    }
    if text.len() > LONGEST {
        return Err(unusable("at most 1000 bytes, as an AMI line has 1024").into());
    }
    Ok(SecretString::from(text.to_owned()))
}

/// The setting that names the file.
pub(super) const KEY: &str = "asterisk.ami.secretFile";

/// Where the secret may stand without a file.
pub(super) const VARIABLE: &str = "STARKEEPER_AMI_SECRET";

/// In bytes: Asterisk reads lines of at most 1024, `Secret: ` and the line break included.
const LONGEST: usize = 1000;
