//! Who does not look is told: by webhook, Slack, template, mail and a real Alertmanager, of what a real agent beside a real Asterisk 22 sees: exactly
//! what changed, in order, and nothing twice; also after a receiver was away. And the log, by which somebody asks afterwards.
#![allow(clippy::unwrap_used, reason = "a scene that cannot be set fails the test at the place where it stands")]

#[path = "notifications/listener.rs"]
mod listener;
mod support;

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use listener::{Listener, MailServer};
use serde_json::Value;
use starkeeper::clock;
use support::{
    agent::{Agent, ask, binary},
    asterisk::{Asterisk, Version},
    certs::{Authority, Writing},
    prometheus::Alertmanager,
    until, until_some,
};

const SOON: Duration = Duration::from_secs(40);
const DAY: Duration = Duration::from_secs(86_400);

fn settings(asterisk: &Asterisk, receivers: &str) -> String {
    format!("{}probe: {{interval: 1s, timeout: 500ms}}\nnotify:\n{receivers}", asterisk.settings())
}

#[track_caller]
fn serving(agent: &Agent) {
    agent.wait("the proof", SOON, |status| status["phase"] == "Serving");
}

fn pairs(told: &[(&str, &str)]) -> Vec<(String, String)> {
    told.iter().map(|(code, state)| ((*code).to_owned(), (*state).to_owned())).collect()
}

#[test]
fn a_bad_pair_a_good_one_and_an_expiring_one_are_told_in_order_and_none_twice() {
    let asterisk = Asterisk::start(Version::V22);
    let authority = Authority::new();
    let hook = Listener::start();
    let quiet = Listener::start();
    let secret = asterisk.folder().join("hook-secret");
    fs::write(&secret, "Bearer one\n").unwrap();
    let receivers = format!(
        "- {{name: hook, minimumSeverity: info, webhook: {{url: 'http://{}/hook', headers: [{{name: Authorization, file: '{}'}}]}}}}\n\
         - {{name: quiet, minimumSeverity: error, webhook: {{url: 'http://{}/quiet'}}}}\n",
        hook.address,
        secret.display(),
        quiet.address
    );
    let agent = Agent::start(&settings(&asterisk, &receivers));
    serving(&agent);
    // What stands in the fixture's own certificate from the start is told, too; it is no part of the story.
    let good = authority.issue(&["pbx.example.com"]);
    good.write(&asterisk.tls(), Writing::Renames);
    agent.wait("the first rotation", SOON, |status| status["counts"]["proved"] == 1 && status["phase"] == "Serving");
    until(SOON, "the first rotation being told", || hook.told().iter().any(|(code, _)| code == "rotation-proved"));
    let before = hook.requests().len();

    // Both files change: with the old key still there, that one of them did not would be told, too (`pair-torn`).
    let other = authority.issue(&["pbx.example.com"]);
    authority.issue(&["pbx.example.com"]).with_key_of(&other).write(&asterisk.tls(), Writing::Renames);
    until(SOON, "the rejection being told", || hook.requests().len() > before);
    fs::write(&secret, "Bearer two\n").unwrap();
    let expiring = authority.leaf(&["pbx.example.com"]).valid(clock::wall() - 80 * DAY, clock::wall() + 10 * DAY).issue();
    expiring.write(&asterisk.tls(), Writing::Renames);
    let story =
        pairs(&[("key-mismatch", "firing"), ("rotation-proved", "notice"), ("leaf-expiring", "firing"), ("key-mismatch", "resolved")]);
    let of_story = || {
        let told = hook.told().split_off(before);
        told.into_iter().filter(|(code, _)| story.iter().any(|(of_story, _)| of_story == code)).collect::<Vec<_>>()
    };
    until(SOON, "the whole story", || of_story().len() >= story.len());
    // Several probes later nothing was told again.
    let probes = |status: &Value| status["counts"]["probes"]["open"].as_u64().unwrap();
    let now = probes(&agent.status());
    agent.wait("some probes", SOON, |status| probes(status) >= now + 5);
    let (mut told, mut expected) = (of_story(), story.clone());
    assert_eq!((&told[0], &told[1]), (&expected[0], &expected[1]), "{told:?}");
    // These two may come in either order: each has its own moment to last.
    told.sort();
    expected.sort();
    assert_eq!(told, expected);

    let requests = hook.requests().split_off(before);
    let json = requests[0].json();
    assert_eq!(json["served"]["fingerprintSha256"], good.fingerprint.as_str());
    assert!(json["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()) && json["host"].is_string(), "{json:#}");
    assert!(requests[0].head.to_lowercase().contains("authorization: bearer one"), "{}", requests[0].head);
    let last = requests.last().unwrap();
    assert!(last.head.to_lowercase().contains("authorization: bearer two"), "a rotated secret is used: {}", last.head);
    assert_eq!(quiet.told(), pairs(&[("key-mismatch", "firing"), ("key-mismatch", "resolved")]));
    let said = format!("{} {}", agent.log().join("\n"), agent.status());
    assert!(!said.contains("Bearer"), "no secret in the log or the status");
    let (_, metrics) = agent.get("/metrics");
    for line in [
        "starkeeper_notifications_total{receiver_kind=\"webhook\",outcome=\"failed\"} 0",
        "starkeeper_dropped_total{queue=\"notifications\"} 0",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}

#[test]
fn a_receiver_that_was_away_is_told_once_and_meanwhile_that_is_a_finding() {
    let asterisk = Asterisk::start(Version::V22);
    let authority = Authority::new();
    let (away, present) = (Listener::start(), Listener::start());
    away.answer(503);
    let receivers = format!(
        "- {{name: away, minimumSeverity: error, webhook: {{url: 'http://{}/'}}}}\n- {{name: present, webhook: {{url: 'http://{}/'}}}}\n",
        away.address, present.address
    );
    let agent = Agent::start(&settings(&asterisk, &receivers));
    serving(&agent);
    let one = authority.issue(&["pbx.example.com"]);
    authority.issue(&["pbx.example.com"]).with_key_of(&one).write(&asterisk.tls(), Writing::Renames);
    let failing = |status: &Value| {
        let found = status["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "notification-failing");
        found.map(|finding| finding["evidence"].clone())
    };
    let status = agent.wait("the finding", SOON, |status| failing(status).is_some());
    let evidence = failing(&status).unwrap();
    assert_eq!((&evidence["name"], &evidence["kind"]), (&"away".into(), &"webhook".into()));
    assert!(evidence["reason"].as_str().unwrap().contains("503"), "{evidence}");
    until(SOON, "the other receiver being told of it", || present.told().iter().any(|(code, _)| code == "notification-failing"));
    away.answer(200);
    agent.wait("its end", Duration::from_secs(90), |status| failing(status).is_none());
    assert_eq!(away.told(), pairs(&[("key-mismatch", "firing")]));
}

#[test]
fn slack_a_template_and_a_mail_over_starttls_say_it_in_their_own_ways() {
    let asterisk = Asterisk::start(Version::V22);
    let authority = Authority::new();
    let (slack, ntfy) = (Listener::start(), Listener::start());
    let folder = asterisk.folder();
    let mail = MailServer::start(folder, &authority.issue(&["localhost"]), "pbx", "s3cret-of-mail");
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let url = file("slack-url", &format!("http://{}/services/T0/hunter2\n", slack.address));
    let (password, ca) = (file("mail-password", "s3cret-of-mail\n"), file("mail-ca.pem", &authority.root_pem));
    let receivers = format!(
        "- {{minimumSeverity: error, slack: {{urlFile: '{url}'}}}}\n\
         - {{minimumSeverity: error, template: {{url: 'http://{}/pbx', method: PUT, contentType: application/json, body: '{{\"m\": {{{{ title|tojson }}}}, \"c\": \"{{{{ code }}}}\"}}'}}}}\n\
         - {{minimumSeverity: error, language: pt-BR, email: {{host: localhost, port: {}, tls: starttls, username: pbx, passwordFile: '{password}', ca: '{ca}', from: 'Starkeeper <pbx@example.com>', to: [ops@example.com, more@example.com]}}}}\n",
        ntfy.address, mail.port
    );
    let settings = settings(&asterisk, &receivers);
    let path = folder.join("starkeeper.yaml");
    fs::write(&path, &settings).unwrap();

    let (code, out) = notify(&path, &["--test"]);
    assert_eq!((code, out.as_str()), (0, "slack (slack): delivered\ntemplate (template): delivered\nemail (email): delivered\n"));
    let (code, out) = notify(&path, &["--test", "--receiver", "email", "-o", "json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["receivers"][0]["outcome"], json["receivers"].as_array().unwrap().len()), (0, &"delivered".into(), 1));
    let mails = mail.mails(2);
    assert_eq!((&mails[0]["tls"], &mails[0]["authenticated"]), (&true.into(), &true.into()));
    assert_eq!(mails[0]["to"], serde_json::json!(["ops@example.com", "more@example.com"]));
    assert!(mails[0]["subject"].as_str().unwrap().ends_with("TESTE: nada está errado"), "{}", mails[0]);
    slack.answer(404);
    fs::write(&password, "wrong-password\n").unwrap();
    let (code, out) = notify(&path, &["--test"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("slack (slack): not delivered: it answered 404") && out.contains("email (email): not delivered"), "{out}");
    assert!(!out.contains("hunter2") && !out.contains("wrong-password"), "{out}");
    assert_eq!(notify(&path, &["--test", "--receiver", "nobody"]).0, 2);
    slack.answer(200);
    fs::write(&password, "s3cret-of-mail\n").unwrap();

    let agent = Agent::start(&settings);
    serving(&agent);
    let one = authority.issue(&["pbx.example.com"]);
    let (mails_before, slack_before) = (mail.mails(2).len(), slack.requests().len());
    authority.issue(&["pbx.example.com"]).with_key_of(&one).write(&asterisk.tls(), Writing::Renames);
    let mails = mail.mails(mails_before + 1);
    one.write(&asterisk.tls(), Writing::Renames);
    let both = mail.mails(mails_before + 2);
    let told = mails.last().unwrap();
    assert!(told["subject"].as_str().unwrap().contains("a chave privada"), "{told}");
    assert!(told["body"].as_str().unwrap().contains("[key-mismatch]"), "{told}");
    assert_eq!(both.last().unwrap()["references"], told["references"], "what is resolved answers what was told");
    until(SOON, "Slack and the template being told", || slack.requests().len() >= slack_before + 2 && ntfy.requests().len() >= 4);
    let text = slack.requests()[slack_before].json()["text"].as_str().unwrap().to_owned();
    assert!(text.contains("[key-mismatch]") && text.contains("```"), "{text}");
    let put = ntfy.requests().into_iter().rev().nth(1).unwrap();
    assert!(put.head.starts_with("PUT /pbx ") && put.json()["c"] == "key-mismatch", "{put:?}");
    let said = format!("{} {}", agent.log().join("\n"), agent.status());
    assert!(!said.contains("hunter2") && !said.contains("s3cret"), "no secret in the log or the status");
}

#[test]
fn a_real_alertmanager_keeps_one_alert_through_a_restart_of_the_agent_and_ends_it() {
    let asterisk = Asterisk::start(Version::V22);
    let authority = Authority::new();
    let alertmanager = Alertmanager::start(Listener::start().address);
    let receivers = format!("- {{minimumSeverity: error, alertmanager: {{url: 'http://{}'}}}}\n", alertmanager.address);
    let settings = settings(&asterisk, &receivers);
    let agent = Agent::start(&settings);
    serving(&agent);
    let one = authority.issue(&["pbx.example.com"]);
    authority.issue(&["pbx.example.com"]).with_key_of(&one).write(&asterisk.tls(), Writing::Renames);
    let first = until_some(SOON, "the alert", || alerts(&alertmanager).pop());
    assert_eq!((&first["labels"]["alertname"], &first["labels"]["severity"]), (&"StarkeeperKeyMismatch".into(), &"error".into()));
    assert!(first["annotations"]["remedy"].is_string() && first["annotations"]["notAfter"].is_string(), "{first:#}");
    drop(agent);
    let agent = Agent::start(&settings);
    until(SOON, "the same alert again", || alerts(&alertmanager).pop().is_some_and(|alert| alert["updatedAt"] != first["updatedAt"]));
    let again = alerts(&alertmanager);
    assert_eq!((again.len(), &again[0]["fingerprint"]), (1, &first["fingerprint"]), "{again:#?}");
    one.write(&asterisk.tls(), Writing::Renames);
    until(SOON, "its end", || alerts(&alertmanager).is_empty());
    drop(agent);
}

/// The very line of the README, without the journal that it reads.
const JQ: &str = "select(.code or .phase) | [.timestamp, .level, .message, .code // .phase] | @tsv";

#[test]
fn the_log_is_json_line_by_line_with_every_code_and_silent_in_quiet_times() {
    let asterisk = Asterisk::start(Version::V22);
    let authority = Authority::new();
    let settings = format!("{}probe: {{interval: 1s, timeout: 500ms}}\nlog: {{format: auto}}\n", asterisk.settings());
    let agent = Agent::start(&settings);
    serving(&agent);
    let one = authority.issue(&["pbx.example.com"]);
    let mark = agent.mark();
    one.write(&asterisk.tls(), Writing::Renames);
    agent.wait("the rotation", SOON, |status| status["counts"]["proved"] == 1 && status["phase"] == "Serving");
    // Who reads the log may be a moment behind.
    agent.wait_line(mark, "rotation proved", SOON);
    let probes = |status: &Value| status["counts"]["probes"]["open"].as_u64().unwrap();
    let (before, mark) = (probes(&agent.status()), agent.mark());
    agent.wait("quiet probes", SOON, |status| probes(status) >= before + 5);
    assert_eq!(agent.log()[mark..], [] as [String; 0], "nothing in quiet times");
    authority.issue(&["pbx.example.com"]).with_key_of(&one).write(&asterisk.tls(), Writing::Renames);
    agent.wait("the rejection", SOON, |status| status["phase"] == "Rejected");
    agent.wait_line(mark, "\"Rejected\"", SOON);
    let lines: Vec<Value> = agent.log().iter().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    for line in &lines {
        assert!(line["timestamp"].is_string() && line["level"].is_string() && line["message"].is_string(), "{line}");
    }
    let found = lines.iter().find(|line| line["code"] == "key-mismatch").expect("a line for the finding");
    assert_eq!((&found["level"], &found["message"]), (&"WARN".into(), &"found".into()));
    let phase = lines.iter().find(|line| line["phase"] == "Rejected").expect("a line for the phase");
    assert_eq!((&phase["level"], &phase["ready"]), (&"INFO".into(), &true.into()));
    assert!(phase["codes"].as_str().unwrap().split(',').any(|code| code == "key-mismatch"), "{phase}");
    let phases: Vec<_> = lines.iter().filter(|line| line["message"] == "phase").map(|line| line["phase"].as_str().unwrap()).collect();
    assert!(phases.windows(2).all(|two| two[0] != two[1]), "one line for each change: {phases:?}");

    for readme in [include_str!("../README.md"), include_str!("../README.pt-BR.md")] {
        assert!(readme.contains(&format!("jq -r '{JQ}'")));
    }
    let mut jq = Command::new("jq").args(["-r", JQ]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("jq");
    jq.stdin.take().unwrap().write_all(agent.log().join("\n").as_bytes()).unwrap();
    let out = String::from_utf8(jq.wait_with_output().unwrap().stdout).unwrap();
    assert!(out.lines().any(|line| line.ends_with("\tfound\tkey-mismatch")), "{out}");
    assert!(out.lines().any(|line| line.ends_with("\tphase\tRejected")), "{out}");
}

/// `starkeeper notify`: its exit status and what it says on stdout.
fn notify(settings: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(binary());
    command.args(["notify", "--lang", "en", "-c"]).arg(settings).args(arguments);
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// All that are firing there.
fn alerts(alertmanager: &Alertmanager) -> Vec<Value> {
    let (code, body) = ask(alertmanager.address, "GET /api/v2/alerts?active=true", "").expect("Alertmanager's API");
    assert_eq!(code, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}
