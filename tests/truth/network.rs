//! Scenes in which the phone does not come as far as Asterisk, or Asterisk is not there.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket},
    runtime::{self, Runtime},
};

use super::{
    lab::NOWHERE,
    stage::{Fate::Fail1006, Row, row},
    support::until,
};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("the name leads nowhere", Fail1006, "dns-failed")
            .pair(|lab| lab.authority.issue(&[NOWHERE]))
            .set(|stage| stage.url = format!("wss://{NOWHERE}:{}/ws", stage.asterisk.ports.wss)),
        row("Asterisk is dead", Fail1006, "tcp-refused").set(|stage| stage.asterisk.kill()),
        row("Asterisk is frozen", Fail1006, "tls-failed").silent().set(|stage| stage.asterisk.stop()),
        row("packets vanish", Fail1006, "tcp-timeout").silent().set(|stage| {
            let port = stage.spare();
            stage.keep(BlackHole::at((Ipv4Addr::LOCALHOST, port).into()));
            stage.port(port);
        }),
    ]
}

/// A listener whose queue is full, so that the kernel drops what would open a further connection.
struct BlackHole {
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
    _runtime: Runtime,
}

impl BlackHole {
    fn at(address: SocketAddr) -> Self {
        let runtime = runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let entered = runtime.enter();
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(address).unwrap();
        let listener = socket.listen(0).unwrap();
        drop(entered);
        let mut waiting = Vec::new();
        until(Duration::from_secs(20), "a full queue", || match TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
            Ok(stream) => {
                waiting.push(stream);
                false
            }
            Err(_) => true,
        });
        Self { _listener: listener, _waiting: waiting, _runtime: runtime }
    }
}
