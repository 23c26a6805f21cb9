//! A watched file and the mounts → whether its updates can ever arrive, or the finding that says why not. Pure. Says nothing of a volume that
//! follows its source: a Secret, a ConfigMap or a projected volume that is mounted as a whole, a folder from the host.

use std::path::Path;

use super::mounts::{Mount, Mounts};
use crate::diagnosis::{Code, Finding, Severity};

/// `file`: as it is configured; `stands`: where it is, links resolved.
pub(super) fn frozen(file: &Path, stands: &Path, mounts: &Mounts) -> Option<Finding> {
    let mount = mounts.of(stands)?;
    let is_alone = mount.point == stands;
    let code = match (generation(mount), is_alone) {
        (Some(_), _) => Code::SubpathMount,
        (None, true) if is_of_kubelet(mount) => Code::SubpathMount,
        (None, true) => Code::FileMount,
        (None, false) => return None,
    };
    let found = match (mount.is_gone, is_alone) {
        (true, _) => "what is mounted has been removed, or replaced by another, where it came from",
        (false, true) => "a mount of this one file",
        (false, false) => "a mount of one generation of the volume",
    };
    // What was replaced outside has missed an update already.
    let severity = if mount.is_gone { Severity::Error } else { code.severity() };
    let finding = Finding::new(code).severity(severity).with("file", file).with("found", found);
    Some(finding.with("mountedAt", mount.point.as_path()).with("source", mount.root.as_path()).with("fileSystem", mount.kind.as_str()))
}

/// The generation of a kubelet's volume that is mounted by itself: `..2026_11_23_04_30_12.1234567`, where `..data` leads to for a time.
fn generation(mount: &Mount) -> Option<&str> {
    let names = mount.root.components().filter_map(|component| component.as_os_str().to_str());
    names.into_iter().find(|name| is_generation(name))
}

/// `atomicWriter` of Kubernetes: `time.Now().UTC().Format("..2006_01_02_15_04_05.")` and a random number.
fn is_generation(name: &str) -> bool {
    let Some((moment, random)) = name.strip_prefix("..").and_then(|rest| rest.split_once('.')) else { return false };
    let parts: Vec<&str> = moment.split('_').collect();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    parts.iter().map(|part| part.len()).eq([4, 2, 2, 2, 2, 2]) && parts.iter().all(|part| digits(part)) && digits(random)
}

/// Of a volume that lies on the node's own disk: `/var/lib/kubelet/pods/UID/volumes/kubernetes.io~configmap/NAME/…`.
fn is_of_kubelet(mount: &Mount) -> bool {
    mount.root.components().any(|component| component.as_os_str().to_str().is_some_and(|name| name.starts_with("kubernetes.io~")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "/tls/tls.crt";

    /// What is said of `/tls/tls.crt`, which stands at `stands`, where `mounted` is mounted at `point`.
    fn said(mounted: &str, point: &str, stands: &str) -> Option<(Code, Severity)> {
        let text = format!("1 0 0:1 / / rw - overlay overlay rw\n2 1 0:2 {mounted} {point} ro - tmpfs tmpfs rw\n");
        let finding = frozen(Path::new(FILE), Path::new(stands), &Mounts::parse(text.as_bytes()))?;
        assert_eq!(finding.get("file").map(ToString::to_string).as_deref(), Some(FILE));
        assert_eq!(finding.get("mountedAt").map(ToString::to_string).as_deref(), Some(point));
        Some((finding.code, finding.severity))
    }

    #[test]
    fn only_what_can_never_change_is_named() {
        let (data, pinned) = ("/tls/..2026_11_23_04_30_12.123/tls.crt", "/..2026_11_23_04_30_12.123");
        let pods = "/var/lib/kubelet/pods/0a1b/volumes/kubernetes.io~configmap/tls";
        let (subpath, file) = (Some((Code::SubpathMount, Severity::Warning)), Some((Code::FileMount, Severity::Warning)));
        for (mounted, point, stands, expected) in [
            // A Secret, a projected volume, a CSI volume (each a tmpfs); a ConfigMap; a folder of the host; a volume with a subPath of its own.
            ("/".to_owned(), "/tls", data, None),
            (pods.to_owned(), "/tls", data, None),
            ("/home/me/tls".to_owned(), "/tls", FILE, None),
            ("/var/lib/kubelet/pods/0a1b/volumes/kubernetes.io~empty-dir/x/tls".to_owned(), "/tls", FILE, None),
            // A subPath of a Secret: one file, and one folder.
            (format!("{pinned}/tls.crt"), "/tls/tls.crt", FILE, subpath),
            (pinned.to_owned(), "/tls", FILE, subpath),
            (format!("{pinned}/deep"), "/tls", FILE, subpath),
            // Of a ConfigMap, and of another volume on the node's disk.
            (format!("{pods}{pinned}/tls.crt"), "/tls/tls.crt", FILE, subpath),
            ("/var/lib/kubelet/pods/0a1b/volumes/kubernetes.io~empty-dir/x/tls.crt".to_owned(), "/tls/tls.crt", FILE, subpath),
            // Docker's `-v FILE:FILE`, and its `secrets:`.
            ("/home/me/tls.crt".to_owned(), "/tls/tls.crt", FILE, file),
            ("/home/me/tls.crt".to_owned(), "/run/secrets/tls.crt", "/run/secrets/tls.crt", file),
            // Another file's mount, and a folder below.
            ("/home/me/tls.key".to_owned(), "/tls/tls.key", FILE, None),
            ("/home/me/tls".to_owned(), "/tls/tls.crt/below", FILE, None),
        ] {
            assert_eq!(said(&mounted, point, stands), expected, "{mounted} at {point}");
        }
    }

    #[test]
    fn what_was_replaced_where_it_came_from_has_missed_an_update_and_is_an_error() {
        let gone = |root: &str| said(&format!("{root}//deleted"), "/tls/tls.crt", FILE);
        assert_eq!(gone("/home/me/tls.crt"), Some((Code::FileMount, Severity::Error)));
        assert_eq!(gone("/..2026_11_23_04_30_12.123/tls.crt"), Some((Code::SubpathMount, Severity::Error)));
    }

    #[test]
    fn a_generation_is_known_by_its_whole_name() {
        assert!(is_generation("..2026_11_23_04_30_12.1") && is_generation("..2026_11_23_04_30_12.3141592653"));
        for name in [
            "..data",
            "..",
            "...",
            "..2026_11_23_04_30_12",
            "..2026_11_23_04_30_12.",
            "..2026_11_23_04_30.1",
            "..202_11_23_04_30_12.1",
            "2026",
        ] {
            assert!(!is_generation(name), "{name}");
        }
        assert!(!is_generation("..2026_11_23_04_30_ab.1") && !is_generation("..2026_11_23_04_30_12.x"));
    }
}
