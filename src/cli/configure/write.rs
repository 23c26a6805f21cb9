//! Drafts → files. A file appears whole, with the owner and the mode of what it replaces, which stays beside it as FILE.bak; or it does
//! not appear. Refuses a file that changed since it was read, and a folder elsewhere that holds such a file already.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

use crate::configure::Draft;

/// Replaces the files of the configuration folder, and makes those that are not there.
pub(super) fn into_place(folder: &Path, drafts: &[Draft]) -> Result<Vec<PathBuf>, String> {
    for draft in drafts {
        unchanged(draft).map_err(|error| told("write", &draft.path, &error))?;
    }
    let mut written = Vec::new();
    for draft in drafts {
        // A link stays one: what it leads to is replaced.
        let path = fs::canonicalize(&draft.path).unwrap_or_else(|_| draft.path.clone());
        let like = draft.before.as_ref().map_or(folder, |_| path.as_path());
        if draft.before.is_some() {
            back_up(&path).map_err(|error| told("back up", &path, &error))?;
        }
        replace(&path, like, draft).map_err(|error| told("write", &path, &error))?;
        written.push(draft.path.clone());
    }
    Ok(written)
}

/// Whole files in another folder.
pub(super) fn elsewhere(folder: &Path, drafts: &[Draft]) -> Result<Vec<PathBuf>, String> {
    fs::create_dir_all(folder).map_err(|error| told("make", folder, &error))?;
    let places: Vec<PathBuf> = drafts.iter().map(|draft| folder.join(&draft.name)).collect();
    if let Some(there) = places.iter().find(|path| path.symlink_metadata().is_ok()) {
        return Err(told("write", there, &io::ErrorKind::AlreadyExists.into()));
    }
    for (path, draft) in places.iter().zip(drafts) {
        let like = draft.before.as_ref().map_or(folder, |_| draft.path.as_path());
        replace(path, like, draft).map_err(|error| told("write", path, &error))?;
    }
    Ok(places)
}

/// Whether the file still holds what the draft goes by.
fn unchanged(draft: &Draft) -> io::Result<()> {
    let now = match fs::read(&draft.path) {
        Ok(bytes) => Some(zeroize::Zeroizing::new(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if now == draft.before { Ok(()) } else { Err(io::Error::other("it changed meanwhile: run this again")) }
}

/// The first state is the one to keep: a backup that is there already stays.
fn back_up(path: &Path) -> io::Result<()> {
    let backup = beside(path, ".bak");
    if backup.symlink_metadata().is_ok() {
        return Ok(());
    }
    let bytes = zeroize::Zeroizing::new(fs::read(path)?);
    let mut file = fresh(&backup, path)?;
    file.write_all(&bytes)?;
    file.sync_all()
}

fn replace(path: &Path, like: &Path, draft: &Draft) -> io::Result<()> {
    let temporary = beside(path, ".starkeeper-new");
    // Of a run that was cut off.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = fresh(&temporary, like)?;
    let whole = file.write_all(&draft.after()).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&temporary, path));
    if whole.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    whole?;
    // The name is on disk only once its folder is.
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// A file that was not there, of the owner and (for a file) the mode of another. Beside a folder: 0640, as there will be secrets in it.
fn fresh(path: &Path, like: &Path) -> io::Result<File> {
    let model = fs::metadata(like)?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (model.uid(), model.gid()) {
        fchown(&file, Some(model.uid()), Some(model.gid()))?;
    }
    let mode = if model.is_dir() { 0o640 } else { model.mode() & 0o7777 };
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    Ok(file)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn told(what: &str, path: &Path, error: &io::Error) -> String {
    format!("{what} {}: {error}", path.display())
}
