//! The promises of [`MemoryStore`].

use std::sync::Arc;

use guard::{StationMemory, StationRecord};

use super::records::{identity, station, tenant};
use super::{Broken, Kept, fine, hold};
use crate::memories::{MemoryStore, Remembered};
use crate::{Store, StoreError};

/// A store of both kinds: what is remembered belongs to who is registered.
pub trait Whole: Store + MemoryStore {}
impl<T: Store + MemoryStore> Whole for T {}

/// Opens the same store once more.
pub type Reopen = Box<dyn Fn() -> Result<Box<dyn Whole>, StoreError>>;

type Walk = fn(&Reopen) -> Kept;

const ALL: [(&str, Walk); 4] = [
    ("a memory reads back whole, the latest", reads_back),
    (
        "a memory goes with its station, or its replacement",
        goes_with_its_station,
    ),
    (
        "memories that were not closed are in doubt, and stay so",
        in_doubt,
    ),
    (
        "a gate closes only what it opened last",
        closes_what_it_opened,
    ),
];

/// Walks every promise, each in a fresh and empty store of its own.
pub fn run(mut fresh: impl FnMut() -> Reopen) -> Result<(), Broken> {
    for (promise, walk) in ALL {
        walk(&fresh()).map_err(|what| Broken { promise, what })?;
    }
    Ok(())
}

/// A memory that tells one from another, by way of a record's own words.
fn memory(serial: &str) -> Result<StationMemory, String> {
    let record = StationRecord {
        serial: Some(serial.into()),
        ..station("CP-1")?
    };
    Ok(StationMemory::default().for_session(&record))
}

/// One of a station that was told to wait, as its bytes say it.
fn waiting() -> Result<StationMemory, String> {
    let mut bytes = memory("SN-1")?.to_bytes();
    let rejected = 2;
    if let Some(registration) = bytes.get_mut(1) {
        *registration = rejected;
    }
    StationMemory::from_bytes(&bytes).ok_or_else(|| "no memory".to_owned())
}

fn of(id: &str, memory: StationMemory) -> Result<Remembered, String> {
    Ok(((tenant("blue"), identity(id)?), Arc::new(memory)))
}

fn reads_back(reopen: &Reopen) -> Kept {
    let mut store = fine(reopen())?;
    fine(store.add(&station("CP-1")?))?;
    fine(store.add(&station("CP-2")?))?;
    let revision = fine(store.revision())?;
    fine(store.keep_memories(&[of("CP-1", memory("SN-1")?)?, of("CP-2", memory("SN-2")?)?]))?;
    fine(store.keep_memories(&[of("CP-1", memory("SN-3")?)?]))?;
    hold(
        fine(store.revision())? == revision,
        "a memory moves the register's revision",
    )?;
    let kept = fine(fine(reopen())?.open_memories())?;
    let read: Vec<_> = kept.memories.iter().map(|(_, memory)| memory).collect();
    hold(
        read == [&memory("SN-3")?, &memory("SN-2")?] && kept.unreadable == 0,
        format!("it reads {read:?}"),
    )?;
    let one = fine(store.memory(&tenant("blue"), &identity("CP-2")?))?;
    hold(one == Some(memory("SN-2")?), format!("one is {one:?}"))
}

fn goes_with_its_station(reopen: &Reopen) -> Kept {
    let mut store = fine(reopen())?;
    let (blue, id) = (tenant("blue"), identity("CP-1")?);
    fine(store.keep_memories(&[of("CP-1", memory("SN-1")?)?]))?;
    hold(
        fine(store.memory(&blue, &id))?.is_none(),
        "it remembers a stranger",
    )?;
    fine(store.add(&station("CP-1")?))?;
    fine(store.keep_memories(&[of("CP-1", memory("SN-1")?)?]))?;
    fine(store.replace(&blue, &id, Some("SN-2")))?;
    let record = fine(store.station(&blue, &id))?;
    hold(
        record.replaced == 1 && record.serial.as_deref() == Some("SN-2"),
        format!("after the replacement: {record:?}"),
    )?;
    hold(
        fine(store.memory(&blue, &id))?.is_none(),
        "the one before is remembered",
    )?;
    fine(store.replace(&blue, &id, None))?;
    let record = fine(store.station(&blue, &id))?;
    hold(
        record.replaced == 2 && record.serial.is_none(),
        format!("after the second one: {record:?}"),
    )?;
    fine(store.keep_memories(&[of("CP-1", memory("SN-1")?)?]))?;
    fine(store.remove(&blue, &id))?;
    fine(store.add(&station("CP-1")?))?;
    hold(
        fine(store.memory(&blue, &id))?.is_none(),
        "a new station inherits a memory",
    )?;
    hold(
        matches!(
            store.replace(&blue, &identity("stranger")?, None),
            Err(StoreError::Unknown { .. })
        ),
        "a stranger is replaced",
    )
}

fn in_doubt(reopen: &Reopen) -> Kept {
    let mut store = fine(reopen())?;
    fine(store.add(&station("CP-1")?))?;
    fine(store.keep_memories(&[of("CP-1", waiting()?)?]))?;
    let first =
        |kept: &crate::KeptMemories| kept.memories.first().map(|(_, memory)| memory.clone());
    let kept = fine(store.open_memories())?;
    hold(
        kept.whole && first(&kept) == Some(waiting()?),
        "a fresh store is in doubt",
    )?;
    fine(store.close_memories(kept.opened))?;
    let kept = fine(store.open_memories())?;
    hold(
        kept.whole && first(&kept) == Some(waiting()?),
        "what was closed is in doubt",
    )?;
    // That gate is killed.
    let kept = fine(store.open_memories())?;
    let doubted = Some(waiting()?.in_doubt());
    hold(
        !kept.whole && first(&kept) == doubted,
        "what was not closed is believed",
    )?;
    fine(store.close_memories(kept.opened))?;
    let kept = fine(store.open_memories())?;
    hold(
        kept.whole && first(&kept) == doubted,
        "doubt has become knowledge",
    )
}

fn closes_what_it_opened(reopen: &Reopen) -> Kept {
    let mut store = fine(reopen())?;
    let old = fine(store.open_memories())?;
    let new = fine(store.open_memories())?;
    fine(store.close_memories(old.opened))?;
    let third = fine(store.open_memories())?;
    hold(!third.whole, "an older gate closed a newer one's memories")?;
    fine(store.close_memories(new.opened))?;
    fine(store.close_memories(third.opened))?;
    hold(
        fine(store.open_memories())?.whole,
        "the last gate did not close them",
    )
}
