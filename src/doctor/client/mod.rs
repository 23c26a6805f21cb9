//! A front end's env file, and the Compose files of the project → what the browser would be told to connect to, whether Compose lets it
//! through, and, unless that is not wanted, what it would meet there.

mod compose;
mod dotenv;
mod frontend;
mod published;
mod variables;

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

pub use compose::Unread;
pub use variables::{Unfilled, filled};

use super::{BrowserWould, Notebook, outside};
use crate::{
    asterisk::config::{self, Disk, FileSource, HttpConf, Kind},
    diagnosis::{Code, Finding},
    material::anchors::Anchors,
    settings::Address,
};
use compose::Project;
use dotenv::Env;
use published::Wanted;

/// What is asked about.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The front end's env file.
    pub env_file: PathBuf,
    /// The Compose files, as `docker compose -f` takes them.
    pub compose: Vec<PathBuf>,
    /// Which service is Asterisk's; `None`: whichever looks like it.
    pub service: Option<String>,
    /// The origin of the page, `https://app.example.com`.
    pub page: Option<String>,
    /// Asterisk's configuration; `None`: the folder that Compose mounts as /etc/asterisk.
    pub config_dir: Option<PathBuf>,
    /// How to look there; `None`: not at all.
    pub look: Option<Look>,
}

/// By whose eyes, and how patiently, the address is tried.
#[derive(Clone, Debug)]
pub struct Look {
    /// Whom the browser trusts; `None`: that is not judged.
    pub anchors: Option<Anchors>,
    /// Where to connect instead of what DNS says.
    pub connect: Option<Address>,
    /// What is asked beyond that.
    pub wishes: outside::Wishes,
    /// For each stage.
    pub timeout: Duration,
}

/// What was read, and is still to be judged.
#[derive(Debug)]
pub struct Evidence {
    env: Env,
    project: Option<Project>,
    http: Option<HttpConf>,
}

impl Evidence {
    /// What the env file sets, in its order: name, value and line.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str, u32)> {
        self.env.said().iter().map(|said| (said.name.as_str(), said.value.as_str(), said.line))
    }
}

/// Why there is nothing to judge.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A file cannot be read.
    #[error("read {}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// A file is none that anybody would write.
    #[error("read {}: it has more than {MOST} bytes", path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
    },
    /// A Compose file says nothing that Compose would take.
    #[error("read the Compose file: {0}")]
    Compose(#[from] Unread),
    /// No service has this name.
    #[error("find the service `{name}` in {}: there are {}", file.display(), known.join(", "))]
    NoService {
        /// The name.
        name: String,
        /// The last Compose file.
        file: PathBuf,
        /// Those that are there.
        known: Vec<String>,
    },
}

/// Reads all files. `said` gives the environment's own variables, which Compose prefers to those of files.
///
/// # Errors
/// Whatever keeps a file that was named from being read.
pub fn read(asked: &Asked, said: &dyn Fn(&str) -> Option<String>) -> Result<Evidence, Failure> {
    read_from(&Disk, asked, said)
}

/// Reads them from any source. Pure but for the source.
///
/// # Errors
/// As [`read`].
pub fn read_from(source: &dyn FileSource, asked: &Asked, said: &dyn Fn(&str) -> Option<String>) -> Result<Evidence, Failure> {
    let bytes = |path: &Path| bytes(source, path);
    let http = |folder: &Path| config::http_from(source, folder).ok();
    let env = Env::of_node(&String::from_utf8_lossy(&bytes(&asked.env_file)?), said);
    let Some(first) = asked.compose.first() else {
        let http = asked.config_dir.as_deref().and_then(http);
        return Ok(Evidence { env, project: None, http });
    };
    let files = asked.compose.iter().map(|path| Ok((path.clone(), bytes(path)?))).collect::<Result<Vec<_>, Failure>>()?;
    let folder = first.parent().map(Path::to_owned).unwrap_or_default();
    // Compose reads the one beside its first file by itself.
    let beside = bytes(&folder.join(".env")).map(|text| Env::of_compose(&String::from_utf8_lossy(&text), said)).unwrap_or_default();
    let lookup = |name: &str| said(name).or_else(|| env.get(name).or_else(|| beside.get(name)).map(|said| said.value.clone()));
    let project = compose::read(&files, &lookup)?;
    if let Some(name) = &asked.service
        && !project.services.iter().any(|service| service.name == *name)
    {
        let known = project.services.iter().map(|service| service.name.clone()).collect();
        return Err(Failure::NoService { name: name.clone(), file: first.clone(), known });
    }
    let mounted = || {
        let service = published::asterisk(&project, asked.service.as_deref(), WSS_PORT)?;
        let mount = service.mounts.iter().find(|mount| mount.target == Path::new("/etc/asterisk"))?;
        Some(folder.join(&mount.source)).filter(|folder| source.kind(folder).is_ok_and(|kind| kind == Kind::Other))
    };
    let http = asked.config_dir.clone().or_else(mounted).as_deref().and_then(http);
    Ok(Evidence { env, project: Some(project), http })
}

/// Judges it, and looks whither it leads.
pub async fn examine(book: &mut Notebook<'_>, asked: &Asked, evidence: &Evidence) {
    let step = book.begin("env-file");
    for (line, reason) in &evidence.env.unread {
        let finding = Finding::new(Code::EnvUnparsableLine).with("file", asked.env_file.as_path()).with("line", *line);
        book.find(finding.with("reason", *reason));
    }
    book.end(step);

    let mut step = book.begin("client-url");
    let ws_path = evidence.http.as_ref().map_or_else(|| "/ws".to_owned(), HttpConf::ws_path);
    let composed = frontend::compose(&evidence.env, &asked.env_file, asked.page.as_deref(), &ws_path);
    step.note("url", composed.url.as_str());
    if let Some(page) = &composed.page {
        step.note("origin", page.as_str());
    }
    for finding in &composed.certain {
        book.find(finding.clone());
    }
    // Looking there, the outside view says so.
    let mixed = composed.aim.as_ref().filter(|_| asked.look.is_none()).and_then(|aim| aim.mixed(composed.page.as_deref()));
    if let Some(finding) = mixed {
        book.find(finding);
    }
    if composed.aim.is_none() {
        book.saw(BrowserWould::Fail1006);
    }
    book.end(step);

    services(book, asked, evidence, composed.aim.as_ref().map(|aim| aim.port));

    match (&composed.aim, &asked.look) {
        (Some(aim), Some(look)) => {
            let question = outside::Question {
                aim: aim.clone(),
                written: Vec::new(),
                origin: composed.page.clone(),
                connect: look.connect.clone(),
                anchors: look.anchors.clone(),
                wishes: look.wishes.clone(),
                timeout: look.timeout,
            };
            outside::examine(book, &question).await;
        }
        (Some(_), None) => book.lacks("wire", ("to look there: leave --offline out", "olhar lá: tire o --offline")),
        (None, _) => {}
    }
    if book.seen != Some(BrowserWould::Connect) {
        // The same, seen from outside, does not know the line.
        book.findings.retain(|known| composed.likely.iter().all(|likely| likely.code != known.code));
        for finding in composed.likely {
            book.find(finding);
        }
    }
}

/// What Compose lets through.
fn services(book: &mut Notebook<'_>, asked: &Asked, evidence: &Evidence, connects: Option<u16>) {
    let step = book.begin("compose");
    let Some(project) = &evidence.project else {
        book.skip(step, "--compose docker-compose.yml");
        return;
    };
    let listens = evidence.http.as_ref().and_then(|http| http.tls_bind.as_ref()).map_or(WSS_PORT, |bind| bind.value.port);
    let Some(service) = published::asterisk(project, asked.service.as_deref(), listens) else {
        book.skip(step, ("--service NAME: which of the services is Asterisk's", "--service NOME: qual dos serviços é o do Asterisk"));
        return;
    };
    let mut step = step;
    step.note("service", service.name.as_str());
    let files = evidence.http.as_ref().map(|http| {
        let mut files = vec![http.cert.value.clone(), http.key.value.clone()];
        files.dedup();
        files
    });
    let known = files.is_some();
    let wanted = Wanted { listens, connects: connects.unwrap_or(listens), files };
    for finding in published::judge(project, service, &wanted) {
        book.find(finding);
    }
    book.end(step);
    if !known {
        book.lacks(
            "compose-volumes",
            (
                "http.conf: --config-dir, or a folder that the service mounts as /etc/asterisk",
                "o http.conf: --config-dir, ou uma pasta que o serviço monta em /etc/asterisk",
            ),
        );
    }
    for passed in &project.passed_over {
        book.lacks("compose", (format!("what is said elsewhere: {passed}"), format!("o que é dito em outro lugar: {passed}")));
    }
}

fn bytes(source: &dyn FileSource, path: &Path) -> Result<Vec<u8>, Failure> {
    use io::Read as _;
    let failed = |error| Failure::File { path: path.to_owned(), error };
    let mut bytes = Vec::new();
    let read = source.open(path).map_err(failed)?.take(MOST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if read as u64 > MOST { Err(Failure::TooLarge { path: path.to_owned() }) } else { Ok(bytes) }
}

/// Of one file, in bytes.
const MOST: u64 = 256 * 1024;
/// Where Asterisk listens for WSS unless http.conf says otherwise.
const WSS_PORT: u16 = 8089;
