//! Staged mode on real Asterisk 16 and 22: Asterisk reads what the agent publishes, and nothing bad ever lies there; so that it comes up
//! with the last good certificate whatever the source holds, whoever restarts or reloads it, and whether or not the agent runs.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use rustix::process::Signal;
use serde_json::Value;
use support::{
    agent::Agent,
    asterisk::{Asterisk, BOTH, Builder, Version},
    certs::{Authority, Chain, KeyKind, Layout, Pair, Writing, odd, self_signed},
    until,
    wire::{self, Door, Sampler},
};

const NAME: &str = "pbx.example.com";
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", NAME];
const SOON: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_secs(86_400);
const FILES: [&str; 3] = ["fullchain.pem", "privkey.pem", "combined.pem"];

/// An Asterisk that reads `published/`, which nothing lies in yet, and the authority that browsers trust.
struct Scene {
    asterisk: Asterisk,
    authority: Authority,
}

impl Scene {
    /// http.conf names chain and key, or the combined file for both.
    fn build(version: Version, cert: &str, key: &str) -> Builder {
        let published = |name: &str| Path::new("published").join(name);
        Asterisk::build(version).without_pair().paths(published(cert), published(key))
    }

    fn of(builder: Builder) -> Self {
        let scene = Self { asterisk: builder.start(), authority: Authority::new() };
        fs::write(scene.asterisk.folder().join("ca.pem"), &scene.authority.root_pem).unwrap();
        scene
    }

    fn new(version: Version, layout: Layout) -> Self {
        Self::of(Self::build(version, FILES[0], FILES[1]).layout(layout))
    }

    fn pair(&self) -> Pair {
        self.authority.issue(&NAMES)
    }

    /// A certificate with the key of another.
    fn mismatch(&self) -> Pair {
        self.pair().with_key_of(&self.pair())
    }

    fn directory(&self) -> PathBuf {
        self.asterisk.folder().join("published")
    }

    fn settings(&self) -> String {
        let Asterisk { uid, gid, layout, .. } = self.asterisk;
        let (folder, tls) = (self.asterisk.folder().display(), self.asterisk.tls());
        let source = |path: PathBuf| path.display().to_string();
        let settings = self.asterisk.settings();
        let (before, rest) = settings.split_once("certificate:").unwrap();
        let rest = rest.split_once('\n').unwrap().1;
        let ids = format!("asterisk:\n  configDir: {folder}/etc\n  user: {{uid: {uid}, gid: {gid}}}");
        format!(
            "{}certificate:\n  cert: {}\n  key: {}\n  names: [{NAME}]\n  trust: {folder}/ca.pem\n  \
             publish: {{directory: {}, uid: {uid}, gid: {gid}, mode: \"0440\"}}\n{rest}probe: {{interval: 2s, timeout: 2s}}\n",
            before.replacen("asterisk:", &ids, 1),
            source(layout.cert(&tls)),
            source(layout.key(&tls)),
            self.directory().display(),
        )
    }

    fn agent(&self) -> Agent {
        Agent::start(&self.settings())
    }

    fn served(&self) -> Option<String> {
        wire::served(self.asterisk.ports.wss).map(|served| served.fingerprint)
    }

    fn is_open(&self) -> bool {
        wire::door(self.asterisk.ports.wss) == Door::Open
    }

    /// Puts the first pair into the source and waits until it is served.
    fn serving(&self, pair: &Pair) -> Agent {
        self.asterisk.layout.lay(&self.asterisk.tls(), pair);
        let agent = self.agent();
        serves(&agent, "the first proof", pair);
        agent
    }

    /// What lies in the folder: links with their targets, files with their bytes.
    fn content(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        content(&self.directory())
    }
}

fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_symlink() {
            found.insert(path.clone(), fs::read_link(&path).unwrap().to_string_lossy().into_owned().into_bytes());
        } else if kind.is_dir() {
            found.extend(content(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

fn serves(agent: &Agent, what: &str, pair: &Pair) -> Value {
    agent.wait(what, SOON, |status| {
        let surface = &status["surfaces"][0];
        status["phase"] == "Serving"
            && surface["served"]["fingerprintSha256"] == pair.fingerprint
            && status["files"]["published"]["fingerprintSha256"] == pair.fingerprint
            && surface["matchesWanted"] == true
    })
}

fn rejects(agent: &Agent, what: &str) -> Value {
    agent.wait(what, SOON, |status| status["phase"] == "Rejected")
}

fn codes(status: &Value) -> BTreeSet<&str> {
    status["findings"].as_array().unwrap().iter().filter_map(|finding| finding["code"].as_str()).collect()
}

#[test]
fn an_asterisk_that_came_up_dark_is_healed_once_the_source_is_good_and_nothing_is_published_before() {
    for version in BOTH {
        for (cert, key) in [(FILES[0], FILES[1]), (FILES[2], FILES[2])] {
            let scene = Scene::of(Scene::build(version, cert, key).layout(Layout::DataSwap));
            scene.mismatch().write(&scene.asterisk.tls(), Writing::DataSwap);
            let agent = scene.agent();
            let status =
                agent.wait("the reason", SOON, |status| codes(status).contains("key-mismatch") && status["ami"]["fullyBooted"] == true);
            assert_eq!(status["phase"], "AwaitingMaterial", "{version:?}");
            assert_eq!((&status["files"]["verdict"], &status["files"]["published"]), (&"rejected".into(), &Value::Null));
            assert_eq!(agent.get("/startupz"), (503, "key-mismatch\n".to_owned()));
            assert_eq!(agent.get("/readyz").0, 503);
            assert_eq!(agent.get("/livez").0, 200, "no restart helps while there is nothing to read");
            assert!(scene.content().is_empty(), "{:?}", scene.content().keys());
            assert!(!scene.is_open());

            let mut manager = scene.asterisk.manager();
            let mark = manager.mark();
            let pair = scene.pair();
            pair.write(&scene.asterisk.tls(), Writing::DataSwap);
            let status = serves(&agent, "the heal", &pair);
            assert_eq!((&status["counts"]["healed"], &status["counts"]["notHealed"]), (&1.into(), &0.into()), "{version:?}");
            assert_eq!(manager.reloads(mark).unwrap(), ["http"], "{version:?}");
            assert!(scene.is_open());
            assert_eq!(agent.get("/startupz"), (200, "ok\n".to_owned()));
            until(SOON, "readiness", || agent.get("/readyz").0 == 200);
        }
    }
}

#[test]
fn however_it_is_written_a_rotation_is_published_reloaded_once_and_proved_with_owner_group_and_mode_as_asked() {
    let apart = Writing::Apart(Duration::from_millis(300));
    for version in BOTH {
        for writings in [
            &[Writing::CertThenKey, Writing::KeyThenCert, apart, Writing::Renames][..],
            &[Writing::DataSwap; 3],
            &[Writing::CertbotLinks; 3],
        ] {
            let scene = Scene::new(version, writings[0].layout());
            let agent = scene.serving(&scene.pair());
            let mut manager = scene.asterisk.manager();
            let mark = manager.mark();
            for how in writings {
                let pair = scene.pair();
                let before = agent.status()["counts"]["proved"].as_u64().unwrap();
                pair.write(&scene.asterisk.tls(), *how);
                let status = serves(&agent, "the rotation", &pair);
                assert_eq!(scene.served().as_ref(), Some(&pair.fingerprint), "{version:?} {how:?}");
                assert_eq!(status["counts"]["proved"].as_u64(), Some(before + 1), "{version:?} {how:?}");
                assert!(status["lastRotation"]["millis"]["publish"].as_f64().unwrap() > 0.0, "{status:#}");
                for name in FILES {
                    let file = fs::metadata(scene.directory().join(name)).unwrap();
                    let found = (file.uid(), file.gid(), file.mode() & 0o7777);
                    assert_eq!(found, (scene.asterisk.uid, scene.asterisk.gid, 0o440), "{version:?} {how:?} {name}");
                }
            }
            assert_eq!(manager.reloads(mark).unwrap(), vec!["http"; writings.len()], "{version:?} {writings:?}");
            let metrics = agent.get("/metrics").1;
            let row = |begin: &str| metrics.lines().filter(|line| line.starts_with(begin)).count();
            assert_eq!(row("starkeeper_certificate_not_after_timestamp_seconds{source=\"published\",surface=\"wss\"}"), 1, "{metrics}");
            assert_eq!(row("starkeeper_certificate_not_before_timestamp_seconds{source=\"published\",surface=\"wss\"}"), 1, "{metrics}");
            assert_eq!(row("starkeeper_certificate_info{source=\"published\",surface=\"wss\""), 1, "{metrics}");
            assert_eq!(row("starkeeper_last_rotation_stage_seconds{stage=\"publish\"}"), 1, "{metrics}");
            assert_eq!(row("starkeeper_last_rotation_stage_seconds{stage=\"publish\"} 0.0\n"), 0, "{metrics}");
            let published =
                format!("starkeeper_rotation_duration_seconds_count{{stage=\"publish\"}} {}", agent.status()["counts"]["proved"]);
            assert_eq!(row(&published), 1, "{metrics}");
        }
    }
}

/// What must not reach the folder: certificate, key, an error that names it, and the verdict.
fn bad(authority: &Authority, served: &Pair) -> Vec<(&'static str, Pair, &'static str, &'static str)> {
    let good = authority.issue(&NAMES);
    let half = good.cert_pem[..good.cert_pem.len() / 4].to_owned();
    let dead = [
        ("an empty certificate", good.with_cert(String::new()), "cert-empty"),
        ("an empty key", good.with_key(String::new()), "key-empty"),
        ("no PEM as certificate", good.with_cert("certificate\n".to_owned()), "cert-not-pem"),
        ("a certificate cut short", good.with_cert(half), "cert-not-pem"),
        ("the key in place of the certificate", good.with_cert(good.key_pem.clone()), "cert-is-key"),
        ("no PEM as key", good.with_key("key\n".to_owned()), "key-not-pem"),
        ("the certificate in place of the key", good.with_key(good.cert_pem.clone()), "key-is-cert"),
        ("an encrypted key, PKCS#8", odd::encrypted_pkcs8(&good), "key-encrypted"),
        ("an encrypted key, old form", odd::encrypted_legacy(&good), "key-encrypted"),
        ("another's key", good.with_key_of(&authority.issue(&NAMES)), "key-mismatch"),
        ("the former key", good.with_key_of(served), "pair-torn"),
        ("the former certificate", served.with_key_of(&good), "pair-torn"),
        ("RSA 1024", odd::rsa_1024(), "key-weak"),
        ("Ed448", odd::ed448(), "key-unsupported"),
        ("the chain before the leaf", authority.leaf(&NAMES).chain(Chain::Reversed).issue(), "leaf-not-first"),
    ];
    let refused = [
        ("expired", authority.leaf(&NAMES).expired(DAY).issue(), "leaf-expired"),
        ("not yet valid", authority.leaf(&NAMES).not_yet(DAY).issue(), "leaf-not-yet-valid"),
        ("another name", authority.issue(&["other.example.com"]), "name-not-covered"),
        ("self-signed", self_signed(&NAMES).issue(), "self-signed"),
        ("of an authority that nobody trusts", Authority::named("Stranger").issue(&NAMES), "issuer-untrusted"),
        ("without its intermediate", authority.leaf(&NAMES).chain(Chain::LeafOnly).issue(), "chain-incomplete"),
        ("Ed25519", authority.leaf(&NAMES).key(KeyKind::Ed25519).issue(), "key-unsupported"),
    ];
    let verdict = |verdict: &'static str| move |(what, pair, code)| (what, pair, code, verdict);
    dead.into_iter().map(verdict("rejected")).chain(refused.into_iter().map(verdict("heldBack"))).collect()
}

#[test]
fn nothing_bad_reaches_the_folder_and_an_operators_reload_meets_the_last_good_pair() {
    for version in BOTH {
        let scene = Scene::new(version, Layout::DataSwap);
        let first = scene.pair();
        let agent = scene.serving(&first);
        let before = scene.content();
        let mut manager = scene.asterisk.manager();
        let mark = manager.mark();
        let sampler = Sampler::start(scene.asterisk.ports.wss, Duration::from_millis(20));
        let mut asked = 0;
        for (count, (what, pair, code, verdict)) in bad(&scene.authority, &first).into_iter().enumerate() {
            let rejected = agent.status()["counts"]["rejected"].as_u64().unwrap();
            pair.write(&scene.asterisk.tls(), Writing::DataSwap);
            if count % 5 == 0 {
                // Just as the source turns bad, and before the agent has named it.
                manager.reload("http").unwrap();
                asked += 1;
            }
            let status = agent.wait(what, SOON, |status| {
                status["counts"]["rejected"].as_u64() > Some(rejected)
                    && status["phase"] == "Rejected"
                    && status["files"]["verdict"] == verdict
            });
            assert!(codes(&status).contains(code), "{version:?}: {what}: {:?}", codes(&status));
            assert_eq!(status["files"]["published"]["fingerprintSha256"], first.fingerprint, "{version:?}: {what}");
            assert_eq!(status["surfaces"][0]["served"]["fingerprintSha256"], first.fingerprint, "{version:?}: {what}");
            assert_eq!(["/readyz", "/livez", "/startupz"].map(|path| agent.get(path).0), [200; 3], "{version:?}: {what}");
            assert_eq!(scene.content(), before, "{version:?}: {what}");
        }
        let report = sampler.stop();
        assert_eq!(report.fingerprints(), [first.fingerprint.as_str()], "{version:?}");
        assert!(report.failures().iter().all(|sample| !is_dark_or_cleartext(&sample.outcome) || sample.took < Duration::from_millis(200)));
        assert!(report.longest_outage() < Duration::from_secs(1), "{version:?}: {:?}", report.longest_outage());
        assert_eq!(manager.reloads(mark).unwrap(), vec!["http"; asked], "{version:?}: the operator's own, and none of the agent's");
        let good = scene.pair();
        good.write(&scene.asterisk.tls(), Writing::DataSwap);
        serves(&agent, "good at last", &good);
    }
}

fn is_dark_or_cleartext(outcome: &wire::Outcome) -> bool {
    matches!(outcome, wire::Outcome::Failed(Door::Dark(_) | Door::Cleartext))
}

#[test]
fn an_asterisk_restarted_while_the_source_is_bad_comes_up_with_the_last_good_pair_with_and_without_the_agent() {
    for version in BOTH {
        let mut scene = Scene::new(version, Layout::Certbot);
        let first = scene.pair();
        let mut agent = scene.serving(&first);
        scene.mismatch().write(&scene.asterisk.tls(), Writing::CertbotLinks);
        rejects(&agent, "the rejection");

        scene.asterisk.kill();
        agent.wait("the end of Asterisk", SOON, |status| status["ready"]["ok"] == false && status["ami"]["connected"] == false);
        assert_eq!(agent.get("/startupz").0, 200, "the files stand, and Asterisk may start");
        scene.asterisk.restart();
        assert_eq!(scene.served().as_ref(), Some(&first.fingerprint), "{version:?}: served from its start");
        agent.wait("readiness", SOON, |status| status["ready"]["ok"] == true && status["phase"] == "Rejected");

        agent.signal(Signal::TERM);
        assert!(agent.finish().0.success());
        scene.asterisk.restart();
        assert_eq!(scene.served().as_ref(), Some(&first.fingerprint), "{version:?}: without the agent");

        let mut manager = scene.asterisk.manager();
        let mark = manager.mark();
        let agent = scene.agent();
        let status = agent.wait("the rejection, after a restart of the agent", SOON, |status| {
            status["phase"] == "Rejected" && status["ready"]["ok"] == true && codes(status).contains("key-mismatch")
        });
        assert_eq!(status["files"]["published"]["fingerprintSha256"], first.fingerprint, "{version:?}");
        assert_eq!(status["surfaces"][0]["matchesWanted"], true, "{version:?}");
        assert_eq!(agent.get("/startupz").0, 200, "{version:?}");
        assert_eq!(manager.reloads(mark).unwrap(), Vec::<String>::new(), "{version:?}");

        let second = scene.pair();
        second.write(&scene.asterisk.tls(), Writing::CertbotLinks);
        serves(&agent, "the next good one", &second);
        assert_eq!(manager.reloads(mark).unwrap(), ["http"], "{version:?}");
    }
}

#[test]
fn an_agent_that_starts_before_asterisk_has_the_files_in_place_and_no_reload_is_needed() {
    for version in BOTH {
        let mut scene = Scene::new(version, Layout::DataSwap);
        scene.asterisk.kill();
        let agent = scene.agent();
        let (code, reasons) = agent.get("/startupz?verbose");
        assert_eq!(code, 503, "{reasons}");
        agent.wait("the reason", SOON, |status| codes(status).contains("cert-missing"));
        assert_eq!(agent.get("/startupz"), (503, "cert-missing\nkey-missing\n".to_owned()));
        let pair = scene.pair();
        pair.write(&scene.asterisk.tls(), Writing::DataSwap);
        until(SOON, "the files in place", || agent.get("/startupz").0 == 200);
        assert_eq!(agent.get("/startupz?verbose").1, "[+]driver ok\n[+]pair-published ok\nstartupz check passed\n");
        assert_eq!(agent.get("/readyz").0, 503);
        scene.asterisk.restart();
        assert_eq!(scene.served().as_ref(), Some(&pair.fingerprint), "{version:?}: served from its start");
        let status = serves(&agent, "the proof", &pair);
        assert_eq!((&status["counts"]["healed"], &status["counts"]["proved"]), (&0.into(), &0.into()), "{version:?}");
    }
}

#[test]
fn damage_to_what_is_published_is_mended_without_a_reload_and_a_wedge_is_healed_while_the_source_is_bad() {
    for version in BOTH {
        let scene = Scene::new(version, Layout::DataSwap);
        let first = scene.pair();
        let agent = scene.serving(&first);
        let mut manager = scene.asterisk.manager();
        let mark = manager.mark();
        let texts = || FILES.map(|name| fs::read(scene.directory().join(name)).unwrap_or_default());
        let whole = texts();
        let mended = || {
            texts() == whole
                && FILES.iter().all(|name| {
                    let file = fs::metadata(scene.directory().join(name)).unwrap();
                    (file.uid(), file.gid(), file.mode() & 0o7777) == (scene.asterisk.uid, scene.asterisk.gid, 0o440)
                })
        };
        let at = |name: &str| scene.directory().join(name);
        let damages: [(&str, Act<'_>); 7] = [
            ("an empty key", &|| fs::write(at(FILES[1]), "").unwrap()),
            ("another combined file", &|| fs::write(at(FILES[2]), &first.cert_pem).unwrap()),
            ("a chain that is gone", &|| fs::remove_file(at("current").join(FILES[0])).unwrap()),
            ("a name that is gone", &|| fs::remove_file(at(FILES[0])).unwrap()),
            ("a key for all to read", &|| fs::set_permissions(at(FILES[1]), fs::Permissions::from_mode(0o444)).unwrap()),
            ("a link that is gone", &|| fs::remove_file(at("current")).unwrap()),
            ("a folder that is gone", &|| fs::remove_dir_all(scene.directory()).unwrap()),
        ];
        for source_is_bad in [false, true] {
            if source_is_bad {
                scene.mismatch().write(&scene.asterisk.tls(), Writing::DataSwap);
                rejects(&agent, "the rejection");
            }
            for (what, damage) in damages {
                damage();
                assert!(!mended(), "{what}");
                until(SOON, what, mended);
                assert_eq!(scene.served().as_ref(), Some(&first.fingerprint), "{version:?}: {what}");
            }
        }
        assert_eq!(manager.reloads(mark).unwrap(), Vec::<String>::new(), "{version:?}: what is served was never hurt");

        // The source is bad still. Somebody damages the files and reloads: the door is dark.
        let healed = agent.status()["counts"]["healed"].as_u64().unwrap();
        fs::write(at(FILES[1]), "").unwrap();
        manager.reload("http").unwrap();
        let status =
            agent.wait("the heal", SOON, |status| status["counts"]["healed"].as_u64() == Some(healed + 1) && status["ready"]["ok"] == true);
        assert_eq!(status["files"]["verdict"], "rejected", "{version:?}");
        rejects(&agent, "the source, still");
        assert!(mended(), "{version:?}");
        assert_eq!(wire::door(scene.asterisk.ports.wss), Door::Open, "{version:?}");
        assert_eq!(manager.reloads(mark).unwrap(), ["http", "http"], "{version:?}: one to wedge, one to heal");
    }
}

/// What somebody does to the folder.
type Act<'a> = &'a dyn Fn();

/// A small file system of its own on the published folder, which Asterisk sees too; gone on drop.
struct Mount(PathBuf);

impl Mount {
    fn tmpfs(at: PathBuf) -> Self {
        fs::create_dir(&at).unwrap();
        run(Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k,mode=0755", "tmpfs"]).arg(&at));
        Self(at)
    }

    fn remount(&self, how: &str) {
        run(Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(&self.0));
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_cannot_be_published_is_named_while_the_last_good_pair_stays_and_is_published_once_it_can_be() {
    for version in BOTH {
        let mut scene = Scene::new(version, Layout::DataSwap);
        scene.asterisk.kill();
        let mount = Mount::tmpfs(scene.directory());
        scene.asterisk.restart();
        let mut served = scene.pair();
        let agent = scene.serving(&served);
        let mut manager = scene.asterisk.manager();
        let mark = manager.mark();

        let filler = scene.directory().join("filler");
        let foreign = scene.directory().join(FILES[0]);
        let troubles: [(&str, Act<'_>, Act<'_>); 3] = [
            (
                "publish-no-space",
                &|| {
                    // As much as fits, and then no more.
                    let _ = fs::write(&filler, vec![0; 1 << 20]);
                },
                &|| fs::remove_file(&filler).unwrap(),
            ),
            ("publish-read-only", &|| mount.remount("ro"), &|| mount.remount("rw")),
            (
                "publish-foreign-file",
                &|| {
                    fs::remove_file(&foreign).unwrap();
                    fs::write(&foreign, &served.cert_pem).unwrap();
                },
                &|| fs::remove_file(&foreign).unwrap(),
            ),
        ];
        let mut rotations = 0;
        let mut next = Vec::new();
        for (code, trouble, mend) in troubles {
            trouble();
            let pair = scene.pair();
            pair.write(&scene.asterisk.tls(), Writing::DataSwap);
            let status = agent.wait(code, SOON, |status| codes(status).contains(code));
            assert_eq!(status["phase"], "Rejected", "{version:?} {code}");
            assert_eq!(status["files"]["leaf"]["fingerprintSha256"], pair.fingerprint, "{version:?} {code}");
            let stays = next.last().map_or(&served.fingerprint, |pair: &Pair| &pair.fingerprint);
            assert_eq!(status["files"]["published"]["fingerprintSha256"], *stays, "{version:?} {code}");
            assert_eq!(["/readyz", "/livez", "/startupz"].map(|path| agent.get(path).0), [200; 3], "{version:?} {code}");
            assert_eq!(scene.served().as_ref(), Some(stays), "{version:?} {code}");
            mend();
            let status = serves(&agent, "the publish, once it can be", &pair);
            assert!(!codes(&status).contains(code), "{version:?} {code}");
            rotations += 1;
            next.push(pair);
            assert_eq!(manager.reloads(mark).unwrap(), vec!["http"; rotations], "{version:?} {code}");
        }
        served = next.pop().unwrap();
        scene.asterisk.restart();
        assert_eq!(scene.served(), Some(served.fingerprint), "{version:?}");
        scene.asterisk.kill();
        drop(agent);
    }
}

#[test]
fn a_mount_that_is_not_there_is_named_and_nothing_is_made_in_its_place() {
    let scene = Scene::new(Version::V22, Layout::Plain);
    scene.pair().write(&scene.asterisk.tls(), Writing::CertThenKey);
    let (above, below) = (scene.asterisk.folder().join("volume"), scene.asterisk.folder().join("volume/tls"));
    let settings = scene.settings().replace(&scene.directory().display().to_string(), &below.display().to_string());
    let agent = Agent::start(&settings);
    let status = agent.wait("the reason", SOON, |status| codes(status).contains("publish-directory-missing"));
    assert_eq!(status["phase"], "AwaitingMaterial");
    assert_eq!(agent.get("/startupz"), (503, "publish-directory-missing\n".to_owned()));
    assert!(!above.exists());
    fs::create_dir(&above).unwrap();
    until(SOON, "the publish", || agent.get("/startupz").0 == 200);
    assert!(below.join(FILES[0]).exists());
}

#[test]
fn what_asterisks_user_cannot_read_is_named_and_not_loaded() {
    for version in BOTH {
        let scene = Scene::new(version, Layout::DataSwap);
        let first = scene.pair();
        let mut agent = scene.serving(&first);
        agent.signal(Signal::TERM);
        assert!(agent.finish().0.success());
        // The next one is given to a user that Asterisk is not.
        let ids = format!("uid: {}, gid: {}, mode: \"0440\"", scene.asterisk.uid, scene.asterisk.gid);
        let agent = Agent::start(&scene.settings().replace(&ids, "uid: 0, gid: 0, mode: \"0440\""));
        serves(&agent, "the first, still", &first);
        let mut manager = scene.asterisk.manager();
        let mark = manager.mark();
        scene.pair().write(&scene.asterisk.tls(), Writing::DataSwap);
        let status = agent.wait("the reason", SOON, |status| {
            status["phase"] == "Rejected" && codes(status).iter().any(|code| code.ends_with("-unreadable"))
        });
        assert_eq!(status["surfaces"][0]["served"]["fingerprintSha256"], first.fingerprint, "{version:?}");
        assert_eq!(agent.get("/readyz").0, 200, "{version:?}");
        assert_eq!(manager.reloads(mark).unwrap(), Vec::<String>::new(), "{version:?}");
    }
}

/// `starkeeper publish` with the scene's settings: exit status, outcome, codes.
fn publish(scene: &Scene, arguments: &[&str]) -> (Option<i32>, String, Vec<String>) {
    let file = scene.asterisk.folder().join("starkeeper.yaml");
    fs::write(&file, scene.settings()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_starkeeper"))
        .args(["publish", "-o", "json", "-c"])
        .arg(&file)
        .args(arguments)
        .env_remove("STARKEEPER_CONFIG")
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let codes = report["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect();
    (output.status.code(), report["outcome"].as_str().unwrap().to_owned(), codes)
}

#[test]
fn the_one_shot_publish_has_files_in_place_before_asterisk_starts_and_never_makes_them_worse() {
    for version in BOTH {
        let mut scene = Scene::new(version, Layout::DataSwap);
        scene.asterisk.kill();
        let tls = scene.asterisk.tls();
        let (code, outcome, codes) = publish(&scene, &["--within", "0"]);
        assert_eq!((code, outcome.as_str(), codes), (Some(1), "nothing", vec!["cert-missing".to_owned(), "key-missing".to_owned()]));
        scene.mismatch().write(&tls, Writing::DataSwap);
        let (code, outcome, codes) = publish(&scene, &["--within", "1"]);
        assert_eq!((code, outcome.as_str(), codes), (Some(1), "nothing", vec!["key-mismatch".to_owned()]));
        assert!(scene.content().is_empty());

        let first = scene.pair();
        let waiting = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| publish(&scene, &["--within", "30"]));
            first.write(&tls, Writing::DataSwap);
            waiting.join().unwrap()
        });
        assert_eq!(waiting, (Some(0), "published".to_owned(), Vec::new()), "{version:?}");
        scene.asterisk.restart();
        assert_eq!(scene.served().as_ref(), Some(&first.fingerprint), "{version:?}");

        let before = scene.content();
        assert_eq!(publish(&scene, &["--within", "0"]), (Some(0), "stood".to_owned(), Vec::new()));
        scene.mismatch().write(&tls, Writing::DataSwap);
        assert_eq!(publish(&scene, &["--within", "30"]), (Some(0), "kept".to_owned(), vec!["key-mismatch".to_owned()]), "it does not wait");
        scene.authority.leaf(&NAMES).expired(DAY).issue().write(&tls, Writing::DataSwap);
        assert_eq!(publish(&scene, &["--within", "0"]), (Some(0), "kept".to_owned(), vec!["leaf-expired".to_owned()]));
        assert_eq!(scene.content(), before, "{version:?}");

        // Into a folder that Asterisk's user cannot pass: no good pair stands for it.
        scene.pair().write(&tls, Writing::DataSwap);
        fs::set_permissions(scene.directory(), fs::Permissions::from_mode(0o700)).unwrap();
        let (code, outcome, codes) = publish(&scene, &["--within", "0"]);
        assert_eq!((code, outcome.as_str()), (Some(1), "nothing"), "{codes:?}");
        assert!(codes.iter().any(|code| code.ends_with("-unreadable")), "{codes:?}");
    }
}

#[test]
fn the_one_shot_publish_without_a_folder_is_wrong_usage() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "certificate: {cert: a.pem, key: b.pem}\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_starkeeper")).args(["publish", "-c"]).arg(file.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty());
}
