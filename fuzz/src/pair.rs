//! Certificate and key files → the judge, the PEM reader, and what staging would publish. What is accepted is accepted again when it is
//! written plainly, and what is published is the very chain that was judged; what is rejected says why.

use std::{path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use starkeeper::{
    bundle::{self, Bundle, Chain, Expectations, Judgement, judge},
    diagnosis::Code,
    material::{Capture, Content, Node, ReadFault, Snapshot, pem as reader},
    settings::{ExpirySettings, UserIds},
    staging,
};

use super::{parts, told};

/// The first byte says whether the rest is two files, parted by NUL, or says how two files are put together from [`PIECES`].
pub fn pair(data: &[u8]) {
    match judged(data) {
        None => {}
        Some(Err(rejection)) => {
            assert!(!bundle::errors(&rejection.findings).is_empty(), "rejected without a reason");
            told(&rejection.findings);
        }
        Some(Ok(bundle)) => accepted(&bundle.snapshot, &bundle),
    }
}

pub(crate) fn judged(data: &[u8]) -> Option<Judgement> {
    let (choice, rest) = data.split_first()?;
    let mut files = parts(rest);
    let (cert, key) = (files.next().unwrap_or_default(), files.next().unwrap_or_default());
    let (cert, key) = if choice & 1 == 0 { (cert.to_vec(), key.to_vec()) } else { (assembled(cert), assembled(key)) };
    let snapshot = Arc::new(Snapshot { cert: capture("/tls/tls.crt", cert), key: capture("/tls/tls.key", key) });
    Some(judge(snapshot, &expectations(None), now()))
}

fn accepted(snapshot: &Arc<Snapshot>, bundle: &Bundle) {
    told(&bundle.findings);
    let plain = Snapshot { cert: capture("/tls/tls.crt", encoded(&bundle.chain)), key: snapshot.key.clone() };
    assert_eq!(chain(judge(Arc::new(plain), &expectations(None), now())), Some(bundle.chain.clone()), "the same, written plainly");
    let Ok([(_, fullchain), (_, privkey), (_, combined)]) = staging::contents(snapshot) else { return };
    assert!(!mentions(&fullchain, b"PRIVATE KEY"), "a key in the published chain");
    for (cert, key) in [(&fullchain, &privkey), (&combined, &combined)] {
        let published = Snapshot { cert: capture("/run/cert", cert.to_vec()), key: capture("/run/key", key.to_vec()) };
        assert_eq!(chain(judge(Arc::new(published), &expectations(None), now())), Some(bundle.chain.clone()), "the same, published");
    }
}

fn chain(judgement: Judgement) -> Option<Chain> {
    judgement.ok().map(|bundle| bundle.chain)
}

/// One file: blocks have lines that exist, in their order, and hold no more than the file.
pub fn pem(data: &[u8]) {
    let lines = data.iter().filter(|byte| **byte == b'\n').count() + 1;
    let (mut last, mut held) = (0, 0);
    for block in reader::blocks(data) {
        let line = match &block {
            Ok(block) => block.line,
            Err(broken) => broken.line,
        };
        assert!(last < line && line <= lines);
        last = line;
        held += block.map_or(0, |block| block.der.len());
    }
    assert!(held <= data.len());
    assert!(reader::hidden(data).is_none_or(|line| line <= lines));
}

/// A way of directories with modes and ACLs, and an account: without ACLs, what the kernel would say; root is never barred.
pub fn readability(data: &[u8]) {
    let Some((account, rest)) = data.split_first_chunk::<4>() else { return };
    let [uid, gid, group, choice] = account.map(|byte| u32::from(byte & 3));
    let user = UserIds { uid, gid, groups: if choice == 0 { Vec::new() } else { vec![group] } };
    let mut way = Vec::new();
    let mut rest = rest;
    while let Some(([owner, group, high, low, length], after)) = rest.split_first_chunk::<5>() {
        let length = usize::from(*length).min(after.len());
        let (acl, after) = after.split_at(length);
        let mode = u32::from(u16::from_be_bytes([*high, *low])) & 0o7777;
        let acl = (length > 0).then(|| acl.to_vec());
        way.push(Node { path: PathBuf::from("/n"), uid: u32::from(owner & 3), gid: u32::from(group & 3), mode, acl });
        rest = after;
    }
    let plain = way.iter().all(|node| node.acl.is_none());
    let expected = barred(&way, &user);
    let missing = Capture { path: "/key".into(), content: Err(ReadFault::NotAFile), way: Vec::new() };
    let cert = Capture { path: "/cert".into(), content: Err(ReadFault::Missing { nearest: "/".into() }), way };
    let snapshot = Arc::new(Snapshot { cert, key: missing });
    let rejection = judge(snapshot, &expectations(Some(user.clone())), now()).unwrap_err();
    let said = rejection.findings.iter().any(|finding| finding.code == Code::CertUnreadable);
    told(&rejection.findings);
    assert!(!plain || said == expected, "{said} of {:?} by {user:?}", rejection.snapshot.cert.way);
    assert!(uid != 0 || !said, "root is barred");
}

/// Owner, else group, else other (path_resolution(7)).
fn barred(way: &[Node], user: &UserIds) -> bool {
    let last = way.len().wrapping_sub(1);
    user.uid != 0
        && way.iter().enumerate().any(|(index, node)| {
            let wanted = if index == last { 4 } else { 1 };
            let class = if node.uid == user.uid {
                6
            } else if node.gid == user.gid || user.groups.contains(&node.gid) {
                3
            } else {
                0
            };
            node.mode >> class & wanted == 0
        })
}

fn capture(path: &str, bytes: Vec<u8>) -> Capture {
    Capture { path: path.into(), content: Ok(Content::new(bytes)), way: Vec::new() }
}

fn expectations(user: Option<UserIds>) -> Expectations {
    let days = |count: u64| Duration::from_secs(count * 86_400);
    let expiry = ExpirySettings { warning: days(21), critical: days(7), lifetime_fraction: 0.33 };
    Expectations { names: vec!["pbx.example.com".to_owned()], anchors: None, user, expiry }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn mentions(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

/// Each byte is one of the pieces; what is above them stands for itself.
fn assembled(recipe: &[u8]) -> Vec<u8> {
    let piece = |byte: &u8| match usize::from(*byte).checked_sub(1).and_then(|index| PIECES.get(index)) {
        Some(piece) => piece.as_bytes().to_vec(),
        None => vec![*byte],
    };
    recipe.iter().take(64).flat_map(piece).collect()
}

const LEAF: &str = include_str!("../seeds/leaf.pem");
const KEY: &str = include_str!("../seeds/key.pem");

/// What files of certificates and keys are made of, whole and broken.
const PIECES: [&str; 30] = [
    LEAF,
    KEY,
    include_str!("../seeds/issuer.pem"),
    include_str!("../seeds/other-key.pem"),
    include_str!("../seeds/other-leaf.pem"),
    "\r\n",
    "\u{feff}",
    "\n",
    " ",
    "-----BEGIN CERTIFICATE-----\n",
    "-----END CERTIFICATE-----\n",
    "-----BEGIN PRIVATE KEY-----\n",
    "-----END PRIVATE KEY-----\n",
    "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n",
    "-----BEGIN DH PARAMETERS-----\nMAYCAQUCAQI=\n-----END DH PARAMETERS-----\n",
    "-----BEGIN X509 CERTIFICATE-----\n",
    "-----BEGIN TRUSTED CERTIFICATE-----\n",
    "-----END TRUSTED CERTIFICATE-----\n",
    "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n",
    "Proc-Type: 4,ENCRYPTED\n",
    "subject=CN = pbx.example.com\n",
    "Bag Attributes: PRIVATE KEY\n",
    "MAA=\n",
    "-----BEGIN ",
    "-----END ",
    "-----",
    "PRIVATE KEY",
    "CERTIFICATE",
    "MAA=",
    "\t",
];

fn encoded(chain: &Chain) -> Vec<u8> {
    let mut text = String::new();
    for certificate in chain.certificates() {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in base64(certificate).as_bytes().chunks(64) {
            text.push_str(std::str::from_utf8(line).unwrap());
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text.into_bytes()
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |chunk: &[u8]| {
        let bits = chunk.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte)) << (8 * (3 - chunk.len()));
        [18, 12, 6, 0]
            .into_iter()
            .enumerate()
            .map(move |(index, shift)| if index <= chunk.len() { LETTERS[bits >> shift & 63] as char } else { '=' })
            .collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}
