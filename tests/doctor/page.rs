//! What a person reads: the steps in a pipe without a spinner and in plain characters, the first cause, the sentence about a browser, what to
//! do, and what was not looked at; in both languages.

use crate::{
    doctor::Doctor,
    support::{
        asterisk::{Asterisk, Version},
        certs::Authority,
    },
};

#[test]
fn the_page_says_the_same_in_both_languages_and_in_plain_characters() {
    let authority = Authority::new();
    let pair = authority.leaf(&["pbx.example.com"]).expired(std::time::Duration::from_secs(3600)).issue();
    let asterisk = Asterisk::build(Version::V22).pair(&pair).start();
    for (lang, lines) in [
        (
            "en",
            [
                "Broken: the certificate that is served has expired (tls-expired)",
                "A browser would fail with 1006: it does not trust the certificate",
                "(cause 1 of 5: the certificate",
                "1. error[tls-expired]: the certificate that is served has expired",
                "Not checked, and what it would need:",
                "  sip: --user NAME",
            ],
        ),
        (
            "pt-BR",
            [
                "Quebrado: o certificado servido está vencido (tls-expired)",
                "Um navegador falharia com 1006: ele não confia no certificado",
                "(causa 1 de 5: certificado não",
                "1. erro[tls-expired]: o certificado servido está vencido",
                "Não verificado, e o que seria preciso:",
                "  sip: --user NOME",
            ],
        ),
    ] {
        let (code, text) = Doctor::of(&asterisk).trusting(&authority).with(&["--lang", lang]).read();
        assert_eq!(code, 1);
        for line in lines {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(text.contains("\n  FAILED tls") && text.contains("\n  ok     upgrade") && text.contains("\n  -      sip"), "{text}");
        assert!(!text.contains(['\u{1b}', '\r', '✓', '✗', '⠋']), "{text}");
        let prose = text.lines().skip_while(|line| !line.is_empty()).filter(|line| !line.starts_with("      "));
        assert!(prose.clone().count() > 5 && prose.into_iter().all(|line| line.chars().count() <= 80), "{text}");
    }
}
