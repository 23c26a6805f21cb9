//! What stands in a status → words for people, in English and Portuguese, alike on the page and in `inspect`. Pure. What another version
//! of the agent calls something is passed on as it is.

use jiff::Timestamp;

use crate::diagnosis::{Lang, texts::printable};

/// How a thing stands, to be drawn in more than colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// As it should be.
    Good,
    /// On its way.
    Busy,
    /// Will hurt, or hurts some.
    Warning,
    /// Hurts.
    Bad,
}

impl Tone {
    /// As it stands in the page's style sheet.
    pub fn name(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Busy => "busy",
            Tone::Warning => "warn",
            Tone::Bad => "bad",
        }
    }
}

/// The one of these that is of this language.
pub fn say<'a>(lang: Lang, en: &'a str, pt: &'a str) -> &'a str {
    match lang {
        Lang::En => en,
        Lang::PtBr => pt,
    }
}

/// What a phase comes to for those who call, in a few words.
pub fn headline(phase: &str, ready: bool, lang: Lang) -> (Tone, String) {
    let (tone, en, pt) = match (phase, ready) {
        ("Serving", true) => (Tone::Good, "Browsers can connect", "Os navegadores conseguem conectar"),
        ("Serving", false) => (
            Tone::Bad,
            "The wanted certificate is served, and Asterisk is not ready",
            "O certificado desejado é servido, e o Asterisk não está pronto",
        ),
        ("Rejected", true) => (
            Tone::Warning,
            "New certificate rejected; browsers still connect with the old one",
            "Certificado novo rejeitado; os navegadores ainda conectam com o antigo",
        ),
        ("Rejected", false) => (
            Tone::Bad,
            "New certificate rejected, and browsers cannot connect",
            "Certificado novo rejeitado, e os navegadores não conseguem conectar",
        ),
        ("Reloading", true) => (Tone::Busy, "Asterisk is loading the new certificate", "O Asterisk está carregando o certificado novo"),
        ("Reloading", false) => (Tone::Warning, "Asterisk is being brought back", "O Asterisk está sendo recuperado"),
        ("Proving", true) => {
            (Tone::Busy, "Trying whether browsers get the new certificate", "Testando se os navegadores recebem o certificado novo")
        }
        ("Proving", false) => (Tone::Warning, "Trying whether browsers can connect", "Testando se os navegadores conseguem conectar"),
        ("Wedged", _) => (
            Tone::Bad,
            "Browsers cannot connect: Asterisk's TLS listener is dead",
            "Os navegadores não conseguem conectar: a porta TLS do Asterisk está morta",
        ),
        ("Unreachable", true) => (
            Tone::Warning,
            "Browsers can connect; the manager interface does not answer",
            "Os navegadores conseguem conectar; o AMI não responde",
        ),
        ("Unreachable", false) => (
            Tone::Bad,
            "Browsers cannot connect: Asterisk does not answer",
            "Os navegadores não conseguem conectar: o Asterisk não responde",
        ),
        ("AwaitingMaterial", true) => (
            Tone::Warning,
            "Browsers can connect; there is no good certificate in the files yet",
            "Os navegadores conseguem conectar; ainda não há certificado bom nos arquivos",
        ),
        ("AwaitingMaterial", false) => {
            (Tone::Warning, "Waiting for a good certificate and its key", "À espera de um certificado bom e de sua chave")
        }
        ("Stopping", _) => (Tone::Warning, "The agent is stopping", "O agente está parando"),
        (other, _) => return (Tone::Bad, printable(other)),
    };
    (tone, say(lang, en, pt).to_owned())
}

/// What a phase is.
pub fn meaning(phase: &str, lang: Lang) -> &'static str {
    let (en, pt) = match phase {
        "Serving" => (
            "proven: the port serves the wanted certificate and accepts `sip`",
            "provado: a porta serve o certificado desejado e aceita `sip`",
        ),
        "Reloading" => ("Asterisk was asked to load the pair", "pediu-se ao Asterisk que carregue o par"),
        "Proving" => ("the port is being tried", "a porta está sendo testada"),
        "AwaitingMaterial" => ("there is no good pair yet, or only half of one", "ainda não há par bom, ou só metade dele"),
        "Rejected" => (
            "the newest pair must not be loaded; what is served stays",
            "o par mais novo não pode ser carregado; o que é servido permanece",
        ),
        "Wedged" => {
            ("the files are good, and Asterisk's TLS listener is dead", "os arquivos estão bons, e a porta TLS do Asterisk está morta")
        }
        "Unreachable" => ("AMI or the port does not answer", "o AMI ou a porta não responde"),
        "Stopping" => ("the agent is going away", "o agente está saindo"),
        _ => ("", ""),
    };
    match lang {
        Lang::En => en,
        Lang::PtBr => pt,
    }
}

/// What a look at a door came to. `None`: there was none yet.
pub fn door(door: Option<&str>, lang: Lang) -> (Tone, String) {
    let (tone, en, pt) = match door {
        Some("open") => (Tone::Good, "open", "aberta"),
        Some("shut") => (Tone::Bad, "TLS, but /ws does not accept", "TLS, mas o /ws não aceita"),
        Some("dark") => (Tone::Bad, "every TLS handshake fails", "todo handshake TLS falha"),
        Some("cleartext") => (Tone::Bad, "cleartext in place of TLS", "texto claro no lugar de TLS"),
        Some("refused") => (Tone::Bad, "nothing listens", "nada escuta"),
        Some("unreachable") => (Tone::Bad, "no answer", "sem resposta"),
        Some(other) => return (Tone::Warning, printable(other)),
        None => (Tone::Busy, "not looked at yet", "ainda não vista"),
    };
    (tone, say(lang, en, pt).to_owned())
}

/// What the files were judged to be.
pub fn verdict(verdict: &str, lang: Lang) -> (Tone, String) {
    let (tone, en, pt) = match verdict {
        "good" => (Tone::Good, "good", "bom"),
        "rejected" => (Tone::Bad, "rejected", "rejeitado"),
        "heldBack" => (
            Tone::Warning,
            "held back: browsers accept what is served, and not this",
            "retido: os navegadores aceitam o que é servido, e não este",
        ),
        "none" => (Tone::Warning, "no pair yet", "ainda sem par"),
        other => return (Tone::Warning, printable(other)),
    };
    (tone, say(lang, en, pt).to_owned())
}

/// How AMI is connected.
pub fn link(connected: bool, booted: bool, lang: Lang) -> (Tone, &'static str) {
    let (tone, en, pt) = match (connected, booted) {
        (true, true) => (Tone::Good, "logged in", "conectado"),
        (true, false) => (Tone::Busy, "logged in, Asterisk is still booting", "conectado, o Asterisk ainda está subindo"),
        (false, _) => (Tone::Bad, "not logged in", "não conectado"),
    };
    (tone, say(lang, en, pt))
}

/// How a listener that lost its certificate would be brought back.
pub fn healing(by: &str, lang: Lang) -> String {
    let (en, pt) = match by {
        "absentInclude" => ("by a reload (http.conf names an absent file)", "por um reload (o http.conf indica um arquivo ausente)"),
        "stamp" => ("by touching the stamp, and a reload", "tocando o stamp, e um reload"),
        "none" => ("not possible: see cannot-heal", "impossível: veja cannot-heal"),
        "unknown" => ("unknown: http.conf is not at hand", "desconhecida: o http.conf não está à mão"),
        other => return printable(other),
    };
    say(lang, en, pt).to_owned()
}

/// How a rotation ended.
pub fn outcome(outcome: &str, lang: Lang) -> (Tone, String) {
    let (tone, en, pt) = match outcome {
        "proved" => (Tone::Good, "proved", "provada"),
        "already-served" => (Tone::Good, "served already", "já servida"),
        "rejected" => (Tone::Bad, "rejected", "rejeitada"),
        "unproved" => (Tone::Warning, "not proved", "não provada"),
        other => return (Tone::Warning, printable(other)),
    };
    (tone, say(lang, en, pt).to_owned())
}

/// The stages of a rotation, in their order.
pub const STAGES: [&str; 5] = ["settle", "check", "publish", "reload", "prove"];

/// A stage of a rotation.
pub fn stage(stage: &str, lang: Lang) -> &str {
    match (lang, stage) {
        (Lang::PtBr, "settle") => "assentar",
        (Lang::PtBr, "check") => "verificar",
        (Lang::PtBr, "publish") => "publicar",
        (Lang::PtBr, "reload") => "recarregar",
        (Lang::PtBr, "prove") => "provar",
        (Lang::En | Lang::PtBr, other) => other,
    }
}

/// To the second, which is as fine as a certificate's dates are.
pub fn moment(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

/// From the one to the other, in the largest unit that says enough.
pub fn age(later: Timestamp, earlier: Timestamp, lang: Lang) -> String {
    let seconds = later.as_second().saturating_sub(earlier.as_second()).max(0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} {}", seconds / 86_400, say(lang, "days", "dias")),
    }
}

/// How long ago that was.
pub fn ago(now: Timestamp, then: Timestamp, lang: Lang) -> String {
    let age = age(now, then, lang);
    match lang {
        Lang::En => format!("{age} ago"),
        Lang::PtBr => format!("há {age}"),
    }
}

/// Milliseconds, as fine as they matter.
pub fn millis(millis: f64, lang: Lang) -> String {
    let shown = if millis < 100.0 { format!("{millis:.1}") } else { format!("{millis:.0}") };
    match lang {
        Lang::En => shown,
        Lang::PtBr => shown.replace('.', ","),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Phase;

    #[test]
    fn spans_are_told_in_the_unit_that_says_enough() {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let table = [
            ("2026-01-01T00:00:00Z", "0 s", "0 s"),
            ("2026-01-01T00:01:59.9Z", "119 s", "119 s"),
            ("2026-01-01T00:02:00Z", "2 min", "2 min"),
            ("2026-01-01T02:00:00Z", "2 h", "2 h"),
            ("2026-01-03T00:00:00Z", "2 days", "2 dias"),
            ("2025-12-31T00:00:00Z", "0 s", "0 s"),
        ];
        for (end, en, pt) in table {
            let end = end.parse().unwrap();
            assert_eq!([age(end, start, Lang::En), age(end, start, Lang::PtBr)], [en, pt]);
        }
    }

    #[test]
    fn every_phase_has_its_words_in_both_languages() {
        for phase in Phase::NAMES {
            assert_ne!(meaning(phase, Lang::En), meaning(phase, Lang::PtBr), "{phase}");
            for ready in [false, true] {
                assert_ne!(headline(phase, ready, Lang::En).1, phase);
                assert_ne!(headline(phase, ready, Lang::En).1, headline(phase, ready, Lang::PtBr).1, "{phase}");
            }
        }
    }

    #[test]
    fn what_is_unknown_is_passed_on_harmlessly() {
        let strange = "new\u{1b}[2J";
        let passed = [
            headline(strange, true, Lang::En).1,
            door(Some(strange), Lang::En).1,
            verdict(strange, Lang::PtBr).1,
            outcome(strange, Lang::En).1,
        ];
        assert!(passed.iter().all(|words| words == "new\\u{1b}[2J"), "{passed:?}");
    }
}
