//! `[[route]]`: which path leads to which CSMS, and how the gate shows itself there.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use gateway::Target;

use super::listener::{IdentityFiles, Listener, identity};
use super::located;
use super::source::Placed;
use super::table::Section;

/// The tenant of those who have only one.
pub(crate) const TENANT: &str = "default";
/// A name in the table stays short enough for a log line and a metric's label.
const NAME_CHARS_MAX: usize = 64;

/// One line of the route table.
#[derive(Clone, Debug)]
pub struct RouteSettings {
    /// Its name.
    pub id: Placed<String>,
    /// `/ocpp/{identity}`
    pub path: Placed<String>,
    /// Whose stations come this way.
    pub tenant: String,
    /// The CSMS's URL.
    pub upstream: Placed<String>,
    /// The same, read.
    pub target: Target,
    /// What the CSMS is shown.
    pub credential: RouteCredential,
    /// Roots that the CSMS's certificate must lead to.
    pub ca: Option<Placed<PathBuf>>,
    /// A client certificate to show the CSMS.
    pub client_certificate: Option<IdentityFiles>,
    /// Local addresses to connect from.
    pub bind: Vec<IpAddr>,
    /// A header in which the CSMS wants the station's certificate.
    pub certificate_header: Option<String>,
    /// The CPO, as it must stand in the certificates of stations that come this way.
    pub organization: Option<Placed<String>>,
    /// The CSMS is offered permessage-deflate.
    pub compression: bool,
}

/// What the CSMS is shown in place of, or as, the station's credential.
#[derive(Clone, Debug)]
pub enum RouteCredential {
    /// The station's own header.
    Forward,
    /// Nothing.
    None,
    /// One password for all, from this file.
    Fixed(Placed<PathBuf>),
    /// Each station's own.
    PerStation,
}

pub(super) fn routes(root: &mut Section<'_>, directory: &Path) -> Vec<RouteSettings> {
    let sections = root.sections("route");
    if sections.is_empty() {
        root.problem(
            1,
            "there is no [[route]], so no station would reach a CSMS",
            "Add one: [[route]], id = \"main\", path = \"/ocpp/{identity}\", upstream = \"wss://csms.example/ocpp\"",
        );
    }
    let mut routes: Vec<RouteSettings> = Vec::new();
    for mut section in sections {
        if let Some(route) = route(&mut section, directory) {
            for other in &routes {
                tell_same(&section, "id", &other.id, &route.id);
                tell_same(&section, "path", &other.path, &route.path);
            }
            routes.push(route);
        }
        section.finish();
    }
    routes
}

fn tell_same(section: &Section<'_>, what: &str, other: &Placed<String>, this: &Placed<String>) {
    if other.value == this.value {
        section.problem(
            this.line,
            format!("the route of line {} has this {what} already", other.line),
            format!("Give each route {what} a value of its own."),
        );
    }
}

fn route(section: &mut Section<'_>, directory: &Path) -> Option<RouteSettings> {
    let id = section.needed_text("id", "main");
    let path = section.needed_text("path", "/ocpp/{identity}");
    let tenant = section.text("tenant");
    let upstream = upstream(section);
    let credential = credential(section, directory);
    let ca = section
        .text("ca")
        .map(|text| text.with(located(directory, &text.value)));
    let pair = section.section("client_certificate");
    let client_certificate = if pair.is_there() {
        identity(pair, directory)
    } else {
        None
    };
    let bind = bind(section);
    let certificate_header = header(section);
    let organization = section.text("organization");
    let compression = section.choice("compression", &[("off", false), ("offer", true)], false);
    for name in id.iter().chain(tenant.iter()) {
        check_name(section, name);
    }
    if let Some(path) = &path {
        check_path(section, path);
    }
    let (upstream, target) = upstream?;
    Some(RouteSettings {
        id: id?,
        path: path?,
        tenant: tenant.map_or_else(|| TENANT.to_owned(), |text| text.value),
        upstream,
        target,
        credential,
        ca,
        client_certificate,
        bind,
        certificate_header,
        organization,
        compression,
    })
}

/// An organisation is only asked of certificates.
pub(super) fn tell_pointless_organizations(
    root: &Section<'_>,
    routes: &[RouteSettings],
    listeners: &[Listener],
) {
    if listeners
        .iter()
        .any(|listener| listener.client_ca.is_some())
    {
        return;
    }
    for text in routes
        .iter()
        .filter_map(|route| route.organization.as_ref())
    {
        root.problem(
            text.line,
            "`organization` is about client certificates, and no listener asks for any",
            "Add to the [[listener]]: client_ca = \"…\", or remove the line.",
        );
    }
}

fn upstream(section: &mut Section<'_>) -> Option<(Placed<String>, Target)> {
    let text = section.needed_text("upstream", "wss://csms.example/ocpp")?;
    match Target::parse(&text.value) {
        Ok(target) => Some((text, target)),
        Err(why) => {
            section.problem(
                text.line,
                format!("`upstream` is \"{}\": {why}", text.value),
                "Write it like \"wss://csms.example/ocpp\"; the identity is appended to it.",
            );
            None
        }
    }
}

fn credential(section: &mut Section<'_>, directory: &Path) -> RouteCredential {
    let words = [
        ("forward", 0_u8),
        ("none", 1),
        ("fixed", 2),
        ("per-station", 3),
    ];
    let line = section.line;
    let chosen = section.choice("credential", &words, 0);
    let file = section.text("password_file");
    match (chosen, file) {
        (2, Some(file)) => RouteCredential::Fixed(file.with(located(directory, &file.value))),
        (2, None) => {
            section.problem(
                line,
                "credential = \"fixed\" needs `password_file`",
                "Add: password_file = \"…\", a file that holds the password and nothing else.",
            );
            RouteCredential::None
        }
        (other, file) => {
            if let Some(file) = file {
                section.problem(
                    file.line,
                    "`password_file` is only for credential = \"fixed\"",
                    "Remove it, or set: credential = \"fixed\"",
                );
            }
            match other {
                0 => RouteCredential::Forward,
                3 => RouteCredential::PerStation,
                _ => RouteCredential::None,
            }
        }
    }
}

fn bind(section: &mut Section<'_>) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    for text in section.texts("bind") {
        match text.value.parse() {
            Ok(address) => addresses.push(address),
            Err(_) => section.problem(
                text.line,
                format!("\"{}\" in `bind` is no IP address", text.value),
                "Name addresses of this machine, such as bind = [\"192.0.2.10\", \"192.0.2.11\"].",
            ),
        }
    }
    addresses
}

/// RFC 9110, 5.6.2: a token.
fn header(section: &mut Section<'_>) -> Option<String> {
    let text = section.text("certificate_header")?;
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !text.value.bytes().all(is_token) {
        section.problem(
            text.line,
            format!("\"{}\" cannot be the name of a header", text.value),
            "Use letters, digits and hyphens, such as \"X-Client-Cert\".",
        );
        return None;
    }
    Some(text.value)
}

pub(super) fn check_name(section: &Section<'_>, name: &Placed<String>) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.value.len() > NAME_CHARS_MAX || !name.value.chars().all(allowed) {
        section.problem(
            name.line,
            format!("\"{}\" cannot be a name", name.value),
            format!("Use up to {NAME_CHARS_MAX} letters, digits, hyphens, dots and underscores."),
        );
    }
}

/// What looks the same however a client percent-encodes it (RFC 3986, 2.3), and the slash.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte)
}

/// Literal segments, and `{identity}` as the last one, once.
fn check_path(section: &Section<'_>, path: &Placed<String>) {
    let why = match path.value.strip_suffix("/{identity}") {
        None => Some("it does not end in /{identity}"),
        Some(front) if front.contains(['{', '}']) => {
            Some("only the last segment may be {identity}")
        }
        Some(front) if !front.is_empty() && !front.starts_with('/') => Some("it begins with no /"),
        Some(front) if front.split('/').skip(1).any(str::is_empty) => {
            Some("it has an empty segment")
        }
        Some(front)
            if front
                .split('/')
                .any(|segment| matches!(segment, "." | "..")) =>
        {
            Some("`.` and `..` are no segments")
        }
        Some(front) if !front.bytes().all(is_plain) => {
            Some("its segments hold more than letters, digits and -._~")
        }
        Some(_) => None,
    };
    if let Some(why) = why {
        section.problem(
            path.line,
            format!("`path` is \"{}\": {why}", path.value),
            "Write it like \"/ocpp/{identity}\".",
        );
    }
}
