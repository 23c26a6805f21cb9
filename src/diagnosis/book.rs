//! Language → all codes as one Markdown document, for people who read on the web. Each code is a heading of its own and nothing else, so
//! that `#key-mismatch` is its anchor and the runbook links of alerts arrive. Pure.

use std::fmt::Write as _;

use super::{
    Code, Evidence, Group, Lang, Severity,
    show::group_title,
    texts::{self, Piece},
};

/// The document in `lang`.
pub fn book(lang: Lang) -> String {
    let words = Words::of(lang);
    let mut out = format!("# {}\n\n{}\n", words.title, words.preface);
    for group in groups() {
        let _ = write!(out, "\n## {}\n", group_title(group, lang));
        for &code in Code::ALL.iter().filter(|code| code.group() == group) {
            page(&mut out, code, lang, &words);
        }
    }
    out
}

/// Every group once, in the order of the codes.
fn groups() -> Vec<Group> {
    let mut groups: Vec<Group> = Code::ALL.iter().map(|code| code.group()).collect();
    groups.dedup();
    groups
}

fn page(out: &mut String, code: Code, lang: Lang, words: &Words) {
    let text = texts::text(code, lang);
    let nothing = Evidence::default();
    let severity = match code.severity() {
        Severity::Error => words.error,
        Severity::Warning => words.warning,
        Severity::Info => words.info,
    };
    let _ = write!(out, "\n### {code}\n\n**{severity}: {}.**\n", escaped(text.title));
    pieces(out, None, &texts::fill(text.meaning, &nothing, lang));
    pieces(out, Some(words.see), &texts::fill(text.see, &nothing, lang));
    pieces(out, Some(words.remedy), &texts::remedy(code, &nothing, lang));
    let _ = write!(out, "\n*{}: {}.*\n", words.source, escaped(&texts::source(code, lang)));
}

/// Paragraphs, and fenced blocks of what is to be pasted; the first paragraph after its label.
fn pieces(out: &mut String, label: Option<&str>, pieces: &[Piece]) {
    let mut label = label;
    let mut fenced = false;
    for piece in pieces {
        match piece {
            Piece::Prose(text) => {
                fence(out, &mut fenced, false);
                let label = label.take().map(|label| format!("**{label}** ")).unwrap_or_default();
                let _ = write!(out, "\n{label}{}\n", escaped(text));
            }
            Piece::Paste(line) => {
                if let Some(label) = label.take() {
                    let _ = write!(out, "\n**{label}**\n");
                }
                fence(out, &mut fenced, true);
                let _ = writeln!(out, "{line}");
            }
        }
    }
    fence(out, &mut fenced, false);
}

fn fence(out: &mut String, open: &mut bool, wanted: bool) {
    if *open != wanted {
        out.push_str(if wanted { "\n```text\n" } else { "```\n" });
        *open = wanted;
    }
}

/// Prose in which nothing is taken for markup; between backticks everything stands as it is.
fn escaped(prose: &str) -> String {
    let mut out = String::with_capacity(prose.len());
    for (number, part) in prose.split('`').enumerate() {
        let code = number % 2 == 1;
        if number > 0 {
            out.push('`');
        }
        for character in part.chars() {
            if !code && "<>*_[]|\\".contains(character) {
                out.push('\\');
            }
            out.push(character);
        }
    }
    out
}

struct Words {
    title: &'static str,
    preface: &'static str,
    error: &'static str,
    warning: &'static str,
    info: &'static str,
    see: &'static str,
    remedy: &'static str,
    source: &'static str,
}

impl Words {
    fn of(lang: Lang) -> Self {
        match lang {
            Lang::En => Words {
                title: "Findings",
                preface: "What each code means, how to see it by hand and how to mend it. This is what `starkeeper explain --markdown` \
                          prints; `starkeeper explain CODE` shows one of them in a terminal. Words in capitals stand for your own values.",
                error: "Error",
                warning: "Warning",
                info: "Info",
                see: "See it.",
                remedy: "Mend it.",
                source: "Source",
            },
            Lang::PtBr => Words {
                title: "Achados",
                preface: "O que cada código significa, como vê-lo à mão e como corrigi-lo. É o que `starkeeper explain --markdown --lang \
                          pt-BR` imprime; `starkeeper explain CODIGO` mostra um deles no terminal. Palavras em maiúsculas representam os \
                          seus próprios valores.",
                error: "Erro",
                warning: "Aviso",
                info: "Info",
                see: "Veja.",
                remedy: "Corrija.",
                source: "Fonte",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_one_heading_and_each_heading_one_anchor() {
        for &lang in Lang::ALL {
            let book = book(lang);
            let mut fenced = false;
            let mut headings = Vec::new();
            for line in book.lines() {
                fenced ^= line.starts_with("```");
                headings.extend((!fenced).then(|| line.strip_prefix("### ")).flatten());
            }
            assert!(!fenced);
            assert_eq!(headings, Code::ALL.iter().map(|code| code.name()).collect::<Vec<_>>());
            assert_eq!(headings.iter().collect::<BTreeSet<_>>().len(), headings.len());
        }
    }

    #[test]
    fn a_group_comes_once() {
        assert_eq!(groups().iter().collect::<BTreeSet<_>>().len(), groups().len());
    }

    #[test]
    fn prose_is_no_markup_and_code_is_left_alone() {
        assert_eq!(escaped("a <b> `<c>_*` d_e"), r"a \<b\> `<c>_*` d\_e");
    }
}
