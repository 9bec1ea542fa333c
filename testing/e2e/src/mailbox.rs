//! A mailbox: the server and the onion service in front of it.

use crate::hostile::{Harm, hostile};
use crate::process::{Running, private_folder, programs, wait_until};
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A running mailbox.
pub struct Mailbox {
    folder: PathBuf,
    /// Where the onion service leads, and the network that it is in.
    socket: PathBuf,
    net: PathBuf,
    onion: String,
    interval: u16,
    server: Option<Running>,
    host: Running,
    events: Events,
}

impl Mailbox {
    /// Starts a mailbox with pages of `interval` seconds on the private network `net`.
    ///
    /// # Errors
    /// If a program does not start.
    pub fn start(folder: &Path, net: &Path, interval: u16) -> Result<Self> {
        private_folder(folder)?;
        Self::behind(folder, &folder.join("onion.sock"), net, interval)
    }

    /// Starts a mailbox whose operator spoils five answers of six.
    ///
    /// # Errors
    /// If a program does not start.
    pub fn start_hostile(folder: &Path, net: &Path, interval: u16) -> Result<(Self, Arc<Harm>)> {
        private_folder(folder)?;
        let between = folder.join("hostile.sock");
        let harm = hostile(&between, folder.join("onion.sock"))?;
        Ok((Self::behind(folder, &between, net, interval)?, harm))
    }

    fn behind(folder: &Path, socket: &Path, net: &Path, interval: u16) -> Result<Self> {
        let (host, events) = start_host(folder, socket, net)?;
        let starting = wait_until("the onion service's key", Duration::from_secs(60), || {
            Ok(find(&events, "starting"))
        })?;
        let onion = starting["onion"].as_str().context("no address")?.to_owned();
        let (folder, socket, net) = (folder.to_owned(), socket.to_owned(), net.to_owned());
        let mut mailbox = Self { folder, socket, net, onion, interval, server: None, host, events };
        mailbox.restart()?;
        Ok(mailbox)
    }

    /// Starts the server, or starts it again.
    ///
    /// # Errors
    /// If it does not start.
    pub fn restart(&mut self) -> Result<()> {
        let log = File::options().create(true).append(true).open(self.folder.join("server.log"))?;
        let server = Running::start(
            Command::new(programs()?.join("pvtcoms-mailbox"))
                .arg("serve")
                .arg("--listen")
                .arg(format!("unix:{}", self.folder.join("onion.sock").display()))
                .arg("--data")
                .arg(self.folder.join("board"))
                .args(["--onion", &self.onion, "--interval", &self.interval.to_string()])
                .arg("--observe")
                .arg(self.observations())
                .stdout(Stdio::null())
                .stderr(log),
        )?;
        self.server = Some(server);
        Ok(())
    }

    /// Ends the server as `kill -9` does.
    pub fn kill_9(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill_9();
        }
    }

    /// Ends the onion service as `kill -9` does.
    pub fn kill_9_host(&mut self) {
        self.host.kill_9();
    }

    /// Starts the onion service again, under the same address.
    ///
    /// # Errors
    /// If it does not start.
    pub fn restart_host(&mut self) -> Result<()> {
        (self.host, self.events) = start_host(&self.folder, &self.socket, &self.net)?;
        Ok(())
    }

    /// Waits until the service was reached through Tor.
    ///
    /// # Errors
    /// If that takes more than two minutes.
    pub fn wait_published(&self) -> Result<()> {
        wait_until("the onion service", Duration::from_secs(120), || {
            Ok(find(&self.events, "published"))
        })
        .map(|_| ())
    }

    /// `<56 letters>.onion`.
    #[must_use]
    pub fn onion(&self) -> &str {
        &self.onion
    }

    /// What the server wrote down of everything that it could see, a JSON object a line.
    #[must_use]
    pub fn observations(&self) -> PathBuf {
        self.folder.join("observed.jsonl")
    }

    /// Process ids of server and onion service.
    #[must_use]
    pub fn process_ids(&self) -> Vec<u32> {
        self.server.iter().map(Running::id).chain([self.host.id()]).collect()
    }
}

/// What a host has said, a JSON object a line.
type Events = Arc<Mutex<Vec<Value>>>;

fn start_host(folder: &Path, socket: &Path, net: &Path) -> Result<(Running, Events)> {
    let log = File::options().create(true).append(true).open(folder.join("host.log"))?;
    let mut host = Running::start(
        Command::new(programs()?.join("pvtcoms-tor"))
            .arg("host")
            .arg("--to")
            .arg(format!("unix:{}", socket.display()))
            .args(["--json", "--state"])
            .arg(folder.join("tor-state"))
            .arg("--cache")
            .arg(folder.join("tor-cache"))
            .arg("--network")
            .arg(net)
            .stdout(Stdio::piped())
            .stderr(log),
    )?;
    let events = collect(host.child().stdout.take().context("no output")?);
    Ok((host, events))
}

fn collect(from: impl std::io::Read + Send + 'static) -> Events {
    let events = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&events);
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if let Ok(event) = serde_json::from_str(&line) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(event);
            }
        }
    });
    events
}

fn find(events: &Mutex<Vec<Value>>, name: &str) -> Option<Value> {
    let events = events.lock().unwrap_or_else(PoisonError::into_inner);
    events.iter().find(|event| event["event"] == name).cloned()
}
