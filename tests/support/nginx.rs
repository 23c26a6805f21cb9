//! A real nginx between a browser and Asterisk, in one process of its own, gone on drop. What enters: the text of its `server` blocks, and
//! the pair that it serves with. Refuses, by failing the test with what it said: a configuration that it does not take.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use super::{asterisk::cache, bound, certs::Pair, launch, until};

/// A running nginx.
#[derive(Debug)]
pub struct Nginx {
    child: Child,
    folder: TempDir,
    address: SocketAddr,
}

impl Nginx {
    /// Starts it with a `server` of TLS at `address`, which serves with `pair` and holds `server` besides; returns once it accepts connections.
    pub fn start(address: SocketAddr, pair: &Pair, server: &str) -> Self {
        Self::start_with(address, Some(pair), server)
    }

    /// The same, in cleartext.
    pub fn plain(address: SocketAddr, server: &str) -> Self {
        Self::start_with(address, None, server)
    }

    fn start_with(address: SocketAddr, pair: Option<&Pair>, server: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("starkeeper-nginx-").tempdir().unwrap();
        let mut tls = String::new();
        if let Some(pair) = pair {
            fs::write(folder.path().join("tls.crt"), &pair.cert_pem).unwrap();
            fs::write(folder.path().join("tls.key"), &pair.key_pem).unwrap();
            tls.push_str("ssl_certificate tls.crt; ssl_certificate_key tls.key;");
        }
        let ssl = if pair.is_some() { " ssl" } else { "" };
        let conf = format!("{GENERAL}  server {{\n    listen {address}{ssl};\n    {tls}\n{server}\n  }}\n}}\n");
        fs::write(folder.path().join("nginx.conf"), conf).unwrap();
        let child = launch(program_in(folder.path())).expect("setpriv of util-linux");
        let mut nginx = Self { child, folder, address };
        nginx.listens();
        nginx
    }

    fn listens(&mut self) {
        let address = self.address;
        until(Duration::from_secs(20), "nginx", || {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("nginx ended with {status}: {}", self.log());
            }
            TcpStream::connect(address).is_ok()
        });
    }

    /// Ends it and starts it anew with what its configuration says now: a single process reloads nothing.
    pub fn restart(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.child = launch(program_in(self.folder.path())).expect("setpriv of util-linux");
        self.listens();
    }

    /// Its configuration file.
    pub fn conf(&self) -> PathBuf {
        self.folder.path().join("nginx.conf")
    }

    /// The program with what leads it to this instance: for `-t` and `-s reload`.
    pub fn command(&self) -> String {
        format!("{} -p {} -c nginx.conf -e stderr", program().display(), self.folder.path().display())
    }

    /// What it has said of errors.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("said")).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a proxy before `/ws` needs, and what is left out at most: HTTP/1.1 and both headers of the upgrade.
pub const UPGRADE: &str = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\"; \
                           proxy_set_header Host $host;";

/// One process, which holds all that it writes in its own folder.
const GENERAL: &str = "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr;\nevents { worker_connections 64; }\nhttp {\n  \
                       access_log off;\n  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; \
                       scgi_temp_path scgi;\n";

fn program_in(folder: &Path) -> Command {
    let said = File::create(folder.join("said")).unwrap();
    let mut command = bound(program());
    command.arg("-p").arg(folder).args(["-c", "nginx.conf", "-e", "stderr"]);
    command.stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said);
    command
}

fn program() -> PathBuf {
    let own = cache().join("nginx/usr/sbin/nginx");
    let there = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"].map(PathBuf::from).into_iter().chain([own]);
    there.into_iter().find(|path| path.exists()).expect("nginx: run tests/lab/nginx.sh")
}
