//! Starting the network, knowing when it is ready, ending it.

mod ready;

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::block::Block;
use crate::keys;
use crate::process::{TorProcess, tor_binary};
use crate::{CACHE_VARIABLE, Error, NET_VARIABLE, Net, Profile, torrc};

/// How a network is made.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which implementations meet in it.
    pub profile: Profile,
    /// Folder for keys and data; default `$PVTCOMS_TORNET_CACHE`, then
    /// `$XDG_CACHE_HOME/pvtcoms/tornet`.
    pub cache: Option<PathBuf>,
    /// Set to true to give up a start that is under way.
    pub cancel: Arc<AtomicBool>,
}

/// A private network; ends when dropped (TOR-29).
pub struct Tornet {
    net: Net,
    net_json: PathBuf,
    processes: Vec<TorProcess>,
    _block: Option<Block>,
}

impl Tornet {
    /// Starts a network and waits until it is ready (TOR-27).
    ///
    /// # Errors
    /// [`Error`]; nothing is left running.
    pub fn start(options: &Options) -> Result<Self, Error> {
        Self::start_with(options, |_| {})
    }

    /// Like [`Tornet::start`], and reports each stage as one line.
    ///
    /// # Errors
    /// [`Error`]; nothing is left running.
    pub fn start_with(options: &Options, mut progress: impl FnMut(&str)) -> Result<Self, Error> {
        let version = version()?;
        let block = Block::take()?;
        let cache = options.cache.clone().map_or_else(default_cache, Ok)?;
        let dir = cache.join(&version).join(block.base.to_string());
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&dir)
            .map_err(Error::file(&dir))?;

        progress(&format!("tor {version}: keys of six directory authorities"));
        let authorities = keys::authorities(&dir, block.base)?;
        let net = Net::new(&authorities, options.profile, &dir);

        progress(&format!("starting six tor processes on 127.0.0.1, ports from {}", block.base));
        let owner = std::process::id();
        let processes = authorities
            .iter()
            .map(|own| {
                let text = torrc::authority(own, &net.dir_authorities, options.profile, owner);
                TorProcess::start(&own.name, &own.dir, &text)
            })
            .collect::<Result<Vec<_>, Error>>()?;

        let net_json = dir.join("net.json");
        let mut network = Self { net, net_json, processes, _block: Some(block) };
        let first = authorities.first().map_or(0, |own| own.dir_port);
        ready::wait(&mut network.processes, first, &options.cancel, &mut progress)?;
        network.net.save(&network.net_json)?;
        progress("the private Tor network is ready (not anonymous: one computer)");
        Ok(network)
    }

    /// The network of this test run (TOR-28): the one that `PVTCOMS_TORNET` names, or one that all
    /// callers in this process share and that ends with the last of them.
    ///
    /// # Errors
    /// [`Error`], also for a file named by the variable that is not understood.
    pub fn shared() -> Result<Arc<Self>, Error> {
        static SHARED: Mutex<Weak<Tornet>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(network) = shared.upgrade() {
            return Ok(network);
        }
        let network = Arc::new(match std::env::var_os(NET_VARIABLE) {
            Some(path) => Self::of_another(Path::new(&path))?,
            None => Self::start(&Options::default())?,
        });
        *shared = Arc::downgrade(&network);
        Ok(network)
    }

    fn of_another(path: &Path) -> Result<Self, Error> {
        let net = Net::load(path)?;
        Ok(Self { net, net_json: path.to_owned(), processes: Vec::new(), _block: None })
    }

    /// Path of `net.json`, for `pvtcoms-tor --network`.
    #[must_use]
    pub fn net_json(&self) -> &Path {
        &self.net_json
    }

    /// What `net.json` says.
    #[must_use]
    pub const fn net(&self) -> &Net {
        &self.net
    }

    /// Numbers of its processes; empty for the network of another process.
    #[must_use]
    pub fn process_ids(&self) -> Vec<u32> {
        self.processes.iter().map(TorProcess::id).collect()
    }

    /// Its processes, to kill and to start again; empty for the network of another process.
    pub const fn processes(&mut self) -> &mut [TorProcess] {
        self.processes.as_mut_slice()
    }

    /// Ends the network and waits for it. Dropping does the same.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Tornet {
    fn drop(&mut self) {
        // All at once first, so that ending six costs as long as ending one.
        for process in &self.processes {
            process.ask_to_end();
        }
    }
}

fn version() -> Result<String, Error> {
    let output = std::process::Command::new(tor_binary()?)
        .arg("--version")
        .output()
        .map_err(|_| Error::Missing { program: "tor" })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.split_ascii_whitespace().nth(2).unwrap_or_default();
    let version = version.trim_end_matches('.');
    if version.starts_with(|c: char| c.is_ascii_digit()) && !version.contains('/') {
        Ok(version.to_owned())
    } else {
        Err(Error::Program { program: "tor", detail: "it does not tell its version".to_owned() })
    }
}

fn default_cache() -> Result<PathBuf, Error> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set(CACHE_VARIABLE)
        .or_else(|| set("XDG_CACHE_HOME").map(|dir| dir.join("pvtcoms/tornet")))
        .or_else(|| set("HOME").map(|dir| dir.join(".cache/pvtcoms/tornet")))
        .ok_or_else(|| Error::Format { path: CACHE_VARIABLE.into() })
}
