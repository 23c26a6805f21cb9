//! pjsip.conf, whole → what keeps a browser from registering and calling as one of its endpoints. Pure. One finding for each kind of fault, with
//! the first sections that have it: a hundred thousand endpoints of one template share its faults. Endpoints that are not meant for browsers
//! are left alone; `pjsip_wizard.conf` and realtime are not read.

use std::collections::{BTreeMap, HashMap};

use super::{
    conf::{Conf, Origin, Section},
    value,
};
use crate::diagnosis::{Code, Finding};

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct WebRtc {
    /// How many endpoints there are.
    pub endpoints: usize,
    /// How many are meant for browsers.
    pub meant: usize,
    /// One of those without a fault: whom to ask SIP as, without noise.
    pub sound: Option<String>,
    /// Some of those allow Opus and none of the codecs that every Asterisk translates.
    pub opus_alone: bool,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// The entries that are needed: give it to [`super::read`].
pub fn keep(name: &[u8]) -> bool {
    KEPT.iter().chain(WHOLE.iter().map(|(option, _)| option)).any(|kept| name.eq_ignore_ascii_case(kept.as_bytes()))
}

const KEPT: [&str; 12] = [
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
];

/// What `webrtc = yes` stands for and a browser insists on, each with a value that it takes (res/res_pjsip/pjsip_configuration.c). The rest of
/// it (`dtls_setup`, `dtls_verify`, `media_use_received_transport`, `bundle`) has defaults that a browser calls with.
const WHOLE: [(&str, &str); 4] = [("use_avpf", "yes"), ("media_encryption", "dtls"), ("ice_support", "yes"), ("rtcp_mux", "yes")];

/// Judges every endpoint.
/// `whole`: nothing is defined elsewhere (wizard, realtime), so that what is referred to and not there is missing indeed.
pub fn webrtc(conf: &Conf, whole: bool) -> WebRtc {
    let known = Known::of(conf, whole);
    let mut seen = WebRtc::default();
    let mut faults: BTreeMap<Code, Fault> = BTreeMap::new();
    let mut first: Option<Origin> = None;
    for endpoint in conf.sections().filter(|section| is_a(section, "endpoint")) {
        seen.endpoints += 1;
        if !meant(&endpoint, &known) {
            continue;
        }
        seen.meant += 1;
        first.get_or_insert_with(|| endpoint.origin());
        let found = known.judge(&endpoint);
        if found.is_empty() && seen.sound.is_none() && is_known_by_name(&endpoint) {
            seen.sound = Some(endpoint.name().into_owned());
        }
        seen.opus_alone |= opus_alone(&endpoint);
        for (code, origin, section, found) in found {
            faults.entry(code).or_insert_with(|| Fault { origin, found, sections: Vec::new(), count: 0 }).add(section);
        }
    }
    seen.findings = faults.into_iter().map(|(code, fault)| fault.finding(code)).collect();
    if let Some(origin) = first.filter(|_| whole && known.transports.values().all(|protocol| !is_websocket(protocol))) {
        seen.findings.push(Finding::new(Code::WssTransportMissing).with("file", origin.file.as_path()).with("line", origin.line));
    }
    seen
}

/// What endpoints may refer to.
struct Known<'c> {
    whole: bool,
    transports: HashMap<Vec<u8>, String>,
    auths: HashMap<Vec<u8>, ()>,
    aors: HashMap<Vec<u8>, Section<'c>>,
}

type Found = (Code, Origin, String, String);

impl<'c> Known<'c> {
    fn of(conf: &'c Conf, whole: bool) -> Self {
        let mut known = Known { whole, transports: HashMap::new(), auths: HashMap::new(), aors: HashMap::new() };
        for section in conf.sections() {
            let name = section.name_bytes().to_vec();
            let Some(kind) = section.entries().find(|entry| entry.is("type")) else { continue };
            match kind.value_bytes() {
                b"transport" => {
                    let protocol = section.last("protocol").map(|entry| entry.value().to_ascii_lowercase()).unwrap_or_default();
                    known.transports.insert(name, protocol);
                }
                b"auth" => {
                    known.auths.insert(name, ());
                }
                b"aor" => {
                    known.aors.insert(name, section);
                }
                _ => {}
            }
        }
        known
    }

    fn judge(&self, endpoint: &Section<'c>) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        let name = || endpoint.name().into_owned();
        let lacking = lacking(endpoint);
        if !lacking.is_empty() {
            found.push((Code::EndpointNotWebrtc, endpoint.origin(), name(), lacking.join(", ")));
        }
        if !self.whole {
            return found;
        }
        let mut add = |code, origin, section, what: String| found.push((code, origin, section, what));
        if let Some(transport) = endpoint.last("transport").filter(|entry| !entry.value_bytes().is_empty())
            && !self.transports.contains_key(transport.value_bytes())
        {
            add(Code::EndpointTransportUnknown, transport.origin(), name(), transport.value().into_owned());
        }
        if let Some(auth) = endpoint.last("auth") {
            let missing = names(auth.value_bytes()).find(|auth| !self.auths.contains_key(*auth));
            if let Some(missing) = missing {
                add(Code::EndpointAuthMissing, auth.origin(), name(), String::from_utf8_lossy(missing).into_owned());
            }
        }
        match endpoint.last("aors").filter(|entry| !entry.value_bytes().is_empty()) {
            None => add(Code::EndpointAorMissing, endpoint.origin(), name(), "no `aors` at all".to_owned()),
            Some(aors) => {
                for aor in names(aors.value_bytes()) {
                    match self.aors.get(aor) {
                        None => add(Code::EndpointAorMissing, aors.origin(), name(), String::from_utf8_lossy(aor).into_owned()),
                        Some(aor) if !takes_contacts(aor) => add(Code::AorNoContacts, aor.origin(), aor.name().into_owned(), String::new()),
                        Some(_) => {}
                    }
                }
            }
        }
        found
    }
}

/// Names in a list with commas.
fn names(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|name| !name.is_empty())
}

/// `max_contacts` is 0 unless it is set: then a REGISTER is refused (403), also where a contact is there for good.
fn takes_contacts(aor: &Section<'_>) -> bool {
    aor.last("max_contacts").and_then(|entry| value::number(&entry.value())).is_some_and(|most| most > 0)
}

/// Whether a question in its name is known to be its own: else it would be a NOTICE that fail2ban acts on.
fn is_known_by_name(endpoint: &Section<'_>) -> bool {
    let by = endpoint.last("identify_by");
    endpoint.last("auth").is_some() && by.is_none_or(|by| names(by.value_bytes()).any(|way| way == b"username"))
}

/// Whether it is meant for browsers: it says so, or its transport does, or its media do.
fn meant(endpoint: &Section<'_>, known: &Known<'_>) -> bool {
    let websocket =
        endpoint.last("transport").and_then(|entry| known.transports.get(entry.value_bytes())).is_some_and(|it| is_websocket(it));
    websocket || is_set(endpoint, "webrtc") || WHOLE[..2].iter().any(|(option, wanted)| has(endpoint, option, wanted))
}

fn is_websocket(protocol: &str) -> bool {
    matches!(protocol, "ws" | "wss")
}

/// The options that a browser insists on and that are not there.
fn lacking(endpoint: &Section<'_>) -> Vec<&'static str> {
    if is_set(endpoint, "webrtc") {
        return Vec::new();
    }
    let mut lacking: Vec<&'static str> =
        WHOLE.iter().filter(|(option, wanted)| !has(endpoint, option, wanted)).map(|(option, _)| *option).collect();
    let certificate = is_set(endpoint, "dtls_auto_generate_cert") || endpoint.last("dtls_cert_file").is_some();
    if !certificate {
        lacking.push("dtls_auto_generate_cert");
    }
    lacking
}

fn has(endpoint: &Section<'_>, option: &str, wanted: &str) -> bool {
    if wanted == "yes" {
        is_set(endpoint, option)
    } else {
        endpoint.last(option).is_some_and(|entry| entry.value().eq_ignore_ascii_case(wanted))
    }
}

fn is_set(section: &Section<'_>, option: &str) -> bool {
    section.last(option).is_some_and(|entry| value::truth(&entry.value()))
}

/// The first `type` counts, which a template may have set.
fn is_a(section: &Section<'_>, kind: &str) -> bool {
    section.entries().find(|entry| entry.is("type")).is_some_and(|entry| entry.value_bytes() == kind.as_bytes())
}

/// Opus, and nothing that an Asterisk without codec_opus could translate.
fn opus_alone(endpoint: &Section<'_>) -> bool {
    let mut allowed: Vec<String> = Vec::new();
    for entry in endpoint.entries().filter(|entry| entry.is("allow") || entry.is("disallow")) {
        for codec in entry.value().split(',') {
            let codec = codec.trim().to_ascii_lowercase();
            // `allow = !ulaw` is `disallow = ulaw`.
            let (codec, gone) = codec.strip_prefix('!').map_or((codec.as_str(), entry.is("disallow")), |codec| (codec, true));
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
    sections: Vec<String>,
    count: usize,
}

impl Fault {
    fn add(&mut self, section: String) {
        self.count += 1;
        if self.sections.len() < SHOWN && !self.sections.contains(&section) {
            self.sections.push(section);
        }
    }

    fn finding(self, code: Code) -> Finding {
        let finding = Finding::new(code).with("file", self.origin.file.as_path()).with("line", self.origin.line);
        let finding = finding.with("section", self.sections.first().map(String::as_str).unwrap_or_default());
        let finding = if self.found.is_empty() { finding } else { finding.with("found", self.found) };
        if self.count > 1 { finding.with("count", self.count).with("sections", self.sections) } else { finding }
    }
}

/// Of the sections that share a fault.
const SHOWN: usize = 5;

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::Path};

    use super::*;

    fn seen(text: &str) -> WebRtc {
        let files = BTreeMap::from([("/etc/asterisk/pjsip.conf".into(), text.as_bytes().to_vec())]);
        webrtc(&super::super::read(&files, Path::new("/etc/asterisk"), "pjsip.conf", keep).unwrap(), true)
    }

    const WHOLE_ENDPOINT: &str = "[transport-wss]\ntype=transport\nprotocol=wss\nbind=0.0.0.0\n[1001]\ntype=endpoint\ntransport=transport-wss\n\
        webrtc=yes\nauth=1001\naors=1001\nallow=!all,opus,ulaw\n[1001]\ntype=auth\nusername=1001\n[1001]\ntype=aor\nmax_contacts=1\n";

    #[test]
    fn a_whole_endpoint_is_sound() {
        let seen = seen(WHOLE_ENDPOINT);
        assert_eq!((seen.endpoints, seen.meant, seen.sound.as_deref(), seen.opus_alone), (1, 1, Some("1001"), false));
        assert_eq!(seen.findings, []);
    }

    #[test]
    fn every_fault_is_named_with_its_line() {
        for (from, to, code, line, found) in [
            (
                "webrtc=yes\n",
                "use_avpf=yes\n",
                "endpoint-not-webrtc",
                5,
                Some("media_encryption, ice_support, rtcp_mux, dtls_auto_generate_cert"),
            ),
            ("transport=transport-wss", "transport=transport-ws", "endpoint-transport-unknown", 7, Some("transport-ws")),
            ("auth=1001", "auth=1002", "endpoint-auth-missing", 9, Some("1002")),
            ("aors=1001\n", "", "endpoint-aor-missing", 5, Some("no `aors` at all")),
            ("aors=1001", "aors=1001, other", "endpoint-aor-missing", 10, Some("other")),
            ("max_contacts=1\n", "", "aor-no-contacts", 15, None),
            ("max_contacts=1", "max_contacts=0", "aor-no-contacts", 15, None),
            ("protocol=wss", "protocol=udp", "wss-transport-missing", 5, None),
        ] {
            let findings = seen(&WHOLE_ENDPOINT.replacen(from, to, 1)).findings;
            let told: Vec<_> = findings
                .iter()
                .map(|finding| {
                    let line = finding.get("line").map_or(0, |line| line.to_string().parse().unwrap());
                    (finding.code.name(), line, finding.get("found").map(ToString::to_string))
                })
                .collect();
            assert_eq!(told, [(code, line, found.map(str::to_owned))], "{to}");
        }
    }

    #[test]
    fn what_webrtc_stands_for_may_stand_there_itself() {
        let long = "use_avpf=yes\nmedia_encryption=dtls\nice_support=yes\nrtcp_mux=yes\ndtls_auto_generate_cert=yes\n";
        assert_eq!(seen(&WHOLE_ENDPOINT.replacen("webrtc=yes\n", long, 1)).findings, []);
    }

    #[test]
    fn what_may_be_defined_elsewhere_is_not_called_missing() {
        let text = "[1001]\ntype=endpoint\nwebrtc=yes\ntransport=t\nauth=a\naors=b\n";
        let files = BTreeMap::from([("/etc/asterisk/pjsip.conf".into(), text.as_bytes().to_vec())]);
        let conf = super::super::read(&files, Path::new("/etc/asterisk"), "pjsip.conf", keep).unwrap();
        assert_eq!((webrtc(&conf, false).findings.len(), webrtc(&conf, true).findings.len()), (0, 4));
    }

    #[test]
    fn phones_are_left_alone() {
        let text = "[udp]\ntype=transport\nprotocol=udp\n[2001]\ntype=endpoint\ntransport=udp\nauth=nobody\n";
        let seen = seen(text);
        assert_eq!((seen.endpoints, seen.meant, seen.findings.len()), (1, 0, 0));
    }

    #[test]
    fn the_faults_of_a_template_are_one_finding() {
        let mut text =
            "[wss]\ntype=transport\nprotocol=wss\n[t](!)\ntype=endpoint\nwebrtc=yes\nauth=none\naors=a\n[a]\ntype=aor\nmax_contacts=1\n"
                .to_owned();
        for number in 0..1000 {
            text.push_str(&format!("[{number}](t)\n"));
        }
        let findings = seen(&text).findings;
        assert_eq!(findings.len(), 1);
        let evidence = |key: &str| findings[0].get(key).unwrap().to_string();
        assert_eq!((evidence("count").as_str(), evidence("sections").as_str()), ("1000", "0, 1, 2, 3, 4"));
    }

    #[test]
    fn opus_alone_is_told_from_opus_first() {
        for (allow, alone) in [
            ("allow=opus", true),
            ("disallow=all\nallow=opus,vp8", true),
            ("allow=!all,opus,ulaw", false),
            ("allow=!all,opus", true),
            ("allow=!all,opus,!opus", false),
            ("allow=opus\nallow=alaw", false),
            ("allow=ulaw,opus\ndisallow=ulaw", true),
            ("allow=ulaw", false),
        ] {
            let text = WHOLE_ENDPOINT.replacen("allow=!all,opus,ulaw", allow, 1);
            assert_eq!(seen(&text).opus_alone, alone, "{allow}");
        }
    }
}
