//! Shows what is refused: each mistake by its kind, its line and its key, all of them in one run, none of them with a secret.

use proptest::prelude::*;

use super::{
    super::{Kind, Place},
    FILE, Given, TWO_LINES, file, refused,
};

#[test]
fn each_mistake_is_named_with_its_kind_line_and_key() {
    use Kind::*;
    for (lines, kind, key) in [
        ("asterisc: {}", UnknownKey, "asterisc"),
        ("probe: {intervall: 10s}", UnknownKey, "probe.intervall"),
        ("1: x", UnknownKey, ""),
        ("[a]: x", UnknownKey, ""),
        ("<<: x", Syntax, ""),
        ("probe: {timeout: 1s, timeout: 2s}", DuplicateKey, "probe.timeout"),
        ("asterisk: {}", DuplicateKey, "asterisk"),
        ("probe: 10s", WrongType, "probe"),
        ("probe: [10s]", WrongType, "probe"),
        ("probe: {interval: 10}", WrongType, "probe.interval"),
        ("probe: {interval: {s: 10}}", WrongType, "probe.interval"),
        ("wss: {path: 1}", WrongType, "wss.path"),
        ("certificate: {names: pbx.example.com}", WrongType, "certificate.names"),
        ("certificate: {names: [pbx.example.com, 1]}", WrongType, "certificate.names[1]"),
        ("certificate: {names: [pbx.example.com, null]}", WrongType, "certificate.names[1]"),
        ("readiness: {requireTrusted: yes}", WrongType, "readiness.requireTrusted"),
        ("readiness: {requireTrusted: 'true'}", WrongType, "readiness.requireTrusted"),
        ("expiry: {lifetimeFraction: 33%}", WrongType, "expiry.lifetimeFraction"),
        ("expiry: {lifetimeFraction: .nan}", WrongType, "expiry.lifetimeFraction"),
        ("expiry: {lifetimeFraction: .inf}", WrongType, "expiry.lifetimeFraction"),
        ("reload: {http: 1}", WrongType, "reload.http"),
        ("reload: {http: allways}", UnknownValue, "reload.http"),
        ("reload: {pjsip: off}", UnknownValue, "reload.pjsip"),
        ("liveness: {policy: restart-helps}", UnknownValue, "liveness.policy"),
        ("log: {format: yaml}", UnknownValue, "log.format"),
        ("certificate: {trust: sytem}", UnknownValue, "certificate.trust"),
        ("certificate: {trust: ca.pem}", UnknownValue, "certificate.trust"),
        ("probe: {interval: '10'}", BadDuration, "probe.interval"),
        ("probe: {interval: 0s}", BadDuration, "probe.interval"),
        ("probe: {interval: 10 s}", BadDuration, "probe.interval"),
        ("probe: {interval: 1.5s}", BadDuration, "probe.interval"),
        ("probe: {interval: -1s}", BadDuration, "probe.interval"),
        ("probe: {interval: ''}", BadDuration, "probe.interval"),
        ("probe: {interval: s}", BadDuration, "probe.interval"),
        ("probe: {interval: 3weeks}", BadDuration, "probe.interval"),
        ("liveness: {after: 99999999999999999999s}", BadDuration, "liveness.after"),
        ("liveness: {after: 18446744073709551615d}", BadDuration, "liveness.after"),
        ("liveness: {after: 40000d}", BadDuration, "liveness.after"),
        ("wss: {address: '127.0.0.1'}", BadAddress, "wss.address"),
        ("wss: {address: '::1:8089'}", BadAddress, "wss.address"),
        ("wss: {address: '[::1]'}", BadAddress, "wss.address"),
        ("wss: {address: '[127.0.0.1]:1'}", BadAddress, "wss.address"),
        ("wss: {address: 'host:0'}", BadAddress, "wss.address"),
        ("wss: {address: 'host:+80'}", BadAddress, "wss.address"),
        ("wss: {address: 'host:65536'}", BadAddress, "wss.address"),
        ("wss: {address: ':8089'}", BadAddress, "wss.address"),
        ("wss: {address: 'a b:8089'}", BadAddress, "wss.address"),
        ("wss: {address: '300.1.1.1:8089'}", BadAddress, "wss.address"),
        ("wss: {address: 'wss://pbx.example.com:8089/ws'}", BadAddress, "wss.address"),
        ("http: {listen: ':9808'}", BadAddress, "http.listen"),
        ("http: {listen: 'localhost:9808'}", BadAddress, "http.listen"),
        ("http: {listen: '9808'}", BadAddress, "http.listen"),
        ("expiry: {lifetimeFraction: 33}", BadFraction, "expiry.lifetimeFraction"),
        ("expiry: {lifetimeFraction: -0.1}", BadFraction, "expiry.lifetimeFraction"),
        ("log: {level: inof}", BadLogLevel, "log.level"),
        ("log: {level: ''}", BadLogLevel, "log.level"),
        ("log: {level: 'starkeeper=loud'}", BadLogLevel, "log.level"),
        ("certificate: {names: ['pbx example']}", BadName, "certificate.names[0]"),
        ("certificate: {names: ['*']}", BadName, "certificate.names[0]"),
        ("certificate: {names: ['*.com']}", BadName, "certificate.names[0]"),
        ("certificate: {names: ['a.*.example.com']}", BadName, "certificate.names[0]"),
        ("certificate: {names: ['bücher.example']}", BadName, "certificate.names[0]"),
        ("certificate: {names: ['wss://pbx.example.com:8089/ws']}", BadName, "certificate.names[0]"),
        ("certificate: {names: ['pbx.example.com.']}", BadName, "certificate.names[0]"),
        ("wss: {serverName: '*.example.com'}", BadName, "wss.serverName"),
        ("wss: {path: ws}", BadPath, "wss.path"),
        ("wss: {path: ''}", BadPath, "wss.path"),
        ("wss: {path: '/w s'}", BadPath, "wss.path"),
        ("wss: {path: \"/ws HTTP/1.1\\r\\nX: y\"}", BadPath, "wss.path"),
        ("wss: {origin: \"https://a\\r\\nX: y\"}", BadOrigin, "wss.origin"),
        ("wss: {origin: phone.example.com}", BadOrigin, "wss.origin"),
        ("wss: {origin: 'https://phone.example.com/'}", BadOrigin, "wss.origin"),
        ("certificate: {cert: ''}", BadPath, "certificate.cert"),
        ("certificate: {stamp: \"a\\0b\"}", BadPath, "certificate.stamp"),
        ("certificate: {key: /tls/tls.key}", Contradiction, "certificate.key"),
        ("probe: {interval: 1s}", Contradiction, "probe.interval"),
        ("probe: {timeout: 11s}", Contradiction, "probe.interval"),
        ("expiry: {warning: 6d}", Contradiction, "expiry.critical"),
        ("readiness: {requireTrusted: true}\ncertificate: {trust: none}", Contradiction, "readiness.requireTrusted"),
        ("certificate: {publish: {directory: /run/tls}}", Contradiction, "certificate.publish"),
        ("certificate: {publish: /run/tls}", WrongType, "certificate.publish"),
        ("certificate: {publish: {mode: '0440'}}", MissingKey, "certificate.publish.directory"),
        ("certificate: {cert: /a/b, publish: {directory: ''}}", BadPath, "certificate.publish.directory"),
        ("certificate: {cert: /a/b, publish: {directory: /r, group: 5}}", UnknownKey, "certificate.publish.group"),
        ("certificate: {cert: /a/b, publish: {directory: /r, uid: asterisk}}", WrongType, "certificate.publish.uid"),
        ("certificate: {cert: /a/b, publish: {directory: /r, gid: 4294967295}}", WrongType, "certificate.publish.gid"),
        ("certificate: {cert: /a/b, publish: {directory: /r, mode: 440}}", WrongType, "certificate.publish.mode"),
        ("certificate: {cert: /a/b, publish: {directory: /r, mode: 288}}", WrongType, "certificate.publish.mode"),
        ("certificate: {cert: /a/b, publish: {directory: /r, mode: 0o440}}", WrongType, "certificate.publish.mode"),
        ("certificate: {cert: /a/b, publish: {directory: /r, mode: '0444'}}", BadMode, "certificate.publish.mode"),
        ("certificate: {cert: /a/b, publish: {directory: /r, mode: '0442'}}", BadMode, "certificate.publish.mode"),
        ("certificate: {cert: /a/b, publish: {directory: /r, mode: '0550'}}", BadMode, "certificate.publish.mode"),
        ("certificate: {cert: /a/b, publish: {directory: /r, mode: '4440'}}", BadMode, "certificate.publish.mode"),
        ("certificate: {cert: /a/b, publish: {directory: /r, mode: '0040'}}", BadMode, "certificate.publish.mode"),
        ("certificate: {cert: /a/b, publish: {directory: /r, mode: '0480'}}", BadMode, "certificate.publish.mode"),
        ("certificate: {cert: /a/b, publish: {directory: /r, mode: u=r}}", BadMode, "certificate.publish.mode"),
        ("certificate: {cert: /a/b, publish: {directory: /r, mode: '0o440'}}", BadMode, "certificate.publish.mode"),
        ("certificate: {cert: /a/b, publish: {directory: /a}}", Contradiction, "certificate.publish.directory"),
        ("certificate: {cert: /a/b, publish: {directory: /a/../a/c/./d}}", Contradiction, "certificate.publish.directory"),
        ("certificate: {cert: /a/b, key: /k/b, publish: {directory: /k/}}", Contradiction, "certificate.publish.directory"),
        ("notify: [{url: 'https://example.com'}]", UnknownKey, "notify[0].url"),
        ("notify: {slack: {urlFile: /run/secrets/slack}}", WrongType, "notify"),
        ("notify: [{name: nobody}]", Contradiction, "notify[0]"),
        ("notify: [{slack: {urlFile: /a/b}, webhook: {url: 'https://a'}}]", Contradiction, "notify[0]"),
        ("notify: [{slack: {urlFile: /a/b}}, {slack: {urlFile: /a/c}}]", Contradiction, "notify[1]"),
        ("notify: [{slack: {}}]", MissingKey, "notify[0].slack"),
        ("notify: [{slack: {url: 'https://hooks.slack.com/services/hunter2'}}]", SecretInline, "notify[0].slack.url"),
        ("notify: [{slack: {urlFile: 'https://hooks.slack.com/services/hunter2'}}]", SecretInline, "notify[0].slack.urlFile"),
        ("notify: [{slack: {urlVariable: NOT_SET}}]", SecretUnreadable, "notify[0].slack.urlVariable"),
        ("notify: [{minimumSeverity: critical, slack: {urlFile: /a/b}}]", UnknownValue, "notify[0].minimumSeverity"),
        ("notify: [{language: fr, slack: {urlFile: /a/b}}]", UnknownValue, "notify[0].language"),
        ("notify: [{webhook: {url: 'https://me:hunter2@example.com/'}}]", SecretInline, "notify[0].webhook.url"),
        ("notify: [{webhook: {url: 'https://token@example.com/'}}]", SecretInline, "notify[0].webhook.url"),
        ("notify: [{webhook: {url: 'ftp://example.com/'}}]", BadUrl, "notify[0].webhook.url"),
        ("notify: [{webhook: {url: example.com}}]", BadUrl, "notify[0].webhook.url"),
        ("notify: [{webhook: {url: 'https://a', urlFile: /a/b}}]", Contradiction, "notify[0].webhook"),
        ("notify: [{webhook: {url: 'https://a', headers: [{name: 'a b', file: /a/b}]}}]", BadText, "notify[0].webhook.headers[0].name"),
        ("notify: [{webhook: {url: 'https://a', headers: [{name: Host, file: /a/b}]}}]", BadText, "notify[0].webhook.headers[0].name"),
        ("notify: [{webhook: {url: 'https://a', headers: [{name: X-Key}]}}]", MissingKey, "notify[0].webhook.headers[0]"),
        (
            "notify: [{webhook: {url: 'https://a', headers: [{name: X-Key, value: hunter2}]}}]",
            SecretInline,
            "notify[0].webhook.headers[0].value",
        ),
        ("notify: [{alertmanager: {}}]", MissingKey, "notify[0].alertmanager.url"),
        ("notify: [{template: {url: 'https://a', body: '{{ titel }}'}}]", BadTemplate, "notify[0].template.body"),
        ("notify: [{template: {url: 'https://a', body: '{{ title '}}]", BadTemplate, "notify[0].template.body"),
        ("notify: [{template: {url: 'https://a', body: '{{ served.subject }}'}}]", BadTemplate, "notify[0].template.body"),
        (
            "notify: [{template: {url: 'https://a', body: '{% for i in range(99999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}'}}]",
            BadTemplate,
            "notify[0].template.body",
        ),
        (
            "notify: [{template: {url: 'https://a', contentType: application/json, body: '{{ title }}'}}]",
            BadTemplate,
            "notify[0].template.body",
        ),
        ("notify: [{template: {url: 'https://a', method: GET, body: x}}]", UnknownValue, "notify[0].template.method"),
        ("notify: [{email: {host: mail.example.com, from: a@b.example, to: []}}]", BadMailbox, "notify[0].email.to"),
        ("notify: [{email: {host: mail.example.com, from: a, to: [c@d.example]}}]", BadMailbox, "notify[0].email.from"),
        (
            "notify: [{email: {host: mail.example.com, from: a@b.example, to: [c@d.example], password: hunter2}}]",
            SecretInline,
            "notify[0].email.password",
        ),
        (
            "notify: [{email: {host: mail.example.com, from: a@b.example, to: [c@d.example], username: a}}]",
            Contradiction,
            "notify[0].email",
        ),
        (
            "notify: [{email: {host: mail.example.com, tls: none, from: a@b.example, to: [c@d.example], username: a, passwordFile: /a/b}}]",
            Contradiction,
            "notify[0].email.tls",
        ),
        (
            "notify: [{email: {host: mail.example.com, tls: maybe, from: a@b.example, to: [c@d.example]}}]",
            UnknownValue,
            "notify[0].email.tls",
        ),
        ("kubernetes: {events: sometimes}", UnknownValue, "kubernetes.events"),
        ("kubernetes: {nudge: 1}", WrongType, "kubernetes.nudge"),
        ("kubernetes: {condition: on}", NoCluster, "kubernetes.condition"),
        ("kubernetes: {rotation: {order: true}}", NoCluster, "kubernetes.rotation.order"),
        ("kubernetes: {rotation: {parallelism: 0}}", Contradiction, "kubernetes.rotation.parallelism"),
        ("kubernetes: {rotation: {parallelism: two}}", WrongType, "kubernetes.rotation.parallelism"),
        ("kubernetes: {rotation: {timeout: 5}}", WrongType, "kubernetes.rotation.timeout"),
        ("kubernetes: {rotation: {timeout: 5 minutes}}", BadDuration, "kubernetes.rotation.timeout"),
        ("kubernetes: {rotation: {lease: PBX}}", BadName, "kubernetes.rotation.lease"),
        ("kubernetes: {rotation: {leas: pbx}}", UnknownKey, "kubernetes.rotation.leas"),
        ("log: {level: !secret x}", Syntax, ""),
        ("log: *nobody", Syntax, ""),
        ("log: {level: info", Syntax, ""),
        ("log:\n\tlevel: info", Syntax, ""),
        ("--- \nlog: {}", Syntax, ""),
    ] {
        let found = refused(&format!("{TWO_LINES}{lines}\n"));
        assert_eq!(found.len(), 1, "{lines}: {found:?}");
        assert_eq!((found[0].0, found[0].2.as_str()), (kind, key), "{lines}");
        assert!(found[0].1.is_some_and(|line| (3..=5).contains(&line)), "{lines}: {found:?}");
    }
}

#[test]
fn mistakes_below_asterisk_are_named_with_line_and_key() {
    use Kind::*;
    for (line, kind, key) in [
        ("ami: {adress: x}", UnknownKey, "asterisk.ami.adress"),
        ("ami: {username: 1001}", WrongType, "asterisk.ami.username"),
        ("ami: {username: ''}", BadText, "asterisk.ami.username"),
        ("ami: {username: \"a\\r\\nAction: x\"}", BadText, "asterisk.ami.username"),
        ("ami: {auth: sha256}", UnknownValue, "asterisk.ami.auth"),
        ("ami: {tls: true}", WrongType, "asterisk.ami.tls"),
        ("user: {uid: 101}", MissingKey, "asterisk.user.gid"),
        ("user: {uid: 101, gid: null}", MissingKey, "asterisk.user.gid"),
        ("user: {uid: -1, gid: 1}", WrongType, "asterisk.user.uid"),
        ("user: {uid: 4294967296, gid: 1}", WrongType, "asterisk.user.uid"),
        ("user: {uid: 1.5, gid: 1}", WrongType, "asterisk.user.uid"),
        ("user: {uid: '101', gid: 1}", WrongType, "asterisk.user.uid"),
        ("user: {uid: 1, gid: 1, groups: [a]}", WrongType, "asterisk.user.groups[0]"),
        ("user: asterisk", WrongType, "asterisk.user"),
    ] {
        let found = refused(&format!("{TWO_LINES}  {line}\n"));
        assert_eq!(found.last(), Some(&(kind, Some(3), key.to_owned())), "{line}: {found:?}");
    }
}

#[test]
fn a_mode_that_yaml_made_a_number_of_is_shown_how_to_be_quoted() {
    for mode in ["440", "288", "0o440"] {
        let errors = file(&format!("{TWO_LINES}certificate: {{cert: /a/b, publish: {{directory: /r, mode: {mode}}}}}\n")).unwrap_err();
        let remedy = errors.iter().next().unwrap().remedy.as_deref().unwrap();
        assert!(remedy.contains("`\"0440\"`"), "{mode}: {remedy}");
    }
}

#[test]
fn every_error_comes_at_once_in_the_order_of_the_file() {
    let text = "asterisk:\n  ami:\n    adress: x\n    username: 5\n  user: {uid: 1}\nprobe: {interval: soon}\nprobe: {}\nlog: {level: inof, format: xml}\n";
    let kinds: Vec<_> = refused(text).into_iter().map(|(kind, line, _)| (kind, line)).collect();
    assert_eq!(
        kinds,
        [
            (Kind::UnknownKey, Some(3)),
            (Kind::WrongType, Some(4)),
            (Kind::MissingKey, Some(5)),
            (Kind::BadDuration, Some(6)),
            (Kind::DuplicateKey, Some(7)),
            (Kind::BadLogLevel, Some(8)),
            (Kind::UnknownValue, Some(8)),
        ]
    );
}

#[test]
fn an_error_reads_like_rustc() {
    let errors = file("asterisk:\n  configDir: /etc/asterisk\n  ami:\n    adress: x\nprobe: {interval: '10'}\n").unwrap_err();
    assert_eq!(
        errors.to_string(),
        "error: asterisk.ami.adress: unknown key\n\
         \x20 --> /etc/starkeeper/starkeeper.yaml:4:5\n\
         \x20 help: did you mean `address`?\n\
         \n\
         error: probe.interval: not a duration\n\
         \x20 --> /etc/starkeeper/starkeeper.yaml:5:19\n\
         \x20 found: `10`\n\
         \x20 expected: whole numbers with their units (ms, s, m, h, d): 500ms, 10s, 1h30m, 21d\n\
         \x20 help: say the unit: `10s`\n\
         \n\
         2 errors in the settings"
    );
    let json = serde_json::to_value(&errors).unwrap();
    assert_eq!(json[0]["kind"], "unknown-key");
    assert_eq!(json[0]["place"], serde_json::json!({"file": FILE, "line": 4, "column": 5}));
}

#[test]
fn without_a_certificate_to_watch_both_ways_out_are_named() {
    for text in ["", "probe: {interval: 20s}", "certificate: {names: [a.example]}"] {
        let errors = file(text).unwrap_err();
        let error = errors.iter().next().unwrap();
        assert_eq!((errors.len(), error.kind, &error.place), (1, Kind::NothingToWatch, &Place::File(FILE.into())), "{text}");
    }
    let errors = Given::default().load().unwrap_err();
    assert_eq!(errors.iter().next().unwrap().place, Place::Nowhere);
    // A misspelt key explains it already.
    assert_eq!(refused("asterisk: {configDirr: /etc/asterisk}").len(), 1);
    assert_eq!(refused("asterisk:\n").len(), 1);
}

#[test]
fn what_is_no_settings_file_at_all_is_refused_with_one_error() {
    for (bytes, kind) in [
        (b"a: \xff\n".as_slice(), Kind::NotText),
        (b"\xff\xfea\0", Kind::NotText),
        (b"- a\n", Kind::WrongType),
        (b"just words", Kind::WrongType),
        (b"a: [", Kind::Syntax),
        (b"\0", Kind::Syntax),
        (b"{}\n---\n{}\n", Kind::Syntax),
    ] {
        let errors = Given { file: Some(bytes), ..Given::default() }.load().unwrap_err();
        assert_eq!(errors.iter().map(|error| error.kind).collect::<Vec<_>>(), [kind], "{bytes:?}");
    }
}

#[test]
fn a_second_document_is_named_as_such() {
    let errors = file("--- {}\n--- {}\n").unwrap_err();
    assert!(errors.iter().next().unwrap().found.as_deref().unwrap().contains("second document"));
}

#[test]
fn bombs_and_floods_are_refused_quickly() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let refs = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb += &format!("a{level}: &a{level} [{refs}]\n");
    }
    for (text, kind) in [
        (bomb, Kind::Syntax),
        ("[".repeat(100_000), Kind::Syntax),
        (format!("{}1", "a: {".repeat(50)), Kind::Syntax),
        ("- x\n".repeat(50_000), Kind::Syntax),
        ("x".repeat(300_000), Kind::TooLarge),
        (format!("{}: 1", "k".repeat(200_000)), Kind::Syntax),
    ] {
        assert_eq!(refused(&text)[0].0, kind, "{}", &text[..40]);
    }
}

#[test]
fn no_error_repeats_what_may_be_a_secret() {
    for line in [
        "ami: {secret: hunter2}",
        "ami: {password: hunter2}",
        "ami: {secretfile: hunter2}",
        "ami: {secretFile: hunter2}",
        "ami: {secretFile: [hunter2]}",
        "ami: {secretFile: /hunter2}",
        "ami: {secretFile: '/a/hunter2+=='}",
        "ami: {secretFile: 5550123}",
        "ami: {secretFile: \"hunter2\\n\"}",
        "ami: {secretFile: {secret: hunter2}}",
        "ami: {secrets: {secret: hunter2}, secret: hunter2}",
        "ami: {secret: \"hunter2}",
        "ami: {secret: hunter2: x}",
        "ami: {secret: *hunter2}",
        "ami: {secret: !hunter2 x}",
        "ami: {secret: @hunter2}",
        "ami: {secret: %hunter2}",
    ] {
        let errors = file(&format!("{TWO_LINES}  {line}\n")).unwrap_err();
        let all = format!("{errors} {errors:?} {}", serde_json::to_string(&errors).unwrap());
        assert!(!all.contains("hunter2") && !all.contains("5550123"), "{line}: {all}");
    }
    assert_eq!(refused(&format!("{TWO_LINES}  ami: {{secret: hunter2}}")), [(Kind::SecretInline, Some(3), "asterisk.ami.secret".into())]);
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        drop(file(&text));
    }

    #[test]
    fn arbitrary_yaml_like_text_never_panics(text in "([ \\-a-z:{}\\[\\],&*!|>'\"#%@\n\t]|asterisk: |ami: |  |\n  names: |10s|- ){0,40}") {
        drop(file(&text));
    }

    #[test]
    fn arbitrary_values_never_panic(value in any::<String>()) {
        let value = serde_json::to_string(&value).unwrap();
        let text = format!(
            "asterisk: {{configDir: {value}, ami: {{address: {value}, username: {value}, secretFile: {value}}}}}\n\
             certificate: {{cert: {value}, names: [{value}], trust: {value}}}\n\
             wss: {{address: {value}, path: {value}, serverName: {value}, origin: {value}}}\n\
             probe: {{interval: {value}}}\nhttp: {{listen: {value}}}\nlog: {{level: {value}, format: {value}}}\n"
        );
        drop(file(&text));
    }
}
