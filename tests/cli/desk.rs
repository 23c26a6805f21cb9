//! Where the tests of the command line sit: the binary in an environment that says nothing, and an agent of cardboard for pages that must
//! not change from run to run.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    thread,
};

use assert_cmd::Command;

/// `starkeeper` with these arguments, and nothing of the caller's environment that could matter.
pub(crate) fn starkeeper(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_starkeeper"));
    let ours = |name: &str| {
        name.starts_with("STARKEEPER_")
            || ["LANG", "LC_ALL", "LC_MESSAGES", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"].contains(&name)
    };
    for (name, _) in std::env::vars().filter(|(name, _)| ours(name)) {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

/// Exit status, stdout, stderr.
pub(crate) fn told(command: &mut Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().expect("it exits by itself"), text(output.stdout), text(output.stderr))
}

/// Answers every request with these lines, for as long as the test runs.
pub(crate) fn cardboard(status: &'static str, body: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = [0; 1024];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes());
        }
    });
    address
}
