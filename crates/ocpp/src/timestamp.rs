//! Points in time as OCPP writes them: RFC 3339 date-times, read strictly and without allocation.

/// Milliseconds since 1970-01-01T00:00:00Z; what is finer is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads an RFC 3339 date-time (5.6). `T` and `Z` may be lower case; a fraction may have any
    /// number of digits; an offset reaches to ±23:59. `:60` is a time only where UTC has 23:59:60.
    pub fn parse(text: &str) -> Option<Timestamp> {
        parse(text.as_bytes()).map(Timestamp)
    }
}

/// The same for bytes that need not be text.
pub(crate) fn parse(text: &[u8]) -> Option<i64> {
    let (head, rest) = text.split_first_chunk::<19>()?;
    let [
        y0,
        y1,
        y2,
        y3,
        b'-',
        m0,
        m1,
        b'-',
        d0,
        d1,
        b'T' | b't',
        h0,
        h1,
        b':',
        n0,
        n1,
        b':',
        s0,
        s1,
    ] = *head
    else {
        return None;
    };
    let year = two(y0, y1)? * 100 + two(y2, y3)?;
    let (month, day) = (two(m0, m1)?, two(d0, d1)?);
    let (hour, minute, second) = (two(h0, h1)?, two(n0, n1)?, two(s0, s1)?);
    let exists = (1..=12).contains(&month)
        && day >= 1
        && (day <= 28 || day <= days_in(year, month))
        && hour <= 23
        && minute <= 59
        && second <= 60;
    if !exists {
        return None;
    }
    let (millis, rest) = fraction(rest)?;
    let offset = offset_minutes(rest)?;
    if second == 60 && (hour * 60 + minute - offset).rem_euclid(1440) != 1439 {
        return None;
    }
    let minutes = (days_since_1970(year, month, day) * 24 + hour) * 60 + minute - offset;
    Some((minutes * 60 + second) * 1000 + millis)
}

#[inline]
fn two(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then_some(i64::from(tens) * 10 + i64::from(ones))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the proleptic Gregorian calendar, counted in years that begin in March, so that the leap
/// day is a year's last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let months_since_march = (month + 9) % 12;
    let day_of_year = (153 * months_since_march + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + day_of_year - 719_468
}

/// Milliseconds, and what follows the fraction. A point needs a digit.
#[inline]
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.', digits)) = text.split_first() else {
        return Some((0, text));
    };
    let count = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (digits, rest) = digits.split_at_checked(count)?;
    digits.first()?;
    let place = |at: usize| digits.get(at).map_or(0, |digit| i64::from(digit - b'0'));
    Some((place(0) * 100 + place(1) * 10 + place(2), rest))
}

#[inline]
fn offset_minutes(text: &[u8]) -> Option<i64> {
    match *text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => {
            let (hours, minutes) = (two(h0, h1)?, two(m0, m1)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = hours * 60 + minutes;
            Some(if sign == b'-' { -offset } else { offset })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn times_are_read_to_the_millisecond() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01t00:00:00z", 0),
            ("1969-12-31T23:59:59.999Z", -1),
            ("2000-02-29T12:00:00Z", 951_825_600_000),
            ("2026-03-01T00:00:00Z", 1_772_323_200_000),
            ("2024-12-31T23:59:59.5+00:00", 1_735_689_599_500),
            ("2013-02-01T20:53:32.486123456Z", 1_359_752_012_486),
            ("2013-02-01T22:53:32.48+02:00", 1_359_752_012_480),
            ("2013-02-01T20:53:32-00:00", 1_359_752_012_000),
            ("1990-12-31T15:59:60-08:00", 662_688_000_000),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ] {
            assert_eq!(Timestamp::parse(text), Some(Timestamp(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2013-02-01",
            "2013-02-01T20:53:32",
            "2013-02-01 20:53:32Z",
            "2013-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2013-04-31T00:00:00Z",
            "2013-00-01T00:00:00Z",
            "2013-13-01T00:00:00Z",
            "2013-01-00T00:00:00Z",
            "2013-02-01T24:00:00Z",
            "2013-02-01T20:60:00Z",
            "2013-02-01T20:53:60Z",
            "2013-02-01T20:53:61Z",
            "1990-12-31T23:59:60+01:00",
            "2013-02-01T20:53:32.Z",
            "2013-02-01T20:53:32,5Z",
            "2013-02-01T20:53:32+0200",
            "2013-02-01T20:53:32+24:00",
            "2013-02-01T20:53:32+02:60",
            "2013-02-01T20:53:32ZZ",
            "222222017-02-01T20:53:32Z",
            "1000000",
            "+013-02-01T20:53:32Z",
            "２013-02-01T20:53:32Z",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_calendar_counts_every_day_once() {
        let mut expected = -62_167_219_200_000_i64;
        for year in 0..2400 {
            for month in 1..=12 {
                for day in 1..=31 {
                    let text = format!("{year:04}-{month:02}-{day:02}T00:00:00Z");
                    if let Some(Timestamp(millis)) = Timestamp::parse(&text) {
                        assert_eq!(millis, expected, "{text}");
                        expected += 86_400_000;
                    }
                }
            }
        }
    }
}
