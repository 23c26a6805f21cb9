//! `starkeeper doctor`, asked about a scene as somebody would ask who knows what the page's author knows: the URL, the page's origin, whom
//! browsers trust, and a user with a password. Names lead where the browser's do, by a hosts file of its own.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use super::{
    lab,
    stage::Stage,
    support::{agent::binary, bound, certs::Authority, launch, until_some},
};

/// What he said.
pub(crate) struct Said {
    pub(crate) browser_would: String,
    pub(crate) first_cause: Option<String>,
    /// All of it, for a row that fails.
    pub(crate) all: String,
}

/// The world that he sees.
pub(crate) struct Surgery {
    folder: TempDir,
}

impl Surgery {
    /// Where this authority is trusted.
    pub(crate) fn new(authority: &Authority) -> Self {
        let surgery = Self { folder: tempfile::Builder::new().prefix("starkeeper-doctor-").tempdir().unwrap() };
        let hosts: Vec<String> =
            lab::names().iter().map(|(name, address)| format!("{} {name}\n", address.trim_matches(['[', ']']))).collect();
        fs::write(surgery.file("hosts"), hosts.concat()).unwrap();
        fs::write(surgery.file("nsswitch.conf"), "hosts: files\n").unwrap();
        fs::write(surgery.file("root.pem"), &authority.root_pem).unwrap();
        surgery
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Asks from outside.
pub(crate) fn ask(stage: &Stage<'_>) -> Said {
    let origin = &stage.lab.browser.origin;
    asked(stage, |command| {
        command.args(["--origin", origin]).arg(&stage.url);
    })
}

/// Asks from inside, where Asterisk's files and AMI are at hand, and nobody says an address.
pub(crate) fn ask_inside(stage: &Stage<'_>) -> Said {
    asked(stage, |command| {
        command.arg("--config-dir").arg(stage.asterisk.etc()).args(["--name", lab::NAME, "--ami-username", "admin"]);
    })
}

fn asked(stage: &Stage<'_>, more: impl FnOnce(&mut Command)) -> Said {
    let surgery = &stage.lab.surgery;
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    fs::write(&password, &stage.password).unwrap();
    let (told, cried) = (folder.path().join("told"), folder.path().join("cried"));
    let mut command = bound("unshare");
    command.args(["--mount", "sh", "-c", SCRIPT, "surgery"]).args([surgery.file("hosts"), surgery.file("nsswitch.conf")]);
    command.arg(binary()).args(["doctor", "--output", "json", "--timeout", "3s"]);
    command.arg("--ca").arg(surgery.file("root.pem"));
    command.args(["--user", &stage.user, "--password-file"]).arg(&password);
    if stage.hold {
        command.args(["--hold", "10s"]);
    }
    if stage.register {
        command.arg("--register");
    }
    more(&mut command);
    command.stdin(Stdio::null()).stdout(File::create(&told).unwrap()).stderr(File::create(&cried).unwrap());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("STARKEEPER_") || name == "LANG") {
        command.env_remove(name);
    }
    let mut child = launch(command).unwrap();
    let status = until_some(PATIENCE, "the doctor's end", || child.try_wait().unwrap());
    let (told, cried) = (fs::read_to_string(told).unwrap(), fs::read_to_string(cried).unwrap());
    let json: Value = serde_json::from_str(&told).unwrap_or_else(|error| panic!("the doctor ended with {status}: {error}: {told}{cried}"));
    let text = |name: &str| json[name].as_str().map(str::to_owned);
    assert_eq!(status.code(), Some(i32::from(json["verdict"] != "ok")), "his exit status: {told}");
    let findings = json["findings"].as_array().into_iter().flatten();
    let found = findings.map(|finding| format!("{} {}: {}", finding["severity"], finding["code"], finding["evidence"])).collect::<Vec<_>>();
    Said {
        browser_would: text("browserWould").unwrap_or_default(),
        first_cause: text("firstCause"),
        all: format!("he found {}{cried}", found.join("; ")),
    }
}

/// Each stage has three seconds.
const PATIENCE: Duration = Duration::from_secs(90);

/// In a mount namespace, which is private: nobody else sees these files.
const SCRIPT: &str = "mount --bind \"$1\" /etc/hosts && mount --bind \"$2\" /etc/nsswitch.conf && shift 2 && exec \"$@\"";
