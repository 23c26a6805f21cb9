//! Commands → inputs: does what the state says, and feeds back what came of it. Decides nothing. The one loop of the agent: every source
//! of events is put in one line here, and after each the status is published.

mod config_folder;
mod other_pairs;
mod published;
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
use other_pairs::OtherPairs;
use told::Told;

use crate::{
    asterisk::{
        ami::{self, AmiConnect, AmiEvent, AmiOverTls, Client, Reloaded, action::Action},
        reload::{self, Reload},
        surface::Surface,
    },
    bundle::{self, Expectations},
    clock::{self, Now, Tick},
    diagnosis::{Code, Finding},
    material::{
        self, LookAgain, MaterialEvent, Snapshot, WatchMode,
        anchors::{self, Anchors},
    },
    plan::{self, AmiPlan, Plan},
    proof::{self, Closing, Observation, Seen},
    report::{Around, Status},
    settings::{ProbeSettings, Settings},
    staging,
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
    /// What Asterisk reads besides the watched files.
    others: OtherPairs,
    /// Asterisk's own version, once it has told.
    asterisk: Option<String>,
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
    Looked(Surface, Box<Observation>, Closing),
    Published(Result<(), Finding>),
    Reloaded(ReloadOutcome),
}

impl Driver {
    /// Reads Asterisk's files, starts the watch and the connection; gives also where the status is published.
    pub fn new(settings: Settings, anchors: Trusted) -> (Self, watch::Receiver<Arc<Status>>) {
        let started = clock::now();
        let config = settings.asterisk.config_dir.as_deref().map(ConfigFolder::read);
        let plan = plan::plan(&settings, config.as_ref().map(|config| &config.read), None);
        let policy = Policy {
            probe_interval: settings.probe.interval,
            grace: GRACE,
            staged: settings.certificate.publish.is_some(),
            seed: u64::from(std::process::id()),
        };
        let state = State::new(policy, plan.means.clone(), started);
        let mut others = OtherPairs::default();
        others.follow(&plan.others, &expected_of_asterisk(&settings, &anchors), started);
        let around = around(&settings, &plan, &others, started, &WatchMode::Inotify, 0);
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
            asterisk: None,
            state,
            started,
            watching: WatchMode::Inotify,
            newest: None,
            closing: None,
            status,
            dropped: 0,
        };
        (driver, published)
    }

    /// Until the stop, or until `over` says so of the status; gives the last one.
    pub async fn run(mut self, mut inbox: Inbox, over: impl Fn(&Status) -> bool) -> Arc<Status> {
        let mut work: Option<Work> = None;
        let mut asking: Option<Pin<Box<dyn Future<Output = Option<String>> + Send>>> = None;
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
                Some(event) = self.ami.events.recv() => {
                    if matches!(event, AmiEvent::Connected { .. }) && self.config.is_some() {
                        asking = Some(ask_version(self.ami.client.clone()));
                    }
                    vec![Input::Ami(event)]
                }
                version = finish(&mut asking) => self.take_version(version).into_iter().collect(),
                Some(()) = inbox.look.recv() => {
                    self.look_again();
                    vec![Input::LookAgain]
                }
                () = tokio::time::sleep_until(clock::instant(deadline)) => vec![Input::Deadline],
            };
            for input in inputs {
                commands.extend(self.state.step(input, clock::now()));
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

    fn take(&mut self, done: Done) -> Vec<Input> {
        match done {
            Done::Observed(observation, closing) => {
                self.part(closing);
                self.others.look(&self.expected_of_asterisk(), clock::now());
                // Time goes by for what the files hold, too, and Asterisk's own files may have been edited.
                let edited = self.config.as_ref().is_some_and(ConfigFolder::changed).then(|| self.read_config()).flatten();
                let damaged = self.is_damaged().then_some(Input::PublishedDamaged);
                edited.into_iter().chain(damaged).chain(self.judge_again()).chain([Input::Observed(observation)]).collect()
            }
            Done::Looked(surface, observation, closing) => {
                self.part(closing);
                vec![Input::Looked(surface, observation)]
            }
            Done::Published(outcome) => vec![Input::Published(outcome)],
            Done::Reloaded(outcome) => vec![Input::Reloaded(outcome)],
        }
    }

    /// Lets a probe's farewell go on beside what comes next. The one before it may not be over yet: dropped, it would end abruptly.
    fn part(&mut self, closing: Closing) {
        let former = self.closing.take();
        let both = async move {
            tokio::join!(closing.done(), finished(former));
        };
        self.closing = Some(AbortOnDropHandle::new(tokio::spawn(both)));
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

    fn expected_of_asterisk(&self) -> Expectations {
        expected_of_asterisk(&self.settings, &self.anchors)
    }

    /// What is asked of the watched pair. Whether Asterisk's user may read it is no question where that reads published files.
    fn expectations(&self) -> Expectations {
        let all = self.expected_of_asterisk();
        let user = all.user.clone().filter(|_| self.settings.certificate.publish.is_none());
        Expectations { user, ..all }
    }

    /// What an earlier run published: judged as any other pair, and kept until the watched files have something better.
    fn kept(&self) -> Option<Input> {
        let publish = self.settings.certificate.publish.as_ref()?;
        published::kept(publish, &self.expected_of_asterisk()).map(|bundle| Input::Kept(Box::new(bundle)))
    }

    /// Whether what was published is no longer what stands there.
    fn is_damaged(&self) -> bool {
        match (&self.settings.certificate.publish, self.state.good()) {
            (Some(publish), Some(good)) => !staging::stands(&good.bundle.snapshot, publish),
            (None, _) | (_, None) => false,
        }
    }

    /// The published pair, while the watched files hold another: time goes by for it, too.
    fn judge_published_again(&self) -> Option<Input> {
        let is_left_behind = self.state.rejected(clock::now()).is_some() || self.state.candidate().is_some();
        self.settings.certificate.publish.as_ref().filter(|_| is_left_behind)?;
        let Some(good) = self.state.good() else { return self.kept() };
        let judgement = bundle::judge(Arc::clone(&good.bundle.snapshot), &self.expectations(), clock::wall());
        judgement.ok().map(|bundle| Input::Kept(Box::new(bundle)))
    }

    /// Writes the pair where Asterisk reads; on a thread of its own, since a disk may be slow.
    fn publish_pair(&self, snapshot: Arc<Snapshot>) -> Work {
        let publish = self.settings.certificate.publish.clone();
        let expected = self.expected_of_asterisk();
        Box::pin(async move {
            // Asked for in staged mode alone.
            let Some(publish) = publish else { return std::future::pending().await };
            let written = move || {
                staging::publish(&snapshot, &publish).map_err(|error| error.finding())?;
                published::usable(&publish, &expected)
            };
            match tokio::task::spawn_blocking(written).await {
                Ok(outcome) => Done::Published(outcome),
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                // The runtime ends.
                Err(_) => std::future::pending().await,
            }
        })
    }

    fn judge(&mut self, snapshot: Arc<Snapshot>, noticed: Tick) -> Input {
        let begun = clock::now();
        let judgement = Box::new(bundle::judge(Arc::clone(&snapshot), &self.expectations(), begun.wall));
        let judged = clock::tick();
        self.newest = Some(Newest { snapshot, judged });
        Input::Material { judgement, noticed, check: judged - begun.tick }
    }

    fn judge_again(&mut self) -> Vec<Input> {
        let published = self.judge_published_again();
        published.into_iter().chain(self.judge_newest_again()).collect()
    }

    fn judge_newest_again(&mut self) -> Option<Input> {
        let newest = self.newest.as_ref().filter(|newest| clock::tick() - newest.judged >= JUDGE_AGAIN)?;
        let snapshot = Arc::clone(&newest.snapshot);
        Some(self.judge(snapshot, clock::tick()))
    }

    fn seen(&self) -> Seen {
        Seen { names: self.settings.certificate.names.clone(), anchors: self.anchors.browsers.clone() }
    }

    /// TLS alone, on another surface.
    fn look(&self, surface: Surface) -> Work {
        let target = self.plan.beside.iter().find(|(known, _)| *known == surface).map(|(_, target)| target.clone());
        let target = target.unwrap_or_else(|| self.plan.target.clone());
        let seen = self.seen();
        Box::pin(async move {
            let (observation, closing) = proof::handshake(&target, &surface, &seen, clock::now()).await;
            Done::Looked(surface, Box::new(observation), closing)
        })
    }

    fn probe(&self) -> Work {
        let target = self.plan.target.clone();
        let seen = self.seen();
        Box::pin(async move {
            let (observation, closing) = proof::probe(&target, &seen, clock::now()).await;
            Done::Observed(Box::new(observation), closing)
        })
    }

    fn reload(&mut self, snapshot: Arc<Snapshot>, reloads: Vec<Reload>, touch: Option<PathBuf>) -> Work {
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

    /// Reads Asterisk's own files again, and goes by what they say now.
    fn read_config(&mut self) -> Option<Input> {
        let folder = self.settings.asterisk.config_dir.as_deref()?;
        let config = ConfigFolder::read(folder);
        let plan = plan::plan(&self.settings, Some(&config.read), self.asterisk.as_deref());
        self.config = Some(config);
        if plan.sources != self.plan.sources {
            info!(cert = %plan.sources.cert.display(), key = %plan.sources.key.display(), "Asterisk's files name other certificate files");
            self.files = watch_files(&plan, &self.settings);
            self.newest = None;
        }
        if plan.ami != self.plan.ami {
            self.dropped += self.ami.client.dropped();
            self.ami = link(&plan.ami, &self.settings.probe, &self.anchors);
        }
        self.plan = plan;
        self.others.follow(&self.plan.others, &self.expected_of_asterisk(), clock::now());
        Some(Input::Config(self.plan.means.clone()))
    }

    /// Which surfaces can be refreshed depends on the release.
    fn take_version(&mut self, version: Option<String>) -> Option<Input> {
        if version.is_none() || version == self.asterisk {
            return None;
        }
        self.asterisk = version;
        self.read_config()
    }

    /// Publishes the status, and tells the log what is new in it.
    fn publish(&mut self) -> Arc<Status> {
        let now = clock::now();
        let dropped = self.dropped + self.ami.client.dropped();
        let around = around(&self.settings, &self.plan, &self.others, self.started, &self.watching, dropped);
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

/// Waits for the farewell of a probe. It ends within its own timeout, and is no failure of what comes next.
async fn finished(closing: Option<AbortOnDropHandle<()>>) {
    if let Some(closing) = closing {
        let _ = closing.await;
    }
}

/// What is asked of what Asterisk itself reads.
fn expected_of_asterisk(settings: &Settings, anchors: &Trusted) -> Expectations {
    let (names, anchors) = (settings.certificate.names.clone(), anchors.browsers.clone());
    Expectations { names, anchors, user: settings.asterisk.user.clone(), expiry: settings.expiry }
}

/// The work that is under way, if any; for ever where there is none.
async fn finish<T>(work: &mut Option<Pin<Box<dyn Future<Output = T> + Send>>>) -> T {
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

/// `CoreSettings` needs class `system` or `reporting` to write; without it the version stays unknown.
fn ask_version(client: Client) -> Pin<Box<dyn Future<Output = Option<String>> + Send>> {
    Box::pin(async move {
        let answer = client.action(Action::new("CoreSettings")).await.ok()?;
        answer.get("AsteriskVersion").map(str::to_owned)
    })
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

fn around(settings: &Settings, plan: &Plan, others: &OtherPairs, started: Now, mode: &WatchMode, events_dropped: u64) -> Around {
    let mut findings = plan.findings.clone();
    findings.extend(others.findings().cloned());
    if let WatchMode::Polling { finding } = mode {
        findings.push(finding.clone());
    }
    Around {
        started,
        cert: plan.sources.cert.display().to_string(),
        key: plan.sources.key.display().to_string(),
        staged: settings.certificate.publish.is_some(),
        watching: watching(mode),
        wss: plan.target.address.clone(),
        path: plan.target.path.clone(),
        beside: plan.beside.iter().map(|(surface, target)| (surface.clone(), target.address.clone())).collect(),
        ami: plan.ami.address.clone(),
        findings,
        liveness: settings.liveness,
        readiness: settings.readiness,
        stale_after: settings.probe.interval * 2 + settings.probe.timeout * 4,
        events_dropped,
    }
}

/// Of the second that a stop may take.
const DRAIN: Duration = Duration::from_millis(500);
/// A generation may be half-written for this long before it is named.
const GRACE: Duration = Duration::from_secs(2);
/// How often what the files hold is judged anew while nothing changes.
const JUDGE_AGAIN: Duration = Duration::from_secs(9);
/// How often the files are looked at without a hint.
const RESCAN: Duration = Duration::from_secs(30);
/// Between two turns of the loop where the state asks for nothing.
const IDLE: Duration = Duration::from_secs(60);
const QUEUE: usize = 64;
