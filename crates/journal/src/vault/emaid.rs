//! Contracts' names (eMAID, ISO 15118): country, provider, nine characters, and a check digit that is
//! often left out.

/// Characters without the check digit.
pub(crate) const LEN: usize = 14;

/// Whether these characters, in capitals and without separators, could be one: two letters, then
/// letters and digits.
pub(crate) fn is_shaped(text: &[u8]) -> bool {
    let (country, rest) = text.split_at(text.len().min(2));
    matches!(text.len(), LEN | 15)
        && country.iter().all(u8::is_ascii_uppercase)
        && rest
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Whether fifteen such characters end in their check digit.
///
/// A character's value, 0 to 35, is two digits of base 2 and two of base 3. Each pair is a vector;
/// with matrices P (mod 2) and Q (mod 3), the sums of Pⁱ·vᵢ and of Qⁱ·wᵢ over the places from 1 to 15
/// are zero.
pub(crate) fn holds(text: &[u8]) -> bool {
    if text.len() != LEN + 1 || !is_shaped(text) {
        return false;
    }
    let (mut two, mut three) = ((0, 0), (0, 0));
    for byte in text.iter().rev() {
        let value = match byte {
            b'0'..=b'9' => byte - b'0',
            _ => byte - b'A' + 10,
        };
        let (binary, ternary) = (value / 9, value % 9);
        let (a, b) = (two.0 + binary / 2, two.1 + binary % 2);
        two = (b % 2, (a + b) % 2);
        let (a, b) = (three.0 + ternary / 3, three.1 + ternary % 3);
        three = (b % 3, (a + 2 * b) % 3);
    }
    two == (0, 0) && three == (0, 0)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The check digit of fourteen characters.
    pub(crate) fn check_digit(text: &str) -> char {
        ('0'..='9')
            .chain('A'..='Z')
            .find(|digit| holds(format!("{text}{digit}").as_bytes()))
            .unwrap()
    }

    #[test]
    fn known_check_digits() {
        for (text, digit) in [
            ("NN123ABCDEFGHI", 'T'),
            ("FRXYZ123456789", '2'),
            ("ITA1B2C3E4F5G6", '4'),
            ("ESZU8WOX834H1D", 'R'),
            ("PT73902837ABCZ", 'Z'),
            ("DE83DUIEN83QGZ", 'D'),
            ("DE83DUIEN83ZGQ", 'M'),
            ("DE8AA001234567", '0'),
        ] {
            assert_eq!(check_digit(text), digit, "{text}");
        }
    }

    #[test]
    fn a_wrong_or_swapped_character_is_noticed() {
        let whole = b"ITA1B2C3E4F5G64";
        assert!(holds(whole));
        for place in 2..whole.len() {
            let mut bent = *whole;
            bent[place] = if bent[place] == b'7' { b'8' } else { b'7' };
            assert!(!holds(&bent), "{place}");
            let mut swapped = *whole;
            swapped.swap(place, place - 1);
            assert!(
                place == 2 || swapped == *whole || !holds(&swapped),
                "{place}"
            );
        }
        for text in [
            "",
            "IT",
            "1TA1B2C3E4F5G64",
            "ITA1B2C3E4F5G6",
            "ITA1B2C3E4F5G6é",
        ] {
            assert!(!holds(text.as_bytes()), "{text}");
        }
    }
}
