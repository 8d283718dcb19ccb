//! Windows in which stations that nobody has registered are passed to the CSMS, and learnt when it
//! agrees. What the CSMS refuses counts as a failed attempt, as a wrong password does.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use guard::admission::{Adopting, Claim, Standing, Window};
use guard::attempts::{Attempt, Guess, Source, Who};
use guard::{
    Book, Event, Lesson, OnWeakPassword, PasswordForm, RefusedHandshake, Route, Secret,
    StationRecord, UpstreamCredential, Verifier, Weaknesses,
};
use ocpp::{StationId, Version};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::gate::Gate;
use crate::http::Authorization;
use crate::upstream::Visitor;

/// Stations that are being asked about at once, in the whole gate.
const AT_ONCE_MAX: usize = 8;

/// The window, if there is one.
pub(crate) struct Adoption {
    window: Mutex<Option<Window>>,
    at_once: Semaphore,
}

impl Default for Adoption {
    fn default() -> Adoption {
        Adoption {
            window: Mutex::default(),
            at_once: Semaphore::new(AT_ONCE_MAX),
        }
    }
}

impl Adoption {
    pub(crate) fn window(&self) -> MutexGuard<'_, Option<Window>> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether this claim is one for the CSMS to decide on. Only what it is shown can be learnt, so the
/// station's own password must be what goes on.
pub(crate) fn fits(gate: &Gate, book: &Book, route: &Route, claim: &Claim) -> Option<Adopting> {
    let window = gate.adoption.window();
    let window = window.as_ref()?;
    if !matches!(route.credential, UpstreamCredential::Forward) {
        return None;
    }
    let standing = Standing {
        book,
        exceptions: &gate.settings.exceptions,
        key: &gate.verifier_key,
        now: gate.clock.wall(),
    };
    window.fits(claim, &standing)
}

/// A place among those that are asked about; until the CSMS has agreed it counts as a failed attempt.
pub(crate) struct Asking<'g> {
    attempt: Attempt,
    _turn: SemaphorePermit<'g>,
}

/// Begins to ask, unless too many failed before it.
pub(crate) fn begin<'g>(
    gate: &'g Gate,
    adopting: &Adopting,
    peer: IpAddr,
) -> Result<Asking<'g>, RefusedHandshake> {
    let station = adopting.provisional().station();
    if gate.settings.passwords.weak == OnWeakPassword::Refuse {
        let weaknesses = weaknesses(gate, adopting);
        if !weaknesses.is_empty() {
            return Err(RefusedHandshake::WeakPassword(weaknesses));
        }
    }
    let turn = gate.adoption.at_once.try_acquire();
    let _turn = turn.map_err(|_| RefusedHandshake::Limit("stations being adopted"))?;
    let who = Who::of(&station.tenant, &station.id, &gate.verifier_key);
    let (now, source) = (gate.clock.now(), Source::of(peer));
    let begun = gate.attempts().begin(now, source, who, Guess::Possible);
    let attempt = begun.map_err(RefusedHandshake::TooManyAttempts)?;
    Ok(Asking { attempt, _turn })
}

fn weaknesses(gate: &Gate, adopting: &Adopting) -> Weaknesses {
    let id = adopting.provisional().station().id.as_str();
    let rules = gate.settings.passwords.rules.as_ref();
    rules.map_or_else(Weaknesses::default, |rules| {
        rules.traits(adopting.password().expose(), &[id]).weaknesses
    })
}

/// The CSMS has refused it.
pub(crate) fn refused(gate: &Gate, asking: Asking<'_>) {
    let _ = gate.attempts().failed(asking.attempt);
}

/// The CSMS has agreed: the station is in the book from here on, and in the register soon.
pub(crate) async fn learn(
    gate: &Arc<Gate>,
    adopting: &Adopting,
    asking: Asking<'_>,
) -> Result<(), RefusedHandshake> {
    gate.attempts().succeeded(gate.clock.now(), asking.attempt);
    let verifier = hash(gate, adopting).await?;
    let station = adopting.provisional().station();
    let rules = gate.settings.passwords.rules.as_ref();
    let traits =
        rules.map(|rules| rules.traits(adopting.password().expose(), &[station.id.as_str()]));
    let record = adopting.agreed(verifier, traits);
    {
        let mut window = gate.adoption.window();
        let open = window
            .as_mut()
            .filter(|window| window.is_open(gate.clock.wall()));
        // It has been closed, or is full, while the CSMS thought; or the same station came in another
        // spelling meanwhile.
        if !open.is_some_and(|window| window.adopted(&record.id)) {
            return Err(RefusedHandshake::Unauthorized);
        }
    }
    let before = gate.book.rcu(|book| with(book, &record));
    let known = before.find_in_any_case(&record.tenant, &record.id);
    if known.is_some() {
        // Somebody has registered it meanwhile, and what it shows was never held against that.
        return Err(RefusedHandshake::Unauthorized);
    }
    if let Some(lessons) = &gate.settings.passwords.lessons {
        lessons.teach(Lesson::Adopted(Box::new(record.clone())));
    }
    gate.events.tell(Event::Adopted {
        at: gate.clock.now(),
        station: record.id,
        tenant: record.tenant,
    });
    Ok(())
}

/// The register keeps the password as one that a person may have chosen: nobody has said otherwise.
async fn hash(gate: &Arc<Gate>, adopting: &Adopting) -> Result<Verifier, RefusedHandshake> {
    let waiting = timeout(
        gate.settings.limits.hash_deadline,
        gate.slow_hashes.acquire(),
    );
    let Ok(Ok(_turn)) = waiting.await else {
        return Err(RefusedHandshake::Deadline("hash_deadline"));
    };
    let password = adopting.password().clone();
    let hashing = tokio::task::spawn_blocking(move || {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).ok()?;
        Verifier::slow(password.expose(), PasswordForm::Octets, salt).ok()
    });
    let verifier = hashing.await.ok().flatten();
    verifier.ok_or(RefusedHandshake::Limit("hashing thread"))
}

/// The book and one station more; a book that cannot be is not made.
fn with(book: &Arc<Book>, record: &StationRecord) -> Arc<Book> {
    let stations = book.stations().iter().cloned();
    let stations = stations.chain([Arc::new(record.clone())]);
    match Book::new(book.routes().cloned(), stations) {
        Ok(book) => Arc::new(book),
        Err(_) => Arc::clone(book),
    }
}

/// Whether the CSMS agrees to a station that there is not, with a password that nobody has.
pub(crate) async fn lets_anybody_in(gate: &Gate, route: &Route) -> Result<bool, String> {
    let no_chance = |_| "the system gives no random numbers".to_owned();
    let name = format!("PROBE-{:016x}", getrandom::u64().map_err(no_chance)?);
    let password = format!("{:016x}", getrandom::u64().map_err(no_chance)?);
    let station = StationId::parse(&name, Version::V16).map_err(|error| error.to_string())?;
    let authorization = Authorization::basic(name.as_bytes(), password.as_bytes());
    let password = Secret::new(password.into_bytes());
    let probe = Adopting::made_up(route.tenant.clone(), station, password);
    let visitor = Visitor {
        peer: SocketAddr::from(([127, 0, 0, 1], 0)),
        tls: true,
        certificate: None,
        authorization: Some(&authorization),
    };
    let deadline = gate.settings.limits.upstream_deadline;
    let upstreams = &gate.upstreams;
    match upstreams
        .connect(probe.provisional(), route, &visitor, deadline)
        .await
    {
        Ok(_) => Ok(true),
        Err(error) if error.is_no() => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}
