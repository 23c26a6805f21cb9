//! A phone that registers over a WebSocket of its own, by code that shares nothing with the doctor's. It comes from another address than the
//! doctor does: Asterisk 16 forgets the contacts of an address from which another WebSocket closes.

use std::time::Duration;

use md5::{Digest as _, Md5};

use crate::support::{asterisk::Asterisk, wire::WebSocket};

/// Registered as `user` for ten minutes, until it is dropped.
pub(crate) struct Phone {
    _socket: WebSocket,
    pub(crate) contact: String,
}

impl Phone {
    pub(crate) fn register(asterisk: &Asterisk, user: &str, password: &str) -> Self {
        let mut socket = WebSocket::open(asterisk.ports.wss).unwrap();
        let contact = format!("sip:phone-of-{user}@phone.invalid;transport=ws");
        let challenge = ask(&mut socket, &request(user, &contact, 1, ""));
        assert!(challenge.starts_with("SIP/2.0 401 "), "{challenge}");
        let parameter = |name: &str| {
            let (_, rest) = challenge.split_once(&format!("{name}=\"")).unwrap();
            rest.split('"').next().unwrap().to_owned()
        };
        let (realm, nonce, opaque) = (parameter("realm"), parameter("nonce"), parameter("opaque"));
        let own = hash(&format!("{user}:{realm}:{password}"));
        let what = hash("REGISTER:sip:pbx.example.com");
        let response = hash(&format!("{own}:{nonce}:00000001:abc:auth:{what}"));
        let authorization = format!(
            "Authorization: Digest username=\"{user}\",realm=\"{realm}\",nonce=\"{nonce}\",uri=\"sip:pbx.example.com\",\
             response=\"{response}\",opaque=\"{opaque}\",qop=auth,nc=00000001,cnonce=\"abc\"\r\n"
        );
        let answer = ask(&mut socket, &request(user, &contact, 2, &authorization));
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
        Self { _socket: socket, contact }
    }
}

fn ask(socket: &mut WebSocket, request: &str) -> String {
    socket.send(request).unwrap();
    socket.receive(Duration::from_secs(3)).unwrap().expect("an answer")
}

fn request(user: &str, contact: &str, number: u32, authorization: &str) -> String {
    format!(
        "REGISTER sip:pbx.example.com SIP/2.0\r\nVia: SIP/2.0/WSS phone.invalid;branch=z9hG4bK{number}\r\nMax-Forwards: 70\r\n\
         From: <sip:{user}@pbx.example.com>;tag=phone\r\nTo: <sip:{user}@pbx.example.com>\r\nCall-ID: phone\r\nCSeq: {number} REGISTER\r\n\
         Contact: <{contact}>\r\nExpires: 600\r\n{authorization}Content-Length: 0\r\n\r\n"
    )
}

fn hash(text: &str) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
