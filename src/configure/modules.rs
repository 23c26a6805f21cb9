//! modules.conf: chan_sip, which takes the `sip` protocol of the WebSocket from PJSIP (16 and 18 bring it), is not loaded; and nothing
//! that WSS needs is barred. A chan_sip that phones are configured for is left alone, and said to be in the way.

use super::{Sheet, Wish, conflict};
use crate::asterisk::config::{Conf, Entry, read};

pub(super) fn examine(sheet: &mut Sheet<'_>, _: &Wish) {
    let Some(conf) = &sheet.conf else {
        // Asterisk loads nothing at all without the file.
        return sheet.add_to("modules", &["autoload = yes".to_owned(), NOLOAD.to_owned()]);
    };
    let barred: Vec<Entry<'_>> = entries(conf, "noload").collect();
    let in_the_way: Vec<_> = barred
        .iter()
        .filter(|entry| NEEDED.iter().any(|needed| is_module(entry, needed)))
        .map(|entry| conflict(&entry.origin(), "the line bars a module that WSS needs").with("found", entry.value().into_owned()))
        .collect();
    let chan_sip = !barred.iter().any(|entry| is_module(entry, CHAN_SIP));
    let asked_for =
        entries(conf, "load").chain(entries(conf, "preload")).find(|entry| is_module(entry, CHAN_SIP)).map(|entry| entry.origin());
    let everything = conf.section("modules").and_then(|section| section.last("autoload")).is_some_and(|entry| truth(&entry.value()));
    sheet.conflicts.extend(in_the_way);
    if !chan_sip {
        return;
    }
    let settings = read(sheet.source, sheet.directory, "sip.conf", |_| true).ok();
    let speaks = settings.as_ref().is_some_and(|sip| !leaves_websockets(sip));
    if let Some(origin) = asked_for.filter(|_| speaks || settings.is_none()) {
        sheet.conflicts.push(conflict(&origin, "chan_sip takes the WebSocket from PJSIP").with("expected", NOLOAD));
    } else if everything && speaks {
        match settings.as_ref().and_then(phones) {
            Some(origin) => sheet.conflicts.push(
                conflict(&origin, "chan_sip has phones of its own, and takes the WebSocket from PJSIP")
                    .with("expected", "websocket_enabled = no, in [general] of sip.conf"),
            ),
            None => sheet.add_to("modules", &[NOLOAD.to_owned()]),
        }
    }
}

fn entries<'c>(conf: &'c Conf, name: &'static str) -> impl Iterator<Item = Entry<'c>> {
    conf.section("modules").into_iter().flat_map(|section| section.entries()).filter(move |entry| entry.is(name))
}

/// Asterisk takes the name with and without `.so`.
fn is_module(entry: &Entry<'_>, module: &str) -> bool {
    let value = entry.value();
    value.strip_suffix(".so").unwrap_or(&value) == module
}

/// Whether sip.conf says that chan_sip leaves WebSockets alone.
fn leaves_websockets(sip: &Conf) -> bool {
    sip.section("general").and_then(|general| general.last("websocket_enabled")).is_some_and(|entry| !truth(&entry.value()))
}

/// The first section that is a phone's or a trunk's.
fn phones(sip: &Conf) -> Option<crate::asterisk::config::Origin> {
    let own = ["general", "authentication"];
    sip.sections().find(|section| !own.iter().any(|name| section.name().eq_ignore_ascii_case(name))).map(|section| section.origin())
}

fn truth(text: &str) -> bool {
    ["yes", "true", "y", "t", "1", "on"].iter().any(|word| word.eq_ignore_ascii_case(text))
}

const CHAN_SIP: &str = "chan_sip";
const NOLOAD: &str = "noload = chan_sip.so";

const NEEDED: [&str; 7] = [
    "res_http_websocket",
    "res_pjproject",
    "res_pjsip",
    "res_pjsip_session",
    "res_pjsip_transport_websocket",
    "res_srtp",
    "res_rtp_asterisk",
];
