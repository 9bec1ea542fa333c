//! `--network`: a private test network in place of the public one (TOR-31).

use std::net::SocketAddr;
use std::path::Path;

use serde::Deserialize;

use crate::cli::Fault;

/// What `net.json` of `tornet` tells a client; its other fields are for others.
#[derive(Deserialize)]
pub(crate) struct PrivateNetwork {
    v: u32,
    pub(crate) fallback_caches: Vec<Relay>,
    /// Identity fingerprints of the directory authorities, hex.
    pub(crate) v3idents: Vec<String>,
}

/// A relay to fetch the first directory from.
#[derive(Deserialize)]
pub(crate) struct Relay {
    /// RSA identity, hex.
    pub(crate) rsa_identity: String,
    /// Ed25519 identity, base64 without padding.
    pub(crate) ed_identity: String,
    pub(crate) orports: Vec<SocketAddr>,
}

impl PrivateNetwork {
    /// Reads the file; without one the network is the public one.
    pub(crate) fn load(path: Option<&Path>) -> Result<Option<Self>, Fault> {
        let Some(path) = path else { return Ok(None) };
        let wrong = |what: &str| Fault::Use(format!("--network {}: {what}", path.display()));
        let text = std::fs::read(path).map_err(|error| wrong(&error.to_string()))?;
        let network: Self =
            serde_json::from_slice(&text).map_err(|_| wrong("is no description of a network"))?;
        if network.v != 1 || network.fallback_caches.is_empty() || network.v3idents.is_empty() {
            return Err(wrong("is no description of a network"));
        }
        Ok(Some(network))
    }
}
