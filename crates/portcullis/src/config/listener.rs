//! `[[listener]]`: where stations come in, and what the gate shows and asks for there.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use guard::Network;
use guard::admission::OnStaleList;

use super::located;
use super::source::Placed;
use super::table::Section;

/// One address that stations connect to.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Address and port.
    pub address: Placed<SocketAddr>,
    /// Clear text, on a network that the operator trusts (security profile 1).
    pub plain: bool,
    /// What the gate shows; several, so that ECDSA and RSA can stand side by side.
    pub certificates: Vec<IdentityFiles>,
    /// Whose client certificates are accepted (security profile 3).
    pub client_ca: Option<Placed<PathBuf>>,
    /// Load balancers that say by the PROXY protocol whom they connect for.
    pub proxy_protocol_from: Vec<Network>,
    /// What else a client certificate has to be.
    pub client: ClientRules,
}

/// What a listener asks of client certificates beyond the CA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRules {
    /// The CPO, as it stands in their subject.
    pub organization: Option<String>,
    /// Revocation lists of the client CA.
    pub lists: Vec<Placed<PathBuf>>,
    /// How long a list that is past its next update is used all the same.
    pub grace: Duration,
    /// And what becomes of its certificates then.
    pub stale: OnStaleList,
}

/// Where a certificate chain and its key lie.
#[derive(Clone, Debug)]
pub struct IdentityFiles {
    /// The chain, leaf first, PEM.
    pub chain: Placed<PathBuf>,
    /// The private key, PEM.
    pub key: Placed<PathBuf>,
}

pub(super) fn listeners(root: &mut Section<'_>, directory: &Path) -> Vec<Listener> {
    let sections = root.sections("listener");
    if sections.is_empty() {
        root.problem(
            1,
            "there is no [[listener]], so no station can come in",
            "Add one: [[listener]], address = \"0.0.0.0:8443\", certificates = [{ chain = \"…\", key = \"…\" }]",
        );
    }
    let mut listeners: Vec<Listener> = Vec::new();
    for mut section in sections {
        let listener = listener(&mut section, directory);
        if let Some(listener) = listener {
            let twice = listeners.iter().find(|other| {
                other.address.value == listener.address.value && listener.address.value.port() != 0
            });
            if let Some(other) = twice {
                section.problem(
                    listener.address.line,
                    format!(
                        "line {} listens on {} already",
                        other.address.line, other.address.value
                    ),
                    "Give each listener an address or a port of its own.",
                );
            }
            listeners.push(listener);
        }
        section.finish();
    }
    listeners
}

fn listener(section: &mut Section<'_>, directory: &Path) -> Option<Listener> {
    let line = section.line;
    let address = section.needed_text("address", "0.0.0.0:8443");
    let plain = section.flag("plain", false);
    let trusted = section.flag("trusted_network", false);
    let certificates: Vec<IdentityFiles> = section
        .sections("certificates")
        .into_iter()
        .filter_map(|pair| identity(pair, directory))
        .collect();
    let client_ca = section
        .text("client_ca")
        .map(|text| text.with(located(directory, &text.value)));
    let proxy_protocol_from = networks(section, "proxy_protocol_from");
    let client = client_rules(section, client_ca.is_some(), directory);
    if plain && !trusted {
        section.problem(
            line,
            "a plain listener sends passwords and card numbers in clear text",
            "Use TLS (certificates = […]), or, where the network is closed to others, say so: trusted_network = true",
        );
    }
    if plain && (!certificates.is_empty() || client_ca.is_some()) {
        section.problem(
            line,
            "a listener is plain or has certificates, not both",
            "Remove `plain`, or move the certificates to another [[listener]].",
        );
    }
    if !plain && certificates.is_empty() && !section.has("certificates") {
        section.problem(
            line,
            "this listener has no certificate to show",
            "Add: certificates = [{ chain = \"…\", key = \"…\" }]. `portcullis ca issue server` makes them for a CPO without a PKI.",
        );
    }
    let text = address?;
    let Ok(value) = text.value.parse::<SocketAddr>() else {
        section.problem(
            text.line,
            format!(
                "`address` is \"{}\", which is no address with a port",
                text.value
            ),
            "Write it like \"0.0.0.0:8443\", \"192.0.2.7:443\" or \"[::]:8443\".",
        );
        return None;
    };
    Some(Listener {
        address: text.with(value),
        plain,
        certificates,
        client_ca,
        proxy_protocol_from,
        client,
    })
}

pub(super) fn networks(section: &mut Section<'_>, key: &'static str) -> Vec<Network> {
    let mut networks = Vec::new();
    for text in section.texts(key) {
        match text.value.parse() {
            Ok(network) => networks.push(network),
            Err(why) => section.problem(
                text.line,
                format!("\"{}\" in `{key}` is no network: {why}", text.value),
                "Write it like \"10.0.0.0/8\", \"2001:db8::/32\" or \"192.0.2.7\".",
            ),
        }
    }
    networks
}

/// A CRL is often made for a week; this bridges a long weekend in which nobody makes the next.
const GRACE_HOURS: u64 = 72;

fn client_rules(section: &mut Section<'_>, has_ca: bool, directory: &Path) -> ClientRules {
    let organization = section.text("organization");
    let lists = section.texts("client_crl");
    let without_ca = [
        ("organization", organization.iter().next()),
        ("client_crl", lists.first()),
    ];
    for (key, text) in without_ca {
        if let (Some(text), false) = (text, has_ca) {
            section.problem(
                text.line,
                format!("`{key}` is about client certificates, and this listener asks for none"),
                "Add: client_ca = \"…\", or remove the line.",
            );
        }
    }
    let hours = section.number("crl_grace_hours", 0..=8760, GRACE_HOURS);
    let choices = [
        ("refuse", OnStaleList::Refuse),
        ("allow", OnStaleList::Allow),
    ];
    ClientRules {
        organization: organization.map(|text| text.value),
        lists: lists
            .iter()
            .map(|text| text.with(located(directory, &text.value)))
            .collect(),
        grace: Duration::from_secs(hours * 3600),
        stale: section.choice("crl_stale", &choices, OnStaleList::Refuse),
    }
}

pub(super) fn identity(mut section: Section<'_>, directory: &Path) -> Option<IdentityFiles> {
    let chain = section.needed_text("chain", "certs/gate.pem");
    let key = section.needed_text("key", "certs/gate.key");
    section.finish();
    let (chain, key) = (chain?, key?);
    Some(IdentityFiles {
        chain: chain.with(located(directory, &chain.value)),
        key: key.with(located(directory, &key.value)),
    })
}
