//! Staged mode: from kubelet's swap of `..data` to the agent's word that browsers get what it published, against the bare floor. Between the
//! two lies what staging adds: a judged pair is written beside the last one, swapped in by one rename, and read back as Asterisk will read
//! it. The folder is on tmpfs, as an `emptyDir` with `medium: Memory` is: a key on a disk outlives its certificate.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::{
    Effort,
    rotation::{Measured, measure},
    support::{
        asterisk::{Asterisk, BOTH, Version},
        certs::{Authority, Layout},
    },
    table::Table,
};

pub(super) fn bench(effort: Effort, table: &mut Table) {
    for version in BOTH {
        one(version, effort.rotations, table);
    }
}

fn one(version: Version, rounds: usize, table: &mut Table) {
    table.heading(&format!("Staged on Asterisk {}: swapped in the Secret → published on tmpfs → proved on the wire", version.number()));
    let authority = Authority::new();
    let memory = tempfile::Builder::new().prefix("starkeeper-bench-").tempdir_in("/dev/shm").expect("a folder on tmpfs");
    fs::set_permissions(memory.path(), fs::Permissions::from_mode(0o711)).expect("a folder of our own");
    let published = memory.path().join("tls");
    let pair = authority.issue(&["pbx.example.com"]);
    let build = Asterisk::build(version).layout(Layout::DataSwap).pair(&pair);
    let asterisk = build.paths(published.join("fullchain.pem"), published.join("privkey.pem")).start();
    // All but the certificate's paths: what is watched is not what Asterisk reads.
    let all = asterisk.settings();
    let others: Vec<&str> = all.lines().filter(|line| !line.starts_with("certificate:")).collect();
    let (tls, layout) = (asterisk.tls(), asterisk.layout);
    let settings = format!(
        "{}\ncertificate: {{cert: {}, key: {}, trust: none, publish: {{directory: {}, uid: {}, gid: {}, mode: \"0440\"}}}}\n",
        others.join("\n"),
        layout.cert(&tls).display(),
        layout.key(&tls).display(),
        published.display(),
        asterisk.uid,
        asterisk.gid
    );
    measure(&Measured { kept: &asterisk, settings: &settings, authority: &authority, limit: 2.0 }, rounds, table);
}
