//! modules.conf → which of the modules that browsers need it bars. Pure. As `main/loader.c` has it: `autoload` brings all, `load`, `preload` and
//! `require` bring one, and `noload` wins over them all.

use super::conf::Conf;
use crate::diagnosis::{Code, Finding};

/// What /ws, SIP behind it and a browser's media need.
pub const NEEDED: [&str; 7] = [
    "res_http_websocket.so",
    "res_pjsip.so",
    "res_pjsip_session.so",
    "res_pjsip_transport_websocket.so",
    "chan_pjsip.so",
    "res_srtp.so",
    "res_rtp_asterisk.so",
];

/// Those that no other of them requires.
const LEAVES: [&str; 4] = ["res_pjsip_transport_websocket.so", "chan_pjsip.so", "res_srtp.so", "res_rtp_asterisk.so"];

/// The entries that are needed: give it to [`super::read`].
pub fn keep(name: &[u8]) -> bool {
    ["autoload", "load", "preload", "require", "noload", "preload-require"].iter().any(|kept| name.eq_ignore_ascii_case(kept.as_bytes()))
}

/// Each needed module that would be missing after a start.
pub fn barred(conf: &Conf) -> Vec<Finding> {
    let entries: Vec<_> = conf.section("modules").iter().flat_map(|section| section.entries()).collect();
    let named = |entry: &super::conf::Entry<'_>, module: &str| {
        let value = entry.value();
        value.eq_ignore_ascii_case(module) || value.eq_ignore_ascii_case(module.trim_end_matches(".so"))
    };
    let autoload = entries.iter().rev().find(|entry| entry.is("autoload"));
    let all = autoload.is_none_or(|entry| super::value::truth(&entry.value()));
    let judge = |module: &&str| {
        let finding = Finding::new(Code::ModuleNoload).with("module", *module);
        if let Some(entry) = entries.iter().find(|entry| entry.is("noload") && named(entry, module)) {
            let origin = entry.origin();
            return Some(finding.with("file", origin.file.as_path()).with("line", origin.line).with("found", format!("noload = {module}")));
        }
        let loads = |entry: &&super::conf::Entry<'_>| ["load", "preload", "require", "preload-require"].iter().any(|name| entry.is(name));
        // What others require may come with them, and what nobody sees may name it.
        let brought =
            all || conf.partly_unseen || !LEAVES.contains(module) || entries.iter().filter(loads).any(|entry| named(entry, module));
        (!brought).then(|| {
            let finding = finding.with("file", conf.file.as_path());
            let finding = match autoload {
                Some(entry) => finding.with("line", entry.origin().line),
                None => finding,
            };
            finding.with("found", "autoload = no, and no `load` for it")
        })
    };
    NEEDED.iter().filter_map(judge).collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::Path};

    use super::*;

    fn told(text: &str) -> Vec<(String, Option<String>)> {
        let files = BTreeMap::from([("/etc/asterisk/modules.conf".into(), text.as_bytes().to_vec())]);
        let conf = super::super::read(&files, Path::new("/etc/asterisk"), "modules.conf", keep).unwrap();
        let shown = |finding: Finding| (finding.get("module").unwrap().to_string(), finding.get("line").map(ToString::to_string));
        barred(&conf).into_iter().map(shown).collect()
    }

    #[test]
    fn what_is_barred_is_named_with_its_line() {
        let srtp = |line: &str| vec![("res_srtp.so".to_owned(), Some(line.to_owned()))];
        let loaded: String = NEEDED.iter().map(|module| format!("load => {module}\n")).collect();
        for (text, expected) in [
            ("[modules]\nautoload=yes\nnoload = chan_sip.so\n".to_owned(), vec![]),
            ("[modules]\nautoload=yes\nnoload = res_srtp.so\n".to_owned(), srtp("3")),
            ("[modules]\nautoload=yes\nnoload = res_srtp\nload = res_srtp.so\n".to_owned(), srtp("3")),
            (format!("[modules]\nautoload=no\n{loaded}"), vec![]),
            (format!("[modules]\nautoload=no\n{}", loaded.replace("load => res_srtp.so\n", "")), srtp("2")),
            (format!("[modules]\nautoload=no\n{}", loaded.replace("load => res_srtp.so", "require = res_srtp.so")), vec![]),
        ] {
            assert_eq!(told(&text), expected, "{text}");
        }
        assert_eq!(told("[modules]\nautoload=no\n").len(), LEAVES.len());
    }
}
