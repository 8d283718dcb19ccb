//! `[passwords]`: what is done about weak ones, and how long a change may take.

use std::time::Duration;

use gateway::PasswordSettings;
use guard::OnWeakPassword;

use super::table::Section;

/// What the file says about stations' passwords.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordConfig {
    /// What becomes of a station that comes with a weak one.
    pub weak: OnWeakPassword,
    /// How long old and new are good when the CSMS gives a station another one.
    pub change_time: Duration,
}

pub(super) fn passwords(mut section: Section<'_>) -> PasswordConfig {
    let words = [
        ("tell", OnWeakPassword::Tell),
        ("refuse", OnWeakPassword::Refuse),
    ];
    let hours = PasswordSettings::CHANGE_TIME.as_secs() / 3600;
    let passwords = PasswordConfig {
        weak: section.choice("weak", &words, OnWeakPassword::default()),
        change_time: Duration::from_secs(3600 * section.number("change_hours", 1..=8760, hours)),
    };
    section.finish();
    passwords
}
