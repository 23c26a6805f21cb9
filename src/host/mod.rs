//! Settings and the paths that are watched → what is wrong with the machine, or the container, around the agent: how the files are mounted,
//! and whether Asterisk can see what is published. Only this file reads (`/proc`, what stands at a path); the rules beside it are pure. Where
//! `/proc` cannot be read nothing is known, and nothing is said.

mod account;
mod listening;
mod mounts;
mod other;
mod published;
#[cfg(test)]
mod tests;
mod time;
mod volumes;

pub use account::account;
pub use listening::{Listener, Process, held_by_another, proxy, sockets};
pub use mounts::{Mount, Mounts};
pub use other::another;
pub use time::WallClock;

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use listening::ASTERISK;
use published::Doubt;

use crate::{
    asterisk::config::HttpConf,
    diagnosis::Finding,
    material::Sources,
    settings::{Publish, UserIds},
};

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// What is so.
    pub findings: Vec<Finding>,
    /// What is likely, and what the wire may disprove.
    pub suspicions: Vec<Finding>,
}

/// Looks once. `http`: Asterisk's own, where it can be read.
pub fn look(sources: &Sources, publish: Option<&Publish>, http: Option<&HttpConf>) -> Seen {
    let mounts = mounts_of("self");
    let files = if sources.cert == sources.key { vec![&sources.cert] } else { vec![&sources.cert, &sources.key] };
    let frozen = files.into_iter().filter_map(|file| volumes::frozen(file, &fs::canonicalize(file).ok()?, &mounts));
    let mut seen = Seen { findings: frozen.collect(), suspicions: Vec::new() };
    if let Some(publish) = publish {
        let unshared = published::unshared(publish, &existing(&publish.directory), &mounts).filter(|_| !is_beside_asterisk(&mounts));
        let unread = http.and_then(|http| published::unread(http, publish, &identity));
        for doubt in unshared.into_iter().chain(unread) {
            match doubt {
                Doubt::Sure(finding) => seen.findings.push(finding),
                Doubt::Likely(finding) => seen.suspicions.push(finding),
            }
        }
    }
    seen
}

fn mounts_of(process: &str) -> Mounts {
    Mounts::parse(&fs::read(format!("/proc/{process}/mountinfo")).unwrap_or_default())
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// Where the path leads, links resolved, as far as it exists.
fn existing(path: &Path) -> PathBuf {
    path.ancestors().find_map(|part| fs::canonicalize(part).ok()).unwrap_or_else(|| "/".into())
}

/// Whether Asterisk runs in the very container of the agent: then both see one file system.
fn is_beside_asterisk(mounts: &Mounts) -> bool {
    processes().filter(|id| named(*id) == ASTERISK).any(|id| mounts_of(&id.to_string()).are_of_one_world(mounts))
}

/// Who listens at these ports in this network. `None`: no Asterisk of this network can be seen, so that the ports seen here need not be its own.
pub fn listeners(ports: &[u16]) -> Option<Vec<Listener>> {
    let network = |process: &str| fs::read_link(format!("/proc/{process}/ns/net")).ok();
    let own = network("self")?;
    processes().filter(|id| named(*id) == ASTERISK).find(|id| network(&id.to_string()).as_ref() == Some(&own))?;
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap_or_default());
    let sockets: Vec<_> = tables.iter().flat_map(|table| sockets(table, ports)).collect();
    let mut listeners: Vec<Listener> = sockets.iter().map(|(address, _)| Listener { address: *address, by: Vec::new() }).collect();
    for id in processes() {
        for held in fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        {
            let Some(inode) = held.to_str().and_then(|held| held.strip_prefix("socket:[")?.strip_suffix(']')?.parse::<u64>().ok()) else {
                continue;
            };
            for (listener, _) in listeners.iter_mut().zip(&sockets).filter(|(_, (_, known))| *known == inode) {
                listener.by.push(Process { id, name: named(id) });
            }
        }
    }
    for listener in &mut listeners {
        listener.by.sort();
        listener.by.dedup();
    }
    Some(listeners)
}

/// The account that Asterisk runs as: the one that listens there, or, where none does, every one that is seen. `None`: none is, or they differ.
pub fn asterisk_account(listeners: &[Listener]) -> Option<UserIds> {
    let mut ids: Vec<u32> =
        listeners.iter().flat_map(|listener| &listener.by).filter(|process| process.name == ASTERISK).map(|process| process.id).collect();
    if ids.is_empty() {
        ids = processes().filter(|id| named(*id) == ASTERISK).collect();
    }
    let mut accounts = ids.iter().filter_map(|id| account(&fs::read_to_string(format!("/proc/{id}/status")).ok()?));
    let first = accounts.next()?;
    accounts.all(|other| other == first).then_some(first)
}

fn processes() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc").into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// Empty: it is gone.
fn named(process: u32) -> String {
    fs::read_to_string(format!("/proc/{process}/comm")).map(|name| name.trim().to_owned()).unwrap_or_default()
}
