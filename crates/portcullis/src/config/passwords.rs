//! `[passwords]`: what is done about weak ones.

use guard::OnWeakPassword;

use super::table::Section;

/// What the file says about stations' passwords.
#[derive(Clone, Debug, Default)]
pub struct PasswordConfig {
    /// What becomes of a station that comes with a weak one.
    pub weak: OnWeakPassword,
}

pub(super) fn passwords(mut section: Section<'_>) -> PasswordConfig {
    let words = [
        ("tell", OnWeakPassword::Tell),
        ("refuse", OnWeakPassword::Refuse),
    ];
    let passwords = PasswordConfig {
        weak: section.choice("weak", &words, OnWeakPassword::default()),
    };
    section.finish();
    passwords
}
