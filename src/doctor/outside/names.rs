//! The address's host → the IP addresses that it has, in the order in which this machine would try them. Refuses more of them than any sane
//! name has.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use tokio::{net::lookup_host, time::timeout};

use super::Question;
use crate::{
    diagnosis::{Code, Finding},
    doctor::Notebook,
};

/// Each takes its part of the time.
const MOST_ADDRESSES: usize = 8;

/// `None`: there is nowhere to go, and the notebook says why.
pub(super) async fn resolve(book: &mut Notebook<'_>, question: &Question) -> Option<Vec<SocketAddr>> {
    let mut step = book.begin("dns");
    let (host, port) = match &question.connect {
        Some(instead) => (instead.host.as_str(), instead.port),
        None => (question.aim.host.as_str(), question.aim.port),
    };
    step.note("name", host);
    if question.connect.is_some() {
        step.note("insteadOf", question.aim.host.as_str());
    }
    let found = match host.parse::<IpAddr>() {
        Ok(ip) => Ok(vec![SocketAddr::new(ip, port)]),
        Err(_) => look_up(host, port, question).await,
    };
    let found = match found {
        Ok(found) if !found.is_empty() => Some(found),
        Ok(_) => {
            book.find(failed(question, host, "the name has no address"));
            None
        }
        Err(reason) => {
            book.find(failed(question, host, &reason));
            None
        }
    };
    if let Some(found) = &found {
        step.note("addresses", found.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>());
    }
    book.end(step);
    found
}

async fn look_up(host: &str, port: u16, question: &Question) -> Result<Vec<SocketAddr>, String> {
    let found: io::Result<Vec<SocketAddr>> = match timeout(question.timeout, lookup_host((host, port))).await {
        Err(_) => return Err(format!("no answer within {} ms", question.timeout.as_millis())),
        Ok(found) => found.map(Iterator::collect),
    };
    let mut addresses = Vec::new();
    for address in found.map_err(|error| error.to_string())? {
        if !addresses.contains(&address) && addresses.len() < MOST_ADDRESSES {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

fn failed(question: &Question, host: &str, reason: &str) -> Finding {
    Finding::new(Code::DnsFailed).with("address", format!("{host}:{}", question.aim.port)).with("name", host).with("found", reason)
}
