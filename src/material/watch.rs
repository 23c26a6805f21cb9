//! [`Sources`] → [`MaterialEvent`]s: every generation that stands on disk, told once, whole, and as soon as it stands there. A sign from
//! inotify is a hint, the content's hash is the truth; whatever inotify misses, or cannot see, a rescan finds. Never tells half a file.

use std::{collections::VecDeque, path::Path, sync::Arc, time::Duration};

use tokio::{sync::mpsc, task::spawn_blocking, time::sleep_until};

use super::{
    Snapshot, Sources,
    inotify::{Eyes, Opener, open_inotify},
    read::{KnownBy, Reading, walk_both},
    settle::{Seen, Settling, Sign, Verdict},
    walk::Walk,
};
use crate::{
    clock::{self, Tick},
    diagnosis::Finding,
};

/// What the watch tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MaterialEvent {
    /// A generation: other bytes than the one before, or other people who may read them. The first comes always.
    Snapshot {
        /// The generation.
        snapshot: Arc<Snapshot>,
        /// When the first sign of it came.
        noticed: Tick,
    },
    /// How changes are noticed from now on.
    Watching(WatchMode),
}

/// How changes are noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchMode {
    /// The kernel tells: within a millisecond.
    Inotify,
    /// Somebody looks every second.
    Polling {
        /// `watch-unavailable`, with the reason.
        finding: Finding,
    },
}

/// A request to read the files now, whether or not anything seems to have changed (SIGHUP, before a reload).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookAgain;

/// Watches both files until `out` is closed or the future is dropped. `rescan_interval` is the time between two looks that need no hint.
pub async fn watch(sources: Sources, rescan_interval: Duration, hints: mpsc::Receiver<LookAgain>, out: mpsc::Sender<MaterialEvent>) {
    let pace = Pace { rescan: rescan_interval, poll: POLL, retry: RETRY };
    watch_with(sources, pace, Box::new(open_inotify), hints, out).await;
}

/// How often it looks without a hint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// While inotify serves.
    pub(super) rescan: Duration,
    /// While it does not.
    pub(super) poll: Duration,
    /// Between two attempts to have it back.
    pub(super) retry: Duration,
}

/// [`watch`], with a pace and a source of inotify instances of the caller's choice.
pub(super) async fn watch_with(
    sources: Sources,
    pace: Pace,
    open: Opener,
    mut hints: mpsc::Receiver<LookAgain>,
    out: mpsc::Sender<MaterialEvent>,
) {
    let (mut eyes, signs) = Eyes::new(open);
    let mut watch = Watch::new(sources, pace, signs, out);
    let mut look = Look::Read;
    // It ends when the receiver has gone, or the runtime is going.
    while let Ok((back, next)) = watch.turn(eyes, look).await {
        eyes = back;
        look = match next {
            Next::Look => Look::Read,
            Next::Wait(wake) => match watch.wait(wake, &mut hints).await {
                Ok(look) => look,
                Err(Ended) => return,
            },
        };
    }
}

struct Watch {
    sources: Arc<Sources>,
    pace: Pace,
    signs: mpsc::Receiver<Sign>,
    out: mpsc::Sender<MaterialEvent>,
    settling: Settling,
    /// Where both paths led when the files were last read.
    walks: Option<Arc<[Walk; 2]>>,
    told: Option<KnownBy>,
    /// The first sign since the last generation was told.
    noticed: Option<Tick>,
    mode: Option<WatchMode>,
    next_opening: Tick,
    /// Signs that were told of, but not heeded yet.
    late: VecDeque<Sign>,
    /// Rescans that may still go by the files' stamps alone before one reads the bytes.
    light_rescans: u32,
    /// A file is there that could not be read when it was last tried.
    unread: bool,
    /// Looks in a row without a pause between.
    rounds: u32,
    hints_open: bool,
}

/// How thoroughly to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// Read the bytes.
    Read,
    /// Read them only if a path leads elsewhere than it did, or the file at its end was touched.
    IfTouched,
}

/// What follows a look.
enum Next {
    Look,
    Wait(Wake),
}

/// When to look again if nothing calls before.
#[derive(Clone, Copy)]
struct Wake {
    at: Tick,
    look: Look,
}

/// Nobody listens any more.
struct Ended;

impl Watch {
    fn new(sources: Sources, pace: Pace, signs: mpsc::Receiver<Sign>, out: mpsc::Sender<MaterialEvent>) -> Watch {
        Watch {
            sources: Arc::new(sources),
            pace,
            signs,
            out,
            settling: Settling::default(),
            walks: None,
            told: None,
            noticed: None,
            mode: None,
            next_opening: clock::tick(),
            late: VecDeque::new(),
            light_rescans: 0,
            unread: false,
            rounds: 0,
            hints_open: true,
        }
    }

    /// Looks once, tells what is to be told, and sees to it that the right directories are watched.
    async fn turn(&mut self, mut eyes: Eyes, look: Look) -> Result<(Eyes, Next), Ended> {
        self.heed_signs(&mut eyes);
        if let Some(at) = self.settling.writer_until(clock::tick()) {
            return Ok((eyes, Next::Wait(Wake { at, look: Look::Read })));
        }
        let opening = !eyes.is_open() && clock::tick() >= self.next_opening;
        if opening {
            self.next_opening = clock::tick() + self.pace.retry;
        }
        let (sources, before) = (self.sources.clone(), self.walks.clone().filter(|_| look == Look::IfTouched));
        // Where inotify serves, the folders are this machine's own and a read takes microseconds: less than to hand it to a thread.
        let here = !opening && self.mode == Some(WatchMode::Inotify);
        let look = move || {
            if opening {
                eyes.open();
            }
            let untouched = before.is_some_and(|before| *before == walk_both(&sources));
            let reading = (!untouched).then(|| Reading::take(&sources));
            // Only signs of what came before the reading can tell whether it may be believed.
            eyes.catch_up();
            (eyes, reading)
        };
        let (eyes, reading) = if here { look() } else { blocking(look).await? };
        self.heed_writers();
        let Some(reading) = reading else {
            self.light_rescans = self.light_rescans.saturating_sub(1);
            return Ok((eyes, if self.late.is_empty() { Next::Wait(self.idle()) } else { Next::Look }));
        };
        let verdict = self.judge(reading).await?;
        let (eyes, armed) = self.arm(eyes).await?;
        self.tell_mode(&eyes).await?;
        self.rounds = if armed { self.rounds + 1 } else { 0 };
        Ok((eyes, self.next(verdict, armed)))
    }

    /// Hands every waiting sign to the settling, and forgets watches that died.
    fn heed_signs(&mut self, eyes: &mut Eyes) {
        let now = clock::tick();
        let lost = eyes.lost_signs().then_some(Sign::Lost);
        while let Some(sign) = self.late.pop_front().or_else(|| self.signs.try_recv().ok()) {
            self.heed(sign, eyes, now);
        }
        if let Some(sign) = lost {
            self.heed(sign, eyes, now);
        }
    }

    fn heed(&mut self, sign: Sign, eyes: &mut Eyes, now: Tick) {
        match &sign {
            Sign::Gone(path) => eyes.disarm(path),
            Sign::Lost => eyes.disarm(Path::new("/")),
            Sign::Writing(_) | Sign::Closed(_) | Sign::Swapped(_) | Sign::Touched => {}
        }
        self.noticed.get_or_insert(now);
        self.settling.heed(sign, now);
    }

    /// After a reading: a writer who began before its end spoils it. What else was told meanwhile is for the next look, since this
    /// reading may not hold it yet.
    fn heed_writers(&mut self) {
        let now = clock::tick();
        while let Ok(sign) = self.signs.try_recv() {
            match sign {
                Sign::Writing(_) => self.settling.heed(sign, now),
                Sign::Closed(_) | Sign::Swapped(_) | Sign::Gone(_) | Sign::Touched | Sign::Lost => self.late.push_back(sign),
            }
        }
    }

    async fn judge(&mut self, reading: Reading) -> Result<Verdict, Ended> {
        let known_by = KnownBy::of(&reading.snapshot);
        let fresh = reading.written().is_some_and(|written| written >= clock::wall().as_second() - FRESH);
        let seen = Seen { known_by: &known_by, whole: reading.coherent && !reading.hollow(), fresh };
        self.unread = reading.unread();
        let verdict = self.settling.judge(seen, self.told.as_ref(), clock::tick());
        self.walks = Some(Arc::new(reading.walks));
        match verdict {
            Verdict::Take => {
                let noticed = self.noticed.take().unwrap_or_else(clock::tick);
                self.tell(MaterialEvent::Snapshot { snapshot: Arc::new(reading.snapshot), noticed }).await?;
                self.told = Some(known_by);
                // A write within the same tick of the file system's clock leaves no other stamp: the next rescan reads.
                self.light_rescans = 0;
            }
            Verdict::Same => {
                self.light_rescans = LIGHT_RESCANS;
                self.noticed = None;
            }
            Verdict::Again(_) => {}
        }
        Ok(verdict)
    }

    /// Whether a watch was added: what changed before it was is seen only by another look.
    async fn arm(&mut self, mut eyes: Eyes) -> Result<(Eyes, bool), Ended> {
        match self.walks.clone() {
            Some(walks) if eyes.is_open() && !eyes.covers(&walks) => {
                let arm = move || {
                    let armed = eyes.arm(&walks);
                    (eyes, armed)
                };
                blocking(arm).await
            }
            Some(_) | None => Ok((eyes, false)),
        }
    }

    async fn tell_mode(&mut self, eyes: &Eyes) -> Result<(), Ended> {
        let mode = eyes.mode();
        if self.mode.as_ref() != Some(&mode) {
            self.tell(MaterialEvent::Watching(mode.clone())).await?;
            self.mode = Some(mode);
        }
        Ok(())
    }

    async fn tell(&self, event: MaterialEvent) -> Result<(), Ended> {
        self.out.send(event).await.map_err(|_| Ended)
    }

    fn next(&self, verdict: Verdict, armed: bool) -> Next {
        if !self.late.is_empty() || armed && self.rounds < MOST_ROUNDS {
            return Next::Look;
        }
        if armed {
            // A file system that numbers its directories anew with every look must not keep us busy.
            return Next::Wait(Wake { at: clock::tick() + BREATH, look: Look::Read });
        }
        let idle = self.idle();
        match verdict {
            Verdict::Again(at) => Next::Wait(Wake { at: at.min(idle.at), look: Look::Read }),
            Verdict::Take | Verdict::Same => Next::Wait(idle),
        }
    }

    /// When to look though nothing seems to happen.
    fn idle(&self) -> Wake {
        let now = clock::tick();
        if self.unread {
            return Wake { at: now + self.pace.poll, look: Look::Read };
        }
        match &self.mode {
            Some(WatchMode::Polling { .. }) => Wake { at: now + self.pace.poll, look: Look::Read },
            Some(WatchMode::Inotify) | None => {
                let look = if self.light_rescans > 0 { Look::IfTouched } else { Look::Read };
                Wake { at: now + self.pace.rescan, look }
            }
        }
    }

    /// Waits for a sign, a hint or the hour.
    async fn wait(&mut self, wake: Wake, hints: &mut mpsc::Receiver<LookAgain>) -> Result<Look, Ended> {
        loop {
            tokio::select! {
                sign = self.signs.recv() => {
                    self.late.extend(sign);
                    return Ok(Look::Read);
                }
                hint = hints.recv(), if self.hints_open => match hint {
                    Some(LookAgain) => return Ok(Look::Read),
                    None => self.hints_open = false,
                },
                () = sleep_until(clock::instant(wake.at)) => return Ok(wake.look),
                () = self.out.closed() => return Err(Ended),
            }
        }
    }
}

/// Runs what the file system may hold up on a thread of its own, so that a dead network share does not stop the agent.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Ended> {
    match spawn_blocking(work).await {
        Ok(done) => Ok(done),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(Ended),
    }
}

/// Between two looks where inotify does not serve.
const POLL: Duration = Duration::from_secs(1);

/// Between two attempts to have inotify back.
const RETRY: Duration = Duration::from_secs(60);

/// Rescans by stamps alone between two that read the bytes.
const LIGHT_RESCANS: u32 = 9;

/// Seconds for which a file that was just written may still have its writer.
const FRESH: i64 = 2;

/// Looks without a pause between: a swap under way takes two or three.
const MOST_ROUNDS: u32 = 10;

/// The pause after so many.
const BREATH: Duration = Duration::from_millis(100);
