//! Who has failed too often to be asked again (threat A06). Pure and bounded: the door asks before a
//! password is checked, and says afterwards what came of it.
//!
//! Only failures count, by *source* (an IPv4 address, or an IPv6 network of /64) and by *pair* (a
//! source and the identity asked for). Nothing counts against an identity alone, since whoever could
//! lock a station out by guessing at it would. Identities nobody has registered count like others,
//! so what is turned away tells nothing about the register (A04). What applies to whom:
//!
//! | | password made by a machine | chosen by a person |
//! |---|---|---|
//! | the pair succeeded before | never turned away | the pair's own failures |
//! | newcomer | the pair's own failures | the pair's and the source's |
//!
//! So stations that share an address with an attacker come in, after a restart as well, when nobody
//! has succeeded yet: where guessing is hopeless by the password's length, a source that is over its
//! limit hears its refusals late, and a right password is still right.

mod failures;
mod known;
mod source;

use std::time::Duration;

use ocpp::StationId;

use crate::{Moment, Tenant, VerifierKey};

use failures::{Failures, Pace};
use known::Known;
pub use source::Source;

/// How many failures are forgiven, and how fast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptLimits {
    /// Failures of a source before it is over its limit.
    pub source_failures_max: u32,
    /// One of them is forgotten after each such time.
    pub source_refill: Duration,
    /// Failures of a pair before it is turned away.
    pub pair_failures_max: u32,
    /// One of them is forgotten after each such time.
    pub pair_refill: Duration,
    /// The longest that a refusal is held back.
    pub delay_max: Duration,
    /// Sources with failures that are remembered, 2.5 KiB each at most.
    pub sources_max: usize,
    /// Pairs that succeeded and are remembered, some 120 bytes each.
    pub pairs_known_max: usize,
}

impl Default for AttemptLimits {
    fn default() -> AttemptLimits {
        AttemptLimits {
            source_failures_max: 30,
            source_refill: Duration::from_secs(5),
            pair_failures_max: 5,
            pair_refill: Duration::from_secs(30),
            delay_max: Duration::from_secs(8),
            sources_max: 8192,
            pairs_known_max: 100_000,
        }
    }
}

/// The first failure over a limit is told so much later; each further one doubles it.
const DELAY_MIN: Duration = Duration::from_millis(500);

/// An identity asked for, as a keyed tag: of a fixed size whatever a stranger asks for, and nobody
/// without the key finds two that are taken for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Who([u8; 16]);

impl Who {
    /// The station of that tenant, registered or not.
    pub fn of(tenant: &Tenant, station: &StationId, key: &VerifierKey) -> Who {
        let tag = key.tag(
            "attempt",
            &[tenant.0.as_bytes(), station.as_str().as_bytes()],
        );
        let mut who = [0; 16];
        who.copy_from_slice(&tag[..16]);
        Who(who)
    }
}

/// Whether guessing can lead anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guess {
    /// A machine made the password, of at least 16 bytes.
    Hopeless,
    /// A person may have chosen it.
    Possible,
}

/// Which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttemptLimit {
    /// The source's, over all identities.
    Source,
    /// The pair's: this source at this identity.
    Pair,
}

/// A check that is under way. It counts as failed until it is told otherwise: a thousand guesses at
/// once must not all find an empty count.
#[derive(Debug)]
#[must_use = "a check that succeeded must be told, or it counts as failed"]
pub struct Attempt {
    source: Source,
    who: Who,
    from_source: Duration,
    over: Option<AttemptLimit>,
}

/// The memory of failures and successes.
#[derive(Debug)]
pub struct Attempts {
    limits: AttemptLimits,
    failures: Failures,
    known: Known,
}

impl Attempts {
    /// Nobody has tried yet.
    pub fn new(limits: AttemptLimits) -> Attempts {
        Attempts {
            failures: Failures::bounded(limits.sources_max),
            known: Known::bounded(limits.pairs_known_max),
            limits,
        }
    }

    /// Sets other limits. What is remembered stays, and so do the bounds of the memory.
    pub fn renew(&mut self, limits: AttemptLimits) {
        self.limits = AttemptLimits {
            sources_max: self.limits.sources_max,
            pairs_known_max: self.limits.pairs_known_max,
            ..limits
        };
    }

    /// Whether a check may begin now. Counts nothing: for whoever must wait for a turn first.
    pub fn may(
        &self,
        at: Moment,
        source: Source,
        who: Who,
        guess: Guess,
    ) -> Result<(), AttemptLimit> {
        self.judge(at, source, who, guess).map(drop)
    }

    /// Begins a check, or says which limit forbids it.
    pub fn begin(
        &mut self,
        at: Moment,
        source: Source,
        who: Who,
        guess: Guess,
    ) -> Result<Attempt, AttemptLimit> {
        let over = self.judge(at, source, who, guess)?;
        let now = at.elapsed;
        let (by_source, by_pair) = (self.source_pace(), self.pair_pace());
        let from_source = self.failures.add(now, source, who, by_source, by_pair);
        Ok(Attempt {
            source,
            who,
            from_source,
            over,
        })
    }

    /// The check succeeded: it does not count, what the pair did before is forgotten, and the pair
    /// is known from now on.
    pub fn succeeded(&mut self, at: Moment, attempt: Attempt) {
        let Attempt { source, who, .. } = attempt;
        self.failures
            .forgive(at.elapsed, source, who, attempt.from_source);
        self.known.learn(who, source);
    }

    /// The check failed. The limit it is refused under where there is one: whoever is over a limit
    /// hears the same whether or not a check was made.
    pub fn failed(&mut self, attempt: Attempt) -> Option<AttemptLimit> {
        attempt.over
    }

    /// How long the refusal of somebody over a limit is held back. It doubles with each failure of
    /// the source beyond its limit.
    pub fn delay(&self, at: Moment, source: Source) -> Duration {
        let pace = self.source_pace();
        let count = self.failures.of_source(at.elapsed, source, pace);
        let beyond = count.saturating_sub(pace.failures_max).min(16);
        (DELAY_MIN * (1 << beyond)).min(self.limits.delay_max)
    }

    /// Whether a station has succeeded from there.
    pub fn knows_source(&self, source: Source) -> bool {
        self.known.has_source(source)
    }

    fn judge(
        &self,
        at: Moment,
        source: Source,
        who: Who,
        guess: Guess,
    ) -> Result<Option<AttemptLimit>, AttemptLimit> {
        let (by_source, by_pair) = (self.source_pace(), self.pair_pace());
        let of_source = self.failures.of_source(at.elapsed, source, by_source);
        let of_pair = self.failures.of_pair(at.elapsed, source, who, by_pair);
        let pair_over = of_pair >= by_pair.failures_max;
        let source_over = of_source >= by_source.failures_max;
        if !pair_over && !source_over {
            return Ok(None);
        }
        let known = self.known.contains(who, source);
        let hopeless = guess == Guess::Hopeless;
        if pair_over {
            return match known && hopeless {
                true => Ok(Some(AttemptLimit::Pair)),
                false => Err(AttemptLimit::Pair),
            };
        }
        match known || hopeless {
            true => Ok(Some(AttemptLimit::Source)),
            false => Err(AttemptLimit::Source),
        }
    }

    fn source_pace(&self) -> Pace {
        Pace {
            failures_max: self.limits.source_failures_max.max(1),
            refill: self.limits.source_refill,
        }
    }

    fn pair_pace(&self) -> Pace {
        Pace {
            failures_max: self.limits.pair_failures_max.max(1),
            refill: self.limits.pair_refill,
        }
    }
}

#[cfg(test)]
mod tests;
