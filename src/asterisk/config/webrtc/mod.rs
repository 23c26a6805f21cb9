//! pjsip.conf and pjsip_wizard.conf, whole → what keeps a browser from registering and calling as one of their endpoints. Pure. One finding for
//! each kind of fault, with the first sections that have it: a hundred thousand endpoints of one template share its faults. Endpoints that are
//! not meant for browsers are left alone; realtime is not read.

mod endpoint;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    conf::{Conf, Entry, Origin, Section},
    pjsip::DtlsPair,
    value,
};
use crate::diagnosis::{Code, Finding, Severity};
use endpoint::{Endpoint, lowercase};

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WebRtc {
    /// How many endpoints there are.
    pub endpoints: usize,
    /// How many are meant for browsers.
    pub meant: usize,
    /// How many of those a browser can register as.
    pub registrable: usize,
    /// One of those without a fault: whom to ask SIP as, without noise.
    pub sound: Option<String>,
    /// Some of those allow Opus and none of the codecs that every Asterisk translates.
    pub opus_alone: bool,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// The entries of pjsip.conf and pjsip_wizard.conf that are needed, for transports, endpoints and what they refer to. `type` also serves
/// `[name](+type=transport)`.
pub(super) fn keep(name: &[u8]) -> bool {
    lowercase(name, |name| match name {
        b"accepts_auth" | b"inbound_auth/username" | b"aor/max_contacts" => true,
        _ => matches!(
            name.strip_prefix(b"endpoint/").unwrap_or(name),
            b"type"
                | b"protocol"
                | b"bind"
                | b"cert_file"
                | b"priv_key_file"
                | b"transport"
                | b"webrtc"
                | b"auth"
                | b"aors"
                | b"identify_by"
                | b"max_contacts"
                | b"allow"
                | b"disallow"
                | b"use_avpf"
                | b"media_encryption"
                | b"ice_support"
                | b"rtcp_mux"
                | b"dtls_auto_generate_cert"
                | b"dtls_cert_file"
                | b"dtls_private_key"
        ),
    })
}

/// Judges every endpoint. `wizards`: pjsip_wizard.conf. `whole`: nothing is defined elsewhere (realtime), so that what is referred to and not
/// there is missing indeed.
/// Beside it, the certificates that their media show, each pair of files once.
pub(super) fn webrtc(conf: &Conf, wizards: Option<&Conf>, whole: bool) -> (WebRtc, Vec<DtlsPair>) {
    let wizards: Vec<Section<'_>> =
        wizards.into_iter().flat_map(Conf::sections).filter(|section| kind(section) == Some(b"wizard")).collect();
    let (known, own) = Known::of(conf, &wizards, whole);
    let mut seen = WebRtc::default();
    let mut faults = Faults::default();
    let mut first: Option<Section<'_>> = None;
    let (mut pairs, mut dtls) = (HashSet::new(), Vec::new());
    for endpoint in own.into_iter().map(Endpoint::own).chain(wizards.into_iter().map(Endpoint::of_wizard)) {
        seen.endpoints += 1;
        if let Some((cert, key)) = endpoint.dtls_pair()
            && pairs.insert((cert.value_bytes(), key.value_bytes()))
            && dtls.len() < MOST_PAIRS
        {
            let name = endpoint.section.name().into_owned();
            dtls.push(DtlsPair { cert: cert.path(), key: key.path(), endpoint: name, origin: cert.origin() });
        }
        if !known.is_meant(&endpoint) {
            continue;
        }
        seen.meant += 1;
        first.get_or_insert(endpoint.section);
        let found = known.judge(&endpoint, &mut faults);
        seen.registrable += usize::from(!found.register);
        if !found.any && seen.sound.is_none() && is_known_by_name(&endpoint) {
            seen.sound = Some(endpoint.section.name().into_owned());
        }
        seen.opus_alone = seen.opus_alone || endpoint.allows_opus_alone();
    }
    seen.findings = faults.findings(seen.meant);
    if let Some(section) = first.filter(|_| whole && !known.transports.values().any(|is_websocket| *is_websocket)) {
        let origin = section.origin();
        seen.findings.push(Finding::new(Code::WssTransportMissing).with("file", origin.file.as_path()).with("line", origin.line));
    }
    (seen, dtls)
}

/// Of certificates that endpoints share; those who give each endpoint its own have more than anybody reads findings of.
const MOST_PAIRS: usize = 64;

/// The first `type` counts, which a template may have set.
fn kind<'c>(section: &Section<'c>) -> Option<&'c [u8]> {
    section.entries().find(|entry| entry.is("type")).map(|entry| entry.value_bytes())
}

/// What endpoints may refer to.
struct Known<'c> {
    whole: bool,
    /// Whether each is for WebSockets.
    transports: HashMap<&'c [u8], bool>,
    auths: HashSet<&'c [u8]>,
    aors: HashMap<&'c [u8], Aor<'c>>,
}

#[derive(Clone, Copy)]
struct Aor<'c> {
    section: Section<'c>,
    is_of_wizard: bool,
    takes_contacts: bool,
    /// The wizard makes an auth beside it.
    accepts_auth: bool,
}

impl<'c> Known<'c> {
    /// Also the endpoints' own sections.
    fn of(conf: &'c Conf, wizards: &[Section<'c>], whole: bool) -> (Self, Vec<Section<'c>>) {
        // Where there are many, each endpoint has an auth and an aor.
        let many = conf.sections().count() / 3;
        let (auths, aors) = (HashSet::with_capacity(many), HashMap::with_capacity(many));
        let mut known = Known { whole, transports: HashMap::new(), auths, aors };
        let mut endpoints = Vec::with_capacity(many);
        for section in conf.sections() {
            let name = section.name_bytes();
            match kind(&section) {
                Some(b"endpoint") => endpoints.push(section),
                Some(b"transport") => {
                    let protocol = section.last("protocol").map(|entry| entry.value_bytes()).unwrap_or_default();
                    let is_websocket = protocol.eq_ignore_ascii_case(b"ws") || protocol.eq_ignore_ascii_case(b"wss");
                    known.transports.insert(name, is_websocket);
                }
                Some(b"auth") => {
                    known.auths.insert(name);
                }
                Some(b"aor") => {
                    let takes_contacts = takes_contacts(section.last("max_contacts"));
                    known.aors.insert(name, Aor { section, is_of_wizard: false, takes_contacts, accepts_auth: false });
                }
                Some(_) | None => {}
            }
        }
        for section in wizards {
            let takes_contacts = takes_contacts(section.last("aor/max_contacts"));
            let accepts_auth = section.last("accepts_auth").is_some_and(|entry| value::truth(&entry.value()));
            let aor = Aor { section: *section, is_of_wizard: true, takes_contacts, accepts_auth };
            known.aors.entry(section.name_bytes()).or_insert(aor);
        }
        (known, endpoints)
    }

    /// Whether it is meant for browsers: it says so, or its transport does, or its media do.
    fn is_meant(&self, endpoint: &Endpoint<'c>) -> bool {
        let transport = endpoint.transport.and_then(|entry| self.transports.get(entry.value_bytes()));
        transport.is_some_and(|is_websocket| *is_websocket) || endpoint.webrtc || endpoint.use_avpf || endpoint.dtls
    }

    fn judge(&self, endpoint: &Endpoint<'c>, faults: &mut Faults) -> Found {
        let mut found = Found::default();
        let section = &endpoint.section;
        // Written down whole for the first of its kind alone.
        let mut at = |code, section: &Section<'_>, entry: Option<Entry<'_>>, prefix, what: &dyn Fn() -> String| {
            found.any = true;
            found.register |= keeps_from_registering(code);
            let origin = || entry.map_or_else(|| section.origin(), |entry| entry.origin());
            faults.add(code, section, || Fault { origin: origin(), found: what(), prefix, sections: Vec::new(), count: 0 });
        };
        let prefix = endpoint.prefix;
        if endpoint.lacking().next().is_some() {
            at(Code::EndpointNotWebrtc, section, None, prefix, &|| endpoint.lacking().collect::<Vec<_>>().join(", "));
        }
        if endpoint.is_of_wizard() {
            // The wizard makes the auth and the aor itself, of its own name; without a user name there is no auth.
            if let Some(accepts) = endpoint.accepts_auth.filter(|_| !endpoint.has_username) {
                at(Code::EndpointAuthMissing, section, Some(accepts), prefix, &|| "no `inbound_auth/username`".to_owned());
            }
        } else if self.whole
            && let Some(auth) = endpoint.auth
            && let Some(missing) = names(auth.value_bytes()).find(|auth| !self.auths.contains(auth) && !self.is_of_wizard(auth))
        {
            at(Code::EndpointAuthMissing, section, Some(auth), prefix, &|| String::from_utf8_lossy(missing).into_owned());
        }
        if !self.whole {
            return found;
        }
        if let Some(transport) = endpoint.transport.filter(|entry| !self.transports.contains_key(entry.value_bytes())) {
            at(Code::EndpointTransportUnknown, section, Some(transport), prefix, &|| transport.value().into_owned());
        }
        let mut aor = |name: &[u8], entry| match self.aors.get(name) {
            None => at(Code::EndpointAorMissing, section, entry, prefix, &|| String::from_utf8_lossy(name).into_owned()),
            Some(aor) if !aor.takes_contacts => {
                let prefix = if aor.is_of_wizard { "aor/" } else { "" };
                at(Code::AorNoContacts, &aor.section, None, prefix, &String::new);
            }
            Some(_) => {}
        };
        match endpoint.aors {
            _ if endpoint.is_of_wizard() => aor(section.name_bytes(), None),
            Some(aors) => names(aors.value_bytes()).for_each(|name| aor(name, Some(aors))),
            None => at(Code::EndpointAorMissing, section, None, prefix, &|| "no `aors` at all".to_owned()),
        }
        found
    }

    /// `1001-iauth` is what the wizard [1001] makes.
    fn is_of_wizard(&self, auth: &[u8]) -> bool {
        auth.strip_suffix(b"-iauth").and_then(|name| self.aors.get(name)).is_some_and(|aor| aor.accepts_auth)
    }
}

/// What became of one endpoint.
#[derive(Default)]
struct Found {
    any: bool,
    /// Nobody can register as it.
    register: bool,
}

/// A REGISTER is refused for it. What else is wrong with an endpoint shows when somebody calls (seen on 16 and 22, with JsSIP).
fn keeps_from_registering(code: Code) -> bool {
    matches!(code, Code::EndpointAuthMissing | Code::EndpointAorMissing | Code::AorNoContacts)
}

/// Names in a list with commas.
fn names(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|name| !name.is_empty())
}

/// `max_contacts` is 0 unless it is set: then a REGISTER is refused (403), also where a contact is there for good.
fn takes_contacts(max_contacts: Option<Entry<'_>>) -> bool {
    max_contacts.and_then(|entry| value::number(&entry.value())).is_some_and(|most| most > 0)
}

/// Whether a question in its name is known to be its own: else it would be a NOTICE that fail2ban acts on.
fn is_known_by_name(endpoint: &Endpoint<'_>) -> bool {
    let authenticated = if endpoint.is_of_wizard() { endpoint.accepts_auth.is_some() } else { endpoint.auth.is_some() };
    authenticated && endpoint.identify_by.is_none_or(|by| names(by.value_bytes()).any(|way| way == b"username"))
}

/// Kinds of faults, and who has them.
#[derive(Default)]
struct Faults(BTreeMap<Code, Fault>);

struct Fault {
    origin: Origin,
    found: String,
    prefix: &'static str,
    sections: Vec<String>,
    count: usize,
}

impl Faults {
    fn add(&mut self, code: Code, section: &Section<'_>, first: impl FnOnce() -> Fault) {
        let fault = self.0.entry(code).or_insert_with(first);
        fault.count += 1;
        if fault.sections.len() < SHOWN {
            let name = section.name();
            if !fault.sections.iter().any(|known| *known == name) {
                fault.sections.push(name.into_owned());
            }
        }
    }

    /// `meant`: how many endpoints might have them. What some of them have keeps not everybody out.
    fn findings(self, meant: usize) -> Vec<Finding> {
        let finding = |(code, fault): (Code, Fault)| {
            let severity = if fault.count < meant { Severity::Warning } else { Severity::Error };
            let finding = Finding::new(code).severity(severity).with("file", fault.origin.file.as_path()).with("line", fault.origin.line);
            let finding = finding.with("section", fault.sections.first().map(String::as_str).unwrap_or_default());
            let finding = if fault.found.is_empty() { finding } else { finding.with("found", fault.found) };
            let finding = if fault.prefix.is_empty() { finding } else { finding.with("prefix", fault.prefix) };
            if fault.count > 1 { finding.with("count", fault.count).with("sections", fault.sections) } else { finding }
        };
        self.0.into_iter().map(finding).collect()
    }
}

/// Of the sections that share a fault.
const SHOWN: usize = 5;
