//! AMI → which modules run, and what Asterisk says of its own HTTP server. With class `system` alone it is seen which modules are loaded; that
//! they run is seen with class `command`. A browser does not care whether AMI answers, so that what is wrong with AMI itself is a warning.

use tokio::time::timeout;

use super::files::Said;
use crate::{
    asterisk::{
        ami::{AmiEvent, Client, CommandFailure, action::Action},
        config::modules::NEEDED,
    },
    diagnosis::{Code, Finding, Severity},
    doctor::Notebook,
    driver::{self, Trusted},
    plan::Plan,
    settings::Settings,
};

/// Asks what can be asked.
pub(super) async fn ask(book: &mut Notebook<'_>, settings: &Settings, trusted: &Trusted, plan: &Plan, said: &Said) {
    let mut step = book.begin("ami");
    step.note("address", plan.ami.address.to_string());
    step.note("user", plan.ami.username.as_str());
    if plan.ami.secret.is_none() && plan.ami.secret_file.is_none() {
        let needs = (
            format!("an AMI user [{}] in manager.conf (class system), or --ami-secret-file", plan.ami.username),
            format!("um usuário AMI [{}] no manager.conf (classe system), ou --ami-secret-file", plan.ami.username),
        );
        return book.skip(step, needs);
    }
    let mut link = driver::link(&plan.ami, &settings.probe, trusted);
    // A refusal takes Asterisk a second.
    match timeout(settings.probe.timeout * 2, link.events.recv()).await {
        Ok(Some(AmiEvent::Connected { version })) => step.note("protocol", version),
        Ok(Some(AmiEvent::Disconnected(finding))) => {
            book.find(finding.severity(Severity::Warning));
            return book.end(step);
        }
        Ok(Some(AmiEvent::FullyBooted | AmiEvent::Reload { .. }) | None) | Err(_) => {
            let late = Finding::new(Code::AmiTimeout).with("address", plan.ami.address.to_string());
            book.find(late.severity(Severity::Warning));
            return book.end(step);
        }
    }
    book.end(step);
    modules(book, &link.client, said).await;
    http(book, &link.client).await;
}

/// How a module stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    Running,
    NotRunning,
    Absent,
    /// It is there, and whether it runs may not be asked.
    Loaded,
    Unknown,
}

async fn modules(book: &mut Notebook<'_>, client: &Client, said: &Said) {
    let mut step = book.begin("modules");
    let mut asked = Vec::new();
    for module in NEEDED.iter().copied().chain(["chan_sip.so", "codec_opus.so"]) {
        asked.push((module, stands(client, module).await));
    }
    let of = |module: &str| asked.iter().find(|(known, _)| *known == module).map_or(Stands::Unknown, |(_, stands)| *stands);
    let running: Vec<String> =
        asked.iter().filter(|(_, stands)| *stands == Stands::Running).map(|(module, _)| (*module).to_owned()).collect();
    step.note("running", running);
    let conflict = of("chan_sip.so") == Stands::Running && of("res_pjsip_transport_websocket.so") == Stands::NotRunning;
    // Where only what is loaded may be asked, sip.conf says whether chan_sip wants it; the wire, whether it has it.
    let likely = of("chan_sip.so") == Stands::Loaded && said.sip.as_ref().is_none_or(|sip| sip.takes_websocket);
    if conflict || likely {
        let finding = Finding::new(Code::ChanSipConflict).with("module", "chan_sip.so");
        let severity = if conflict { Severity::Error } else { Severity::Warning };
        book.find(said.sip.iter().fold(finding.severity(severity), |finding, sip| finding.with("file", sip.file.as_path())));
    }
    for module in NEEDED {
        let found = match of(module) {
            Stands::NotRunning if !(conflict && module == "res_pjsip_transport_websocket.so") => "loaded, and Not Running",
            Stands::Absent => "not loaded",
            Stands::NotRunning | Stands::Running | Stands::Loaded | Stands::Unknown => continue,
        };
        book.find(Finding::new(Code::ModuleNotRunning).with("module", module).with("found", found));
    }
    if said.webrtc.opus_alone && of("codec_opus.so") == Stands::Absent {
        book.find(Finding::new(Code::CodecModuleMissing).with("found", "opus").with("module", "codec_opus.so"));
    }
    let blind = asked.iter().any(|(_, stands)| matches!(stands, Stands::Loaded | Stands::Unknown));
    book.end(step);
    if blind {
        book.lacks(
            "modules-running",
            (
                "the AMI user's class command: whether modules run, not only that they are loaded, is told by the CLI alone",
                "a classe command do usuário AMI: se os módulos rodam, e não só se estão carregados, só o CLI diz",
            ),
        );
    }
}

async fn stands(client: &Client, module: &str) -> Stands {
    match client.command(&format!("module show like {module}")).await {
        Ok(lines) => match lines.iter().find(|line| line.split_whitespace().next() == Some(module)) {
            Some(line) if line.contains("Not Running") => Stands::NotRunning,
            Some(line) if line.contains("Running") => Stands::Running,
            Some(_) => Stands::Loaded,
            None => Stands::Absent,
        },
        Err(CommandFailure::Unanswered(finding)) if finding.code == Code::AmiPermissionDenied => loaded(client, module).await,
        Err(CommandFailure::Unanswered(_) | CommandFailure::Refused { .. }) => Stands::Unknown,
    }
}

/// `ModuleCheck` says Success for a module that is loaded and Not Running, too.
async fn loaded(client: &Client, module: &str) -> Stands {
    let name = module.trim_end_matches(".so");
    let Ok(action) = Action::new("ModuleCheck").with("Module", name) else { return Stands::Unknown };
    match client.action(action).await {
        Ok(answer) if answer.response() == Some("Success") => Stands::Loaded,
        Ok(answer) if answer.get("Message").is_some_and(|message| message.contains("not loaded")) => Stands::Absent,
        Ok(_) | Err(_) => Stands::Unknown,
    }
}

/// What Asterisk itself says, beside what the wire shows.
async fn http(book: &mut Notebook<'_>, client: &Client) {
    for (name, command, wanted) in [
        ("http-status", "http show status", ["Bound to", "/ws"]),
        ("pjsip-transports", "pjsip show transports", ["Transport:  ", "Transport:"]),
    ] {
        let mut step = book.begin(name);
        match client.command(command).await {
            Ok(lines) => {
                let told = lines.iter().map(|line| line.trim()).filter(|line| wanted.iter().any(|word| line.contains(word)));
                let told = told.filter(|line| !line.contains('<')).map(str::to_owned).take(MOST).collect::<Vec<_>>();
                step.note("told", told);
                book.end(step);
            }
            Err(_) => book.skip(
                step,
                (
                    "the AMI user's class command (the main job does without)",
                    "a classe command do usuário AMI (o trabalho principal passa sem ela)",
                ),
            ),
        }
    }
}

/// Lines of an answer.
const MOST: usize = 16;
