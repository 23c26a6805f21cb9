//! JsSIP and SIP.js in a real Chromium, which trusts the authorities that it is told of as a user's browser trusts those of its system:
//! what is expired, misnamed, incomplete or unknown it refuses. What enters: authorities, and which names lead where. What leaves: phones, each in
//! a profile of its own. Needs what `tests/lab/browser.sh` provisions.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use starkeeper::clock;
use tempfile::TempDir;

use super::{certs::Authority, script::Script};

/// A Chromium, gone on drop.
pub struct Browser {
    script: Script,
    /// The page's origin, `https://phone.example.com:PORT`.
    pub origin: String,
    _home: TempDir,
}

impl Browser {
    /// Starts it. `page` issues for the page that the phones live on, and is trusted. `names`: `(name, address)`; all other names lead nowhere.
    pub fn start(page: &Authority, names: &[(&str, &str)]) -> Self {
        let home = tempfile::Builder::new().prefix("starkeeper-browser-").tempdir().unwrap();
        trust(home.path(), page);
        let pair = page.issue(&["phone.example.com"]);
        let (cert, key) = (home.path().join("page.crt"), home.path().join("page.key"));
        fs::write(&cert, &pair.cert_pem).unwrap();
        fs::write(&key, &pair.key_pem).unwrap();
        let rules: Vec<String> = names.iter().map(|(name, address)| format!("MAP {name} {address}")).collect();
        let (script, ready) = Script::start("softphone.mjs", include_bytes!("../lab/browser/softphone.mjs"), |command| {
            command.arg(&cert).arg(&key).arg(rules.join(",") + ",MAP *.example.com ~NOTFOUND");
            command.env("HOME", home.path()).env_remove("XDG_CONFIG_HOME").env_remove("XDG_CACHE_HOME");
        });
        Self { script, origin: ready["origin"].as_str().unwrap_or_default().to_owned(), _home: home }
    }

    /// A phone that connects to `url` and registers as `uri`.
    pub fn open(&self, name: &str, url: &str, uri: &str, password: &str) -> Phone<'_> {
        self.open_as(Softphone::JsSip, name, url, uri, password)
    }

    /// The same, made of this softphone.
    pub fn open_as(&self, softphone: Softphone, name: &str, url: &str, uri: &str, password: &str) -> Phone<'_> {
        let open = match softphone {
            Softphone::JsSip => "open",
            Softphone::SipJs => "openSipJs",
        };
        self.script.act(&json!({"do": open, "as": name, "url": url, "uri": uri, "password": password}));
        Phone { browser: self, name: name.to_owned() }
    }
}

/// What a phone is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Softphone {
    /// JsSIP.
    JsSip,
    /// SIP.js.
    SipJs,
}

/// One phone, which leaves when it is dropped.
pub struct Phone<'b> {
    browser: &'b Browser,
    name: String,
}

impl Phone<'_> {
    /// What has become of it.
    pub fn tell(&self) -> Value {
        self.browser.script.act(&json!({"do": "tell", "as": self.name}))
    }

    /// Calls.
    pub fn call(&self, to: &str) {
        self.browser.script.act(&json!({"do": "call", "as": self.name, "to": to}));
    }

    /// Waits until what it tells is so, and returns that.
    #[track_caller]
    pub fn wait(&self, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
        match self.within(SOON, condition) {
            Ok(told) => told,
            Err(told) => panic!("{what}: not within {SOON:?}: {told}"),
        }
    }

    /// The same for so long; what it told last where it never was so.
    ///
    /// # Errors
    /// What it told last.
    pub fn within(&self, patience: Duration, condition: impl Fn(&Value) -> bool) -> Result<Value, Value> {
        let end = clock::tick() + patience;
        loop {
            let told = self.tell();
            if condition(&told) {
                return Ok(told);
            }
            if clock::tick() >= end {
                return Err(told);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Phone<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.browser.script.act(&json!({"do": "close", "as": self.name}));
        }
    }
}

const SOON: Duration = Duration::from_secs(30);

/// Puts the root into the database of the user whose home this is, as an authority for servers.
fn trust(home: &Path, authority: &Authority) {
    let database = home.join(".pki/nssdb");
    fs::create_dir_all(&database).unwrap();
    let root = home.join("root.pem");
    fs::write(&root, &authority.root_pem).unwrap();
    let certutil = |arguments: &[&str]| {
        let mut command = Command::new("certutil");
        command.args(arguments).args(["-d", &format!("sql:{}", database.display())]).stdin(Stdio::null());
        let output = command.output().expect("certutil of libnss3-tools: run tests/lab/browser.sh");
        assert!(output.status.success(), "certutil {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    certutil(&["-N", "--empty-password"]);
    certutil(&["-A", "-t", "C,,", "-n", "lab", "-i", root.to_str().unwrap()]);
}
