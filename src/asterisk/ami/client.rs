//! The handle that other rooms ask through, and the loop behind it that keeps a connection to AMI and comes back when it is lost. Asking
//! without a connection fails at once with the reason why there is none; only the very first attempt is waited for.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{mpsc, oneshot},
    time::sleep,
};

use super::{
    AmiConnect, AmiEvent, ReloadFailure, Reloaded,
    action::Action,
    codec::Message,
    dial::{Reach, Wire},
    fault::{self, Fault, Stage, Who},
    login,
    outbox::Outbox,
    session::{self, Answer, End, Request, Terms},
    verdict::{self, Verdict},
};
use crate::{
    clock,
    diagnosis::{Code, Finding},
};

/// Requests that wait while others are being asked.
const QUEUE: usize = 16;
/// A connection that lasts so long was a good one: the next loss starts with the shortest pause again.
const STEADY: Duration = Duration::from_secs(5);
/// Between two attempts of a reload that met another one.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// Asks Asterisk. Cheap to clone; when the last one is dropped, the connection is logged off.
#[derive(Clone, Debug)]
pub struct Client {
    requests: mpsc::Sender<Request>,
    who: Arc<Who>,
    timeout: Duration,
    dropped: Arc<AtomicU64>,
    /// The last reload was denied. Asterisk settles what a session may do when it logs in, so that only a new one learns of a new class.
    denied: Arc<AtomicBool>,
}

/// Why a CLI command printed nothing of use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandFailure {
    /// It was not asked, was not allowed, or was not answered.
    Unanswered(Finding),
    /// Asterisk would not do it: no such command, wrong usage.
    Refused {
        /// What the CLI printed.
        said: Vec<String>,
    },
}

/// A client, and the future that does its work: nothing is connected until that runs. It ends when every [`Client`] is gone.
pub fn client(connect: AmiConnect, events: mpsc::Sender<AmiEvent>) -> (Client, impl Future<Output = ()> + Send + 'static) {
    client_over(connect.clone(), connect, events)
}

/// The same over a stream that is there already: served until it ends. There is no other after it, so that every further attempt fails.
pub fn client_on<S>(stream: S, connect: AmiConnect, events: mpsc::Sender<AmiEvent>) -> (Client, impl Future<Output = ()> + Send + 'static)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    client_over(Once(Mutex::new(Some(Box::new(stream)))), connect, events)
}

/// The same over any way to reach the peer.
pub(super) fn client_over<R: Reach>(
    reach: R,
    connect: AmiConnect,
    events: mpsc::Sender<AmiEvent>,
) -> (Client, impl Future<Output = ()> + Send + 'static) {
    let (sender, requests) = mpsc::channel(QUEUE);
    let dropped = Arc::new(AtomicU64::new(0));
    let outbox = Outbox::new(events, dropped.clone());
    let client = Client { requests: sender, who: Arc::new(Who::from(&connect)), timeout: connect.timeout, dropped, denied: Arc::default() };
    (client, run(reach, connect, requests, outbox))
}

impl Client {
    /// Has one module reloaded: `http`, `res_pjsip.so`. In the form that needs the least: `Action: Reload` (class `system` or `config`),
    /// and where that is denied `module reload` through the CLI (class `command`). A reload that meets another one is tried again
    /// within the timeout, and one that follows a denied one is asked in a new session.
    ///
    /// # Errors
    /// `reload-module-missing`, `reload-failed`, `ami-permission-denied` with the line to add, or why there is no answer; then
    /// `outcome: unknown` is among the evidence where Asterisk may have done it all the same.
    pub async fn reload(&self, module: &str) -> Result<Reloaded, ReloadFailure> {
        let failure = |finding| ReloadFailure { finding };
        let forms = Forms::of(module).map_err(|said| failure(fault::not_reloaded(Code::ReloadModuleMissing, &self.who, module, said)))?;
        let last_try = clock::tick() + self.timeout;
        loop {
            match self.reload_once(&forms).await.map_err(failure)? {
                Verdict::Taken(reloaded) => return Ok(reloaded),
                Verdict::Busy if clock::tick() < last_try => sleep(BUSY_PAUSE).await,
                Verdict::Busy => {
                    let said = "A reload is in progress".to_owned();
                    return Err(failure(fault::not_reloaded(Code::ReloadFailed, &self.who, module, said)));
                }
                Verdict::Denied => {
                    self.denied.store(true, Ordering::Relaxed);
                    return Err(failure(fault::denied(&self.who, &format!("module reload {module}"), "write = system")));
                }
                Verdict::Failed(code, said) => return Err(failure(fault::not_reloaded(code, &self.who, module, said))),
            }
        }
    }

    /// Has the CLI do one thing (class `command`), and gives what it printed, line by line. That Asterisk answers does not mean that it
    /// did: many commands print their failure.
    ///
    /// # Errors
    /// When it is not answered, not allowed, or no such command.
    pub async fn command(&self, command: &str) -> Result<Vec<String>, CommandFailure> {
        let action = Action::new("Command").with("Command", command);
        let action = action.map_err(|error| CommandFailure::Refused { said: vec![format!("failed to {error}")] })?;
        let answer = self.action(action).await.map_err(CommandFailure::Unanswered)?;
        if verdict::is_denied(&answer) {
            let finding = fault::denied(&self.who, command, "write = command");
            return Err(CommandFailure::Unanswered(finding));
        }
        let printed = answer.output().map(str::to_owned).collect();
        match answer.response() {
            Some("Success" | "Follows") => Ok(printed),
            Some(_) | None => Err(CommandFailure::Refused { said: printed }),
        }
    }

    /// Asks anything, and gives the answer as it is, errors included.
    ///
    /// # Errors
    /// When there is no connection, or no answer in time.
    pub async fn action(&self, action: Action) -> Result<Message, Finding> {
        Ok(self.ask(action, None, false).await?.message)
    }

    /// How much news (`AmiEvent`) was dropped because nobody took it.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    async fn reload_once(&self, forms: &Forms) -> Result<Verdict, Finding> {
        let anew = self.denied.swap(false, Ordering::Relaxed);
        let answer = self.ask(forms.action.clone(), Some(forms.module.clone()), anew).await?;
        match verdict::of_action(&answer.message, answer.reported) {
            Verdict::Denied => Ok(verdict::of_command(&self.ask(forms.command.clone(), None, false).await?.message)),
            verdict @ (Verdict::Taken(_) | Verdict::Busy | Verdict::Failed(..)) => Ok(verdict),
        }
    }

    /// Needs no timeout of its own: the loop behind it answers every request in time, and its end drops them all.
    async fn ask(&self, action: Action, reload: Option<String>, anew: bool) -> Result<Answer, Finding> {
        let gone = || Fault::Closed { stage: Stage::Action, said: "the client has ended".to_owned() }.finding(&self.who);
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request { action, reload, anew, reply }).await.map_err(|_| gone())?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}

/// The way to a peer that can be gone once.
struct Once(Mutex<Option<Box<dyn Wire>>>);

impl Reach for Once {
    async fn reach(&self) -> Result<Box<dyn Wire>, Fault> {
        let wire = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        wire.ok_or_else(|| Fault::Refused("the one stream there was has ended".to_owned()))
    }
}

/// A reload in both forms in which it can be asked.
struct Forms {
    module: String,
    /// Needs class `system` or `config`.
    action: Action,
    /// Needs class `command`.
    command: Action,
}

impl Forms {
    /// Refuses what is no module's name: a second word would be a second module to the CLI.
    fn of(module: &str) -> Result<Self, String> {
        if module.is_empty() || !module.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')) {
            return Err("nothing: this is no name of a module".to_owned());
        }
        let form = |name, key, value| Action::new(name).with(key, value).map_err(|error| format!("nothing: failed to {error}"));
        let action = form("Reload", "Module", module.to_owned())?;
        let command = form("Command", "Command", format!("module reload {module}"))?;
        Ok(Forms { module: module.to_owned(), action, command })
    }
}

/// Connects, serves, and comes back, until nobody wants it any more.
async fn run<R: Reach>(reach: R, mut connect: AmiConnect, mut requests: mpsc::Receiver<Request>, mut outbox: Outbox) {
    let terms = Terms { who: Who::from(&connect), timeout: connect.timeout, keepalive: connect.keepalive };
    let (mut last_id, mut pace, mut refusal) = (0, Pace::new(), None);
    // The secret was just read.
    let mut is_first = true;
    // What a new session was wanted for.
    let mut waiting: Option<Request> = None;
    loop {
        let attempt = async {
            if !std::mem::take(&mut is_first) {
                login::refresh(&mut connect).await;
            }
            let wire = reach.reach().await?;
            login::log_in(&connect, wire, &mut last_id).await
        };
        let Some(attempt) = meanwhile(attempt, refusal.as_ref(), &mut requests, &mut outbox).await else { return };
        let fault = match attempt {
            Err(fault) => fault,
            Ok((line, version)) => {
                // A session of our own wish in place of another is no news.
                if waiting.is_none() {
                    outbox.connected(version);
                }
                let began = clock::tick();
                match session::serve(line, &terms, waiting.take(), &mut requests, &mut outbox, &mut last_id).await {
                    End::Unwanted => return,
                    End::Anew(request) => {
                        waiting = Some(request);
                        continue;
                    }
                    End::Lost(fault) => {
                        if clock::tick() - began >= STEADY {
                            pace = Pace::new();
                        }
                        fault
                    }
                }
            }
        };
        let finding = fault.finding(&terms.who);
        tracing::debug!(code = %finding.code, %fault, "no connection to AMI");
        outbox.disconnected(&finding);
        if let Some(request) = waiting.take() {
            session::refuse(request.reply, finding.clone());
        }
        refusal = Some(finding);
        if meanwhile(sleep(pace.pause(&fault)), refusal.as_ref(), &mut requests, &mut outbox).await.is_none() {
            return;
        }
    }
}

/// Does one thing without a connection: requests are refused with the reason, news that is owed is told. `None`: nobody wants anything
/// any more. Without a reason yet (the very first attempt) requests wait.
async fn meanwhile<T>(
    deed: impl Future<Output = T>,
    refusal: Option<&Finding>,
    requests: &mut mpsc::Receiver<Request>,
    outbox: &mut Outbox,
) -> Option<T> {
    let mut deed = pin!(deed);
    loop {
        tokio::select! {
            done = &mut deed => return Some(done),
            request = requests.recv(), if refusal.is_some() => match (request, refusal) {
                (Some(request), Some(finding)) => session::refuse(request.reply, finding.clone()),
                (Some(_), None) => {}
                (None, _) => return None,
            },
            () = outbox.settle(), if outbox.owes() => {}
        }
    }
}

/// How long to wait before the next attempt: longer from one to the next, never twice the same.
struct Pace {
    usual: ExponentialBackoff,
    /// Every refused login is a line in Asterisk's log that fail2ban counts.
    wary: ExponentialBackoff,
}

impl Pace {
    fn new() -> Self {
        let from_to = |least, most| {
            // Jitter adds up to as much again, so that the longest pause is twice `most`.
            let builder = ExponentialBuilder::new().with_min_delay(least).with_max_delay(most).without_max_times();
            builder.with_jitter().build()
        };
        Pace {
            usual: from_to(Duration::from_millis(100), Duration::from_secs(5)),
            wary: from_to(Duration::from_secs(5), Duration::from_secs(30)),
        }
    }

    fn pause(&mut self, fault: &Fault) -> Duration {
        let (pauses, longest) = match fault {
            Fault::Auth { .. } => (&mut self.wary, Duration::from_secs(60)),
            Fault::Unresolved(_) | Fault::Refused(_) | Fault::Timeout { .. } | Fault::Tls(_) | Fault::NotAmi(_) | Fault::Closed { .. } => {
                (&mut self.usual, Duration::from_secs(10))
            }
        };
        pauses.next().unwrap_or(longest)
    }
}
