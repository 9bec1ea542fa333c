//! `net.json`: what a client of the network must know.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::keys::Authority;
use crate::{Error, Profile};

/// Contents of `net.json`, as `pvtcoms-tor --network` reads it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Net {
    /// Version of the file, 1.
    pub v: u32,
    /// Relays to fetch the first directory from.
    pub fallback_caches: Vec<FallbackCache>,
    /// Identity fingerprints of the directory authorities, hex.
    pub v3idents: Vec<String>,
    /// Values of `DirAuthority`, for the torrc of a C tor in the same network.
    pub dir_authorities: Vec<String>,
    /// For which pair of implementations the intervals are.
    pub profile: Profile,
    /// Folder of the network's data.
    pub dir: PathBuf,
}

/// One relay.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FallbackCache {
    /// RSA identity, hex.
    pub rsa_identity: String,
    /// Ed25519 identity, base64 without padding.
    pub ed_identity: String,
    /// Addresses of its ORPorts.
    pub orports: Vec<SocketAddr>,
}

impl Net {
    pub(crate) fn new(authorities: &[Authority], profile: Profile, dir: &Path) -> Self {
        let cache = |a: &Authority| FallbackCache {
            rsa_identity: a.rsa_identity.clone(),
            ed_identity: a.ed_identity.clone(),
            orports: vec![SocketAddr::from(([127, 0, 0, 1], a.or_port))],
        };
        Self {
            v: 1,
            fallback_caches: authorities.iter().map(cache).collect(),
            v3idents: authorities.iter().map(|a| a.v3ident.clone()).collect(),
            dir_authorities: authorities.iter().map(Authority::line).collect(),
            profile,
            dir: dir.to_owned(),
        }
    }

    /// Reads `net.json`.
    ///
    /// # Errors
    /// [`Error::File`] or [`Error::Format`].
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = fs::read(path).map_err(Error::file(path))?;
        serde_json::from_slice(&text).map_err(|_| Error::Format { path: path.to_owned() })
    }

    pub(crate) fn save(&self, path: &Path) -> Result<(), Error> {
        let text =
            serde_json::to_vec_pretty(self).map_err(|_| Error::Format { path: path.to_owned() })?;
        fs::write(path, text).map_err(Error::file(path))
    }
}
