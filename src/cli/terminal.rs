//! Where people read: stdout and stderr, with colours where they are wanted, and no panic when the reader of a pipe goes away.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::atomic::{AtomicBool, Ordering},
};

use super::{Color, Common, drawing::Pen};
use crate::diagnosis::show::{Show, Styles};

/// What `--color` says; `auto` also heeds NO_COLOR and CLICOLOR_FORCE.
pub(super) fn choose_colour(color: Color) {
    match color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
}

/// One text on stdout; styles are dropped where they are not wanted. False: nobody reads it any more.
pub(super) fn out(text: &str) -> bool {
    let mut stdout = anstream::stdout().lock();
    let error = match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Ok(()) => return true,
        Err(error) => error,
    };
    // `| head -1` has what it wanted; a full disk has not.
    if error.kind() != io::ErrorKind::BrokenPipe {
        FAILED.store(true, Ordering::Relaxed);
        err(&format!("error: failed to write to stdout: {error}"));
    }
    false
}

/// Whether something that was to be told could not be, though somebody wants it.
pub(super) fn failed() -> bool {
    FAILED.load(Ordering::Relaxed)
}

static FAILED: AtomicBool = AtomicBool::new(false);

/// One text on stderr.
pub(super) fn err(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Whether stdout is a terminal, and how many columns it has.
pub(super) fn columns() -> Option<usize> {
    let stdout = io::stdout();
    let width = || rustix::termios::tcgetwinsize(&stdout).map_or(0, |size| usize::from(size.ws_col));
    stdout.is_terminal().then(|| match width() {
        0 => COLUMNS,
        width => width,
    })
}

/// Overwrites the line that the cursor is on, and stays there. For terminals alone.
pub(super) fn overwrite(line: &str) {
    raw(&format!("\r\x1b[2K{line}"));
}

/// How findings are shown. Styles are always written: `anstream` drops them where they are not wanted. A terminal that is narrower than
/// 80 columns gets shorter lines.
pub(super) fn show(common: &Common) -> Show {
    let mut show = Show::new(common.lang(), Styles::coloured());
    if io::stdout().is_terminal()
        && let Ok(size) = rustix::termios::tcgetwinsize(io::stdout())
        && size.ws_col > 0
    {
        show.width = usize::from(size.ws_col).clamp(NARROWEST, show.width);
    }
    show
}

/// What drawings are made of: blocks where colours are wanted and the locale has them, else ASCII.
pub(super) fn pen() -> Pen {
    let coloured = anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(|name| std::env::var(name).ok()).find(|locale| !locale.is_empty());
    let locale = locale.unwrap_or_default().to_ascii_lowercase();
    if coloured && (locale.contains("utf-8") || locale.contains("utf8")) { Pen::Blocks } else { Pen::Plain }
}

/// A terminal that is drawn upon again and again, on a screen of its own that goes away with it.
pub(super) struct Screen {
    colours: bool,
}

impl Screen {
    /// `None`: stdout is no terminal.
    pub(super) fn open() -> Option<Self> {
        let stdout = io::stdout();
        if !stdout.is_terminal() {
            return None;
        }
        let colours = anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
        raw("\x1b[?1049h\x1b[?25l");
        Some(Screen { colours })
    }

    /// Draws line over line, in one write, and never more lines than there are: nothing flickers and nothing scrolls.
    pub(super) fn draw(&self, page: &str) {
        let rows = rustix::termios::tcgetwinsize(io::stdout()).map_or(ROWS, |size| usize::from(size.ws_row)).max(2);
        let page = if self.colours { page.to_owned() } else { anstream::adapter::strip_str(page).to_string() };
        let lines: Vec<&str> = page.lines().collect();
        let shown = if lines.len() > rows { &lines[..rows - 1] } else { &lines[..] };
        let mut frame = String::from("\x1b[?7l\x1b[H");
        for (number, line) in shown.iter().enumerate() {
            frame.push_str(if number == 0 { "" } else { "\r\n" });
            frame.push_str(line);
            frame.push_str("\x1b[0m\x1b[K");
        }
        if shown.len() < lines.len() {
            frame.push_str("\r\n…\x1b[K");
        }
        frame.push_str("\x1b[J\x1b[?7h");
        raw(&frame);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        raw("\x1b[?25h\x1b[?1049l");
    }
}

fn raw(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Where the terminal does not say how large it is.
const ROWS: usize = 24;
/// Narrower than this nothing is shaped for.
const NARROWEST: usize = 32;
const COLUMNS: usize = 80;
