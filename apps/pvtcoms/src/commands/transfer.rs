//! `backup` and `restore`: a profile in one file under a passphrase of its own, and back.

use super::waiting::{self, Progress};
use crate::args::{Backup, Restore};
use crate::ask;
use crate::fault::{Fault, Outcome};
use crate::reach::Face;
use crate::rpc::Client;
use daemon::types::error::ErrorKind;
use daemon::types::method::{Call, Done};
use daemon::types::view::{ProfileState, Transfer};
use serde::Serialize;
use std::path::{Path, absolute};
use std::time::Duration;

/// Pause between two looks. A core that nobody asks for ten seconds gives the work up.
const LOOK: Duration = Duration::from_millis(250);

/// What `backup` prints.
#[derive(Serialize)]
struct Written<'a> {
    file: &'a str,
    messages: u64,
    bytes: u64,
}

/// What `restore` prints.
#[derive(Serialize)]
struct Restored<'a> {
    profile: &'a str,
    messages: u64,
    over: u64,
    made: Option<u64>,
}

/// Writes a backup and reads it back.
pub(crate) fn backup(face: &Face<'_>, arguments: &Backup) -> Outcome {
    let file = path(&arguments.file)?;
    let mut client = face.open(true)?;
    if Path::new(&file).symlink_metadata().is_ok() {
        return Err(Fault::wrong_use(
            "There is a file of this name already. It was not touched.",
            "Choose another name.",
        ));
    }
    let passphrase =
        ask::backup_passphrase(arguments.backup_passphrase_fd, face.out)?.as_str().to_owned();
    waiting::on_interrupt("Cancelled: no backup was made.".to_owned());
    let _: Done = client.call(Call::Backup { file: file.clone(), passphrase })?;
    let done = follow(face, &mut client, "writing the backup and reading it back")?;
    let written = Written { file: &file, messages: done.messages, bytes: done.bytes };
    face.out.item(&written, || {
        format!("The backup is written and was read back: {} messages.", written.messages)
    })?;
    face.out.note(
        "Whoever has this file and its passphrase can be you to your contacts. Keep both apart.",
    );
    Ok(())
}

/// Makes the profile of a backup.
pub(crate) fn restore(face: &Face<'_>, arguments: &Restore) -> Outcome {
    let file = path(&arguments.file)?;
    if face.paths.has_profile() {
        return Err(exists(face));
    }
    let file_passphrase = ask::passphrase_of_backup(arguments.backup_passphrase_fd)?;
    let passphrase = ask::new_passphrase(face.global, face.out)?;
    super::init::remember(face, arguments.network.as_deref(), &arguments.tor)?;
    let (mut client, welcome) = face.reach(true)?;
    if welcome.profile != ProfileState::Absent {
        return Err(exists(face));
    }
    waiting::on_interrupt("Cancelled: no profile was made.".to_owned());
    let (file_passphrase, passphrase) =
        (file_passphrase.as_str().to_owned(), passphrase.as_str().to_owned());
    let _: Done = client.call(Call::Restore { file, file_passphrase, passphrase })?;
    let done = follow(face, &mut client, "reading the backup")?;
    let restored = Restored {
        profile: &face.paths.profile,
        messages: done.messages,
        over: done.over,
        made: done.made,
    };
    face.out.item(&restored, || {
        format!("Profile \"{}\" is restored: {} messages.", restored.profile, restored.messages)
    })?;
    face.out.note(
        "Sessions with your contacts are renewed by themselves; what you write waits until then. \
         Never use the old device's profile again.",
    );
    Ok(())
}

/// Asks until it is done.
fn follow(face: &Face<'_>, client: &mut Client, what: &str) -> Outcome<Transfer> {
    let progress = Progress::new(face, what);
    loop {
        let now: Transfer = client.call(Call::Transfer {})?;
        if now.finished {
            return Ok(now);
        }
        if let Some(percent) = now.done.saturating_mul(100).checked_div(now.total) {
            progress.text(&format!("{what} · {percent} %"));
        }
        std::thread::sleep(LOOK);
    }
}

/// The core works in another folder: it gets absolute paths.
fn path(file: &Path) -> Outcome<String> {
    let unusable = || {
        Fault::wrong_use(
            "This is no path that can be used. Nothing was done.",
            "Name a file, in UTF-8.",
        )
    };
    let file = absolute(file).map_err(|_| unusable())?;
    file.into_os_string().into_string().map_err(|_| unusable())
}

fn exists(face: &Face<'_>) -> Fault {
    Fault::new(
        ErrorKind::Profile,
        format!("There is a profile \"{}\" already. Nothing was restored.", face.paths.profile),
        "A backup becomes a new profile only: `pvtcoms --profile NAME restore FILE`.",
    )
}
