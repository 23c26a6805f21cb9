//! pjsip.conf and pjsip_wizard.conf, whole → what keeps a browser from registering and calling as one of their endpoints. Pure. One finding for
//! each kind of fault, with the first sections that have it: a hundred thousand endpoints of one template share its faults. Endpoints that are
//! not meant for browsers are left alone; realtime is not read.

mod object;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    conf::{Conf, Origin, Section},
    value,
};
use crate::diagnosis::{Code, Finding, Severity};
use object::Object;

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

/// The entries that are needed of either file: give it to [`super::read`].
pub fn keep(name: &[u8]) -> bool {
    let bare = ["endpoint/", "aor/", "inbound_auth/"].iter().find_map(|prefix| {
        let start = name.get(..prefix.len())?;
        start.eq_ignore_ascii_case(prefix.as_bytes()).then(|| &name[prefix.len()..])
    });
    let name = bare.unwrap_or(name);
    KEPT.iter().chain(WHOLE.iter().map(|(option, _)| option)).any(|kept| name.eq_ignore_ascii_case(kept.as_bytes()))
}

const KEPT: [&str; 15] = [
    "type",
    "identify_by",
    "protocol",
    "transport",
    "webrtc",
    "auth",
    "aors",
    "max_contacts",
    "allow",
    "disallow",
    "dtls_auto_generate_cert",
    "dtls_cert_file",
    "accepts_auth",
    "accepts_registrations",
    "username",
];

/// What `webrtc = yes` stands for and a browser insists on, each with a value that it takes (res/res_pjsip/pjsip_configuration.c). The rest of
/// it (`dtls_setup`, `dtls_verify`, `media_use_received_transport`, `bundle`) has defaults that a browser calls with.
const WHOLE: [(&str, &str); 4] = [("use_avpf", "yes"), ("media_encryption", "dtls"), ("ice_support", "yes"), ("rtcp_mux", "yes")];

/// Judges every endpoint. `wizards`: pjsip_wizard.conf. `whole`: nothing is defined elsewhere (realtime), so that what is referred to and not
/// there is missing indeed.
pub fn webrtc(conf: &Conf, wizards: Option<&Conf>, whole: bool) -> WebRtc {
    let wizards: Vec<Section<'_>> =
        wizards.into_iter().flat_map(Conf::sections).filter(|section| kind(section) == Some(b"wizard")).collect();
    let known = Known::of(conf, &wizards, whole);
    let mut seen = WebRtc::default();
    let mut faults: BTreeMap<Code, Fault> = BTreeMap::new();
    let mut first: Option<Origin> = None;
    let own = conf.sections().filter(|section| kind(section) == Some(b"endpoint")).map(Object::own);
    for endpoint in own.chain(wizards.iter().map(|section| Object::of_wizard(*section, "endpoint/"))) {
        seen.endpoints += 1;
        if !known.is_meant(&endpoint) {
            continue;
        }
        seen.meant += 1;
        first.get_or_insert_with(|| endpoint.origin());
        let found = known.judge(&endpoint);
        seen.registrable += usize::from(!found.iter().any(|found| keeps_from_registering(found.code)));
        if found.is_empty() && seen.sound.is_none() && is_known_by_name(&endpoint) {
            seen.sound = Some(endpoint.name().into_owned());
        }
        seen.opus_alone |= opus_alone(&endpoint);
        for found in found {
            faults.entry(found.code).or_insert_with(|| Fault::of(&found)).add(found.section);
        }
    }
    let meant = seen.meant;
    seen.findings = faults.into_iter().map(|(code, fault)| fault.finding(code, meant)).collect();
    if let Some(origin) = first.filter(|_| whole && known.transports.values().all(|protocol| !is_websocket(protocol))) {
        seen.findings.push(Finding::new(Code::WssTransportMissing).with("file", origin.file.as_path()).with("line", origin.line));
    }
    seen
}

/// The first `type` counts, which a template may have set.
fn kind<'c>(section: &Section<'c>) -> Option<&'c [u8]> {
    section.entries().find(|entry| entry.is("type")).map(|entry| entry.value_bytes())
}

/// A REGISTER is refused for it. What else is wrong with an endpoint shows when somebody calls (seen on 16 and 22, with JsSIP).
fn keeps_from_registering(code: Code) -> bool {
    matches!(code, Code::EndpointAuthMissing | Code::EndpointAorMissing | Code::AorNoContacts)
}

/// What endpoints may refer to.
struct Known<'c> {
    whole: bool,
    transports: HashMap<&'c [u8], String>,
    auths: HashSet<&'c [u8]>,
    aors: HashMap<&'c [u8], Object<'c>>,
}

/// A fault of one endpoint.
struct Found {
    code: Code,
    origin: Origin,
    section: String,
    what: String,
    /// What stands before the options there.
    prefix: &'static str,
}

impl<'c> Known<'c> {
    fn of(conf: &'c Conf, wizards: &[Section<'c>], whole: bool) -> Self {
        let mut known = Known { whole, transports: HashMap::new(), auths: HashSet::new(), aors: HashMap::new() };
        for section in conf.sections() {
            let name = section.name_bytes();
            match kind(&section) {
                Some(b"transport") => {
                    let protocol = section.last("protocol").map(|entry| entry.value().to_ascii_lowercase()).unwrap_or_default();
                    known.transports.insert(name, protocol);
                }
                Some(b"auth") => {
                    known.auths.insert(name);
                }
                Some(b"aor") => {
                    known.aors.insert(name, Object::own(section));
                }
                Some(_) | None => {}
            }
        }
        for section in wizards {
            known.aors.entry(section.name_bytes()).or_insert(Object::of_wizard(*section, "aor/"));
        }
        known
    }

    /// Whether it is meant for browsers: it says so, or its transport does, or its media do.
    fn is_meant(&self, endpoint: &Object<'c>) -> bool {
        let transport = transport(endpoint).and_then(|entry| self.transports.get(entry.value_bytes()));
        transport.is_some_and(|protocol| is_websocket(protocol))
            || endpoint.is_set("webrtc")
            || WHOLE[..2].iter().any(|(option, wanted)| has(endpoint, option, wanted))
    }

    fn judge(&self, endpoint: &Object<'c>) -> Vec<Found> {
        let mut found = Vec::new();
        let mut add = |code, origin, section: &Object<'_>, what: String| {
            found.push(Found { code, origin, section: section.name().into_owned(), what, prefix: section.prefix() });
        };
        let lacking = lacking(endpoint);
        if !lacking.is_empty() {
            add(Code::EndpointNotWebrtc, endpoint.origin(), endpoint, lacking.join(", "));
        }
        if endpoint.is_of_wizard() {
            // The wizard makes the auth and the aor itself, of its own name; without a user name there is no auth.
            if let Some(accepts) = endpoint.wizard("accepts_auth").filter(|entry| value::truth(&entry.value()))
                && endpoint.wizard("inbound_auth/username").is_none()
            {
                add(Code::EndpointAuthMissing, accepts.origin(), endpoint, "no `inbound_auth/username`".to_owned());
            }
        } else if self.whole
            && let Some(auth) = endpoint.last("auth")
            && let Some(missing) = names(auth.value_bytes()).find(|auth| !self.auths.contains(auth) && !self.is_of_wizard(auth))
        {
            add(Code::EndpointAuthMissing, auth.origin(), endpoint, String::from_utf8_lossy(missing).into_owned());
        }
        if !self.whole {
            return found;
        }
        if let Some(transport) = transport(endpoint).filter(|entry| !self.transports.contains_key(entry.value_bytes())) {
            add(Code::EndpointTransportUnknown, transport.origin(), endpoint, transport.value().into_owned());
        }
        match endpoint.said("aors").filter(|_| !endpoint.is_of_wizard()) {
            Some(aors) => {
                for aor in names(aors.value_bytes()) {
                    match self.aors.get(aor) {
                        None => add(Code::EndpointAorMissing, aors.origin(), endpoint, String::from_utf8_lossy(aor).into_owned()),
                        Some(aor) if !takes_contacts(aor) => add(Code::AorNoContacts, aor.origin(), aor, String::new()),
                        Some(_) => {}
                    }
                }
            }
            None if endpoint.is_of_wizard() => {
                if let Some(aor) = self.aors.get(endpoint.name_bytes()).filter(|aor| !takes_contacts(aor)) {
                    add(Code::AorNoContacts, aor.origin(), aor, String::new());
                }
            }
            None => add(Code::EndpointAorMissing, endpoint.origin(), endpoint, "no `aors` at all".to_owned()),
        }
        found
    }

    /// `1001-iauth` is what the wizard [1001] makes.
    fn is_of_wizard(&self, auth: &[u8]) -> bool {
        let wizard = auth.strip_suffix(b"-iauth").and_then(|name| self.aors.get(name));
        wizard.is_some_and(|aor| aor.is_of_wizard() && aor.wizard_does("accepts_auth"))
    }
}

/// Of a wizard it may be an option of its own, which goes before the endpoint's.
fn transport<'c>(endpoint: &Object<'c>) -> Option<super::conf::Entry<'c>> {
    endpoint.wizard("transport").filter(|_| endpoint.is_of_wizard()).or_else(|| endpoint.said("transport"))
}

/// Names in a list with commas.
fn names(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|name| !name.is_empty())
}

/// `max_contacts` is 0 unless it is set: then a REGISTER is refused (403), also where a contact is there for good.
fn takes_contacts(aor: &Object<'_>) -> bool {
    aor.last("max_contacts").and_then(|entry| value::number(&entry.value())).is_some_and(|most| most > 0)
}

/// Whether a question in its name is known to be its own: else it would be a NOTICE that fail2ban acts on.
fn is_known_by_name(endpoint: &Object<'_>) -> bool {
    let by = endpoint.last("identify_by");
    let authenticated = if endpoint.is_of_wizard() { endpoint.wizard_does("accepts_auth") } else { endpoint.last("auth").is_some() };
    authenticated && by.is_none_or(|by| names(by.value_bytes()).any(|way| way == b"username"))
}

fn is_websocket(protocol: &str) -> bool {
    matches!(protocol, "ws" | "wss")
}

/// The options that a browser insists on and that are not there.
fn lacking(endpoint: &Object<'_>) -> Vec<String> {
    if endpoint.is_set("webrtc") {
        return Vec::new();
    }
    let missing = WHOLE.iter().filter(|(option, wanted)| !has(endpoint, option, wanted)).map(|(option, _)| *option);
    let certificate = endpoint.is_set("dtls_auto_generate_cert") || endpoint.last("dtls_cert_file").is_some();
    missing.chain((!certificate).then_some("dtls_auto_generate_cert")).map(str::to_owned).collect()
}

fn has(endpoint: &Object<'_>, option: &str, wanted: &str) -> bool {
    if wanted == "yes" {
        endpoint.is_set(option)
    } else {
        endpoint.last(option).is_some_and(|entry| entry.value().eq_ignore_ascii_case(wanted))
    }
}

/// Opus, and nothing that an Asterisk without codec_opus could translate.
fn opus_alone(endpoint: &Object<'_>) -> bool {
    let mut allowed: Vec<String> = Vec::new();
    for (option, entry) in endpoint.entries(["allow", "disallow"]) {
        for codec in entry.value().split(',') {
            let codec = codec.trim().to_ascii_lowercase();
            // `allow = !ulaw` is `disallow = ulaw`.
            let (codec, gone) = codec.strip_prefix('!').map_or((codec.as_str(), option == "disallow"), |codec| (codec, true));
            if gone {
                allowed.retain(|known| codec != "all" && known != codec);
            } else {
                allowed.push(codec.to_owned());
            }
        }
    }
    let audio = |codec: &&String| !matches!(codec.as_str(), "vp8" | "vp9" | "h264" | "h265" | "h263" | "h263p" | "h261" | "mpeg4");
    let mut audio = allowed.iter().filter(audio).peekable();
    audio.peek().is_some() && audio.all(|codec| codec == "opus")
}

/// One kind of fault, and who has it.
struct Fault {
    origin: Origin,
    found: String,
    prefix: &'static str,
    sections: Vec<String>,
    count: usize,
}

impl Fault {
    /// With the first that was met.
    fn of(found: &Found) -> Self {
        Fault { origin: found.origin.clone(), found: found.what.clone(), prefix: found.prefix, sections: Vec::new(), count: 0 }
    }

    fn add(&mut self, section: String) {
        self.count += 1;
        if self.sections.len() < SHOWN && !self.sections.contains(&section) {
            self.sections.push(section);
        }
    }

    /// `meant`: how many endpoints might have it. What some of them have keeps not everybody out.
    fn finding(self, code: Code, meant: usize) -> Finding {
        let severity = if self.count < meant { Severity::Warning } else { Severity::Error };
        let finding = Finding::new(code).severity(severity).with("file", self.origin.file.as_path()).with("line", self.origin.line);
        let finding = finding.with("section", self.sections.first().map(String::as_str).unwrap_or_default());
        let finding = if self.found.is_empty() { finding } else { finding.with("found", self.found) };
        let finding = if self.prefix.is_empty() { finding } else { finding.with("prefix", self.prefix) };
        if self.count > 1 { finding.with("count", self.count).with("sections", self.sections) } else { finding }
    }
}

/// Of the sections that share a fault.
const SHOWN: usize = 5;
