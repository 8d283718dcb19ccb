//! The bounds the reader keeps. Those that are the same for everyone are constants; those that an
//! operator may widen for a model are fields.

/// What a message may cost us. One value serves a fleet, a model or a station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a message whose action has no higher cap of its own.
    pub message_bytes_max: u32,
    /// Actions with a higher cap, by name; never above [`Limits::MESSAGE_BYTES_MAX`].
    pub action_bytes_max: Vec<(String, u32)>,
    /// Items of an array that its schema leaves unbounded (1.6 bounds none).
    pub list_items_max: u32,
}

impl Limits {
    /// No message of any action is longer, whatever the settings say: 1 MiB.
    pub const MESSAGE_BYTES_MAX: u32 = 1 << 20;
    /// Arrays and objects inside one another, the envelope included.
    pub const DEPTH_MAX: usize = 16;
    /// Keys of one object that its schema does not name.
    pub const UNKNOWN_KEYS_MAX: usize = 64;
    /// Facts kept of one message; what is beyond is counted ([`crate::Facts::dropped`]).
    pub const FACTS_MAX: usize = 4096;
    /// Schema faults described of one message; what is beyond is counted.
    pub const FAULTS_MAX: usize = 8;
    /// Characters of a message id by OCPP-J; longer is a schema fault.
    pub const MESSAGE_ID_CHARS_MAX: usize = 36;
    /// Bytes of a message id beyond which the message is unreadable, since ids are remembered.
    pub const MESSAGE_ID_BYTES_MAX: usize = 255;
    /// Bytes of an action's name beyond which the message is unreadable.
    pub const ACTION_BYTES_MAX: usize = 64;
}

impl Default for Limits {
    /// 64 KiB, more for the actions that carry lists, reports and certificates, 1,024 items a list.
    fn default() -> Limits {
        const LISTS: [(&str, u32); 12] = [
            ("SendLocalList", 1 << 20),
            ("GetConfiguration", 1 << 18),
            ("NotifyReport", 1 << 20),
            ("NotifyMonitoringReport", 1 << 20),
            ("ReportChargingProfiles", 1 << 18),
            ("SetVariables", 1 << 18),
            ("GetVariables", 1 << 18),
            ("SetVariableMonitoring", 1 << 18),
            ("NotifyCustomerInformation", 1 << 18),
            ("GetInstalledCertificateIds", 1 << 18),
            ("NotifyEvent", 1 << 18),
            ("DataTransfer", 1 << 18),
        ];
        Limits {
            message_bytes_max: 64 << 10,
            action_bytes_max: LISTS
                .iter()
                .map(|(name, max)| ((*name).to_owned(), *max))
                .collect(),
            list_items_max: 1024,
        }
    }
}
