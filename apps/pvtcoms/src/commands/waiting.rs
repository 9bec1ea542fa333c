//! Waiting for what takes its time: for the core to come back, for an invite to go on.

use crate::fault::{Fault, Outcome};
use crate::reach::Face;
use crate::rpc::Client;
use daemon::types::error::ErrorKind;
use daemon::types::method::Call;
use daemon::types::view::{Invite, ProfileState, Status};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::Write;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// A connection to a core that went away and comes back: after a crash, an update, or locked.
/// With `open`, waits until somebody has unlocked it. Starts nothing: whoever stopped it meant it.
///
/// Says whether the profile was found locked meanwhile.
pub(crate) fn again(face: &Face<'_>, open: bool) -> Outcome<(Client, bool)> {
    let mut told = false;
    let mut locked = false;
    loop {
        match face.find(true) {
            Ok(Some((client, welcome))) => {
                if !open || welcome.profile == ProfileState::Unlocked {
                    return Ok((client, locked));
                }
                if !locked {
                    face.out.note("LOCKED: messages wait at the mailbox (14 days).");
                    locked = true;
                }
            }
            Ok(None) | Err(_) if !told => {
                face.out.note("The background service has gone; waiting for it.");
                told = true;
            }
            Ok(None) | Err(_) => {}
        }
        std::thread::sleep(LOOK);
    }
}

/// Progress on standard error while something goes on; nothing where that is no terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Starts with a text.
    pub(crate) fn new(face: &Face<'_>, text: &str) -> Self {
        let bar = if face.out.quiet() { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(150));
        bar.set_message(text.to_owned());
        Self { bar }
    }

    /// Shows another text.
    pub(crate) fn text(&self, text: &str) {
        self.bar.set_message(text.to_owned());
    }

    /// Shows how far Tor is, after what is waited for.
    pub(crate) fn tor(&self, what: &str, status: &Status) {
        let tor = &status.tor;
        let tor = match &tor.blockage {
            Some(blockage) => format!("Tor reports: {blockage}"),
            None if tor.ready => "Tor ok".to_owned(),
            None => format!("Tor {} % {}", tor.percent, tor.stage),
        };
        self.bar.set_message(format!("{what} · {}", crate::output::plain(&tor)));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Looks at an invite until `ready` says that it is where it should be.
///
/// # Errors
/// [`ErrorKind::Unreachable`] after `timeout`; the invite goes on by itself.
pub(crate) fn invite(
    face: &Face<'_>,
    client: &mut Client,
    id: &str,
    what: &str,
    timeout: Duration,
    ready: impl Fn(&Invite) -> Outcome<bool>,
) -> Outcome<Invite> {
    let progress = Progress::new(face, what);
    let deadline = Instant::now().checked_add(timeout);
    loop {
        match look(client, id) {
            Ok((invite, status)) => {
                if ready(&invite)? {
                    return Ok(invite);
                }
                progress.tor(what, &status);
            }
            Err(Fault::Gone) => *client = again(face, true)?.0,
            Err(fault) => return Err(fault),
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Fault::new(
                ErrorKind::Unreachable,
                format!(
                    "Still {what} after {} s. It goes on in the background.",
                    timeout.as_secs()
                ),
                format!("Look with `pvtcoms invite show {id}` and `pvtcoms status`."),
            ));
        }
        std::thread::sleep(LOOK);
    }
}

fn look(client: &mut Client, id: &str) -> Outcome<(Invite, Status)> {
    let found: Vec<Invite> = client.call(Call::InviteShow { id: id.to_owned() })?;
    let invite = found.into_iter().find(|invite| invite.id == id).ok_or_else(|| {
        Fault::wrong_use("There is no such invite any more.", "See `pvtcoms invite show`.")
    })?;
    Ok((invite, client.call(Call::Status {})?))
}

/// Says `text` when Ctrl-C ends the program; what was asked for goes on in the background.
///
/// PRD-8: an invite is stored by the core, whoever waits for it.
pub(crate) fn on_interrupt(text: String) {
    let (ready, waits) = std::sync::mpsc::channel();
    let watch = async move {
        let Ok(mut interrupt) = signal(SignalKind::interrupt()) else { return };
        // Whoever waits for this has gone only if the program ends anyhow.
        let _ = ready.send(());
        if interrupt.recv().await.is_some() {
            let _ = writeln!(std::io::stderr().lock(), "\n{text}");
            // The shell's convention for a program that Ctrl-C has ended: 128 and the signal.
            std::process::exit(130);
        }
    };
    drop(std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        if let Ok(runtime) = runtime {
            runtime.block_on(watch);
        }
    }));
    // An error says that no signal can be taken: then Ctrl-C ends the program without a word.
    let _ = waits.recv();
}
