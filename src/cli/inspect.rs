//! The running agent's `/status` → a page for a person, or the JSON as it is.

use std::{fmt::Write as _, process::ExitCode, time::Duration};

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::{Common, Output, USAGE, healthcheck, terminal};
use crate::diagnosis::Lang;

#[derive(Debug, clap::Args)]
pub(super) struct Inspect {
    /// Show it anew every second, until interrupted
    #[arg(long)]
    watch: bool,
    /// The agent to ask
    #[arg(long, env = "STARKEEPER_URL", value_name = "URL", default_value = "http://127.0.0.1:9808")]
    url: String,
}

impl Inspect {
    pub(super) fn run(&self, common: &Common) -> ExitCode {
        loop {
            let (shown, code) = self.once(common);
            if !self.watch {
                if code == USAGE {
                    terminal::err(&shown);
                } else {
                    terminal::out(&shown);
                }
                return ExitCode::from(code);
            }
            let clear = if common.output == Output::Text { "\x1b[H\x1b[2J" } else { "" };
            terminal::out(&format!("{clear}{shown}"));
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    fn once(&self, common: &Common) -> (String, u8) {
        let url = format!("{}/status", self.url.trim_end_matches('/'));
        let answer = match healthcheck::get(&url) {
            Ok(answer) => answer,
            Err(error) => return (format!("error: failed to ask the agent at {url}: {error}"), USAGE),
        };
        let Ok(status) = serde_json::from_str::<Value>(&answer.body) else {
            return (format!("error: what answers at {url} is no Starkeeper agent"), USAGE);
        };
        let code = u8::from(status["phase"] != "Serving");
        match common.output {
            Output::Json => (answer.body, code),
            Output::Text => (page(&status, common.lang()), code),
        }
    }
}

/// A status as a person reads it.
fn page(status: &Value, lang: Lang) -> String {
    let say = |en: &'static str, pt: &'static str| match lang {
        Lang::En => en,
        Lang::PtBr => pt,
    };
    let mut page = String::new();
    let phase = text(&status["phase"]);
    let colour = match phase {
        "Serving" => AnsiColor::Green,
        "Reloading" | "Proving" => AnsiColor::Cyan,
        "AwaitingMaterial" | "Rejected" => AnsiColor::Yellow,
        _ => AnsiColor::Red,
    };
    let (ready, live) = (&status["ready"], &status["live"]);
    // Writing to a String does not fail.
    let _ = writeln!(
        page,
        "{}  {} {}   {} {}   {} {}",
        paint(phase, Style::new().bold().fg_color(Some(colour.into()))),
        say("since", "desde"),
        text(&status["since"]),
        say("ready", "pronto"),
        health(ready),
        say("live", "vivo"),
        health(live),
    );
    for surface in status["surfaces"].as_array().into_iter().flatten() {
        let millis = &surface["millis"];
        let stages = ["tcp", "tls", "upgrade"].iter().filter_map(|stage| millis[stage].as_f64().map(|ms| format!("{stage} {ms:.1} ms")));
        let stages = stages.collect::<Vec<_>>().join(", ");
        let door = surface["door"].as_str().unwrap_or(say("not looked at yet", "ainda não visto"));
        row(&mut page, text(&surface["surface"]), &format!("{}{}  {door}  {stages}", text(&surface["address"]), text(&surface["path"])));
        if let Some(leaf) = surface["served"].as_object() {
            let matches = if surface["matchesWanted"] == true {
                say("as in the files", "igual aos arquivos")
            } else {
                say("not as in the files", "diferente dos arquivos")
            };
            row(&mut page, say("served", "servido"), &format!("{}  ({matches})", certificate(&Value::Object(leaf.clone()), lang)));
        }
    }
    let files = &status["files"];
    let verdict = format!("{}, {}  {}, {}", text(&files["cert"]), text(&files["key"]), text(&files["verdict"]), text(&files["watching"]));
    row(&mut page, say("files", "arquivos"), &verdict);
    if files["leaf"].is_object() {
        row(&mut page, "", &certificate(&files["leaf"], lang));
    }
    let ami = &status["ami"];
    let link = if ami["connected"] == true { say("connected", "conectado") } else { say("not connected", "não conectado") };
    row(&mut page, "ami", &format!("{}  {link} {}", text(&ami["address"]), text(&ami["version"])));
    let counts = &status["counts"];
    let counted = format!(
        "{} {}, {} {}, {} {}",
        counts["proved"],
        say("proved", "provadas"),
        counts["rejected"],
        say("rejected", "rejeitadas"),
        counts["healed"],
        say("wedges healed", "travamentos curados"),
    );
    row(&mut page, say("rotations", "rotações"), &counted);
    if let Some(total) = status["lastRotation"]["millis"]["total"].as_f64() {
        let last = format!("{} {total:.1} ms, {}", say("the last in", "a última em"), text(&status["lastRotation"]["at"]));
        row(&mut page, "", &last);
    }
    let findings = status["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    row(&mut page, say("findings", "achados"), if findings.is_empty() { say("none", "nenhum") } else { "" });
    for finding in findings {
        let code = text(&finding["code"]);
        let _ = writeln!(page, "  {}[{code}] {}", text(&finding["severity"]), text(&finding["meaning"]));
    }
    if let Some(first) = findings.first() {
        let _ = writeln!(page, "{} starkeeper explain {}", say("try:", "tente:"), text(&first["code"]));
    }
    page.trim_end().to_owned()
}

fn row(page: &mut String, name: &str, value: &str) {
    let _ = writeln!(page, "{}  {value}", paint(&format!("{name:<10}"), Style::new().dimmed()));
}

fn certificate(leaf: &Value, lang: Lang) -> String {
    let until = match lang {
        Lang::En => "until",
        Lang::PtBr => "até",
    };
    let print = text(&leaf["fingerprintSha256"]);
    format!(
        "{}  {until} {}  {}  {}…",
        text(&leaf["subject"]),
        text(&leaf["notAfter"]),
        text(&leaf["keyAlgorithm"]),
        &print.get(..16).unwrap_or(print)
    )
}

fn health(verdict: &Value) -> String {
    if verdict["ok"] == true {
        return paint("ok", Style::new().fg_color(Some(AnsiColor::Green.into())));
    }
    let reasons = verdict["checks"].as_array().into_iter().flatten().flat_map(|check| check["reasons"].as_array().into_iter().flatten());
    paint(&reasons.map(text).collect::<Vec<_>>().join(", "), Style::new().fg_color(Some(AnsiColor::Red.into())))
}

fn paint(words: &str, style: Style) -> String {
    format!("{style}{words}{style:#}")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
