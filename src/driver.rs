//! Commands → inputs: does what the state says, and feeds back what came of it. Decides nothing. The one loop of the agent: every source
//! of events is put in one line here, and after each the status is published.

use std::{collections::BTreeSet, future::Future, path::Path, pin::Pin, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::{Level, event, info};

use crate::{
    asterisk::ami::{self, AmiEvent, Client},
    bundle::{self, Expectations},
    clock::{self, Now, Tick},
    diagnosis::{Code, Finding, Severity},
    material::{self, LookAgain, MaterialEvent, Snapshot, WatchMode},
    plan::{Plan, Planner},
    proof,
    report::{Around, Status},
    settings::Settings,
    state::{Command, Input, Policy, ReloadOutcome, State},
};

/// What the driver hears from outside of its own tasks.
#[derive(Debug)]
pub struct Inbox {
    /// Look at everything again, now (SIGHUP).
    pub look: mpsc::Receiver<()>,
    /// Somebody asks whether the driver is alive.
    pub pulse: mpsc::Receiver<oneshot::Sender<()>>,
    /// Drain and end.
    pub stop: CancellationToken,
}

/// Runs the agent until it is stopped.
#[derive(Debug)]
pub struct Driver {
    planner: Planner,
    plan: Plan,
    expectations: Expectations,
    state: State,
    around: Around,
    files: Watched,
    ami: Link,
    /// The newest generation, to be judged again as time goes by.
    snapshot: Option<Arc<Snapshot>>,
    judged: Tick,
    closing: Option<AbortOnDropHandle<()>>,
    status: watch::Sender<Arc<Status>>,
    told: BTreeSet<(Code, Severity)>,
}

/// The watch of the files, and what comes of it.
#[derive(Debug)]
struct Watched {
    events: mpsc::Receiver<MaterialEvent>,
    hints: mpsc::Sender<LookAgain>,
    _task: AbortOnDropHandle<()>,
}

/// The connection to AMI, and what it tells.
#[derive(Debug)]
struct Link {
    client: Client,
    events: mpsc::Receiver<AmiEvent>,
    _task: AbortOnDropHandle<()>,
}

impl Driver {
    /// Reads Asterisk's files, starts the watch and the connection. `anchors` are those that browsers trust.
    pub fn new(settings: Settings, around: Around, anchors: Option<Anchors>, status: watch::Sender<Arc<Status>>) -> Self {
        todo!()
    }

    /// Until the stop, or until `over` says so of the status.
    pub async fn run(mut self, mut inbox: Inbox, over: impl Fn(&Status) -> bool) -> Arc<Status> {
        let mut work: Option<Work> = None;
        loop {
            let now = clock::now();
            let deadline = self.state.deadline(now).map_or_else(|| now.tick + IDLE, |tick| tick);
            let input = tokio::select! {
                biased;
                () = inbox.stop.cancelled() => Input::Stop,
                Some(answer) = inbox.pulse.recv() => {
                    let _ = answer.send(());
                    continue;
                }
                done = finished(&mut work) => self.done(done),
                Some(event) = self.files.events.recv() => match self.material(event) {
                    Some(input) => input,
                    None => {
                        self.publish();
                        continue;
                    }
                },
                Some(event) = self.ami.events.recv() => Input::Ami(event),
                Some(()) = inbox.look.recv() => Input::LookAgain,
                () = tokio::time::sleep_until(clock::instant(deadline)) => Input::Deadline,
            };
            for command in self.step(input) {
                match command {
                    Command::Probe => work = Some(self.probe()),
                    Command::Reload { snapshot, modules, touch } => work = Some(self.reload(snapshot, modules, touch)),
                    Command::Rescan => self.rescan(),
                    Command::ReadConfig => self.read_config(true),
                    Command::Exit => return self.publish(),
                }
            }
            let status = self.publish();
            if over(&status) {
                return status;
            }
        }
    }
}

type Work = Pin<Box<dyn Future<Output = Done> + Send>>;

enum Done {
    Observed(Box<proof::Observation>, proof::Closing),
    Reloaded(ReloadOutcome),
}
