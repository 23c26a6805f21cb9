//! Shows that the contract's file, two lines, and an empty file load, and what they come to.

use std::{path::PathBuf, time::Duration};

use secrecy::ExposeSecret as _;

use super::{super::*, FILE, Given, TWO_LINES, file};

/// The settings as the contract shows them.
const CONTRACT: &str = r#"
asterisk:
  configDir: /etc/asterisk        # a comment
  ami: {address: 127.0.0.1:5038, username: starkeeper, secretFile: /run/secrets/ami, auth: md5, tls: null}
  user: {uid: 101, gid: 102}
certificate:
  cert: /tls/tls.crt
  key: /tls/tls.key
  names: [pbx.example.com]
  trust: system
  publish: null
  stamp: null
wss: {address: 127.0.0.1:8089, path: /ws, serverName: null, origin: null}
reload: {http: always, pjsip: auto, manager: auto}
probe: {interval: 10s, timeout: 3s}
expiry: {warning: 21d, critical: 7d, lifetimeFraction: 0.33}
liveness: {policy: restartHelps, after: 60s}
readiness: {requireTrusted: false}
http: {listen: "[::]:9808"}
kubernetes: {events: auto, condition: auto, nudge: auto}
notify: []
log: {format: auto, level: info}
"#;

#[test]
fn the_contracts_file_loads() {
    let given =
        Given { file: Some(CONTRACT.as_bytes()), files: [("/run/secrets/ami", "s3cret\r\n".as_bytes())].into(), ..Given::default() };
    let settings = given.load().unwrap();
    assert_eq!(settings.asterisk.ami.secret.as_ref().unwrap().expose_secret(), "s3cret");
    assert_eq!(settings.asterisk.ami.address, Some(Address { host: "127.0.0.1".into(), port: 5038 }));
    assert_eq!(settings.asterisk.user, Some(UserIds { uid: 101, gid: 102, groups: vec![] }));
    assert_eq!(settings.certificate.names, ["pbx.example.com"]);
    assert_eq!(settings.certificate.cert, Some(PathBuf::from("/tls/tls.crt")));
    assert_eq!(settings.wss.path.as_deref(), Some("/ws"));
    assert!(!format!("{settings:?}").contains("s3cret"));
}

#[test]
fn two_lines_suffice_and_the_rest_is_the_contracts_defaults() {
    let settings = file(TWO_LINES).unwrap();
    assert_eq!(settings.asterisk.config_dir, Some(PathBuf::from("/etc/asterisk")));
    assert!(settings.asterisk.ami.address.is_none() && settings.asterisk.ami.secret.is_none() && settings.asterisk.user.is_none());
    assert_eq!(settings.asterisk.ami.username, "starkeeper");
    assert_eq!((settings.asterisk.ami.auth, settings.asterisk.ami.tls), (AmiAuth::Md5, None));
    assert!(settings.certificate.cert.is_none() && settings.certificate.key.is_none() && settings.certificate.names.is_empty());
    assert_eq!((settings.certificate.trust, settings.certificate.stamp), (Trust::System, None));
    assert_eq!(settings.wss, WssSettings { address: None, path: None, server_name: None, origin: None });
    let reload = ReloadSettings { http: ReloadMode::Always, pjsip: ReloadMode::Auto, manager: ReloadMode::Auto };
    assert_eq!(settings.reload, reload);
    assert_eq!(settings.probe, ProbeSettings { interval: Duration::from_secs(10), timeout: Duration::from_secs(3) });
    let (warning, critical) = (Duration::from_hours(21 * 24), Duration::from_hours(7 * 24));
    assert_eq!(settings.expiry, ExpirySettings { warning, critical, lifetime_fraction: 0.33 });
    let liveness = LivenessSettings { policy: LivenessPolicy::RestartHelps, after: Duration::from_mins(1) };
    assert_eq!(settings.liveness, liveness);
    assert!(!settings.readiness.require_trusted);
    assert_eq!(settings.http.listen, "[::]:9808".parse().unwrap());
    assert_eq!(settings.log, LogSettings { format: LogFormat::Auto, level: "info".into() });
}

#[test]
fn an_empty_file_is_all_defaults() {
    for text in ["", "\n", "# nothing yet\n", "---\n", "null", "\u{feff}", "{}", "asterisk:\nlog: ~\n", "...\n"] {
        let mut given = Given { file: Some(text.as_bytes()), ..Given::default() };
        given.variables.insert("STARKEEPER_CERT", "/tls/both.pem");
        let settings = given.load().unwrap_or_else(|errors| panic!("{text:?}: {errors}"));
        assert_eq!(settings.certificate.cert, Some(PathBuf::from("/tls/both.pem")), "{text:?}");
    }
}

#[test]
fn byte_order_mark_and_carriage_returns_are_welcome() {
    let text = format!("\u{feff}{}", TWO_LINES.replace('\n', "\r\n"));
    assert_eq!(file(&text).unwrap().asterisk.config_dir, Some(PathBuf::from("/etc/asterisk")));
    let errors = file("\u{feff}asterisk:\r\n  configDir: /etc/asterisk\r\n  amy: {}\r\n").unwrap_err();
    assert_eq!(errors.iter().next().unwrap().place, Place::Line { file: FILE.into(), line: 3, column: 3 });
}

#[test]
fn every_spelling_that_the_contract_allows_loads() {
    for lines in [
        "probe: {interval: 1h30m, timeout: 500ms}",
        "wss: {address: '[::1]:8089', origin: 'https://phone.example.com:8443'}",
        "wss: {address: 'asterisk.voip.svc.cluster.local.:8089', serverName: 192.0.2.1}",
        "wss: {address: my_asterisk:8089, path: '/pbx/ws?x=1'}",
        "certificate: {names: ['*.example.com', 192.0.2.1, '::1', localhost], trust: none}",
        "certificate: {trust: /tls/ca.crt, stamp: /etc/asterisk/stamp}",
        "certificate: {cert: /tls/tls.crt, publish: {directory: /tlsa}}",
        "certificate: {cert: /tls/in/tls.crt, publish: {directory: /tls}}",
        "certificate: {cert: /both.pem, publish: {directory: /run/tls}}",
        "certificate: {cert: ./both.pem, publish: {directory: out, mode: null}}",
        "kubernetes: {events: off, condition: never, nudge: false}",
        "kubernetes: {rotation: {order: off, parallelism: 3, timeout: 90s, lease: pbx.rotation-1}}",
        "reload: {http: never, pjsip: always, manager: never}",
        "expiry: {lifetimeFraction: 0, warning: 7d, critical: 7d}",
        "expiry: {lifetimeFraction: 1}",
        "http: {listen: 127.0.0.1:0}",
        "log: {format: json, level: 'starkeeper=debug,warn'}",
        "log: {format: text, level: WARN}",
        "liveness: {policy: strict, after: 2m}",
        "notify:",
        "probe: &p {interval: 5s, timeout: 5s}",
    ] {
        let text = format!("{TWO_LINES}{lines}\n");
        file(&text).unwrap_or_else(|errors| panic!("{lines}: {errors}"));
    }
}

#[test]
fn on_is_taken_in_a_cluster_where_the_token_can_be_read() {
    let text = format!("{TWO_LINES}kubernetes: {{events: on, condition: auto, nudge: off, rotation: {{order: on}}}}");
    let mut given = Given { file: Some(text.as_bytes()), ..Given::default() };
    given.variables.insert("KUBERNETES_SERVICE_HOST", "10.96.0.1");
    let kinds = |given: &Given<'_>| given.load().unwrap_err().iter().map(|error| (error.kind, error.key.clone())).collect::<Vec<_>>();
    let refused = [(Kind::NoCluster, "kubernetes.events".to_owned()), (Kind::NoCluster, "kubernetes.rotation.order".to_owned())];
    assert_eq!(kinds(&given), refused);
    given.files.insert("/var/run/secrets/kubernetes.io/serviceaccount/token", b"t");
    let settings = given.load().unwrap().kubernetes;
    assert_eq!((settings.events, settings.condition, settings.nudge), (Switch::On, Switch::Auto, Switch::Off));
    let rotation = RotationSettings { order: Switch::On, parallelism: 1, timeout: Duration::from_mins(5), lease: None };
    assert_eq!(settings.rotation, rotation);
    given.variables.insert("STARKEEPER_SERVICE_ACCOUNT", "/elsewhere");
    assert_eq!(kinds(&given), refused);
}

#[test]
fn ami_over_tls_is_on_with_an_empty_mapping() {
    let tls = |text: &str| file(&format!("{TWO_LINES}  ami: {{tls: {text}}}")).unwrap().asterisk.ami.tls;
    assert_eq!(tls("{}"), Some(AmiTls { server_name: None, trust: Trust::System }));
    assert_eq!(
        tls("{serverName: pbx, trust: ./ca.pem}"),
        Some(AmiTls { server_name: Some("pbx".into()), trust: Trust::File("./ca.pem".into()) })
    );
    assert_eq!(tls("null"), None);
}

#[test]
fn staged_mode_is_on_with_a_directory_and_takes_the_key_from_the_certs_file() {
    let certificate = |text: &str| file(&format!("{TWO_LINES}certificate: {{cert: /tls/both.pem, publish: {text}}}")).unwrap().certificate;
    let directory = PathBuf::from("/run/tls");
    let staged = certificate("{directory: /run/tls}");
    assert_eq!(staged.publish, Some(Publish { directory: directory.clone(), uid: None, gid: None, mode: 0o440 }));
    assert_eq!(staged.key, Some(PathBuf::from("/tls/both.pem")));
    let staged = certificate("{directory: /run/tls, uid: 101, gid: 102, mode: '640'}");
    assert_eq!(staged.publish, Some(Publish { directory, uid: Some(101), gid: Some(102), mode: 0o640 }));
    // The leading zero says what is meant, so that this parser keeps it as text.
    assert_eq!(certificate("{directory: /run/tls, mode: 0400}").publish.unwrap().mode, 0o400);
    let plain = certificate("null");
    assert_eq!((plain.publish, plain.key), (None, None));
}

#[test]
fn a_secret_in_the_clear_over_a_network_is_a_finding_and_no_error() {
    for (ami, expected) in [
        ("{auth: plain, address: '10.0.0.7:5038'}", vec![Code::AmiPlaintextRemote]),
        ("{auth: plain, address: '127.0.0.1:5038'}", vec![]),
        ("{auth: plain, address: '10.0.0.7:5039', tls: {}}", vec![]),
        ("{address: '10.0.0.7:5038'}", vec![]),
    ] {
        let settings = file(&format!("{TWO_LINES}  ami: {ami}")).unwrap();
        assert_eq!(settings.findings().iter().map(|finding| finding.code).collect::<Vec<_>>(), expected, "{ami}");
    }
}
