//! `Snapshot` → [`Files`]: the bytes that are published. Lines are copied as they are; only what OpenSSL may stumble over is made plain
//! (a byte order mark, carriage returns, a last line without its end). Refuses what cannot be told apart: no key may get into the chain.

use std::{ops::Range, path::PathBuf};

use zeroize::Zeroizing;

use super::StagingError;
use crate::material::{Capture, Snapshot};

/// What is published, each ending with a line's end. Wiped when dropped; never printed.
pub(super) struct Files {
    /// The certificates, and whatever public stood with them.
    pub(super) fullchain: Zeroizing<Vec<u8>>,
    /// The private key.
    pub(super) privkey: Zeroizing<Vec<u8>>,
    /// The key, then the chain: OpenSSL skips what it does not look for, so that one path serves for both.
    pub(super) combined: Zeroizing<Vec<u8>>,
}

impl Files {
    pub(super) fn of(snapshot: &Snapshot) -> Result<Files, StagingError> {
        let cert = plain(&snapshot.cert)?;
        let key = plain(&snapshot.key)?;
        let fullchain = if mentions(&cert, SECRET) { only(&cert, Part::Public) } else { cert };
        let privkey = if mentions(&key, CERTIFICATE) { only(&key, Part::Private) } else { key };
        if !mentions(&fullchain, CERTIFICATE) {
            return Err(unfit(&snapshot.cert.path, "no whole PEM block of a certificate"));
        }
        if mentions(&fullchain, SECRET) {
            return Err(unfit(&snapshot.cert.path, "a private key that cannot be told apart from the certificates"));
        }
        if !mentions(&privkey, SECRET) {
            return Err(unfit(&snapshot.key.path, "no whole PEM block of a private key"));
        }
        let combined = joined([through_the_key(&privkey), &fullchain]);
        Ok(Files { fullchain, privkey, combined })
    }

    /// Each file by its name, in the order in which they are written.
    pub(super) fn named(&self) -> [(&'static str, &[u8]); 3] {
        [(super::FULLCHAIN, &self.fullchain), (super::PRIVKEY, &self.privkey), (super::COMBINED, &self.combined)]
    }
}

/// Without a byte order mark, without carriage returns before line ends, and with an end to the last line.
fn plain(capture: &Capture) -> Result<Zeroizing<Vec<u8>>, StagingError> {
    let content = capture.content.as_ref().map_err(|fault| unfit(&capture.path, &fault.to_string()))?;
    let bytes = content.bytes().strip_prefix(BYTE_ORDER_MARK).unwrap_or(content.bytes());
    let mut plain = Zeroizing::new(Vec::with_capacity(bytes.len() + 1));
    for line in lines(bytes) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        plain.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        plain.push(b'\n');
    }
    Ok(plain)
}

/// Which blocks are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Certificates, and what else is no secret (`DH PARAMETERS`, which old Asterisks read from the certificate's file).
    Public,
    /// Private keys, with the parameters that may stand before them.
    Private,
}

impl Part {
    fn of(label: &[u8]) -> Part {
        if mentions(label, SECRET) || label == b"EC PARAMETERS" || label == b"DSA PARAMETERS" { Part::Private } else { Part::Public }
    }
}

/// The whole blocks of one part, line by line. What stands between blocks is left out, for nobody knows whose it is.
fn only(text: &[u8], part: Part) -> Zeroizing<Vec<u8>> {
    let mut taken = Zeroizing::new(Vec::with_capacity(text.len()));
    blocks(text).filter(|(label, _)| Part::of(label) == part).for_each(|(_, block)| taken.extend_from_slice(&text[block]));
    taken
}

/// Up to the end of the first key, which is all that OpenSSL reads of a key's file. What comes behind it may be broken without harm there,
/// and would keep OpenSSL from a chain that follows.
fn through_the_key(text: &[u8]) -> &[u8] {
    let key = blocks(text).find(|(label, _)| mentions(label, SECRET));
    key.map_or(text, |(_, block)| &text[..block.end])
}

/// Where the whole blocks stand, each with its label.
fn blocks(text: &[u8]) -> impl Iterator<Item = (&[u8], Range<usize>)> {
    let (mut open, mut at) = (None, 0);
    lines(text).filter_map(move |line| {
        let start = at;
        at += line.len();
        if let Some(label) = boundary(line, b"-----BEGIN ") {
            open = Some((label, start));
            return None;
        }
        let label = boundary(line, b"-----END ")?;
        let (opened, start) = open.take()?;
        (opened == label).then_some((label, start..at))
    })
}

/// `CERTIFICATE` of `-----BEGIN CERTIFICATE-----`; as with OpenSSL, spaces may follow and none may come before.
fn boundary<'a>(line: &'a [u8], begin: &[u8]) -> Option<&'a [u8]> {
    line.trim_ascii_end().strip_prefix(begin)?.strip_suffix(b"-----")
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n')
}

fn mentions(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

fn joined(parts: [&[u8]; 2]) -> Zeroizing<Vec<u8>> {
    // With its full length from the start: a vector that grows leaves copies behind that nobody wipes.
    let mut whole = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    parts.iter().for_each(|part| whole.extend_from_slice(part));
    whole
}

fn unfit(path: &std::path::Path, found: &str) -> StagingError {
    StagingError::Unfit { path: PathBuf::from(path), found: found.to_owned() }
}

/// In every label of a private key (RFC 7468, and OpenSSL's older `RSA PRIVATE KEY`, `EC PRIVATE KEY`).
const SECRET: &[u8] = b"PRIVATE KEY";

/// In every label of a certificate, OpenSSL's `TRUSTED CERTIFICATE` and `X509 CERTIFICATE` included.
const CERTIFICATE: &[u8] = b"CERTIFICATE-----";

/// UTF-8's; OpenSSL would not see the first `-----BEGIN` behind it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::material::{Content, ReadFault};

    fn capture(name: &str, content: Result<&str, ReadFault>) -> Capture {
        Capture { path: name.into(), content: content.map(|text| Content::new(text.into())), way: Vec::new() }
    }

    fn files(cert: &str, key: &str) -> Result<[String; 3], StagingError> {
        let snapshot = Snapshot { cert: capture("cert", Ok(cert)), key: capture("key", Ok(key)) };
        Files::of(&snapshot).map(|files| files.named().map(|(_, bytes)| String::from_utf8(bytes.to_vec()).unwrap()))
    }

    fn block(label: &str, body: &str) -> String {
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    }

    #[test]
    fn separate_files_are_published_as_they_are_text_included() {
        let cert = format!("subject=CN = pbx\n{}\n# issuer\n{}", block("CERTIFICATE", "bGVhZg=="), block("CERTIFICATE", "aXNzdWVy"));
        let key = format!("Bag Attributes\n{}", block("PRIVATE KEY", "a2V5"));
        assert_eq!(files(&cert, &key).unwrap(), [cert.clone(), key.clone(), format!("{key}{cert}")]);
    }

    #[test]
    fn what_follows_the_key_does_not_stand_before_the_chain() {
        let (cert, params) = (block("CERTIFICATE", "bGVhZg=="), block("EC PARAMETERS", "cDI1Ng=="));
        let key = block("EC PRIVATE KEY", "a2V5");
        for junk in
            [block("PRIVATE KEY", "!"), "-----BEGIN PRIVATE KEY-----\n".to_owned(), block("PRIVATE KEY", "b3RoZXI="), "words\n".to_owned()]
        {
            let whole = format!("{params}{key}{junk}");
            assert_eq!(files(&cert, &whole).unwrap(), [cert.clone(), whole.clone(), format!("{params}{key}{cert}")], "{junk}");
        }
    }

    #[test]
    fn one_combined_file_is_split_in_whichever_order_it_was() {
        let (leaf, issuer, dh) = (block("CERTIFICATE", "bGVhZg=="), block("CERTIFICATE", "aXNzdWVy"), block("DH PARAMETERS", "ZGg="));
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"] {
            let key = block("EC PARAMETERS", "cDI1Ng==") + &block(label, "a2V5");
            for combined in
                [format!("{key}{leaf}{issuer}{dh}"), format!("{leaf}{issuer}{dh}{key}"), format!("{leaf}a word\n{key}\n{issuer}{dh}")]
            {
                let [fullchain, privkey, both] = files(&combined, &combined).unwrap();
                assert_eq!((fullchain, privkey), (format!("{leaf}{issuer}{dh}"), key.clone()), "{combined}");
                assert_eq!(both, format!("{key}{leaf}{issuer}{dh}"));
            }
        }
    }

    #[test]
    fn byte_order_mark_carriage_returns_and_a_missing_last_line_end_are_made_plain() {
        let (cert, key) = (block("CERTIFICATE", "bGVhZg=="), block("PRIVATE KEY", "a2V5"));
        let windows = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n").trim_end());
        assert_eq!(files(&windows(&cert), &windows(&key)).unwrap(), [cert.clone(), key.clone(), format!("{key}{cert}")]);
        assert_eq!(files(&windows(&(cert.clone() + &key)), &windows(&key)).unwrap()[0], cert);
    }

    #[test]
    fn no_part_of_a_key_gets_into_the_chain() {
        let (cert, key) = (block("CERTIFICATE", "bGVhZg=="), block("PRIVATE KEY", "a2V5"));
        let torn = &key[..key.len() - 10];
        for odd in [
            format!("{cert}{torn}"),
            format!("{torn}\n{cert}"),
            format!("{cert} {key}"),
            format!("{cert}-----BEGIN PRIVATE KEY-----\na2V5\n-----END RSA PRIVATE KEY-----\n"),
        ] {
            assert!(!files(&odd, &key).unwrap()[0].contains("a2V5"), "{odd}");
        }
        for hopeless in ["-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY\na2V5\n-----END CERTIFICATE-----\n", &key, "", "words\n"] {
            assert!(matches!(files(hopeless, &key), Err(StagingError::Unfit { path, .. }) if path.as_os_str() == "cert"), "{hopeless}");
        }
    }

    #[test]
    fn what_holds_no_key_or_no_bytes_is_refused_by_its_path() {
        let (cert, key) = (block("CERTIFICATE", "bGVhZg=="), block("PRIVATE KEY", "a2V5"));
        for nothing in ["", "words", &cert, &format!("{cert}-----BEGIN PRIVATE KEY-----\na2V5\n")] {
            assert!(matches!(files(&cert, nothing), Err(StagingError::Unfit { path, .. }) if path.as_os_str() == "key"), "{nothing}");
        }
        let missing = Snapshot { cert: capture("cert", Err(ReadFault::Denied)), key: capture("key", Ok(&key)) };
        assert!(matches!(Files::of(&missing), Err(StagingError::Unfit { path, .. }) if path.as_os_str() == "cert"));
    }
}
