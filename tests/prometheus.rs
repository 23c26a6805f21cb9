//! Metrics, alerts and the dashboard as those meet them who use them: a real Prometheus scrapes real agents beside real Asterisks, promtool judges
//! the exposition and the alerts, and a real Alertmanager calls a webhook.
#![allow(clippy::unwrap_used, reason = "what cannot go on fails the test at the place where it stands")]

mod support;

#[path = "prometheus/alarm.rs"]
mod alarm;
#[path = "prometheus/dashboard.rs"]
mod dashboard;
#[path = "prometheus/rules.rs"]
mod rules;
#[path = "prometheus/scraped.rs"]
mod scraped;

use std::time::Duration;

use support::asterisk::Asterisk;

/// What everybody who waits here grants.
const SOON: Duration = Duration::from_secs(60);

/// Everything but the user and its secret comes from Asterisk's own files; probes are frequent.
fn settings(asterisk: &Asterisk) -> String {
    format!(
        "asterisk:\n  configDir: {}\n  ami: {{username: starkeeper, secretFile: {}}}\ncertificate: {{trust: none}}\nprobe: {{interval: 1s, timeout: 1s}}\n",
        asterisk.etc().display(),
        asterisk.secret_file().display()
    )
}
