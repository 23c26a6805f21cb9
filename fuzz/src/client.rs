//! What people wrote of a front end → the readers of env files, of Compose files and of the variables in both. The same files always say the
//! same, a line that is named exists, a value that was read is read again when it is written plainly, and a login is not shown.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use starkeeper::{
    diagnosis::{Finding, Value},
    doctor::{
        Notebook, Report,
        client::{Asked, Evidence, examine, filled, read_from},
    },
};

use super::{SECRET, hushed, parts, told};

/// Each part is a file: .env, two Compose files, and the http.conf that they may mount.
pub fn client(data: &[u8]) {
    let files: Files = NAMES.iter().map(PathBuf::from).zip(parts(data).map(<[u8]>::to_vec)).collect();
    let lines = |file: &Path| files.get(file).map(|text| lines(text));
    match given(&files) {
        Ok(evidence) => {
            let report = examined(&files, &evidence);
            for finding in &report.findings {
                if let (Some(Value::Text(file)), Some(Value::Number(line))) = (finding.get("file"), finding.get("line")) {
                    let lines = lines(Path::new(file.as_str())).expect("a file that was given");
                    assert!((1..=lines).contains(line), "{finding:?}");
                }
            }
            assert_eq!(format!("{evidence:?}"), format!("{:?}", given(&files).unwrap()), "the same files say different things");
            written_plainly(&evidence);
            with_login(data, files, &evidence);
        }
        Err(error) => assert!(error.len() < 20 * data.len() + 1024, "{} bytes of {}: {error}", error.len(), data.len()),
    }
    if let Ok(text) = std::str::from_utf8(data) {
        fill(text);
    }
}

type Files = BTreeMap<PathBuf, Vec<u8>>;

fn lines(text: &[u8]) -> i64 {
    i64::try_from(text.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count()).unwrap() + 1
}

fn asked(files: &Files) -> Asked {
    let compose = NAMES[1..3].iter().map(PathBuf::from).filter(|name| files.contains_key(name)).collect();
    Asked { env_file: NAMES[0].into(), compose, service: None, page: None, config_dir: None, look: None }
}

fn given(files: &Files) -> Result<Evidence, String> {
    read_from(files, &asked(files), &outside).map_err(|error| error.to_string())
}

fn examined(files: &Files, evidence: &Evidence) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut nobody = ();
    let mut book = Notebook::new(&mut nobody);
    runtime.block_on(examine(&mut book, &asked(files), evidence));
    Report::of(book)
}

/// What the environment says.
fn outside(name: &str) -> Option<String> {
    [("PORT", "8089"), ("EMPTY", ""), ("LONG", LONG)].iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
}

/// Each value on a line of its own, between quotes that it does not hold.
fn written_plainly(evidence: &Evidence) {
    let (mut text, mut values, mut last, mut held) = (String::new(), Vec::new(), 0, 0);
    for (name, value, line) in evidence.variables() {
        assert!(last < line, "line {line} after line {last}");
        (last, held) = (line, held + value.len());
        let quote = ['\'', '`'].into_iter().find(|quote| !value.contains(*quote)).filter(|_| !value.ends_with('\\'));
        if let Some(quote) = quote {
            text.push_str(&format!("{name}={quote}{value}{quote}\n"));
            values.push((name, value));
        }
    }
    assert!(held <= MOST_HELD, "{held} bytes");
    if text.len() > MOST_READ {
        return;
    }
    let again = given(&Files::from([(NAMES[0].into(), text.clone().into_bytes())])).unwrap();
    assert_eq!(again.variables().map(|(name, value, _)| (name, value)).collect::<Vec<_>>(), values, "{text}");
}

/// The same host behind a login.
fn with_login(data: &[u8], mut files: Files, evidence: &Evidence) {
    let Some((_, host, _)) = evidence.variables().filter(|(name, ..)| *name == HOST).last() else { return };
    if host.contains(['\'', '\\', '/']) || host.len() > 1024 {
        return;
    }
    let Some(env) = files.get_mut(Path::new(NAMES[0])) else { return };
    *env = format!("{HOST}='{SECRET}:{SECRET}@{host}'\nAPP_URL='https://{SECRET}:{SECRET}@{host}/'\n").into_bytes();
    let Ok(evidence) = given(&files) else { return };
    let report = examined(&files, &evidence);
    let notes = format!("{:?}", report.steps);
    hushed(data, &format!("{}{notes}{}", told(&report.findings), found(&report.findings)));
}

fn found(findings: &[Finding]) -> String {
    format!("{findings:?}")
}

/// One value.
fn fill(text: &str) {
    let doubled = text.replace('$', "$$");
    match filled(&doubled, &outside) {
        Ok(filled) => assert_eq!(filled, text),
        Err(error) => assert!(text.len() > MOST_FILLED, "{error}"),
    }
    match filled(text, &outside) {
        Ok(filled) => assert!(filled.len() <= MOST_FILLED + text.len()),
        Err(error) => assert!(error.to_string().len() <= MOST_FILLED + text.len() + 1024),
    }
}

const NAMES: [&str; 4] = ["/app/.env", "/app/compose.yaml", "/app/compose.override.yaml", "/app/asterisk/http.conf"];
const HOST: &str = "NEXT_PUBLIC_ASTERISK_HOST";
const LONG: &str = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
/// Of one value, in bytes.
const MOST_FILLED: usize = 64 * 1024;
/// Of all values.
const MOST_HELD: usize = 1024 * 1024;
/// Of one file.
const MOST_READ: usize = 256 * 1024;
