//! Colours where they are wanted, readers that go away, disks that are full, and a health check that costs nothing.

use std::{
    fs::File,
    process::{Command, Stdio},
    time::Duration,
};

use starkeeper::clock;

use crate::desk::{cardboard, starkeeper, told};

#[test]
fn colours_are_for_those_who_want_them() {
    let coloured = |arguments: &[&str], variables: &[(&str, &str)]| {
        let (_, out, _) = told(starkeeper(arguments).envs(variables.iter().copied()));
        out.contains('\u{1b}')
    };
    let page = ["explain", "key-mismatch"];
    let always = ["explain", "key-mismatch", "--color", "always"];
    let never = ["explain", "key-mismatch", "--color", "never"];
    let (force, no) = (("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1"));
    let table = [
        (&page[..], vec![], false),
        (&page, vec![force], true),
        (&page, vec![no], false),
        (&page, vec![force, no], false),
        (&always, vec![], true),
        (&always, vec![no], true),
        (&never, vec![force], false),
    ];
    for (arguments, variables, expected) in table {
        assert_eq!(coloured(arguments, &variables), expected, "{arguments:?} {variables:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for arguments in [&["--help"][..], &["explain"], &["explain", "key-mismatch"], &["schema"], &["man"], &["completions", "zsh"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = Command::new(env!("CARGO_BIN_EXE_starkeeper")).args(arguments).stdout(writer).output().unwrap();
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_starkeeper")).arg("schema").stdout(Stdio::from(full)).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: failed to write to stdout"));
}

#[test]
fn a_healthcheck_says_what_the_agent_says() {
    for (status, body, code) in [("200 OK", "ok\n", 0), ("503 Service Unavailable", "tls-failed\n", 1), ("404 Not Found", "", 1)] {
        let url = format!("http://{}/readyz", cardboard(status, body.to_owned()));
        assert_eq!(told(&mut starkeeper(&["healthcheck", "--url", &url])), (code, format!("{}\n", body.trim_end()), String::new()));
        let (told, ..) = told(starkeeper(&["healthcheck"]).env("STARKEEPER_HEALTHCHECK_URL", &url));
        assert_eq!(told, code);
    }
}

#[test]
fn a_healthcheck_without_an_answer_is_one_and_says_why() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let stranger = cardboard("", String::new());
    for url in
        [&format!("http://{nobody}/readyz"), "https://localhost/readyz", "localhost", "http://", &format!("http://{stranger}/readyz")]
    {
        for (lang, start) in [("en", "error: failed to ask "), ("pt-BR", "erro: não foi possível consultar ")] {
            let (code, out, err) = told(&mut starkeeper(&["healthcheck", "--url", url, "--lang", lang]));
            assert_eq!((code, out.as_str()), (1, ""), "{url}");
            assert!(err.starts_with(&format!("{start}{url}: ")) && err.lines().count() == 1, "{err}");
        }
    }
}

#[test]
fn a_healthcheck_needs_no_settings_and_costs_at_most_ten_milliseconds() {
    let url = format!("http://{}/readyz", cardboard("200 OK", "ok\n".to_owned()));
    let once = || {
        let began = clock::tick();
        let mut command = Command::new(env!("CARGO_BIN_EXE_starkeeper"));
        let status =
            command.args(["healthcheck", "--url", &url]).env("STARKEEPER_CONFIG", "/does/not/exist").stdout(Stdio::null()).status();
        assert!(status.unwrap().success());
        clock::tick() - began
    };
    // The quickest of many, since other tests run beside this one.
    let quickest = (0..50).map(|_| once()).min().unwrap();
    assert!(quickest <= Duration::from_millis(10), "{quickest:?}");
}
