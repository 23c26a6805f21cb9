//! What answers in SIP → the reader of its head and of its challenges; what stands in a client's code → the reader of its address. What is
//! read is the same when it is read again, and a password that was in it is not shown.

use starkeeper::{
    doctor::outside::Aim,
    proof::sip::{Challenge, Response},
};

use super::{SECRET, hushed, told};

/// One message.
pub fn answer(data: &[u8]) {
    let Some(answer) = Response::parse(data) else { return };
    assert!((100..700).contains(&answer.status));
    assert_eq!(Response::parse(data), Some(answer.clone()));
    let challenges = answer.challenges();
    assert!(challenges.len() <= 100);
    if let Some(strongest) = Challenge::strongest(&challenges) {
        let weaker = |other: &&Challenge| other.algorithm > strongest.algorithm;
        assert!(strongest.algorithm.is_some());
        assert!(challenges.iter().filter(weaker).all(|other| Challenge::strongest(std::slice::from_ref(other)).is_none()));
    }
    let _ = (answer.is_of_chan_sip(), answer.header("Contact").map(str::len));
}

/// One address. As it is shown, it leads to the same door, and nothing in it is left to find.
pub fn address(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let login = format!("wss://{SECRET}:{SECRET}@{text}");
    for text in [text, &login] {
        match Aim::parse(text) {
            Ok((aim, findings)) => {
                assert!(!aim.host.is_empty() && aim.path.starts_with('/'), "{aim:?}");
                let (again, left) = Aim::parse(&aim.to_string()).unwrap();
                assert_eq!((again.to_string(), left.len()), (aim.to_string(), 0), "{text}");
                hushed(data, &format!("{aim}{}", told(&findings)));
            }
            Err(error) => hushed(data, &error.to_string()),
        }
    }
}
