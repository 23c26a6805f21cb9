//! Ports of one instance's own. A block of 32 below the system's ephemeral range; the block's first port is kept bound as its lock,
//! which holds across test binaries that run at once and which the kernel releases however a test ends.

use std::{
    net::{Ipv4Addr, TcpListener, UdpSocket},
    ops::RangeInclusive,
    process,
    sync::atomic::{AtomicU16, Ordering},
};

/// The ports of one instance; taken for as long as this lives.
#[derive(Debug)]
pub struct Ports {
    /// HTTPS and `wss://`.
    pub wss: u16,
    /// Plain HTTP.
    pub http: u16,
    /// AMI.
    pub ami: u16,
    /// AMI over TLS (only where the builder asks for it).
    pub ami_tls: u16,
    /// SIP over UDP.
    pub sip_udp: u16,
    /// SIP over TLS (only where the builder asks for it).
    pub sip_tls: u16,
    /// chan_sip over UDP (only where the builder asks for it).
    pub chan_sip: u16,
    /// Nobody listens here: for what must be refused, or for a listener of the test's own.
    pub spare: RangeInclusive<u16>,
    /// Media.
    pub rtp: RangeInclusive<u16>,
    _lock: TcpListener,
}

impl Ports {
    /// Takes a free block.
    pub fn take() -> Self {
        // Where the search begins differs between processes, so that they seldom meet.
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let begin = (process::id() as u16).wrapping_mul(31) % BLOCKS;
        (0..BLOCKS)
            .find_map(|_| {
                let block = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % BLOCKS;
                Self::try_block(FIRST + block * SIZE)
            })
            .expect("a free block of 32 ports between 20000 and 32736")
    }

    /// Those that everybody knows, for an instance in a network of its own.
    pub fn usual() -> Self {
        Self {
            wss: 8089,
            http: 8088,
            ami: 5038,
            ami_tls: 5039,
            sip_udp: 5060,
            sip_tls: 5061,
            chan_sip: 5160,
            spare: 20_000..=20_007,
            rtp: 10_000..=10_100,
            _lock: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"),
        }
    }

    fn try_block(base: u16) -> Option<Self> {
        let lock = TcpListener::bind((Ipv4Addr::UNSPECIFIED, base)).ok()?;
        let free = (base + 1..base + SIZE)
            .all(|port| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok() && UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok());
        free.then(|| Self {
            wss: base + 1,
            http: base + 2,
            ami: base + 3,
            ami_tls: base + 4,
            sip_udp: base + 5,
            sip_tls: base + 6,
            chan_sip: base + 7,
            spare: base + 8..=base + 15,
            rtp: base + 16..=base + SIZE - 1,
            _lock: lock,
        })
    }
}

const FIRST: u16 = 20_000;
const SIZE: u16 = 32;
const BLOCKS: u16 = 398;
