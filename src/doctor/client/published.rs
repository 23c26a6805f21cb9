//! A Compose project, and what browsers and Asterisk need of it → what it lacks. Pure.

use std::path::{Path, PathBuf};

use super::compose::{Line, Network, Port, Project, Service};
use crate::diagnosis::{Code, Finding, Severity};

/// What must come through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Where Asterisk listens for WSS, in its container.
    pub(super) listens: u16,
    /// Where the browser connects.
    pub(super) connects: u16,
    /// The files that http.conf names. `None`: it is not known.
    pub(super) files: Option<Vec<PathBuf>>,
}

/// Which service is Asterisk's: the one that is named; else the only one that calls itself so, or that publishes where WSS listens, or the
/// only one.
pub(super) fn asterisk<'p>(project: &'p Project, named: Option<&str>, listens: u16) -> Option<&'p Service> {
    if let Some(named) = named {
        return project.services.iter().find(|service| service.name == named);
    }
    let only = |is: &dyn Fn(&Service) -> bool| {
        let mut those = project.services.iter().filter(|service| is(service));
        those.next().filter(|_| those.next().is_none())
    };
    let called = |service: &Service| {
        let text = format!("{} {}", service.name, service.image).to_ascii_lowercase();
        ["asterisk", "freepbx", "pbx", "issabel"].iter().any(|name| text.contains(name)) && !text.contains("starkeeper")
    };
    only(&|service| service.name == "asterisk")
        .or_else(|| only(&called))
        .or_else(|| only(&|service| service.ports.iter().any(|port| carries(port, listens))))
        .or_else(|| only(&|_| true))
}

/// What is missing.
pub(super) fn judge(project: &Project, service: &Service, wanted: &Wanted) -> Vec<Finding> {
    let mut findings: Vec<Finding> = port(project, service, wanted).into_iter().collect();
    for file in wanted.files.iter().flatten() {
        findings.extend(mount(service, file));
    }
    findings
}

fn port(project: &Project, service: &Service, wanted: &Wanted) -> Option<Finding> {
    let of = match &service.network {
        Network::Host => return None,
        Network::Of(other) => project.services.iter().find(|known| known.name == *other).unwrap_or(service),
        Network::Own | Network::Nothing => service,
    };
    let carried: Vec<&Port> = of.ports.iter().filter(|port| carries(port, wanted.listens)).collect();
    let meets = |port: &&&Port| port.host.is_some_and(|(first, last)| (first..=last).contains(&wanted.connects));
    match carried.iter().find(meets) {
        Some(port) => {
            let ip = port.ip.as_deref().filter(|ip| ip.starts_with("127.") || *ip == "::1")?;
            let finding = unpublished(&port.place, wanted).with("service", of.name.as_str()).with("found", port.said.as_str());
            Some(finding.with("reason", format!("published on {ip} alone, which no browser elsewhere reaches")))
        }
        // A proxy of the same project may stand before it.
        None if wanted.connects != wanted.listens && somebody_else(project, of, wanted.connects) => None,
        None => {
            let finding = unpublished(&of.place, wanted).with("service", of.name.as_str());
            let said: Vec<String> = of.ports.iter().map(|port| port.said.clone()).collect();
            Some(if said.is_empty() { finding } else { finding.with("found", said) })
        }
    }
}

fn unpublished(place: &Line, wanted: &Wanted) -> Finding {
    Finding::new(Code::ComposePortUnpublished)
        .with("file", place.file.as_path())
        .with("line", place.line)
        .with("port", wanted.connects)
        .with("ports", format!("{}:{}", wanted.connects, wanted.listens))
}

fn carries(port: &Port, listens: u16) -> bool {
    port.tcp && (port.container.0..=port.container.1).contains(&listens)
}

fn somebody_else(project: &Project, but: &Service, connects: u16) -> bool {
    project.services.iter().filter(|service| service.name != but.name).any(|service| {
        let published = service.ports.iter().any(|port| port.host.is_some_and(|(first, last)| (first..=last).contains(&connects)));
        published || service.network == Network::Host
    })
}

fn mount(service: &Service, file: &Path) -> Option<Finding> {
    let over = service.mounts.iter().filter(|mount| file.starts_with(&mount.target)).max_by_key(|mount| mount.target.as_os_str().len());
    let Some(mount) = over else {
        return Some(
            Finding::new(Code::ComposeVolumeMissing)
                .with("file", service.place.file.as_path())
                .with("line", service.place.line)
                .with("service", service.name.as_str())
                .with("path", file)
                .with("folder", file.parent().unwrap_or(file)),
        );
    };
    (mount.target == file).then(|| {
        let found = format!("the service {} mounts `{}`, a single file", service.name, mount.said);
        let finding = Finding::new(Code::FileMount).with("file", mount.place.file.as_path()).with("line", mount.place.line);
        finding.with("found", found).severity(Severity::Warning)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str, connects: u16) -> Vec<(&'static str, u64)> {
        let project = super::super::compose::read(&[("compose.yaml".into(), text.into())], &|_| None).unwrap();
        let service = asterisk(&project, None, 8089).unwrap();
        let files = vec!["/tls/tls.crt".into(), "/tls/tls.key".into()];
        let wanted = Wanted { listens: 8089, connects, files: Some(files) };
        let line = |finding: &Finding| finding.get("line").unwrap().to_string().parse().unwrap();
        judge(&project, service, &wanted).iter().map(|finding| (finding.code.name(), line(finding))).collect()
    }

    const MOUNT: &str = "    volumes: ['./tls:/tls:ro']\n";

    #[test]
    fn what_browsers_reach_is_left_alone() {
        for (ports, connects) in [
            ("    ports: ['8089:8089']\n", 8089),
            ("    ports: ['443:8089']\n", 443),
            ("    ports: ['8000-8100:8000-8100']\n", 8089),
            ("    ports: ['10.0.0.5:8089:8089']\n", 8089),
            ("    network_mode: host\n", 8089),
            ("    network_mode: 'service:front'\n  front:\n    ports: ['8089:8089']\n", 8089),
            ("  proxy:\n    image: nginx\n    ports: ['443:443']\n", 443),
            ("    ports: ['127.0.0.1:8089:8089']\n  proxy:\n    image: nginx\n    network_mode: host\n", 443),
        ] {
            let text = format!("services:\n  asterisk:\n{MOUNT}{ports}");
            assert_eq!(findings(&text, connects), [], "{text}");
        }
    }

    #[test]
    fn what_browsers_do_not_reach_is_named_with_its_line() {
        for (ports, connects, line) in [
            ("", 8089, 2),
            ("    ports: ['8088:8088']\n", 8089, 2),
            ("    ports: ['8089:8088']\n", 8089, 2),
            ("    ports: ['8089:8089/udp']\n", 8089, 2),
            ("    ports: ['18089:8089']\n", 8089, 2),
            ("    ports: ['8089']\n", 8089, 2),
            ("    ports: ['127.0.0.1:8089:8089']\n", 8089, 4),
            ("    network_mode: none\n", 8089, 2),
            ("    ports: ['8089:8089']\n", 443, 2),
        ] {
            let text = format!("services:\n  asterisk:\n{MOUNT}{ports}");
            assert_eq!(findings(&text, connects), [("compose-port-unpublished", line)], "{text}");
        }
    }

    #[test]
    fn certificates_are_to_be_mounted_as_a_folder() {
        let with = |volumes: &str| findings(&format!("services:\n  asterisk:\n    ports: ['8089:8089']\n{volumes}"), 8089);
        assert_eq!(with("    volumes: ['./all:/']\n"), []);
        assert_eq!(with(""), [("compose-volume-missing", 2); 2]);
        assert_eq!(with("    volumes: ['./conf:/etc/asterisk']\n"), [("compose-volume-missing", 2); 2]);
        assert_eq!(
            with("    volumes:\n      - ./a.crt:/tls/tls.crt\n      - ./a.key:/tls/tls.key\n"),
            [("file-mount", 5), ("file-mount", 6)]
        );
        assert_eq!(with("    volumes:\n      - tls:/tls\n      - ./a.key:/tls/tls.key\n"), [("file-mount", 6)]);
    }

    #[test]
    fn asterisks_service_is_recognised_or_asked_for() {
        let project = |text: &str| super::super::compose::read(&[("compose.yaml".into(), text.into())], &|_| None).unwrap();
        let chosen = |text: &str, named: Option<&str>| asterisk(&project(text), named, 8089).map(|service| service.name.clone());
        let two = "services:\n  web: {image: node}\n  voice: {image: 'andrius/asterisk:22'}\n";
        assert_eq!(chosen(two, None).as_deref(), Some("voice"));
        assert_eq!(chosen(two, Some("web")).as_deref(), Some("web"));
        assert_eq!(chosen(two, Some("none")), None);
        assert_eq!(chosen("services:\n  a: {image: x}\n  b: {ports: ['1:8089']}\n", None).as_deref(), Some("b"));
        assert_eq!(chosen("services:\n  a: {image: x}\n  b: {image: y}\n", None), None);
        let beside = "services:\n  asterisk: {image: mine}\n  starkeeper: {image: starkeeper}\n  pbx-web: {image: web}\n";
        assert_eq!(chosen(beside, None).as_deref(), Some("asterisk"));
    }
}
