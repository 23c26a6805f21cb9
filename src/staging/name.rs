//! When and of what a generation was made → its folder's [`Name`] and its [`Marker`], and back. Refuses whatever is not letter for letter
//! as it is made here: what is not recognised is somebody else's.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::material::Digest;

/// `starkeeper-20261107T120102.123456Z-9f86d081884c`: when it was made (UTC), and how its snapshot's digest begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(String);

impl Name {
    pub(super) fn new(now: Timestamp, digest: Digest) -> Name {
        Name(format!("starkeeper-{}-{}", now.strftime("%Y%m%dT%H%M%S.%6fZ"), &hex(digest)[..12]))
    }

    /// Only what [`Name::new`] makes.
    pub(super) fn parse(text: &str) -> Option<Name> {
        let fits = |byte: u8, like: u8| match like {
            b'0' => byte.is_ascii_digit(),
            b'x' => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            other => byte == other,
        };
        let pattern = b"starkeeper-00000000T000000.000000Z-xxxxxxxxxxxx";
        let head = "starkeeper-".len();
        let bytes = text.as_bytes();
        let is_ours = bytes.len() == pattern.len()
            && bytes[..head] == pattern[..head]
            && bytes[head..].iter().zip(&pattern[head..]).all(|(byte, like)| fits(*byte, *like));
        is_ours.then(|| Name(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where the marker link "leads". A link, since it comes into being with all that it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    /// Hexadecimal, of the snapshot.
    digest: String,
    /// The generation that this one took the place of. Clocks jump, so the names do not tell.
    pub(super) before: Option<Name>,
}

impl Marker {
    pub(super) fn new(digest: Digest, before: Option<&Name>) -> Marker {
        Marker { digest: hex(digest), before: before.cloned() }
    }

    /// Whether the generation was made of this snapshot.
    pub(super) fn is_of(&self, digest: Digest) -> bool {
        self.digest == hex(digest)
    }

    pub(super) fn parse(text: &str) -> Option<Marker> {
        let (digest, before) = text.strip_prefix("v1,")?.split_once(',')?;
        let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_digest.then(|| Marker { digest: digest.to_owned(), before: Name::parse(before) })
    }

    pub(super) fn text(&self) -> String {
        format!("v1,{},{}", self.digest, self.before.as_ref().map_or("-", Name::as_str))
    }
}

fn hex(digest: Digest) -> String {
    digest.0.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_markers_are_recognised_again_and_nothing_else_is() {
        let digest = Digest([0x9f; 32]);
        let name = Name::new("2026-11-07T12:01:02.123456789Z".parse().unwrap(), digest);
        assert_eq!(name.as_str(), "starkeeper-20261107T120102.123456Z-9f9f9f9f9f9f");
        assert_eq!(Name::parse(name.as_str()), Some(name.clone()));
        for other in [
            "",
            "starkeeper-",
            "starkeeper-20261107T120102.123456Z-9f9f9f9f9f9",
            "starkeeper-20261107T120102.123456Z-9f9f9f9f9f9f0",
            "starkeeper-20261107T120102.123456Z-9F9F9F9F9F9F",
            "starkeeper-2026110xT120102.123456Z-9f9f9f9f9f9f",
            "xtarkeeper-20261107T120102.123456Z-9f9f9f9f9f9f",
            "0tarkeeper-20261107T120102.123456Z-9f9f9f9f9f9f",
            "/arkeeper--20261107T120102.123456Z-9f9f9f9f9f9f",
            "../starkeeper-20261107T120102.123456Z-9f9f9f9f9",
        ] {
            assert_eq!(Name::parse(other), None, "{other}");
        }
        for before in [None, Some(&name)] {
            let marker = Marker::new(digest, before);
            assert_eq!(Marker::parse(&marker.text()), Some(marker.clone()));
            assert!(marker.is_of(digest) && !marker.is_of(Digest([0; 32])));
        }
        for other in ["", "v1", "v1,", "v1,-,-", "v2,9f,-", &"9f".repeat(32)] {
            assert_eq!(Marker::parse(other), None, "{other}");
        }
    }
}
