//! What a client says that it speaks → a ClientHello (RFC 5246, 7.4.1.2), without a library in between. Pure. Refuses nothing: a name that
//! does not fit is left out.

/// What is offered.
#[derive(Clone, Copy)]
pub(super) struct Offer {
    /// The newest version: `0x0303` is TLS 1.2.
    pub(super) version: u16,
    /// What is liked best comes first.
    pub(super) suites: &'static [u16],
}

/// TLS 1.2 with what Chromium offers of it beyond AEAD with forward secrecy: ECDHE-RSA in CBC mode, RSA key exchange.
pub(super) const TODAY: Offer = Offer { version: TLS12, suites: &[0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035] };

/// TLS 1.2 with what Chromium has no more, or never had: ECDSA in CBC mode, CBC with SHA-2, DHE, RSA with CCM or Camellia, 3DES.
pub(super) const BEYOND: Offer = Offer {
    version: TLS12,
    suites: &[
        0xc009, 0xc00a, 0xc023, 0xc024, 0xc027, 0xc028, 0x009e, 0x009f, 0xccaa, 0x0033, 0x0039, 0x0067, 0x006b, 0x003c, 0x003d, 0xc09c,
        0xc09d, 0x0041, 0x0084, 0xc012, 0x000a,
    ],
};

/// TLS 1.1: ECDHE and RSA with AES and 3DES, as of 2006 (RFC 4346, RFC 4492).
pub(super) const YESTERDAY: Offer = Offer { version: TLS11, suites: &[0xc013, 0xc014, 0xc009, 0xc00a, 0x002f, 0x0035, 0x000a] };

pub(super) const TLS12: u16 = 0x0303;
pub(super) const TLS11: u16 = 0x0302;
pub(super) const TLS10: u16 = 0x0301;

/// As OpenSSL, and so http.conf's `tlscipher`, calls a suite that is offered here.
pub(super) fn name(suite: u16) -> &'static str {
    match suite {
        0xc013 => "ECDHE-RSA-AES128-SHA",
        0xc014 => "ECDHE-RSA-AES256-SHA",
        0x009c => "AES128-GCM-SHA256",
        0x009d => "AES256-GCM-SHA384",
        0x002f => "AES128-SHA",
        0x0035 => "AES256-SHA",
        0xc009 => "ECDHE-ECDSA-AES128-SHA",
        0xc00a => "ECDHE-ECDSA-AES256-SHA",
        0xc023 => "ECDHE-ECDSA-AES128-SHA256",
        0xc024 => "ECDHE-ECDSA-AES256-SHA384",
        0xc027 => "ECDHE-RSA-AES128-SHA256",
        0xc028 => "ECDHE-RSA-AES256-SHA384",
        0x009e => "DHE-RSA-AES128-GCM-SHA256",
        0x009f => "DHE-RSA-AES256-GCM-SHA384",
        0xccaa => "DHE-RSA-CHACHA20-POLY1305",
        0x0033 => "DHE-RSA-AES128-SHA",
        0x0039 => "DHE-RSA-AES256-SHA",
        0x0067 => "DHE-RSA-AES128-SHA256",
        0x006b => "DHE-RSA-AES256-SHA256",
        0x003c => "AES128-SHA256",
        0x003d => "AES256-SHA256",
        0xc09c => "AES128-CCM",
        0xc09d => "AES256-CCM",
        0x0041 => "CAMELLIA128-SHA",
        0x0084 => "CAMELLIA256-SHA",
        0xc012 => "ECDHE-RSA-DES-CBC3-SHA",
        0x000a => "DES-CBC3-SHA",
        _ => "a suite that was not offered",
    }
}

/// Whether the certificate's key deciphers the secret, where others sign for it. Of those that Chromium offers.
pub(super) fn deciphers(suite: u16) -> bool {
    matches!(suite, 0x009c | 0x009d | 0x002f | 0x0035)
}

/// One record. `name`: who is asked for (RFC 6066, 3); empty: that is not said.
pub(super) fn hello(offer: Offer, name: &str) -> Vec<u8> {
    let mut extensions = Vec::new();
    if !name.is_empty() && name.len() < 256 {
        let entry = [&[0][..], &sized(name.as_bytes())].concat();
        extensions.extend([&[0, 0][..], &sized(&sized(&entry))].concat());
    }
    extensions.extend(EXTENSIONS);
    if offer.version == TLS12 {
        extensions.extend(SIGNATURES);
    }
    let mut body = offer.version.to_be_bytes().to_vec();
    body.extend([0x5a; 32]);
    body.push(0);
    let suites: Vec<u8> = offer.suites.iter().chain(&[SAFE_RENEGOTIATION]).flat_map(|suite| suite.to_be_bytes()).collect();
    body.extend(sized(&suites));
    body.extend([1, 0]);
    body.extend(sized(&extensions));
    let handshake = [&[1, 0][..], &sized(&body)].concat();
    [&[0x16, 3, 1][..], &sized(&handshake)].concat()
}

/// RFC 5746, 3.3.
const SAFE_RENEGOTIATION: u16 = 0x00ff;
/// Groups x25519, P-256, P-384; points uncompressed; the master secret extended (RFC 7627).
const EXTENSIONS: [u8; 22] = [0, 10, 0, 8, 0, 6, 0, 29, 0, 23, 0, 24, 0, 11, 0, 2, 1, 0, 0, 23, 0, 0];
/// ECDSA, RSA-PSS and RSA, with SHA-256, 384 and 512: TLS 1.2 alone has them (RFC 5246, 7.4.1.4.1).
const SIGNATURES: [u8; 22] = [0, 13, 0, 18, 0, 16, 4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 8, 6, 6, 1];

/// With its length before it, in two bytes.
fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes()[..], bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_in_a_hello_is_that_of_what_follows() {
        for offer in [TODAY, BEYOND, YESTERDAY] {
            for name in ["", "pbx.example.com", &"x".repeat(255), &"x".repeat(256)] {
                let hello = hello(offer, name);
                let at = |index: usize| usize::from(u16::from_be_bytes([hello[index], hello[index + 1]]));
                assert_eq!((hello[0], at(3), hello[5], at(7)), (0x16, hello.len() - 5, 1, hello.len() - 9));
                let suites = at(44);
                assert_eq!(suites, 2 * offer.suites.len() + 2);
                let mut extension = 44 + 2 + suites + 4;
                assert_eq!(at(extension - 2), hello.len() - extension);
                while extension < hello.len() {
                    extension += 4 + at(extension + 2);
                }
                assert_eq!(extension, hello.len(), "{name}");
            }
        }
    }

    #[test]
    fn every_suite_that_is_offered_has_a_name() {
        let offered = [TODAY, BEYOND, YESTERDAY].into_iter().flat_map(|offer| offer.suites);
        assert_eq!(offered.filter(|suite| name(**suite) == name(0)).count(), 0);
    }
}
