//! sip.conf → whether chan_sip, where it is loaded, takes the WebSocket's subprotocol `sip` from PJSIP (`channels/chan_sip.c`, Asterisk 16 to 20).
//! Pure.

use std::path::PathBuf;

use super::{conf::Conf, value};

/// The entries that are needed: give it to [`super::read`].
pub fn keep(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(WEBSOCKET.as_bytes())
}

const WEBSOCKET: &str = "websocket_enabled";

/// What sip.conf says of WebSockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SipConf {
    /// Whether chan_sip takes `sip`: unless it is told not to.
    pub takes_websocket: bool,
    /// Where that is said, or is to be said.
    pub file: PathBuf,
}

/// Reads it.
pub fn sip_conf(conf: &Conf) -> SipConf {
    let said = conf.section("general").and_then(|section| section.last(WEBSOCKET));
    SipConf {
        takes_websocket: said.is_none_or(|entry| value::truth(&entry.value())),
        file: said.map_or_else(|| conf.file.clone(), |entry| entry.origin().file),
    }
}
