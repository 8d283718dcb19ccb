//! A station's certificate, as admission and the CSMS want to know it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use aws_lc_rs::digest;
use guard::UnixMillis;
use guard::admission::{
    CertificateFacts, CertificateFault, CertificateRules, ClientCertificate, Serial,
};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::AttributeTypeAndValue;

/// A client certificate whose key the station has proved to hold.
pub(crate) struct PeerCertificate {
    pub(crate) der: Vec<u8>,
    facts: Option<CertificateFacts>,
}

impl PeerCertificate {
    /// Reads the leaf that TLS has verified against the listener's client CA, now or when the session
    /// that is resumed was made.
    pub(crate) fn read(der: &[u8]) -> PeerCertificate {
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest::digest(&digest::SHA256, der).as_ref());
        PeerCertificate {
            der: der.to_vec(),
            facts: facts(der, fingerprint),
        }
    }

    /// What admission compares, if the certificate keeps the listener's rules, and the route's.
    pub(crate) fn claim(
        &self,
        rules: &CertificateRules,
        of_route: Option<&str>,
        now: UnixMillis,
    ) -> Result<ClientCertificate, CertificateFault> {
        let facts = self.facts.clone().ok_or(CertificateFault::Unreadable)?;
        facts.vet(rules, of_route, now)
    }

    /// What is remembered of it while its session runs.
    pub(crate) fn shown(
        &self,
        rules: &Arc<ArcSwap<CertificateRules>>,
        trust: &Trust,
    ) -> Option<ShownCertificate> {
        let facts = self.facts.as_ref()?;
        Some(ShownCertificate {
            issuer: facts.issuer.as_slice().into(),
            serial: facts.serial,
            common_name: facts.common_name.as_deref().map(Into::into),
            rules: Arc::clone(rules),
            trust: trust.clone(),
        })
    }

    /// SHA-256 of it, where it can be read.
    pub(crate) fn fingerprint(&self) -> Option<[u8; 32]> {
        self.facts.as_ref().map(|facts| facts.fingerprint)
    }

    /// The subject's common name, if there is exactly one.
    pub(crate) fn common_name(&self) -> Option<&str> {
        self.facts.as_ref()?.common_name.as_deref()
    }
}

/// The certificate that a running session was let in with, and who may take it back.
pub(crate) struct ShownCertificate {
    issuer: Box<[u8]>,
    serial: Serial,
    common_name: Option<Box<str>>,
    rules: Arc<ArcSwap<CertificateRules>>,
    trust: Trust,
}

/// What a listener's client CA vouched for when somebody came: all of it is over when less is
/// vouched for, also for those who were still on their way in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trust {
    latest: Arc<AtomicU64>,
    of: u64,
}

impl Trust {
    /// The one that takes its place, once it is in force.
    pub(crate) fn renewed(&self) -> Trust {
        Trust {
            latest: Arc::clone(&self.latest),
            of: self.of + 1,
        }
    }

    /// Whatever was trusted before is to be proved anew.
    pub(crate) fn bring_into_force(&self) {
        self.latest.store(self.of, Ordering::Release);
    }

    fn is_over(&self) -> bool {
        self.latest.load(Ordering::Acquire) > self.of
    }
}

impl ShownCertificate {
    /// The rules that it was let in under.
    pub(crate) fn rules(&self) -> &Arc<ArcSwap<CertificateRules>> {
        &self.rules
    }

    /// The subject's common name, if there is exactly one.
    pub(crate) fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }

    /// Whether it has been taken back by now, or proves nothing any more.
    pub(crate) fn is_revoked(&self) -> bool {
        self.trust.is_over() || self.rules.load().revokes(&self.issuer, &self.serial)
    }
}

fn facts(der: &[u8], fingerprint: [u8; 32]) -> Option<CertificateFacts> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(CertificateFacts {
        fingerprint,
        common_name: only(certificate.subject().iter_common_name()),
        organization: only(certificate.subject().iter_organization()),
        issuer: certificate.issuer().as_raw().to_vec(),
        serial: Serial::new(certificate.raw_serial())?,
        not_before: certificate.validity().not_before.timestamp(),
        not_after: certificate.validity().not_after.timestamp(),
    })
}

/// The text of an attribute, if there is exactly one: two of them would let two readers disagree.
fn only<'n>(mut names: impl Iterator<Item = &'n AttributeTypeAndValue<'n>>) -> Option<String> {
    let name = names.next()?.as_str().ok()?.to_owned();
    names.next().is_none().then_some(name)
}
