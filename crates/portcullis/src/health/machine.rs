//! Is the machine made for the fleet: open files, ports towards the CSMS, and a clock that is right?

use std::collections::BTreeMap;

use super::Finding;
use crate::config::RouteSettings;

/// Connections that one pair of addresses carries: Linux's ephemeral ports, 32768 to 60999.
const PORTS_PER_PAIR: u64 = 28_000;
/// A station costs two sockets, one to each side.
const FILES_PER_STATION: u64 = 2;
/// Listeners, store, log, and handshakes under way.
const FILES_BESIDE: u64 = 1_200;
/// 2026-01-01: no clock of a machine that runs this program is right before it.
const CLOCK_MIN: i64 = 1_767_225_600;
/// 2100-01-01.
const CLOCK_MAX: i64 = 4_102_444_800;

/// The limit of open files against the registered fleet.
pub(crate) fn open_files(stations: u64) -> Finding {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    judge_files(limit, stations)
}

fn judge_files(limit: Option<u64>, stations: u64) -> Finding {
    let subject = "open files";
    let needed = stations
        .saturating_mul(FILES_PER_STATION)
        .saturating_add(FILES_BESIDE);
    match limit {
        None => Finding::ok(subject, "are not limited"),
        Some(limit) if limit < needed => Finding::fail(
            subject,
            format!("are limited to {limit}, and {stations} stations need {needed}"),
            format!(
                "Raise the limit: `ulimit -n {needed}`, or LimitNOFILE={needed} in the systemd unit."
            ),
        ),
        Some(limit) => Finding::ok(
            subject,
            format!("limited to {limit}; {stations} stations need {needed}"),
        ),
    }
}

/// Ports towards each CSMS against the stations that go there.
pub(crate) fn ports(routes: &[RouteSettings], by_tenant: &BTreeMap<String, u64>) -> Vec<Finding> {
    let mut pairs: BTreeMap<(&str, u16), (u64, u64)> = BTreeMap::new();
    for route in routes {
        let stations = by_tenant.get(&route.tenant).copied().unwrap_or(0);
        let pair = pairs
            .entry((route.target.host.as_str(), route.target.port))
            .or_default();
        pair.0 += stations;
        pair.1 = pair.1.max(route.bind.len().max(1) as u64);
    }
    pairs
        .into_iter()
        .map(|((host, port), (stations, addresses))| judge_ports(host, port, stations, addresses))
        .collect()
}

fn judge_ports(host: &str, port: u16, stations: u64, addresses: u64) -> Finding {
    let subject = format!("ports towards {host}:{port}");
    let carried = addresses.saturating_mul(PORTS_PER_PAIR);
    let what = format!("{addresses} address(es) carry {carried} connections; {stations} stations");
    let wanted = stations.div_ceil(PORTS_PER_PAIR);
    let remedy = format!("Give this machine {wanted} addresses and name them: bind = [\"…\", …].");
    if stations > carried {
        Finding::fail(subject, what, remedy)
    } else if stations.saturating_mul(10) > carried.saturating_mul(8) {
        Finding::warn(subject, what, remedy)
    } else {
        Finding::ok(subject, what)
    }
}

/// Whether the clock can be right at all; `now` is in Unix seconds.
pub(crate) fn clock(now: i64) -> Finding {
    let shown = jiff::Timestamp::from_second(now)
        .map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
        .unwrap_or_else(|_| format!("{now} seconds after 1970"));
    match (CLOCK_MIN..CLOCK_MAX).contains(&now) {
        true => Finding::ok("clock", format!("shows {shown}")),
        false => Finding::fail(
            "clock",
            format!("shows {shown}, which cannot be"),
            "Set it, and keep it right with chrony or systemd-timesyncd: certificates are judged by it.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn the_fleet_is_held_against_files_and_ports() {
        assert_eq!(judge_files(Some(1024), 0).level, Level::Fail);
        assert_eq!(judge_files(Some(20_000), 9_000).level, Level::Ok);
        assert_eq!(judge_files(Some(20_000), 9_401).level, Level::Fail);
        assert_eq!(judge_files(None, u64::MAX).level, Level::Ok);

        assert_eq!(judge_ports("csms", 443, 20_000, 1).level, Level::Ok);
        assert_eq!(judge_ports("csms", 443, 25_000, 1).level, Level::Warn);
        let too_many = judge_ports("csms", 443, 60_000, 2);
        assert_eq!(too_many.level, Level::Fail);
        assert!(
            too_many.remedy.contains("3 addresses"),
            "{}",
            too_many.remedy
        );
    }

    #[test]
    fn a_clock_at_1970_is_told() {
        assert_eq!(clock(0).level, Level::Fail);
        assert_eq!(clock(i64::MAX).level, Level::Fail);
        assert_eq!(clock(CLOCK_MIN + 1).level, Level::Ok);
    }
}
