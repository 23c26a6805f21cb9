//! Asks the local agent's `/readyz`. No runtime, no TLS, no settings: it is started anew every few seconds by Docker and Compose, and must
//! cost nothing.

use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    process::ExitCode,
    thread,
    time::Duration,
};

use super::{Common, Output, terminal};
use crate::{
    clock,
    diagnosis::{Lang, texts::printable},
};

#[derive(Debug, clap::Args)]
pub(super) struct Healthcheck {
    /// What to ask [default: http://127.0.0.1:9808/readyz]
    #[arg(long, env = "STARKEEPER_HEALTHCHECK_URL", hide_env_values = true, value_name = "URL")]
    #[arg(default_value = "http://127.0.0.1:9808/readyz", hide_default_value = true)]
    url: String,
    /// Ask again for this long until it is ready; 0: ask once
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    within: u64,
}

impl Healthcheck {
    pub(super) fn run(&self, common: &Common) -> ExitCode {
        let is_ready = |answer: &Result<Answer, _>| answer.as_ref().is_ok_and(|answer| answer.status == 200);
        match within(self.within, || get(&self.url, common.output), is_ready) {
            Ok(answer) => {
                let lines: Vec<String> = answer.body.trim_end().lines().map(printable).collect();
                terminal::out(&lines.join("\n"));
                ExitCode::from(u8::from(answer.status != 200))
            }
            Err(error) => {
                terminal::err(&error.told(&self.url, common.lang()));
                ExitCode::FAILURE
            }
        }
    }
}

/// Asks until the answer is the one that is hoped for, for so many seconds; at 0, once. The last answer.
pub(super) fn within<T>(seconds: u64, ask: impl Fn() -> T, is_hoped_for: impl Fn(&T) -> bool) -> T {
    let end = clock::tick() + Duration::from_secs(seconds);
    loop {
        let answer = ask();
        if is_hoped_for(&answer) || clock::tick() >= end {
            return answer;
        }
        thread::sleep(BETWEEN);
    }
}

/// An answer of the agent.
#[derive(Debug)]
pub(super) struct Answer {
    /// HTTP status.
    pub(super) status: u16,
    /// What came after the headers.
    pub(super) body: String,
}

/// One plain `GET`, bounded in size and time.
pub(super) fn get(url: &str, output: Output) -> Result<Answer, Unanswered> {
    let rest = url.strip_prefix("http://").ok_or(Unanswered::Url)?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if authority.is_empty() || url.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return Err(Unanswered::Url);
    }
    let path = if path.is_empty() { "/readyz" } else { path };
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let address = if has_port { authority.to_owned() } else { format!("{authority}:9808") };
    let mut last = Unanswered::Url;
    for socket in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&socket, PATIENCE) {
            Ok(stream) => return ask(stream, authority, path, output),
            Err(error) => last = Unanswered::Io(error),
        }
    }
    Err(last)
}

fn ask(mut stream: TcpStream, authority: &str, path: &str, output: Output) -> Result<Answer, Unanswered> {
    let accept = match output {
        Output::Text => "text/plain",
        Output::Json => "application/json",
    };
    let end = clock::tick() + PATIENCE;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {authority}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    let mut chunk = [0; 8192];
    loop {
        let left = end - clock::tick();
        if left.is_zero() {
            return Err(Unanswered::Io(io::ErrorKind::TimedOut.into()));
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut chunk)? {
            0 => break,
            read => bytes.extend_from_slice(&chunk[..read]),
        }
        if bytes.len() > LIMIT {
            return Err(Unanswered::NotHttp);
        }
    }
    understand(&bytes)
}

/// What was answered, whoever answered.
pub(super) fn understand(bytes: &[u8]) -> Result<Answer, Unanswered> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").ok_or(Unanswered::NotHttp)?;
    let status = head.strip_prefix("HTTP/1.").and_then(|head| head.get(2..5)).and_then(|code| code.parse().ok());
    Ok(Answer { status: status.ok_or(Unanswered::NotHttp)?, body: body.to_owned() })
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// Not of the form that is asked for.
    Url,
    /// What the system says.
    Io(io::Error),
    /// Something else answers.
    NotHttp,
}

impl From<io::Error> for Unanswered {
    fn from(error: io::Error) -> Self {
        Unanswered::Io(error)
    }
}

impl Unanswered {
    /// As a person reads it.
    pub(super) fn told(&self, url: &str, lang: Lang) -> String {
        let kind = match self {
            Unanswered::Io(error) => Some(error.kind()),
            Unanswered::Url | Unanswered::NotHttp => None,
        };
        let timed_out = matches!(kind, Some(io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut));
        let refused = kind == Some(io::ErrorKind::ConnectionRefused);
        let seconds = PATIENCE.as_secs();
        let why = match (self, lang) {
            (Unanswered::Url, Lang::En) => "it is no URL of the form http://HOST:PORT/PATH".to_owned(),
            (Unanswered::Url, Lang::PtBr) => "não é uma URL da forma http://HOST:PORTA/CAMINHO".to_owned(),
            (Unanswered::NotHttp, Lang::En) => "what answers is no Starkeeper agent".to_owned(),
            (Unanswered::NotHttp, Lang::PtBr) => "o que responde não é um agente do Starkeeper".to_owned(),
            (Unanswered::Io(_), Lang::En) if timed_out => format!("no answer within {seconds} s"),
            (Unanswered::Io(_), Lang::PtBr) if timed_out => format!("nenhuma resposta em {seconds} s"),
            (Unanswered::Io(_), Lang::En) if refused => "nothing listens there; is `starkeeper run` up?".to_owned(),
            (Unanswered::Io(_), Lang::PtBr) if refused => "nada escuta ali; o `starkeeper run` está no ar?".to_owned(),
            (Unanswered::Io(error), Lang::En | Lang::PtBr) => error.to_string(),
        };
        match lang {
            Lang::En => format!("error: failed to ask {url}: {why}"),
            Lang::PtBr => format!("erro: não foi possível consultar {url}: {why}"),
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(5);
/// Between two questions where one is not enough.
const BETWEEN: Duration = Duration::from_millis(250);
/// A status with every finding is a few kilobytes.
const LIMIT: usize = 4 << 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_answers_is_an_answer_with_a_status_or_none(bytes in "(HTTP/1[.])?.{0,3}[0-9]{0,4}[ é]?(.|\r\n){0,40}") {
            if let Ok(answer) = understand(bytes.as_bytes()) {
                let status = answer.status.to_string();
                prop_assert!(bytes.starts_with("HTTP/1.") && bytes.contains(&status) && bytes.ends_with(&answer.body));
            }
        }
    }
}
