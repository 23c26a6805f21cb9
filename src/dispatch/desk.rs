//! Statuses → one receiver that is told of them: what is new goes into the queue, and what waits there is carried until it arrives, with ever longer
//! pauses between tries.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{
    carry::{Carrier, Fault},
    ledger::Ledger,
    queue::{MOST, Queue},
};
use crate::{
    clock::{self, Tick},
    report::{
        Status,
        notify::{Memory, News, Outcome, RESEND},
    },
};

/// What is under way: what is being told, and what will have come of it.
type Sending = Pin<Box<dyn Future<Output = (Vec<News>, Result<(), Fault>)> + Send>>;

/// One receiver, and what it is still to be told.
pub(super) struct Desk {
    carrier: Carrier,
    memory: Memory,
    queue: Queue,
    ledger: Ledger,
    sending: Option<Sending>,
    failing: Option<Failing>,
    /// When what is so is told again, to those who want that.
    resend: Tick,
}

/// Since when nothing arrives, and when the next try is.
struct Failing {
    tries: u32,
    since: Timestamp,
    pauses: ExponentialBackoff,
    next: Tick,
}

impl Desk {
    pub(super) fn new(carrier: Carrier, memory: Memory, ledger: Ledger) -> Self {
        Desk { carrier, memory, queue: Queue::default(), ledger, sending: None, failing: None, resend: clock::tick() + RESEND }
    }

    /// Until the drain, or until nobody publishes a status any more; then what waits is tried once.
    pub(super) async fn keep(mut self, mut statuses: watch::Receiver<Arc<Status>>, drain: CancellationToken) {
        loop {
            let status = Arc::clone(&statuses.borrow_and_update());
            self.look(&status);
            self.send();
            let due = self.due();
            tokio::select! {
                biased;
                () = drain.cancelled() => break,
                (news, outcome) = finish(&mut self.sending) => self.came(news, outcome),
                changed = statuses.changed() => if changed.is_err() { break },
                () = tokio::time::sleep_until(clock::instant(due)) => {}
            }
        }
        if self.sending.is_some() {
            let (news, outcome) = finish(&mut self.sending).await;
            self.came(news, outcome);
        }
        while self.failing.is_none() && !self.queue.is_empty() {
            self.send();
            let (news, outcome) = finish(&mut self.sending).await;
            self.came(news, outcome);
        }
    }

    fn look(&mut self, status: &Status) {
        let now = clock::now();
        for news in self.memory.look(status, now) {
            if self.carrier.wants(&news) {
                debug!(receiver = self.carrier.receiver.name, key = news.key, state = ?news.state, "to be told");
                let given_up = self.queue.push(news);
                self.ledger.dropped(given_up.into());
            }
        }
        if self.carrier.keeps_alerts() && now.tick >= self.resend && self.sending.is_none() {
            self.resend = now.tick + RESEND;
            for news in self.memory.firing(status) {
                self.queue.push(news);
            }
        }
    }

    fn send(&mut self) {
        let waits = self.failing.as_ref().is_some_and(|failing| clock::tick() < failing.next);
        if self.sending.is_some() || self.queue.is_empty() || waits {
            return;
        }
        let news = self.queue.take(if self.carrier.keeps_alerts() { MOST } else { 1 });
        let carrier = self.carrier.clone();
        self.sending = Some(Box::pin(async move {
            let outcome = carrier.carry(news.clone()).await;
            (news, outcome)
        }));
    }

    fn came(&mut self, news: Vec<News>, outcome: Result<(), Fault>) {
        let (name, kind) = (&self.carrier.receiver.name, self.carrier.receiver.means.kind());
        match outcome {
            Ok(()) => {
                self.ledger.tried(kind, Outcome::Delivered);
                self.ledger.reached(name);
                self.failing = None;
            }
            Err(Fault::Refused(reason)) => {
                self.ledger.tried(kind, Outcome::Refused);
                self.ledger.dropped(u64::try_from(news.len()).unwrap_or(u64::MAX));
                // Who refuses is there.
                self.ledger.reached(name);
                self.failing = None;
                warn!(receiver = name, kind, reason, "a notification was refused");
            }
            Err(Fault::Later(reason)) => {
                self.ledger.tried(kind, Outcome::Failed);
                debug!(receiver = name, kind, reason, "a notification did not arrive");
                let failing = self.failing.get_or_insert_with(|| Failing {
                    tries: 0,
                    since: clock::wall(),
                    pauses: ExponentialBuilder::new()
                        .with_min_delay(FIRST)
                        .with_max_delay(LONGEST)
                        .with_jitter()
                        .without_max_times()
                        .build(),
                    next: clock::tick(),
                });
                failing.tries = failing.tries.saturating_add(1);
                // Jitter may add as much again.
                let pause = failing.pauses.next().unwrap_or(LONGEST).min(LONGEST);
                failing.next = clock::tick() + pause;
                if failing.tries >= PATIENCE {
                    self.ledger.failing(name, kind, &reason, failing.since);
                }
                let given_up = self.queue.put_back(news);
                self.ledger.dropped(given_up);
            }
        }
    }

    /// When something is to be done though nothing happens.
    fn due(&self) -> Tick {
        let now = clock::tick();
        let retry = self.failing.as_ref().filter(|_| self.sending.is_none() && !self.queue.is_empty()).map(|failing| failing.next);
        let resend = self.carrier.keeps_alerts().then_some(self.resend).filter(|resend| *resend > now);
        let due = [retry, resend, self.memory.next(now)].into_iter().flatten().min();
        due.unwrap_or(now + IDLE)
    }
}

async fn finish(sending: &mut Option<Sending>) -> (Vec<News>, Result<(), Fault>) {
    match sending {
        Some(under_way) => {
            let came = under_way.await;
            *sending = None;
            came
        }
        None => std::future::pending().await,
    }
}

/// Between the first two tries.
const FIRST: Duration = Duration::from_secs(1);
/// Between any two.
const LONGEST: Duration = Duration::from_secs(60);
/// So many tries in a row that fail are a finding.
const PATIENCE: u32 = 3;
const IDLE: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests;
