//! Commands → inputs: does what the state says, and feeds back what came of it. Decides nothing. The one loop of the agent: every source
//! of events is put in one line here, and after each the status is published.

mod config_folder;
mod judging;
mod links;
mod other_pairs;
mod published;
mod publishing;
mod surroundings;
mod taking;
mod told;
mod work;

use std::{collections::VecDeque, future::Future, pin::Pin, sync::Arc, time::Duration};

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use config_folder::ConfigFolder;
use judging::{Newest, expected_of_asterisk};
use links::{Watched, watch_files};
use other_pairs::OtherPairs;
use publishing::around;
use surroundings::Surroundings;
use told::Told;
use work::{Done, Own, Work, ask, at_once, finish, finished};

pub use links::{Link, link};

use crate::{
    asterisk::ami::AmiEvent,
    clock::{self, Now},
    material::{
        Digest, LookAgain, WatchMode,
        anchors::{self, Anchors},
    },
    plan::{self, Plan},
    report::{Cluster, Status, notify::Delivery},
    settings::Settings,
    state::{Command, Input, Policy, State, Turn},
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

/// What the driver and the cluster tell each other.
#[derive(Debug)]
pub struct ClusterLink {
    /// What the cluster tells of itself.
    pub cluster: watch::Receiver<Cluster>,
    /// Answers to the question for a turn.
    pub turns: mpsc::Receiver<(Digest, Turn)>,
    /// The generation that asks for its turn.
    pub ask: watch::Sender<Option<Digest>>,
    /// Whether there are turns at all.
    pub ordered: bool,
}

/// Whom the certificates must come from; `None`: not judged.
#[derive(Clone, Debug)]
pub struct Trusted {
    /// That browsers meet.
    pub browsers: Option<Anchors>,
    /// That AMI over TLS shows.
    pub ami: Option<Anchors>,
}

/// Runs the agent until it is stopped.
#[derive(Debug)]
pub struct Driver {
    settings: Settings,
    anchors: Trusted,
    config: Option<ConfigFolder>,
    plan: Plan,
    /// What Asterisk reads besides the watched files.
    others: OtherPairs,
    surroundings: Surroundings,
    /// Asterisk's own version, once it has told.
    asterisk: Option<String>,
    /// What Asterisk tells of itself is to be asked (again).
    to_ask: bool,
    state: State,
    started: Now,
    watching: WatchMode,
    files: Watched,
    ami: Link,
    /// The newest generation, to be judged again as time goes by.
    newest: Option<Newest>,
    /// The farewell of the last probe, which a reload waits for.
    closing: Option<AbortOnDropHandle<()>>,
    status: watch::Sender<Arc<Status>>,
    told: Told,
    /// By connections to AMI that were since replaced.
    dropped: u64,
    /// `None` outside a cluster.
    cluster: Option<ClusterLink>,
    /// `None` where nobody is to be told.
    delivery: Option<watch::Receiver<Delivery>>,
}

impl Driver {
    /// Reads Asterisk's files, starts the watch and the connection; gives also where the status is published.
    pub fn new(settings: Settings, anchors: Trusted, cluster: Option<ClusterLink>) -> (Self, watch::Receiver<Arc<Status>>) {
        let started = clock::now();
        let config = settings.asterisk.config_dir.as_deref().map(ConfigFolder::read);
        let plan = plan::plan(&settings, config.as_ref().map(|config| &config.read), None);
        let policy = Policy {
            probe_interval: settings.probe.interval,
            grace: GRACE,
            staged: settings.certificate.publish.is_some(),
            ordered: cluster.as_ref().is_some_and(|link| link.ordered),
            seed: u64::from(std::process::id()),
        };
        let state = State::new(policy, plan.means.clone(), started);
        let mut others = OtherPairs::default();
        others.follow(&plan.others, &expected_of_asterisk(&settings, &anchors), started);
        let surroundings = Surroundings::new(&settings, &plan, config.as_ref(), started);
        let around = around(&settings, &plan, Vec::new(), started, &WatchMode::Inotify);
        let (status, published) = watch::channel(Arc::new(Status::of(&state, &around, started)));
        let driver = Driver {
            files: watch_files(&plan, &settings),
            ami: link(&plan.ami, &settings.probe, &anchors),
            told: Told::default(),
            settings,
            anchors,
            config,
            plan,
            others,
            surroundings,
            asterisk: None,
            to_ask: false,
            state,
            started,
            watching: WatchMode::Inotify,
            newest: None,
            closing: None,
            status,
            dropped: 0,
            cluster,
            delivery: None,
        };
        (driver, published)
    }

    /// Also says in the status how notifications fare.
    #[must_use]
    pub fn with_delivery(mut self, delivery: Option<watch::Receiver<Delivery>>) -> Self {
        self.delivery = delivery;
        self
    }

    /// Until the stop, or until `over` says so of the status; gives the last one.
    pub async fn run(mut self, mut inbox: Inbox, over: impl Fn(&Status) -> bool) -> Arc<Status> {
        let mut work: Option<Work> = None;
        let mut asking: Option<Pin<Box<dyn Future<Output = Own> + Send>>> = None;
        let mut commands = VecDeque::new();
        for input in self.kept().into_iter().chain([Input::Deadline]) {
            commands.extend(self.state.step(input, clock::now()));
        }
        loop {
            while let Some(command) = commands.pop_front() {
                match command {
                    Command::Probe => work = Some(self.probe()),
                    Command::Publish(snapshot) => work = Some(self.publish_pair(snapshot)),
                    Command::Look(surface) => work = Some(self.look(surface)),
                    Command::Reload { snapshot, reloads, touch } => work = Some(self.reload(snapshot, reloads, touch)),
                    Command::AskTurn(generation) => {
                        if let Some(link) = &self.cluster {
                            link.ask.send_replace(Some(generation));
                        }
                    }
                    Command::Rescan => {
                        let _ = self.files.hints.try_send(LookAgain);
                    }
                    Command::ReadConfig => {
                        if let Some(input) = self.read_config() {
                            commands.extend(self.state.step(input, clock::now()));
                        }
                    }
                    Command::Exit => return self.drain(work).await,
                }
            }
            // What is done in a moment is done before anybody is told: telling takes as long as some of it.
            if let Some(done) = at_once(&mut work).await {
                for input in self.take(done) {
                    commands.extend(self.state.step(input, clock::now()));
                }
                continue;
            }
            let status = self.publish();
            if over(&status) {
                return status;
            }
            if work.is_none() && self.looked_around() {
                continue;
            }
            let now = clock::now();
            let deadline = self.state.deadline(now).unwrap_or(now.tick + IDLE);
            let inputs = tokio::select! {
                biased;
                () = inbox.stop.cancelled() => vec![Input::Stop],
                Some(answer) = inbox.pulse.recv() => {
                    let _ = answer.send(());
                    Vec::new()
                }
                done = finish(&mut work) => self.take(done),
                Some(event) = self.files.events.recv() => self.take_material(event),
                Some(event) = self.ami.events.recv() => {
                    self.to_ask |= matches!(event, AmiEvent::Connected { .. }) && self.config.is_some();
                    vec![Input::Ami(event)]
                }
                input = hear(&mut self.cluster) => input.into_iter().collect(),
                () = changed(&mut self.delivery) => Vec::new(),
                own = finish(&mut asking) => self.take_own(own).into_iter().collect(),
                Some(()) = inbox.look.recv() => {
                    self.look_again();
                    vec![Input::LookAgain]
                }
                () = tokio::time::sleep_until(clock::instant(deadline)) => vec![Input::Deadline],
            };
            for input in inputs {
                commands.extend(self.state.step(input, clock::now()));
            }
            if std::mem::take(&mut self.to_ask) && self.state.ami().is_up() {
                asking = Some(ask(self.ami.client.clone()));
            }
        }
    }

    /// Whom browsers trust may have changed, and a wrong password may have been mended: neither waits for its time.
    fn look_again(&mut self) {
        if let Ok(anchors) = anchors::load(&self.settings.certificate.trust) {
            self.anchors.browsers = anchors;
        }
        if !self.state.ami().is_up() {
            self.dropped += self.ami.client.dropped();
            self.ami = link(&self.plan.ami, &self.settings.probe, &self.anchors);
        }
    }

    /// Ends what is under way as its peer expects it, as far as there is time: what ends abruptly stands as an error in Asterisk's log.
    async fn drain(mut self, work: Option<Work>) -> Arc<Status> {
        let status = self.publish();
        let Driver { closing, ami, .. } = self;
        let end = async {
            if let Some(work) = work
                && let Done::Observed(_, closing) | Done::Looked(_, _, closing) = work.await
            {
                closing.done().await;
            }
            finished(closing).await;
            let Link { client, _task: task, .. } = ami;
            drop(client);
            let _ = task.await;
        };
        // Who does not answer in time is not waited for.
        let _ = tokio::time::timeout(DRAIN, end).await;
        status
    }
}

/// An answer to the question for a turn, or nothing but news of the cluster; for ever where there is none.
async fn hear(link: &mut Option<ClusterLink>) -> Option<Input> {
    let Some(link) = link else { return std::future::pending().await };
    tokio::select! {
        Some((generation, turn)) = link.turns.recv() => Some(Input::Turn { generation, turn }),
        Ok(()) = link.cluster.changed() => None,
        else => std::future::pending().await,
    }
}

/// For ever where nobody is to be told, or nobody tells any more.
async fn changed(delivery: &mut Option<watch::Receiver<Delivery>>) {
    let ended = match delivery {
        Some(delivery) => delivery.changed().await.is_err(),
        None => true,
    };
    if ended {
        std::future::pending().await
    }
}

/// Of the second that a stop may take.
const DRAIN: Duration = Duration::from_millis(500);
/// A generation may be half-written for this long before it is named.
const GRACE: Duration = Duration::from_secs(2);
/// Between two turns of the loop where the state asks for nothing.
const IDLE: Duration = Duration::from_secs(60);
