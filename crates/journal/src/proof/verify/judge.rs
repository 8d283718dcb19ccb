//! What the pass has seen, judged: which change explains it, and which comes first.

use super::gaps::Gap;
use super::marks::{Meeting, Met};
use super::seen::{Misfit, Seen, Shift, UpperMisfit, tile_of};
use super::{Finding, Kind, Part};
use crate::proof::Checkpoint;
use crate::proof::checkpoints::Stated;
use crate::proof::tiles::TILE_LEVELS;

/// The first thing that is wrong, by where it begins. What is seen in more than one way, as a missing
/// record is in the records and at the root, is told as what explains the others.
pub(super) fn first(
    seen: &Seen,
    stated: &Stated,
    witnessed: Option<&Checkpoint>,
) -> Option<Finding> {
    let candidates = [
        seen.gap.as_ref().map(gap),
        seen.twice.clone().map(|records| Finding {
            kind: Kind::Edit,
            part: Part::Records,
            records,
            why: "these numbers stand a second time".to_owned(),
        }),
        seen.misfit.as_ref().map(|misfit| misfitting(misfit, seen)),
        ended(seen, stated, witnessed),
        no_leaf(seen),
        seen.upper.as_ref().map(upper),
    ];
    // `min_by_key` takes the first of equals, so the order above is the order of what explains what.
    let found = candidates
        .into_iter()
        .flatten()
        .min_by_key(|finding| finding.records.start);
    found
        .or_else(|| forked(seen))
        .or_else(|| of_checkpoint(seen, stated, witnessed))
}

fn gap(gap: &Gap) -> Finding {
    let records = gap.records.clone();
    match &gap.broken {
        Some(broken) => Finding {
            kind: Kind::Edit,
            part: Part::Records,
            records,
            why: format!("what stands there is not what was sealed: {}", broken.place),
        },
        None => Finding {
            kind: Kind::Drop,
            part: Part::Records,
            records,
            why: "they are not there, and the log does not say that they are no longer kept"
                .to_owned(),
        },
    }
}

fn misfitting(misfit: &Misfit, seen: &Seen) -> Finding {
    let records = misfit.records.clone();
    if let Some(tile) = tile_is_wrong(seen) {
        return Finding {
            kind: Kind::Edit,
            part: Part::Tiles {
                level: 0,
                tile: tile_of(records.start),
            },
            records,
            why: format!("{tile}; the tree can be made again from the records"),
        };
    }
    let from = records.start;
    match misfit.shift {
        Some(Shift::Missing(count)) => Finding {
            kind: Kind::Drop,
            part: Part::Records,
            records: from..from + count,
            why: "the records behind them stand in their places".to_owned(),
        },
        Some(Shift::Added(count)) => Finding {
            kind: Kind::Edit,
            part: Part::Records,
            records: from..from + count,
            why: "records stand here that the tree does not know, before those it does".to_owned(),
        },
        None if misfit.over => Finding {
            kind: Kind::Edit,
            part: Part::Records,
            records,
            why: "what stands there is not what the tree was made of".to_owned(),
        },
        None => Finding {
            kind: Kind::Fork,
            part: Part::Records,
            records,
            why: "from here to the end it is another log than the tree was made of".to_owned(),
        },
    }
}

/// Whether the signed root says that the records are right and their leaves on disk are not.
fn tile_is_wrong(seen: &Seen) -> Option<&'static str> {
    let meetings = [seen.witnessed, seen.latest];
    let wrong = meetings
        .iter()
        .flatten()
        .any(|meeting| meeting.records == Met::Same && meeting.tiles != Met::Same);
    wrong.then_some(
        "the leaf on disk is not that of the record, and the signed root is the record's",
    )
}

/// The end came too early.
fn ended(seen: &Seen, stated: &Stated, witnessed: Option<&Checkpoint>) -> Option<Finding> {
    if seen.end >= seen.required {
        return None;
    }
    if let (Stated::Signed(latest), Some(witnessed)) = (stated, witnessed)
        && latest.size() < witnessed.size()
        && seen.end >= latest.size()
    {
        return Some(Finding {
            kind: Kind::RollBack,
            part: Part::Records,
            records: latest.size()..witnessed.size(),
            why: format!(
                "the log and its checkpoint say {}, and a witness has seen {}",
                latest.size(),
                witnessed.size()
            ),
        });
    }
    let why = match &seen.torn_end {
        Some(broken) if !broken.torn => {
            return Some(gap(&Gap::of(seen.end..seen.required, broken.clone())));
        }
        Some(torn) => format!("the last file is cut off: {}", torn.place),
        None => format!("there are {}, and {} were signed", seen.end, seen.required),
    };
    Some(Finding {
        kind: Kind::Truncation,
        part: Part::Records,
        records: seen.end..seen.required,
        why,
    })
}

fn no_leaf(seen: &Seen) -> Option<Finding> {
    let records = seen.no_leaf.clone()?;
    let kind = if records.end >= seen.required {
        Kind::Truncation
    } else {
        Kind::Drop
    };
    Some(Finding {
        kind,
        part: Part::Tiles {
            level: 0,
            tile: tile_of(records.start),
        },
        records,
        why: "their leaves are not there; the tree can be made again from the records".to_owned(),
    })
}

fn upper(misfit: &UpperMisfit) -> Finding {
    let leaves = 1_u64 << (TILE_LEVELS * misfit.level as u32);
    let from = misfit.index * leaves;
    let (kind, why) = if misfit.missing && misfit.index > 0 {
        (
            Kind::Truncation,
            "the level ends before the leaves below it do",
        )
    } else if misfit.missing {
        (
            Kind::Drop,
            "a hash is not there that follows from the leaves below it",
        )
    } else {
        (
            Kind::Edit,
            "a hash does not follow from the leaves below it",
        )
    };
    Finding {
        kind,
        part: Part::Tiles {
            level: misfit.level,
            tile: tile_of(misfit.index),
        },
        records: from..from + leaves,
        why: format!("{why}; the tree can be made again from the records"),
    }
}

/// Records and tiles fit each other, and not what was signed.
fn forked(seen: &Seen) -> Option<Finding> {
    let bad = seen.bad?;
    let other = |meeting: Meeting| meeting.size == bad && meeting.tiles == Met::Other;
    let by_witness = seen.witnessed.is_some_and(other);
    let signed_too = seen
        .latest
        .is_some_and(|meeting| meeting.size >= bad && meeting.tiles == Met::Same);
    // Checkpoints that fit, before, say that nothing below them has changed. But where the log's own
    // key has signed another history than a witness has seen, it may have signed those as well.
    let (good, why) = match (by_witness, signed_too) {
        (true, true) => (
            0,
            "and the log's own key has signed them, but not what a witness has seen",
        ),
        (true, false) => (seen.good, "and are not what a witness has seen"),
        (false, _) => (seen.good, "and are not what the log has signed"),
    };
    let good = good.min(bad.saturating_sub(1));
    Some(Finding {
        kind: Kind::Fork,
        part: Part::Records,
        records: good..bad,
        why: format!("records and tree fit each other, {why} at {bad}"),
    })
}

fn of_checkpoint(seen: &Seen, stated: &Stated, witnessed: Option<&Checkpoint>) -> Option<Finding> {
    let about = |kind, records, why: String| {
        Some(Finding {
            kind,
            part: Part::Checkpoint,
            records,
            why,
        })
    };
    match stated {
        Stated::Signed(latest) => {
            let witnessed = witnessed?.size();
            if latest.size() >= witnessed {
                return None;
            }
            about(
                Kind::RollBack,
                latest.size()..witnessed,
                "the records are there, and the checkpoint is an earlier one than a witness has seen"
                    .to_owned(),
            )
        }
        Stated::Missing if seen.end == 0 && seen.required == 0 => None,
        Stated::Missing => about(
            Kind::Drop,
            0..seen.end,
            "there is no checkpoint, so nothing says what the log should be".to_owned(),
        ),
        Stated::Refused(error) => about(
            Kind::Edit,
            0..seen.end,
            format!("it does not hold: {error}"),
        ),
    }
}
