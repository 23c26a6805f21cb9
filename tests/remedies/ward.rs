//! A patient: a real Asterisk, broken as a row wants it, with what a person has at hand to mend it, and the doctor's look at it.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    asterisk::{Asterisk, BOTH, Builder, Version},
    certs::{Authority, Pair},
    proxy::{Kind, Proxy},
};

/// What clients connect to.
pub(crate) const NAME: &str = "pbx.example.com";

/// What is done to a patient.
pub(crate) type Deed = fn(&mut Ward);

/// One row.
pub(crate) struct Row {
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
    pub(crate) versions: Vec<Version>,
    /// Which of the ways that the remedy names is gone.
    pub(crate) way: usize,
    pair: fn(&Authority) -> Pair,
    build: fn(Builder) -> Builder,
    set: Deed,
}

/// A healthy Asterisk, to be broken so that this is found.
pub(crate) fn row(code: &'static str) -> Row {
    Row {
        code,
        name: "",
        versions: BOTH.to_vec(),
        way: 0,
        pair: |authority| authority.issue(&[NAME]),
        build: |builder| builder,
        set: |_| {},
    }
}

impl Row {
    /// How it differs from others of its code.
    pub(crate) fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    pub(crate) fn on(self, version: Version) -> Self {
        Self { versions: vec![version], ..self }
    }

    pub(crate) fn way(self, way: usize) -> Self {
        Self { way, ..self }
    }

    pub(crate) fn pair(self, pair: fn(&Authority) -> Pair) -> Self {
        Self { pair, ..self }
    }

    pub(crate) fn build(self, build: fn(Builder) -> Builder) -> Self {
        Self { build, ..self }
    }

    pub(crate) fn set(self, set: Deed) -> Self {
        Self { set, ..self }
    }
}

/// The patient.
pub(crate) struct Ward {
    pub(crate) asterisk: Asterisk,
    pub(crate) authority: Authority,
    /// The pair that the authority gave last.
    pub(crate) pair: Pair,
    pub(crate) proxy: Option<Proxy>,
    /// What is asked of the doctor; `None`: the view from inside, by the settings.
    pub(crate) question: Option<Vec<String>>,
    /// The password that the client has.
    pub(crate) password: String,
    /// Where a person works: what an authority gave lies here.
    pub(crate) work: TempDir,
    /// What is to end with it.
    pub(crate) held: Vec<Box<dyn std::any::Any>>,
}

impl Ward {
    pub(crate) fn of(row: &Row, version: Version) -> Self {
        let authority = Authority::new();
        let pair = (row.pair)(&authority);
        let asterisk = (row.build)(Asterisk::build(version).pair(&pair)).start();
        let work = tempfile::Builder::new().prefix("starkeeper-remedies-").tempdir().unwrap();
        let mut ward = Self {
            asterisk,
            authority,
            pair,
            proxy: None,
            question: None,
            password: crate::support::asterisk::SECRET.to_owned(),
            work,
            held: Vec::new(),
        };
        ward.furnish();
        (row.set)(&mut ward);
        ward
    }

    /// What a person has: what the authority gave last, and what it would give now; the tools of the trade, and settings for the doctor.
    fn furnish(&self) {
        let issued = self.authority.issue(&[NAME]);
        self.put("issued/fullchain.pem", &issued.cert_pem);
        self.put("issued/privkey.pem", &issued.key_pem);
        let (leaf, rest) = leaf_and_rest(&self.pair.cert_pem);
        self.put("leaf.pem", leaf);
        self.put("intermediate.pem", rest);
        self.put("live/fullchain.pem", &self.pair.cert_pem);
        self.put("live/privkey.pem", &self.pair.key_pem);
        let settings = format!(
            "asterisk: {{configDir: {}, ami: {{username: admin}}}}\ncertificate: {{names: [{NAME}], trust: {}}}\n",
            self.asterisk.etc().display(),
            self.put("root.pem", &self.authority.root_pem).display(),
        );
        self.put("settings.yaml", &settings);
        self.console();
        let served = |path: &Path| path.display().to_string();
        // Whoever serves copies has a deploy hook that makes them.
        self.tool(
            "certbot",
            &format!(
                "set -e; cp issued/*.pem live/; cp live/fullchain.pem {cert}; install -m 0640 -g {gid} live/privkey.pem {key}",
                cert = served(self.asterisk.cert()),
                key = served(self.asterisk.key()),
                gid = self.asterisk.gid,
            ),
        );
        self.tool("starkeeper", &format!("exec {} \"$@\"", env!("CARGO_BIN_EXE_starkeeper")));
        // Nobody's containers run here, and nobody's firewall is looked at. A proxy is checked and told to reload by the hand itself.
        for tool in ["docker", "ss", "systemctl", "nginx", "a2enmod", "apachectl", "haproxy", "caddy"] {
            self.tool(tool, "exit 0");
        }
    }

    /// Asterisk's own remote console, as `asterisk -rx` is on its machine.
    fn console(&self) {
        let (pid, root, etc) = (self.asterisk.pid(), self.asterisk.version.root(), self.asterisk.etc());
        let (root, etc) = (root.display(), etc.display());
        self.tool(
            "asterisk",
            &format!("exec nsenter --target {pid} --mount chroot {root} /usr/sbin/asterisk -C {etc}/asterisk.conf \"$@\""),
        );
    }

    /// Asterisk starts anew, with what lies there now.
    pub(crate) fn restart(&mut self) {
        self.asterisk.restart();
        self.console();
    }

    /// A file where a person works.
    pub(crate) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.work.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// A program of this name.
    pub(crate) fn tool(&self, name: &str, script: &str) {
        let path = self.put(&format!("bin/{name}"), format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Changes a file of Asterisk's.
    pub(crate) fn rewrite(&self, file: &str, from: &str, to: &str) {
        let path = self.asterisk.etc().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from:?}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    /// Writes a pair in place of the one there, so that Asterisk may read it.
    pub(crate) fn lay(&self, pair: &Pair) {
        self.asterisk.layout.lay(&self.asterisk.tls(), pair);
    }

    /// From outside, at this address by its name.
    pub(crate) fn ask_from_outside(&mut self, port: u16, path: &str, more: &[&str]) {
        let root = self.work.path().join("root.pem").display().to_string();
        let start = [format!("wss://{NAME}:{port}{path}"), "--connect".to_owned(), format!("127.0.0.1:{port}"), "--ca".to_owned(), root];
        self.question = Some(start.into_iter().chain(more.iter().map(|argument| (*argument).to_owned())).collect());
    }

    /// The same as a SIP user.
    pub(crate) fn ask_as(&mut self, user: &str) {
        let password = self.put("password", &self.password).display().to_string();
        self.ask_from_outside(self.asterisk.ports.wss, "/ws", &["--user", user, "--password-file", &password]);
    }

    /// One more setting of the doctor's.
    pub(crate) fn set(&self, key: &str, value: &str) {
        let settings = self.work.path().join("settings.yaml");
        let text = fs::read_to_string(&settings).unwrap();
        fs::write(settings, format!("{text}{key}: {value}\n")).unwrap();
    }

    /// A proxy at a port of its own, to which clients go. `{http}` and `{wss}` in its lines are Asterisk's ports.
    pub(crate) fn behind(&mut self, kind: Kind, lines: &str, more: &[&str]) {
        self.behind_with(kind, &self.authority.issue(&[NAME]), lines, more);
    }

    /// The same with another pair.
    pub(crate) fn behind_with(&mut self, kind: Kind, pair: &Pair, lines: &str, more: &[&str]) {
        let ports = &self.asterisk.ports;
        let port = *ports.spare.start();
        let lines = lines.replace("{http}", &ports.http.to_string()).replace("{wss}", &ports.wss.to_string());
        self.proxy = Some(Proxy::start(kind, ([127, 0, 0, 1], port).into(), pair, &lines));
        self.ask_from_outside(port, "/ws", more);
    }

    /// The doctor's look.
    pub(crate) fn look(&self) -> Told {
        let settings = self.work.path().join("settings.yaml").display().to_string();
        let arguments = self.question.clone().unwrap_or_else(|| vec!["-c".to_owned(), settings]);
        let output = Command::new(env!("CARGO_BIN_EXE_starkeeper"))
            .arg("doctor")
            .args(&arguments)
            .args(["-o", "json"])
            .current_dir(self.work.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let json = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}{}", String::from_utf8_lossy(&output.stderr)));
        Told { code: output.status.code().unwrap(), json }
    }
}

/// The server's certificate, and what comes after it.
pub(crate) fn leaf_and_rest(chain: &str) -> (&str, &str) {
    const END: &str = "-----END CERTIFICATE-----\n";
    chain.split_at(chain.find(END).unwrap() + END.len())
}

/// What the doctor said.
pub(crate) struct Told {
    pub(crate) code: i32,
    json: Value,
}

impl Told {
    fn findings(&self) -> impl Iterator<Item = &Value> {
        self.json["findings"].as_array().unwrap().iter()
    }

    pub(crate) fn codes(&self) -> Vec<&str> {
        self.findings().filter(|finding| finding["severity"] != "info").map(|finding| finding["code"].as_str().unwrap()).collect()
    }

    /// What was found of this code; of any, whatever is an error.
    pub(crate) fn to_mend(&self, code: Option<&str>) -> Vec<&Value> {
        let wanted = |finding: &&Value| code.map_or(finding["severity"] == "error", |code| finding["code"] == code);
        self.findings().filter(wanted).collect()
    }

    pub(crate) fn errors(&self) -> String {
        let shown = |finding: &Value| {
            format!("  {} {}: {}\n{}\n", finding["severity"], finding["code"], finding["evidence"], finding["remedy"].as_str().unwrap())
        };
        self.findings().filter(|finding| finding["severity"] != "info").map(shown).collect()
    }
}
