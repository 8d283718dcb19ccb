//! The controls `boot-identity` and `boot-serial`: what a BootNotification says the station is, held
//! against what it said before (E09) and against the serial number that it is bound to (A12).
//!
//! A certificate proves a name, and this is where the name meets the hardware: the serial number of
//! the first accepted Boot with a certificate, or the one that the operator has registered.

use ocpp::{Call, ErrorCode, Side};

use super::call::known;
use super::case::{Case, Charge, Court};
use crate::{BootIdentity, ConnectionKind, Control};

pub(super) fn examine(court: &Court<'_>, call: &Call<'_>, case: &mut Case) {
    if call.from != Side::Station {
        return;
    }
    let boots = known(call.action).is_some_and(|facts| facts.name == "BootNotification");
    if !boots {
        if court.state.is_imposter {
            let what = "sent by a station that is not the one its certificate is bound to";
            let charge = Charge::of("not-the-bound-station", ErrorCode::SecurityError, what);
            case.object(court, Control::BootSerial, charge);
        }
        return;
    }
    let boot = court.state.boot_identity(&call.facts);
    let has_certificate = court
        .state
        .session
        .as_ref()
        .is_some_and(|session| session.kind == ConnectionKind::TlsCertificate);
    let bound = court.state.memory().bound_serial();
    match has_certificate {
        true => hold_to_certificate(court, bound, &boot, case),
        // Registered by the operator: nothing but the station's own words speaks for or against it.
        false => {
            if let (Some(bound), Some(serial)) = (bound, boot.serial.as_deref())
                && !same(bound, serial)
            {
                let what = "another serial number than the one that is registered";
                object(court, case, "serial-not-registered", what);
            }
        }
    }
    compare(court, &boot, has_certificate, case);
}

fn hold_to_certificate(
    court: &Court<'_>,
    bound: Option<&str>,
    boot: &BootIdentity,
    case: &mut Case,
) {
    let Some(serial) = boot.serial.as_deref() else {
        let what = "no serial number, so the certificate is held against nothing";
        let charge = Charge::of("serial-absent", ErrorCode::SecurityError, what);
        return case.mention(court, Control::BootSerial, charge);
    };
    if bound.is_some_and(|bound| !same(bound, serial)) {
        let what = "another serial number than the one its certificate is bound to";
        let charge = Charge::of("serial-mismatch", ErrorCode::SecurityError, what);
        case.object(court, Control::BootSerial, charge);
    }
}

/// Holds a Boot against the one before.
fn compare(court: &Court<'_>, boot: &BootIdentity, has_certificate: bool, case: &mut Case) {
    let Some(before) = court.state.memory().boot() else {
        return;
    };
    let changed = |before: &Option<Box<str>>, now: &Option<Box<str>>| match (before, now) {
        (Some(before), Some(now)) => !same(before, now),
        // What was left out before, or is left out now, is not another name.
        _ => false,
    };
    if changed(&before.maker, &boot.maker) {
        object(court, case, "maker-changed", "another maker than before");
    }
    if changed(&before.model, &boot.model) {
        object(court, case, "model-changed", "another model than before");
    }
    if !has_certificate && changed(&before.serial, &boot.serial) {
        let what = "another serial number than before";
        object(court, case, "serial-changed", what);
    }
    let other_sim = |before, now| matches!((before, now), (Some(a), Some(b)) if a != b);
    if other_sim(before.iccid, boot.iccid) || other_sim(before.imsi, boot.imsi) {
        object(court, case, "sim-changed", "another SIM than before");
    }
    if changed(&before.firmware, &boot.firmware) && !court.state.memory().firmware_job {
        let what = "another firmware than before, which nobody told it to take";
        let charge = Charge::of("firmware-without-job", ErrorCode::SecurityError, what);
        case.mention(court, Control::BootIdentity, charge);
    }
}

fn object(court: &Court<'_>, case: &mut Case, kind: &'static str, what: &str) {
    let charge = Charge::of(kind, ErrorCode::SecurityError, what);
    case.object(court, Control::BootIdentity, charge);
}

/// OCPP compares these without regard to case (CiString).
fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}
