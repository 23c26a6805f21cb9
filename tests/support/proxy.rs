//! A real proxy between a browser and Asterisk, in one process of its own, gone on drop. What enters: which one, the lines of its
//! configuration that matter, and the pair that it serves with. Refuses, by failing the test with what it said: a configuration that it does
//! not take.

use std::{
    ffi::OsString,
    fs::{self, File},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use super::{asterisk::cache, bound, certs::Pair, launch, until};

/// Those that are looked at here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Lines are those of a `server`.
    Nginx,
    /// Lines are those of the main server.
    Apache,
    /// Lines are those that follow `bind` in a `frontend`.
    Haproxy,
    /// Lines are those of a site.
    Caddy,
}

/// A running one.
#[derive(Debug)]
pub struct Proxy {
    kind: Kind,
    child: Child,
    folder: TempDir,
    address: SocketAddr,
}

impl Proxy {
    /// Starts it with TLS at `address`, where it serves with `pair` and does what `lines` say; returns once it accepts connections.
    pub fn start(kind: Kind, address: SocketAddr, pair: &Pair, lines: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("starkeeper-proxy-").tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        put("tls.crt", &pair.cert_pem);
        put("tls.key", &pair.key_pem);
        put("tls.pem", &format!("{}{}", pair.cert_pem, pair.key_pem));
        Self::run(kind, address, folder, &kind.conf(address, true, lines))
    }

    /// An nginx in cleartext.
    pub fn plain(address: SocketAddr, lines: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("starkeeper-proxy-").tempdir().unwrap();
        Self::run(Kind::Nginx, address, folder, &Kind::Nginx.conf(address, false, lines))
    }

    fn run(kind: Kind, address: SocketAddr, folder: TempDir, conf: &str) -> Self {
        fs::write(folder.path().join(CONF), conf).unwrap();
        let child = launch(kind.program_in(folder.path())).expect("setpriv of util-linux");
        let mut proxy = Self { kind, child, folder, address };
        proxy.listens();
        proxy
    }

    fn listens(&mut self) {
        let address = self.address;
        until(Duration::from_secs(20), "the proxy", || {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("{:?} ended with {status}: {}", self.kind, self.log());
            }
            TcpStream::connect(address).is_ok()
        });
    }

    /// Ends it and starts it anew with what its configuration says now: a single process reloads nothing.
    pub fn restart(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.child = launch(self.kind.program_in(self.folder.path())).expect("setpriv of util-linux");
        self.listens();
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its configuration file.
    pub fn conf(&self) -> PathBuf {
        self.folder.path().join(CONF)
    }

    /// Whether it takes what its configuration says now; with what it says of it.
    pub fn check(&self) -> Result<(), String> {
        let mut command = Command::new(self.kind.program());
        command.current_dir(self.folder.path()).env("LD_LIBRARY_PATH", libraries());
        command.args(self.kind.check()).args(self.kind.arguments(self.folder.path()));
        let output = command.output().unwrap();
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    }

    /// What it has said of errors.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("said")).unwrap_or_default()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What nginx before `/ws` needs, and what is left out at most: HTTP/1.1 and both headers of the upgrade.
pub const UPGRADE: &str = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\"; \
                           proxy_set_header Host $host;";

const CONF: &str = "proxy.conf";

impl Kind {
    /// All of its configuration. One process, which holds all that it writes in its own folder.
    fn conf(self, address: SocketAddr, tls: bool, lines: &str) -> String {
        match self {
            Self::Nginx => {
                let (ssl, pair) = if tls { (" ssl", "ssl_certificate tls.crt; ssl_certificate_key tls.key;") } else { ("", "") };
                format!(
                    "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr;\nevents {{ worker_connections 64; }}\nhttp {{\n  \
                     access_log off;\n  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; \
                     scgi_temp_path scgi;\n  server {{\n    listen {address}{ssl};\n    {pair}\n{lines}\n  }}\n}}\n"
                )
            }
            Self::Apache => {
                let folder = self.root().join("usr/lib/apache2/modules");
                let load = |module: &&str| format!("LoadModule {module}_module {}/mod_{module}.so\n", folder.display());
                let modules: String = APACHE_MODULES.iter().map(load).collect();
                format!(
                    "{modules}PidFile apache.pid\nUser #65534\nGroup #65534\nServerName pbx.example.com\nErrorLog /dev/stderr\nListen {address}\n\
                     SSLEngine on\nSSLCertificateFile tls.crt\nSSLCertificateKeyFile tls.key\n{lines}\n"
                )
            }
            Self::Haproxy => format!(
                "defaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\nfrontend wss\n  \
                 bind {address} ssl crt tls.pem\n{lines}\n"
            ),
            Self::Caddy => format!(
                "{{\n  admin off\n  auto_https off\n}}\nhttps://:{port} {{\n  bind {ip}\n  tls tls.crt tls.key\n{lines}\n}}\n",
                port = address.port(),
                ip = address.ip()
            ),
        }
    }

    /// How it is led to its configuration.
    fn arguments(self, folder: &Path) -> Vec<OsString> {
        let folder = folder.as_os_str();
        let words: Vec<&std::ffi::OsStr> = match self {
            Self::Nginx => vec!["-p".as_ref(), folder, "-c".as_ref(), CONF.as_ref(), "-e".as_ref(), "stderr".as_ref()],
            Self::Apache => vec!["-d".as_ref(), folder, "-f".as_ref(), CONF.as_ref()],
            Self::Haproxy => vec!["-C".as_ref(), folder, "-f".as_ref(), CONF.as_ref()],
            Self::Caddy => vec!["--config".as_ref(), CONF.as_ref(), "--adapter".as_ref(), "caddyfile".as_ref()],
        };
        words.into_iter().map(OsString::from).collect()
    }

    /// What has it stay in the foreground.
    fn foreground(self) -> &'static [&'static str] {
        match self {
            Self::Nginx => &[],
            Self::Apache => &["-X"],
            Self::Haproxy => &["-db"],
            Self::Caddy => &["run"],
        }
    }

    /// What has it only read its configuration.
    fn check(self) -> &'static [&'static str] {
        match self {
            Self::Nginx | Self::Apache => &["-t"],
            Self::Haproxy => &["-c"],
            Self::Caddy => &["validate"],
        }
    }

    fn program_in(self, folder: &Path) -> Command {
        let said = File::create(folder.join("said")).unwrap();
        let mut command = bound(self.program());
        command.args(self.foreground()).args(self.arguments(folder)).current_dir(folder);
        // Caddy keeps what it likes to keep below its home.
        command.env("LD_LIBRARY_PATH", libraries()).env("HOME", folder).env_remove("XDG_DATA_HOME").env_remove("XDG_CONFIG_HOME");
        command.stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said);
        command
    }

    fn program(self) -> PathBuf {
        let program = self.root().join(self.path());
        assert!(program.exists(), "{self:?}: run tests/lab/proxies.sh");
        program
    }

    /// The host, or the lab's own folder.
    fn root(self) -> PathBuf {
        let host = PathBuf::from("/");
        if host.join(self.path()).exists() { host } else { own() }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Nginx => "usr/sbin/nginx",
            Self::Apache => "usr/sbin/apache2",
            Self::Haproxy => "usr/sbin/haproxy",
            Self::Caddy => "usr/bin/caddy",
        }
    }
}

const APACHE_MODULES: &[&str] =
    &["mpm_event", "authz_core", "socache_shmcb", "ssl", "alias", "rewrite", "headers", "proxy", "proxy_http", "proxy_wstunnel"];

fn own() -> PathBuf {
    cache().join("proxies")
}

/// What came with the lab's own, for whoever lacks it.
fn libraries() -> OsString {
    let folder = |below: &str| fs::read_dir(own().join(below)).into_iter().flatten().flatten().map(|entry| entry.path());
    let folders = ["usr/lib", "lib"].into_iter().flat_map(folder).filter(|path| path.to_string_lossy().ends_with("-linux-gnu"));
    std::env::join_paths(folders).unwrap()
}
