//! What the state is told, and what it says is to be done.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::{Means, ReloadOutcome, Turn};
use crate::{
    asterisk::{ami::AmiEvent, reload::Reload, surface::Surface},
    bundle::{Bundle, Judgement},
    clock::Tick,
    diagnosis::Finding,
    material::{Digest, Snapshot},
    proof::Observation,
};

/// How patient the agent is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Between two probes while all is well.
    pub probe_interval: Duration,
    /// How long a bad generation may be just half-written before it is named.
    pub grace: Duration,
    /// Staged mode: Asterisk reads what the agent publishes, not the files that are watched.
    pub staged: bool,
    /// Replicas share the files, and rotate in order: a new generation waits for its turn.
    pub ordered: bool,
    /// Spreads the retries of several agents apart. Any number.
    pub seed: u64,
}

/// What has come to pass.
#[derive(Clone, Debug)]
pub enum Input {
    /// A generation of the files was read and judged.
    Material {
        /// What came of it.
        judgement: Box<Judgement>,
        /// When its first change was noticed.
        noticed: Tick,
        /// How long judging took.
        check: Duration,
    },
    /// The pair that was published by an earlier run still stands, and was judged good.
    Kept(Box<Bundle>),
    /// A publish is over.
    Published(Result<(), Finding>),
    /// What was published is no longer what stands there.
    PublishedDamaged,
    /// Asterisk's own files were read (again).
    Config(Means),
    /// AMI told something.
    Ami(AmiEvent),
    /// A probe is over.
    Observed(Box<Observation>),
    /// A look at another surface is over.
    Looked(Surface, Box<Observation>),
    /// A reload is over.
    Reloaded(ReloadOutcome),
    /// What was said to the question for a turn.
    Turn {
        /// The generation that was asked for.
        generation: Digest,
        /// The answer.
        turn: Turn,
    },
    /// Somebody asks to look at everything again, now.
    LookAgain,
    /// The deadline that was asked for has come.
    Deadline,
    /// The process is asked to end.
    Stop,
}

/// What is to be done. At most one of `Probe` and `Reload` is under way at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Try the door; answer with [`Input::Observed`].
    Probe,
    /// Publish this generation into the folder that Asterisk reads; answer with [`Input::Published`].
    Publish(Arc<Snapshot>),
    /// See what another surface serves; answer with [`Input::Looked`].
    Look(Surface),
    /// Have Asterisk reload, if the files still are this generation; answer with [`Input::Reloaded`].
    Reload {
        /// The generation that was judged good.
        snapshot: Arc<Snapshot>,
        /// What to reload, in this order.
        reloads: Vec<Reload>,
        /// A file that http.conf includes, to touch first.
        touch: Option<PathBuf>,
    },
    /// Ask for this generation's turn, and go on; answer with [`Input::Turn`], as often as there is news.
    AskTurn(Digest),
    /// Read the files again, now.
    Rescan,
    /// Read Asterisk's own files again; answer with [`Input::Config`].
    ReadConfig,
    /// Drain and end.
    Exit,
}
