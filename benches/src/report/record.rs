//! What a day of records costs, as `--bin record --json` said it.

use std::fmt::Write;

use serde_json::Value;

use super::bars::Table;

/// Bytes a record may take beyond the plain log compressed.
const OVERHEAD_BYTES: f64 = 48.0;
/// How long somebody waits for an answer.
const QUESTION_MS: f64 = 1_000.0;

/// The rows of what was to be shown.
pub(super) fn bars(table: &mut Table, record: &Value) {
    let figure = |name: &str| record.get(name).and_then(Value::as_f64).unwrap_or(f64::MAX);
    let micros = figure("cpu_micros");
    let rate = format!(
        "{:.0} ({micros:.2} µs each)",
        figure("per_second_of_one_core")
    );
    table.line(
        "records a second of one core, durable",
        "≥ 250,000",
        4.0,
        Some((micros, rate)),
    );
    for (name, peer) in [
        (
            "zstd_same_level_per_record",
            "the plain log, zstd of the same level",
        ),
        ("zstd_3_per_record", "the plain log, zstd -3 as one file"),
    ] {
        let more = figure("disk_per_record") - figure(name);
        table.line(
            &format!("disk a record beyond {peer}"),
            "≤ 48 B",
            OVERHEAD_BYTES,
            Some((more, format!("{more:.1} B"))),
        );
    }
    for question in record
        .get("questions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let what = question
            .get("what")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let longest = question
            .get("longest_ms")
            .and_then(Value::as_f64)
            .unwrap_or(f64::MAX);
        table.line(
            &format!("finding {what}"),
            "< 1 s",
            QUESTION_MS,
            Some((longest, format!("{longest:.0} ms at most"))),
        );
    }
}

/// The section.
pub(super) fn section(page: &mut String, record: &Value) {
    let figure = |name: &str| record.get(name).and_then(Value::as_f64).unwrap_or_default();
    let _ = writeln!(
        page,
        "## The record\n\n\
         {:.0} records of {:.0} bytes, a day of {:.0} stations, appended as fast as they are taken in and \
         durable every 100 ms: compressed, encrypted, hashed into the tree, its root signed every second. \
         CPU is that of all threads on one core, without what making up the messages costs. All files are \
         counted: segments, indexes, tree and checkpoints.\n\n\
         | bytes a record | |\n|---|---|\n\
         | plain log, compressed with zstd as one file, same level | {:.1} |\n\
         | plain log, compressed with zstd -3 as one file | {:.1} |\n\
         | the record, all files | **{:.1}** |\n\
         | of that segments | {:.1} |\n| indexes | {:.1} |\n| tree | {:.1} |\n\n\
         The run took {:.0} s, of which {:.0} s were the messages themselves.\n",
        figure("records"),
        figure("bytes_per_record"),
        figure("stations"),
        figure("zstd_same_level_per_record"),
        figure("zstd_3_per_record"),
        figure("disk_per_record"),
        figure("segments_per_record"),
        figure("indexes_per_record"),
        figure("tree_per_record"),
        figure("wall_seconds"),
        figure("making_up_wall_seconds"),
    );
    page.push_str(
        "Questions are asked of a record that was just opened, its files in the page cache; all that \
         is found is read. The identifier's question includes finding its pseudonyms.\n\n\
         | what is looked for | found | median | longest of 15 |\n|---|---|---|---|\n",
    );
    for question in record
        .get("questions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let number = |name: &str| {
            question
                .get(name)
                .and_then(Value::as_f64)
                .unwrap_or_default()
        };
        let _ = writeln!(
            page,
            "| {} | {:.0} | {:.1} ms | {:.1} ms |",
            question
                .get("what")
                .and_then(Value::as_str)
                .unwrap_or_default(),
            number("found"),
            number("median_ms"),
            number("longest_ms"),
        );
    }
    page.push('\n');
}
