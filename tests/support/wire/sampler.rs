//! A client that shakes hands again and again while something else happens, and tells afterwards what it met.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use starkeeper::clock;

use super::{Door, Place, farewell, fingerprint, handshake};

/// A thread that samples until it is stopped. Handshakes without a pause under many reloads can crash Asterisk (its SSL_CTX is freed
/// beneath an entering client): keep the interval well above the millisecond that a handshake takes.
#[derive(Debug)]
pub struct Sampler {
    stop: Arc<AtomicBool>,
    samples: Arc<Mutex<Vec<Sample>>>,
    thread: Option<JoinHandle<()>>,
}

impl Sampler {
    /// One handshake with the port every `every`; the next waits for the one before.
    pub fn start(place: impl Into<Place>, every: Duration) -> Self {
        let place = place.into();
        let stop = Arc::new(AtomicBool::new(false));
        let samples = Arc::new(Mutex::new(Vec::new()));
        let (ended, met) = (Arc::clone(&stop), Arc::clone(&samples));
        let began = clock::tick();
        let thread = thread::spawn(move || {
            let put = |sample| met.lock().unwrap_or_else(PoisonError::into_inner).push(sample);
            while !ended.load(Ordering::Relaxed) {
                let at = clock::tick();
                match handshake(place) {
                    Ok(mut stream) => {
                        let leaf = stream.conn.peer_certificates().and_then(|chain| chain.first()).map(|leaf| fingerprint(leaf));
                        let took = clock::tick() - at;
                        farewell(&mut stream);
                        put(Sample { at: at - began, took, outcome: Outcome::Served(leaf.unwrap_or_default()) });
                    }
                    Err(door) => put(Sample { at: at - began, took: clock::tick() - at, outcome: Outcome::Failed(door) }),
                }
                thread::sleep(every.saturating_sub(clock::tick() - at));
            }
        });
        Self { stop, samples, thread: Some(thread) }
    }

    /// Whether the handshake before this moment ended in that leaf.
    pub fn meets(&self, fingerprint: &str) -> bool {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.last().is_some_and(|sample| sample.outcome == Outcome::Served(fingerprint.to_owned()))
    }

    /// Ends it and tells what it met.
    pub fn stop(mut self) -> Report {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let samples = std::mem::take(&mut *self.samples.lock().unwrap_or_else(PoisonError::into_inner));
        Report { samples }
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// One handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it began, from the sampler's start.
    pub at: Duration,
    /// How long TCP and TLS took.
    pub took: Duration,
    /// What it met.
    pub outcome: Outcome,
}

/// What one handshake met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The leaf's fingerprint.
    Served(String),
    /// How it ended instead.
    Failed(Door),
}

/// All samples in their order.
#[derive(Clone, Debug)]
pub struct Report {
    /// In the order in which they began.
    pub samples: Vec<Sample>,
}

impl Report {
    /// Those that did not end in a certificate.
    pub fn failures(&self) -> Vec<&Sample> {
        self.samples.iter().filter(|sample| matches!(sample.outcome, Outcome::Failed(_))).collect()
    }

    /// The certificates in the order in which they appeared, each run of the same one once.
    pub fn fingerprints(&self) -> Vec<&str> {
        let mut seen = Vec::new();
        for sample in &self.samples {
            if let Outcome::Served(leaf) = &sample.outcome
                && seen.last() != Some(&leaf.as_str())
            {
                seen.push(leaf.as_str());
            }
        }
        seen
    }

    /// When the certificate was first met, from the sampler's start.
    pub fn first(&self, fingerprint: &str) -> Option<Duration> {
        self.samples.iter().find(|sample| sample.outcome == Outcome::Served(fingerprint.to_owned())).map(|sample| sample.at)
    }

    /// The longest span from a failure to the next success: for so long the door was shut to somebody.
    pub fn longest_outage(&self) -> Duration {
        let (mut longest, mut since) = (Duration::ZERO, None);
        for sample in &self.samples {
            match sample.outcome {
                Outcome::Failed(_) => since = since.or(Some(sample.at)),
                Outcome::Served(_) => {
                    if let Some(begin) = since.take() {
                        longest = longest.max(sample.at + sample.took - begin);
                    }
                }
            }
        }
        let end = self.samples.last().map_or(Duration::ZERO, |sample| sample.at + sample.took);
        longest.max(since.map_or(Duration::ZERO, |begin| end - begin))
    }
}
