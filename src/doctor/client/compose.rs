//! Compose files → services with what they publish and mount. Pure. Read as Compose reads them: variables filled in, merge keys and `extends`
//! within a file followed, later files over earlier ones, short and long forms alike. What is not followed (`include`, `extends` of another
//! file) is told. Refuses what is not YAML, and a variable that a file demands and nobody sets.

use std::{
    cell::Cell,
    path::{Path, PathBuf},
};

use super::variables::{self, Unfilled};
use crate::settings::{Dialect, Error, Node};

/// What Compose would run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Project {
    pub(super) services: Vec<Service>,
    /// What is said elsewhere and was not read.
    pub(super) passed_over: Vec<String>,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) place: Line,
    pub(super) image: String,
    pub(super) network: Network,
    pub(super) ports: Vec<Port>,
    pub(super) mounts: Vec<Mount>,
}

/// A line of a file, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) file: PathBuf,
    pub(super) line: u64,
}

/// Whose network a container has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Network {
    /// Its own: what is to be reached must be published.
    #[default]
    Own,
    /// The host's: everything is.
    Host,
    /// None.
    Nothing,
    /// That of another service.
    Of(String),
}

/// One entry of `ports`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Port {
    /// The host's address; `None`: all of them.
    pub(super) ip: Option<String>,
    /// First and last; `None`: whichever is free.
    pub(super) host: Option<(u16, u16)>,
    /// First and last.
    pub(super) container: (u16, u16),
    pub(super) tcp: bool,
    pub(super) said: String,
    pub(super) place: Line,
}

/// One entry of `volumes`, `configs` or `secrets`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// A path on the host, where it is one; a volume's name otherwise.
    pub(super) source: String,
    pub(super) target: PathBuf,
    pub(super) said: String,
    pub(super) place: Line,
}

/// Why a Compose file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// It is no YAML.
    #[error("{0}")]
    Yaml(#[from] Box<Error>),
    /// A value cannot be filled in.
    #[error("{}:{line}: {error}", file.display())]
    Unfilled {
        /// The file.
        file: PathBuf,
        /// From 1.
        line: u64,
        /// Why.
        #[source]
        error: Unfilled,
    },
    /// Variables, or services that extend each other, make more of it than anybody runs.
    #[error("{}:{line}: variables and `extends` make more than {MOST} bytes of it", file.display())]
    TooMuch {
        /// The file.
        file: PathBuf,
        /// Where it became too much, from 1.
        line: u64,
    },
    /// An entry that Compose refuses, too.
    #[error("{}:{line}: {entry} is no entry of `{list}`", file.display())]
    Entry {
        /// The file.
        file: PathBuf,
        /// From 1.
        line: u64,
        /// `ports`, `volumes`.
        list: &'static str,
        /// As it stands there.
        entry: String,
    },
}

/// Reads the files, the first one first.
pub(super) fn read(files: &[(PathBuf, Vec<u8>)], said: &dyn Fn(&str) -> Option<String>) -> Result<Project, Unread> {
    let mut project = Project::default();
    let held = Cell::new(0);
    for (file, bytes) in files {
        let root = Node::read(file, bytes, Dialect::Compose)?;
        let reader = Reader { file, services: root.get("services"), said, held: &held };
        if root.get("include").is_some() {
            project.passed_over.push(format!("{}: include", file.display()));
        }
        for entry in reader.services.map(Node::entries).unwrap_or_default() {
            let Some(name) = &entry.key else { continue };
            let place = reader.line(&entry.value);
            let place = Line { line: entry.place.line().unwrap_or(place.line), ..place };
            let mut service = Service { name: name.clone(), place, ..Service::named(name) };
            reader.add(&mut service, &entry.value, 0, &mut project.passed_over)?;
            match project.services.iter_mut().find(|known| known.name == *name) {
                Some(known) => known.over(service),
                None => project.services.push(service),
            }
        }
    }
    Ok(project)
}

impl Service {
    fn named(name: &str) -> Self {
        let place = Line { file: PathBuf::new(), line: 0 };
        Service { name: name.to_owned(), place, image: String::new(), network: Network::Own, ports: Vec::new(), mounts: Vec::new() }
    }

    /// A later one lies over an earlier one.
    fn over(&mut self, later: Service) {
        if !later.image.is_empty() {
            self.image = later.image;
        }
        if later.network != Network::Own {
            self.network = later.network;
        }
        self.ports.extend(later.ports);
        for mount in later.mounts {
            self.mounts.retain(|known| known.target != mount.target);
            self.mounts.push(mount);
        }
    }
}

struct Reader<'a> {
    file: &'a Path,
    services: Option<&'a Node>,
    said: &'a dyn Fn(&str) -> Option<String>,
    /// Of all texts so far, in bytes.
    held: &'a Cell<usize>,
}

impl Reader<'_> {
    /// Adds what `node` says of a service, and first what the services say that it extends.
    fn add(&self, service: &mut Service, node: &Node, depth: u8, passed_over: &mut Vec<String>) -> Result<(), Unread> {
        if let Some(extends) = node.get("extends") {
            let of = extends.get("service").unwrap_or(extends).text();
            let other_file = extends.get("file").and_then(Node::text);
            let base = of.as_ref().and_then(|of| self.services?.get(of));
            match (other_file, base) {
                (Some(other), _) => passed_over.push(format!("{}: extends {other}", self.file.display())),
                // Deeper than anybody writes: services that extend each other, which Compose refuses.
                (None, Some(base)) if depth < DEEPEST => self.add(service, base, depth + 1, passed_over)?,
                (None, _) => {}
            }
        }
        let mut own = Service::named(&service.name);
        for key in ["image", "container_name", "hostname"] {
            if let Some(text) = node.get(key) {
                own.image.push(' ');
                own.image.push_str(&self.text(text)?.unwrap_or_default());
            }
        }
        if let Some(mode) = node.get("network_mode") {
            own.network = match self.text(mode)?.as_deref() {
                Some("host") => Network::Host,
                Some("none") => Network::Nothing,
                Some(other) => other.strip_prefix("service:").map_or(Network::Own, |name| Network::Of(name.to_owned())),
                None => Network::Own,
            };
        }
        for item in node.get("ports").map(Node::items).unwrap_or_default() {
            own.ports.push(self.port(item)?);
        }
        for item in node.get("volumes").map(Node::items).unwrap_or_default() {
            own.mounts.extend(self.volume(item)?);
        }
        for (list, folder) in [("configs", "/"), ("secrets", "/run/secrets/")] {
            for item in node.get(list).map(Node::items).unwrap_or_default() {
                own.mounts.extend(self.granted(item, folder)?);
            }
        }
        service.over(own);
        Ok(())
    }

    fn port(&self, node: &Node) -> Result<Port, Unread> {
        let refused = |entry: &str| self.refused(node, "ports", entry);
        let Some(short) = self.text(node)? else {
            let part = |key: &str| node.get(key).map_or(Ok(None), |part| self.text(part));
            let shown = || node.json().to_string();
            let container = part("target")?.as_deref().and_then(range).ok_or_else(|| refused(&shown()))?;
            let host = match part("published")?.filter(|published| !published.is_empty()) {
                Some(published) => Some(range(&published).ok_or_else(|| refused(&shown()))?),
                None => None,
            };
            let tcp = part("protocol")?.is_none_or(|protocol| protocol == "tcp");
            return Ok(Port { ip: part("host_ip")?, host, container, tcp, said: shown(), place: self.line(node) });
        };
        let (address, protocol) = short.split_once('/').unwrap_or((&short, "tcp"));
        let (before, container) = address.rsplit_once(':').map_or((None, address), |(before, container)| (Some(before), container));
        let (ip, host) = match before {
            None => (None, None),
            Some(before) => match before.rsplit_once(':') {
                Some((ip, host)) => (Some(ip.trim_start_matches('[').trim_end_matches(']').to_owned()), Some(host)),
                None => (None, Some(before)),
            },
        };
        let host = match host.filter(|host| !host.is_empty()) {
            Some(host) => Some(range(host).ok_or_else(|| refused(&short))?),
            None => None,
        };
        let container = range(container).ok_or_else(|| refused(&short))?;
        let same_length = host.is_none_or(|(first, last)| first == last || last - first == container.1 - container.0);
        if !same_length {
            return Err(refused(&short));
        }
        Ok(Port { ip, host, container, tcp: protocol == "tcp", said: short.clone(), place: self.line(node) })
    }

    /// `None`: a volume without a name and a place is none of ours (tmpfs).
    fn volume(&self, node: &Node) -> Result<Option<Mount>, Unread> {
        if let Some(short) = self.text(node)? {
            let mut parts = short.splitn(3, ':');
            let (first, second) = (parts.next().unwrap_or_default(), parts.next());
            let (source, target) = second.map_or(("", first), |second| (first, second));
            if !target.starts_with('/') {
                return Err(self.refused(node, "volumes", &short));
            }
            return Ok(Some(Mount { source: source.to_owned(), target: target.into(), said: short.clone(), place: self.line(node) }));
        }
        let part = |key: &str| node.get(key).map_or(Ok(None), |part| self.text(part));
        if part("type")?.as_deref() == Some("tmpfs") {
            return Ok(None);
        }
        let (source, target) = (part("source")?, part("target")?);
        let target = target.ok_or_else(|| self.refused(node, "volumes", &node.json().to_string()))?;
        let said = format!("{}:{target}", source.as_deref().unwrap_or_default());
        Ok(Some(Mount { source: source.unwrap_or_default(), target: target.into(), said, place: self.line(node) }))
    }

    /// A config or a secret: one file.
    fn granted(&self, node: &Node, folder: &str) -> Result<Option<Mount>, Unread> {
        let part = |key: &str| node.get(key).map_or(Ok(None), |part| self.text(part));
        let name = self.text(node)?.map_or_else(|| part("source"), |name| Ok(Some(name)))?;
        let Some(name) = name else { return Ok(None) };
        let target = part("target")?.unwrap_or_else(|| name.clone());
        let target = if target.starts_with('/') { target } else { format!("{folder}{target}") };
        Ok(Some(Mount { said: format!("{name}: {target}"), source: name, target: target.into(), place: self.line(node) }))
    }

    fn text(&self, node: &Node) -> Result<Option<String>, Unread> {
        let Line { file, line } = self.line(node);
        let Some(text) = node.text() else { return Ok(None) };
        let text = match variables::filled(&text, self.said) {
            Ok(text) => text,
            Err(error) => return Err(Unread::Unfilled { file, line, error }),
        };
        self.held.set(self.held.get() + text.len());
        if self.held.get() > MOST {
            return Err(Unread::TooMuch { file, line });
        }
        Ok(Some(text))
    }

    fn refused(&self, node: &Node, list: &'static str, entry: &str) -> Unread {
        let Line { file, line } = self.line(node);
        Unread::Entry { file, line, list, entry: entry.to_owned() }
    }

    fn line(&self, node: &Node) -> Line {
        Line { file: self.file.to_owned(), line: node.place.line().unwrap_or(1) }
    }
}

/// `8089`, `8000-8100`.
fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then_some((first, last))
}

const DEEPEST: u8 = 16;
/// Of all texts of a project, in bytes.
const MOST: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn project(text: &str) -> Result<Project, String> {
        let said = |name: &str| (name == "WSS_PORT").then(|| "18089".to_owned());
        read(&[(PathBuf::from("compose.yaml"), text.as_bytes().to_vec())], &said).map_err(|error| error.to_string())
    }

    type Read = (Option<String>, Option<(u16, u16)>, (u16, u16), bool);

    fn ports(list: &str) -> Vec<Read> {
        let project = project(&format!("services:\n  asterisk:\n    ports: {list}\n")).unwrap();
        project.services[0].ports.iter().map(|port| (port.ip.clone(), port.host, port.container, port.tcp)).collect()
    }

    #[test]
    fn ports_are_read_in_every_form_that_compose_knows() {
        let one = |port| Some((port, port));
        for (list, expected) in [
            ("[8089]", (None, None, (8089, 8089), true)),
            ("['8089:8089']", (None, one(8089), (8089, 8089), true)),
            ("['443:8089/tcp']", (None, one(443), (8089, 8089), true)),
            ("['5060:5060/udp']", (None, one(5060), (5060, 5060), false)),
            ("['127.0.0.1:8089:8089']", (Some("127.0.0.1".to_owned()), one(8089), (8089, 8089), true)),
            ("['127.0.0.1::8089']", (Some("127.0.0.1".to_owned()), None, (8089, 8089), true)),
            ("['[::1]:8089:8089']", (Some("::1".to_owned()), one(8089), (8089, 8089), true)),
            ("['8088-8089:8088-8089']", (None, Some((8088, 8089)), (8088, 8089), true)),
            ("['${WSS_PORT:-8089}:8089']", (None, one(18089), (8089, 8089), true)),
            ("['${OTHER:-8089}:8089']", (None, one(8089), (8089, 8089), true)),
            ("[{target: 8089, published: 8089}]", (None, one(8089), (8089, 8089), true)),
            ("[{target: 8089, published: '8000-8100', host_ip: 10.0.0.1, protocol: udp}]", {
                (Some("10.0.0.1".to_owned()), Some((8000, 8100)), (8089, 8089), false)
            }),
        ] {
            assert_eq!(ports(list), [expected], "{list}");
        }
    }

    #[test]
    fn mounts_are_read_in_every_form_that_compose_knows() {
        let text = "services:\n  asterisk:\n    volumes:\n      - ./tls:/tls:ro\n      - certs:/etc/asterisk/keys\n      - /data\n      \
                    - {type: bind, source: ./conf, target: /etc/asterisk}\n      - {type: tmpfs, target: /run}\n    \
                    configs:\n      - {source: http, target: /etc/asterisk/http.conf}\n    secrets: [ami]\n";
        let service = &project(text).unwrap().services[0];
        let mounts: Vec<_> = service.mounts.iter().map(|mount| (mount.source.as_str(), mount.target.to_str().unwrap())).collect();
        assert_eq!(
            mounts,
            [
                ("./tls", "/tls"),
                ("certs", "/etc/asterisk/keys"),
                ("", "/data"),
                ("./conf", "/etc/asterisk"),
                ("http", "/etc/asterisk/http.conf"),
                ("ami", "/run/secrets/ami"),
            ]
        );
        assert_eq!(service.mounts[0].place.line, 4);
    }

    #[test]
    fn anchors_extends_and_later_files_are_followed() {
        let first = "x-base: &base\n  ports: ['8089:8089']\nservices:\n  base:\n    volumes: ['./tls:/tls']\n  asterisk:\n    <<: *base\n    \
                     extends: base\n    image: asterisk:22\n";
        let second = "services:\n  asterisk:\n    network_mode: host\n    volumes: ['./other:/tls']\n";
        let files = [(PathBuf::from("a.yaml"), first.into()), (PathBuf::from("b.yaml"), second.into())];
        let project = read(&files, &|_| None).unwrap();
        let service = project.services.iter().find(|service| service.name == "asterisk").unwrap();
        assert_eq!((service.ports.len(), &service.network), (1, &Network::Host));
        assert_eq!(service.mounts.iter().map(|mount| mount.source.as_str()).collect::<Vec<_>>(), ["./other"]);
    }

    #[test]
    fn what_is_not_followed_is_told_and_what_extends_itself_ends() {
        let text = "include: [other.yaml]\nservices:\n  a:\n    extends: {file: b.yaml, service: b}\n  c: {extends: c, ports: ['1:1']}\n";
        let project = project(text).unwrap();
        assert_eq!(project.passed_over, ["compose.yaml: include", "compose.yaml: extends b.yaml"]);
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_line() {
        for (text, expected) in [
            ("services: [", "compose.yaml"),
            ("services:\n  a:\n    ports: ['eighty:8089']\n", "compose.yaml:3: eighty:8089 is no entry of `ports`"),
            ("services:\n  a:\n    ports: ['70000:8089']\n", "is no entry of `ports`"),
            ("services:\n  a:\n    ports: ['1-2:3-5']\n", "is no entry of `ports`"),
            ("services:\n  a:\n    volumes: ['tls:tls']\n", "is no entry of `volumes`"),
            ("services:\n  a:\n    image: ${IMAGE:?the image}\n", "compose.yaml:3: the variable IMAGE is not set: the image"),
        ] {
            let error = project(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn services_that_extend_each_other_manifold_are_refused() {
        let ports = "'8089:8089',".repeat(2000);
        let services: String = (0..500).map(|number| format!("  s{number}: {{extends: base}}\n")).collect();
        let error = project(&format!("services:\n  base: {{ports: [{ports}]}}\n{services}")).unwrap_err();
        assert!(error.starts_with("compose.yaml:2: variables and `extends` make more than"), "{error}");
    }
}
