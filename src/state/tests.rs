//! Each test is a story: inputs at fixed moments, and the exact commands that come of them.

mod turns;

use std::{path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;

use super::*;
use crate::{
    asterisk::{
        ami::{AmiEvent, ReloadStatus, Reloaded},
        surface::Surface,
    },
    bundle::{Bundle, Chain, Fingerprint, Judgement, Leaf, Rejection},
    diagnosis::Code,
    material::{Capture, Content, Node, Snapshot},
    proof::{Door, Served, StageTimes},
};

/// A state, and a clock that goes on by what the story says.
struct Story {
    state: State,
    now: Now,
}

impl Story {
    fn new() -> Self {
        Self::with(HealMeans::AbsentInclude)
    }

    fn with(heal: HealMeans) -> Self {
        let now = Now { wall: Timestamp::from_second(1_800_000_000).unwrap(), tick: Tick(Duration::from_secs(100)) };
        let policy =
            Policy { probe_interval: Duration::from_secs(10), grace: Duration::from_secs(2), staged: false, ordered: false, seed: 1 };
        Story { state: State::new(policy, Means { reloads: vec![Reload::HTTP], heal, beside: Vec::new() }, now), now }
    }

    /// A story that begins with generation `a` served and proved.
    fn serving_a() -> Self {
        Self::serving_a_with(HealMeans::AbsentInclude)
    }

    fn serving_a_with(heal: HealMeans) -> Self {
        let mut story = Story::with(heal);
        assert_eq!(story.hear(good('a')), [Command::Probe]);
        assert_eq!(story.hear(connected()), []);
        assert_eq!(story.hear(open('a')), [Command::Probe], "AMI came up meanwhile: only a fresh look counts");
        assert_eq!(story.hear(open('a')), []);
        assert_eq!(story.state.phase(), Phase::Serving);
        story
    }

    fn hear(&mut self, input: Input) -> Vec<Command> {
        self.now.tick = self.now.tick + Duration::from_millis(1);
        self.state.step(input, self.now)
    }

    fn after(&mut self, span: Duration) -> &mut Self {
        self.now.tick = self.now.tick + span;
        self.now.wall += jiff::SignedDuration::try_from(span).unwrap();
        self
    }

    /// Goes to the deadline that the state asks for.
    fn deadline(&mut self) -> Vec<Command> {
        let deadline = self.state.deadline(self.now).expect("the story goes on");
        self.now.tick = self.now.tick.max(deadline);
        self.state.step(Input::Deadline, self.now)
    }

    /// Goes from deadline to deadline while only probes come of it, each seeing `seen`, until something else comes.
    fn probing(&mut self, seen: &Input) -> Vec<Command> {
        for _ in 0..200 {
            let commands = self.deadline();
            if commands == [Command::Probe] {
                assert_eq!(self.hear(seen.clone()), []);
            } else if !commands.is_empty() {
                return commands;
            }
        }
        Vec::new()
    }

    fn phase(&self) -> Phase {
        self.state.phase()
    }
}

fn chain(of: char) -> Chain {
    Chain::new(vec![CertificateDer::from(vec![of as u8]), CertificateDer::from(vec![0])]).unwrap()
}

fn snapshot(cert: char, key: char) -> Arc<Snapshot> {
    let capture = |path: &str, of| Capture { path: PathBuf::from(path), content: Ok(Content::new(vec![of as u8])), way: Vec::new() };
    Arc::new(Snapshot { cert: capture("tls.crt", cert), key: capture("tls.key", key) })
}

fn bundle(of: char, findings: Vec<Finding>) -> Bundle {
    let at = Timestamp::from_second(1_800_000_000).unwrap();
    let leaf = Leaf {
        subject: of.to_string(),
        issuer: "CA".to_owned(),
        serial: "01".to_owned(),
        names: Vec::new(),
        not_before: at,
        not_after: at,
        key_algorithm: "P-256".to_owned(),
        fingerprint_sha256: Fingerprint::of(chain(of).leaf()),
    };
    Bundle { snapshot: snapshot(of, of), chain: chain(of), leaf, findings }
}

fn material(judgement: Judgement) -> Input {
    Input::Material { judgement: Box::new(judgement), noticed: Tick(Duration::from_secs(100)), check: Duration::from_micros(300) }
}
fn good(of: char) -> Input {
    material(Ok(bundle(of, Vec::new())))
}
fn refused(of: char) -> Input {
    material(Ok(bundle(of, vec![Finding::new(Code::LeafExpired)])))
}
fn mismatch(cert: char, key: char) -> Input {
    material(Err(Rejection { snapshot: snapshot(cert, key), leaf: None, findings: vec![Finding::new(Code::KeyMismatch)] }))
}
fn connected() -> Input {
    Input::Ami(AmiEvent::Connected { version: "11.0.0".to_owned() })
}
fn disconnected() -> Input {
    Input::Ami(AmiEvent::Disconnected(Finding::new(Code::AmiRefused)))
}
fn reload_seen() -> Input {
    Input::Ami(AmiEvent::Reload { module: "http".to_owned(), status: ReloadStatus::Done })
}
fn observed(door: Door, served: Option<(char, bool)>) -> Input {
    Input::Observed(Box::new(Observation {
        at: Timestamp::from_second(1_800_000_000).unwrap(),
        door,
        served: served.map(|(of, acceptable)| Served { chain: chain(of), leaf: None, protocol: "TLSv1_3".to_owned(), acceptable }),
        times: StageTimes::default(),
        findings: Vec::new(),
    }))
}
fn open(of: char) -> Input {
    observed(Door::Open, Some((of, true)))
}
fn dark() -> Input {
    observed(Door::Dark, None)
}
fn unreachable() -> Input {
    observed(Door::Unreachable, None)
}
fn done() -> Input {
    Input::Reloaded(ReloadOutcome::Answered(Reloaded::Done))
}
fn reload(of: char) -> Command {
    Command::Reload { snapshot: snapshot(of, of), reloads: vec![Reload::HTTP], touch: None }
}

#[test]
fn a_rotation_is_one_reload_and_one_probe() {
    let mut story = Story::serving_a();
    assert_eq!(story.hear(good('b')), [reload('b')]);
    assert_eq!(story.phase(), Phase::Reloading { healing: false });
    assert_eq!(story.hear(done()), [Command::Probe]);
    assert_eq!(story.phase(), Phase::Proving);
    assert_eq!(story.hear(reload_seen()), [], "the echo of our own reload asks for nothing");
    assert_eq!(story.hear(open('b')), []);
    assert_eq!(story.phase(), Phase::Serving);
    assert_eq!(story.state.tally().proved, 1);
    assert!(story.state.tally().last.is_some());
    let ended: Vec<_> = story.state.history().rotations().map(|ended| (ended.outcome, ended.timing.is_some())).collect();
    assert_eq!(ended, [(Outcome::Proved, true)]);
    let times = story.state.tally().rotation_times;
    assert_eq!((times.total.count(), times.publish.count(), times.total.sum()), (1, 0, story.state.tally().last.unwrap().1.total));
}

#[test]
fn what_is_served_already_is_not_reloaded() {
    let mut story = Story::new();
    assert_eq!(story.hear(connected()), [Command::Probe]);
    assert_eq!(story.hear(open('a')), []);
    assert_eq!(story.hear(good('a')), []);
    assert_eq!(story.phase(), Phase::Serving);
    assert_eq!(story.state.tally(), &Tally { probes: [1, 0, 0, 0, 0, 0], ami_connects: 1, ..Tally::default() });
}

#[test]
fn a_generation_that_comes_while_the_one_before_is_proved_does_not_wait() {
    let mut story = Story::serving_a();
    assert_eq!(story.hear(good('b')), [reload('b')]);
    assert_eq!(story.hear(done()), [Command::Probe]);
    assert_eq!(story.hear(good('c')), []);
    assert_eq!(story.hear(open('b')), [reload('c')]);
}

#[test]
fn a_heal_of_what_was_served_from_the_start_is_no_rotation() {
    let mut story = Story::new();
    assert_eq!(story.hear(connected()), [Command::Probe]);
    assert_eq!(story.hear(open('a')), []);
    assert_eq!(story.hear(good('a')), []);
    assert_eq!(story.hear(reload_seen()), [Command::Probe]);
    assert_eq!(story.hear(dark()), []);
    assert_eq!(story.deadline(), [Command::Probe]);
    assert_eq!(story.hear(dark()), [reload('a')]);
    assert_eq!(story.hear(done()), [Command::Probe]);
    assert_eq!(story.hear(open('a')), []);
    assert_eq!((story.state.tally().healed, story.state.tally().proved), (1, 0));
}

#[test]
fn files_that_go_back_to_what_is_served_are_not_reloaded() {
    let mut story = Story::serving_a();
    assert_eq!(story.hear(mismatch('b', 'a')), []);
    assert_eq!(story.hear(good('a')), []);
    assert_eq!(story.phase(), Phase::Serving);
}

#[test]
fn a_torn_pair_is_waited_for_in_silence_then_named() {
    let mut story = Story::serving_a();
    assert_eq!(story.hear(mismatch('b', 'a')), []);
    assert_eq!(story.phase(), Phase::Serving, "it may be half-written");
    assert_eq!(story.deadline(), []);
    assert_eq!(story.phase(), Phase::Rejected);
    assert_eq!(story.state.tally().rejected, 1);
    assert_eq!(story.hear(mismatch('b', 'a')), [], "judged again, and not counted again");
    assert_eq!(story.state.tally().rejected, 1);
    assert_eq!(story.hear(good('b')), [reload('b')]);
}

#[test]
fn nothing_is_reloaded_while_the_newest_files_are_bad() {
    let mut story = Story::serving_a();
    assert_eq!(story.hear(mismatch('b', 'a')), []);
    assert_eq!(story.hear(reload_seen()), [Command::Probe], "somebody reloaded the bad pair");
    assert_eq!(story.hear(dark()), []);
    assert_eq!(story.probing(&dark()), [], "no heal can come of bad files");
    assert_eq!(story.phase(), Phase::Rejected);
    assert_eq!(story.hear(good('b')), [reload('b')]);
    assert_eq!(story.phase(), Phase::Reloading { healing: true });
}

#[test]
fn what_browsers_would_refuse_does_not_replace_what_they_accept() {
    let mut story = Story::serving_a();
    assert_eq!(story.hear(refused('b')), []);
    assert_eq!(story.phase(), Phase::Rejected);
    assert_eq!(story.state.tally().rejected, 1);
    assert!(story.state.held_back());
    assert_eq!(story.hear(good('c')), [reload('c')]);
}

#[test]
fn what_browsers_would_refuse_replaces_what_they_refuse_too() {
    let mut story = Story::new();
    assert_eq!(story.hear(connected()), [Command::Probe]);
    assert_eq!(story.hear(observed(Door::Open, Some(('a', false)))), []);
    assert_eq!(story.hear(refused('b')), [reload('b')]);
}

#[test]
fn a_reload_never_starts_while_a_probe_is_under_way() {
    let mut story = Story::serving_a();
    assert_eq!(story.deadline(), [Command::Probe]);
    assert_eq!(story.hear(good('b')), []);
    assert_eq!(story.state.deadline(story.now), None, "only the probe's end can let it go on");
    assert_eq!(story.hear(open('a')), [reload('b')]);
    assert_eq!(story.hear(Input::LookAgain), [Command::Rescan, Command::ReadConfig], "and no probe during the reload");
    assert_eq!(story.hear(done()), [Command::Probe]);
}

#[test]
fn a_wedge_by_somebody_elses_hand_is_healed() {
    let mut story = Story::serving_a();
    assert_eq!(story.hear(reload_seen()), [Command::Probe]);
    assert_eq!(story.hear(dark()), []);
    assert_eq!(story.phase(), Phase::Serving, "seen once it may be the 1 to 4 ms of a reload");
    assert_eq!(story.deadline(), [Command::Probe]);
    assert_eq!(story.hear(dark()), [reload('a')]);
    assert_eq!(story.phase(), Phase::Reloading { healing: true });
    assert_eq!(story.hear(done()), [Command::Probe]);
    assert_eq!(story.hear(open('a')), []);
    assert_eq!(story.phase(), Phase::Serving);
    assert_eq!((story.state.tally().healed, story.state.tally().proved), (1, 0));
}

#[test]
fn a_stamp_is_touched_to_heal_and_only_then() {
    let mut story = Story::serving_a_with(HealMeans::Stamp(PathBuf::from("/etc/asterisk/stamp.conf")));
    assert_eq!(story.hear(good('b')), [reload('b')]);
    assert_eq!(story.hear(done()), [Command::Probe]);
    assert_eq!(story.hear(open('b')), []);
    assert_eq!(story.hear(reload_seen()), [], "our own, late");
    assert_eq!(story.hear(reload_seen()), [Command::Probe]);
    assert_eq!(story.hear(dark()), []);
    assert_eq!(story.deadline(), [Command::Probe]);
    let touching = Command::Reload {
        snapshot: snapshot('b', 'b'),
        reloads: vec![Reload::HTTP],
        touch: Some(PathBuf::from("/etc/asterisk/stamp.conf")),
    };
    assert_eq!(story.hear(dark()), [touching]);
}

#[test]
fn a_wedge_that_cannot_be_healed_is_given_up_after_one_try() {
    let mut story = Story::serving_a_with(HealMeans::None(Finding::new(Code::CannotHeal)));
    assert_eq!(story.hear(reload_seen()), [Command::Probe]);
    assert_eq!(story.hear(dark()), []);
    assert_eq!(story.deadline(), [Command::Probe]);
    assert_eq!(story.hear(dark()), [reload('a')]);
    assert_eq!(story.hear(done()), [Command::Probe]);
    assert_eq!(story.hear(dark()), []);
    assert_eq!(story.probing(&dark()), []);
    assert_eq!(story.phase(), Phase::Wedged);
    assert!(story.state.gave_up());
    let means = Means { reloads: vec![Reload::HTTP], heal: HealMeans::AbsentInclude, beside: Vec::new() };
    let mut commands = story.hear(Input::Config(means));
    if commands == [Command::Probe] {
        commands = story.hear(dark());
    }
    assert_eq!(commands, [reload('a')], "the line was pasted: now a reload heals");
}

#[test]
fn a_wedge_that_was_given_up_is_tried_again_once_the_files_are_mended() {
    let wedged = || {
        let mut story = Story::serving_a_with(HealMeans::Unknown);
        assert_eq!(story.hear(good('b')), [reload('b')]);
        assert_eq!(story.hear(done()), [Command::Probe]);
        assert_eq!(story.hear(dark()), []);
        assert_eq!(story.deadline(), [Command::Probe]);
        assert_eq!(story.hear(dark()), []);
        assert_eq!(story.probing(&dark()), [reload('b')]);
        assert_eq!(story.hear(done()), [Command::Probe]);
        assert_eq!(story.hear(dark()), []);
        assert_eq!(story.probing(&dark()), []);
        assert!(story.state.gave_up());
        story
    };
    let mut story = wedged();
    let mut readable = bundle('b', Vec::new());
    let mut snapshot = Snapshot::clone(&readable.snapshot);
    snapshot.key.way = vec![Node { path: PathBuf::from("tls.key"), uid: 0, gid: 0, mode: 0o644, acl: None }];
    readable.snapshot = Arc::new(snapshot);
    let commands = story.hear(material(Ok(readable)));
    assert!(matches!(commands[..], [Command::Reload { .. }]), "others may read it now: {commands:?}");

    let mut story = wedged();
    assert_eq!(story.hear(good('b')), [], "judged again, and nothing is new");
    assert_eq!(story.hear(mismatch('c', 'b')), []);
    assert_eq!(story.hear(good('b')), [reload('b')], "it was bad meanwhile");
}

#[test]
fn reloads_that_change_nothing_are_few_and_further_and_further_apart() {
    let mut story = Story::serving_a();
    assert_eq!(story.hear(good('b')), [reload('b')]);
    let mut waits = Vec::new();
    loop {
        assert_eq!(story.hear(done()), [Command::Probe]);
        assert_eq!(story.hear(open('a')), []);
        let before = story.now.tick;
        if story.probing(&open('a')).is_empty() {
            break;
        }
        waits.push(story.now.tick - before);
    }
    assert_eq!(waits.len(), 3, "four reloads in all: {waits:?}");
    assert!(waits.is_sorted() && waits[0] >= Duration::from_millis(500), "{waits:?}");
    assert!(story.state.gave_up());
    assert_eq!(story.phase(), Phase::Proving);
    assert_eq!(story.hear(good('c')), [reload('c')], "new material begins anew");
}

#[test]
fn a_failed_reload_is_tried_again_and_a_failure_that_stays_is_told() {
    let mut story = Story::serving_a();
    assert_eq!(story.hear(good('b')), [reload('b')]);
    let denied = Finding::new(Code::AmiPermissionDenied);
    assert_eq!(story.hear(Input::Reloaded(ReloadOutcome::Failed(denied.clone()))), [Command::Probe]);
    assert_eq!(story.hear(open('a')), []);
    assert_eq!(story.state.reload_failure(), Some(&denied));
    assert_eq!(story.probing(&open('a')), [reload('b')]);
}

#[test]
fn a_queued_reload_is_waiting_and_not_success() {
    let mut story = Story::serving_a();
    assert_eq!(story.hear(good('b')), [reload('b')]);
    assert_eq!(story.hear(Input::Reloaded(ReloadOutcome::Answered(Reloaded::Queued))), [Command::Probe]);
    assert_eq!(story.hear(open('a')), []);
    assert_eq!(story.phase(), Phase::Proving);
    assert_eq!(story.state.reload_failure().map(|f| f.code), Some(Code::AmiBooting));
    assert_eq!(story.probing(&open('a')), [reload('b')]);
    assert_eq!(story.hear(done()), [Command::Probe]);
    assert_eq!(story.hear(open('b')), []);
    assert_eq!((story.phase(), story.state.reload_failure()), (Phase::Serving, None));
}

#[test]
fn files_that_moved_under_a_reload_are_not_loaded() {
    let mut story = Story::serving_a();
    assert_eq!(story.hear(good('b')), [reload('b')]);
    assert_eq!(story.hear(Input::Reloaded(ReloadOutcome::FilesMoved)), []);
    assert_eq!(story.hear(reload_seen()), [Command::Probe], "nothing was sent, so this is no echo of ours");
    assert_eq!(story.hear(open('a')), []);
    assert_eq!(story.hear(good('c')), [reload('c')]);
}

#[test]
fn without_ami_a_rotation_waits_and_the_door_stays_open() {
    let mut story = Story::serving_a();
    assert_eq!(story.hear(disconnected()), [Command::Probe]);
    assert_eq!(story.hear(open('a')), []);
    assert_eq!(story.phase(), Phase::Serving, "what the port serves is the truth");
    assert_eq!(story.hear(good('b')), []);
    assert_eq!(story.phase(), Phase::Unreachable);
    assert_eq!(story.hear(connected()), [Command::Probe]);
    assert_eq!(story.hear(open('a')), [reload('b')]);
}

#[test]
fn a_restarted_asterisk_is_proved_anew() {
    let mut story = Story::serving_a();
    assert_eq!(story.hear(disconnected()), [Command::Probe]);
    assert_eq!(story.hear(unreachable()), []);
    assert_eq!(story.deadline(), [Command::Probe]);
    assert_eq!(story.hear(unreachable()), []);
    assert_eq!(story.phase(), Phase::Unreachable);
    assert_eq!(story.hear(connected()), [Command::Probe]);
    assert_eq!(story.hear(Input::Ami(AmiEvent::FullyBooted)), []);
    assert_eq!(story.hear(open('a')), [Command::Probe]);
    assert_eq!(story.hear(open('a')), []);
    assert_eq!(story.phase(), Phase::Serving);
    assert_eq!(story.state.tally().proved, 0, "no reload was needed");
}

#[test]
fn an_open_door_seen_shut_once_stays_open() {
    let mut story = Story::serving_a();
    assert_eq!(story.deadline(), [Command::Probe]);
    assert_eq!(story.hear(unreachable()), []);
    assert_eq!(story.state.door().map(|door| door.door), Some(Door::Open));
    let before = story.now.tick;
    assert_eq!(story.deadline(), [Command::Probe]);
    assert!(story.now.tick - before <= Duration::from_millis(100));
    assert_eq!(story.hear(open('a')), []);
    assert_eq!(story.phase(), Phase::Serving);
}

#[test]
fn an_upgrade_that_is_refused_is_no_reason_to_reload() {
    let mut story = Story::serving_a();
    let shut = observed(Door::Shut, Some(('a', true)));
    assert_eq!(story.deadline(), [Command::Probe]);
    assert_eq!(story.hear(shut.clone()), []);
    assert_eq!(story.probing(&shut), []);
    assert_eq!(story.phase(), Phase::Proving);
}

#[test]
fn the_first_generation_is_loaded_into_an_asterisk_that_came_up_dark() {
    let mut story = Story::new();
    assert_eq!(story.hear(connected()), [Command::Probe]);
    assert_eq!(story.hear(mismatch('a', 'b')), []);
    assert_eq!(story.hear(dark()), []);
    assert_eq!(story.phase(), Phase::AwaitingMaterial);
    assert_eq!(story.hear(good('a')), [reload('a')]);
    assert_eq!(story.hear(done()), [Command::Probe]);
    assert_eq!(story.hear(open('a')), []);
    assert_eq!((story.phase(), story.state.tally().healed), (Phase::Serving, 1));
}

#[test]
fn an_asterisk_that_booted_with_bad_files_and_bound_nothing_is_healed() {
    let mut story = Story::new();
    assert_eq!(story.hear(good('a')), [Command::Probe]);
    assert_eq!(story.hear(observed(Door::Refused, None)), []);
    assert_eq!(story.phase(), Phase::Unreachable);
    assert_eq!(story.hear(connected()), [Command::Probe]);
    assert_eq!(story.hear(observed(Door::Refused, None)), [], "it may still be booting");
    assert_eq!(story.phase(), Phase::Wedged);
    assert_eq!(story.hear(Input::Ami(AmiEvent::FullyBooted)), [Command::Probe]);
    assert_eq!(story.hear(observed(Door::Refused, None)), [reload('a')]);
    assert_eq!(story.hear(done()), [Command::Probe]);
    assert_eq!(story.hear(open('a')), []);
    assert_eq!((story.phase(), story.state.tally().healed), (Phase::Serving, 1));
}

#[test]
fn a_door_that_is_dead_in_another_way_than_before_is_tried_anew() {
    let mut story = Story::serving_a();
    assert_eq!(story.hear(Input::Ami(AmiEvent::FullyBooted)), [Command::Probe]);
    let mut commands = story.hear(dark());
    for _ in 0..200 {
        commands = match commands[..] {
            [Command::Probe] => story.hear(dark()),
            [Command::Reload { .. }] => story.hear(done()),
            [] => story.deadline(),
            _ => panic!("{commands:?}"),
        };
    }
    assert!(story.state.gave_up(), "another program has the port, say");
    while story.deadline() != [Command::Probe] {}
    let mut commands = story.hear(observed(Door::Refused, None));
    for _ in 0..20 {
        commands = match commands[..] {
            [Command::Reload { .. }] => break,
            [Command::Probe] => story.hear(observed(Door::Refused, None)),
            _ => story.deadline(),
        };
    }
    assert_eq!(commands, [reload('a')], "and has left it");
}

fn sip() -> Surface {
    Surface::SipTls { transport: "phones".to_owned() }
}

/// Serving generation `a` everywhere, with a SIP transport that uses the same files.
fn serving_a_with_phones(reload: Result<Reload, Option<Finding>>) -> Story {
    let mut story = Story::serving_a();
    let beside = vec![BesideMeans { surface: sip(), reload }];
    let means = Means { reloads: vec![Reload::HTTP], heal: HealMeans::AbsentInclude, beside };
    assert_eq!(story.hear(Input::Config(means)), [Command::Probe]);
    assert_eq!(story.hear(open('a')), [Command::Look(sip())], "browsers first");
    assert_eq!(story.hear(looked('a')), []);
    story
}

fn looked(of: char) -> Input {
    let Input::Observed(seen) = observed(Door::Shut, Some((of, true))) else { unreachable!() };
    Input::Looked(sip(), seen)
}

fn reload_of(what: Reload, of: char) -> Command {
    Command::Reload { snapshot: snapshot(of, of), reloads: vec![what], touch: None }
}

#[test]
fn phones_get_the_new_pair_after_browsers_have_it() {
    let mut story = serving_a_with_phones(Ok(Reload::RES_PJSIP));
    assert_eq!(story.hear(good('b')), [reload('b')]);
    assert_eq!(story.hear(done()), [Command::Probe]);
    assert_eq!(story.hear(open('b')), [reload_of(Reload::RES_PJSIP, 'b')]);
    assert_eq!(story.phase(), Phase::Serving, "what phones wait for keeps no browser waiting");
    assert_eq!(story.hear(done()), [Command::Look(sip())]);
    assert_eq!(story.hear(looked('b')), []);
    assert!(story.state.beside()[0].serves(story.state.good().unwrap()));
    for _ in 0..100 {
        let commands = story.deadline();
        assert_eq!(commands, [Command::Probe], "nothing more for phones");
        assert_eq!(story.hear(open('b')), []);
    }
}

#[test]
fn a_surface_that_cannot_be_reloaded_is_looked_at_and_left_alone() {
    let mut story = serving_a_with_phones(Err(Some(Finding::new(Code::SipTlsReloadUnsupported))));
    assert_eq!(story.hear(good('b')), [reload('b')]);
    assert_eq!(story.hear(done()), [Command::Probe]);
    assert_eq!(story.hear(open('b')), []);
    assert_eq!(story.phase(), Phase::Serving);
}

#[test]
fn reloads_of_a_surface_that_change_nothing_are_few() {
    let mut story = serving_a_with_phones(Ok(Reload::RES_PJSIP));
    assert_eq!(story.hear(good('b')), [reload('b')]);
    assert_eq!(story.hear(done()), [Command::Probe]);
    let mut reloads = 0;
    let mut commands = story.hear(open('b'));
    for _ in 0..300 {
        commands = match commands.as_slice() {
            [] => story.deadline(),
            [Command::Probe] => story.hear(open('b')),
            [Command::Look(_)] => story.hear(looked('a')),
            [Command::Reload { .. }] => {
                reloads += 1;
                story.hear(done())
            }
            other => panic!("{other:?}"),
        };
    }
    assert_eq!(reloads, 4);
}

#[test]
fn what_failed_for_one_generation_says_nothing_of_the_next() {
    let mut story = serving_a_with_phones(Ok(Reload::RES_PJSIP));
    for of in ['b', 'c'] {
        assert_eq!(story.hear(good(of)), [reload(of)]);
        assert_eq!(story.hear(done()), [Command::Probe]);
        let mut reloads = 0;
        let mut commands = story.hear(open(of));
        let mut steps = 0;
        while steps < 300 || !commands.is_empty() {
            steps += 1;
            commands = match commands.as_slice() {
                [] => story.deadline(),
                [Command::Probe] => story.hear(open(of)),
                [Command::Look(_)] => story.hear(looked('a')),
                [Command::Reload { .. }] => {
                    reloads += 1;
                    story.hear(done())
                }
                other => panic!("{other:?}"),
            };
        }
        assert_eq!(reloads, 4, "{of}");
    }
}

#[test]
fn what_is_reloaded_for_browsers_anyway_is_not_reloaded_again_for_phones() {
    let mut story = serving_a_with_phones(Ok(Reload::RES_PJSIP));
    let beside = vec![BesideMeans { surface: sip(), reload: Ok(Reload::RES_PJSIP) }];
    let means = Means { reloads: vec![Reload::HTTP, Reload::Pjsip], heal: HealMeans::AbsentInclude, beside };
    assert_eq!(story.hear(Input::Config(means)), [Command::Probe]);
    assert_eq!(story.hear(open('a')), [Command::Look(sip())]);
    assert_eq!(story.hear(looked('a')), []);
    assert!(matches!(story.hear(good('b')).as_slice(), [Command::Reload { reloads, .. }] if reloads.len() == 2));
    assert_eq!(story.hear(done()), [Command::Probe]);
    assert_eq!(story.hear(open('b')), [Command::Look(sip())]);
    assert_eq!(story.hear(looked('b')), []);
}

#[test]
fn somebody_elses_reload_of_pjsip_has_phones_looked_at() {
    let mut story = serving_a_with_phones(Ok(Reload::RES_PJSIP));
    let seen = Input::Ami(AmiEvent::Reload { module: "res_pjsip.so".to_owned(), status: ReloadStatus::Done });
    assert_eq!(story.hear(seen), [Command::Look(sip())]);
    assert_eq!(story.hear(looked('a')), []);
}

#[test]
fn a_reload_of_everything_has_everything_looked_at() {
    let mut story = serving_a_with_phones(Ok(Reload::RES_PJSIP));
    let seen = Input::Ami(AmiEvent::Reload { module: "All".to_owned(), status: ReloadStatus::Done });
    assert_eq!(story.hear(seen), [Command::Probe]);
    assert_eq!(story.hear(open('a')), [Command::Look(sip())]);
}

fn staged() -> Story {
    let mut story = Story::new();
    story.state.policy.staged = true;
    story
}

fn publish(of: char) -> Command {
    Command::Publish(snapshot(of, of))
}

fn published() -> Input {
    Input::Published(Ok(()))
}

/// Staged, with generation `a` published, served and proved.
fn staged_serving_a() -> Story {
    let mut story = staged();
    assert_eq!(story.hear(good('a')), [publish('a')]);
    assert_eq!(story.hear(published()), [Command::Probe]);
    assert_eq!(story.hear(connected()), []);
    assert_eq!(story.hear(open('a')), [Command::Probe]);
    assert_eq!(story.hear(open('a')), []);
    assert_eq!(story.phase(), Phase::Serving);
    story
}

#[test]
fn staged_the_first_pair_is_published_before_asterisk_is_there() {
    let mut story = staged();
    assert_eq!(story.hear(Input::Deadline), [Command::Probe]);
    assert_eq!(story.hear(unreachable()), []);
    assert_eq!(story.hear(mismatch('a', 'b')), []);
    assert_eq!(story.phase(), Phase::AwaitingMaterial);
    assert_eq!(story.hear(good('a')), [publish('a')]);
    assert_eq!(story.hear(published()), []);
    assert_eq!(story.phase(), Phase::Unreachable);
}

#[test]
fn staged_a_rotation_is_one_publish_one_reload_and_one_probe() {
    let mut story = staged_serving_a();
    assert_eq!(story.hear(good('b')), [publish('b')]);
    assert_eq!(story.hear(published()), [reload('b')]);
    assert_eq!(story.hear(done()), [Command::Probe]);
    assert_eq!(story.hear(open('b')), []);
    assert_eq!((story.phase(), story.state.tally().proved), (Phase::Serving, 1));
    assert!(story.state.tally().last.unwrap().1.publish.is_some());
}

#[test]
fn staged_a_bad_source_reaches_nothing_and_a_dead_door_is_healed_with_the_pair_from_before() {
    let mut story = staged_serving_a();
    assert_eq!(story.hear(mismatch('b', 'a')), []);
    assert_eq!(story.deadline(), []);
    assert_eq!(story.phase(), Phase::Rejected);
    assert_eq!(story.hear(reload_seen()), [Command::Probe]);
    assert_eq!(story.hear(dark()), []);
    assert_eq!(story.deadline(), [Command::Probe]);
    assert_eq!(story.hear(dark()), [reload('a')], "what Asterisk reads is good");
    assert_eq!(story.phase(), Phase::Reloading { healing: true });
    assert_eq!(story.hear(done()), [Command::Probe]);
    assert_eq!(story.hear(open('a')), []);
    assert_eq!(story.phase(), Phase::Rejected);
}

#[test]
fn staged_what_browsers_would_refuse_is_not_even_published() {
    let mut story = staged_serving_a();
    assert_eq!(story.hear(refused('b')), []);
    assert_eq!((story.phase(), story.state.tally().rejected), (Phase::Rejected, 1));
    assert_eq!(story.hear(good('c')), [publish('c')]);
}

#[test]
fn staged_what_browsers_would_refuse_does_not_replace_a_better_kept_one_while_asterisk_is_down() {
    let mut story = staged();
    let Input::Material { judgement, .. } = good('a') else { unreachable!() };
    assert_eq!(story.hear(Input::Kept(Box::new((*judgement).unwrap()))), [Command::Probe]);
    assert_eq!(story.hear(refused('b')), []);
    assert_eq!(story.hear(unreachable()), []);
    assert!(story.state.held_back());
}

#[test]
fn staged_after_a_restart_with_a_bad_source_the_kept_pair_is_served() {
    let mut story = staged();
    let Input::Material { judgement, .. } = good('a') else { unreachable!() };
    assert_eq!(story.hear(Input::Kept(Box::new((*judgement).unwrap()))), [Command::Probe]);
    assert_eq!(story.hear(mismatch('b', 'a')), []);
    assert_eq!(story.hear(open('z')), []);
    assert_eq!(story.hear(connected()), [Command::Probe]);
    assert_eq!(story.hear(open('z')), [reload('a')]);
    assert_eq!(story.hear(done()), [Command::Probe]);
    assert_eq!(story.hear(open('a')), []);
    assert_eq!(story.phase(), Phase::Serving, "and it is named once it has had its time");
    assert_eq!(story.deadline(), []);
    assert_eq!(story.phase(), Phase::Rejected);
}

#[test]
fn staged_a_publish_that_fails_is_tried_again_and_the_old_pair_stays() {
    let mut story = staged_serving_a();
    assert_eq!(story.hear(good('b')), [publish('b')]);
    let full = Finding::new(Code::PublishNoSpace);
    assert_eq!(story.hear(Input::Published(Err(full.clone()))), []);
    assert_eq!((story.phase(), story.state.publish_failure()), (Phase::Rejected, Some(&full)));
    assert_eq!(story.probing(&open('a')), [publish('b')]);
    assert_eq!(story.hear(published()), [reload('b')]);
    assert_eq!(story.hear(done()), [Command::Probe]);
    assert_eq!(story.hear(open('b')), []);
    let tally = story.state.tally();
    assert_eq!((tally.proved, tally.already_served), (1, 0), "the look at the old pair meanwhile proved nothing of the new one");
}

#[test]
fn staged_what_was_published_and_damaged_is_published_again_without_a_reload() {
    let mut story = staged_serving_a();
    assert_eq!(story.hear(Input::PublishedDamaged), [publish('a')]);
    assert_eq!(story.hear(published()), []);
    assert_eq!(story.phase(), Phase::Serving);
}

#[test]
fn staged_what_comes_while_another_pair_is_published_is_published_next() {
    let mut story = staged_serving_a();
    assert_eq!(story.hear(good('b')), [publish('b')]);
    assert_eq!(story.hear(good('c')), []);
    assert_eq!(story.hear(published()), [publish('c')], "what was published is b, whatever came meanwhile");
    assert_eq!(story.hear(published()), [reload('c')]);
}

#[test]
fn staged_the_former_pair_that_comes_back_while_another_is_published_is_published_again() {
    let mut story = staged_serving_a();
    assert_eq!(story.hear(good('b')), [publish('b')]);
    assert_eq!(story.hear(good('a')), []);
    assert_eq!(story.hear(published()), [publish('a')]);
    assert_eq!(story.hear(published()), [], "and it is what is served");
    assert_eq!(story.phase(), Phase::Serving);
}

#[test]
fn staged_damage_is_mended_while_a_worse_pair_is_held_back() {
    let mut story = staged_serving_a();
    assert_eq!(story.hear(refused('b')), []);
    assert_eq!(story.hear(Input::PublishedDamaged), [publish('a')]);
    assert_eq!(story.hear(published()), []);
    assert!(story.state.held_back());
}

#[test]
fn staged_what_browsers_would_refuse_does_not_replace_a_better_kept_one_that_is_not_served_yet() {
    let mut story = staged();
    let Input::Material { judgement, .. } = good('a') else { unreachable!() };
    assert_eq!(story.hear(Input::Kept(Box::new((*judgement).unwrap()))), [Command::Probe]);
    assert_eq!(story.hear(connected()), []);
    assert_eq!(story.hear(observed(Door::Open, Some(('z', false)))), [Command::Probe]);
    assert_eq!(story.hear(observed(Door::Open, Some(('z', false)))), [reload('a')]);
    assert_eq!(story.hear(refused('b')), []);
    assert_eq!(story.hear(done()), [Command::Probe], "not published over the better one");
}

#[test]
fn staged_a_publish_never_runs_under_a_reload() {
    let mut story = staged_serving_a();
    assert_eq!(story.hear(good('b')), [publish('b')]);
    assert_eq!(story.hear(published()), [reload('b')]);
    assert_eq!(story.hear(good('c')), []);
    assert_eq!(story.hear(done()), [publish('c')]);
    assert_eq!(story.hear(published()), [Command::Probe]);
    assert_eq!(story.hear(open('b')), [reload('c')]);
}

#[test]
fn without_modules_to_reload_nothing_is_reloaded() {
    let mut story = Story::serving_a();
    assert_eq!(story.hear(Input::Config(Means { reloads: Vec::new(), heal: HealMeans::Unknown, beside: Vec::new() })), [Command::Probe]);
    assert_eq!(story.hear(open('a')), []);
    assert_eq!(story.hear(good('b')), []);
    assert_eq!(story.probing(&open('a')), []);
}

#[test]
fn asked_to_stop_it_does_nothing_more() {
    let mut story = Story::serving_a();
    assert_eq!(story.deadline(), [Command::Probe]);
    assert_eq!(story.hear(Input::Stop), [Command::Exit]);
    assert_eq!(story.phase(), Phase::Stopping);
    assert_eq!(story.hear(open('a')), []);
    assert_eq!(story.hear(good('b')), []);
    assert_eq!(story.state.deadline(story.now), None);
}

#[test]
fn while_all_is_well_it_only_probes_once_an_interval() {
    let mut story = Story::serving_a();
    for _ in 0..50 {
        let before = story.now.tick;
        assert_eq!(story.deadline(), [Command::Probe]);
        assert_eq!(story.now.tick - before, Duration::from_secs(10));
        assert_eq!(story.hear(open('a')), []);
        story.after(Duration::ZERO);
    }
}
