//! http.conf as the agent reads it, and as the Asterisk behind AMI says it is → whether they are one. Pure. It is for the same lines to be
//! read the same way, so both go through the same reader; only what decides where browsers are served, and with what, is compared.

use std::{collections::BTreeMap, path::Path};

use crate::{
    asterisk::config::{self, HttpConf},
    diagnosis::{Code, Finding},
    settings::Address,
};

/// `told`: the fields of the answer to `GetConfig`, in their order; `ami`: who gave it.
pub fn another(ours: &HttpConf, told: &[(String, String)], ami: &Address) -> Option<Finding> {
    let theirs = read(told)?;
    let path = |path: &Path| path.display().to_string();
    let bind = |http: &HttpConf| http.tls_bind.as_ref().map_or_else(|| "none".to_owned(), |bind| bind.value.to_string());
    let compared = |http: &HttpConf| {
        [
            ("tlsenable", if http.tls_enabled.value { "yes" } else { "no" }.to_owned()),
            ("tlsbindaddr", bind(http)),
            ("tlscertfile", path(&http.cert.value)),
            ("tlsprivatekey", path(&http.key.value)),
            ("prefix", http.prefix.value.clone()),
        ]
    };
    let (option, expected, found) = compared(ours)
        .into_iter()
        .zip(compared(&theirs))
        .find_map(|((option, ours), (_, theirs))| (ours != theirs).then_some((option, ours, theirs)))?;
    let said = |value: String| format!("{option} = {value}");
    let finding = Finding::new(Code::ConfigDiffers).with("file", ours.file.as_path()).with("address", ami.to_string());
    Some(finding.with("found", said(found)).with("expected", said(expected)))
}

/// `Category-000000: general`, then `Line-000000-000003: tlsenable=yes`. Only the first `[general]` counts. `None`: it is no such answer.
fn read(told: &[(String, String)]) -> Option<HttpConf> {
    let (category, _) = told.iter().find(|(key, value)| key.starts_with("Category-") && value == "general")?;
    let lines = format!("Line-{}-", category.strip_prefix("Category-")?);
    let mut text = "[general]\n".to_owned();
    for (_, line) in told.iter().filter(|(key, _)| key.starts_with(&lines)) {
        // What would begin a comment came as part of a value.
        text.push_str(&line.replace(';', "\\;"));
        text.push('\n');
    }
    let folder = Path::new("/");
    config::http_from(&BTreeMap::from([(folder.join("http.conf"), text.into_bytes())]), folder).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(theirs: &[(&str, &str)]) -> Option<(String, String)> {
        let text =
            b"[general]\nenabled=yes\nbindaddr=0.0.0.0\ntlsenable=yes\ntlscertfile=/tls/a\\;b.crt\ntlsprivatekey=/tls/tls.key\n".to_vec();
        let files = BTreeMap::from([("/etc/asterisk/http.conf".into(), text)]);
        let ours = config::load_from(&files, Path::new("/etc/asterisk")).http.expect("an http.conf");
        let told: Vec<_> = theirs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let finding = another(&ours, &told, &Address { host: "127.0.0.1".to_owned(), port: 5038 })?;
        assert_eq!(finding.code, Code::ConfigDiffers);
        Some(["expected", "found"].map(|key| finding.get(key).map(ToString::to_string).unwrap_or_default()).into())
    }

    const SAME: [(&str, &str); 8] = [
        ("Response", "Success"),
        ("Category-000000", "general"),
        ("Line-000000-000000", "enabled=yes"),
        ("Line-000000-000001", "bindaddr=0.0.0.0"),
        ("Line-000000-000002", "tlsenable=yes"),
        ("Line-000000-000003", "sslcert=/tls/a;b.crt"),
        ("Line-000000-000004", "tlsprivatekey=/tls/tls.key"),
        ("Category-000001", "general"),
    ];

    #[test]
    fn the_same_by_another_name_or_in_another_order_is_the_same() {
        assert_eq!(said(&SAME), None);
        let mut further = SAME.to_vec();
        further.insert(3, ("Line-000000-000009", "tlsbindaddr=0.0.0.0:8089"));
        further.push(("Line-000001-000000", "tlsenable=no"));
        assert_eq!(said(&further), None, "a second [general] counts for nothing");
    }

    #[test]
    fn each_thing_that_leads_browsers_elsewhere_is_named() {
        let pair = |expected: &str, found: &str| Some((expected.to_owned(), found.to_owned()));
        for (line, expected) in [
            ("tlsenable=no", pair("tlsenable = yes", "tlsenable = no")),
            ("tlsbindaddr=0.0.0.0:8443", pair("tlsbindaddr = 0.0.0.0:8089", "tlsbindaddr = 0.0.0.0:8443")),
            ("tlscertfile=/other.crt", pair("tlscertfile = /tls/a;b.crt", "tlscertfile = /other.crt")),
            ("tlsprivatekey=/other.key", pair("tlsprivatekey = /tls/tls.key", "tlsprivatekey = /other.key")),
            ("prefix=pbx", pair("prefix = ", "prefix = /pbx")),
            ("sessionlimit=5", None),
        ] {
            let mut theirs = SAME.to_vec();
            theirs.push(("Line-000000-000005", line));
            assert_eq!(said(&theirs), expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_such_answer_tells_nothing() {
        for told in [&[][..], &[("Response", "Error")], &[("Category-000000", "general2")]] {
            assert_eq!(said(told), None);
        }
    }
}
