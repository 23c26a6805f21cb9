//! What the codec makes of bytes, whole, in pieces, and hostile.

use proptest::prelude::*;

use super::*;

/// Feeds the pieces one by one, and gives every frame, up to the first refusal.
fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Frame>, Option<String>) {
    let (mut codec, mut bytes, mut frames) = (Codec::default(), BytesMut::new(), Vec::new());
    for piece in pieces {
        bytes.extend_from_slice(piece);
        loop {
            match codec.decode(&mut bytes) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(violation) => return (frames, Some(format!("{violation:?}"))),
            }
        }
    }
    (frames, None)
}

fn message(fields: &[(&str, &str)]) -> Frame {
    Frame::Message(Message(fields.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()))
}

fn banner(version: &str) -> Frame {
    Frame::Banner { version: version.to_owned() }
}

#[test]
fn what_asterisk_sends_becomes_messages() {
    for (bytes, expected) in [
        ("Asterisk Call Manager/11.0.0\r\n", vec![banner("11.0.0")]),
        (
            "Asterisk Call Manager/5.0.4\r\nResponse: Success\r\nActionID: 1\r\nPing: Pong\r\n\r\n",
            vec![banner("5.0.4"), message(&[("Response", "Success"), ("ActionID", "1"), ("Ping", "Pong")])],
        ),
        // Lone line feeds, no space after the colon, more empty lines than needed.
        (
            "Asterisk Call Manager/5.0.4\n\n\nResponse:Error\nMessage: a: b\n\n\nEvent: Reload\n\n",
            vec![banner("5.0.4"), message(&[("Response", "Error"), ("Message", "a: b")]), message(&[("Event", "Reload")])],
        ),
        // Output keeps its order, its indentation and its empty lines.
        (
            "Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nOutput: one\r\nOutput:   two\r\nOutput: \r\nOutput: one\r\n\r\n",
            vec![
                banner("11.0.0"),
                message(&[("Response", "Success"), ("Output", "one"), ("Output", "  two"), ("Output", ""), ("Output", "one")]),
            ],
        ),
        // A value with a line feed in it.
        (
            "Asterisk Call Manager/11.0.0\r\nEvent: VarSet\r\nValue: a\nb\r\n\r\n",
            vec![banner("11.0.0"), message(&[("Event", "VarSet"), ("Value", "a"), ("", "b")])],
        ),
        // Asterisk 13: raw output that looks like fields, with an empty line, its end alone on a line or behind the last one.
        (
            "Asterisk Call Manager/2.10.6\r\nResponse: Follows\r\nPrivilege: Command\r\nActionID: 3\r\nUptime: 3\n\nend\n--END COMMAND--\r\n\r\nEvent: X\r\n\r\n",
            vec![
                banner("2.10.6"),
                message(&[
                    ("Response", "Follows"),
                    ("Privilege", "Command"),
                    ("ActionID", "3"),
                    ("Output", "Uptime: 3"),
                    ("Output", ""),
                    ("Output", "end"),
                ]),
                message(&[("Event", "X")]),
            ],
        ),
        (
            "Asterisk Call Manager/2.10.6\r\nResponse: Follows\r\nActionID: 3\r\nlast--END COMMAND--\r\n\r\n",
            vec![banner("2.10.6"), message(&[("Response", "Follows"), ("ActionID", "3"), ("Output", "last")])],
        ),
    ] {
        assert_eq!(decode([bytes.as_bytes()]), (expected, None), "{bytes:?}");
    }
}

#[test]
fn an_event_that_carries_a_response_is_an_event() {
    let Frame::Message(event) = message(&[("Event", "OriginateResponse"), ("Response", "Failure"), ("ActionID", "1")]) else { panic!() };
    assert_eq!((event.event(), event.response()), (Some("OriginateResponse"), None));
    assert_eq!(event.get("actionid"), Some("1"));
}

#[test]
fn a_peer_that_is_not_ami_is_named_at_its_first_bytes() {
    for (bytes, expected) in [
        (&b"SSH-2.0-OpenSSH_9.2\r\n"[..], "SSH-2.0-OpenSSH_9.2··"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1.1 400 Bad Request····"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "·····\u{2}F"),
        (b"Asterisk Call Center/1", "Asterisk Call Center/1"),
        (b"\xff\xfe", "\u{fffd}\u{fffd}"),
    ] {
        let (frames, violation) = decode([bytes]);
        assert!(frames.is_empty());
        let expected = printable(expected.as_bytes());
        assert_eq!(violation, Some(format!("{:?}", Violation::NoBanner { came: expected })), "{bytes:?}");
    }
}

#[test]
fn nothing_that_is_endless_is_collected() {
    let greeted = b"Asterisk Call Manager/11.0.0\r\n".to_vec();
    let line = [&greeted[..], &[b'x'; 10 * 1024 * 1024]].concat();
    let lines = [&greeted[..], &b"a: b\r\n".repeat(LINES_LIMIT + 1)].concat();
    let message = [&greeted[..], &[&b"a: "[..], &[b'b'; 60_000], b"\r\n"].concat().repeat(20)].concat();
    let banner = [&b"Asterisk Call Manager/"[..], &[b'1'; 4096]].concat();
    let raw = [&greeted[..], b"Response: Follows\r\n", &b"\n".repeat(LINES_LIMIT + 1)].concat();
    for (bytes, expected) in [
        (line, "LineTooLong { limit: 65536 }"),
        (lines, "MessageTooLong { lines: 16384, bytes: 1048576 }"),
        (message, "MessageTooLong { lines: 16384, bytes: 1048576 }"),
        (banner, "LineTooLong { limit: 128 }"),
        (raw, "MessageTooLong { lines: 16384, bytes: 1048576 }"),
    ] {
        let (mut codec, mut buffer, mut most) = (Codec::default(), BytesMut::new(), 0);
        let violation = bytes.chunks(8 * 1024).find_map(|chunk| {
            buffer.extend_from_slice(chunk);
            most = most.max(buffer.len());
            loop {
                match codec.decode(&mut buffer) {
                    Ok(Some(_)) => {}
                    Ok(None) => return None,
                    Err(violation) => return Some(format!("{violation:?}")),
                }
            }
        });
        assert_eq!(violation.as_deref(), Some(expected));
        assert!(most <= LINE_LIMIT + 8 * 1024, "{most} bytes were kept");
        assert!(codec.draft.bytes <= MESSAGE_LIMIT + LINE_LIMIT && codec.draft.fields.len() <= LINES_LIMIT);
    }
}

#[test]
fn half_a_message_at_the_end_of_the_stream_is_no_message_and_no_error() {
    let (mut codec, mut bytes) = (Codec::default(), BytesMut::from("Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nMess"));
    assert!(matches!(codec.decode_eof(&mut bytes), Ok(Some(Frame::Banner { .. }))));
    assert!(matches!(codec.decode_eof(&mut bytes), Ok(None)));
    assert!(bytes.is_empty());
}

/// Bytes that are near enough to AMI to get past the banner.
fn nearly_ami() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("Response: Success\r\n".to_owned()),
        Just("Response: Follows\r\n".to_owned()),
        Just("--END COMMAND--\r\n".to_owned()),
        Just("Event: Reload\r\n".to_owned()),
        Just("Output: x\r\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("\n".to_owned()),
        "[ -~\r\n\u{e9}:]{0,20}",
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| format!("Asterisk Call Manager/11.0.0\r\n{}", pieces.concat()).into_bytes())
}

proptest! {
    #[test]
    fn however_the_bytes_are_cut_the_messages_are_the_same(bytes in nearly_ami(), cuts in prop::collection::vec(0usize..400, 0..12)) {
        let mut cuts = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect::<Vec<_>>();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]);
        prop_assert_eq!(decode(pieces), decode([&bytes[..]]));
    }

    #[test]
    fn whatever_comes_nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..600), greeted in any::<bool>()) {
        let greeting: &[u8] = if greeted { b"Asterisk Call Manager/11.0.0\r\n" } else { b"" };
        let _ = decode([greeting, &bytes]);
        let _ = decode([greeting, b"Response: Follows\r\n", &bytes]);
    }
}
