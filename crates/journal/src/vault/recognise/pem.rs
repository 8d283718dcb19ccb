//! PEM: keys, certificates, requests. Without its end line the block goes on to the text's end.

use std::ops::Range;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

pub(super) fn find(text: &str, from: usize) -> Option<Range<usize>> {
    let start = from + text.get(from..)?.find(BEGIN)?;
    let rest = text.get(start..)?;
    let end = rest.find(END).and_then(|end| {
        let label = end + END.len();
        Some(label + rest.get(label..)?.find(DASHES)? + DASHES.len())
    });
    Some(start..end.map_or(text.len(), |end| start + end))
}
