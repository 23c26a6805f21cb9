//! A way and an account → the node that bars it, if one does, decided as the Linux kernel decides: owner, then ACL, then group, then
//! other (acl(5), path_resolution(7)). Asterisk checks no modes; a file that its account cannot read takes HTTPS down.

use crate::{material::Node, settings::UserIds};

/// What keeps an account from reading a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Barrier<'a> {
    pub(super) node: &'a Node,
    /// `r` of the file, or `x` of a directory on the way.
    pub(super) needs: char,
}

/// The first node on the way that bars `user`. The file is the way's last node. Root reads everything.
pub(super) fn barrier<'a>(way: &'a [Node], user: &UserIds) -> Option<Barrier<'a>> {
    if user.uid == 0 {
        return None;
    }
    let (file, directories) = way.split_last()?;
    let barred = directories.iter().find(|node| !grants(node, EXECUTE, user)).map(|node| Barrier { node, needs: 'x' });
    barred.or_else(|| (!grants(file, READ, user)).then_some(Barrier { node: file, needs: 'r' }))
}

/// Whether an account that owns nothing and is in no group could read the file.
pub(super) fn is_open_to_all(way: &[Node]) -> bool {
    way.split_last()
        .is_some_and(|(file, directories)| file.mode & READ != 0 && directories.iter().all(|directory| directory.mode & EXECUTE != 0))
}

fn grants(node: &Node, wanted: u32, user: &UserIds) -> bool {
    if user.uid == node.uid {
        return node.mode >> 6 & wanted != 0;
    }
    // Where there is an ACL the group bits are its mask, and the kernel does not look at it while they are all off.
    if node.mode & 0o070 != 0
        && let Some(acl) = node.acl.as_deref().and_then(entries)
    {
        return acl_grants(&acl, node, wanted, user);
    }
    let bits = if is_in(user, node.gid) { node.mode >> 3 } else { node.mode };
    bits & wanted != 0
}

fn acl_grants(acl: &[Entry], node: &Node, wanted: u32, user: &UserIds) -> bool {
    let of = |tag| acl.iter().filter(move |entry| entry.tag == tag);
    let mask = of(MASK).next().map_or(wanted, |entry| entry.permissions);
    if let Some(named) = of(USER).find(|entry| entry.id == user.uid) {
        return named.permissions & mask & wanted != 0;
    }
    let own = of(GROUP_OBJ).filter(|_| is_in(user, node.gid));
    let mut groups = own.chain(of(GROUP).filter(|entry| is_in(user, entry.id))).peekable();
    if groups.peek().is_some() {
        return groups.any(|entry| entry.permissions & wanted != 0) && mask & wanted != 0;
    }
    of(OTHER).any(|entry| entry.permissions & wanted != 0)
}

fn is_in(user: &UserIds, gid: u32) -> bool {
    user.gid == gid || user.groups.contains(&gid)
}

struct Entry {
    tag: u16,
    permissions: u32,
    id: u32,
}

/// `system.posix_acl_access`, version 2: a little-endian header of 4 bytes, then entries of tag, permissions (2 bytes each) and id (4).
fn entries(xattr: &[u8]) -> Option<Vec<Entry>> {
    let entries = xattr.strip_prefix(&2u32.to_le_bytes())?;
    let (entries, []) = entries.as_chunks::<8>() else { return None };
    let entry = |e: &[u8; 8]| Entry {
        tag: u16::from_le_bytes([e[0], e[1]]),
        permissions: u32::from(u16::from_le_bytes([e[2], e[3]])),
        id: u32::from_le_bytes([e[4], e[5], e[6], e[7]]),
    };
    Some(entries.iter().map(entry).collect())
}

const READ: u32 = 4;
const EXECUTE: u32 = 1;
const USER: u16 = 0x02;
const GROUP_OBJ: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;

#[cfg(test)]
mod tests {
    use super::*;

    const ASTERISK: UserIds = UserIds { uid: 101, gid: 102, groups: Vec::new() };

    fn node(uid: u32, gid: u32, mode: u32) -> Node {
        Node { path: "/n".into(), uid, gid, mode, acl: None }
    }

    fn acl(entries: &[(u16, u16, u32)]) -> Option<Vec<u8>> {
        let mut xattr = 2u32.to_le_bytes().to_vec();
        for (tag, permissions, id) in entries {
            xattr.extend(tag.to_le_bytes().into_iter().chain(permissions.to_le_bytes()).chain(id.to_le_bytes()));
        }
        Some(xattr)
    }

    #[test]
    fn owner_group_and_other_each_decide_alone() {
        for (uid, gid, mode, expected) in [
            (0, 0, 0o644, true),
            (0, 0, 0o640, false),
            (0, 102, 0o640, true),
            (101, 0, 0o400, true),
            // The owner's bits decide for the owner, even where others may read.
            (101, 0, 0o044, false),
            (0, 102, 0o604, false),
            (0, 0, 0o604, true),
        ] {
            assert_eq!(grants(&node(uid, gid, mode), READ, &ASTERISK), expected, "{uid} {gid} {mode:o}");
        }
        let fs_group = UserIds { groups: vec![2000], ..ASTERISK };
        assert!(grants(&node(0, 2000, 0o640), READ, &fs_group));
    }

    #[test]
    fn an_acl_decides_as_the_kernel_decides() {
        const NONE: u32 = u32::MAX;
        let base = [(0x01, 6, NONE), (GROUP_OBJ, 0, NONE), (OTHER, 0, NONE)];
        for (what, mode, more, expected) in [
            ("named user", 0o640, vec![(USER, 4, 101), (MASK, 4, NONE)], true),
            ("named user, masked", 0o620, vec![(USER, 4, 101), (MASK, 2, NONE)], false),
            ("another user", 0o640, vec![(USER, 4, 999), (MASK, 4, NONE)], false),
            ("named group", 0o640, vec![(GROUP, 4, 102), (MASK, 4, NONE)], true),
            ("named group, masked", 0o620, vec![(GROUP, 4, 102), (MASK, 2, NONE)], false),
            ("a group that denies ends it before other", 0o644, vec![(GROUP, 0, 102), (MASK, 4, NONE)], false),
        ] {
            let node = Node { acl: acl(&[&base[..], &more].concat()), ..node(0, 0, mode) };
            assert_eq!(grants(&node, READ, &ASTERISK), expected, "{what}");
        }
        let garbage = Node { acl: Some(vec![2, 0, 0, 0, 1]), ..node(0, 0, 0o644) };
        assert!(grants(&garbage, READ, &ASTERISK), "an ACL that cannot be read leaves the mode to decide");
    }

    #[test]
    fn the_first_directory_without_x_bars_the_way() {
        let way = [node(0, 0, 0o755), node(0, 0, 0o700), node(101, 0, 0o400)];
        assert_eq!(barrier(&way, &ASTERISK), Some(Barrier { node: &way[1], needs: 'x' }));
        let way = [node(0, 0, 0o755), node(0, 0, 0o711), node(0, 0, 0o600)];
        assert_eq!(barrier(&way, &ASTERISK), Some(Barrier { node: &way[2], needs: 'r' }));
        assert_eq!(barrier(&way, &UserIds { uid: 0, gid: 0, groups: Vec::new() }), None);
        assert_eq!(barrier(&[], &ASTERISK), None);
    }
}
