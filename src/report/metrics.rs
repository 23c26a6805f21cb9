//! `Status` → metrics, in OpenMetrics or Prometheus text. Base units, timestamps rather than what is left, closed label sets.

mod writer;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, text},
    metrics::{MetricType, counter::ConstCounter},
    registry::{Registry, Unit},
};

use writer::{Labels, Writer, rows};

use super::{
    process::Process,
    status::{Status, Surface, VERDICTS},
};
use crate::{bundle::Leaf, clock::Tick, diagnosis::Severity, state::Phase};

/// Which of the two formats is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `application/openmetrics-text`
    OpenMetrics,
    /// `text/plain`, the format of Prometheus 0.0.4.
    Prometheus,
}

impl Format {
    /// By the request's `Accept`.
    pub fn accepted(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") { Format::OpenMetrics } else { Format::Prometheus }
    }

    /// The response's `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Format::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// The whole exposition, as it stands at `tick`.
pub fn exposition(status: &Arc<Status>, process: Process, format: Format, tick: Tick) -> String {
    let mut registry = Registry::default();
    registry.sub_registry_with_prefix("starkeeper").register_collector(Box::new(Exposed(Arc::clone(status), tick)));
    registry.sub_registry_with_prefix("process").register_collector(Box::new(Costs { process, started: status.started_at }));
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = text::encode(&mut out, &registry);
    match format {
        Format::OpenMetrics => out,
        Format::Prometheus => prometheus(&out),
    }
}

/// Prometheus' own format names a counter with its `_total`, and has no end mark.
fn prometheus(openmetrics: &str) -> String {
    let mut out = String::with_capacity(openmetrics.len());
    let mut lines = openmetrics.lines().peekable();
    while let Some(line) = lines.next() {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match words.as_slice() {
            ["#", "EOF"] | ["#", "UNIT", ..] => continue,
            ["#", "HELP", name, help] if lines.peek().is_some_and(|next| next.ends_with(" counter")) => {
                out.push_str(&format!("# HELP {name}_total {help}\n"));
            }
            ["#", "TYPE", name, "counter"] => out.push_str(&format!("# TYPE {name}_total counter\n")),
            _ => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

#[derive(Debug)]
struct Exposed(Arc<Status>, Tick);

impl Collector for Exposed {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let status = &self.0;
        let mut out = Writer(&mut encoder);
        out.gauge("build_info", "The agent's own version", None, &[(&[("version", status.agent)][..], 1.0)])?;
        let phases: Vec<_> = Phase::NAMES.iter().map(|name| ([("phase", *name)], flag(*name == status.phase))).collect();
        out.gauge("phase", "1 for the phase that the agent is in", None, &rows(&phases))?;
        out.gauge("ready", "Whether /ws accepts a sip upgrade over TLS", None, &[(&[], flag(status.ready_at(self.1).ok))])?;
        out.gauge("live", "0 only when a restart of Asterisk would help", None, &[(&[], flag(status.live.ok))])?;
        let verdicts = VERDICTS.map(|verdict| ([("verdict", verdict)], flag(verdict == status.files.verdict)));
        out.gauge("files_verdict", "1 for what the newest files were found to be", None, &rows(&verdicts))?;
        self.certificates(&mut out)?;
        self.thresholds(&mut out)?;
        let matches: Vec<_> = status.surfaces.iter().map(|s| ([("surface", s.surface.as_str())], flag(s.matches_wanted))).collect();
        out.gauge("served_matches_wanted", "Whether leaf and chain on the wire are those of the newest good pair", None, &rows(&matches))?;
        self.rotations(&mut out)?;
        self.probes(&mut out)?;
        out.gauge("ami_connected", "Whether the agent is logged in to AMI", None, &[(&[], flag(status.ami.connected))])?;
        let reconnects = status.counts.ami_connects.saturating_sub(1);
        out.counter("ami_reconnects", "Logins to AMI after the first", &[(&[], reconnects)])?;
        let heals = [([("outcome", "healed")], status.counts.healed), ([("outcome", "not-healed")], status.counts.not_healed)];
        out.counter("heals", "Reloads to bring a dark listener back", &rows(&heals))?;
        let sent: Vec<_> =
            status.delivery.sent.iter().map(|(kind, came, n)| ([("receiver_kind", *kind), ("outcome", came.name())], *n)).collect();
        out.counter("notifications", "Tries to tell somebody, by what came of them", &rows(&sent))?;
        if let Some(lag) = status.volume_lag_seconds {
            let help = "From the Secret's last change to the files', or as long as it lasts already";
            out.gauge("volume_lag", help, Some(Unit::Seconds), &[(&[], lag)])?;
        }
        let dropped: Vec<_> = status.dropped().filter_map(|(queue, n)| n.map(|n| ([("queue", queue)], n))).collect();
        out.counter("dropped", "What was thinned out because too much of it came", &rows(&dropped))?;
        let mut found: BTreeMap<(&str, &str), f64> = BTreeMap::new();
        for finding in &status.findings {
            *found.entry((finding.code.name(), severity(finding.severity))).or_default() += 1.0;
        }
        let found: Vec<_> = found.into_iter().map(|((code, severity), n)| ([("code", code), ("severity", severity)], n)).collect();
        out.gauge("findings", "What is wrong just now", None, &rows(&found))
    }
}

impl Exposed {
    fn certificates(&self, out: &mut Writer<'_, '_>) -> Result<(), std::fmt::Error> {
        let status = &self.0;
        let known: Vec<(&str, &str, &Leaf)> = (status.files.leaf.iter().map(|leaf| ("files", "wss", leaf)))
            .chain(status.files.published.iter().map(|leaf| ("published", "wss", leaf)))
            .chain(status.surfaces.iter().filter_map(|s: &Surface| s.served.as_ref().map(|leaf| ("served", s.surface.as_str(), leaf))))
            .collect();
        let dated = |date: fn(&Leaf) -> i64| -> Vec<_> {
            known.iter().map(|(source, surface, leaf)| ([("source", *source), ("surface", *surface)], date(leaf) as f64)).collect()
        };
        let until = dated(|leaf| leaf.not_after.as_second());
        out.gauge("certificate_not_after_timestamp", "When the leaf expires", Some(Unit::Seconds), &rows(&until))?;
        let from = dated(|leaf| leaf.not_before.as_second());
        out.gauge("certificate_not_before_timestamp", "From when on the leaf is valid", Some(Unit::Seconds), &rows(&from))?;
        let prints: Vec<String> = known.iter().map(|(_, _, leaf)| leaf.fingerprint_sha256.to_string()).collect();
        let infos: Vec<_> = known
            .iter()
            .zip(&prints)
            .map(|((source, surface, leaf), print)| {
                let labels = [
                    ("source", *source),
                    ("surface", *surface),
                    ("subject", leaf.subject.as_str()),
                    ("issuer", leaf.issuer.as_str()),
                    ("serial", leaf.serial.as_str()),
                    ("fingerprint_sha256", print.as_str()),
                ];
                (labels, 1.0)
            })
            .collect();
        out.gauge("certificate_info", "Which leaf it is", None, &rows(&infos))
    }

    fn rotations(&self, out: &mut Writer<'_, '_>) -> Result<(), std::fmt::Error> {
        let counts = &self.0.counts;
        let outcomes = [
            ([("outcome", "proved")], counts.proved),
            ([("outcome", "already-served")], counts.already_served),
            ([("outcome", "rejected")], counts.rejected),
            ([("outcome", "unproved")], counts.unproved),
        ];
        out.counter("rotations", "Generations of the files, by what came of them", &rows(&outcomes))?;
        let times = &self.0.rotation_times;
        let publish = ("publish", times.publish);
        let stages: Vec<_> = [("settle", times.settle), ("check", times.check)]
            .into_iter()
            .chain(self.0.staged.then_some(publish))
            .chain([("reload", times.reload), ("prove", times.prove), ("total", times.total)])
            .collect();
        out.histogram("rotation_duration", "Of every rotation that was proved, from the first change to the proof", &stages)?;
        let Some(last) = self.0.last_rotation else { return Ok(()) };
        let millis = last.millis;
        let stages: Vec<_> = [("settle", millis.settle), ("check", millis.check)]
            .into_iter()
            .chain(millis.publish.map(|millis| ("publish", millis)))
            .chain([("reload", millis.reload), ("prove", millis.prove), ("total", millis.total)])
            .map(|(stage, millis)| ([("stage", stage)], millis / 1e3))
            .collect();
        out.gauge("last_rotation_stage", "Of the last rotation that was proved", Some(Unit::Seconds), &rows(&stages))?;
        let at = last.at.as_second() as f64;
        out.gauge("last_rotation_timestamp", "When the last rotation was proved", Some(Unit::Seconds), &[(&[], at)])
    }

    fn probes(&self, out: &mut Writer<'_, '_>) -> Result<(), std::fmt::Error> {
        let probes = &self.0.counts.probes;
        let outcomes = [
            ([("outcome", "open")], probes.open),
            ([("outcome", "shut")], probes.shut),
            ([("outcome", "dark")], probes.dark),
            ([("outcome", "cleartext")], probes.cleartext),
            ([("outcome", "refused")], probes.refused),
            ([("outcome", "unreachable")], probes.unreachable),
        ];
        out.counter("probes", "Looks at the door, by how it was found", &rows(&outcomes))?;
        let times = &self.0.probe_times;
        let stages = [("tcp", times.tcp), ("tls", times.tls), ("upgrade", times.upgrade)];
        out.histogram("probe_duration", "Of every look at the door, each stage as far as it came", &stages)
    }

    /// What `leaf-expiring` goes by, so that alerts go by the same.
    fn thresholds(&self, out: &mut Writer<'_, '_>) -> Result<(), std::fmt::Error> {
        let thresholds = self.0.expiry.thresholds();
        let left = thresholds.map(|threshold| ([("level", threshold.level)], threshold.left.as_secs_f64()));
        out.gauge("expiry_threshold", "Less time left than this, and less of the lifetime: expiring", Some(Unit::Seconds), &rows(&left))?;
        let fractions = thresholds.map(|threshold| ([("level", threshold.level)], threshold.fraction));
        out.gauge("expiry_threshold_ratio", "Less of the lifetime left than this, and less time: expiring", None, &rows(&fractions))
    }
}

/// Named as Prometheus' own clients name it.
#[derive(Debug)]
struct Costs {
    process: Process,
    started: Timestamp,
}

impl Collector for Costs {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut out = Writer(&mut encoder);
        let gauge = |value: Option<f64>| value.map(|value| (Labels::default(), value));
        let memory = gauge(self.process.resident_bytes.map(|bytes| bytes as f64));
        out.gauge("resident_memory", "Resident memory", Some(Unit::Bytes), memory.as_slice())?;
        let cpu = self.process.cpu_seconds.map(|seconds| (Labels::default(), seconds));
        let cpu = cpu.iter().map(|(labels, seconds)| (*labels, ConstCounter::new(*seconds)));
        out.family("cpu", "Processor time, user and system", Some(Unit::Seconds), MetricType::Counter, cpu)?;
        let fds = gauge(self.process.open_fds.map(|fds| fds as f64));
        out.gauge("open_fds", "Open file descriptors", None, fds.as_slice())?;
        let started = self.started.as_millisecond() as f64 / 1e3;
        out.gauge("start_time", "When the process began", Some(Unit::Seconds), &[(&[], started)])
    }
}

fn flag(value: bool) -> f64 {
    f64::from(u8::from(value))
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}
