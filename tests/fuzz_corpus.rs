//! The bodies of `fuzz/`, replayed: every seed as it is, and many times changed. libFuzzer itself runs them by `make fuzz`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails at the place where it stands")]

#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub, missing_docs, reason = "a crate of its own elsewhere")]
mod bodies;

use std::{fs, path::Path};

use bodies::{ami, client, conf, host, page, pair, sip, wire};
use proptest::{prelude::*, test_runner::TestRunner};
use starkeeper::diagnosis::{
    Lang,
    show::{Show, Styles},
};

#[test]
fn ami_messages_do_not_depend_on_how_the_bytes_are_cut() {
    replay("ami_codec", ami::codec);
}

#[test]
fn an_ami_session_with_whomever_ends_and_hushes_the_secret() {
    replay("ami_session", ami::session);
}

#[test]
fn configuration_files_always_say_the_same_and_findings_name_lines_that_exist() {
    replay("conf", conf::conf);
}

#[test]
fn a_front_ends_files_always_say_the_same_and_hush_a_login() {
    replay("client", client::client);
}

#[test]
fn what_the_kernel_tells_is_read_again_written_plainly() {
    replay("host", host::host);
}

#[test]
fn the_language_wanted_most_wins_however_it_is_written() {
    replay("language", page::language);
}

#[test]
fn an_issuers_certificate_is_taken_as_it_is_or_not_at_all() {
    replay("fetched", wire::fetched);
}

#[test]
fn a_flight_of_old_says_the_same_once_nothing_more_is_waited_for() {
    replay("old", wire::old);
}

#[test]
fn settings_load_or_are_refused_without_showing_the_secret() {
    replay("settings", conf::settings);
}

#[test]
fn whatever_answers_inspect_moves_no_cursor() {
    replay("page", page::page);
}

#[test]
fn an_accepted_pair_is_accepted_again_written_plainly_and_published() {
    replay("pair", pair::pair);
}

#[test]
fn pem_blocks_stand_on_lines_that_exist() {
    replay("pem", pair::pem);
}

#[test]
fn who_may_read_is_decided_as_the_kernel_decides() {
    replay("readability", pair::readability);
}

#[test]
fn a_served_chain_is_judged_whatever_stands_in_it() {
    replay("served", wire::served);
}

#[test]
fn an_upgrade_is_answered_the_same_however_the_answer_is_cut() {
    replay("upgrade", wire::upgrade);
}

#[test]
fn an_answer_in_sip_is_read_or_is_none() {
    replay("sip", sip::answer);
}

#[test]
fn an_address_as_it_is_shown_leads_to_the_same_door() {
    replay("address", sip::address);
}

#[test]
fn the_seeds_reach_what_they_are_for() {
    let seed = |name: &str| fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name)).unwrap();
    for name in ["good", "combined", "assembled", "behind-the-key"] {
        let judgement = pair::judged(&seed(&format!("pair/{name}"))).unwrap();
        assert!(judgement.is_ok(), "{name}: {judgement:?}");
    }
    for (name, expected) in [("md5", "Ok(Done)"), ("plain", "Ok(Done)"), ("denied-command", "Ok(Done)"), ("booting", "Ok(Queued)")] {
        let heard = ami::heard(&seed(&format!("ami_session/{name}")));
        assert!(heard.contains(expected), "{name}: {heard}");
    }
    for name in ["serving", "wedged", "hostile"] {
        let page = starkeeper::cli::page_of(&seed(&format!("page/{name}")), &Show::new(Lang::En, Styles::plain())).unwrap();
        assert!(page.contains("127.0.0.1:8089/ws"), "{name}: {page}");
    }
    assert_eq!(wire::asked(&seed("upgrade/open")[1..], 7), None);
}

fn replay(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let seeds: Vec<Vec<u8>> = names.iter().map(|name| fs::read(name).unwrap()).collect();
    assert!(!seeds.is_empty());
    body(&[]);
    seeds.iter().for_each(|seed| body(seed));
    let changed = (proptest::sample::select(seeds), prop::collection::vec(change(), 1..6));
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&changed, |(seed, changes)| {
        body(&changes.iter().fold(seed, |bytes, change| change.to(bytes)));
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{target}: {error}"));
}

/// What happens to a seed. Places are counted in 65536ths of its length.
#[derive(Clone, Debug)]
enum Change {
    Set(u16, u8),
    Insert(u16, Vec<u8>),
    Remove(u16, u16),
    Repeat(u16, u16, u8),
    Cut(u16),
}

fn change() -> impl Strategy<Value = Change> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..8),
        prop::collection::vec(prop::sample::select(&b"\r\n\0 :=[];#-\xff"[..]), 1..4)
    ];
    prop_oneof![
        any::<(u16, u8)>().prop_map(|(at, byte)| Change::Set(at, byte)),
        (any::<u16>(), bytes).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        any::<(u16, u16)>().prop_map(|(from, to)| Change::Remove(from, to)),
        (any::<u16>(), any::<u16>(), 1..20u8).prop_map(|(from, to, times)| Change::Repeat(from, to, times)),
        any::<u16>().prop_map(Change::Cut),
    ]
}

impl Change {
    fn to(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let place = |at: u16| usize::from(at) * bytes.len() / 65536;
        let range = |one: u16, other: u16| place(one.min(other))..place(one.max(other));
        match self {
            Self::Set(at, byte) => {
                let at = place(*at);
                if let Some(there) = bytes.get_mut(at) {
                    *there = *byte;
                }
            }
            Self::Insert(at, new) => {
                let at = place(*at);
                bytes.splice(at..at, new.iter().copied());
            }
            Self::Remove(from, to) => {
                bytes.drain(range(*from, *to));
            }
            Self::Repeat(from, to, times) => {
                let range = range(*from, *to);
                let again = bytes[range.clone()].repeat(usize::from(*times));
                bytes.splice(range.end..range.end, again);
            }
            Self::Cut(at) => bytes.truncate(place(*at)),
        }
        bytes
    }
}
