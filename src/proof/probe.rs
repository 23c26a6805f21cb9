//! [`Target`] + [`Seen`] + now → [`Observation`]: TCP, TLS, the upgrade, and a farewell that leaves nothing in Asterisk's log. One probe
//! is one connection; only where TLS fails does a second one ask whether the port answers in cleartext.

use std::time::Duration;

use rustls_pki_types::CertificateDer;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use super::{
    Closing, Door, Observation, Seen, Socket, StageTimes, Target,
    answer::Answer,
    connect, farewell, judge,
    tls::{self, Failure, Possession},
    trial::Trial,
    upgrade,
};
use crate::{
    asterisk::surface::Surface,
    clock::Now,
    diagnosis::{Code, Finding},
};

/// Tries the door once. Every stage ends within `target.timeout`. The observation is there as soon as it is known; the connection is
/// gone once [`Closing::done`] has been awaited, which must be before a reload. Dropped half way, it ends abruptly.
pub async fn probe(target: &Target, seen: &Seen, now: Now) -> (Observation, Closing) {
    let (observation, stays) = open(target, seen, now).await;
    let closing = match stays {
        Ok(socket) => socket.closing(),
        Err(closing) => closing,
    };
    (observation, closing)
}

/// The same, but where the door is open the WebSocket stays for more, until [`Socket::leave`].
pub async fn open(target: &Target, seen: &Seen, now: Now) -> (Observation, Result<Socket, Closing>) {
    let mut observation = nothing_yet(now);
    let stays = match greet(target, &Surface::Wss, seen, &mut observation).await {
        Greeting::Stands(stream, shown) => ask(target, seen, stream, shown, &mut observation).await,
        Greeting::Over(closing) => Err(closing),
    };
    (observation, stays)
}

/// The same without TLS, for `ws://`: TCP and the upgrade.
pub async fn open_plain(target: &Target, now: Now) -> (Observation, Result<Socket, Closing>) {
    let mut observation = nothing_yet(now);
    let trial = Trial::begin(target, "tcp");
    let mut stream = match connect::connect(&trial).await {
        Ok(stream) => stream,
        Err(finding) => {
            unconnected(&mut observation, finding);
            return (observation, Err(Closing::nothing()));
        }
    };
    observation.times.tcp = Some(trial.elapsed());
    let trial = Trial::begin(target, "upgrade");
    let answer = upgrade::upgrade(&trial, &mut stream).await;
    let stays = match answered(answer, trial.elapsed(), &mut observation) {
        Some(tail) if observation.door == Door::Open => Ok(Socket::new(Box::new(stream), tail, target.timeout).await),
        Some(tail) => Err(Closing::plain_websocket(stream, tail, target.timeout)),
        None => Err(Closing::plain(stream, target.timeout)),
    };
    (observation, stays)
}

/// TCP and TLS alone: what a surface serves. Where TLS stands the door is [`Door::Shut`], since nothing more is asked. Each is left as it
/// leaves no line in the log of Asterisk 16 and 22: AMI wants a close_notify (else `SSL_shutdown() failed`), PJSIP wants none.
pub async fn handshake(target: &Target, surface: &Surface, seen: &Seen, now: Now) -> (Observation, Closing) {
    let mut observation = nothing_yet(now);
    let closing = match greet(target, surface, seen, &mut observation).await {
        Greeting::Stands(stream, shown) => {
            observation.door = Door::Shut;
            shown.judge(seen, &mut observation);
            match surface {
                Surface::SipTls { .. } => Closing::sip(stream, target.timeout),
                Surface::AmiTls | Surface::Wss => Closing::http(stream, target.timeout),
            }
        }
        Greeting::Over(closing) => closing,
    };
    (observation, closing)
}

/// The upgrade alone, over a stream on which TLS stands already (or is not wanted). Ends within `target.timeout`.
///
/// # Errors
/// Why the door is not open: the finding that a probe would give.
pub async fn upgrade_on<S: AsyncRead + AsyncWrite + Unpin>(target: &Target, stream: &mut S) -> Result<(), Finding> {
    match upgrade::upgrade(&Trial::begin(target, "upgrade"), stream).await {
        Answer::Accepted { .. } => Ok(()),
        Answer::AcceptedOther { finding, .. } | Answer::Refused { finding, .. } | Answer::Ended(finding) | Answer::Late(finding) => {
            Err(finding)
        }
    }
}

fn nothing_yet(now: Now) -> Observation {
    Observation { at: now.wall, door: Door::Unreachable, served: None, times: StageTimes::default(), findings: Vec::new() }
}

fn unconnected(observation: &mut Observation, finding: Finding) {
    if finding.code == Code::TcpRefused {
        observation.door = Door::Refused;
    }
    observation.findings.push(finding);
}

enum Greeting<'a> {
    /// What was shown is still to be judged.
    Stands(Box<TlsStream<TcpStream>>, Shown<'a>),
    /// It ended there, and the observation says how.
    Over(Closing),
}

/// What a handshake showed, before anybody has judged it.
struct Shown<'a> {
    trial: Trial<'a>,
    chain: Vec<CertificateDer<'static>>,
    possession: Possession,
    protocol: String,
    /// For a certificate of the client, where that keeps somebody out.
    asked: bool,
}

impl Shown<'_> {
    fn judge(self, seen: &Seen, observation: &mut Observation) {
        if let Some((served, findings)) = judge::judge(&self.trial, self.chain, &self.possession, self.protocol, seen, observation.at) {
            observation.served = Some(served);
            observation.findings.extend(findings);
        }
        if self.asked {
            observation.findings.push(self.trial.finding(Code::TlsClientCertificate, "a certificate of the client is asked for"));
        }
    }
}

/// TCP and TLS.
async fn greet<'a>(target: &'a Target, surface: &Surface, seen: &Seen, observation: &mut Observation) -> Greeting<'a> {
    let trial = Trial::begin(target, "tcp");
    let stream = match connect::connect(&trial).await {
        Ok(stream) => stream,
        Err(finding) => {
            unconnected(observation, finding);
            return Greeting::Over(Closing::nothing());
        }
    };
    observation.times.tcp = Some(trial.elapsed());

    let trial = Trial::begin(target, "tls");
    let handshake = tls::handshake(&trial, stream).await;
    let took = trial.elapsed();
    let protocol = handshake.outcome.as_ref().map_or_else(|_| String::new(), |stream| protocol(stream));
    // Phones may well have a certificate of their own; browsers let nobody choose one for a WebSocket.
    let asked = handshake.asked && *surface == Surface::Wss;
    let shown = Shown { trial, chain: handshake.chain, possession: handshake.possession, protocol, asked };
    match handshake.outcome {
        Ok(stream) => {
            observation.times.tls = Some(took);
            if shown.possession == Possession::Refuted {
                shown.judge(seen, observation);
                observation.door = Door::Dark;
                return Greeting::Over(Closing::http(stream, target.timeout));
            }
            Greeting::Stands(stream, shown)
        }
        Err(failure) => {
            let failed = shown.trial.finding(Code::TlsFailed, failure.to_string());
            shown.judge(seen, observation);
            let (door, finding) = darkness(target, &failure, failed).await;
            observation.door = door;
            observation.findings.insert(0, finding);
            Greeting::Over(Closing::nothing())
        }
    }
}

fn protocol(stream: &TlsStream<TcpStream>) -> String {
    stream.get_ref().1.protocol_version().map(|version| format!("{version:?}")).unwrap_or_default()
}

/// What a failed handshake means: silence is no darkness, and a port that answers in cleartext has a name of its own.
async fn darkness(target: &Target, failure: &Failure, failed: Finding) -> (Door, Finding) {
    match failure {
        Failure::Silence => return (Door::Unreachable, failed),
        // It does speak TLS. nginx and many others would tell off in cleartext who does not, with 400.
        Failure::Alert(_) | Failure::Protocol(_) => return (Door::Dark, failed),
        Failure::Closed | Failure::Reset | Failure::NotTls => {}
    }
    match cleartext(target).await {
        Some(finding) => (Door::Cleartext, finding),
        None => (Door::Dark, failed),
    }
}

/// Asks for the same upgrade without TLS, on a connection of its own.
async fn cleartext(target: &Target) -> Option<Finding> {
    let trial = Trial::begin(target, "cleartext");
    let mut stream = connect::connect(&trial).await.ok()?;
    let answer = upgrade::upgrade(&trial, &mut stream).await;
    match answer {
        Answer::Accepted { tail } | Answer::AcceptedOther { tail, .. } => {
            let finding = trial.finding(Code::TlsCleartext, "HTTP 101 to an upgrade without TLS");
            farewell::leave_websocket(stream, tail, target.timeout).await;
            Some(finding)
        }
        Answer::Refused { status: Some(status), .. } => {
            let finding = trial.finding(Code::TlsCleartext, format!("HTTP {status} to an upgrade without TLS"));
            farewell::leave(stream, target.timeout).await;
            Some(finding)
        }
        Answer::Refused { status: None, .. } => {
            farewell::leave(stream, target.timeout).await;
            None
        }
        Answer::Ended(_) | Answer::Late(_) => None,
    }
}

/// The upgrade, on TLS that stands. The certificate is judged while the answer is on its way.
async fn ask(
    target: &Target,
    seen: &Seen,
    mut stream: Box<TlsStream<TcpStream>>,
    shown: Shown<'_>,
    observation: &mut Observation,
) -> Result<Socket, Closing> {
    let trial = Trial::begin(target, "upgrade");
    let (answer, ()) = tokio::join!(biased; upgrade::upgrade(&trial, &mut stream), async { shown.judge(seen, observation) });
    match answered(answer, trial.elapsed(), observation) {
        Some(tail) if observation.door == Door::Open => Ok(Socket::new(stream, tail, target.timeout).await),
        Some(tail) => Err(Closing::websocket(stream, tail, target.timeout)),
        None => Err(Closing::http(stream, target.timeout)),
    }
}

/// Writes down what the answer says of the door. `Some`: the peer speaks WebSocket from here on, and has said this already.
fn answered(answer: Answer, took: Duration, observation: &mut Observation) -> Option<Vec<u8>> {
    let (door, finding, tail) = match answer {
        Answer::Accepted { tail } => {
            observation.door = Door::Open;
            observation.times.upgrade = Some(took);
            return Some(tail);
        }
        Answer::AcceptedOther { finding, tail } => (Door::Shut, finding, Some(tail)),
        Answer::Refused { finding, .. } | Answer::Ended(finding) => (Door::Shut, finding, None),
        Answer::Late(finding) => (Door::Unreachable, finding, None),
    };
    observation.door = door;
    // What kept the probe from going on stands first.
    observation.findings.insert(0, finding);
    tail
}
