//! An Asterisk that lies open → the evidence from within: its files as it reads them, the pair, who listens, what AMI tells of its modules; and
//! then the way that a browser goes, to the very listener. Nothing is changed, and nothing at WARNING or above is left in Asterisk's log.

mod files;
mod manager;

use std::sync::Arc;

use super::{Notebook, outside};
use crate::{
    asterisk::config::{self, webrtc::WebRtc},
    bundle::{self, Expectations, Leaf},
    clock,
    diagnosis::{Code, Finding, Severity},
    driver::Trusted,
    host,
    material::{self, Sources},
    plan::{self, Plan},
    proof::{self, Seen},
    settings::{Address, Settings},
};

/// Looks at all of it.
pub async fn examine(book: &mut Notebook<'_>, settings: &Settings, trusted: &Trusted) {
    let config = settings.asterisk.config_dir.as_deref().map(config::load);
    let plan = plan::plan(settings, config.as_ref(), None);
    let webrtc = files::read(book, settings, config.as_ref(), &plan);
    let (leaf, loads) = pair(book, settings, trusted, &plan.sources);
    let name = leaf.as_ref().and_then(|leaf| leaf.names.iter().find(|name| !name.starts_with('*')).cloned());
    others(book, &plan, settings);
    ports(book, &plan);
    manager::ask(book, settings, trusted, &plan, &webrtc).await;
    wire(book, settings, trusted, &plan, &webrtc, name).await;
    surfaces(book, &plan, leaf.filter(|_| loads).as_ref()).await;
}

/// The pairs that Asterisk reads besides: PJSIP over TLS, AMI over TLS, the media of endpoints.
fn others(book: &mut Notebook<'_>, plan: &Plan, settings: &Settings) {
    for other in &plan.others {
        let mut step = book.begin("other-pair");
        step.note("surface", other.surface.as_str());
        step.note("cert", other.sources.cert.as_path());
        let expectations = as_asterisk_does(settings);
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

/// The pair on disk, as `check` judges it: its leaf, where that can be read, and whether Asterisk would load it.
fn pair(book: &mut Notebook<'_>, settings: &Settings, trusted: &Trusted, sources: &Sources) -> (Option<Leaf>, bool) {
    let mut step = book.begin("pair");
    step.note("cert", sources.cert.as_path());
    step.note("key", sources.key.as_path());
    let expectations = Expectations {
        names: settings.certificate.names.clone(),
        anchors: trusted.browsers.clone(),
        user: settings.asterisk.user.clone(),
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
fn ports(book: &mut Notebook<'_>, plan: &Plan) {
    let mut step = book.begin("ports");
    let port = plan.target.address.port;
    let Some(listeners) = host::listeners(port) else {
        let needs = (
            "to run where Asterisk runs: in its container, or on its host",
            "rodar onde o Asterisk roda: no contêiner dele, ou no host dele",
        );
        return book.skip(step, needs);
    };
    let by = |listener: &host::Listener| listener.by.first().map(|process| format!(" {}", process.name)).unwrap_or_default();
    let shown: Vec<String> = listeners.iter().map(|listener| format!("{}{}", listener.address, by(listener))).collect();
    step.note("listening", shown);
    if let Some(finding) = host::held_by_another(&listeners, port) {
        book.find(finding);
    }
    book.end(step);
}

/// The way of a browser to this listener, by the name that browsers use.
async fn wire(book: &mut Notebook<'_>, settings: &Settings, trusted: &Trusted, plan: &Plan, webrtc: &WebRtc, covered: Option<String>) {
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
        user: webrtc.sound.clone().map(|name| outside::User { name, password: None, register: false }),
        hold: None,
        timeout: settings.probe.timeout,
    };
    outside::examine(book, &question).await;
}

/// Not by a browser's eyes.
fn as_asterisk_does(settings: &Settings) -> Expectations {
    Expectations { names: Vec::new(), anchors: None, user: settings.asterisk.user.clone(), expiry: settings.expiry }
}
