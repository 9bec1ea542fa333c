//! Authority keys: made once for each version of tor and each port block, then kept (TOR-25).

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use crate::block::{dir_port, or_port};
use crate::{Error, RELAYS, tor_binary};

/// Certificates last 12 months; at 11 they are made anew.
const RENEW_AFTER: Duration = Duration::from_secs(330 * 24 * 3600);

/// What the rest of a network must know about one authority.
pub(crate) struct Authority {
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
    pub(crate) or_port: u16,
    pub(crate) dir_port: u16,
    /// Fingerprint of the authority's identity key, upper-case hex.
    pub(crate) v3ident: String,
    /// Fingerprint of the relay's RSA identity, upper-case hex.
    pub(crate) rsa_identity: String,
    /// The relay's Ed25519 identity, base64 without padding.
    pub(crate) ed_identity: String,
}

impl Authority {
    /// The `DirAuthority` line of every torrc in this network.
    pub(crate) fn line(&self) -> String {
        let Self { name, or_port, dir_port, v3ident, rsa_identity, .. } = self;
        format!(
            "{name} orport={or_port} no-v2 v3ident={v3ident} 127.0.0.1:{dir_port} {rsa_identity}"
        )
    }
}

/// Loads the authorities of the block at `base` from `dir`, and makes what is missing.
pub(crate) fn authorities(dir: &Path, base: u16) -> Result<Vec<Authority>, Error> {
    std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..RELAYS).map(|i| scope.spawn(move || authority(dir, base, i))).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().map_err(|_| program("tor-gencert", "its thread ended"))?)
            .collect()
    })
}

fn authority(parent: &Path, base: u16, i: u16) -> Result<Authority, Error> {
    let name = format!("auth{i}");
    let dir = parent.join(&name);
    if !usable(&dir) {
        make(parent, &name, dir_port(base, i))?;
    }
    clean(&dir)?;
    let certificate = dir.join("keys/authority_certificate");
    Ok(Authority {
        or_port: or_port(base, i),
        dir_port: dir_port(base, i),
        v3ident: word(&certificate, "fingerprint")?,
        rsa_identity: word(&dir.join("fingerprint"), &name)?,
        ed_identity: word(&dir.join("fingerprint-ed25519"), &name)?,
        name,
        dir,
    })
}

fn usable(dir: &Path) -> bool {
    let fresh = fs::metadata(dir.join("keys/authority_certificate"))
        .and_then(|meta| meta.modified())
        .is_ok_and(|made| {
            SystemTime::now().duration_since(made).is_ok_and(|age| age < RENEW_AFTER)
        });
    fresh && dir.join("fingerprint").is_file() && dir.join("fingerprint-ed25519").is_file()
}

/// Makes the keys in a folder of another name first, so that a half-made set is never used.
fn make(parent: &Path, name: &str, dir_port: u16) -> Result<(), Error> {
    let new = parent.join(format!("{name}.new"));
    let keys = new.join("keys");
    remove(&new)?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&keys).map_err(Error::file(&keys))?;

    let address = format!("127.0.0.1:{dir_port}");
    let mut gencert = Command::new("tor-gencert");
    gencert.current_dir(&keys).args(["--create-identity-key", "-m", "12", "-a", &address]);
    gencert.args(["--passphrase-fd", "0"]);
    run("tor-gencert", &mut gencert)?; // an empty passphrase: standard input is empty

    let empty = parent.join("empty-torrc");
    fs::write(&empty, "").map_err(Error::file(&empty))?;
    let mut tor = Command::new(tor_binary()?);
    tor.arg("-f").arg(&empty).arg("--defaults-torrc").arg(&empty).arg("--DataDirectory").arg(&new);
    tor.args(["--GeoIPFile", "/dev/null", "--GeoIPv6File", "/dev/null", "--quiet"]);
    tor.args(["--ORPort", "1", "--SocksPort", "0", "--Nickname", name]);
    // Any authority will do: with one, tor does not think of the public network.
    tor.args(["--DirAuthority", "x 127.0.0.1:1 ffffffffffffffffffffffffffffffffffffffff"]);
    tor.args(["--list-fingerprint", "ed25519"]);
    run("tor", &mut tor)?;

    let dir = parent.join(name);
    remove(&dir)?;
    fs::rename(&new, &dir).map_err(Error::file(&dir))
}

/// Deletes everything but keys and fingerprints: a network starts without memories.
fn clean(dir: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(dir).map_err(Error::file(dir))? {
        let entry = entry.map_err(Error::file(dir))?;
        let name = entry.file_name();
        if name != "keys" && name != "fingerprint" && name != "fingerprint-ed25519" {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    let gone = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match gone {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::File { path: path.to_owned(), source: error })
        }
        _ => Ok(()),
    }
}

/// The word after `key` at the beginning of a line of `path`.
fn word(path: &Path, key: &str) -> Result<String, Error> {
    let text = fs::read_to_string(path).map_err(Error::file(path))?;
    let mut lines = text.lines().map(|line| line.split_ascii_whitespace());
    lines
        .find_map(|mut words| (words.next() == Some(key)).then(|| words.next()).flatten())
        .map(str::to_owned)
        .ok_or_else(|| Error::Format { path: path.to_owned() })
}

fn run(name: &'static str, command: &mut Command) -> Result<(), Error> {
    let Output { status, stderr, .. } =
        command.stdin(Stdio::null()).output().map_err(|_| Error::Missing { program: name })?;
    if status.success() { Ok(()) } else { Err(program(name, &String::from_utf8_lossy(&stderr))) }
}

fn program(program: &'static str, detail: &str) -> Error {
    Error::Program { program, detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tor_25_keys_are_made_once_and_renewed_after_eleven_months() {
        let dir = tempfile::tempdir().unwrap();
        let first = authority(dir.path(), 20_000, 0).unwrap();
        let again = authority(dir.path(), 20_000, 0).unwrap();
        assert_eq!(first.line(), again.line());
        let certificate = fs::File::options()
            .append(true)
            .open(first.dir.join("keys/authority_certificate"))
            .unwrap();
        certificate.set_modified(SystemTime::now() - RENEW_AFTER).unwrap();
        let renewed = authority(dir.path(), 20_000, 0).unwrap();
        assert_ne!(first.v3ident, renewed.v3ident);
    }
}
