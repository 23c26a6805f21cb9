//! Settings → a running agent: owns the runtime, the signals, the HTTP listener and the drain. The driver owns the rest.

pub mod notify;
pub mod publish;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::{Semaphore, mpsc, oneshot, watch},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::{info, warn};

#[cfg(feature = "kubernetes")]
use crate::kubernetes::{Place, Room};
use crate::{
    dispatch,
    driver::{ClusterLink, Driver, Inbox, Trusted},
    material::anchors::{self, AnchorsError},
    report::{
        Status,
        http::{self, Sources},
    },
    settings::Settings,
};

/// Why the agent could not run.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The runtime or a signal handler could not be had.
    #[error("start: {0}")]
    Start(#[source] io::Error),
    /// The trust anchors could not be read.
    #[error("{0}")]
    Anchors(#[from] AnchorsError),
    /// The agent's own port is taken, or is not ours.
    #[error("listen on {address} (http.listen): {error}")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// What the system says.
        #[source]
        error: io::Error,
    },
}

/// Runs the agent until SIGTERM or SIGINT; a second one ends it at once.
///
/// # Errors
/// Whatever keeps it from starting.
pub fn run(settings: Settings) -> Result<(), Failure> {
    let runtime = runtime()?;
    let end = runtime.block_on(agent(settings));
    // A read from a dead network share may hold its thread for minutes; nobody waits for what it finds.
    runtime.shutdown_background();
    end
}

/// Runs the agent until `over` says so of its status, until `within` has passed or a signal comes; gives the last status.
///
/// # Errors
/// Whatever keeps it from starting.
pub fn once(settings: Settings, within: Duration, over: impl Fn(&Status) -> bool) -> Result<Arc<Status>, Failure> {
    let runtime = runtime()?;
    let last = runtime.block_on(async {
        let stop = CancellationToken::new();
        let _signals = AbortOnDropHandle::new(tokio::spawn(heed(terminations()?, stop.clone())));
        let deadline = stop.clone();
        let _deadline = AbortOnDropHandle::new(tokio::spawn(async move {
            tokio::time::sleep(within).await;
            deadline.cancel();
        }));
        let anchors = trusted(&settings)?;
        let (_look, look) = mpsc::channel(1);
        let (_pulse, pulse) = mpsc::channel(1);
        let (driver, _status) = Driver::new(settings, anchors, None);
        Ok(driver.run(Inbox { look, pulse, stop }, over).await)
    });
    runtime.shutdown_background();
    last
}

/// Whom the settings trust.
///
/// # Errors
/// A file of authorities cannot be read.
pub fn trusted(settings: &Settings) -> Result<Trusted, Failure> {
    let ami = match &settings.asterisk.ami.tls {
        Some(tls) => anchors::load(&tls.trust)?,
        None => None,
    };
    Ok(Trusted { browsers: anchors::load(&settings.certificate.trust)?, ami })
}

/// One thread is enough, and costs a megabyte less.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    // Fails only where a provider is there already, which serves as well.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::Start)
}

async fn agent(settings: Settings) -> Result<(), Failure> {
    let stop = CancellationToken::new();
    let anchors = trusted(&settings)?;
    let listener = bind(settings.http.listen).await?;
    let signals = AbortOnDropHandle::new(tokio::spawn(heed(terminations()?, stop.clone())));
    let (look_again, look) = mpsc::channel(1);
    let hangup = signal(SignalKind::hangup()).map_err(Failure::Start)?;
    let hangups = AbortOnDropHandle::new(tokio::spawn(forward(hangup, look_again)));
    let (pulse, pulses) = mpsc::channel(8);
    let (room, link) = cluster(&settings);
    let (telling, delivery) = dispatch::Room::new(&settings, dispatch::place(&settings, |name| std::env::var(name).ok())).unzip();
    let (driver, status) = Driver::new(settings, anchors, link);
    let driver = driver.with_delivery(delivery);
    let telling = telling.map(|room| room.spawn(&status));
    let tasks = room.map(|room| room.spawn(&status));
    if let Ok(address) = listener.local_addr() {
        info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");
    }
    let server = AbortOnDropHandle::new(tokio::spawn(serve(listener, status, pulse, stop.clone())));
    let last = driver.run(Inbox { look, pulse: pulses, stop: stop.clone() }, |_| false).await;
    stop.cancel();
    let told = async {
        if let Some(telling) = telling {
            telling.drain().await;
        }
    };
    let (served, ()) = tokio::join!(tokio::time::timeout(DRAIN, server), told);
    if served.is_err() {
        warn!("a client of the health endpoints held on; it is cut off");
    }
    drop((signals, hangups, tasks));
    info!(proved = last.counts.proved, rejected = last.counts.rejected, "stopped");
    Ok(())
}

/// The cluster, where there is one and something is wanted of it.
#[cfg(feature = "kubernetes")]
fn cluster(settings: &Settings) -> (Option<Room>, Option<ClusterLink>) {
    let place = Place::find(&|name| std::env::var(name).ok(), &|path| std::fs::read(path));
    place.and_then(|place| Room::new(place, &settings.kubernetes)).unzip()
}

#[cfg(not(feature = "kubernetes"))]
fn cluster(_: &Settings) -> (Option<Room>, Option<ClusterLink>) {
    (None, None)
}

/// What there is of the room where it was left out of the program: nothing.
#[cfg(not(feature = "kubernetes"))]
enum Room {}

#[cfg(not(feature = "kubernetes"))]
impl Room {
    fn spawn(self, _: &watch::Receiver<Arc<Status>>) {
        match self {}
    }
}

/// Clients of the health endpoints get this long to read their answer.
const DRAIN: Duration = Duration::from_millis(300);

/// `[::]` serves IPv4 too; where the kernel has no IPv6, `0.0.0.0` is what was meant.
async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(error) if address.is_ipv6() && address.ip().is_unspecified() && error.kind() != io::ErrorKind::AddrInUse => {
            let plain = SocketAddr::from(([0, 0, 0, 0], address.port()));
            TcpListener::bind(plain).await.map_err(|_| Failure::Listen { address, error })
        }
        Err(error) => Err(Failure::Listen { address, error }),
    }
}

async fn serve(
    listener: TcpListener,
    status: watch::Receiver<Arc<Status>>,
    pulse: mpsc::Sender<oneshot::Sender<()>>,
    stop: CancellationToken,
) {
    let sources = Sources { status, pulse, stop: stop.clone(), listeners: Arc::new(Semaphore::new(http::LISTENERS)) };
    let served = axum::serve(listener, http::router(sources)).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = served.await {
        warn!(%error, "the health endpoints ended");
    }
}

fn terminations() -> Result<[Signal; 2], Failure> {
    let listen = |kind| signal(kind).map_err(Failure::Start);
    Ok([listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?])
}

/// The first signal drains; the second ends the process.
async fn heed([mut terminate, mut interrupt]: [Signal; 2], stop: CancellationToken) {
    for asked in 1.. {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        if asked > 1 {
            std::process::exit(1);
        }
        stop.cancel();
    }
}

async fn forward(mut hangup: Signal, look_again: mpsc::Sender<()>) {
    while hangup.recv().await.is_some() {
        // One that waits already asks for the same.
        let _ = look_again.try_send(());
    }
}
