//! The supervisor: makes the sockets, starts core and gate with just the descriptors they need, and
//! restarts what dies (architecture.md).
//!
//! ```text
//!             rpc.sock            SEQPACKET pair            Tor
//!   faces ──────────── core (3) ───────(4)  (3)─────── gate ─────
//!                        (5) lifeline
//! ```
//! The supervisor keeps a copy of the listener and of both ends of the pair, so that a restarted
//! child takes its predecessor's place and no face sees the socket vanish. Of the lifeline it alone
//! holds the writing end: however the supervisor ends, the core reads its end and follows; then
//! nobody holds the other end of the gate's socket, and the gate follows too.

mod child;
mod pid;
mod restart;
mod socket;

pub(crate) use child::locate;
pub(crate) use pid::PidFile;

use crate::fault::{Fault, Outcome};
use crate::paths::Paths;
use crate::settings::GateSettings;
use child::{Descriptor, Life, Program, Renew, Stop};
use daemon::types::EXIT_SHUTDOWN;
use daemon::types::error::ErrorKind;
use restart::GaveUp;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How a child's life ended for good.
enum End {
    /// The supervisor asked it to.
    Asked,
    /// A face asked the core to.
    Shutdown,
    /// It fails in the same way again and again.
    GaveUp(GaveUp),
}

/// Runs core and gate until somebody ends them.
///
/// # Errors
/// When the sockets cannot be made, when a program is missing, or when the core cannot run here.
pub(crate) fn run(paths: &Paths, gate: &GateSettings, pid: PidFile) -> Outcome {
    let core = locate("pvtcomsd")?;
    let tor = locate("pvtcoms-tor")?;
    let listener = socket::listen(&paths.socket())?;
    let (pair, held) = pair()?;
    let (core, tor) = programs(paths, gate, (&core, &tor), listener.into(), pair);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime
        .map_err(|error| Fault::internal(format!("The supervisor could not start: {error}.")))?
        .block_on(supervise(paths, core, tor));
    drop(held);
    for left in [paths.socket(), paths.fault()] {
        // A file that is gone already is what is wanted.
        let _ = std::fs::remove_file(left);
    }
    pid.remove();
    ended
}

/// Descriptors that join the two children.
struct Pair {
    core: OwnedFd,
    gate: OwnedFd,
    lifeline: OwnedFd,
}

/// The descriptors, and the writing end of the lifeline: never written to and never passed on, its
/// end is the message.
fn pair() -> Outcome<(Pair, OwnedFd)> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    use rustix::pipe::{PipeFlags, pipe_with};
    let failed = |error| Fault::internal(format!("No sockets can be made: {error}."));
    // TOR-3: whole messages, no framing to parse.
    let (core, gate) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map_err(failed)?;
    let (lifeline, held) = pipe_with(PipeFlags::CLOEXEC).map_err(failed)?;
    Ok((Pair { core, gate, lifeline }, held))
}

/// The two children with their arguments and descriptors (SBX-2).
fn programs(
    paths: &Paths,
    gate: &GateSettings,
    (core, tor): (&Path, &Path),
    listener: OwnedFd,
    pair: Pair,
) -> (Program, Program) {
    let network = Some(paths.network()).filter(|file| file.exists());
    let mut core = Program::new("core", core)
        .args(["--rpc-fd", "3", "--gate-fd", "4", "--lifeline-fd", "5"])
        .args([OsString::from("--data"), paths.data.clone().into()])
        .args(["--profile", &paths.profile])
        .passes(Descriptor { number: 3, end: listener })
        .passes(Descriptor { number: 4, end: pair.core })
        .passes(Descriptor { number: 5, end: pair.lifeline });
    // TOR-31: what is bound to a private network says so in every face.
    if network.is_some() {
        core = core.args(["--private-network"]);
    }
    let mut tor = Program::new("tor", tor)
        .args(["client", "--fd", "3"])
        .args([OsString::from("--state"), paths.state.join("tor").into()])
        .args([OsString::from("--cache"), paths.cache.join("tor").into()])
        .passes(Descriptor { number: 3, end: pair.gate });
    if let Some(network) = network {
        tor = tor.args([OsString::from("--network"), network.into()]);
    }
    if let Some(socks) = &gate.socks {
        tor = tor.args(["--socks", socks]);
    }
    for bridge in &gate.bridges {
        tor = tor.args(["--bridge", bridge]);
    }
    (core, tor)
}

/// Keeps both children running until one thing ends all.
async fn supervise(paths: &Paths, core: Program, tor: Program) -> Outcome {
    let failed = |error: io::Error| Fault::internal(format!("No signals can be taken: {error}."));
    let mut term = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
    let (stop, stopped) = watch::channel(false);
    // A gate says hello once, at its start (TOR-3). A core that was started again needs a hello,
    // and has no use for what the gate had prepared for the one before.
    let (starts, started) = watch::channel(0);
    let stopped = Stop(stopped);
    let mut core = tokio::spawn(keep(core, stopped.clone(), Renew(None), Some(starts)));
    let mut tor = tokio::spawn(keep(tor, stopped, Renew(Some(started)), None));
    notify("READY=1");
    let mut gate_lives = true;
    let outcome = loop {
        tokio::select! {
            end = &mut core => break match end {
                Ok(End::GaveUp(why)) => Err(gave_up("core", &why)),
                Ok(End::Asked | End::Shutdown) => Ok(()),
                Err(_) => Err(Fault::internal("The supervisor lost sight of the core.")),
            },
            end = &mut tor, if gate_lives => {
                gate_lives = false;
                // Without a gate nothing is sent (TOR-2), and what is here can still be read.
                if let Ok(End::GaveUp(why)) = end {
                    let text = format!("tor is not restarted: {}", why.reason);
                    say(&text);
                    let _ = std::fs::write(paths.fault(), &text);
                }
            }
            _ = term.recv() => break Ok(()),
            _ = interrupt.recv() => break Ok(()),
            _ = hangup.recv() => break Ok(()),
        }
    };
    notify("STOPPING=1");
    // The receivers live in the two tasks: when both have ended there is nobody left to stop.
    let _ = stop.send(true);
    if !core.is_finished() {
        let _ = core.await;
    }
    if gate_lives {
        let _ = tor.await;
    }
    outcome
}

/// Starts a child again and again until it, or somebody, says that it is enough. `starts` counts
/// the times that it was started again.
async fn keep(
    program: Program,
    stop: Stop,
    mut renew: Renew,
    starts: Option<watch::Sender<u64>>,
) -> End {
    let mut restarts = restart::Restarts::default();
    loop {
        let ended = match program.live(&stop, &mut renew).await {
            Life::Ended(ended) => ended,
            Life::Renewed => continue,
            Life::Stopped => return End::Asked,
        };
        if ended.code == Some(i32::from(EXIT_SHUTDOWN)) && program.name == "core" {
            return End::Shutdown;
        }
        let pause = match restarts.after(&ended) {
            Ok(pause) => pause,
            Err(why) => return End::GaveUp(why),
        };
        if pause.as_secs() > 0 {
            let name = program.name;
            say(&format!("{name} ended ({}); again in {} s", ended.reason, pause.as_secs()));
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.wait() => return End::Asked,
        }
        if let Some(starts) = &starts {
            starts.send_modify(|count| *count = count.saturating_add(1));
        }
    }
}

fn gave_up(name: &str, why: &GaveUp) -> Fault {
    let kind = match why.code {
        1 => ErrorKind::WrongUse,
        7 => ErrorKind::Storage,
        8 => ErrorKind::Sandbox,
        _ => ErrorKind::Internal,
    };
    Fault::new(
        kind,
        format!("The {name} cannot run here: {}", why.reason),
        "Put that right, then start it again: `pvtcoms doctor` helps.",
    )
}

/// Tells a service manager, if one has started this (`sd_notify`).
fn notify(state: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return };
    // Whoever does not listen is not told.
    let _ = UnixDatagram::unbound().and_then(|socket| socket.send_to(state.as_bytes(), path));
}

/// A line for the log.
fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "supervisor: {text}");
}
