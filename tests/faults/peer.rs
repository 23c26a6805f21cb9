//! What stands between the agent and AMI, and can spoil what comes through: nothing at first. It listens on a port of the test's own
//! and is gone on drop.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use super::post::{Held, Post, lock};

/// How it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Lets everything through.
    Through,
    /// Lets everything through; connections that stand are kept, and nothing comes back any more, as when a host in between is gone.
    HalfOpen,
    /// Ends each connection in the midst of the line that greets.
    EndsInABanner,
    /// Ends each connection in the midst of the answer to the first action.
    EndsInAnAnswer,
    /// Speaks bytes without sense or end of line.
    Garbage,
    /// Greets, then says one line of ten megabytes.
    LongLine,
    /// Greets without an end: `Asterisk Call Manager/` and so on, for ever, slowly.
    EndlessBanner,
    /// Ten thousand events in a second beside what comes through.
    Flood,
    /// Another's `ActionID` in every answer.
    WrongIds,
}

/// A running one.
#[derive(Debug)]
pub(crate) struct Peer {
    way: Arc<Mutex<Way>>,
    post: Post,
}

/// One connection's part of it.
struct Between<'a> {
    ami: u16,
    way: &'a Mutex<Way>,
    held: &'a Held,
}

impl Peer {
    /// Listens at `port` for what is meant for the AMI at `ami`.
    pub(crate) fn between(port: u16, ami: u16) -> Self {
        let way = Arc::new(Mutex::new(Way::Through));
        let shared = Arc::clone(&way);
        let post = Post::at(port, move |client, held| Between { ami, way: &shared, held }.welcome(client));
        Self { way, post }
    }

    /// From now on. Connections that stand are ended, but where they are to be kept.
    pub(crate) fn become_(&self, way: Way) {
        *lock(&self.way) = way;
        if way != Way::HalfOpen {
            self.post.end_all();
        }
    }
}

impl Between<'_> {
    fn way(&self) -> Way {
        *lock(self.way)
    }

    fn welcome(&self, mut client: TcpStream) {
        let way = self.way();
        match way {
            Way::Through | Way::HalfOpen | Way::EndsInAnAnswer | Way::Flood | Way::WrongIds => self.join(client, way),
            Way::EndsInABanner => {
                let _ = client.write_all(b"Asterisk Call Ma");
                let _ = client.shutdown(Shutdown::Both);
            }
            Way::Garbage => {
                let noise: Vec<u8> = (0..=255_u8).filter(|byte| *byte != b'\n').cycle().take(600).collect();
                self.keep_saying(client, &noise, Duration::from_millis(10));
            }
            Way::LongLine => {
                let _ = client.write_all(b"Asterisk Call Manager/11.0.0\r\n");
                let _ = client.write_all(&vec![b'x'; 10_000_000]);
                self.keep_saying(client, b"x", Duration::from_millis(10));
            }
            Way::EndlessBanner => self.keep_saying(client, b"Asterisk Call Manager/", Duration::from_millis(2)),
        }
    }

    fn keep_saying(&self, mut client: TcpStream, words: &[u8], pause: Duration) {
        while !self.held.is_over() && client.write_all(words).is_ok() {
            thread::sleep(pause);
        }
    }

    fn join(&self, client: TcpStream, way: Way) {
        let Some(server) = self.held.onward(&client, self.ami) else { return };
        let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = from_client.read(&mut bytes) {
                if to_server.write_all(&bytes[..count]).is_err() {
                    break;
                }
            }
            let _ = to_server.shutdown(Shutdown::Both);
        });
        let flooded = client.try_clone().unwrap();
        thread::scope(|scope| {
            if way == Way::Flood {
                // After the login: a flood of events goes to those who are logged in.
                scope.spawn(move || {
                    thread::sleep(Duration::from_millis(300));
                    let event =
                        b"Event: VarSet\r\nPrivilege: dialplan,all\r\nChannel: PJSIP/webrtc-00000001\r\nVariable: X\r\nValue: 1\r\n\r\n";
                    self.keep_saying(flooded, &event.repeat(50), Duration::from_millis(5));
                });
            }
            self.bring_back(server, client, way);
        });
    }

    fn bring_back(&self, mut server: TcpStream, mut client: TcpStream, way: Way) {
        let mut bytes = [0; 4096];
        let mut pieces = 0;
        while let Ok(count @ 1..) = server.read(&mut bytes) {
            if self.way() == Way::HalfOpen {
                continue;
            }
            pieces += 1;
            let breaks = way == Way::EndsInAnAnswer && pieces > 1;
            let said = if way == Way::WrongIds {
                String::from_utf8_lossy(&bytes[..count]).replace("ActionID: ", "ActionID: another-").into_bytes()
            } else {
                bytes[..if breaks { count.min(14) } else { count }].to_vec()
            };
            if client.write_all(&said).is_err() || breaks {
                break;
            }
        }
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
    }
}
