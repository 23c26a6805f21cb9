//! One change of the file system at a time: what is about to be done goes in, what it gave or a [`StagingError`] that names it leaves.
//! Everything that changes something goes through here, so that tests can have each of them fail, or be the last.

use std::{fmt, path::Path};

use super::StagingError;

/// What does the changes, asking first.
pub(super) struct Hands<'a>(pub(super) &'a mut dyn FnMut(Step) -> rustix::io::Result<()>);

impl Hands<'_> {
    /// Does one thing to `path`.
    pub(super) fn act<T>(&mut self, step: Step, path: &Path, act: impl FnOnce() -> rustix::io::Result<T>) -> Result<T, StagingError> {
        (self.0)(step).and_then(|()| act()).map_err(|errno| StagingError::of(step, path, errno))
    }
}

/// A thing that is done, or looked at; displayed as it stands after "failed to".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Look,
    MakeDirectory,
    MakeFolder,
    DropAcl,
    Mark,
    CreateFile,
    Write,
    /// Permission bits.
    SetMode(u32),
    /// Owner and group; `None`: as it is.
    SetOwner(Option<u32>, Option<u32>),
    Sync,
    Link,
    Swap,
    Remove,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = |id: Option<u32>| id.map(|id| id.to_string()).unwrap_or_default();
        match self {
            Step::Look => f.write_str("look at it"),
            Step::MakeDirectory | Step::MakeFolder => f.write_str("create the folder"),
            Step::DropAcl => f.write_str("remove its access list"),
            Step::Mark => f.write_str("mark the folder"),
            Step::CreateFile => f.write_str("create the file"),
            Step::Write => f.write_str("write it"),
            Step::SetMode(mode) => write!(f, "set its mode to {mode:04o}"),
            Step::SetOwner(uid, gid) => write!(f, "set its owner to {}:{}", id(*uid), id(*gid)),
            Step::Sync => f.write_str("have it written to the disk"),
            Step::Link => f.write_str("create the link"),
            Step::Swap => f.write_str("swap the link"),
            Step::Remove => f.write_str("remove it"),
        }
    }
}
