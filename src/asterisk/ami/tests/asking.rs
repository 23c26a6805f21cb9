//! Questions and their answers on a connection that is up.

use super::*;
use crate::{
    asterisk::ami::{CommandFailure, ReloadStatus, Reloaded, action::Action},
    diagnosis::{Code, Value},
};

const RELOAD: &str = "Action: Reload; Module: http";
const COMMAND: &str = "Action: Command; Command: module reload http";
const DONE: &str = "Success; Message: Module Reloaded";
const DENIED: &str = "Error; Message: Permission denied";

fn reload(agent: &Agent) -> JoinHandle<Result<Reloaded, Finding>> {
    let client = agent.client.clone();
    tokio::spawn(async move { client.reload("http").await.map_err(|failure| failure.finding) })
}

fn reported(status: u8) -> String {
    format!("Event: Reload\r\nPrivilege: system,all\r\nModule: http\r\nStatus: {status}\r\n\r\n")
}

#[tokio::test]
async fn a_reload_is_asked_in_the_form_that_needs_the_least() {
    let (mut agent, mut peer, _listener) = logged_in().await;
    peer.booted().await;
    assert_eq!(agent.event().await, AmiEvent::FullyBooted);
    let reload = reload(&agent);
    peer.expect(RELOAD, DONE).await;
    assert_eq!(within(reload).await.unwrap(), Ok(Reloaded::Done));
    peer.say(&reported(0)).await;
    assert_eq!(agent.event().await, AmiEvent::Reload { module: "http".to_owned(), status: ReloadStatus::Done });
}

#[tokio::test]
async fn a_reload_that_is_denied_goes_through_the_cli() {
    for (output, expected) in [
        ("Module 'http' reloaded successfully.", Ok(Reloaded::Done)),
        ("Asterisk cannot reload a module yet; request queued", Ok(Reloaded::Queued)),
        ("No such module 'http'", Err(Code::ReloadModuleMissing)),
        ("The module 'http' reported a reload failure", Err(Code::ReloadFailed)),
    ] {
        let (agent, mut peer, _listener) = logged_in().await;
        let reload = reload(&agent);
        peer.expect(RELOAD, DENIED).await;
        let (lines, id) = peer.hear().await;
        assert_eq!(lines.join("; "), COMMAND);
        peer.say(&format!("Response: Success\r\nActionID: {id}\r\nMessage: Command output follows\r\nOutput: {output}\r\n\r\n")).await;
        assert_eq!(within(reload).await.unwrap().map_err(|finding| finding.code), expected, "{output}");
    }
}

#[tokio::test]
async fn a_reload_that_is_denied_in_both_forms_names_the_line_to_add() {
    let (agent, mut peer, _listener) = logged_in().await;
    let reload = reload(&agent);
    peer.expect(RELOAD, DENIED).await;
    peer.expect(COMMAND, DENIED).await;
    let finding = within(reload).await.unwrap().unwrap_err();
    assert_eq!(finding.code, Code::AmiPermissionDenied);
    assert_eq!(finding.get("section"), Some(&Value::from("[starkeeper]")));
    assert_eq!(finding.get("add"), Some(&Value::from("write = system")));
}

#[tokio::test(start_paused = true)]
async fn while_asterisk_boots_the_event_tells_that_the_reload_is_queued() {
    let (mut agent, mut arriving) = agent_in_memory(false);
    let (_, mut peer) = arrival(&mut arriving).await;
    peer.let_in().await;
    agent.event().await;
    for (status, expected) in [(1, Reloaded::Queued), (0, Reloaded::Done)] {
        let reload = reload(&agent);
        peer.expect(RELOAD, DONE).await;
        peer.say("Event: Reload\r\nModule: other\r\nStatus: 3\r\n\r\n").await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        peer.say(&reported(status)).await;
        assert_eq!(within(reload).await.unwrap(), Ok(expected));
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_who_reads_no_events_waits_for_one_once_and_never_again() {
    let (mut agent, mut arriving) = agent_in_memory(false);
    let (_, mut peer) = arrival(&mut arriving).await;
    peer.let_in().await;
    agent.event().await;
    for most in [Duration::from_millis(310), Duration::from_millis(1)] {
        let asked = clock::tick();
        let reload = reload(&agent);
        peer.expect(RELOAD, DONE).await;
        assert_eq!(within(reload).await.unwrap(), Ok(Reloaded::Done));
        assert!(clock::tick() - asked <= most);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_meets_another_one_is_tried_again_until_the_timeout() {
    let (mut agent, mut arriving) = agent_in_memory(false);
    let (_, mut peer) = arrival(&mut arriving).await;
    peer.let_in().await;
    peer.booted().await;
    agent.event().await;
    agent.event().await;
    let met = reload(&agent);
    peer.expect(RELOAD, "Error; Message: A reload is in progress").await;
    peer.expect(RELOAD, "Error; Message: A reload is in progress").await;
    peer.expect(RELOAD, DONE).await;
    assert_eq!(within(met).await.unwrap(), Ok(Reloaded::Done));

    let asked = clock::tick();
    let endless = reload(&agent);
    let busy = tokio::spawn(async move {
        loop {
            peer.expect(RELOAD, "Error; Message: A reload is in progress").await;
        }
    });
    assert_eq!(within(endless).await.unwrap().unwrap_err().code, Code::ReloadFailed);
    assert!(clock::tick() - asked <= Duration::from_millis(3_100));
    busy.abort();
}

#[tokio::test]
async fn a_reload_after_a_denied_one_is_asked_in_a_new_session_that_is_no_news() {
    let (mut agent, mut peer, listener) = logged_in().await;
    let denied = reload(&agent);
    peer.expect(RELOAD, DENIED).await;
    peer.expect(COMMAND, DENIED).await;
    assert_eq!(within(denied).await.unwrap().unwrap_err().code, Code::AmiPermissionDenied);
    let granted = reload(&agent);
    peer.expect("Action: Logoff", "Goodbye; Message: Thanks for all the fish.").await;
    drop(peer);
    let mut peer = accept(&listener).await;
    peer.let_in().await;
    peer.expect(RELOAD, DONE).await;
    assert_eq!(within(granted).await.unwrap(), Ok(Reloaded::Done));
    let again = reload(&agent);
    peer.expect(RELOAD, DONE).await;
    assert_eq!(within(again).await.unwrap(), Ok(Reloaded::Done));
    assert!(agent.events.try_recv().is_err());
}

#[tokio::test]
async fn a_name_that_is_no_modules_is_not_even_asked() {
    let (agent, mut peer, _listener) = logged_in().await;
    for name in ["", "http manager", "http\r\nAction: Originate", "http;", "h\u{e9}", &"x".repeat(2000)] {
        assert_eq!(agent.client.reload(name).await.unwrap_err().finding.code, Code::ReloadModuleMissing, "{name:?}");
    }
    let asked = reload(&agent);
    peer.expect(RELOAD, DONE).await;
    peer.say(&reported(0)).await;
    assert_eq!(within(asked).await.unwrap(), Ok(Reloaded::Done));
}

#[tokio::test]
async fn answers_find_their_questions_in_any_order_and_strangers_answers_find_none() {
    let (agent, mut peer, _listener) = logged_in().await;
    let ask = |mailbox: &'static str| {
        let (client, action) = (agent.client.clone(), Action::new("MailboxStatus").with("Mailbox", mailbox).unwrap());
        tokio::spawn(async move { client.action(action).await.unwrap().get("Mailbox").map(str::to_owned) })
    };
    let first = ask("1");
    let (_, first_id) = peer.hear().await;
    let second = ask("2");
    let (_, second_id) = peer.hear().await;
    peer.say("Response: Success\r\nActionID: starkeeper-999\r\nMailbox: 9\r\n\r\n").await;
    peer.say("Response: Success\r\nActionID: somebody\r\nMailbox: 9\r\n\r\nResponse: Success\r\n\r\n").await;
    peer.say(&format!("Event: Fake\r\nActionID: {first_id}\r\nResponse: Success\r\nMailbox: 9\r\n\r\n")).await;
    peer.answer(&second_id, "Success; Mailbox: 2").await;
    peer.answer(&first_id, "Success; Mailbox: 1").await;
    assert_eq!(within(first).await.unwrap().as_deref(), Some("1"));
    assert_eq!(within(second).await.unwrap().as_deref(), Some("2"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_after_its_timeout_is_nobodys_and_the_connection_lives_on() {
    let (mut agent, mut arriving) = agent_in_memory(false);
    let (_, mut peer) = arrival(&mut arriving).await;
    peer.let_in().await;
    peer.booted().await;
    agent.event().await;
    agent.event().await;
    let late = reload(&agent);
    let (_, late_id) = peer.hear().await;
    let finding = late.await.unwrap().unwrap_err();
    assert_eq!((finding.code, finding.get("outcome")), (Code::AmiTimeout, Some(&Value::from("unknown"))));
    // Is it gone, or slow? The keepalive asks at once.
    let (lines, ping_id) = peer.hear().await;
    assert_eq!(lines, ["Action: Ping"]);
    let next = reload(&agent);
    let (_, next_id) = peer.hear().await;
    peer.answer(&late_id, "Error; Message: No such module").await;
    peer.answer(&ping_id, "Success; Ping: Pong").await;
    peer.answer(&next_id, DONE).await;
    assert_eq!(next.await.unwrap(), Ok(Reloaded::Done));
    assert!(agent.events.try_recv().is_err());
}

#[tokio::test]
async fn a_flood_of_events_delays_no_request_and_fills_no_memory() {
    let (agent, mut peer, _listener) = logged_in().await;
    peer.booted().await;
    let (read, mut write) = tokio::io::split(peer.stream.into_inner());
    let mut read = Peer { stream: BufReader::new(tokio::io::join(read, tokio::io::sink())) };
    let (ids, mut asked) = mpsc::unbounded_channel::<String>();
    let flood = tokio::spawn(async move {
        let burst = reported(0).repeat(100);
        loop {
            write.write_all(burst.as_bytes()).await.unwrap();
            while let Ok(id) = asked.try_recv() {
                write
                    .write_all(format!("Response: Success\r\nActionID: {id}\r\nMessage: Module Reloaded\r\n\r\n").as_bytes())
                    .await
                    .unwrap();
            }
            tokio::task::yield_now().await;
        }
    });
    // Nobody takes the news out of its queue.
    for _ in 0..20 {
        let reload = reload(&agent);
        ids.send(read.hear().await.1).unwrap();
        assert_eq!(within(reload).await.unwrap(), Ok(Reloaded::Done));
    }
    assert!(agent.client.dropped() > 0);
    assert!(agent.events.len() <= 64);
    flood.abort();
}

#[tokio::test]
async fn a_command_gives_what_was_printed_and_a_refused_one_why() {
    let (agent, mut peer, _listener) = logged_in().await;
    for (response, expected) in [
        ("Success; Message: Command output follows; Output: one; Output:  two", Ok(vec!["one".to_owned(), " two".to_owned()])),
        (
            "Error; Message: Command output follows; Output: No such command 'x'",
            Err(CommandFailure::Refused { said: vec!["No such command 'x'".to_owned()] }),
        ),
    ] {
        let client = agent.client.clone();
        let command = tokio::spawn(async move { client.command("x").await });
        peer.expect("Action: Command; Command: x", response).await;
        assert_eq!(within(command).await.unwrap(), expected);
    }
    let client = agent.client.clone();
    let command = tokio::spawn(async move { client.command("x").await });
    peer.expect("Action: Command; Command: x", DENIED).await;
    let Err(CommandFailure::Unanswered(finding)) = within(command).await.unwrap() else { panic!() };
    assert_eq!((finding.code, finding.get("add")), (Code::AmiPermissionDenied, Some(&Value::from("write = command"))));
    assert!(matches!(agent.client.command("x\r\ny").await, Err(CommandFailure::Refused { .. })));
}

#[tokio::test]
async fn the_last_client_that_goes_logs_off() {
    let (mut agent, mut peer, _listener) = logged_in().await;
    let another = agent.client.clone();
    // The agent's own handle goes, in exchange for one of a client that never runs.
    agent.client = super::super::client(connect_to(1), mpsc::channel(1).0).0;
    drop(another);
    let (lines, _) = peer.hear().await;
    assert_eq!(lines, ["Action: Logoff"]);
    peer.say("Response: Goodbye\r\nMessage: Thanks for all the fish.\r\n\r\n").await;
    drop(peer);
    within(&mut agent.work).await.unwrap();
}
