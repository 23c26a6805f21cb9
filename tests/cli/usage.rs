//! Help, and what wrong usage is told.

use crate::desk::{starkeeper, told};

const SUBCOMMANDS: [&str; 13] = [
    "run",
    "check",
    "reload",
    "publish",
    "doctor",
    "configure",
    "healthcheck",
    "inspect",
    "notify",
    "explain",
    "schema",
    "completions",
    "man",
];

#[test]
fn help_is_short_grouped_and_has_examples() {
    for subcommand in [&[][..], &SUBCOMMANDS].concat() {
        let (code, out, err) = told(&mut starkeeper(&[subcommand, "--help"]));
        assert_eq!((code, err.as_str()), (0, ""), "{subcommand}");
        assert!(out.contains("\nExamples:\n") && out.contains("\nCommon options:\n"), "{subcommand}: {out}");
        assert_eq!(told(&mut starkeeper(&[subcommand, "-h"])).1, out, "{subcommand}");
        insta::assert_snapshot!(format!("help_{subcommand}"), out);
    }
    let (code, out, _) = told(&mut starkeeper(&["--help"]));
    assert_eq!(code, 0);
    insta::assert_snapshot!("help", out);
}

#[test]
fn alone_it_shows_its_help_and_counts_as_wrong_usage() {
    let (code, out, err) = told(&mut starkeeper(&[]));
    assert_eq!((code, out.as_str()), (2, ""));
    assert_eq!(err, told(&mut starkeeper(&["--help"])).1);
}

#[test]
fn help_never_shows_what_variables_hold() {
    let (code, out, _) =
        told(starkeeper(&["run", "--help"]).env("STARKEEPER_AMI_ADDRESS", "10.9.8.7:5038").env("STARKEEPER_CONFIG", "/my/own"));
    assert_eq!(code, 0);
    assert!(!out.contains("10.9.8.7") && !out.contains("/my/own"), "{out}");
}

#[test]
fn wrong_usage_is_two_and_nothing_on_stdout() {
    let table: &[&[&str]] = &[
        &["frobnicate"],
        &["check"],
        &["check", "--cert", "x", "--at", "yesterday"],
        &["check", "--cert", "x", "--name", "https://pbx.example.com"],
        &["check", "--cert", "x", "--ca", "/does/not/exist"],
        &["check", "--cert", "x", "--uid", "5"],
        &["check", "--cert", "x", "--lang", "fr"],
        &["check", "--cert", "x", "--color", "sometimes"],
        &["check", "--cert", "x", "-o", "yaml"],
        &["run", "-c", "/does/not/exist"],
        &["run"],
        &["reload"],
        &["reload", "--within", "soon"],
        &["completions", "tcsh"],
        &["explain", "no-such-thing"],
        &["notify"],
        &["notify", "--test"],
        &["notify", "--test", "-c", "/does/not/exist"],
        &["doctor"],
        &["doctor", "wss://"],
        &["doctor", "wss://pbx.example.com/ws", "--origin", "app.example.com"],
        &["doctor", "wss://pbx.example.com/ws", "--ca", "/does/not/exist"],
        &["doctor", "wss://pbx.example.com/ws", "--connect", "10.0.0.7"],
        &["doctor", "wss://pbx.example.com/ws", "--password-file", "x"],
        &["doctor", "wss://pbx.example.com/ws", "--user", "a", "--password-file", "/does/not/exist"],
    ];
    for arguments in table {
        let (code, out, err) = told(&mut starkeeper(arguments));
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(err.starts_with("error: "), "{arguments:?}: {err}");
    }
}

#[test]
fn wrong_settings_are_json_where_json_is_asked_for() {
    for subcommand in ["run", "reload"] {
        let (code, out, err) = told(&mut starkeeper(&[subcommand, "-o", "json"]));
        let report: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, err.as_str()), (2, ""), "{subcommand}");
        assert_eq!(report["version"], 1);
        assert_eq!(report["errors"][0]["kind"], "nothing-to-watch");
    }
}

#[test]
fn a_code_is_explained_in_either_language() {
    for (lang, title) in [("en", "error[key-mismatch]: the private key"), ("pt-BR", "erro[key-mismatch]: a chave privada")] {
        let (code, out, _) = told(&mut starkeeper(&["explain", "key-mismatch", "--lang", lang]));
        assert_eq!(code, 0);
        assert!(out.starts_with(title), "{out}");
    }
    let (_, out, _) = told(starkeeper(&["explain", "key-mismatch"]).env("LANG", "pt_BR.UTF-8"));
    assert!(out.starts_with("erro["), "{out}");
    let (_, out, _) = told(starkeeper(&["explain", "key-mismatch"]).env("LANG", "pt_BR.UTF-8").env("LC_ALL", "C"));
    assert!(out.starts_with("error["), "{out}");
}

#[test]
fn a_misspelt_code_is_told_the_one_that_was_meant() {
    for (lang, said) in [("en", "help: did you mean `key-mismatch`?"), ("pt-BR", "ajuda: você quis dizer `key-mismatch`?")] {
        let (code, out, err) = told(&mut starkeeper(&["explain", "key-missmatch", "--lang", lang]));
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(err.contains(said), "{err}");
    }
}

#[test]
fn explanations_are_json_where_json_is_asked_for() {
    let json = |arguments: &[&str]| {
        let (code, out, _) = told(&mut starkeeper(arguments));
        assert_eq!(code, 0);
        serde_json::from_str::<serde_json::Value>(&out).unwrap()
    };
    let page = json(&["explain", "listener-wedged", "-o", "json"]);
    assert_eq!((&page["version"], &page["code"], &page["severity"]), (&1.into(), &"listener-wedged".into(), &"error".into()));
    for key in ["title", "meaning", "source", "see", "remedy"] {
        assert!(page[key].is_string(), "{key}");
    }
    let all = json(&["explain", "-o", "json"]);
    assert_eq!(all["codes"].as_array().unwrap().len(), starkeeper::diagnosis::Code::ALL.len());
}

#[test]
fn settings_may_stand_in_a_variable_whose_errors_name_it_and_never_beside_a_file() {
    let settings = "certificate: {cert: /tls/tls.crt}\nasterisk:\n  amy: {}\n";
    let (code, out, err) = told(starkeeper(&["run"]).env("STARKEEPER_SETTINGS", settings));
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.starts_with("error: asterisk.amy: unknown key\n  --> STARKEEPER_SETTINGS:3:3\n"), "{err}");
    let (code, _, err) = told(starkeeper(&["run", "-c", "/some/file"]).env("STARKEEPER_SETTINGS", settings));
    assert_eq!(code, 2);
    assert_eq!(err, "error: settings are said twice: in /some/file and in STARKEEPER_SETTINGS: leave one of them out\n");
    // Empty is not said.
    let (_, _, err) = told(starkeeper(&["run", "-c", "/does/not/exist"]).env("STARKEEPER_SETTINGS", " "));
    assert!(err.starts_with("error: failed to read the settings file /does/not/exist"), "{err}");
}
