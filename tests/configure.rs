//! `configure` on the configuration folder of Debian's own packages: what it adds makes a fresh Asterisk 16 and 22 one that a browser
//! registers at, and one that the agent may log in to.
#![allow(clippy::unwrap_used, reason = "what cannot go on fails the test at the place where it stands")]

mod support;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::Path,
    process::{Command, Output},
};

use support::{
    asterisk::{Asterisk, Ports},
    both,
    certs::Authority,
    manager::Manager,
};

#[test]
fn a_fresh_packaged_asterisk_becomes_one_that_browsers_register_at() {
    both(|version| {
        let authority = Authority::new();
        let asterisk = Asterisk::build(version).pair(&authority.issue(&["pbx.example.com"])).packaged(furnish).start();
        let etc = asterisk.etc();

        // As a browser sees it, up to the registration, with the password that was made up.
        let folder = tempfile::tempdir().unwrap();
        let (root, password) = (folder.path().join("root.pem"), folder.path().join("password"));
        fs::write(&root, &authority.root_pem).unwrap();
        fs::write(&password, after(&etc.join("pjsip.conf"), "password = ")).unwrap();
        let door = format!("127.0.0.1:{}", asterisk.ports.wss);
        let url = format!("wss://pbx.example.com:{}/ws", asterisk.ports.wss);
        let doctor = starkeeper(&[
            "doctor",
            &url,
            "--connect",
            &door,
            "--ca",
            path(&root),
            "--user",
            "1001",
            "--password-file",
            path(&password),
            "--register",
        ]);
        assert_eq!(status(&doctor), 0, "{version:?}: {}\n{}", stdout(&doctor), asterisk.log());

        // As the agent logs in, and no further than it must.
        let mut agent = Manager::login(asterisk.ports.ami, "starkeeper", &after(&etc.join("manager.conf"), "secret = ")).unwrap();
        assert!(agent.reload("http").unwrap().succeeded());
        assert!(!agent.action("Command", &[("Command", "core show version")]).unwrap().succeeded());

        // A second run finds nothing, and says so.
        let again = configure(&etc, &asterisk.ports, (asterisk.cert(), asterisk.key()), &[]);
        assert_eq!((status(&again), stdout(&again).as_str()), (0, "nothing is missing\n"), "{version:?}");
    });
}

/// Looks, writes, and looks again.
fn furnish(etc: &Path, ports: &Ports, pair: (&Path, &Path)) {
    let before = contents(etc);
    let look = configure(etc, ports, pair, &[]);
    assert_eq!(status(&look), 1, "{}", stderr(&look));
    assert!(stdout(&look).starts_with("--- a/http.conf\n+++ b/http.conf\n@@ -"), "{}", stdout(&look));
    assert_eq!(contents(etc), before, "a look writes nothing");

    let write = configure(etc, ports, pair, &["--write"]);
    assert_eq!(status(&write), 0, "{}{}", stdout(&write), stderr(&write));
    let (secret, password) = (after(&etc.join("manager.conf"), "secret = "), after(&etc.join("pjsip.conf"), "password = "));
    for said in [&look, &write] {
        let all = stdout(said) + &stderr(said);
        assert!(!all.contains(&secret) && !all.contains(&password), "{all}");
    }
    for (name, (old, mode, owner)) in before {
        let new = contents(etc).remove(&name).unwrap();
        assert_eq!((new.1, new.2), (mode, owner), "{name}");
        if new.0 != old {
            assert_eq!(fs::read(etc.join(format!("{name}.bak"))).unwrap(), old, "{name}");
            let mut lines = new.0.split(|byte| *byte == b'\n');
            assert!(old.split(|byte| *byte == b'\n').all(|line| lines.any(|other| other == line)), "{name}");
        }
    }
}

#[test]
fn a_line_that_says_otherwise_stops_everything() {
    let etc = tempfile::tempdir().unwrap();
    let http = "[general]\ntlsenable = no\n";
    fs::write(etc.path().join("http.conf"), http).unwrap();
    let said =
        starkeeper(&["configure", "--config-dir", path(etc.path()), "--cert", "/a.crt", "--key", "/a.key", "--write", "--lang", "en"]);
    assert_eq!(status(&said), 1);
    assert!(stderr(&said).contains("conf-conflict") && stderr(&said).contains("http.conf:2\n"), "{}", stderr(&said));
    assert_eq!(fs::read_dir(etc.path()).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(etc.path().join("http.conf")).unwrap(), http);
}

#[test]
fn whole_files_go_elsewhere_once_and_never_over_another() {
    let (etc, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(etc.path().join("http.conf"), "[general]\nsessionlimit = 300\n").unwrap();
    let arguments =
        ["configure", "--config-dir", path(etc.path()), "--cert", "/a.crt", "--key", "/a.key", "--output-dir", path(other.path())];
    let said = starkeeper(&arguments);
    assert_eq!(status(&said), 0, "{}", stderr(&said));
    let http = fs::read_to_string(other.path().join("http.conf")).unwrap();
    assert!(http.ends_with("\nsessionlimit = 300\n") && http.contains("\ntlscertfile = /a.crt\n"), "{http}");
    assert_eq!(fs::metadata(other.path().join("manager.conf")).unwrap().mode() & 0o7777, 0o640);
    assert_eq!(fs::read_dir(etc.path()).unwrap().count(), 1);
    assert_eq!(status(&starkeeper(&arguments)), 1);
    assert_eq!(fs::read_to_string(other.path().join("http.conf")).unwrap(), http);
}

#[test]
fn what_makes_no_sense_is_a_matter_of_usage() {
    let etc = tempfile::tempdir().unwrap();
    let folder = path(etc.path());
    for wrong in [
        &["--cert", "/a.crt"][..],
        &["--cert", "a.crt", "--key", "/a.key"],
        &["--user", "a b"],
        &["--user", "1001", "--user", "1001"],
        &["--user", "1001=/does/not/exist"],
        &["--bind", "pbx.example.com:8089"],
        &["--write", "--output-dir", "/x"],
        &["--config-dir", "/does/not/exist"],
    ] {
        let arguments = if wrong[0] == "--config-dir" { vec!["configure"] } else { vec!["configure", "--config-dir", folder] };
        let said = starkeeper(&[&arguments, wrong].concat());
        assert_eq!((status(&said), stdout(&said).as_str()), (2, ""), "{wrong:?}: {}", stderr(&said));
    }
}

fn configure(etc: &Path, ports: &Ports, (cert, key): (&Path, &Path), more: &[&str]) -> Output {
    let bind = format!("127.0.0.1:{}", ports.wss);
    let ours = [
        "configure",
        "--config-dir",
        path(etc),
        "--cert",
        path(cert),
        "--key",
        path(key),
        "--bind",
        &bind,
        "--user",
        "1001",
        "--lang",
        "en",
    ];
    starkeeper(&[&ours, more].concat())
}

fn starkeeper(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_starkeeper")).args(arguments).output().unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What follows in the first line that begins so.
fn after(file: &Path, start: &str) -> String {
    let text = String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned();
    text.lines().find_map(|line| line.strip_prefix(start)).unwrap().to_owned()
}

/// By name: bytes, mode and owner.
type Contents = BTreeMap<String, (Vec<u8>, u32, (u32, u32))>;

/// The files that lie in a folder.
fn contents(folder: &Path) -> Contents {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let read = |path: std::path::PathBuf| {
        let about = fs::metadata(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, (fs::read(&path).unwrap(), about.mode(), (about.uid(), about.gid())))
    };
    files.map(read).collect()
}
