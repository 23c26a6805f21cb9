//! `run` and `reload`: settings are loaded, the log is set up, and the agent runs: until it is stopped, or until one rotation is proved.

use std::{fs, io, net::SocketAddr, path::Path, process::ExitCode, time::Duration};

use super::{Common, Output, USAGE, terminal, words};
use crate::{
    bundle::Leaf,
    diagnosis::{Lang, Severity},
    report::Status,
    settings::{self, LogFormat, LogSettings, Overrides, Settings},
    supervise::{self, Failure},
};

const DEFAULT_FILE: &str = "/etc/starkeeper/starkeeper.yaml";

/// The text of a settings file itself, for pods, where a variable is less than a ConfigMap. Secrets have no place in settings anyway.
const SETTINGS: &str = "STARKEEPER_SETTINGS";

pub(super) fn run(common: &Common, overrides: &Overrides) -> ExitCode {
    let settings = match load(common, overrides) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    start_log(&settings.log);
    match supervise::run(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::err(&format!("error: failed to {error}"));
            if let Failure::Listen { address, error } = &error
                && error.kind() == io::ErrorKind::AddrInUse
            {
                terminal::err(&taken(*address, common));
            }
            ExitCode::FAILURE
        }
    }
}

/// What to do about a port that somebody else has.
fn taken(address: SocketAddr, common: &Common) -> String {
    let file = common.config.as_deref().unwrap_or(Path::new(DEFAULT_FILE)).display();
    let (ip, port) = (if address.is_ipv6() { format!("[{}]", address.ip()) } else { address.ip().to_string() }, address.port());
    let other = port.checked_add(1).unwrap_or(9808);
    let [why, or] = match common.lang() {
        Lang::En => [
            "another process has this port; with `hostNetwork: true` all pods of a node share its ports. To see which, and to take another",
            "or --listen, STARKEEPER_HTTP_LISTEN; the probes that ask it must know",
        ],
        Lang::PtBr => [
            "outro processo tem esta porta; com `hostNetwork: true` todos os pods de um nó dividem as portas dele. Para ver qual, e usar outra",
            "ou --listen, STARKEEPER_HTTP_LISTEN; as sondas que a consultam precisam saber",
        ],
    };
    format!("help: {why}:\n      ss -ltnp 'sport = :{port}'\n      http: {{listen: \"{ip}:{other}\"}}   # {file} ({or})")
}

/// Loads the settings, or says everything that is wrong with them.
pub(super) fn load(common: &Common, overrides: &Overrides) -> Result<Settings, ExitCode> {
    let named = common.config.as_deref();
    let text = std::env::var(SETTINGS).ok().filter(|text| !text.trim().is_empty());
    let (path, bytes) = match (named, text) {
        (Some(file), Some(_)) => {
            terminal::err(&format!("error: settings are said twice: in {} and in {SETTINGS}: leave one of them out", file.display()));
            return Err(ExitCode::from(USAGE));
        }
        (None, Some(text)) => (Path::new(SETTINGS), Some(text.into_bytes())),
        (named, None) => {
            let path = named.unwrap_or(Path::new(DEFAULT_FILE));
            match fs::read(path) {
                Ok(bytes) => (path, Some(bytes)),
                Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => (path, None),
                Err(error) => {
                    terminal::err(&format!("error: failed to read the settings file {}: {error}", path.display()));
                    return Err(ExitCode::from(USAGE));
                }
            }
        }
    };
    let inputs = settings::Inputs {
        file: bytes.as_deref().map(|bytes| (path, bytes)),
        overrides,
        environment: &|name| std::env::var(name).ok(),
        read: &|path| fs::read(path),
    };
    settings::load(inputs).map_err(|errors| {
        match common.output {
            Output::Text => terminal::err(&errors.to_string()),
            Output::Json => {
                terminal::out(&serde_json::json!({ "version": 1, "errors": errors }).to_string());
            }
        }
        ExitCode::from(USAGE)
    })
}

/// JSON away from a terminal, text on one; always on stderr.
fn start_log(log: &LogSettings) {
    use std::io::IsTerminal as _;
    use tracing_subscriber::{
        filter::{LevelFilter, Targets},
        fmt,
        prelude::*,
    };

    // A lone level is the agent's own; of the libraries below it only warnings matter, and rustls alone would fill the log.
    let is_level = log.level.parse::<tracing::Level>().is_ok();
    let wanted = if is_level { format!("warn,starkeeper={}", log.level) } else { log.level.clone() };
    let mut filter: Targets = wanted.parse().unwrap_or_else(|_| Targets::new().with_default(tracing::Level::INFO));
    // What they warn of and is none to us: a folder that goes away with its watch, as with each swap of a Secret; an API server that is away,
    // which is a finding of ours.
    for (library, level) in [("notify", LevelFilter::ERROR), ("kube_client", LevelFilter::OFF)] {
        if !log.level.contains(library) {
            filter = filter.with_target(library, level);
        }
    }
    let json = match log.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    let registry = tracing_subscriber::registry().with(filter);
    let done = if json {
        registry
            .with(fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false).with_writer(std::io::stderr))
            .try_init()
    } else {
        let colours = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
        registry.with(fmt::layer().with_ansi(colours).with_target(false).with_writer(std::io::stderr)).try_init()
    };
    // Set up twice only by a caller of the library that has a log of its own.
    let _ = done;
}

/// One rotation: whatever the agent would do, until it is proved or nothing more can be done.
pub(super) fn reload(common: &Common, overrides: &Overrides, within: u64) -> ExitCode {
    let settings = match load(common, overrides) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let quiet = LogSettings { level: "error".to_owned(), ..settings.log.clone() };
    start_log(&quiet);
    let status = match supervise::once(settings, Duration::from_secs(within), Status::is_settled) {
        Ok(status) => status,
        Err(error) => {
            terminal::err(&format!("error: failed to {error}"));
            return ExitCode::FAILURE;
        }
    };
    let proved = status.is_serving();
    let said = match common.output {
        Output::Json => serde_json::to_string(&*status).unwrap_or_default(),
        Output::Text => {
            let wrong = status.findings.iter().filter(|finding| finding.severity > Severity::Info).collect::<Vec<_>>();
            if !proved && !wrong.is_empty() {
                terminal::err(terminal::show(common).findings(wrong).trim_end());
            }
            summary(&status, proved, common.lang())
        }
    };
    terminal::out(&said);
    ExitCode::from(u8::from(!proved))
}

fn summary(status: &Status, proved: bool, lang: Lang) -> String {
    let leaf = |leaf: &Leaf| format!("{}  {}", leaf.subject, words::until(leaf.not_after, Some(status.at), lang));
    let leaf = status.files.leaf.as_ref().map(leaf).unwrap_or_default();
    match (proved, status.last_rotation, status.files.verdict, lang) {
        (true, Some(last), _, Lang::En) => format!("proved in {:.1} ms: {leaf}", last.millis.total),
        (true, Some(last), _, Lang::PtBr) => format!("provado em {:.1} ms: {leaf}", last.millis.total),
        (true, None, _, Lang::En) => format!("served already, nothing to reload: {leaf}"),
        (true, None, _, Lang::PtBr) => format!("já servido, nada a recarregar: {leaf}"),
        (false, _, "rejected", Lang::En) => "rejected: nothing was reloaded, and what is served stays".to_owned(),
        (false, _, "rejected", Lang::PtBr) => "rejeitado: nada foi recarregado, e o que é servido permanece".to_owned(),
        (false, _, "heldBack", Lang::En) => "held back: browsers would refuse this pair, and accept the one that is served".to_owned(),
        (false, _, "heldBack", Lang::PtBr) => "retido: os navegadores recusariam este par, e aceitam o que é servido".to_owned(),
        (false, _, _, Lang::En) => format!("not proved: {}", status.phase),
        (false, _, _, Lang::PtBr) => format!("não provado: {}", status.phase),
    }
}
