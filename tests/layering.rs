//! A room imports from rooms upstream of it or from itself, so that facts flow one way; and what decides touches nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The rooms, upstream first.
const ROOMS: &[&str] = &[
    "clock",
    "diagnosis",
    "settings",
    "material",
    "bundle",
    "staging",
    "asterisk",
    "configure",
    "host",
    "proof",
    "state",
    "plan",
    "report",
    "driver",
    "kubernetes",
    "dispatch",
    "supervise",
    "doctor",
    "cli",
];

/// Files that decide, and so may not know of the world.
const PURE: &[&str] = &[
    "configure/",
    "diagnosis/",
    "settings/",
    "material/mod.rs",
    "bundle/",
    "staging/pem.rs",
    "staging/name.rs",
    "asterisk/config/",
    "asterisk/ami/codec.rs",
    "host/listening.rs",
    "host/mounts.rs",
    "host/other.rs",
    "host/published.rs",
    "host/time.rs",
    "host/volumes.rs",
    "proof/mod.rs",
    "proof/old/",
    "state.rs",
    "state/",
    "plan.rs",
    "report/status.rs",
    "report/taking.rs",
    "report/findings.rs",
    "report/health.rs",
    "report/cluster.rs",
    "dispatch/queue.rs",
    "report/notify/",
    "report/rotating.rs",
    "report/words.rs",
    "report/page/drawing.rs",
    "report/page/language.rs",
    "report/page/view.rs",
    "kubernetes/lagging.rs",
    "kubernetes/news.rs",
    "kubernetes/pace.rs",
    "kubernetes/place.rs",
    "kubernetes/turns.rs",
    "kubernetes/turns/",
    "kubernetes/volume.rs",
    "doctor/cause.rs",
    "doctor/outside/address.rs",
    "doctor/outside/proxy.rs",
    "doctor/verdict.rs",
    "doctor/client/compose.rs",
    "doctor/client/dotenv.rs",
    "doctor/client/frontend.rs",
    "doctor/client/published.rs",
    "doctor/client/variables.rs",
];

/// What the world looks like in source. Files are read in `config` by a closure that enters.
const WORLD: [&str; 8] =
    ["tokio::", "std::net::Tcp", "std::fs", "fs::read", "std::env::var", "SystemTime", "clock::now()", "clock::wall()"];

/// The edges of pure rooms, each named because it is where the world enters.
const EDGES: [&str; 1] = ["asterisk/config/source.rs"];

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("src is readable") {
            let path: PathBuf = entry.expect("src is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).expect("below src").to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path).expect("src is readable")));
            }
        }
    }
    assert!(found.len() > 20, "the sources were not found");
    found
}

/// The code before the file's own tests, without comments.
fn code(text: &str) -> String {
    let before = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    before.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn is_test(file: &str) -> bool {
    file.ends_with("tests.rs") || file.contains("/tests/")
}

#[test]
fn rooms_import_from_upstream_only() {
    let place = |room: &str| ROOMS.iter().position(|known| *known == room);
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let room = file.split(['/', '.']).next().unwrap_or_default().to_owned();
        if room == "lib" || room == "main" {
            continue;
        }
        let Some(own) = place(&room) else {
            wrong.push(format!("{file}: `{room}` is no room of design"));
            continue;
        };
        if is_test(&file) {
            continue;
        }
        let code = code(&text);
        let used = ROOMS.iter().enumerate().filter(|(_, other)| {
            code.match_indices("crate::").any(|(at, _)| {
                let rest = &code[at + "crate::".len()..];
                let inside = rest.strip_prefix('{').map(|group| group.split(';').next().unwrap_or_default());
                inside.map_or_else(
                    || rest.starts_with(&format!("{other}::")) || rest.starts_with(&format!("{other};")),
                    |group| top_level(group).iter().any(|name| name == *other),
                )
            })
        });
        wrong.extend(used.filter(|(at, _)| *at > own).map(|(_, other)| format!("{file} imports downstream from `{other}`")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The first segments of `{a::b, c::{d, e}}`, without the brace that opens it.
fn top_level(group: &str) -> Vec<String> {
    let (mut names, mut depth, mut word) = (Vec::new(), 0, String::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(std::mem::take(&mut word)),
            _ if depth == 0 => word.push(c),
            _ => {}
        }
    }
    names.push(word);
    names.iter().map(|name| name.trim().split("::").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn what_decides_touches_nothing() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let pure = PURE.iter().any(|prefix| file.starts_with(prefix)) && !EDGES.contains(&file.as_str()) && !is_test(&file);
        if pure {
            let code = code(&text);
            wrong.extend(WORLD.iter().filter(|word| code.contains(**word)).map(|word| format!("{file} uses {word}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_enters_and_what_leaves() {
    let silent: Vec<_> = sources().into_iter().filter(|(_, text)| !text.starts_with("//!")).map(|(file, _)| file).collect();
    assert!(silent.is_empty(), "no `//!` at the top of {silent:?}");
}
