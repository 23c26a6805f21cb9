//! What can be said of a chain beyond that it is refused: where the missing link is, how long it lives; and a server that speaks only what
//! browsers have given up.

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Stdio},
    time::Duration,
};

use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use starkeeper::clock;
use tempfile::TempDir;

use crate::{
    doctor::Doctor,
    support::{
        asterisk::{Asterisk, Version},
        bound,
        certs::{Authority, Chain, KeyKind, Pair},
        launch,
        proxy::Proxy,
        until,
    },
};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn serving(pair: &Pair) -> Asterisk {
    Asterisk::build(Version::V22).pair(pair).start()
}

#[test]
fn a_missing_intermediate_is_fetched_where_the_leaf_says_and_the_line_that_mends_it_is_given() {
    let authority = Authority::new();
    let web = tempfile::tempdir().unwrap();
    let der = CertificateDer::from_pem_slice(authority.intermediate_pem.as_bytes()).unwrap();
    fs::write(web.path().join("middle.der"), &der).unwrap();
    fs::write(web.path().join("middle.pem"), &authority.intermediate_pem).unwrap();
    fs::write(web.path().join("stranger.pem"), Authority::named("Strangers").intermediate_pem).unwrap();
    fs::write(web.path().join("page.html"), "<html>").unwrap();
    let address = free();
    let _nginx = Proxy::plain(address, &format!("root {};", web.path().display()));
    fs::set_permissions(web.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for (name, completes) in [("middle.der", true), ("middle.pem", true), ("stranger.pem", false), ("page.html", false), ("nothing", false)]
    {
        let url = format!("http://{address}/{name}");
        let pair = authority.leaf(&["pbx.example.com"]).issuer_at(&url).chain(Chain::LeafOnly).issue();
        let report = Doctor::of(&serving(&pair)).trusting(&authority).ask();
        assert_eq!(report.told(), (1, "broken", "fail-1006", Some("tls-chain-incomplete"), vec!["tls-chain-incomplete"]), "{name}");
        let finding = &report.json["findings"][0];
        assert_eq!(finding["evidence"]["issuerUrl"], url.as_str());
        assert_eq!(finding["evidence"]["fetched"] == "the certificate that completes the chain", completes, "{name}: {finding:#}");
        assert_eq!(finding["remedy"].as_str().unwrap().contains(&format!("curl -s {url} | openssl x509")), completes, "{name}");
    }
}

#[test]
fn a_leaf_that_lives_too_long_or_not_much_longer_is_a_warning() {
    let authority = Authority::new();
    let now = clock::wall();
    for (begin, end, code) in [(now - DAY, now + 500 * DAY, "tls-validity-too-long"), (now - 80 * DAY, now + 5 * DAY, "leaf-expiring")] {
        let pair = authority.leaf(&["pbx.example.com"]).valid(begin, end).issue();
        let report = Doctor::of(&serving(&pair)).trusting(&authority).ask();
        assert_eq!(report.told(), (0, "ok", "connect", None, vec![code]), "{report:#?}");
        assert!(report.steps().contains(&"tls warning".to_owned()));
    }
}

#[test]
fn a_server_that_speaks_only_old_tls_is_named() {
    let authority = Authority::new();
    let pair = authority.issue(&["pbx.example.com"]);
    for (option, version) in [("-tls1_1", "TLS 1.1"), ("-tls1", "TLS 1.0")] {
        let server = Openssl::start(&pair, &[option, "-cipher", "DEFAULT@SECLEVEL=0"]);
        let report = server.doctor(&authority).ask();
        assert_eq!(report.told(), (1, "broken", "fail-1006", Some("tls-old-only"), vec!["tls-old-only"]), "{report:#?}");
        assert_eq!(report.json["findings"][0]["evidence"]["found"], version);
    }
}

#[test]
fn suites_of_old_are_judged_as_chromium_takes_them() {
    let authority = Authority::new();
    let ecdsa = authority.issue(&["pbx.example.com"]);
    let signs = authority.leaf(&["pbx.example.com"]).key(KeyKind::Rsa2048).issue();
    let deciphers = authority.leaf(&["pbx.example.com"]).key(KeyKind::Rsa2048).deciphers().issue();
    for (pair, version, suite, refused) in [
        (&signs, "-tls1_2", "ECDHE-RSA-AES128-SHA", None),
        (&signs, "-tls1_2", "ECDHE-RSA-AES256-SHA", None),
        (&deciphers, "-tls1_2", "AES128-GCM-SHA256", None),
        (&deciphers, "-tls1_2", "AES256-SHA", None),
        (&deciphers, "-no_tls1_3", "AES128-SHA", None),
        (&signs, "-tls1_2", "AES128-SHA", Some("the certificate's key usage lacks keyEncipherment")),
        (&ecdsa, "-tls1_2", "ECDHE-ECDSA-AES128-SHA", Some("Chromium has no such suite")),
        (&deciphers, "-tls1_2", "DHE-RSA-AES128-GCM-SHA256", Some("Chromium has no such suite")),
    ] {
        let server = Openssl::start(pair, &[version, "-cipher", &format!("{suite}:@SECLEVEL=0")]);
        let report = server.doctor(&authority).with(&["--thorough"]).ask();
        let expected = match refused {
            None => (0, "ok", "connect", None, vec!["tls-old-suites"]),
            Some(_) => (1, "broken", "fail-1006", Some("tls-old-suites"), vec!["tls-old-suites"]),
        };
        assert_eq!(report.told(), expected, "{suite}: {report:#?}");
        let evidence = &report.json["findings"][0]["evidence"];
        assert_eq!((evidence["found"].as_str(), evidence["reason"].as_str()), (Some(suite), refused));
        let lacks = report.json["unchecked"].as_array().unwrap().iter().any(|unchecked| unchecked["what"] == "upgrade");
        assert_eq!(lacks, refused.is_none(), "{suite}: what a browser meets behind it is not known");
        let versions = report.evidence("tls-versions");
        assert_eq!((&versions["TLS 1.3"], &versions["TLS 1.2"]), (&"refused".into(), &"taken".into()), "{suite}");
    }
}

/// `openssl s_server`, until dropped.
struct Openssl {
    server: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Openssl {
    fn start(pair: &Pair, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pair.pem");
        fs::write(&path, pair.combined().cert_pem).unwrap();
        let address = free();
        let mut command = bound("openssl");
        command.arg("s_server").args(options).args(["-www", "-quiet", "-accept", &address.to_string(), "-cert"]).arg(&path);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = launch(command).unwrap();
        until(Duration::from_secs(10), "openssl s_server", || TcpStream::connect(address).is_ok());
        Self { server, address, _folder: folder }
    }

    fn doctor(&self, authority: &Authority) -> Doctor {
        Doctor::at("wss://pbx.example.com:8089/ws").connect(self.address).trusting(authority)
    }
}

impl Drop for Openssl {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
