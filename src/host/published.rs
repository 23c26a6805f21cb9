//! Staged mode: http.conf, the mounts and where paths lead → whether Asterisk can read what is published. Pure. Asterisk may mount the folder
//! elsewhere than the agent: what cannot be seen from here is a [`Doubt::Likely`], which the wire may disprove.

use std::path::{Path, PathBuf};

use super::mounts::Mounts;
use crate::{
    asterisk::config::{HttpConf, Setting},
    diagnosis::{Code, Finding, Severity},
    settings::Publish,
    staging,
};

/// A finding, and whether anything may be said against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Seen.
    Sure(Finding),
    /// Nothing that can be seen from here speaks for another end.
    Likely(Finding),
}

/// What tells one file or folder from all others, whatever leads to it: its device and inode. `None`: there is nothing, or it cannot be seen.
pub(super) type Identity<'a> = dyn Fn(&Path) -> Option<(u64, u64)> + 'a;

/// Where http.conf names other files than the published ones.
pub(super) fn unread(http: &HttpConf, publish: &Publish, identity: &Identity<'_>) -> Option<Doubt> {
    if !http.tls_enabled.value {
        return None;
    }
    let [fullchain, privkey, combined] = staging::names(publish);
    let is_one_of = |path: &Path, wanted: [&Path; 2]| wanted.iter().any(|wanted| leads_to(path, wanted, identity));
    let wrong = |setting: &Setting<PathBuf>, wanted| !is_one_of(&setting.value, wanted);
    let named = [
        wrong(&http.cert, [fullchain.as_path(), combined.as_path()]).then_some(&http.cert),
        wrong(&http.key, [privkey.as_path(), combined.as_path()]).then_some(&http.key),
    ];
    let wrong: Vec<_> = named.into_iter().flatten().collect();
    let seen = wrong.iter().find(|setting| setting.value.is_absolute() && identity(&setting.value).is_some());
    let setting = *seen.or(wrong.first())?;
    let file = setting.origin.as_ref().map_or(http.file.as_path(), |origin| origin.file.as_path());
    let finding = Finding::new(Code::PublishNotRead).with("file", file);
    let finding = match &setting.origin {
        Some(origin) => finding.with("line", origin.line),
        None => finding,
    };
    let finding = finding.with("found", setting.value.as_path()).with("path", publish.directory.as_path());
    Some(match seen {
        Some(_) => Doubt::Sure(finding),
        None => Doubt::Likely(finding.severity(Severity::Error)),
    })
}

/// Whether a path is one of the stable ones: through links and other mounts of the same folder, and through `current`, which is swapped as a
/// whole; never through a generation's own folder, which goes away.
fn leads_to(path: &Path, wanted: &Path, identity: &Identity<'_>) -> bool {
    let (Some(above), Some(directory)) = (path.parent(), wanted.parent()) else { return false };
    let same = |folder: &Path| folder == directory || identity(directory).is_some_and(|one| identity(folder) == Some(one));
    let current = above.file_name().is_some_and(|name| name == "current").then(|| above.parent()).flatten();
    path.file_name() == wanted.file_name() && (same(above) || current.is_some_and(same))
}

/// Where the folder is of a container's own file system, which no other container sees. `directory`: links resolved, as far as it exists.
pub(super) fn unshared(publish: &Publish, directory: &Path, mounts: &Mounts) -> Option<Doubt> {
    let mount = mounts.of(directory).filter(|mount| mount.point == Path::new("/"))?;
    let found = format!("{} of the container itself", mount.kind);
    let is_inside = is_container(mounts);
    is_inside.then(|| Doubt::Likely(Finding::new(Code::PublishNotShared).with("path", publish.directory.as_path()).with("found", found)))
}

/// Whether an engine set this file system up: each of them (Docker, Podman, containerd and CRI-O for a kubelet) mounts files of its own over
/// these. Nobody does so on a bare machine; a container that is set up like a machine (LXC, systemd-nspawn) holds Asterisk, too.
pub(super) fn is_container(mounts: &Mounts) -> bool {
    ENGINES_OWN.iter().filter(|file| mounts.is_point(Path::new(file))).count() > 1
}

const ENGINES_OWN: [&str; 3] = ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::asterisk::config;

    const DIRECTORY: &str = "/run/starkeeper/tls";

    fn publish() -> Publish {
        Publish { directory: DIRECTORY.into(), uid: None, gid: None, mode: 0o440 }
    }

    /// What is said of an http.conf with these lines, where only these paths can be seen, each with its identity.
    fn said(lines: &str, seen: &[(&str, u64)]) -> Option<(Severity, i64, String)> {
        let text = format!("[general]\nenabled=yes\ntlsenable=yes\ntlsbindaddr=0.0.0.0:8089\n{lines}\n");
        let files = BTreeMap::from([("/etc/asterisk/http.conf".into(), text.into_bytes())]);
        let config = config::load_from(&files, Path::new("/etc/asterisk"));
        let identity = |path: &Path| seen.iter().find(|(known, _)| Path::new(known) == path).map(|(_, id)| (1, *id));
        let (finding, is_sure) = match unread(&config.http.expect("an http.conf"), &publish(), &identity)? {
            Doubt::Sure(finding) => (finding, true),
            Doubt::Likely(finding) => (finding, false),
        };
        assert_eq!((finding.code, is_sure), (Code::PublishNotRead, finding.severity == Severity::Warning));
        let get = |key| finding.get(key).map(ToString::to_string).unwrap_or_default();
        assert_eq!((get("file").as_str(), get("path").as_str()), ("/etc/asterisk/http.conf", DIRECTORY));
        Some((finding.severity, get("line").parse().unwrap_or(0), get("found")))
    }

    #[test]
    fn the_published_paths_may_be_named_in_every_way_that_works() {
        for (cert, key) in [
            ("/run/starkeeper/tls/fullchain.pem", "/run/starkeeper/tls/privkey.pem"),
            ("/run/starkeeper/tls/combined.pem", "/run/starkeeper/tls/combined.pem"),
            ("/run/starkeeper/tls/combined.pem", ""),
            ("/run/starkeeper/tls/fullchain.pem", "/run/starkeeper/tls/combined.pem"),
            ("/run/starkeeper/tls/current/fullchain.pem", "/run/starkeeper/tls/current/privkey.pem"),
            // The same folder behind a link, or mounted a second time.
            ("/var/run/starkeeper/tls/fullchain.pem", "/var/run/starkeeper/tls/current/privkey.pem"),
        ] {
            let lines = format!("tlscertfile={cert}\ntlsprivatekey={key}");
            let seen = [(DIRECTORY, 7), ("/var/run/starkeeper/tls", 7), (cert, 8)];
            assert_eq!(said(&lines, &seen), None, "{lines}");
        }
        assert_eq!(said("tlscertfile=/run/starkeeper/tls/fullchain.pem\ntlsprivatekey=/run/starkeeper/tls/privkey.pem", &[]), None);
    }

    #[test]
    fn another_file_that_can_be_seen_is_named_for_sure_with_its_line() {
        let published = "tlscertfile=/run/starkeeper/tls/fullchain.pem";
        for (lines, line, found) in [
            ("tlscertfile=/tls/tls.crt\ntlsprivatekey=/tls/tls.key".to_owned(), 5, "/tls/tls.crt"),
            (format!("{published}\ntlsprivatekey=/tls/tls.key"), 6, "/tls/tls.key"),
            // No key in it.
            (published.to_owned(), 5, "/run/starkeeper/tls/fullchain.pem"),
            // It goes away with the generation after the next.
            (
                format!("tlscertfile={DIRECTORY}/starkeeper-1/fullchain.pem\ntlsprivatekey={DIRECTORY}/privkey.pem"),
                5,
                "/run/starkeeper/tls/starkeeper-1/fullchain.pem",
            ),
        ] {
            let seen = [(DIRECTORY, 7), ("/tls/tls.crt", 1), ("/tls/tls.key", 2), (found, 3)];
            assert_eq!(said(&lines, &seen), Some((Severity::Warning, line, found.to_owned())), "{lines}");
        }
    }

    #[test]
    fn what_cannot_be_seen_from_here_may_be_asterisks_own_mount_of_it() {
        let lines = "tlscertfile=/etc/asterisk/keys/fullchain.pem\ntlsprivatekey=/etc/asterisk/keys/privkey.pem";
        let likely = Some((Severity::Error, 5, "/etc/asterisk/keys/fullchain.pem".to_owned()));
        assert_eq!(said(lines, &[(DIRECTORY, 7), ("/etc/asterisk/keys", 9)]), likely);
        assert_eq!(said("tlscertfile=a.pem", &[("a.pem", 1)]), Some((Severity::Error, 5, "a.pem".to_owned())));
        assert_eq!(said("tlsenable=no", &[]), None);
    }

    #[test]
    fn only_in_a_container_and_only_outside_of_any_volume_nobody_else_sees_the_folder() {
        let engine = "1 0 0:1 / / rw - overlay overlay rw\n2 1 8:1 /c/hosts /etc/hosts rw - ext4 x rw\n3 1 8:1 /c/hostname /etc/hostname rw - ext4 x rw\n";
        let machine = "1 0 8:1 / / rw - overlay overlayroot rw\n2 1 8:1 /x /etc/resolv.conf rw - ext4 x rw\n";
        let volume = "9 1 0:9 / /run/starkeeper rw - tmpfs tmpfs rw\n";
        for (text, expected) in [
            (engine.to_owned(), true),
            (format!("{engine}{volume}"), false),
            (machine.to_owned(), false),
            (format!("{machine}{volume}"), false),
            (String::new(), false),
        ] {
            let found = unshared(&publish(), Path::new(DIRECTORY), &Mounts::parse(text.as_bytes()));
            assert_eq!(matches!(found, Some(Doubt::Likely(finding)) if finding.code == Code::PublishNotShared), expected, "{text}");
        }
    }
}
