//! What was signed of the log at which size: the marks that its tree must pass.

use std::path::Path;

use super::Against;
use crate::proof::{Checkpoint, Checkpoints, Hash, ProofError, Tree};

/// Marks out of the history, at most; beyond, older ones give way.
const HISTORY_MAX: usize = 1 << 16;

/// A size at which the root is known.
struct Mark {
    size: u64,
    root: Hash,
}

/// How a tree has met one checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Met {
    /// It never had that size.
    Never,
    /// With its root.
    Same,
    /// With another root.
    Other,
}

/// How the records' tree and the tiles' tree have met one checkpoint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meeting {
    pub(super) size: u64,
    root: Hash,
    /// The tree of the leaves on disk.
    pub(super) tiles: Met,
    /// The tree of the records as they are.
    pub(super) records: Met,
}

/// The latest checkpoint, the witnessed one, and those of the history.
pub(super) struct Marks {
    // By size, the next one last.
    history: Vec<Mark>,
    pub(super) latest: Option<Meeting>,
    pub(super) witnessed: Option<Meeting>,
    /// The largest size at which the tiles' tree was as it was signed.
    pub(super) good: u64,
    /// The first size at which it was not.
    pub(super) bad: Option<u64>,
}

impl Marks {
    pub(super) fn new(
        dir: &Path,
        against: &Against<'_>,
        latest: Option<&Checkpoint>,
    ) -> Result<Marks, ProofError> {
        let meeting = |checkpoint: &Checkpoint| Meeting {
            size: checkpoint.size(),
            root: *checkpoint.root(),
            tiles: Met::Never,
            records: Met::Never,
        };
        let mut history: Vec<Mark> = Vec::new();
        for checkpoint in Checkpoints::history_of(dir, against.log)? {
            let last = history.last().map_or(0, |mark| mark.size);
            if checkpoint.size() > last {
                if history.len() == HISTORY_MAX {
                    history.remove(0);
                }
                history.push(Mark {
                    size: checkpoint.size(),
                    root: *checkpoint.root(),
                });
            }
        }
        history.reverse();
        let mut marks = Marks {
            history,
            latest: latest.map(meeting),
            witnessed: against.witnessed.map(meeting),
            good: 0,
            bad: None,
        };
        // Empty trees are met before the first leaf.
        marks.meet_tiles(&Tree::new());
        marks.meet_records(&Tree::new());
        Ok(marks)
    }

    /// How many records must be there.
    pub(super) fn required(&self) -> u64 {
        let size = |meeting: &Option<Meeting>| meeting.map_or(0, |meeting| meeting.size);
        size(&self.latest).max(size(&self.witnessed))
    }

    /// The tree of the leaves on disk has come to this size.
    pub(super) fn meet_tiles(&mut self, tree: &Tree) {
        let size = tree.size();
        let mut signed = None;
        while let Some(mark) = self.history.last().filter(|mark| mark.size <= size) {
            if mark.size == size {
                signed = Some(mark.root);
            }
            self.history.pop();
        }
        if let Some(root) = signed {
            self.note(size, tree.root() == root);
        }
        for which in 0..2 {
            let meeting = [&mut self.latest, &mut self.witnessed][which].as_mut();
            let Some(meeting) = meeting.filter(|meeting| meeting.size == size) else {
                continue;
            };
            let same = tree.root() == meeting.root;
            meeting.tiles = if same { Met::Same } else { Met::Other };
            self.note(size, same);
        }
    }

    /// The tree of the records has come to this size.
    pub(super) fn meet_records(&mut self, tree: &Tree) {
        let meetings = [&mut self.latest, &mut self.witnessed];
        for meeting in meetings.into_iter().flatten() {
            if meeting.size == tree.size() {
                let same = tree.root() == meeting.root;
                meeting.records = if same { Met::Same } else { Met::Other };
            }
        }
    }

    fn note(&mut self, size: u64, same: bool) {
        if same {
            self.good = self.good.max(size);
        } else {
            self.bad = self.bad.or(Some(size));
        }
    }
}
