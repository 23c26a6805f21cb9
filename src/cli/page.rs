//! A status as the agent gives it → a page for a person. Pure: ages are counted by the agent's own clock. What another version of the
//! agent says besides is left out, and what it does not say is left empty.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::words::{self, age, moment, paint};
use crate::diagnosis::{Finding, Lang, Severity, show::Show, texts::printable};

/// A finding as the agent reports it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Reported {
    /// One of this version.
    Known(Finding),
    /// One of another version, in its own words.
    Other {
        code: String,
        severity: Severity,
        #[serde(default)]
        meaning: String,
        #[serde(default)]
        remedy: String,
    },
}

/// The page: what is at the top, what is wrong at the bottom, and last of all what to do about it.
pub(super) fn page(status: &Value, findings: &[Reported], show: &Show) -> String {
    let surfaces = status["surfaces"].as_array().into_iter().flatten().map(|surface| text(&surface["surface"]).chars().count());
    let width = surfaces.chain([words::NAMES]).max().unwrap_or_default().min(WIDEST);
    let page = Page { status, now: time(&status["at"]), lang: show.lang, width };
    let mut out = String::new();
    page.head(&mut out);
    page.doors(&mut out);
    page.files(&mut out);
    page.ami(&mut out);
    page.counts(&mut out);
    page.findings(&mut out, findings, show);
    out.trim_end().to_owned()
}

struct Page<'a> {
    status: &'a Value,
    now: Option<Timestamp>,
    lang: Lang,
    width: usize,
}

impl Page<'_> {
    fn say(&self, en: &'static str, pt: &'static str) -> &'static str {
        match self.lang {
            Lang::En => en,
            Lang::PtBr => pt,
        }
    }

    fn head(&self, out: &mut String) {
        let phase = text(&self.status["phase"]);
        let (colour, meaning) = self.phase(&phase);
        // Writing to a String does not fail.
        let _ = writeln!(out, "{}  {meaning}", paint(&phase, Style::new().bold().fg_color(Some(colour.into()))));
        let since = time(&self.status["since"]);
        let lasting = since.zip(self.now).map(|(since, now)| age(now, since, self.lang)).unwrap_or_default();
        let (ready, live) = (self.health(&self.status["ready"]), self.health(&self.status["live"]));
        self.row(out, self.say("since", "desde"), &format!("{}  ({lasting})", since.map(moment).unwrap_or_default()));
        self.row(out, self.say("ready", "pronto"), &ready);
        self.row(out, self.say("live", "vivo"), &live);
    }

    fn phase(&self, phase: &str) -> (AnsiColor, &'static str) {
        match phase {
            "Serving" => (
                AnsiColor::Green,
                self.say(
                    "proven: the port serves the wanted certificate and accepts `sip`",
                    "provado: a porta serve o certificado desejado e aceita `sip`",
                ),
            ),
            "Reloading" => (AnsiColor::Cyan, self.say("Asterisk was asked to load the pair", "pediu-se ao Asterisk que carregue o par")),
            "Proving" => (AnsiColor::Cyan, self.say("the port is being tried", "a porta está sendo testada")),
            "AwaitingMaterial" => {
                (AnsiColor::Yellow, self.say("there is no good pair yet, or only half of one", "ainda não há par bom, ou só metade dele"))
            }
            "Rejected" => (
                AnsiColor::Yellow,
                self.say(
                    "the newest pair must not be loaded; what is served stays",
                    "o par mais novo não pode ser carregado; o que é servido permanece",
                ),
            ),
            "Wedged" => (
                AnsiColor::Red,
                self.say(
                    "the files are good, and Asterisk's TLS listener is dead",
                    "os arquivos estão bons, e a porta TLS do Asterisk está morta",
                ),
            ),
            "Unreachable" => (AnsiColor::Red, self.say("AMI or the port does not answer", "o AMI ou a porta não responde")),
            "Stopping" => (AnsiColor::Yellow, self.say("the agent is going away", "o agente está saindo")),
            _ => (AnsiColor::Red, ""),
        }
    }

    fn health(&self, verdict: &Value) -> String {
        let reasons =
            verdict["checks"].as_array().into_iter().flatten().flat_map(|check| check["reasons"].as_array().into_iter().flatten());
        let reasons: Vec<String> = reasons.map(text).collect();
        if verdict["ok"] == true {
            paint(self.say("yes", "sim"), AnsiColor::Green.on_default())
        } else {
            paint(&format!("{}: {}", self.say("no", "não"), reasons.join(", ")), AnsiColor::Red.on_default())
        }
    }

    fn doors(&self, out: &mut String) {
        for surface in self.status["surfaces"].as_array().into_iter().flatten() {
            let times =
                ["tcp", "tls", "upgrade"].iter().filter_map(|stage| surface["millis"][stage].as_f64().map(|ms| format!("{stage} {ms:.1}")));
            let times = times.collect::<Vec<_>>().join(", ");
            let times = if times.is_empty() { times } else { format!("  {times} ms") };
            let door = match surface["door"].as_str() {
                Some("open") => self.say("open", "aberta"),
                Some("shut") => self.say("TLS, but /ws does not accept", "TLS, mas o /ws não aceita"),
                Some("dark") => self.say("every TLS handshake fails", "todo handshake TLS falha"),
                Some("cleartext") => self.say("cleartext in place of TLS", "texto claro no lugar de TLS"),
                Some("refused") => self.say("nothing listens", "nada escuta"),
                Some("unreachable") => self.say("no answer", "sem resposta"),
                Some(_) => &text(&surface["door"]),
                None => self.say("not looked at yet", "ainda não vista"),
            };
            self.row(out, &text(&surface["surface"]), &format!("{}{}  {door}{times}", text(&surface["address"]), text(&surface["path"])));
            if surface["served"].is_object() {
                let matches = match surface["matchesWanted"] == true {
                    true => paint(self.say("as in the files", "igual aos arquivos"), AnsiColor::Green.on_default()),
                    false => paint(self.say("not as in the files", "diferente dos arquivos"), AnsiColor::Yellow.on_default()),
                };
                self.leaf(out, self.say("served", "servido"), &surface["served"], &matches);
            }
        }
    }

    fn files(&self, out: &mut String) {
        let files = &self.status["files"];
        let (cert, key) = (text(&files["cert"]), text(&files["key"]));
        let verdict = match text(&files["verdict"]).as_str() {
            "good" => paint(self.say("good", "bom"), AnsiColor::Green.on_default()),
            "rejected" => paint(self.say("rejected", "rejeitado"), AnsiColor::Red.on_default()),
            "heldBack" => paint(
                self.say(
                    "held back: browsers accept what is served, and not this",
                    "retido: os navegadores aceitam o que é servido, e não este",
                ),
                AnsiColor::Yellow.on_default(),
            ),
            "none" => paint(self.say("no pair yet", "ainda sem par"), AnsiColor::Yellow.on_default()),
            other => other.to_owned(),
        };
        self.row(out, self.say("files", "arquivos"), &format!("{verdict}  ({})", text(&files["watching"])));
        self.row(out, "", &cert);
        if key != cert {
            self.row(out, "", &key);
        }
        if files["published"].is_object() {
            self.leaf(out, self.say("published", "publicado"), &files["published"], "");
        }
        // What lies there is worth a line where it is not what is served.
        let served = &self.status["surfaces"][0];
        if files["rejectedLeaf"].is_object() {
            self.leaf(out, self.say("rejected", "rejeitado"), &files["rejectedLeaf"], "");
        } else if files["leaf"].is_object() && served["matchesWanted"] != true {
            self.leaf(out, self.say("wanted", "desejado"), &files["leaf"], "");
        }
    }

    fn ami(&self, out: &mut String) {
        let ami = &self.status["ami"];
        let link = match (ami["connected"] == true, ami["fullyBooted"] == true) {
            (true, true) => paint(self.say("logged in", "conectado"), AnsiColor::Green.on_default()),
            (true, false) => paint(
                self.say("logged in, Asterisk is still booting", "conectado, o Asterisk ainda está subindo"),
                AnsiColor::Cyan.on_default(),
            ),
            (false, _) => paint(self.say("not logged in", "não conectado"), AnsiColor::Red.on_default()),
        };
        let version = ami["version"].as_str().map(|version| format!("  AMI {}", printable(version))).unwrap_or_default();
        self.row(out, "ami", &format!("{}  {link}{version}", text(&ami["address"])));
        let healing = match text(&self.status["healing"]["by"]).as_str() {
            "absentInclude" => {
                self.say("by a reload (http.conf names an absent file)", "por um reload (o http.conf indica um arquivo ausente)")
            }
            "stamp" => self.say("by touching the stamp, and a reload", "tocando o stamp, e um reload"),
            "none" => self.say("not possible: see cannot-heal", "impossível: veja cannot-heal"),
            "unknown" => self.say("unknown: http.conf is not at hand", "desconhecida: o http.conf não está à mão"),
            _ => return,
        };
        self.row(out, self.say("healing", "cura"), healing);
    }

    fn counts(&self, out: &mut String) {
        let counts = &self.status["counts"];
        let counted = format!(
            "{} {}, {} {}, {} {}",
            number(&counts["proved"]),
            self.say("proved", "provadas"),
            number(&counts["rejected"]),
            self.say("rejected", "rejeitadas"),
            number(&counts["healed"]),
            self.say("wedges healed", "travamentos curados"),
        );
        self.row(out, self.say("rotations", "rotações"), &counted);
        let last = &self.status["lastRotation"];
        if let (Some(total), Some(at)) = (last["millis"]["total"].as_f64(), time(&last["at"])) {
            let ago = self.now.map(|now| age(now, at, self.lang)).unwrap_or_default();
            let said = match self.lang {
                Lang::En => format!("the last in {total:.1} ms, {ago} ago"),
                Lang::PtBr => format!("a última em {total:.1} ms, há {ago}"),
            };
            self.row(out, "", &said);
        }
    }

    fn findings(&self, out: &mut String, findings: &[Reported], show: &Show) {
        let known: Vec<&Finding> = findings
            .iter()
            .filter_map(|reported| match reported {
                Reported::Known(finding) => Some(finding),
                Reported::Other { .. } => None,
            })
            .collect();
        if findings.is_empty() {
            self.row(out, self.say("findings", "achados"), self.say("none", "nenhum"));
            return;
        }
        out.push('\n');
        for reported in findings {
            if let Reported::Other { code, severity, meaning, remedy } = reported {
                let _ = writeln!(out, "{}[{}]: {}\n{}\n", show.severity(*severity), printable(code), lines(meaning), lines(remedy));
            }
        }
        out.push_str(&show.findings(known));
    }

    fn leaf(&self, out: &mut String, name: &str, leaf: &Value, remark: &str) {
        let until = time(&leaf["notAfter"]).map(|end| words::until(end, self.now, self.lang)).unwrap_or_default();
        self.row(out, name, format!("{}  {}  {until}  {remark}", text(&leaf["subject"]), text(&leaf["keyAlgorithm"])).trim_end());
        self.row(out, "", &format!("SHA-256 {}", text(&leaf["fingerprintSha256"])));
    }

    fn row(&self, out: &mut String, name: &str, value: &str) {
        words::row(out, self.width, name, value);
    }
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// Whoever answers at the URL may not move the terminal's cursor.
fn text(value: &Value) -> String {
    printable(value.as_str().unwrap_or_default())
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

fn lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

/// What another agent calls a surface is not to fill the page with blanks.
const WIDEST: usize = 32;
