//! The promises themselves, one function each.

use std::sync::atomic::{AtomicBool, Ordering};

use guard::{
    Credential, Lesson, PasswordForm, Relaxed, Secret, StationRecord, UpstreamCredential, Verifier,
};

use super::records::{
    identity, one_of_each, picture, route, route_picture, station, tenant, traits,
};
use super::{Kept, Reopen, changes, fine, hold, open};
use crate::{ImportError, Store, StoreError, WayBack};

type Walk = fn(&Reopen) -> Kept;

pub(super) const ALL: [(&str, Walk); 20] = [
    ("a new store is empty", a_new_store_is_empty),
    (
        "what is added reads back whole",
        what_is_added_reads_back_whole,
    ),
    ("an identity is taken once", an_identity_is_taken_once),
    (
        "identities that differ only in case are one",
        case_variants_are_one,
    ),
    ("tenants do not share names", tenants_do_not_share_names),
    (
        "one certificate proves one station",
        one_certificate_one_station,
    ),
    ("an import is all or nothing", an_import_is_all_or_nothing),
    ("an import says how far it is", an_import_says_how_far_it_is),
    ("what is removed is gone", what_is_removed_is_gone),
    ("a station is enabled and disabled", enabled_and_disabled),
    (
        "a credential is replaced whole",
        a_credential_is_replaced_whole,
    ),
    (
        "a lesson is kept if it still fits",
        a_lesson_is_kept_if_it_fits,
    ),
    (
        "a change of credential is kept step by step",
        changes::a_change_is_kept_step_by_step,
    ),
    (
        "an adopted station is kept, and accepted",
        changes::an_adopted_station_is_kept_and_accepted,
    ),
    (
        "a renewed credential takes the old one's place",
        changes::a_renewed_credential_takes_the_old_ones_place,
    ),
    ("the list is in order", the_list_is_in_order),
    (
        "routes are replaced in one go",
        routes_are_replaced_in_one_go,
    ),
    (
        "the revision moves with every change and never else",
        the_revision_moves,
    ),
    ("the way back outlives a restart", the_way_back_stays),
    (
        "readers see a whole import or none of it",
        readers_see_all_or_none,
    ),
];

fn the_way_back_stays(reopen: &Reopen) -> Kept {
    let blue = (tenant("blue"), identity("CP1")?);
    let everything = Relaxed {
        fleet: true,
        tenants: vec![tenant("green")],
        stations: vec![blue.clone()],
    };
    let mut store = open(reopen)?;
    hold(
        fine(store.way_back())? == WayBack::default(),
        "a new store relaxes somebody",
    )?;
    let before = fine(store.revision())?;
    fine(store.set_relaxed(&everything))?;
    hold(fine(store.revision())? > before, "the revision stays")?;
    drop(store);
    let mut store = open(reopen)?;
    let kept = fine(store.way_back())?;
    hold(kept.relaxed == everything, format!("it kept {kept:?}"))?;
    let less = Relaxed {
        stations: vec![blue],
        ..Relaxed::default()
    };
    fine(store.set_relaxed(&less))?;
    let left = fine(store.way_back())?;
    hold(left.relaxed == less, format!("it kept {left:?}"))?;
    hold(left.since.is_some(), "it forgot since when")?;
    fine(store.set_relaxed(&Relaxed::default()))?;
    let left = fine(store.way_back())?;
    hold(left == WayBack::default(), format!("it kept {left:?}"))
}

fn a_new_store_is_empty(reopen: &Reopen) -> Kept {
    let store = open(reopen)?;
    hold(fine(store.stations(None))?.is_empty(), "it holds stations")?;
    hold(fine(store.stations_count())? == 0, "it counts stations")?;
    hold(fine(store.routes())?.is_empty(), "it holds routes")?;
    let stranger = store.station(&tenant("blue"), &identity("stranger")?);
    hold(
        matches!(stranger, Err(StoreError::Unknown { .. })),
        "it knows a stranger",
    )?;
    // Opening again takes no migration twice and loses nothing.
    for _ in 0..2 {
        hold(
            fine(open(reopen)?.stations_count())? == 0,
            "it does not open twice",
        )?;
    }
    Ok(())
}

fn what_is_added_reads_back_whole(reopen: &Reopen) -> Kept {
    let mut store = open(reopen)?;
    let all = one_of_each()?;
    for station in &all {
        fine(store.add(station))?;
    }
    for (handle, store) in [("the same", &store), ("another", &open(reopen)?)] {
        for added in &all {
            let read = fine(store.station(&added.tenant, &added.id))?;
            let (read, added) = (picture(&read), picture(added));
            hold(
                read == added,
                format!("{handle} handle reads {read}, added was {added}"),
            )?;
        }
        hold(
            fine(store.stations_count())? == all.len() as u64,
            "the count is off",
        )?;
    }
    Ok(())
}

fn an_identity_is_taken_once(reopen: &Reopen) -> Kept {
    let mut store = open(reopen)?;
    fine(store.add(&station("CP-1")?))?;
    let again = StationRecord {
        credential: Credential::CertificateName,
        ..station("CP-1")?
    };
    let result = store.add(&again);
    hold(
        matches!(result, Err(StoreError::Exists { .. })),
        format!("{result:?}"),
    )?;
    let kept = fine(store.station(&again.tenant, &again.id))?;
    hold(
        picture(&kept) == picture(&station("CP-1")?),
        "the second took the first one's place",
    )
}

fn case_variants_are_one(reopen: &Reopen) -> Kept {
    let mut store = open(reopen)?;
    fine(store.add(&station("Straße-É1")?))?;
    for variant in ["straße-É1", "Straße-é1", "STRAßE-É1"] {
        let result = store.add(&station(variant)?);
        let refused = matches!(&result, Err(StoreError::ExistsInOtherCase { existing, .. })
            if existing == "Straße-É1");
        hold(refused, format!("{variant}: {result:?}"))?;
        let asked = store.station(&tenant("blue"), &identity(variant)?);
        hold(
            asked.is_err(),
            format!("{variant} is found under another spelling"),
        )?;
    }
    Ok(())
}

fn tenants_do_not_share_names(reopen: &Reopen) -> Kept {
    let mut store = open(reopen)?;
    let green = StationRecord {
        tenant: tenant("green"),
        ..station("CP-1")?
    };
    fine(store.add(&station("CP-1")?))?;
    fine(store.add(&green))?;
    fine(store.remove(&green.tenant, &green.id))?;
    let blue = fine(store.stations(Some(&tenant("blue"))))?;
    hold(
        blue.len() == 1,
        "removing one tenant's station took the other's",
    )?;
    hold(
        fine(store.stations(Some(&green.tenant)))?.is_empty(),
        "it is still there",
    )
}

fn one_certificate_one_station(reopen: &Reopen) -> Kept {
    let mut store = open(reopen)?;
    let credential = Credential::Certificate([7; 32]);
    let first = StationRecord {
        credential: credential.clone(),
        ..station("CP-1")?
    };
    let second = StationRecord {
        credential,
        tenant: tenant("green"),
        ..station("CP-2")?
    };
    fine(store.add(&first))?;
    let result = store.add(&second);
    hold(
        matches!(result, Err(StoreError::CertificateTaken { .. })),
        format!("{result:?}"),
    )?;
    fine(store.remove(&first.tenant, &first.id))?;
    fine(store.add(&second))
}

fn an_import_is_all_or_nothing(reopen: &Reopen) -> Kept {
    let mut store = open(reopen)?;
    fine(store.add(&station("old")?))?;
    let rows = [
        station("a")?,
        station("OLD")?,
        station("b")?,
        station("A")?,
        station("old")?,
    ];
    let Err(ImportError::Rejected(rejected)) = store.import(&rows, &mut |_| {}) else {
        return Err("it took what it must refuse".to_owned());
    };
    let places: Vec<usize> = rejected.iter().map(|row| row.index).collect();
    hold(
        places == [1, 3, 4],
        format!("it rejects rows {places:?}, not 1, 3 and 4"),
    )?;
    hold(
        fine(store.stations_count())? == 1,
        "something was imported by halves",
    )?;
    let good: Vec<StationRecord> = one_of_each()?;
    fine(store.import(&good, &mut |_| {}))?;
    hold(
        fine(store.stations_count())? == 1 + good.len() as u64,
        "the good import is not whole",
    )
}

fn an_import_says_how_far_it_is(reopen: &Reopen) -> Kept {
    let mut store = open(reopen)?;
    let rows: Result<Vec<_>, _> = (0..1000).map(|n| station(&format!("CP-{n:05}"))).collect();
    let mut steps = Vec::new();
    fine(store.import(&rows?, &mut |done| steps.push(done)))?;
    hold(
        steps.is_sorted() && steps.last() == Some(&1000),
        format!("it said {steps:?}"),
    )
}

fn what_is_removed_is_gone(reopen: &Reopen) -> Kept {
    let mut store = open(reopen)?;
    let gone = station("CP-1")?;
    fine(store.add(&gone))?;
    fine(store.remove(&gone.tenant, &gone.id))?;
    for result in [
        store.remove(&gone.tenant, &gone.id),
        store.enable(&gone.tenant, &gone.id, true),
        store.station(&gone.tenant, &gone.id).map(|_| ()),
    ] {
        hold(
            matches!(result, Err(StoreError::Unknown { .. })),
            format!("{result:?}"),
        )?;
    }
    // The name is free again, in any spelling.
    fine(store.add(&station("cp-1")?))
}

fn enabled_and_disabled(reopen: &Reopen) -> Kept {
    let mut store = open(reopen)?;
    let record = station("CP-1")?;
    fine(store.add(&record))?;
    for enabled in [false, false, true] {
        fine(store.enable(&record.tenant, &record.id, enabled))?;
        let read = fine(open(reopen)?.station(&record.tenant, &record.id))?;
        let expected = StationRecord {
            enabled,
            ..record.clone()
        };
        hold(
            picture(&read) == picture(&expected),
            "more than the switch changed, or less",
        )?;
    }
    Ok(())
}

fn a_credential_is_replaced_whole(reopen: &Reopen) -> Kept {
    let mut store = open(reopen)?;
    let before = StationRecord {
        password: Some(traits(1)),
        upstream_password: Some(Secret::new(b"stays".to_vec())),
        ..station("CP-1")?
    };
    fine(store.add(&before))?;
    let holder = StationRecord {
        credential: Credential::Certificate([5; 32]),
        ..station("CP-2")?
    };
    fine(store.add(&holder))?;
    let slow = one_of_each()?.swap_remove(1).credential;
    let changes = [
        (slow, Some(traits(2))),
        (Credential::Certificate([6; 32]), None),
        (Credential::Certificate([6; 32]), None),
        (before.credential.clone(), Some(traits(3))),
    ];
    for (credential, password) in changes {
        let (tenant, id) = (&before.tenant, &before.id);
        fine(store.set_credential(tenant, id, &credential, password.as_ref()))?;
        let expected = StationRecord {
            credential,
            password,
            ..before.clone()
        };
        let read = fine(open(reopen)?.station(tenant, id))?;
        hold(
            picture(&read) == picture(&expected),
            "more than the credential changed, or less",
        )?;
    }
    let taken = store.set_credential(&before.tenant, &before.id, &holder.credential, None);
    hold(
        matches!(taken, Err(StoreError::CertificateTaken { .. })),
        format!("{taken:?}"),
    )?;
    let gone = store.set_credential(&before.tenant, &identity("none")?, &before.credential, None);
    hold(
        matches!(gone, Err(StoreError::Unknown { .. })),
        format!("{gone:?}"),
    )
}

fn a_lesson_is_kept_if_it_fits(reopen: &Reopen) -> Kept {
    let mut store = open(reopen)?;
    let record = station("CP-1")?;
    fine(store.add(&record))?;
    let Credential::Password(verifier) = record.credential.clone() else {
        return Err("the record has no password".to_owned());
    };
    let other = Verifier {
        form: PasswordForm::Octets,
        ..verifier.clone()
    };
    let lesson = |id: &str, verifier: &Verifier, number| {
        Ok::<_, String>(Lesson::Password {
            tenant: record.tenant.clone(),
            station: identity(id)?,
            verifier: verifier.clone(),
            traits: traits(number),
        })
    };
    // Each list, how many of it are news, and whose traits are there then.
    let lists = [
        (vec![lesson("CP-1", &other, 1)?], 0, None),
        (vec![lesson("CP-2", &verifier, 2)?], 0, None),
        (
            vec![lesson("CP-2", &verifier, 3)?, lesson("CP-1", &verifier, 4)?],
            1,
            Some(traits(4)),
        ),
        (vec![lesson("CP-1", &verifier, 5)?], 0, Some(traits(4))),
    ];
    for (lessons, news, password) in lists {
        let before = fine(store.revision())?;
        let kept = fine(store.learn(&lessons))?;
        hold(
            kept == news,
            format!("{kept} lessons were news, not {news}"),
        )?;
        let moved = fine(open(reopen)?.revision())? != before;
        hold(
            moved == (news > 0),
            "the revision does not tell of the lesson",
        )?;
        let read = fine(open(reopen)?.station(&record.tenant, &record.id))?;
        hold(read.password == password, "another lesson was kept")?;
    }
    Ok(())
}

fn the_list_is_in_order(reopen: &Reopen) -> Kept {
    let mut store = open(reopen)?;
    for id in ["b", "B2", "a10", "a9", "é"] {
        fine(store.add(&station(id)?))?;
    }
    fine(store.add(&StationRecord {
        tenant: tenant("Amber"),
        ..station("z")?
    }))?;
    let list = fine(store.stations(None))?;
    let names: Vec<&str> = list.iter().map(|station| station.id.as_str()).collect();
    hold(
        names == ["z", "B2", "a10", "a9", "b", "é"],
        format!("it lists {names:?}"),
    )
}

fn routes_are_replaced_in_one_go(reopen: &Reopen) -> Kept {
    let mut store = open(reopen)?;
    let secret = UpstreamCredential::Fixed(Secret::new(b"the same for all".to_vec()));
    let first = [
        route("second", "/ocpp/{identity}", secret),
        route("first", "/other/{identity}", UpstreamCredential::PerStation),
        route("third", "/third/{identity}", UpstreamCredential::None),
    ];
    let second = [route(
        "first",
        "/ocpp/{identity}",
        UpstreamCredential::Forward,
    )];
    for table in [&first[..], &second[..], &[], &first[..]] {
        fine(store.replace_file_routes(table))?;
        let read: Vec<String> = fine(store.routes())?.iter().map(route_picture).collect();
        let wanted: Vec<String> = table.iter().map(route_picture).collect();
        hold(read == wanted, format!("it reads {read:?}"))?;
    }
    for double in [
        route("third", "/fourth/{identity}", UpstreamCredential::None),
        route("fourth", "/third/{identity}", UpstreamCredential::None),
    ] {
        let result = store.replace_file_routes(&[first[2].clone(), double]);
        hold(
            matches!(result, Err(StoreError::RouteTaken { .. })),
            format!("{result:?}"),
        )?;
        hold(
            fine(store.routes())?.len() == 3,
            "a refused table replaced the old one",
        )?;
    }
    Ok(())
}

fn the_revision_moves(reopen: &Reopen) -> Kept {
    let mut store = open(reopen)?;
    let watcher = open(reopen)?;
    let record = station("CP-1")?;
    type Change = fn(&mut dyn Store, &StationRecord) -> Result<(), StoreError>;
    let changes: [Change; 4] = [
        |store, record| store.add(record),
        |store, record| store.enable(&record.tenant, &record.id, false),
        |store, record| store.remove(&record.tenant, &record.id),
        |store, _| store.replace_file_routes(&[]),
    ];
    let mut seen = fine(watcher.revision())?;
    for change in changes {
        fine(change(store.as_mut(), &record))?;
        let now = fine(watcher.revision())?;
        hold(now != seen, "a change from another handle went unseen")?;
        seen = now;
    }
    hold(
        store.remove(&record.tenant, &record.id).is_err(),
        "it removed what is gone",
    )?;
    fine(store.stations(None))?;
    hold(
        fine(watcher.revision())? == seen,
        "it moved without a change",
    )
}

fn readers_see_all_or_none(reopen: &Reopen) -> Kept {
    const ROWS: usize = 2000;
    let mut store = open(reopen)?;
    let rows: Result<Vec<_>, _> = (0..ROWS).map(|n| station(&format!("CP-{n:05}"))).collect();
    let rows = rows?;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let reader = open(reopen)?;
                    loop {
                        let last = done.load(Ordering::Acquire);
                        let many = fine(reader.stations(None))?.len();
                        hold(
                            many == 0 || many == ROWS,
                            format!("a reader saw {many} rows"),
                        )?;
                        if last {
                            return hold(many == ROWS, "a reader never saw the import");
                        }
                    }
                })
            })
            .collect();
        let imported = fine(store.import(&rows, &mut |_| {}));
        done.store(true, Ordering::Release);
        for reader in readers {
            reader
                .join()
                .map_err(|_| "a reader panicked".to_owned())??;
        }
        imported
    })
}
