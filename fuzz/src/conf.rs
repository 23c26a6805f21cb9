//! Text that people wrote → Asterisk's configuration files and the agent's own settings. The same bytes always say the same, a finding
//! names a line that exists, and no error shows a secret.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use starkeeper::{
    asterisk::config::{AsteriskConfig, load_from},
    diagnosis::Value,
    settings::{Inputs, Overrides, load},
};

use super::{SECRET, hushed, parts, told};

/// Each part is a file: http.conf, manager.conf, pjsip.conf, and two to include.
pub fn conf(data: &[u8]) {
    let names = ["http.conf", "manager.conf", "pjsip.conf", "a.inc", "b/c.conf"];
    let folder = Path::new("/etc/asterisk");
    let files: BTreeMap<PathBuf, Vec<u8>> = names.iter().map(|name| folder.join(name)).zip(parts(data).map(<[u8]>::to_vec)).collect();
    let config = load_from(&files, folder);
    let lines = i64::try_from(data.iter().filter(|byte| **byte == b'\n').count()).unwrap() + 1;
    for finding in &config.findings {
        if let Some(Value::Number(line)) = finding.get("line") {
            assert!((0..=lines).contains(line), "{finding:?}");
        }
    }
    told(&config.findings);
    assert_eq!(shown(&config), shown(&load_from(&files, folder)), "the same files say different things");
}

fn shown(config: &AsteriskConfig) -> String {
    format!("{config:?}")
}

/// A settings file, with an AMI secret to be kept.
pub fn settings(data: &[u8]) {
    let file = Path::new("/etc/starkeeper/starkeeper.yaml");
    let overrides = Overrides::default();
    let read = |_: &Path| -> io::Result<Vec<u8>> { Ok(SECRET.as_bytes().to_vec()) };
    let given = || load(Inputs { file: Some((file, data)), overrides: &overrides, environment: &|_| None, read: &read });
    match given() {
        Ok(settings) => {
            hushed(data, &format!("{settings:?}"));
            told(&settings.findings());
            assert_eq!(format!("{settings:?}"), format!("{:?}", given().unwrap()));
        }
        Err(errors) => {
            assert!(errors.len() > 0);
            hushed(data, &format!("{errors} {errors:?}"));
            let lines = data.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() as u64 + 1;
            for error in errors.iter() {
                assert!(error.place.line().is_none_or(|line| line <= lines), "{error:?}");
            }
        }
    }
}
