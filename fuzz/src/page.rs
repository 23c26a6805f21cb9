//! What browsers accept → the language of the page. What whoever answers at the agent's URL says → the page that `inspect` shows. An answer is a status or it is not, in either language; and
//! nothing in it reaches the terminal as a command: no control character but the ends of lines and the page's own colours.

use starkeeper::{
    cli::page_of,
    diagnosis::{
        Lang,
        show::{Show, Styles},
    },
    report::page::negotiate,
};

/// A whole answer, as it comes over the wire.
pub fn page(data: &[u8]) {
    let pages = [Lang::En, Lang::PtBr].map(|lang| page_of(data, &Show::new(lang, Styles::coloured())));
    assert_eq!(pages[0].is_some(), pages[1].is_some(), "a status in one language alone");
    for page in pages.into_iter().flatten() {
        assert!(page.len() < 64 * data.len() + 65_536, "{} bytes of {}", page.len(), data.len());
        assert!(uncoloured(&page).chars().all(|letter| letter == '\n' || !letter.is_control()), "{page:?}");
    }
}

/// Without `ESC [ digits m`.
fn uncoloured(page: &str) -> String {
    let mut parts = page.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ';');
        plain.push_str(rest.strip_prefix('m').unwrap_or("\x1b"));
    }
    plain
}

/// One `Accept-Language`. What is named first and wanted most wins, what is none of ours changes nothing, and so does how it is written.
pub fn language(data: &[u8]) {
    let accepted = String::from_utf8_lossy(data);
    let lang = negotiate(None, &accepted);
    for ours in Lang::ALL {
        assert_eq!(negotiate(Some(ours.tag()), &accepted), *ours);
        assert_eq!(negotiate(None, &format!("{};q=1.0,{accepted}", ours.tag())), *ours);
    }
    for same in [accepted.to_ascii_uppercase(), accepted.replace(',', " ,\t, "), format!("fr-CH,{accepted},de;q=0.9,pt;q=2")] {
        assert_eq!(negotiate(Some("tlh"), &same), lang, "{same}");
    }
    if !accepted.contains(['p', 'P', '*']) {
        assert_eq!(lang, Lang::En);
    }
}
