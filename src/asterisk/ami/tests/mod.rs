//! The client against scripted peers: over TCP where sockets matter, over memory and a paused clock where time does.

mod asking;
mod coming_back;
mod strangers;

use std::time::Duration;

use secrecy::SecretString;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader, DuplexStream, duplex},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
    time::timeout,
};

use super::{
    AmiConnect, AmiEvent, Client,
    client::client_over,
    dial::{Reach, Wire},
    fault::Fault,
};
use crate::{
    clock::{self, Tick},
    diagnosis::Finding,
    settings::{Address, AmiAuth},
};

const SECRET: &str = "correct-horse";
/// What every test waits at most for something that must happen.
const DEADLINE: Duration = Duration::from_secs(20);

fn connect_to(port: u16) -> AmiConnect {
    AmiConnect {
        address: Address { host: "127.0.0.1".to_owned(), port },
        username: "starkeeper".to_owned(),
        secret: SecretString::from(SECRET),
        secret_file: None,
        auth: AmiAuth::Md5,
        tls: None,
        timeout: Duration::from_secs(3),
        keepalive: Duration::from_secs(10),
    }
}

/// The agent's side.
struct Agent {
    client: Client,
    events: mpsc::Receiver<AmiEvent>,
    work: JoinHandle<()>,
}

impl Agent {
    fn start(connect: AmiConnect) -> Self {
        let (sender, events) = mpsc::channel(64);
        let (client, work) = super::client(connect, sender);
        Agent { client, events, work: tokio::spawn(work) }
    }

    async fn event(&mut self) -> AmiEvent {
        within(self.events.recv()).await.unwrap()
    }

    async fn disconnected(&mut self) -> Finding {
        let event = self.event().await;
        let AmiEvent::Disconnected(finding) = event else { panic!("{event:?}") };
        finding
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.work.abort();
    }
}

/// Asterisk's side of one connection.
struct Peer<S> {
    stream: BufReader<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    async fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// The next action, its `ActionID` apart.
    async fn hear(&mut self) -> (Vec<String>, String) {
        let (mut lines, mut id) = (Vec::new(), String::new());
        loop {
            let mut line = String::new();
            assert_ne!(within(self.stream.read_line(&mut line)).await.unwrap(), 0, "the agent closed after {lines:?}");
            match line.trim_end() {
                "" => return (lines, id),
                line => match line.strip_prefix("ActionID: ") {
                    Some(found) => found.clone_into(&mut id),
                    None => lines.push(line.to_owned()),
                },
            }
        }
    }

    /// Hears exactly this action, and answers it.
    async fn expect(&mut self, action: &str, response: &str) {
        let (lines, id) = self.hear().await;
        assert_eq!(lines.join("; "), action);
        self.answer(&id, response).await;
    }

    async fn answer(&mut self, id: &str, response: &str) {
        let (first, rest) = response.split_once("; ").unwrap_or((response, ""));
        let rest = rest.split("; ").filter(|line| !line.is_empty()).map(|line| format!("{line}\r\n")).collect::<String>();
        self.say(&format!("Response: {first}\r\nActionID: {id}\r\n{rest}\r\n")).await;
    }

    /// Greets and lets the agent in.
    async fn let_in(&mut self) {
        self.say("Asterisk Call Manager/11.0.0\r\n").await;
        self.expect("Action: Challenge; AuthType: MD5", "Success; Challenge: 123456789").await;
        // printf 123456789correct-horse | md5sum
        let login = "Action: Login; AuthType: MD5; Username: starkeeper; Key: 9ddd5ba123751d0bf64dba48c25f983a; Events: system";
        self.expect(login, "Success; Message: Authentication accepted").await;
    }

    async fn booted(&mut self) {
        self.say("Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n").await;
    }

    /// Whether the agent has closed, whatever it said before.
    async fn closed(&mut self) {
        let _ = within(self.stream.read_to_end(&mut Vec::new())).await;
    }
}

async fn listen() -> (TcpListener, AmiConnect) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, connect_to(port))
}

async fn accept(listener: &TcpListener) -> Peer<TcpStream> {
    let (stream, _) = within(listener.accept()).await.unwrap();
    Peer { stream: BufReader::new(stream) }
}

/// An agent that is logged in to a peer.
async fn logged_in() -> (Agent, Peer<TcpStream>, TcpListener) {
    let (listener, connect) = listen().await;
    let mut agent = Agent::start(connect);
    let mut peer = accept(&listener).await;
    peer.let_in().await;
    assert_eq!(agent.event().await, AmiEvent::Connected { version: "11.0.0".to_owned() });
    (agent, peer, listener)
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(DEADLINE, future).await.expect("what must happen happens in time")
}

/// Attempts that end in memory, so that a paused clock moves only when nothing is left to do.
struct Doors {
    attempts: mpsc::UnboundedSender<(Tick, DuplexStream)>,
    refuse: bool,
}

impl Reach for Doors {
    async fn reach(&self) -> Result<Box<dyn Wire>, Fault> {
        let (ours, theirs) = duplex(64 * 1024);
        let _ = self.attempts.send((clock::tick(), theirs));
        if self.refuse { Err(Fault::Refused("connection refused".to_owned())) } else { Ok(Box::new(ours)) }
    }
}

/// An agent whose attempts arrive here.
fn agent_in_memory(refuse: bool) -> (Agent, mpsc::UnboundedReceiver<(Tick, DuplexStream)>) {
    let (attempts, arriving) = mpsc::unbounded_channel();
    let (sender, events) = mpsc::channel(64);
    let (client, work) = client_over(Doors { attempts, refuse }, connect_to(5038), sender);
    (Agent { client, events, work: tokio::spawn(work) }, arriving)
}

async fn arrival(arriving: &mut mpsc::UnboundedReceiver<(Tick, DuplexStream)>) -> (Tick, Peer<DuplexStream>) {
    let (at, stream) = arriving.recv().await.unwrap();
    (at, Peer { stream: BufReader::new(stream) })
}
