//! `#include "dir/*.conf"` → paths, as glibc's `glob` finds them (`*`, `?`, `[…]`, `{a,b}`, `\`): sorted, dot files only when asked
//! for. Refuses nothing; what cannot be listed matches nothing, and expansion stops at a limit.

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use super::source::FileSource;

/// Whether Asterisk's `glob` looks for files instead of taking the name as it is.
pub(super) fn is_pattern(name: &[u8]) -> bool {
    name.iter().any(|byte| b"*?[{".contains(byte))
}

/// The paths that match, at most [`MOST`] of them.
pub(super) fn expand(source: &dyn FileSource, pattern: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for plain in braces(pattern) {
        // A brace may leave a name without wildcards: glibc takes it only if it exists.
        let mut paths = vec![if plain.starts_with(b"/") { PathBuf::from("/") } else { PathBuf::new() }];
        for part in plain.split(|byte| *byte == b'/').filter(|part| !part.is_empty()) {
            paths = paths.into_iter().flat_map(|path| step(source, &path, part)).take(MOST).collect();
        }
        paths.retain(|path| source.kind(path).is_ok());
        found.append(&mut paths);
        found.truncate(MOST);
    }
    found
}

/// Far beyond any configuration; keeps a hostile one from filling memory.
const MOST: usize = 4096;

fn step(source: &dyn FileSource, directory: &Path, part: &[u8]) -> Vec<PathBuf> {
    if !part.iter().any(|byte| b"*?[".contains(byte)) {
        let literal: Vec<u8> = part.iter().copied().filter(|byte| *byte != b'\\').collect();
        return vec![directory.join(OsStr::from_bytes(&literal))];
    }
    let mut names = source.names(directory).unwrap_or_default();
    names.retain(|name| (!name.as_bytes().starts_with(b".") || part.starts_with(b".")) && matches(part, name.as_bytes()));
    names.sort();
    names.into_iter().map(|name| directory.join(name)).collect()
}

/// Shell matching of one path component, in linear space and without backtracking into earlier stars.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&b'*') {
            retry = Some((p + 1, n));
            p += 1;
        } else if let Some(next) = one(pattern, p, name[n]) {
            p = next;
            n += 1;
        } else if let Some((after_star, taken)) = retry {
            retry = Some((after_star, taken + 1));
            p = after_star;
            n = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// Where the pattern goes on if its piece at `p` takes `byte`.
fn one(pattern: &[u8], p: usize, byte: u8) -> Option<usize> {
    match pattern.get(p)? {
        b'?' => Some(p + 1),
        b'[' => {
            class(&pattern[p + 1..], byte).map_or_else(|| (byte == b'[').then_some(p + 1), |(hit, length)| hit.then_some(p + 1 + length))
        }
        b'\\' if pattern.get(p + 1).is_some() => (pattern[p + 1] == byte).then_some(p + 2),
        literal => (*literal == byte).then_some(p + 1),
    }
}

/// Whether a bracket expression takes `byte`, and its length with the closing bracket. `None`: it never closes.
fn class(body: &[u8], byte: u8) -> Option<(bool, usize)> {
    let negated = matches!(body.first(), Some(b'!' | b'^'));
    let start = usize::from(negated);
    let end = start + 1 + body.get(start + 1..)?.iter().position(|b| *b == b']')?;
    let (mut at, mut hit) = (start, false);
    while at < end {
        if at + 2 < end && body[at + 1] == b'-' {
            hit |= (body[at]..=body[at + 2]).contains(&byte);
            at += 3;
        } else {
            hit |= body[at] == byte;
            at += 1;
        }
    }
    Some((hit != negated, end + 1))
}

/// `a{b,c}d` → `abd`, `acd`, outermost braces first, at most [`MOST`] results.
fn braces(pattern: &[u8]) -> Vec<Vec<u8>> {
    let (mut open, mut done) = (vec![pattern.to_vec()], Vec::new());
    while let Some(pattern) = open.pop() {
        let Some((start, end, commas)) = first_brace(&pattern) else {
            done.push(pattern);
            if done.len() >= MOST {
                break;
            }
            continue;
        };
        let mut edges = vec![start];
        edges.extend(commas);
        edges.push(end);
        for pair in edges.windows(2).rev().take(MOST) {
            open.push([&pattern[..start], &pattern[pair[0] + 1..pair[1]], &pattern[end + 1..]].concat());
        }
        open.truncate(MOST);
    }
    done
}

fn first_brace(pattern: &[u8]) -> Option<(usize, usize, Vec<usize>)> {
    let start = pattern.iter().position(|byte| *byte == b'{')?;
    let (mut depth, mut commas) = (0, Vec::new());
    for (at, byte) in pattern.iter().enumerate().skip(start) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 1 => commas.push(at),
            _ => {}
        }
        if depth == 0 {
            return Some((start, at, commas));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn patterns_find_what_glob_finds() {
        let files: BTreeMap<PathBuf, Vec<u8>> =
            ["/e/d/1.conf", "/e/d/2.conf", "/e/d/.3.conf", "/e/d/x.inc", "/e/f/1.conf"].map(|f| (f.into(), vec![])).into();
        for (pattern, found) in [
            ("/e/d/*.conf", vec!["/e/d/1.conf", "/e/d/2.conf"]),
            ("/e/d/.*.conf", vec!["/e/d/.3.conf"]),
            ("/e/*/1.conf", vec!["/e/d/1.conf", "/e/f/1.conf"]),
            ("/e/d/[!2].conf", vec!["/e/d/1.conf"]),
            ("/e/d/[1-2].con?", vec!["/e/d/1.conf", "/e/d/2.conf"]),
            ("/e/d/{x,y,2}.{inc,conf}", vec!["/e/d/x.inc", "/e/d/2.conf"]),
            ("/e/nowhere/*.conf", vec![]),
        ] {
            assert_eq!(expand(&files, pattern.as_bytes()), found.iter().map(PathBuf::from).collect::<Vec<_>>(), "{pattern}");
        }
    }
}
