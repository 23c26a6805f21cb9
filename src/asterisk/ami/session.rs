//! One logged-in connection: requests → actions, messages → answers and news. It ends when the peer closes, falls silent or breaks the
//! protocol, and then nobody is left waiting. Answers are matched by `ActionID` alone, whatever events come between.

use std::{collections::VecDeque, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    sync::{mpsc, oneshot},
    time::{sleep_until, timeout},
};

use super::{
    AmiEvent, ReloadStatus,
    action::{Action, ActionId},
    codec::{Frame, Message, printable},
    fault::{Fault, Stage, Who},
    login::Line,
    outbox::Outbox,
};
use crate::{
    clock::{self, Tick},
    diagnosis::Finding,
};

/// Most questions that are open at once; more wait in the queue.
const OPEN_LIMIT: usize = 32;
/// While Asterisk boots, a reload's success says nothing until `Event: Reload` has followed it: 0.1 ms later, or more on a machine that
/// is busy with booting. Once it has booted nothing is waited for.
const REPORT_GRACE: Duration = Duration::from_millis(300);

/// What somebody wants asked.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) action: Action,
    /// The module, where it is a reload and `Event: Reload` may say more than the response.
    pub(super) reload: Option<String>,
    /// To be asked in a session that begins after this one.
    pub(super) anew: bool,
    pub(super) reply: Reply,
}

/// Where the answer goes. Dropped by whoever no longer wants it.
pub(super) type Reply = oneshot::Sender<Result<Answer, Finding>>;

/// What Asterisk said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) message: Message,
    /// What `Event: Reload` reported of it, where that was waited for.
    pub(super) reported: Option<ReloadStatus>,
}

/// Why a session is over.
#[derive(Debug)]
pub(super) enum End {
    /// Nobody holds a [`super::Client`] any more: logged off.
    Unwanted,
    /// A new session is wanted for this: logged off.
    Anew(Request),
    /// The connection is of no more use.
    Lost(Fault),
}

/// What a session needs to know.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) who: Who,
    pub(super) timeout: Duration,
    pub(super) keepalive: Duration,
}

/// Serves requests until the connection is of no more use; the one that it was begun for first.
pub(super) async fn serve(
    line: Line,
    terms: &Terms,
    first: Option<Request>,
    requests: &mut mpsc::Receiver<Request>,
    outbox: &mut Outbox,
    last_id: &mut u64,
) -> End {
    let next_ping = clock::tick() + terms.keepalive;
    let mut session =
        Session { line, terms, outbox, last_id, next_ping, open: VecDeque::new(), held: None, booted: false, mute: false, parting: None };
    let begun = match first {
        Some(request) => session.take(request).await,
        None => Ok(()),
    };
    let fault = match begun {
        Err(fault) => fault,
        Ok(()) => loop {
            match session.turn(requests).await {
                Ok(Turn::Again) => {}
                Ok(Turn::Unwanted) => {
                    session.log_off().await;
                    return End::Unwanted;
                }
                Ok(Turn::Anew(request)) => {
                    session.release(&Fault::Closed { stage: Stage::Action, said: "a new session is wanted".to_owned() });
                    session.log_off().await;
                    return End::Anew(request);
                }
                Err(fault) => break fault,
            }
        },
    };
    session.release(&fault);
    End::Lost(fault)
}

struct Session<'a> {
    line: Line,
    terms: &'a Terms,
    outbox: &'a mut Outbox,
    last_id: &'a mut u64,
    next_ping: Tick,
    /// Asked and not answered, the earliest deadline first: all have the same timeout.
    open: VecDeque<Open>,
    held: Option<Held>,
    /// `FullyBooted` came.
    booted: bool,
    /// A reload was reported by no event: the user reads no class `system`, and waiting for one is idle.
    mute: bool,
    /// What `Event: Shutdown` announced.
    parting: Option<String>,
}

/// A question without its answer.
struct Open {
    id: ActionId,
    name: String,
    deadline: Tick,
    asker: Asker,
}

enum Asker {
    Keepalive,
    Client { reload: Option<String>, reply: Reply },
}

/// A reload that was answered with success while Asterisk may still boot: the event will say whether it is queued.
struct Held {
    module: String,
    message: Message,
    until: Tick,
    reply: Reply,
}

enum Turn {
    Again,
    Unwanted,
    Anew(Request),
}

impl Session<'_> {
    async fn turn(&mut self, requests: &mut mpsc::Receiver<Request>) -> Result<Turn, Fault> {
        let wake = clock::instant(self.wake());
        tokio::select! {
            frame = self.line.next() => match frame {
                Some(Ok(Frame::Message(message))) => self.hear(message),
                Some(Ok(Frame::Banner { .. })) => {}
                Some(Err(violation)) => return Err(self.ended(Fault::of_stream(self.stage(), Some(violation)))),
                None => return Err(self.ended(Fault::of_stream(self.stage(), None))),
            },
            request = requests.recv(), if self.open.len() < OPEN_LIMIT => match request {
                Some(request) if request.anew => return Ok(Turn::Anew(request)),
                Some(request) => self.take(request).await?,
                None => return Ok(Turn::Unwanted),
            },
            () = sleep_until(wake) => self.expire().await?,
            () = self.outbox.settle(), if self.outbox.owes() => {}
        }
        Ok(Turn::Again)
    }

    /// Asks what a client wants to know, unless it has given up meanwhile: an action that nobody waits for is not sent.
    async fn take(&mut self, request: Request) -> Result<(), Fault> {
        let Request { action, reload, anew: _, reply } = request;
        if reply.is_closed() { Ok(()) } else { self.ask(action, Asker::Client { reload, reply }).await }
    }

    async fn ask(&mut self, action: Action, asker: Asker) -> Result<(), Fault> {
        let id = ActionId::after(self.last_id);
        let after = self.terms.timeout;
        let stage = match &asker {
            Asker::Keepalive => Stage::Keepalive,
            Asker::Client { .. } => Stage::Action,
        };
        self.open.push_back(Open { id, name: action.name().to_owned(), deadline: clock::tick() + after, asker });
        match timeout(after, self.line.send(&action.identified(&id))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(violation)) => Err(self.ended(Fault::of_stream(stage, Some(violation)))),
            Err(_) => Err(Fault::Timeout { stage, after }),
        }
    }

    fn hear(&mut self, message: Message) {
        if message.event().is_some() {
            self.hear_event(&message);
        } else if message.response().is_some() {
            self.hear_response(message);
        }
    }

    fn hear_event(&mut self, message: &Message) {
        self.mute = false;
        match message.event().unwrap_or_default() {
            "FullyBooted" => {
                self.booted = true;
                self.outbox.booted();
            }
            "Reload" => {
                let module = message.get("Module").unwrap_or_default();
                let Some(status) = message.get("Status").and_then(|status| status.trim().parse::<u8>().ok()) else { return };
                let status = ReloadStatus::from(status);
                if let Some(held) = self.held.take_if(|held| held.module == module) {
                    held.answer(Some(status));
                }
                self.outbox.reloaded(AmiEvent::Reload { module: printable(module.as_bytes()), status });
            }
            "Shutdown" => {
                let said = |key| printable(message.get(key).unwrap_or("?").as_bytes());
                self.parting = Some(format!("Shutdown: {}, Restart: {}", said("Shutdown"), said("Restart")));
            }
            _ => {}
        }
    }

    /// An answer to what is not open any more (it came after its timeout), or to what was never asked, is nobody's.
    fn hear_response(&mut self, message: Message) {
        let Some(position) = message.get("ActionID").and_then(|text| self.open.iter().position(|open| open.id.is(text))) else { return };
        let Some(open) = self.open.remove(position) else { return };
        self.next_ping = clock::tick() + self.terms.keepalive;
        let (reload, reply) = match open.asker {
            Asker::Keepalive => return,
            Asker::Client { reload, reply } => (reload, reply),
        };
        match reload {
            Some(module) if !self.booted && !self.mute && message.response() == Some("Success") => {
                let held = Held { module, message, until: clock::tick() + REPORT_GRACE, reply };
                if let Some(earlier) = self.held.replace(held) {
                    earlier.answer(None);
                }
            }
            Some(_) | None => answer(reply, message, None),
        }
    }

    /// When something is due next, should nothing come.
    fn wake(&self) -> Tick {
        // While something is open, its own deadline watches over the peer.
        let ping = if self.open.is_empty() { Some(self.next_ping) } else { None };
        let due = [self.open.front().map(|open| open.deadline), self.held.as_ref().map(|held| held.until), ping];
        due.into_iter().flatten().min().unwrap_or(self.next_ping)
    }

    async fn expire(&mut self) -> Result<(), Fault> {
        let now = clock::tick();
        if let Some(held) = self.held.take_if(|held| held.until <= now) {
            self.mute = true;
            held.answer(None);
        }
        let after = self.terms.timeout;
        while self.open.front().is_some_and(|open| open.deadline <= now) {
            let Some(open) = self.open.pop_front() else { break };
            let Asker::Client { reply, .. } = open.asker else { return Err(Fault::Timeout { stage: Stage::Keepalive, after }) };
            let finding = Fault::Timeout { stage: Stage::Action, after }.finding(&self.terms.who);
            refuse(reply, unknown_outcome(finding, &open.name));
            // Is it this action that takes long, or is the peer gone? The keepalive tells.
            self.next_ping = now;
        }
        let asked = self.open.iter().any(|open| matches!(open.asker, Asker::Keepalive));
        if self.next_ping <= now && !asked {
            self.next_ping = now + self.terms.keepalive;
            self.ask(Action::new("Ping"), Asker::Keepalive).await?;
        }
        Ok(())
    }

    /// Nobody is left waiting for an answer that cannot come.
    fn release(&mut self, fault: &Fault) {
        if let Some(held) = self.held.take() {
            held.answer(None);
        }
        for open in self.open.drain(..) {
            match open.asker {
                Asker::Keepalive => {}
                Asker::Client { reply, .. } => refuse(reply, unknown_outcome(fault.finding(&self.terms.who), &open.name)),
            }
        }
    }

    /// Leaves as Asterisk likes it: what is open is given up, its `Goodbye` and its end of the stream are waited for.
    async fn log_off(&mut self) {
        let farewell = async {
            if self.line.send(&Action::new("Logoff")).await.is_ok() {
                while let Some(Ok(_)) = self.line.next().await {}
            }
            self.line.close().await
        };
        // Whatever comes of it, the connection is dropped now.
        let _ = timeout(self.terms.timeout, farewell).await;
    }

    fn stage(&self) -> Stage {
        if self.open.is_empty() { Stage::Keepalive } else { Stage::Action }
    }

    /// The same fault, with what the peer announced before it closed.
    fn ended(&mut self, fault: Fault) -> Fault {
        match (fault, self.parting.take()) {
            (Fault::Closed { stage, .. }, Some(said)) => Fault::Closed { stage, said },
            (fault, _) => fault,
        }
    }
}

impl Held {
    fn answer(self, reported: Option<ReloadStatus>) {
        answer(self.reply, self.message, reported);
    }
}

/// Whoever asked may have given up, which is no fault.
fn answer(reply: Reply, message: Message, reported: Option<ReloadStatus>) {
    let _ = reply.send(Ok(Answer { message, reported }));
}

/// Whoever asked may have given up, which is no fault.
pub(super) fn refuse(reply: Reply, finding: Finding) {
    let _ = reply.send(Err(finding));
}

/// It was sent: whether Asterisk did it, nobody knows.
fn unknown_outcome(finding: Finding, asked: &str) -> Finding {
    finding.with("asked", asked).with("outcome", "unknown")
}
