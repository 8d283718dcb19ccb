//! A small log: its records as a reader of segments would yield them, its tree on disk.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use journal::proof::verify::{Against, Block, Blocks, Broken, Report, verify};
use journal::proof::{Checkpoint, Checkpoints, Hash, LogKey, SaltKey, Tiles, leaf_hash};
use tempfile::TempDir;

pub(crate) const RECORDS: u64 = 310;
pub(crate) const SIGNED: u64 = 300;
pub(crate) const WITNESSED: u64 = 270;
/// What was signed at these sizes, a witness has seen; the last is [`WITNESSED`].
pub(crate) const SEEN: [u64; 4] = [64, 150, 210, WITNESSED];
pub(crate) const PER_BLOCK: u64 = 10;
pub(crate) const PER_SEGMENT: u64 = 50;

/// Random numbers that are the same in every run (SplitMix64).
pub(crate) struct Chance(pub u64);

impl Chance {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// What a reader of segments would find in one block.
#[derive(Clone)]
pub(crate) enum Stored {
    Block {
        segment: u64,
        first: u64,
        records: Vec<Vec<u8>>,
    },
    Broken(Broken),
}

/// Files and what is in them.
type Files = Vec<(PathBuf, Vec<u8>)>;

pub(crate) struct Log {
    pub(crate) blocks: Vec<Stored>,
    pub(crate) dir: TempDir,
    pub(crate) key: LogKey,
    pub(crate) witnessed: Checkpoint,
    honest: Vec<Stored>,
    /// The files of checkpoints as they were at each size that was signed.
    earlier: Vec<(u64, Files)>,
    /// The tree's files as they were, and whether somebody has touched them.
    files: Files,
    pub(crate) touched: bool,
}

impl Log {
    pub(crate) fn honest() -> Log {
        let dir = temporary();
        let key = LogKey::new("gate.example/record", &[42; 32]).unwrap();
        let blocks: Vec<Stored> = (0..RECORDS / PER_BLOCK)
            .map(|block| Stored::Block {
                segment: block * PER_BLOCK / PER_SEGMENT,
                first: block * PER_BLOCK,
                records: (block * PER_BLOCK..(block + 1) * PER_BLOCK)
                    .map(record)
                    .collect(),
            })
            .collect();
        let mut earlier = Vec::new();
        let witnessed = write_tree(dir.path(), &leaves(&blocks), &key, &mut |size| {
            let mut files = files_below(dir.path());
            files.retain(|(path, _)| path.extension().is_none_or(|kind| kind != "tiles"));
            earlier.push((size, files));
        });
        let mut log = Log {
            honest: blocks.clone(),
            blocks,
            dir,
            key,
            witnessed,
            earlier,
            files: Vec::new(),
            touched: false,
        };
        log.files = files_below(log.dir.path());
        log
    }

    /// The tree's directory, to be changed.
    pub(crate) fn tree(&mut self) -> PathBuf {
        self.touched = true;
        self.dir.path().to_owned()
    }

    /// Everything as it was.
    pub(crate) fn restore(&mut self) {
        self.blocks.clone_from(&self.honest);
        if std::mem::take(&mut self.touched) {
            clear(self.dir.path());
            for (path, bytes) in &self.files {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
        }
    }

    /// Puts back the checkpoints of this size, and forgets those behind it.
    pub(crate) fn put_back_checkpoints(&mut self, size: u64) {
        self.touched = true;
        let earlier = self.earlier.iter().find(|earlier| earlier.0 == size);
        for (path, bytes) in &earlier.unwrap().1 {
            fs::write(path, bytes).unwrap();
        }
    }

    pub(crate) fn verify(&self, witnessed: bool) -> Report {
        self.verify_with(witnessed, &|_| Vec::new())
    }

    /// The same, where records may say what is no longer kept.
    pub(crate) fn verify_with(
        &self,
        witnessed: bool,
        forgotten: &dyn Fn(&[u8]) -> Vec<Range<u64>>,
    ) -> Report {
        let against = Against {
            log: self.key.verifier(),
            witnessed: witnessed.then_some(&self.witnessed),
            forgotten,
        };
        let mut reader = Reader {
            blocks: self.blocks.iter(),
            text: Vec::new(),
            salts: SaltKey([0; 32]),
        };
        verify(&mut reader, self.dir.path(), &against, &mut |_, _| {}).unwrap()
    }

    pub(crate) fn block(&mut self, number: u64) -> (u64, &mut Vec<Vec<u8>>) {
        match &mut self.blocks[number as usize] {
            Stored::Block { first, records, .. } => (*first, records),
            Stored::Broken(_) => unreachable!("nothing is broken yet"),
        }
    }
}

/// A directory in memory, where that is to be had: nothing here is about what a disk forgets.
pub(crate) fn temporary() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        return tempfile::tempdir_in(memory).unwrap();
    }
    tempfile::tempdir().unwrap()
}

pub(crate) fn record(number: u64) -> Vec<u8> {
    format!(
        r#"{{"at":{},"kind":"call","session":{number}}}"#,
        1_795_305_600_000 + number
    )
    .into_bytes()
}

/// A segment's salts.
pub(crate) fn salts(segment: u64) -> SaltKey {
    SaltKey([segment as u8; 32])
}

/// The leaves of these blocks, by the numbers that they give themselves.
pub(crate) fn leaves(blocks: &[Stored]) -> Vec<Hash> {
    let mut leaves = Vec::new();
    for block in blocks {
        if let Stored::Block {
            segment,
            first,
            records,
        } = block
        {
            let salts = salts(*segment);
            let hashes = (*first..).zip(records);
            leaves.extend(hashes.map(|(number, record)| leaf_hash(&salts.salt(number), record)));
        }
    }
    leaves
}

/// Writes the tree of these leaves as an honest gate would, up to the last witnessed checkpoint that
/// they reach, which is given back.
pub(crate) fn write_tree(
    dir: &Path,
    leaves: &[Hash],
    key: &LogKey,
    signed: &mut dyn FnMut(u64),
) -> Checkpoint {
    let mut tiles = Tiles::open(dir).unwrap();
    let mut checkpoints = Checkpoints::open(dir, key.verifier()).unwrap();
    let mut last = None;
    for size in SEEN.into_iter().chain([SIGNED]) {
        if size > leaves.len() as u64 {
            break;
        }
        tiles
            .append(&leaves[tiles.size() as usize..size as usize])
            .unwrap();
        let checkpoint = key.checkpoint(size, tiles.root());
        checkpoints.write(checkpoint.clone()).unwrap();
        if size < SIGNED {
            checkpoints.write_witnessed(checkpoint.clone()).unwrap();
            last = Some(checkpoint);
        }
        signed(size);
    }
    tiles.append(&leaves[tiles.size() as usize..]).unwrap();
    last.unwrap()
}

pub(crate) fn clear(dir: &Path) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }
}

fn files_below(dir: &Path) -> Files {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push((path.clone(), fs::read(path).unwrap()));
        }
    }
    files
}

struct Reader<'a> {
    blocks: std::slice::Iter<'a, Stored>,
    text: Vec<u8>,
    salts: SaltKey,
}

impl Blocks for Reader<'_> {
    fn next(&mut self) -> Option<Result<Block<'_>, Broken>> {
        match self.blocks.next()? {
            Stored::Broken(broken) => Some(Err(broken.clone())),
            Stored::Block {
                segment,
                first,
                records,
            } => {
                self.text = records.join(&b'\n');
                self.salts = salts(*segment);
                Some(Ok(Block {
                    first: *first,
                    text: &self.text,
                    salts: &self.salts,
                }))
            }
        }
    }
}
