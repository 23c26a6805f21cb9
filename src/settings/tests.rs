//! Shows what settings are accepted, what is refused and how it is said, who wins over whom, and that the schema says the same.

mod accepted;
mod notify;
mod refused;
mod schema;
mod sources;

use std::{collections::HashMap, io, path::Path};

use super::{Errors, Inputs, Overrides, Settings, load};

/// Where the settings file stands in every test.
const FILE: &str = "/etc/starkeeper/starkeeper.yaml";

/// The two lines that suffice.
const TWO_LINES: &str = "asterisk:\n  configDir: /etc/asterisk\n";

fn file(text: &str) -> Result<Settings, Errors> {
    Given { file: Some(text.as_bytes()), ..Given::default() }.load()
}

/// Text that is refused, as (kind, line, key) of every error.
fn refused(text: &str) -> Vec<(super::Kind, Option<u64>, String)> {
    let errors = file(text).err().unwrap_or_else(|| panic!("accepted: {text}"));
    errors.iter().map(|error| (error.kind, error.place.line(), error.key.clone())).collect()
}

/// The world that settings are loaded from.
#[derive(Default)]
struct Given<'a> {
    file: Option<&'a [u8]>,
    overrides: Overrides,
    variables: HashMap<&'a str, &'a str>,
    files: HashMap<&'a str, &'a [u8]>,
}

impl Given<'_> {
    fn load(&self) -> Result<Settings, Errors> {
        load(Inputs {
            file: self.file.map(|bytes| (Path::new(FILE), bytes)),
            overrides: &self.overrides,
            environment: &|name| self.variables.get(name).map(|value| (*value).to_owned()),
            read: &|path| {
                let path = path.to_str().expect("tests use UTF-8 paths");
                self.files.get(path).map(|bytes| bytes.to_vec()).ok_or_else(|| io::ErrorKind::NotFound.into())
            },
        })
    }
}
