//! What the outside reads of the state.

use super::{AmiLink, Beside, Generation, History, Means, Phase, Rejected, State, Tally};
use crate::{
    clock::{Now, Tick},
    diagnosis::Finding,
    proof::{Door, Observation},
};

impl State {
    /// What the agent is at.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Since when.
    pub fn since(&self) -> Now {
        self.since
    }

    /// The newest generation that Asterisk would load.
    pub fn good(&self) -> Option<&Generation> {
        self.good.as_ref()
    }

    /// Staged mode: the newest good generation, where it is not published yet.
    pub fn candidate(&self) -> Option<&Generation> {
        self.candidate.as_ref()
    }

    /// Why the newest good generation is not published.
    pub fn publish_failure(&self) -> Option<&Finding> {
        self.publish_failure.as_ref()
    }

    /// The newest generation, where it is one that Asterisk must not load and has had its time to become whole.
    pub fn rejected(&self, now: Now) -> Option<&Rejected> {
        self.bad.as_ref().filter(|bad| now.tick >= bad.named_from || self.good.is_none())
    }

    /// The last observation that is believed.
    pub fn door(&self) -> Option<&Observation> {
        self.door.as_ref().map(|(door, _)| door)
    }

    /// Since when the door has been as it is.
    pub fn door_since(&self) -> Option<Now> {
        self.door.as_ref().map(|(_, since)| *since)
    }

    /// When the door was last looked at, seen as it is or not.
    pub fn looked(&self) -> Option<Tick> {
        self.looked
    }

    /// The connection to AMI.
    pub fn ami(&self) -> &AmiLink {
        &self.ami
    }

    /// The surfaces beside the door that browsers use.
    pub fn beside(&self) -> &[Beside] {
        &self.beside
    }

    /// What Asterisk's own files allow.
    pub fn means(&self) -> &Means {
        &self.means
    }

    /// Why the last reload was not done.
    pub fn reload_failure(&self) -> Option<&Finding> {
        self.reload_failure.as_ref()
    }

    /// What was counted since the start.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What is remembered of the past.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Whether leaf and chain on the wire are those of the newest good generation.
    pub fn matches(&self) -> bool {
        self.served_is_wanted()
    }

    /// Whether a reload was done, and the wire has not yet been looked at since.
    pub fn is_proving(&self) -> bool {
        self.proving.is_some()
    }

    /// Whether the newest good generation is held back because browsers would refuse it and accept what is served.
    pub fn held_back(&self) -> bool {
        match &self.candidate {
            Some(candidate) => self.is_worse(candidate),
            None => self.bad.is_none() && self.good_is_worse(),
        }
    }

    /// Whether Asterisk lives and does not show the newest good generation, though it was asked to, or cannot be.
    pub fn asked_in_vain(&self) -> bool {
        let lives = self.door().is_some_and(|door| match door.door {
            Door::Open | Door::Shut | Door::Dark | Door::Cleartext => true,
            Door::Refused | Door::Unreachable => false,
        });
        self.good.is_some() && !self.served_is_wanted() && (self.unproved > 0 || lives && self.gave_up())
    }

    /// Whether every reload that could help has been tried (or none can be).
    pub fn gave_up(&self) -> bool {
        self.files_are_good()
            && self.proving.is_none()
            && !self.is_held_for_turn()
            && !self.served_is_wanted()
            && !self.good_is_worse()
            && self.to_publish().is_none()
            && !self.reload_wanted()
    }
}
