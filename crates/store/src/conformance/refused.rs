//! The promises of [`RefusedStore`].

use guard::{Secret, UnixMillis};

use super::records::{identity, tenant};
use super::{Broken, Kept, fine, hold};
use crate::{RefusedMessage, RefusedRoom, RefusedStore, Settlement, StoreError};

/// Opens the same store once more.
pub type Reopen = Box<dyn Fn() -> Result<Box<dyn RefusedStore>, StoreError>>;

type Walk = fn(&Reopen) -> Kept;

const ALL: [(&str, Walk); 5] = [
    ("what is kept reads back whole", reads_back),
    ("the oldest stay when there is no more room", oldest_stay),
    ("no station takes the room of all", shares_are_kept),
    (
        "what is settled is settled once, and its text gone",
        settled_once,
    ),
    ("what nobody looked at expires", expires),
];

/// Walks every promise, each in a fresh and empty store of its own.
pub fn run(mut fresh: impl FnMut() -> Reopen) -> Result<(), Broken> {
    for (promise, walk) in ALL {
        walk(&fresh()).map_err(|what| Broken { promise, what })?;
    }
    Ok(())
}

fn message(at: i64, text: &str) -> Result<RefusedMessage, String> {
    Ok(RefusedMessage {
        at: UnixMillis(at),
        tenant: tenant("blue"),
        station: identity("CP-1")?,
        version: "1.6".to_owned(),
        action: "StopTransaction".to_owned(),
        by: "schema".to_owned(),
        why: "a value of the wrong type".to_owned(),
        text: Secret::new(text.as_bytes().to_vec()),
    })
}

fn of_station(name: &str, at: i64) -> Result<RefusedMessage, String> {
    Ok(RefusedMessage {
        station: identity(name)?,
        ..message(at, "text")?
    })
}

/// As many of one station as of all.
fn room(all: u64) -> RefusedRoom {
    RefusedRoom {
        all,
        of_a_station: all,
    }
}

fn open(reopen: &Reopen) -> Result<Box<dyn RefusedStore>, String> {
    fine(reopen())
}

fn reads_back(reopen: &Reopen) -> Kept {
    let kept = fine(open(reopen)?.keep(&[message(1, "one")?, message(2, "two")?], room(10)))?;
    hold(kept == 2, "it kept another number")?;
    let store = open(reopen)?;
    let rows = fine(store.refused(true))?;
    let [first, second] = rows.as_slice() else {
        return Err(format!("{} rows", rows.len()));
    };
    hold(first.number < second.number, "they are not in order")?;
    hold(
        (first.at, first.bytes, first.settled) == (UnixMillis(1), 3, None)
            && first.station == "CP-1"
            && first.action == "StopTransaction"
            && (first.by.as_str(), first.why.as_str()) == ("schema", "a value of the wrong type"),
        format!("a row reads back as {first:?}"),
    )?;
    let found = fine(store.refused_message(second.number))?;
    let Some((row, Some(text))) = found else {
        return Err("its text is not there".to_owned());
    };
    hold(row == *second && text.expose() == b"two", "another message")?;
    let none = fine(store.refused_message(second.number + 1))?;
    hold(none.is_none(), "it knows a number that was never given")
}

fn oldest_stay(reopen: &Reopen) -> Kept {
    let mut store = open(reopen)?;
    let three = [message(1, "1")?, message(2, "2")?, message(3, "3")?];
    hold(
        fine(store.keep(&three, room(2)))? == 2,
        "it kept more than it may",
    )?;
    hold(fine(store.keep(&three, room(2)))? == 0, "it made room")?;
    let rows = fine(store.refused(true))?;
    let times: Vec<i64> = rows.iter().map(|row| row.at.0).collect();
    hold(times == [1, 2], format!("it holds those of {times:?}"))?;
    let first = rows.first().map_or(0, |row| row.number);
    fine(store.settle(first, Settlement::Dropped, UnixMillis(9)))?;
    hold(
        fine(store.keep(&three, room(2)))? == 1,
        "what is settled still takes room",
    )
}

fn shares_are_kept(reopen: &Reopen) -> Kept {
    let mut store = open(reopen)?;
    let room = RefusedRoom {
        all: 4,
        of_a_station: 2,
    };
    let mut other_tenant = of_station("CP-1", 4)?;
    other_tenant.tenant = tenant("green");
    let five = [
        of_station("CP-1", 1)?,
        of_station("CP-1", 2)?,
        of_station("CP-1", 3)?,
        other_tenant,
        of_station("CP-2", 5)?,
    ];
    hold(
        fine(store.keep(&five, room))? == 4,
        "it kept another number",
    )?;
    let rows = fine(store.refused(true))?;
    let times: Vec<i64> = rows.iter().map(|row| row.at.0).collect();
    hold(
        times == [1, 2, 4, 5],
        format!("it holds those of {times:?}"),
    )?;
    let open = fine(store.refused_open())?;
    hold(open == 4, format!("it counts {open} open ones"))?;
    let first = rows.first().map_or(0, |row| row.number);
    fine(store.settle(first, Settlement::Dropped, UnixMillis(9)))?;
    hold(
        fine(store.refused_open())? == 3,
        "what is settled counts as open",
    )?;
    let again = [of_station("CP-1", 6)?, of_station("CP-1", 7)?];
    hold(
        fine(store.keep(&again, room))? == 1,
        "what is settled still takes room of its station's share",
    )
}

fn settled_once(reopen: &Reopen) -> Kept {
    let mut store = open(reopen)?;
    fine(store.keep(&[message(1, "one")?], room(10)))?;
    let number = fine(store.refused(true))?
        .first()
        .map_or(0, |row| row.number);
    let released = store.settle(number, Settlement::Released, UnixMillis(5));
    hold(fine(released)?, "it cannot be settled")?;
    let again = store.settle(number, Settlement::Dropped, UnixMillis(6));
    hold(!fine(again)?, "it was settled twice")?;
    hold(
        !fine(store.settle(number + 1, Settlement::Dropped, UnixMillis(6)))?,
        "a number that was never given was settled",
    )?;
    hold(fine(store.refused(true))?.is_empty(), "it is still open")?;
    let all = fine(open(reopen)?.refused(false))?;
    let settled = all.first().and_then(|row| row.settled);
    hold(
        settled == Some((Settlement::Released, UnixMillis(5))),
        format!("it reads back as {settled:?}"),
    )?;
    let found = fine(store.refused_message(number))?;
    hold(matches!(found, Some((_, None))), "its text is still there")
}

fn expires(reopen: &Reopen) -> Kept {
    let mut store = open(reopen)?;
    fine(store.keep(&[message(10, "old")?, message(20, "new")?], room(10)))?;
    let (expired, gone) = fine(store.expire(UnixMillis(15), UnixMillis(0), UnixMillis(30)))?;
    hold(
        (expired, gone) == (1, 0),
        format!("{expired} expired, {gone} gone"),
    )?;
    let rows = fine(store.refused(false))?;
    let first = rows.first().and_then(|row| row.settled);
    hold(
        first == Some((Settlement::Expired, UnixMillis(30))),
        format!("the old one reads back as {first:?}"),
    )?;
    let (expired, gone) = fine(store.expire(UnixMillis(15), UnixMillis(31), UnixMillis(40)))?;
    hold(
        (expired, gone) == (0, 1),
        format!("{expired} expired, {gone} gone"),
    )?;
    let left = fine(store.refused(false))?;
    hold(left.len() == 1, "the new one is gone, too")
}
