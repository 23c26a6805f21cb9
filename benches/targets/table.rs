//! Measurements → a table in columns, with the ratio to what they are compared with and the verdict on their target.

use std::{path::Path, process::ExitCode, time::Duration};

use anstream::println;
use anstyle::{AnsiColor, Style};

/// What is being told, and whether a target was missed.
#[derive(Debug)]
pub(super) struct Table {
    missed: usize,
}

impl Table {
    pub(super) fn begin(program: &Path) -> Self {
        let bytes = std::fs::metadata(program).map_or(0, |metadata| metadata.len());
        println!("measured: {} ({:.1} MB)", program.display(), bytes as f64 / 1e6);
        Table { missed: 0 }
    }

    /// The next measurement, under a heading.
    pub(super) fn heading(&mut self, title: &str) {
        println!("\n{}", styled(title, Style::new().bold()));
    }

    /// A value that nothing is asked of.
    pub(super) fn row(&mut self, name: &str, value: &str) {
        println!("  {name:<WIDTH$}  {value}");
    }

    /// A value, and the most that it may be.
    pub(super) fn target(&mut self, name: &str, value: &str, limit: &str, met: bool) {
        let verdict = if met { styled("PASS", GOOD) } else { styled("FAIL", BAD) };
        self.missed += usize::from(!met);
        println!("  {name:<WIDTH$}  {value:<44} target {limit:<20} {verdict}");
    }

    pub(super) fn end(self) -> ExitCode {
        match self.missed {
            0 => println!("\n{}", styled("every target is met", GOOD)),
            missed => println!("\n{}", styled(&format!("{missed} missed"), BAD)),
        }
        ExitCode::from(u8::from(self.missed > 0))
    }
}

/// Times of the same thing, done again and again.
#[derive(Clone, Debug)]
pub(super) struct Times(Vec<Duration>);

impl Times {
    /// Of at least one.
    pub(super) fn new(mut times: Vec<Duration>) -> Self {
        assert!(!times.is_empty(), "nothing was measured");
        times.sort();
        Times(times)
    }

    pub(super) fn median(&self) -> Duration {
        self.at(50)
    }

    pub(super) fn p95(&self) -> Duration {
        self.at(95)
    }

    fn at(&self, percent: usize) -> Duration {
        self.0[(self.0.len() - 1) * percent / 100]
    }

    /// `median 4.10 ms, p95 6.02 ms`
    pub(super) fn tell(&self) -> String {
        format!("median {}, p95 {}  (n = {})", millis(self.median()), millis(self.p95()), self.0.len())
    }
}

pub(super) fn millis(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

fn styled(words: &str, style: Style) -> String {
    format!("{style}{words}{style:#}")
}

const WIDTH: usize = 44;
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
