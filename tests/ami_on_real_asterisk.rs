//! The AMI client on a running Asterisk 16 and 22: what fake peers can only claim.
#![allow(clippy::unwrap_used, reason = "a scene that cannot be set fails the test at the place where it stands")]

mod support;

use std::{fs, sync::Arc, time::Duration};

use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use secrecy::SecretString;
use starkeeper::{
    asterisk::ami::{AmiConnect, AmiEvent, AmiOverTls, Client, CommandFailure, ReloadStatus, Reloaded, action::Action, client},
    clock,
    diagnosis::{Code, Finding},
    settings::{Address, AmiAuth},
};
use support::{
    asterisk::{Asterisk, BOTH, SECRET},
    certs::{Authority, Writing},
};
use tokio::{runtime::Runtime, sync::mpsc, task::JoinHandle, time::timeout};

const DEADLINE: Duration = Duration::from_secs(20);

/// The client on a runtime of its own, which works while the test waits for something.
struct Ami {
    runtime: Runtime,
    client: Client,
    events: mpsc::Receiver<AmiEvent>,
    work: JoinHandle<()>,
}

impl Ami {
    fn start(connect: AmiConnect) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (sender, events) = mpsc::channel(64);
        let (client, work) = client(connect, sender);
        let work = runtime.spawn(work);
        Ami { runtime, client, events, work }
    }

    /// As the user `starkeeper`, connected, Asterisk booted.
    fn ready(connect: AmiConnect) -> Self {
        let mut ami = Self::start(connect);
        assert!(matches!(ami.event(), AmiEvent::Connected { .. }));
        assert_eq!(ami.event(), AmiEvent::FullyBooted);
        ami
    }

    fn event(&mut self) -> AmiEvent {
        within(&self.runtime, self.events.recv()).expect("a client that runs")
    }

    fn disconnected(&mut self) -> Finding {
        let event = self.event();
        let AmiEvent::Disconnected(finding) = event else { panic!("{event:?}") };
        finding
    }

    fn reload(&self, module: &str) -> Result<Reloaded, Finding> {
        within(&self.runtime, self.client.reload(module)).map_err(|failure| failure.finding)
    }

    fn log_off(self) {
        drop(self.client);
        within(&self.runtime, self.work).unwrap();
    }
}

fn within<T>(runtime: &Runtime, future: impl Future<Output = T>) -> T {
    runtime.block_on(async { timeout(DEADLINE, future).await }).expect("what must happen happens in time")
}

fn connect_to(asterisk: &Asterisk) -> AmiConnect {
    AmiConnect {
        address: Address { host: "127.0.0.1".to_owned(), port: asterisk.ports.ami },
        username: "starkeeper".to_owned(),
        secret: SecretString::from(SECRET),
        secret_file: None,
        auth: AmiAuth::Md5,
        tls: None,
        timeout: Duration::from_secs(3),
        keepalive: Duration::from_secs(10),
    }
}

/// The same as another user, who may do only this.
fn connect_with(asterisk: &Asterisk, write: &str) -> AmiConnect {
    let path = asterisk.etc().join("manager.conf");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}[{write}]\nsecret={SECRET}\nread=system\nwrite={write}\n")).unwrap();
    assert!(asterisk.manager().reload("manager").unwrap().succeeded());
    AmiConnect { username: write.to_owned(), ..connect_to(asterisk) }
}

fn done() -> AmiEvent {
    AmiEvent::Reload { module: "http".to_owned(), status: ReloadStatus::Done }
}

fn text(finding: &Finding, key: &str) -> String {
    finding.get(key).map(ToString::to_string).unwrap_or_default()
}

#[test]
fn both_ways_to_log_in_lead_to_a_reload_and_the_log_stays_quiet() {
    for version in BOTH {
        let asterisk = Asterisk::start(version);
        let mark = asterisk.mark();
        for auth in [AmiAuth::Md5, AmiAuth::Plain] {
            let mut ami = Ami::ready(AmiConnect { auth, ..connect_to(&asterisk) });
            assert_eq!(ami.reload("http"), Ok(Reloaded::Done), "{version:?}");
            assert_eq!(ami.event(), done());
            ami.log_off();
        }
        assert_eq!(asterisk.complaints(mark), Vec::<String>::new());
    }
}

#[test]
fn a_wrong_password_is_named_and_leaves_one_line_in_the_log() {
    for version in BOTH {
        let asterisk = Asterisk::start(version);
        for auth in [AmiAuth::Md5, AmiAuth::Plain] {
            let mark = asterisk.mark();
            let mut ami = Ami::start(AmiConnect { secret: SecretString::from("wrong"), auth, ..connect_to(&asterisk) });
            let finding = ami.disconnected();
            assert_eq!((finding.code, text(&finding, "said")), (Code::AmiAuthFailed, "Authentication failed".to_owned()));
            assert_eq!(ami.reload("http").unwrap_err().code, Code::AmiAuthFailed);
            assert_eq!(asterisk.complaints(mark).len(), 1);
        }
    }
}

#[test]
fn a_reload_works_with_each_class_that_allows_it_and_names_the_line_to_add_where_none_does() {
    for version in BOTH {
        let asterisk = Asterisk::start(version);
        for write in ["config", "command"] {
            let mut ami = Ami::ready(connect_with(&asterisk, write));
            assert_eq!(ami.reload("http"), Ok(Reloaded::Done), "{version:?} {write}");
            assert_eq!(ami.event(), done());
        }
        let ami = Ami::ready(connect_with(&asterisk, "call"));
        let finding = ami.reload("http").unwrap_err();
        assert_eq!((finding.code, text(&finding, "add")), (Code::AmiPermissionDenied, "write = system".to_owned()));
        assert_eq!(text(&finding, "section"), "[call]");
    }
}

#[test]
fn a_module_that_is_missing_or_cannot_be_reloaded_is_named_in_both_forms() {
    for version in BOTH {
        let asterisk = Asterisk::start(version);
        for connect in [connect_to(&asterisk), connect_with(&asterisk, "command")] {
            let ami = Ami::ready(connect);
            assert_eq!(ami.reload("nosuch").unwrap_err().code, Code::ReloadModuleMissing, "{version:?}");
            assert_eq!(ami.reload("app_echo.so").unwrap_err().code, Code::ReloadFailed, "{version:?}");
            assert_eq!(ami.reload("res_pjsip.so"), Ok(Reloaded::Done), "{version:?}");
        }
    }
}

#[test]
fn a_command_is_printed_refused_or_denied() {
    for version in BOTH {
        let asterisk = Asterisk::start(version);
        let ami = Ami::ready(connect_with(&asterisk, "command"));
        let run = |ami: &Ami, command| within(&ami.runtime, ami.client.command(command));
        assert!(run(&ami, "http show status").unwrap().iter().any(|line| line.contains("HTTPS Server Enabled and Bound")));
        assert!(matches!(run(&ami, "no such thing"), Err(CommandFailure::Refused { said }) if said[0].starts_with("No such command")));
        let ami = Ami::ready(connect_to(&asterisk));
        let Err(CommandFailure::Unanswered(finding)) = run(&ami, "http show status") else { panic!("{version:?}") };
        assert_eq!((finding.code, text(&finding, "add")), (Code::AmiPermissionDenied, "write = command".to_owned()));
    }
}

#[test]
fn the_reload_of_somebody_else_is_heard_too() {
    for version in BOTH {
        let asterisk = Asterisk::start(version);
        let mut ami = Ami::ready(connect_to(&asterisk));
        asterisk.cli("module reload http");
        assert_eq!(ami.event(), done());
    }
}

#[test]
fn a_restart_is_noticed_named_and_survived() {
    for version in BOTH {
        let asterisk = Asterisk::start(version);
        let mut ami = Ami::ready(connect_to(&asterisk));
        let _ = asterisk.manager().action("Command", &[("Command", "core restart now")]);
        let finding = ami.disconnected();
        assert_eq!(finding.code, Code::AmiRefused, "{version:?}");
        assert!(text(&finding, "said").contains("Restart: True"), "{version:?} {finding:?}");
        assert!(matches!(ami.event(), AmiEvent::Connected { .. }));
        assert_eq!(ami.event(), AmiEvent::FullyBooted);
        assert_eq!(ami.reload("http"), Ok(Reloaded::Done));
    }
}

#[test]
fn a_crash_is_noticed_and_a_new_process_found() {
    for version in BOTH {
        let mut asterisk = Asterisk::start(version);
        let mut ami = Ami::ready(connect_to(&asterisk));
        asterisk.kill();
        assert_eq!(ami.disconnected().code, Code::AmiRefused);
        assert_eq!(ami.reload("http").unwrap_err().code, Code::AmiRefused);
        asterisk.restart();
        assert!(matches!(ami.event(), AmiEvent::Connected { .. }));
        assert_eq!(ami.event(), AmiEvent::FullyBooted);
    }
}

#[test]
fn a_frozen_asterisk_is_a_timeout_and_a_thawed_one_is_found_again() {
    for version in BOTH {
        let mut asterisk = Asterisk::start(version);
        let quick = AmiConnect { timeout: Duration::from_millis(300), keepalive: Duration::from_millis(200), ..connect_to(&asterisk) };
        let mut ami = Ami::ready(quick);
        asterisk.stop();
        let frozen = clock::tick();
        let finding = ami.disconnected();
        assert_eq!((finding.code, text(&finding, "stage")), (Code::AmiTimeout, "keepalive".to_owned()));
        assert!(clock::tick() - frozen < Duration::from_secs(3));
        asterisk.cont();
        assert!(matches!(ami.event(), AmiEvent::Connected { .. }));
        assert_eq!(ami.event(), AmiEvent::FullyBooted);
    }
}

#[test]
fn a_reload_while_asterisk_boots_is_queued_and_done_after_it() {
    for version in BOTH {
        let mut asterisk = Asterisk::start(version);
        let path = asterisk.etc().join("asterisk.conf");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}execincludes = yes\n")).unwrap();
        // The dialplan is read after AMI has been opened, and takes its time.
        let path = asterisk.etc().join("extensions.conf");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("#exec \"/bin/sleep 2\"\n{text}")).unwrap();
        asterisk.kill();
        for connect in [connect_to(&asterisk), AmiConnect { username: "admin".to_owned(), ..connect_to(&asterisk) }] {
            asterisk.kill();
            let command = connect.username == "admin";
            let mut ami = Ami::start(connect);
            assert_eq!(ami.disconnected().code, Code::AmiRefused);
            let restarting = std::thread::spawn(move || {
                asterisk.restart();
                asterisk
            });
            assert!(matches!(ami.event(), AmiEvent::Connected { .. }));
            if command {
                let printed = within(&ami.runtime, ami.client.command("module reload http")).unwrap();
                assert_eq!(printed, ["Asterisk cannot reload a module yet; request queued"]);
            } else {
                assert_eq!(ami.reload("http"), Ok(Reloaded::Queued), "{version:?}");
            }
            assert_eq!(ami.event(), AmiEvent::Reload { module: "http".to_owned(), status: ReloadStatus::Queued });
            let (mut booted, mut reloaded) = (false, false);
            while !(booted && reloaded) {
                let event = ami.event();
                booted |= event == AmiEvent::FullyBooted;
                reloaded |= event == done();
            }
            asterisk = restarting.join().unwrap();
        }
    }
}

#[test]
fn ami_over_tls_is_logged_in_to_where_its_issuer_is_trusted() {
    for version in BOTH {
        let authority = Authority::new();
        let asterisk = Asterisk::build(version).pair(&authority.issue(&["localhost"])).ami_tls().start();
        let mark = asterisk.mark();
        let over_tls = |trusted: &Authority, name: &'static str| AmiConnect {
            address: Address { host: "127.0.0.1".to_owned(), port: asterisk.ports.ami_tls },
            tls: Some(trusting(trusted, name)),
            ..connect_to(&asterisk)
        };
        let mut ami = Ami::ready(over_tls(&authority, "localhost"));
        assert_eq!(ami.reload("http"), Ok(Reloaded::Done), "{version:?}");
        assert_eq!(ami.event(), done());
        // A session that is open lives through a rotation of AMI's own certificate.
        authority.issue(&["localhost"]).write(&asterisk.tls(), Writing::Renames);
        assert_eq!(ami.reload("manager"), Ok(Reloaded::Done), "{version:?}");
        assert_eq!(ami.reload("http"), Ok(Reloaded::Done), "{version:?}");
        ami.log_off();
        assert_eq!(asterisk.complaints(mark), Vec::<String>::new());
        for (trusted, name) in [(&Authority::new(), "localhost"), (&authority, "elsewhere.example.com")] {
            let finding = Ami::start(over_tls(trusted, name)).disconnected();
            assert_eq!(finding.code, Code::AmiTlsFailed, "{version:?}");
            assert!(text(&finding, "error").contains("certificate"), "{finding:?}");
        }
    }
}

fn trusting(authority: &Authority, name: &'static str) -> AmiOverTls {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.root_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    AmiOverTls { config: Arc::new(config), server_name: ServerName::try_from(name).unwrap() }
}

#[test]
fn the_largest_action_that_can_be_built_is_read_by_asterisk() {
    for version in BOTH {
        let asterisk = Asterisk::start(version);
        let ami = Ami::ready(connect_to(&asterisk));
        let longest = Action::new("Ping").with("Filler", "x".repeat(1024 - "Filler: \r\n".len())).unwrap();
        let mut most = Action::new("Ping");
        while let Ok(more) = most.clone().with("Filler", "x") {
            most = more;
        }
        for action in [longest, most] {
            let answer = within(&ami.runtime, ami.client.action(action)).unwrap();
            assert_eq!((answer.response(), answer.get("Ping")), (Some("Success"), Some("Pong")), "{version:?}");
        }
    }
}

#[test]
fn a_port_that_speaks_http_is_not_ami() {
    for version in BOTH {
        let asterisk = Asterisk::start(version);
        let http = Address { host: "127.0.0.1".to_owned(), port: asterisk.ports.http };
        let mut ami = Ami::start(AmiConnect { address: http, timeout: Duration::from_millis(500), ..connect_to(&asterisk) });
        // Asterisk's own web server waits for a request, so that only silence is seen of it.
        let finding = ami.disconnected();
        assert_eq!((finding.code, text(&finding, "stage")), (Code::AmiTimeout, "banner".to_owned()));
    }
}
