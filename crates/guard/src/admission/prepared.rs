//! A claim held against the registry, and the one door to [`Admitted`].

use std::sync::Arc;

use ocpp::{StationId, Version};

use super::{
    Claim, ClientCertificate, Exception, ExceptionFault, ExceptionKind, Exceptions, Offered,
    Transport,
};
use crate::attempts::Guess;
use crate::{
    Book, ConnectionKind, Credential, CredentialMark, RefusedHandshake, Secret, StationRecord,
    Tenant, UnixMillis, Verifier, VerifierKey,
};

/// What claims are held against, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'s> {
    /// Who is registered.
    pub book: &'s Book,
    /// Who comes in by exception.
    pub exceptions: &'s Exceptions,
    /// The key of password verifiers.
    pub key: &'s VerifierKey,
    /// What the wall clock shows.
    pub now: UnixMillis,
}

/// A claim that wants one last check. It owns what it needs, so that a slow check can go to another
/// thread.
#[derive(Debug)]
pub struct Prepared {
    /// The record, if it is there and enabled; a decoy has none.
    record: Option<Arc<StationRecord>>,
    proof: Proof,
    kind: ConnectionKind,
    /// Where it needs an exception: the one that fits, or why none does.
    exception: Option<Result<Arc<Exception>, ExceptionFault>>,
    offered: Offered,
}

#[derive(Debug)]
enum Proof {
    /// The client certificate is the registered one.
    Certificate,
    /// A password, still to be checked.
    Password {
        presented: Secret,
        against: Against,
        /// Stands for station, verifier and password in the cache, where the check would be slow.
        tag: Option<[u8; 32]>,
    },
    /// A password that passed the very same check before.
    Remembered,
    /// Nothing is shown, and nothing is asked for, if there is an exception.
    Open {
        /// A secret stood in the path, so there was something to guess.
        secret_shown: bool,
    },
    /// A credential that the station has been given of late; and how far guessing at it could lead.
    Changed(CredentialMark, Option<Guess>),
}

#[derive(Debug)]
enum Against {
    /// The record's own verifier, also where the station is disabled.
    Record(Arc<StationRecord>),
    /// None: the hash is run all the same.
    Decoy(Verifier),
}

/// A station that has proved itself: whoever dials the CSMS asks for this. Only
/// [`Prepared::check`] makes one, and it cannot be put together by hand:
/// ```compile_fail
/// fn forge(claimed: guard::Admitted) -> guard::Admitted {
///     guard::Admitted { ..claimed }
/// }
/// ```
#[derive(Debug)]
pub struct Admitted {
    record: Arc<StationRecord>,
    version: Version,
    named_subprotocol: bool,
    kind: ConnectionKind,
    exception: Option<Arc<Exception>>,
    pub(super) slow_tag: Option<[u8; 32]>,
    changed: Option<CredentialMark>,
}

impl Admitted {
    /// One that the CSMS has not agreed to yet; for [`super::Adopting`] alone.
    pub(super) fn provisional(
        record: Arc<StationRecord>,
        version: Version,
        named_subprotocol: bool,
        kind: ConnectionKind,
        exception: Option<Arc<Exception>>,
    ) -> Admitted {
        Admitted {
            record,
            version,
            named_subprotocol,
            kind,
            exception,
            slow_tag: None,
            changed: None,
        }
    }

    /// The station, as it is registered.
    pub fn station(&self) -> &Arc<StationRecord> {
        &self.record
    }

    /// The version it speaks.
    pub fn version(&self) -> Version {
        self.version
    }

    /// It offered that version by name, so the 101 names it too.
    pub fn named_subprotocol(&self) -> bool {
        self.named_subprotocol
    }

    /// It showed a credential that it has been given of late, and not the registered one.
    pub fn changed(&self) -> Option<CredentialMark> {
        self.changed
    }

    /// How it came in.
    pub fn kind(&self) -> ConnectionKind {
        self.kind
    }

    /// The exception that let it in, where it needed one.
    pub fn exception(&self) -> Option<&Arc<Exception>> {
        self.exception.as_ref()
    }
}

/// Holds a claim against the registry. What is refused here is refused without a hash, and for the
/// request's own sake or for every station alike.
pub fn prepare(claim: Claim, standing: &Standing<'_>) -> Result<Prepared, RefusedHandshake> {
    let (plain, certificate) = match &claim.transport {
        Transport::Plain => (true, None),
        Transport::Tls(certificate) => (false, certificate.as_ref()),
    };
    let shows_nothing = certificate.is_none() && claim.basic.is_none();
    if shows_nothing && !standing.exceptions.know(without_credential(plain)) {
        return Err(RefusedHandshake::NoCredential);
    }
    // A user name ends at the first colon, so an identity with a colon never comes in by Basic.
    let user = claim.basic.as_ref().map(|basic| basic.user.as_slice());
    if user.is_some_and(|user| user != claim.station.as_str().as_bytes()) {
        return Err(RefusedHandshake::UserNotIdentity);
    }
    let record = standing.book.find(&claim.tenant, &claim.station);
    let enabled = record.filter(|record| record.enabled).cloned();
    if let (Some(record), Some(certificate)) = (&enabled, certificate)
        && certificate_proves(record, certificate)
    {
        return Ok(Prepared {
            record: enabled,
            proof: Proof::Certificate,
            kind: ConnectionKind::TlsCertificate,
            exception: stray_secret(&claim),
            offered: claim.offered,
        });
    }
    // Whoever needs no credential is let in with a wrong one as well; but where no exception fits, a
    // password costs its hash, as a stranger's does.
    let open = open(&claim, enabled.as_ref(), plain, standing);
    if shows_nothing || matches!(open.exception, Some(Ok(_))) {
        return Ok(open);
    }
    by_password(claim, record, enabled, plain, standing)
}

/// A claim of somebody who has nothing to show, or needs not.
fn open(
    claim: &Claim,
    enabled: Option<&Arc<StationRecord>>,
    plain: bool,
    standing: &Standing<'_>,
) -> Prepared {
    let kind = without_credential(plain);
    let record = enabled.filter(|record| matches!(record.credential, Credential::ByException));
    let exception = record.map(|record| standing.exception(kind, record, claim));
    Prepared {
        record: record.cloned(),
        proof: Proof::Open {
            secret_shown: claim.circumstances.path_secret.is_some(),
        },
        kind: kind.connection(),
        exception,
        offered: claim.offered.clone(),
    }
}

/// A claim that shows a password.
fn by_password(
    claim: Claim,
    record: Option<&Arc<StationRecord>>,
    enabled: Option<Arc<StationRecord>>,
    plain: bool,
    standing: &Standing<'_>,
) -> Result<Prepared, RefusedHandshake> {
    let exception = match &enabled {
        Some(record) if plain => {
            Some(standing.exception(ExceptionKind::PlainBasic, record, &claim))
        }
        _ => stray_secret(&claim),
    };
    let (tenant, station) = (&claim.tenant, &claim.station);
    let Some(basic) = claim.basic else {
        return Err(RefusedHandshake::Unauthorized);
    };
    let against = match record {
        Some(record) if matches!(record.credential, Credential::Password(_)) => {
            Against::Record(Arc::clone(record))
        }
        _ => Against::Decoy(decoy(standing, tenant, station)),
    };
    let tag = against
        .verifier()
        .and_then(|verifier| slow_tag(standing.key, tenant, station, verifier, &basic.password));
    Ok(Prepared {
        record: enabled,
        proof: Proof::Password {
            presented: basic.password,
            against,
            tag,
        },
        kind: match plain {
            true => ConnectionKind::PlainBasic,
            false => ConnectionKind::TlsBasic,
        },
        exception,
        offered: claim.offered,
    })
}

impl Standing<'_> {
    pub(super) fn exception(
        &self,
        kind: ExceptionKind,
        record: &StationRecord,
        claim: &Claim,
    ) -> Result<Arc<Exception>, ExceptionFault> {
        let shown = &claim.circumstances;
        self.exceptions.find(kind, record, shown, self.now)
    }
}

fn without_credential(plain: bool) -> ExceptionKind {
    match plain {
        true => ExceptionKind::Plain,
        false => ExceptionKind::TlsOpen,
    }
}

/// Whoever needs no exception has no secret in its path either: one path leads to a station, and no
/// other (A15).
pub(super) fn stray_secret(claim: &Claim) -> Option<Result<Arc<Exception>, ExceptionFault>> {
    let secret = claim.circumstances.path_secret;
    secret.map(|_| Err(ExceptionFault::PathSecret))
}

impl Prepared {
    /// The station shows a credential that it has been given of late.
    pub(super) fn by_change(
        record: Arc<StationRecord>,
        mark: CredentialMark,
        kind: ConnectionKind,
        exception: Option<Result<Arc<Exception>, ExceptionFault>>,
        offered: Offered,
    ) -> Prepared {
        let guess = match mark {
            CredentialMark::Certificate(_) => None,
            // As for a guess at the old one, which this might have been.
            CredentialMark::Password(_) => Some(match is_slow(&record) {
                true => Guess::Possible,
                false => Guess::Hopeless,
            }),
        };
        Prepared {
            record: Some(record),
            proof: Proof::Changed(mark, guess),
            kind,
            exception,
            offered,
        }
    }

    /// The same check, and no admission at its end: what was shown is no longer good.
    pub(super) fn withdrawn(self) -> Prepared {
        Prepared {
            record: None,
            ..self
        }
    }

    /// Whether [`Prepared::check`] takes milliseconds and belongs on a blocking thread. Ask the
    /// cache first ([`super::VerifierCache::recall`]).
    pub fn needs_slow_hash(&self) -> bool {
        match &self.proof {
            Proof::Certificate | Proof::Remembered | Proof::Open { .. } | Proof::Changed(..) => {
                false
            }
            Proof::Password { against, .. } => against.verifier().is_some_and(Verifier::is_slow),
        }
    }

    /// Whether it has no credential to show, so that only circumstances speak for it.
    pub fn is_open(&self) -> bool {
        matches!(self.proof, Proof::Open { .. })
    }

    /// How far guessing could lead here; `None` where nothing was guessed, since a certificate is
    /// proved. Who shows nothing guesses at an identity, and maybe at a path's secret.
    pub fn guess(&self) -> Option<Guess> {
        match &self.proof {
            Proof::Certificate => None,
            Proof::Open { secret_shown: true } => Some(Guess::Hopeless),
            Proof::Open { .. } | Proof::Remembered => Some(Guess::Possible),
            Proof::Changed(_, guess) => *guess,
            Proof::Password { against, .. } => match against.verifier() {
                Some(verifier) if !verifier.is_slow() => Some(Guess::Hopeless),
                _ => Some(Guess::Possible),
            },
        }
    }

    /// The last check: the hash, the version, the identity by that version's alphabet.
    pub fn check(self, key: &VerifierKey) -> Result<Admitted, RefusedHandshake> {
        let (proved, slow_tag) = match &self.proof {
            Proof::Certificate | Proof::Remembered | Proof::Open { .. } | Proof::Changed(..) => {
                (true, None)
            }
            Proof::Password {
                presented,
                against,
                tag,
            } => (against.fits(presented, key), *tag),
        };
        let Some(record) = self.record.filter(|_| proved) else {
            return Err(RefusedHandshake::Unauthorized);
        };
        let exception = self.exception.transpose();
        let exception = exception.map_err(RefusedHandshake::Exception)?;
        let chosen = self.offered.choose(&record.protocols);
        let Some((version, named_subprotocol)) = chosen else {
            return Err(RefusedHandshake::NoVersion);
        };
        if StationId::parse(record.id.as_str(), version).is_err() {
            return Err(RefusedHandshake::BadIdentity);
        }
        Ok(Admitted {
            record,
            version,
            named_subprotocol,
            kind: self.kind,
            exception,
            slow_tag,
            changed: match self.proof {
                Proof::Changed(mark, _) => Some(mark),
                _ => None,
            },
        })
    }

    /// What the cache would know this claim by.
    pub(super) fn tag(&self) -> Option<[u8; 32]> {
        match &self.proof {
            Proof::Password { tag, .. } => *tag,
            Proof::Certificate | Proof::Remembered | Proof::Open { .. } | Proof::Changed(..) => {
                None
            }
        }
    }

    /// The same password passed the same verifier before. A disabled station gains nothing by it:
    /// the record is asked for all the same.
    pub(super) fn remembered(&mut self) {
        self.proof = Proof::Remembered;
    }
}

impl Against {
    fn verifier(&self) -> Option<&Verifier> {
        match self {
            Against::Decoy(verifier) => Some(verifier),
            Against::Record(record) => match &record.credential {
                Credential::Password(verifier) => Some(verifier),
                Credential::Certificate(_)
                | Credential::CertificateName
                | Credential::ByException => None,
            },
        }
    }

    fn fits(&self, presented: &Secret, key: &VerifierKey) -> bool {
        self.verifier()
            .is_some_and(|verifier| verifier.check(presented.expose(), key))
    }
}

fn certificate_proves(record: &StationRecord, certificate: &ClientCertificate) -> bool {
    match &record.credential {
        Credential::Certificate(fingerprint) => certificate.fingerprint() == fingerprint,
        Credential::CertificateName => certificate.common_name() == Some(record.id.as_str()),
        Credential::Password(_) | Credential::ByException => false,
    }
}

/// A verifier for a station that has none. Whether it is a slow one is drawn by the identity, and
/// as often as among the registered: always the same for one identity, so that asking twice tells
/// nothing, and never slow where no station's is, so that strangers cannot buy our time.
fn decoy(standing: &Standing<'_>, tenant: &Tenant, station: &StationId) -> Verifier {
    let names = [tenant.0.as_bytes(), station.as_str().as_bytes()];
    let [first, second, ..] = standing.key.tag("decoy", &names);
    let drawn = u16::from_be_bytes([first, second]) % 1000;
    Verifier::decoy(drawn < standing.book.slow_per_mille())
}

fn slow_tag(
    key: &VerifierKey,
    tenant: &Tenant,
    station: &StationId,
    verifier: &Verifier,
    password: &Secret,
) -> Option<[u8; 32]> {
    let crate::PasswordHash::Slow(phc) = &verifier.hash else {
        return None;
    };
    let parts = [
        tenant.0.as_bytes(),
        station.as_str().as_bytes(),
        phc.as_bytes(),
        password.expose(),
    ];
    Some(key.tag("slow password", &parts))
}

/// Whether guessing at that station is hopeless, whatever somebody shows.
fn is_slow(record: &StationRecord) -> bool {
    matches!(&record.credential, Credential::Password(verifier) if verifier.is_slow())
}
