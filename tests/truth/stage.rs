//! One row, played: a real Asterisk as the row wants it, a phone in a real browser that goes to the row's URL, and `starkeeper doctor`
//! asked about the same. What leaves: what each of them came to, and what of it must not be.

use std::{
    any::Any,
    fs,
    net::{Ipv4Addr, SocketAddr},
    panic,
    time::Duration,
};

use serde_json::Value;
use starkeeper::clock;

use super::{
    doctor::{self, Said},
    lab::{Lab, NAME},
    support::{
        asterisk::{Asterisk, BOTH, Builder, SECRET, Version},
        browser::{Phone, Softphone},
        certs::{Pair, Writing},
        proxy::{Kind, Proxy},
    },
};

/// What becomes of a phone, in the words of the doctor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Registered.
    Connect,
    /// Never connected, or torn off.
    Fail1006,
    /// Connected, and SIP said no.
    ConnectThenReject,
}

impl Fate {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Fail1006 => "fail-1006",
            Self::ConnectThenReject => "connect-then-reject",
        }
    }
}

/// What is done to a scene before anybody looks.
type Deed = fn(&mut Stage<'_>);

/// One row.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) versions: Vec<Version>,
    pair: fn(&Lab) -> Pair,
    build: fn(Builder) -> Builder,
    set: Deed,
    fate: Fate,
    cause: Option<&'static str>,
    /// What is the first cause from inside.
    within: Within,
    patience: Patience,
    softphone: Softphone,
}

/// What is expected of the view from inside, which sees causes where the other sees what comes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    TheSame,
    Another(Option<&'static str>),
    NotAsked,
}

/// How long a phone is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    /// Until it is settled.
    UntilSettled,
    /// Nothing will happen: neither a connection nor its failure.
    Silence,
    /// Until a connection that stands is torn off.
    UntilTornOff,
}

/// A row with a healthy Asterisk, that ends so and whose first cause is this code.
pub(crate) fn row(name: &'static str, fate: Fate, cause: impl Into<Option<&'static str>>) -> Row {
    Row {
        name,
        versions: BOTH.to_vec(),
        pair: |lab| lab.authority.issue(&[NAME]),
        build: |builder| builder,
        set: |_| {},
        fate,
        cause: cause.into(),
        within: Within::TheSame,
        patience: Patience::UntilSettled,
        softphone: Softphone::JsSip,
    }
}

impl Row {
    /// What lies there when Asterisk starts.
    pub(crate) fn pair(self, pair: fn(&Lab) -> Pair) -> Self {
        Self { pair, ..self }
    }

    /// How Asterisk is built.
    pub(crate) fn build(self, build: fn(Builder) -> Builder) -> Self {
        Self { build, ..self }
    }

    /// What is done once it runs.
    pub(crate) fn set(self, set: Deed) -> Self {
        Self { set, ..self }
    }

    /// Only there.
    pub(crate) fn on(self, version: Version) -> Self {
        Self { versions: vec![version], ..self }
    }

    /// Seen from inside the first cause is this one.
    pub(crate) fn within(self, cause: impl Into<Option<&'static str>>) -> Self {
        Self { within: Within::Another(cause.into()), ..self }
    }

    /// What is wrong is not seen from inside.
    pub(crate) fn outside_alone(self) -> Self {
        Self { within: Within::NotAsked, ..self }
    }

    /// The browser waits, and nothing happens: for as long as a test may take.
    pub(crate) fn silent(self) -> Self {
        Self { patience: Patience::Silence, ..self }
    }

    /// The phone gets in and is torn off.
    pub(crate) fn torn_off(self) -> Self {
        Self { patience: Patience::UntilTornOff, ..self }
    }

    /// With the other softphone.
    pub(crate) fn sip_js(self) -> Self {
        Self { softphone: Softphone::SipJs, ..self }
    }

    /// Plays it.
    pub(crate) fn play(&self, lab: &Lab, version: Version) -> Played {
        let mut played = Played::default();
        let acts = panic::catch_unwind(panic::AssertUnwindSafe(|| self.act(lab, version, &mut played)));
        if let Err(cause) = acts {
            played.wrong.push(said(cause.as_ref()));
        }
        played
    }

    fn act(&self, lab: &Lab, version: Version, played: &mut Played) {
        let asterisk = (self.build)(Asterisk::build(version).pair(&(self.pair)(lab))).start();
        let url = format!("wss://{NAME}:{}/ws", asterisk.ports.wss);
        let mut stage = Stage {
            lab,
            asterisk,
            url: url.clone(),
            user: "webrtc".to_owned(),
            password: SECRET.to_owned(),
            hold: false,
            register: false,
            held: Vec::new(),
        };
        stage.hold = self.patience == Patience::UntilTornOff;
        (self.set)(&mut stage);
        let uri = format!("sip:{}@{NAME}", stage.user);
        let name = format!("{} {}", self.name, version.number());
        let phone = lab.browser.open_as(self.softphone, &name, &stage.url, &uri, &stage.password);
        let said = doctor::ask(&stage);
        // A proxy, and where the phone really goes, are not seen from there.
        let expected = match self.within {
            Within::TheSame => Some(self.cause),
            Within::Another(cause) => Some(cause),
            Within::NotAsked => None,
        };
        let inside = expected.filter(|_| stage.url == url && stage.held.is_empty()).map(|cause| (doctor::ask_inside(&stage), cause));
        let (fate, how) = self.watch(&phone);
        played.browser = how;
        if fate != Some(self.fate) {
            played.wrong.push(format!("the browser was to {}", self.fate.name()));
        }
        if let Some((inside, cause)) = inside {
            self.judge(&inside, "inside", cause, played);
            played.within = inside.first_cause.unwrap_or_else(|| "-".to_owned());
        }
        self.judge(&said, "outside", self.cause, played);
        played.doctor = said.browser_would;
        played.cause = said.first_cause.unwrap_or_else(|| "-".to_owned());
    }

    /// What becomes of the phone, and how.
    fn watch(&self, phone: &Phone<'_>) -> (Option<Fate>, String) {
        let count = |told: &Value, what: &str| told[what].as_u64().unwrap_or_default();
        let shut = |told: &Value| count(told, "connects") == 0 && (count(told, "disconnects") > 0 || !told["thrown"].is_null());
        let torn = |told: &Value| count(told, "connects") > 0 && count(told, "disconnects") > 0;
        let rejected = |told: &Value| count(told, "disconnects") == 0 && !told["failed"].is_null();
        let began = clock::tick();
        let (patience, registered_is_all) = match self.patience {
            Patience::UntilSettled => (SOON, true),
            Patience::Silence => (SILENCE, true),
            Patience::UntilTornOff => (SOON, false),
        };
        let settled =
            phone.within(patience, |told| shut(told) || torn(told) || rejected(told) || registered_is_all && told["registered"] == true);
        let seconds = (clock::tick() - began).as_secs_f64();
        match settled {
            Ok(told) if told["registered"] == true => (Some(Fate::Connect), "registered".to_owned()),
            Ok(told) if !told["thrown"].is_null() => (Some(Fate::Fail1006), told["thrown"].as_str().unwrap_or_default().to_owned()),
            Ok(told) if shut(&told) => ((told["code"] == 1006).then_some(Fate::Fail1006), told["code"].to_string()),
            Ok(told) if torn(&told) => ((told["code"] == 1006).then_some(Fate::Fail1006), format!("{} after {seconds:.1} s", told["code"])),
            Ok(told) => {
                let cause = told["failed"].as_str().unwrap_or_default();
                (Some(Fate::ConnectThenReject), format!("{} {cause}", told["status"]))
            }
            Err(told) if self.patience == Patience::Silence && count(&told, "connects") == 0 => {
                (Some(Fate::Fail1006), format!("nothing for {seconds:.0} s"))
            }
            Err(told) => (None, format!("unsettled: {told}")),
        }
    }

    fn judge(&self, said: &Said, view: &str, cause: Option<&str>, played: &mut Played) {
        let before = played.wrong.len();
        if said.browser_would != self.fate.name() {
            played.wrong.push(format!("the doctor says {:?} from {view}", said.browser_would));
        }
        if said.first_cause.as_deref() != cause {
            played.wrong.push(format!("the first cause is {cause:?} from {view}, not {:?}", said.first_cause));
        }
        if played.wrong.len() > before {
            played.wrong.push(said.all.clone());
        }
    }
}

/// What came of a row.
#[derive(Debug, Default)]
pub(crate) struct Played {
    pub(crate) browser: String,
    pub(crate) doctor: String,
    pub(crate) cause: String,
    pub(crate) within: String,
    pub(crate) wrong: Vec<String>,
}

/// A scene: what deeds are done to.
pub(crate) struct Stage<'l> {
    pub(crate) lab: &'l Lab,
    pub(crate) asterisk: Asterisk,
    /// Where the phone goes.
    pub(crate) url: String,
    pub(crate) user: String,
    pub(crate) password: String,
    /// The doctor is to stay a while.
    pub(crate) hold: bool,
    /// He may register.
    pub(crate) register: bool,
    /// What stands beside Asterisk: proxies, other clients.
    held: Vec<Box<dyn Any>>,
}

impl Stage<'_> {
    /// A port of this scene's own at which nobody listens.
    pub(crate) fn spare(&self) -> u16 {
        *self.asterisk.ports.spare.start()
    }

    /// Another port of Asterisk, or nobody's.
    pub(crate) fn port(&mut self, port: u16) {
        self.url = format!("wss://{NAME}:{port}/ws");
    }

    /// Another path.
    pub(crate) fn path(&mut self, path: &str) {
        self.url = format!("wss://{NAME}:{}{path}", self.asterisk.ports.wss);
    }

    /// Puts a pair there and has Asterisk load it.
    pub(crate) fn load(&self, pair: &Pair) {
        pair.write(&self.asterisk.tls(), Writing::Renames);
        self.asterisk.cli("module reload http");
    }

    /// Changes a configuration file and starts Asterisk anew.
    pub(crate) fn rewrite(&mut self, file: &str, change: impl Fn(&str) -> String) {
        let path = self.asterisk.etc().join(file);
        let text = fs::read_to_string(&path).unwrap();
        let changed = change(&text);
        assert_ne!(changed, text, "{file} is as it was");
        fs::write(&path, changed).unwrap();
        self.asterisk.restart();
    }

    /// A proxy at the spare port with a good pair, to which the phone goes. `{http}` and `{wss}` in its lines are Asterisk's ports.
    pub(crate) fn proxy(&mut self, kind: Kind, lines: &str) {
        let pair = self.lab.authority.issue(&[NAME]);
        self.proxy_with(kind, &pair, lines);
    }

    /// The same with another pair.
    pub(crate) fn proxy_with(&mut self, kind: Kind, pair: &Pair, lines: &str) {
        let port = self.spare();
        self.proxy_at(kind, (Ipv4Addr::LOCALHOST, port).into(), pair, lines);
        self.port(port);
    }

    /// The same at another address.
    pub(crate) fn proxy_at(&mut self, kind: Kind, address: SocketAddr, pair: &Pair, lines: &str) {
        let ports = &self.asterisk.ports;
        let lines = lines.replace("{http}", &ports.http.to_string()).replace("{wss}", &ports.wss.to_string());
        self.keep(Proxy::start(kind, address, pair, &lines));
    }

    /// An nginx.
    pub(crate) fn nginx(&mut self, server: &str) {
        self.proxy(Kind::Nginx, server);
    }

    /// The same with another pair.
    pub(crate) fn nginx_with(&mut self, pair: &Pair, server: &str) {
        self.proxy_with(Kind::Nginx, pair, server);
    }

    /// The same user's other phone, registered, for as long as the browser lives.
    pub(crate) fn another_phone(&self) {
        let name = format!("another at {}", self.url);
        let phone = self.lab.browser.open(&name, &self.url, &format!("sip:{}@{NAME}", self.user), &self.password);
        phone.wait("another phone", |told| told["registered"] == true);
        std::mem::forget(phone);
    }

    /// Keeps it for as long as the scene stands.
    pub(crate) fn keep(&mut self, thing: impl Any) {
        self.held.push(Box::new(thing));
    }
}

/// What a panic said.
fn said(cause: &(dyn Any + Send)) -> String {
    let text = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}

/// For what must happen, on a busy machine too.
const SOON: Duration = Duration::from_secs(40);
/// How long nothing must happen: browsers go on waiting for minutes.
const SILENCE: Duration = Duration::from_secs(6);
