//! What a process has used, as Linux counts it.

use std::{fs, time::Duration};

/// Of `USER_HZ`, which Linux promises to programs on the platforms we build for.
const TICK: Duration = Duration::from_millis(10);

/// What a process has used so far.
#[derive(Debug)]
pub(crate) struct Spent {
    pub(crate) name: &'static str,
    pub(crate) cpu: Duration,
    /// The highest resident memory since it began, or since the last [`Usage`] of it did.
    pub(crate) peak_bytes: u64,
}

impl Spent {
    /// Unless the process has ended.
    pub(crate) fn by(name: &'static str, pid: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        status.contains("VmHWM:").then(|| {
            let (cpu, peak_bytes) = (cpu_of(pid), memory_of(pid, "VmHWM:"));
            Self { name, cpu, peak_bytes }
        })
    }
}

/// Watches one process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    pid: u32,
    before: Duration,
}

impl Usage {
    /// Begins to count: CPU time from now, and the highest memory from what it is now.
    pub(crate) fn begin(pid: u32) -> Self {
        fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();
        Self { pid, before: cpu_of(pid) }
    }

    /// CPU time since.
    pub(crate) fn cpu(&self) -> Duration {
        cpu_of(self.pid) - self.before
    }

    /// The highest resident memory since, in bytes.
    pub(crate) fn peak_bytes(&self) -> u64 {
        memory_of(self.pid, "VmHWM:")
    }
}

/// User and system time of all its threads.
fn cpu_of(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name in brackets may hold anything.
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u32 = fields[11..13].iter().map(|field| field.parse::<u32>().unwrap()).sum();
    TICK * ticks
}

/// Resident memory now, in bytes.
pub(crate) fn resident_bytes(pid: u32) -> u64 {
    memory_of(pid, "VmRSS:")
}

fn memory_of(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
