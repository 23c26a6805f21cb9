//! Shows that a receiver of each kind is accepted as it is meant, and that no error about one repeats a secret.

use super::{
    super::{MailTls, Means, Secret, Url, schema},
    TWO_LINES, file,
};
use crate::diagnosis::{Lang, Severity};

#[test]
fn a_receiver_of_each_kind_is_accepted_with_its_defaults() {
    let text = format!(
        "{TWO_LINES}notify:
- {{name: hook, minimumSeverity: info, webhook: {{url: 'https://hooks.example.com/x', headers: [{{name: Authorization, file: /run/secrets/hook}}]}}}}
- alertmanager: {{url: 'http://alertmanager:9093'}}
- {{language: pt-BR, slack: {{urlFile: /run/secrets/slack}}}}
- template: {{url: 'https://ntfy.example.com/pbx', body: \"{{{{ title }}}} {{{{ served.notAfter if served else '-' }}}}\"}}
- email: {{host: smtp.example.com, tls: starttls, username: pbx, passwordFile: /run/secrets/smtp, from: 'PBX <pbx@example.com>', to: [ops@example.com]}}
"
    );
    let receivers = file(&text).unwrap().notify;
    let names: Vec<_> = receivers.iter().map(|receiver| (receiver.name.as_str(), receiver.means.kind(), receiver.minimum)).collect();
    assert_eq!(
        names,
        [
            ("hook", "webhook", Severity::Info),
            ("alertmanager", "alertmanager", Severity::Warning),
            ("slack", "slack", Severity::Warning),
            ("template", "template", Severity::Warning),
            ("email", "email", Severity::Warning),
        ]
    );
    assert_eq!((receivers[0].lang, receivers[2].lang), (Lang::En, Lang::PtBr));
    let Means::Webhook(hook) = &receivers[0].means else { panic!("{receivers:?}") };
    assert_eq!(hook.headers, [("Authorization".to_owned(), Secret::File("/run/secrets/hook".into()))]);
    let Means::Slack(slack) = &receivers[2].means else { panic!("{receivers:?}") };
    assert_eq!(slack.url, Url::Secret(Secret::File("/run/secrets/slack".into())));
    let Means::Email(email) = &receivers[4].means else { panic!("{receivers:?}") };
    assert_eq!((email.tls, email.port), (MailTls::Starttls, 587));
}

#[test]
fn no_error_about_a_receiver_repeats_what_may_be_a_secret() {
    for receiver in [
        "slack: {url: hunter2}",
        "slack: {urlFile: hunter2}",
        "slack: {urlFile: [hunter2]}",
        "slack: {urlVariable: hunter2}",
        "webhook: {url: 'https://me:hunter2@example.com'}",
        "webhook: {url: 'https://example.com', headers: [{name: X, value: hunter2}]}",
        "webhook: {url: 'https://example.com', headers: [{name: X, file: hunter2}]}",
        "email: {host: a.example, from: a@b.example, to: [a@b.example], username: a, password: hunter2}",
        "email: {host: a.example, from: a@b.example, to: [a@b.example], username: a, passwordFile: hunter2}",
    ] {
        let errors = file(&format!("{TWO_LINES}notify: [{{{receiver}}}]\n")).unwrap_err();
        let said = format!("{errors} {errors:?} {}", serde_json::to_string(&errors).unwrap());
        assert!(!said.contains("hunter2"), "{receiver}: {said}");
    }
}

#[test]
fn the_schema_describes_every_kind_with_an_example_of_every_text() {
    let receiver = &schema()["properties"]["notify"]["items"];
    assert!(receiver["examples"].as_array().is_some_and(|examples| examples.len() > 2));
    for kind in super::super::RECEIVER_KINDS {
        let kind = &receiver["properties"][kind];
        assert!(kind["description"].is_string(), "{kind}");
        for (key, value) in kind["properties"].as_object().unwrap() {
            assert!(value["description"].is_string(), "{key}");
        }
    }
}
