//! Colours, on a terminal only.

use std::io::IsTerminal;

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Plain,
    Faint,
    Good,
    Noted,
    Refused,
    Hostile,
    Heading,
}

/// Paints or does not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    colours: bool,
}

impl Paint {
    /// Colours if standard output is a terminal and nobody asked for none (no-color.org).
    pub(super) fn for_stdout() -> Paint {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Paint {
            colours: wanted && std::io::stdout().is_terminal(),
        }
    }

    /// No colours.
    #[cfg(test)]
    pub(super) const fn none() -> Paint {
        Paint { colours: false }
    }

    /// The text in that ink.
    pub(super) fn ink(self, ink: Ink, text: &str) -> String {
        let code = match ink {
            Ink::Plain => return text.to_owned(),
            Ink::Faint => "2",
            Ink::Good => "32",
            Ink::Noted => "33",
            Ink::Refused => "31",
            Ink::Hostile => "35",
            Ink::Heading => "1",
        };
        if self.colours {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}
