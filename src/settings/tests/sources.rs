//! Shows who wins over whom, and that each error names the file, the variable or the flag that is to blame; and where secrets come from.

use clap::{CommandFactory as _, Parser};
use secrecy::ExposeSecret as _;

use super::{
    super::{Kind, Overrides, Place, Settings},
    Given, TWO_LINES,
};

/// The program's own words
#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    overrides: Overrides,
    /// An argument of the program's own
    #[arg(long)]
    own: Option<String>,
}

#[test]
fn the_flags_leave_the_programs_own_help_alone() {
    let command = Cli::command();
    command.clone().debug_assert();
    assert_eq!(command.get_about().map(ToString::to_string).as_deref(), Some("The program's own words"));
    let headings: Vec<_> = command.get_arguments().map(|argument| (argument.get_id().as_str(), argument.get_help_heading())).collect();
    assert!(headings.contains(&("own", None)) && headings.contains(&("cert", Some("Settings"))), "{headings:?}");
}

#[test]
fn flag_wins_over_variable_and_variable_over_file() {
    let text = format!("{TWO_LINES}wss: {{address: 'file:1'}}\n");
    let host = |given: &Given<'_>| given.load().unwrap().wss.address.unwrap().host;
    let mut given = Given { file: Some(text.as_bytes()), ..Given::default() };
    assert_eq!(host(&given), "file");
    given.variables.insert("STARKEEPER_WSS_ADDRESS", " ");
    assert_eq!(host(&given), "file", "an empty variable counts as unset");
    given.variables.insert("STARKEEPER_WSS_ADDRESS", "variable:1");
    assert_eq!(host(&given), "variable");
    given.overrides.wss_address = Some("flag:1".into());
    assert_eq!(host(&given), "flag");
    given.overrides.wss_address = Some(String::new());
    assert_eq!(host(&given), "variable", "an empty flag counts as unset");
}

#[test]
fn each_flag_and_each_variable_sets_its_own_setting() {
    type Said = fn(&Settings) -> String;
    for (flag, variable, value, said) in [
        (
            "--config-dir",
            "STARKEEPER_ASTERISK_CONFIG_DIR",
            "/a",
            (|s| s.asterisk.config_dir.clone().unwrap().display().to_string()) as Said,
        ),
        ("--ami-address", "STARKEEPER_AMI_ADDRESS", "ami:1", |s| s.asterisk.ami.address.as_ref().unwrap().to_string()),
        ("--ami-username", "STARKEEPER_AMI_USERNAME", "me", |s| s.asterisk.ami.username.clone()),
        ("--ami-secret-file", "STARKEEPER_AMI_SECRET_FILE", "/secret", |s| {
            s.asterisk.ami.secret.as_ref().unwrap().expose_secret().replace("from file", "/secret")
        }),
        ("--cert", "STARKEEPER_CERT", "/c", |s| s.certificate.cert.clone().unwrap().display().to_string()),
        ("--key", "STARKEEPER_KEY", "/k", |s| s.certificate.key.clone().unwrap().display().to_string()),
        ("--name", "STARKEEPER_NAMES", "a.example,b.example", |s| s.certificate.names.join(",")),
        ("--wss-address", "STARKEEPER_WSS_ADDRESS", "[::1]:8089", |s| s.wss.address.as_ref().unwrap().to_string()),
        ("--listen", "STARKEEPER_HTTP_LISTEN", "127.0.0.1:0", |s| s.http.listen.to_string()),
        ("--log-level", "STARKEEPER_LOG_LEVEL", "debug", |s| s.log.level.clone()),
        ("--log-format", "STARKEEPER_LOG_FORMAT", "json", |s| format!("{:?}", s.log.format).to_lowercase()),
    ] {
        let mut given = Given { file: Some(b"certificate: {cert: /tls/both.pem}"), ..Given::default() };
        given.files.insert("/secret", b"from file\n");
        let Cli { overrides, .. } = Cli::try_parse_from(["starkeeper", flag, value]).unwrap();
        given.overrides = overrides;
        assert_eq!(said(&given.load().unwrap()), value, "{flag}");
        given.overrides = Overrides::default();
        given.variables.insert(variable, value);
        assert_eq!(said(&given.load().unwrap()), value, "{variable}");
        let arguments = Cli::command();
        let argument = arguments.get_arguments().find(|argument| argument.get_long() == flag.strip_prefix("--")).unwrap();
        assert_eq!(argument.get_env(), Some(variable.as_ref()), "{flag}");
    }
}

#[test]
fn names_are_repeatable_and_replace_those_of_the_file() {
    let overrides = Cli::try_parse_from(["starkeeper", "--name", "a.example", "--name", "b.example"]).unwrap().overrides;
    let text = format!("{TWO_LINES}certificate: {{names: [file.example]}}\n");
    let given = Given { file: Some(text.as_bytes()), overrides, ..Given::default() };
    assert_eq!(given.load().unwrap().certificate.names, ["a.example", "b.example"]);
}

#[test]
fn an_error_names_the_variable_or_the_flag_that_is_to_blame() {
    let mut given = Given { file: Some(TWO_LINES.as_bytes()), ..Given::default() };
    given.variables.extend([("STARKEEPER_LOG_FORMAT", "xml"), ("STARKEEPER_NAMES", "good.example,b@d"), ("STARKEEPER_WSS_ADDRESS", "x")]);
    given.overrides.listen = Some("here".into());
    // As clap fills it from the environment.
    given.overrides.wss_address = Some("x".into());
    let errors = given.load().unwrap_err();
    let places: Vec<_> = errors.iter().map(|error| (error.kind, error.place.clone())).collect();
    assert_eq!(
        places,
        [
            (Kind::UnknownValue, Place::Variable("STARKEEPER_LOG_FORMAT")),
            (Kind::BadName, Place::Variable("STARKEEPER_NAMES")),
            (Kind::BadAddress, Place::Variable("STARKEEPER_WSS_ADDRESS")),
            (Kind::BadAddress, Place::Flag("--listen")),
        ]
    );
    assert!(errors.to_string().contains("  --> environment variable STARKEEPER_NAMES\n"));
}

#[test]
fn a_broken_section_is_still_named_when_a_variable_writes_below_it() {
    let mut given = Given { file: Some(b"asterisk: 5\n"), ..Given::default() };
    given.variables.insert("STARKEEPER_ASTERISK_CONFIG_DIR", "/etc/asterisk");
    let errors = given.load().unwrap_err();
    assert_eq!(errors.iter().map(|error| (error.kind, error.place.line())).collect::<Vec<_>>(), [(Kind::WrongType, Some(1))]);
}

#[test]
fn the_secret_comes_from_the_nearest_that_was_said() {
    let text = format!("{TWO_LINES}  ami: {{secretFile: /file}}\n");
    let mut given = Given { file: Some(text.as_bytes()), ..Given::default() };
    given.files.extend([("/file", b"file".as_slice()), ("/variable", b"variable file"), ("/flag", b"flag")]);
    let secret = |given: &Given<'_>| given.load().unwrap().asterisk.ami.secret.unwrap().expose_secret().to_owned();
    assert_eq!(secret(&given), "file");
    given.variables.insert("STARKEEPER_AMI_SECRET", "");
    assert_eq!(secret(&given), "file");
    given.variables.insert("STARKEEPER_AMI_SECRET", "variable");
    assert_eq!(secret(&given), "variable");
    given.overrides.ami_secret_file = Some("/flag".into());
    assert_eq!(secret(&given), "flag");
    given.overrides.ami_secret_file = None;
    given.variables.insert("STARKEEPER_AMI_SECRET_FILE", "/variable");
    assert_eq!(given.load().unwrap_err().iter().next().unwrap().kind, Kind::Contradiction);
    given.variables.remove("STARKEEPER_AMI_SECRET");
    assert_eq!(secret(&given), "variable file");
}

#[test]
fn unusable_secrets_are_refused_without_being_repeated() {
    let long = "hunter2".repeat(150);
    for (content, kind) in [
        (b"".as_slice(), Kind::SecretEmpty),
        (b" \r\n\n", Kind::SecretEmpty),
        (b"hunter2\nAction: Command\n", Kind::SecretUnusable),
        (b"hunter2\0", Kind::SecretUnusable),
        (b"hunter2\xff", Kind::SecretUnusable),
        (long.as_bytes(), Kind::SecretUnusable),
    ] {
        let text = format!("{TWO_LINES}  ami: {{secretFile: /secret}}\n");
        let given = Given { file: Some(text.as_bytes()), files: [("/secret", content)].into(), ..Given::default() };
        let errors = given.load().unwrap_err();
        let error = errors.iter().next().unwrap();
        assert_eq!((errors.len(), error.kind, error.place.line()), (1, kind, Some(3)), "{content:?}");
        assert!(!format!("{errors} {errors:?}").contains("hunter2"));
    }
    let given = Given { file: Some(TWO_LINES.as_bytes()), variables: [("STARKEEPER_AMI_SECRET", "hunter2\nx")].into(), ..Given::default() };
    let errors = given.load().unwrap_err();
    assert_eq!(errors.iter().next().unwrap().place, Place::Variable("STARKEEPER_AMI_SECRET"));
    assert!(!format!("{errors} {errors:?}").contains("hunter2"));
}

#[test]
fn an_unreadable_secret_file_is_named_with_its_path_and_line() {
    let text = format!("{TWO_LINES}  ami: {{secretFile: /run/secrets/ami}}\n");
    let errors = Given { file: Some(text.as_bytes()), ..Given::default() }.load().unwrap_err();
    let error = errors.iter().next().unwrap();
    assert_eq!((error.kind, error.place.line()), (Kind::SecretUnreadable, Some(3)));
    assert!(error.found.as_deref().unwrap().contains("/run/secrets/ami"));
}
