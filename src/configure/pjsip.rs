//! pjsip.conf: a wss transport, and for each user an endpoint, an auth and an aor, made from three templates. An endpoint that stands
//! there is not touched: where a browser could not use it, that is a finding.

use secrecy::ExposeSecret as _;

use super::{Sheet, User, Wish, conflict, quoted};
use crate::{
    asterisk::config::{Conf, Section},
    diagnosis::Finding,
};

pub(super) fn examine(sheet: &mut Sheet<'_>, wish: &Wish) {
    let conf = sheet.conf.as_ref();
    let kinds = |kind: &'static str| conf.into_iter().flat_map(move |conf| conf.sections().filter(move |section| is_a(section, kind)));
    let mut text = String::new();
    let mut conflicts = Vec::new();
    let wss = |section: &Section<'_>| section.last("protocol").is_some_and(|entry| entry.value().eq_ignore_ascii_case("wss"));
    if !kinds("transport").any(|section| wss(&section)) {
        conflicts.extend(taken(conf, TRANSPORT));
        text.push_str(&format!("[{TRANSPORT}]\ntype = transport\nprotocol = wss\nbind = 0.0.0.0\n"));
    }
    let mut templates = false;
    for user in &wish.users {
        match kinds("endpoint").find(|section| section.name() == user.name) {
            Some(endpoint) => conflicts.extend(conf.into_iter().flat_map(|conf| unusable(conf, &endpoint, user))),
            None => {
                conflicts.extend(taken(conf, &user.name));
                if !std::mem::replace(&mut templates, true) && !conf.is_some_and(|conf| conf.has_template("starkeeper-endpoint")) {
                    push(&mut text, TEMPLATES);
                }
                push(&mut text, &sections(user));
            }
        }
    }
    sheet.conflicts.append(&mut conflicts);
    if !text.is_empty() {
        sheet.draft.append(&text);
    }
}

fn push(text: &mut String, more: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(more);
}

/// A section of that name that is something else.
fn taken(conf: Option<&Conf>, name: &str) -> Option<Finding> {
    let section = conf?.sections().find(|section| section.name() == name)?;
    Some(conflict(&section.origin(), "the name is taken by something else").with("section", name.to_owned()))
}

/// What keeps a browser from using an endpoint that stands there.
fn unusable(conf: &Conf, endpoint: &Section<'_>, user: &User) -> Vec<Finding> {
    let named = |option: &str| endpoint.last(option).map(|entry| entry.value().into_owned()).unwrap_or_default();
    let there = |kind: &'static str, name: &str| conf.sections().find(|section| is_a(section, kind) && section.name() == name);
    let wrong = |found: String, expected: &str| {
        conflict(&endpoint.origin(), "a browser cannot use the endpoint").with("found", found).with("expected", expected.to_owned())
    };
    let mut findings = Vec::new();
    if !["yes", "true", "y", "t", "1", "on"].iter().any(|word| word.eq_ignore_ascii_case(&named("webrtc"))) {
        findings.push(wrong(format!("webrtc = {}", named("webrtc")), "webrtc = yes"));
    }
    match there("auth", &named("auth")) {
        None => findings.push(wrong(format!("auth = {}", named("auth")), "an auth section that exists")),
        Some(auth) => {
            let password = auth.last("password").map(|entry| entry.value().into_owned());
            if user.password.given && password.as_deref() != Some(user.password.value.expose_secret()) {
                findings.push(conflict(&auth.origin(), "another password stands there").with("expected", "the one that was given"));
            }
        }
    }
    let aor = there("aor", &named("aors"));
    let contacts = aor.and_then(|aor| aor.last("max_contacts")).and_then(|entry| entry.value().trim().parse::<u32>().ok());
    match (aor, contacts) {
        (None, _) => findings.push(wrong(format!("aors = {}", named("aors")), "an aor section that exists")),
        (Some(aor), None | Some(0)) => findings.push(conflict(&aor.origin(), "nobody may register").with("expected", "max_contacts = 5")),
        (Some(_), Some(_)) => {}
    }
    findings
}

/// The first `type` counts.
fn is_a(section: &Section<'_>, kind: &str) -> bool {
    section.entries().find(|entry| entry.is("type")).is_some_and(|entry| entry.value() == kind)
}

fn sections(User { name, password }: &User) -> String {
    format!(
        "[{name}](starkeeper-endpoint)\nauth = {name}\naors = {name}\n\n[{name}](starkeeper-auth)\nusername = {name}\npassword = {}\n\n[{name}](starkeeper-aor)\n",
        quoted(password.value.expose_secret())
    )
}

const TRANSPORT: &str = "transport-wss";

/// Codecs that every browser and every Asterisk has; more of them at will.
const TEMPLATES: &str = "[starkeeper-endpoint](!)\ntype = endpoint\ncontext = default\ndisallow = all\nallow = ulaw,alaw\nwebrtc = yes\n\n\
    [starkeeper-auth](!)\ntype = auth\nauth_type = userpass\n\n[starkeeper-aor](!)\ntype = aor\nmax_contacts = 5\nremove_existing = yes\n";
