//! What a field means to us. Policy, privacy and detection all read this one column of the catalogue.

/// The meaning of a field, whatever its name in a given version.
///
/// The name used in the catalogue's files is the variant in kebab-case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Meaning {
    /// Nothing that anyone needs to know: structure, counters, plain settings.
    Plain,
    /// Identifies a person: a customer number, a name, an address.
    Person,
    /// Identifies a token: idTag, idToken, parentIdTag, groupIdToken, additionalIdToken.
    Token,
    /// The kind of a token (`eMAID`, `ISO14443`, `KeyCode` …).
    TokenKind,
    /// Identifies a contract: eMAID, contract certificate data.
    Contract,
    /// Identifies a vehicle: VIN, EVCCID.
    Vehicle,
    /// Identifies a SIM or its subscriber: ICCID, IMSI.
    Sim,
    /// A secret: password, key code, private key, VPN or APN credential.
    Secret,
    /// A URL; may carry user information.
    Url,
    /// A certificate, certificate chain or signing request.
    Certificate,
    /// A certificate's hash data: issuer hashes and serial number.
    CertificateHash,
    /// A signature or encoded signed meter data.
    Signature,
    /// A point in time.
    Timestamp,
    /// Free text written by people or vendors.
    FreeText,
    /// A vendor's own data: DataTransfer, customData.
    VendorData,
    /// Names the vendor or kind of vendor data: vendorId, messageId.
    VendorId,
    /// The station's or a part's serial number.
    Serial,
    /// The station's maker.
    Maker,
    /// The station's model.
    Model,
    /// A firmware version.
    Firmware,
    /// The name of a configuration key or variable.
    ConfigKey,
    /// The value of a configuration key or variable: as secret as its key says.
    ConfigValue,
    /// A component that a variable belongs to.
    Component,
    /// A transaction's id.
    TransactionId,
    /// An EVSE's number.
    Evse,
    /// A connector's number.
    Connector,
    /// A status that a party reports or answers with.
    Status,
    /// A vendor's or OCPP's error code.
    ErrorCode,
    /// What kind of event, trigger, reset, message or certificate is meant.
    Kind,
    /// Seconds between messages: heartbeat and other intervals.
    Interval,
    /// A measured value, or the register of an energy meter.
    Reading,
    /// What a reading measures.
    Measurand,
    /// The unit or multiplier of a reading or limit.
    Unit,
    /// The phase of a reading.
    Phase,
    /// The context of a reading (`Transaction.Begin`, `Sample.Periodic` …).
    ReadingContext,
    /// A charging limit, in amperes or watts.
    ChargingLimit,
    /// A charging profile's or schedule's id, purpose or level.
    ChargingProfile,
    /// A request's or job's id.
    RequestId,
    /// A version number of a list.
    ListVersion,
    /// A network address, APN or interface.
    Network,
    /// The security profile asked for.
    SecurityProfile,
    /// Money: prices, costs, tariffs.
    Money,
    /// A place.
    Location,
    /// Whether it was said while the station had no connection.
    Offline,
}

impl Meaning {
    /// Every meaning with its name in the catalogue and in rules.
    pub const NAMED: &'static [(&'static str, Meaning)] = crate::catalogue::MEANINGS;

    /// The meaning of that name.
    pub fn named(name: &str) -> Option<Meaning> {
        let found = Meaning::NAMED.iter().find(|(known, _)| *known == name);
        found.map(|(_, meaning)| *meaning)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        let found = Meaning::NAMED.get(self as usize);
        found.map_or("", |(name, _)| name)
    }
}
