//! The way it is done today: `inotifywait` in a loop, `asterisk -rx 'module reload http'` for whatever it says. It checks nothing, proves
//! nothing, and reloads as often as the folder changes; what is measured is only how soon browsers get the new certificate.

use std::{
    io::{BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};

use super::{
    Effort,
    rotation::{Swap, instance},
    support::{
        asterisk::{Asterisk, Version},
        bound,
        certs::Authority,
        launch, until_some, wire,
    },
    table::{Table, Times},
};

pub(super) fn bench(effort: Effort, table: &mut Table) {
    table.heading("The way it is done today on Asterisk 22: inotifywait, then asterisk -rx 'module reload http'");
    if Command::new("inotifywait").arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        table.row("not measured", "inotifywait is not installed (package inotify-tools)");
        return;
    }
    let authority = Authority::new();
    let asterisk = instance(Version::V22, &authority);
    let mut manager = asterisk.manager();
    let script = Script::start(&asterisk);
    let mut times = Vec::new();
    let rounds = effort.rotations.min(MOST);
    let mark = manager.mark();
    for _ in 0..rounds {
        let pair = authority.issue(&["pbx.example.com"]);
        let begun = Swap::prepare(&asterisk.tls(), &pair).swap();
        script.reloaded();
        let (_, seen) =
            until_some(SOON, "the new certificate", || wire::glimpse(asterisk.ports.wss).filter(|(leaf, _)| *leaf == pair.fingerprint));
        times.push(seen - begun);
        script.rest();
    }
    let reloads = manager.reloads(mark).map_or(0, |reloads| reloads.len());
    table.row("swapped on disk → seen by the client", &Times::new(times).tell());
    table.row("  reloads for each rotation", &format!("{:.1}  (nothing is checked, nothing is proved)", reloads as f64 / rounds as f64));
}

/// The loop that people run.
struct Script {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Script {
    /// Returns once it watches.
    fn start(asterisk: &Asterisk) -> Self {
        let mut command = bound("bash");
        command.args(["-c", LOOP, "loop"]).arg(asterisk.tls()).arg(asterisk.pid().to_string()).arg(asterisk.etc().join("asterisk.conf"));
        // A process group of its own, so that all of the pipe can be ended at once.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let mut child = launch(command).expect("bash");
        let said = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let (tell, lines) = mpsc::channel();
        thread::spawn(move || said.map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let script = Script { child, lines };
        while !script.line().contains("Watches established") {}
        script
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(SOON).expect("a line of the loop")
    }

    /// Waits until it has reloaded once.
    fn reloaded(&self) {
        while self.line() != "reloaded" {}
    }

    /// Lets it come to rest: it reloads again for whatever else the swap changed.
    fn rest(&self) {
        while self.lines.recv_timeout(REST).is_ok() {}
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        if let Some(group) = Pid::from_raw(self.child.id() as i32) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// Enters Asterisk's own namespace, since that is where its control socket is.
const LOOP: &str = r#"
inotifywait --monitor --event close_write,moved_to "$1" 2>&1 | while read -r line; do
  case $line in
    *established*) echo "$line" ;;
    /*) nsenter --mount --root --target "$2" /usr/sbin/asterisk -C "$3" -rx 'module reload http' >/dev/null; echo reloaded ;;
  esac
done
"#;
const SOON: Duration = Duration::from_secs(20);
const REST: Duration = Duration::from_millis(150);
const MOST: usize = 40;
