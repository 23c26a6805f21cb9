//! rtp.conf → whether the voice of browsers can come about. Pure. Browsers send none without ICE, which `icesupport` turns off for all endpoints
//! at once (`res/res_rtp_asterisk.c`).

use super::{
    conf::{Conf, Entry},
    value,
};
use crate::diagnosis::{Code, Finding};

/// The entries that are needed: give it to [`super::read`].
pub(super) fn keep(name: &[u8]) -> bool {
    ["icesupport", "rtpstart", "rtpend", "stunaddr", "turnaddr"].iter().any(|kept| name.eq_ignore_ascii_case(kept.as_bytes()))
}

/// What rtp.conf says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtpConf {
    /// The UDP ports of media, the first and the last.
    pub ports: (i64, i64),
    /// `stunaddr` and `turnaddr`, as they stand there.
    pub servers: Vec<String>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Reads it.
pub(super) fn rtp_conf(conf: &Conf) -> RtpConf {
    let general = conf.section("general");
    let last = |name: &str| general.as_ref().and_then(|section| section.last(name));
    let said = |name: &str| last(name).filter(|entry| !entry.value_bytes().is_empty());
    let port = |name: &str, usual: i64| last(name).and_then(|entry| value::number(&entry.value())).unwrap_or(usual);
    let off = last("icesupport").filter(|entry| !value::truth(&entry.value()));
    RtpConf {
        ports: (port("rtpstart", FIRST), port("rtpend", LAST)),
        servers: ["stunaddr", "turnaddr"].iter().filter_map(|name| said(name)).map(|entry| entry.value().into_owned()).collect(),
        findings: off.map(|entry| no_ice(&entry)).into_iter().collect(),
    }
}

fn no_ice(entry: &Entry<'_>) -> Finding {
    let origin = entry.origin();
    Finding::new(Code::RtpIceDisabled)
        .with("file", origin.file.as_path())
        .with("line", origin.line)
        .with("found", entry.value().into_owned())
}

/// `DEFAULT_RTP_START` and `DEFAULT_RTP_END`.
const FIRST: i64 = 5000;
const LAST: i64 = 31000;

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::Path};

    use super::*;

    #[test]
    fn ice_is_on_unless_it_is_turned_off() {
        for (text, ports, servers, line) in [
            ("", (5000, 31000), vec![], None),
            (
                "[general]\nrtpstart=10000\nrtpend=20000\nstunaddr=stun.example.com:3478\n",
                (10000, 20000),
                vec!["stun.example.com:3478"],
                None,
            ),
            ("[general]\nicesupport=yes\nstunaddr=\n", (5000, 31000), vec![], None),
            ("[general]\nicesupport=yes\nicesupport=no\n", (5000, 31000), vec![], Some("3")),
            ("[general]\nicesupport=disabled\n", (5000, 31000), vec![], Some("2")),
        ] {
            let files = BTreeMap::from([("/etc/asterisk/rtp.conf".into(), text.as_bytes().to_vec())]);
            let read = rtp_conf(&super::super::read(&files, Path::new("/etc/asterisk"), "rtp.conf", keep).unwrap());
            assert_eq!((read.ports, read.servers), (ports, servers.into_iter().map(str::to_owned).collect()), "{text}");
            let told = read.findings.first().and_then(|finding| finding.get("line")).map(ToString::to_string);
            assert_eq!(told.as_deref(), line, "{text}");
        }
    }
}
