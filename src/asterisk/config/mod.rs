//! `.conf` text → sections with line numbers → what Asterisk's files set. This file is what the other rooms see.
//! Read as Asterisk reads it, which is not always as one would: a bad line may cost that line, the rest of an included file, or all of
//! it. What cannot be read is a typed [`Absence`], never an error that stops the agent.

pub mod aliases;
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
mod rtp;
pub mod sip;
mod source;
#[cfg(test)]
mod tests;
mod tls;
mod value;
mod webrtc;

use std::path::{Path, PathBuf};

pub use conf::{Conf, Effect, Entry, Heals, HealsBy, Include, Note, Origin, Reason, Section};
pub use findings::HEALING_LINE;
pub use http::HttpConf;
pub use manager::{ManagerConf, ManagerUser};
pub use pjsip::{DtlsPair, PjsipConf, Protocol, Transport};
pub use read::{Absence, Keep, read};
pub use rtp::RtpConf;
pub use source::{Disk, FileSource, Kind};
pub use tls::{Refused, Setting};
pub use webrtc::WebRtc;

use crate::diagnosis::Finding;

/// What Asterisk's configuration folder says of its TLS surfaces, and of what stands behind them.
#[derive(Clone, Debug)]
pub struct AsteriskConfig {
    /// Where WSS comes from.
    pub http: Result<HttpConf, Absence>,
    /// AMI and its users.
    pub manager: Result<ManagerConf, Absence>,
    /// The SIP transports.
    pub pjsip: Result<PjsipConf, Absence>,
    /// The endpoints of browsers; their findings are its own.
    pub webrtc: Result<WebRtc, Absence>,
    /// A file that says where more endpoints come from, which is not read: realtime, or what a command prints.
    pub elsewhere: Option<&'static str>,
    /// The modules that modules.conf keeps away, each a finding.
    pub barred: Result<Vec<Finding>, Absence>,
    /// Media; its findings are its own.
    pub rtp: Result<RtpConf, Absence>,
    /// What is wrong with lines, with listeners and with transports, with file and line.
    pub findings: Vec<Finding>,
    /// The files that were looked for beside http.conf, manager.conf and pjsip.conf, and those that are included there.
    pub beside: Vec<PathBuf>,
}

impl AsteriskConfig {
    /// Everything that is wrong.
    pub fn all_findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().chain(self.findings_behind())
    }

    /// What is wrong with modules, media and endpoints, each also with what it belongs to.
    pub fn findings_behind(&self) -> impl Iterator<Item = &Finding> {
        let webrtc = self.webrtc.iter().flat_map(|webrtc| &webrtc.findings);
        self.barred.iter().flatten().chain(self.rtp.iter().flat_map(|rtp| &rtp.findings)).chain(webrtc)
    }
}

/// Reads the configuration folder from the disk.
pub fn load(directory: &Path) -> AsteriskConfig {
    load_from(&Disk, directory)
}

/// Reads http.conf alone, for those who ask for nothing else: a pjsip.conf may be large.
///
/// # Errors
/// There is none to speak of.
pub fn http_from(source: &dyn FileSource, directory: &Path) -> Result<HttpConf, Absence> {
    http(source, directory, &mut Vec::new())
}

/// Reads manager.conf alone.
///
/// # Errors
/// There is none to speak of.
pub fn manager_from(source: &dyn FileSource, directory: &Path) -> Result<ManagerConf, Absence> {
    manager(source, directory, &mut Vec::new())
}

fn http(source: &dyn FileSource, directory: &Path, findings: &mut Vec<Finding>) -> Result<HttpConf, Absence> {
    one(source, directory, "http.conf", |_| true, findings).map(|conf| http::http_conf(&conf))
}

fn manager(source: &dyn FileSource, directory: &Path, findings: &mut Vec<Finding>) -> Result<ManagerConf, Absence> {
    one(source, directory, "manager.conf", |_| true, findings).map(|conf| manager::manager_conf(&conf))
}

/// Reads the configuration folder from any source. Pure but for the source.
pub fn load_from(source: &dyn FileSource, directory: &Path) -> AsteriskConfig {
    let mut findings = Vec::new();
    let http = http(source, directory, &mut findings);
    match &http {
        Ok(http) => findings.extend(findings::http(http)),
        Err(absence) => findings.extend(findings::no_http(absence)),
    }
    let manager = manager(source, directory, &mut findings);
    findings.extend(manager.iter().filter_map(findings::manager));

    let mut beside = Vec::new();
    let mut other = |name: &str, keep: Keep, findings: &mut Vec<Finding>| {
        beside.push(directory.join(name));
        let conf = one(source, directory, name, keep, findings)?;
        beside.extend(conf.includes.iter().flat_map(|include| include.found.iter().cloned()));
        Ok(conf)
    };
    let wizards = other("pjsip_wizard.conf", webrtc::keep, &mut findings).ok();
    let realtime = other("sorcery.conf", |_| true, &mut findings).ok().filter(is_realtime).map(|_| "sorcery.conf");
    let barred = other("modules.conf", modules::keep, &mut findings).map(|conf| modules::barred(&conf));
    let rtp = other("rtp.conf", rtp::keep, &mut findings).map(|conf| rtp::rtp_conf(&conf));

    let conf = one(source, directory, "pjsip.conf", webrtc::keep, &mut findings);
    let elsewhere = realtime.or(conf.iter().find(|conf| conf.partly_unseen).map(|_| "pjsip.conf"));
    let read = conf.map(|conf| {
        let (webrtc, dtls) = webrtc::webrtc(&conf, wizards.as_ref(), elsewhere.is_none());
        (pjsip::pjsip_conf(&conf, dtls), webrtc)
    });
    let (pjsip, webrtc) = match read {
        Ok((pjsip, webrtc)) => (Ok(pjsip), Ok(webrtc)),
        Err(absence) => (Err(absence.clone()), Err(absence)),
    };
    findings.extend(pjsip.iter().flat_map(findings::pjsip));
    AsteriskConfig { http, manager, pjsip, webrtc, elsewhere, barred, rtp, findings, beside }
}

/// Whether endpoints or what they refer to come from a database, or from another file.
fn is_realtime(conf: &Conf) -> bool {
    let objects = conf.section("res_pjsip").into_iter().flat_map(|section| section.entries().collect::<Vec<_>>());
    objects
        .into_iter()
        .any(|entry| (entry.is("endpoint") || entry.is("aor") || entry.is("auth")) && !entry.value().starts_with("config,pjsip.conf"))
}

fn one(source: &dyn FileSource, directory: &Path, name: &str, keep: Keep, findings: &mut Vec<Finding>) -> Result<Conf, Absence> {
    let conf = read(source, directory, name, keep)?;
    findings.extend(findings::unparsable(&conf));
    match &conf.dropped {
        Some(origin) => Err(Absence::Dropped(origin.clone())),
        None => Ok(conf),
    }
}
