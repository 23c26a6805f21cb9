//! A remedy's text → what a person does who pastes it: commands are run, lines go into the file that the text names. It decides nothing but
//! which of several ways is gone, and fills in what only the person can know.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    text::{conf, into_section, proxy, replace_line, yaml},
    ward::{NAME, Ward},
};

/// Does what the finding's remedy says, by the way `way` of those that it names.
pub(crate) fn paste(ward: &mut Ward, finding: &Value, way: usize) {
    let remedy = finding["remedy"].as_str().unwrap();
    let ways = ways(remedy);
    let chosen = ways.ways.get(way).unwrap_or_else(|| panic!("{remedy}\nhas no way {way}"));
    for part in chosen.iter().chain(&ways.last) {
        let lines: Vec<String> = part.lines.iter().map(|line| filled(ward, line)).collect();
        do_part(ward, finding, &part.prose, &joined(lines));
    }
}

/// Prose, and what stands below it to be pasted.
#[derive(Default)]
struct Part {
    prose: String,
    lines: Vec<String>,
}

struct Ways {
    ways: Vec<Vec<Part>>,
    /// What is to be done whichever way was gone.
    last: Vec<Part>,
}

fn ways(remedy: &str) -> Ways {
    let mut ways = Ways { ways: vec![Vec::new()], last: Vec::new() };
    let mut is_last = false;
    for line in remedy.lines() {
        if let Some(line) = line.strip_prefix("    ") {
            let current = if is_last { &mut ways.last } else { ways.ways.last_mut().unwrap() };
            if current.is_empty() {
                current.push(Part::default());
            }
            current.last_mut().unwrap().lines.push(line.to_owned());
            continue;
        }
        let part = Part { prose: line.to_owned(), lines: Vec::new() };
        is_last = line.starts_with("Then the agent ");
        if is_last {
            ways.last.push(part);
        } else if OTHERWISE.iter().any(|start| line.starts_with(start)) {
            ways.ways.push(vec![part]);
        } else {
            ways.ways.last_mut().unwrap().push(part);
        }
    }
    ways
}

/// How the text begins to speak of another way to the same end.
const OTHERWISE: &[&str] = &[
    "cert-manager",
    "In Kubernetes",
    "In staged mode",
    "For a test",
    "For one of your own",
    "Other authorities",
    "Another authority",
    "From a PKCS#12",
    "From PKCS#8",
    "Or ",
    "Or,",
    "And let the agent",
    "Where the old one is gone",
    "nginx:",
    "Apache:",
    "HAProxy:",
    "Caddy:",
    "Envoy, Istio:",
    "With openssl",
];

/// A command that goes on in the next line is one.
fn joined(lines: Vec<String>) -> Vec<String> {
    let mut joined: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in lines {
        match joined.last_mut().filter(|_| goes_on) {
            Some(last) => last.push_str(&line),
            None => joined.push(line.clone()),
        }
        goes_on = line.ends_with('\\');
        if goes_on {
            joined.last_mut().unwrap().pop();
        }
    }
    joined
}

/// What only the person knows.
fn filled(ward: &Ward, line: &str) -> String {
    let asterisk = &ward.asterisk;
    let shown = |path: &Path| path.display().to_string();
    [
        ("/etc/letsencrypt/live/NAME", shown(&ward.work.path().join("live"))),
        ("/etc/asterisk", shown(&asterisk.etc())),
        ("/path/to/fullchain.pem", shown(asterisk.cert())),
        ("/path/to/privkey.pem", shown(asterisk.key())),
        ("/etc/ssl/private-root.pem", shown(&ward.work.path().join("root.pem"))),
        ("0.0.0.0:8089", format!("127.0.0.1:{}", asterisk.ports.wss)),
        ("s://127.0.0.1:8089", format!("s://127.0.0.1:{}", asterisk.ports.wss)),
        ("server asterisk 127.0.0.1:8089", format!("server asterisk 127.0.0.1:{}", asterisk.ports.wss)),
        ("{address: 127.0.0.1:8089", format!("{{address: \"127.0.0.1:{}\"", asterisk.ports.wss)),
        ("0.0.0.0", "127.0.0.1".to_owned()),
        ("chgrp asterisk", format!("chgrp {}", asterisk.gid)),
        ("-g asterisk", format!("-g {}", asterisk.gid)),
        ("A-LONG-RANDOM-SECRET", ward.password.clone()),
        ("THE-PASSWORD", ward.password.clone()),
        ("transport-wss", "wss".to_owned()),
        ("-d OTHERNAME ", String::new()),
        ("--cert-name CERT", format!("--cert-name {NAME}")),
        ("NAME", NAME.to_owned()),
    ]
    .iter()
    .fold(line.to_owned(), |line, (from, to)| line.replace(from, to))
}

const PROGRAMS: &[&str] = &[
    "a2enmod",
    "apachectl",
    "asterisk",
    "caddy",
    "cat",
    "certbot",
    "chgrp",
    "cp",
    "docker",
    "haproxy",
    "install",
    "kill",
    "mv",
    "nginx",
    "openssl",
    "printf",
    "rm",
    "sed",
    "timedatectl",
    "ss",
    "starkeeper",
    "touch",
];

fn do_part(ward: &mut Ward, finding: &Value, prose: &str, lines: &[String]) {
    let mut rest = lines;
    while let Some(line) = rest.first() {
        let word = line.split_whitespace().next().unwrap_or_default();
        if PROGRAMS.contains(&word) {
            run(ward, line);
            rest = &rest[1..];
            continue;
        }
        let end = rest.iter().position(|line| PROGRAMS.contains(&line.split_whitespace().next().unwrap_or_default())).unwrap_or(rest.len());
        write(ward, finding, prose, &rest[..end]);
        rest = &rest[end..];
    }
}

/// In the folder where the person works, with nobody at the keyboard but for a passphrase.
fn run(ward: &mut Ward, command: &str) {
    let path = format!("{}:{}", ward.work.path().join("bin").display(), std::env::var("PATH").unwrap_or_default());
    let asked = ward.put("passphrase", PASSPHRASE);
    let output = Command::new("setsid")
        .args(["--wait", "sh", "-c", command])
        .current_dir(ward.work.path())
        .env("PATH", path)
        .stdin(Stdio::from(fs::File::open(asked).unwrap()))
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "`{command}` ended with {}: {said}", output.status);
    let reloads = ["-s reload", "graceful", "reload haproxy", "caddy reload"].iter().any(|words| command.contains(words));
    if let Some(proxy) = ward.proxy.as_mut().filter(|_| reloads) {
        proxy.check().unwrap_or_else(|said| panic!("{said}"));
        proxy.restart();
    }
}

/// How the text names the one that the lines are for.
const PROXIES: &[&str] = &["nginx:", "Apache:", "HAProxy:", "Caddy:"];

/// Of every encrypted key of the lab.
const PASSPHRASE: &str = "lab\n";

/// Into the file that the text names, else the one of the finding.
fn write(ward: &mut Ward, finding: &Value, prose: &str, lines: &[String]) {
    let evidence = &finding["evidence"];
    let of_finding = evidence["file"].as_str().map(|file| ward.work.path().join(file));
    let named = prose.split([' ', ',', '(']).map(|word| word.trim_end_matches([':', '.'])).find(|word| word.ends_with(".conf"));
    let file = named.map(|named| ward.asterisk.etc().join(named)).or_else(|| of_finding.clone());
    let line = evidence["line"].as_u64().filter(|_| file == of_finding).map(|line| usize::try_from(line).unwrap());
    let text = lines.join("\n");
    if let Some(url) = text.split("WebSocketInterface('").nth(1).and_then(|rest| rest.split('\'').next()) {
        return client(ward, evidence, url, lines);
    }
    if lines.iter().any(|line| line.trim_end().ends_with(';')) || PROXIES.contains(&prose) {
        let there = ward.proxy.as_ref().unwrap();
        let before = fs::read_to_string(there.conf()).unwrap();
        return fs::write(there.conf(), proxy(there.kind(), &before, lines)).unwrap();
    }
    if lines[0].starts_with("NEXT_PUBLIC_") {
        return env(ward, lines);
    }
    let file = match file {
        Some(file) if lines[0].ends_with(':') && file.extension().is_some_and(|extension| extension == "yaml") => {
            let place = line.unwrap();
            let before = fs::read_to_string(&file).unwrap();
            return fs::write(&file, yaml::into_service(&before, place, lines)).unwrap();
        }
        _ if lines[0].contains(": {") || lines[0].ends_with(':') => {
            let settings = ward.work.path().join("settings.yaml");
            let before = fs::read_to_string(&settings).unwrap();
            return fs::write(&settings, yaml::merged(&before, &text)).unwrap();
        }
        Some(file) => file,
        None => panic!("nobody says where this goes: {text}"),
    };
    let before = fs::read_to_string(&file).unwrap_or_default();
    let after = match line {
        _ if lines[0].starts_with('[') => conf(&before, lines),
        // "In place of its `noload`, or beside the others."
        Some(line) if before.lines().nth(line - 1).is_some_and(|text| text.starts_with("noload")) => replace_line(&before, line, &text),
        _ => into_section(&before, line, lines),
    };
    fs::write(&file, after).unwrap();
}

/// In the client's code, or, where the address is put together of variables, in those.
fn client(ward: &mut Ward, evidence: &Value, url: &str, lines: &[String]) {
    if evidence["variable"].is_string() {
        let said: Vec<String> = lines.iter().filter(|line| line.starts_with("NEXT_PUBLIC_")).cloned().collect();
        return env(ward, &said);
    }
    ward.question.as_mut().unwrap()[0] = url.to_owned();
}

fn env(ward: &Ward, lines: &[String]) {
    let path = ward.work.path().join(".env");
    let mut text: Vec<String> = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
    for line in lines {
        let name = line.split('=').next().unwrap();
        text.retain(|old| old.split('=').next() != Some(name) && old.contains('='));
        text.push(line.clone());
    }
    fs::write(path, text.join("\n") + "\n").unwrap();
}
