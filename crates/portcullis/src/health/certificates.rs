//! Are the certificates we show and trust valid today, and for how long still?

use crate::config::CertificateDates;

use super::Finding;

const DAY: i64 = 86_400;
/// Stations are replaced by hand: a month is little.
const WARN_DAYS: i64 = 30;

/// Looks at each certificate; `now` is in Unix seconds.
pub(crate) fn look(certificates: &[CertificateDates], now: i64) -> Vec<Finding> {
    certificates
        .iter()
        .map(|certificate| one(certificate, now))
        .collect()
}

fn one(certificate: &CertificateDates, now: i64) -> Finding {
    let subject = format!(
        "certificate {} ({})",
        certificate.file.display(),
        certificate.subject
    );
    let renew = "Have it renewed, put the file in its place, and restart the gate.";
    let until = day(certificate.not_after);
    if now < certificate.not_before {
        let from = day(certificate.not_before);
        return Finding::fail(
            subject,
            format!("is not valid before {from}"),
            "See whether this machine's clock is right; else wait, or use the old certificate.",
        );
    }
    if now > certificate.not_after {
        return Finding::fail(subject, format!("has expired on {until}"), renew);
    }
    let days = (certificate.not_after - now) / DAY;
    match days < WARN_DAYS {
        true => Finding::warn(
            subject,
            format!("expires in {days} days, on {until}"),
            renew,
        ),
        false => Finding::ok(subject, format!("is valid until {until}")),
    }
}

pub(super) fn day(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map(|at| at.strftime("%Y-%m-%d").to_string())
        .unwrap_or_else(|_| "a day beyond the calendar".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn dates_are_judged_from_before_to_after() {
        let certificate = CertificateDates {
            file: "gate.pem".into(),
            line: 3,
            subject: "CN=gate".to_owned(),
            not_before: 10 * DAY,
            not_after: 100 * DAY,
        };
        for (now, level) in [
            (9 * DAY, Level::Fail),
            (10 * DAY, Level::Ok),
            (70 * DAY, Level::Ok),
            (71 * DAY, Level::Warn),
            (100 * DAY, Level::Warn),
            (100 * DAY + 1, Level::Fail),
        ] {
            let found = look(std::slice::from_ref(&certificate), now);
            assert_eq!(
                found[0].level,
                level,
                "on day {}: {}",
                now / DAY,
                found[0].what
            );
            assert_eq!(found[0].remedy.is_empty(), level == Level::Ok);
        }
    }
}
