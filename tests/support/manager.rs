//! A small client of AMI, independent of the agent's: for observing, for setting a scene, and as the bare floor that benches compare
//! with. Blocking, with a timeout on every read.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use starkeeper::clock;

/// One packet: header lines in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message(pub Vec<(String, String)>);

impl Message {
    /// The first value of a header, or nothing.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// All values of a header that may repeat, such as `Output`.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect()
    }

    /// Whether it answers `Response: Success`.
    pub fn succeeded(&self) -> bool {
        self.get("Response") == Some("Success")
    }
}

/// One logged-in session.
#[derive(Debug)]
pub struct Manager {
    stream: BufReader<TcpStream>,
    next: u64,
    events: Vec<Message>,
    /// The line that greeted us.
    pub banner: String,
}

impl Manager {
    /// Connects to `127.0.0.1:port` and logs in.
    ///
    /// # Errors
    /// What the socket says, `TimedOut` or `WouldBlock` where nothing answers, `PermissionDenied` where the login is refused.
    pub fn login(port: u16, user: &str, secret: &str) -> io::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut session = Self { stream: BufReader::new(stream), next: 0, events: Vec::new(), banner: String::new() };
        session.banner = session.line()?;
        let answer = session.action("Login", &[("Username", user), ("Secret", secret)])?;
        if answer.succeeded() {
            Ok(session)
        } else {
            Err(io::Error::new(io::ErrorKind::PermissionDenied, answer.get("Message").unwrap_or_default().to_owned()))
        }
    }

    /// Sends one action and returns its answer; events that arrive in between are kept.
    pub fn action(&mut self, name: &str, headers: &[(&str, &str)]) -> io::Result<Message> {
        self.next += 1;
        let id = format!("lab-{}", self.next);
        let mut packet = format!("Action: {name}\r\nActionID: {id}\r\n");
        for (key, value) in headers {
            packet.push_str(&format!("{key}: {value}\r\n"));
        }
        packet.push_str("\r\n");
        self.stream.get_mut().write_all(packet.as_bytes())?;
        loop {
            let message = self.message()?;
            if message.get("Response").is_some() && message.get("ActionID").is_none_or(|found| found == id) {
                return Ok(message);
            }
            self.events.push(message);
        }
    }

    /// Runs a CLI command (class `command`) and returns its output.
    pub fn command(&mut self, command: &str) -> io::Result<String> {
        let answer = self.action("Command", &[("Command", command)])?;
        Ok(answer.all("Output").join("\n"))
    }

    /// `Action: Reload` of one module: the answer comes once the reload is done, whatever became of it.
    pub fn reload(&mut self, module: &str) -> io::Result<Message> {
        self.action("Reload", &[("Module", module)])
    }

    /// How many events have been seen so far: what [`Manager::reloads`] and [`Manager::events`] count from.
    pub fn mark(&self) -> usize {
        self.events.len()
    }

    /// The events since a mark, with all that were raised before this call: two answered pings flush what Asterisk holds for this
    /// session, and a short silence what is still on its way inside.
    pub fn events(&mut self, since: usize) -> io::Result<&[Message]> {
        for _ in 0..2 {
            self.action("Ping", &[])?;
        }
        self.listen(Duration::from_millis(60))?;
        Ok(&self.events[since..])
    }

    /// The modules that were reloaded since a mark, by `Event: Reload`, in their order.
    pub fn reloads(&mut self, since: usize) -> io::Result<Vec<String>> {
        let events = self.events(since)?;
        let reloads = events.iter().filter(|event| event.get("Event") == Some("Reload"));
        Ok(reloads.map(|event| event.get("Module").unwrap_or_default().to_owned()).collect())
    }

    /// The same, of those alone that were done: one that meets another is refused, has an event of its own, and is asked for again.
    pub fn reloads_done(&mut self, since: usize) -> io::Result<Vec<String>> {
        let events = self.events(since)?;
        let done = events.iter().filter(|event| event.get("Event") == Some("Reload") && event.get("Status") == Some("0"));
        Ok(done.map(|event| event.get("Module").unwrap_or_default().to_owned()).collect())
    }

    /// Waits for the first event of that name, also among those that came already.
    ///
    /// # Errors
    /// `TimedOut` when `deadline` passes first.
    pub fn wait(&mut self, event: &str, deadline: Duration) -> io::Result<Message> {
        let end = clock::tick() + deadline;
        loop {
            if let Some(found) = self.events.iter().find(|message| message.get("Event") == Some(event)) {
                return Ok(found.clone());
            }
            if clock::tick() >= end {
                return Err(io::Error::new(io::ErrorKind::TimedOut, format!("no {event} within {deadline:?}")));
            }
            self.listen(Duration::from_millis(10))?;
        }
    }

    /// Keeps what arrives until nothing has come for `silence`.
    fn listen(&mut self, silence: Duration) -> io::Result<()> {
        loop {
            if self.stream.buffer().is_empty() {
                self.stream.get_ref().set_read_timeout(Some(silence))?;
                let waiting = self.stream.get_ref().peek(&mut [0]);
                self.stream.get_ref().set_read_timeout(Some(PATIENCE))?;
                match waiting {
                    Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(_) => {}
                    Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
            let message = self.message()?;
            self.events.push(message);
        }
    }

    fn message(&mut self) -> io::Result<Message> {
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(Message(headers));
            }
            let (key, value) = line.split_once(':').unwrap_or((&line, ""));
            headers.push((key.to_owned(), value.strip_prefix(' ').unwrap_or(value).to_owned()));
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        if self.stream.read_until(b'\n', &mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
