//! `daemon`, `lock`, `unlock`, `stop`: the background service from the outside.

use crate::args::Daemon;
use crate::fault::{Fault, Outcome};
use crate::reach::Face;
use crate::settings::{GateSettings, bind_network};
use crate::supervisor::{self, PidFile};
use daemon::types::method::{Call, Done};
use daemon::types::view::ProfileState;
use serde::Serialize;
use std::time::{Duration, Instant};

/// How long the service may take to end: the children have five seconds of it.
const END: Duration = Duration::from_secs(15);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// What these verbs print.
#[derive(Serialize)]
struct Service {
    service: &'static str,
}

/// Runs the supervisor here, or starts it in the background.
pub(crate) fn daemon(face: &Face<'_>, arguments: Daemon) -> Outcome {
    let Daemon { foreground: _, background, detached, network, tor } = arguments;
    if background {
        if face.find(false)?.is_some() {
            return face.out.item(&Service { service: "running" }, || "runs already".to_owned());
        }
        face.paths.prepare()?;
        if let Some(network) = &network {
            bind_network(&face.paths, network)?;
        }
        face.start(&flags(&tor.socks, &tor.bridge))?;
        return face.out.item(&Service { service: "running" }, || "runs".to_owned());
    }
    face.paths.prepare()?;
    let held = PidFile::take(&face.paths)?;
    if detached {
        held.leave_terminal(&face.paths)?;
    }
    if let Some(network) = &network {
        bind_network(&face.paths, network)?;
    }
    let gate = GateSettings { socks: tor.socks, bridges: tor.bridge };
    let gate = gate.or(GateSettings::load(&face.paths)?);
    supervisor::run(&face.paths, &gate, held)
}

fn flags(socks: &Option<String>, bridges: &[String]) -> Vec<String> {
    let socks = socks.iter().flat_map(|socks| ["--socks".to_owned(), socks.clone()]);
    let bridges = bridges.iter().flat_map(|line| ["--bridge".to_owned(), line.clone()]);
    socks.chain(bridges).collect()
}

/// Closes the profile. Where no service runs, no key is in memory.
pub(crate) fn lock(face: &Face<'_>) -> Outcome {
    let locked = Service { service: "locked" };
    if let Some((mut client, welcome)) = face.find(true)?
        && welcome.profile == ProfileState::Unlocked
    {
        match client.call::<Done>(Call::Lock {}) {
            Ok(_) | Err(Fault::Gone) => {}
            Err(fault) => return Err(fault),
        }
    }
    face.out.item(&locked, || "LOCKED: messages wait at the mailbox (14 days)".to_owned())
}

/// Opens the profile.
pub(crate) fn unlock(face: &Face<'_>) -> Outcome {
    drop(face.open(true)?);
    face.out.item(&Service { service: "unlocked" }, || "unlocked".to_owned())
}

/// Ends core, gate and supervisor, and waits until they have ended.
pub(crate) fn stop(face: &Face<'_>) -> Outcome {
    let text = if end(face)? { "stopped" } else { "not running" };
    face.out.item(&Service { service: "stopped" }, || text.to_owned())
}

/// Ends the service if it runs; says whether it did.
pub(crate) fn end(face: &Face<'_>) -> Outcome<bool> {
    let Some(pid) = PidFile::holder(&face.paths)? else {
        return Ok(false);
    };
    // The signal works also when the core does not answer; the supervisor ends its children.
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).map_err(|error| {
        Fault::internal(format!("The background service could not be ended: {error}."))
    })?;
    let deadline = Instant::now().checked_add(END);
    while PidFile::holder(&face.paths)?.is_some() {
        if deadline.is_some_and(|deadline| Instant::now() > deadline) {
            return Err(Fault::internal("The background service has not ended."));
        }
        std::thread::sleep(LOOK);
    }
    Ok(true)
}
