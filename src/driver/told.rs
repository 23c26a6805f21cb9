//! What the log has been told: one line for each change of phase, for each finding that comes or goes, never for each retry.

use std::collections::BTreeSet;

use tracing::{info, warn};

use crate::{
    diagnosis::{Code, Severity},
    report::Status,
};

#[derive(Debug, Default)]
pub(super) struct Told {
    phase: Option<&'static str>,
    findings: BTreeSet<(Severity, Code)>,
    proved: u64,
}

impl Told {
    pub(super) fn tell(&mut self, status: &Status) {
        let findings: BTreeSet<_> = status.findings.iter().map(|finding| (finding.severity, finding.code)).collect();
        for (severity, code) in findings.difference(&self.findings) {
            let evidence = status.findings.iter().find(|finding| (finding.severity, finding.code) == (*severity, *code));
            let evidence = evidence.and_then(|finding| serde_json::to_string(&finding.evidence).ok()).unwrap_or_default();
            match severity {
                Severity::Error | Severity::Warning => warn!(code = code.name(), %evidence, "found"),
                Severity::Info => info!(code = code.name(), %evidence, "found"),
            }
        }
        for (_, code) in self.findings.difference(&findings) {
            if !findings.iter().any(|(_, still)| still == code) {
                info!(code = code.name(), "gone");
            }
        }
        self.findings = findings;
        if self.phase.replace(status.phase) != Some(status.phase) {
            let mut codes: Vec<_> = self.findings.iter().map(|(_, code)| code.name()).collect();
            codes.dedup();
            info!(phase = status.phase, ready = status.ready.ok, codes = codes.join(","), "phase");
        }
        if status.counts.proved > self.proved
            && let Some(last) = status.last_rotation
        {
            let millis = last.millis;
            info!(
                settle = millis.settle,
                check = millis.check,
                publish = millis.publish,
                reload = millis.reload,
                prove = millis.prove,
                total = millis.total,
                "rotation proved (milliseconds)"
            );
        }
        self.proved = status.counts.proved;
    }
}
