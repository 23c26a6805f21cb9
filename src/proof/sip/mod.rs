//! SIP over a WebSocket (RFC 7118), as little of it as a question needs: OPTIONS to see who answers, REGISTER to see whether credentials are
//! right. What enters: an open [`Socket`]; what leaves: the final [`Response`], in bounded time. Refuses to disturb: a REGISTER without a
//! Contact asks which contacts there are (RFC 3261, 10.2.3) and changes none.

mod digest;
mod message;

pub use digest::{Algorithm, Challenge};
pub use message::{Request, Response};

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;

use super::{Heard, Socket};

/// Who asks, on one connection.
pub struct Caller<'a> {
    socket: &'a mut Socket,
    /// The user part and the host of its address of record.
    user: String,
    host: String,
    call: String,
    tag: String,
    number: u32,
    limit: Duration,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Nothing that answers came in time.
    Late(Duration),
    /// The peer closed or dropped the WebSocket.
    Closed(Heard),
}

/// What came of showing credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The first answer.
    pub first: Response,
    /// What was challenged with, in the order in which it came.
    pub challenges: Vec<Challenge>,
    /// By which algorithm it was answered; `None`: none was asked for, or none that is known.
    pub algorithm: Option<Algorithm>,
    /// The last answer.
    pub last: Response,
}

impl<'a> Caller<'a> {
    /// `user`: an endpoint's name, or one with its own domain, `1001@example.com`. `limit`: for each answer.
    pub fn new(socket: &'a mut Socket, user: &str, host: &str, limit: Duration) -> Self {
        let (user, host) = user.split_once('@').unwrap_or((user, host));
        Caller { socket, user: user.to_owned(), host: host.to_owned(), call: token(), tag: token(), number: 0, limit }
    }

    /// Who is there? Asked without credentials: 200 and 401 both say that SIP lives.
    ///
    /// # Errors
    /// Nobody answered.
    pub async fn options(&mut self) -> Result<Response, Silence> {
        let request = self.request("OPTIONS");
        self.ask(request).await
    }

    /// Which contacts has this user? 200 proves the credentials, and changes nothing. One attempt.
    ///
    /// # Errors
    /// Nobody answered.
    pub async fn bindings(&mut self, password: &SecretString) -> Result<Shown, Silence> {
        self.authenticated(password, None, None).await
    }

    /// A contact that nobody else has and that leads nowhere, as a browser's does (RFC 7118, 5.2).
    pub fn contact(&self) -> String {
        format!("sip:{}@{}.invalid;transport=ws", self.tag, self.call)
    }

    /// Binds `contact` for so many seconds; 0 takes that very one away again.
    ///
    /// # Errors
    /// Nobody answered.
    pub async fn bind(&mut self, password: &SecretString, contact: &str, seconds: u32) -> Result<Shown, Silence> {
        self.authenticated(password, Some(contact), Some(seconds)).await
    }

    async fn authenticated(&mut self, password: &SecretString, contact: Option<&str>, expires: Option<u32>) -> Result<Shown, Silence> {
        let request = |caller: &mut Self| {
            let mut request = caller.request("REGISTER");
            request.contact = contact.map(str::to_owned);
            request.expires = expires;
            request
        };
        let asked = request(self);
        let first = self.ask(asked).await?;
        let challenges = first.challenges();
        let unanswered = |first: Response, challenges| Shown { last: first.clone(), first, challenges, algorithm: None };
        if first.status != 401 && first.status != 407 {
            return Ok(unanswered(first, challenges));
        }
        let Some(challenge) = Challenge::strongest(&challenges) else { return Ok(unanswered(first, challenges)) };
        let algorithm = challenge.algorithm;
        let mut again = request(self);
        let uri = again.uri();
        let name = if first.status == 401 { "Authorization" } else { "Proxy-Authorization" };
        let answer = challenge.answer(&self.user, password.expose_secret(), again.method, &uri, &token());
        again.authorization = answer.map(|answer| (name, answer));
        let last = self.ask(again).await?;
        Ok(Shown { first, challenges, algorithm, last })
    }

    fn request(&mut self, method: &'static str) -> Request {
        self.number += 1;
        Request {
            method,
            user: self.user.clone(),
            host: self.host.clone(),
            branch: token(),
            call: self.call.clone(),
            tag: self.tag.clone(),
            number: self.number,
            contact: None,
            expires: None,
            authorization: None,
        }
    }

    /// Says it, and waits for its final answer. What else comes meanwhile (a NOTIFY, an OPTIONS of Asterisk's own) is let go.
    async fn ask(&mut self, request: Request) -> Result<Response, Silence> {
        let (call, number, limit) = (request.call.clone(), request.number, self.limit);
        let answer = async {
            self.socket.say(&request.to_string()).await.map_err(Silence::Closed)?;
            for _ in 0..MOST_MESSAGES {
                match self.socket.hear().await {
                    Heard::Message(bytes) => {
                        let answer = Response::parse(&bytes).filter(|answer| answer.answers(&call, number) && answer.status >= 200);
                        if let Some(answer) = answer {
                            return Ok(answer);
                        }
                    }
                    Heard::Ping | Heard::Pong => {}
                    end @ (Heard::Close(..) | Heard::Gone(_)) => return Err(Silence::Closed(end)),
                }
            }
            Err(Silence::Late(limit))
        };
        timeout(limit, answer).await.unwrap_or(Err(Silence::Late(limit)))
    }
}

/// What comes before an answer that is no answer to us; more is a flood.
const MOST_MESSAGES: usize = 200;

/// A word that nobody else has: 22 letters and digits or fewer.
fn token() -> String {
    generate_key().chars().filter(char::is_ascii_alphanumeric).collect()
}
