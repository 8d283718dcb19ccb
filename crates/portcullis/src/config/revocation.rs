//! The revocation lists of one listener: read at the start, and again when a file changes. What
//! cannot be read leaves the last good lists in force.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use gateway::read_revocation_lists;
use guard::admission::{
    CertificateRules, OnStaleList, RevocationList, RevocationRules, Revocations,
};

use super::materials::read_bounded;
use super::stamp::Stamp;
use super::{ClientRules, Listener, Placed};

/// Some 200,000 revoked certificates.
const LIST_BYTES_MAX: u64 = 8 << 20;

/// What helps against most of it.
pub(super) const REMEDY: &str =
    "Have the CA make a new one; `portcullis ca revoke` does for its own.";

/// The lists of one listener, and where the gate asks them.
#[derive(Debug)]
pub struct ListenerLists {
    listener: SocketAddr,
    client_ca: Vec<u8>,
    client: ClientRules,
    files: Vec<ListFile>,
    rules: Arc<ArcSwap<CertificateRules>>,
}

/// One file, as it was when it could last be read.
#[derive(Debug)]
pub(crate) struct ListFile {
    pub(crate) path: PathBuf,
    /// The last good lists.
    pub(crate) lists: Vec<RevocationList>,
    /// Why the file as it is now is none; the last good lists are in force.
    pub(crate) trouble: Option<String>,
    stamp: Stamp,
}

impl ListenerLists {
    /// Reads the lists of a listener; also what is wrong, by the line that names the file.
    pub(super) fn read(
        listener: &Listener,
        client_ca: &[u8],
    ) -> (ListenerLists, Vec<(usize, String)>) {
        let mut problems = Vec::new();
        let mut files = Vec::new();
        for Placed { value: path, line } in &listener.client.lists {
            let stamp = Stamp::of(path);
            let lists = match read(path, client_ca) {
                Ok(lists) => lists,
                Err(what) => {
                    problems.push((*line, format!("{}: {what}", path.display())));
                    Vec::new()
                }
            };
            files.push(ListFile {
                path: path.clone(),
                lists,
                trouble: None,
                stamp,
            });
        }
        let lists = ListenerLists {
            listener: listener.address.value,
            client_ca: client_ca.to_vec(),
            client: listener.client.clone(),
            files,
            rules: ListenerLists::none(&listener.client),
        };
        lists.put_in_force();
        (lists, problems)
    }

    /// The rules of a listener without lists.
    pub(super) fn none(client: &ClientRules) -> Arc<ArcSwap<CertificateRules>> {
        Arc::new(ArcSwap::from_pointee(CertificateRules {
            organization: client.organization.clone(),
            revocation: None,
        }))
    }

    /// Where the gate asks.
    pub(crate) fn rules(&self) -> &Arc<ArcSwap<CertificateRules>> {
        &self.rules
    }

    /// Keeps the rules of lists that were read before, which the gate and its sessions ask: what has
    /// been read now goes there.
    pub(crate) fn continue_in(&mut self, before: &Arc<ArcSwap<CertificateRules>>) {
        self.rules = Arc::clone(before);
        self.put_in_force();
    }

    /// Whose lists they are.
    pub(crate) fn listener(&self) -> SocketAddr {
        self.listener
    }

    /// The client CA, PEM.
    pub(crate) fn client_ca(&self) -> &[u8] {
        &self.client_ca
    }

    /// What the files hold.
    pub(crate) fn files(&self) -> &[ListFile] {
        &self.files
    }

    /// Whether a list that was due then is used no more, unless `crl_stale` says so.
    pub(crate) fn is_out_of_grace(&self, next_update: i64, now: i64) -> bool {
        let rules = self.rules.load();
        let revocation = rules.revocation.as_ref();
        revocation.is_some_and(|rules| rules.is_out_of_grace(next_update, now))
    }

    /// What becomes of the certificates of such a list.
    pub(crate) fn on_stale(&self) -> OnStaleList {
        self.client.stale
    }

    /// Reads the files that have changed. True if other lists are in force now.
    pub(crate) fn refresh(&mut self) -> bool {
        let mut changed = false;
        for file in &mut self.files {
            let stamp = Stamp::of(&file.path);
            if stamp == file.stamp {
                continue;
            }
            match read(&file.path, &self.client_ca) {
                Ok(lists) => {
                    changed |= lists != file.lists;
                    file.lists = lists;
                    file.trouble = None;
                }
                Err(what) => file.trouble = Some(what),
            }
            // Looked at before it was read: who writes in between is seen the next time.
            file.stamp = stamp;
        }
        if changed {
            self.put_in_force();
        }
        changed
    }

    fn put_in_force(&self) {
        let lists = self
            .files
            .iter()
            .flat_map(|file| file.lists.iter().cloned());
        self.rules.store(Arc::new(CertificateRules {
            organization: self.client.organization.clone(),
            revocation: Some(RevocationRules {
                revocations: Revocations::of(lists),
                grace: self.client.grace,
                stale: self.client.stale,
            }),
        }));
    }
}

fn read(path: &Path, client_ca: &[u8]) -> Result<Vec<RevocationList>, String> {
    let bytes = read_bounded(path, LIST_BYTES_MAX)?;
    read_revocation_lists(&bytes, client_ca).map_err(|error| error.to_string())
}
