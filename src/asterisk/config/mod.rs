//! `.conf` text → sections with line numbers → what http.conf, manager.conf and pjsip.conf set. This file is what the other rooms see.
//! Read as Asterisk reads it, which is not always as one would: a bad line may cost that line, the rest of an included file, or all of
//! it. What cannot be read is a typed [`Absence`], never an error that stops the agent.

mod conf;
mod filter;
mod findings;
mod glob;
mod grammar;
mod http;
mod lines;
mod manager;
pub mod modules;
mod pjsip;
mod read;
mod source;
#[cfg(test)]
mod tests;
mod tls;
mod value;
pub mod webrtc;

use std::path::Path;

pub use conf::{Conf, Effect, Entry, Heals, HealsBy, Include, Note, Origin, Reason, Section};
pub use findings::HEALING_LINE;
pub use http::HttpConf;
pub use manager::{ManagerConf, ManagerUser};
pub use pjsip::{DtlsPair, PjsipConf, Protocol, Transport};
pub use read::{Absence, Keep, read};
pub use source::{Disk, FileSource, Kind};
pub use tls::{Refused, Setting};

use crate::diagnosis::Finding;

/// What Asterisk's configuration folder says of its TLS surfaces.
#[derive(Clone, Debug)]
pub struct AsteriskConfig {
    /// Where WSS comes from.
    pub http: Result<HttpConf, Absence>,
    /// AMI and its users.
    pub manager: Result<ManagerConf, Absence>,
    /// The SIP transports.
    pub pjsip: Result<PjsipConf, Absence>,
    /// What is wrong in them, with file and line.
    pub findings: Vec<Finding>,
}

/// Reads the configuration folder from the disk.
pub fn load(directory: &Path) -> AsteriskConfig {
    load_from(&Disk, directory)
}

/// Reads the configuration folder from any source. Pure but for the source.
pub fn load_from(source: &dyn FileSource, directory: &Path) -> AsteriskConfig {
    let mut findings = Vec::new();
    let http = one(source, directory, "http.conf", |_| true, &mut findings).map(|conf| http::http_conf(&conf));
    match &http {
        Ok(http) => findings.extend(findings::http(http)),
        Err(absence) => findings.extend(findings::no_http(absence)),
    }
    let manager = one(source, directory, "manager.conf", |_| true, &mut findings).map(|conf| manager::manager_conf(&conf));
    findings.extend(manager.iter().filter_map(findings::manager));
    let pjsip = one(source, directory, "pjsip.conf", pjsip::keep, &mut findings).map(|conf| pjsip::pjsip_conf(&conf));
    findings.extend(pjsip.iter().flat_map(findings::pjsip));
    AsteriskConfig { http, manager, pjsip, findings }
}

fn one(source: &dyn FileSource, directory: &Path, name: &str, keep: Keep, findings: &mut Vec<Finding>) -> Result<Conf, Absence> {
    let conf = read(source, directory, name, keep)?;
    findings.extend(findings::unparsable(&conf));
    match &conf.dropped {
        Some(origin) => Err(Absence::Dropped(origin.clone())),
        None => Ok(conf),
    }
}
