//! Replicas that rotate in order: the exact commands where a new generation waits for its turn, and where it must not.

use super::*;

/// Generation `a` served and proved by one of several replicas.
fn ordered() -> Story {
    let mut story = Story::serving_a();
    story.state.policy.ordered = true;
    story
}

fn ask(of: char) -> Command {
    Command::AskTurn(snapshot(of, of).digest())
}

fn told(of: char, turn: Turn) -> Input {
    Input::Turn { generation: snapshot(of, of).digest(), turn }
}

fn waiting() -> Turn {
    Turn::Waiting { by: Some("pbx-0".into()) }
}

fn stopped() -> Turn {
    Turn::Stopped { by: "pbx-0".into(), found: "tls-failed".into() }
}

#[test]
fn a_new_generation_is_loaded_once_its_turn_has_come() {
    let mut story = ordered();
    assert_eq!(story.hear(good('b')), [ask('b')]);
    assert_eq!(story.state.turn(), Some(&Turn::Waiting { by: None }));
    assert_eq!(story.hear(told('b', waiting())), []);
    assert_eq!(story.state.turn(), Some(&waiting()));
    assert!(!story.state.gave_up());
    assert_eq!(story.hear(told('b', Turn::Granted)), [reload('b')]);
    assert_eq!(story.state.turn(), None);
    assert_eq!(story.hear(done()), [Command::Probe]);
    assert_eq!(story.hear(open('b')), []);
    assert_eq!(story.phase(), Phase::Serving);
}

#[test]
fn while_it_waits_it_probes_at_the_usual_pace_and_reloads_nothing() {
    let mut story = ordered();
    assert_eq!(story.hear(good('b')), [ask('b')]);
    for _ in 0..5 {
        assert_eq!(story.deadline(), [Command::Probe]);
        assert_eq!(story.hear(open('a')), []);
        assert_eq!(story.state.deadline(story.now), Some(story.now.tick + Duration::from_secs(10)));
    }
    // Judged again as time goes by, it is still the same question.
    assert_eq!(story.hear(good('b')), []);
}

#[test]
fn what_was_not_proved_elsewhere_is_not_loaded_until_it_is() {
    let mut story = ordered();
    assert_eq!(story.hear(good('b')), [ask('b')]);
    assert_eq!(story.hear(told('b', stopped())), []);
    assert_eq!(story.state.turn(), Some(&stopped()));
    assert_eq!(story.deadline(), [Command::Probe]);
    assert_eq!(story.hear(open('a')), []);
    assert_eq!(story.hear(told('b', Turn::Granted)), [reload('b')]);
}

#[test]
fn another_generation_is_another_question() {
    let mut story = ordered();
    assert_eq!(story.hear(good('b')), [ask('b')]);
    assert_eq!(story.hear(told('b', stopped())), []);
    assert_eq!(story.hear(good('c')), [ask('c')]);
    assert_eq!(story.hear(told('b', Turn::Granted)), [], "an answer to what is no longer asked");
    assert_eq!(story.hear(told('c', Turn::Granted)), [reload('c')]);
}

#[test]
fn files_that_go_back_to_what_is_served_need_no_turn() {
    let mut story = ordered();
    assert_eq!(story.hear(good('b')), [ask('b')]);
    assert_eq!(story.hear(good('a')), []);
    assert_eq!((story.state.turn(), story.state.newest()), (None, Some(snapshot('a', 'a').digest())));
}

#[test]
fn a_bad_generation_asks_for_no_turn() {
    let mut story = ordered();
    assert_eq!(story.hear(mismatch('b', 'c')), []);
    assert_eq!(story.hear(refused('d')), [], "browsers accept what is served");
    assert_eq!(story.state.turn(), None);
}

#[test]
fn a_dark_door_waits_for_nobody() {
    let mut story = ordered();
    assert_eq!(story.hear(good('b')), [ask('b')]);
    assert_eq!(story.hear(reload_seen()), [Command::Probe]);
    assert_eq!(story.hear(dark()), []);
    assert_eq!(story.deadline(), [Command::Probe]);
    assert_eq!(story.hear(dark()), [reload('b')]);
    assert_eq!(story.state.turn(), None);
}

#[test]
fn an_asterisk_that_serves_nothing_yet_waits_for_nobody() {
    let mut story = Story::new();
    story.state.policy.ordered = true;
    assert_eq!(story.hear(good('a')), [Command::Probe]);
    assert_eq!(story.hear(connected()), []);
    assert_eq!(story.hear(dark()), [Command::Probe]);
    assert_eq!(story.hear(dark()), [reload('a')]);
}

#[test]
fn an_agent_that_comes_up_beside_an_asterisk_that_serves_another_pair_asks() {
    let mut story = Story::new();
    story.state.policy.ordered = true;
    assert_eq!(story.hear(connected()), [Command::Probe]);
    assert_eq!(story.hear(open('a')), []);
    assert_eq!(story.hear(good('b')), [ask('b')]);
    assert_eq!(story.hear(told('b', Turn::Granted)), [reload('b')]);
}

#[test]
fn who_could_not_load_it_asks_once_it_can() {
    let mut story = ordered();
    assert_eq!(story.hear(disconnected()), [Command::Probe]);
    assert_eq!(story.hear(open('a')), []);
    assert_eq!(story.hear(good('b')), []);
    assert_eq!(story.state.turn(), None);
    assert_eq!(story.hear(connected()), [ask('b'), Command::Probe]);
    assert_eq!(story.hear(told('b', Turn::Granted)), []);
    assert_eq!(story.hear(open('a')), [reload('b')]);
}

#[test]
fn phones_wait_with_the_browsers() {
    let mut story = serving_a_with_phones(Ok(Reload::RES_PJSIP));
    story.state.policy.ordered = true;
    assert_eq!(story.hear(good('b')), [ask('b')]);
    assert_eq!(story.deadline(), [Command::Probe]);
    assert_eq!(story.hear(open('a')), []);
    assert_eq!(story.hear(told('b', Turn::Granted)), [reload('b')]);
    assert_eq!(story.hear(done()), [Command::Probe]);
    assert_eq!(story.hear(open('b')), [reload_of(Reload::RES_PJSIP, 'b')]);
}

#[test]
fn staged_it_is_not_even_published_before_its_turn() {
    let mut story = staged_serving_a();
    story.state.policy.ordered = true;
    assert_eq!(story.hear(good('b')), [ask('b')]);
    assert_eq!(story.deadline(), [Command::Probe]);
    assert_eq!(story.hear(open('a')), []);
    assert_eq!(story.hear(Input::PublishedDamaged), [publish('a')], "what stands is kept whole meanwhile");
    assert_eq!(story.hear(published()), []);
    assert_eq!(story.hear(told('b', Turn::Granted)), [publish('b')]);
    assert_eq!(story.hear(published()), [reload('b')]);
    assert_eq!(story.hear(done()), [Command::Probe]);
    assert_eq!(story.hear(open('b')), []);
}

#[test]
fn staged_without_ami_it_is_published_and_waits_before_it_is_loaded() {
    let mut story = staged_serving_a();
    story.state.policy.ordered = true;
    assert_eq!(story.hear(disconnected()), [Command::Probe]);
    assert_eq!(story.hear(open('a')), []);
    assert_eq!(story.hear(good('b')), [publish('b')]);
    assert_eq!(story.hear(published()), []);
    assert_eq!(story.hear(connected()), [ask('b'), Command::Probe]);
    assert_eq!(story.hear(told('b', Turn::Granted)), []);
    assert_eq!(story.hear(open('a')), [reload('b')]);
}

#[test]
fn staged_what_is_held_back_keeps_nothing_waiting() {
    let mut story = staged_serving_a();
    story.state.policy.ordered = true;
    assert_eq!(story.hear(refused('b')), []);
    assert_eq!((story.state.turn(), story.state.newest()), (None, Some(snapshot('a', 'a').digest())));
    assert!(story.state.newest_is_served());
    assert_eq!(story.hear(reload_seen()), [Command::Probe]);
    assert_eq!(story.hear(open('z')), [ask('a')], "somebody loaded another: the one that is published goes back in order");
    assert_eq!(story.hear(told('a', Turn::Granted)), [reload('a')]);
}

#[test]
fn staged_the_first_pair_is_published_whoever_else_rotates() {
    let mut story = staged();
    story.state.policy.ordered = true;
    assert_eq!(story.hear(good('a')), [publish('a')]);
}
