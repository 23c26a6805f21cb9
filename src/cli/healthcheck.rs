//! Asks the local agent's `/readyz`. No runtime, no TLS, no settings: it is started anew every few seconds by Docker and Compose, and must
//! cost nothing.

use std::{
    io::{Read, Write},
    net::{TcpStream, ToSocketAddrs},
    process::ExitCode,
    time::Duration,
};

use super::terminal;

#[derive(Debug, clap::Args)]
pub(super) struct Healthcheck {
    /// What to ask
    #[arg(long, env = "STARKEEPER_HEALTHCHECK_URL", value_name = "URL", default_value = "http://127.0.0.1:9808/readyz")]
    url: String,
}

impl Healthcheck {
    pub(super) fn run(&self) -> ExitCode {
        match get(&self.url) {
            Ok(answer) if answer.status == 200 => {
                terminal::out(answer.body.trim_end());
                ExitCode::SUCCESS
            }
            Ok(answer) => {
                terminal::out(answer.body.trim_end());
                ExitCode::FAILURE
            }
            Err(error) => {
                terminal::err(&format!("error: failed to ask {}: {error}", self.url));
                ExitCode::FAILURE
            }
        }
    }
}

/// An answer of the agent.
pub(super) struct Answer {
    /// HTTP status.
    pub(super) status: u16,
    /// What came after the headers.
    pub(super) body: String,
}

/// One plain `GET`, bounded in size and time.
pub(super) fn get(url: &str) -> Result<Answer, Unanswered> {
    let rest = url.strip_prefix("http://").ok_or(Unanswered::Url)?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = if path.is_empty() { "/readyz" } else { path };
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let address = if has_port { authority.to_owned() } else { format!("{authority}:9808") };
    let mut last = Unanswered::Url;
    for socket in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&socket, PATIENCE) {
            Ok(stream) => return ask(stream, authority, path),
            Err(error) => last = Unanswered::Io(error),
        }
    }
    Err(last)
}

fn ask(mut stream: TcpStream, authority: &str, path: &str) -> Result<Answer, Unanswered> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {authority}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut bytes = Vec::new();
    stream.take(LIMIT).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").ok_or(Unanswered::NotHttp)?;
    let status = head.strip_prefix("HTTP/1.").and_then(|head| head.get(2..5)).and_then(|code| code.parse().ok());
    Ok(Answer { status: status.ok_or(Unanswered::NotHttp)?, body: body.to_owned() })
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unanswered {
    #[error("it is no URL of the form http://HOST:PORT/PATH")]
    Url,
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("what answers is no HTTP server")]
    NotHttp,
}

const PATIENCE: Duration = Duration::from_secs(5);
/// A status with every finding is a few kilobytes.
const LIMIT: u64 = 4 << 20;
