//! A pjsip.conf as a large installation has it: endpoints, their auths and their aors, three sections each. How long the agent reads it
//! (it does so whenever Asterisk's files change), whether that grows with its size alone, and what the agent's memory peaks at when it starts
//! beside it. No Asterisk runs: only its files are read.

use std::{fmt::Write as _, fs, path::Path, time::Duration};

use starkeeper::asterisk::config::{self, AsteriskConfig};

use super::{
    Effort, process,
    support::agent::Agent,
    table::{Table, Times},
};

pub(super) fn bench(effort: Effort, table: &mut Table) {
    table.heading("A pjsip.conf with many endpoints, read from the disk (processor time)");
    let folder = tempfile::tempdir().expect("a folder");
    let rounds = effort.rotations.min(MOST);
    let mut each = Vec::new();
    for count in COUNTS {
        let bytes = write(folder.path(), count);
        let times = (0..rounds).map(|_| {
            // Of processor: nothing is waited for here but other programs' turns.
            let begun = process::cpu(std::process::id());
            let read = config::load(folder.path());
            let took = process::cpu(std::process::id()) - begun;
            assert_eq!(found(&read), (1, 1), "the transport, and the pair that all endpoints share");
            took
        });
        let times = Times::new(times.collect());
        let median = times.median();
        let name = format!("{count} endpoints, {:.1} MB", bytes as f64 / 1e6);
        if count == LARGEST {
            table.target(&name, &times.tell(), "≤ 500 ms", median <= Duration::from_millis(500));
        } else {
            table.row(&name, &times.tell());
        }
        each.push(median.as_secs_f64() / count as f64);
    }
    let ratio = each[COUNTS.len() - 1] / each[0];
    let detail = format!("{ratio:.2} × of what it takes with {} (there {})", COUNTS[0], nanos(each[0]));
    table.target(&format!("  for each of {LARGEST} endpoints"), &detail, "≤ 1.50 ×", ratio <= 1.5);
    let few = peak(folder.path(), 1);
    let many = peak(folder.path(), LARGEST);
    table.row(&format!("the agent's peak memory beside {LARGEST}"), &format!("{many:.1} MB, beside one {few:.1} MB"));
}

/// Transports and pairs for media.
fn found(config: &AsteriskConfig) -> (usize, usize) {
    config.pjsip.as_ref().map_or((0, 0), |pjsip| (pjsip.transports.len(), pjsip.dtls.len()))
}

/// VmHWM of an agent that has just read the folder, in megabytes.
fn peak(folder: &Path, count: usize) -> f64 {
    write(folder, count);
    let agent = Agent::start(&format!(
        "asterisk: {{configDir: {folder}, ami: {{address: \"127.0.0.1:1\", username: starkeeper, secretFile: {folder}/secret}}}}\n\
         certificate: {{cert: {folder}/cert.pem, key: {folder}/key.pem, trust: none}}\nwss: {{address: \"127.0.0.1:1\"}}\n\
         log: {{format: json, level: info}}\n",
        folder = folder.display()
    ));
    agent.wait("its first status", SOON, |status| status["phase"].is_string());
    process::memory(agent.pid()).peak as f64 / 1024.0
}

/// As provisioning tools write it: every endpoint in full, no templates. Gives its size.
pub(super) fn write(folder: &Path, count: usize) -> usize {
    let mut text = "[transport-wss]\ntype=transport\nprotocol=wss\nbind=0.0.0.0\n\n".to_owned();
    for number in 0..count {
        let written = write!(
            text,
            "[{number:06}]\ntype=endpoint\ncontext=internal\ndisallow=all\nallow=opus,ulaw\naors={number:06}\nauth=auth{number:06}\n\
             dtls_cert_file=/etc/asterisk/keys/media.pem\ndtls_private_key=/etc/asterisk/keys/media.key\nwebrtc=yes ; a browser\n\n\
             [auth{number:06}]\ntype=auth\nauth_type=userpass\nusername={number:06}\npassword=secret-{number:06}\n\n\
             [{number:06}]\ntype=aor\nmax_contacts=2\nremove_existing=yes\n\n"
        );
        written.expect("writing to a String cannot fail");
    }
    fs::write(folder.join("pjsip.conf"), &text).expect("a folder of our own");
    for (name, text) in [("http.conf", "[general]\nenabled=yes\n"), ("manager.conf", "[general]\nenabled=yes\n"), ("secret", "none\n")] {
        fs::write(folder.join(name), text).expect("a folder of our own");
    }
    text.len()
}

fn nanos(seconds: f64) -> String {
    format!("{:.0} ns", seconds * 1e9)
}

pub(super) const LARGEST: usize = COUNTS[2];
const COUNTS: [usize; 3] = [10_000, 50_000, 100_000];
const MOST: usize = 10;
const SOON: Duration = Duration::from_secs(20);
