//! Replicas that share their files rotate in order: a new generation waits for its turn before it is published or loaded. A door that is
//! not open has nothing to lose and never waits, and neither does the first pair of all.

use super::{Command, State};
use crate::{clock::Now, material::Digest, proof::Door};

/// What was said to the question for a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Not yet: this one rotates just now, if that is known.
    Waiting {
        /// The pod whose turn it is.
        by: Option<String>,
    },
    /// Go.
    Granted,
    /// Not as long as it stands there unproved.
    Stopped {
        /// The pod on which it was not proved.
        by: String,
        /// Why: a code.
        found: String,
    },
}

/// The question that was asked last.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    generation: Digest,
    turn: Turn,
}

impl State {
    /// The newest good generation that browsers are to get, published or not.
    pub fn newest(&self) -> Option<Digest> {
        let candidate = self.candidate.as_ref().filter(|_| self.publish_wanted());
        candidate.or(self.good.as_ref()).map(|newest| newest.bundle.digest())
    }

    /// Whether browsers get it.
    pub fn newest_is_served(&self) -> bool {
        !self.publish_wanted() && self.served_is_wanted()
    }

    /// What keeps the newest generation back, where that is its turn.
    pub fn turn(&self) -> Option<&Turn> {
        let asked = self.asked.as_ref().filter(|asked| Some(asked.generation) == self.newest())?;
        (self.is_held_for_turn() && self.turn_is_wanted()).then_some(&asked.turn)
    }

    /// Whether the newest generation was given its turn.
    pub fn has_turn(&self) -> bool {
        self.asked.as_ref().is_some_and(|asked| Some(asked.generation) == self.newest() && asked.turn == Turn::Granted)
    }

    /// Whether the newest generation must not be published or loaded before its turn has come.
    pub(super) fn is_held_for_turn(&self) -> bool {
        // Without AMI nothing is loaded, and what is published alone changes nothing for browsers.
        if !self.policy.ordered || self.has_turn() || !self.ami.is_up() {
            return false;
        }
        match self.door().map(|door| door.door) {
            Some(Door::Open | Door::Shut) => !self.newest_is_served(),
            Some(Door::Dark | Door::Cleartext | Door::Refused | Door::Unreachable) => false,
            // Not looked at yet: an earlier pair that stands lets Asterisk start, and the first look comes at once.
            None => self.good.is_some(),
        }
    }

    /// Whether a turn would be made use of.
    fn turn_is_wanted(&self) -> bool {
        let is_to_load = self.files_are_good() && !self.good_is_worse() && !self.means.reloads.is_empty();
        self.door().is_some() && (self.publish_wanted() || is_to_load)
    }

    /// Asks once for each generation.
    pub(super) fn ask_turn(&mut self) -> Option<Command> {
        // Files that go and come back are a new question.
        let newest = self.newest();
        self.asked.take_if(|asked| Some(asked.generation) != newest);
        let generation = newest.filter(|_| self.is_held_for_turn() && self.turn_is_wanted())?;
        if self.asked.is_some() {
            return None;
        }
        self.asked = Some(Asked { generation, turn: Turn::Waiting { by: None } });
        Some(Command::AskTurn(generation))
    }

    /// An answer to a question that is no longer asked says nothing.
    pub(super) fn take_turn(&mut self, generation: Digest, turn: Turn, now: Now) {
        let Some(asked) = self.asked.as_mut().filter(|asked| asked.generation == generation) else { return };
        let granted = turn == Turn::Granted && asked.turn != Turn::Granted;
        asked.turn = turn;
        if granted {
            self.begin_retries_anew(now);
        }
    }
}
