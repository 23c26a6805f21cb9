//! A browser's connection that outlives what happens around it: a `sip` WebSocket that stays open because it speaks SIP.

use std::time::Duration;

use serde_json::Value;

use crate::{
    stage::WSS,
    support::{cluster::address, wire::WebSocket},
};

/// An open one.
pub(crate) struct Call {
    socket: WebSocket,
    asked: u32,
}

impl Call {
    /// Connects to a pod; fails the test where it cannot.
    pub(crate) fn begin(pod: &Value) -> Self {
        let socket = WebSocket::open(address(pod, WSS).expect("a pod with an address")).unwrap_or_else(|door| panic!("a call: {door:?}"));
        let mut call = Self { socket, asked: 0 };
        assert!(call.lives());
        call
    }

    /// Whether PJSIP still answers over it: `401` to an `OPTIONS`.
    pub(crate) fn lives(&mut self) -> bool {
        self.asked += 1;
        let number = self.asked;
        let options = format!(
            "OPTIONS sip:localhost SIP/2.0\r\nVia: SIP/2.0/WSS lab.invalid;branch=z9hG4bK{number}\r\nFrom: <sip:webrtc@localhost>;tag={number}\r\n\
             To: <sip:localhost>\r\nCall-ID: {number}@lab.invalid\r\nCSeq: {number} OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        let answer = self.socket.send(&options).and_then(|()| self.socket.receive(Duration::from_secs(10)));
        matches!(answer, Ok(Some(text)) if text.starts_with("SIP/2.0 401"))
    }
}
