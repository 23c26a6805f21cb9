//! The real binary, `starkeeper run`, with a settings file of the test's own. It listens on a port that the system chooses and names
//! in its log. Killed on drop, and with this process. `STARKEEPER_BINARY` names another build of it to run.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use starkeeper::clock::{self, Tick};
use tempfile::TempDir;

use super::{bound, launch, until, until_some};

/// The lines of its stderr, each with the moment at which it came.
#[derive(Debug, Default)]
struct Log {
    lines: Mutex<Vec<(Tick, String)>>,
    news: Condvar,
}

/// A running agent.
#[derive(Debug)]
pub struct Agent {
    child: Child,
    lines: Arc<Log>,
    address: Option<SocketAddr>,
    _folder: TempDir,
}

impl Agent {
    /// Starts the agent and waits until it listens. The settings get `http.listen` and a JSON log unless they name their own.
    pub fn start(settings: &str) -> Self {
        Self::start_with(settings, &[])
    }

    /// The same with environment variables.
    pub fn start_with(settings: &str, environment: &[(&str, &str)]) -> Self {
        let mut agent = Self::spawn(settings, environment);
        let address = until_some(Duration::from_secs(10), "the agent's line `listening`", || {
            if let Ok(Some(status)) = agent.child.try_wait() {
                panic!("the agent ended at once with {status}:\n{}", agent.log().join("\n"));
            }
            agent.log().iter().find_map(|line| listening(line))
        });
        agent.address = Some(address);
        agent
    }

    /// Starts the agent and waits for nothing: for settings that it refuses.
    pub fn spawn(settings: &str, environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("starkeeper.yaml");
        let mut text = settings.to_owned();
        for (section, value) in [("http", "{listen: \"127.0.0.1:0\"}"), ("log", "{format: json, level: debug}")] {
            if !text.lines().any(|line| line.starts_with(&format!("{section}:"))) {
                text.push_str(&format!("\n{section}: {value}\n"));
            }
        }
        fs::write(&file, text).unwrap();
        let mut command = bound(binary());
        command.args(["run", "-c"]).arg(&file);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("STARKEEPER_") || name == "LANG") {
            command.env_remove(name);
        }
        command.envs(environment.iter().copied());
        let mut child = launch(command).expect("the built binary, and setpriv of util-linux");
        let lines = Arc::new(Log::default());
        let kept = Arc::clone(&lines);
        let errors = BufReader::new(child.stderr.take().unwrap());
        thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                kept.lines.lock().unwrap_or_else(PoisonError::into_inner).push((clock::tick(), line));
                kept.news.notify_all();
            }
        });
        Self { child, lines, address: None, _folder: folder }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address.expect("an agent that was started by `start`")
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All lines of stderr so far.
    pub fn log(&self) -> Vec<String> {
        self.lines.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(_, line)| line.clone()).collect()
    }

    /// How many lines there are so far: what [`Agent::wait_line`] counts from.
    pub fn mark(&self) -> usize {
        self.lines.lines.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Waits for the first line since a mark that holds `text`: when it came, and the line. Asks the agent nothing meanwhile.
    #[track_caller]
    pub fn wait_line(&self, since: usize, text: &str, deadline: Duration) -> (Tick, String) {
        let end = clock::tick() + deadline;
        let mut lines = self.lines.lines.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = lines.iter().skip(since).find(|(_, line)| line.contains(text)) {
                return found.clone();
            }
            let left = end - clock::tick();
            assert!(!left.is_zero(), "no line with `{text}` within {deadline:?}: {:#?}", lines.iter().skip(since).collect::<Vec<_>>());
            lines = self.lines.news.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// `GET path`: status and body.
    pub fn get(&self, path: &str) -> (u16, String) {
        self.request(&format!("GET {path}"), "").unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// Any request, as `METHOD PATH`, with further header lines (each ending `\r\n`).
    ///
    /// # Errors
    /// What the socket says.
    pub fn request(&self, line: &str, headers: &str) -> io::Result<(u16, String)> {
        ask(self.address(), line, headers)
    }

    /// `/status`.
    pub fn status(&self) -> Value {
        let (code, body) = self.get("/status");
        assert_eq!(code, 200, "/status: {body}");
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("/status is not JSON: {error}\n{body}"))
    }

    /// Waits until `/status` satisfies `condition` and returns it; panics with the last one and the end of the log.
    #[track_caller]
    pub fn wait(&self, what: &str, deadline: Duration, mut condition: impl FnMut(&Value) -> bool) -> Value {
        let end = clock::tick() + deadline;
        loop {
            let status = self.status();
            if condition(&status) {
                return status;
            }
            if clock::tick() >= end {
                let log = self.log();
                panic!("{what}: not within {deadline:?}\nstatus: {status:#}\nlog:\n{}", log[log.len().saturating_sub(30)..].join("\n"));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends a signal (`Signal::HUP`, `Signal::TERM`).
    pub fn signal(&mut self, signal: Signal) {
        if matches!(self.child.try_wait(), Ok(None))
            && let Some(pid) = Pid::from_raw(self.child.id() as i32)
        {
            kill_process(pid, signal).unwrap();
        }
    }

    /// Waits for its end, at most ten seconds: how it ended, and after how long.
    pub fn finish(mut self) -> (ExitStatus, Duration, Vec<String>) {
        let began = clock::tick();
        let status = until_some(Duration::from_secs(10), "the agent's end", || self.child.try_wait().unwrap());
        let elapsed = clock::tick() - began;
        // The reader holds the other reference until stderr has ended.
        until(Duration::from_secs(2), "the end of the agent's log", || Arc::strong_count(&self.lines) == 1);
        (status, elapsed, self.log())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Any request of an agent at an address, as `METHOD PATH`, with further header lines (each ending `\r\n`): status and body.
///
/// # Errors
/// What the socket says.
pub fn ask(address: SocketAddr, line: &str, headers: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // HTTP/1.0: the body ends where the connection ends, never in chunks.
    stream.write_all(format!("{line} HTTP/1.0\r\nHost: localhost\r\n{headers}\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| io::Error::other("an answer without a head"))?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok((status.ok_or_else(|| io::Error::other("an answer without a status"))?, body.to_owned()))
}

/// The program that is tried: the one that Cargo built, unless another is named.
pub fn binary() -> PathBuf {
    std::env::var_os("STARKEEPER_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_starkeeper").into(), PathBuf::from)
}

fn listening(line: &str) -> Option<SocketAddr> {
    let value: Value = serde_json::from_str(line).ok()?;
    let fields = value.get("fields").unwrap_or(&value);
    (fields.get("message")? == "listening").then(|| fields.get("address")?.as_str()?.parse().ok())?
}

const PATIENCE: Duration = Duration::from_secs(5);
