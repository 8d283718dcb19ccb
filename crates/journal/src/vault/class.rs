//! What kind of thing an identifier names.

use std::fmt;

use ocpp::Meaning;

/// What a handle stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A person: a customer number, a name, an address, an e-mail address, a phone number.
    Person,
    /// A token.
    Token,
    /// A contract.
    Contract,
    /// A vehicle.
    Vehicle,
    /// A SIM or its subscriber.
    Sim,
    /// Whom a certificate names.
    CertificateSubject,
    /// A private station.
    Station,
    /// A bank account or a payment card.
    Payment,
}

impl Class {
    /// Every class.
    pub const ALL: [Class; 8] = [
        Class::Person,
        Class::Token,
        Class::Contract,
        Class::Vehicle,
        Class::Sim,
        Class::CertificateSubject,
        Class::Station,
        Class::Payment,
    ];

    /// The class of what a field of that meaning names, if it names somebody.
    pub fn of(meaning: Meaning) -> Option<Class> {
        match meaning {
            Meaning::Person => Some(Class::Person),
            Meaning::Token => Some(Class::Token),
            Meaning::Contract => Some(Class::Contract),
            Meaning::Vehicle => Some(Class::Vehicle),
            Meaning::Sim => Some(Class::Sim),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Class::Person => "person",
            Class::Token => "token",
            Class::Contract => "contract",
            Class::Vehicle => "vehicle",
            Class::Sim => "sim",
            Class::CertificateSubject => "certificate subject",
            Class::Station => "station",
            Class::Payment => "payment",
        }
    }

    /// As it stands in a row.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    pub(crate) fn from_code(code: u8) -> Option<Class> {
        Class::ALL.get(usize::from(code)).copied()
    }
}

impl fmt::Display for Class {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_keeps_its_code() {
        for class in Class::ALL {
            assert_eq!(Class::from_code(class.code()), Some(class));
        }
        assert_eq!(Class::from_code(Class::ALL.len() as u8), None);
    }
}
