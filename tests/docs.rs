//! The pages of `docs/`: those that are printed are as the program prints them (`make docs` writes them anew), and links arrive.
#![allow(clippy::unwrap_used, reason = "what cannot go on fails the test at the place where it stands")]

use std::collections::BTreeSet;

use starkeeper::diagnosis::{Code, Lang, book};

const BOOKS: [(Lang, &str); 2] = [(Lang::En, include_str!("../docs/findings.md")), (Lang::PtBr, include_str!("../docs/findings.pt-BR.md"))];

#[test]
fn the_book_of_findings_is_what_the_program_prints() {
    for (lang, committed) in BOOKS {
        assert!(committed == book(lang), "docs/findings is not what `starkeeper explain --markdown` prints ({lang:?}): run `make docs`");
    }
}

#[test]
fn links_to_findings_arrive_and_both_languages_have_the_same() {
    let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    let linked = |page: &'static str, book: &str| -> BTreeSet<&'static str> {
        page.split(&format!("({book}#")).skip(1).filter_map(|rest| rest.split(')').next()).collect()
    };
    let english = linked(include_str!("../docs/doctor.md"), "findings.md");
    let portuguese = linked(include_str!("../docs/doctor.pt-BR.md"), "findings.pt-BR.md");
    assert!(english.len() > 30, "{english:?}");
    assert_eq!(english.difference(&names).collect::<Vec<_>>(), Vec::<&&str>::new());
    assert_eq!(english, portuguese);
}
