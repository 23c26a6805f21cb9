//! Asterisk's configuration folder → what is wrong in it, file by file.

use std::path::Path;

use crate::{
    asterisk::config::{
        self, AsteriskConfig, Conf, Disk, modules,
        webrtc::{self, WebRtc},
    },
    doctor::Notebook,
    plan::Plan,
    settings::Settings,
};

/// Reads all of it. What pjsip.conf says of endpoints leaves, for those who ask SIP.
pub(super) fn read(book: &mut Notebook<'_>, settings: &Settings, config: Option<&AsteriskConfig>, plan: &Plan) -> WebRtc {
    let mut step = book.begin("configuration");
    let (Some(folder), Some(config)) = (settings.asterisk.config_dir.as_deref(), config) else {
        book.skip(step, "--config-dir /etc/asterisk");
        return WebRtc::default();
    };
    step.note("folder", folder);
    let read = [("http.conf", config.http.is_ok()), ("manager.conf", config.manager.is_ok()), ("pjsip.conf", config.pjsip.is_ok())];
    step.note("read", read.iter().filter(|(_, is)| *is).map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
    for finding in &plan.findings {
        book.find(finding.clone());
    }
    book.end(step);
    barred(book, folder);
    endpoints(book, folder)
}

fn barred(book: &mut Notebook<'_>, folder: &Path) {
    let mut step = book.begin("modules.conf");
    match config::read(&Disk, folder, "modules.conf", modules::keep) {
        Ok(conf) => {
            let findings = modules::barred(&conf);
            step.note("barred", findings.len());
            for finding in findings {
                book.find(finding);
            }
            book.end(step);
        }
        Err(absence) => book.skip(step, absence.to_string()),
    }
}

fn endpoints(book: &mut Notebook<'_>, folder: &Path) -> WebRtc {
    let mut step = book.begin("endpoints");
    let conf = match config::read(&Disk, folder, "pjsip.conf", webrtc::keep) {
        Ok(conf) => conf,
        Err(absence) => {
            book.skip(step, absence.to_string());
            return WebRtc::default();
        }
    };
    let elsewhere = elsewhere(folder);
    let seen = webrtc::webrtc(&conf, elsewhere.is_none());
    step.note("endpoints", seen.endpoints);
    step.note("forBrowsers", seen.meant);
    for finding in &seen.findings {
        book.find(finding.clone());
    }
    book.end(step);
    if let Some(other) = elsewhere {
        book.lacks("endpoints", other);
    }
    seen
}

/// Endpoints that come from other places than pjsip.conf.
fn elsewhere(folder: &Path) -> Option<(String, String)> {
    let sections = |name: &str| config::read(&Disk, folder, name, |_| true).ok().filter(|conf: &Conf| conf.sections().next().is_some());
    let wizard = sections("pjsip_wizard.conf").is_some();
    let realtime = sections("sorcery.conf").is_some_and(|conf| {
        let objects = conf.section("res_pjsip").into_iter().flat_map(|section| section.entries().collect::<Vec<_>>());
        objects
            .into_iter()
            .any(|entry| (entry.is("endpoint") || entry.is("aor") || entry.is("auth")) && !entry.value().starts_with("config,pjsip.conf"))
    });
    let file = match (wizard, realtime) {
        (true, _) => "pjsip_wizard.conf",
        (false, true) => "sorcery.conf",
        (false, false) => return None,
    };
    Some((
        format!("what {file} defines is not read: asterisk -rx 'pjsip show endpoints' lists it"),
        format!("o que o {file} define não é lido: asterisk -rx 'pjsip show endpoints' mostra"),
    ))
}
