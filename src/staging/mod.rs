//! A checked `Snapshot` → the files that Asterisk reads, swapped all at once; and after a restart, where the last good ones stand. Refuses
//! names that somebody else took, and whatever would leave a key readable by more than was asked. Only an accepted `Bundle`'s snapshot may
//! enter: nothing is judged here.
//!
//! ```text
//! fullchain.pem ─► current/fullchain.pem     never change once made
//! privkey.pem   ─► current/privkey.pem
//! combined.pem  ─► current/combined.pem
//! current       ─► starkeeper-20261107T120102.123456Z-9f86d081884c     swapped by one rename
//! starkeeper-…/    fullchain.pem privkey.pem combined.pem, and .starkeeper, which says whose it is
//! ```
//! All links are relative, so that Asterisk may mount the folder elsewhere. A reader of two files that must have both of one generation
//! resolves `current` once. The generation before stays until the next publish, for whoever is still reading it.

mod directory;
mod error;
mod generation;
mod hands;
mod name;
mod pem;
#[cfg(test)]
pub(crate) mod tests;

pub use error::StagingError;

use std::path::PathBuf;

use zeroize::Zeroizing;

use self::{
    directory::Directory,
    generation::{Folder, Standing},
    hands::{Hands, Step},
    name::Name,
    pem::Files,
};
use crate::{
    clock,
    material::{Digest, Snapshot, Sources},
    settings::Publish,
};

/// What stands in the directory now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The folder of this generation.
    pub generation: PathBuf,
    /// The stable path of the chain, for `tlscertfile`.
    pub cert: PathBuf,
    /// The stable path of the key, for `tlsprivatekey`.
    pub key: PathBuf,
    /// The stable path of both in one, for who sets `tlscertfile` alone.
    pub combined: PathBuf,
    /// Of the snapshot that was published.
    pub digest: Digest,
    /// Whether `current` leads to another generation than before. False: it stood already, at most its owner, mode or links were mended.
    pub swapped: bool,
    /// Folders of ours that could not be removed. Nothing reads them; they take space, and hold keys.
    pub leftovers: Vec<PathBuf>,
}

/// Publishes a pair. Blocks for as long as the file system does. To publish what stands already changes nothing, and mends owner, mode and
/// links where somebody damaged them.
///
/// # Errors
/// Whatever the file system refuses. The generation that stood before then still stands, and nothing half-written stays behind.
pub fn publish(snapshot: &Snapshot, settings: &Publish) -> Result<Published, StagingError> {
    publish_stepwise(snapshot, settings, &mut |_| Ok(()))
}

/// Names and bytes of the files of a generation. Wiped when dropped.
pub type Contents = [(&'static str, Zeroizing<Vec<u8>>); 3];

/// What [`publish`] would write: the chain, the key, and both in one, by their names.
///
/// # Errors
/// Where certificate and key cannot be told apart.
pub fn contents(snapshot: &Snapshot) -> Result<Contents, StagingError> {
    let Files { fullchain, privkey, combined } = Files::of(snapshot)?;
    Ok([(FULLCHAIN, fullchain), (PRIVKEY, privkey), (COMBINED, combined)])
}

/// The files of the generation that was published last, to be judged as any other pair. `None`: there is none, or not all of it stands.
pub fn last_good(settings: &Publish) -> Option<Sources> {
    let directory = Directory::find(settings).ok()?;
    let folder = Folder::open(&directory, &directory.current().ok()??).ok()?;
    let whole = folder.marker.is_some() && folder.is_whole() && directory.has_names();
    whole.then(|| Sources { cert: directory.path.join(FULLCHAIN), key: directory.path.join(PRIVKEY) })
}

/// Whether what stands is this pair, whole, with the owner and mode that were asked. Blocks for as long as the file system does.
pub fn stands(snapshot: &Snapshot, settings: &Publish) -> bool {
    let Ok(files) = Files::of(snapshot) else { return false };
    let Ok(directory) = Directory::find(settings) else { return false };
    let Ok(Some(current)) = directory.current() else { return false };
    directory.has_names() && Folder::open(&directory, &current).is_ok_and(|folder| folder.is_as_asked(&files, settings))
}

/// Whether the directory, or where it would be made, lies in memory: there nothing waits for a disk or a network.
pub fn is_in_memory(settings: &Publish) -> bool {
    let directory = settings.directory.as_path();
    let found = [Some(directory), directory.parent()].into_iter().flatten().find_map(|path| rustix::fs::statfs(path).ok());
    found.is_some_and(|found| found.f_type == TMPFS)
}

/// The stable paths that http.conf may name.
pub fn names(settings: &Publish) -> [PathBuf; 3] {
    NAMES.map(|name| settings.directory.join(name))
}

/// As [`publish`], asking `before` ahead of each thing that changes the file system: where it fails, or never returns, is up to tests.
fn publish_stepwise(
    snapshot: &Snapshot,
    settings: &Publish,
    before: &mut dyn FnMut(Step) -> rustix::io::Result<()>,
) -> Result<Published, StagingError> {
    let files = Files::of(snapshot)?;
    let digest = snapshot.digest();
    let mut hands = Hands(before);
    let directory = Directory::open(settings, &mut hands)?;
    directory.lock()?;
    let current = directory.current()?;
    directory.refuse_foreign_names()?;

    let standing = current.as_ref().and_then(|name| Folder::open(&directory, name).ok());
    let earlier = standing.as_ref().and_then(|folder| folder.marker.as_ref()?.before.clone());
    let leftovers = directory.sweep([current.as_ref(), earlier.as_ref()], &mut hands);
    let state = match &standing {
        Some(folder) => folder.compare(&files, digest, settings, &mut hands)?,
        None => Standing::Damaged,
    };
    let kept = match (state, current.as_ref()) {
        (Standing::Same, Some(name)) => {
            directory.link_names(&mut hands)?;
            return Ok(published(&directory, name, digest, false, leftovers));
        }
        (Standing::Other, current) => current,
        // Somebody may have opened it to all: it must not stay as the one before.
        (Standing::Damaged | Standing::Same, _) => None,
    };

    let name = Name::new(clock::wall(), digest);
    let made = Folder::make(&directory, &name, digest, kept, &mut hands)
        .and_then(|folder| folder.fill(&files, settings, &mut hands))
        .and_then(|()| directory.swap(&name, current.is_some(), &mut hands));
    if let Err(error) = made {
        directory.forget(&name);
        return Err(error);
    }
    directory.link_names(&mut hands)?;
    directory.sync(&mut hands)?;
    let leftovers = directory.sweep([Some(&name), kept], &mut hands);
    Ok(published(&directory, &name, digest, true, leftovers))
}

fn published(directory: &Directory, name: &Name, digest: Digest, swapped: bool, leftovers: Vec<PathBuf>) -> Published {
    let at = |name: &str| directory.path.join(name);
    Published { generation: at(name.as_str()), cert: at(FULLCHAIN), key: at(PRIVKEY), combined: at(COMBINED), digest, swapped, leftovers }
}

/// As `linux/magic.h` numbers it; what `emptyDir` with `medium: Memory` is.
const TMPFS: rustix::fs::FsWord = 0x0102_1994;

/// As Certbot names it: the leaf, then the intermediates.
const FULLCHAIN: &str = "fullchain.pem";

/// As Certbot names it.
const PRIVKEY: &str = "privkey.pem";

/// Key and chain in one.
const COMBINED: &str = "combined.pem";

/// The names that Asterisk's configuration holds.
const NAMES: [&str; 3] = [FULLCHAIN, PRIVKEY, COMBINED];
