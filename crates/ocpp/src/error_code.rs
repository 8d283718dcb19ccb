//! The error codes of CALLERROR, spelled as the version in use spells them.

use crate::{HardFault, SchemaFaultKind, Version};

/// An error code of OCPP-J, whatever its spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The action is known but not supported.
    NotSupported,
    /// The action is not known.
    NotImplemented,
    /// Something went wrong on the answering side.
    InternalError,
    /// The message is not a valid conversation step.
    ProtocolError,
    /// A security rule stopped the message.
    SecurityError,
    /// The payload's structure is wrong. 1.6: `FormationViolation`, 2.x: `FormatViolation`.
    FormatViolation,
    /// A field's value is outside its bounds.
    PropertyConstraintViolation,
    /// A field is missing, or there are too few or many. 1.6: `OccurenceConstraintViolation`.
    OccurrenceConstraintViolation,
    /// A value has the wrong type.
    TypeConstraintViolation,
    /// Anything else.
    GenericError,
    /// The message type is not supported (2.x).
    MessageTypeNotSupported,
    /// The envelope could not be read (2.x); 1.6 has no such code and says `ProtocolError`.
    RpcFrameworkError,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [ErrorCode; 12] = [
        ErrorCode::NotSupported,
        ErrorCode::NotImplemented,
        ErrorCode::InternalError,
        ErrorCode::ProtocolError,
        ErrorCode::SecurityError,
        ErrorCode::FormatViolation,
        ErrorCode::PropertyConstraintViolation,
        ErrorCode::OccurrenceConstraintViolation,
        ErrorCode::TypeConstraintViolation,
        ErrorCode::GenericError,
        ErrorCode::MessageTypeNotSupported,
        ErrorCode::RpcFrameworkError,
    ];

    /// The code as that version spells it (1.6: OCPP-J 1.6, 4.2.3; 2.x: OCPP-J part 4, 4.3).
    pub const fn spelled(self, version: Version) -> &'static str {
        let v16 = matches!(version, Version::V16);
        match self {
            ErrorCode::NotSupported => "NotSupported",
            ErrorCode::NotImplemented => "NotImplemented",
            ErrorCode::InternalError => "InternalError",
            ErrorCode::ProtocolError => "ProtocolError",
            ErrorCode::SecurityError => "SecurityError",
            ErrorCode::FormatViolation if v16 => "FormationViolation",
            ErrorCode::FormatViolation => "FormatViolation",
            ErrorCode::PropertyConstraintViolation => "PropertyConstraintViolation",
            ErrorCode::OccurrenceConstraintViolation if v16 => "OccurenceConstraintViolation",
            ErrorCode::OccurrenceConstraintViolation => "OccurrenceConstraintViolation",
            ErrorCode::TypeConstraintViolation => "TypeConstraintViolation",
            ErrorCode::GenericError => "GenericError",
            ErrorCode::MessageTypeNotSupported if v16 => "ProtocolError",
            ErrorCode::MessageTypeNotSupported => "MessageTypeNotSupported",
            ErrorCode::RpcFrameworkError if v16 => "ProtocolError",
            ErrorCode::RpcFrameworkError => "RpcFrameworkError",
        }
    }

    /// Reads a code in any version's spelling, misspellings of the field included.
    pub fn read(text: &str) -> Option<ErrorCode> {
        match text {
            "FormationViolation" => return Some(ErrorCode::FormatViolation),
            "OccurenceConstraintViolation" => {
                return Some(ErrorCode::OccurrenceConstraintViolation);
            }
            "PropertyConstraintsViolation" => return Some(ErrorCode::PropertyConstraintViolation),
            "OccurrenceConstraintsViolation" | "OccurenceConstraintsViolation" => {
                return Some(ErrorCode::OccurrenceConstraintViolation);
            }
            "TypeConstraintsViolation" => return Some(ErrorCode::TypeConstraintViolation),
            "RPCFrameworkError" => return Some(ErrorCode::RpcFrameworkError),
            _ => {}
        }
        ErrorCode::ALL
            .into_iter()
            .find(|code| code.spelled(Version::V21) == text)
    }

    /// The code that tells a peer about a schema fault.
    pub const fn for_fault(kind: SchemaFaultKind) -> ErrorCode {
        match kind {
            SchemaFaultKind::UnknownAction => ErrorCode::NotImplemented,
            SchemaFaultKind::MissingField
            | SchemaFaultKind::TooFewItems
            | SchemaFaultKind::TooManyItems
            | SchemaFaultKind::ListOverCap => ErrorCode::OccurrenceConstraintViolation,
            SchemaFaultKind::UnknownField
            | SchemaFaultKind::MessageOverCap
            | SchemaFaultKind::MessageIdTooLong
            | SchemaFaultKind::UnknownErrorCode
            | SchemaFaultKind::BadErrorBody => ErrorCode::FormatViolation,
            SchemaFaultKind::WrongType => ErrorCode::TypeConstraintViolation,
            SchemaFaultKind::TooLong
            | SchemaFaultKind::NotInEnumeration
            | SchemaFaultKind::OutOfRange
            | SchemaFaultKind::BadTimestamp => ErrorCode::PropertyConstraintViolation,
        }
    }

    /// The code that tells a peer about a hard fault.
    pub const fn for_hard_fault(fault: HardFault) -> ErrorCode {
        match fault {
            HardFault::UnknownMessageType => ErrorCode::MessageTypeNotSupported,
            HardFault::BinaryFrame
            | HardFault::NotJson
            | HardFault::InvalidUtf8
            | HardFault::ByteOrderMark
            | HardFault::TrailingData
            | HardFault::NotAnEnvelope => ErrorCode::RpcFrameworkError,
            HardFault::Oversize
            | HardFault::DuplicateKey
            | HardFault::CaseVariantKey
            | HardFault::LoneSurrogate
            | HardFault::NulCharacter
            | HardFault::NumberOverflow
            | HardFault::IntegerBeyondExact
            | HardFault::TooDeep
            | HardFault::TooManyUnknownKeys => ErrorCode::FormatViolation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ErrorCode;
    use crate::Version;

    #[test]
    fn every_spelling_of_every_version_is_read() {
        for version in Version::ALL {
            for code in ErrorCode::ALL {
                let spelled = code.spelled(version);
                assert!(ErrorCode::read(spelled).is_some(), "{spelled} in {version}");
            }
        }
    }

    #[test]
    fn each_version_keeps_its_own_spelling() {
        let code = ErrorCode::OccurrenceConstraintViolation;
        assert_eq!(code.spelled(Version::V16), "OccurenceConstraintViolation");
        assert_eq!(code.spelled(Version::V201), "OccurrenceConstraintViolation");
        assert_eq!(
            ErrorCode::FormatViolation.spelled(Version::V16),
            "FormationViolation"
        );
        assert_eq!(
            ErrorCode::FormatViolation.spelled(Version::V21),
            "FormatViolation"
        );
        assert_eq!(ErrorCode::read("NoSuchThing"), None);
    }
}
