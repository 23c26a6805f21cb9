//! News for the rest of the program. Telling never waits, so that a slow listener delays no request, and never grows: a flood of
//! `Event: Reload` is thinned and counted; what the connection's state is, is owed until it could be told.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::mpsc;

use super::AmiEvent;
use crate::diagnosis::{Code, Finding};

/// Tells the listener what happens.
#[derive(Debug)]
pub(super) struct Outbox {
    listener: mpsc::Sender<AmiEvent>,
    /// What could not be told yet, in order: the last turn of the connection's state, and its `FullyBooted`.
    owed: Vec<AmiEvent>,
    /// Why there is no connection, as last told.
    told: Option<Code>,
    dropped: Arc<AtomicU64>,
}

impl Outbox {
    pub(super) fn new(listener: mpsc::Sender<AmiEvent>, dropped: Arc<AtomicU64>) -> Self {
        Outbox { listener, owed: Vec::new(), told: None, dropped }
    }

    /// There is a connection. Whatever is still owed is no longer so.
    pub(super) fn connected(&mut self, version: String) {
        self.told = None;
        self.drop_owed();
        self.owe(AmiEvent::Connected { version });
    }

    /// Reloads are answered now.
    pub(super) fn booted(&mut self) {
        if !self.owed.contains(&AmiEvent::FullyBooted) {
            self.owe(AmiEvent::FullyBooted);
        }
    }

    /// There is no connection. Told once for each reason, not for each attempt.
    pub(super) fn disconnected(&mut self, finding: &Finding) {
        if self.told == Some(finding.code) {
            return;
        }
        self.told = Some(finding.code);
        self.drop_owed();
        self.owe(AmiEvent::Disconnected(finding.clone()));
    }

    /// A module was reloaded. Half of the queue is kept for what matters more.
    pub(super) fn reloaded(&mut self, event: AmiEvent) {
        let room = self.listener.capacity() > self.listener.max_capacity() / 2;
        if !room || self.owes() || self.listener.try_send(event).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether [`Outbox::settle`] has something to do.
    pub(super) fn owes(&self) -> bool {
        !self.owed.is_empty() && !self.listener.is_closed()
    }

    /// Waits until the listener has room, and tells what is owed. May be dropped at any await without loss.
    pub(super) async fn settle(&mut self) {
        if let Ok(permit) = self.listener.reserve().await
            && !self.owed.is_empty()
        {
            permit.send(self.owed.remove(0));
        }
    }

    fn owe(&mut self, event: AmiEvent) {
        self.owed.push(event);
        while self.owes() {
            let Ok(permit) = self.listener.try_reserve() else { return };
            permit.send(self.owed.remove(0));
        }
    }

    fn drop_owed(&mut self) {
        self.dropped.fetch_add(self.owed.len() as u64, Ordering::Relaxed);
        self.owed.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(capacity: usize) -> (Outbox, mpsc::Receiver<AmiEvent>, Arc<AtomicU64>) {
        let (sender, receiver) = mpsc::channel(capacity);
        let dropped = Arc::new(AtomicU64::new(0));
        (Outbox::new(sender, dropped.clone()), receiver, dropped)
    }

    fn reload() -> AmiEvent {
        AmiEvent::Reload { module: "http".to_owned(), status: super::super::ReloadStatus::Done }
    }

    #[tokio::test]
    async fn a_flood_of_reloads_leaves_room_for_the_state() {
        let (mut outbox, mut receiver, dropped) = outbox(4);
        for _ in 0..10_000 {
            outbox.reloaded(reload());
        }
        outbox.connected("11.0.0".to_owned());
        outbox.booted();
        assert!(!outbox.owes());
        let mut heard = Vec::new();
        while let Ok(event) = receiver.try_recv() {
            heard.push(event);
        }
        assert_eq!(heard, [reload(), reload(), AmiEvent::Connected { version: "11.0.0".to_owned() }, AmiEvent::FullyBooted]);
        assert_eq!(dropped.load(Ordering::Relaxed), 9_998);
    }

    #[tokio::test]
    async fn a_listener_that_was_away_hears_the_last_state_and_not_the_history() {
        let (mut outbox, mut receiver, _) = outbox(1);
        outbox.disconnected(&Finding::new(Code::AmiRefused));
        for _ in 0..1_000 {
            outbox.disconnected(&Finding::new(Code::AmiTimeout));
            outbox.connected("5.0.4".to_owned());
            outbox.booted();
            outbox.booted();
        }
        assert!(outbox.owed.len() <= 2);
        assert_eq!(receiver.recv().await, Some(AmiEvent::Disconnected(Finding::new(Code::AmiRefused))));
        outbox.settle().await;
        assert_eq!(receiver.recv().await, Some(AmiEvent::Connected { version: "5.0.4".to_owned() }));
        outbox.settle().await;
        assert_eq!(receiver.recv().await, Some(AmiEvent::FullyBooted));
        assert!(!outbox.owes());
    }

    #[tokio::test]
    async fn the_same_reason_is_told_once_until_there_was_a_connection() {
        let (mut outbox, mut receiver, _) = outbox(8);
        for code in [Code::AmiRefused, Code::AmiRefused, Code::AmiTimeout, Code::AmiTimeout] {
            outbox.disconnected(&Finding::new(code));
        }
        outbox.connected("5.0.4".to_owned());
        outbox.disconnected(&Finding::new(Code::AmiTimeout));
        drop(outbox);
        let mut heard = 0;
        while receiver.recv().await.is_some() {
            heard += 1;
        }
        assert_eq!(heard, 4);
    }
}
