//! What is asked of the files, and their judgements: when they change, and again as time goes by.

use std::{sync::Arc, time::Duration};

use super::{Driver, Trusted, published};
use crate::{
    bundle::{self, Expectations},
    clock::{self, Tick},
    material::{Digest, Snapshot},
    settings::Settings,
    staging,
    state::Input,
};

#[derive(Debug)]
pub(super) struct Newest {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) digest: Digest,
    pub(super) judged: Tick,
}

impl Driver {
    pub(super) fn expected_of_asterisk(&self) -> Expectations {
        expected_of_asterisk(&self.settings, &self.anchors)
    }

    /// What is asked of the watched pair. Whether Asterisk's user may read it is no question where that reads published files.
    pub(super) fn expectations(&self) -> Expectations {
        let all = self.expected_of_asterisk();
        let user = all.user.clone().filter(|_| self.settings.certificate.publish.is_none());
        Expectations { user, ..all }
    }

    /// What an earlier run published: judged as any other pair, and kept until the watched files have something better.
    pub(super) fn kept(&self) -> Option<Input> {
        let publish = self.settings.certificate.publish.as_ref()?;
        published::kept(publish, &self.expected_of_asterisk()).map(|bundle| Input::Kept(Box::new(bundle)))
    }

    /// Whether what was published is no longer what stands there.
    pub(super) fn is_damaged(&self) -> bool {
        match (&self.settings.certificate.publish, self.state.good()) {
            (Some(publish), Some(good)) => !staging::stands(&good.bundle.snapshot, publish),
            (None, _) | (_, None) => false,
        }
    }

    /// The published pair, while the watched files hold another: time goes by for it, too.
    pub(super) fn judge_published_again(&self) -> Option<Input> {
        let is_left_behind = self.state.rejected(clock::now()).is_some() || self.state.candidate().is_some();
        self.settings.certificate.publish.as_ref().filter(|_| is_left_behind)?;
        let Some(good) = self.state.good() else { return self.kept() };
        let judgement = bundle::judge(Arc::clone(&good.bundle.snapshot), &self.expectations(), clock::wall());
        judgement.ok().map(|bundle| Input::Kept(Box::new(bundle)))
    }

    pub(super) fn judge(&mut self, snapshot: Arc<Snapshot>, noticed: Tick) -> Input {
        let begun = clock::now();
        let judgement = Box::new(bundle::judge(Arc::clone(&snapshot), &self.expectations(), begun.wall));
        let judged = clock::tick();
        let digest = snapshot.digest();
        self.newest = Some(Newest { snapshot, digest, judged });
        Input::Material { judgement, noticed, check: judged - begun.tick }
    }

    pub(super) fn judge_again(&mut self) -> Vec<Input> {
        let published = self.judge_published_again();
        published.into_iter().chain(self.judge_newest_again()).collect()
    }

    fn judge_newest_again(&mut self) -> Option<Input> {
        let newest = self.newest.as_ref().filter(|newest| clock::tick() - newest.judged >= JUDGE_AGAIN)?;
        let snapshot = Arc::clone(&newest.snapshot);
        Some(self.judge(snapshot, clock::tick()))
    }
}

/// What is asked of what Asterisk itself reads.
pub(super) fn expected_of_asterisk(settings: &Settings, anchors: &Trusted) -> Expectations {
    let (names, anchors) = (settings.certificate.names.clone(), anchors.browsers.clone());
    Expectations { names, anchors, user: settings.asterisk.user.clone(), expiry: settings.expiry }
}

/// How often what the files hold is judged anew while nothing changes.
const JUDGE_AGAIN: Duration = Duration::from_secs(9);
