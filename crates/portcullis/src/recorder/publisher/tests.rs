//! What was handed on is durable when its ticket is, and what has none when what was before it is.

use gateway::Ordinal;
use journal::Ticket;

use super::{HANDED_MAX, Handed};

#[test]
fn events_become_durable_with_the_tickets_behind_them() {
    let handed = Handed::default();
    handed.on(Ordinal(3), Some(Ticket(3)));
    handed.on(Ordinal(7), Some(Ticket(5)));
    // Nothing of these was recorded: their tenant is not, or there was no room.
    handed.on(Ordinal(9), None);
    handed.on(Ordinal(12), Some(Ticket(6)));
    assert_eq!(handed.take(Ticket(2)), None);
    assert_eq!(handed.take(Ticket(4)), Some(Ordinal(3)));
    assert_eq!(handed.take(Ticket(5)), Some(Ordinal(9)));
    assert_eq!(handed.take(Ticket(100)), Some(Ordinal(12)));
    assert_eq!(handed.take(Ticket(100)), None);
}

#[test]
fn what_was_never_recorded_waits_for_nothing() {
    let handed = Handed::default();
    handed.on(Ordinal(4), None);
    assert_eq!(handed.take(Ticket(0)), Some(Ordinal(4)));
}

#[test]
fn a_full_row_says_less_and_never_too_much() {
    let handed = Handed::default();
    let count = HANDED_MAX as u64 + 10;
    for number in 1..=count {
        handed.on(Ordinal(number), Some(Ticket(number)));
    }
    let last = HANDED_MAX as u64;
    assert_eq!(handed.take(Ticket(last)), Some(Ordinal(last - 1)));
    assert_eq!(handed.take(Ticket(count - 1)), None, "not all of them are");
    assert_eq!(handed.take(Ticket(count)), Some(Ordinal(count)));
}
