//! What a server says before it wants an answer (up to TLS 1.2 in the clear) → what it chose, and its certificate. Pure. Refuses nothing: what
//! is no such thing chose nothing.

/// What a server chose of an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    /// `0x0303` is TLS 1.2.
    pub(super) version: u16,
    pub(super) suite: u16,
    /// In DER, whatever it may be; `None`: none came.
    pub(super) leaf: Option<Vec<u8>>,
}

/// What these bytes say so far, and whether there is a point in waiting for more.
pub(super) fn read(received: &[u8]) -> (Option<Chosen>, bool) {
    let (said, more) = handshake(received);
    let mut said = said.as_slice();
    let (version, suite) = match message(&mut said) {
        Some((SERVER_HELLO, body)) => match hello(body) {
            Some(hello) => hello,
            None => return (None, false),
        },
        Some(_) => return (None, false),
        None => return (None, more),
    };
    let (leaf, more) = match message(&mut said) {
        Some((CERTIFICATE, body)) => (leaf(body), false),
        Some(_) => (None, false),
        None => (None, more),
    };
    (Some(Chosen { version, suite, leaf }), more)
}

const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;

/// What stands in the records of the handshake, one after the other; and whether more of them may follow: not after an alert, say.
fn handshake(mut records: &[u8]) -> (Vec<u8>, bool) {
    let mut said = Vec::new();
    loop {
        match *records {
            [] | [0x16] | [0x16, 3] | [0x16, 3, _] | [0x16, 3, _, _] => return (said, true),
            [0x16, 3, _, high, low, ref rest @ ..] => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                let Some((record, rest)) = rest.split_at_checked(length) else {
                    said.extend_from_slice(rest);
                    return (said, true);
                };
                said.extend_from_slice(record);
                records = rest;
            }
            [..] => return (said, false),
        }
    }
}

/// The next message, its type and its body, once it is whole.
fn message<'b>(said: &mut &'b [u8]) -> Option<(u8, &'b [u8])> {
    let (&kind, rest) = said.split_first()?;
    let (body, rest) = long(rest)?;
    *said = rest;
    Some((kind, body))
}

/// RFC 5246, 7.4.1.3: version, random, session, suite.
fn hello(body: &[u8]) -> Option<(u16, u16)> {
    let (version, rest) = body.split_first_chunk()?;
    let (_, rest) = rest.split_at_checked(32)?;
    let (&session, rest) = rest.split_first()?;
    let (_, rest) = rest.split_at_checked(usize::from(session))?;
    Some((u16::from_be_bytes(*version), u16::from_be_bytes(*rest.first_chunk()?)))
}

/// RFC 5246, 7.4.2: a list of certificates, the server's own first.
fn leaf(body: &[u8]) -> Option<Vec<u8>> {
    let (list, _) = long(body)?;
    let (leaf, _) = long(list)?;
    Some(leaf.to_vec())
}

/// What a length in three bytes leads, and what comes after it.
fn long(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[high, middle, low], rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ServerHello with TLS 1.2 and AES128-SHA, and a Certificate with a leaf of two bytes and an intermediate of one.
    fn messages() -> [Vec<u8>; 2] {
        let hello = [&[2, 0, 0, 40, 3, 3][..], &[7; 32], &[2, 9, 9, 0, 0x2f, 0]].concat();
        [hello, vec![11, 0, 0, 12, 0, 0, 9, 0, 0, 2, 0x30, 0x31, 0, 0, 1, 0x32]]
    }

    fn record(kind: u8, payload: &[u8]) -> Vec<u8> {
        [&[kind, 3, 3, 0, u8::try_from(payload.len()).unwrap()][..], payload].concat()
    }

    fn chosen(leaf: Option<&[u8]>) -> Option<Chosen> {
        Some(Chosen { version: 0x0303, suite: 0x002f, leaf: leaf.map(<[u8]>::to_vec) })
    }

    #[test]
    fn a_flight_is_read_however_it_is_cut_into_records() {
        let whole = messages().concat();
        for size in [1, 5, 44, 45, 46, 200] {
            let flight: Vec<u8> = whole.chunks(size).flat_map(|part| record(0x16, part)).collect();
            assert_eq!(read(&flight), (chosen(Some(&[0x30, 0x31])), false), "{size}");
        }
    }

    #[test]
    fn what_is_not_whole_is_waited_for() {
        let flight = record(0x16, &messages().concat());
        let hello = 5 + messages()[0].len();
        for length in 0..flight.len() {
            let expected = if length < hello { None } else { chosen(None) };
            assert_eq!(read(&flight[..length]), (expected, true), "{length}");
        }
    }

    #[test]
    fn what_is_something_else_is_not_waited_for() {
        let [hello, certificate] = messages();
        for (name, flight, expected) in [
            ("an alert", record(0x15, &[2, 40]), None),
            ("HTTP", b"HTTP/1.1 400 Bad Request\r\n".to_vec(), None),
            ("another message", record(0x16, &certificate), None),
            ("a hello without an end", record(0x16, &[2, 0, 0, 3, 3, 3, 7]), None),
            ("a hello, then an alert", [record(0x16, &hello), record(0x15, &[2, 40])].concat(), chosen(None)),
            ("a hello, then another message", [record(0x16, &hello), record(0x16, &[14, 0, 0, 0])].concat(), chosen(None)),
            ("no certificate in the list", [record(0x16, &hello), record(0x16, &[11, 0, 0, 3, 0, 0, 0])].concat(), chosen(None)),
            ("a list longer than its message", [record(0x16, &hello), record(0x16, &[11, 0, 0, 3, 0, 0, 9])].concat(), chosen(None)),
        ] {
            assert_eq!(read(&flight), (expected, false), "{name}");
        }
    }
}
