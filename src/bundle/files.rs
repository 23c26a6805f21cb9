//! Two captures → the certificates and the key block that OpenSSL would find in them, or the findings that say why it would find none.

use std::path::Path;

use rustls_pki_types::CertificateDer;

use super::{
    certificate::Certificate,
    der,
    key::PrivateKey,
    readability::{self, Barrier},
};
use crate::{
    diagnosis::{Code, Finding},
    material::{
        Capture, ReadFault,
        pem::{self, Block, Header},
    },
    settings::UserIds,
};

/// One certificate of the file.
pub(super) struct Entry {
    /// Line of its BEGIN, from 1.
    pub(super) line: usize,
    pub(super) der: CertificateDer<'static>,
}

/// A finding about one file.
pub(super) fn about(code: Code, path: &Path) -> Finding {
    Finding::new(code).with("file", path)
}

/// What `SSL_CTX_use_certificate_chain_file` would load, in the file's order: the first certificate whatever its label, then the others
/// but for `TRUSTED CERTIFICATE`s. One broken block anywhere fails the whole file.
pub(super) fn certificates(capture: &Capture) -> Result<Vec<Entry>, Finding> {
    let bytes = content(capture, Code::CertMissing, Code::CertUnreadable, Code::CertEmpty)?;
    let not_pem = || about(Code::CertNotPem, &capture.path);
    if let Some(line) = pem::hidden(bytes) {
        return Err(not_pem().with("line", line).with("found", BYTE_ORDER_MARK));
    }
    let mut entries: Vec<Entry> = Vec::new();
    let mut labels = Vec::new();
    for block in pem::blocks(bytes) {
        let block = block.map_err(|broken| flawed(Code::CertNotPem, capture, &broken))?;
        if !is_certificate(&block.label) || (block.label == TRUSTED && !entries.is_empty()) {
            labels.push(block.label);
            continue;
        }
        if block.header != Header::None {
            return Err(not_pem().with("line", block.line).with("found", "a header inside the block"));
        }
        // What OpenSSL appends to a TRUSTED CERTIFICATE is not served; nor is what follows a later certificate inside its block.
        let certificate = der::first(&block.der).unwrap_or(&block.der);
        let trailing = &block.der[certificate.len()..];
        let is_appended = block.label == TRUSTED && der::first(trailing).is_some_and(|appended| appended.len() == trailing.len());
        if entries.is_empty() && !trailing.is_empty() && !is_appended {
            return Err(not_pem()
                .with("line", block.line)
                .with("found", format!("{} bytes after the certificate in its block", trailing.len())));
        }
        let der = CertificateDer::from(certificate.to_vec());
        if let Err(error) = well_formed(&der) {
            return Err(not_pem().with("line", block.line).with("found", format!("a CERTIFICATE block that holds none: {error}")));
        }
        entries.push(Entry { line: block.line, der });
    }
    if entries.is_empty() { Err(no_certificate(capture, bytes, labels)) } else { Ok(entries) }
}

/// Two parsers look, for each lets pass some damage that OpenSSL refuses. What webpki refuses on other grounds (version 1, an odd serial
/// number) OpenSSL loads.
fn well_formed(der: &CertificateDer<'_>) -> Result<(), String> {
    Certificate::parse(der).map_err(|error| error.to_string())?;
    match webpki::EndEntityCert::try_from(der) {
        Err(error @ (webpki::Error::BadDer | webpki::Error::TrailingData(_))) => Err(error.to_string()),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The block that `SSL_CTX_use_PrivateKey_file` would load: the first whose label ends in PRIVATE KEY and that it knows.
pub(super) fn private_key(capture: &Capture) -> Result<Block, Finding> {
    let bytes = content(capture, Code::KeyMissing, Code::KeyUnreadable, Code::KeyEmpty)?;
    if let Some(line) = pem::hidden(bytes) {
        return Err(about(Code::KeyNotPem, &capture.path).with("line", line).with("found", BYTE_ORDER_MARK));
    }
    let mut labels = Vec::new();
    for block in pem::blocks(bytes) {
        let block = block.map_err(|broken| flawed(Code::KeyNotPem, capture, &broken))?;
        match block.label.as_str() {
            "ENCRYPTED PRIVATE KEY" => return Err(encrypted(capture, block.line, "PKCS#8")),
            "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "DSA PRIVATE KEY" => match block.header {
                Header::None => return Ok(block),
                Header::Encrypted => return Err(encrypted(capture, block.line, "Proc-Type: 4,ENCRYPTED")),
                Header::Other => {
                    return Err(about(Code::KeyNotPem, &capture.path).with("line", block.line).with("found", "a header inside the block"));
                }
            },
            _ => labels.push(block.label),
        }
    }
    Err(no_key(capture, bytes, labels))
}

/// Whether Asterisk's account may read the file; says who bars it.
pub(super) fn barred(code: Code, capture: &Capture, user: &UserIds) -> Option<Finding> {
    let Barrier { node, needs } = readability::barrier(&capture.way, user)?;
    let (who, mode) = (who(user), format!("{:04o}", node.mode));
    let reason = format!("{who}, lacks {needs} of {} ({}:{}, {mode})", node.path.display(), node.uid, node.gid);
    Some(
        about(code, &capture.path)
            .with("who", who)
            .with("at", node.path.as_path())
            .with("needs", needs.to_string())
            .with("owner", format!("{}:{}", node.uid, node.gid))
            .with("mode", mode)
            .with("reason", reason),
    )
}

/// A key that every account on the machine can read. Asterisk does not mind (it checks no modes); an administrator may.
pub(super) fn open_to_all(capture: &Capture) -> Option<Finding> {
    let file = capture.way.last().filter(|_| readability::is_open_to_all(&capture.way))?;
    let finding = about(Code::KeyWorldReadable, &capture.path).with("at", file.path.as_path());
    Some(finding.with("mode", format!("{:04o}", file.mode)).with("expected", "0640 or 0600"))
}

fn who(user: &UserIds) -> String {
    let groups: Vec<String> = user.groups.iter().map(u32::to_string).collect();
    let more = if groups.is_empty() { String::new() } else { format!(", groups {}", groups.join(" ")) };
    format!("Asterisk's account, uid {}, gid {}{more}", user.uid, user.gid)
}

fn content(capture: &Capture, missing: Code, unreadable: Code, empty: Code) -> Result<&[u8], Finding> {
    match &capture.content {
        Ok(content) if content.bytes().trim_ascii().is_empty() => Err(about(empty, &capture.path).with("bytes", content.bytes().len())),
        Ok(content) => Ok(content.bytes()),
        Err(ReadFault::Missing { nearest }) => Err(about(missing, &capture.path).with("nearest", nearest.as_path())),
        Err(ReadFault::Denied) => {
            Err(about(unreadable, &capture.path).with("who", "the agent itself").with("reason", "permission denied to the agent itself"))
        }
        Err(fault @ (ReadFault::NotAFile | ReadFault::TooLarge { .. } | ReadFault::Other(_))) => {
            Err(about(unreadable, &capture.path).with("reason", fault.to_string()))
        }
    }
}

fn flawed(code: Code, capture: &Capture, broken: &pem::Broken) -> Finding {
    about(code, &capture.path).with("line", broken.line).with("found", broken.to_string())
}

fn encrypted(capture: &Capture, line: usize, found: &str) -> Finding {
    about(Code::KeyEncrypted, &capture.path).with("line", line).with("found", found).with("expected", "a key without passphrase")
}

fn no_certificate(capture: &Capture, bytes: &[u8], labels: Vec<String>) -> Finding {
    let finding = |code, found: &str| about(code, &capture.path).with("found", found).with("expected", "CERTIFICATE blocks");
    match bare(bytes) {
        Some(Bare::Certificate) => finding(Code::CertIsDer, "a DER certificate"),
        Some(Bare::Key) => finding(Code::CertIsKey, "a DER private key"),
        Some(Bare::Pkcs12) => finding(Code::CertIsDer, "PKCS#12"),
        Some(Bare::Other) => finding(Code::CertIsDer, "DER"),
        None if labels.iter().any(|label| is_key(label)) => {
            about(Code::CertIsKey, &capture.path).with("found", labels).with("expected", "CERTIFICATE blocks")
        }
        None if labels.is_empty() => finding(Code::CertNotPem, text(bytes)),
        None => about(Code::CertNotPem, &capture.path).with("found", labels).with("expected", "CERTIFICATE blocks"),
    }
}

fn no_key(capture: &Capture, bytes: &[u8], labels: Vec<String>) -> Finding {
    let finding = |code, found: &str| about(code, &capture.path).with("found", found).with("expected", "a PRIVATE KEY block");
    match bare(bytes) {
        Some(Bare::Certificate) => finding(Code::KeyIsCert, "a DER certificate"),
        Some(Bare::Key) => finding(Code::KeyNotPem, "a DER private key"),
        Some(Bare::Pkcs12) => finding(Code::KeyNotPem, "PKCS#12"),
        Some(Bare::Other) => finding(Code::KeyNotPem, "DER"),
        None if labels.iter().any(|label| is_certificate(label)) => {
            about(Code::KeyIsCert, &capture.path).with("found", labels).with("expected", "a PRIVATE KEY block")
        }
        None if labels.is_empty() => finding(Code::KeyNotPem, text(bytes)),
        None => about(Code::KeyNotPem, &capture.path).with("found", labels).with("expected", "a PRIVATE KEY block"),
    }
}

/// What a file that is DER as a whole holds.
enum Bare {
    Certificate,
    Key,
    Pkcs12,
    Other,
}

fn bare(bytes: &[u8]) -> Option<Bare> {
    let (body, rest) = der::expect(der::SEQUENCE, bytes)?;
    Some(if Certificate::parse(&CertificateDer::from(bytes)).is_ok() {
        Bare::Certificate
    } else if PrivateKey::read_bare(bytes).is_some() {
        Bare::Key
    } else if der::integer(body).is_some_and(|(version, _)| version == [3]) {
        Bare::Pkcs12
    } else if rest.is_empty() {
        Bare::Other
    } else {
        return None;
    })
}

fn text(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "UTF-16",
        _ if bytes.contains(&b'\r') && !bytes.contains(&b'\n') => "lines that end in CR alone",
        _ => "no PEM block",
    }
}

fn is_certificate(label: &str) -> bool {
    matches!(label, "CERTIFICATE" | "X509 CERTIFICATE" | TRUSTED)
}

fn is_key(label: &str) -> bool {
    label.ends_with("PRIVATE KEY")
}

const TRUSTED: &str = "TRUSTED CERTIFICATE";
const BYTE_ORDER_MARK: &str = "a byte order mark before BEGIN, which hides that block from OpenSSL 1.1";
