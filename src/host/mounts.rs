//! The bytes of `/proc/self/mountinfo` (proc_pid_mountinfo(5)) → the mounts of a process, and which of them a path lies on. Pure. A line
//! that is no mount is passed over, whatever it holds.

use std::{
    collections::{HashMap, HashSet},
    ffi::OsString,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
};

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    id: u64,
    parent: u64,
    /// What of its file system is mounted: `/` where all of it is.
    pub root: PathBuf,
    /// Whether what is mounted was since removed, or replaced, where it came from.
    pub is_gone: bool,
    /// Where it is mounted.
    pub point: PathBuf,
    /// Of its file system: `tmpfs`.
    pub kind: String,
}

/// The mounts of one process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mounts(Vec<Mount>);

impl Mounts {
    /// Reads all that can be read.
    pub fn parse(text: &[u8]) -> Self {
        Mounts(text.split(|byte| *byte == b'\n').take(MOST).filter_map(Mount::parse).collect())
    }

    /// The mount that a path without links lies on, as the kernel would find it: from the root on, over each mount that lies on the way. What
    /// is hidden below another mount is never met.
    pub fn of(&self, path: &Path) -> Option<&Mount> {
        let ids: HashSet<u64> = self.0.iter().map(|mount| mount.id).collect();
        let on_the_way = self.0.iter().filter(|mount| path.starts_with(&mount.point));
        let (outermost, inner): (Vec<_>, Vec<_>) = on_the_way.partition(|mount| mount.parent == mount.id || !ids.contains(&mount.parent));
        let depth = |mount: &&Mount| mount.point.components().count();
        let mut next: HashMap<u64, &Mount> = HashMap::new();
        for mount in inner {
            let known = next.entry(mount.parent).or_insert(mount);
            if depth(&mount) < depth(known) {
                *known = mount;
            }
        }
        let mut here = outermost.into_iter().max_by_key(depth)?;
        // Each is left behind, so that a ring of mounts, which no kernel tells of, has an end.
        while let Some(mount) = next.remove(&here.id) {
            here = mount;
        }
        Some(here)
    }

    /// Whether something is mounted at this very path.
    pub fn is_point(&self, path: &Path) -> bool {
        self.of(path).is_some_and(|mount| mount.point == path)
    }

    /// Whether both are of one mount namespace: ids are the kernel's, and given once.
    pub fn are_of_one_world(&self, other: &Mounts) -> bool {
        self.0.iter().any(|mount| other.0.iter().any(|known| known.id == mount.id))
    }
}

impl Mount {
    /// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
    fn parse(line: &[u8]) -> Option<Mount> {
        let mut fields = line.split(|byte| *byte == b' ');
        let mut number = || std::str::from_utf8(fields.next()?).ok()?.parse().ok();
        let (id, parent) = (number()?, number()?);
        let (_device, root, point, _options) = (fields.next()?, path(fields.next()?), path(fields.next()?), fields.next()?);
        let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
        let (root, is_gone) = match root.to_str().and_then(|text| text.strip_suffix(GONE)) {
            Some(root) => (PathBuf::from(root), true),
            None => (root, false),
        };
        let whole = root.is_absolute() && point.is_absolute();
        whole.then(|| Mount { id, parent, root, is_gone, point, kind: String::from_utf8_lossy(kind).into_owned() })
    }
}

/// Space, tab, line break and backslash stand as `\040`, `\011`, `\012`, `\134`; anything else stands as it is.
fn path(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, after @ ..] = rest {
        match rest {
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] => {
                bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

/// How the kernel ends the root of a mount whose file, or folder, has no name any more.
const GONE: &str = "//deleted";

/// Lines that are read; a kernel allows a namespace 100,000 mounts (`fs.mount-max`).
const MOST: usize = 100_000;

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_the_bytes_are_a_path_lies_on_a_mount_above_it(
            text in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..400),
                "([0-3] [0-3] 0:1 (/|/a|/a/b|/a\\\\[0-7]{1,3}) (/|/a|/a/b|/a//b|a) rw( x:1)? - [a-z]{1,3} x rw\n|[ /\\\\0-9a-]{0,20}\n){0,12}".prop_map(String::into_bytes),
            ],
        ) {
            let mounts = Mounts::parse(&text);
            for path in ["/", "/a", "/a/b/c", "/tls/tls.crt", "relative", ""].map(Path::new) {
                prop_assert!(mounts.of(path).is_none_or(|mount| path.starts_with(&mount.point)));
            }
        }
    }

    fn on<'a>(mounts: &'a Mounts, path: &str) -> Option<&'a str> {
        mounts.of(Path::new(path)).and_then(|mount| mount.point.to_str())
    }

    #[test]
    fn a_line_of_the_manual_is_read() {
        let mounts = Mounts::parse(b"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n");
        let expected = Mount { id: 36, parent: 35, root: "/mnt1".into(), is_gone: false, point: "/mnt2".into(), kind: "ext3".to_owned() };
        assert_eq!(mounts, Mounts(vec![expected]));
    }

    #[test]
    fn escapes_optional_fields_and_what_is_gone_are_told_apart() {
        for (line, root, is_gone, point) in [
            ("1 0 0:1 / /with\\040space\\011and\\134 rw - tmpfs x rw", "/", false, "/with space\tand\\"),
            ("1 0 0:1 /a\\012b /c rw shared:1 master:2 - tmpfs x rw", "/a\nb", false, "/c"),
            ("1 0 0:1 /tls.crt//deleted /tls/tls.crt ro - ext4 x rw", "/tls.crt", true, "/tls/tls.crt"),
            // No escape is cut short by the end, and none is made of what is none.
            ("1 0 0:1 / /a\\ rw - tmpfs x rw", "/", false, "/a\\"),
            ("1 0 0:1 / /a\\04 rw - tmpfs x rw", "/", false, "/a\\04"),
            ("1 0 0:1 / /a\\777 rw - tmpfs x rw", "/", false, "/a\\777"),
            ("1 0 0:1 / /a\\0400 rw - tmpfs x rw", "/", false, "/a 0"),
        ] {
            let mounts = Mounts::parse(line.as_bytes());
            let [mount] = mounts.0.as_slice() else { panic!("{line}: {mounts:?}") };
            assert_eq!((mount.root.to_str(), mount.is_gone, mount.point.to_str()), (Some(root), is_gone, Some(point)), "{line}");
        }
    }

    #[test]
    fn what_is_no_mount_is_passed_over() {
        for line in [
            "",
            " ",
            "36",
            "36 35 98:0 / /mnt rw",
            "36 35 98:0 / /mnt rw -",
            "x 35 98:0 / /mnt rw - ext3 y z",
            "36 -1 98:0 / /mnt rw - ext3 y z",
            "99999999999999999999999 35 98:0 / /mnt rw - ext3 y z",
            "23 22 0:4 net:[4026532281] /run/netns/a rw - nsfs nsfs rw",
            "36 35 98:0 / relative rw - ext3 y z",
        ] {
            assert_eq!(Mounts::parse(line.as_bytes()), Mounts::default(), "{line}");
        }
    }

    #[test]
    fn the_nearest_mount_counts_and_what_is_hidden_below_another_does_not() {
        let text = "1 0 0:1 / / rw - overlay overlay rw\n\
                    2 1 0:2 / /tls rw - tmpfs tmpfs rw\n\
                    3 2 0:3 /tls.crt /tls/tls.crt rw - ext4 x rw\n\
                    4 1 0:4 / /var rw - ext4 x rw\n\
                    5 4 0:5 / /var/lib rw - ext4 x rw\n\
                    6 4 0:6 / /var rw - tmpfs over rw\n";
        let mounts = Mounts::parse(text.as_bytes());
        for (path, expected) in
            [("/etc", "/"), ("/tls", "/tls"), ("/tls/a/b", "/tls"), ("/tls/tls.crt", "/tls/tls.crt"), ("/tlsx", "/"), ("/var/x", "/var")]
        {
            assert_eq!(on(&mounts, path), Some(expected), "{path}");
        }
        let hiding = mounts.of(Path::new("/var/lib/x")).expect("a mount");
        assert_eq!((hiding.id, hiding.kind.as_str()), (6, "tmpfs"));
        assert!(mounts.is_point(Path::new("/tls")) && !mounts.is_point(Path::new("/var/lib")) && !mounts.is_point(Path::new("/tls/a")));
    }

    #[test]
    fn in_a_chroot_nothing_need_be_mounted_at_the_root() {
        let mounts = Mounts::parse(b"7 2 0:1 / /proc rw - proc proc rw\n8 7 0:2 / /proc/x rw - tmpfs tmpfs rw\n");
        assert_eq!((on(&mounts, "/etc"), on(&mounts, "/proc/1"), on(&mounts, "/proc/x")), (None, Some("/proc"), Some("/proc/x")));
    }

    #[test]
    fn mounts_in_a_ring_end_and_many_are_no_burden() {
        let mounts = Mounts::parse(
            b"1 1 0:1 / / rw - a b c\n2 3 0:1 / / rw - a b c\n3 2 0:1 / / rw - a b c\n4 1 0:1 / / rw - a b c\n1 4 0:1 / / rw - a b c",
        );
        assert_eq!(on(&mounts, "/x"), Some("/"));
        let mut text = String::new();
        for id in 1..=20_000 {
            let _ = writeln!(text, "{id} {} 0:1 / / rw - tmpfs tmpfs rw", id - 1);
        }
        assert_eq!(Mounts::parse(text.as_bytes()).of(Path::new("/x")).map(|mount| mount.id), Some(20_000));
    }

    #[test]
    fn ids_tell_whether_two_processes_share_their_mounts() {
        let [one, same, other] = ["1 0 0:1 / / rw - a b c\n2 1 0:1 / /x rw - a b c", "2 1 0:1 / / rw - a b c", "9 0 0:1 / / rw - a b c"]
            .map(|text| Mounts::parse(text.as_bytes()));
        assert!(one.are_of_one_world(&same) && !one.are_of_one_world(&other) && !one.are_of_one_world(&Mounts::default()));
    }
}
