//! An Asterisk that lies open → the evidence from within: its files as it reads them, the pair, who listens, what AMI tells of its modules; and
//! then the way that a browser goes, to the very listener. Nothing is changed, and nothing at WARNING or above is left in Asterisk's log.

mod files;
mod manager;

use std::sync::Arc;

use super::{
    BrowserWould, Notebook,
    outside::{self, User, Wishes},
};
use crate::{
    asterisk::config::{self, HttpConf},
    bundle::{self, Expectations, Leaf},
    clock,
    diagnosis::{Code, Finding, Severity},
    driver::Trusted,
    host,
    material::{self, Sources},
    plan::{self, Plan},
    proof::{self, Door, Seen},
    settings::{Address, Settings, UserIds},
};

/// Looks at all of it.
pub async fn examine(book: &mut Notebook<'_>, settings: &Settings, trusted: &Trusted, wishes: &Wishes) {
    let config = settings.asterisk.config_dir.as_deref().map(config::load);
    let mut plan = plan::plan(settings, config.as_ref(), None);
    let (wss, ami) = (plan.target.address.port, plan.ami.address.port);
    // The settings may lead past Asterisk's own port, to a proxy.
    let http = config.as_ref().and_then(|config| config.http.as_ref().ok());
    let own = http.and_then(|http| http.tls_bind.as_ref()).map_or(wss, |bind| bind.value.port);
    let listeners = host::listeners(&[HTTPS, wss, own, ami]);
    let at = |port: u16| -> Vec<_> { listeners.iter().flatten().filter(|one| one.address.port() == port).cloned().collect() };
    let account = settings.asterisk.user.clone().or_else(|| host::asterisk_account(&[at(own), at(ami)].concat()));
    // Behind a proxy on the same machine the loopback is just right.
    let before: Vec<_> = [HTTPS, wss].into_iter().filter(|port| *port != own).flat_map(at).collect();
    let proxy = host::proxy(&before);
    plan.findings.retain(|finding| finding.code != Code::TlsBindLoopback || proxy.is_none());
    if own != wss {
        // Whoever stands there has TLS; Asterisk need not.
        for finding in plan.findings.iter_mut().filter(|finding| finding.code == Code::TlsDisabled) {
            finding.severity = Severity::Info;
        }
    }
    let said = files::read(book, settings, config.as_ref(), &plan, wishes.user.as_ref().map(|user| user.name.as_str()));
    let is_asterisks = |http: &HttpConf| http.tls_enabled.value && http.names_certificate();
    let is_named = settings.certificate.cert.is_some() || http.is_some_and(is_asterisks);
    let (leaf, loads) = pair(book, settings, trusted, account.clone(), is_named.then_some(&plan.sources));
    let name = leaf.as_ref().and_then(|leaf| leaf.names.iter().find(|name| !name.starts_with('*')).cloned());
    others(book, &plan, settings, account);
    ports(book, listeners.is_some().then(|| at(own)).as_deref(), own, proxy);
    manager::ask(book, settings, trusted, &plan, &said).await;
    let known = || said.webrtc.sound.clone().map(|name| User { name, password: None, register: false });
    let asked = Wishes { user: wishes.user.clone().or_else(known), ..wishes.clone() };
    wire(book, settings, trusted, &plan, asked, name).await;
    if let Some(leaf) = leaf.as_ref().filter(|_| loads) {
        wedged(book, &plan);
        serves_other(book, &plan, leaf);
    }
    if said.webrtc.meant > 0 && said.webrtc.registrable == 0 {
        book.saw(BrowserWould::ConnectThenReject);
    }
    surfaces(book, &plan, leaf.filter(|_| loads).as_ref()).await;
}

/// The pairs that Asterisk reads besides: PJSIP over TLS, AMI over TLS, the media of endpoints.
fn others(book: &mut Notebook<'_>, plan: &Plan, settings: &Settings, account: Option<UserIds>) {
    // Not by a browser's eyes.
    let expectations = Expectations { names: Vec::new(), anchors: None, user: account, expiry: settings.expiry };
    for other in &plan.others {
        let mut step = book.begin("other-pair");
        step.note("surface", other.surface.as_str());
        step.note("cert", other.sources.cert.as_path());
        let findings = match bundle::judge(Arc::new(material::capture_pair(&other.sources)), &expectations, clock::wall()) {
            Ok(bundle) => bundle.findings,
            Err(rejection) => rejection.findings,
        };
        for finding in findings {
            // Browsers do not meet it at /ws.
            let severity = finding.severity.min(Severity::Warning);
            book.find(finding.severity(severity).with("surface", other.surface.as_str()));
        }
        book.end(step);
    }
}

/// The other TLS surfaces that use the same files: what they serve. `wanted`: the leaf of the files, where Asterisk would load them.
async fn surfaces(book: &mut Notebook<'_>, plan: &Plan, wanted: Option<&Leaf>) {
    for (surface, target) in &plan.beside {
        let mut step = book.begin("surface");
        step.note("surface", surface.to_string());
        step.note("address", target.address.to_string());
        let (observation, closing) = proof::handshake(target, surface, &Seen::default(), clock::now()).await;
        closing.done().await;
        let served = observation.served.and_then(|served| served.leaf);
        match (&served, wanted) {
            (Some(leaf), Some(wanted)) if leaf.fingerprint_sha256 != wanted.fingerprint_sha256 => {
                let finding = Finding::new(Code::TlsServesOther).with("address", target.address.to_string());
                let finding = finding.with("surface", surface.to_string()).with("found", leaf.fingerprint_sha256.to_string());
                let finding = finding.with("expected", wanted.fingerprint_sha256.to_string());
                book.find(finding.severity(Severity::Warning));
            }
            (Some(_), _) => {}
            (None, _) => {
                for finding in observation.findings {
                    book.find(finding.severity(Severity::Warning).with("surface", surface.to_string()));
                }
            }
        }
        book.end(step);
    }
}

/// The pair on disk, as `check` judges it: its leaf, where that can be read, and whether Asterisk would load it. `sources`: `None` where
/// Asterisk reads none.
fn pair(
    book: &mut Notebook<'_>,
    settings: &Settings,
    trusted: &Trusted,
    account: Option<UserIds>,
    sources: Option<&Sources>,
) -> (Option<Leaf>, bool) {
    let mut step = book.begin("pair");
    let Some(sources) = sources else {
        let needs = (
            "`tlsenable = yes` and `tlscertfile` in http.conf, or `certificate.cert`",
            "`tlsenable = yes` e `tlscertfile` no http.conf, ou `certificate.cert`",
        );
        book.skip(step, needs);
        return (None, false);
    };
    step.note("cert", sources.cert.as_path());
    step.note("key", sources.key.as_path());
    if let Some(account) = &account {
        step.note("readBy", format!("uid {}, gid {}", account.uid, account.gid));
    }
    let expectations = Expectations {
        names: settings.certificate.names.clone(),
        anchors: trusted.browsers.clone(),
        user: account,
        expiry: settings.expiry,
    };
    let snapshot = Arc::new(material::capture_pair(sources));
    let (findings, leaf, loads) = match bundle::judge(snapshot, &expectations, clock::wall()) {
        Ok(bundle) => (bundle.findings, Some(bundle.leaf), true),
        Err(rejection) => (rejection.findings, rejection.leaf.map(|leaf| *leaf), false),
    };
    if let Some(leaf) = &leaf {
        step.note("subject", leaf.subject.as_str());
        step.note("notAfter", leaf.not_after);
    }
    for finding in findings {
        book.find(finding);
    }
    book.end(step);
    (leaf, loads)
}

/// Who really listens, where that can be seen.
fn ports(book: &mut Notebook<'_>, listeners: Option<&[host::Listener]>, port: u16, proxy: Option<&host::Listener>) {
    let mut step = book.begin("ports");
    let Some(listeners) = listeners else {
        let needs = (
            "to run where Asterisk runs: in its container, or on its host",
            "rodar onde o Asterisk roda: no contêiner dele, ou no host dele",
        );
        return book.skip(step, needs);
    };
    let by = |listener: &host::Listener| listener.by.first().map(|process| format!(" {}", process.name)).unwrap_or_default();
    let shown: Vec<String> = listeners.iter().map(|listener| format!("{}{}", listener.address, by(listener))).collect();
    step.note("listening", shown);
    if let Some(proxy) = proxy {
        step.note("proxy", format!("{}{}", proxy.address, by(proxy)));
    }
    if let Some(finding) = host::held_by_another(listeners, port) {
        book.find(finding);
    }
    book.end(step);
}

/// The way of a browser to this listener, by the name that browsers use.
async fn wire(book: &mut Notebook<'_>, settings: &Settings, trusted: &Trusted, plan: &Plan, asked: Wishes, covered: Option<String>) {
    let Address { host, port } = &plan.target.address;
    let name = plan.target.server_name.clone().or(covered).unwrap_or_else(|| host.clone());
    let bracketed = if name.contains(':') { format!("[{name}]") } else { name };
    let Ok((aim, written)) = outside::Aim::parse(&format!("wss://{bracketed}:{port}{}", plan.target.path)) else { return };
    let question = outside::Question {
        aim,
        written,
        origin: settings.wss.origin.clone(),
        connect: Some(plan.target.address.clone()),
        anchors: trusted.browsers.clone(),
        wishes: asked,
        timeout: settings.probe.timeout,
    };
    outside::examine(book, &question).await;
}

/// The files are good, and TLS fails all the same: Asterisk tried a bad pair before.
fn wedged(book: &mut Notebook<'_>, plan: &Plan) {
    // Whoever is silent may be frozen, and is no such door.
    let dark = book.met.is_some_and(|met| matches!(met.door, Door::Dark | Door::Cleartext));
    let found = book.findings().iter().find(|finding| matches!(finding.code, Code::TlsFailed | Code::TlsCleartext));
    if let Some(found) = found.filter(|_| dark).map(|finding| finding.code.name()) {
        let address = plan.target.address.to_string();
        book.find(Finding::new(Code::ListenerWedged).with("address", address).with("found", found));
    }
}

/// The files are good, and an older certificate is served: nobody told Asterisk. It breaks on the day on which that one ends.
fn serves_other(book: &mut Notebook<'_>, plan: &Plan, leaf: &Leaf) {
    let wanted = leaf.fingerprint_sha256;
    if let Some(found) = book.met.and_then(|met| met.leaf).filter(|served| *served != wanted) {
        let finding = Finding::new(Code::TlsServesOther).with("address", plan.target.address.to_string()).with("found", found.to_string());
        let finding = finding.with("expected", wanted.to_string()).with("file", plan.sources.cert.as_path());
        book.find(finding.severity(Severity::Warning));
    }
}

/// Where web servers listen.
const HTTPS: u16 = 443;
