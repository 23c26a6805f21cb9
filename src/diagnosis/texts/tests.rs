//! The texts are whole: every code, both languages, the same placeholders, something to paste in each.

use std::{collections::BTreeSet, process::Command};

use super::*;
use crate::diagnosis::{Finding, Severity};

/// Each text of each code in each language: code, language, field, template.
fn every_text() -> Vec<(Code, Lang, &'static str, &'static str)> {
    let mut all = Vec::new();
    for &code in Code::ALL {
        for &lang in Lang::ALL {
            let Text { title, meaning, see, remedy } = text(code, lang);
            all.extend([("title", title), ("meaning", meaning), ("see", see), ("remedy", remedy)].map(|(f, t)| (code, lang, f, t)));
        }
    }
    all
}

fn placeholders(template: &str) -> BTreeSet<&str> {
    let mut keys = BTreeSet::new();
    let mut rest = template;
    while let Some((_, key, after)) = next_placeholder(rest) {
        keys.insert(key);
        rest = after;
    }
    keys
}

/// What each line is: a command, a line for a file, what hangs on who stands there, or prose.
fn shape(template: &str) -> Vec<&str> {
    let kind = |line: &str| ["$ ", "| ", "@ "].into_iter().find(|mark| line.starts_with(mark)).unwrap_or("prose");
    template.lines().map(kind).collect()
}

fn commands(evidence: &Evidence) -> String {
    let mut script = String::new();
    for (_, lang, _, template) in every_text() {
        let only_commands: Vec<&str> = template.lines().filter(|line| line.starts_with("$ ")).collect();
        for piece in fill(&only_commands.join("\n"), evidence, lang) {
            match piece {
                Piece::Paste(line) => script.push_str(&format!("{line}\n")),
                Piece::Prose(prose) => assert_eq!(prose, ""),
            }
        }
    }
    script
}

/// What `sh -n` complains of; it reads the script and runs nothing of it.
fn complaints(script: &str) -> String {
    String::from_utf8_lossy(&Command::new("sh").args(["-n", "-c", script]).output().unwrap().stderr).into_owned()
}

#[test]
fn every_code_says_everything_in_both_languages() {
    for (code, lang, field, template) in every_text() {
        assert!(template.chars().filter(|c| c.is_alphabetic()).count() > 5, "{code} {lang:?} {field}: {template:?}");
        for line in template.lines() {
            assert_eq!(line, line.trim_end(), "{code} {lang:?} {field}");
            let prose = !line.starts_with(['$', '|', '@']);
            assert!(!prose || (!line.contains("  ") && line == line.trim()), "{code} {lang:?} {field}: {line:?}");
        }
    }
}

#[test]
fn the_two_languages_are_told_apart_and_kept_in_step() {
    for &code in Code::ALL {
        let (english, portuguese) = (text(code, Lang::En), text(code, Lang::PtBr));
        let pairs = [
            (english.title, portuguese.title),
            (english.meaning, portuguese.meaning),
            (english.see, portuguese.see),
            (english.remedy, portuguese.remedy),
        ];
        for (number, (english, portuguese)) in pairs.into_iter().enumerate() {
            assert_eq!(placeholders(english), placeholders(portuguese), "{code}: {english}");
            assert_eq!(shape(english), shape(portuguese), "{code}: {english}");
            assert_eq!(english.contains("1006"), portuguese.contains("1006"), "{code}: {english}");
            assert!(english != portuguese || number == 2, "{code}: not translated: {english}");
        }
    }
}

#[test]
fn placeholders_are_known_and_none_is_left_where_evidence_is_missing() {
    for (code, lang, field, template) in every_text() {
        for key in placeholders(template) {
            assert!(generic(key, lang).is_some(), "{code} {lang:?} {field}: {{{key}}} is no key");
        }
        let filled = plain(&fill(template, &Evidence::default(), lang));
        assert_eq!(placeholders(&filled), BTreeSet::new(), "{code} {lang:?} {field}");
    }
}

#[test]
fn every_remedy_and_every_way_to_see_holds_something_to_paste() {
    for (code, lang, field, template) in every_text() {
        match field {
            "see" => assert!(shape(template).contains(&"$ "), "{code} {lang:?}: nothing to run"),
            "remedy" => assert!(shape(template).iter().any(|kind| *kind != "prose"), "{code} {lang:?}: nothing to do"),
            _ => assert_eq!(shape(template), ["prose"], "{code} {lang:?} {field}"),
        }
    }
}

#[test]
fn titles_are_one_short_line_and_meanings_are_brief() {
    for (code, lang, field, template) in every_text() {
        let length = template.chars().count();
        match field {
            "title" => {
                assert!(length <= 62 && !template.ends_with('.') && placeholders(template).is_empty(), "{code} {lang:?}: {template}");
            }
            "meaning" => assert!(length <= 480 && template.ends_with('.'), "{code} {lang:?}: {length}"),
            _ => {
                for line in template.lines() {
                    assert!(line.starts_with(['$', '|', '@']) || line.chars().count() <= 260, "{code} {lang:?}: {line}");
                    assert!(!line.starts_with(['$', '|', '@']) || line.chars().count() <= 125, "{code} {lang:?}: {line}");
                }
            }
        }
    }
}

#[test]
fn every_command_is_one_that_a_shell_can_read() {
    let script = commands(&Evidence::default());
    assert!(script.lines().count() > 400);
    assert_eq!(complaints(&script), "");
}

#[test]
fn no_evidence_breaks_out_of_a_command() {
    let hostile = "x'; $(touch /tmp/pwned) `id` \"\\\n# &";
    let mut evidence = Evidence::default();
    for key in ["file", "line", "address", "user", "module", "name", "port", "path", "section", "issuer", "found"] {
        evidence.0.push((key.into(), hostile.into()));
    }
    assert_eq!(complaints(&commands(&evidence)), "");
    for template in ["$ printf %s {file}", "$ printf %s 'a {file} b'", "$ printf %s a'-'{file}", "$ printf %s {file}{file}"] {
        let pieces = fill(template, &evidence, Lang::En);
        let [Piece::Paste(command)] = pieces.as_slice() else { panic!("{pieces:?}") };
        let said = String::from_utf8(Command::new("sh").args(["-c", command]).output().unwrap().stdout).unwrap();
        let literal = template["$ printf %s ".len()..].replace('\'', "").replace("{file}", &printable(hostile));
        assert_eq!(said, literal, "{command}");
    }
}

#[test]
fn commands_keep_placeholders_out_of_double_quotes() {
    for (code, lang, field, template) in every_text() {
        for line in template.lines().filter(|line| line.starts_with("$ ")) {
            assert!(placeholders(line).is_empty() || !line.contains('"'), "{code} {lang:?} {field}: {line}");
        }
    }
}

#[test]
fn nothing_from_outside_moves_the_cursor_or_turns_the_line() {
    let name = "\u{1b}[2Jpbx\u{202e}moc\r\n\u{7}é";
    assert_eq!(printable(name), "\\u{1b}[2Jpbx\\u{202e}moc\\r\\n\\u{7}é");
    let finding = Finding::new(Code::NameNotCovered).with("file", "a\u{1b}]0;x").with("name", name).with("remedyLine", "a\u{1b}b");
    for &lang in Lang::ALL {
        let all = finding.meaning(lang) + &finding.remedy(lang);
        assert!(all.chars().all(|c| c == '\n' || !c.is_control()), "{all:?}");
    }
}

#[test]
fn evidence_fills_the_text() {
    let finding = Finding::new(Code::LeafExpired)
        .with("file", "/tls/my cert.pem")
        .with("notAfter", "2026-11-01T00:00:00Z".parse::<jiff::Timestamp>().unwrap());
    assert!(finding.meaning(Lang::En).starts_with("It ended on 2026-11-01T00:00:00Z."));
    assert!(finding.meaning(Lang::PtBr).starts_with("Ele terminou em 2026-11-01T00:00:00Z."));
    let see = plain(&fill(text(Code::LeafExpired, Lang::En).see, &finding.evidence, Lang::En));
    assert!(see.contains("-in '/tls/my cert.pem' -noout"), "{see}");
}

#[test]
fn the_very_line_that_mends_it_is_given_once() {
    let count = |code: Code, line: &str| {
        let remedy = Finding::new(code).with("remedyLine", line).remedy(Lang::En);
        remedy.lines().filter(|l| l.trim() == line).count()
    };
    assert_eq!(count(Code::CannotHeal, "#tryinclude starkeeper.absent"), 1);
    assert_eq!(count(Code::AmiPermissionDenied, "write = system,command"), 1);
    let two_lines = Finding::new(Code::TlsDisabled).with("remedyLine", "first = 1\nsecond = 2").remedy(Lang::PtBr);
    assert!(two_lines.ends_with("\n    first = 1\n    second = 2"), "{two_lines}");
}

#[test]
fn json_holds_code_severity_evidence_meaning_and_remedy() {
    let finding = Finding::new(Code::TlsBindLoopback).severity(Severity::Info).with("file", "/etc/asterisk/http.conf").with("line", 4);
    let json = serde_json::to_value(finding.rendered(Lang::En)).unwrap();
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(
        keys.iter().map(|key| key.as_str()).collect::<BTreeSet<_>>(),
        BTreeSet::from(["code", "evidence", "meaning", "remedy", "severity"])
    );
    assert_eq!(json["code"], "tls-bind-loopback");
    assert_eq!(json["severity"], "info");
    assert_eq!(json["evidence"], serde_json::json!({"file": "/etc/asterisk/http.conf", "line": 4}));
    assert_eq!(json["remedy"], finding.remedy(Lang::En));
    assert!(json["remedy"].as_str().unwrap().contains("\n    tlsbindaddr = 0.0.0.0:8089\n"));
}
