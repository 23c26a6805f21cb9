//! Asterisk's configuration folder → what is wrong in it, file by file.

use std::path::Path;

use crate::{
    asterisk::config::{self, AsteriskConfig, Disk, WebRtc, aliases, sip},
    diagnosis::{Finding, Severity, Value},
    doctor::Notebook,
    plan::Plan,
    settings::Settings,
};

/// What the files say that others ask further about.
#[derive(Default)]
pub(super) struct Said {
    /// Of endpoints.
    pub(super) webrtc: WebRtc,
    /// Of chan_sip, where there is a sip.conf.
    pub(super) sip: Option<sip::SipConf>,
}

/// Reads all of it.
/// `user`: the endpoint that is asked about.
pub(super) fn read(book: &mut Notebook<'_>, settings: &Settings, config: Option<&AsteriskConfig>, plan: &Plan, user: Option<&str>) -> Said {
    let mut step = book.begin("configuration");
    let (Some(folder), Some(config)) = (settings.asterisk.config_dir.as_deref(), config) else {
        book.skip(step, "--config-dir /etc/asterisk");
        return Said::default();
    };
    step.note("folder", folder);
    let read = [("http.conf", config.http.is_ok()), ("manager.conf", config.manager.is_ok()), ("pjsip.conf", config.pjsip.is_ok())];
    step.note("read", read.iter().filter(|(_, is)| *is).map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
    let theirs = |finding: &&Finding| config.findings_behind().any(|other| other == *finding);
    for finding in plan.findings.iter().filter(|finding| !theirs(finding)) {
        book.find(finding.clone());
    }
    book.end(step);
    barred(book, config);
    rtp(book, config);
    let sip = chan_sip(book, folder);
    commands(book, folder);
    Said { webrtc: endpoints(book, config, user), sip }
}

fn barred(book: &mut Notebook<'_>, config: &AsteriskConfig) {
    let mut step = book.begin("modules.conf");
    match &config.barred {
        Ok(barred) => {
            step.note("barred", barred.len());
            barred.iter().for_each(|finding| book.find(finding.clone()));
            book.end(step);
        }
        Err(absence) => book.skip(step, absence.to_string()),
    }
}

fn rtp(book: &mut Notebook<'_>, config: &AsteriskConfig) {
    // Without the file, what is usual counts.
    let Ok(rtp) = &config.rtp else { return };
    let mut step = book.begin("rtp.conf");
    step.note("udpPorts", format!("{}-{}", rtp.ports.0, rtp.ports.1));
    if !rtp.servers.is_empty() {
        step.note("servers", rtp.servers.clone());
    }
    rtp.findings.iter().for_each(|finding| book.find(finding.clone()));
    book.end(step);
}

fn chan_sip(book: &mut Notebook<'_>, folder: &Path) -> Option<sip::SipConf> {
    let conf = config::read(&Disk, folder, "sip.conf", sip::keep).ok()?;
    let sip = sip::sip_conf(&conf);
    let mut step = book.begin("sip.conf");
    step.note("takesWebSocket", if sip.takes_websocket { "where chan_sip is loaded" } else { "no" });
    book.end(step);
    Some(sip)
}

/// `pjsip reload`, which guides tell people to type, is an alias, and not everywhere.
fn commands(book: &mut Notebook<'_>, folder: &Path) {
    let Ok(conf) = config::read(&Disk, folder, "cli_aliases.conf", aliases::keep) else { return };
    let mut step = book.begin("cli_aliases.conf");
    step.note("pjsip reload", aliases::stands_for(&conf, "pjsip reload").unwrap_or_else(|| "no such command here".to_owned()));
    book.end(step);
}

fn endpoints(book: &mut Notebook<'_>, config: &AsteriskConfig, user: Option<&str>) -> WebRtc {
    let mut step = book.begin("endpoints");
    let webrtc = match &config.webrtc {
        Ok(webrtc) => webrtc.clone(),
        Err(absence) => {
            book.skip(step, absence.to_string());
            return WebRtc::default();
        }
    };
    step.note("endpoints", webrtc.endpoints);
    step.note("forBrowsers", webrtc.meant);
    for finding in &webrtc.findings {
        // For whoever is asked about it is no matter of some.
        let asked = user.is_some_and(|user| concerns(finding, user));
        let severity = if asked { Severity::Error } else { finding.severity };
        book.find(finding.clone().severity(severity));
    }
    book.end(step);
    if let Some(file) = config.elsewhere {
        book.lacks(
            "endpoints",
            (
                format!("endpoints that come from where {file} says: asterisk -rx 'pjsip show endpoints' lists them"),
                format!("endpoints que vêm de onde o {file} diz: asterisk -rx 'pjsip show endpoints' mostra"),
            ),
        );
    }
    webrtc
}

/// Whether one of the sections that a finding names is this one.
fn concerns(finding: &Finding, section: &str) -> bool {
    let is = |value: &Value| match value {
        Value::List(sections) => sections.iter().any(|one| one == section),
        Value::Text(name) => name == section,
        Value::Number(_) | Value::Time(_) => false,
    };
    ["section", "sections"].iter().filter_map(|key| finding.get(key)).any(is)
}
