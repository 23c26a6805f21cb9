//! The quick start, in both languages, as it stands in the README: its lines are given to a real Asterisk whose certificate was set up by
//! hand, and to the agent. Only ports and the folder are other ones.

use std::{fs, time::Duration};

use crate::support::{
    agent::Agent,
    asterisk::{Asterisk, Version},
    certs::{Authority, Writing},
};

const SOON: Duration = Duration::from_secs(20);

/// The fenced blocks of this kind, in their order, from the heading that begins so.
fn blocks(readme: &str, heading: &str, kind: &str) -> Vec<String> {
    let section = readme.split("\n## ").find(|section| section.starts_with(heading)).expect("the heading");
    let fenced = section.split("\n```").skip(1).step_by(2);
    fenced.filter_map(|block| block.strip_prefix(kind)?.strip_prefix('\n').map(|text| format!("{text}\n"))).collect()
}

#[test]
fn the_quick_start_works_as_it_is_written() {
    for (readme, heading) in [
        (include_str!("../../README.md"), "Quick start, beside an Asterisk that you have"),
        (include_str!("../../README.pt-BR.md"), "Início rápido, ao lado de um Asterisk que você já tem"),
    ] {
        let asterisk = Asterisk::build(Version::V22).without_absent_include().start();
        let conf = blocks(readme, heading, "ini");
        let [manager, http] = conf.as_slice() else { panic!("{conf:#?}") };
        let mut console = asterisk.manager();

        // 1. and 2. The `[general]` that is there already comes first; what the README says follows.
        let ours = format!("port = {}", asterisk.ports.ami);
        let manager = manager.replace("port = 5038", &ours);
        assert!(manager.contains(&ours));
        fs::write(asterisk.etc().join("manager.conf"), manager).unwrap();
        let path = asterisk.etc().join("http.conf");
        let old = fs::read_to_string(&path).unwrap();
        fs::write(&path, old.replacen("[general]\n", http, 1)).unwrap();

        // 3. By the console's own session, which outlives the user `admin`.
        let commands = blocks(readme, heading, "sh");
        for command in ["module reload manager", "module reload http"] {
            assert!(commands.iter().any(|block| block.contains(&format!("asterisk -rx '{command}'"))), "{commands:#?}");
            console.command(command).unwrap();
        }

        // 4. and 5.
        let settings = blocks(readme, heading, "yaml");
        let settings = settings[0].replace("/etc/asterisk", asterisk.etc().to_str().unwrap());
        let agent = Agent::start(&settings);
        let status = agent.wait("the first proof", SOON, |status| status["phase"] == "Serving");
        assert_eq!(status["healing"]["by"], "absentInclude");
        assert!(commands.iter().any(|block| block.contains("curl 'http://localhost:9808/readyz?verbose'")), "{commands:#?}");
        assert_eq!(agent.get("/readyz?verbose"), (200, "[+]wss-upgrade ok\nreadyz check passed\n".to_owned()));

        // What it is for.
        let renewed = Authority::new().issue(&["pbx.example.com"]);
        renewed.write(&asterisk.tls(), Writing::CertThenKey);
        agent.wait("the rotation", SOON, |status| {
            status["phase"] == "Serving" && status["surfaces"][0]["served"]["fingerprintSha256"] == renewed.fingerprint
        });
    }
}
