//! What Asterisk's files say → findings, each with file and line. Pure: nothing is read here, and no value that may be a secret leaves.

use std::path::Path;

use super::{
    conf::{Conf, Effect, Note, Origin},
    http::{HttpConf, SESSION_LIMIT},
    manager::ManagerConf,
    pjsip::{PjsipConf, Protocol},
    read::Absence,
    tls::Setting,
};
use crate::diagnosis::{Code, Finding, Severity};

/// The line that makes every reload read the file again, to be pasted below `[general]`.
pub const HEALING_LINE: &str = "#tryinclude starkeeper.absent";

/// Lines that Asterisk cannot make sense of. An error where it drops the whole file for one.
pub(super) fn unparsable(conf: &Conf) -> impl Iterator<Item = Finding> {
    conf.notes.iter().map(note)
}

fn note(note: &Note) -> Finding {
    let (severity, effect) = match note.effect {
        Effect::LineIgnored => (Severity::Warning, "Asterisk skips the line"),
        Effect::RestIgnored => (Severity::Warning, "Asterisk skips the rest of the file"),
        Effect::FileDropped => (Severity::Error, "Asterisk drops the whole file, with everything that it includes"),
        Effect::Unseen => (Severity::Info, "the agent cannot see what Asterisk makes of it"),
    };
    at(Finding::new(Code::ConfUnparsableLine).severity(severity), &note.origin)
        .with("reason", note.reason.to_string())
        .with("effect", effect)
}

/// What keeps browsers from http.conf's listener, now or after the next reload.
pub(super) fn http(conf: &HttpConf) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !conf.enabled.value {
        // HTTPS listens all the same where it has an address of its own.
        let severity = if conf.tls_enabled.value && conf.tls_bind.is_some() { Severity::Info } else { Severity::Error };
        findings.push(set(Finding::new(Code::HttpDisabled).severity(severity), &conf.file, &conf.enabled).with("expected", "enabled=yes"));
    }
    if conf.tls_enabled.value {
        findings.extend(tls_bind(conf));
        findings.extend(tls_paths(conf));
    } else {
        findings.push(set(Finding::new(Code::TlsDisabled), &conf.file, &conf.tls_enabled).with("expected", "tlsenable=yes"));
    }
    if conf.partly_unseen {
        // What no line sets may be set where nobody sees it.
        findings.retain(|finding| finding.get("line").is_some());
    }
    if !conf.prefix.value.is_empty() {
        findings.push(set(Finding::new(Code::HttpPrefixSet), &conf.file, &conf.prefix).with("path", conf.ws_path()));
    }
    if conf.session_limit.value < SESSION_LIMIT {
        findings.push(
            set(Finding::new(Code::SessionLimitLow), &conf.file, &conf.session_limit)
                .with("found", conf.session_limit.value)
                .with("default", SESSION_LIMIT),
        );
    }
    if conf.heals.is_none() {
        findings.push(cannot_heal(&conf.file));
    }
    findings
}

fn tls_bind(conf: &HttpConf) -> Option<Finding> {
    if let Some(refused) = &conf.tls_bind_refused {
        let severity = if conf.tls_bind.is_some() { Severity::Warning } else { Severity::Error };
        let finding = at(Finding::new(Code::TlsBindMissing).severity(severity), &refused.origin)
            .with("found", refused.value.clone())
            .with("expected", "a numeric address, such as 0.0.0.0:8089");
        return Some(match &conf.tls_bind {
            Some(bind) => finding.with("listens", bind.value.to_string()),
            None => finding,
        });
    }
    match &conf.tls_bind {
        None => Some(file(Finding::new(Code::TlsBindMissing), &conf.file).with("expected", "tlsbindaddr=0.0.0.0:8089")),
        Some(bind) if bind.value.is_loopback() => {
            Some(set(Finding::new(Code::TlsBindLoopback), &conf.file, bind).with("found", bind.value.to_string()))
        }
        Some(_) => None,
    }
}

fn tls_paths(conf: &HttpConf) -> Option<Finding> {
    let finding = Finding::new(Code::TlsPathsMissing);
    if !conf.names_certificate() {
        return Some(set(finding, &conf.file, &conf.cert).with("expected", "tlscertfile and tlsprivatekey"));
    }
    [&conf.cert, &conf.key].into_iter().find(|path| path.value.is_relative()).map(|path| {
        set(finding.severity(Severity::Warning), &conf.file, path)
            .with("found", path.value.as_path())
            .with("reason", "relative to the directory that Asterisk was started in, not to its configuration")
    })
}

/// AMI over TLS keeps its old certificate for ever where manager.conf is not read again.
pub(super) fn manager(conf: &ManagerConf) -> Option<Finding> {
    (conf.tls_enabled.value && conf.heals.is_none()).then(|| cannot_heal(&conf.file).severity(Severity::Info))
}

/// Certificates on WebSocket transports, which Asterisk ignores: WSS is served by http.conf's.
pub(super) fn pjsip(conf: &PjsipConf) -> impl Iterator<Item = Finding> {
    conf.transports.iter().filter_map(|transport| match transport.protocol.value {
        Protocol::Ws | Protocol::Wss => {
            let ignored = transport.cert.as_ref().or(transport.key.as_ref())?;
            Some(set(Finding::new(Code::WssTransportCertIgnored), &conf.file, ignored).with("transport", transport.name.clone()))
        }
        Protocol::Udp | Protocol::Tcp | Protocol::Tls | Protocol::Flow | Protocol::Unknown(_) => None,
    })
}

/// No http.conf at all: Asterisk starts without its HTTP server. A file that the agent merely may not read proves nothing.
pub(super) fn no_http(absence: &Absence) -> Vec<Finding> {
    match absence {
        Absence::Missing(path) | Absence::NotAFile(path) => [Code::HttpDisabled, Code::TlsDisabled]
            .map(|code| file(Finding::new(code), path).with("reason", "there is no such file"))
            .into(),
        Absence::Denied(_) | Absence::Other { .. } | Absence::Dropped(_) => Vec::new(),
    }
}

fn cannot_heal(path: &Path) -> Finding {
    file(Finding::new(Code::CannotHeal), path).with("section", "[general]").with("paste", HEALING_LINE)
}

/// The line that set it, or the file that does not.
fn set<T>(finding: Finding, path: &Path, setting: &Setting<T>) -> Finding {
    match &setting.origin {
        Some(origin) => at(finding, origin),
        None => file(finding, path),
    }
}

fn at(finding: Finding, origin: &Origin) -> Finding {
    file(finding, &origin.file).with("line", origin.line)
}

fn file(finding: Finding, path: &Path) -> Finding {
    finding.with("file", path)
}
