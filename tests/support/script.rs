//! A script for Node.js that has a Chromium in its hands: a line of JSON for what to do, a line of JSON for what came of it. Gone on drop, and
//! Chromium with it. Needs what `tests/lab/browser.sh` provisions.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use serde_json::Value;
use starkeeper::clock;

use super::{asterisk::cache, bound, launch};

/// One that runs.
pub struct Script {
    child: Mutex<Child>,
    lines: Mutex<Lines>,
}

struct Lines {
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Script {
    /// Starts it, with what `add` adds to its command; gives also what it says first.
    pub fn start(name: &str, text: &[u8], add: impl FnOnce(&mut Command)) -> (Self, Value) {
        let modules = modules();
        // Modules are looked for beside the script, so it is put beside them.
        let script = modules.join(name);
        let mut beside = tempfile::NamedTempFile::new_in(&modules).unwrap();
        beside.write_all(text).unwrap();
        beside.persist(&script).unwrap();
        let mut command = bound("node");
        command.arg(&script).current_dir(&modules).stdin(Stdio::piped()).stdout(Stdio::piped());
        add(&mut command);
        let mut child = launch(command).expect("Node.js: run tests/lab/browser.sh");
        let mut lines = Lines { to: child.stdin.take(), from: BufReader::new(child.stdout.take().unwrap()) };
        let ready = lines.next();
        let script = Self { child: Mutex::new(child), lines: Mutex::new(lines) };
        assert!(ready["ready"].is_string(), "Chromium's version: {ready}");
        (script, ready)
    }

    /// Has it do something.
    pub fn act(&self, act: &Value) -> Value {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(lines.to.as_mut().unwrap(), "{act}").unwrap();
        lines.next()
    }
}

impl Lines {
    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("the browser said {line:?}: {error}"))
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // The end of its input is its end.
        drop(self.lines.get_mut().unwrap_or_else(PoisonError::into_inner).to.take());
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        let end = clock::tick() + Duration::from_secs(5);
        while matches!(child.try_wait(), Ok(None)) && clock::tick() < end {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Where the npm packages are.
fn modules() -> PathBuf {
    let modules = cache().join("browser");
    assert!(modules.join(".starkeeper-recipe").exists(), "no browser in {}: run tests/lab/browser.sh", modules.display());
    modules
}
