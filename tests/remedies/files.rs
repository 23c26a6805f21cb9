//! What is wrong with the pair, with Asterisk's files, and with what Asterisk made of them: seen from inside.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    process::Command,
    time::Duration,
};

use super::{
    support::{
        asterisk::Version,
        bound,
        certs::{Chain, KeyKind, odd, self_signed},
        launch,
        proxy::{Kind, UPGRADE},
        until,
    },
    ward::{NAME, Row, Ward, leaf_and_rest, row},
};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = pair();
    rows.extend(listener());
    rows.extend(endpoints());
    rows.extend(modules());
    rows
}

const DAY: Duration = Duration::from_secs(86400);

fn pair() -> Vec<Row> {
    vec![
        row("cert-missing").set(|ward| fs::remove_file(ward.asterisk.cert()).unwrap()),
        row("cert-unreadable").set(|ward| forbid(ward.asterisk.cert())),
        row("cert-empty").set(|ward| fs::write(ward.asterisk.cert(), "").unwrap()),
        row("cert-not-pem").set(|ward| {
            fs::write(ward.asterisk.cert(), "This is none.\n").unwrap();
            pkcs12(ward);
        }),
        row("cert-is-der").set(|ward| {
            fs::write(ward.asterisk.cert(), odd::cert_der(&ward.pair)).unwrap();
        }),
        row("cert-is-key").set(|ward| {
            let (cert, key) = (ward.asterisk.cert().display().to_string(), ward.asterisk.key().display().to_string());
            ward.rewrite(
                "http.conf",
                &format!("tlscertfile={cert}\ntlsprivatekey={key}"),
                &format!("tlscertfile={key}\ntlsprivatekey={cert}"),
            );
        }),
        row("key-missing").set(|ward| fs::remove_file(ward.asterisk.key()).unwrap()),
        row("key-unreadable").set(|ward| forbid(ward.asterisk.key())),
        row("key-empty").set(|ward| fs::write(ward.asterisk.key(), "").unwrap()),
        row("key-not-pem").set(|ward| fs::write(ward.asterisk.key(), odd::key_der(&ward.pair)).unwrap()),
        row("key-not-pem").named("and there is a PKCS#12 file").way(1).set(|ward| {
            fs::write(ward.asterisk.key(), "This is none.\n").unwrap();
            pkcs12(ward);
        }),
        row("key-is-cert").set(|ward| {
            let key = ward.asterisk.key().display().to_string();
            let cert = ward.asterisk.cert().display().to_string();
            ward.rewrite("http.conf", &format!("tlsprivatekey={key}"), &format!("tlsprivatekey={cert}"));
        }),
        row("key-encrypted").set(|ward| ward.lay(&odd::encrypted_pkcs8(&ward.pair))),
        row("key-mismatch").set(|ward| ward.lay(&ward.authority.issue(&[NAME]).with_key_of(&ward.authority.issue(&[NAME])))),
        row("key-mismatch").named("loaded").set(|ward| {
            ward.lay(&ward.authority.issue(&[NAME]).with_key_of(&ward.authority.issue(&[NAME])));
            ward.asterisk.cli("module reload http");
        }),
        row("key-mismatch").named("from the start").set(|ward| {
            ward.lay(&ward.authority.issue(&[NAME]).with_key_of(&ward.authority.issue(&[NAME])));
            ward.restart();
        }),
        row("key-weak").pair(|_| odd::rsa_1024()),
        row("leaf-not-first").set(|ward| {
            let (leaf, rest) = leaf_and_rest(&ward.pair.cert_pem);
            ward.lay(&ward.pair.with_cert(format!("{rest}{leaf}")));
        }),
        row("leaf-expired").pair(|authority| authority.leaf(&[NAME]).expired(DAY).issue()),
        row("leaf-not-yet-valid").way(1).pair(|authority| authority.leaf(&[NAME]).not_yet(DAY).issue()),
        row("leaf-not-for-servers").pair(|authority| authority.leaf(&[NAME]).usages(&[rcgen::ExtendedKeyUsagePurpose::ClientAuth]).issue()),
        row("name-not-covered").pair(|authority| authority.issue(&["other.example.com"])),
        row("name-only-in-cn").pair(|authority| authority.leaf(&[]).common_name_only(NAME).issue()),
        row("signature-weak").on(Version::V22).pair(|authority| odd::sha1(authority, NAME)),
        row("issuer-untrusted").pair(|_| super::support::certs::Authority::named("Strangers").issue(&[NAME])),
        row("issuer-untrusted").named("a private authority").way(1).set(|ward| {
            let strange = super::support::certs::Authority::named("Private");
            ward.lay(&strange.issue(&[NAME]));
            ward.asterisk.cli("module reload http");
            ward.put("root.pem", &strange.root_pem);
            let settings = ward.work.path().join("settings.yaml");
            let text = fs::read_to_string(&settings).unwrap();
            let other = ward.put("other.pem", &ward.authority.root_pem);
            fs::write(settings, text.replace("root.pem", other.file_name().unwrap().to_str().unwrap())).unwrap();
        }),
        row("self-signed").pair(|_| self_signed(&[NAME]).issue()),
        row("chain-incomplete").pair(|authority| authority.leaf(&[NAME]).chain(Chain::LeafOnly).issue()).set(|ward| {
            ward.put("live/fullchain.pem", format!("{}{}", ward.pair.cert_pem, ward.authority.intermediate_pem));
        }),
    ]
}

fn listener() -> Vec<Row> {
    vec![
        row("http-disabled").set(|ward| {
            fs::remove_file(ward.asterisk.etc().join("http.conf")).unwrap();
            ward.restart();
        }),
        row("tls-disabled").set(|ward| {
            ward.rewrite("http.conf", "tlsenable=yes", "tlsenable=no");
            ward.asterisk.cli("module reload http");
        }),
        row("tls-bind-missing").set(|ward| {
            let port = ward.asterisk.ports.wss;
            ward.rewrite("http.conf", &format!("tlsbindaddr=127.0.0.1:{port}\n"), "tlsbindaddr=pbx.example.com\n");
            ward.restart();
        }),
        row("tls-paths-missing").set(|ward| {
            let text = fs::read_to_string(ward.asterisk.etc().join("http.conf")).unwrap();
            let without: String = text
                .lines()
                .filter(|line| !line.starts_with("tlscert") && !line.starts_with("tlspriv"))
                .map(|line| format!("{line}\n"))
                .collect();
            fs::write(ward.asterisk.etc().join("http.conf"), without).unwrap();
            ward.restart();
        }),
        row("conf-unparsable-line").set(|ward| {
            ward.rewrite("http.conf", "enabled=yes\n", "enabled=yes\nthis says nothing\n");
        }),
        row("tls-old-only").way(1).set(|ward| {
            ward.behind(Kind::Nginx,
                &format!(
                    "ssl_protocols TLSv1.1; ssl_ciphers DEFAULT@SECLEVEL=0; location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {} }}",
                    UPGRADE
                ),
                &[],
            );
        }),
        row("tls-old-suites").way(1).set(|ward| {
            let old = format!("ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-AES128-SHA; location /ws {{ proxy_pass http://127.0.0.1:{{http}}; {UPGRADE} }}");
            ward.behind_with(Kind::Nginx, &ward.authority.leaf(&[NAME]).key(KeyKind::Rsa2048).issue(), &old, &[]);
        }),
        row("port-held-by-other").set(|ward| {
            ward.asterisk.kill();
            let port = ward.asterisk.ports.wss.to_string();
            let mut command = bound("openssl");
            let (cert, key) = (ward.work.path().join("live/fullchain.pem"), ward.work.path().join("live/privkey.pem"));
            command.args(["s_server", "-quiet", "-accept", &format!("127.0.0.1:{port}"), "-cert"]).arg(cert).arg("-key").arg(key);
            let other = launch(command).unwrap();
            until(SOON, "the other program", || std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_ok());
            ward.held.push(Box::new(Ends(other)));
            ward.restart();
        }),
        row("tcp-refused").named("started with a bad pair, mended since").set(|ward| {
            let good = ward.authority.issue(&[NAME]);
            ward.lay(&good.with_key_of(&ward.authority.issue(&[NAME])));
            ward.restart();
            ward.lay(&good);
        }),
        row("tls-failed").named("dark, and the files mended since").build(|asterisk| asterisk.without_absent_include()).set(dark),
        row("listener-wedged").build(|asterisk| asterisk.without_absent_include()).set(dark),
        row("tls-serves-other").set(|ward| ward.lay(&ward.authority.issue(&[NAME]))),
        row("tls-expired").named("renewed on disk, never loaded").pair(|authority| authority.leaf(&[NAME]).expired(DAY).issue()).set(
            |ward| {
                ward.lay(&ward.authority.issue(&[NAME]));
            },
        ),
        row("dns-failed").set(|ward| {
            let settings = ward.work.path().join("settings.yaml");
            let text = fs::read_to_string(&settings).unwrap();
            fs::write(settings, text + "wss: {address: \"nowhere.invalid:8089\"}\n").unwrap();
        }),
    ]
}

fn endpoints() -> Vec<Row> {
    vec![
        row("wss-transport-missing").set(|ward| ward.rewrite("pjsip.conf", "protocol=wss", "protocol=none")),
        row("endpoint-not-webrtc").set(|ward| ward.rewrite("pjsip.conf", "webrtc=yes", "transport=wss")),
        row("endpoint-transport-unknown").set(|ward| ward.rewrite("pjsip.conf", "webrtc=yes", "webrtc=yes\ntransport=gone")),
        row("endpoint-auth-missing").set(|ward| {
            ward.rewrite("pjsip.conf", "[webrtc]\ntype=auth", "[webrtc-auth]\ntype=auth");
            ward.asterisk.cli("module reload res_pjsip.so");
        }),
        row("endpoint-aor-missing").set(|ward| {
            ward.rewrite("pjsip.conf", "[webrtc]\ntype=aor", "[another]\ntype=aor");
            ward.asterisk.cli("module reload res_pjsip.so");
        }),
        row("aor-no-contacts").set(|ward| ward.rewrite("pjsip.conf", "max_contacts=5\n", "")),
        row("aor-no-contacts").named("of a wizard").build(|asterisk| {
            let wizard = "[2001]\ntype=wizard\naccepts_auth=yes\naccepts_registrations=yes\nendpoint/webrtc=yes\nendpoint/allow=!all,ulaw\n\
                          inbound_auth/username=2001\ninbound_auth/password=x\n";
            asterisk.load("res_pjsip_config_wizard.so").file("pjsip_wizard.conf", wizard)
        }),
        row("rtp-ice-disabled").set(|ward| {
            ward.rewrite("rtp.conf", "[general]\n", "[general]\nicesupport=no\n");
        }),
    ]
}

fn modules() -> Vec<Row> {
    vec![
        row("module-noload").build(|asterisk| asterisk.noload("res_srtp.so")),
        row("module-noload").named("autoload = no").set(|ward| ward.rewrite("modules.conf", "load = res_srtp.so\n", "")),
        row("module-not-running").build(|asterisk| asterisk.noload("res_pjsip_transport_websocket.so")),
        row("chan-sip-conflict").on(Version::V16).build(|asterisk| asterisk.chan_sip()),
    ]
}

/// A bad pair was loaded, and a good one lies there since.
fn dark(ward: &mut Ward) {
    let good = ward.authority.issue(&[NAME]);
    ward.lay(&good.with_key_of(&ward.authority.issue(&[NAME])));
    ward.asterisk.cli("module reload http");
    ward.lay(&good);
}

/// What a renewal that ran as root leaves.
fn forbid(file: &std::path::Path) {
    chown(file, Some(0), Some(0)).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

/// What an authority sends to those who asked for PKCS#12.
fn pkcs12(ward: &Ward) {
    let file = |name: &str| ward.work.path().join(name);
    let made = Command::new("openssl")
        .args(["pkcs12", "-export", "-passout", "pass:lab", "-out"])
        .arg(file("FILE.p12"))
        .arg("-in")
        .arg(file("live/fullchain.pem"))
        .arg("-inkey")
        .arg(file("live/privkey.pem"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

const SOON: Duration = Duration::from_secs(20);

struct Ends(std::process::Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
