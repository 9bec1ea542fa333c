//! `init`: the first run (product.md 3). Each step may be left; the profile is usable from step 1.

use super::waiting::{self, Progress};
use crate::args::{Init, ModeName, TorFlags};
use crate::ask;
use crate::fault::{Fault, Outcome};
use crate::output::plain;
use crate::reach::Face;
use crate::rpc::Client;
use crate::settings::{GateSettings, bind_network};
use crate::show;
use daemon::types::error::ErrorKind;
use daemon::types::method::{Call, Done};
use daemon::types::view::{Mailbox, Mode, ProfileState, Status};
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

/// Pause between two looks at Tor.
const LOOK: Duration = Duration::from_secs(1);

/// What this protects and what it does not (TH-6, TH-7, TH-8): one screen, at most 12 lines.
const PROTECTS: &str = "\
Protects: what you say, from everybody on the way, today and for later quantum computers.
Protects: that you two talk, from the mailbox and from whoever watches your line.
Protects: what is stored here, when this device is taken while it is locked.
Does not protect: against a system that is broken into or manipulated (TH-6).
Does not protect: against a keyboard spy, or software you allowed to read the screen (TH-7).
Does not fully protect: against somebody who watches the whole Tor network (TH-8).
Does not protect: against the person you talk to.";

/// What `init` prints at the end.
#[derive(Serialize)]
struct Made<'a> {
    profile: &'a str,
    mode: Mode,
    mailboxes: &'a [Mailbox],
    private_network: bool,
}

/// Makes a profile.
pub(crate) fn run(face: &Face<'_>, arguments: Init) -> Outcome {
    refuse_second(face)?;
    let passphrase = ask::new_passphrase(face.global, face.out)?;
    face.out.note(PROTECTS);
    let mode = match arguments.mode {
        Some(mode) => mode.into(),
        None => ask_mode()?,
    };
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None if ask::person() => {
            ask::line("The name contacts see when they pair (may be empty): ")?
        }
        None => String::new(),
    };
    remember(face, arguments.network.as_deref(), &arguments.tor)?;
    let (mut client, welcome) = face.reach(true)?;
    if welcome.profile != ProfileState::Absent {
        return Err(exists(face));
    }
    let passphrase = passphrase.as_str().to_owned();
    let utc_offset_min = show::utc_offset();
    let _: Done = client.call(Call::Create { passphrase, name, mode, utc_offset_min })?;
    let mailboxes = add_mailboxes(face, &mut client, arguments.mailbox)?;
    if ask::person() && !mailboxes.is_empty() {
        wait_for_mailbox(face, &mut client)?;
    }
    let made = Made {
        profile: &face.paths.profile,
        mode,
        mailboxes: &mailboxes,
        private_network: face.paths.network().exists(),
    };
    face.out.item(&made, || format!("Profile \"{}\" is made.", made.profile))?;
    if made.private_network {
        face.out.warn(&face.out.alarm(show::PRIVATE));
    }
    if mailboxes.is_empty() {
        face.out.note("Both sides need a mailbox. Next: pvtcoms mailbox add ADDRESS.onion");
    } else {
        face.out.note("Next: pvtcoms invite new, or pvtcoms accept -");
    }
    Ok(())
}

/// Before anything is asked: one profile, one identity.
fn refuse_second(face: &Face<'_>) -> Outcome {
    if face.paths.has_profile() { Err(exists(face)) } else { Ok(()) }
}

fn exists(face: &Face<'_>) -> Fault {
    Fault::new(
        ErrorKind::Profile,
        format!("There is a profile \"{}\" already. Nothing was made.", face.paths.profile),
        "Use it with `pvtcoms unlock`, or make another: `pvtcoms --profile NAME init`.",
    )
}

fn ask_mode() -> Outcome<Mode> {
    if !ask::person() {
        return Ok(Mode::Steady);
    }
    loop {
        let answer = ask::line(&format!(
            "1  {}\n2  {}\nWhich schedule? [1] ",
            show::mode(ModeName::Steady.into()),
            show::mode(ModeName::Fast.into())
        ))?;
        match answer.trim() {
            "" | "1" | "steady" => return Ok(Mode::Steady),
            "2" | "fast" => return Ok(Mode::Fast),
            _ => {}
        }
    }
}

/// Writes down how this profile reaches Tor, before a service is started for it.
pub(super) fn remember(face: &Face<'_>, network: Option<&Path>, tor: &TorFlags) -> Outcome {
    face.paths.prepare()?;
    let gate = GateSettings { socks: tor.socks.clone(), bridges: tor.bridge.clone() };
    if network.is_none() && gate.is_default() {
        return Ok(());
    }
    // A service that runs for a profile that was not made yet has other settings.
    super::service::end(face)?;
    if let Some(network) = network {
        bind_network(&face.paths, network)?;
    }
    if gate.is_default() { Ok(()) } else { gate.save(&face.paths) }
}

fn add_mailboxes(
    face: &Face<'_>,
    client: &mut Client,
    mut addresses: Vec<String>,
) -> Outcome<Vec<Mailbox>> {
    if addresses.is_empty() && ask::person() {
        let answer = ask::line("Address of a mailbox for you (empty = later): ")?;
        addresses.extend(answer.split_whitespace().map(str::to_owned));
    }
    let mut added = Vec::new();
    for address in addresses {
        match client.call(Call::MailboxAdd { address }) {
            Ok(mailbox) => added.push(mailbox),
            // The profile is made; a mistyped mailbox does not undo that, and is said.
            Err(fault) => {
                face.out.warn("The profile is made. One mailbox was not added:");
                return Err(fault);
            }
        }
    }
    Ok(added)
}

/// Shows how far Tor is until the mailbox has answered: nothing less counts as success.
fn wait_for_mailbox(face: &Face<'_>, client: &mut Client) -> Outcome {
    let what = "waiting for the first answer of the mailbox (Ctrl-C: later)";
    waiting::on_interrupt(
        "The profile is made. The mailbox has not answered yet: see `pvtcoms status`.".to_owned(),
    );
    let progress = Progress::new(face, what);
    loop {
        let status: Status = client.call(Call::Status {})?;
        if let Some(mailbox) = status.mailboxes.iter().find(|m| m.answered_ago.is_some()) {
            drop(progress);
            face.out.note(&format!("{} has answered.", plain(&mailbox.address)));
            return Ok(());
        }
        progress.tor(what, &status);
        std::thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_protects_fits_one_screen_and_names_what_it_does_not() {
        assert!(PROTECTS.lines().count() <= 12);
        assert!(PROTECTS.lines().all(|line| line.len() <= 100));
        for limit in ["TH-6", "TH-7", "TH-8"] {
            assert!(PROTECTS.contains(limit), "{limit}");
        }
    }
}
