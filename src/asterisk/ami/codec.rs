//! Bytes → AMI's banner and messages, [`Action`]s → bytes. Whatever comes, memory stays bounded: a peer that exceeds a limit, or whose
//! first bytes are no banner, is refused with what it sent. Lone line feeds are taken as Asterisk's CR LF.

use bytes::{Buf as _, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::action::Action;

/// Longest banner line, in bytes. Asterisk's has about 30.
const BANNER_LIMIT: usize = 128;
/// Longest line of a message, in bytes, without its end.
pub const LINE_LIMIT: usize = 64 * 1024;
/// Most lines of one message. A long CLI listing has some thousands.
pub const LINES_LIMIT: usize = 16 * 1024;
/// Largest message, in bytes.
pub const MESSAGE_LIMIT: usize = 1024 * 1024;

const BANNER: &[u8] = b"Asterisk Call Manager/";
/// How Asterisk 13 and older end the answer to `Action: Command`.
const END_OF_OUTPUT: &str = "--END COMMAND--";
/// What each line of a command's output is kept under, as Asterisk 14 and later send it.
const OUTPUT: &str = "Output";

/// Reads and writes one AMI connection.
#[derive(Debug, Default)]
pub struct Codec {
    greeted: bool,
    /// How far the buffer holds no line end, so that no byte is looked at twice.
    scanned: usize,
    draft: Draft,
}

/// What comes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The first line: `Asterisk Call Manager/11.0.0`.
    Banner {
        /// The version of the protocol: `11.0.0`.
        version: String,
    },
    /// Everything after it.
    Message(Message),
}

/// One response or event: `Key: Value` lines in the order in which they came. Bytes that are no UTF-8 are replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message(Vec<(String, String)>);

impl Message {
    /// What the message answers with (`Success`, `Error`, `Follows`, `Goodbye`), if it is a response.
    pub fn response(&self) -> Option<&str> {
        self.leading("Response")
    }

    /// The event's name, if it is one. Events may carry a `Response` key too, so only the first line tells.
    pub fn event(&self) -> Option<&str> {
        self.leading("Event")
    }

    /// The first value under `key`, which is matched as Asterisk matches it: in any case.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
    }

    /// What the CLI printed, line by line.
    pub fn output(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(key, _)| key == OUTPUT).map(|(_, value)| value.as_str())
    }

    /// Every line, in order. A line without a colon has an empty key.
    pub fn fields(&self) -> &[(String, String)] {
        &self.0
    }

    fn leading(&self, key: &str) -> Option<&str> {
        self.0.first().filter(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
    }
}

/// Why a peer is not listened to any longer.
#[derive(Debug, thiserror::Error)]
pub enum Violation {
    /// Its first line is not Asterisk's.
    #[error("read an AMI banner: the peer sent `{came}`")]
    NoBanner {
        /// The first bytes, printable.
        came: String,
    },
    /// A line does not end.
    #[error("read a line of at most {limit} bytes")]
    LineTooLong {
        /// In bytes.
        limit: usize,
    },
    /// A message does not end.
    #[error("read a message of at most {lines} lines and {bytes} bytes")]
    MessageTooLong {
        /// Most lines.
        lines: usize,
        /// Most bytes.
        bytes: usize,
    },
    /// The connection itself failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Decoder for Codec {
    type Item = Frame;
    type Error = Violation;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Frame>, Violation> {
        if !self.greeted {
            check_banner(bytes)?;
        }
        while let Some(line) = self.line(bytes)? {
            if !self.greeted {
                self.greeted = true;
                let version = line.get(BANNER.len()..).unwrap_or_default();
                return Ok(Some(Frame::Banner { version: text(version).trim().to_owned() }));
            }
            if let Some(message) = self.draft.add(&line)? {
                return Ok(Some(Frame::Message(message)));
            }
        }
        Ok(None)
    }

    /// What is left of a line or a message when the peer closes is nothing to act upon.
    fn decode_eof(&mut self, bytes: &mut BytesMut) -> Result<Option<Frame>, Violation> {
        let frame = self.decode(bytes)?;
        if frame.is_none() {
            bytes.clear();
        }
        Ok(frame)
    }
}

impl Encoder<&Action> for Codec {
    type Error = Violation;

    fn encode(&mut self, action: &Action, bytes: &mut BytesMut) -> Result<(), Violation> {
        bytes.extend_from_slice(&action.encode());
        Ok(())
    }
}

impl Codec {
    /// The next whole line, without its end.
    fn line(&mut self, bytes: &mut BytesMut) -> Result<Option<BytesMut>, Violation> {
        let limit = if self.greeted { LINE_LIMIT } else { BANNER_LIMIT };
        let end = bytes[self.scanned..].iter().position(|byte| *byte == b'\n').map(|found| self.scanned + found);
        if end.unwrap_or(bytes.len()) > limit {
            return Err(Violation::LineTooLong { limit });
        }
        let Some(end) = end else {
            self.scanned = bytes.len();
            return Ok(None);
        };
        self.scanned = 0;
        let mut line = bytes.split_to(end);
        bytes.advance(1);
        if line.ends_with(b"\r") {
            line.truncate(line.len() - 1);
        }
        Ok(Some(line))
    }
}

/// Refuses at the first byte that no banner has, so that a web server or an SSH daemon is named at once.
fn check_banner(bytes: &[u8]) -> Result<(), Violation> {
    let known = bytes.len().min(BANNER.len());
    if bytes[..known] == BANNER[..known] { Ok(()) } else { Err(Violation::NoBanner { came: printable(&bytes[..bytes.len().min(64)]) }) }
}

/// A message of which not every line is there yet.
#[derive(Debug, Default)]
struct Draft {
    fields: Vec<(String, String)>,
    bytes: usize,
    body: Body,
}

/// Where in a message the next line stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Body {
    /// `Key: Value`.
    #[default]
    Fields,
    /// After `Response: Follows`, before the raw output.
    FollowsHead,
    /// Raw output, empty lines included, up to `--END COMMAND--`.
    Raw,
}

impl Draft {
    fn add(&mut self, line: &[u8]) -> Result<Option<Message>, Violation> {
        if line.is_empty() && self.body == Body::Fields {
            let Draft { fields, .. } = std::mem::take(self);
            return Ok((!fields.is_empty()).then_some(Message(fields)));
        }
        self.bytes += line.len() + 1;
        if self.fields.len() >= LINES_LIMIT || self.bytes > MESSAGE_LIMIT {
            return Err(Violation::MessageTooLong { lines: LINES_LIMIT, bytes: MESSAGE_LIMIT });
        }
        let line = text(line);
        self.body = match self.body {
            Body::Fields => self.field(&line),
            Body::FollowsHead if line.starts_with("Privilege: ") || line.starts_with("ActionID: ") => {
                self.field(&line);
                Body::FollowsHead
            }
            Body::FollowsHead | Body::Raw => self.raw(&line),
        };
        Ok(None)
    }

    fn field(&mut self, line: &str) -> Body {
        // A channel variable that holds a line feed reaches us as a line of its own: no reason to give the connection up.
        let (key, value) = line.split_once(':').unwrap_or(("", line));
        let value = value.strip_prefix(' ').unwrap_or(value);
        let follows = self.fields.is_empty() && key == "Response" && value == "Follows";
        self.fields.push((key.to_owned(), value.to_owned()));
        if follows { Body::FollowsHead } else { Body::Fields }
    }

    fn raw(&mut self, line: &str) -> Body {
        let (line, body) = match line.strip_suffix(END_OF_OUTPUT) {
            Some("") => return Body::Fields,
            Some(rest) => (rest, Body::Fields),
            None => (line, Body::Raw),
        };
        self.fields.push((OUTPUT.to_owned(), line.to_owned()));
        body
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).into_owned()
}

/// What a stranger sent, fit for a log line.
pub(super) fn printable(bytes: &[u8]) -> String {
    text(bytes).chars().take(200).map(|c| if c.is_control() { '·' } else { c }).collect()
}

#[cfg(test)]
mod tests;
