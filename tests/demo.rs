//! `make demo`: a real Asterisk 22, the agent beside it, and a story that is asserted line by line. A line with a check mark was seen
//! to hold by a client that shares no code with the agent, or is the agent's own word; the first that does not hold ends the demo with
//! a failure. `KEEP=1` leaves everything running at the end, with commands to paste, until Ctrl-C.

#[path = "demo/stage.rs"]
mod stage;
mod support;

use std::{
    env, fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{self, Command},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use serde_json::Value;
use starkeeper::clock;

use stage::{Stage, paste, short, span};
use support::{
    agent::{self, Agent},
    asterisk::{Asterisk, Version},
    certs::{Authority, Layout, Pair, Writing},
    manager::Manager,
    wire::{self, Door, WebSocket},
};

fn main() {
    let staying = Arc::new(AtomicBool::new(false));
    let interrupted = heed_interrupts(&staying);
    let mut stage = Stage::open("Starkeeper", "a real Asterisk 22, the agent beside it, and a client that shares no code with either");
    let mut scene = Scene::set(&stage);
    first_proof(&mut stage, &scene);
    let second = rotation(&mut stage, &mut scene);
    let (third, rejected) = rejection(&mut stage, &mut scene, &second);
    right_key(&mut stage, &mut scene, &third);
    let call = wedge(&mut stage, &mut scene, &rejected);
    healing(&mut stage, &mut scene, &third, call);
    anstream::println!("\n   All of it was seen to hold, in {}.", span(stage.elapsed()));
    let kept = keep(&rejected);
    if env::var_os("KEEP").is_some_and(|keep| !keep.is_empty() && keep != "0") {
        staying.store(true, Ordering::Relaxed);
        stay(&scene, &kept, &interrupted);
    } else {
        farewell(&kept);
    }
}

/// Everything that runs. In the order in which it must go.
struct Scene {
    authority: Authority,
    first: Pair,
    manager: Manager,
    agent: Agent,
    asterisk: Asterisk,
}

impl Scene {
    fn set(stage: &Stage) -> Self {
        let authority = Authority::named("Demo");
        let first = authority.issue(&NAMES);
        let begun = clock::tick();
        let asterisk = Asterisk::build(Version::V22).layout(Layout::DataSwap).pair(&first).start();
        let said = asterisk.cli("core show version");
        let version = said.split([' ', '+']).nth(1).unwrap_or("22");
        stage.took("asterisk", format!("{version} is up, wss://localhost:{}/ws is its door", asterisk.ports.wss), clock::tick() - begun);
        let begun = clock::tick();
        let agent = Agent::start(&format!("{}log: {{format: json, level: info}}\n", asterisk.settings()));
        let where_to = format!("is beside it, on {}; at AMI it has class system alone", agent.address());
        stage.took("agent", where_to, clock::tick() - begun);
        Scene { manager: asterisk.manager(), authority, first, agent, asterisk }
    }

    fn write(&self, pair: &Pair) {
        pair.write(&self.asterisk.tls(), Writing::DataSwap);
    }

    /// What a browser gets now: the door is open, and this is the certificate.
    fn client_gets(&self, stage: &Stage, pair: &Pair, what: &str) {
        let served = wire::served(self.asterisk.ports.wss).map(|served| served.fingerprint).unwrap_or_default();
        stage.holds("client", format!("gets {} {what}", short(&pair.fingerprint)), served == pair.fingerprint, short(&served));
        let door = wire::door(self.asterisk.ports.wss);
        stage.holds("client", "is accepted at /ws with the protocol sip", door == Door::Open, format!("{door:?}"));
    }

    fn ready(&self, stage: &Stage) {
        let (code, body) = self.agent.get("/readyz");
        stage.holds("agent", "/readyz says 200 ok", code == 200, format!("{code} {}", body.trim()));
    }
}

fn first_proof(stage: &mut Stage, scene: &Scene) {
    stage.step("The certificate that is there is proved on the wire");
    let begun = clock::tick();
    let status = scene.agent.wait("the first proof", SOON, |status| status["phase"] == "Serving" && status["ami"]["fullyBooted"] == true);
    stage.took("agent", "Serving: what the port serves is what the files hold", clock::tick() - begun);
    let untouched = status["counts"]["proved"] == 0;
    stage.holds("agent", "asked for no reload: nothing needed one", untouched, &status["counts"]);
    scene.client_gets(stage, &scene.first, "");
    scene.ready(stage);
}

fn rotation(stage: &mut Stage, scene: &mut Scene) -> Pair {
    stage.step("A renewed certificate arrives, as kubelet writes it: a new folder, then ..data swapped to it");
    let log = scene.asterisk.mark();
    let mark = scene.manager.mark();
    let pair = scene.authority.issue(&NAMES);
    let begun = clock::tick();
    scene.write(&pair);
    let status = scene.agent.wait("the rotation", SOON, |status| proved(status, &pair));
    stage.took("agent", "Serving again", clock::tick() - begun);
    stages(stage, &status);
    scene.client_gets(stage, &pair, "instead");
    one_reload(stage, scene, mark);
    let complaints = scene.asterisk.complaints(log);
    stage.holds("asterisk", "logged no ERROR, WARNING or NOTICE", complaints.is_empty(), complaints.join("\n"));
    pair
}

fn rejection(stage: &mut Stage, scene: &mut Scene, served: &Pair) -> (Pair, Pair) {
    stage.step("The next one comes with the wrong key: loading it would take the door down, so Asterisk never sees it");
    let mark = scene.manager.mark();
    let next = scene.authority.issue(&NAMES);
    let bad = next.with_key_of(&scene.authority.issue(&NAMES));
    let begun = clock::tick();
    scene.write(&bad);
    let status = scene.agent.wait("the rejection", SOON, |status| status["phase"] == "Rejected");
    stage.took("agent", "Rejected: a half-written pair gets 2 s to become whole, then it is named", clock::tick() - begun);
    stage.holds("agent", "names it key-mismatch", found(&status, "key-mismatch"), &status["findings"]);
    let reloads = scene.manager.reloads(mark).unwrap_or_default();
    stage.holds("asterisk", "was asked for no reload", reloads.is_empty(), reloads.join(", "));
    scene.client_gets(stage, served, "as before");
    scene.ready(stage);
    let (code, said) = check(&keep(&bad));
    stage.holds("you", "get the same verdict offline, from `starkeeper check` (exit 1)", code == Some(1), format!("{code:?}: {said}"));
    // What it is, what was seen, what it means; the remedy that follows is for another day.
    let blocks = said.split("\n\n").take(2).collect::<Vec<_>>();
    stage.quote(&blocks.join("\n\n"));
    (next, bad)
}

fn right_key(stage: &mut Stage, scene: &mut Scene, pair: &Pair) {
    stage.step("The right key arrives");
    let mark = scene.manager.mark();
    let begun = clock::tick();
    scene.write(pair);
    let status = scene.agent.wait("the right key", SOON, |status| proved(status, pair));
    stage.took("agent", "Serving again", clock::tick() - begun);
    stages(stage, &status);
    scene.client_gets(stage, pair, "instead");
    one_reload(stage, scene, mark);
}

/// Gives the WebSocket that lives through it.
fn wedge(stage: &mut Stage, scene: &mut Scene, bad: &Pair) -> WebSocket {
    stage.step("Somebody else reloads Asterisk while a bad pair lies there: the door goes dark");
    let call = WebSocket::open(scene.asterisk.ports.wss).unwrap_or_else(|door| panic!("client: a WebSocket that stays open: {door:?}"));
    stage.done("client", "keeps a WebSocket open from here on, as a phone does");
    scene.write(bad);
    let answer = scene.manager.reload("http").unwrap_or_default();
    let begun = clock::tick();
    stage.holds("asterisk", "answers that reload with Success all the same", answer.succeeded(), format!("{answer:?}"));
    let door = wire::door(scene.asterisk.ports.wss);
    let dark = matches!(door, Door::Dark(_) | Door::Cleartext);
    stage.holds("client", "cannot connect any more: TLS is dead on the port", dark, format!("{door:?}"));
    scene.agent.wait("the dark door", SOON, |status| status["ready"]["ok"] == false);
    stage.took("agent", "/readyz says 503, by what it saw on the wire", clock::tick() - begun);
    let (_, body) = scene.agent.get("/readyz?verbose");
    stage.quote(body.trim_end());
    call
}

fn healing(stage: &mut Stage, scene: &mut Scene, good: &Pair, mut call: WebSocket) {
    stage.step("The good pair comes back. Asterisk itself takes no notice; the agent heals it");
    let begun = clock::tick();
    scene.write(good);
    let status = scene.agent.wait("the healing", SOON, |status| status["phase"] == "Serving");
    stage.took("agent", "healed: reloaded, and proved on the wire", clock::tick() - begun);
    stage.holds("agent", "counts one wedge healed", status["counts"]["healed"] == 1, &status["counts"]);
    scene.client_gets(stage, good, "again");
    let (alive, pid) = (scene.asterisk.alive(), scene.asterisk.pid());
    stage.holds("asterisk", format!("was not restarted: still process {pid}"), alive, "it ended");
    stage.holds("client", "still has the WebSocket from before: a call would have gone on", call.ping(), "it is gone");
    scene.ready(stage);
}

fn proved(status: &Value, pair: &Pair) -> bool {
    status["phase"] == "Serving" && status["surfaces"][0]["served"]["fingerprintSha256"] == pair.fingerprint
}

fn found(status: &Value, code: &str) -> bool {
    status["findings"].as_array().is_some_and(|findings| findings.iter().any(|finding| finding["code"] == code))
}

fn stages(stage: &Stage, status: &Value) {
    let millis = &status["lastRotation"]["millis"];
    let of = |name: &str| millis[name].as_f64().map(|ms| format!("{name} {ms:.1}"));
    let parts: Option<Vec<_>> = ["settle", "check", "reload", "prove", "total"].into_iter().map(of).collect();
    stage.holds("agent", parts.iter().flatten().cloned().collect::<Vec<_>>().join(" · ") + " ms", parts.is_some(), millis);
}

fn one_reload(stage: &Stage, scene: &mut Scene, mark: usize) {
    let reloads = scene.manager.reloads(mark).unwrap_or_default();
    stage.holds("asterisk", "was asked for one reload, of http", reloads == ["http"], reloads.join(", "));
}

/// `starkeeper check` of a pair: its exit code and what it prints.
fn check(pair: &Kept) -> (Option<i32>, String) {
    let colour = if anstream::AutoStream::choice(&std::io::stdout()) == anstream::ColorChoice::Never { "never" } else { "always" };
    let mut command = Command::new(agent::binary());
    command.args([
        "check",
        "--ca",
        "none",
        "--lang",
        "en",
        "--color",
        colour,
        "--cert",
        &from_here(&pair.cert),
        "--key",
        &from_here(&pair.key),
    ]);
    match command.output() {
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            (output.status.code(), String::from_utf8_lossy(&said).trim_end().to_owned())
        }
        Err(error) => (None, error.to_string()),
    }
}

/// A pair that outlives the demo, to try commands on.
struct Kept {
    cert: PathBuf,
    key: PathBuf,
}

/// Puts it into Cargo's own folder for such things, whose owner (the user before `sudo`) also gets the files.
fn keep(pair: &Pair) -> Kept {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("demo");
    fs::create_dir_all(&folder).expect("a folder below target/tmp");
    let owner = fs::metadata(env!("CARGO_TARGET_TMPDIR")).expect("Cargo's folder");
    let kept = Kept { cert: folder.join("tls.crt"), key: folder.join("tls.key") };
    fs::write(&kept.cert, &pair.cert_pem).expect("a file below target/tmp");
    fs::write(&kept.key, &pair.key_pem).expect("a file below target/tmp");
    fs::set_permissions(&kept.key, fs::Permissions::from_mode(0o640)).expect("our own file");
    for path in [&folder, &kept.cert, &kept.key] {
        // Without effect where we are not root, and so the owner already.
        let _ = chown(path, Some(owner.uid()), Some(owner.gid()));
    }
    kept
}

fn program() -> String {
    from_here(&agent::binary())
}

fn from_here(path: &Path) -> String {
    let here = env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}

fn farewell(kept: &Kept) {
    let (program, cert, key) = (program(), from_here(&kept.cert), from_here(&kept.key));
    paste(
        "Try next",
        &[
            ("make demo KEEP=1".into(), "the same, left running at the end: break it yourself, and watch"),
            (format!("{program} check --ca none --cert {cert} --key {key}"), "judge the rejected pair (or your own), without Asterisk"),
            (format!("{program} explain key-mismatch"), "what a finding means, how to see it by hand, how to mend it"),
            ("less README.md".into(), "settings, staged mode, health, metrics; what it costs"),
        ],
    );
    anstream::println!();
}

fn stay(scene: &Scene, kept: &Kept, interrupted: &mpsc::Receiver<()>) {
    let good = scene.asterisk.folder().join("good");
    fs::create_dir_all(&good).expect("the instance's folder");
    scene.authority.issue(&NAMES).write(&good, Writing::CertThenKey);
    let (program, url, wss) = (program(), format!("http://{}", scene.agent.address()), scene.asterisk.ports.wss);
    let sudo = if env::var_os("SUDO_UID").is_some() { "sudo " } else { "" };
    let copy =
        |cert: &Path, key: &Path| format!("{sudo}cp {} {} {}/..data/", from_here(cert), from_here(key), scene.asterisk.tls().display());
    paste(
        "It goes on running. Try, in another terminal",
        &[
            (format!("{program} inspect --watch --url {url}"), "the agent's status, anew every second"),
            (format!("curl -s '{url}/readyz?verbose' {url}/livez {url}/metrics"), "health and metrics"),
            (
                format!(
                    "openssl s_client -connect localhost:{wss} </dev/null 2>/dev/null | openssl x509 -noout -dates -fingerprint -sha256"
                ),
                "what a browser gets",
            ),
            (copy(&kept.cert, &kept.key), "the mismatched pair: it is rejected, and the door stays open"),
            (copy(&good.join("tls.crt"), &good.join("tls.key")), "a good one again: it is loaded and proved"),
        ],
    );
    anstream::println!("\n   Ctrl-C ends it.");
    // An error would mean that nobody listens for Ctrl-C, which ends it as well.
    let _ = interrupted.recv();
    anstream::println!("\n   Gone.\n");
}

/// Tells of the Ctrl-C that comes while everything is kept running; one that comes before ends the demo at once. The program that
/// called us ignores it, and so would we.
fn heed_interrupts(staying: &Arc<AtomicBool>) -> mpsc::Receiver<()> {
    let (tell, told) = mpsc::channel();
    let staying = Arc::clone(staying);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    thread::spawn(move || {
        let _ = runtime.block_on(tokio::signal::ctrl_c());
        if !staying.load(Ordering::Relaxed) {
            process::exit(INTERRUPTED);
        }
        let _ = tell.send(());
    });
    told
}

const NAMES: [&str; 2] = ["localhost", "pbx.example.com"];
const SOON: Duration = Duration::from_secs(20);
/// As a shell says it of a program that SIGINT ended.
const INTERRUPTED: i32 = 130;
