//! Bytes of one file → the text that is left of each line once comments are gone, with its line number. Just as Asterisk does it
//! (`config_text_file_load`, seen alike on 16 and 22): lines that are too long are skipped whole, a NUL ends a line early, `\;` is a
//! semicolon, and `;--` … `--;` hides text across lines, across the files of one wildcard include, and (a stray `--;`) for good.

use std::io::{self, BufRead, Read as _};

use memchr::{memchr, memchr2};

/// Reads the lines of one file. [`Comments`] outlives it: the files of one wildcard include share it.
pub(super) struct Lines<'a> {
    reader: Box<dyn BufRead + 'a>,
    /// How much of its buffer the last line took.
    used: usize,
    /// One chunk as `fgets` would give it: a line with its end, or [`LONGEST`] bytes of one.
    chunk: Vec<u8>,
    live: Vec<u8>,
    line: u32,
    ended: bool,
    skip_mark: bool,
}

/// What one line amounts to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'l> {
    /// Text without comments and without blanks at either end; never empty.
    Text(&'l [u8]),
    /// Nothing is left of it.
    Blank,
    /// Longer than [`LONGEST`] bytes: Asterisk skips it.
    TooLong,
    /// A `--;` without its `;--`: Asterisk takes what follows for a comment, to the end of the file.
    StrayEnd(&'l [u8]),
    /// More than [`DEEPEST`] comments within each other: Asterisk never returns from such a line.
    NestedTooDeep,
}

/// How deep in block comments the reader is. Negative after a stray `--;`.
#[derive(Debug, Default)]
pub(super) struct Comments {
    depth: i32,
    opened: u32,
}

impl Comments {
    /// The line where the comment began that is still open.
    pub(super) fn open_since(&self) -> Option<u32> {
        (self.depth > 0).then_some(self.opened)
    }
}

/// Asterisk's line buffer is 8192 bytes, one of which ends the string.
const LONGEST: usize = 8191;
/// `MAX_NESTED_COMMENTS`.
const DEEPEST: i32 = 128;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl<'a> Lines<'a> {
    /// `first`: whether a byte order mark may open it. Asterisk forgives one only to the first file of a wildcard include.
    pub(super) fn new(reader: Box<dyn BufRead + 'a>, first: bool) -> Self {
        Lines { reader, used: 0, chunk: Vec::new(), live: Vec::new(), line: 1, ended: false, skip_mark: first }
    }

    /// The next line with its number, counted from 1; `None` at the end. Also says how many bytes were read for it.
    pub(super) fn next(&mut self, comments: &mut Comments) -> io::Result<Option<(u32, usize, Line<'_>)>> {
        self.reader.consume(std::mem::take(&mut self.used));
        let first = std::mem::take(&mut self.skip_mark);
        let number = self.line;
        // Most lines are whole in the buffer already, and stay there until the next one is asked for.
        let whole = memchr(b'\n', self.reader.fill_buf()?).filter(|end| *end < LONGEST);
        let chunk = if let Some(end) = whole {
            self.used = end + 1;
            self.line = self.line.saturating_add(1);
            self.reader.fill_buf()?.get(..=end).unwrap_or_default()
        } else {
            if self.ended || !self.read_chunk()? {
                return Ok(None);
            }
            if is_cut_off(&self.chunk) {
                let mut size = self.chunk.len();
                while self.read_chunk()? {
                    size += self.chunk.len();
                    if !is_cut_off(&self.chunk) {
                        break;
                    }
                }
                return Ok(Some((number, size, Line::TooLong)));
            }
            &self.chunk
        };
        let text = if first { chunk.strip_prefix(BYTE_ORDER_MARK).unwrap_or(chunk) } else { chunk };
        Ok(Some((number, chunk.len(), uncomment(text, &mut self.live, comments, number))))
    }

    fn read_chunk(&mut self) -> io::Result<bool> {
        self.chunk.clear();
        let read = self.reader.by_ref().take(LONGEST as u64).read_until(b'\n', &mut self.chunk)?;
        self.ended = read == 0;
        if self.chunk.last() == Some(&b'\n') {
            self.line = self.line.saturating_add(1);
        }
        Ok(read > 0)
    }
}

fn is_cut_off(chunk: &[u8]) -> bool {
    chunk.len() == LONGEST && chunk.last() != Some(&b'\n') && !chunk.contains(&0)
}

fn uncomment<'l>(text: &'l [u8], live: &'l mut Vec<u8>, comments: &mut Comments, number: u32) -> Line<'l> {
    let Some(first) = memchr2(0, b';', text) else {
        return if comments.depth == 0 { text_or_blank(text) } else { Line::Blank };
    };
    let text = &text[..memchr(0, &text[first..]).map_or(text.len(), |end| first + end)];
    live.clear();
    let mut strayed = false;
    // `shown`: what is being read is live; `run`: from where on it was not yet taken over; `from`: nothing before it is looked at again.
    let (mut shown, mut run, mut from) = (comments.depth == 0, 0, 0);
    let mut everything = true;
    while let Some(at) = memchr(b';', &text[from..]).map(|offset| from + offset) {
        let before = &text[from..at];
        if before.ends_with(b"\\") {
            if shown {
                live.extend_from_slice(&text[run..at - 1]);
                run = at;
            }
            from = at + 1;
        } else if text[at + 1..].starts_with(b"--") && text.get(at + 3) != Some(&b'-') {
            if comments.depth >= DEEPEST {
                return Line::NestedTooDeep;
            }
            if shown {
                live.extend_from_slice(&text[run..at]);
                shown = false;
            }
            comments.depth += 1;
            comments.opened = number;
            from = at + 3;
        } else if before.ends_with(b"--") {
            comments.depth -= 1;
            strayed |= comments.depth == -1;
            from = at + 1;
            if comments.depth == 0 {
                shown = true;
                run = from;
            }
        } else if comments.depth == 0 {
            if shown {
                live.extend_from_slice(&text[run..at]);
            }
            everything = false;
            break;
        } else {
            from = at + 1;
        }
    }
    if everything && shown {
        live.extend_from_slice(&text[run..]);
    }
    if strayed { Line::StrayEnd(strip(live)) } else { text_or_blank(live) }
}

fn text_or_blank(text: &[u8]) -> Line<'_> {
    match strip(text) {
        [] => Line::Blank,
        text => Line::Text(text),
    }
}

/// Without the bytes up to and with the space at either end (`ast_strip`); bytes above 127 are no blanks.
pub(super) fn strip(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && *first < 33
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && *last < 33
    {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_of(text: &str) -> Vec<(u32, String)> {
        let mut lines = Lines::new(Box::new(text.as_bytes()), true);
        let mut comments = Comments::default();
        let mut left = Vec::new();
        while let Some((number, _, line)) = lines.next(&mut comments).unwrap() {
            match line {
                Line::Text(text) | Line::StrayEnd(text) => left.push((number, String::from_utf8_lossy(text).into_owned())),
                Line::TooLong => left.push((number, "(too long)".to_owned())),
                Line::NestedTooDeep => left.push((number, "(too deep)".to_owned())),
                Line::Blank => {}
            }
        }
        left
    }

    #[test]
    fn comments_leave_what_asterisk_leaves() {
        for (text, left) in [
            ("x = 1 ; comment", "x = 1"),
            (r"y = a\;b ;c", "y = a;b"),
            ("z => ;--inline--; v", "z =>  v"),
            ("w = 1 ;-- one --; 2 ;-- two --; 3", "w = 1  2  3"),
            ("v = a;-- b ;-- c --; d --; e", "v = a e"),
            (r"u = \\;x", r"u = \;x"),
            ("x = 1 --; foo", "x = 1 --; foo"),
            (";--- not a block", ""),
            ("\x0b x = 1 \r", "x = 1"),
            ("\u{feff}[a]", "[a]"),
        ] {
            assert_eq!(left_of(text).first().map_or("", |(_, text)| text), left, "{text}");
        }
    }

    #[test]
    fn a_block_hides_lines_until_it_ends_and_a_stray_end_hides_the_rest() {
        assert_eq!(left_of("a\n;-- b\nc\n--; d\ne"), [(1, "a".to_owned()), (4, "d".to_owned()), (5, "e".to_owned())]);
        assert_eq!(left_of("a --; b\nc\n;-- d\ne"), [(1, "a --; b".to_owned()), (4, "e".to_owned())]);
        assert_eq!(left_of(";--;\nhidden\n;----;\nv"), [(4, "v".to_owned())]);
    }

    #[test]
    fn a_line_of_8191_bytes_is_read_and_a_longer_one_is_skipped_whole() {
        for (length, long) in [(8190, false), (8191, true), (20_000, true)] {
            let text = format!("{}\nnext", "v".repeat(length));
            let left = left_of(&text);
            assert_eq!(left[0].1 == "(too long)", long, "{length}");
            assert_eq!(left[1], (2, "next".to_owned()));
        }
    }
}
