//! What has been kept long enough: a plan, made of values alone.

use crate::Day;

/// Days for which each class is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Identifiers behind handles, since they were last seen.
    pub identifiers_days: u32,
    /// Free texts and vendors' data.
    pub texts_days: u32,
    /// Whole records.
    pub records_days: u32,
}

/// What is to be forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Identifiers that were last seen before this day.
    pub identifiers_before: Option<Day>,
    /// Days whose text keys are destroyed.
    pub texts: Vec<Day>,
    /// Days whose segment keys are destroyed.
    pub records: Vec<Day>,
}

/// Plans what is to be forgotten today, of the days that have keys. Days on which somebody was seen
/// who is held back stay whole.
pub fn plan(
    retention: &Retention,
    today: Day,
    (texts, records): (&[Day], &[Day]),
    held: &[(Day, Day)],
) -> Plan {
    let over = |days: u32| today.0.saturating_sub_unsigned(days);
    let ended = |keys: &[Day], days: u32| {
        let ended = keys.iter().filter(|day| day.0 < over(days)).filter(|day| {
            !held
                .iter()
                .any(|(first, last)| (first..=last).contains(day))
        });
        ended.copied().collect()
    };
    Plan {
        identifiers_before: Some(Day(over(retention.identifiers_days))),
        texts: ended(texts, retention.texts_days.min(retention.records_days)),
        records: ended(records, retention.records_days),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETENTION: Retention = Retention {
        identifiers_days: 10,
        texts_days: 2,
        records_days: 5,
    };

    fn days(days: &[i32]) -> Vec<Day> {
        days.iter().copied().map(Day).collect()
    }

    #[test]
    fn each_class_has_its_own_end() {
        let keys = days(&[93, 94, 95, 96, 97, 98, 99, 100]);
        let plan = plan(&RETENTION, Day(100), (&keys, &keys), &[]);
        assert_eq!(plan.identifiers_before, Some(Day(90)));
        assert_eq!(plan.texts, days(&[93, 94, 95, 96, 97]));
        assert_eq!(plan.records, days(&[93, 94]));
    }

    #[test]
    fn days_of_somebody_who_is_held_stay_whole() {
        let keys = days(&[92, 93, 94]);
        let held = [(Day(93), Day(93)), (Day(50), Day(60))];
        let plan = plan(&RETENTION, Day(100), (&keys, &keys), &held);
        assert_eq!(plan.texts, days(&[92, 94]));
        assert_eq!(plan.records, days(&[92, 94]));
    }

    #[test]
    fn texts_never_outlive_the_records_they_stand_in() {
        let retention = Retention {
            texts_days: 100,
            ..RETENTION
        };
        let plan = plan(&retention, Day(100), (&days(&[94]), &days(&[])), &[]);
        assert_eq!(plan.texts, days(&[94]));
    }

    #[test]
    fn a_clock_that_shows_nonsense_forgets_nothing_it_should_not() {
        let keys = days(&[20_779]);
        let early = plan(&RETENTION, Day(0), (&keys, &keys), &[]);
        assert_eq!((early.texts, early.records), (vec![], vec![]));
        let first = plan(&RETENTION, Day(i32::MIN), (&keys, &keys), &[]);
        assert_eq!(first.identifiers_before, Some(Day(i32::MIN)));
    }
}
