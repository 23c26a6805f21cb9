//! A challenge + credentials → the answer to it (RFC 7616, RFC 8760; without `qop` as RFC 2069 had it). Pure. Refuses algorithms that it does
//! not know, and `auth-int` alone, which signs a body that there is none of.

use md5::{Digest as _, Md5};
use sha2::{Sha256, Sha512_256};

/// How strong, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// What every phone knows; JsSIP knows no other.
    Md5,
    /// RFC 7616.
    Sha256,
    /// RFC 7616.
    Sha512_256,
}

/// One `WWW-Authenticate` of the scheme `Digest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Whose password is wanted.
    pub realm: String,
    /// `None`: one that is not known here.
    pub algorithm: Option<Algorithm>,
    /// As the peer wrote the algorithm; empty where it did not.
    pub named: String,
    nonce: String,
    opaque: Option<String>,
    /// `qop` was offered, with `auth` in it; `None`: no `qop` at all.
    auth: Option<bool>,
}

impl Algorithm {
    /// As it stands in a header.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha512_256 => "SHA-512-256",
        }
    }

    fn hash(self, text: &str) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Algorithm::Md5 => hex(&Md5::digest(text)),
            Algorithm::Sha256 => hex(&Sha256::digest(text)),
            Algorithm::Sha512_256 => hex(&Sha512_256::digest(text)),
        }
    }
}

impl Challenge {
    /// `None`: it is of another scheme.
    pub fn parse(header: &str) -> Option<Challenge> {
        let (scheme, rest) = header.trim().split_once(char::is_whitespace)?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let parameters = parameters(rest);
        let get = |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let named = get("algorithm").unwrap_or_default();
        let algorithm = match named.to_ascii_uppercase().as_str() {
            "" | "MD5" => Some(Algorithm::Md5),
            "SHA-256" => Some(Algorithm::Sha256),
            "SHA-512-256" => Some(Algorithm::Sha512_256),
            _ => None,
        };
        let auth = get("qop").map(|qop| qop.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth")));
        Some(Challenge { realm: get("realm")?, nonce: get("nonce")?, opaque: get("opaque"), algorithm, named, auth })
    }

    /// The strongest that can be answered.
    pub fn strongest(challenges: &[Challenge]) -> Option<&Challenge> {
        let known = challenges.iter().filter(|challenge| challenge.algorithm.is_some() && challenge.auth != Some(false));
        known.max_by_key(|challenge| challenge.algorithm)
    }

    /// Whether JsSIP would answer it: MD5 alone (`DigestAuthentication` of 3.13). Of several it keeps the last (`Parser`). So does SIP.js
    /// (0.21).
    pub fn suits_jssip(&self) -> bool {
        self.named.is_empty() || self.named == "MD5"
    }

    /// The value of `Authorization`. `cnonce`: a word of our own. `None`: it cannot be answered.
    pub(super) fn answer(&self, user: &str, password: &str, method: &str, uri: &str, cnonce: &str) -> Option<String> {
        let algorithm = self.algorithm?;
        let mut secret = algorithm.hash(&format!("{user}:{}:{password}", self.realm));
        let what = algorithm.hash(&format!("{method}:{uri}"));
        let (response, qop) = match self.auth {
            Some(true) => {
                let text = format!("{secret}:{}:{COUNT}:{cnonce}:auth:{what}", self.nonce);
                (algorithm.hash(&text), format!(", qop=auth, nc={COUNT}, cnonce=\"{cnonce}\""))
            }
            None => (algorithm.hash(&format!("{secret}:{}:{what}", self.nonce)), String::new()),
            Some(false) => return None,
        };
        zeroize::Zeroize::zeroize(&mut secret);
        let opaque = self.opaque.as_ref().map(|opaque| format!(", opaque={}", quoted(opaque))).unwrap_or_default();
        Some(format!(
            "Digest username={}, realm={}, nonce={}, uri={}, algorithm={}, response=\"{response}\"{qop}{opaque}",
            quoted(user),
            quoted(&self.realm),
            quoted(&self.nonce),
            quoted(uri),
            algorithm.name(),
        ))
    }
}

/// Each nonce is answered once.
const COUNT: &str = "00000001";

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

/// `name=value` or `name="value"`, between commas; names in lower case.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([',', ' ', '\t']).to_ascii_lowercase();
        let after = after.trim_start();
        let (value, remaining) = match after.strip_prefix('"') {
            Some(inside) => unquoted(inside),
            None => {
                let end = after.find(',').unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            }
        };
        found.push((name, value));
        rest = remaining;
    }
    found
}

/// What stands before the closing quote, and what follows it.
fn unquoted(inside: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = inside.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &inside[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7616, 3.9.1.
    #[test]
    fn the_answers_are_those_of_the_rfc() {
        for (algorithm, response) in
            [("MD5", "8ca523f5e9506fed4657c9700eebdbec"), ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1")]
        {
            let challenge = Challenge::parse(&format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            ))
            .unwrap();
            let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
            let answer = challenge.answer("Mufasa", "Circle of Life", "GET", "/dir/index.html", cnonce).unwrap();
            assert!(answer.contains(&format!("response=\"{response}\"")), "{answer}");
            assert!(answer.contains(&format!("algorithm={algorithm}, ")) && answer.contains("qop=auth, nc=00000001"), "{answer}");
        }
    }

    /// RFC 2069, as corrected by its erratum 749.
    #[test]
    fn a_challenge_without_qop_is_answered_as_of_old() {
        let challenge =
            Challenge::parse("Digest realm=\"testrealm@host.com\",nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\",opaque=\"5ccc\"").unwrap();
        let answer = challenge.answer("Mufasa", "CircleOfLife", "GET", "/dir/index.html", "unused").unwrap();
        assert!(answer.contains("response=\"1949323746fe6a43ef61f9606e7febea\"") && !answer.contains("cnonce"), "{answer}");
    }

    #[test]
    fn the_strongest_that_is_known_is_taken() {
        let of = |named: &str| Challenge::parse(&format!("Digest realm=\"r\",nonce=\"n\",qop=\"auth\",algorithm={named}")).unwrap();
        let several = [of("MD5"), of("SHA-256"), of("SHA-999")];
        assert_eq!(Challenge::strongest(&several).unwrap().named, "SHA-256");
        assert_eq!(Challenge::strongest(&[of("SHA-999")]), None);
        assert!(several[0].suits_jssip() && !several[1].suits_jssip());
        let integrity = Challenge::parse("Digest realm=\"r\",nonce=\"n\",qop=\"auth-int\"").unwrap();
        assert_eq!(Challenge::strongest(&[integrity]), None);
    }

    #[test]
    fn quotes_and_odd_spaces_are_read_and_written() {
        let challenge = Challenge::parse("digest  Realm = \"a \\\"b\\\", c\" , nonce=n/1 ,qop=auth").unwrap();
        assert_eq!((challenge.realm.as_str(), challenge.nonce.as_str(), challenge.auth), ("a \"b\", c", "n/1", Some(true)));
        assert!(
            challenge
                .answer("u\"", "p", "REGISTER", "sip:h", "c")
                .unwrap()
                .starts_with("Digest username=\"u\\\"\", realm=\"a \\\"b\\\", c\"")
        );
        for none in ["Basic realm=\"r\"", "Digest", "Digest nonce=\"n\"", "Digest realm=\"r", ""] {
            assert_eq!(Challenge::parse(none), None, "{none}");
        }
    }
}
