//! What is seen, and how long it took → lines on the terminal: coloured on one, plain in a pipe, in columns. A claim that does not hold
//! ends the program with what was seen instead.

use std::{fmt::Display, time::Duration};

use anstream::println;
use anstyle::{AnsiColor, Style};
use starkeeper::clock::{self, Tick};

/// Where the story is told.
#[derive(Debug)]
pub(super) struct Stage {
    begun: Tick,
    steps: usize,
}

impl Stage {
    /// Opens with a title; from now on a panic is told as a claim that failed.
    pub(super) fn open(title: &str, about: &str) -> Self {
        std::panic::set_hook(Box::new(|info| {
            let said = info.payload_as_str().unwrap_or("the demo ended");
            anstream::eprintln!("\n  {} {said}", styled("✗", FAILED));
        }));
        println!("\n{}  {}", styled(title, TITLE), styled(about, DIM));
        Self { begun: clock::tick(), steps: 0 }
    }

    /// The next step of the story.
    pub(super) fn step(&mut self, title: &str) {
        self.steps += 1;
        println!("\n{} {}", styled(&format!("{:>2}", self.steps), NUMBER), styled(title, TITLE));
    }

    /// Something that was done.
    pub(super) fn done(&self, who: &str, what: impl Display) {
        row(styled("·", DIM), who, &what.to_string(), None);
    }

    /// Something that was seen to hold; ends the program where it does not.
    #[track_caller]
    pub(super) fn holds(&self, who: &str, what: impl Display, holds: bool, otherwise: impl Display) {
        assert!(holds, "{who}: not so: {what}\n    seen instead: {otherwise}");
        row(styled("✓", GOOD), who, &what.to_string(), None);
    }

    /// The same, with how long it took.
    #[track_caller]
    pub(super) fn took(&self, who: &str, what: impl Display, time: Duration) {
        row(styled("✓", GOOD), who, &what.to_string(), Some(time));
    }

    /// What a program printed, as it is.
    pub(super) fn quote(&self, text: &str) {
        for line in text.lines() {
            println!("{}", format!("    {} {line}", styled("│", DIM)).trim_end());
        }
    }

    /// How long all of it took.
    pub(super) fn elapsed(&self) -> Duration {
        clock::tick() - self.begun
    }
}

/// What to paste: each command with what it is good for, in two columns.
pub(super) fn paste(title: &str, commands: &[(String, &str)]) {
    println!("\n   {}", styled(title, TITLE));
    for (command, purpose) in commands {
        println!("     {}", styled(&format!("# {purpose}"), DIM));
        println!("     {}", styled(command, COMMAND));
    }
}

/// `4.2 ms` below a second, `1.3 s` above.
pub(super) fn span(time: Duration) -> String {
    if time < Duration::from_secs(1) { format!("{:.1} ms", time.as_secs_f64() * 1e3) } else { format!("{:.2} s", time.as_secs_f64()) }
}

/// The beginning of a fingerprint: enough for the eye.
pub(super) fn short(fingerprint: &str) -> &str {
    fingerprint.get(..12).unwrap_or(fingerprint)
}

fn row(mark: String, who: &str, what: &str, time: Option<Duration>) {
    let time = time.map(|time| styled(&format!("{:>9}", span(time)), NUMBER)).unwrap_or_default();
    println!("{}", format!("    {mark} {}  {what:<WIDTH$} {time}", styled(&format!("{who:<8}"), DIM)).trim_end());
}

fn styled(words: &str, style: Style) -> String {
    format!("{style}{words}{style:#}")
}

const WIDTH: usize = 76;
const TITLE: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const NUMBER: Style = AnsiColor::Cyan.on_default();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const FAILED: Style = AnsiColor::Red.on_default().bold();
const COMMAND: Style = AnsiColor::Yellow.on_default();
