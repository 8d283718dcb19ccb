//! The sorts of change, and what a check must say of each.

use std::fs;
use std::ops::Range;

use journal::proof::verify::{Broken, Kind, Part};
use journal::proof::{Hash, LogKey, Tiles};

use crate::log::{
    Chance, Log, PER_BLOCK, PER_SEGMENT, RECORDS, SEEN, SIGNED, Stored, WITNESSED, clear, leaves,
    record, write_tree,
};

/// What must be said of a change.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) kind: Kind,
    pub(crate) part: Part,
    /// Where it begins and ends.
    pub(crate) records: Range<u64>,
    /// How far what is named may reach beyond: 0 means not at all.
    pub(crate) within: u64,
}

pub(crate) struct Change {
    pub(crate) name: &'static str,
    /// Nothing on the disk tells it from the truth.
    pub(crate) needs_witness: bool,
    pub(crate) make: fn(&mut Log, &mut Chance) -> Expected,
}

const fn change(
    name: &'static str,
    needs_witness: bool,
    make: fn(&mut Log, &mut Chance) -> Expected,
) -> Change {
    Change {
        name,
        needs_witness,
        make,
    }
}

pub(crate) const CHANGES: &[Change] = &[
    change("edit: a record", false, edit_record),
    change("edit: two records change places", false, swap_records),
    change("edit: a record is put in", false, add_record),
    change("edit: a block that does not open", false, break_block),
    change("edit: a leaf of the tree", false, edit_leaf),
    change("edit: an upper hash of the tree", false, edit_upper),
    change("edit: a bit of the checkpoint", false, edit_checkpoint),
    change("drop: a record", false, drop_record),
    change(
        "drop: a record, those behind it renumbered",
        false,
        drop_renumbered,
    ),
    change("drop: a block", false, drop_block),
    change("drop: a segment", false, drop_segment),
    change("drop: the checkpoint", false, drop_checkpoint),
    change("truncate: the records", false, cut_records),
    change("truncate: in the middle of a block", false, tear_records),
    change("truncate: the tree", false, cut_tiles),
    change("fork: other records on the same tree", false, fork_records),
    change("fork: other records and their tree", false, fork_tree),
    change("fork: and a checkpoint by another key", false, fork_foreign),
    change("fork: and an earlier checkpoint", true, fork_unsigned),
    change("roll back: everything", true, roll_back),
    change("roll back: the checkpoint", true, roll_back_checkpoint),
];

pub(crate) const LOG_KEY_CHANGES: &[Change] = &[change(
    "fork: signed with the log's key",
    true,
    fork_with_log_key,
)];

fn exactly(kind: Kind, records: Range<u64>) -> Expected {
    Expected {
        kind,
        part: Part::Records,
        records,
        within: 0,
    }
}

fn edit_record(log: &mut Log, chance: &mut Chance) -> Expected {
    let number = chance.below(WITNESSED);
    let (_, records) = log.block(number / PER_BLOCK);
    let record = &mut records[(number % PER_BLOCK) as usize];
    let place = chance.below(record.len() as u64) as usize;
    record[place] ^= 1 << (4 + chance.below(3));
    exactly(Kind::Edit, number..number + 1)
}

fn swap_records(log: &mut Log, chance: &mut Chance) -> Expected {
    let block = chance.below(WITNESSED / PER_BLOCK);
    let place = chance.below(PER_BLOCK - 1);
    let (first, records) = log.block(block);
    records.swap(place as usize, place as usize + 1);
    exactly(Kind::Edit, first + place..first + place + 2)
}

/// Puts a record in; those behind it in its block are renumbered, and so are all later blocks.
fn add_record(log: &mut Log, chance: &mut Chance) -> Expected {
    let number = chance.below(WITNESSED);
    let (_, records) = log.block(number / PER_BLOCK);
    records.insert((number % PER_BLOCK) as usize, record(999_999));
    renumber(log);
    exactly(Kind::Edit, number..number + 1)
}

fn break_block(log: &mut Log, chance: &mut Chance) -> Expected {
    let block = chance.below(WITNESSED / PER_BLOCK);
    let first = block * PER_BLOCK;
    let told = chance.below(2) == 0;
    log.blocks[block as usize] = Stored::Broken(Broken {
        first,
        end: told.then_some(first + PER_BLOCK),
        torn: false,
        without_key: None,
        place: "a segment".to_owned(),
    });
    exactly(Kind::Edit, first..first + PER_BLOCK)
}

fn edit_leaf(log: &mut Log, chance: &mut Chance) -> Expected {
    let number = chance.below(WITNESSED);
    flip(log, "level-0/0000000000.tiles", number, chance);
    Expected {
        part: Part::Tiles {
            level: 0,
            tile: number / 256,
        },
        ..exactly(Kind::Edit, number..number + 1)
    }
}

fn edit_upper(log: &mut Log, chance: &mut Chance) -> Expected {
    let index = chance.below(WITNESSED / 256);
    flip(log, "level-1/0000000000.tiles", index, chance);
    Expected {
        part: Part::Tiles { level: 1, tile: 0 },
        ..exactly(Kind::Edit, index * 256..(index + 1) * 256)
    }
}

fn flip(log: &mut Log, file: &str, hash: u64, chance: &mut Chance) {
    let path = log.tree().join(file);
    let mut bytes = fs::read(&path).unwrap();
    bytes[(hash * 32 + chance.below(32)) as usize] ^= 1 << chance.below(8);
    fs::write(path, bytes).unwrap();
}

fn edit_checkpoint(log: &mut Log, chance: &mut Chance) -> Expected {
    let path = log.tree().join("checkpoint");
    let mut bytes = fs::read(&path).unwrap();
    let place = chance.below(bytes.len() as u64) as usize;
    bytes[place] ^= 1 << chance.below(8);
    fs::write(path, bytes).unwrap();
    of_checkpoint(Kind::Edit, 0..RECORDS)
}

fn drop_checkpoint(log: &mut Log, _: &mut Chance) -> Expected {
    fs::remove_file(log.tree().join("checkpoint")).unwrap();
    of_checkpoint(Kind::Drop, 0..RECORDS)
}

fn of_checkpoint(kind: Kind, records: Range<u64>) -> Expected {
    Expected {
        part: Part::Checkpoint,
        ..exactly(kind, records)
    }
}

fn drop_record(log: &mut Log, chance: &mut Chance) -> Expected {
    let number = chance.below(WITNESSED);
    let (_, records) = log.block(number / PER_BLOCK);
    records.remove((number % PER_BLOCK) as usize);
    exactly(Kind::Drop, number..number + 1)
}

fn drop_renumbered(log: &mut Log, chance: &mut Chance) -> Expected {
    let expected = drop_record(log, chance);
    renumber(log);
    expected
}

fn renumber(log: &mut Log) {
    let mut next = 0;
    for block in &mut log.blocks {
        if let Stored::Block { first, records, .. } = block {
            *first = next;
            next += records.len() as u64;
        }
    }
}

fn drop_block(log: &mut Log, chance: &mut Chance) -> Expected {
    let block = chance.below(WITNESSED / PER_BLOCK);
    log.blocks.remove(block as usize);
    exactly(Kind::Drop, block * PER_BLOCK..(block + 1) * PER_BLOCK)
}

fn drop_segment(log: &mut Log, chance: &mut Chance) -> Expected {
    let segment = chance.below(WITNESSED / PER_SEGMENT);
    let first = segment * PER_SEGMENT;
    let blocks = (first / PER_BLOCK) as usize..((first + PER_SEGMENT) / PER_BLOCK) as usize;
    log.blocks.drain(blocks);
    exactly(Kind::Drop, first..first + PER_SEGMENT)
}

fn cut_records(log: &mut Log, chance: &mut Chance) -> Expected {
    let blocks = chance.below(WITNESSED / PER_BLOCK);
    log.blocks.truncate(blocks as usize);
    exactly(Kind::Truncation, blocks * PER_BLOCK..SIGNED)
}

fn tear_records(log: &mut Log, chance: &mut Chance) -> Expected {
    let expected = cut_records(log, chance);
    log.blocks.push(Stored::Broken(Broken {
        first: expected.records.start,
        end: None,
        torn: true,
        without_key: None,
        place: "a segment".to_owned(),
    }));
    expected
}

fn cut_tiles(log: &mut Log, chance: &mut Chance) -> Expected {
    let bytes = chance.below(WITNESSED * 32);
    let path = log.tree().join("level-0/0000000000.tiles");
    let whole = fs::read(&path).unwrap();
    fs::write(path, &whole[..bytes as usize]).unwrap();
    let first = bytes / 32;
    Expected {
        part: Part::Tiles {
            level: 0,
            tile: first / 256,
        },
        ..exactly(Kind::Truncation, first..SIGNED)
    }
}

/// Other records from a random place on, in as many blocks.
fn other_records(log: &mut Log, chance: &mut Chance) -> u64 {
    let from = chance.below(WITNESSED);
    for number in from..RECORDS {
        let (_, records) = log.block(number / PER_BLOCK);
        records[(number % PER_BLOCK) as usize] = record(number + 1_000_000);
    }
    from
}

fn fork_records(log: &mut Log, chance: &mut Chance) -> Expected {
    let from = other_records(log, chance);
    exactly(Kind::Fork, from..RECORDS)
}

/// Where a fork is placed that fits its own tree: between two checkpoints.
fn between_checkpoints(from: u64) -> Expected {
    let end = SEEN.into_iter().find(|seen| *seen > from).unwrap();
    Expected {
        within: end,
        ..exactly(Kind::Fork, from..from + 1)
    }
}

fn rebuild(log: &mut Log) {
    let tree = log.tree();
    fs::remove_dir_all(tree.join("level-0")).unwrap();
    fs::remove_dir_all(tree.join("level-1")).unwrap();
    let mut tiles = Tiles::open(&tree).unwrap();
    tiles.append(&leaves(&log.blocks)).unwrap();
}

fn root_of(leaves: &[Hash]) -> Hash {
    let mut tree = journal::proof::Tree::new();
    leaves.iter().for_each(|leaf| tree.push(*leaf));
    tree.root()
}

fn fork_tree(log: &mut Log, chance: &mut Chance) -> Expected {
    let from = other_records(log, chance);
    rebuild(log);
    between_checkpoints(from)
}

fn fork_foreign(log: &mut Log, chance: &mut Chance) -> Expected {
    let expected = fork_tree(log, chance);
    let thief = LogKey::new(log.key.verifier().name(), &[66; 32]).unwrap();
    let forged = thief.checkpoint(SIGNED, root_of(&leaves(&log.blocks)[..SIGNED as usize]));
    fs::write(log.tree().join("checkpoint"), forged.note().to_string()).unwrap();
    expected
}

/// A fork behind an earlier checkpoint, which is put back, with all that was signed later gone.
fn fork_unsigned(log: &mut Log, chance: &mut Chance) -> Expected {
    let from = SEEN[0] + chance.below(WITNESSED - SEEN[0]);
    for number in from..RECORDS {
        let (_, records) = log.block(number / PER_BLOCK);
        records[(number % PER_BLOCK) as usize] = record(number + 1_000_000);
    }
    rebuild(log);
    let last = SEEN.into_iter().rfind(|seen| *seen <= from).unwrap();
    log.put_back_checkpoints(last);
    Expected {
        within: WITNESSED,
        ..exactly(Kind::Fork, from..from + 1)
    }
}

fn roll_back(log: &mut Log, chance: &mut Chance) -> Expected {
    let size = SEEN[chance.below(3) as usize];
    // Blocks are written before they are signed: what was there then may be a block more.
    log.blocks.truncate(size.div_ceil(PER_BLOCK) as usize);
    rebuild(log);
    log.put_back_checkpoints(size);
    exactly(Kind::RollBack, size..WITNESSED)
}

fn roll_back_checkpoint(log: &mut Log, chance: &mut Chance) -> Expected {
    let size = SEEN[chance.below(3) as usize];
    log.put_back_checkpoints(size);
    of_checkpoint(Kind::RollBack, size..WITNESSED)
}

/// The whole log anew from a random place on, signed as the gate itself would.
fn fork_with_log_key(log: &mut Log, chance: &mut Chance) -> Expected {
    let from = other_records(log, chance);
    let tree = log.tree();
    clear(&tree);
    write_tree(&tree, &leaves(&log.blocks), &log.key, &mut |_| {});
    Expected {
        within: WITNESSED,
        ..exactly(Kind::Fork, from..from + 1)
    }
}
