//! What stands between the agent and AMI, and can spoil what comes through: nothing at first. It listens on a port of the test's own
//! and is gone on drop.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

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
    port: u16,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    ami: u16,
    way: Mutex<Way>,
    over: AtomicBool,
    held: Mutex<Vec<TcpStream>>,
}

impl Peer {
    /// Listens at `port` for what is meant for the AMI at `ami`.
    pub(crate) fn between(port: u16, ami: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        let shared = Arc::new(Shared { ami, way: Mutex::new(Way::Through), over: AtomicBool::new(false), held: Mutex::new(Vec::new()) });
        let serving = Arc::clone(&shared);
        let accepting = thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if serving.over.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&serving);
                thread::spawn(move || shared.welcome(stream));
            }
        });
        Self { port, shared, accepting: Some(accepting) }
    }

    /// From now on. Connections that stand are ended, but where they are to be kept.
    pub(crate) fn become_(&self, way: Way) {
        *lock(&self.shared.way) = way;
        if way != Way::HalfOpen {
            self.shared.end_all();
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        self.shared.end_all();
    }
}

impl Shared {
    fn way(&self) -> Way {
        *lock(&self.way)
    }

    fn welcome(self: &Arc<Self>, mut client: TcpStream) {
        lock(&self.held).push(client.try_clone().unwrap());
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
        while !self.over.load(Ordering::SeqCst) && client.write_all(words).is_ok() {
            thread::sleep(pause);
        }
    }

    fn join(self: &Arc<Self>, client: TcpStream, way: Way) {
        // Asterisk may not be there: then the client sees an end, as with any proxy.
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.ami)) else {
            let _ = client.shutdown(Shutdown::Both);
            return;
        };
        lock(&self.held).push(server.try_clone().unwrap());
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
        if way == Way::Flood {
            let (shared, flooded) = (Arc::clone(self), client.try_clone().unwrap());
            // After the login: a flood of events goes to those who are logged in.
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(300));
                let event =
                    b"Event: VarSet\r\nPrivilege: dialplan,all\r\nChannel: PJSIP/webrtc-00000001\r\nVariable: X\r\nValue: 1\r\n\r\n";
                shared.keep_saying(flooded, &event.repeat(50), Duration::from_millis(5));
            });
        }
        self.bring_back(server, client, way);
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

    fn end_all(&self) {
        for stream in lock(&self.held).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
