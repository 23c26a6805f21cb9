//! /proc/PID/status → the account that a process runs as (proc_pid_status(5)). Pure.

use crate::settings::UserIds;

/// Effective ids, and the further groups. `None`: this is no such file.
pub fn account(status: &str) -> Option<UserIds> {
    let numbers = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.split_ascii_whitespace().map(|number| number.parse::<u32>().ok()).collect::<Option<Vec<_>>>()
    };
    let effective = |name| numbers(name)?.get(1).copied();
    Some(UserIds { uid: effective("Uid")?, gid: effective("Gid")?, groups: numbers("Groups")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effective_ids_count() {
        let status = "Name:\tasterisk\nUmask:\t0022\nUid:\t0\t101\t101\t101\nGid:\t0\t103\t103\t103\nFDSize:\t64\nGroups:\t20 103 \n";
        assert_eq!(account(status), Some(UserIds { uid: 101, gid: 103, groups: vec![20, 103] }));
        assert_eq!(account(&status.replace("20 103 ", "")), Some(UserIds { uid: 101, gid: 103, groups: vec![] }));
        for no in ["", "Uid:\t1\nGid:\t1 1\nGroups:\t", "Uid:\tx x\nGid:\t1 1\nGroups:\t", "Uid:\t1 1\nGid:\t1 1\n"] {
            assert_eq!(account(no), None, "{no}");
        }
    }
}
