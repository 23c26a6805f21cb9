//! What a browser is told to connect to → the evidence of everything that it would meet on the way: the address, DNS, TCP, TLS, the upgrade.
//! Nothing of Asterisk's own is needed, and nothing is left in its log.

mod address;
mod chain;
mod elsewhere;
mod hold;
mod names;
mod old;
mod sip;
mod status;
#[cfg(test)]
mod tests;
mod thorough;
mod way;

pub(super) use address::without_login;
pub use address::{Aim, NoAddress};
pub use sip::User;

use std::time::Duration;

use super::{BrowserWould, Notebook};
use crate::{
    diagnosis::{Finding, Severity},
    material::anchors::Anchors,
    settings::Address,
};

/// What is asked beyond the way to an open WebSocket.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// As whom SIP is asked; `None`: it is not, or from within as the first endpoint that looks whole.
    pub user: Option<User>,
    /// For how long the WebSocket is held.
    pub hold: Option<Duration>,
    /// Whether more is asked, some of which leaves lines in the log of whoever is asked.
    pub thorough: bool,
}

/// What is asked, and by whose eyes it is judged.
#[derive(Clone, Debug)]
pub struct Question {
    /// What the browser connects to.
    pub aim: Aim,
    /// What was found in the address as it was written.
    pub written: Vec<Finding>,
    /// The origin of the page, `https://app.example.com`.
    pub origin: Option<String>,
    /// Where to connect instead of what DNS says.
    pub connect: Option<Address>,
    /// Whom the browser trusts; `None`: that is not judged.
    pub anchors: Option<Anchors>,
    /// What is asked beyond that.
    pub wishes: Wishes,
    /// For each stage.
    pub timeout: Duration,
}

/// Looks at all of it, as far as it goes.
pub async fn examine(book: &mut Notebook<'_>, question: &Question) {
    address(book, question);
    let Some(addresses) = names::resolve(book, question).await else {
        book.saw(BrowserWould::Fail1006);
        return;
    };
    match way::walk(book, question, &addresses).await {
        Some(mut socket) => {
            sip::ask(book, question, &mut socket).await;
            if let Some(socket) = hold::hold(book, question, socket).await {
                socket.leave().await;
            }
        }
        None => elsewhere::look(book, question, &addresses).await,
    }
    if let Some(first) = addresses.first().filter(|_| question.wishes.thorough && question.aim.secure) {
        thorough::look(book, question, *first).await;
    }
    if question.anchors.is_none() && question.aim.secure {
        book.lacks(
            "trust",
            (
                "--ca system, or the file of the authority that browsers trust",
                "--ca system, ou o arquivo da autoridade em que os navegadores confiam",
            ),
        );
    }
}

/// What can be said before a packet leaves.
fn address(book: &mut Notebook<'_>, question: &Question) {
    let mut step = book.begin("url");
    step.note("url", question.aim.to_string());
    if let Some(origin) = &question.origin {
        step.note("origin", origin.as_str());
    }
    for finding in &question.written {
        if finding.severity == Severity::Error {
            book.saw(BrowserWould::Fail1006);
        }
        book.find(finding.clone());
    }
    if let Some(finding) = question.aim.mixed(question.origin.as_deref()) {
        if finding.severity == Severity::Error {
            book.saw(BrowserWould::Fail1006);
        }
        book.find(finding);
    }
    book.end(step);
}
