//! One `sip` WebSocket that stays open (RFC 6455, as far as a test needs it).

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use rustls::{ClientConnection, StreamOwned};

use super::{Door, Place, farewell, handshake, is_timeout};
use crate::support::certs::fingerprint;

/// An open connection; closed properly on drop. PJSIP ends it after 32 seconds with a NOTICE unless a SIP request has come over it
/// by then; pings do not count.
#[derive(Debug)]
pub struct WebSocket {
    stream: Option<StreamOwned<ClientConnection, TcpStream>>,
    pings: u32,
    /// The certificate that this connection began with.
    pub fingerprint: String,
    /// The answer to the upgrade, status line and headers.
    pub answer: String,
}

impl WebSocket {
    /// Connects to `wss://localhost:port/ws` and upgrades with `sip`.
    ///
    /// # Errors
    /// How far it came instead.
    pub fn open(place: impl Into<Place>) -> Result<Self, Door> {
        Self::open_at(place, "/ws")
    }

    /// The same under another path.
    pub fn open_at(place: impl Into<Place>, path: &str) -> Result<Self, Door> {
        let place = place.into();
        let port = place.0.port();
        let mut stream = handshake(place)?;
        let leaf = stream.conn.peer_certificates().and_then(|chain| chain.first()).map(|leaf| fingerprint(leaf)).unwrap_or_default();
        // The key and the answer to it are the example of RFC 6455, 1.3.
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: https://localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n"
        );
        let answer = match stream.write_all(request.as_bytes()).and_then(|()| head(&mut stream)) {
            Ok(answer) => answer,
            Err(error) if is_timeout(&error) => return Err(Door::Silent),
            Err(_) => return Err(Door::Shut(None)),
        };
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
        let lower = answer.to_ascii_lowercase();
        let accepted = answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let sip = lower.lines().any(|line| line.strip_prefix("sec-websocket-protocol:").is_some_and(|value| value.trim() == "sip"));
        if status != Some(101) || !accepted || !sip {
            farewell(&mut stream);
            return Err(Door::Shut(status));
        }
        Ok(Self { stream: Some(stream), pings: 0, fingerprint: leaf, answer })
    }

    /// Whether the other side still answers: sends a ping and waits for its pong.
    pub fn ping(&mut self) -> bool {
        self.pings += 1;
        let payload = self.pings.to_be_bytes();
        self.frame(PING, &payload).is_ok() && matches!(self.next_of(PONG), Ok(Some(found)) if found == payload)
    }

    /// Sends a text message: one SIP request or response (RFC 7118).
    pub fn send(&mut self, text: &str) -> io::Result<()> {
        self.frame(TEXT, text.as_bytes())
    }

    /// The next text message; nothing when the other side closes.
    pub fn receive(&mut self, deadline: Duration) -> io::Result<Option<String>> {
        if let Some(stream) = &self.stream {
            stream.sock.set_read_timeout(Some(deadline))?;
        }
        Ok(self.next_of(TEXT)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Closes it as a browser does.
    pub fn close(mut self) {
        self.leave();
    }

    /// Drops the connection without a word, as a lost network does.
    pub fn abandon(mut self) {
        self.stream = None;
    }

    fn leave(&mut self) {
        if let Some(stream) = &self.stream {
            let _ = stream.sock.set_read_timeout(Some(LEAVE));
            let _ = self.frame(CLOSE, &1000_u16.to_be_bytes());
            let _ = self.next_of(CLOSE);
        }
        if let Some(mut stream) = self.stream.take() {
            farewell(&mut stream);
        }
    }

    fn frame(&mut self, opcode: u8, payload: &[u8]) -> io::Result<()> {
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            length @ 0..=125 => frame.push(0x80 | length as u8),
            length => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(length).map_err(io::Error::other)?.to_be_bytes());
            }
        }
        frame.extend(MASK);
        frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        stream.write_all(&frame)?;
        stream.flush()
    }

    /// The payload of the next frame of that kind; pings on the way are answered, a Close ends it with nothing.
    fn next_of(&mut self, wanted: u8) -> io::Result<Option<Vec<u8>>> {
        loop {
            let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
            let mut head = [0; 2];
            stream.read_exact(&mut head)?;
            let length = match head[1] & 0x7f {
                126 => {
                    let mut length = [0; 2];
                    stream.read_exact(&mut length)?;
                    usize::from(u16::from_be_bytes(length))
                }
                127 => return Err(io::Error::other("a frame of more than 64 KiB")),
                short => usize::from(short),
            };
            let mut payload = vec![0; length];
            stream.read_exact(&mut payload)?;
            match head[0] & 0x0f {
                found if found == wanted => return Ok(Some(payload)),
                CLOSE => return Ok(None),
                PING => self.frame(PONG, &payload)?,
                _ => {}
            }
        }
    }
}

impl Drop for WebSocket {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Reads up to the empty line and not a byte further.
fn head(stream: &mut StreamOwned<ClientConnection, TcpStream>) -> io::Result<String> {
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        answer.push(byte[0]);
        if answer.len() > 16_384 {
            return Err(io::Error::other("a head of more than 16 KiB"));
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// How long the other side may take to end a connection. Asterisk 16 leaves one hanging, the first of its life that closes while
/// another is open: its Close is answered only after those 32 seconds, or when the next connection comes.
const LEAVE: Duration = Duration::from_secs(1);
const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
/// Any four bytes will do (RFC 6455, 5.3, asks for surprise only against intermediaries).
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
