//! `configure`: arguments → what Asterisk's folder lacks, as a difference to look at, or written. Existing files are only ever added to.

mod write;

use std::{
    fs::File,
    io::{self, Read as _},
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
};

use secrecy::SecretString;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Common, Output, USAGE, terminal};
use crate::{
    asterisk::config::{Disk, load},
    configure::{AMI_USER, Plan, Secret, User, Wish, plan},
    diagnosis::Lang,
};

#[derive(Debug, clap::Args)]
pub(super) struct Configure {
    /// Asterisk's configuration folder
    #[arg(long, value_name = "DIR", default_value = "/etc/asterisk")]
    config_dir: PathBuf,
    /// The name that browsers connect to, for the address that is told at the end
    #[arg(long, value_name = "DNS", default_value = "pbx.example.com", hide_default_value = true)]
    name: String,
    /// The certificate with its chain, where Asterisk finds it [default: what http.conf names]
    #[arg(long, value_name = "FILE", requires = "key", value_parser = absolute)]
    cert: Option<PathBuf>,
    /// Its private key
    #[arg(long, value_name = "FILE", requires = "cert", value_parser = absolute)]
    key: Option<PathBuf>,
    /// Where HTTPS and WSS listen [default: what http.conf says, else 0.0.0.0:8089]
    #[arg(long, value_name = "IP[:PORT]", value_parser = bind)]
    bind: Option<SocketAddr>,
    /// An endpoint for a browser, with the file of its password; without a file one is made up [may be repeated]
    #[arg(long = "user", value_name = "NAME[=FILE]")]
    users: Vec<String>,
    /// The file with the secret of the AMI user `starkeeper`; without it one is made up
    #[arg(long, value_name = "FILE")]
    ami_secret_file: Option<PathBuf>,
    /// Add what is missing to the files, each kept as FILE.bak
    #[arg(long, conflicts_with = "output_dir")]
    write: bool,
    /// Write the whole files into this folder instead, which holds none of them yet
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
}

impl Configure {
    pub(super) fn run(&self, common: &Common) -> ExitCode {
        let wish = match self.wish() {
            Ok(wish) => wish,
            Err(why) => return failed(&why, USAGE),
        };
        if !self.config_dir.is_dir() {
            return failed(&format!("find the folder {}", self.config_dir.display()), USAGE);
        }
        let plan = plan(&Disk, &self.config_dir, &wish);
        let written = if plan.conflicts.is_empty() && !plan.is_done() { self.carry_out(&plan) } else { Ok(Vec::new()) };
        let written = match written {
            Ok(written) => written,
            Err(why) => return failed(&why, 1),
        };
        self.tell(common, &plan, &written);
        ExitCode::from(u8::from(!plan.is_done() && written.is_empty()))
    }

    fn wish(&self) -> Result<Wish, String> {
        let mut users: Vec<User> = Vec::new();
        for said in &self.users {
            let (name, file) = said.split_once('=').map_or((said.as_str(), None), |(name, file)| (name, Some(Path::new(file))));
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
            let known = users.iter().any(|user| user.name == name) || name == "global" || name == "system";
            if name.is_empty() || name.len() > 60 || !name.bytes().all(fits) || known {
                return Err(format!("take the endpoint's name `{name}`: once each, and letters, digits, `_`, `.` and `-` alone"));
            }
            users.push(User { name: name.to_owned(), password: secret(file)? });
        }
        let pair = self.cert.clone().zip(self.key.clone());
        Ok(Wish { pair, bind: self.bind, ami: secret(self.ami_secret_file.as_deref())?, users })
    }

    /// The files that were written.
    fn carry_out(&self, plan: &Plan) -> Result<Vec<PathBuf>, String> {
        if self.write {
            write::into_place(&self.config_dir, &plan.drafts)
        } else if let Some(folder) = &self.output_dir {
            write::elsewhere(folder, &plan.drafts)
        } else {
            Ok(Vec::new())
        }
    }

    fn tell(&self, common: &Common, plan: &Plan, written: &[PathBuf]) {
        let show = terminal::show(common);
        if common.output == Output::Json {
            let missing = plan.drafts.iter().map(|draft| json!({ "file": draft.path, "diff": draft.diff() }));
            let findings = plan.conflicts.iter().map(|finding| finding.rendered(Lang::En));
            let report = json!({ "version": 1, "missing": missing.collect::<Vec<_>>(), "written": written,
                "findings": findings.collect::<Vec<_>>() });
            terminal::out(&report.to_string());
            return;
        }
        let say = |en: &str, pt: &str| match common.lang() {
            Lang::En => en.to_owned(),
            Lang::PtBr => pt.to_owned(),
        };
        if !plan.conflicts.is_empty() {
            terminal::err(show.findings(&plan.conflicts).trim_end());
            terminal::err(&say("nothing was written", "nada foi escrito"));
        }
        if written.is_empty() {
            for draft in &plan.drafts {
                terminal::out(draft.diff().trim_end_matches('\n'));
            }
        }
        if plan.is_done() {
            terminal::out(&say("nothing is missing", "não falta nada"));
        }
        for path in written {
            terminal::out(&format!("{} {}", say("written:", "escrito:"), path.display()));
        }
        if !written.is_empty() {
            terminal::out(&self.afterwards(common.lang()));
        }
    }

    /// Where it goes on.
    fn afterwards(&self, lang: Lang) -> String {
        let folder = self.output_dir.as_ref().unwrap_or(&self.config_dir);
        let http = load(folder).http.ok();
        let port = http.as_ref().and_then(|http| http.tls_bind.as_ref()).map_or(8089, |bind| bind.value.port);
        let path = http.map_or_else(|| "/ws".to_owned(), |http| http.ws_path());
        let url = format!("wss://{}:{port}{path}", self.name);
        match lang {
            Lang::En => format!(
                "Secrets that were made up stand in manager.conf ([{AMI_USER}]) and in pjsip.conf.\n\
                 Restart Asterisk, then see with a browser's eyes:\n    starkeeper doctor {url}"
            ),
            Lang::PtBr => format!(
                "Os segredos gerados estão em manager.conf ([{AMI_USER}]) e em pjsip.conf.\n\
                 Reinicie o Asterisk e depois olhe com os olhos de um navegador:\n    starkeeper doctor {url}"
            ),
        }
    }
}

/// The first line of a file, or one that nobody can guess.
fn secret(file: Option<&Path>) -> Result<Secret, String> {
    let Some(path) = file else {
        return Ok(Secret { value: made_up().map_err(|error| format!("read /dev/urandom: {error}"))?, given: false });
    };
    let failed = |why: &str| format!("take a secret from {}: {why}", path.display());
    let mut text = Zeroizing::new(String::new());
    File::open(path).and_then(|file| file.take(4096).read_to_string(&mut text)).map_err(|error| failed(&error.to_string()))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() || line.trim() != line || line.contains('\\') || line.chars().any(char::is_control) {
        return Err(failed("its first line must hold one, without blanks at the ends, backslashes and control characters"));
    }
    Ok(Secret { value: SecretString::from(line), given: true })
}

/// 128 bits, in hexadecimal digits, which no configuration file takes for anything else.
fn made_up() -> io::Result<SecretString> {
    let mut bytes = Zeroizing::new([0u8; 16]);
    File::open("/dev/urandom")?.read_exact(bytes.as_mut())?;
    let digits: String =
        bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|digit| char::from_digit(digit.into(), 16)).collect();
    Ok(SecretString::from(digits))
}

/// Asterisk takes a relative path as one from the folder that it was started in.
fn absolute(text: &str) -> Result<PathBuf, String> {
    let clean = text.trim() == text && !text.contains('\\') && !text.chars().any(char::is_control);
    if clean && text.starts_with('/') {
        Ok(PathBuf::from(text))
    } else {
        Err("expected an absolute path: /etc/asterisk/keys/tls.crt".to_owned())
    }
}

fn bind(text: &str) -> Result<SocketAddr, String> {
    let address = text.parse::<SocketAddr>().ok().filter(|address| address.port() != 0);
    address
        .or_else(|| text.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 8089)))
        .ok_or_else(|| "expected a numeric address: 0.0.0.0:8089".to_owned())
}

fn failed(why: &str, code: u8) -> ExitCode {
    terminal::err(&format!("error: failed to {why}"));
    ExitCode::from(code)
}
