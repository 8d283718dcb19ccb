//! Passwords that need no guessing: made from a name that everybody can read on the station, or from
//! nothing at all.

/// What people put before or behind a name to make a password of it.
const AFFIXES: [&str; 34] = [
    "", "0", "1", "01", "12", "123", "1234", "12345", "123456", "1234567", "12345678", "!", "!!",
    "?", ".", "#1", "1!", "123!", "@1", "@123", "pw", "pass", "password", "passwort", "secret",
    "key", "authkey", "admin", "ocpp", "ocpp16", "cp", "evse", "csms", "charger",
];
/// And between the two.
const SEPARATORS: [&str; 4] = ["", "-", "_", "."];
/// A run of digits of an identity that is long enough to be used alone.
const DIGITS_MIN: usize = 4;
/// A password of a few bytes over and over.
const PERIOD_MAX: usize = 4;

/// Whether a password, in lower case, is one of these names or made from one.
pub(super) fn is_made_from(password: &[u8], names: &[&str]) -> bool {
    names.iter().any(|name| {
        let bases = bases(name);
        bases.iter().any(|base| is_base_with_affix(password, base))
    })
}

/// A name and what people take it for: without its signs, its last digits, and each backwards.
fn bases(name: &str) -> Vec<String> {
    let lower = name.to_lowercase();
    let plain: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    let digits = plain
        .rsplit(|c: char| !c.is_ascii_digit())
        .find(|run| !run.is_empty());
    let digits = digits
        .filter(|run| run.len() >= DIGITS_MIN)
        .map(str::to_owned);
    let mut bases = vec![lower, plain];
    bases.extend(digits);
    let backwards: Vec<String> = bases
        .iter()
        .map(|base| base.chars().rev().collect())
        .collect();
    bases.extend(backwards);
    bases.retain(|base| !base.is_empty());
    bases.sort_unstable();
    bases.dedup();
    bases
}

/// The base, several times, with an affix or a year before or behind it.
fn is_base_with_affix(password: &[u8], base: &str) -> bool {
    let base = base.as_bytes();
    let repeats = |rest: &[u8]| {
        rest.len().is_multiple_of(base.len()) && rest.chunks(base.len()).all(|part| part == base)
    };
    let behind = password.strip_prefix(base).map(|rest| (rest, true));
    let before = password.strip_suffix(base).map(|rest| (rest, false));
    behind
        .into_iter()
        .chain(before)
        .any(|(rest, is_behind)| repeats(rest) || is_affix(rest, is_behind))
}

fn is_affix(rest: &[u8], is_behind: bool) -> bool {
    SEPARATORS.iter().any(|separator| {
        let separator = separator.as_bytes();
        let affix = match is_behind {
            true => rest.strip_prefix(separator),
            false => rest.strip_suffix(separator),
        };
        affix.is_some_and(|affix| {
            AFFIXES.iter().any(|known| known.as_bytes() == affix) || is_year(affix)
        })
    })
}

fn is_year(affix: &[u8]) -> bool {
    affix.len() == 4 && affix.starts_with(b"20") && affix.iter().all(u8::is_ascii_digit)
}

/// Whether it is a few bytes over and over, or counts up or down by one.
pub(super) fn is_pattern(octets: &[u8]) -> bool {
    let repeats = |period: usize| {
        octets.len() > period
            && octets
                .iter()
                .zip(octets.iter().skip(period))
                .all(|(a, b)| a == b)
    };
    let steps_by = |step: u8| {
        let mut pairs = octets.windows(2);
        octets.len() > 2 && pairs.all(|pair| matches!(pair, [a, b] if a.wrapping_add(step) == *b))
    };
    (1..=PERIOD_MAX).any(repeats) || steps_by(1) || steps_by(255)
}
