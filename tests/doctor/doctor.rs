//! `doctor` as a test runs it: the real binary, whose JSON is read back.

use std::{
    io::Write as _,
    net::SocketAddr,
    process::{Command, Output},
};

use serde_json::Value;

use crate::support::{asterisk::Asterisk, certs::Authority};

/// One `doctor URL` in the making.
pub(crate) struct Doctor {
    url: String,
    arguments: Vec<String>,
    root: Option<tempfile::NamedTempFile>,
}

/// What it said.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) code: i32,
    pub(crate) json: Value,
}

impl Doctor {
    /// As a browser is told of this instance by its name.
    pub(crate) fn of(asterisk: &Asterisk) -> Self {
        Self::at("wss://pbx.example.com:8089/ws").connect(([127, 0, 0, 1], asterisk.ports.wss).into())
    }

    pub(crate) fn at(url: &str) -> Self {
        Self { url: url.to_owned(), arguments: vec!["--timeout".to_owned(), "3s".to_owned()], root: None }
    }

    pub(crate) fn connect(self, address: SocketAddr) -> Self {
        let address = address.to_string();
        self.with(&["--connect", &address])
    }

    pub(crate) fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    pub(crate) fn trusting(mut self, authority: &Authority) -> Self {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(authority.root_pem.as_bytes()).unwrap();
        let path = file.path().to_str().unwrap().to_owned();
        self.root = Some(file);
        self.with(&["--ca", &path])
    }

    /// Exit status, and what a person reads in a pipe.
    pub(crate) fn read(self) -> (i32, String) {
        let output = self.run("text");
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }

    fn run(&self, output: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_starkeeper"));
        command.args(["doctor", &self.url, "-o", output]).args(&self.arguments).output().unwrap()
    }

    pub(crate) fn ask(self) -> Told {
        let output = self.run("json");
        let said = String::from_utf8_lossy(&output.stdout);
        let json = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}{}", String::from_utf8_lossy(&output.stderr)));
        Told { code: output.status.code().unwrap(), json }
    }
}

impl Told {
    /// Exit status, verdict, what a browser would do, the first cause, all codes.
    pub(crate) fn told(&self) -> (i32, &str, &str, Option<&str>, Vec<&str>) {
        let text = |key: &str| self.json[key].as_str().unwrap();
        (self.code, text("verdict"), text("browserWould"), self.first_cause(), self.codes())
    }

    pub(crate) fn first_cause(&self) -> Option<&str> {
        self.json["firstCause"].as_str()
    }

    pub(crate) fn codes(&self) -> Vec<&str> {
        self.json["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect()
    }

    pub(crate) fn steps(&self) -> Vec<String> {
        let steps = self.json["steps"].as_array().unwrap().iter();
        steps.map(|step| format!("{} {}", step["name"].as_str().unwrap(), step["outcome"].as_str().unwrap())).collect()
    }

    pub(crate) fn evidence(&self, step: &str) -> &Value {
        &self.json["steps"].as_array().unwrap().iter().find(|found| found["name"] == step).unwrap()["evidence"]
    }
}
