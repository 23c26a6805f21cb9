//! What staging publishes, as real Asterisks read it: every path of it loads, whatever the source looked like, and belongs to Asterisk's
//! user alone.

mod support;

use std::{fs, path::Path};

use starkeeper::{
    material::{Sources, capture_pair},
    settings::Publish,
    staging::{Published, last_good, publish},
};
use support::{
    asterisk::{Asterisk, BOTH},
    certs::{Authority, KeyKind, Pair, odd},
    wire::{self, Door},
};

/// How http.conf names what is published.
const PATHS: [(&str, Option<&str>); 3] =
    [("fullchain.pem", Some("privkey.pem")), ("combined.pem", Some("combined.pem")), ("combined.pem", None)];

#[test]
fn every_published_path_loads_whatever_the_source_looked_like() {
    for version in BOTH {
        let authority = Authority::new();
        let asterisk = Asterisk::start(version);
        let settings = settings(&asterisk, 0o400);
        let mut manager = asterisk.manager();
        let windows = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n").trim_end());
        let combined = |pair: &Pair| format!("{}{}", pair.cert_pem, pair.key_pem);
        let reversed = |pair: &Pair| format!("{}{}", pair.key_pem, pair.cert_pem);
        for (kind, sources) in [
            (
                KeyKind::Rsa2048,
                [&|pair: &Pair| pair.cert_pem.clone(), &|pair: &Pair| pair.key_pem.clone()] as [&dyn Fn(&Pair) -> String; 2],
            ),
            (KeyKind::P256, [&combined, &combined]),
            (KeyKind::P256, [&reversed, &reversed]),
            (KeyKind::Ed25519, [&|pair: &Pair| windows(&pair.cert_pem), &|pair: &Pair| windows(&pair.key_pem)]),
            (KeyKind::Rsa2048, [&|pair: &Pair| windows(&combined(pair)), &|pair: &Pair| windows(&combined(pair))]),
        ] {
            for (cert, key) in PATHS {
                let pair = authority.leaf(&["localhost"]).key(kind).issue();
                let published = publish_texts(&asterisk, &settings, &sources[0](&pair), &sources[1](&pair));
                assert!(!fs::read_to_string(&published.cert).unwrap().contains("PRIVATE KEY"));
                point_http_conf_at(&asterisk, &settings.directory.join(cert), key.map(|key| settings.directory.join(key)).as_deref());
                assert!(manager.reload("http").unwrap().succeeded());
                let served = wire::served(asterisk.ports.wss).unwrap_or_else(|| panic!("{version:?} {kind:?} {cert}: dark"));
                assert_eq!((served.fingerprint, served.chain.len()), (pair.fingerprint, 2), "{version:?} {kind:?} {cert}");
            }
        }
        assert_eq!(wire::door(asterisk.ports.wss), Door::Open);
    }
}

#[test]
fn an_elliptic_key_with_its_parameters_before_it_stays_readable_in_all_three_files() {
    for version in BOTH {
        let asterisk = Asterisk::start(version);
        let settings = settings(&asterisk, 0o400);
        let mut manager = asterisk.manager();
        let pair = odd::sec1_after_parameters(&Authority::new().issue(&["localhost"]));
        let combined = format!("{}{}", pair.key_pem, pair.cert_pem);
        assert!(combined.starts_with("-----BEGIN EC PARAMETERS-----"));
        publish_texts(&asterisk, &settings, &combined, &combined);
        for (cert, key) in PATHS {
            point_http_conf_at(&asterisk, &settings.directory.join(cert), key.map(|key| settings.directory.join(key)).as_deref());
            assert!(manager.reload("http").unwrap().succeeded());
            assert_eq!(wire::door(asterisk.ports.wss), Door::Open, "{version:?} {cert}");
        }
    }
}

#[test]
fn a_rotation_needs_no_change_of_http_conf_and_the_last_good_pair_survives_a_restart_of_asterisk() {
    for version in BOTH {
        let authority = Authority::new();
        let mut asterisk = Asterisk::start(version);
        let settings = settings(&asterisk, 0o440);
        let first = authority.issue(&["localhost"]);
        publish_texts(&asterisk, &settings, &first.cert_pem, &first.key_pem);
        point_http_conf_at(&asterisk, &settings.directory.join("fullchain.pem"), Some(&settings.directory.join("privkey.pem")));
        for _ in 0..5 {
            let pair = authority.issue(&["localhost"]);
            publish_texts(&asterisk, &settings, &pair.cert_pem, &pair.key_pem);
            assert!(asterisk.manager().reload("http").unwrap().succeeded());
            assert_eq!(wire::served(asterisk.ports.wss).unwrap().fingerprint, pair.fingerprint);
            let found = capture_pair(&last_good(&settings).unwrap());
            assert_eq!(found.cert.content.unwrap().bytes(), pair.cert_pem.as_bytes());
        }
        // The source goes bad, and is not published: Asterisk comes back with what was good.
        let good = wire::served(asterisk.ports.wss).unwrap().fingerprint;
        fs::write(asterisk.tls().join("source.key"), "torn").unwrap();
        asterisk.restart();
        assert_eq!(wire::served(asterisk.ports.wss).unwrap().fingerprint, good);
    }
}

fn settings(asterisk: &Asterisk, mode: u32) -> Publish {
    Publish { directory: asterisk.folder().join("published"), uid: Some(asterisk.uid), gid: Some(asterisk.gid), mode }
}

fn publish_texts(asterisk: &Asterisk, settings: &Publish, cert: &str, key: &str) -> Published {
    let sources = Sources { cert: asterisk.tls().join("source.crt"), key: asterisk.tls().join("source.key") };
    fs::write(&sources.cert, cert).expect("the instance's folder");
    fs::write(&sources.key, key).expect("the instance's folder");
    publish(&capture_pair(&sources), settings).expect("a pair that can be published")
}

fn point_http_conf_at(asterisk: &Asterisk, cert: &Path, key: Option<&Path>) {
    let path = asterisk.etc().join("http.conf");
    let text = fs::read_to_string(&path).expect("http.conf");
    let rest = text.lines().filter(|line| !line.starts_with("tlscertfile") && !line.starts_with("tlsprivatekey"));
    let named = rest.flat_map(|line| {
        let key = key.map(|key| format!("tlsprivatekey={}", key.display()));
        let paths = [Some(format!("tlscertfile={}", cert.display())), key];
        let after = if line.trim() == "[general]" { paths } else { [None, None] };
        std::iter::once(line.to_owned()).chain(after.into_iter().flatten())
    });
    fs::write(path, named.collect::<Vec<_>>().join("\n") + "\n").expect("http.conf");
}
