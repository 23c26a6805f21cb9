//! Commands → inputs: does what the state says, and feeds back what came of it. Decides nothing. The one loop of the agent: every source
//! of events is put in one line here, and after each the status is published.

mod config_folder;
mod told;

use std::{
    collections::VecDeque,
    fs::{FileTimes, OpenOptions},
    future::{Future, poll_fn},
    io,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use rustls_pki_types::ServerName;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::info;

use config_folder::ConfigFolder;
use told::Told;

use crate::{
    asterisk::ami::{self, AmiConnect, AmiEvent, AmiOverTls, Client, Reloaded},
    bundle::{self, Expectations},
    clock::{self, Now, Tick},
    diagnosis::{Code, Finding},
    material::{self, LookAgain, MaterialEvent, Snapshot, WatchMode, anchors::Anchors},
    plan::{self, AmiPlan, Plan},
    proof::{self, Closing, Observation, Seen},
    report::{Around, Status},
    settings::{ProbeSettings, Settings},
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
}

#[derive(Debug)]
struct Newest {
    snapshot: Arc<Snapshot>,
    judged: Tick,
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

type Work = Pin<Box<dyn Future<Output = Done> + Send>>;

/// What came of the one thing that was under way.
enum Done {
    Observed(Box<Observation>, Closing),
    Reloaded(ReloadOutcome),
}

impl Driver {
    /// Reads Asterisk's files, starts the watch and the connection; gives also where the status is published.
    pub fn new(settings: Settings, anchors: Trusted) -> (Self, watch::Receiver<Arc<Status>>) {
        let started = clock::now();
        let config = settings.asterisk.config_dir.as_deref().map(ConfigFolder::read);
        let plan = plan::plan(&settings, config.as_ref().map(|config| &config.read));
        let policy = Policy { probe_interval: settings.probe.interval, grace: GRACE, seed: u64::from(std::process::id()) };
        let state = State::new(policy, plan.means.clone(), started);
        let around = around(&settings, &plan, started, &WatchMode::Inotify);
        let (status, published) = watch::channel(Arc::new(Status::of(&state, &around, started)));
        let driver = Driver {
            files: watch_files(&plan, &settings),
            ami: link(&plan.ami, &settings.probe, &anchors),
            told: Told::default(),
            settings,
            anchors,
            config,
            plan,
            state,
            started,
            watching: WatchMode::Inotify,
            newest: None,
            closing: None,
            status,
        };
        (driver, published)
    }

    /// Until the stop, or until `over` says so of the status; gives the last one.
    pub async fn run(mut self, mut inbox: Inbox, over: impl Fn(&Status) -> bool) -> Arc<Status> {
        let mut work: Option<Work> = None;
        let mut commands = VecDeque::from(self.state.step(Input::Deadline, clock::now()));
        loop {
            while let Some(command) = commands.pop_front() {
                match command {
                    Command::Probe => work = Some(self.probe()),
                    Command::Reload { snapshot, modules, touch } => work = Some(self.reload(snapshot, modules, touch)),
                    Command::Rescan => {
                        let _ = self.files.hints.try_send(LookAgain);
                    }
                    Command::ReadConfig => {
                        if let Some(input) = self.read_config() {
                            commands.extend(self.state.step(input, clock::now()));
                        }
                    }
                    Command::Exit => return self.publish(),
                }
            }
            // What was begun is sent on its way before anybody is told: telling takes as long as some of it.
            let done = begin(&mut work).await;
            let status = self.publish();
            if over(&status) {
                return status;
            }
            if let Some(done) = done {
                for input in self.take(done) {
                    commands.extend(self.state.step(input, clock::now()));
                }
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
                Some(event) = self.ami.events.recv() => vec![Input::Ami(event)],
                Some(()) = inbox.look.recv() => vec![Input::LookAgain],
                () = tokio::time::sleep_until(clock::instant(deadline)) => vec![Input::Deadline],
            };
            for input in inputs {
                commands.extend(self.state.step(input, clock::now()));
            }
        }
    }

    fn take(&mut self, done: Done) -> Vec<Input> {
        match done {
            Done::Observed(observation, closing) => {
                self.closing = Some(AbortOnDropHandle::new(tokio::spawn(closing.done())));
                // Time goes by for what the files hold, too, and Asterisk's own files may have been edited.
                let edited = self.config.as_ref().is_some_and(ConfigFolder::changed).then(|| self.read_config()).flatten();
                edited.into_iter().chain(self.judge_again()).chain([Input::Observed(observation)]).collect()
            }
            Done::Reloaded(outcome) => vec![Input::Reloaded(outcome)],
        }
    }

    fn take_material(&mut self, event: MaterialEvent) -> Vec<Input> {
        match event {
            MaterialEvent::Snapshot { snapshot, noticed } => vec![self.judge(snapshot, noticed)],
            MaterialEvent::Watching(mode) => {
                info!(mode = watching(&mode), "watching the files");
                self.watching = mode;
                Vec::new()
            }
        }
    }

    fn judge(&mut self, snapshot: Arc<Snapshot>, noticed: Tick) -> Input {
        let begun = clock::now();
        let expectations = Expectations {
            names: self.settings.certificate.names.clone(),
            anchors: self.anchors.browsers.clone(),
            user: self.settings.asterisk.user.clone(),
            expiry: self.settings.expiry,
        };
        let judgement = Box::new(bundle::judge(Arc::clone(&snapshot), &expectations, begun.wall));
        let judged = clock::tick();
        self.newest = Some(Newest { snapshot, judged });
        Input::Material { judgement, noticed, check: judged - begun.tick }
    }

    fn judge_again(&mut self) -> Option<Input> {
        let newest = self.newest.as_ref().filter(|newest| clock::tick() - newest.judged >= JUDGE_AGAIN)?;
        let snapshot = Arc::clone(&newest.snapshot);
        Some(self.judge(snapshot, clock::tick()))
    }

    fn probe(&self) -> Work {
        let target = self.plan.target.clone();
        let seen = Seen { names: self.settings.certificate.names.clone(), anchors: self.anchors.browsers.clone() };
        Box::pin(async move {
            let (observation, closing) = proof::probe(&target, &seen, clock::now()).await;
            Done::Observed(Box::new(observation), closing)
        })
    }

    fn reload(&mut self, snapshot: Arc<Snapshot>, modules: Vec<String>, touch: Option<PathBuf>) -> Work {
        let closing = self.closing.take();
        let client = self.ami.client.clone();
        Box::pin(async move {
            if let Some(closing) = closing {
                // It ends within its own timeout, and is no failure of the reload.
                let _ = closing.await;
            }
            if !material::unchanged(&snapshot) {
                return Done::Reloaded(ReloadOutcome::FilesMoved);
            }
            if let Some(stamp) = touch
                && let Err(error) = touch_file(&stamp)
            {
                let finding = Finding::new(Code::CannotHeal).with("file", stamp.as_path()).with("reason", error.to_string());
                return Done::Reloaded(ReloadOutcome::Failed(finding));
            }
            Done::Reloaded(reload(&client, &modules).await)
        })
    }

    /// Reads Asterisk's own files again, and goes by what they say now.
    fn read_config(&mut self) -> Option<Input> {
        let folder = self.settings.asterisk.config_dir.as_deref()?;
        let config = ConfigFolder::read(folder);
        let plan = plan::plan(&self.settings, Some(&config.read));
        self.config = Some(config);
        if plan.sources != self.plan.sources {
            info!(cert = %plan.sources.cert.display(), key = %plan.sources.key.display(), "Asterisk's files name other certificate files");
            self.files = watch_files(&plan, &self.settings);
            self.newest = None;
        }
        if plan.ami != self.plan.ami {
            self.ami = link(&plan.ami, &self.settings.probe, &self.anchors);
        }
        self.plan = plan;
        Some(Input::Config(self.plan.means.clone()))
    }

    /// Publishes the status, and tells the log what is new in it.
    fn publish(&mut self) -> Arc<Status> {
        let now = clock::now();
        let around = around(&self.settings, &self.plan, self.started, &self.watching);
        let status = Arc::new(Status::of(&self.state, &around, now));
        self.told.tell(&status);
        self.status.send_replace(Arc::clone(&status));
        status
    }
}

/// Lets the work do what needs no waiting, and those do their part whom it asks.
async fn begin(work: &mut Option<Work>) -> Option<Done> {
    let begun = work.as_mut()?;
    let done = poll_fn(|context| match begun.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => Poll::Ready(None),
    })
    .await;
    match done {
        Some(_) => *work = None,
        None => tokio::task::yield_now().await,
    }
    done
}

/// The work that is under way, if any; for ever where there is none.
async fn finish(work: &mut Option<Work>) -> Done {
    let done = match work {
        Some(work) => work.await,
        None => std::future::pending().await,
    };
    *work = None;
    done
}

/// Each module in turn. Where http was reloaded, browsers have what they need, and the failure of another is still told.
async fn reload(client: &Client, modules: &[String]) -> ReloadOutcome {
    let mut answered = Reloaded::Done;
    for module in modules {
        match client.reload(module).await {
            Ok(Reloaded::Done) => {}
            Ok(Reloaded::Queued) => answered = Reloaded::Queued,
            Err(failure) => return ReloadOutcome::Failed(failure.finding),
        }
    }
    ReloadOutcome::Answered(answered)
}

/// Gives the file the time of now, as `touch` does; never makes one.
fn touch_file(path: &Path) -> io::Result<()> {
    let now = std::time::SystemTime::from(clock::wall());
    OpenOptions::new().write(true).open(path)?.set_times(FileTimes::new().set_modified(now))
}

fn watch_files(plan: &Plan, settings: &Settings) -> Watched {
    let (hints, asked) = mpsc::channel(1);
    let (sender, events) = mpsc::channel(QUEUE);
    let rescan = settings.probe.interval.max(RESCAN);
    let task = tokio::spawn(material::watch(plan.sources.clone(), rescan, asked, sender));
    Watched { events, hints, _task: AbortOnDropHandle::new(task) }
}

fn link(plan: &AmiPlan, probe: &ProbeSettings, anchors: &Trusted) -> Link {
    let tls = plan.tls.as_ref().map(|tls| {
        let name = tls.server_name.clone().unwrap_or_else(|| plan.address.host.clone());
        let unnamed = ServerName::from(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        AmiOverTls { config: Arc::new(proof::client_config(anchors.ami.as_ref())), server_name: name.try_into().unwrap_or(unnamed) }
    });
    let connect = AmiConnect {
        address: plan.address.clone(),
        username: plan.username.clone(),
        secret: plan.secret.clone().unwrap_or_default(),
        auth: plan.auth,
        tls,
        timeout: probe.timeout,
        keepalive: probe.interval,
    };
    let (sender, events) = mpsc::channel(QUEUE);
    let (client, work) = ami::client(connect, sender);
    Link { client, events, _task: AbortOnDropHandle::new(tokio::spawn(work)) }
}

fn watching(mode: &WatchMode) -> &'static str {
    match mode {
        WatchMode::Inotify => "inotify",
        WatchMode::Polling { .. } => "polling",
    }
}

fn around(settings: &Settings, plan: &Plan, started: Now, mode: &WatchMode) -> Around {
    let mut findings = plan.findings.clone();
    if let WatchMode::Polling { finding } = mode {
        findings.push(finding.clone());
    }
    Around {
        started,
        cert: plan.sources.cert.display().to_string(),
        key: plan.sources.key.display().to_string(),
        watching: watching(mode),
        wss: plan.target.address.clone(),
        path: plan.target.path.clone(),
        ami: plan.ami.address.clone(),
        findings,
        liveness: settings.liveness,
        readiness: settings.readiness,
        stale_after: settings.probe.interval * 2 + settings.probe.timeout * 4,
    }
}

/// A generation may be half-written for this long before it is named.
const GRACE: Duration = Duration::from_secs(2);
/// How often what the files hold is judged anew while nothing changes.
const JUDGE_AGAIN: Duration = Duration::from_secs(9);
/// How often the files are looked at without a hint.
const RESCAN: Duration = Duration::from_secs(30);
/// Between two turns of the loop where the state asks for nothing.
const IDLE: Duration = Duration::from_secs(60);
const QUEUE: usize = 64;
