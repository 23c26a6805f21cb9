//! http.conf: HTTPS on, somewhere to listen, a certificate, and the line with which a plain reload heals. Rests on what is read by
//! `asterisk::config`, which Asterisk 16 and 22 agree with.

use std::path::Path;

use super::{Sheet, Wish, quoted};
use crate::asterisk::config::{HEALING_LINE, HttpConf, Origin, Setting, http_from};

pub(super) fn examine(sheet: &mut Sheet<'_>, wish: &Wish) {
    let known = sheet.conf.is_some().then(|| http_from(sheet.source, sheet.directory).ok()).flatten();
    let mut lines = Vec::new();
    if known.as_ref().is_none_or(|http| http.heals.is_none()) {
        lines.push(HEALING_LINE.to_owned());
    }
    match &known {
        // Cleartext is for `http show status` and for whoever is on this machine alone.
        None => lines.extend(["enabled = yes".to_owned(), "bindaddr = 127.0.0.1".to_owned()]),
        // Without it HTTPS listens all the same; where somebody said no, it stays no.
        Some(http) if http.enabled.origin.is_none() => lines.push("enabled = yes".to_owned()),
        Some(_) => {}
    }
    tls_enable(sheet, known.as_ref(), &mut lines);
    bind(sheet, wish, known.as_ref(), &mut lines);
    pair(sheet, wish, known.as_ref(), &mut lines);
    sheet.add_to("general", &lines);
}

fn tls_enable(sheet: &mut Sheet<'_>, known: Option<&HttpConf>, lines: &mut Vec<String>) {
    match known.map(|http| &http.tls_enabled) {
        Some(Setting { value: true, .. }) => {}
        Some(Setting { value: false, origin: Some(origin) }) => sheet.conflict(Some(origin), "TLS is switched off", "tlsenable = yes"),
        Some(Setting { value: false, origin: None }) | None => lines.push("tlsenable = yes".to_owned()),
    }
}

fn bind(sheet: &mut Sheet<'_>, wish: &Wish, known: Option<&HttpConf>, lines: &mut Vec<String>) {
    let wanted = wish.bind.map_or_else(|| "0.0.0.0:8089".to_owned(), |bind| bind.to_string());
    let line = format!("tlsbindaddr = {wanted}");
    if let Some(refused) = known.and_then(|http| http.tls_bind_refused.as_ref()) {
        return sheet.conflict(Some(&refused.origin), &refused.value, &line);
    }
    // What `bindaddr` lends is no line of HTTPS's own.
    let own = known.and_then(|http| http.tls_bind.as_ref().filter(|bind| !is_lent(http, bind.origin.as_ref())));
    let Some(bind) = own else { return lines.push(line) };
    let found = bind.value.to_string();
    let differs = wish.bind.is_some_and(|wished| (wished.ip().to_string(), wished.port()) != (bind.value.host.clone(), bind.value.port));
    if differs || (wish.bind.is_none() && bind.value.is_loopback()) {
        sheet.conflict(bind.origin.as_ref(), &found, &line);
    }
}

fn is_lent(http: &HttpConf, origin: Option<&Origin>) -> bool {
    http.bind.as_ref().is_some_and(|bind| bind.origin.as_ref() == origin)
}

fn pair(sheet: &mut Sheet<'_>, wish: &Wish, known: Option<&HttpConf>, lines: &mut Vec<String>) {
    let named = known.filter(|http| http.cert.origin.is_some() && http.cert.value != Path::new(""));
    match (named, &wish.pair) {
        (None, Some((cert, key))) => lines.extend([line("tlscertfile", cert), line("tlsprivatekey", key)]),
        (None, None) => sheet.conflict(None, "no certificate is named", "give --cert and --key"),
        (Some(_), None) => {}
        (Some(http), Some((cert, key))) => {
            if http.cert.value != *cert {
                sheet.conflict(http.cert.origin.as_ref(), &http.cert.value.display().to_string(), &line("tlscertfile", cert));
            } else if http.key.value != *key {
                if http.key.origin == http.cert.origin {
                    lines.push(line("tlsprivatekey", key));
                } else {
                    sheet.conflict(http.key.origin.as_ref(), &http.key.value.display().to_string(), &line("tlsprivatekey", key));
                }
            }
        }
    }
}

fn line(name: &str, path: &Path) -> String {
    format!("{name} = {}", quoted(&path.display().to_string()))
}
