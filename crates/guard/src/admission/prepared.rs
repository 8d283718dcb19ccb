//! A claim held against the registry, and the one door to [`Admitted`].

use std::sync::Arc;

use ocpp::{StationId, Version};

use super::{Claim, ClientCertificate, Offered, Transport};
use crate::attempts::Guess;
use crate::{
    Book, ConnectionKind, Credential, RefusedHandshake, Secret, StationRecord, Tenant, Verifier,
    VerifierKey,
};

/// A claim that wants one last check. It owns what it needs, so that a slow check can go to another
/// thread.
#[derive(Debug)]
pub struct Prepared {
    /// The record, if it is there and enabled; a decoy has none.
    record: Option<Arc<StationRecord>>,
    proof: Proof,
    kind: ConnectionKind,
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
    pub(super) slow_tag: Option<[u8; 32]>,
}

impl Admitted {
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

    /// How it came in.
    pub fn kind(&self) -> ConnectionKind {
        self.kind
    }
}

/// Holds a claim against the registry. What is refused here is refused without a hash, and for the
/// request's own sake or for every station alike.
pub fn prepare(claim: Claim, book: &Book, key: &VerifierKey) -> Result<Prepared, RefusedHandshake> {
    let (plain, certificate) = match claim.transport {
        Transport::Plain => (true, None),
        Transport::Tls(certificate) => (false, certificate),
    };
    if certificate.is_none() && claim.basic.is_none() {
        return Err(RefusedHandshake::NoCredential);
    }
    // A user name ends at the first colon, so an identity with a colon never comes in by Basic.
    let user = claim.basic.as_ref().map(|basic| basic.user.as_slice());
    if user.is_some_and(|user| user != claim.station.as_str().as_bytes()) {
        return Err(RefusedHandshake::UserNotIdentity);
    }
    let record = book.find(&claim.tenant, &claim.station);
    let enabled = record.filter(|record| record.enabled).cloned();
    if let (Some(record), Some(certificate)) = (&enabled, &certificate)
        && certificate_proves(record, certificate)
    {
        return Ok(Prepared {
            record: enabled,
            proof: Proof::Certificate,
            kind: ConnectionKind::TlsCertificate,
            offered: claim.offered,
        });
    }
    let Some(basic) = claim.basic else {
        return Err(RefusedHandshake::Unauthorized);
    };
    let against = match record {
        Some(record) if matches!(record.credential, Credential::Password(_)) => {
            Against::Record(Arc::clone(record))
        }
        _ => Against::Decoy(decoy(book, key, &claim.tenant, &claim.station)),
    };
    let tag = against.verifier().and_then(|verifier| {
        slow_tag(
            key,
            &claim.tenant,
            &claim.station,
            verifier,
            &basic.password,
        )
    });
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
        offered: claim.offered,
    })
}

impl Prepared {
    /// Whether [`Prepared::check`] takes milliseconds and belongs on a blocking thread. Ask the
    /// cache first ([`super::VerifierCache::recall`]).
    pub fn needs_slow_hash(&self) -> bool {
        match &self.proof {
            Proof::Certificate | Proof::Remembered => false,
            Proof::Password { against, .. } => against.verifier().is_some_and(Verifier::is_slow),
        }
    }

    /// How far guessing could lead here; `None` where nothing was guessed, since a certificate is
    /// proved.
    pub fn guess(&self) -> Option<Guess> {
        match &self.proof {
            Proof::Certificate => None,
            Proof::Remembered => Some(Guess::Possible),
            Proof::Password { against, .. } => match against.verifier() {
                Some(verifier) if !verifier.is_slow() => Some(Guess::Hopeless),
                _ => Some(Guess::Possible),
            },
        }
    }

    /// The last check: the hash, the version, the identity by that version's alphabet.
    pub fn check(self, key: &VerifierKey) -> Result<Admitted, RefusedHandshake> {
        let (proved, slow_tag) = match &self.proof {
            Proof::Certificate | Proof::Remembered => (true, None),
            Proof::Password {
                presented,
                against,
                tag,
            } => (against.fits(presented, key), *tag),
        };
        let Some(record) = self.record.filter(|_| proved) else {
            return Err(RefusedHandshake::Unauthorized);
        };
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
            slow_tag,
        })
    }

    /// What the cache would know this claim by.
    pub(super) fn tag(&self) -> Option<[u8; 32]> {
        match &self.proof {
            Proof::Password { tag, .. } => *tag,
            Proof::Certificate | Proof::Remembered => None,
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
fn decoy(book: &Book, key: &VerifierKey, tenant: &Tenant, station: &StationId) -> Verifier {
    let names = [tenant.0.as_bytes(), station.as_str().as_bytes()];
    let [first, second, ..] = key.tag("decoy", &names);
    let drawn = u16::from_be_bytes([first, second]) % 1000;
    Verifier::decoy(drawn < book.slow_per_mille())
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
