//! The way it is done today: `inotifywait` in a loop, `asterisk -rx 'module reload http'` for whatever it says. It checks nothing, proves
//! nothing, and reloads as often as the folder changes; what is measured is only how soon browsers get the new certificate.

use std::{
    io::{BufRead as _, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use starkeeper::clock;

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
    let mut script = Script::start(&asterisk);
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
        script.quiet();
    }
    let reloads = manager.reloads(mark).map_or(0, |reloads| reloads.len());
    table.row("swapped on disk → seen by the client", &Times::new(times).tell());
    table.row("  reloads for each rotation", &format!("{:.1}  (nothing is checked, nothing is proved)", reloads as f64 / rounds as f64));
}

/// The loop that people run.
struct Script {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Script {
    fn start(asterisk: &Asterisk) -> Self {
        let mut command = bound("bash");
        command.args(["-c", LOOP, "loop"]).arg(asterisk.tls()).arg(asterisk.pid().to_string()).arg(asterisk.etc().join("asterisk.conf"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = launch(command).expect("bash");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut script = Script { child, lines };
        script.reloaded();
        script
    }

    /// Waits for the next line: watching, or a reload that is done.
    fn reloaded(&mut self) {
        let line = self.lines.next().and_then(Result::ok);
        assert!(line.is_some(), "the loop ended");
    }

    /// Lets it come to rest: it reloads again for the rest of what the swap changed.
    fn quiet(&mut self) {
        std::thread::sleep(REST);
        let _ = clock::tick();
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Enters Asterisk's own namespace, since that is where its control socket is.
const LOOP: &str = r#"
inotifywait --quiet --monitor --event close_write,moved_to "$1" 2>/dev/null | {
  echo watching
  while read -r _; do nsenter --mount --root --target "$2" /usr/sbin/asterisk -C "$3" -rx 'module reload http' >/dev/null; echo reloaded; done
}
"#;
const SOON: Duration = Duration::from_secs(20);
const REST: Duration = Duration::from_millis(150);
const MOST: usize = 40;
