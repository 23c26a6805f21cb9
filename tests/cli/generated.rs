//! Schema, completions and the man page: whole, and fit for those who read them.

use std::process::Command;

use serde_json::Value;

use crate::desk::{starkeeper, told};

#[test]
fn the_schema_is_json_and_knows_every_section() {
    let (code, out, err) = told(&mut starkeeper(&["schema"]));
    let schema: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, err.as_str()), (0, ""));
    for section in ["asterisk", "certificate", "wss", "reload", "probe", "expiry", "liveness", "readiness", "http", "log"] {
        assert!(schema["properties"][section].is_object(), "{section}");
    }
}

#[test]
fn every_shell_gets_completions_for_every_subcommand() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, out, err) = told(&mut starkeeper(&["completions", shell]));
        assert_eq!((code, err.as_str()), (0, ""), "{shell}");
        for word in ["healthcheck", "inspect", "--strict", "--config-dir"] {
            assert!(out.contains(word.trim_start_matches('-')), "{shell}: {word}");
        }
    }
    let (_, script, _) = told(&mut starkeeper(&["completions", "bash"]));
    let read = Command::new("bash").args(["-n", "-c", &script]).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
}

#[test]
fn the_man_page_holds_every_subcommand_option_and_variable() {
    let (code, page, err) = told(&mut starkeeper(&["man"]));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(page.contains(".TH starkeeper 1"), "{page}");
    for subcommand in
        ["run", "check", "reload", "publish", "doctor", "configure", "healthcheck", "inspect", "explain", "schema", "completions", "man"]
    {
        assert!(page.contains(&format!("\n.SS {subcommand}\n")), "{subcommand}");
    }
    for word in ["\\-\\-strict", "\\-\\-within", "\\-\\-watch", "STARKEEPER_AMI_SECRET\n", "STARKEEPER_URL\n", "STARKEEPER_CONFIG\n"] {
        assert!(page.contains(word), "{word}");
    }
    // A subcommand's own help flag, or a page that does not exist, would only be in the way.
    assert!(!page.contains("starkeeper\\-run(1)"));
}
