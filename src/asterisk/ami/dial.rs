//! Settings → a wire to AMI: name resolution, TCP, and TLS where it is set. Each step has its own timeout and its own fault.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::{
    AmiConnect, AmiOverTls,
    fault::{Fault, Stage},
};
use crate::settings::Address;

/// Most addresses of one name that are tried, so that each gets a fair part of the time.
const ADDRESSES_LIMIT: usize = 4;

/// Whatever bytes travel over.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// How a wire is had: by dialling; in tests, from a script.
pub(super) trait Reach: Send + Sync + 'static {
    /// One attempt.
    fn reach(&self) -> impl Future<Output = Result<Box<dyn Wire>, Fault>> + Send;
}

impl Reach for AmiConnect {
    async fn reach(&self) -> Result<Box<dyn Wire>, Fault> {
        let addresses = resolve(&self.address, self.timeout).await?;
        let tcp = connect(&addresses, self.timeout).await?;
        // An action is one small write: it must not wait for the acknowledgement of the one before.
        tcp.set_nodelay(true).map_err(|error| Fault::Refused(error.to_string()))?;
        match &self.tls {
            None => Ok(Box::new(tcp)),
            Some(tls) => Ok(Box::new(shake_hands(tls, tcp, self.timeout).await?)),
        }
    }
}

async fn resolve(address: &Address, within: Duration) -> Result<Vec<SocketAddr>, Fault> {
    if let Ok(ip) = address.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, address.port)]);
    }
    let found = timeout(within, lookup_host((address.host.as_str(), address.port)))
        .await
        .map_err(|_| Fault::Timeout { stage: Stage::Resolve, after: within })?
        .map_err(|error| Fault::Unresolved(error.to_string()))?
        .take(ADDRESSES_LIMIT)
        .collect::<Vec<_>>();
    if found.is_empty() { Err(Fault::Unresolved("the name has no address".to_owned())) } else { Ok(found) }
}

/// Tries one address after the other; what is told is what the last one said.
async fn connect(addresses: &[SocketAddr], within: Duration) -> Result<TcpStream, Fault> {
    let each = within / u32::try_from(addresses.len().max(1)).unwrap_or(1);
    let mut fault = Fault::Unresolved("the name has no address".to_owned());
    for address in addresses {
        match timeout(each, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => return Ok(tcp),
            Ok(Err(error)) => fault = Fault::Refused(error.to_string()),
            Err(_) => fault = Fault::Timeout { stage: Stage::Connect, after: within },
        }
    }
    Err(fault)
}

async fn shake_hands(tls: &AmiOverTls, tcp: TcpStream, within: Duration) -> Result<impl Wire + 'static, Fault> {
    timeout(within, TlsConnector::from(tls.config.clone()).connect(tls.server_name.clone(), tcp))
        .await
        .map_err(|_| Fault::Timeout { stage: Stage::Tls, after: within })?
        .map_err(|error: io::Error| Fault::Tls(error.to_string()))
}
