//! The harness that the integration tests share (`mod support;`). What enters: root, the folders that `tests/lab/asterisk.sh`
//! provisions, and the built binary. What leaves: a real Asterisk that is up in well under a second and gone on drop, certificates of
//! every kind, and clients of AMI and of `wss://` that share no code with the agent. What is missing is said and fails the
//! test: nothing is skipped.
#![allow(dead_code, unused_imports, unreachable_pub, missing_docs, reason = "every test binary compiles all of it and uses its own part")]
#![allow(clippy::unwrap_used, reason = "a harness that cannot go on fails the test at the place where it stands")]

pub mod agent;
pub mod apiserver;
pub mod asterisk;
pub mod browser;
pub mod certs;
pub mod cluster;
pub mod engine;
pub mod kubectl;
pub mod manager;
pub mod prometheus;
pub mod proxy;
pub mod script;
pub mod table;
pub mod wire;

use std::{
    ffi::OsStr,
    io,
    process::{Child, Command},
    sync::{Mutex, OnceLock, PoisonError, mpsc},
    thread,
    time::Duration,
};

use starkeeper::clock;

/// Waits until `condition` holds, looking every few milliseconds; panics with `what` when `deadline` passes first.
#[track_caller]
pub fn until(deadline: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    until_some(deadline, what, || condition().then_some(()));
}

/// Waits until `look` finds something and returns that; panics with `what` when `deadline` passes first.
#[track_caller]
pub fn until_some<T>(deadline: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = clock::tick() + deadline;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(clock::tick() < end, "{what}: not within {deadline:?}");
        thread::sleep(GLANCE);
    }
}

/// Both versions at once: most of each test is waiting.
pub fn both(test: impl Fn(asterisk::Version) + Sync) {
    thread::scope(|scope| {
        for version in asterisk::BOTH {
            let test = &test;
            thread::Builder::new().name(format!("{version:?}")).spawn_scoped(scope, move || test(version)).unwrap();
        }
    });
}

/// A command that ends together with the thread that starts it: give it to [`launch`].
pub fn bound(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// Starts a [`bound`] command, which then dies with this process, however this process ends. The kernel ties that to the *thread*
/// that started the program, and a test's thread ends before the things that tests share: so one thread that never ends starts
/// them all.
pub fn launch(command: Command) -> io::Result<Child> {
    type Job = (Command, mpsc::Sender<io::Result<Child>>);
    static LAUNCHER: OnceLock<Mutex<mpsc::Sender<Job>>> = OnceLock::new();
    let launcher = LAUNCHER.get_or_init(|| {
        let (sender, jobs) = mpsc::channel::<Job>();
        let serve = move || {
            for (mut command, answer) in jobs {
                let _ = answer.send(command.spawn());
            }
        };
        thread::Builder::new().name("launcher".into()).spawn(serve).unwrap();
        Mutex::new(sender)
    });
    let (answer, started) = mpsc::channel();
    launcher.lock().unwrap_or_else(PoisonError::into_inner).send((command, answer)).unwrap();
    started.recv().unwrap()
}

/// How often a condition is looked at.
const GLANCE: Duration = Duration::from_millis(3);
