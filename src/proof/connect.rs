//! `host:port` → a TCP connection to the first address that takes one. Refuses to wait longer than the stage's time for the name and
//! for all addresses together, so that one address that swallows packets (IPv6 without a route) leaves time for the next.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use rustix::io::Errno;
use tokio::{
    net::{TcpSocket, TcpStream, lookup_host},
    time::timeout,
};

use super::trial::Trial;
use crate::diagnosis::{Code, Finding};

/// More addresses than any sane name has; each would take its part of the time.
const MOST_ADDRESSES: usize = 8;

/// Connects, with Nagle's algorithm off.
///
/// # Errors
/// `dns-failed`, `tcp-refused` or `tcp-timeout`; the last two list what every address did. Where this process could not even try (no
/// descriptor left), that is no refusal.
pub(super) async fn connect(trial: &Trial<'_>) -> Result<TcpStream, Finding> {
    let addresses = resolve(trial).await?;
    let mut tried = Vec::with_capacity(addresses.len());
    let mut refused = false;
    for (index, &address) in addresses.iter().enumerate() {
        match attempt(address, share(trial, addresses.len() - index)).await {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                refused |= !silent(&error) && !exhausted(&error);
                tried.push(format!("{address}: {}", words(&error)));
            }
        }
    }
    // One address that refuses says more than another that is silent: something is there, and it does not listen.
    let code = if refused { Code::TcpRefused } else { Code::TcpTimeout };
    Err(trial.finding(code, tried.join("; ")))
}

async fn resolve(trial: &Trial<'_>) -> Result<Vec<SocketAddr>, Finding> {
    let address = &trial.target.address;
    if let Ok(ip) = address.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, address.port)]);
    }
    match timeout(trial.target.timeout, lookup_host((address.host.as_str(), address.port))).await {
        Err(_) => Err(trial.silence(Code::DnsFailed).with("name", address.host.as_str())),
        Ok(Err(error)) => Err(trial.finding(Code::DnsFailed, error.to_string()).with("name", address.host.as_str())),
        Ok(Ok(found)) => {
            let found: Vec<_> = found.take(MOST_ADDRESSES).collect();
            if found.is_empty() {
                Err(trial.finding(Code::DnsFailed, "the name has no address").with("name", address.host.as_str()))
            } else {
                Ok(found)
            }
        }
    }
}

/// What is left of the stage's time, in equal parts for the addresses that are left.
fn share(trial: &Trial<'_>, addresses: usize) -> Duration {
    let left = trial.target.timeout.saturating_sub(trial.elapsed());
    left / u32::try_from(addresses).unwrap_or(u32::MAX).max(1)
}

async fn attempt(address: SocketAddr, limit: Duration) -> io::Result<TcpStream> {
    let stream = timeout(limit, open(address)).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// On loopback, from an address that nobody else comes from. Asterisk 16.28 removes the contact of a phone when another WebSocket from the
/// same IP address closes (ran): behind a proxy on the same host that could be all phones. Where the system gives no such address (Linux gives all of 127.0.0.0/8), any will do.
async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    if matches!(address.ip(), IpAddr::V4(ip) if ip.is_loopback()) {
        let socket = TcpSocket::new_v4()?;
        if socket.bind(SocketAddr::from((OWN, 0))).is_ok() {
            return socket.connect(address).await;
        }
    }
    TcpStream::connect(address).await
}

/// `S`, `K`
const OWN: Ipv4Addr = Ipv4Addr::new(127, 83, 75, 1);

fn silent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable)
}

/// What this process or this machine has no more of says nothing of the other side: calling that a refusal would ask for a reload.
fn exhausted(error: &io::Error) -> bool {
    const LACKING: [Errno; 5] = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS, Errno::ADDRNOTAVAIL];
    LACKING.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

fn words(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::ConnectionRefused {
        "refused: nothing listens there".to_owned()
    } else if error.kind() == io::ErrorKind::TimedOut {
        "no answer in time".to_owned()
    } else {
        error.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_process_lacks_is_no_refusal() {
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS, Errno::ADDRNOTAVAIL] {
            assert!(exhausted(&errno.into()), "{errno}");
        }
        assert!(!exhausted(&Errno::CONNREFUSED.into()));
        assert!(!exhausted(&io::Error::from(io::ErrorKind::TimedOut)));
    }
}
