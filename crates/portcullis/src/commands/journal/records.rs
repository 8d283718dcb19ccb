//! What the commands that read the record have in common: its keys, and whom a question is about.

use std::io::BufRead as _;

use guard::UnixMillis;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use journal::vault::recognise::without_identifiers;
use journal::{Day, Handle, JournalError, Order, Query, Reader};
use zeroize::Zeroizing;

use super::reveal::person;
use super::{open, vault, vault_failure};
use crate::cli::RecordFilter;
use crate::config::{JournalConfig, TENANT};
use crate::open_record::OpenRecord;
use crate::{Exit, Failure};

/// Characters of a purpose that are kept.
const PURPOSE_CHARS_MAX: usize = 500;
/// In an identifier's place: it is read from standard input.
const STANDARD_INPUT: &str = "-";

/// A record whose keys have been opened.
pub(super) struct Records<'c> {
    record: OpenRecord<'c>,
    pub(super) reader: Reader,
}

impl<'c> Records<'c> {
    pub(super) fn open(config: &'c JournalConfig) -> Result<Records<'c>, Failure> {
        let record = open(config)?;
        Ok(Records {
            reader: record.reader(),
            record,
        })
    }

    /// What is asked for. A look-up by an identifier is put down before it is made.
    pub(super) fn query(&self, filter: &RecordFilter, order: Order) -> Result<Query, Failure> {
        let now = Timestamp::now();
        let time = |text: &Option<String>| text.as_deref().map(|text| when(text, now)).transpose();
        let mut handles = Vec::new();
        for written in &filter.handles {
            handles.push(Handle::parse(written).ok_or_else(|| no_handle(written))?);
        }
        if let Some(named) = &filter.id {
            handles.extend(self.look_up(filter, named)?);
        }
        Ok(Query {
            tenant: filter.tenant.clone(),
            station: filter.station.clone(),
            from: time(&filter.since)?,
            until: time(&filter.until)?,
            action: filter.action.clone(),
            verdict: filter.verdict.clone(),
            handles,
            limit: None,
            order,
        })
    }

    /// What is not kept any more of what was asked for, in words: since when records are kept, and the
    /// days behind that of which none is (a hold stood on those around them).
    pub(super) fn not_kept(
        &self,
        closed: &[Day],
        from: Option<UnixMillis>,
    ) -> Result<Vec<String>, Failure> {
        let since = self.reader.kept_since();
        let since = since.map_err(|error| read_failure(&error))?;
        let mut told = Vec::new();
        if let Some((first, day)) = since
            && from.is_none_or(|from| from < day.begins())
        {
            told.push(format!(
                "Records are kept since {day} (record {first}); what came before is gone with its retention."
            ));
        }
        let later = closed
            .iter()
            .filter(|closed| since.is_none_or(|(_, day)| **closed > day));
        let later: Vec<_> = later.map(Day::to_string).collect();
        if !later.is_empty() {
            told.push(format!(
                "Nothing is kept any more of {}: the key is gone with the retention.",
                later.join(", ")
            ));
        }
        Ok(told)
    }

    fn look_up(&self, filter: &RecordFilter, named: &str) -> Result<Vec<Handle>, Failure> {
        let mut identifier = Zeroizing::new(named.to_owned());
        if named == STANDARD_INPUT {
            identifier.clear();
            std::io::stdin().lock().read_line(&mut identifier)?;
        }
        self.note("look-up", filter.purpose.as_deref().unwrap_or_default())?;
        let tenant = filter.tenant.as_deref().unwrap_or(TENANT);
        let found = vault(&self.record)?.find(tenant, identifier.trim());
        let found = found.map_err(|error| vault_failure(&error))?;
        if found.is_empty() {
            let what = format!("nobody of tenant \"{tenant}\" is known by that identifier");
            let remedy = "It was never recorded, was erased, or has been forgotten; `--tenant` names whose \
                          records are meant.";
            return Err(Failure::new(Exit::NotFound, what, remedy));
        }
        Ok(found)
    }

    /// Puts down that the record was read from, and what for; the gate puts it into the record.
    pub(super) fn note(&self, what: &str, purpose: &str) -> Result<(), Failure> {
        note(&self.record, what, &purposeful(purpose)?)
    }
}

/// What somebody has named as their purpose.
pub(super) fn purposeful(purpose: &str) -> Result<String, Failure> {
    let purpose: String = purpose.trim().chars().take(PURPOSE_CHARS_MAX).collect();
    if purpose.is_empty() {
        return Err(Failure::new(
            Exit::Input,
            "no purpose is named",
            "Say with `--purpose` what it is for, such as the number of a ticket; the record keeps \
             it, so name nobody in it.",
        ));
    }
    Ok(without_identifiers(&purpose).into_owned())
}

/// Puts down what is done with the record, and by whom; the gate puts it into the record.
pub(super) fn note(record: &OpenRecord<'_>, what: &str, details: &str) -> Result<(), Failure> {
    let now = UnixMillis(Timestamp::now().as_millisecond());
    let noted = vault(record)?.act(what, &person(), details, now);
    noted.map_err(|error| vault_failure(&error))
}

/// What reading has met.
pub(super) fn read_failure(error: &JournalError) -> Failure {
    let exit = match error {
        JournalError::NoRecord(_) => Exit::NotFound,
        _ => Exit::Failed,
    };
    let remedy = match error {
        JournalError::Corrupt { .. } => {
            "`portcullis journal verify` tells what was changed; a backup may hold the segment as it was."
        }
        JournalError::Disk { .. } => {
            "See that the gate has recorded something, and who may read it."
        }
        _ => "",
    };
    Failure::new(exit, error.to_string(), remedy)
}

fn no_handle(written: &str) -> Failure {
    Failure::new(
        Exit::Input,
        format!("\"{}\" is no handle", written.escape_debug()),
        "A handle is what a record holds in an identifier's place: z and 19 more letters and digits. For \
         an identifier itself there is `--id`.",
    )
}

/// A moment, a day, or so long ago.
fn when(text: &str, now: Timestamp) -> Result<UnixMillis, Failure> {
    let moment = || -> Option<Timestamp> {
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Some(moment);
        }
        if let Ok(day) = text.parse::<Date>() {
            return Some(day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp());
        }
        now.checked_sub(ago(text)?).ok()
    };
    let moment = moment().ok_or_else(|| {
        Failure::new(
            Exit::Input,
            format!("\"{}\" is no time", text.escape_debug()),
            "Write 2026-11-22, 2026-11-22T08:15:00Z, or so long ago: 90s, 15m, 12h, 3d.",
        )
    })?;
    Ok(UnixMillis(moment.as_millisecond()))
}

fn ago(text: &str) -> Option<SignedDuration> {
    let unit = text.chars().next_back()?;
    let number: i64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    (number >= 0).then(|| SignedDuration::from_secs(number.saturating_mul(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_moments_days_or_so_long_ago() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2026-11-22T08:15:00Z", "2026-11-22T08:15:00Z"),
            ("2026-11-22T08:15:00+02:00", "2026-11-22T06:15:00Z"),
            ("2026-11-22", "2026-11-22T00:00:00Z"),
            ("90m", "2026-11-22T10:30:00Z"),
            ("3d", "2026-11-19T12:00:00Z"),
            ("0s", "2026-11-22T12:00:00Z"),
        ] {
            let expected: Timestamp = expected.parse().unwrap();
            let found = when(text, now).unwrap();
            assert_eq!(found, UnixMillis(expected.as_millisecond()), "{text}");
        }
        for text in [
            "",
            "m",
            "-3d",
            "yesterday",
            "12",
            "2026-13-01",
            "9999999999999999999d",
        ] {
            assert!(when(text, now).is_err(), "{text}");
        }
    }
}
