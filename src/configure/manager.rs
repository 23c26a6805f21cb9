//! manager.conf: AMI on the loopback, a user that may do what the agent needs and no more, and the line with which a reload reads the
//! file again.

use secrecy::ExposeSecret as _;

use super::{AMI_USER, Sheet, Wish, quoted};
use crate::asterisk::config::{HEALING_LINE, ManagerConf, ManagerUser, manager_from};

pub(super) fn examine(sheet: &mut Sheet<'_>, wish: &Wish) {
    let known = sheet.conf.is_some().then(|| manager_from(sheet.source, sheet.directory).ok()).flatten();
    let mut lines = Vec::new();
    if known.as_ref().is_none_or(|manager| manager.heals.is_none()) {
        lines.push(HEALING_LINE.to_owned());
    }
    match &known {
        Some(manager) if manager.enabled.value || manager.tls_enabled.value => {}
        Some(ManagerConf { enabled, .. }) if enabled.origin.is_some() => {
            sheet.conflict(enabled.origin.as_ref(), "the manager interface is switched off", "enabled = yes");
        }
        Some(_) | None => lines.push("enabled = yes".to_owned()),
    }
    // Without an address it would listen on all of them.
    let somewhere = known.as_ref().is_some_and(|manager| manager.enabled.value || manager.bind.origin.is_some());
    if !somewhere {
        lines.push("bindaddr = 127.0.0.1".to_owned());
    }
    sheet.add_to("general", &lines);
    match known.as_ref().and_then(|manager| manager.user(AMI_USER)) {
        Some(user) => check(sheet, wish, user),
        None => sheet.draft.append(&section(wish)),
    }
}

fn check(sheet: &mut Sheet<'_>, wish: &Wish, user: &ManagerUser) {
    let secret = user.secret.as_ref().map(|secret| secret.expose_secret());
    match secret {
        None | Some("") => sheet.conflict(Some(&user.origin), "the user has no secret", "secret = …"),
        Some(other) if wish.ami.given && other != wish.ami.value.expose_secret() => {
            sheet.conflict(Some(&user.origin), "another secret", "the secret of --ami-secret-file");
        }
        Some(_) => {}
    }
    for (may, classes, option) in [(user.may_read("system"), &user.read, "read"), (user.may_write("system"), &user.write, "write")] {
        if !may {
            sheet.conflict(Some(&user.origin), &format!("{option} = {}", classes.join(",")), &format!("{option} = system"));
        }
    }
}

/// `deny` counts for each family of addresses by itself.
fn section(wish: &Wish) -> String {
    format!(
        "[{AMI_USER}]\nsecret = {}\nread = system\nwrite = system\ndeny = 0.0.0.0/0.0.0.0\ndeny = ::/0\npermit = 127.0.0.1/255.255.255.255\npermit = ::1/128\n",
        quoted(wish.ami.value.expose_secret())
    )
}
