//! Rows that are each a scene of their own → a table, and whether all went well. What is asked for stands in the arguments of the test.
#![allow(clippy::print_stdout, reason = "the table is the result")]

use std::{
    env,
    process::ExitCode,
    sync::{Mutex, PoisonError},
    thread,
};

use starkeeper::clock;

/// Whether a row of this name is asked for: all are, or those that hold one of the arguments. `None`: the tests are to be listed, and this
/// is none.
pub fn asked() -> Option<impl Fn(&str) -> bool> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        return None;
    }
    let only: Vec<String> = arguments.into_iter().filter(|argument| !argument.starts_with('-')).collect();
    Some(move |name: &str| only.is_empty() || only.iter().any(|part| name.contains(part.as_str())))
}

/// Plays the rows, a few at a time since each mostly waits. `tell` prints each when it and all before it are done, and says whether it went
/// well.
pub fn play<R: Sync, P: Send>(rows: &[R], play: impl Fn(&R) -> P + Sync, tell: impl Fn(&R, &P) -> bool + Sync) -> ExitCode {
    struct Desk<P> {
        next: usize,
        printed: usize,
        failed: usize,
        done: Vec<Option<P>>,
    }
    // A panic belongs to its row, which tells it.
    std::panic::set_hook(Box::new(|_| {}));
    let began = clock::tick();
    let desk = Mutex::new(Desk { next: 0, printed: 0, failed: 0, done: rows.iter().map(|_| None).collect() });
    let lock = || desk.lock().unwrap_or_else(PoisonError::into_inner);
    let work = || {
        loop {
            let at = {
                let mut desk = lock();
                desk.next += 1;
                desk.next - 1
            };
            let Some(row) = rows.get(at) else { return };
            let played = play(row);
            let mut desk = lock();
            desk.done[at] = Some(played);
            while let Some(Some(played)) = desk.done.get(desk.printed) {
                let well = tell(&rows[desk.printed], played);
                desk.failed += usize::from(!well);
                desk.printed += 1;
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let failed = lock().failed;
    println!("{} rows, {} failed, {:.0} s", rows.len(), failed, (clock::tick() - began).as_secs_f64());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Rows at once: two cores, and most of each row is waiting.
const AT_ONCE: usize = 4;
