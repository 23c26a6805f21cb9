//! Who is told: an HTTP server that keeps every request, and a mail server (aiosmtpd) that keeps every mail.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU16, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::support::{bound, certs::Pair, launch, until_some};

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// An HTTP server on loopback.
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    answer: Arc<AtomicU16>,
}

impl Listener {
    pub(crate) fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap())
    }

    pub(crate) fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU16::new(200)));
        let (kept, said) = (Arc::clone(&requests), Arc::clone(&answer));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if let Some(request) = read(&stream) {
                    let status = said.load(Ordering::Relaxed);
                    let _ = write!(&stream, "HTTP/1.1 {status} Said\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
                    if status == 200 {
                        kept.lock().unwrap_or_else(PoisonError::into_inner).push(request);
                    }
                }
            }
        });
        Listener { address, requests, answer }
    }

    /// What it answers from now on; anything but 200 is not kept.
    pub(crate) fn answer(&self, status: u16) {
        self.answer.store(status, Ordering::Relaxed);
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// `code` and `state` of each notification so far.
    pub(crate) fn told(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        self.requests().iter().map(Request::json).map(|json| (text(&json["code"]), text(&json["state"]))).collect()
    }
}

fn read(mut stream: &TcpStream) -> Option<Request> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut bytes = Vec::new();
    let mut chunk = [0; 8192];
    loop {
        let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Some(Request { head: head.to_owned(), body: body.to_owned() });
        }
    }
}

/// A mail server that asks for STARTTLS and an account.
pub(crate) struct MailServer {
    child: Child,
    pub(crate) port: u16,
    mails: Arc<Mutex<Vec<Value>>>,
}

impl MailServer {
    pub(crate) fn start(folder: &Path, pair: &Pair, user: &str, password: &str) -> Self {
        let cache = crate::support::asterisk::cache().join("smtp/bin/python");
        assert!(cache.exists(), "no mail server at {}: run tests/lab/smtp.sh", cache.display());
        let (script, chain, key) = (folder.join("smtp.py"), folder.join("smtp.pem"), folder.join("smtp.key"));
        fs::write(&script, include_str!("smtp.py")).unwrap();
        fs::write(&chain, &pair.cert_pem).unwrap();
        fs::write(&key, &pair.key_pem).unwrap();
        let mut command = bound(cache);
        command.arg(script).arg(chain).arg(key).args([user, password]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = launch(command).unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().unwrap().unwrap().trim().parse().unwrap();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&mails);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(serde_json::from_str(&line).unwrap());
            }
        });
        MailServer { child, port, mails }
    }

    /// Waits for so many mails.
    pub(crate) fn mails(&self, count: usize) -> Vec<Value> {
        until_some(Duration::from_secs(20), "the mails", || {
            let mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
            (mails.len() >= count).then(|| mails.clone())
        })
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
