//! Whole endpoints, and what one change in them costs, written as sections and by a wizard.

use std::{collections::BTreeMap, path::Path};

use super::*;

fn seen(text: &str) -> WebRtc {
    let files = BTreeMap::from([("/etc/asterisk/pjsip.conf".into(), text.as_bytes().to_vec())]);
    webrtc(&super::super::read(&files, Path::new("/etc/asterisk"), "pjsip.conf", keep).unwrap(), None, true).0
}

const WHOLE_ENDPOINT: &str = "[transport-wss]\ntype=transport\nprotocol=wss\nbind=0.0.0.0\n[1001]\ntype=endpoint\ntransport=transport-wss\n\
    webrtc=yes\nauth=1001\naors=1001\nallow=!all,opus,ulaw\n[1001]\ntype=auth\nusername=1001\n[1001]\ntype=aor\nmax_contacts=1\n";

#[test]
fn a_whole_endpoint_is_sound() {
    let seen = seen(WHOLE_ENDPOINT);
    assert_eq!((seen.endpoints, seen.meant, seen.registrable), (1, 1, 1));
    assert_eq!((seen.sound.as_deref(), seen.opus_alone), (Some("1001"), false));
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
    assert_eq!((webrtc(&conf, None, false).0.findings.len(), webrtc(&conf, None, true).0.findings.len()), (0, 4));
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
    assert_eq!(findings[0].severity, Severity::Error);
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

/// The same by a wizard.
const WIZARD: &str = "[1001]\ntype=wizard\ntransport=transport-wss\naccepts_auth=yes\naccepts_registrations=yes\nendpoint/webrtc=yes\n\
    endpoint/allow=!all,opus\ninbound_auth/username=1001\ninbound_auth/password=x\naor/max_contacts=1\n";

fn seen_by_wizard(wizard: &str) -> WebRtc {
    let transports = "[transport-wss]\ntype=transport\nprotocol=wss\nbind=0.0.0.0\n";
    let files = [("/etc/asterisk/pjsip.conf", transports), ("/etc/asterisk/pjsip_wizard.conf", wizard)];
    let files: BTreeMap<_, _> = files.map(|(path, text)| (path.into(), text.as_bytes().to_vec())).into();
    let read = |name| super::super::read(&files, Path::new("/etc/asterisk"), name, keep).unwrap();
    webrtc(&read("pjsip.conf"), Some(&read("pjsip_wizard.conf")), true).0
}

#[test]
fn a_wizard_makes_auth_and_aor_itself() {
    let seen = seen_by_wizard(WIZARD);
    assert_eq!((seen.endpoints, seen.meant, seen.registrable, seen.sound.as_deref(), seen.opus_alone), (1, 1, 1, Some("1001"), true));
    assert_eq!(seen.findings, []);
}

#[test]
fn what_a_wizard_leaves_out_is_named_as_it_is_to_be_written() {
    for (from, to, code, line, prefix, registrable) in [
        ("aor/max_contacts=1\n", "", "aor-no-contacts", "1", Some("aor/"), 0),
        ("inbound_auth/username=1001\n", "", "endpoint-auth-missing", "4", Some("endpoint/"), 0),
        ("endpoint/webrtc=yes\n", "", "endpoint-not-webrtc", "1", Some("endpoint/"), 1),
        ("transport=transport-wss", "endpoint/webrtc=yes\ntransport=gone", "endpoint-transport-unknown", "4", Some("endpoint/"), 1),
    ] {
        let seen = seen_by_wizard(&WIZARD.replacen(from, to, 1));
        let told = |key: &str| seen.findings[0].get(key).map(ToString::to_string);
        assert_eq!((seen.findings.len(), seen.findings[0].code.name()), (1, code), "{to}: {:?}", seen.findings);
        assert_eq!((told("line").as_deref(), told("prefix").as_deref(), seen.registrable), (Some(line), prefix, registrable), "{to}");
    }
}

#[test]
fn a_wizard_is_found_by_those_who_refer_to_it() {
    let own = "[x]\ntype=endpoint\nwebrtc=yes\nauth=1001-iauth\naors=1001\n[wss]\ntype=transport\nprotocol=wss\n";
    let files = [("/etc/asterisk/pjsip.conf", own), ("/etc/asterisk/pjsip_wizard.conf", &WIZARD.replace("transport=transport-wss\n", ""))];
    let files: BTreeMap<_, _> = files.map(|(path, text)| (path.into(), text.as_bytes().to_vec())).into();
    let read = |name| super::super::read(&files, Path::new("/etc/asterisk"), name, keep).unwrap();
    let seen = webrtc(&read("pjsip.conf"), Some(&read("pjsip_wizard.conf")), true).0;
    assert_eq!((seen.endpoints, seen.findings), (2, vec![]));
}

#[test]
fn what_some_endpoints_have_keeps_not_everybody_out() {
    let other = WHOLE_ENDPOINT.split_once("[1001]").unwrap().1.replace("1001", "1002").replacen("max_contacts=1", "", 1);
    let seen = seen(&format!("{WHOLE_ENDPOINT}[1002]{other}"));
    assert_eq!((seen.meant, seen.registrable), (2, 1));
    let told: Vec<_> = seen.findings.iter().map(|finding| (finding.code, finding.severity)).collect();
    assert_eq!(told, [(Code::AorNoContacts, Severity::Warning)]);
}
