//! An open WebSocket that nobody says anything on, as a softphone's is between calls → whether it is still there after a while, and who ended
//! it if not. At the end it is pinged: a connection that a router forgot is open on this side alone.

use std::time::Duration;

use tokio::time::timeout;

use super::{Question, sip};
use crate::{
    clock,
    diagnosis::{Code, Finding},
    doctor::{BrowserWould, Notebook},
    proof::{Heard, Socket},
};

/// PJSIP ends a WebSocket over which no SIP has come for 32 seconds, with a NOTICE (ran on 16 and 22).
const WITHOUT_SIP: Duration = Duration::from_secs(25);
/// What comes over a quiet connection: some keep-alives. More is a flood.
const MOST_MESSAGES: usize = 1000;

/// Holds it. `None`: it ended meanwhile.
pub(super) async fn hold(book: &mut Notebook<'_>, question: &Question, mut socket: Socket) -> Option<Socket> {
    let Some(wanted) = question.wishes.hold else {
        book.lacks(
            "idle",
            (
                "--hold 90s: whether the WebSocket is still there after some time of silence",
                "--hold 90s: se o WebSocket ainda está lá após algum tempo de silêncio",
            ),
        );
        return Some(socket);
    };
    let mut step = book.begin("hold");
    let span = if question.wishes.user.is_some() { wanted } else { wanted.min(WITHOUT_SIP) };
    if span < wanted {
        book.lacks(
            "idle",
            (
                "--user NAME: Asterisk itself ends a WebSocket over which no SIP has come for 32 s, so this one was held for 25 s",
                "--user NOME: o próprio Asterisk encerra um WebSocket pelo qual não veio SIP em 32 s, por isso este foi mantido por 25 s",
            ),
        );
    }
    let begun = clock::tick();
    let end = match timeout(span, quiet(&mut socket)).await {
        Ok(end) => Some(end),
        Err(_) => ping(question, &mut socket).await,
    };
    let held = clock::tick() - begun;
    step.note("held", format!("{:.1} s", held.as_secs_f64()));
    let about = |code| {
        Finding::new(code)
            .with("address", format!("{}:{}", question.aim.host, question.aim.port))
            .with("millis", i64::try_from(held.as_millis()).unwrap_or(i64::MAX))
    };
    let lives = end.is_none();
    match end {
        None => step.note("answer", "pong"),
        Some(End::Silent) => {
            book.find(about(Code::WsPingUnanswered).with("found", format!("no pong within {} ms", question.timeout.as_millis())));
        }
        Some(End::Flood) => {
            book.find(
                about(Code::WsClosedEarly)
                    .with("found", format!("more than {MOST_MESSAGES} messages that nobody asked for: no Asterisk does so")),
            );
        }
        Some(End::Ended(end)) => {
            let mut finding = about(Code::WsClosedEarly).with("found", format!("after {:.1} s, {}", held.as_secs_f64(), sip::ended(&end)));
            if let Some(likely) = likely(held, &end) {
                finding = finding.with("likely", likely);
            }
            book.find(finding);
        }
    }
    if !lives {
        book.saw(BrowserWould::Fail1006);
    }
    book.end(step);
    lives.then_some(socket)
}

enum End {
    Ended(Heard),
    Silent,
    Flood,
}

/// Until it ends.
async fn quiet(socket: &mut Socket) -> End {
    for _ in 0..MOST_MESSAGES {
        match socket.hear().await {
            Heard::Message(_) | Heard::Ping | Heard::Pong => {}
            end @ (Heard::Close(..) | Heard::Gone(_)) => return End::Ended(end),
        }
    }
    End::Flood
}

/// `None`: it lives.
async fn ping(question: &Question, socket: &mut Socket) -> Option<End> {
    let answered = async {
        if let Err(end) = socket.ping().await {
            return Some(End::Ended(end));
        }
        for _ in 0..MOST_MESSAGES {
            match socket.hear().await {
                Heard::Pong => return None,
                Heard::Message(_) | Heard::Ping => {}
                end @ (Heard::Close(..) | Heard::Gone(_)) => return Some(End::Ended(end)),
            }
        }
        Some(End::Flood)
    };
    timeout(question.timeout, answered).await.unwrap_or(Some(End::Silent))
}

/// Whose habit it is to end a quiet connection just then.
fn likely(held: Duration, end: &Heard) -> Option<&'static str> {
    let near = |seconds: u64| held.abs_diff(Duration::from_secs(seconds)) < Duration::from_secs(2);
    match end {
        Heard::Gone(_) if near(60) => {
            Some("the idle timeout of a proxy or load balancer: 60 s is what nginx (proxy_read_timeout) and AWS have")
        }
        Heard::Gone(_) if near(100) => Some("Cloudflare, whose idle timeout is 100 s"),
        Heard::Gone(_) if near(30) || near(50) => Some("the idle timeout of a proxy or of a router (NAT)"),
        Heard::Close(..) if near(32) => Some("PJSIP: no SIP request came within 32 s"),
        Heard::Close(Some(1001), _) => Some("a server that goes away: Asterisk was restarted or its module unloaded"),
        Heard::Close(..) | Heard::Gone(_) | Heard::Message(_) | Heard::Ping | Heard::Pong => None,
    }
}
