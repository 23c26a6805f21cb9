//! Steps → a line each as they end, with a spinner meanwhile where a terminal shows it. JSON is told no steps before its end.

use std::{cell::RefCell, rc::Rc, time::Duration};

use anstyle::{AnsiColor, Style};

use crate::{
    cli::{Common, Output, terminal, words},
    diagnosis::texts::printable,
    doctor::{Listener, Outcome, Step},
};

/// Whoever watches an examination.
pub(super) struct Steps(Rc<Line>);

/// What turns while a step takes its time.
pub(super) struct Spinner(Rc<Line>);

struct Line {
    text: bool,
    /// The columns of the terminal; `None`: it is none.
    terminal: Option<usize>,
    running: RefCell<Option<&'static str>>,
}

impl Steps {
    /// Two that share one line.
    pub(super) fn of(common: &Common) -> (Steps, Spinner) {
        let text = match common.output {
            Output::Text => true,
            Output::Json => false,
        };
        let line = Rc::new(Line { text, terminal: terminal::columns().filter(|_| text), running: RefCell::new(None) });
        (Steps(line.clone()), Spinner(line))
    }
}

impl Listener for Steps {
    fn begins(&mut self, name: &'static str) {
        *self.0.running.borrow_mut() = Some(name);
    }

    fn ends(&mut self, step: &Step) {
        *self.0.running.borrow_mut() = None;
        if self.0.terminal.is_some() {
            terminal::overwrite("");
        }
        if self.0.text {
            terminal::out(&line(step, self.0.terminal));
        }
    }
}

impl Spinner {
    /// Turns until that is done.
    pub(super) async fn beside<T>(self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        if self.0.terminal.is_none() {
            return work.await;
        }
        let mut pace = tokio::time::interval(PACE);
        for turn in TURNS.iter().cycle() {
            tokio::select! {
                done = &mut work => return done,
                _ = pace.tick() => {
                    if let Some(name) = *self.0.running.borrow() {
                        terminal::overwrite(&format!("  {turn} {name}"));
                    }
                }
            }
        }
        work.await
    }
}

const PACE: Duration = Duration::from_millis(80);
const TURNS: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// One step: its mark, its name, how long it took, and what was seen, as far as a line holds it.
fn line(step: &Step, terminal: Option<usize>) -> String {
    let (fine, plain, style) = match step.outcome {
        Outcome::Ok => ("✓", "ok", AnsiColor::Green.on_default()),
        Outcome::Warning => ("!", "!", AnsiColor::Yellow.on_default().bold()),
        Outcome::Failed => ("✗", "FAILED", AnsiColor::Red.on_default().bold()),
        Outcome::Skipped => ("–", "-", Style::new().dimmed()),
    };
    let mark = if terminal.is_some() { fine.to_owned() } else { format!("{plain:<6}") };
    let millis = format!("{:.1} ms", step.took.as_secs_f64() * 1e3);
    let seen: Vec<String> =
        step.evidence.0.iter().map(|(key, value)| format!("{} {}", printable(key), printable(&value.to_string()))).collect();
    let head = mark.chars().count() + NAME + MILLIS + 8;
    let room = terminal.unwrap_or(PIPE).saturating_sub(head).max(20);
    let name = format!("{:<NAME$}", step.name);
    let mut line = format!("  {} {name}  {millis:>MILLIS$}", words::paint(&mark, style));
    if !seen.is_empty() {
        line.push_str("  ");
        line.push_str(&words::paint(&cut(&seen.join(", "), room), Style::new().dimmed()));
    }
    line
}

/// The widest of the usual names, and `12345.6 ms`.
const NAME: usize = 13;
const MILLIS: usize = 10;
/// How long a line may be where nobody says.
const PIPE: usize = 160;

fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room { text.to_owned() } else { text.chars().take(room - 1).chain(['…']).collect() }
}
