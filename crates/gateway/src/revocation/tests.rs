use guard::admission::{Known, Revocations};
use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
    CrlIssuingDistributionPoint, CrlScope, DnType, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};

use super::*;

struct Ca {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

fn ca(name: &str, usages: &[KeyUsagePurpose]) -> Ca {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = usages.to_vec();
    let pem = params.self_signed(&key).unwrap().pem();
    // rcgen itself would not sign what the certificate does not allow.
    params.key_usages.clear();
    let issuer = Issuer::new(params, key);
    Ca { pem, issuer }
}

fn params(serials: &[u64]) -> CertificateRevocationListParams {
    let revoked = |serial: &u64| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: date_time_ymd(2026, 1, 1),
        reason_code: None,
        invalidity_date: None,
    };
    CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 1, 2),
        next_update: date_time_ymd(2026, 1, 9),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: serials.iter().map(revoked).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    }
}

impl Ca {
    fn list(&self, serials: &[u64]) -> String {
        let list = params(serials).signed_by(&self.issuer).unwrap();
        list.pem().unwrap()
    }

    fn scoped(&self, scope: CrlScope) -> String {
        let uris = vec!["http://ca.example/list".to_owned()];
        let params = CertificateRevocationListParams {
            issuing_distribution_point: Some(CrlIssuingDistributionPoint {
                distribution_point: CrlDistributionPoint { uris },
                scope: Some(scope),
            }),
            ..params(&[1])
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

fn serial(number: u64) -> Serial {
    Serial::new(&number.to_be_bytes()).unwrap()
}

#[test]
fn a13_lists_of_several_authorities_stand_in_one_file() {
    let (one, two) = (ca("one", &[]), ca("two", &[]));
    let file = one.list(&[5, 300]) + &two.list(&[]);
    let roots = one.pem.clone() + &two.pem;
    let lists = read_revocation_lists(file.as_bytes(), roots.as_bytes()).unwrap();
    let revocations = Revocations::of(lists);
    let [first, second] = revocations.lists() else {
        panic!("{revocations:?}");
    };
    assert_eq!(first.next_update() - first.this_update(), 7 * 86_400);
    for number in [5, 300] {
        let known = revocations.look_up(first.issuer(), &serial(number));
        assert_eq!(known, Known::Revoked);
        let known = revocations.look_up(second.issuer(), &serial(number));
        assert!(matches!(known, Known::Good { .. }), "{known:?}");
    }
}

#[test]
fn a13_der_is_read_as_well_as_pem() {
    let ca = ca("one", &[KeyUsagePurpose::CrlSign]);
    let list = params(&[7]).signed_by(&ca.issuer).unwrap();
    let lists = read_revocation_lists(list.der(), ca.pem.as_bytes()).unwrap();
    assert_eq!(lists[0].revoked(), [serial(7)]);
    let mut trailing = list.der().to_vec();
    trailing.push(0);
    let found = read_revocation_lists(&trailing, ca.pem.as_bytes());
    assert_eq!(found, Err(RevocationError::Unreadable));
}

#[test]
fn a13_a_list_that_the_client_ca_has_not_signed_is_none() {
    let ours = ca("one", &[]);
    let list = ours.list(&[7]);
    let found = |list: &str, roots: &str| {
        read_revocation_lists(list.as_bytes(), roots.as_bytes()).unwrap_err()
    };
    let stranger = found(&list, &ca("two", &[]).pem);
    assert!(
        matches!(stranger, RevocationError::Stranger { .. }),
        "{stranger}"
    );
    let same_name = found(&list, &ca("one", &[]).pem);
    assert!(
        matches!(same_name, RevocationError::Signature { .. }),
        "{same_name}"
    );
    let no_usage = ca("one", &[KeyUsagePurpose::KeyCertSign]);
    let not_allowed = found(&no_usage.list(&[7]), &no_usage.pem);
    assert!(
        matches!(not_allowed, RevocationError::Signature { .. }),
        "{not_allowed}"
    );
    // An authority that has changed its key and kept its name is both.
    let roots = ca("one", &[]).pem + &ours.pem;
    assert!(read_revocation_lists(list.as_bytes(), roots.as_bytes()).is_ok());
    assert_eq!(found("nothing here", &ours.pem), RevocationError::None);
    assert_eq!(
        found(&list.repeat(LISTS_MAX + 1), &ours.pem),
        RevocationError::TooMany
    );
}

#[test]
fn a13_a_list_about_something_else_is_none() {
    let ca = ca("one", &[]);
    let of_stations = ca.scoped(CrlScope::UserCertsOnly);
    assert!(read_revocation_lists(of_stations.as_bytes(), ca.pem.as_bytes()).is_ok());
    let of_authorities = ca.scoped(CrlScope::CaCertsOnly);
    let found = read_revocation_lists(of_authorities.as_bytes(), ca.pem.as_bytes());
    assert!(
        matches!(found, Err(RevocationError::Unsupported { .. })),
        "{found:?}"
    );
}

#[test]
fn a13_a_list_with_one_wrong_bit_is_none_or_says_the_same() {
    let ca = ca("one", &[]);
    let list = params(&[5, 7]).signed_by(&ca.issuer).unwrap();
    let der = list.der().to_vec();
    let good = read_revocation_lists(&der, ca.pem.as_bytes()).unwrap();
    let (_, parsed) = CertificateRevocationList::from_der(&der).unwrap();
    let signed = parsed.tbs_cert_list.as_ref().len();
    for place in 0..der.len() {
        for bit in 0..8 {
            let mut broken = der.clone();
            broken[place] ^= 1 << bit;
            // Around what is signed, the parser takes some tags for others; the list is the same.
            if let Ok(lists) = read_revocation_lists(&broken, ca.pem.as_bytes()) {
                assert!(place > signed, "bit {bit} of byte {place}");
                assert_eq!(lists, good, "bit {bit} of byte {place}");
            }
        }
    }
}

proptest! {
    #[test]
    fn a13_no_bytes_make_us_panic(file in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_revocation_lists(&file, &file);
        let _ = crate::certificate::PeerCertificate::read(&file);
    }
}
