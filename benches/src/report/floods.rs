//! What floods do to honest stations, and how soon a fleet is back.

use std::fmt::Write;

use crate::scene::Figures;

pub(super) fn section(page: &mut String, figures: &Figures) {
    if !figures.floods.is_empty() {
        page.push_str(
            "## Floods\n\n200 honest stations in conversation (the mix at 400 calls per second) while somebody floods the \
             gate from the address that they share: from a process of its own on the load's core, which gives way to \
             theirs. Slow handshakes: 2000 kept open, half of them after a ClientHello. Header dribble: 600 kept open, a letter at a \
             time. Pings, fragments, field and answers: 8 stolen sessions, each back as soon as it is cut off. \
             Guesses: wrong passwords of stations that are connected, 10,000 a second asked for. What is done in a second counts connections, \
             bursts (2000 pings, 5000 fragments, 500 answers) or guesses.\n\n\
             | attack | done in a second | p50 µs | p99 µs | cores busy | memory at its peak, MB more |\n|---|---|---|---|---|---|\n",
        );
    }
    for flood in &figures.floods {
        let _ = writeln!(
            page,
            "| {} | {:.0} | {:.0} | {:.0} | {:.2} | {:.1} |",
            flood.attack,
            flood.per_second,
            flood.p50_micros,
            flood.p99_micros,
            flood.cores,
            flood.grown_mb
        );
    }
    if !figures.storms.is_empty() {
        page.push_str(
            "\n## A fleet that comes back\n\nAfter a kill (-9) the gate is started again, and all stations come in the same \
             moment. After an upgrade (`portcullis upgrade`: another process takes the sockets) the old process sends \
             them away over `drain_seconds` (20 s by default). All come by TLS without resumption, and whoever is cut off, \
             sent or turned away comes again after a second or two. Seconds since the kill, or since the upgrade was asked for, \
             until their Boot was answered on a new connection.\n\n\
             | after | stations | accepting again | half are back | 95 % | all | attempts |\n|---|---|---|---|---|---|---|\n",
        );
    }
    for storm in &figures.storms {
        let _ = writeln!(
            page,
            "| {} | {} | {:.1} | {:.1} | {:.1} | {:.1} | {} |",
            storm.after,
            storm.stations,
            storm.start_seconds,
            storm.half_seconds,
            storm.most_seconds,
            storm.last_seconds,
            storm.attempts
        );
    }
    if !figures.storms.is_empty() {
        page.push('\n');
    }
}
