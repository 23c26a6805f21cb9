//! What the agent costs in a pod while nothing happens: a real API server, all of `kubernetes:` on, a rotation behind it.

use std::{thread, time::Duration};

use starkeeper::clock;

#[allow(dead_code, reason = "the tests' own scene, of which this uses a part")]
#[path = "../../tests/kubernetes_room/pod.rs"]
mod scene;

use scene::{ROLE, Replica, put_secret, wait};

use super::{
    Effort,
    process::{self, cpu_of_all},
    support::{
        apiserver::ApiServer,
        asterisk::{Asterisk, Version},
        certs::Authority,
    },
    table::Table,
};

/// As it comes: a probe every ten seconds.
pub(super) fn bench(effort: Effort, table: &mut Table) {
    table.heading(&format!("Idle in a pod for {} s, everything on, after one rotation", effort.idle_seconds));
    let server = ApiServer::start();
    let authority = Authority::new();
    let names = ["localhost", "127.0.0.1", "pbx.example.com"];
    let (first, second) = (authority.issue(&names), authority.issue(&names));
    scene::scene(&server, "idle", &ROLE, &first);
    let asterisk = Asterisk::build(Version::V22).pair(&first).start();
    let replica = Replica::start(&server, "idle", "pbx-0", asterisk, "{}");
    replica.serves(&first);
    put_secret(&server, "idle", &second);
    replica.mount(&second);
    replica.serves(&second);
    wait("the proof on the Lease", || scene::lease(&server, "idle", "outcome").filter(|outcome| outcome == "proved"));
    let (begun, spent) = (clock::tick(), cpu_of_all(replica.agent.pid()));
    thread::sleep(Duration::from_secs(effort.idle_seconds));
    let spent = (cpu_of_all(replica.agent.pid()) - spent).as_secs_f64() / (clock::tick() - begun).as_secs_f64() * 100.0;
    let memory = process::memory(replica.agent.pid());
    memory.tell(10, table);
    table.row("processor (a probe a second)", &format!("{spent:.3} % of a core"));
}
