//! Settings → what stands where Asterisk reads, once, for what runs before Asterisk starts. Waits for a good pair, publishes it and ends;
//! asks nothing of Asterisk. Refuses to put a pair that browsers would refuse in the place of one that they accept.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{Failure, heed, runtime, terminations, trusted};
use crate::{
    bundle::{self, Bundle, Expectations, Leaf},
    clock,
    diagnosis::Finding,
    material::{self, Sources},
    settings::{Publish, Settings, UserIds},
    staging,
};

/// What came of it.
#[derive(Debug)]
pub struct Published {
    /// How it ended.
    pub outcome: Outcome,
    /// The leaf of what Asterisk will read; of the watched pair, where nothing stands and that one can be read.
    pub leaf: Option<Leaf>,
    /// Everything worth saying of the watched pair, and why it was not published.
    pub findings: Vec<Finding>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Written, and swapped in.
    Published,
    /// The same stood already.
    Stood,
    /// The watched pair cannot be published, or is worse; the last good one stands, and Asterisk may start with that.
    Kept,
    /// Nothing good stands.
    Nothing,
}

/// Publishes one good pair, waiting for it at most `within`; a signal ends the wait.
///
/// # Errors
/// Whatever keeps it from starting.
pub fn publish(settings: &Settings, publish: &Publish, sources: Sources, within: Duration) -> Result<Published, Failure> {
    let runtime = runtime()?;
    let end = runtime.block_on(async {
        let stop = CancellationToken::new();
        let _signals = AbortOnDropHandle::new(tokio::spawn(heed(terminations()?, stop.clone())));
        let (names, anchors) = (settings.certificate.names.clone(), trusted(settings)?.browsers);
        let expectations = Expectations { names, anchors, user: None, expiry: settings.expiry };
        let user = settings.asterisk.user.clone();
        let once = Arc::new(Once { publish: publish.clone(), sources, expectations, user });
        let end = clock::tick() + within;
        loop {
            let turn = Arc::clone(&once);
            let turn = tokio::task::spawn_blocking(move || turn.try_now());
            let published = tokio::select! {
                done = turn => done.unwrap_or_else(|error| match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => fall_back(None, None, Vec::new()),
                }),
                // A disk may be slow, or a network share dead.
                () = sleep((end - clock::tick()).max(PATIENCE)) => fall_back(None, None, Vec::new()),
                () = stop.cancelled() => fall_back(None, None, Vec::new()),
            };
            let left = end - clock::tick();
            if published.outcome != Outcome::Nothing || left.is_zero() || stop.is_cancelled() {
                return Ok(published);
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(left.min(AGAIN)) => {}
            }
        }
    });
    runtime.shutdown_background();
    end
}

struct Once {
    publish: Publish,
    sources: Sources,
    expectations: Expectations,
    /// Whose readability of what is published is judged.
    user: Option<UserIds>,
}

impl Once {
    fn try_now(&self) -> Published {
        let snapshot = Arc::new(material::capture_pair(&self.sources));
        let kept = self.kept();
        let bundle = match bundle::judge(Arc::clone(&snapshot), &self.expectations, clock::wall()) {
            Ok(bundle) => bundle,
            Err(rejection) => return fall_back(kept, rejection.leaf.map(|leaf| *leaf), rejection.findings),
        };
        let is_worse = !bundle.refusals().is_empty() && kept.as_ref().is_some_and(|kept| kept.refusals().is_empty());
        if is_worse {
            return fall_back(kept, Some(bundle.leaf), bundle.findings);
        }
        match staging::publish(&snapshot, &self.publish) {
            Ok(published) => {
                let expectations = Expectations { user: self.user.clone(), ..self.expectations.clone() };
                let standing = Arc::new(material::capture_pair(&Sources { cert: published.cert, key: published.key }));
                if let Err(rejection) = bundle::judge(standing, &expectations, clock::wall()) {
                    return fall_back(None, Some(bundle.leaf), rejection.findings);
                }
                let outcome = if published.swapped { Outcome::Published } else { Outcome::Stood };
                Published { outcome, leaf: Some(bundle.leaf), findings: bundle.findings }
            }
            Err(error) => fall_back(kept, Some(bundle.leaf), [error.finding()].into_iter().chain(bundle.findings).collect()),
        }
    }

    fn kept(&self) -> Option<Bundle> {
        let sources = staging::last_good(&self.publish)?;
        bundle::judge(Arc::new(material::capture_pair(&sources)), &self.expectations, clock::wall()).ok()
    }
}

fn fall_back(kept: Option<Bundle>, source: Option<Leaf>, findings: Vec<Finding>) -> Published {
    match kept {
        Some(kept) => Published { outcome: Outcome::Kept, leaf: Some(kept.leaf), findings },
        None => Published { outcome: Outcome::Nothing, leaf: source, findings },
    }
}

/// One look may take this long, even where none is to be waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks at the watched files.
const AGAIN: Duration = Duration::from_millis(250);
