//! The file, the environment and the flags → [`Settings`], or every error at once. Pure: files and variables are read by the closures that
//! enter.

use std::{
    collections::BTreeMap,
    io,
    path::{Component, Path, PathBuf},
    time::Duration,
};

use super::{
    AmiSettings, AmiTls, AsteriskSettings, CertificateSettings, ExpirySettings, HttpSettings, LivenessSettings, LogSettings, Overrides,
    ProbeSettings, Publish, ReadinessSettings, ReloadSettings, Settings, Trust, UserIds, WssSettings,
    error::{Error, Errors, Kind, Place},
    raw::{Raw, RawPublish},
    scalar::{self, Refusal},
    schema::{prune, schema},
    secret,
    tree::{Content, Dialect, Node},
};

/// All that settings are made of.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// The settings file and its bytes; `None`: there is none.
    pub file: Option<(&'a Path, &'a [u8])>,
    /// The flags (and variables, as clap found them).
    pub overrides: &'a Overrides,
    /// Looks up an environment variable.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// Reads the file that `asterisk.ami.secretFile` names.
    pub read: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
}

/// Reads, overrides, checks.
///
/// # Errors
/// Everything that is wrong, in the order of the file. Only where the file is no YAML at all, nothing else is looked at.
pub fn load(inputs: Inputs<'_>) -> Result<Settings, Errors> {
    let path = inputs.file.map(|(path, _)| path);
    let mut errors = Vec::new();
    let mut tree = Node { content: Content::Map(Vec::new()), place: Place::of_file(path) };
    if let Some((path, bytes)) = inputs.file {
        match Node::read(path, bytes, Dialect::Settings) {
            Ok(read) => tree = read,
            Err(error) => errors.push(*error),
        }
    }
    let schema = schema();
    let sound = prune(&mut tree, &schema, "", &mut errors);
    if !sound || !matches!(tree.content, Content::Map(_)) {
        tree.content = Content::Map(Vec::new());
    }
    inputs.overrides.apply(inputs.environment, &mut tree);
    prune(&mut tree, &schema, "", &mut errors);
    let raw: Raw = serde_json::from_value(tree.json()).unwrap_or_else(|_| {
        // Not reached as long as the schema allows nothing that the types do not take; if it is, it is an error like any other.
        errors.push(Error::new(Kind::WrongType, "", Place::of_file(path)));
        Raw::default()
    });
    let mut check = Check { places: tree.places(), file: path, errors };
    let settings = check.settings(&raw, &inputs);
    match Errors::new(check.errors) {
        None => Ok(settings),
        Some(errors) => Err(errors),
    }
}

/// Judges values. Where one is refused, a stand-in takes its place so that the rest is judged too; it never leaves this file.
pub(super) struct Check<'a> {
    places: BTreeMap<String, Place>,
    file: Option<&'a Path>,
    errors: Vec<Error>,
}

impl Check<'_> {
    fn settings(&mut self, raw: &Raw, inputs: &Inputs<'_>) -> Settings {
        let settings = Settings {
            asterisk: self.asterisk(raw, inputs),
            certificate: self.certificate(raw),
            wss: WssSettings {
                address: self.optional("wss.address", raw.wss.address.as_deref(), scalar::address),
                path: self.optional("wss.path", raw.wss.path.as_deref(), scalar::request_path),
                server_name: self.optional("wss.serverName", raw.wss.server_name.as_deref(), scalar::server_name),
                origin: self.optional("wss.origin", raw.wss.origin.as_deref(), scalar::origin),
            },
            reload: ReloadSettings { http: raw.reload.http, pjsip: raw.reload.pjsip, manager: raw.reload.manager },
            probe: self.probe(raw),
            expiry: self.expiry(raw),
            liveness: LivenessSettings {
                policy: raw.liveness.policy,
                after: self.one("liveness.after", &raw.liveness.after, scalar::duration).unwrap_or_default(),
            },
            readiness: ReadinessSettings { require_trusted: raw.readiness.require_trusted },
            http: HttpSettings {
                listen: self.one("http.listen", &raw.http.listen, scalar::listen).unwrap_or_else(|| ([0, 0, 0, 0], 0).into()),
            },
            kubernetes: self.kubernetes(&raw.kubernetes, inputs),
            notify: self.notify(&raw.notify, inputs),
            log: LogSettings {
                format: raw.log.format,
                level: self.one("log.level", &raw.log.level, scalar::log_level).unwrap_or_default(),
            },
        };
        if raw.readiness.require_trusted && settings.certificate.trust == Trust::None {
            self.contradiction(
                ["readiness.requireTrusted", "certificate.trust"],
                "requireTrusted with `certificate.trust: none`",
                "name the CA file in `certificate.trust`, or leave requireTrusted out: with `none`, trust is not judged",
            );
        }
        settings
    }

    fn asterisk(&mut self, raw: &Raw, inputs: &Inputs<'_>) -> AsteriskSettings {
        let ami = &raw.asterisk.ami;
        let secret_file = self.optional(secret::KEY, ami.secret_file.as_deref(), scalar::path);
        let secret_file = secret_file.map(|path| (path, self.place(&[secret::KEY])));
        let secret = secret::ami_secret((inputs.environment)(secret::VARIABLE), secret_file, inputs.read).unwrap_or_else(|error| {
            self.errors.push(*error);
            None
        });
        let (secret, secret_file) = secret.map_or((None, None), |(secret, file)| (Some(secret), file));
        AsteriskSettings {
            config_dir: self.optional("asterisk.configDir", raw.asterisk.config_dir.as_deref(), scalar::path),
            ami: AmiSettings {
                address: self.optional("asterisk.ami.address", ami.address.as_deref(), scalar::address),
                username: self.one("asterisk.ami.username", &ami.username, scalar::ami_username).unwrap_or_default(),
                secret,
                secret_file,
                auth: ami.auth,
                tls: ami.tls.as_ref().map(|tls| AmiTls {
                    server_name: self.optional("asterisk.ami.tls.serverName", tls.server_name.as_deref(), scalar::server_name),
                    trust: self.one("asterisk.ami.tls.trust", &tls.trust, scalar::trust).unwrap_or(Trust::System),
                }),
            },
            user: raw.asterisk.user.as_ref().map(|user| UserIds { uid: user.uid, gid: user.gid, groups: user.groups.clone() }),
        }
    }

    fn certificate(&mut self, raw: &Raw) -> CertificateSettings {
        let certificate = &raw.certificate;
        let names = certificate.names.iter().enumerate();
        let names =
            names.filter_map(|(index, name)| self.one(&format!("certificate.names[{index}]"), name, scalar::covered_name)).collect();
        match (&certificate.cert, &certificate.key, &raw.asterisk.config_dir) {
            (Some(_), _, _) | (None, None, Some(_)) => {}
            (None, Some(_), _) => {
                self.contradiction(["certificate.key", "certificate.cert"], "a key without its certificate", "add `certificate.cert`, the PEM file that belongs to this key; or leave `key` out to take both from http.conf");
            }
            (None, None, None) if self.is_explained() => {}
            (None, None, None) => self.errors.push(
                Error::new(Kind::NothingToWatch, "", Place::of_file(self.file))
                    .expected("`asterisk.configDir` or `certificate.cert`")
                    .remedy(
                        "where Asterisk's configuration is mounted, add `asterisk: {configDir: /etc/asterisk}` (STARKEEPER_ASTERISK_CONFIG_DIR); \
                         elsewhere add `certificate: {cert: FILE, key: FILE}` (STARKEEPER_CERT, STARKEEPER_KEY)",
                    ),
            ),
        }
        let cert = self.optional("certificate.cert", certificate.cert.as_deref(), scalar::path);
        let key = self.optional("certificate.key", certificate.key.as_deref(), scalar::path);
        let publish = certificate.publish.as_ref().map(|publish| self.publish(publish, cert.as_deref(), key.as_deref()));
        CertificateSettings {
            // In staged mode http.conf names what is published, which must never be its own source.
            key: key.or_else(|| cert.clone().filter(|_| publish.is_some())),
            cert,
            names,
            trust: self.one("certificate.trust", &certificate.trust, scalar::trust).unwrap_or(Trust::System),
            publish,
            stamp: self.optional("certificate.stamp", certificate.stamp.as_deref(), scalar::path),
        }
    }

    fn publish(&mut self, raw: &RawPublish, cert: Option<&Path>, key: Option<&Path>) -> Publish {
        let directory = self.one(PUBLISH_DIRECTORY, &raw.directory, scalar::path).unwrap_or_default();
        for (at, source) in [("certificate.cert", cert), ("certificate.key", key)] {
            if let Some(source) = source.filter(|source| is_beside_or_below(&directory, source)) {
                let found = format!("`{}`, where the source `{}` stands", directory.display(), source.display());
                self.contradiction([PUBLISH_DIRECTORY, at], &found, "publish into a folder of its own: `directory: /run/starkeeper/tls`");
                break;
            }
        }
        if cert.is_none() && key.is_none() {
            let remedy = "add `certificate: {cert: FILE, key: FILE}`, the source that is checked before it is published; \
                          http.conf names what is published, so the source cannot be taken from there";
            self.contradiction(["certificate.publish", PUBLISH_DIRECTORY], "`publish` without a source", remedy);
        }
        Publish {
            directory,
            uid: raw.uid,
            gid: raw.gid,
            mode: self.one("certificate.publish.mode", &raw.mode, scalar::published_mode).unwrap_or_default(),
        }
    }

    fn probe(&mut self, raw: &Raw) -> ProbeSettings {
        let interval = self.one("probe.interval", &raw.probe.interval, scalar::duration);
        let timeout = self.one("probe.timeout", &raw.probe.timeout, scalar::duration);
        if let (Some(interval), Some(timeout)) = (interval, timeout)
            && interval < timeout
        {
            let found = format!("interval {} is shorter than timeout {}", raw.probe.interval, raw.probe.timeout);
            self.contradiction(["probe.interval", "probe.timeout"], &found, "make `probe.interval` at least as long as `probe.timeout`");
        }
        ProbeSettings { interval: interval.unwrap_or(Duration::MAX), timeout: timeout.unwrap_or(Duration::MAX) }
    }

    fn expiry(&mut self, raw: &Raw) -> ExpirySettings {
        let warning = self.one("expiry.warning", &raw.expiry.warning, scalar::duration);
        let critical = self.one("expiry.critical", &raw.expiry.critical, scalar::duration);
        if let (Some(warning), Some(critical)) = (warning, critical)
            && critical > warning
        {
            let found = format!("critical {} is longer than warning {}", raw.expiry.critical, raw.expiry.warning);
            self.contradiction(["expiry.critical", "expiry.warning"], &found, "make `expiry.critical` at most as long as `expiry.warning`");
        }
        let fraction = raw.expiry.lifetime_fraction;
        let lifetime_fraction = scalar::fraction(fraction).unwrap_or_else(|refusal| {
            self.refuse("expiry.lifetimeFraction", &fraction.to_string(), refusal);
            fraction
        });
        ExpirySettings { warning: warning.unwrap_or_default(), critical: critical.unwrap_or_default(), lifetime_fraction }
    }

    pub(super) fn one<T>(&mut self, key: &str, text: &str, parse: fn(&str) -> Result<T, Refusal>) -> Option<T> {
        parse(text).map_err(|refusal| self.refuse(key, text, refusal)).ok()
    }

    pub(super) fn optional<T>(&mut self, key: &str, text: Option<&str>, parse: fn(&str) -> Result<T, Refusal>) -> Option<T> {
        text.and_then(|text| self.one(key, text, parse))
    }

    fn refuse(&mut self, key: &str, found: &str, refusal: Refusal) {
        let mut error = Error::new(refusal.kind, key, self.place(&[key])).expected(refusal.expected);
        // Whoever mistakes `secretFile` for the secret may have put the secret there.
        if key != secret::KEY {
            error = error.found(format!("`{found}`"));
        }
        error.remedy = refusal.remedy;
        self.errors.push(error);
    }

    pub(super) fn contradiction(&mut self, keys: [&str; 2], found: &str, remedy: &str) {
        self.errors.push(Error::new(Kind::Contradiction, keys[0], self.place(&keys)).found(found).remedy(remedy));
    }

    /// What the world here does not allow.
    pub(super) fn refuse_here(&mut self, kind: Kind, key: &str, found: &str, remedy: &str) {
        self.errors.push(Error::new(kind, key, self.place(&[key])).found(found).remedy(remedy));
    }

    /// Whether something at or below `key` is wrong already: what only follows from that would hide it.
    pub(super) fn is_known_wrong(&self, key: &str) -> bool {
        self.errors.iter().any(|error| error.key.starts_with(key))
    }

    /// Where the first of these keys that was said was said.
    fn place(&self, keys: &[&str]) -> Place {
        keys.iter().find_map(|key| self.places.get(*key)).cloned().unwrap_or_else(|| Place::of_file(self.file))
    }

    /// Whether an error already named may be why no certificate is known: saying so again would only hide it.
    fn is_explained(&self) -> bool {
        self.errors.iter().any(|error| match error.kind {
            Kind::NotText | Kind::TooLarge | Kind::Syntax | Kind::UnknownKey | Kind::WrongType | Kind::DuplicateKey => true,
            Kind::UnknownValue
            | Kind::MissingKey
            | Kind::BadDuration
            | Kind::BadAddress
            | Kind::BadFraction
            | Kind::BadLogLevel
            | Kind::BadName
            | Kind::BadPath
            | Kind::BadMode
            | Kind::BadText
            | Kind::BadOrigin
            | Kind::BadUrl
            | Kind::BadTemplate
            | Kind::BadMailbox
            | Kind::SecretInline
            | Kind::SecretUnreadable
            | Kind::SecretEmpty
            | Kind::SecretUnusable
            | Kind::Contradiction
            | Kind::NotInThisVersion
            | Kind::NoCluster
            | Kind::NothingToWatch => false,
        })
    }
}

/// Whether `directory` is the folder in which `source` stands, or below it: watching the one would then see the other. Read as they are
/// written, since links may not be there yet. Below the root, and below a working directory, everything stands: that says nothing.
fn is_beside_or_below(directory: &Path, source: &Path) -> bool {
    let (directory, source) = (plain(directory), plain(source));
    let Some(home) = source.parent() else { return false };
    let says_nothing = home == Path::new("/") || home == Path::new("");
    directory == home || (!says_nothing && directory.starts_with(home))
}

/// Without `.`, and with each `..` taken at its word.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, component| {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                plain.pop();
            }
            Component::ParentDir | Component::Normal(_) | Component::RootDir | Component::Prefix(_) => plain.push(component),
        }
        plain
    })
}

const PUBLISH_DIRECTORY: &str = "certificate.publish.directory";
