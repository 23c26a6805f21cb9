//! The one thing that is under way: a probe, a look at another surface, a publish or a reload, as futures that end in what came of it.

use std::{
    fs::{FileTimes, OpenOptions},
    future::Future,
    io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use tokio_util::task::AbortOnDropHandle;

use super::{Driver, published};
use crate::{
    asterisk::{
        ami::{Client, Reloaded, action::Action},
        reload::{self, Reload},
        surface::Surface,
    },
    clock,
    diagnosis::{Code, Finding},
    material::{self, Snapshot},
    proof::{self, Closing, Observation, Seen},
    staging,
    state::ReloadOutcome,
};

pub(super) type Work = Pin<Box<dyn Future<Output = Done> + Send>>;

/// What came of the one thing that was under way.
pub(super) enum Done {
    Observed(Box<Observation>, Closing),
    Looked(Surface, Box<Observation>, Closing),
    Published(Result<(), Finding>),
    Reloaded(ReloadOutcome),
}

impl Driver {
    /// Writes the pair where Asterisk reads; on a thread of its own where a disk may be slow. In memory it takes less than a millisecond, and on a
    /// busy machine a thread would wait longer for its turns.
    pub(super) fn publish_pair(&self, snapshot: Arc<Snapshot>) -> Work {
        let publish = self.settings.certificate.publish.clone();
        let expected = self.expected_of_asterisk();
        Box::pin(async move {
            // Asked for in staged mode alone.
            let Some(publish) = publish else { return std::future::pending().await };
            let in_memory = staging::is_in_memory(&publish);
            let written = move || {
                staging::publish(&snapshot, &publish).map_err(|error| error.finding())?;
                published::usable(&publish, &expected)
            };
            if in_memory {
                return Done::Published(written());
            }
            match tokio::task::spawn_blocking(written).await {
                Ok(outcome) => Done::Published(outcome),
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                // The runtime ends.
                Err(_) => std::future::pending().await,
            }
        })
    }

    fn seen(&self) -> Seen {
        Seen { names: self.settings.certificate.names.clone(), anchors: self.anchors.browsers.clone() }
    }

    /// TLS alone, on another surface.
    pub(super) fn look(&self, surface: Surface) -> Work {
        let target = self.plan.beside.iter().find(|(known, _)| *known == surface).map(|(_, target)| target.clone());
        let target = target.unwrap_or_else(|| self.plan.target.clone());
        let seen = self.seen();
        Box::pin(async move {
            let (observation, closing) = proof::handshake(&target, &surface, &seen, clock::now()).await;
            Done::Looked(surface, Box::new(observation), closing)
        })
    }

    pub(super) fn probe(&self) -> Work {
        let target = self.plan.target.clone();
        let seen = self.seen();
        Box::pin(async move {
            let (observation, closing) = proof::probe(&target, &seen, clock::now()).await;
            Done::Observed(Box::new(observation), closing)
        })
    }

    pub(super) fn reload(&mut self, snapshot: Arc<Snapshot>, reloads: Vec<Reload>, touch: Option<PathBuf>) -> Work {
        let closing = self.closing.take();
        let client = self.ami.client.clone();
        let publish = self.settings.certificate.publish.clone();
        Box::pin(async move {
            finished(closing).await;
            let stands = match &publish {
                Some(publish) => staging::stands(&snapshot, publish),
                None => material::unchanged(&snapshot),
            };
            if !stands {
                return Done::Reloaded(ReloadOutcome::FilesMoved);
            }
            if let Some(stamp) = touch
                && let Err(error) = touch_file(&stamp)
            {
                let finding = Finding::new(Code::CannotHeal).with("file", stamp.as_path()).with("reason", error.to_string());
                return Done::Reloaded(ReloadOutcome::Failed(finding));
            }
            Done::Reloaded(perform(&client, &reloads).await)
        })
    }
}

/// What came of the work, if it comes in a moment.
pub(super) async fn at_once(work: &mut Option<Work>) -> Option<Done> {
    work.as_ref()?;
    tokio::time::timeout(MOMENT, finish(work)).await.ok()
}

/// Waits for the farewell of a probe. It ends within its own timeout, and is no failure of what comes next.
pub(super) async fn finished(closing: Option<AbortOnDropHandle<()>>) {
    if let Some(closing) = closing {
        let _ = closing.await;
    }
}

/// The work that is under way, if any; for ever where there is none.
pub(super) async fn finish<T>(work: &mut Option<Pin<Box<dyn Future<Output = T> + Send>>>) -> T {
    let done = match work {
        Some(work) => work.await,
        None => std::future::pending().await,
    };
    *work = None;
    done
}

/// Each in turn.
async fn perform(client: &Client, reloads: &[Reload]) -> ReloadOutcome {
    let mut answered = Reloaded::Done;
    for wanted in reloads {
        match reload::reload(client, wanted).await {
            Ok(Reloaded::Done) => {}
            Ok(Reloaded::Queued) => answered = Reloaded::Queued,
            Err(failure) => return ReloadOutcome::Failed(failure.finding),
        }
    }
    ReloadOutcome::Answered(answered)
}

/// What Asterisk tells of itself. `None`: it does not say.
pub(super) struct Own {
    pub(super) version: Option<String>,
    /// The fields in which it tells its http.conf.
    pub(super) http: Option<Vec<(String, String)>>,
}

/// Needs class `system` to write (or `reporting` for the one, `config` for the other); without it both stay unknown.
pub(super) fn ask(client: Client) -> Pin<Box<dyn Future<Output = Own> + Send>> {
    Box::pin(async move {
        let settings = client.action(Action::new("CoreSettings")).await.ok();
        let version = settings.and_then(|settings| settings.get("AsteriskVersion").map(str::to_owned));
        let http = match Action::new("GetConfig").with("Filename", "http.conf") {
            Ok(action) => client.action(action).await.ok().map(|answer| answer.fields().to_vec()),
            Err(_) => None,
        };
        Own { version, http }
    })
}

/// Gives the file the time of now, as `touch` does; never makes one.
fn touch_file(path: &Path) -> io::Result<()> {
    let now = std::time::SystemTime::from(clock::wall());
    OpenOptions::new().write(true).open(path)?.set_times(FileTimes::new().set_modified(now))
}

/// A reload takes Asterisk 1 to 2 ms, and a probe as long.
const MOMENT: Duration = Duration::from_millis(5);
