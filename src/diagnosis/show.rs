//! Findings and codes → text for a terminal or a pipe. Pure: the caller decides colour, language and width, and does the writing. Lines
//! to paste are never wrapped, and the remedy comes last, where the eye is.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{
    Code, Evidence, Finding, Group, Lang, REMEDY_LINE, Severity,
    texts::{self, Piece},
};

/// How findings are shown.
#[derive(Clone, Copy, Debug)]
pub struct Show {
    /// In which language.
    pub lang: Lang,
    /// With which colours.
    pub styles: Styles,
    /// Columns to wrap prose at.
    pub width: usize,
}

/// The colours of one output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Styles {
    error: Style,
    warning: Style,
    info: Style,
    strong: Style,
    frame: Style,
    help: Style,
}

impl Styles {
    /// None at all: for a pipe, a file, `--color never`.
    pub fn plain() -> Self {
        Styles::default()
    }

    /// As rustc and cargo colour: red, yellow and blue for the severities.
    pub fn coloured() -> Self {
        Styles {
            error: AnsiColor::BrightRed.on_default().bold(),
            warning: AnsiColor::BrightYellow.on_default().bold(),
            info: AnsiColor::BrightBlue.on_default().bold(),
            strong: Style::new().bold(),
            frame: AnsiColor::BrightBlue.on_default().bold(),
            help: AnsiColor::BrightGreen.on_default().bold(),
        }
    }

    fn of(&self, severity: Severity) -> Style {
        match severity {
            Severity::Error => self.error,
            Severity::Warning => self.warning,
            Severity::Info => self.info,
        }
    }
}

impl Show {
    /// At 80 columns.
    pub fn new(lang: Lang, styles: Styles) -> Self {
        Show { lang, styles, width: 80 }
    }

    /// One finding: what it is, where, what was seen, what it means, and last what to do. Ends with a newline.
    pub fn finding(&self, finding: &Finding) -> String {
        let text = texts::text(finding.code, self.lang);
        let mut out = String::new();
        self.header(&mut out, finding.code, finding.severity, text.title);
        self.seen(&mut out, &finding.evidence);
        out.push('\n');
        self.section(&mut out, None, &texts::fill(text.meaning, &finding.evidence, self.lang));
        out.push('\n');
        self.section(&mut out, Some(self.words().help), &finding.remedy_pieces(self.lang));
        out
    }

    /// Several findings, errors first and else in their order, and how many there are. Empty for none.
    pub fn findings<'a>(&self, findings: impl IntoIterator<Item = &'a Finding>) -> String {
        let mut sorted: Vec<&Finding> = findings.into_iter().collect();
        sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        let mut out = String::new();
        for finding in &sorted {
            out.push_str(&self.finding(finding));
            out.push('\n');
        }
        if !sorted.is_empty() {
            let _ = writeln!(out, "{}", self.counts(sorted));
        }
        out
    }

    /// How many there are of each severity: `1 error, 2 warnings`. Empty for none.
    pub fn counts<'a>(&self, findings: impl IntoIterator<Item = &'a Finding>) -> String {
        let severities: Vec<Severity> = findings.into_iter().map(|finding| finding.severity).collect();
        let counts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Info]
            .into_iter()
            .map(|severity| (severity, severities.iter().filter(|other| **other == severity).count()))
            .filter(|(_, count)| *count > 0)
            .map(|(severity, count)| paint(self.styles.of(severity), &format!("{count} {}", self.counted(severity, count))))
            .collect();
        counts.join(", ")
    }

    /// The page of one code: title, meaning, on what that rests, how to see it, what to do.
    pub fn explain(&self, code: Code) -> String {
        let text = texts::text(code, self.lang);
        let nothing = Evidence::default();
        let mut out = String::new();
        self.header(&mut out, code, code.severity(), text.title);
        out.push('\n');
        self.section(&mut out, None, &texts::fill(text.meaning, &nothing, self.lang));
        out.push('\n');
        self.section(&mut out, Some(self.words().source), &[Piece::Prose(texts::source(code, self.lang))]);
        out.push('\n');
        self.section(&mut out, Some(self.words().see), &texts::fill(text.see, &nothing, self.lang));
        out.push('\n');
        self.section(&mut out, Some(self.words().help), &texts::remedy(code, &nothing, self.lang));
        out
    }

    /// Every code with its title, by group: what there is to explain.
    pub fn codes(&self) -> String {
        let column = Code::ALL.iter().map(|code| code.name().len()).max().unwrap_or_default();
        let mut out = String::new();
        let mut group = None;
        for &code in Code::ALL {
            if group != Some(code.group()) {
                let gap = if group.is_none() { "" } else { "\n" };
                let _ = writeln!(out, "{gap}{}", paint(self.styles.strong, group_title(code.group(), self.lang)));
                group = Some(code.group());
            }
            let padding = " ".repeat(column - code.name().len() + 2);
            let _ = write!(out, "  {}{padding}", paint(self.styles.of(code.severity()), code.name()));
            wrap(&mut out, texts::text(code, self.lang).title, column + 4, column + 4, self.width);
        }
        out
    }

    /// One paragraph, wrapped. Its first line begins at `column`, later ones with `indent` spaces. Ends with a newline.
    pub fn paragraph(&self, text: &str, column: usize, indent: usize) -> String {
        let mut out = String::new();
        wrap(&mut out, text, column, indent, self.width);
        out
    }

    /// The word for one of this severity, in its colour.
    pub fn severity(&self, severity: Severity) -> String {
        paint(self.styles.of(severity), self.counted(severity, 1))
    }

    fn header(&self, out: &mut String, code: Code, severity: Severity, title: &str) {
        let label = format!("{}[{code}]", self.counted(severity, 1));
        let column = label.chars().count() + 2;
        let _ = write!(out, "{}{} ", paint(self.styles.of(severity), &label), paint(self.styles.strong, ":"));
        let mut wrapped = String::new();
        wrap(&mut wrapped, title, column, 2, self.width);
        for line in wrapped.lines() {
            let indent = line.len() - line.trim_start().len();
            let _ = writeln!(out, "{}{}", &line[..indent], paint(self.styles.strong, line.trim_start()));
        }
    }

    /// `--> file:line`, then the rest of the evidence with its values aligned.
    fn seen(&self, out: &mut String, evidence: &Evidence) {
        let get = |key: &str| evidence.0.iter().find(|(k, _)| *k == key).map(|(_, value)| texts::printable(&value.to_string()));
        let file = get("file");
        if let Some(file) = &file {
            let line = get("line").map(|line| format!(":{line}")).unwrap_or_default();
            let _ = writeln!(out, "  {} {file}{line}", paint(self.styles.frame, "-->"));
        }
        let told = |key: &str| key == REMEDY_LINE || (file.is_some() && (key == "file" || key == "line"));
        let rest: Vec<_> = evidence.0.iter().filter(|(key, _)| !told(key)).collect();
        // Where a finding is of another agent, so are its keys.
        let rest: Vec<_> = rest.into_iter().map(|(key, value)| (texts::printable(key), value)).collect();
        let column = rest.iter().map(|(key, _)| key.chars().count()).max().unwrap_or_default().min(self.width / 2);
        for (key, value) in &rest {
            let _ = write!(out, "   {} {key:column$}  ", paint(self.styles.frame, "|"));
            // Continuation lines carry the frame too, so that a long list stays one block.
            let mut wrapped = String::new();
            wrap(&mut wrapped, &texts::printable(&value.to_string()), 0, 0, self.width.saturating_sub(column + 7));
            for (number, line) in wrapped.lines().enumerate() {
                if number > 0 {
                    let _ = write!(out, "   {} {:column$}  ", paint(self.styles.frame, "|"), "");
                }
                let _ = writeln!(out, "{line}");
            }
        }
    }

    fn section(&self, out: &mut String, label: Option<&str>, pieces: &[Piece]) {
        let mut column = 0;
        if let Some(label) = label {
            out.push_str(&paint(self.styles.help, label));
            column = label.chars().count();
        }
        for (number, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Prose(paragraph) => {
                    if column > 0 {
                        out.push(' ');
                        column += 1;
                    } else {
                        out.push_str("  ");
                        column = 2;
                    }
                    wrap(out, paragraph, column, 2, self.width);
                }
                Piece::Paste(line) => {
                    let gap = if column > 0 && number == 0 { "\n" } else { "" };
                    let _ = writeln!(out, "{gap}      {line}");
                }
            }
            column = 0;
        }
    }

    fn words(&self) -> Words {
        match self.lang {
            Lang::En => Words { source: "source:", see: "see:", help: "help:" },
            Lang::PtBr => Words { source: "fonte:", see: "veja:", help: "ajuda:" },
        }
    }

    fn counted(&self, severity: Severity, count: usize) -> &'static str {
        match (self.lang, severity, count) {
            (Lang::En, Severity::Error, 1) => "error",
            (Lang::En, Severity::Error, _) => "errors",
            (Lang::En, Severity::Warning, 1) => "warning",
            (Lang::En, Severity::Warning, _) => "warnings",
            (Lang::PtBr, Severity::Error, 1) => "erro",
            (Lang::PtBr, Severity::Error, _) => "erros",
            (Lang::PtBr, Severity::Warning, 1) => "aviso",
            (Lang::PtBr, Severity::Warning, _) => "avisos",
            (Lang::En | Lang::PtBr, Severity::Info, _) => "info",
        }
    }
}

/// What a group of codes is called.
pub(super) fn group_title(group: Group, lang: Lang) -> &'static str {
    match (lang, group) {
        (Lang::En, Group::Pair) => "The certificate and its key, as files",
        (Lang::En, Group::Ami) => "The Asterisk Manager Interface and the reload",
        (Lang::En, Group::Wire) => "Names, TCP and TLS, as a browser meets them",
        (Lang::En, Group::WebSocketAndSip) => "WebSocket and SIP",
        (Lang::En, Group::Configuration) => "Asterisk's configuration",
        (Lang::En, Group::ClientAndNetwork) => "The browser's side and the network",
        (Lang::En, Group::Kubernetes) => "The cluster that the agent runs in",
        (Lang::En, Group::Host) => "The machine the agent runs on",
        (Lang::PtBr, Group::Pair) => "O certificado e sua chave, como arquivos",
        (Lang::PtBr, Group::Ami) => "O manager do Asterisk (AMI) e o reload",
        (Lang::PtBr, Group::Wire) => "Nomes, TCP e TLS, como um navegador os encontra",
        (Lang::PtBr, Group::WebSocketAndSip) => "WebSocket e SIP",
        (Lang::PtBr, Group::Configuration) => "A configuração do Asterisk",
        (Lang::PtBr, Group::ClientAndNetwork) => "O lado do navegador e a rede",
        (Lang::PtBr, Group::Kubernetes) => "O cluster em que o agente roda",
        (Lang::PtBr, Group::Host) => "A máquina em que o agente roda",
    }
}

struct Words {
    source: &'static str,
    see: &'static str,
    help: &'static str,
}

/// `text` in `style`; just the text where the style is none.
fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Writes `text` word by word, breaking before `width`; later lines begin with `indent` spaces. `column`: where the first line already
/// is. A word that is longer than a line stays whole, so that a path or an address can be copied.
fn wrap(out: &mut String, text: &str, column: usize, indent: usize, width: usize) {
    let mut column = column;
    let mut fresh = true;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if !fresh {
            if column + 1 + length > width {
                out.push('\n');
                out.push_str(&" ".repeat(indent));
                column = indent;
            } else {
                out.push(' ');
                column += 1;
            }
        }
        out.push_str(word);
        column += length;
        fresh = false;
    }
    out.push('\n');
}

#[cfg(test)]
mod tests;
