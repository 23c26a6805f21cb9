//! A generation that waits for its turn → asks on the Lease until it may go, holds its turn while it rotates, and writes down what came of it.
//! Where the Lease cannot be had it does not wait for ever: then each goes alone.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, mpsc, watch},
    time::{sleep, timeout},
};
use tracing::info;

use super::{
    access::Permitted,
    client::{Api, Fault},
    lease::{self, hex},
    pace::Pace,
    turns::{self, Asker, End, Lives, Record, Step},
};
use crate::{
    clock::{self, Tick},
    diagnosis::Severity,
    material::Digest,
    report::Status,
    settings::RotationSettings,
    state::Turn,
};

/// What it works with.
pub(super) struct Order {
    pub(super) api: Arc<Api>,
    pub(super) settings: RotationSettings,
    pub(super) status: watch::Receiver<Arc<Status>>,
    pub(super) permitted: watch::Receiver<Permitted>,
    pub(super) doubt: Arc<Notify>,
    /// The generation that asks.
    pub(super) asked: watch::Receiver<Option<Digest>>,
    pub(super) answers: mpsc::Sender<(Digest, Turn)>,
}

impl Order {
    /// Serves one question after the other until nobody asks any more.
    pub(super) async fn keep(mut self) {
        loop {
            let asked = *self.asked.borrow_and_update();
            if let Some(generation) = asked {
                let Ok(lease) = self.get_turn(generation).await else { return };
                if let Some(lease) = lease {
                    self.hold(&lease, generation).await;
                }
            }
            if self.asked.changed().await.is_err() {
                return;
            }
        }
    }

    /// Asks until the turn is there, or is no longer wanted. Gives the Lease on which it stands, if it stands there.
    async fn get_turn(&mut self, generation: Digest) -> Result<Option<String>, mpsc::error::SendError<(Digest, Turn)>> {
        let began = clock::tick();
        let mut answered = began;
        let mut lives = Lives::default();
        let mut pace = Pace::new();
        let mut said = None;
        loop {
            if !self.wants(generation, began) || self.asked.has_changed().unwrap_or(true) {
                return Ok(None);
            }
            let permitted = self.permitted.borrow().clone();
            let (turn, rest) = match (&permitted.order, permitted.known) {
                (Some(lease), _) => match self.ask(lease, generation, &mut lives).await {
                    Ok(Step::Take(_)) => {
                        info!(lease, generation = hex(generation), "our turn");
                        self.answers.send((generation, Turn::Granted)).await?;
                        return Ok(Some(lease.clone()));
                    }
                    Ok(Step::Wait { by }) => {
                        (answered, _) = (clock::tick(), pace.reset());
                        (Turn::Waiting { by: Some(by) }, LOOK)
                    }
                    Ok(Step::Stop { by, found }) => {
                        (answered, _) = (clock::tick(), pace.reset());
                        (Turn::Stopped { by, found }, LOOK_STOPPED)
                    }
                    Err(Fault::Conflict) => continue,
                    Err(fault) => {
                        if matches!(fault, Fault::Forbidden(_)) {
                            self.doubt.notify_one();
                        }
                        (Turn::Waiting { by: said.clone().and_then(who) }, pace.next())
                    }
                },
                // Known not to be permitted, or nothing to share: nobody is in order with us.
                (None, true) => {
                    self.answers.send((generation, Turn::Granted)).await?;
                    return Ok(None);
                }
                (None, false) => (Turn::Waiting { by: None }, FIRST_LOOK),
            };
            if clock::tick() - answered >= self.settings.timeout {
                info!(generation = hex(generation), "the Lease could not be had in time: going alone");
                self.answers.send((generation, Turn::Granted)).await?;
                return Ok(None);
            }
            if said.as_ref() != Some(&turn) {
                self.answers.send((generation, turn.clone())).await?;
                said = Some(turn);
            }
            // A new question, or an answer on what is permitted, ends the rest.
            tokio::select! {
                () = sleep(rest) => {}
                _ = self.asked.changed() => {
                    self.asked.mark_changed();
                }
                _ = self.permitted.changed() => {}
            }
        }
    }

    /// Whether the newest generation still is this one, and is not served.
    fn wants(&self, generation: Digest, began: Tick) -> bool {
        let rotation = self.status.borrow().rotation;
        match rotation.newest == Some(generation) {
            true => !rotation.served,
            // The question may be ahead of the status that tells of it.
            false => clock::tick() - began < SETTLED,
        }
    }

    async fn ask(&self, lease: &str, generation: Digest, lives: &mut Lives) -> Result<Step, Fault> {
        let read = lease::read(&self.api, lease).await?;
        let record = read.as_ref().map(lease::record);
        let now = clock::tick();
        if let Some(record) = &record {
            lives.look(record, now);
        }
        let (generation, beat) = (hex(generation), beat(now));
        let step = turns::ask(record.as_ref(), lives, self.asker(&generation, &beat), now);
        if let Step::Take(record) = &step {
            lease::write(&self.api, lease, read, record).await?;
        }
        Ok(step)
    }

    fn asker<'a>(&'a self, generation: &'a str, beat: &'a str) -> Asker<'a> {
        let parallelism = usize::try_from(self.settings.parallelism).unwrap_or(usize::MAX);
        Asker { pod: &self.api.place.pod, generation, beat, parallelism }
    }

    /// Gives signs of life until the generation is proved, failed or replaced, and writes that down. One that failed may be proved yet.
    async fn hold(&mut self, lease: &str, generation: Digest) {
        let began = clock::tick();
        let mut beaten = began;
        let mut failed = false;
        loop {
            let end = self.end(generation, began);
            match end {
                Some(End::Failed(found)) if !failed => {
                    failed = true;
                    info!(lease, found, "the turn failed");
                    self.write(lease, generation, |record, asker| turns::end(record, asker, &End::Failed(found.clone()))).await;
                }
                Some(end @ (End::Proved | End::Gone)) => {
                    self.write(lease, generation, |record, asker| turns::end(record, asker, &end)).await;
                    return;
                }
                Some(End::Failed(_)) | None => {}
            }
            if !failed && clock::tick() - beaten >= BEAT {
                beaten = clock::tick();
                self.write(lease, generation, turns::beat).await;
            }
            if let Ok(Err(_)) = timeout(BEAT, self.status.changed()).await {
                return;
            }
        }
    }

    /// How the turn ended, as the status has it.
    fn end(&mut self, generation: Digest, began: Tick) -> Option<End> {
        let status = self.status.borrow_and_update();
        let rotation = &status.rotation;
        let moved = *self.asked.borrow() != Some(generation) || rotation.newest != Some(generation);
        if rotation.newest == Some(generation) && rotation.served {
            return Some(End::Proved);
        }
        // The status may be one from before the question.
        if moved && (rotation.newest != Some(generation)) && clock::tick() - began >= SETTLED {
            return Some(End::Gone);
        }
        let error = || status.findings.iter().find(|finding| finding.severity == Severity::Error).map(|finding| finding.code.name());
        if rotation.failed && !moved {
            return Some(End::Failed(error().unwrap_or("not-proved").to_owned()));
        }
        (clock::tick() - began >= self.settings.timeout).then(|| End::Failed(error().unwrap_or("not-proved-in-time").to_owned()))
    }

    /// Changes what stands on the Lease; tried a few times, since others write there too. What cannot be written is found out by time.
    async fn write(&self, lease: &str, generation: Digest, change: impl Fn(&Record, Asker<'_>) -> Option<Record>) {
        let mut pace = Pace::new();
        for _ in 0..TRIES {
            let done = async {
                let read = lease::read(&self.api, lease).await?;
                let Some(record) = read.as_ref().map(lease::record) else { return Ok(()) };
                let (generation, beat) = (hex(generation), beat(clock::tick()));
                match change(&record, self.asker(&generation, &beat)) {
                    Some(next) => lease::write(&self.api, lease, read, &next).await,
                    None => Ok(()),
                }
            };
            match done.await {
                Ok(()) => return,
                Err(Fault::Conflict) => {}
                Err(_) => sleep(pace.next()).await,
            }
        }
    }
}

fn who(turn: Turn) -> Option<String> {
    match turn {
        Turn::Waiting { by } => by,
        Turn::Stopped { by, .. } => Some(by),
        Turn::Granted => None,
    }
}

/// A text that changes with each sign of life.
fn beat(now: Tick) -> String {
    format!("{}.{}", std::process::id(), now.0.as_millis())
}

/// Between two looks at the Lease while another rotates.
const LOOK: Duration = Duration::from_millis(500);
/// Between two looks once it failed elsewhere.
const LOOK_STOPPED: Duration = Duration::from_secs(5);
/// Until it is known what is permitted.
const FIRST_LOOK: Duration = Duration::from_secs(1);
/// A third of the Lease.
const BEAT: Duration = Duration::from_secs(5);
/// Each change of state is published at once; a loaded machine takes a while.
const SETTLED: Duration = Duration::from_secs(2);
const TRIES: u32 = 8;
