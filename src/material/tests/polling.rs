//! Inotify that cannot be had: the change is still seen, the reason named, and inotify taken back.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::*;
use crate::diagnosis::Code;

fn broken() -> Opener {
    Box::new(|_| Err(notify::Error::io(std::io::Error::from_raw_os_error(rustix::io::Errno::MFILE.raw_os_error()))))
}

#[tokio::test]
async fn without_inotify_polling_is_named_and_sees_every_generation() {
    let mount = tempfile::tempdir().unwrap();
    kubelet_swap(mount.path(), 1);
    let mut watched = Watched::with(sources(mount.path()), BRISK, broken());
    watched.until(1).await;
    let WatchMode::Polling { finding } = watched.mode().await else { panic!("inotify cannot be had") };
    assert_eq!(finding.code, Code::WatchUnavailable);
    assert!(finding.get("reason").is_some_and(|reason| reason.to_string().contains("max_user_instances")));
    for n in 2..6 {
        kubelet_swap(mount.path(), n);
        watched.until(n).await;
    }
}

#[tokio::test]
async fn inotify_is_taken_back_as_soon_as_it_can_be_had() {
    let dir = tempfile::tempdir().unwrap();
    write_pair(dir.path(), 1);
    let free = Arc::new(AtomicBool::new(false));
    let seen = free.clone();
    let open: Opener = Box::new(move |outlet| if seen.load(Ordering::Acquire) { open_inotify(outlet) } else { broken()(outlet) });
    let mut watched = Watched::with(sources(dir.path()), BRISK, open);
    watched.until(1).await;
    assert!(matches!(watched.mode().await, WatchMode::Polling { .. }));
    free.store(true, Ordering::Release);
    assert_eq!(watched.mode().await, WatchMode::Inotify);
    rename_into(&sources(dir.path()).cert, 2);
    rename_into(&sources(dir.path()).key, 2);
    watched.until(2).await;
}
