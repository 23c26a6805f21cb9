//! A port of the test's own, and whoever connects to it → a thread for each, with what is to be done with it. What is held is ended together;
//! all of it is gone on drop.

use std::{
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

/// A listener.
#[derive(Debug)]
pub(crate) struct Post {
    port: u16,
    held: Arc<Held>,
    accepting: Option<JoinHandle<()>>,
}

/// What stands, and whether it is over.
#[derive(Debug, Default)]
pub(crate) struct Held {
    streams: Mutex<Vec<TcpStream>>,
    over: AtomicBool,
}

impl Post {
    /// Listens; each connection is held before it is welcomed.
    pub(crate) fn at(port: u16, welcome: impl Fn(TcpStream, &Held) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        let held = Arc::new(Held::default());
        let (serving, welcome) = (Arc::clone(&held), Arc::new(welcome));
        let accepting = thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if serving.is_over() {
                    return;
                }
                serving.hold(&stream);
                let (held, welcome) = (Arc::clone(&serving), Arc::clone(&welcome));
                thread::spawn(move || welcome(stream, &held));
            }
        });
        Self { port, held, accepting: Some(accepting) }
    }

    /// Ends every connection that stands.
    pub(crate) fn end_all(&self) {
        self.held.end_all();
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.held.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        self.held.end_all();
    }
}

impl Held {
    /// Has it end with the others.
    pub(crate) fn hold(&self, stream: &TcpStream) {
        lock(&self.streams).push(stream.try_clone().unwrap());
    }

    /// Whether nobody needs anything any more.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// The way on to the AMI at this port, held as well. `None`: Asterisk is not there; then the client sees an end, as with any proxy.
    pub(crate) fn onward(&self, client: &TcpStream, ami: u16) -> Option<TcpStream> {
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, ami)) else {
            let _ = client.shutdown(Shutdown::Both);
            return None;
        };
        self.hold(&server);
        Some(server)
    }

    fn end_all(&self) {
        for stream in lock(&self.streams).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// A test that panics with a lock in hand is told by its panic, not by those after it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
