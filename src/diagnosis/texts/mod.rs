//! Code and language → [`Text`]: what a person reads. What enters besides is the evidence that fills the placeholders; what leaves is
//! prose to wrap and lines to paste, kept apart. Nothing from outside reaches a terminal or a shell as it is: control characters are
//! escaped, and values in commands are quoted.
//!
//! How a text is written: sentences, one paragraph a line; a line that begins with `$ ` is a command to paste, one that begins with `| `
//! belongs into a file; `@ through` is what the proxy that stands there needs. `{file}` stands for the evidence of that key, or for a generic
//! word where there is none.

/// The upgrade that JsSIP asks for, by hand. `101` is the answer of an open door. A macro, so that `concat!` takes it.
macro_rules! upgrade_by_hand {
    () => {
        "$ curl -ksi -m 3 --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' \\\n\
         $   -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: c3RhcmtlZXBlci1wcm9iZQ==' \\\n\
         $   -H 'Sec-WebSocket-Protocol: sip' https://{address}/ws"
    };
}

mod en;
mod proxies;
mod pt_br;
#[cfg(test)]
mod tests;

use self::proxies::Need;
use super::{Code, Evidence, Group, Lang, sources};

/// What a person reads about one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// One short line, without placeholders.
    pub title: &'static str,
    /// What it means for those who call, for a person at 3 a.m.
    pub meaning: &'static str,
    /// How to see it by hand.
    pub see: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// The text of `code` in `lang`, placeholders not yet filled.
pub fn text(code: Code, lang: Lang) -> Text {
    match lang {
        Lang::En => en::text(code),
        Lang::PtBr => pt_br::text(code),
    }
}

/// What to do about it, all of it: a pair that was mended is still to be loaded.
pub fn remedy(code: Code, evidence: &Evidence, lang: Lang) -> Vec<Piece> {
    let mut pieces = fill(text(code, lang).remedy, evidence, lang);
    // Whoever may read it is no matter of what is loaded; the other half of a torn pair is taken by itself.
    if code.group() == Group::Pair && !matches!(code, Code::KeyWorldReadable | Code::PairTorn) {
        let load = match lang {
            Lang::En => en::LOAD,
            Lang::PtBr => pt_br::LOAD,
        };
        pieces.extend(fill(load, evidence, lang));
    }
    pieces
}

/// On what the text of `code` rests, as one line.
pub fn source(code: Code, lang: Lang) -> String {
    sources(code).iter().map(|source| source.in_words(lang)).collect::<Vec<_>>().join("; ")
}

/// One part of a filled text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A paragraph: may be wrapped.
    Prose(String),
    /// One line that is to be pasted as it is: never wrapped.
    Paste(String),
}

/// `template` with its placeholders filled from `evidence`.
pub fn fill(template: &str, evidence: &Evidence, lang: Lang) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for line in template.lines() {
        if let Some(need) = Need::of(line) {
            pieces.extend(proxies::pieces(need, evidence));
        } else if let Some(command) = line.strip_prefix("$ ") {
            pieces.push(Piece::Paste(substitute(command, evidence, lang, |value, before| word(&printable(value), before))));
        } else if let Some(conf) = line.strip_prefix("| ") {
            pieces.push(Piece::Paste(substitute(conf, evidence, lang, |value, _| printable(value))));
        } else {
            pieces.push(Piece::Prose(substitute(line, evidence, lang, |value, _| printable(value))));
        }
    }
    pieces
}

/// The pieces as one plain text: what is to be pasted stands on lines of its own, indented by four spaces.
pub fn plain(pieces: &[Piece]) -> String {
    let lines: Vec<String> = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Prose(paragraph) => paragraph.clone(),
            Piece::Paste(line) => format!("    {line}"),
        })
        .collect();
    lines.join("\n")
}

fn substitute(template: &str, evidence: &Evidence, lang: Lang, form: impl Fn(&str, &str) -> String) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, key, after)) = next_placeholder(rest) {
        filled.push_str(before);
        match (evidence.0.iter().find(|(k, _)| *k == key), generic(key, lang)) {
            (Some((_, value)), _) => {
                let value = form(&value.to_string(), &template[..template.len() - rest.len() + before.len()]);
                filled.push_str(&value);
            }
            (None, Some(word)) => filled.push_str(word),
            (None, None) => filled.push_str(key),
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// What stands before the first `{letters}`, the letters, and what follows. Braces around anything else are just braces.
fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    text.match_indices('{').find_map(|(open, _)| {
        let inside = &text[open + 1..];
        let key = &inside[..inside.find('}')?];
        let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphabetic());
        is_key.then(|| (&text[..open], key, &inside[key.len() + 1..]))
    })
}

/// The word for a placeholder that no evidence fills. `None`: no text may use this key.
fn generic(key: &str, lang: Lang) -> Option<&'static str> {
    let (english, portuguese) = match key {
        "file" => ("FILE", "ARQUIVO"),
        "line" => ("LINE", "LINHA"),
        "found" => ("what was found", "o que foi encontrado"),
        "expected" => ("what was expected", "o que era esperado"),
        "address" => ("HOST:PORT", "HOST:PORTA"),
        "user" => ("USER", "USUARIO"),
        "module" => ("MODULE", "MODULO"),
        "name" => ("NAME", "NOME"),
        "names" => ("NAMES", "NOMES"),
        "notBefore" => ("its first day", "seu primeiro dia"),
        "notAfter" => ("its last day", "seu último dia"),
        "now" => ("now", "agora"),
        "issuer" => ("its issuer", "seu emissor"),
        "subject" => ("its subject", "seu titular"),
        "path" => ("PATH", "CAMINHO"),
        "reason" => ("no reason given", "motivo não informado"),
        "port" => ("PORT", "PORTA"),
        "section" => ("SECTION", "SECAO"),
        "pod" => ("POD", "POD"),
        "namespace" => ("NAMESPACE", "NAMESPACE"),
        "missing" => ("what was asked", "o que foi pedido"),
        "prefix" => ("", ""),
        "cert" => ("/path/to/fullchain.pem", "/caminho/para/fullchain.pem"),
        "ports" => ("8089:8089", "8089:8089"),
        "folder" => ("/tls", "/tls"),
        "pid" => ("PID", "PID"),
        "url" => ("wss://pbx.example.com:8089/ws", "wss://pbx.example.com:8089/ws"),
        "remedyLine" => ("LINE", "LINHA"),
        _ => return None,
    };
    Some(match lang {
        Lang::En => english,
        Lang::PtBr => portuguese,
    })
}

/// The same text, with whatever could move a terminal's cursor or turn its writing direction shown as `\u{…}`.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        let turns = matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || turns {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Part of one word for a POSIX shell, whatever it holds. `before`: the command so far, which may have left a single quote open.
fn word(value: &str, before: &str) -> String {
    let bare = |character: char| character.is_ascii_alphanumeric() || "_-./:@%+=,".contains(character);
    let escaped = value.replace('\'', r"'\''");
    if before.matches('\'').count() % 2 == 1 || (!value.is_empty() && value.chars().all(bare)) { escaped } else { format!("'{escaped}'") }
}
