//! `$NAME`, `${NAME}`, `${NAME:-default}` and their kin in a text → the text with them filled in, as Compose and dotenv do it. Pure. Refuses
//! what a file demands and nobody says (`${NAME:?…}`), and what grows beyond any sensible value.

/// Why a text cannot be filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfilled {
    /// `${NAME:?reason}`, and it is not set.
    #[error("the variable {name} is not set: {reason}")]
    Demanded {
        /// The variable.
        name: String,
        /// What the file says of it.
        reason: String,
    },
    /// Variables that hold each other.
    #[error("variables fill it with more than {LONGEST} bytes")]
    TooLong,
    /// `${`, and no end.
    #[error("a `${{` is never closed")]
    Open,
}

/// Fills `text` in. `$$` stands for a dollar; what follows a dollar and is no name stays as it is.
///
/// # Errors
/// Whatever keeps the text from being what it was meant to be.
pub fn filled(text: &str, said: &dyn Fn(&str) -> Option<String>) -> Result<String, Unfilled> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(inside) = rest.strip_prefix('{') {
            let end = closing(inside).ok_or(Unfilled::Open)?;
            out.push_str(&braced(&inside[..end], said)?);
            rest = &inside[end + 1..];
        } else {
            let name = name(rest);
            match name {
                "" => out.push('$'),
                name => out.push_str(&said(name).unwrap_or_default()),
            }
            rest = &rest[name.len()..];
        }
        if out.len() > LONGEST {
            return Err(Unfilled::TooLong);
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// What stands between `${` and `}`.
fn braced(inside: &str, said: &dyn Fn(&str) -> Option<String>) -> Result<String, Unfilled> {
    let name = name(inside);
    let value = said(name);
    let after = &inside[name.len()..];
    // With a colon an empty value counts as none.
    let (value, after) = match after.strip_prefix(':') {
        Some(after) => (value.filter(|value| !value.is_empty()), after),
        None => (value, after),
    };
    let mut letters = after.chars();
    match (letters.next(), value) {
        (Some('-'), None) => filled(letters.as_str(), said),
        (Some('?'), None) => Err(Unfilled::Demanded { name: name.to_owned(), reason: filled(letters.as_str(), said)? }),
        (Some('+'), Some(_)) => filled(letters.as_str(), said),
        (Some('+'), None) => Ok(String::new()),
        (_, value) => Ok(value.unwrap_or_default()),
    }
}

/// The `}` that ends it, past those of the defaults inside.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_u32;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            b'{' if at > 0 && text.as_bytes()[at - 1] == b'$' => {
                depth += 1;
                if depth > DEEPEST {
                    return None;
                }
            }
            _ => {}
        }
    }
    None
}

/// The name that a text begins with; empty where it begins with none.
fn name(text: &str) -> &str {
    let is = |at: usize, byte: u8| byte == b'_' || byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit());
    let end = text.bytes().enumerate().position(|(at, byte)| !is(at, byte)).unwrap_or(text.len());
    &text[..end]
}

/// Of a value, in bytes.
const LONGEST: usize = 64 * 1024;
/// Of defaults within defaults.
const DEEPEST: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &str) -> Option<String> {
        [("PORT", "8089"), ("EMPTY", ""), ("A1", "one")].iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn variables_are_filled_in_as_compose_does() {
        for (text, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("$PORT:8089", "8089:8089"),
            ("${PORT}:8089", "8089:8089"),
            ("${PORT:-1}${PORT-2}", "80898089"),
            ("${EMPTY:-1}${EMPTY-2}", "1"),
            ("${NONE:-1}${NONE-2}${NONE}$NONE", "12"),
            ("${NONE:-${PORT}}", "8089"),
            ("${NONE:-${OTHER:-deep}}/x", "deep/x"),
            ("${PORT:+set}${EMPTY:+set}${EMPTY+there}${NONE+no}", "setthere"),
            ("${PORT:?must}", "8089"),
            ("$$PORT ${A1} $A1x $1 $", "$PORT one  $1 $"),
        ] {
            assert_eq!(filled(text, &said).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_demanded_or_never_ends_is_refused() {
        assert_eq!(
            filled("${IMAGE:?the image}", &said),
            Err(Unfilled::Demanded { name: "IMAGE".to_owned(), reason: "the image".to_owned() })
        );
        assert_eq!(filled("${PORT", &said), Err(Unfilled::Open));
        assert_eq!(filled(&"${A:-".repeat(40_000), &said), Err(Unfilled::Open));
        let long = "x".repeat(40_000);
        assert_eq!(filled("$A$B$C", &|_| Some(long.clone())), Err(Unfilled::TooLong));
    }
}
