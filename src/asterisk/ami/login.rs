//! A wire → a logged-in line. What does not greet like Asterisk is refused with what it sent; the secret crosses the wire only where
//! the settings say so, and stays in no buffer.

use std::time::Duration;

use futures_util::StreamExt as _;
use md5::{Digest as _, Md5};
use secrecy::ExposeSecret as _;
use tokio::{io::AsyncWriteExt as _, time::timeout};
use tokio_util::codec::Framed;
use zeroize::Zeroizing;

use super::{
    AmiConnect,
    action::{Action, ActionError, ActionId},
    codec::{Codec, Frame, Message, printable},
    dial::Wire,
    fault::{Fault, Stage},
};
use crate::settings::{AmiAuth, secret_in_file};

/// Asterisk lets a failed login wait about a second before it says so; a shorter timeout would call a wrong password a timeout.
const ASTERISK_PENALTY: Duration = Duration::from_secs(1);

/// A connection as messages.
pub(super) type Line = Framed<Box<dyn Wire>, Codec>;

/// Takes a secret that has rotated from its file, so that nothing need be restarted for it.
pub(super) async fn refresh(connect: &mut AmiConnect) {
    let Some(file) = &connect.secret_file else { return };
    // A network share may be dead; what is known may still do.
    if let Ok(Ok(bytes)) = timeout(connect.timeout, tokio::fs::read(file)).await
        && let Some(secret) = secret_in_file(&Zeroizing::new(bytes))
    {
        connect.secret = secret;
    }
}

/// Reads the banner and logs in. Gives the protocol's version with the line.
pub(super) async fn log_in(connect: &AmiConnect, wire: Box<dyn Wire>, last_id: &mut u64) -> Result<(Line, String), Fault> {
    let mut line = Framed::new(wire, Codec::default());
    let greeting = timeout(connect.timeout, line.next()).await;
    let version = match greeting.map_err(|_| Fault::Timeout { stage: Stage::Banner, after: connect.timeout })? {
        Some(Ok(Frame::Banner { version })) => version,
        Some(Ok(Frame::Message(_))) | None => return Err(Fault::of_stream(Stage::Banner, None)),
        Some(Err(violation)) => return Err(Fault::of_stream(Stage::Banner, Some(violation))),
    };
    let login = match connect.auth {
        AmiAuth::Plain => {
            Action::new("Login").with("Username", &*connect.username).and_then(|login| login.with("Secret", connect.secret.expose_secret()))
        }
        AmiAuth::Md5 => {
            let question = Action::new("Challenge").with("AuthType", "MD5").map_err(unsayable)?;
            let answer = ask(&mut line, question, last_id, connect.timeout).await?;
            let challenge = answer.get("Challenge").ok_or_else(|| refused(&answer))?;
            let key = md5_key(challenge, connect.secret.expose_secret());
            Action::new("Login")
                .with("AuthType", "MD5")
                .and_then(|login| login.with("Username", &*connect.username))
                .and_then(|login| login.with("Key", key.as_str()))
        }
    };
    // Of the events, only those of class `system`: FullyBooted, Reload, Shutdown. A busy exchange sends thousands of others a second.
    let login = login.and_then(|login| login.with("Events", "system")).map_err(unsayable)?;
    let answer = ask(&mut line, login, last_id, connect.timeout + ASTERISK_PENALTY).await?;
    if answer.response() == Some("Success") { Ok((line, version)) } else { Err(refused(&answer)) }
}

/// Asks one thing and waits for its answer; events that come between are of before the login, and of no use.
async fn ask(line: &mut Line, action: Action, last_id: &mut u64, within: Duration) -> Result<Message, Fault> {
    let id = ActionId::after(last_id);
    let bytes = action.identified(&id).encode();
    let conversation = async {
        // Past the codec, whose buffer outlives the login and is not wiped.
        let wire = line.get_mut();
        let written = async {
            wire.write_all(&bytes).await?;
            wire.flush().await
        };
        written.await.map_err(|error| Fault::of_stream(Stage::Login, Some(error.into())))?;
        loop {
            match line.next().await {
                Some(Ok(Frame::Message(message)))
                    if message.response().is_some() && message.get("ActionID").is_some_and(|text| id.is(text)) =>
                {
                    return Ok(message);
                }
                Some(Ok(Frame::Message(_) | Frame::Banner { .. })) => {}
                Some(Err(violation)) => return Err(Fault::of_stream(Stage::Login, Some(violation))),
                None => return Err(Fault::of_stream(Stage::Login, None)),
            }
        }
    };
    timeout(within, conversation).await.map_err(|_| Fault::Timeout { stage: Stage::Login, after: within })?
}

/// Lowercase hexadecimal MD5 of the challenge followed by the secret (`authenticate` in main/manager.c).
fn md5_key(challenge: &str, secret: &str) -> Zeroizing<String> {
    let digest = Md5::new().chain_update(challenge).chain_update(secret).finalize();
    Zeroizing::new(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn refused(answer: &Message) -> Fault {
    Fault::Auth { said: printable(answer.get("Message").unwrap_or("nothing").as_bytes()) }
}

/// A user or a secret that cannot be said to Asterisk at all cannot be one of its users either.
fn unsayable(error: ActionError) -> Fault {
    Fault::Auth { said: format!("nothing: failed to {error}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_md5_of_challenge_and_secret() {
        // printf 123456789s3cret | md5sum
        assert_eq!(md5_key("123456789", "s3cret").as_str(), "d32b5714dd0e3ae70d4a845d5e524f3f");
    }
}
