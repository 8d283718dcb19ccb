//! The promises about credentials that stations have been given and have not shown yet (D03).

use guard::{ChangeStep, Credential, Lesson, PendingCredential, Secret, StationRecord};

use super::records::{identity, one_of_each, pending, picture, station, tenant, traits};
use super::{Kept, Reopen, fine, hold, open};

fn change(id: &str, basis: &Credential, step: ChangeStep) -> Result<Lesson, String> {
    Ok(Lesson::Change {
        tenant: tenant("blue"),
        station: identity(id)?,
        basis: basis.clone(),
        step,
    })
}

/// What another handle sees to be pending.
fn seen(reopen: &Reopen, id: &str) -> Result<Vec<PendingCredential>, String> {
    let store = open(reopen)?;
    let one = fine(store.station(&tenant("blue"), &identity(id)?))?.pending;
    let all = fine(store.stations(None))?;
    let listed = all.into_iter().find(|record| record.id.as_str() == id);
    let listed = listed.map(|record| record.pending).unwrap_or_default();
    hold(one == listed, "one station and the list disagree")?;
    Ok(one)
}

pub(super) fn a_change_is_kept_step_by_step(reopen: &Reopen) -> Kept {
    let mut store = open(reopen)?;
    for id in ["CP-1", "CP-2"] {
        fine(store.add(&station(id)?))?;
    }
    let (held, other) = (station("CP-1")?.credential, Credential::CertificateName);
    let accepted = PendingCredential {
        accepted: true,
        ..pending(3)
    };
    let (two, three) = (pending(2), pending(3));
    let steps = [
        // One that is about another credential than the registered one, and one about nobody.
        (change("CP-1", &other, ChangeStep::Offered(two))?, vec![]),
        (change("CP-9", &held, ChangeStep::Offered(two))?, vec![]),
        (change("CP-1", &held, ChangeStep::Offered(two))?, vec![two]),
        (
            change("CP-1", &held, ChangeStep::Offered(three))?,
            vec![two, three],
        ),
        (
            change("CP-1", &held, ChangeStep::Accepted(three.mark))?,
            vec![two, accepted],
        ),
        (
            change("CP-1", &held, ChangeStep::Refused(pending(7).mark))?,
            vec![two, accepted],
        ),
        (
            change("CP-1", &held, ChangeStep::Refused(two.mark))?,
            vec![accepted],
        ),
        // The same once more begins anew.
        (
            change("CP-1", &held, ChangeStep::Offered(three))?,
            vec![three],
        ),
    ];
    for (lesson, wanted) in steps {
        fine(store.learn(&[lesson]))?;
        let found = seen(reopen, "CP-1")?;
        hold(
            found == wanted,
            format!("pending is {found:?}, not {wanted:?}"),
        )?;
        hold(
            seen(reopen, "CP-2")?.is_empty(),
            "it is pending of another station",
        )?;
    }
    for number in 10..20 {
        let step = ChangeStep::Offered(pending(number));
        fine(store.learn(&[change("CP-1", &held, step)?]))?;
    }
    let newest: Vec<_> = (16..20).map(pending).collect();
    hold(
        seen(reopen, "CP-1")? == newest,
        "it does not keep the newest four",
    )
}

pub(super) fn an_adopted_station_is_kept_and_accepted(reopen: &Reopen) -> Kept {
    let mut store = open(reopen)?;
    let adopted = StationRecord {
        adopted: true,
        password: Some(traits(2)),
        ..station("CP-1")?
    };
    let lesson = Lesson::Adopted(Box::new(adopted.clone()));
    hold(
        fine(store.learn(std::slice::from_ref(&lesson)))? == 1,
        "it is not kept",
    )?;
    hold(fine(store.learn(&[lesson]))? == 0, "it is kept twice")?;
    let read = || -> Result<String, String> {
        let store = open(reopen)?;
        Ok(picture(&fine(store.station(&adopted.tenant, &adopted.id))?))
    };
    hold(read()? == picture(&adopted), "it reads back otherwise")?;
    fine(store.accept(&adopted.tenant, &adopted.id))?;
    let accepted = StationRecord {
        adopted: false,
        ..adopted.clone()
    };
    hold(
        read()? == picture(&accepted),
        "more than that changed, or less",
    )?;
    let nobody = store.accept(&adopted.tenant, &identity("none")?);
    hold(nobody.is_err(), "it accepts nobody")
}

pub(super) fn a_renewed_credential_takes_the_old_ones_place(reopen: &Reopen) -> Kept {
    let mut store = open(reopen)?;
    let before = StationRecord {
        upstream_password: Some(Secret::new(b"old".to_vec())),
        ..station("CP-1")?
    };
    fine(store.add(&before))?;
    let taken = StationRecord {
        credential: Credential::Certificate([5; 32]),
        ..station("CP-2")?
    };
    fine(store.add(&taken))?;
    let offered = ChangeStep::Offered(pending(2));
    fine(store.learn(&[change("CP-1", &before.credential, offered)?]))?;
    let renewed = |basis: &Credential, credential: Credential| Lesson::Renewed {
        tenant: before.tenant.clone(),
        station: before.id.clone(),
        basis: basis.clone(),
        credential,
        password: Some(traits(3)),
        upstream_password: Some(Secret::new(b"new".to_vec())),
    };
    let slow = one_of_each()?.swap_remove(1).credential;
    for lesson in [
        renewed(&Credential::CertificateName, slow.clone()),
        renewed(&before.credential, taken.credential.clone()),
    ] {
        hold(
            fine(store.learn(&[lesson]))? == 0,
            "it keeps what does not fit",
        )?;
    }
    hold(
        !seen(reopen, "CP-1")?.is_empty(),
        "what did not fit ended the change",
    )?;
    let lesson = renewed(&before.credential, slow.clone());
    hold(
        fine(store.learn(&[lesson]))? == 1,
        "it does not keep what fits",
    )?;
    let expected = StationRecord {
        credential: slow.clone(),
        password: Some(traits(3)),
        upstream_password: Some(Secret::new(b"new".to_vec())),
        ..before.clone()
    };
    let read = fine(open(reopen)?.station(&before.tenant, &before.id))?;
    hold(
        picture(&read) == picture(&expected),
        "it reads back otherwise",
    )?;
    // The operator's word, or the station's end, ends a change as well.
    for end in [0, 1] {
        let offered = ChangeStep::Offered(pending(4));
        let held = fine(store.station(&before.tenant, &before.id))?.credential;
        fine(store.learn(&[change("CP-1", &held, offered)?]))?;
        hold(!seen(reopen, "CP-1")?.is_empty(), "the change is not kept")?;
        if end == 0 {
            fine(store.set_credential(&before.tenant, &before.id, &before.credential, None))?;
        } else {
            fine(store.remove(&before.tenant, &before.id))?;
            fine(store.add(&before))?;
        }
        hold(seen(reopen, "CP-1")?.is_empty(), "the change goes on")?;
    }
    Ok(())
}
