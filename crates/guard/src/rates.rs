//! How much of each kind a side may say (threat B12): a bucket for each class of messages, in each
//! session. It holds a burst, since a station that comes back brings what it has kept, and fills
//! again at a steady pace.
//!
//! The buckets are plain numbers of a fixed count, so a session's cost is known and nothing here
//! allocates. Messages of a transaction are never refused for being many: where the control is
//! enforced, their sender is read more slowly.

use std::time::Duration;

use ocpp::{Action, Call, Side};

use crate::policy::is_billing;

/// `Class field "what is told" burst per_minute, docs;`
macro_rules! classes {
    ($($(#[$doc:meta])* $class:ident $field:ident $words:literal $burst:literal $per_minute:literal;)+) => {
        /// What is counted together.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Class {
            $($(#[$doc])* $class,)+
        }

        impl Class {
            /// Every class.
            pub const ALL: &'static [Class] = &[$(Class::$class,)+];

            /// The names of its two numbers in configuration: the burst's, and the flow's.
            pub const fn settings(self) -> (&'static str, &'static str) {
                match self {
                    $(Class::$class => (
                        concat!(stringify!($field), "_burst"),
                        concat!(stringify!($field), "_per_minute"),
                    ),)+
                }
            }

            /// What it is made of, in words.
            pub const fn words(self) -> &'static str {
                match self {
                    $(Class::$class => $words,)+
                }
            }
        }

        /// How much of each class is borne, from one session.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Rates {
            $($(#[$doc])* pub $field: Rate,)+
            /// What an enforced control does with what is too much; messages of a transaction are
            /// slowed either way.
            pub over: Over,
        }

        impl Default for Rates {
            fn default() -> Rates {
                Rates {
                    $($field: Rate { burst: $burst, per_minute: $per_minute },)+
                    over: Over::Refuse,
                }
            }
        }

        impl Rates {
            /// That class's.
            pub const fn of(&self, class: Class) -> Rate {
                match class {
                    $(Class::$class => self.$field,)+
                }
            }

            /// That class's, to be set.
            pub fn of_mut(&mut self, class: Class) -> &mut Rate {
                match class {
                    $(Class::$class => &mut self.$field,)+
                }
            }
        }
    };
}

classes! {
    /// BootNotification. A station that is kept pending asks again and again.
    Boot boot "BootNotifications" 30 12;
    /// Heartbeat. The shortest interval in the field is some ten seconds.
    Heartbeat heartbeat "Heartbeats" 120 60;
    /// StatusNotification: after a reconnect one for each connector, and what was kept meanwhile.
    Status status "StatusNotifications" 600 120;
    /// Authorize: somebody holds a card to the reader.
    Authorize authorize "Authorize requests" 120 60;
    /// MeterValues outside a transaction, and streams of values.
    Meter meter "MeterValues outside a transaction" 3000 600;
    /// StartTransaction, StopTransaction, TransactionEvent, MeterValues that name a transaction.
    Billing billing "messages of transactions" 10_000 1200;
    /// Reports that come in parts, and events.
    Report report "reports" 3000 600;
    /// DataTransfer.
    Data data "DataTransfers" 1200 300;
    /// Everything else that a station says of itself.
    Other other "messages of that kind" 1200 300;
    /// What the CSMS asks of a station.
    Command command "commands" 6000 1200;
}

/// One bucket's size and flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Messages at once.
    pub burst: u32,
    /// Messages a minute from then on.
    pub per_minute: u32,
}

/// What becomes of too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// It is refused with a CALLERROR.
    Refuse,
    /// It passes, and its sender is read more slowly.
    Slow,
}

/// The longest that a sender is not read at a time, so that its pings and goodbyes are still heard.
pub const SLOWED_MAX: Duration = Duration::from_millis(SLOWED_MILLIS_MAX as u64);

impl Rate {
    /// The fastest flow there is: one each millisecond.
    pub const PER_MINUTE_MAX: u32 = 60_000;
}

impl Class {
    /// The class of a CALL or SEND.
    pub(crate) fn of(call: &Call<'_>) -> Class {
        if call.from == Side::Csms {
            return Class::Command;
        }
        let Action::Known(facts) = call.action else {
            return Class::Other;
        };
        match facts.name {
            "Heartbeat" => Class::Heartbeat,
            "StatusNotification" => Class::Status,
            "MeterValues" if !is_billing(call) => Class::Meter,
            "MeterValues" | "StartTransaction" | "StopTransaction" | "TransactionEvent" => {
                Class::Billing
            }
            "Authorize" => Class::Authorize,
            "BootNotification" => Class::Boot,
            "DataTransfer" => Class::Data,
            "NotifyPeriodicEventStream" => Class::Meter,
            name if name.starts_with("Notify") || name.starts_with("Report") => Class::Report,
            _ => Class::Other,
        }
    }
}

/// One session's buckets: each is kept as the moment when it is full again, in milliseconds that begin
/// anew after 49 days. A bucket that has been left alone for that long is taken for a full one.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    full_at: [u32; Class::ALL.len()],
    /// Until when the station, and the CSMS, are not read.
    slowed_until: [u32; 2],
}

impl Buckets {
    /// Takes one message out of its bucket; false when that is empty.
    #[inline]
    pub(crate) fn take(&mut self, rates: &Rates, class: Class, now: Duration) -> bool {
        let (now, rate) = (millis(now), rates.of(class));
        let full_at = &mut self.full_at[class as usize];
        let missing = rate.missing(*full_at, now) + rate.each();
        let holds = missing <= rate.window();
        if holds {
            *full_at = now.wrapping_add(missing);
        }
        holds
    }

    /// One passes that was not in the bucket: its sender is not read until it would have been.
    pub(crate) fn slow(&mut self, rates: &Rates, class: Class, from: Side, now: Duration) {
        let (now, rate) = (millis(now), rates.of(class));
        let full_at = &mut self.full_at[class as usize];
        let missing = rate.missing(*full_at, now) + rate.each();
        // What goes beyond the longest wait is forgiven.
        let missing = missing.min(rate.window() + SLOWED_MILLIS_MAX);
        let wait = missing.saturating_sub(rate.window());
        *full_at = now.wrapping_add(missing);
        let slowed = &mut self.slowed_until[side(from)];
        let wait = left(*slowed, now, SLOWED_MILLIS_MAX).max(wait);
        *slowed = now.wrapping_add(wait);
    }

    /// For how much longer that side is not to be read.
    #[inline]
    pub(crate) fn slowed_for(&self, from: Side, now: Duration) -> Duration {
        let left = left(
            self.slowed_until[side(from)],
            millis(now),
            SLOWED_MILLIS_MAX,
        );
        Duration::from_millis(left.into())
    }
}

impl Rate {
    /// Milliseconds in which one more flows in.
    fn each(self) -> u32 {
        60_000 / self.per_minute.clamp(1, Rate::PER_MINUTE_MAX)
    }

    /// Milliseconds until that bucket is full again.
    fn missing(self, full_at: u32, now: u32) -> u32 {
        left(full_at, now, self.window() + SLOWED_MILLIS_MAX)
    }

    /// Milliseconds in which an empty bucket fills.
    fn window(self) -> u32 {
        self.each()
            .saturating_mul(self.burst)
            .min(WINDOW_MILLIS_MAX)
    }
}

/// Twelve days: half of what can be told apart.
const WINDOW_MILLIS_MAX: u32 = 1 << 30;
const SLOWED_MILLIS_MAX: u32 = 5_000;

/// Milliseconds from now until then; none for what is past, or further ahead than it can be.
fn left(then: u32, now: u32, max: u32) -> u32 {
    let left = then.wrapping_sub(now);
    if left <= max { left } else { 0 }
}

fn side(from: Side) -> usize {
    usize::from(from == Side::Csms)
}

fn millis(since_start: Duration) -> u32 {
    // The higher bits are meant to be lost.
    since_start.as_millis() as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: Rate = Rate {
        burst: 3,
        per_minute: 60,
    };

    fn rates() -> Rates {
        Rates {
            heartbeat: RATE,
            ..Rates::default()
        }
    }

    fn taken(buckets: &mut Buckets, millis: u64) -> bool {
        buckets.take(&rates(), Class::Heartbeat, Duration::from_millis(millis))
    }

    #[test]
    fn a_burst_and_then_one_a_second() {
        let mut buckets = Buckets::default();
        let burst: Vec<bool> = (0..5).map(|_| taken(&mut buckets, 10_000)).collect();
        assert_eq!(burst, [true, true, true, false, false]);
        assert!(!taken(&mut buckets, 10_900));
        assert!(taken(&mut buckets, 11_000));
        assert!(!taken(&mut buckets, 11_100));
        // What is not used is kept, up to the burst.
        assert_eq!((0..9).filter(|_| taken(&mut buckets, 60_000)).count(), 3);
        // Another class has a bucket of its own.
        assert!(buckets.take(&rates(), Class::Status, Duration::from_secs(60)));
    }

    #[test]
    fn a_slowed_sender_keeps_the_pace() {
        let mut buckets = Buckets::default();
        let mut now = Duration::from_secs(1);
        for _ in 0..63 {
            if !buckets.take(&rates(), Class::Heartbeat, now) {
                buckets.slow(&rates(), Class::Heartbeat, Side::Station, now);
                now += buckets.slowed_for(Side::Station, now);
            }
        }
        assert_eq!(now, Duration::from_secs(61));
        assert_eq!(buckets.slowed_for(Side::Csms, now), Duration::ZERO);
        assert_eq!(buckets.slowed_for(Side::Station, now), Duration::ZERO);
    }

    #[test]
    fn nobody_is_kept_waiting_longer_than_the_bound() {
        let mut rates = rates();
        rates.heartbeat.per_minute = 1;
        let mut buckets = Buckets::default();
        let now = Duration::from_secs(1);
        for _ in 0..10 {
            buckets.take(&rates, Class::Heartbeat, now);
            buckets.slow(&rates, Class::Heartbeat, Side::Station, now);
        }
        assert_eq!(buckets.slowed_for(Side::Station, now), SLOWED_MAX);
    }

    #[test]
    fn what_was_long_ago_is_forgotten_also_when_the_count_begins_anew() {
        let mut buckets = Buckets::default();
        let day = Duration::from_secs(24 * 60 * 60);
        for days in [0, 13, 26, 39, 49, 50, 70, 120] {
            let now = day * days + Duration::from_secs(5);
            let taken = (0..5).filter(|_| buckets.take(&rates(), Class::Heartbeat, now));
            assert_eq!(taken.count(), 3, "after {days} days");
        }
    }

    proptest! {
        /// In any stretch of time no more passes than the burst and what flows in.
        #[test]
        fn no_more_than_burst_and_flow(waits in proptest::collection::vec(0_u64..3_000, 1..300)) {
            let mut buckets = Buckets::default();
            let (mut now, mut passed) = (0, 0);
            for wait in waits {
                now += wait;
                passed += u64::from(taken(&mut buckets, now));
                prop_assert!(passed <= 3 + now / 1000);
            }
        }
    }
}
