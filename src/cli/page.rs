//! A status as the agent gives it → a page for a person. Pure: ages are counted by the agent's own clock. What another version of the
//! agent says besides is left out, and what it does not say is left empty.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{
    drawing::Pen,
    words::{self, age, moment, paint},
};
use crate::{
    diagnosis::{Finding, Lang, Severity, show::Show, texts::printable},
    report::words::{self as said, Tone},
};

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
pub(super) fn page(status: &Value, findings: &[Reported], show: &Show, pen: Pen) -> String {
    let surfaces = status["surfaces"].as_array().into_iter().flatten().map(|surface| text(&surface["surface"]).chars().count());
    let width = surfaces.chain([words::NAMES]).max().unwrap_or_default().min(WIDEST);
    let page = Page { status, now: time(&status["at"]), lang: show.lang, width, columns: show.width, pen };
    let mut out = String::new();
    page.head(&mut out);
    page.doors(&mut out);
    page.files(&mut out);
    page.ami(&mut out);
    page.rotations(&mut out);
    page.probes(&mut out);
    page.findings(&mut out, findings, show);
    out.trim_end().to_owned()
}

/// One status, and how it is shown.
pub(super) struct Page<'a> {
    pub(super) status: &'a Value,
    pub(super) now: Option<Timestamp>,
    pub(super) lang: Lang,
    /// Of the names of rows.
    width: usize,
    /// Of a whole line.
    columns: usize,
    pub(super) pen: Pen,
}

impl Page<'_> {
    pub(super) fn say(&self, en: &'static str, pt: &'static str) -> &'static str {
        match self.lang {
            Lang::En => en,
            Lang::PtBr => pt,
        }
    }

    fn head(&self, out: &mut String) {
        let phase = text(&self.status["phase"]);
        let (tone, meaning) = (said::headline(&phase, self.status["ready"]["ok"] == true, self.lang).0, said::meaning(&phase, self.lang));
        let head = format!("{}  {meaning}", paint(&phase, Style::new().bold().fg_color(Some(colour(tone).into()))));
        words::wrap(out, &head, 0, phase.chars().count() + 2, self.columns);
        let since = time(&self.status["since"]);
        let lasting = since.zip(self.now).map(|(since, now)| age(now, since, self.lang)).unwrap_or_default();
        let (ready, live) = (self.health(&self.status["ready"]), self.health(&self.status["live"]));
        self.row(out, self.say("since", "desde"), &format!("{}  ({lasting})", since.map(moment).unwrap_or_default()));
        self.row(out, self.say("ready", "pronto"), &ready);
        self.row(out, self.say("live", "vivo"), &live);
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
            let (tone, door) = said::door(surface["door"].as_str(), self.lang);
            let door = if tone == Tone::Good { door } else { paint(&door, colour(tone).on_default()) };
            self.row(out, &text(&surface["surface"]), &format!("{}{}  {door}{times}", text(&surface["address"]), text(&surface["path"])));
            if surface["served"].is_object() {
                let matches = match surface["matchesWanted"] == true {
                    true => paint(self.say("as in the files", "igual aos arquivos"), AnsiColor::Green.on_default()),
                    false => paint(self.say("not as in the files", "diferente dos arquivos"), AnsiColor::Yellow.on_default()),
                };
                self.leaf(out, self.say("served", "servido"), &surface["served"], &matches, Some(&surface["expiry"]));
            }
        }
    }

    fn files(&self, out: &mut String) {
        let files = &self.status["files"];
        let (cert, key) = (text(&files["cert"]), text(&files["key"]));
        let (tone, verdict) = said::verdict(&text(&files["verdict"]), self.lang);
        let verdict = paint(&verdict, colour(tone).on_default());
        self.row(out, self.say("files", "arquivos"), &format!("{verdict}  ({})", text(&files["watching"])));
        self.row(out, "", &cert);
        if key != cert {
            self.row(out, "", &key);
        }
        if files["published"].is_object() {
            self.leaf(out, self.say("published", "publicado"), &files["published"], "", None);
        }
        // What lies there is worth a line where it is not what is served.
        let served = &self.status["surfaces"][0];
        if files["rejectedLeaf"].is_object() {
            self.leaf(out, self.say("rejected", "rejeitado"), &files["rejectedLeaf"], "", None);
        } else if files["leaf"].is_object() && served["matchesWanted"] != true {
            self.leaf(out, self.say("wanted", "desejado"), &files["leaf"], "", None);
        }
    }

    fn ami(&self, out: &mut String) {
        let ami = &self.status["ami"];
        let (tone, link) = said::link(ami["connected"] == true, ami["fullyBooted"] == true, self.lang);
        let link = paint(link, colour(tone).on_default());
        let version = ami["version"].as_str().map(|version| format!("  AMI {}", printable(version))).unwrap_or_default();
        self.row(out, "ami", &format!("{}  {link}{version}", text(&ami["address"])));
        if let Some(by) = self.status["healing"]["by"].as_str() {
            self.row(out, self.say("healing", "cura"), &said::healing(by, self.lang));
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

    fn leaf(&self, out: &mut String, name: &str, leaf: &Value, remark: &str, expiry: Option<&Value>) {
        self.row(out, name, format!("{}  {}  {remark}", text(&leaf["subject"]), text(&leaf["keyAlgorithm"])).trim_end());
        if let Some(end) = time(&leaf["notAfter"]) {
            self.row(out, "", &words::until(end, self.now, self.lang));
        }
        if let Some(expiry) = expiry {
            self.lifetime(out, leaf, expiry);
        }
        self.row(out, "SHA-256", &text(&leaf["fingerprintSha256"]));
    }

    /// What is left of it, drawn.
    fn lifetime(&self, out: &mut String, leaf: &Value, expiry: &Value) {
        let (Some(begin), Some(end), Some(now)) = (time(&leaf["notBefore"]), time(&leaf["notAfter"]), self.now) else { return };
        let [warning, critical] = ["warningFrom", "criticalFrom"].map(|from| time(&expiry[from]).unwrap_or(end));
        let left = age(end, now, self.lang);
        let whole = age(end, begin, self.lang);
        let left = match self.lang {
            Lang::En => format!("{left} left of {whole}"),
            Lang::PtBr => format!("{left} restantes de {whole}"),
        };
        let bar = self.pen.lifetime([begin, warning, critical, end], now, self.cells(left.chars().count() + 2).min(LIFETIME));
        self.row(out, "", &format!("{bar}  {left}"));
    }

    pub(super) fn row(&self, out: &mut String, name: &str, value: &str) {
        let name = format!("{name:<width$}", width = self.width);
        words::wrap(out, &format!("{}  {value}", paint(&name, Style::new().dimmed())), 0, self.width + 2, self.columns);
    }

    /// How many characters there are for a drawing in a row that holds so many others.
    pub(super) fn cells(&self, others: usize) -> usize {
        self.columns.saturating_sub(self.width + 2 + others)
    }
}

/// The colour of what stands so.
pub(super) fn colour(tone: Tone) -> AnsiColor {
    match tone {
        Tone::Good => AnsiColor::Green,
        Tone::Busy => AnsiColor::Cyan,
        Tone::Warning => AnsiColor::Yellow,
        Tone::Bad => AnsiColor::Red,
    }
}

pub(super) fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// Whoever answers at the URL may not move the terminal's cursor.
pub(super) fn text(value: &Value) -> String {
    printable(value.as_str().unwrap_or_default())
}

pub(super) fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

fn lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

/// What another agent calls a surface is not to fill the page with blanks.
const WIDEST: usize = 32;
/// As wide as the drawing of a lifetime is of use.
const LIFETIME: usize = 44;
