//! What an instance is made of, before it runs. The default is the one that the README recommends: TLS on, the absent include in
//! http.conf and manager.conf, an AMI user with `system` alone.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Asterisk, Ports, SECRET, Version, asterisk_user, conf, lay_out};
use crate::support::certs::{Authority, Layout, Pair};

/// An instance in the making.
#[derive(Debug)]
#[must_use]
pub struct Builder {
    pub(super) version: Version,
    pub(super) pair: Option<Pair>,
    pub(super) dark: bool,
    pub(super) layout: Layout,
    pub(super) paths: Option<(PathBuf, PathBuf)>,
    pub(super) absent_include: bool,
    pub(super) stamp: bool,
    pub(super) bind: String,
    pub(super) wss_bind: Option<String>,
    pub(super) http_lines: Vec<String>,
    pub(super) pjsip_lines: Vec<String>,
    pub(super) ami_tls: bool,
    pub(super) sip_tls: bool,
    pub(super) chan_sip: bool,
    pub(super) load: Vec<String>,
    pub(super) noload: Vec<String>,
    low_ports: bool,
    files: Vec<(String, String)>,
    packaged: Option<Furnish>,
}

/// Completes the configuration folder of the package before the start: the folder, the ports, certificate and key.
pub type Furnish = fn(&Path, &Ports, (&Path, &Path));

impl Builder {
    pub(super) fn new(version: Version) -> Self {
        Self {
            version,
            pair: None,
            dark: false,
            layout: Layout::default(),
            paths: None,
            absent_include: true,
            stamp: false,
            bind: "127.0.0.1".to_owned(),
            wss_bind: None,
            http_lines: Vec::new(),
            pjsip_lines: Vec::new(),
            ami_tls: false,
            sip_tls: false,
            chan_sip: false,
            load: Vec::new(),
            noload: Vec::new(),
            low_ports: false,
            files: Vec::new(),
            packaged: None,
        }
    }

    /// The pair that lies there when it starts, good or bad.
    pub fn pair(mut self, pair: &Pair) -> Self {
        self.pair = Some(pair.clone());
        self
    }

    /// No certificate at all lies there: it starts with a dark door.
    pub fn without_pair(mut self) -> Self {
        self.dark = true;
        self
    }

    /// How the certificate lies on disk.
    pub fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// Other paths in http.conf than the layout's own, absolute or below the instance's folder (the pair is written by the layout all
    /// the same).
    pub fn paths(mut self, cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.paths = Some((cert.into(), key.into()));
        self
    }

    /// http.conf and manager.conf without `#tryinclude starkeeper.absent`, as they come from a distribution.
    pub fn without_absent_include(mut self) -> Self {
        self.absent_include = false;
        self
    }

    /// http.conf includes `etc/starkeeper.stamp`, which exists.
    pub fn stamp(mut self) -> Self {
        self.stamp = true;
        self
    }

    /// The address that everything binds to; `127.0.0.1` otherwise.
    pub fn bind(mut self, address: &str) -> Self {
        self.bind = address.to_owned();
        self
    }

    /// A further line in http.conf's `[general]`.
    pub fn http(mut self, line: &str) -> Self {
        self.http_lines.push(line.to_owned());
        self
    }

    /// `enable_status=yes`: `/httpstatus` answers.
    pub fn enable_status(self) -> Self {
        self.http("enable_status=yes")
    }

    /// How many clients may be connected at once.
    pub fn session_limit(self, limit: u32) -> Self {
        self.http(&format!("sessionlimit={limit}"))
    }

    /// Further text at the end of pjsip.conf.
    pub fn pjsip(mut self, text: &str) -> Self {
        self.pjsip_lines.push(text.to_owned());
        self
    }

    /// AMI over TLS too, with the same certificate.
    pub fn ami_tls(mut self) -> Self {
        self.ami_tls = true;
        self
    }

    /// A SIP transport over TLS too, with the same certificate.
    pub fn sip_tls(mut self) -> Self {
        self.sip_tls = true;
        self
    }

    /// chan_sip is loaded too, before PJSIP's WebSocket transport, and takes the `sip` protocol (16 alone has it).
    pub fn chan_sip(mut self) -> Self {
        self.chan_sip = true;
        self
    }

    /// A further module, `name.so`.
    pub fn load(mut self, module: &str) -> Self {
        self.load.push(module.to_owned());
        self
    }

    /// Without this module.
    pub fn noload(mut self, module: &str) -> Self {
        self.noload.push(module.to_owned());
        self
    }

    /// What WSS alone binds to, without the port.
    pub fn wss_bind(mut self, address: &str) -> Self {
        self.wss_bind = Some(address.to_owned());
        self
    }

    /// It may bind ports below 1024.
    pub fn low_ports(mut self) -> Self {
        self.low_ports = true;
        self
    }

    /// A configuration file of the test's own, in place of the lab's where there is one of that name.
    pub fn file(mut self, name: &str, text: &str) -> Self {
        self.files.push((name.to_owned(), text.to_owned()));
        self
    }

    /// With the distribution's own configuration folder instead of the lab's; of the lab's there is only what keeps instances apart (folders,
    /// log, ports of AMI and media) and the user `admin`. `furnish` does the rest.
    pub fn packaged(mut self, furnish: Furnish) -> Self {
        self.packaged = Some(furnish);
        self
    }

    /// Starts it and returns once it is booted.
    pub fn start(self) -> Asterisk {
        assert!(
            rustix::process::geteuid().is_root(),
            "a real Asterisk needs root here (a mount namespace and chroot): run the tests as root, or with sudo -E"
        );
        let root = self.version.root();
        let (uid, gid) = asterisk_user(&root);
        // The root's own /tmp is what the namespace covers with the instance's folder.
        let folder = tempfile::Builder::new().prefix("starkeeper-lab-").tempdir_in("/tmp").expect("a folder in /tmp");
        let ports = Ports::take();
        lay_out(folder.path(), uid, gid);
        let tls = folder.path().join("tls");
        if !self.dark {
            let pair = self.pair.clone().unwrap_or_else(|| Authority::new().issue(&NAMES));
            self.layout.lay(&tls, &pair);
        }
        let (cert, key) = self.paths.clone().unwrap_or_else(|| (self.layout.cert(&tls), self.layout.key(&tls)));
        let (cert, key) = (folder.path().join(cert), folder.path().join(key));
        let scene = conf::Scene { folder: folder.path(), root: &root, ports: &ports, cert: &cert, key: &key };
        self.configure(&folder.path().join("etc"), &scene);
        fs::write(folder.path().join("secret"), SECRET).expect("the instance's folder");
        let mut asterisk = Asterisk {
            version: self.version,
            ports,
            uid,
            gid,
            layout: self.layout,
            cert,
            key,
            root,
            low_ports: self.low_ports,
            jail: None,
            folder,
        };
        asterisk.spawn();
        asterisk.booted();
        asterisk
    }

    /// Writes the configuration into a folder.
    pub(super) fn configure(&self, etc: &Path, scene: &conf::Scene<'_>) {
        let files = conf::files(self, scene);
        if let Some(furnish) = self.packaged {
            let copied = Command::new("cp").arg("-a").arg(scene.root.join("etc/asterisk/.")).arg(etc).status().expect("cp");
            assert!(copied.success());
            for (name, text) in files.iter().filter(|(name, _)| ["asterisk.conf", "logger.conf", "rtp.conf"].contains(name)) {
                put(etc, name, text);
            }
            let manager = fs::read_to_string(etc.join("manager.conf")).expect("the package's manager.conf");
            put(etc, "manager.conf", &manager.replace("port = 5038", &format!("port = {}", scene.ports.ami)));
            put(etc, "manager.d/lab.conf", &format!("[admin]\nsecret={SECRET}\nread=all\nwrite=all\n"));
            return furnish(etc, scene.ports, (scene.cert, scene.key));
        }
        for (name, text) in files {
            put(etc, name, &text);
        }
        if self.stamp {
            put(etc, "starkeeper.stamp", "; touched before a healing reload\n");
        }
        for (name, text) in &self.files {
            put(etc, name, text);
        }
    }
}

fn put(etc: &Path, name: &str, text: &str) {
    fs::write(etc.join(name), text).unwrap_or_else(|error| panic!("{name}: {error}"));
}

const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "pbx.example.com"];
