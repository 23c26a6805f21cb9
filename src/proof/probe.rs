//! [`Target`] + [`Seen`] + now → [`Observation`]: TCP, TLS, the upgrade, and a farewell that leaves nothing in Asterisk's log. One probe
//! is one connection; only where TLS fails does a second one ask whether the port answers in cleartext.

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use super::{
    Closing, Door, Observation, Seen, StageTimes, Target,
    answer::Answer,
    connect, farewell, judge,
    tls::{self, Failure, Possession},
    trial::Trial,
    upgrade,
};
use crate::{
    clock::Now,
    diagnosis::{Code, Finding},
};

/// Tries the door once. Every stage ends within `target.timeout`. The observation is there as soon as it is known; the connection is
/// gone once [`Closing::done`] has been awaited, which must be before a reload. Dropped half way, it ends abruptly.
pub async fn probe(target: &Target, seen: &Seen, now: Now) -> (Observation, Closing) {
    let mut observation = nothing_yet(now);
    let closing = match greet(target, seen, &mut observation).await {
        Greeting::Stands(stream) => ask(target, stream, &mut observation).await,
        Greeting::Over(closing) => closing,
    };
    (observation, closing)
}

/// TCP and TLS alone, for surfaces that speak no WebSocket (SIP over TLS): what is served there. Where TLS stands the door is
/// [`Door::Shut`], since nothing more is asked. PJSIP logs a warning for every TLS client that leaves, however it leaves: a look for
/// `doctor`, not for a watch.
pub async fn handshake(target: &Target, seen: &Seen, now: Now) -> (Observation, Closing) {
    let mut observation = nothing_yet(now);
    let closing = match greet(target, seen, &mut observation).await {
        Greeting::Stands(stream) => {
            observation.door = Door::Shut;
            Closing::http(stream, target.timeout)
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

enum Greeting {
    Stands(Box<TlsStream<TcpStream>>),
    /// It ended there, and the observation says how.
    Over(Closing),
}

/// TCP and TLS.
async fn greet(target: &Target, seen: &Seen, observation: &mut Observation) -> Greeting {
    let trial = Trial::begin(target, "tcp");
    let stream = match connect::connect(&trial).await {
        Ok(stream) => stream,
        Err(finding) => {
            if finding.code == Code::TcpRefused {
                observation.door = Door::Refused;
            }
            observation.findings.push(finding);
            return Greeting::Over(Closing::nothing());
        }
    };
    observation.times.tcp = Some(trial.elapsed());

    let trial = Trial::begin(target, "tls");
    let handshake = tls::handshake(&trial, stream).await;
    let took = trial.elapsed();
    let protocol = handshake.outcome.as_ref().map_or_else(|_| String::new(), |stream| protocol(stream));
    let judged = judge::judge(&trial, handshake.chain, &handshake.possession, protocol, seen, observation.at);
    if let Some((served, findings)) = judged {
        observation.served = Some(served);
        observation.findings.extend(findings);
    }
    match handshake.outcome {
        Ok(stream) => {
            observation.times.tls = Some(took);
            if handshake.possession == Possession::Refuted {
                observation.door = Door::Dark;
                return Greeting::Over(Closing::http(stream, target.timeout));
            }
            Greeting::Stands(stream)
        }
        Err(failure) => {
            let failed = trial.finding(Code::TlsFailed, failure.to_string());
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
        Failure::Alert(_) | Failure::Closed | Failure::Reset | Failure::NotTls | Failure::Protocol(_) => {}
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

/// The upgrade, on TLS that stands.
async fn ask(target: &Target, mut stream: Box<TlsStream<TcpStream>>, observation: &mut Observation) -> Closing {
    let trial = Trial::begin(target, "upgrade");
    let answer = upgrade::upgrade(&trial, &mut stream).await;
    let took = trial.elapsed();
    match answer {
        Answer::Accepted { tail } => {
            observation.door = Door::Open;
            observation.times.upgrade = Some(took);
            Closing::websocket(stream, tail, target.timeout)
        }
        Answer::AcceptedOther { finding, tail } => {
            refuse(observation, Door::Shut, finding);
            Closing::websocket(stream, tail, target.timeout)
        }
        Answer::Refused { finding, .. } | Answer::Ended(finding) => {
            refuse(observation, Door::Shut, finding);
            Closing::http(stream, target.timeout)
        }
        Answer::Late(finding) => {
            refuse(observation, Door::Unreachable, finding);
            Closing::http(stream, target.timeout)
        }
    }
}

/// What kept the probe from going on stands first.
fn refuse(observation: &mut Observation, door: Door, finding: Finding) {
    observation.door = door;
    observation.findings.insert(0, finding);
}
