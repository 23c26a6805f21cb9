//! What can stand at AMI's address instead of Asterisk: a port that speaks something else, one that never speaks, a way through to the
//! real AMI, and one that breaks in the midst of an answer. What leaves: how many connections it took.

mod post;

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use post::{Held, Post, lock};

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
    shared: Arc<Shared>,
    post: Post,
}

#[derive(Debug)]
struct Shared {
    manners: Mutex<Manners>,
    taken: AtomicU64,
    broken: AtomicBool,
}

impl Peer {
    /// Listens.
    pub(crate) fn at(port: u16, manners: Manners) -> Self {
        let shared = Arc::new(Shared { manners: Mutex::new(manners), taken: AtomicU64::new(0), broken: AtomicBool::new(false) });
        let served = Arc::clone(&shared);
        let post = Post::at(port, move |stream, held| {
            served.taken.fetch_add(1, Ordering::SeqCst);
            served.welcome(stream, held);
        });
        Self { shared, post }
    }

    /// From now on; connections that stand are ended.
    pub(crate) fn become_(&self, manners: Manners) {
        *lock(&self.shared.manners) = manners;
        self.post.end_all();
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

impl Shared {
    fn welcome(self: &Arc<Self>, mut stream: TcpStream, held: &Held) {
        let manners = *lock(&self.manners);
        match manners {
            Manners::Silent => {}
            Manners::Says(words) => {
                let _ = stream.write_all(words.as_bytes());
            }
            Manners::Through(ami) => self.join(stream, held, ami, false),
            Manners::BreaksAnAnswer(ami) => self.join(stream, held, ami, true),
        }
    }

    fn join(self: &Arc<Self>, client: TcpStream, held: &Held, ami: u16, breaks: bool) {
        let Some(server) = held.onward(&client, ami) else { return };
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
        pump(down.0, down.1, |bytes| {
            let cut = breaks && asked.load(Ordering::SeqCst) && !self.broken.swap(true, Ordering::SeqCst);
            if cut { bytes.len().min(12) } else { bytes.len() }
        });
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
