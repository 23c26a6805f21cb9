//! Bytes → [`Block`]s, read as OpenSSL's `PEM_read_bio` reads them, so that what is found here is what Asterisk finds. Every rule below
//! was tried on OpenSSL 1.1.1, 3.0 and 3.6; where they differ, the one that refuses is followed. Refuses nothing itself: a block that
//! OpenSSL cannot get past ends the reading as [`Broken`].

use zeroize::Zeroizing;

/// One `-----BEGIN LABEL-----` … `-----END LABEL-----`.
#[derive(Clone, PartialEq, Eq)]
pub struct Block {
    /// `CERTIFICATE`, `PRIVATE KEY`, …; `?` for what is no label at all.
    pub label: String,
    /// Line of its BEGIN, from 1.
    pub line: usize,
    /// What stands before a blank line inside the block.
    pub header: Header,
    /// What the base64 holds. Wiped when dropped: it may be a key.
    pub der: Zeroizing<Vec<u8>>,
}

/// What stands before a blank line inside a block (RFC 1421).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// Nothing, as it should be.
    None,
    /// `Proc-Type: 4,ENCRYPTED`: the legacy encryption of keys.
    Encrypted,
    /// Something that OpenSSL does not take for a block that it wants.
    Other,
}

impl std::fmt::Debug for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at line {}, {} bytes", self.label, self.line, self.der.len())
    }
}

/// A block that cannot be read; OpenSSL gives up at it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {label} block of line {line} is broken: {flaw}")]
pub struct Broken {
    /// What its BEGIN says.
    pub label: String,
    /// Line of its BEGIN, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What is wrong with a block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The file ends inside it.
    #[error("the file ends before its END line")]
    NoEnd,
    /// Another block ends instead.
    #[error("line {line} ends another block: {found}")]
    WrongEnd {
        /// Line of that END.
        line: usize,
        /// Its label.
        found: String,
    },
    /// A blank line makes all before it a header; a second one, or an overlong or short line after it, is an error.
    #[error("a blank line at line {line} splits it")]
    Blank {
        /// The line that OpenSSL stumbles over.
        line: usize,
    },
    /// No base64, or cut short.
    #[error("its base64 is damaged")]
    Base64,
    /// Nothing between BEGIN and END.
    #[error("nothing stands between BEGIN and END")]
    Empty,
}

/// The blocks of a file, in order; after the first [`Broken`] none follows.
pub fn blocks(bytes: &[u8]) -> Blocks<'_> {
    Blocks { lines: Lines { rest: bytes, number: 0, whole: true }, over: false }
}

/// The line of the first BEGIN behind a UTF-8 byte order mark, as joined files have it: OpenSSL 3 strips the mark, OpenSSL 1.1 does not
/// see that block.
pub fn hidden(bytes: &[u8]) -> Option<usize> {
    let marked = |line: &[u8]| line.strip_prefix(b"\xef\xbb\xbf").is_some_and(|rest| rest.starts_with(BEGIN));
    bytes.split(|&byte| byte == b'\n').position(marked).map(|before| before + 1)
}

/// See [`blocks`].
pub struct Blocks<'a> {
    lines: Lines<'a>,
    over: bool,
}

impl Iterator for Blocks<'_> {
    type Item = Result<Block, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let (line, label) = loop {
            let line = self.lines.next()?;
            if let Some(label) = line.text.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(TAIL)) {
                break (line.number, label);
            }
        };
        let body = self.body(label);
        let label = printable(label);
        self.over = body.is_err();
        Some(match body {
            Ok((header, der)) => Ok(Block { label, line, header, der }),
            Err(flaw) => Err(Broken { label, line, flaw }),
        })
    }
}

impl Blocks<'_> {
    fn body(&mut self, label: &[u8]) -> Result<(Header, Zeroizing<Vec<u8>>), Flaw> {
        let mut header = None;
        let mut base64 = Zeroizing::new(Vec::new());
        let mut short = None;
        let mut in_header = false;
        loop {
            let line = self.lines.next().ok_or(Flaw::NoEnd)?;
            if let Some(rest) = line.text.strip_prefix(END) {
                if rest.strip_suffix(TAIL) != Some(label) {
                    return Err(Flaw::WrongEnd { line: line.number, found: printable(rest.strip_suffix(TAIL).unwrap_or(rest)) });
                }
                break;
            }
            if line.text.is_empty() {
                if line.continues {
                    continue;
                }
                if header.is_some() {
                    return Err(Flaw::Blank { line: line.number });
                }
                header = Some(Header::of(&base64));
                base64.clear();
                in_header = false;
                continue;
            }
            // After a header OpenSSL wants lines of 64 characters, the last one excepted.
            if header.is_some() {
                if let Some(line) = short {
                    return Err(Flaw::Blank { line });
                }
                match line.text.len() {
                    0..64 => short = Some(line.number),
                    64 => {}
                    65.. => return Err(Flaw::Blank { line: line.number }),
                }
            }
            // A colon makes all so far a header, even where a `-` has ended the base64 before it.
            in_header |= header.is_none() && line.text.contains(&b':');
            base64.extend_from_slice(line.text);
        }
        if in_header {
            return Err(Flaw::Base64);
        }
        let der = decode(&base64).ok_or(Flaw::Base64)?;
        if der.is_empty() { Err(Flaw::Empty) } else { Ok((header.unwrap_or(Header::None), der)) }
    }
}

/// A whole key may stand between BEGIN and the line's last dashes, where somebody lost the line breaks: that must not be shown.
fn printable(label: &[u8]) -> String {
    let plain = label.len() <= 40 && label.iter().all(|b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b' '));
    if plain { String::from_utf8_lossy(label).into_owned() } else { "?".to_owned() }
}

impl Header {
    fn of(text: &[u8]) -> Header {
        if text.is_empty() {
            Header::None
        } else if text.windows(b"ENCRYPTED".len()).any(|w| w == b"ENCRYPTED") {
            Header::Encrypted
        } else {
            Header::Other
        }
    }
}

/// Lines as OpenSSL's file BIO hands them out: at most 254 bytes at a time, cut at a NUL, without what trails; one that begins with a
/// NUL reads as the end of the file.
struct Lines<'a> {
    rest: &'a [u8],
    number: usize,
    whole: bool,
}

struct Line<'a> {
    text: &'a [u8],
    number: usize,
    /// The rest of a line that was too long for one read.
    continues: bool,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let window = &self.rest[..self.rest.len().min(LONGEST)];
        let end = window.iter().position(|&b| b == b'\n').map_or(window.len(), |at| at + 1);
        let (text, rest) = self.rest.split_at(end);
        let text = text.split(|&b| b == 0).next().unwrap_or_default();
        if text.is_empty() {
            return None;
        }
        let continues = !self.whole;
        self.number += usize::from(self.whole);
        self.whole = window[..end].ends_with(b"\n");
        self.rest = rest;
        let kept = text.iter().rposition(|&b| (b'!'..0x80).contains(&b)).map_or(0, |at| at + 1);
        Some(Line { text: &text[..kept], number: self.number, continues })
    }
}

/// Base64 as OpenSSL decodes it: white space anywhere, `-` ends it early, padding only at the end and whole quads only.
fn decode(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut der = Zeroizing::new(Vec::with_capacity(text.len() / 4 * 3));
    let (mut quad, mut filled, mut padding) = (0u32, 0u8, 0u8);
    for &byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                padding += 1;
                if padding > 2 {
                    return None;
                }
                0
            }
            b' ' | b'\t' | b'\r' => continue,
            b'-' => break,
            _ => return None,
        };
        if padding > 0 && byte != b'=' {
            return None;
        }
        quad = quad << 6 | u32::from(value);
        filled += 1;
        if filled == 4 {
            let [_, bytes @ ..] = quad.to_be_bytes();
            der.extend_from_slice(&bytes[..3 - usize::from(padding)]);
            (quad, filled) = (0, 0);
        }
    }
    (filled == 0).then_some(der)
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const TAIL: &[u8] = b"-----";
const LONGEST: usize = 254;

#[cfg(test)]
mod tests {
    use super::*;

    /// 48 bytes: one full line of base64.
    const LINE: &str = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2";
    const SHORT: &str = "eHl6";

    type Found = Vec<Result<(String, usize, usize), Flaw>>;

    fn read(text: impl AsRef<[u8]>) -> Found {
        blocks(text.as_ref()).map(|b| b.map(|b| (b.label, b.line, b.der.len())).map_err(|b| b.flaw)).collect()
    }

    #[test]
    fn blocks_are_read_as_openssl_reads_them() {
        let block = format!("-----BEGIN A-----\n{LINE}\n{SHORT}\n-----END A-----\n");
        let a = |line| Ok(("A".to_owned(), line, 51));
        let table: Vec<(&str, Vec<u8>, Found)> = vec![
            ("as it should be", block.clone().into(), vec![a(1)]),
            ("CRLF", block.replace('\n', "\r\n").into(), vec![a(1)]),
            ("CR alone", block.replace('\n', "\r").into(), vec![Err(Flaw::NoEnd)]),
            ("text around", format!("subject=x\n{block}\nissuer: y\n{block}z").into(), vec![a(2), a(8)]),
            ("no final newline", block.trim_end().into(), vec![a(1)]),
            ("spaces trailing", block.replace('\n', "  \n").into(), vec![a(1)]),
            ("body indented", block.replace(LINE, &format!("  {LINE}")).into(), vec![a(1)]),
            ("BEGIN indented", format!(" {block}").into(), vec![]),
            ("one long line", block.replace(&format!("{LINE}\n"), &LINE.repeat(9)).into(), vec![Ok(("A".to_owned(), 1, 48 * 9 + 3))]),
            (
                "lines of 254",
                format!("-----BEGIN A-----\n{}\n-----END A-----\n", &LINE.repeat(4)[..252]).into(),
                vec![Ok(("A".to_owned(), 1, 189))],
            ),
            ("blank line first", block.replacen('\n', "\n\n", 1).into(), vec![a(1)]),
            ("two blank lines", block.replacen('\n', "\n\n\n", 1).into(), vec![Err(Flaw::Blank { line: 3 })]),
            ("blank line last", block.replace("\n-----END", "\n\n-----END").into(), vec![Err(Flaw::Empty)]),
            (
                "blank, then short lines",
                format!("-----BEGIN A-----\n\n{SHORT}\n{SHORT}\n-----END A-----\n").into(),
                vec![Err(Flaw::Blank { line: 3 })],
            ),
            (
                "blank, then a long line",
                format!("-----BEGIN A-----\n\n{LINE}{SHORT}\n-----END A-----\n").into(),
                vec![Err(Flaw::Blank { line: 3 })],
            ),
            ("no END", block.replace("-----END A-----\n", "").into(), vec![Err(Flaw::NoEnd)]),
            ("END of another", block.replace("END A", "END B").into(), vec![Err(Flaw::WrongEnd { line: 4, found: "B".into() })]),
            (
                "END with text after it",
                block.replace("END A-----", "END A----- x").into(),
                vec![Err(Flaw::WrongEnd { line: 4, found: "?".into() })],
            ),
            // The `-` of the second BEGIN ends the base64: the first block is whole and swallows the second.
            ("no END, then a block", format!("-----BEGIN A-----\n{LINE}\n{SHORT}\n{block}").into(), vec![a(1)]),
            ("bad base64", block.replace("QUJD", "QU!D").into(), vec![Err(Flaw::Base64)]),
            ("a header without its blank line", block.replace(SHORT, "A-b: c").into(), vec![Err(Flaw::Base64)]),
            ("a `-` ends the base64", block.replace(SHORT, "eHl6-x").into(), vec![a(1)]),
            ("padding missing", block.replace(SHORT, "eHk").into(), vec![Err(Flaw::Base64)]),
            ("padding too much", block.replace(SHORT, "====").into(), vec![Err(Flaw::Base64)]),
            ("data after padding", block.replace(SHORT, "eA==eHl6").into(), vec![Err(Flaw::Base64)]),
            ("nothing inside", "-----BEGIN A-----\n-----END A-----\n".into(), vec![Err(Flaw::Empty)]),
            ("nothing after a broken one", format!("-----BEGIN B-----\n!\n-----END B-----\n{block}").into(), vec![Err(Flaw::Base64)]),
            ("byte order mark", [b"\xef\xbb\xbf", block.as_bytes()].concat(), vec![]),
            ("NUL at a line's start ends the file", [block.as_bytes(), b"\0\n", block.as_bytes()].concat(), vec![a(1)]),
            ("NUL inside a line ends the line", [b"a\0b\n", block.as_bytes()].concat(), vec![a(2)]),
            ("a BEGIN glued to text", format!("text {block}").into(), vec![]),
            ("glued right where a read ends", format!("{}{block}", "x".repeat(254)).into(), vec![a(1)]),
            ("END without BEGIN", format!("-----END A-----\n{block}").into(), vec![a(2)]),
        ];
        for (what, text, expected) in table {
            assert_eq!(read(&text), expected, "{what}");
        }
    }

    #[test]
    fn a_begin_behind_a_byte_order_mark_is_pointed_at() {
        for (text, expected) in
            [("\u{feff}-----BEGIN A-----\n", Some(1)), ("x\n\u{feff}-----BEGIN A-----", Some(2)), ("\u{feff}x\n-----BEGIN A-----", None)]
        {
            assert_eq!(hidden(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn legacy_encryption_is_told_from_other_headers() {
        for (text, header) in [("Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00", Header::Encrypted), ("Comment: x", Header::Other)] {
            let pem = format!("-----BEGIN RSA PRIVATE KEY-----\n{text}\n\n{LINE}\n-----END RSA PRIVATE KEY-----\n");
            assert_eq!(blocks(pem.as_bytes()).next().unwrap().unwrap().header, header);
        }
    }

    #[test]
    fn a_debug_print_shows_no_content() {
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{LINE}\n-----END PRIVATE KEY-----\n");
        assert_eq!(format!("{:?}", blocks(pem.as_bytes()).next()), "Some(Ok(PRIVATE KEY at line 1, 48 bytes))");
        let lost_breaks = blocks(pem.replace('\n', "").as_bytes()).next();
        assert!(!format!("{lost_breaks:?}").contains("QUJD"), "{lost_breaks:?}");
    }
}
