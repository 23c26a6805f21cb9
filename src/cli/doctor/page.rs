//! A [`Report`] → what a person reads below the steps: the first cause, what a browser would do, what to do in order, and what could not be
//! looked at. Pure.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::{
    cli::words::paint,
    diagnosis::{
        Lang, Severity,
        show::Show,
        texts::{self, printable},
    },
    doctor::{BrowserWould, Report},
};

/// The page.
pub(super) fn of(report: &Report, show: &Show) -> String {
    let mut out = String::from("\n");
    let say = |en: &'static str, pt: &'static str| match show.lang {
        Lang::En => en,
        Lang::PtBr => pt,
    };
    let bold = Style::new().bold();
    match report.first_cause {
        Some(code) => {
            let mark = paint(say("Broken:", "Quebrado:"), AnsiColor::Red.on_default().bold());
            let _ = writeln!(out, "{mark} {}", paint(&format!("{} ({code})", texts::text(code, show.lang).title), bold));
        }
        None => {
            let _ =
                writeln!(out, "{}", paint(say("No error was found.", "Nenhum erro foi encontrado."), AnsiColor::Green.on_default().bold()));
        }
    }
    out.push_str(&show.paragraph(&sentence(report, show.lang), 0, 0));
    for (number, finding) in report.findings.iter().enumerate() {
        let _ = write!(out, "\n{} {}", paint(&format!("{}.", number + 1), bold), show.finding(finding));
    }
    if report.findings.iter().any(|finding| finding.severity > Severity::Info) {
        let _ = writeln!(out, "\n{}", show.counts(&report.findings));
    }
    if !report.unchecked.is_empty() {
        let _ = writeln!(out, "\n{}", paint(say("Not checked, and what it would need:", "Não verificado, e o que seria preciso:"), bold));
        for unchecked in &report.unchecked {
            let line = format!("{}: {}", unchecked.what, printable(unchecked.needs.text(show.lang)));
            let _ = write!(out, "  {}", show.paragraph(&line, 2, 4));
        }
    }
    out
}

/// What a browser would do, and why.
fn sentence(report: &Report, lang: Lang) -> String {
    let cause = report.cause.map(|cause| cause.text(lang));
    match (lang, report.browser_would, cause) {
        (Lang::En, BrowserWould::Connect, _) => "A browser would connect.".to_owned(),
        (Lang::PtBr, BrowserWould::Connect, _) => "Um navegador conectaria.".to_owned(),
        (Lang::En, BrowserWould::ConnectThenReject, Some(cause)) => {
            format!("A browser would connect, and then be rejected (this is no 1006): {cause}.")
        }
        (Lang::PtBr, BrowserWould::ConnectThenReject, Some(cause)) => {
            format!("Um navegador conectaria e depois seria rejeitado (isto não é 1006): {cause}.")
        }
        (Lang::En, BrowserWould::ConnectThenReject, None) => "A browser would connect, and then be rejected (this is no 1006).".to_owned(),
        (Lang::PtBr, BrowserWould::ConnectThenReject, None) => {
            "Um navegador conectaria e depois seria rejeitado (isto não é 1006).".to_owned()
        }
        (Lang::En, BrowserWould::Fail1006, Some(cause)) => format!("A browser would fail with 1006: {cause}."),
        (Lang::PtBr, BrowserWould::Fail1006, Some(cause)) => format!("Um navegador falharia com 1006: {cause}."),
        (Lang::En, BrowserWould::Fail1006, None) => "A browser would fail with 1006.".to_owned(),
        (Lang::PtBr, BrowserWould::Fail1006, None) => "Um navegador falharia com 1006.".to_owned(),
    }
}
