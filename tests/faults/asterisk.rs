//! Faults of Asterisk itself: dead, frozen, restarting, without a module, full, moved, and handled by hand.

use std::{
    fs,
    io::Write as _,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use super::{
    stage::{Fault, SOON, Stage, fault},
    support::{
        asterisk::{Asterisk, BOTH, SECRET, Version::V16},
        manager::Manager,
        until,
        wire::WebSocket,
    },
};

pub(crate) fn faults() -> Vec<Fault> {
    let mut faults = process();
    faults.extend(half_alive());
    faults.extend(by_hand());
    faults
}

fn process() -> Vec<Fault> {
    let frozen = |name, lasts| {
        fault(name, &["Unreachable"], &["tls-failed", "tcp-timeout"])
            .on(&BOTH)
            .make(|stage| stage.asterisk.stop())
            .lasts(lasts)
            .mend(|stage| stage.asterisk.cont())
            .not_by_the_agent()
    };
    vec![
        fault("Asterisk killed", &["Unreachable"], &["tcp-refused"])
            .on(&BOTH)
            .make(|stage| stage.asterisk.kill())
            .mend(|stage| stage.asterisk.restart())
            .not_by_the_agent(),
        fault("Asterisk killed, renewed while it is away", &["Unreachable"], &["tcp-refused"])
            .on(&BOTH)
            .make(|stage| {
                stage.asterisk.kill();
                stage.rotate();
            })
            .mend(|stage| stage.asterisk.restart())
            .not_by_the_agent(),
        fault("Asterisk comes back with a bad pair in place", &["Rejected", "Wedged"], &["key-mismatch"])
            .on(&BOTH)
            .make(|stage| {
                stage.put(&stage.new_pair().with_key_of(&stage.first));
                stage.asterisk.restart();
            })
            .mend(Stage::rotate)
            .not_by_the_agent(),
        frozen("Asterisk frozen for 5 s", Duration::from_secs(5)),
        frozen("Asterisk frozen for 60 s", Duration::from_secs(60)).long(),
        fault("Asterisk in a loop of restarts", &["Unreachable"], &["tcp-refused", "ami-refused"])
            .on(&BOTH)
            .make(|stage| {
                for _ in 0..4 {
                    stage.asterisk.restart();
                }
                stage.asterisk.kill();
            })
            .mend(|stage| stage.asterisk.restart())
            .not_by_the_agent(),
        // AMI refuses every action from the command on, and Asterisk goes on serving what it has: the pair waits for the restart.
        fault("renewed while a graceful restart waits for a call", &["Proving", "Unreachable"], &["reload-failed"])
            .on(&BOTH)
            .make(|stage| {
                let call = [("Channel", "Local/echo@default"), ("Application", "Wait"), ("Data", "12"), ("Async", "true")];
                assert!(stage.asterisk.manager().action("Originate", &call).unwrap().succeeded());
                until(SOON, "the call", || !stage.asterisk.cli("core show channels count").contains("0 active channels"));
                // The command answers when the restart comes, that is never.
                let port = stage.asterisk.ports.ami;
                thread::spawn(move || {
                    Manager::login(port, "admin", SECRET).and_then(|mut manager| manager.command("core restart gracefully"))
                });
                let refuses = || Manager::login(port, "admin", SECRET).is_err();
                until(SOON, "the shutdown to begin", refuses);
                stage.rotate();
            })
            // The call ends by itself, and Asterisk restarts.
            .not_by_the_agent(),
    ]
}

fn half_alive() -> Vec<Fault> {
    vec![
        fault("another program has taken the port", &["Wedged", "Unreachable"], &["tls-failed", "listener-wedged"])
            .on(&BOTH)
            .make(|stage| {
                stage.asterisk.kill();
                let taken = Taken::at(stage.asterisk.ports.wss);
                stage.held.push(Box::new(taken));
                // It boots without its listener.
                stage.asterisk.restart();
            })
            .lasts(Duration::from_secs(8))
            .mend(|stage| stage.held.clear())
            .not_by_the_agent(),
        fault("module of /ws unloaded", &["Proving"], &["ws-subprotocol-refused", "ws-not-found"])
            .on(&BOTH)
            .make(|stage| stage.module("unload", "res_pjsip_transport_websocket.so"))
            .mend(|stage| stage.module("load", "res_pjsip_transport_websocket.so")),
        fault("session limit reached", &["Proving"], &["ws-session-limit"])
            .on(&BOTH)
            .build(|builder| builder.session_limit(8))
            .make(|stage| {
                let mut refused = 0;
                while refused < 5 {
                    match WebSocket::open(stage.asterisk.ports.wss) {
                        Ok(socket) => stage.held.push(Box::new(socket)),
                        Err(_) => refused += 1,
                    }
                }
            })
            .mend(|stage| stage.held.clear()),
        fault("listener moved away by an edit", &["Wedged"], &["tcp-refused"])
            .on(&BOTH)
            .make(|stage| edit_http(stage, |stage, text| text.replace(&door(stage), &other_door(stage))))
            .mend(|stage| edit_http(stage, |stage, text| text.replace(&other_door(stage), &door(stage))))
            .not_by_the_agent(),
        fault("listener moved, and the agent reads the files", &["Serving"], &[])
            .on(&[V16])
            .settings(|asterisk, text| with_config(asterisk, &text).replace(&format!("wss: {{address: \"{}\"}}\n", own_door(asterisk)), ""))
            .make(|stage| {
                edit_http(stage, |stage, text| text.replace(&door(stage), &other_door(stage)));
                let moved = other_door(stage);
                let follows = |status: &serde_json::Value| {
                    status["surfaces"][0]["address"] == moved.as_str() && status["surfaces"][0]["door"] == "open"
                };
                stage.until(Duration::from_secs(30), &mut { follows }).unwrap();
            })
            .mend(|stage| edit_http(stage, |stage, text| text.replace(&other_door(stage), &door(stage))))
            .not_by_the_agent(),
        fault("http.conf names a file that is not there", &["Wedged"], &["listener-wedged"])
            .on(&BOTH)
            .settings(|asterisk, text| with_config(asterisk, &text))
            .make(|stage| {
                let absent = stage.asterisk.folder().join("absent.crt");
                edit_http(stage, |stage, text| text.replace(&line("tlscertfile", stage.asterisk.cert()), &line("tlscertfile", &absent)));
            })
            .phases(&["Wedged", "AwaitingMaterial", "Rejected", "Unreachable", "Proving", "Reloading"])
            .mend(|stage| {
                // The edit alone: nobody reloads by hand.
                let (path, text) = http_conf(stage);
                let absent = stage.asterisk.folder().join("absent.crt");
                fs::write(path, text.replace(&line("tlscertfile", &absent), &line("tlscertfile", stage.asterisk.cert()))).unwrap();
            })
            .not_by_the_agent(),
    ]
}

fn by_hand() -> Vec<Fault> {
    vec![
        fault("reloaded by hand in a loop", &["Serving"], &[]).make(|stage| {
            let mut manager = stage.asterisk.manager();
            for _ in 0..10 {
                manager.reload("http").unwrap();
                thread::sleep(Duration::from_millis(200));
            }
        }),
        fault("everything reloaded by hand during a rotation", &["Serving"], &[])
            .make(|stage| {
                stage.rotate();
                stage.asterisk.cli("core reload");
            })
            .lasts(Duration::from_secs(3)),
        fault("dark by hand, bad files", &["Rejected"], &["key-mismatch"])
            .on(&BOTH)
            .make(|stage| {
                stage.put(&stage.new_pair().with_key_of(&stage.new_pair()));
                stage.asterisk.manager().reload("http").unwrap();
            })
            .mend(Stage::rotate)
            .not_by_the_agent(),
        fault("dark by hand, files good again at once", &["Serving"], &[])
            .on(&BOTH)
            .make(|stage| {
                stage.put(&stage.new_pair().with_key_of(&stage.new_pair()));
                stage.asterisk.manager().reload("http").unwrap();
                stage.rotate();
            })
            .lasts(Duration::from_secs(3))
            .not_by_the_agent(),
        fault("dark by hand where nothing can heal", &["Wedged"], &["listener-wedged"])
            .on(&BOTH)
            .build(|builder| builder.without_absent_include())
            .settings(|asterisk, text| with_config(asterisk, &text))
            .make(|stage| {
                stage.put(&stage.new_pair().with_key_of(&stage.new_pair()));
                stage.asterisk.manager().reload("http").unwrap();
                stage.rotate();
            })
            // What the finding says: the line is pasted. The agent reloads.
            .mend(|stage| {
                let (path, text) = http_conf(stage);
                fs::write(path, text.replacen("[general]\n", "[general]\n#tryinclude starkeeper.absent\n", 1)).unwrap();
            })
            .not_by_the_agent(),
    ]
}

fn with_config(asterisk: &Asterisk, text: &str) -> String {
    text.replacen("asterisk:", &format!("asterisk:\n  configDir: {}", asterisk.etc().display()), 1)
}

fn http_conf(stage: &Stage) -> (std::path::PathBuf, String) {
    let path = stage.asterisk.etc().join("http.conf");
    let text = fs::read_to_string(&path).unwrap();
    (path, text)
}

/// Somebody edits http.conf, and reloads.
fn edit_http(stage: &Stage, edit: impl Fn(&Stage, String) -> String) {
    let (path, text) = http_conf(stage);
    let edited = edit(stage, text.clone());
    assert_ne!(edited, text);
    fs::write(path, edited).unwrap();
    stage.asterisk.manager().reload("http").unwrap();
}

fn line(name: &str, path: &Path) -> String {
    format!("{name}={}\n", path.display())
}

fn own_door(asterisk: &Asterisk) -> String {
    format!("127.0.0.1:{}", asterisk.ports.wss)
}

fn door(stage: &Stage) -> String {
    own_door(&stage.asterisk)
}

fn other_door(stage: &Stage) -> String {
    format!("127.0.0.1:{}", stage.asterisk.ports.spare.end())
}

/// Another program's listener, which speaks no TLS; gone on drop.
struct Taken {
    port: u16,
    over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Taken {
    fn at(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        let thread = thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let _ = stream.write_all(b"220 another program\r\n");
            }
        });
        Self { port, over, thread: Some(thread) }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
