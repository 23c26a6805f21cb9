//! What is added, where, and what is left alone.

use std::{collections::BTreeMap, fs, process::Command};

use super::*;

type Folder = BTreeMap<PathBuf, Vec<u8>>;

fn folder(files: &[(&str, &str)]) -> Folder {
    let mut folder: Folder = files.iter().map(|(name, text)| (Path::new("/etc/asterisk").join(name), text.as_bytes().to_vec())).collect();
    for there in ["asterisk.conf", "manager.d/README.conf"] {
        folder.entry(Path::new("/etc/asterisk").join(there)).or_default();
    }
    folder
}

fn made_up(text: &str) -> Secret {
    Secret { value: SecretString::from(text), given: false }
}

fn wish() -> Wish {
    Wish {
        pair: Some(("/tls/tls.crt".into(), "/tls/tls.key".into())),
        bind: None,
        ami: made_up("deadbeef-ami"),
        users: vec![User { name: "1001".to_owned(), password: made_up("deadbeef-1001") }],
    }
}

fn planned(folder: &Folder) -> Plan {
    plan(folder, Path::new("/etc/asterisk"), &wish())
}

fn carried_out(folder: &Folder, plan: &Plan) -> Folder {
    assert!(plan.conflicts.is_empty(), "{:?}", plan.conflicts);
    let mut folder = folder.clone();
    folder.extend(plan.drafts.iter().map(|draft| (draft.path.clone(), draft.after().to_vec())));
    folder
}

const DEBIAN: [(&str, &str); 4] = [
    ("http.conf", "; comment\n[general]\nservername=Asterisk\n\nbindaddr=127.0.0.1\n[post_mappings]\n"),
    ("manager.conf", "[general]\nenabled = yes\nport = 5038\nbindaddr = 127.0.0.1\n\n#include \"manager.d/*.conf\" \n"),
    ("modules.conf", "[modules]\nautoload=yes\nnoload => chan_oss.so\n[global]\n"),
    ("pjsip.conf", "; only comments"),
];

#[test]
fn an_empty_folder_gets_four_files_that_say_everything() {
    let empty = folder(&[]);
    let plan = planned(&empty);
    assert_eq!(
        plan.drafts.iter().map(|draft| draft.name.as_str()).collect::<Vec<_>>(),
        ["http.conf", "manager.conf", "modules.conf", "pjsip.conf"]
    );
    let full = carried_out(&empty, &plan);
    assert!(planned(&full).is_done());
    let read = crate::asterisk::config::load_from(&full, Path::new("/etc/asterisk"));
    assert_eq!(read.findings, []);
    assert_eq!(read.http.unwrap().tls_bind.unwrap().value.to_string(), "0.0.0.0:8089");
    assert!(read.manager.unwrap().user(AMI_USER).unwrap().may_write("system"));
}

#[test]
fn lines_come_below_the_section_they_belong_to_and_all_else_stays() {
    let before = folder(&DEBIAN);
    let after = carried_out(&before, &planned(&before));
    let text = |name: &str| String::from_utf8(after[&Path::new("/etc/asterisk").join(name)].clone()).unwrap();
    assert_eq!(
        text("http.conf"),
        "; comment\n[general]\n#tryinclude starkeeper.absent\nenabled = yes\ntlsenable = yes\ntlsbindaddr = 0.0.0.0:8089\ntlscertfile = \
         /tls/tls.crt\ntlsprivatekey = /tls/tls.key\nservername=Asterisk\n\nbindaddr=127.0.0.1\n[post_mappings]\n"
    );
    // The wildcard include heals already.
    assert!(text("manager.conf").starts_with(DEBIAN[1].1) && text("manager.conf").contains("\n\n[starkeeper]\nsecret = deadbeef-ami\n"));
    assert!(text("pjsip.conf").starts_with("; only comments\n\n[transport-wss]\n"));
    assert_eq!(text("modules.conf"), DEBIAN[2].1, "without sip.conf there is no chan_sip to bar");
    for (path, bytes) in &before {
        let kept: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        let mut lines = after[path].split(|byte| *byte == b'\n');
        assert!(kept.iter().all(|line| lines.any(|other| other == *line)), "{}", path.display());
    }
    assert!(planned(&after).is_done());
}

#[test]
fn what_says_otherwise_is_a_finding_with_file_and_line_and_nothing_is_written() {
    let table = [
        ("http.conf", "[general]\ntlsenable = no\n", 2),
        ("http.conf", "[general]\ntlsbindaddr = pbx.example.com:8089\n", 2),
        ("http.conf", "[general]\n\ntlsbindaddr = 127.0.0.1:8089\n", 3),
        ("http.conf", "[general]\ntlscertfile = /other.crt\ntlsprivatekey = /tls/tls.key\n", 2),
        ("http.conf", "[general]\ntlscertfile = /tls/tls.crt\ntlsprivatekey = /other.key\n", 3),
        ("http.conf", "[general]\n;-- never ends\n", 2),
        ("http.conf", "[general\n", 1),
        ("manager.conf", "[general]\nenabled = no\n", 2),
        ("manager.conf", "[general]\nenabled = yes\n[starkeeper]\nsecret = x\nread = call\nwrite = system\n", 3),
        ("manager.conf", "[general]\nenabled = yes\n[starkeeper]\nread = system\nwrite = system\n", 3),
        ("modules.conf", "[modules]\nautoload = yes\nnoload = res_srtp.so\n", 3),
        ("modules.conf", "[modules]\nautoload = no\nload = chan_sip.so\n", 3),
        ("pjsip.conf", "[transport-wss]\ntype = transport\nprotocol = udp\n", 1),
        ("pjsip.conf", "[1001]\ntype = aor\n", 1),
        ("pjsip.conf", "[1001]\ntype = endpoint\nauth = a\naors = b\n[a]\ntype = auth\n[b]\ntype = aor\nmax_contacts = 1\n", 1),
        ("pjsip.conf", "[1001]\ntype = endpoint\nwebrtc = yes\nauth = a\naors = b\n[a]\ntype = auth\n[b]\ntype = aor\n", 8),
    ];
    for (name, text, line) in table {
        let plan = planned(&folder(&[(name, text)]));
        let [conflict] = plan.conflicts.as_slice() else { panic!("{text}: {:?}", plan.conflicts) };
        assert_eq!(conflict.code, Code::ConfConflict);
        assert_eq!(conflict.get("file"), Some(&Path::new("/etc/asterisk").join(name).as_path().into()), "{text}");
        assert_eq!(conflict.get("line"), Some(&line.into()), "{text}");
    }
}

#[test]
fn chan_sip_is_barred_only_where_it_serves_nobody() {
    let sip = "[general]\nudpbindaddr=0.0.0.0\n[authentication]\n[phone](!)\ntype=friend\n";
    let phones = "[general]\n[200]\ntype=friend\n";
    let autoload = "[modules]\nautoload=yes\n";
    let table = [
        (autoload, sip, true, 0),
        (autoload, "[general]\nwebsocket_enabled = no\n[200]\ntype=friend\n", false, 0),
        (autoload, phones, false, 1),
        ("[modules]\nautoload=yes\nnoload = chan_sip.so\n", phones, false, 0),
        ("[modules]\nautoload=yes\nnoload => chan_sip\n", sip, false, 0),
        ("[modules]\nautoload=no\n", sip, false, 0),
    ];
    for (modules, sip, barred, conflicts) in table {
        let plan = planned(&folder(&[("modules.conf", modules), ("sip.conf", sip)]));
        assert_eq!(plan.conflicts.len(), conflicts, "{modules}{sip}: {:?}", plan.conflicts);
        assert_eq!(plan.drafts.iter().any(|draft| draft.name == "modules.conf"), barred, "{modules}{sip}");
    }
}

#[test]
fn a_secret_that_was_given_must_be_the_one_that_stands_there() {
    let full = carried_out(&folder(&[]), &planned(&folder(&[])));
    for (ami, password, conflicts) in [("deadbeef-ami", "deadbeef-1001", 0), ("other", "deadbeef-1001", 1), ("deadbeef-ami", "other", 1)] {
        let given = |text: &str| Secret { value: SecretString::from(text), given: true };
        let users = vec![User { name: "1001".to_owned(), password: given(password) }];
        let plan = plan(&full, Path::new("/etc/asterisk"), &Wish { ami: given(ami), users, ..wish() });
        assert_eq!(plan.conflicts.len(), conflicts, "{ami} {password}: {:?}", plan.conflicts);
        assert!(!format!("{plan:?}").contains("deadbeef"));
    }
}

#[test]
fn a_secret_with_a_semicolon_is_read_back_whole() {
    let given = Secret { value: SecretString::from("a;b#c=d"), given: true };
    let wish = Wish { ami: given, ..wish() };
    let plan = plan(&folder(&[]), Path::new("/etc/asterisk"), &wish);
    assert!(plan.conflicts.is_empty(), "{:?}", plan.conflicts);
}

#[test]
fn the_difference_applies_with_patch_and_holds_no_secret() {
    let unended = "[general]\nenabled = yes\nbindaddr = 127.0.0.1\n[boss]\nsecret = top-secret\nread = all\n; the end";
    for files in [&DEBIAN[..], &[], &[("http.conf", "\n\n[general]\nx=1\n"), ("manager.conf", unended)]] {
        let before = folder(files);
        let plan = planned(&before);
        let disk = tempfile::tempdir().unwrap();
        for (path, bytes) in &before {
            fs::write(disk.path().join(path.file_name().unwrap()), bytes).unwrap();
        }
        let all: String = plan.drafts.iter().map(Draft::diff).collect();
        assert!(!all.contains("deadbeef") && !all.contains("top-secret"), "{all}");
        fs::write(disk.path().join("all.diff"), &all).unwrap();
        let patch = Command::new("patch").args(["-p1", "--batch", "-i", "all.diff"]).current_dir(disk.path()).output().unwrap();
        assert!(patch.status.success(), "{}\n{all}", String::from_utf8_lossy(&patch.stdout));
        for draft in &plan.drafts {
            let patched = fs::read_to_string(disk.path().join(&draft.name)).unwrap();
            let after = String::from_utf8(draft.after().to_vec()).unwrap();
            if after.contains("deadbeef") {
                assert!(patched.contains(";[") && !patched.contains("\nsecret = d") && !patched.contains("\npassword"), "{patched}");
                assert_eq!(patched.lines().count(), after.lines().count());
            } else {
                assert_eq!(patched, after);
            }
        }
    }
}
