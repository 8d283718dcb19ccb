//! What the kernel says about a process: CPU time and memory.

use std::fs;
use std::io;
use std::time::Duration;

use nix::time::ClockId;
use nix::unistd::Pid;
use serde::Serialize;

/// CPU time of all threads of a process, those that have ended included.
///
/// This is the scheduler's own count in nanoseconds (the sum that `/proc/PID/task/*/schedstat`
/// shows for the threads still alive).
pub fn cpu_time(pid: u32) -> io::Result<Duration> {
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(pid as i32))?;
    Ok(Duration::from(clock.now()?))
}

/// Memory of a process in kB.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Memory {
    /// Resident set (`VmRSS`).
    pub resident_kb: u64,
    /// Private pages, clean and dirty.
    pub private_kb: u64,
}

impl Memory {
    /// As of now.
    pub fn of(pid: u32) -> io::Result<Memory> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
        Ok(Memory {
            resident_kb: field(&status, "VmRSS:"),
            private_kb: field(&rollup, "Private_Clean:") + field(&rollup, "Private_Dirty:"),
        })
    }

    /// Begins to look for a peak anew.
    pub fn forget_peak(pid: u32) -> io::Result<()> {
        fs::write(format!("/proc/{pid}/clear_refs"), "5")
    }

    /// The greatest resident set since then (`VmHWM`).
    pub fn peak_kb(pid: u32) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        Ok(field(&status, "VmHWM:"))
    }
}

fn field(text: &str, name: &str) -> u64 {
    text.lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// Whether it runs; one that has ended and that nobody has asked about yet does not.
pub fn is_alive(process: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The state stands behind the name, which is in parentheses and may hold any letter.
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// The first child of a process: nginx's worker.
pub fn child_of(pid: u32) -> io::Result<Option<u32>> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    Ok(children
        .split_whitespace()
        .next()
        .and_then(|child| child.parse().ok()))
}
