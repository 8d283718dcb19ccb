//! Are the revocation lists there, of every client CA, and in date?

use guard::admission::OnStaleList;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::X509Name;

use super::Finding;
use super::certificates::day;
use crate::config::{ListFile, ListenerLists};

/// Looks at each listener's lists; `now` is in Unix seconds.
pub(crate) fn look(listeners: &[ListenerLists], now: i64) -> Vec<Finding> {
    let mut findings = Vec::new();
    for lists in listeners {
        findings.extend(lists.files().iter().map(|file| one(lists, file, now)));
        findings.extend(missing(lists));
    }
    findings
}

const RENEW: &str = "Have the CA make a new list and put it in the file's place; `portcullis ca revoke` does for its own. The gate sees it within seconds.";

fn one(lists: &ListenerLists, file: &ListFile, now: i64) -> Finding {
    let subject = format!(
        "revocation list {} of {}",
        file.path.display(),
        lists.listener()
    );
    let revoked: usize = file.lists.iter().map(|list| list.revoked().len()).sum();
    let made = file.lists.iter().map(|list| list.this_update()).min();
    let due = file.lists.iter().map(|list| list.next_update()).min();
    let (made, due) = (made.unwrap_or_default(), due.unwrap_or_default());
    let says = format!(
        "{revoked} certificates revoked, made on {}, {} hours ago, the next one due on {}",
        day(made),
        (now - made) / 3600,
        day(due)
    );
    let overdue = now > due;
    let unusable = lists.is_out_of_grace(due, now);
    if overdue && unusable && lists.on_stale() == OnStaleList::Refuse {
        let what = format!("is overdue: {says}; stations with a certificate of its CA are refused");
        return Finding::fail(subject, what, RENEW);
    }
    if let Some(trouble) = &file.trouble {
        let what = format!("{trouble}; the last good one is in force: {says}");
        return Finding::warn(subject, what, RENEW);
    }
    match overdue {
        true => Finding::warn(subject, format!("is overdue and still used: {says}"), RENEW),
        false => Finding::ok(subject, says),
    }
}

/// An authority of the client CA without a list: its certificates are refused.
fn missing(lists: &ListenerLists) -> Vec<Finding> {
    let has_list = |name: &X509Name<'_>| {
        let mut all = lists.files().iter().flat_map(|file| &file.lists);
        all.any(|list| list.issuer() == name.as_raw())
    };
    let mut findings = Vec::new();
    for der in CertificateDer::pem_slice_iter(lists.client_ca()).flatten() {
        let Ok((_, authority)) = X509Certificate::from_der(&der) else {
            continue;
        };
        let name = authority.subject();
        let subject = format!("revocation list for {name} of {}", lists.listener());
        findings.push(match has_list(name) {
            true => Finding::ok(subject, "is there"),
            false => Finding::warn(
                subject,
                "there is none, so stations with its certificates are refused",
                "Name its list in `client_crl`, or take it out of `client_ca`.",
            ),
        });
    }
    findings
}
