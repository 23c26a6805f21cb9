//! Asterisk's configuration for a container of its own, as a folder to mount at /etc/asterisk: the lab's, on the usual ports, with Debian's
//! own folders. AMI listens where the test says, and lets in whom the README lets in.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::{Builder, Ports, SECRET, Version, conf};

/// Who reaches AMI.
#[derive(Clone, Copy, Debug)]
pub enum Ami {
    /// The same network namespace alone.
    Loopback,
    /// Docker's networks.
    Bridge,
}

/// Writes the folder, for a certificate and a key at these paths inside the container.
pub fn configure(etc: &Path, cert: impl Into<PathBuf>, key: impl Into<PathBuf>, ami: Ami) {
    fs::create_dir_all(etc).unwrap();
    fs::set_permissions(etc, fs::Permissions::from_mode(0o755)).unwrap();
    let (bind, permit) = match ami {
        Ami::Loopback => ("127.0.0.1", "127.0.0.1/255.255.255.255"),
        Ami::Bridge => ("0.0.0.0", "172.16.0.0/255.240.0.0"),
    };
    let manager = format!(
        "[general]\n#tryinclude starkeeper.absent\nenabled=yes\nport=5038\nbindaddr={bind}\n\
         [starkeeper]\nsecret={SECRET}\nread=system\nwrite=system\ndeny=0.0.0.0/0.0.0.0\npermit={permit}\n"
    );
    let root = Version::V22.root();
    let modules = conf::module_folder(&root);
    let asterisk = format!("[directories]\nastetcdir => /etc/asterisk\nastmoddir => {modules}\n[options]\nverbose = 3\n");
    let wish = Builder::new(Version::V22).bind("0.0.0.0").file("manager.conf", &manager).file("asterisk.conf", &asterisk);
    let (ports, cert, key) = (Ports::usual(), cert.into(), key.into());
    wish.configure(etc, &conf::Scene { folder: Path::new("/etc"), root: &root, ports: &ports, cert: &cert, key: &key });
}
