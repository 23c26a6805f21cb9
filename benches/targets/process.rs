//! What the kernel knows of a process: memory, and processor time to the nanosecond.

use std::{fs, time::Duration};

use super::table::Table;

/// `VmRSS`, `Pss` and the like, in kilobytes.
pub(super) fn memory(pid: u32) -> Memory {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
        line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
    };
    Memory {
        resident: field("status", "VmRSS:"),
        anonymous: field("status", "RssAnon:"),
        peak: field("status", "VmHWM:"),
        proportional: field("smaps_rollup", "Pss:"),
        threads: field("status", "Threads:"),
    }
}

/// In kilobytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    pub(super) resident: u64,
    pub(super) anonymous: u64,
    pub(super) peak: u64,
    pub(super) proportional: u64,
    pub(super) threads: u64,
}

impl Memory {
    /// Against the most megabytes that may be resident.
    pub(super) fn tell(&self, most: u64, table: &mut Table) {
        let mega = |kilobytes: u64| kilobytes as f64 / 1024.0;
        let resident = mega(self.resident);
        table.target("resident memory (VmRSS)", &format!("{resident:.2} MB"), &format!("≤ {most} MB"), resident <= most as f64);
        let (pss, anonymous, peak) = (mega(self.proportional), mega(self.anonymous), mega(self.peak));
        let parts = format!("Pss {pss:.2} MB, anonymous {anonymous:.2} MB; peak {peak:.2} MB; {} threads", self.threads);
        table.row("  of that", &parts);
    }
}

/// Processor time of all its threads that live, user and system. `/proc/PID/stat` counts in hundredths of a second; the scheduler knows
/// better, but forgets threads that have ended.
pub(super) fn cpu(pid: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().filter_map(Result::ok);
    let nanos = tasks.filter_map(|task| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

/// The same to a hundredth of a second, with the threads that have ended.
pub(super) fn cpu_of_all(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks: u64 = fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
