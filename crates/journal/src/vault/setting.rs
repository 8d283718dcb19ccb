//! What a configuration key says of its value.

use super::Class;

/// From harmless to secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Setting {
    /// A key of the standard whose values say nothing of anybody.
    Harmless,
    /// An address, which may hold user information.
    Url,
    /// A vendor's own, or one we do not know.
    Unknown,
    /// It names somebody.
    Subject(Class),
    /// A secret.
    Secret,
}

/// What a key's name says of its value, in whatever case and with whatever separators.
pub(crate) fn of(key: &str) -> Setting {
    let name: String = key
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    let name = name.as_str();
    if HARMLESS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
    {
        return Setting::Harmless;
    }
    if SECRETS.iter().any(|word| name.contains(word))
        || SECRET_ENDS.iter().any(|word| name.ends_with(word))
    {
        return Setting::Secret;
    }
    let subject = SUBJECTS.iter().find(|(word, _)| name.contains(word));
    match subject {
        Some((_, class)) => Setting::Subject(*class),
        None if name.contains("url") || name.contains("uri") => Setting::Url,
        None => Setting::Unknown,
    }
}

/// Whether a token of that kind is a secret: it is typed in, and whoever knows it, has it.
pub(crate) fn is_secret_kind(kind: &str) -> bool {
    if READ_KINDS.contains(&kind) {
        return false;
    }
    let kind = ocpp::unescape(kind).to_ascii_lowercase();
    [
        "keycode", "key code", "pin", "passw", "passcode", "secret", "otp",
    ]
    .iter()
    .any(|word| kind.contains(word))
}

/// OCPP's own kinds of tokens that are read, given out, or heard.
const READ_KINDS: &[&str] = &[
    "ISO14443",
    "ISO15693",
    "eMAID",
    "Central",
    "Local",
    "MacAddress",
    "EVCCID",
    "VIN",
    "DirectPayment",
    "NoAuthorization",
];

/// Anywhere in a key's name.
const SECRETS: &[&str] = &[
    "passw",
    "passphrase",
    "passcode",
    "passkey",
    "pwd",
    "secret",
    "authorizationkey",
    "authkey",
    "privatekey",
    "apikey",
    "accesskey",
    "sharedkey",
    "keycode",
    "pincode",
    "credential",
    "psk",
    "bearer",
    "accesstoken",
    "apitoken",
    "authtoken",
    "refreshtoken",
    "apnuser",
    "vpnuser",
    "simpin",
    "puk",
    "wifikey",
    "wlankey",
    "wpakey",
    "wepkey",
];

/// At the end of a key's name.
const SECRET_ENDS: &[&str] = &["key", "pin", "login", "username"];

/// What names somebody, anywhere in a key's name.
const SUBJECTS: &[(&str, Class)] = &[
    ("idtag", Class::Token),
    ("idtoken", Class::Token),
    ("masterpassgroupid", Class::Token),
    ("mastertag", Class::Token),
    ("emaid", Class::Contract),
    ("vehicleid", Class::Vehicle),
    ("evccid", Class::Vehicle),
    ("iccid", Class::Sim),
    ("imsi", Class::Sim),
    ("msisdn", Class::Sim),
    ("email", Class::Person),
    ("phone", Class::Person),
    ("customer", Class::Person),
    ("owner", Class::Person),
];

/// Keys of OCPP 1.6 and variables of 2.x whose values name nobody and open nothing.
const HARMLESS: &[&str] = &[
    // 1.6, core
    "AllowOfflineTxForUnknownId",
    "AuthorizationCacheEnabled",
    "AuthorizeRemoteTxRequests",
    "BlinkRepeat",
    "ClockAlignedDataInterval",
    "ConnectionTimeOut",
    "ConnectorPhaseRotation",
    "ConnectorPhaseRotationMaxLength",
    "GetConfigurationMaxKeys",
    "HeartbeatInterval",
    "LightIntensity",
    "LocalAuthorizeOffline",
    "LocalPreAuthorize",
    "MaxEnergyOnInvalidId",
    "MeterValuesAlignedData",
    "MeterValuesAlignedDataMaxLength",
    "MeterValuesSampledData",
    "MeterValuesSampledDataMaxLength",
    "MeterValueSampleInterval",
    "MinimumStatusDuration",
    "NumberOfConnectors",
    "ResetRetries",
    "StopTransactionOnEVSideDisconnect",
    "StopTransactionOnInvalidId",
    "StopTxnAlignedData",
    "StopTxnAlignedDataMaxLength",
    "StopTxnSampledData",
    "StopTxnSampledDataMaxLength",
    "SupportedFeatureProfiles",
    "SupportedFeatureProfilesMaxLength",
    "TransactionMessageAttempts",
    "TransactionMessageRetryInterval",
    "UnlockConnectorOnEVSideDisconnect",
    "WebSocketPingInterval",
    // 1.6, other profiles, the security extension and Plug & Charge
    "LocalAuthListEnabled",
    "LocalAuthListMaxLength",
    "SendLocalListMaxLength",
    "ReserveConnectorZeroSupported",
    "ChargeProfileMaxStackLevel",
    "ChargingScheduleAllowedChargingRateUnit",
    "ChargingScheduleMaxPeriods",
    "ConnectorSwitch3to1PhaseSupported",
    "MaxChargingProfilesInstalled",
    "SecurityProfile",
    "AdditionalRootCertificateCheck",
    "CertificateSignedMaxChainSize",
    "CertificateStoreMaxLength",
    "SupportedFileTransferProtocols",
    "ISO15118PnCEnabled",
    "CentralContractValidationAllowed",
    "ContractValidationOffline",
    "CertSigningWaitMinimum",
    "CertSigningRepeatTimes",
    // 2.x
    "ActiveNetworkProfile",
    "AdditionalInfoItemsPerMessage",
    "AllowReset",
    "AuthorizeRemoteStart",
    "AvailabilityState",
    "Available",
    "BytesPerMessage",
    "CertificateEntries",
    "ContractCertificateInstallationEnabled",
    "DisableRemoteAuthorization",
    "Enabled",
    "Entries",
    "EVConnectionTimeOut",
    "ExternalControlSignalsEnabled",
    "FieldLength",
    "FileTransferProtocols",
    "Interval",
    "ItemsPerMessage",
    "LifeTime",
    "LimitChangeSignificance",
    "MaxCertificateChainSize",
    "Measurands",
    "MessageAttemptInterval",
    "MessageAttempts",
    "MessageTimeout",
    "MonitoringBase",
    "MonitoringLevel",
    "NetworkConfigurationPriority",
    "NetworkProfileConnectionAttempts",
    "NextTimeOffsetTransitionDateTime",
    "NotifyChargingLimitWithSchedules",
    "OfflineQueuingSeverity",
    "OfflineThreshold",
    "OfflineTxForUnknownIdEnabled",
    "PeriodsPerSchedule",
    "Phases3to1",
    "PnCEnabled",
    "Policy",
    "Power",
    "Problem",
    "ProfileStackLevel",
    "PublicKeyWithSignedMeterValue",
    "QueueAllMessages",
    "RateUnit",
    "RegisterValuesWithoutPhases",
    "RequestMeteringReceipt",
    "RetryBackOffRandomRange",
    "RetryBackOffRepeatTimes",
    "RetryBackOffWaitMinimum",
    "SampledDataSignReadings",
    "SendDuringIdle",
    "SignReadings",
    "SignStartedReadings",
    "StopTxOnEVSideDisconnect",
    "StopTxOnInvalidId",
    "Storage",
    "SupplyPhases",
    "SupportedFormats",
    "TimeAdjustmentReportingThreshold",
    "TimeOffset",
    "TimeSource",
    "TimeZone",
    "Tripped",
    "TxBeforeAcceptedEnabled",
    "TxEndedInterval",
    "TxEndedMeasurands",
    "TxStartPoint",
    "TxStartedMeasurands",
    "TxStopPoint",
    "TxUpdatedInterval",
    "TxUpdatedMeasurands",
    "UnlockOnEVSideDisconnect",
    "V2GCertificateInstallationEnabled",
    "WaitForStartAtMinimumSoC",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_what_its_value_is() {
        for (key, setting) in [
            ("HeartbeatInterval", Setting::Harmless),
            ("heartbeat_interval", Setting::Harmless),
            ("AuthorizationKey", Setting::Secret),
            ("BasicAuthPassword", Setting::Secret),
            ("WiFi-PSK", Setting::Secret),
            ("SIM.Pin", Setting::Secret),
            ("ftp_login", Setting::Secret),
            ("FreevendIdTag", Setting::Subject(Class::Token)),
            ("MasterPassGroupId", Setting::Subject(Class::Token)),
            ("VehicleId", Setting::Subject(Class::Vehicle)),
            ("CentralSystemURL", Setting::Url),
            ("OcppCsmsUrl", Setting::Url),
            ("OperatorNote", Setting::Unknown),
            ("", Setting::Unknown),
        ] {
            assert_eq!(of(key), setting, "{key}");
        }
    }

    #[test]
    fn nothing_harmless_sounds_like_a_secret_but_for_one_that_is_a_choice() {
        for known in HARMLESS {
            let name = known.to_ascii_lowercase();
            let sounds = SECRETS.iter().any(|word| name.contains(word));
            assert!(!sounds, "{known}");
        }
    }

    #[test]
    fn codes_that_are_typed_in_are_secrets() {
        for kind in [
            "KeyCode",
            "keycode",
            "PIN",
            "Key\\u0043ode",
            "one-time password",
        ] {
            assert!(is_secret_kind(kind), "{kind}");
        }
        for kind in [
            "ISO14443",
            "eMAID",
            "Central",
            "MacAddress",
            "NoAuthorization",
            "",
        ] {
            assert!(!is_secret_kind(kind), "{kind}");
        }
    }
}
