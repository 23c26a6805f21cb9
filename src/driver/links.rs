//! The tasks that the driver listens to: the watch of the files and the connection to AMI.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use rustls_pki_types::ServerName;
use secrecy::SecretString;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use zeroize::Zeroizing;

use super::Trusted;
use crate::{
    asterisk::ami::{self, AmiConnect, AmiEvent, AmiOverTls, Client},
    material::{self, LookAgain, MaterialEvent},
    plan::{AmiPlan, Plan},
    proof,
    settings::{self, ProbeSettings, Settings},
};

/// The watch of the files, and what comes of it.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) events: mpsc::Receiver<MaterialEvent>,
    pub(super) hints: mpsc::Sender<LookAgain>,
    pub(super) _task: AbortOnDropHandle<()>,
}

/// The connection to AMI, and what it tells.
#[derive(Debug)]
pub struct Link {
    /// To ask by.
    pub client: Client,
    /// What it tells of its own accord.
    pub events: mpsc::Receiver<AmiEvent>,
    pub(super) _task: AbortOnDropHandle<()>,
}

pub(super) fn watch_files(plan: &Plan, settings: &Settings) -> Watched {
    let (hints, asked) = mpsc::channel(1);
    let (sender, events) = mpsc::channel(QUEUE);
    let rescan = settings.probe.interval.max(RESCAN);
    let task = tokio::spawn(material::watch(plan.sources.clone(), rescan, asked, sender));
    Watched { events, hints, _task: AbortOnDropHandle::new(task) }
}

/// Connects, and goes on trying until it is dropped.
pub fn link(plan: &AmiPlan, probe: &ProbeSettings, anchors: &Trusted) -> Link {
    let tls = plan.tls.as_ref().map(|tls| {
        let name = tls.server_name.clone().unwrap_or_else(|| plan.address.host.clone());
        let unnamed = ServerName::from(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        AmiOverTls { config: Arc::new(proof::client_config(anchors.ami.as_ref())), server_name: name.try_into().unwrap_or(unnamed) }
    });
    let connect = AmiConnect {
        address: plan.address.clone(),
        username: plan.username.clone(),
        secret: secret(plan).unwrap_or_default(),
        secret_file: plan.secret_file.clone(),
        auth: plan.auth,
        tls,
        timeout: probe.timeout,
        keepalive: probe.interval,
    };
    let (sender, events) = mpsc::channel(QUEUE);
    let (client, work) = ami::client(connect, sender);
    Link { client, events, _task: AbortOnDropHandle::new(tokio::spawn(work)) }
}

/// As its file has it now, where it is of a file.
fn secret(plan: &AmiPlan) -> Option<SecretString> {
    let read = |file| fs::read(file).ok().map(Zeroizing::new).and_then(|bytes| settings::secret_in_file(&bytes));
    plan.secret_file.as_ref().and_then(read).or_else(|| plan.secret.clone())
}

/// How often the files are looked at without a hint.
const RESCAN: Duration = Duration::from_secs(30);
const QUEUE: usize = 64;
