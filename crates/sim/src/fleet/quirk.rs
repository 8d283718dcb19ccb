//! What real stations do that the standard does not say (`counterparts.md` collects them).

/// One habit of a station.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quirk {
    /// Sends Boot and a row of StatusNotifications without waiting for an answer.
    Pipelines,
    /// Writes a number where 1.6 wants a string, in `sampledValue.value`.
    NumberForString,
    /// Sends an empty `sampledValue` list.
    EmptySamples,
    /// Has a serial number longer than the limit.
    LongSerial,
    /// Writes `+00:00` where others write `Z`.
    OffsetTimestamps,
    /// Sends a message again with the same id and body.
    RepeatsItself,
    /// Stops a transaction -1, which it never got a number for.
    LostTransaction,
    /// Lives in 1970 until the first Boot answer tells it otherwise.
    WakesIn1970,
    /// Names no subprotocol.
    NamesNoVersion,
    /// Its socket dies without a close, every now and then.
    DiesAbruptly,
}

impl Quirk {
    /// Every quirk.
    pub const ALL: [Quirk; 10] = [
        Quirk::Pipelines,
        Quirk::NumberForString,
        Quirk::EmptySamples,
        Quirk::LongSerial,
        Quirk::OffsetTimestamps,
        Quirk::RepeatsItself,
        Quirk::LostTransaction,
        Quirk::WakesIn1970,
        Quirk::NamesNoVersion,
        Quirk::DiesAbruptly,
    ];

    /// In words, for whoever watches.
    pub const fn words(self) -> &'static str {
        match self {
            Quirk::Pipelines => "does not wait for the answer to its Boot",
            Quirk::NumberForString => "writes meter values as numbers, not strings",
            Quirk::EmptySamples => "sends meter values without any value",
            Quirk::LongSerial => "has a serial number over the limit",
            Quirk::OffsetTimestamps => "writes +00:00 for Z",
            Quirk::RepeatsItself => "sends messages twice",
            Quirk::LostTransaction => "stops transaction -1",
            Quirk::WakesIn1970 => "boots in 1970",
            Quirk::NamesNoVersion => "names no OCPP version",
            Quirk::DiesAbruptly => "drops its socket without a word",
        }
    }
}
