//! How a profile reaches Tor, remembered with it: a private network for ever (TOR-31), a SOCKS
//! port or bridges until they are changed.

use crate::fault::{Fault, Outcome};
use crate::paths::Paths;
use daemon::types::error::ErrorKind;
use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Most that a network's description may have, in bytes.
const NETWORK_MAX: usize = 256 * 1024;

/// The user's own way to Tor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GateSettings {
    /// `HOST:PORT` or `unix:PATH` of a Tor that the user runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) socks: Option<String>,
    /// Bridge lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) bridges: Vec<String>,
}

impl GateSettings {
    /// What is remembered; nothing is the default.
    pub(crate) fn load(paths: &Paths) -> Outcome<Self> {
        let bytes = match std::fs::read(paths.gate()) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(unreadable(&paths.gate(), &error)),
        };
        serde_json::from_slice(&bytes).map_err(|_| {
            Fault::storage(
                format!("{} cannot be understood. Tor was not started.", paths.gate().display()),
                "Move the file aside, then run `pvtcoms daemon --socks ..` or `--bridge ..`.",
            )
        })
    }

    /// Remembers it for every later start.
    pub(crate) fn save(&self, paths: &Paths) -> Outcome {
        let text = serde_json::to_vec(self)
            .map_err(|_| Fault::internal("The way to Tor could not be written down."))?;
        write_private(&paths.gate(), &text)
    }

    /// Flags go before what is remembered, as a whole: a SOCKS port and bridges exclude each other.
    pub(crate) fn or(self, remembered: Self) -> Self {
        if self.is_default() { remembered } else { self }
    }

    /// Whether nothing is set.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Binds the profile to the private network described by `file`, before its identity is made.
///
/// TOR-31: naming the same network again changes nothing; another one, or one for a profile that
/// was made without, is refused.
pub(crate) fn bind_network(paths: &Paths, file: &Path) -> Outcome {
    let wanted = std::fs::read(file).map_err(|error| unreadable(file, &error))?;
    if wanted.len() > NETWORK_MAX
        || serde_json::from_slice::<serde::de::IgnoredAny>(&wanted).is_err()
    {
        return Err(Fault::wrong_use(
            format!("{} does not describe a private network. Nothing was done.", file.display()),
            "Give the net.json that `tornet` has written.",
        ));
    }
    let bound = match std::fs::read(paths.network()) {
        Ok(bound) => bound,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !paths.has_profile() => {
            return write_private(&paths.network(), &wanted);
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(never_changes("It was made for the public Tor network."));
        }
        Err(error) => return Err(unreadable(&paths.network(), &error)),
    };
    if bound == wanted {
        return Ok(());
    }
    if paths.has_profile() {
        return Err(never_changes("It belongs to another private network."));
    }
    write_private(&paths.network(), &wanted)
}

fn never_changes(why: &str) -> Fault {
    Fault::new(
        ErrorKind::Profile,
        format!("A profile never changes networks. {why} Nothing was done."),
        "Make another profile: `pvtcoms --profile OTHER init --network net.json`.",
    )
}

fn unreadable(path: &Path, error: &io::Error) -> Fault {
    Fault::storage(
        format!("{} cannot be read: {error}. Nothing was done.", path.display()),
        "Check the path and its permissions.",
    )
}

/// Writes a whole file that only its owner can read; a crash leaves the old one or the new one.
fn write_private(path: &Path, bytes: &[u8]) -> Outcome {
    let part = path.with_extension("part");
    let write = || -> io::Result<()> {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&part, path)
    };
    write().map_err(|error| {
        Fault::storage(
            format!("{} cannot be written: {error}. Nothing was done.", path.display()),
            "Check free space and permissions.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(base: &Path) -> Paths {
        let at = |name: &str| {
            let path = base.join(name);
            std::fs::create_dir_all(&path).expect("folder");
            path
        };
        Paths { profile: "p".into(), data: at("d"), state: at("s"), cache: at("c"), run: at("r") }
    }

    #[test]
    fn tor_31_a_profile_never_changes_networks() {
        let base = tempfile::tempdir().expect("folder");
        let paths = paths(base.path());
        let (one, two) = (base.path().join("1.json"), base.path().join("2.json"));
        std::fs::write(&one, r#"{"a":1}"#).expect("writes");
        std::fs::write(&two, r#"{"a":2}"#).expect("writes");
        bind_network(&paths, &two).expect("before the identity is made it may be changed");
        bind_network(&paths, &one).expect("before the identity is made it may be changed");
        std::fs::write(paths.data.join("slots.bin"), b"x").expect("writes");
        bind_network(&paths, &one).expect("the same again is no change");
        assert!(bind_network(&paths, &two).expect_err("other").is(ErrorKind::Profile));
        std::fs::remove_file(paths.network()).expect("removes");
        assert!(bind_network(&paths, &one).expect_err("public").is(ErrorKind::Profile));
        assert!(!paths.network().exists());
    }

    #[test]
    fn what_is_no_network_is_refused() {
        let base = tempfile::tempdir().expect("folder");
        let paths = paths(base.path());
        let file = base.path().join("x");
        std::fs::write(&file, "not json").expect("writes");
        assert!(bind_network(&paths, &file).expect_err("garbage").is(ErrorKind::WrongUse));
        let missing = base.path().join("missing");
        assert!(bind_network(&paths, &missing).expect_err("missing").is(ErrorKind::Storage));
    }

    #[test]
    fn the_way_to_tor_is_remembered_and_flags_go_first() {
        let base = tempfile::tempdir().expect("folder");
        let paths = paths(base.path());
        assert!(GateSettings::load(&paths).expect("none").is_default());
        let saved = GateSettings { socks: Some("127.0.0.1:9050".into()), bridges: vec![] };
        saved.save(&paths).expect("saves");
        let loaded = GateSettings::load(&paths).expect("loads");
        assert_eq!(loaded, saved);
        let flag = GateSettings { socks: None, bridges: vec!["b".into()] };
        assert_eq!(flag.clone().or(loaded.clone()), flag);
        assert_eq!(GateSettings::default().or(loaded.clone()), loaded);
        std::fs::write(paths.gate(), "{").expect("writes");
        assert!(GateSettings::load(&paths).expect_err("broken").is(ErrorKind::Storage));
    }
}
