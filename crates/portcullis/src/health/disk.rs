//! Is there room where the store writes?

use std::path::Path;

use super::Finding;

/// Looks at the disk that holds the store.
pub(crate) fn look(store: &Path, free_min_mb: u64) -> Finding {
    let directory = match store.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let subject = format!("disk of {}", directory.display());
    match rustix::fs::statvfs(directory) {
        Ok(disk) => judge(
            subject,
            disk.f_bavail.saturating_mul(disk.f_frsize),
            free_min_mb,
        ),
        Err(error) => Finding::fail(
            subject,
            format!("cannot be looked at: {error}"),
            "See that the directory of the store exists.",
        ),
    }
}

/// What so many free bytes mean.
fn judge(subject: String, free_bytes: u64, free_min_mb: u64) -> Finding {
    let free_mb = free_bytes / 1_000_000;
    let what = format!("{free_mb} MB are free");
    let remedy = "Make room, or move the store to another disk; the gate goes on relaying, but no station can be registered.";
    if free_mb == 0 {
        Finding::fail(subject, "is full", remedy)
    } else if free_mb < free_min_mb {
        Finding::fail(subject, format!("{what}, less than {free_min_mb}"), remedy)
    } else if free_mb < free_min_mb.saturating_mul(4) {
        Finding::warn(subject, what, remedy)
    } else {
        Finding::ok(subject, what)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn room_is_judged_by_what_was_asked_for() {
        for (free_mb, level) in [
            (0, Level::Fail),
            (99, Level::Fail),
            (100, Level::Warn),
            (399, Level::Warn),
            (400, Level::Ok),
        ] {
            let found = judge("disk".to_owned(), free_mb * 1_000_000, 100);
            assert_eq!(found.level, level, "{}", found.what);
        }
        let room = tempfile::tempdir().unwrap();
        assert!(
            look(&room.path().join("x.db"), 1)
                .what
                .contains("MB are free")
        );
        let nowhere = look(Path::new("/nowhere/at/all/x.db"), 1);
        assert_eq!(nowhere.level, Level::Fail);
        let never = look(&room.path().join("x.db"), u64::MAX);
        assert_eq!(never.level, Level::Fail, "{}", never.what);
    }
}
