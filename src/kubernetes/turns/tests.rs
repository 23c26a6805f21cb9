//! Who may rotate, as tables: a few pods, one Lease, a fixed clock.

use super::*;

const T0: Tick = Tick(Duration::from_secs(100));

fn asker<'a>(pod: &'a str, generation: &'a str) -> Asker<'a> {
    Asker { pod, generation, beat: "1", parallelism: 1 }
}

fn record(generation: &str, outcome: Outcome, by: &str, turns: &[&str]) -> Record {
    let turns = turns.iter().map(|pod| Taken { pod: (*pod).to_owned(), beat: "1".into() }).collect();
    Record { generation: generation.into(), outcome, by: by.into(), turns, ..Record::default() }
}

fn lives(record: &Record, since: Tick) -> Lives {
    let mut lives = Lives::default();
    lives.look(record, since);
    lives
}

/// What `pod` is told when it asks for `generation` a second after it saw this record first.
fn told(record: &Record, pod: &str, generation: &str) -> Step {
    ask(Some(record), &lives(record, T0), asker(pod, generation), T0 + Duration::from_secs(1))
}

fn taken(step: Step) -> Record {
    match step {
        Step::Take(record) => *record,
        Step::Wait { .. } | Step::Stop { .. } => panic!("{step:?}"),
    }
}

#[test]
fn the_first_to_ask_goes_first() {
    let expected = record("g1", Outcome::Open, "a", &["a"]);
    assert_eq!(ask(None, &Lives::default(), asker("a", "g1"), T0), Step::Take(Box::new(expected.clone())));
    assert_eq!(ask(Some(&Record::default()), &Lives::default(), asker("a", "g1"), T0), Step::Take(Box::new(expected)));
}

#[test]
fn the_others_wait_for_the_proof_and_then_go_one_by_one() {
    let open = record("g1", Outcome::Open, "a", &["a"]);
    assert_eq!(told(&open, "b", "g1"), Step::Wait { by: "a".into() });
    let proved = end(&open, asker("a", "g1"), &End::Proved).unwrap();
    assert_eq!(proved, record("g1", Outcome::Proved, "a", &[]));
    let second = taken(told(&proved, "b", "g1"));
    assert_eq!(second, record("g1", Outcome::Proved, "a", &["b"]));
    assert_eq!(told(&second, "c", "g1"), Step::Wait { by: "b".into() });
    let after = end(&second, asker("b", "g1"), &End::Proved).unwrap();
    assert_eq!(taken(told(&after, "c", "g1")), record("g1", Outcome::Proved, "a", &["c"]));
}

#[test]
fn parallelism_counts_after_the_first_alone() {
    let two = |pod| Asker { parallelism: 2, ..asker(pod, "g1") };
    let at = |record: &Record, pod| ask(Some(record), &lives(record, T0), two(pod), T0);
    let open = record("g1", Outcome::Open, "a", &["a"]);
    assert_eq!(at(&open, "b"), Step::Wait { by: "a".into() });
    let one = record("g1", Outcome::Proved, "a", &["b"]);
    let both = taken(at(&one, "c"));
    assert_eq!(both, record("g1", Outcome::Proved, "a", &["b", "c"]));
    assert_eq!(at(&both, "d"), Step::Wait { by: "b".into() });
}

#[test]
fn what_was_not_proved_stops_the_others_until_it_is_or_another_comes() {
    let failed = end(&record("g1", Outcome::Open, "a", &["a"]), asker("a", "g1"), &End::Failed("tls-failed".into())).unwrap();
    assert_eq!(told(&failed, "b", "g1"), Step::Stop { by: "a".into(), found: "tls-failed".into() });
    // It came right after all.
    let mended = end(&failed, asker("a", "g1"), &End::Proved).unwrap();
    assert_eq!(taken(told(&mended, "b", "g1")).turns[0].pod, "b");
    // Or somebody replaced the material.
    let next = taken(told(&failed, "b", "g2"));
    assert_eq!((next.generation.as_str(), next.outcome, next.by.as_str(), next.turns.len()), ("g2", Outcome::Open, "b", 1));
    assert_eq!(next.former, [("g1".to_owned(), Outcome::Failed)]);
    // A pod whose volume lags still asks for the one that failed.
    let proved = end(&next, asker("b", "g2"), &End::Proved).unwrap();
    assert!(matches!(told(&proved, "c", "g1"), Step::Stop { .. }));
}

#[test]
fn a_follower_on_which_it_fails_stops_those_behind() {
    let second = record("g1", Outcome::Proved, "a", &["b"]);
    let failed = end(&second, asker("b", "g1"), &End::Failed("listener-wedged".into())).unwrap();
    assert_eq!(told(&failed, "c", "g1"), Step::Stop { by: "b".into(), found: "listener-wedged".into() });
    // The word of one on whom it went well does not wash that away.
    assert_eq!(end(&failed, asker("a", "g1"), &End::Proved), None);
}

#[test]
fn a_pod_that_died_is_waited_for_until_its_lease_ran_out() {
    let open = record("g1", Outcome::Open, "a", &["a"]);
    let mut lives = lives(&open, T0);
    let late = T0 + LEASE;
    assert_eq!(ask(Some(&open), &lives, asker("b", "g1"), T0 + (LEASE - Duration::from_millis(1))), Step::Wait { by: "a".into() });
    assert_eq!(taken(ask(Some(&open), &lives, asker("b", "g1"), late)), record("g1", Outcome::Open, "b", &["b"]));
    // A sign of life begins the wait anew.
    let beaten = beat(&open, Asker { beat: "2", ..asker("a", "g1") }).unwrap();
    lives.look(&beaten, late);
    assert_eq!(ask(Some(&beaten), &lives, asker("b", "g1"), late), Step::Wait { by: "a".into() });
    // Followers that died hold no place.
    let proved = record("g1", Outcome::Proved, "a", &["b"]);
    assert_eq!(taken(ask(Some(&proved), &self::lives(&proved, T0), asker("c", "g1"), late)).turns.len(), 1);
}

#[test]
fn a_pod_that_came_back_takes_its_own_turn_again() {
    let open = record("g1", Outcome::Open, "a", &["a"]);
    assert_eq!(taken(told(&open, "a", "g1")), open);
    let failed = record("g1", Outcome::Failed, "a", &[]);
    assert_eq!(taken(told(&failed, "a", "g1")), open);
}

#[test]
fn another_generation_waits_for_those_who_are_at_it() {
    let open = record("g1", Outcome::Open, "a", &["a"]);
    assert_eq!(told(&open, "b", "g2"), Step::Wait { by: "a".into() });
    let gone = end(&open, asker("a", "g1"), &End::Gone).unwrap();
    assert_eq!((gone.outcome, gone.turns.len()), (Outcome::Open, 0));
    assert_eq!(taken(told(&gone, "b", "g2")).former, [("g1".to_owned(), Outcome::Open)]);
    // And one whose first pod went away is anybody's.
    assert_eq!(taken(told(&gone, "b", "g1")), record("g1", Outcome::Open, "b", &["b"]));
}

#[test]
fn generations_that_are_gone_are_forgotten_in_the_end() {
    let mut stands = taken(ask(None, &Lives::default(), asker("a", "g0"), T0));
    for number in 1..9 {
        stands = taken(told(&stands, "a", &format!("g{number}")));
    }
    let former: Vec<&str> = stands.former.iter().map(|(generation, _)| generation.as_str()).collect();
    assert_eq!(former, ["g7", "g6", "g5", "g4"]);
}

#[test]
fn a_turn_that_was_taken_away_is_neither_renewed_nor_ended() {
    let others = record("g2", Outcome::Open, "b", &["b"]);
    assert_eq!(beat(&others, asker("a", "g1")), None);
    for how in [End::Proved, End::Failed("x".into()), End::Gone] {
        assert_eq!(end(&others, asker("a", "g1"), &how), None, "{how:?}");
    }
}

#[test]
fn one_pod_reports_what_all_reject() {
    let claimed = claim(None, "a", "bad").unwrap();
    assert_eq!(claimed.rejected, Some(("bad".into(), "a".into())));
    assert_eq!(claim(Some(&claimed), "b", "bad"), None);
    assert_eq!(claim(Some(&claimed), "b", "worse").unwrap().rejected, Some(("worse".into(), "b".into())));
    // It stands beside what is being rolled out, and outlives it.
    let open = Record { rejected: claimed.rejected.clone(), ..record("g1", Outcome::Open, "a", &["a"]) };
    assert_eq!(taken(told(&end(&open, asker("a", "g1"), &End::Proved).unwrap(), "b", "g2")).rejected, claimed.rejected);
    assert_eq!(taken(ask(Some(&claimed), &Lives::default(), asker("a", "g1"), T0)).rejected, claimed.rejected);
}
