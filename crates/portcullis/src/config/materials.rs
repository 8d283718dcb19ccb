//! The files that the configuration names, read and looked into, each problem at the line that
//! names the file. Out of it comes what the gateway is started with.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use gateway::{
    ListenerSettings, PasswordSettings, PemIdentity, Settings, TlsSettings, UpstreamSettings,
};
use guard::admission::{CertificateRules, Exception, Exceptions, PathSecret};
use guard::{Route, RouteId, Secret, Tenant, UpstreamCredential};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroizing;

use super::revocation::{self, ListenerLists};
use super::{
    Config, ExceptionSettings, IdentityFiles, Listener, Placed, RouteCredential, RouteSettings,
};
use crate::Problem;

/// A certificate chain, a key or a password is some kilobytes; more is another file.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What the gateway is started with.
pub struct Materials {
    /// Listeners, upstreams and limits.
    pub settings: Settings,
    /// The route table of the file.
    pub routes: Vec<Route>,
    /// Every certificate we show or trust, with its dates.
    pub certificates: Vec<CertificateDates>,
    /// The revocation lists of each listener that has some.
    pub lists: Vec<ListenerLists>,
}

/// When a certificate is valid.
#[derive(Clone, Debug)]
pub struct CertificateDates {
    /// The file it is in.
    pub file: PathBuf,
    /// The line of the configuration that names the file.
    pub line: usize,
    /// Whose it is, as it says itself.
    pub subject: String,
    /// Unix seconds.
    pub not_before: i64,
    /// Unix seconds.
    pub not_after: i64,
}

impl Materials {
    /// Reads every file that the configuration names.
    pub fn load(config: &Config) -> Result<Materials, Vec<Problem>> {
        let mut reader = FileReader {
            config,
            problems: Vec::new(),
            certificates: Vec::new(),
            lists: Vec::new(),
        };
        let listeners = config.listeners.iter().map(|listener| ListenerSettings {
            address: listener.address.value,
            proxy_protocol_from: listener.proxy_protocol_from.clone(),
            tls: (!listener.plain).then(|| reader.tls(listener)),
        });
        let listeners = listeners.collect();
        let mut upstreams = HashMap::new();
        let mut routes = Vec::new();
        for route in &config.routes {
            let id = RouteId(Arc::from(route.id.value.as_str()));
            upstreams.insert(id.clone(), reader.upstream(route));
            routes.push(reader.route(id, route));
        }
        let exceptions = config.exceptions.iter().map(|one| reader.exception(one));
        let exceptions = Exceptions::new(exceptions.collect::<Vec<_>>());
        if !reader.problems.is_empty() {
            return Err(reader.problems);
        }
        Ok(Materials {
            settings: Settings {
                listeners,
                upstreams,
                limits: config.limits.clone(),
                exempt_sources: config.exempt_sources.clone(),
                attempts: config.attempts.clone(),
                canaries: config.canaries.clone(),
                exceptions: Arc::new(exceptions),
                session: config.session.clone(),
                workers: config.workers,
                // The rest wants the key file, and whoever keeps the register.
                passwords: PasswordSettings {
                    weak: config.passwords.weak,
                    change_time: config.passwords.change_time,
                    ..PasswordSettings::default()
                },
            },
            routes,
            certificates: reader.certificates,
            lists: reader.lists,
        })
    }
}

struct FileReader<'c> {
    config: &'c Config,
    problems: Vec<Problem>,
    certificates: Vec<CertificateDates>,
    lists: Vec<ListenerLists>,
}

impl FileReader<'_> {
    fn problem(&mut self, line: usize, what: String, remedy: &str) {
        let problem = Problem::new(what, remedy).in_file(self.config.name.clone());
        self.problems.push(problem.at_line(line));
    }

    fn read(&mut self, file: &Placed<PathBuf>) -> Option<Zeroizing<Vec<u8>>> {
        match read_bounded(&file.value, FILE_BYTES_MAX) {
            Ok(bytes) => Some(bytes),
            Err(why) => {
                let what = format!("{}: {why}", file.value.display());
                self.problem(
                    file.line,
                    what,
                    "See that the file is there and that this user may read it; paths are meant from the directory of the configuration file.",
                );
                None
            }
        }
    }

    fn tls(&mut self, listener: &Listener) -> TlsSettings {
        let identities = self.identities(&listener.certificates);
        let client_ca = listener.client_ca.as_ref();
        let client_ca = client_ca.and_then(|file| self.roots(file));
        let rules = match &client_ca {
            Some(roots) if !listener.client.lists.is_empty() => self.lists(listener, roots),
            _ => ListenerLists::none(&listener.client),
        };
        TlsSettings {
            identities,
            client_ca,
            certificate_rules: rules,
        }
    }

    /// Reads the revocation lists of a listener and notes them for those who keep them fresh.
    fn lists(&mut self, listener: &Listener, client_ca: &[u8]) -> Arc<ArcSwap<CertificateRules>> {
        let (lists, problems) = ListenerLists::read(listener, client_ca);
        for (line, what) in problems {
            self.problem(line, what, revocation::REMEDY);
        }
        let rules = Arc::clone(lists.rules());
        self.lists.push(lists);
        rules
    }

    fn identities(&mut self, files: &[IdentityFiles]) -> Vec<PemIdentity> {
        files
            .iter()
            .filter_map(|files| self.identity(files))
            .collect()
    }

    fn identity(&mut self, files: &IdentityFiles) -> Option<PemIdentity> {
        let chain_der = self.certificates(&files.chain, false);
        let key_pem = self.read(&files.key)?;
        let key = match PrivateKeyDer::from_pem_slice(&key_pem) {
            Ok(key) => key,
            Err(_) => {
                let what = format!(
                    "{}: there is no private key in it",
                    files.key.value.display()
                );
                self.problem(
                    files.key.line,
                    what,
                    "Name a PEM file with a PRIVATE KEY that has no passphrase.",
                );
                return None;
            }
        };
        let (chain_der, chain) = chain_der?;
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        if let Err(error) = CertifiedKey::from_der(chain_der, key, &provider) {
            let what = format!(
                "{} and {} do not go together: {error}",
                files.chain.value.display(),
                files.key.value.display()
            );
            self.problem(
                files.chain.line,
                what,
                "Name the key that belongs to the first certificate of the chain.",
            );
            return None;
        }
        Some(PemIdentity {
            chain: chain.to_vec(),
            key: Secret::new(key_pem.to_vec()),
        })
    }

    fn roots(&mut self, file: &Placed<PathBuf>) -> Option<Vec<u8>> {
        self.certificates(file, true).map(|(_, pem)| pem.to_vec())
    }

    /// Reads the certificates of a PEM file and notes their dates; of a chain only the leaf's, since
    /// the peers have the rest from elsewhere.
    fn certificates(
        &mut self,
        file: &Placed<PathBuf>,
        are_roots: bool,
    ) -> Option<(Vec<CertificateDer<'static>>, Zeroizing<Vec<u8>>)> {
        let pem = self.read(file)?;
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let found = found.ok().filter(|found| !found.is_empty());
        let Some(found) = found else {
            let what = format!("{}: there is no certificate in it", file.value.display());
            self.problem(
                file.line,
                what,
                "Name a PEM file with BEGIN CERTIFICATE in it.",
            );
            return None;
        };
        let noted = if are_roots { found.len() } else { 1 };
        for certificate in found.iter().take(noted) {
            let Ok((_, parsed)) = X509Certificate::from_der(certificate) else {
                let what = format!(
                    "{}: a certificate in it cannot be read",
                    file.value.display()
                );
                self.problem(
                    file.line,
                    what,
                    "Have it issued anew; `openssl x509 -text` shows what is wrong.",
                );
                return None;
            };
            self.certificates.push(CertificateDates {
                file: file.value.clone(),
                line: file.line,
                subject: parsed.subject().to_string(),
                not_before: parsed.validity().not_before.timestamp(),
                not_after: parsed.validity().not_after.timestamp(),
            });
        }
        Some((found, pem))
    }

    fn upstream(&mut self, route: &RouteSettings) -> UpstreamSettings {
        UpstreamSettings {
            ca: route.ca.as_ref().and_then(|file| self.roots(file)),
            identity: route
                .client_certificate
                .as_ref()
                .and_then(|files| self.identity(files)),
            bind: route.bind.clone(),
            certificate_header: route.certificate_header.clone(),
            compression: route.compression,
        }
    }

    fn route(&mut self, id: RouteId, route: &RouteSettings) -> Route {
        let credential = match &route.credential {
            RouteCredential::Forward => UpstreamCredential::Forward,
            RouteCredential::None => UpstreamCredential::None,
            RouteCredential::PerStation => UpstreamCredential::PerStation,
            RouteCredential::Fixed(file) => UpstreamCredential::Fixed(self.password(file)),
        };
        Route {
            id,
            path: route.path.value.clone(),
            tenant: Tenant(Arc::from(route.tenant.as_str())),
            upstream: route.upstream.value.clone(),
            credential,
            organization: route.organization.as_ref().map(|text| text.value.clone()),
        }
    }

    fn exception(&mut self, exception: &ExceptionSettings) -> Exception {
        let path_secret = exception.path_secret.as_ref();
        Exception {
            kind: exception.kind,
            tenant: Tenant(Arc::from(exception.tenant.as_str())),
            stations: exception.stations.clone(),
            until: exception.ends(),
            networks: exception.networks.clone(),
            path_secret: path_secret.map(|file| self.path_secret(file)),
            tls_fingerprints: exception.tls_fingerprints.clone(),
            boot: exception.boot.clone(),
            reason: exception.reason.clone(),
        }
    }

    /// A secret segment alone in a file, of letters that look the same however they are encoded.
    fn path_secret(&mut self, file: &Placed<PathBuf>) -> PathSecret {
        let Some(bytes) = self.read(file) else {
            return PathSecret::of("");
        };
        let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
        let text = text.trim_end_matches(['\r', '\n']);
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let length = PathSecret::CHARS_MIN..=PathSecret::CHARS_MAX;
        if !length.contains(&text.len()) || !text.bytes().all(is_plain) {
            let what = format!("{}: this is no secret for a path", file.value.display());
            self.problem(
                file.line,
                what,
                "Write 16 to 128 letters, digits and -._~ into the file, drawn by a machine: openssl rand -hex 16",
            );
        }
        PathSecret::of(text)
    }

    /// A password alone in a file; the line break that an editor leaves at its end is not part of it.
    fn password(&mut self, file: &Placed<PathBuf>) -> Secret {
        let bytes = self.read(file).unwrap_or_default();
        let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.is_empty() && self.problems.is_empty() {
            let what = format!("{}: the password is empty", file.value.display());
            self.problem(
                file.line,
                what,
                "Write the password into the file, and nothing else.",
            );
        }
        Secret::new(text.to_vec())
    }
}

/// Reads a file that is one, and no longer than that.
pub(super) fn read_bounded(path: &Path, bytes_max: u64) -> Result<Zeroizing<Vec<u8>>, String> {
    let meta = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !meta.is_file() {
        return Err("it is no file".to_owned());
    }
    if meta.len() > bytes_max {
        return Err(format!("it is longer than {bytes_max} bytes"));
    }
    std::fs::read(path)
        .map(Zeroizing::new)
        .map_err(|error| error.to_string())
}
