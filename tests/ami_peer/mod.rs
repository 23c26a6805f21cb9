//! What can stand at AMI's address instead of Asterisk: a port that speaks something else, one that never speaks, a way through to the
//! real AMI, and one that breaks in the midst of an answer. What leaves: how many connections it took.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};

/// How it behaves to whoever connects.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manners {
    /// Says this at once, and then nothing more.
    Says(&'static str),
    /// Never says anything.
    Silent,
    /// Lets everything through to the AMI at this port.
    Through(u16),
    /// The same until a reload is answered: of that answer only the first bytes come through, once, and then the end.
    BreaksAnAnswer(u16),
}

/// A listener on a port of the test's own; gone on drop.
#[derive(Debug)]
pub(crate) struct Peer {
    port: u16,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    manners: Mutex<Manners>,
    taken: AtomicU64,
    broken: AtomicBool,
    over: AtomicBool,
    held: Mutex<Vec<TcpStream>>,
}

impl Peer {
    /// Listens.
    pub(crate) fn at(port: u16, manners: Manners) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        let shared = Arc::new(Shared {
            manners: Mutex::new(manners),
            taken: AtomicU64::new(0),
            broken: AtomicBool::new(false),
            over: AtomicBool::new(false),
            held: Mutex::new(Vec::new()),
        });
        let served = Arc::clone(&shared);
        let accepting = thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if served.over.load(Ordering::SeqCst) {
                    return;
                }
                served.taken.fetch_add(1, Ordering::SeqCst);
                let manners = *lock(&served.manners);
                served.welcome(stream, manners);
            }
        });
        Self { port, shared, accepting: Some(accepting) }
    }

    /// From now on; connections that stand are ended.
    pub(crate) fn become_(&self, manners: Manners) {
        *lock(&self.shared.manners) = manners;
        self.shared.end_all();
    }

    /// Connections so far.
    pub(crate) fn taken(&self) -> u64 {
        self.shared.taken.load(Ordering::SeqCst)
    }

    /// Whether an answer was broken.
    pub(crate) fn broke(&self) -> bool {
        self.shared.broken.load(Ordering::SeqCst)
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
    fn welcome(self: &Arc<Self>, mut stream: TcpStream, manners: Manners) {
        self.hold(&stream);
        match manners {
            Manners::Silent => {}
            Manners::Says(words) => {
                let _ = stream.write_all(words.as_bytes());
            }
            Manners::Through(ami) => self.join(stream, ami, false),
            Manners::BreaksAnAnswer(ami) => self.join(stream, ami, true),
        }
    }

    fn join(self: &Arc<Self>, client: TcpStream, ami: u16, breaks: bool) {
        // Asterisk may not be there: then the client sees an end, as with any proxy.
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, ami)) else {
            let _ = client.shutdown(Shutdown::Both);
            return;
        };
        self.hold(&server);
        let asked = Arc::new(AtomicBool::new(false));
        let (up, down) = ((client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client));
        let heard = Arc::clone(&asked);
        thread::spawn(move || {
            pump(up.0, up.1, |bytes| {
                if bytes.windows(14).any(|window| window == b"Action: Reload") {
                    heard.store(true, Ordering::SeqCst);
                }
                bytes.len()
            });
        });
        let shared = Arc::clone(self);
        thread::spawn(move || {
            pump(down.0, down.1, |bytes| {
                let cut = breaks && asked.load(Ordering::SeqCst) && !shared.broken.swap(true, Ordering::SeqCst);
                if cut { bytes.len().min(12) } else { bytes.len() }
            });
        });
    }

    fn hold(&self, stream: &TcpStream) {
        lock(&self.held).push(stream.try_clone().unwrap());
    }

    fn end_all(&self) {
        for stream in lock(&self.held).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Carries bytes until either side ends, or `let_through` says fewer than came.
fn pump(mut from: TcpStream, mut to: TcpStream, mut let_through: impl FnMut(&[u8]) -> usize) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let through = let_through(&bytes[..count]);
        if to.write_all(&bytes[..through]).is_err() || through < count {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
