//! sip.conf → whether chan_sip, where it is loaded, takes the WebSocket's subprotocol `sip` from PJSIP (`channels/chan_sip.c`, Asterisk 16 to 20).
//! Pure.

use super::{
    conf::{Conf, Origin},
    value,
};

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
    /// The file, and the line that says so; 0 where none does.
    pub origin: Origin,
}

/// Reads it.
pub fn sip_conf(conf: &Conf) -> SipConf {
    let said = conf.section("general").and_then(|section| section.last(WEBSOCKET));
    SipConf {
        takes_websocket: said.is_none_or(|entry| value::truth(&entry.value())),
        origin: said.map_or_else(|| Origin { file: conf.file.clone(), line: 0 }, |entry| entry.origin()),
    }
}
