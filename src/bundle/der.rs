//! DER (X.690) → its elements, one at a time: as much as it takes to find the public half inside a private key. Refuses lengths that
//! reach beyond the input, indefinite ones and multi-byte tags.

/// Tags that are looked for.
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// The first element: its tag, its content, and what follows it.
pub(super) fn element(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = input.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |length, &byte| length << 8 | usize::from(byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    (tag & 0x1f != 0x1f).then_some((tag, content, rest))
}

/// The content of the first element, and what follows it, when it has this tag.
pub(super) fn expect(tag: u8, input: &[u8]) -> Option<(&[u8], &[u8])> {
    element(input).filter(|(found, ..)| *found == tag).map(|(_, content, rest)| (content, rest))
}

/// The content of the first element.
pub(super) fn content(input: &[u8]) -> Option<&[u8]> {
    element(input).map(|(_, content, _)| content)
}

/// The first element with its header, without what follows it.
pub(super) fn first(input: &[u8]) -> Option<&[u8]> {
    element(input).map(|(.., rest)| &input[..input.len() - rest.len()])
}

/// A positive INTEGER's digits without leading zeros.
pub(super) fn integer(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (content, rest) = expect(INTEGER, input)?;
    Some((&content[content.iter().position(|&b| b != 0).unwrap_or(content.len())..], rest))
}

/// A BIT STRING's bytes.
pub(super) fn bit_string(input: &[u8]) -> Option<&[u8]> {
    expect(BIT_STRING, input)?.0.strip_prefix(&[0])
}
