//! What lies around the agent, on real Asterisk: an http.conf that does not name the published files, a folder that Asterisk's container does
//! not have, a Secret that Asterisk's user may not read, an AMI secret that rotates. Each is named with what to write, and goes once it is
//! written.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::Path,
    process::Command,
    sync::Arc,
    thread,
    time::Duration,
};

use rustix::{
    fs::{Gid, Uid},
    thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid},
};
use serde_json::Value;
use starkeeper::{
    bundle::{self, Expectations},
    clock,
    diagnosis::{Code, Lang},
    host,
    material::{self, Sources},
    settings::{ExpirySettings, UserIds},
};
use support::{
    agent::Agent,
    asterisk::{Asterisk, SECRET, Version},
    both,
    certs::{Authority, Layout},
    until,
};

const SOON: Duration = Duration::from_secs(40);

fn finding<'a>(status: &'a Value, code: &str) -> Option<&'a Value> {
    status["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == code)
}

/// Staged mode into this folder, from a pair of its own.
fn staged(asterisk: &Asterisk, directory: &Path) -> String {
    let source = asterisk.folder().join("source");
    fs::create_dir(&source).unwrap();
    let pair = Authority::new().issue(&["localhost"]);
    fs::write(source.join("tls.crt"), pair.cert_pem).unwrap();
    fs::write(source.join("tls.key"), pair.key_pem).unwrap();
    let settings = asterisk.settings();
    let (before, rest) = settings.split_once("certificate:").unwrap();
    let configured = before.replacen("asterisk:", &format!("asterisk:\n  configDir: {}", asterisk.etc().display()), 1);
    format!(
        "{configured}certificate: {{cert: {source}/tls.crt, key: {source}/tls.key, trust: none, publish: {{directory: {}, gid: {}}}}}\n{}\
         probe: {{interval: 2s, timeout: 2s}}\n",
        directory.display(),
        asterisk.gid,
        rest.split_once('\n').unwrap().1,
        source = source.display(),
    )
}

#[test]
fn an_http_conf_that_names_other_files_than_the_published_is_named_with_its_line_until_the_remedy_is_pasted() {
    both(|version| {
        let asterisk = Asterisk::start(version);
        let published = asterisk.folder().join("published");
        let agent = Agent::start(&staged(&asterisk, &published));
        let status = agent.wait("the finding", SOON, |status| finding(status, "publish-not-read").is_some());
        let found = finding(&status, "publish-not-read").unwrap();
        let (conf, cert) = (asterisk.etc().join("http.conf"), asterisk.cert().display().to_string());
        let text = fs::read_to_string(&conf).unwrap();
        let line = text.lines().position(|line| line.starts_with("tlscertfile=")).unwrap() + 1;
        assert_eq!(found["severity"], "warning", "{version:?}");
        let expected = serde_json::json!({"file": conf, "line": line, "found": cert, "path": published});
        assert_eq!(found["evidence"], expected, "{version:?}");

        let remedy = found["remedy"].as_str().unwrap().to_owned();
        let paste: Vec<&str> = remedy.lines().filter_map(|line| line.strip_prefix("    tls")).collect();
        assert_eq!(paste.len(), 2, "{remedy}");
        let kept = text.lines().filter(|line| !line.starts_with("tlscertfile") && !line.starts_with("tlsprivatekey"));
        let mended =
            kept.chain([format!("tls{}", paste[0]), format!("tls{}", paste[1])].iter().map(String::as_str)).collect::<Vec<_>>().join("\n");
        fs::write(&conf, format!("{mended}\n")).unwrap();
        assert!(asterisk.manager().reload("http").unwrap().succeeded());
        let status = agent.wait("the published pair", SOON, |status| {
            status["phase"] == "Serving" && status["surfaces"][0]["matchesWanted"] == true && finding(status, "publish-not-read").is_none()
        });
        assert!(finding(&status, "publish-not-shared").is_none());
    });
}

#[test]
fn what_the_doctor_would_say_of_endpoints_modules_and_media_is_in_status_and_metrics_until_it_is_mended() {
    both(|version| {
        let asterisk = Asterisk::build(version).pair(&Authority::new().issue(&["localhost"])).start();
        let folder = format!("asterisk:\n  configDir: {}", asterisk.etc().display());
        let settings = asterisk.settings().replacen("asterisk:", &folder, 1);
        let agent = Agent::start(&format!("{settings}probe: {{interval: 2s, timeout: 2s}}\n"));
        agent.wait("the first proof", SOON, |status| status["phase"] == "Serving" && status["ready"]["ok"] == true);
        for (file, from, to, code) in [
            ("pjsip.conf", "aors=webrtc", "aors=gone", "endpoint-aor-missing"),
            ("modules.conf", "load = res_srtp.so", "noload = res_srtp.so", "module-noload"),
            ("rtp.conf", "[general]", "[general]\nicesupport=no", "rtp-ice-disabled"),
        ] {
            let path = asterisk.etc().join(file);
            let sound = fs::read_to_string(&path).unwrap();
            assert!(sound.contains(from), "{file}");
            fs::write(&path, sound.replacen(from, to, 1)).unwrap();
            let status = agent.wait(code, SOON, |status| finding(status, code).is_some());
            let told = finding(&status, code).unwrap();
            assert_eq!((&told["severity"], told["evidence"]["file"].as_str()), (&Value::from("error"), path.to_str()), "{told:#}");
            // Phones that are registered are none the worse for it, and the door is open.
            assert_eq!((&status["ready"]["ok"], &status["live"]["ok"]), (&Value::from(true), &Value::from(true)), "{version:?} {code}");
            let (_, metrics) = agent.get("/metrics");
            let of_it = |line: &&str| {
                line.starts_with("starkeeper_findings{") && line.contains(&format!("code=\"{code}\"")) && line.contains("\"error\"")
            };
            assert!(metrics.lines().any(|line| of_it(&line)), "{version:?} {code}: {metrics}");
            fs::write(&path, sound).unwrap();
            agent.wait("no such finding", SOON, |status| finding(status, code).is_none());
        }
    });
}

#[test]
fn a_configuration_folder_that_is_not_asterisks_own_is_named_by_what_asterisk_itself_says() {
    both(|version| {
        let asterisk = Asterisk::start(version);
        // As a ConfigMap by subPath in one of the two containers: a copy from before.
        let copy = asterisk.folder().join("copy");
        fs::create_dir(&copy).unwrap();
        for file in fs::read_dir(asterisk.etc()).unwrap().map(Result::unwrap) {
            fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
        let ours = fs::read_to_string(asterisk.etc().join("http.conf")).unwrap();
        let (cert, old) = (format!("tlscertfile={}", asterisk.cert().display()), "tlscertfile=/etc/asterisk/keys/old.pem");
        assert!(ours.contains(&cert));
        fs::write(copy.join("http.conf"), ours.replacen(&cert, old, 1)).unwrap();
        let settings = asterisk.settings().replacen("asterisk:", &format!("asterisk:\n  configDir: {}", copy.display()), 1);
        let agent = Agent::start(&format!("{settings}probe: {{interval: 1s, timeout: 1s}}\n"));
        // What is watched and served is as the settings say all the while.
        let status = agent.wait("the finding", SOON, |status| finding(status, "config-differs").is_some() && status["phase"] == "Serving");
        let evidence = &finding(&status, "config-differs").unwrap()["evidence"];
        let expected = serde_json::json!({
            "file": copy.join("http.conf"),
            "address": format!("127.0.0.1:{}", asterisk.ports.ami),
            "found": format!("tlscertfile = {}", asterisk.cert().display()),
            "expected": "tlscertfile = /etc/asterisk/keys/old.pem",
        });
        assert_eq!(evidence, &expected, "{version:?}");

        fs::write(copy.join("http.conf"), &ours).unwrap();
        let status = agent.wait("its end", SOON, |status| finding(status, "config-differs").is_none());
        // Nor is it said of the same text, however often it is asked for.
        let begun = status["counts"]["probes"]["open"].as_u64().unwrap();
        fs::write(copy.join("http.conf"), format!("{ours}; a comment\n")).unwrap();
        let status = agent.wait("further looks", SOON, |status| status["counts"]["probes"]["open"].as_u64() > Some(begun + 3));
        assert!(finding(&status, "config-differs").is_none(), "{version:?}: {status:#}");
    });
}

/// Runs `body` where it may mount: in a child, which is this test again, with the mounts that an engine makes in every container.
fn in_a_container(test: &str, body: impl FnOnce()) {
    const INSIDE: &str = "STARKEEPER_TEST_IN_A_CONTAINER";
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    // The folder for temporary files is of the root file system there, as in a container.
    let set_up = "set -e; while mountpoint -q /tmp; do umount --lazy /tmp; done\n\
                  for name in hosts hostname; do test -e /etc/$name || touch /etc/$name; mount --bind /etc/$name /etc/$name; done\n\
                  exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--", "sh", "-c", set_up, "sh"]).arg(std::env::current_exe().unwrap());
    let output = command.args(["--exact", test, "--nocapture"]).env(INSIDE, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_folder_that_asterisks_container_does_not_have_is_named_once_a_reload_was_in_vain_and_no_longer_when_it_is_shared() {
    let test = "a_folder_that_asterisks_container_does_not_have_is_named_once_a_reload_was_in_vain_and_no_longer_when_it_is_shared";
    in_a_container(test, || {
        // Below /tmp Asterisk's own file system has something else: another container, but for its name.
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let published = folder.path().join("published");
        let builder = Asterisk::build(Version::V22).without_pair();
        let asterisk = builder.paths(published.join("fullchain.pem"), published.join("privkey.pem")).start();
        let agent = Agent::start(&staged(&asterisk, &published));
        let status = agent.wait("the suspicion", SOON, |status| finding(status, "publish-not-shared").is_some());
        let found = finding(&status, "publish-not-shared").unwrap();
        assert_eq!((&found["severity"], &found["evidence"]["path"]), (&"warning".into(), &published.to_str().unwrap().into()));
        assert!(found["remedy"].as_str().unwrap().contains(&format!("mountPath: {}}}", published.display())), "{found:#}");
        assert!(finding(&status, "publish-not-read").is_none(), "http.conf names what it should");

        let inside = format!("{}{}", asterisk.version.root().display(), folder.path().display());
        for command in [&["mkdir", "-p", &inside][..], &["mount", "--bind", folder.path().to_str().unwrap(), &inside]] {
            let entered = ["--target", &asterisk.pid().to_string(), "--mount", "--"].map(str::to_owned);
            assert!(Command::new("nsenter").args(entered).args(command).status().unwrap().success(), "{command:?}");
        }
        agent.wait("the heal", SOON * 2, |status| status["phase"] == "Serving" && finding(status, "publish-not-shared").is_none());
    });
}

#[test]
fn a_secret_that_asterisks_user_may_not_read_is_named_with_who_where_default_mode_and_fs_group() {
    const FS_GROUP: u32 = 2000;
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    Layout::DataSwap.lay(folder.path(), &Authority::new().issue(&["localhost"]));
    let [cert, key] = [Layout::DataSwap.cert(folder.path()), Layout::DataSwap.key(folder.path())];
    // As kubelet lays a Secret with `defaultMode: 0400`, without and with `fsGroup`.
    let own = |gid: u32, mode: u32| {
        for file in [&cert, &key] {
            chown(file.canonicalize().unwrap(), Some(0), Some(gid)).unwrap();
            fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    let judged = |groups: Vec<u32>| {
        let expiry = ExpirySettings::default();
        let expectations = Expectations { names: Vec::new(), anchors: None, user: Some(UserIds { uid: 101, gid: 102, groups }), expiry };
        let sources = Sources { cert: cert.clone(), key: key.clone() };
        bundle::judge(Arc::new(material::capture_pair(&sources)), &expectations, clock::wall())
    };
    own(0, 0o400);
    let rejection = judged(vec![FS_GROUP]).unwrap_err();
    let codes: Vec<Code> = rejection.findings.iter().map(|finding| finding.code).take(2).collect();
    assert_eq!(codes, [Code::CertUnreadable, Code::KeyUnreadable]);
    for finding in &rejection.findings[..2] {
        assert!(fs::metadata(finding.get("at").unwrap().to_string()).unwrap().is_file(), "behind all links");
        for lang in [Lang::En, Lang::PtBr] {
            let (meaning, remedy) = (finding.meaning(lang), finding.remedy(lang));
            assert!(meaning.contains("uid 101, gid 102, groups 2000, lacks r of") && meaning.contains("(0:0, 0400)"), "{meaning}");
            assert!(remedy.contains("fsGroup: ") && remedy.contains("defaultMode: 0440"), "{remedy}");
        }
    }
    // The agent itself, as another user than root: what it cannot read it cannot publish.
    let as_nobody = || {
        let (user, group) = (Uid::from_raw(65_534), Gid::from_raw(65_534));
        set_thread_groups(&[]).unwrap();
        set_thread_res_gid(group, group, group).unwrap();
        set_thread_res_uid(user, user, user).unwrap();
        judged(vec![FS_GROUP]).unwrap_err()
    };
    let rejection = thread::scope(|scope| scope.spawn(as_nobody).join()).unwrap();
    let reasons: Vec<String> = rejection.findings.iter().map(|finding| finding.meaning(Lang::En)).collect();
    let of = |who: &str| reasons.iter().filter(|reason| reason.contains(who)).count();
    assert_eq!((of("permission denied to the agent itself"), of("Asterisk's account"), reasons.len()), (2, 2, 4), "{reasons:#?}");
    own(FS_GROUP, 0o440);
    assert!(judged(vec![FS_GROUP]).is_ok());
    assert!(judged(Vec::new()).is_err(), "a group that it is not in");
    assert_eq!(fs::metadata(&key).unwrap().gid(), FS_GROUP);
}

/// Ends the agent's session: as an operator would, and by a restart where the release has no command for it.
fn kick(asterisk: &mut Asterisk) {
    if asterisk.version == Version::V16 {
        return asterisk.restart();
    }
    let connected = asterisk.cli("manager show connected");
    let session = connected.lines().find(|line| line.trim_start().starts_with("starkeeper ")).unwrap_or_else(|| panic!("{connected}"));
    let descriptor = session.split_whitespace().nth(4).unwrap();
    let said = asterisk.cli(&format!("manager kick session {descriptor}"));
    assert!(said.starts_with("Kicking manager session"), "{said}");
}

/// Gives the AMI user another secret, in manager.conf alone.
fn turn(asterisk: &Asterisk, from: &str, to: &str) {
    let path = asterisk.etc().join("manager.conf");
    let text = fs::read_to_string(&path).unwrap();
    let (old, new) = (format!("[starkeeper]\nsecret={from}\n"), format!("[starkeeper]\nsecret={to}\n"));
    assert!(text.contains(&old), "{text}");
    fs::write(path, text.replacen(&old, &new, 1)).unwrap();
    assert!(asterisk.manager().reload("manager").unwrap().succeeded());
}

#[test]
fn an_ami_secret_that_rotates_is_taken_from_its_file_at_the_next_login_without_a_restart() {
    both(|version| {
        let mut asterisk = Asterisk::start(version);
        let agent = Agent::start(&asterisk.settings());
        agent.wait("the first login", SOON, |status| status["phase"] == "Serving" && status["counts"]["amiConnects"] == 1);
        turn(&asterisk, SECRET, "another-for-the-lab");
        // As a Secret's volume is swapped, with the line break that editors leave.
        let (file, new) = (asterisk.secret_file(), asterisk.folder().join("secret.new"));
        fs::write(&new, "another-for-the-lab\n").unwrap();
        fs::rename(&new, &file).unwrap();
        kick(&mut asterisk);
        agent.wait("the second login", SOON, |status| status["counts"]["amiConnects"] == 2 && status["ami"]["connected"] == true);
        assert!(!agent.log().join("\n").contains("ami-auth-failed"), "{version:?}: the new secret alone was shown");

        // The file comes late, and holds nonsense first: what was known is shown, and refused, until it is right.
        turn(&asterisk, "another-for-the-lab", "a-third-one");
        fs::write(&file, "\n").unwrap();
        kick(&mut asterisk);
        agent.wait("the refusal", SOON, |status| finding(status, "ami-auth-failed").is_some());
        fs::write(&file, "a-third-one").unwrap();
        until(SOON, "the third login", || agent.status()["counts"]["amiConnects"] == 3);
        agent.wait("the end of the finding", SOON, |status| finding(status, "ami-auth-failed").is_none());
        assert_eq!(agent.status()["ami"]["connected"], true, "{version:?}");
    });
}

#[test]
fn who_listens_at_a_port_is_seen_and_another_than_asterisk_is_named() {
    let asterisk = Asterisk::build(Version::V22).pair(&Authority::new().issue(&["localhost"])).start();
    let ours = host::listeners(&[asterisk.ports.wss]).expect("an Asterisk of this network");
    assert!(ours.iter().any(|listener| listener.by.iter().any(|process| process.name == "asterisk")), "{ours:?}");
    assert_eq!(host::held_by_another(&ours, asterisk.ports.wss), None);

    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    let theirs = host::listeners(&[port]).unwrap();
    let finding = host::held_by_another(&theirs, port).expect("this very process");
    assert_eq!(finding.code, Code::PortHeldByOther);
    let found = finding.get("found").unwrap().to_string();
    assert!(found.ends_with(&format!("(process {})", std::process::id())), "{found}");
    assert!(finding.remedy(Lang::En).contains("module reload http"));
}
