//! Tests of the whole room: what the typed readers and the findings say of files. That the files themselves are read as Asterisk reads
//! them is shown beside a running one, in `tests/config_as_asterisk_reads_it.rs`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use proptest::prelude::*;
use secrecy::ExposeSecret as _;

use super::*;
use crate::diagnosis::{Code, Severity, Value};

type Files = BTreeMap<PathBuf, Vec<u8>>;

fn files<const N: usize>(files: [(&str, &str); N]) -> Files {
    files.into_iter().map(|(name, text)| (Path::new("/etc/asterisk").join(name), text.as_bytes().to_vec())).collect()
}

fn loaded(files: &Files) -> AsteriskConfig {
    load_from(files, Path::new("/etc/asterisk"))
}

fn http(general: &str) -> HttpConf {
    loaded(&files([("http.conf", &format!("[general]\n{general}"))])).http.unwrap()
}

/// Code, severity, file and line of everything that is found.
fn found(config: &AsteriskConfig) -> Vec<(Code, Severity, String, Option<i64>)> {
    let line = |finding: &Finding| match finding.get("line") {
        Some(Value::Number(line)) => Some(*line),
        Some(Value::Text(_) | Value::Time(_) | Value::List(_)) | None => None,
    };
    let file = |finding: &Finding| finding.get("file").map(Value::to_string).unwrap_or_default().replace("/etc/asterisk/", "");
    config.findings.iter().map(|finding| (finding.code, finding.severity, file(finding), line(finding))).collect()
}

const GOOD_HTTP: &str = "[general]\n#tryinclude starkeeper.absent\nenabled=yes\nbindaddr=127.0.0.1\ntlsenable=yes\n\
    tlsbindaddr=0.0.0.0:8089\ntlscertfile=/tls/tls.crt\ntlsprivatekey=/tls/tls.key\n";

#[test]
fn a_good_folder_has_no_findings_and_gives_addresses_and_paths() {
    let config = loaded(&files([
        ("http.conf", GOOD_HTTP),
        ("manager.conf", "[general]\nenabled=yes\nbindaddr=127.0.0.1\n[starkeeper]\nsecret=s\nread=system\nwrite=system\n"),
        ("pjsip.conf", "[wss]\ntype=transport\nprotocol=wss\nbind=0.0.0.0\n"),
    ]));
    assert_eq!(found(&config), []);
    let http = config.http.unwrap();
    assert_eq!(http.tls_bind.as_ref().unwrap().value.to_string(), "0.0.0.0:8089");
    assert_eq!(http.tls_bind.unwrap().origin, Some(Origin { file: "/etc/asterisk/http.conf".into(), line: 6 }));
    assert_eq!((http.cert.value, http.key.value), ("/tls/tls.crt".into(), "/tls/tls.key".into()));
    assert_eq!(http.heals.unwrap().how, HealsBy::AbsentFile);
    assert_eq!(config.manager.unwrap().bind.value.to_string(), "127.0.0.1:5038");
}

#[test]
fn http_listens_where_asterisk_listens() {
    let tls = "tlsenable=yes\ntlscertfile=/c\n";
    for (general, bind, tls_bind) in [
        ("enabled=yes", None, None),
        ("enabled=yes\nbindaddr=127.0.0.1", Some("127.0.0.1:8088"), Some("127.0.0.1:8089")),
        ("enabled=no\nbindaddr=127.0.0.1", None, None),
        ("enabled=no\ntlsbindaddr=127.0.0.1:8443", None, Some("127.0.0.1:8443")),
        ("tlsbindaddr=127.0.0.2", None, Some("127.0.0.2:8089")),
        ("enabled=yes\nbindaddr=127.0.0.1\ntlsbindaddr=localhost:8443", Some("127.0.0.1:8088"), Some("127.0.0.1:8089")),
        ("enabled=yes\ntlsbindaddr=localhost:8443", None, None),
        ("tlsbindaddr=127.0.0.1:1\ntlsbindaddr=[::]:8443\ntlsbindaddr=nowhere:1", None, Some("[::]:8443")),
        ("enabled=yes\nbindaddr=::1", Some("[::1]:8088"), Some("[::1]:8089")),
        ("enabled=yes\nbindaddr=127.0.0.1:9000\nbindport=9999", Some("127.0.0.1:9000"), Some("127.0.0.1:8089")),
        ("enabled=yes\nbindport=0x2000\nbindaddr=127.0.0.1", Some("127.0.0.1:8192"), Some("127.0.0.1:8089")),
        ("enabled=yes\nbindport=x\nbindaddr=pbx", Some("pbx:8088"), Some("pbx:8089")),
        ("ENABLED=Yes\nBindAddr=127.0.0.1\n[general]\nbindaddr=127.0.0.5", Some("127.0.0.1:8088"), Some("127.0.0.1:8089")),
    ] {
        let conf = http(&format!("{tls}{general}\n"));
        assert_eq!(conf.bind.map(|bind| bind.value.to_string()).as_deref(), bind, "{general}");
        assert_eq!(conf.tls_bind.map(|bind| bind.value.to_string()).as_deref(), tls_bind, "{general}");
    }
}

#[test]
fn unset_options_have_asterisks_defaults() {
    let conf = http("");
    assert!(!conf.enabled.value && !conf.tls_enabled.value);
    assert_eq!((conf.cert.value, conf.key.value), ("asterisk.pem".into(), "asterisk.pem".into()));
    assert_eq!((conf.prefix.value.as_str(), conf.session_limit.value, conf.enable_status), ("", 100, None));
    let conf = http("tlscertfile=/a\ntlsprivatekey=\nprefix=ast\nsessionlimit=0\n");
    assert_eq!((conf.ws_path().as_str(), conf.session_limit.value), ("/ast/ws", 100));
    assert_eq!(conf.key.value, PathBuf::from("/a"));
}

#[test]
fn each_fault_of_http_conf_is_found_at_its_line() {
    use Code::*;
    use Severity::*;
    let tls = "tlsenable=yes\ntlscertfile=/c\n";
    for (general, expected) in [
        (
            // The remedy of the first has all of it.
            "enabled=no\n".to_owned(),
            vec![(HttpDisabled, Error, Some(3)), (TlsDisabled, Error, None)],
        ),
        ("tlsenable=yes\n".to_owned(), vec![(HttpDisabled, Error, None), (TlsBindMissing, Error, None), (TlsPathsMissing, Error, None)]),
        (format!("{tls}tlsbindaddr=0.0.0.0\n"), vec![(HttpDisabled, Info, None)]),
        (format!("{tls}enabled=yes\ntlsbindaddr=127.0.0.1:8089\n"), vec![(TlsBindLoopback, Warning, Some(6))]),
        (format!("{tls}enabled=yes\nbindaddr=10.0.0.1\ntlsbindaddr=pbx:8089\n"), vec![(TlsBindMissing, Warning, Some(7))]),
        (format!("{tls}enabled=yes\ntlsbindaddr=pbx:8089\n"), vec![(TlsBindMissing, Error, Some(6))]),
        (
            format!("{tls}enabled=yes\nbindaddr=0.0.0.0\nprefix=ast\nsessionlimit=10\n"),
            vec![(HttpPrefixSet, Info, Some(7)), (SessionLimitLow, Warning, Some(8))],
        ),
        ("enabled=yes\nbindaddr=0.0.0.0\ntlsenable=yes\ntlscertfile=keys/c.pem\n".to_owned(), vec![(TlsPathsMissing, Warning, Some(6))]),
        ("enabled=yes\nbindaddr=0.0.0.0\ntlsenable=yes\ntlscertfile=\n".to_owned(), vec![(TlsPathsMissing, Error, Some(6))]),
        (format!("{tls}enabled=yes\nbindaddr=0.0.0.0\nnonsense\n"), vec![(ConfUnparsableLine, Warning, Some(7))]),
    ] {
        let config = loaded(&files([("http.conf", &format!("[general]\n#tryinclude a\n{general}"))]));
        let expected: Vec<_> = expected.into_iter().map(|(code, severity, line)| (code, severity, "http.conf".to_owned(), line)).collect();
        assert_eq!(found(&config), expected, "{general}");
    }
}

#[test]
fn without_an_absent_include_nothing_heals_and_a_stamp_is_known_by_its_include() {
    let text = GOOD_HTTP.replace("#tryinclude starkeeper.absent", "#include starkeeper.stamp");
    let config = loaded(&files([("http.conf", &text), ("starkeeper.stamp", "; touch me\n")]));
    assert_eq!(found(&config), [(Code::CannotHeal, Severity::Warning, "http.conf".to_owned(), None)]);
    assert_eq!(config.findings[0].get("paste"), Some(&Value::from("#tryinclude starkeeper.absent")));
    let http = config.http.unwrap();
    assert!(http.includes(Path::new("/etc/asterisk/starkeeper.stamp")) && !http.includes(Path::new("/etc/asterisk/other")));
}

#[test]
fn the_absent_file_no_longer_heals_once_it_exists() {
    let mut folder = files([("http.conf", GOOD_HTTP)]);
    assert!(loaded(&folder).http.unwrap().heals.is_some());
    folder.insert("/etc/asterisk/starkeeper.absent".into(), Vec::new());
    assert_eq!(loaded(&folder).http.unwrap().heals, None);
}

#[test]
fn a_line_that_costs_the_whole_file_is_an_error_and_says_where() {
    for (text, line) in [("[general]\nenabled=yes\n[x\n", 3), ("enabled=yes\n", 1), ("[general]\n#include gone.conf\n", 2)] {
        let config = loaded(&files([("http.conf", text)]));
        let origin = Origin { file: "/etc/asterisk/http.conf".into(), line };
        assert_eq!(config.http, Err(Absence::Dropped(origin)), "{text}");
        let expected = (Code::ConfUnparsableLine, Severity::Error, "http.conf".to_owned(), Some(i64::from(line)));
        assert_eq!(found(&config), [expected], "{text}");
    }
}

#[test]
fn an_error_in_an_included_file_costs_only_the_rest_of_that_file() {
    let text = GOOD_HTTP.replace("[general]\n", "[general]\n#include part.inc\n");
    let config = loaded(&files([("http.conf", &text), ("part.inc", "prefix=a\n[x\nprefix=b\n")]));
    let rest = (Code::ConfUnparsableLine, Severity::Warning, "part.inc".to_owned(), Some(2));
    assert_eq!(found(&config), [rest, (Code::HttpPrefixSet, Severity::Info, "part.inc".to_owned(), Some(1))]);
}

#[test]
fn an_include_outside_the_folder_may_exist_where_asterisk_lives() {
    let config = loaded(&files([("http.conf", &GOOD_HTTP.replace("#tryinclude starkeeper.absent", "#include /srv/more.conf"))]));
    assert!(config.http.is_ok());
    assert_eq!(found(&config)[0], (Code::ConfUnparsableLine, Severity::Info, "http.conf".to_owned(), Some(2)));
}

#[test]
fn a_command_may_say_what_stands_nowhere_where_it_is_allowed_to_run() {
    let http = "[general]\n#exec /usr/bin/http --of pbx\nenabled=yes\n";
    let pjsip =
        "#exec /usr/bin/endpoints\n[global](+)\nx=1\n[1001](phone)\ntype=endpoint\nwebrtc=yes\ntransport=wss\nauth=1001\naors=1001\n";
    let allowed = "[options]\nexecincludes = yes\n";
    let folder = |asterisk: &str| loaded(&files([("http.conf", http), ("pjsip.conf", pjsip), ("asterisk.conf", asterisk)]));
    let unseen = |file: &str, line| (Code::ConfUnparsableLine, Severity::Info, file.to_owned(), Some(line));
    let config = folder(allowed);
    assert_eq!(found(&config), [unseen("http.conf", 2), unseen("pjsip.conf", 1)]);
    assert_eq!(config.http.unwrap().heals.map(|heals| heals.how), Some(HealsBy::Command), "Asterisk runs it at each reload");
    let webrtc = config.webrtc.unwrap();
    assert_eq!((config.elsewhere, webrtc.endpoints, webrtc.meant, webrtc.findings), (Some("pjsip.conf"), 1, 1, Vec::new()));
    // Where it is not allowed, Asterisk goes on without it, and so it does in asterisk.conf itself.
    for asterisk in ["", "[options]\nexecincludes = no\n", "#exec /bin/echo\n[options]\n", "[options](!)\nexecincludes = yes\n"] {
        let config = folder(asterisk);
        assert!(matches!(config.webrtc, Err(Absence::Dropped(_))), "{asterisk}");
        let skipped = (Code::ConfUnparsableLine, Severity::Warning, "http.conf".to_owned(), Some(2));
        assert_eq!(found(&config)[..2], [skipped, (Code::TlsDisabled, Severity::Error, "http.conf".to_owned(), None)], "{asterisk}");
    }
}

#[test]
fn missing_files_are_typed_absences() {
    let config = loaded(&Files::new());
    assert_eq!(config.http, Err(Absence::Missing("/etc/asterisk/http.conf".into())));
    assert!(matches!(config.manager, Err(Absence::Missing(_))) && matches!(config.pjsip, Err(Absence::Missing(_))));
    let missing = [Code::HttpDisabled, Code::TlsDisabled].map(|code| (code, Severity::Error, "http.conf".to_owned(), None));
    assert_eq!(found(&config), missing);
}

#[test]
fn a_folder_in_place_of_a_file_is_typed_too() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("http.conf")).unwrap();
    assert_eq!(load(folder.path()).http, Err(Absence::NotAFile(folder.path().join("http.conf"))));
}

#[test]
fn manager_conf_gives_addresses_users_and_secrets_that_are_never_printed() {
    let text = "[general]\nenabled=yes\nbindaddr=127.0.0.1:1\nport=5040\ntlsenable=yes\ntlsbindaddr=0.0.0.0:5040\n[t](!)\nread=system\n\
        [ops](t)\nsecret=hunter2;no\nwrite=system,command\n[OPS]\nwrite=all\ndeny=0.0.0.0/0\n[General]\nsecret=no\n";
    let config = loaded(&files([("manager.conf", text)]));
    assert!(!format!("{config:?}").contains("hunter2"));
    let manager = config.manager.unwrap();
    assert_eq!(manager.bind.value.to_string(), "127.0.0.1:5040");
    assert_eq!(manager.tls_bind.value.to_string(), "0.0.0.0:5039");
    assert_eq!(manager.users.len(), 1);
    let user = manager.user("Ops").unwrap();
    assert_eq!(user.secret.as_ref().unwrap().expose_secret(), "hunter2");
    assert!(user.may_read("system") && !user.may_read("command") && user.may_write("originate"));
    assert_eq!((user.restricted.len(), user.origin.line), (1, 9));
}

#[test]
fn transports_are_found_through_their_templates_and_certificates_on_wss_are_ignored() {
    let text = "[tls](!)\ntype=transport\nprotocol=tls\ncert_file=/tls/tls.crt\npriv_key_file=/tls/tls.key\n[sips](tls)\nbind=0.0.0.0:5061\n\
        [wss](tls)\nprotocol=WSS\n[6001]\ntype=endpoint\ntransport=wss\n[6001]\ntype=auth\npassword=hunter2\n[udp]\ntype = transport\n";
    let config = loaded(&files([("http.conf", GOOD_HTTP), ("pjsip.conf", text)]));
    assert_eq!(found(&config), [(Code::WssTransportCertIgnored, Severity::Warning, "pjsip.conf".to_owned(), Some(4))]);
    let pjsip = config.pjsip.unwrap();
    let seen: Vec<_> = pjsip.transports.iter().map(|transport| (transport.name.as_str(), &transport.protocol.value)).collect();
    assert_eq!(seen, [("sips", &Protocol::Tls), ("wss", &Protocol::Wss), ("udp", &Protocol::Udp)]);
    assert_eq!(pjsip.transports[0].origin.line, 6);
    assert!(pjsip.uses(Path::new("/tls/tls.crt"), Path::new("/other")) && !pjsip.uses(Path::new("/a"), Path::new("/b")));
}

#[test]
fn a_hundred_thousand_endpoints_are_read_and_not_kept() {
    let mut text = String::from("[wss]\ntype=transport\nprotocol=wss\n[phone](!)\ntype=endpoint\ncontext=default\nwebrtc=yes\n");
    for n in 0..100_000 {
        text.push_str(&format!(
            "[{n}](phone)\naors={n}\nauth={n}\n[{n}]\ntype=auth\nusername={n}\npassword=p{n}\n[{n}]\ntype=aor\nmax_contacts=5\n"
        ));
    }
    let files = files([("pjsip.conf", &text)]);
    let conf = read(&files, Path::new("/etc/asterisk"), "pjsip.conf", webrtc::keep).unwrap();
    assert_eq!((conf.sections().count(), conf.notes.len()), (300_001, 0));
    assert!(conf.text.len() < 6 << 20, "{} bytes are kept", conf.text.len());
    assert_eq!(pjsip::pjsip_conf(&conf, Vec::new()).transports.len(), 1);
}

#[test]
fn certificates_for_media_are_read_once_for_all_endpoints_that_share_them() {
    let text = "[webrtc](!)\ntype=endpoint\nwebrtc=yes\ndtls_cert_file=/media/tls.crt\ndtls_private_key=/media/tls.key\n[alice](webrtc)\n\
        [bob](webrtc)\n[carol]\ntype=endpoint\nmedia_encryption=dtls\ndtls_cert_file=/carol.pem\n\
        [own]\ntype=endpoint\nwebrtc=yes\n[made]\ntype=endpoint\nmedia_encryption=dtls\ndtls_auto_generate_cert=yes\ndtls_cert_file=/made.pem\n\
        [plain]\ntype=endpoint\ndtls_cert_file=/unused.pem\n[not]\ntype=aor\nwebrtc=yes\ndtls_cert_file=/not.pem\n";
    let dtls = loaded(&files([("pjsip.conf", text)])).pjsip.unwrap().dtls;
    let pair = |cert: &str, key: &str, endpoint: &str, line| DtlsPair {
        cert: cert.into(),
        key: key.into(),
        endpoint: endpoint.to_owned(),
        origin: Origin { file: "/etc/asterisk/pjsip.conf".into(), line },
    };
    assert_eq!(dtls, [pair("/media/tls.crt", "/media/tls.key", "alice", 4), pair("/carol.pem", "/carol.pem", "carol", 11)]);
}

#[test]
fn a_hundred_thousand_endpoints_with_a_certificate_each_give_the_first_few() {
    let mut text = String::from("[phone](!)\ntype=endpoint\nmedia_encryption=dtls\n");
    for n in 0..100_000 {
        text.push_str(&format!("[{n}](phone)\ndtls_cert_file=/media/{n}.pem\n"));
    }
    let dtls = loaded(&files([("pjsip.conf", &text)])).pjsip.unwrap().dtls;
    assert_eq!((dtls.len(), dtls[63].endpoint.as_str()), (64, "63"));
}

#[test]
fn included_files_are_named_so_that_their_edits_are_followed() {
    let config = loaded(&files([("pjsip.conf", "#include trunks.conf\n#tryinclude gone.conf\n"), ("trunks.conf", "; nothing\n")]));
    assert_eq!(config.pjsip.unwrap().included, [PathBuf::from("/etc/asterisk/trunks.conf")]);
}

#[test]
fn files_made_to_explode_are_given_up_within_bounds() {
    let doubling = (0..40).map(|n| format!("[t{}](t{n},t{n})\nk=v\n", n + 1)).collect::<String>();
    let bases = format!("[a]\n{}[b](a{})\n", "k=v\n".repeat(1000), ",a".repeat(2000));
    let growing = format!("[a]\nk=v\n{}", "k+=vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv\n".repeat(50_000));
    let searching = format!("{}[a]\n{}", "[a](!)\n".repeat(20_000), "[a](+)\n".repeat(20_000));
    let nesting = format!("[a]\n{}", "x ;-- ".repeat(200));
    for (name, text) in [
        ("doubling", format!("[t0]\nk=v\n{doubling}")),
        ("bases", bases),
        ("growing", growing),
        ("searching", searching),
        ("nesting", nesting),
        ("includes", "[a]\nk=v\n#tryinclude http.conf\n#tryinclude http.conf\n#tryinclude http.conf\n".to_owned()),
        ("itself", "[a]\nk=v\n[a](+,a)\n[a](+,a)\n".to_owned()),
    ] {
        let files = files([("http.conf", &text)]);
        let conf = read(&files, Path::new("/etc/asterisk"), "http.conf", |_| true).unwrap();
        let entries: usize = conf.sections.iter().map(|section| section.entries.length as usize).sum();
        // Asterisk never comes back from the nesting; whatever else can be read is not called broken.
        assert_eq!(conf.dropped.is_some(), name == "nesting", "{name}: {:?}", conf.notes.last());
        assert!(entries < 3_000_000 && conf.text.len() < 80 << 20 && conf.notes.len() < 1100, "{name}: {entries}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), second in ".{0,80}") {
        let mut folder = Files::new();
        for name in ["http.conf", "manager.conf", "pjsip.conf"] {
            folder.insert(Path::new("/etc/asterisk").join(name), [b"[general]\n".as_slice(), &bytes].concat());
        }
        folder.insert("/etc/asterisk/x.inc".into(), second.into_bytes());
        let _ = loaded(&folder);
    }

    #[test]
    fn any_text_of_the_language_is_read_without_panic(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..60)) {
        let _ = loaded(&files([("http.conf", &pieces.concat()), ("x.inc", &pieces.concat())]));
    }

    #[test]
    fn any_pattern_is_expanded_without_panic(pattern in r"[a*?\[\]{},\\!^/-]{0,12}") {
        let _ = glob::expand(&files([("a", ""), ("aa/a", "")]), format!("/etc/asterisk/{pattern}").as_bytes());
    }
}

const PIECES: &[&str] = &[
    "\n",
    "[",
    "]",
    "(",
    ")",
    "!",
    "+",
    ",",
    "a",
    "b",
    "=",
    "+=",
    "=>",
    ";",
    ";--",
    "--;",
    "\\",
    "\\;",
    "#include x.inc\n",
    "[general]\n",
    "\n#tryinclude *.inc\n",
    "tlsbindaddr=",
    "bindaddr=",
    "sessionlimit=",
    "[::1]",
    ":",
    "0x",
    "99999999999999999999",
    "enabled=yes\n",
];
