//! What is remembered of the stations, kept so that it outlives the gate.

use std::sync::Arc;

use guard::{StationMemory, Tenant};
use ocpp::StationId;

use crate::StoreError;

/// One station's memory, to be kept.
pub type Remembered = ((Tenant, StationId), Arc<StationMemory>);

/// All memories, as a gate finds them when it begins.
#[derive(Debug)]
pub struct KeptMemories {
    /// Of each station that is still registered.
    pub memories: Vec<((Tenant, StationId), StationMemory)>,
    /// Rows that could not be read; those stations are unknown.
    pub unreadable: usize,
    /// The gate before this one has written all it knew. Where it has not, nobody is remembered as
    /// having to wait ([`StationMemory::in_doubt`]).
    pub whole: bool,
    /// For [`MemoryStore::close_memories`].
    pub opened: u64,
}

/// Where memories are kept. None of this moves the register's revision.
pub trait MemoryStore: Send {
    /// Reads all memories for a gate that begins now. Until it has closed them, they are not whole.
    fn open_memories(&mut self) -> Result<KeptMemories, StoreError>;

    /// Keeps these, all or none. A station that is not registered any more is passed over.
    fn keep_memories(&mut self, changed: &[Remembered]) -> Result<(), StoreError>;

    /// The gate that opened them has written all it knew; nothing if another one has begun since.
    fn close_memories(&mut self, opened: u64) -> Result<(), StoreError>;

    /// One station's; `None` when nothing is remembered of it, or nothing that can be read.
    fn memory(&self, tenant: &Tenant, id: &StationId) -> Result<Option<StationMemory>, StoreError>;
}
