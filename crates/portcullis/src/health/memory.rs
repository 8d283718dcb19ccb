//! Has the machine memory for the fleet, at the worst that the limits allow?

use std::fs;
use std::path::{Path, PathBuf};

use gateway::Memory;

use super::Finding;
use crate::config::Config;

const SUBJECT: &str = "memory";
/// Where Linux tells of its memory.
const MACHINE: &str = "/proc/meminfo";
/// Where it tells to which group of processes this one belongs, and where the groups are.
const GROUP: &str = "/proc/self/cgroup";
const GROUPS: &str = "/sys/fs/cgroup";

/// The machine's memory, and that of our group of processes, against the registered fleet.
pub(crate) fn look(config: &Config, stations: u64) -> Finding {
    judge(available(), needed(config, stations), stations)
}

/// Bytes that the fleet wants when all of it is connected, and strangers do their worst.
fn needed(config: &Config, stations: u64) -> u64 {
    let workers = match config.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    let tls = config.listeners.iter().filter(|one| !one.plain).count();
    let offered = config.routes.iter().any(|route| route.compression);
    Memory::of_fleet(
        &config.limits,
        stations,
        config.session.compression && offered,
        workers as u64,
        tls as u64,
    )
}

/// The least of what is to be had, and whose bound that is.
fn available() -> Option<(u64, &'static str)> {
    let machine = fs::read_to_string(MACHINE).ok();
    let machine = machine.and_then(|text| total(&text));
    let group = fs::read_to_string(GROUP).ok();
    let group = group.and_then(|text| {
        limit(&text, Path::new(GROUPS), |file| {
            fs::read_to_string(file).ok()
        })
    });
    let bounds = [
        machine.map(|bytes| (bytes, "this machine")),
        group.map(|bytes| (bytes, "this control group")),
    ];
    bounds.into_iter().flatten().min()
}

/// `MemTotal:       16318412 kB`
fn total(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes.saturating_mul(1024))
}

/// The tightest bound on a group's way up: `0::/system.slice/portcullis.service`, and `memory.max` in
/// each directory of that path.
fn limit(text: &str, groups: &Path, read: impl Fn(&Path) -> Option<String>) -> Option<u64> {
    let group = text.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let group: PathBuf = groups.join(group);
    let ways = group.ancestors().take_while(|way| way.starts_with(groups));
    let bounds = ways.filter_map(|way| read(&way.join("memory.max"))?.trim().parse().ok());
    bounds.min()
}

fn judge(available: Option<(u64, &str)>, needed: u64, stations: u64) -> Finding {
    let wanted = format!(
        "{stations} stations want {} MB, strangers at their worst included",
        megabytes(needed)
    );
    match available {
        None => Finding::ok(SUBJECT, format!("is not told here; {wanted}")),
        Some((bytes, whose)) if bytes < needed => Finding::warn(
            SUBJECT,
            format!("{whose} has {} MB, and {wanted}", megabytes(bytes)),
            "Give it more, or let fewer wait and shake hands at once: [limits] waiting_max, handshakes_max, hashes_remembered_max, workers (docs/reference/limits.md, \"Memory\").",
        ),
        Some((bytes, whose)) => Finding::ok(
            SUBJECT,
            format!("{whose} has {} MB; {wanted}", megabytes(bytes)),
        ),
    }
}

fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Level;
    use super::*;

    #[test]
    fn the_fleet_is_held_against_what_there_is() {
        let has = |megabytes: u64| Some((megabytes << 20, "this machine"));
        let needed = 400 << 20;
        assert_eq!(judge(has(400), needed, 9000).level, Level::Ok);
        assert_eq!(judge(None, needed, 9000).level, Level::Ok);
        let short = judge(has(399), needed, 9000);
        assert_eq!(short.level, Level::Warn);
        assert!(
            short.what.contains("9000 stations want 400 MB"),
            "{}",
            short.what
        );
    }

    #[test]
    fn what_linux_tells_is_read() {
        let told = "MemFree:  1 kB\nMemTotal:       16318412 kB\n";
        assert_eq!(total(told), Some(16_318_412 * 1024));
        assert_eq!(total("MemTotal: much"), None);

        let files = BTreeMap::from([
            ("/groups/memory.max", "max\n"),
            ("/groups/system.slice/memory.max", "1048576\n"),
            ("/groups/system.slice/gate.service/memory.max", "2097152\n"),
            ("/memory.max", "1\n"),
        ]);
        let read = |file: &Path| {
            let text = files.get(file.to_str()?)?;
            Some((*text).to_owned())
        };
        let of = |text: &str| limit(text, Path::new("/groups"), read);
        assert_eq!(of("0::/system.slice/gate.service\n"), Some(1 << 20));
        assert_eq!(of("0::/\n"), None, "without a bound");
        assert_eq!(of("4:memory:/x\n"), None, "an older kind of group");
    }

    #[test]
    fn this_machine_tells() {
        assert!(available().is_some_and(|(bytes, _)| bytes > 1 << 20));
    }
}
