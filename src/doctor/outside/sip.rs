//! An open WebSocket + who one claims to be → whether SIP answers there, and whether it would take those credentials. Without a name nothing
//! is said: a question from a name that no endpoint has is a NOTICE that fail2ban acts on. With a password, contacts are asked for and none is
//! changed, since a REGISTER of our own would put an agent's phone out where `max_contacts` is 1; only `register` asks for that.

use secrecy::SecretString;

use super::Question;
use crate::{
    diagnosis::{Code, Finding},
    doctor::{BrowserWould, Notebook, Running},
    proof::{
        Heard, Socket,
        sip::{Caller, Challenge, Response, Shown, Silence},
    },
};

/// Who asks.
#[derive(Clone, Debug)]
pub struct User {
    /// The endpoint's name, with a domain of its own or without.
    pub name: String,
    /// `None`: who answers is seen, and not whether the password is right.
    pub password: Option<SecretString>,
    /// Register indeed, and take it back.
    pub register: bool,
}

/// Asks, if there is somebody to ask as.
pub(super) async fn ask(book: &mut Notebook<'_>, question: &Question, socket: &mut Socket) {
    let mut step = book.begin("sip");
    let Some(user) = &question.wishes.user else {
        book.skip(
            step,
            (
                "--user NAME, an endpoint that exists: a question from any other name is a NOTICE in Asterisk's log that fail2ban acts on",
                "--user NOME, um endpoint que exista: uma pergunta com qualquer outro nome é um NOTICE no log do Asterisk, que faz o fail2ban agir",
            ),
        );
        return;
    };
    step.note("user", user.name.as_str());
    let mut caller = Caller::new(socket, &user.name, &question.aim.host, question.timeout);
    let Some(password) = &user.password else {
        match caller.options().await {
            Ok(answer) => {
                note(&mut step, "answer", &answer);
                judge_owner(book, question, &answer);
                judge_challenges(book, question, user, &answer.challenges());
            }
            Err(silence) => silent(book, question, &silence),
        }
        book.end(step);
        book.lacks(
            "registration",
            ("--password-file FILE with the password of that user", "--password-file ARQUIVO com a senha desse usuário"),
        );
        return;
    };
    let asked = caller.bindings(password).await;
    let proven = shown(book, question, user, &mut step, asked, Code::SipAuthRejected);
    if proven && user.register {
        register(book, question, user, password, &mut caller, &mut step).await;
    }
    book.end(step);
}

/// A REGISTER with a contact that leads nowhere, and the same again for no time at all.
async fn register(
    book: &mut Notebook<'_>,
    question: &Question,
    user: &User,
    password: &SecretString,
    caller: &mut Caller<'_>,
    step: &mut Running,
) {
    let contact = caller.contact();
    let asked = caller.bind(password, &contact, SECONDS).await;
    // The credentials are known to be right: a 403 is for the contact, for which there is no room.
    if shown(book, question, user, step, asked, Code::SipRefused) {
        step.note("registered", contact.as_str());
        match caller.bind(password, &contact, 0).await {
            Ok(shown) => note(step, "unregistered", &shown.last),
            Err(silence) => silent(book, question, &silence),
        }
    }
}

/// Gone by itself if we are.
const SECONDS: u32 = 60;

/// Whether the credentials were taken. `refused`: what it means where they were not.
fn shown(
    book: &mut Notebook<'_>,
    question: &Question,
    user: &User,
    step: &mut Running,
    asked: Result<Shown, Silence>,
    refused: Code,
) -> bool {
    let shown = match asked {
        Ok(shown) => shown,
        Err(silence) => {
            silent(book, question, &silence);
            return false;
        }
    };
    if shown.last != shown.first {
        note(step, "challenge", &shown.first);
    }
    note(step, "answer", &shown.last);
    if let Some(algorithm) = shown.algorithm {
        step.note("digest", algorithm.name());
    }
    let contacts: Vec<String> = shown.last.all("Contact").map(str::to_owned).take(MOST_CONTACTS).collect();
    if shown.last.status == 200 {
        step.note("contacts", contacts);
    }
    judge_owner(book, question, &shown.last);
    judge_challenges(book, question, user, &shown.challenges);
    let finding = match shown.last.status {
        200 => return true,
        // An unknown endpoint gets the same answers, so that nobody can guess names.
        401 | 403 | 407 => Finding::new(refused),
        404 => Finding::new(Code::SipEndpointUnknown),
        _ => Finding::new(Code::SipRefused),
    };
    book.find(about(question, finding, &words(&shown.last)).with("user", user.name.as_str()));
    book.saw(BrowserWould::ConnectThenReject);
    false
}

const MOST_CONTACTS: usize = 16;

fn note(step: &mut Running, key: &'static str, answer: &Response) {
    step.note(key, words(answer));
    if let Some(server) = answer.header("Server").or(answer.header("User-Agent")) {
        step.note("server", server.chars().take(LONGEST_NAME).collect::<String>());
    }
}

fn words(answer: &Response) -> String {
    format!("SIP {} {}", answer.status, answer.reason.chars().take(LONGEST_NAME).collect::<String>())
}

const LONGEST_NAME: usize = 80;

fn judge_owner(book: &mut Notebook<'_>, question: &Question, answer: &Response) {
    if answer.is_of_chan_sip() {
        book.find(about(question, Finding::new(Code::SipOwnedByChanSip), &words(answer)));
        book.saw(BrowserWould::ConnectThenReject);
    }
}

/// JsSIP keeps the last challenge alone, and answers only MD5.
fn judge_challenges(book: &mut Notebook<'_>, question: &Question, user: &User, challenges: &[Challenge]) {
    if challenges.last().is_none_or(Challenge::suits_jssip) {
        return;
    }
    let offered: Vec<&str> = challenges.iter().map(|challenge| challenge.named.as_str()).collect();
    book.find(about(question, Finding::new(Code::SipDigestUnsupported), &offered.join(", ")).with("user", user.name.as_str()));
    book.saw(BrowserWould::ConnectThenReject);
}

fn silent(book: &mut Notebook<'_>, question: &Question, silence: &Silence) {
    let (code, found) = match silence {
        Silence::Late(limit) => (Code::SipNoAnswer, format!("no answer within {} ms", limit.as_millis())),
        Silence::Closed(end) => (Code::WsClosedEarly, ended(end)),
    };
    book.find(about(question, Finding::new(code), &found));
    book.saw(match silence {
        Silence::Late(_) => BrowserWould::ConnectThenReject,
        Silence::Closed(_) => BrowserWould::Fail1006,
    });
}

/// How a WebSocket ended, in words.
pub(super) fn ended(end: &Heard) -> String {
    match end {
        Heard::Close(Some(code), reason) if reason.is_empty() => format!("the peer closed it with code {code}"),
        Heard::Close(Some(code), reason) => format!("the peer closed it with code {code}: {reason}"),
        Heard::Close(None, _) => "the peer closed it without a code".to_owned(),
        Heard::Gone(how) => how.clone(),
        Heard::Message(_) | Heard::Ping | Heard::Pong => "it did not end".to_owned(),
    }
}

fn about(question: &Question, finding: Finding, found: &str) -> Finding {
    finding.with("address", format!("{}:{}", question.aim.host, question.aim.port)).with("found", found)
}
