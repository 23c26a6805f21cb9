//! /proc → what this process itself costs, as Prometheus' own clients name it. Refuses nothing: what cannot be read is left out.

use std::fs;

/// What this process costs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Process {
    /// Resident memory in bytes.
    pub resident_bytes: Option<u64>,
    /// Processor time so far, user and system, in seconds.
    pub cpu_seconds: Option<f64>,
    /// Open file descriptors.
    pub open_fds: Option<u64>,
}

/// Reads it now: three small files, no disk.
pub fn read() -> Process {
    Process {
        resident_bytes: fs::read_to_string("/proc/self/status").ok().and_then(|status| resident_bytes(&status)),
        cpu_seconds: fs::read_to_string("/proc/self/stat").ok().and_then(|stat| cpu_seconds(&stat)),
        // The folder itself is open while it is counted.
        open_fds: fs::read_dir("/proc/self/fd").ok().map(|fds| (fds.count() as u64).saturating_sub(1)),
    }
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Fields 14 and 15 of proc_pid_stat(5). The name before them stands in parentheses and may hold anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11).map(str::parse::<u64>);
    let (user, system) = (fields.next()?.ok()?, fields.next()?.ok()?);
    Some((user + system) as f64 / TICKS_PER_SECOND)
}

/// USER_HZ, which Linux shows to programs on every architecture that it still builds for.
const TICKS_PER_SECOND: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_writes_is_read() {
        assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t    9420 kB\nThreads:\t1\n"), Some(9420 * 1024));
        let stat = "7 (a) b) c) S 1 7 7 0 -1 4194304 100 0 0 0 250 31 0 0 20 0 1 0 1000 0 0";
        assert_eq!(cpu_seconds(stat), Some(2.81));
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        for text in ["", "VmRSS:", "VmRSS: many kB", "7 (x) S 1", "7 (x) S 1 7 7 0 -1 4194304 100 0 0 0 a b"] {
            assert_eq!((resident_bytes(text), cpu_seconds(text)), (None, None), "{text}");
        }
    }

    #[test]
    fn this_process_has_memory_and_descriptors() {
        let process = read();
        assert!(process.resident_bytes.unwrap() > 1 << 20);
        assert!(process.open_fds.unwrap() >= 3);
        assert!(process.cpu_seconds.is_some());
    }
}
