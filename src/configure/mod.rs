//! Asterisk's configuration folder, and what is wished for → the lines that are missing, each at its place; or why they cannot be added.
//! Pure text: nothing is written here. Nothing that stands in a file is changed or dropped; where a line says otherwise than the wish,
//! that is a finding with file and line, for a person to decide.

mod diff;
mod draft;
mod http;
mod manager;
mod modules;
mod overlay;
mod pjsip;
#[cfg(test)]
mod tests;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use secrecy::SecretString;

pub use draft::{Draft, Insertion};

use crate::{
    asterisk::config::{Absence, Conf, Effect, FileSource, Origin, read},
    diagnosis::{Code, Finding},
};
use overlay::Overlay;

/// What the configuration shall come to.
#[derive(Debug)]
pub struct Wish {
    /// Certificate and key as Asterisk shall find them. `None`: http.conf must name them already.
    pub pair: Option<(PathBuf, PathBuf)>,
    /// Where HTTPS and WSS listen. `None`: where http.conf says, else on port 8089 of every address.
    pub bind: Option<SocketAddr>,
    /// The AMI user's secret.
    pub ami: Secret,
    /// Endpoints for browsers.
    pub users: Vec<User>,
}

/// One endpoint for a browser: name, and password.
#[derive(Debug)]
pub struct User {
    /// The name of its endpoint, auth and aor.
    pub name: String,
    /// Its password.
    pub password: Secret,
}

/// Something that only the files may know.
#[derive(Debug)]
pub struct Secret {
    /// The secret.
    pub value: SecretString,
    /// Whether somebody chose it; what was made up gives way to what stands in a file.
    pub given: bool,
}

/// What is to be done.
#[derive(Debug, Default)]
pub struct Plan {
    /// The files that lack something, with what they lack.
    pub drafts: Vec<Draft>,
    /// What keeps lines from being added.
    pub conflicts: Vec<Finding>,
}

impl Plan {
    /// Whether the folder says all that is wished for.
    pub fn is_done(&self) -> bool {
        self.drafts.is_empty() && self.conflicts.is_empty()
    }
}

/// The AMI user that the agent logs in as.
pub const AMI_USER: &str = "starkeeper";

/// What `directory` lacks. What would be added is read again as Asterisk would read it: only what then says all that was wished for, and
/// leaves nothing more to add, is a plan.
pub fn plan(source: &dyn FileSource, directory: &Path, wish: &Wish) -> Plan {
    let plan = survey(source, directory, wish);
    if !plan.conflicts.is_empty() || plan.drafts.is_empty() {
        return plan;
    }
    let overlay = Overlay::new(source, &plan.drafts);
    let again = survey(&overlay, directory, wish);
    if again.is_done() {
        return plan;
    }
    let unread = again.drafts.iter().map(|draft| {
        let reason = "what would be added there would not be read as it is meant";
        Finding::new(Code::ConfConflict).with("file", draft.path.as_path()).with("reason", reason)
    });
    Plan { conflicts: again.conflicts.into_iter().chain(unread).collect(), drafts: Vec::new() }
}

fn survey(source: &dyn FileSource, directory: &Path, wish: &Wish) -> Plan {
    let mut plan = Plan::default();
    for (name, examine) in FILES {
        let mut sheet = match Sheet::open(source, directory, name) {
            Ok(sheet) => sheet,
            Err(conflict) => {
                plan.conflicts.push(conflict);
                continue;
            }
        };
        examine(&mut sheet, wish);
        plan.conflicts.append(&mut sheet.conflicts);
        plan.drafts.extend(sheet.draft.is_changed().then_some(sheet.draft));
    }
    plan
}

type Examine = fn(&mut Sheet<'_>, &Wish);

const FILES: [(&str, Examine); 4] =
    [("http.conf", http::examine), ("manager.conf", manager::examine), ("modules.conf", modules::examine), ("pjsip.conf", pjsip::examine)];

/// One file while it is looked through: what it says, what it shall say besides, and what stands in the way.
struct Sheet<'s> {
    source: &'s dyn FileSource,
    directory: &'s Path,
    /// `None`: there is no such file.
    conf: Option<Conf>,
    draft: Draft,
    conflicts: Vec<Finding>,
}

impl<'s> Sheet<'s> {
    fn open(source: &'s dyn FileSource, directory: &'s Path, name: &str) -> Result<Self, Finding> {
        let path = directory.join(name);
        let refused = |reason: String| Finding::new(Code::ConfConflict).with("file", path.as_path()).with("reason", reason);
        let conf = match read(source, directory, name, |_| true) {
            Ok(conf) => Some(conf),
            Err(Absence::Missing(_)) => None,
            Err(other) => return Err(refused(other.to_string())),
        };
        // Where Asterisk stops reading, what is added behind it is added in vain.
        let given_up = |effect| matches!(effect, Effect::RestIgnored | Effect::FileDropped);
        if let Some(note) = conf.iter().flat_map(|conf| &conf.notes).find(|note| given_up(note.effect)) {
            return Err(conflict(&note.origin, &note.reason.to_string()));
        }
        let before = match &conf {
            Some(_) => Some(draft::whole(source, &path).map_err(|error| refused(error.to_string()))?),
            None => None,
        };
        Ok(Sheet { source, directory, conf, draft: Draft::new(name, path, before), conflicts: Vec::new() })
    }

    /// Adds lines below the header of `section`, which Asterisk takes one of only; a section of its own at the end where there is none.
    fn add_to(&mut self, section: &str, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        let header = self.conf.as_ref().and_then(|conf| conf.section(section)).map(|section| section.origin());
        match header {
            None => self.draft.append(&format!("[{section}]\n{}", joined(lines))),
            Some(origin) if origin.file == self.draft.path => self.draft.insert_after(origin.line, &joined(lines)),
            Some(origin) => self.conflicts.push(
                conflict(&origin, &format!("[{section}] stands in an included file; add the line there"))
                    .with("expected", lines.join("; ")),
            ),
        }
    }

    fn conflict(&mut self, origin: Option<&Origin>, found: &str, expected: &str) {
        let finding = match origin {
            Some(origin) => conflict(origin, "the line says otherwise"),
            None => Finding::new(Code::ConfConflict).with("file", self.draft.path.as_path()).with("reason", "the file says otherwise"),
        };
        self.conflicts.push(finding.with("found", found).with("expected", expected));
    }
}

fn conflict(origin: &Origin, reason: &str) -> Finding {
    Finding::new(Code::ConfConflict).with("file", origin.file.as_path()).with("line", origin.line).with("reason", reason)
}

fn joined(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

/// A value as it must be written to be read back the same: a `;` begins a comment.
fn quoted(value: &str) -> String {
    value.replace(';', r"\;")
}
