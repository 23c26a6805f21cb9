//! What is asked of Asterisk. An [`Action`] that exists can be sent: line breaks (which would smuggle in another action) and what
//! exceeds Asterisk's own input buffers (`main/manager.c`) are refused while it is built.

use std::fmt;

use zeroize::Zeroizing;

/// Longest line that Asterisk reads, its CR LF included; longer ones it answers with `line too long`.
pub const LINE_LIMIT: usize = 1024;
/// Most lines of one action that Asterisk takes (`AST_MAX_MANHEADERS`), `Action` and `ActionID` included.
pub const HEADERS_LIMIT: usize = 128;

/// One action, complete but for its `ActionID`, which the connection gives it.
#[derive(Clone)]
pub struct Action {
    name: String,
    /// Wiped when dropped: among them is the login's secret.
    headers: Vec<(&'static str, Zeroizing<String>)>,
}

/// Why something cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// A value with CR, LF or NUL in it.
    #[error("build an action: `{key}` holds a line break")]
    LineBreak {
        /// Whose value it is.
        key: &'static str,
    },
    /// A line that Asterisk would not read.
    #[error("build an action: the line of `{key}` has {length} bytes, Asterisk reads {LINE_LIMIT}")]
    LineTooLong {
        /// Whose line it is.
        key: &'static str,
        /// In bytes, with CR LF.
        length: usize,
    },
    /// More lines than Asterisk would read.
    #[error("build an action: it has more than {HEADERS_LIMIT} lines")]
    TooManyHeaders,
}

impl Action {
    /// An action by its name: `Reload`. The name is the program's own, so it is not checked.
    pub fn new(name: &'static str) -> Self {
        Action { name: name.to_owned(), headers: Vec::new() }
    }

    /// The same action with one more line.
    ///
    /// # Errors
    /// When the line holds a line break, or Asterisk would not read it.
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Result<Self, ActionError> {
        let value = Zeroizing::new(value.into());
        if value.contains(['\r', '\n', '\0']) {
            return Err(ActionError::LineBreak { key });
        }
        let length = key.len() + ": ".len() + value.len() + "\r\n".len();
        if length > LINE_LIMIT {
            return Err(ActionError::LineTooLong { key, length });
        }
        // Two are taken: `Action` and `ActionID`.
        if self.headers.len() + 2 >= HEADERS_LIMIT {
            return Err(ActionError::TooManyHeaders);
        }
        self.headers.push((key, value));
        Ok(self)
    }

    /// What is asked: `Reload`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same action with the id that its answer will carry.
    pub(super) fn identified(mut self, id: &ActionId) -> Self {
        self.headers.push(("ActionID", Zeroizing::new(id.to_string())));
        self
    }

    /// As it goes over the wire, in one piece.
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let length = self.headers.iter().map(|(key, value)| key.len() + value.len() + 4).sum::<usize>();
        let mut bytes = Zeroizing::new(Vec::with_capacity(length + self.name.len() + 16));
        let mut line = |key: &str, value: &str| {
            for part in [key, ": ", value, "\r\n"] {
                bytes.extend_from_slice(part.as_bytes());
            }
        };
        line("Action", &self.name);
        for (key, value) in &self.headers {
            line(key, value);
        }
        bytes.extend_from_slice(b"\r\n");
        bytes
    }
}

impl fmt::Debug for Action {
    /// Without what a login shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        for (key, value) in &self.headers {
            let shown = if matches!(*key, "Secret" | "Key") { "…" } else { value.as_str() };
            write!(f, " {key}={shown}")?;
        }
        Ok(())
    }
}

/// What an answer is known by. Never used twice by one client, so that the answer to an earlier connection's question matches nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ActionId(u64);

impl ActionId {
    /// The next one.
    pub(super) fn after(last: &mut u64) -> Self {
        *last += 1;
        ActionId(*last)
    }

    /// Whether a message's `ActionID` is this one.
    pub(super) fn is(self, text: &str) -> bool {
        text.strip_prefix("starkeeper-").is_some_and(|number| number.parse() == Ok(self.0))
    }
}

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "starkeeper-{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_written_line_by_line_and_ends_with_an_empty_one() {
        let mut last = 6;
        let action = Action::new("Reload").with("Module", "http").unwrap().identified(&ActionId::after(&mut last));
        assert_eq!(&**action.encode(), b"Action: Reload\r\nModule: http\r\nActionID: starkeeper-7\r\n\r\n");
    }

    #[test]
    fn a_line_break_cannot_smuggle_in_another_action() {
        for value in ["http\r\nAction: Command", "http\nX: y", "http\r", "a\0b"] {
            assert_eq!(Action::new("Reload").with("Module", value).unwrap_err(), ActionError::LineBreak { key: "Module" });
        }
    }

    #[test]
    fn a_line_may_have_just_as_many_bytes_as_asterisk_reads() {
        let longest = LINE_LIMIT - "Module: \r\n".len();
        assert!(Action::new("Reload").with("Module", "x".repeat(longest)).is_ok());
        let error = Action::new("Reload").with("Module", "x".repeat(longest + 1)).unwrap_err();
        assert_eq!(error, ActionError::LineTooLong { key: "Module", length: LINE_LIMIT + 1 });
    }

    #[test]
    fn an_action_may_have_just_as_many_lines_as_asterisk_takes() {
        let full = (0..HEADERS_LIMIT - 2).try_fold(Action::new("Ping"), |action, _| action.with("X", "y")).unwrap();
        assert_eq!(full.with("X", "y").unwrap_err(), ActionError::TooManyHeaders);
    }

    #[test]
    fn debug_shows_neither_secret_nor_key() {
        let login = Action::new("Login").with("Secret", "hush").unwrap().with("Key", "0a1b").unwrap().with("Username", "joan").unwrap();
        let shown = format!("{login:?}");
        assert!(!shown.contains("hush") && !shown.contains("0a1b") && shown.contains("joan"), "{shown}");
    }

    #[test]
    fn an_id_matches_itself_alone() {
        let mut last = 0;
        let id = ActionId::after(&mut last);
        assert!(id.is(&id.to_string()));
        for other in ["", "1", "starkeeper-2", "starkeeper-", "starkeeper-1x", "other-1"] {
            assert!(!id.is(other), "{other}");
        }
    }
}
