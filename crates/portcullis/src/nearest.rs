//! "Did you mean …": the known word that is nearest to one we do not know.

/// How many edits a typing error may take, at most a third of the word.
const EDITS_MAX: usize = 3;

/// The nearest of the known words, if one is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let edits_max = EDITS_MAX.min(word.chars().count().div_ceil(3));
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(edits, _)| *edits <= edits_max)
        .min()
        .map(|(_, candidate)| candidate)
}

/// A remedy for an unknown word: the one that was probably meant, or all there are.
pub(crate) fn remedy(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(meant) => format!("Did you mean `{meant}`?"),
        None => format!("Known here: {}.", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_its_word_and_another_word_does_not() {
        let known = ["address", "certificates", "client_ca"];
        for (typed, meant) in [
            ("adress", Some("address")),
            ("addrses", Some("address")),
            ("certificate", Some("certificates")),
            ("clientca", Some("client_ca")),
            ("upstream", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
        assert_eq!(remedy("adress", &known), "Did you mean `address`?");
        assert_eq!(
            remedy("x", &known),
            "Known here: address, certificates, client_ca."
        );
    }
}
